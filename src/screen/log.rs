//! What opened and what resolved: as the journal has it, where a loop or a pass keeps one, and as this screen saw it
//! itself.

use std::collections::{BTreeMap, VecDeque};

use crate::core::drift::Note;
use crate::core::ids::Timestamp;
use crate::core::report::{Told, Verdict};
use crate::core::standing::Standing;
use crate::state::journal::{Entry, News, Stage};
use crate::tell::item::Item;
use crate::tell::paint::Hue;
use crate::tell::sentence;

/// How many events are kept.
const KEPT: usize = 500;

/// One thing that happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Event {
    /// When.
    pub(super) at: Timestamp,
    /// What, in a word.
    pub(super) word: &'static str,
    /// The colour of that word.
    pub(super) hue: Hue,
    /// What about; not safe to show yet.
    pub(super) text: String,
    /// The id of the drift or note.
    about: String,
    /// Whether that is open after it.
    opens: bool,
    /// Whether this screen saw it itself, and the journal may still tell it better.
    own: bool,
}

/// Something that is open, as this screen saw it.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Open {
    since: Since,
    /// What is told when it is over.
    over: String,
}

/// Since when something is open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Since {
    /// Since then.
    At(Timestamp),
    /// Since then at least: it was there at the first look, and nobody remembers more.
    Before(Timestamp),
}

/// What happened, the oldest first.
#[derive(Clone, Debug, Default)]
pub(super) struct Log {
    events: VecDeque<Event>,
    open: BTreeMap<String, Open>,
    has_seen: bool,
}

impl Log {
    /// The events.
    pub(super) fn events(&self) -> impl DoubleEndedIterator<Item = &Event> + ExactSizeIterator {
        self.events.iter()
    }

    /// Since when a drift is open.
    pub(super) fn since(&self, told: &Told) -> Since {
        let seen = self.open.get(&told.drift.id.to_string());
        match seen.map(|open| open.since) {
            Some(Since::At(at)) => Since::At(at.min(told.first_seen)),
            Some(Since::Before(at)) if !told.new => Since::At(at.min(told.first_seen)),
            Some(since @ Since::Before(_)) => since,
            None => Since::At(told.first_seen),
        }
    }

    /// What the journal says.
    pub(super) fn hear(&mut self, entries: &[Entry]) {
        for entry in entries {
            let (word, hue, opens) = match &entry.news {
                News::Opened(_) => ("seen", Hue::Bad, true),
                News::Changed(_) => ("changed", Hue::Notice, true),
                News::Resolved(_) => ("over", Hue::Good, false),
                // What became of it follows.
                News::Edited(_) | News::JobEdited(_) => continue,
                News::Outcome(drift) if drift.applied => ("written", Hue::Good, false),
                News::JobOutcome(update) if update.applied => ("written", Hue::Good, false),
                News::Outcome(_) | News::JobOutcome(_) => ("not written", Hue::Bad, true),
                News::Job(_) => ("heard", Hue::Notice, true),
                News::Undone(undone) => match undone.stage {
                    Stage::Begun => continue,
                    Stage::Done => ("undone", Hue::Notice, true),
                    Stage::Failed => ("not undone", Hue::Bad, false),
                    Stage::Lifted => ("undo lifted", Hue::Notice, true),
                },
                News::Pruned(pruned) => match (pruned.stage, pruned.puts_back) {
                    (Stage::Begun, _) => continue,
                    (Stage::Done | Stage::Lifted, None) => ("pruned", Hue::Notice, false),
                    (Stage::Done | Stage::Lifted, Some(_)) => ("put back", Hue::Notice, false),
                    (Stage::Failed, None) => ("not pruned", Hue::Bad, false),
                    (Stage::Failed, Some(_)) => ("not put back", Hue::Bad, false),
                },
            };
            let about = entry.news.id().to_owned();
            // The journal knows it better.
            let known = self.events.iter().rposition(|event| event.about == about);
            if let Some(at) = known
                && self
                    .events
                    .get(at)
                    .is_some_and(|event| event.own && event.opens == opens)
            {
                self.events.remove(at);
            }
            self.push(Event {
                at: entry.at,
                word,
                hue,
                text: entry.news.comment().to_owned(),
                about,
                opens,
                own: false,
            });
        }
    }

    /// What a look says. Of what could not be seen nothing is said to be over.
    pub(super) fn see(&mut self, standing: &Standing) {
        let at = standing.at;
        let first = !std::mem::replace(&mut self.has_seen, true);
        let mut now = BTreeMap::new();
        for told in drifts(standing) {
            let text = sentence::comment(&told.drift, &told.outcome);
            let subject = sentence::subject(&told.drift);
            let over = format!("{subject}: in order again ({})", told.drift.kind.as_str());
            now.insert(told.drift.id.to_string(), ("seen", Hue::Bad, text, over));
        }
        for note in notes(standing) {
            let item = Item::from(note);
            let text = format!("{}: {}: {}", item.subject, item.kind, item.statement);
            let over = format!("{}: {} no more", item.subject, item.kind);
            now.insert(key(note), ("noted", Hue::Notice, text, over));
        }
        for (about, (word, hue, text, over)) in &now {
            if self.open.contains_key(about) {
                continue;
            }
            let since = if first {
                Since::Before(at)
            } else {
                Since::At(at)
            };
            let over = over.clone();
            self.open.insert(about.clone(), Open { since, over });
            if !first && self.opens(about) != Some(true) {
                self.push(Event {
                    at,
                    word,
                    hue: *hue,
                    text: text.clone(),
                    about: about.clone(),
                    opens: true,
                    own: true,
                });
            }
        }
        if standing.verdict == Verdict::Blind {
            return;
        }
        let over: Vec<String> = self
            .open
            .keys()
            .filter(|about| !now.contains_key(*about))
            .cloned()
            .collect();
        for about in over {
            let Some(open) = self.open.remove(&about) else {
                continue;
            };
            if self.opens(&about) != Some(false) {
                self.push(Event {
                    at,
                    word: "over",
                    hue: Hue::Good,
                    text: open.over,
                    about,
                    opens: false,
                    own: true,
                });
            }
        }
    }

    /// Whether the last event about something left it open.
    fn opens(&self, about: &str) -> Option<bool> {
        let mut events = self.events.iter().rev();
        events
            .find(|event| event.about == about)
            .map(|event| event.opens)
    }

    fn push(&mut self, event: Event) {
        self.events.push_back(event);
        while self.events.len() > KEPT {
            self.events.pop_front();
        }
    }
}

/// All drifts of a standing, those of sessions first.
pub(super) fn drifts(standing: &Standing) -> impl Iterator<Item = &Told> {
    let of_sessions = standing.sessions.iter().flat_map(|it| &it.drifts);
    of_sessions.chain(&standing.drifts)
}

/// All notes of a standing, those of sessions first.
pub(super) fn notes(standing: &Standing) -> impl Iterator<Item = &Note> {
    let of_sessions = standing.sessions.iter().flat_map(|it| &it.notes);
    of_sessions.chain(&standing.notes)
}

/// What makes a note the same one in every look.
fn key(note: &Note) -> String {
    let session = note.session.as_ref().map(ToString::to_string);
    let server = note.server.as_ref().map(ToString::to_string);
    format!(
        "note {} {} {}",
        note.kind.as_str(),
        server.unwrap_or_default(),
        session.unwrap_or_default()
    )
}
