//! From values to rows: what each entry of `tmux_sessions` declares, or what is wrong with it.

use std::cell::OnceCell;
use std::collections::{BTreeMap, HashMap};

use super::datum::Datum;
use super::layout::Layout;
use super::parse::{self, NotYaml};
use super::scalar;
use crate::core::ids::{
    AgentKind, ConversationId, Fingerprint, Pid, ServerName, SessionName, Timestamp,
};
use crate::core::jobs::JobStatus;
use crate::core::registry::{
    Identity, InvalidRow, RecordedId, Registry, Row, RowEnd, RowPane, Status,
};

/// Reads the registry from a roll's values. The text is asked only where a value is not what it should be.
pub(super) fn registry(
    root: &Datum,
    text: &str,
    fingerprint: Fingerprint,
    written_at: Timestamp,
) -> Result<Registry, NotYaml> {
    let source = Source::of(text);
    let entries = entries(root, &source)?;
    let taken = names(entries, &source);
    let mut rows = Vec::with_capacity(entries.len());
    let mut invalid = Vec::new();
    for (index, entry) in entries.iter().enumerate() {
        let reader = RowReader {
            index,
            entry,
            source: &source,
        };
        match reader.row(&taken) {
            Ok(row) => rows.push(row),
            Err(problem) => invalid.push(InvalidRow {
                index,
                name: reader.optional("name").ok().flatten().map(SessionName::new),
                pid: reader.pid().ok().flatten(),
                problem,
                line: source.row_line(index),
            }),
        }
    }
    Ok(Registry {
        fingerprint,
        written_at,
        rows,
        invalid,
        identities: identities(root),
    })
}

/// The fingerprint of one row's value.
pub(super) fn fingerprint(row: &Datum) -> Fingerprint {
    Fingerprint::new(format!("{:016x}", row.hash()))
}

/// The entries of `tmux_sessions`; none where it is null, or missing in what is a roll all the same.
fn entries<'d>(root: &'d Datum, source: &Source<'_>) -> Result<&'d [Datum], NotYaml> {
    let wrong = |why: String| {
        let (line, column) = source.key_place("tmux_sessions").unwrap_or((1, 1));
        NotYaml { line, column, why }
    };
    if let Datum::Map(pairs) = root {
        let mut times = pairs
            .iter()
            .filter(|(key, _)| key.text() == Some("tmux_sessions"));
        if times.nth(1).is_some() {
            return Err(wrong(
                "`tmux_sessions` is there twice: merge the two lists".to_owned(),
            ));
        }
    }
    match root.get("tmux_sessions") {
        // A file without either key is most probably another file, named by mistake: nothing may be added to it.
        None if root.get("agent_identities").is_none() => Err(wrong(
            "there is no `tmux_sessions` in it: if this is the roll, add `tmux_sessions: []`"
                .to_owned(),
        )),
        None | Some(Datum::Null) => Ok(&[]),
        Some(Datum::List(entries)) => Ok(entries),
        Some(other) => Err(wrong(format!(
            "`tmux_sessions` is {} where a list of sessions is expected",
            other.noun()
        ))),
    }
}

/// How often each name is there.
fn names(entries: &[Datum], source: &Source<'_>) -> HashMap<String, usize> {
    let mut names = HashMap::with_capacity(entries.len());
    for (index, entry) in entries.iter().enumerate() {
        if let Ok(Some(name)) = (RowReader {
            index,
            entry,
            source,
        })
        .text("name")
        {
            *names.entry(name).or_insert(0) += 1;
        }
    }
    names
}

fn identities(root: &Datum) -> Vec<Identity> {
    let Some(Datum::Map(pairs)) = root.get("agent_identities") else {
        return Vec::new();
    };
    pairs
        .iter()
        .filter_map(|(key, value)| {
            let key = key.text()?;
            let id = ["session_id", "conversation_id"]
                .iter()
                .find_map(|id| value.get(id)?.text().filter(|id| !id.is_empty()))?;
            Some(Identity {
                key: key.to_owned(),
                agent: AgentKind::named(key),
                id: ConversationId::new(id),
                cwd: value
                    .get("project_cwd")
                    .and_then(Datum::text)
                    .map(str::to_owned),
            })
        })
        .collect()
}

