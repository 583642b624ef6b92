//! What the journal tells a person who asks what became of the roll.

use std::collections::BTreeSet;
use std::io::{self, Write};

use crate::state::journal::{Entry, News, Stage};
use crate::tell::visible::{readable, readable_name, visible};
use crate::tell::wire::{Drift, Pairs, Value};

/// What of the journal is asked for.
#[derive(Clone, Debug, Default)]
pub(super) struct Question {
    /// Only what is about these sessions; all if there is none.
    pub(super) sessions: Vec<String>,
    /// What was told besides, and not only what was written to the roll.
    pub(super) all: bool,
    /// The last so many only.
    pub(super) last: Option<usize>,
}

/// The entries that answer a question, oldest first.
pub(super) fn answer<'e>(entries: &'e [Entry], question: &Question) -> Vec<&'e Entry> {
    let ended = outcomes(entries);
    let mut answer: Vec<&Entry> = entries
        .iter()
        .filter(|entry| question.all || changes_the_roll(entry, &ended))
        .filter(|entry| {
            question.sessions.is_empty()
                || session_of(&entry.news)
                    .is_some_and(|session| question.sessions.iter().any(|named| named == session))
        })
        .collect();
    if let Some(last) = question.last {
        answer.drain(..answer.len().saturating_sub(last));
    }
    answer
}

/// The numbers of those announcements of an edit that are followed by what became of it.
fn outcomes(entries: &[Entry]) -> BTreeSet<u64> {
    let mut followed = BTreeSet::new();
    let mut announced: Vec<(u64, &str)> = Vec::new();
    for entry in entries {
        match &entry.news {
            News::Edited(Drift { id, .. }) => announced.push((entry.seq, id)),
            News::JobEdited(update) => announced.push((entry.seq, &update.id)),
            News::Outcome(Drift { id, .. }) => settle(&mut announced, id, &mut followed),
            News::JobOutcome(update) => settle(&mut announced, &update.id, &mut followed),
            News::Undone(undone) => match undone.stage {
                Stage::Begun => announced.push((entry.seq, entry.news.id())),
                Stage::Done | Stage::Failed => {
                    settle(&mut announced, entry.news.id(), &mut followed);
                }
                Stage::Lifted => {}
            },
            News::Pruned(pruned) => match pruned.stage {
                Stage::Begun => announced.push((entry.seq, &pruned.id)),
                Stage::Done | Stage::Failed | Stage::Lifted => {
                    settle(&mut announced, &pruned.id, &mut followed);
                }
            },
            News::Opened(_) | News::Changed(_) | News::Resolved(_) | News::Job(_) => {}
        }
    }
    followed
}

fn settle(announced: &mut Vec<(u64, &str)>, id: &str, followed: &mut BTreeSet<u64>) {
    announced.retain(|(seq, of)| {
        let settled = *of == id;
        if settled {
            followed.insert(*seq);
        }
        !settled
    });
}

/// Whether the roll was written, or may have been: an edit that was announced, and of which nothing followed.
fn changes_the_roll(entry: &Entry, followed: &BTreeSet<u64>) -> bool {
    match &entry.news {
        News::Outcome(drift) => drift.applied,
        News::JobOutcome(update) => update.applied,
        News::Edited(_) | News::JobEdited(_) => !followed.contains(&entry.seq),
        News::Undone(undone) => match undone.stage {
            Stage::Begun => !followed.contains(&entry.seq),
            Stage::Done | Stage::Lifted => true,
            Stage::Failed => false,
        },
        News::Pruned(pruned) => match pruned.stage {
            Stage::Begun => !followed.contains(&entry.seq),
            Stage::Done | Stage::Lifted => true,
            Stage::Failed => false,
        },
        News::Opened(_) | News::Changed(_) | News::Resolved(_) | News::Job(_) => false,
    }
}

fn session_of(news: &News) -> Option<&str> {
    match news {
        News::Opened(drift) | News::Changed(drift) | News::Edited(drift) | News::Outcome(drift) => {
            drift.session.as_deref()
        }
        News::Resolved(resolved) => resolved.session.as_deref(),
        News::Job(update) | News::JobEdited(update) | News::JobOutcome(update) => {
            Some(&update.session)
        }
        News::Undone(undone) => undone.session(),
        News::Pruned(pruned) => Some(&pruned.session),
    }
}

/// Writes entries as lines for a person: what happened, and below it what the row said and says.
///
/// # Errors
/// When the writer fails.
pub(super) fn write(entries: &[&Entry], out: &mut dyn Write) -> io::Result<()> {
    for entry in entries {
        let happened = match &entry.news {
            News::Opened(_) => "seen",
            News::Changed(_) => "changed",
            News::Resolved(_) => "over",
            News::Edited(_) | News::JobEdited(_) => "begun",
            News::Outcome(Drift { applied: true, .. }) => "written",
            News::JobOutcome(update) if update.applied => "written",
            News::Outcome(_) | News::JobOutcome(_) => "not written",
            News::Job(_) => "heard",
            News::Undone(undone) => match undone.stage {
                Stage::Begun => "undo begun",
                Stage::Done => "undone",
                Stage::Failed => "not undone",
                Stage::Lifted => "undo lifted",
            },
            News::Pruned(pruned) => match (pruned.stage, pruned.puts_back) {
                (Stage::Begun, None) => "prune begun",
                (Stage::Begun, Some(_)) => "undo begun",
                (Stage::Done | Stage::Lifted, None) => "pruned",
                (Stage::Done | Stage::Lifted, Some(_)) => "put back",
                (Stage::Failed, None) => "not pruned",
                (Stage::Failed, Some(_)) => "not put back",
            },
        };
        writeln!(
            out,
            "#{} {} {happened}: {}",
            entry.seq,
            entry.at.iso(),
            visible(&readable(entry.news.comment()))
        )?;
        if let News::Outcome(drift) | News::Edited(drift) = &entry.news {
            write_keys(drift, out)?;
        }
    }
    Ok(())
}

/// The keys that the change is about, as they were and as they became.
fn write_keys(drift: &Drift, out: &mut dyn Write) -> io::Result<()> {
    let before = flat(&drift.before);
    for (key, after) in flat(&drift.after) {
        let was = before.iter().find(|(known, _)| *known == key);
        match was {
            Some((_, was)) if *was == after => {}
            Some((_, was)) => writeln!(out, "    {key}: {was} -> {after}")?,
            None => writeln!(out, "    {key}: {after}")?,
        }
    }
    Ok(())
}

/// Keys and values, those within a mapping under `outer.inner`.
fn flat(pairs: &Pairs) -> Vec<(String, String)> {
    let mut flat = Vec::new();
    for (key, value) in &pairs.0 {
        let key = visible(&readable_name(key)).into_owned();
        match value {
            Value::Null(()) => flat.push((key, "null".to_owned())),
            Value::Int(number) => flat.push((key, number.to_string())),
            Value::Text(text) => flat.push((key, visible(&readable(text)).into_owned())),
            Value::Map(inner) => {
                for (below, value) in self::flat(inner) {
                    flat.push((format!("{key}.{below}"), value));
                }
            }
        }
    }
    flat
}