/// The text behind the values: where each stands, and how it was written. Looked at only when needed.
struct Source<'t> {
    text: &'t str,
    layout: OnceCell<Option<Layout<'t>>>,
}

impl<'t> Source<'t> {
    fn of(text: &'t str) -> Self {
        Self {
            text: parse::without_mark(text),
            layout: OnceCell::new(),
        }
    }

    fn layout(&self) -> Option<&Layout<'t>> {
        self.layout
            .get_or_init(|| Layout::of(self.text).ok())
            .as_ref()
    }

    fn row_line(&self, index: usize) -> Option<usize> {
        let layout = self.layout()?;
        let at = layout.row(index)?.start;
        Some(layout.place(at).0)
    }

    fn key_place(&self, key: &str) -> Option<(usize, usize)> {
        let layout = self.layout()?;
        let at = layout.root()?.entry(key)?.key.start;
        Some(layout.place(at))
    }

    /// A plain scalar of a row, as it was written.
    fn plain(&self, index: usize, path: &[&str]) -> Option<&str> {
        let layout = self.layout()?;
        let mut node = layout.row(index)?;
        for key in path {
            node = &node.map()?.entry(key)?.value;
        }
        node.plain()
    }
}

struct RowReader<'r, 't> {
    index: usize,
    entry: &'r Datum,
    source: &'r Source<'t>,
}

impl RowReader<'_, '_> {
    fn row(&self, taken: &HashMap<String, usize>) -> Result<Row, String> {
        let Datum::Map(pairs) = self.entry else {
            return Err(format!(
                "this entry is {}, not a mapping",
                self.entry.noun()
            ));
        };
        let name = self.required("name")?;
        let status = self.required("status")?;
        if let Some(key) = twice(pairs) {
            return Err(format!("the key `{key}` is there twice"));
        }
        if let Some(times @ 2..) = taken.get(&name) {
            return Err(format!("the name `{name}` is there {times} times"));
        }
        let pane = self.pane()?;
        let ids = self.ids()?;
        let server = self.optional("tmux_server")?;
        let job = self.optional("delegate_job_id")?;
        let job_status_of = self.optional("delegate_job_status_of")?;
        Ok(Row {
            index: self.index,
            fingerprint: fingerprint(self.entry),
            agent: self.agent(&name, &ids, &pane),
            name: SessionName::new(name),
            status: Status::named(&status),
            server: server.map(ServerName::new),
            pane,
            ids,
            end: self.end(),
            job,
            job_status_of,
            job_status: self
                .entry
                .get("delegate_job_status")
                .and_then(Datum::text)
                .and_then(JobStatus::named),
        })
    }

    fn required(&self, key: &str) -> Result<String, String> {
        match self.text(key)? {
            Some(text) if !text.is_empty() => Ok(text),
            Some(_) => Err(format!("`{key}` is empty")),
            None => Err(format!("it has no `{key}`")),
        }
    }

    fn optional(&self, key: &str) -> Result<Option<String>, String> {
        Ok(self.text(key)?.filter(|text| !text.is_empty()))
    }

    fn text(&self, key: &str) -> Result<Option<String>, String> {
        self.text_at(&[key])
    }

    /// A text. `12e34567`, which `PyYAML` writes unquoted since to it that is no number, is one too.
    fn text_at(&self, path: &[&str]) -> Result<Option<String>, String> {
        let value = path
            .iter()
            .try_fold(self.entry, |value, key| value.get(key));
        match value {
            None | Some(Datum::Null) => Ok(None),
            Some(Datum::Text(text)) => Ok(Some(text.clone())),
            Some(other) => self
                .source
                .plain(self.index, path)
                .filter(|plain| scalar::is_text_to_pyyaml(plain))
                .map(|plain| Some(plain.to_owned()))
                .ok_or_else(|| {
                    format!(
                        "`{}` is {}, not a text: put it in quotes",
                        path.join("."),
                        other.noun()
                    )
                }),
        }
    }

    fn pid(&self) -> Result<Option<Pid>, String> {
        match self.entry.get("pane").and_then(|pane| pane.get("pid")) {
            None | Some(Datum::Null) => Ok(None),
            Some(Datum::Int(pid)) => match Pid::try_from(*pid) {
                Ok(pid @ 1..) => Ok(Some(pid)),
                _ => Err(format!("`pane.pid` is {pid}, which is no process id")),
            },
            Some(other) => Err(format!(
                "`pane.pid` is {}, not a whole number",
                other.noun()
            )),
        }
    }

    fn pane(&self) -> Result<RowPane, String> {
        match self.entry.get("pane") {
            None | Some(Datum::Null) => Ok(RowPane::default()),
            Some(Datum::Map(pairs)) => match twice(pairs) {
                Some(key) => Err(format!("the key `pane.{key}` is there twice")),
                None => Ok(RowPane {
                    pid: self.pid()?,
                    cmd: self.text_at(&["pane", "cmd"])?,
                    cwd: self.text_at(&["pane", "cwd"])?,
                }),
            },
            Some(other) => Err(format!("`pane` is {}, not a mapping", other.noun())),
        }
    }

    fn ids(&self) -> Result<BTreeMap<AgentKind, RecordedId>, String> {
        let mut ids = BTreeMap::new();
        for kind in AgentKind::ALL {
            let Some(key) = kind.id_key() else { continue };
            if self.entry.get(key).is_none() {
                continue;
            }
            let value = self.optional(key)?.map(ConversationId::new);
            let previous = match self.entry.get(&format!("{key}_previous")) {
                None | Some(Datum::Null) => Vec::new(),
                Some(Datum::List(items)) => items
                    .iter()
                    .filter_map(|id| id.text().map(ConversationId::new))
                    .collect(),
                Some(other) => {
                    return Err(format!("`{key}_previous` is {}, not a list", other.noun()));
                }
            };
            ids.insert(kind, RecordedId { value, previous });
        }
        Ok(ids)
    }

    fn agent(
        &self,
        name: &str,
        ids: &BTreeMap<AgentKind, RecordedId>,
        pane: &RowPane,
    ) -> Option<AgentKind> {
        if ids.len() == 1 {
            return ids.keys().next().copied();
        }
        // A label such as `claude-code` or `agy-agent` names its agent first, a session name names it last.
        let labelled = |label: &str| AgentKind::named(label.split('-').next().unwrap_or(label));
        let program = |path: &str| AgentKind::named(path.rsplit('/').next().unwrap_or(path));
        let said = |key: &str| self.entry.get(key).and_then(Datum::text);
        name.rsplit('-')
            .next()
            .and_then(AgentKind::named)
            .or_else(|| said("agent").and_then(labelled))
            .or_else(|| pane.cmd.as_deref().and_then(program))
            .or_else(|| {
                said("start_command")
                    .and_then(|command| command.split_whitespace().next())
                    .and_then(program)
            })
    }

    fn end(&self) -> RowEnd {
        let epoch = |key: &&str| match self.entry.get(key)? {
            // Who has no end to tell may write 0.
            Datum::Int(secs) if *secs > 0 => i64::try_from(*secs).ok().map(Timestamp::from_secs),
            #[expect(
                clippy::cast_possible_truncation,
                reason = "a time beyond the range of i64 is cut to it"
            )]
            Datum::Float(secs) if secs.is_finite() && *secs > 0.0 => {
                Some(Timestamp::from_millis((secs * 1000.0) as i64))
            }
            _ => None,
        };
        let told = |key: &&str| Timestamp::parse(self.entry.get(key)?.text()?);
        let by_seconds = ["terminated_at_epoch", "stopped_at_epoch"];
        let by_text = ["terminated_at", "stopped_at", "archived_at"];
        // Who wrote last need not know of the other keys.
        let ends = by_seconds.iter().filter_map(epoch);
        let at = ends.chain(by_text.iter().filter_map(told)).max();
        RowEnd {
            at,
            mode: self
                .entry
                .get("termination_mode")
                .and_then(Datum::text)
                .map(str::to_owned),
        }
    }
}

/// The first key that is there twice.
fn twice(pairs: &[(Datum, Datum)]) -> Option<String> {
    let mut seen = pairs
        .iter()
        .filter_map(|(key, _)| key.text())
        .collect::<Vec<_>>();
    seen.sort_unstable();
    seen.windows(2)
        .find(|pair| pair[0] == pair[1])
        .map(|pair| pair[0].to_owned())
}

#[cfg(test)]
mod tests;
