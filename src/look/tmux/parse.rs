//! The text of a listing, turned into sessions. Anything that is not exactly what was asked for is no listing.

use std::collections::{BTreeMap, BTreeSet};

use crate::core::ids::Pid;
use crate::core::world::ServerId;

/// A session as tmux lists it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RawSession {
    /// `$3`
    pub id: String,
    /// Its name.
    pub name: String,
    /// When it was created, in seconds since the epoch.
    pub created: i64,
    /// Its panes, each once.
    pub panes: Vec<RawPane>,
}

/// A pane as tmux lists it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RawPane {
    /// `%5`
    pub id: String,
    /// The pid of its first process.
    pub pid: Pid,
    /// Whether its program has ended.
    pub dead: bool,
}

/// What the text says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reply {
    /// Both counts are there, by one and the same server, and agree with what is listed.
    Complete {
        /// The server.
        server: ServerId,
        /// Its sessions.
        sessions: Vec<RawSession>,
    },
    /// The first count, of no sessions, and nothing else.
    Empty {
        /// The server.
        server: ServerId,
    },
    /// No text at all.
    Nothing,
    /// Anything else; what is wrong.
    Broken(String),
}

enum Line<'t> {
    Count(ServerId, usize),
    Pane(Listed<'t>),
}

/// A pane, with what its line says of its session.
struct Listed<'t> {
    session: &'t str,
    name: &'t str,
    created: i64,
    pane: &'t str,
    pid: Pid,
    dead: bool,
}

/// Reads a listing whose lines begin with `nonce`.
#[must_use]
pub(super) fn parse(nonce: &str, bytes: &[u8]) -> Reply {
    if bytes.is_empty() {
        return Reply::Nothing;
    }
    let Ok(text) = std::str::from_utf8(bytes) else {
        return Reply::Broken("tmux's listing is not UTF-8".to_owned());
    };
    let Some(text) = text.strip_suffix('\n') else {
        return Reply::Broken("tmux's listing is cut off".to_owned());
    };
    let mut lines = Vec::new();
    for line in text.split('\n') {
        match parse_line(nonce, line) {
            Some(line) => lines.push(line),
            None => {
                return Reply::Broken(format!(
                    "tmux's listing has a line that was not asked for: {line:?}"
                ));
            }
        }
    }
    match lines.as_slice() {
        [Line::Count(server, 0)] => Reply::Empty { server: *server },
        [
            Line::Count(first, before),
            panes @ ..,
            Line::Count(last, after),
        ] => {
            let Some(sessions) = collect(panes) else {
                return Reply::Broken("tmux's listing contradicts itself".to_owned());
            };
            if first != last {
                Reply::Broken("another server answered in the middle of the listing".to_owned())
            } else if before != after || *before != sessions.len() {
                Reply::Broken(format!(
                    "tmux listed {} sessions, and counted {before} before and {after} after",
                    sessions.len()
                ))
            } else {
                Reply::Complete {
                    server: *first,
                    sessions,
                }
            }
        }
        _ => Reply::Broken("tmux's listing is cut off".to_owned()),
    }
}

fn parse_line<'t>(nonce: &str, line: &'t str) -> Option<Line<'t>> {
    let rest = line.strip_prefix(nonce)?.strip_prefix('\t')?;
    let (kind, rest) = rest.split_once('\t')?;
    match kind {
        "COUNT" => {
            let mut fields = rest.split('\t');
            let (pid, start, marks) = (fields.next()?, fields.next()?, fields.next()?);
            let whole = fields.next().is_none() && marks.bytes().all(|byte| byte == b'x');
            let server = ServerId {
                pid: pid.parse().ok()?,
                start: start.parse().ok()?,
            };
            whole.then_some(Line::Count(server, marks.len()))
        }
        "PANE" => {
            let mut fields = rest.splitn(6, '\t');
            let (session, pane, pid) = (fields.next()?, fields.next()?, fields.next()?);
            let (dead, created, name) = (fields.next()?, fields.next()?, fields.next()?);
            let has_ids = is_id('$', session) && is_id('%', pane) && !name.contains('\t');
            let listed = Listed {
                session,
                name,
                created: created.parse().ok()?,
                pane,
                pid: pid.parse().ok()?,
                dead: match dead {
                    "0" | "" => false,
                    "1" => true,
                    _ => return None,
                },
            };
            has_ids.then_some(Line::Pane(listed))
        }
        _ => None,
    }
}

fn is_id(sign: char, text: &str) -> bool {
    text.strip_prefix(sign).is_some_and(|number| {
        !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit())
    })
}

/// Puts the panes of each session together. `None` if one session is told in two ways.
fn collect(lines: &[Line<'_>]) -> Option<Vec<RawSession>> {
    let mut sessions: Vec<RawSession> = Vec::new();
    let mut place: BTreeMap<&str, usize> = BTreeMap::new();
    let mut seen: BTreeSet<(&str, &str)> = BTreeSet::new();
    for line in lines {
        let Line::Pane(listed) = line else {
            return None;
        };
        let at = *place.entry(listed.session).or_insert_with(|| {
            sessions.push(RawSession {
                id: listed.session.to_owned(),
                name: listed.name.to_owned(),
                created: listed.created,
                panes: Vec::new(),
            });
            sessions.len() - 1
        });
        let known = sessions.get_mut(at)?;
        if known.name != listed.name || known.created != listed.created {
            return None;
        }
        // A window can be linked into one session more than once.
        if seen.insert((listed.session, listed.pane)) {
            known.panes.push(RawPane {
                id: listed.pane.to_owned(),
                pid: listed.pid,
                dead: listed.dead,
            });
        }
    }
    Some(sessions)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SERVER: ServerId = ServerId { pid: 7, start: 100 };

    fn two_sessions() -> String {
        [
            "N\tCOUNT\t7\t100\txx",
            "N\tPANE\t$0\t%0\t11\t0\t101\ta b",
            "N\tPANE\t$0\t%1\t12\t1\t101\ta b",
            "N\tPANE\t$1\t%2\t13\t0\t102\té \"q\" 🙂\\t",
            "N\tCOUNT\t7\t100\txx",
        ]
        .map(|line| format!("{line}\n"))
        .concat()
    }

    #[test]
    fn a_listing_between_two_equal_counts_is_complete() {
        let Reply::Complete { server, sessions } = parse("N", two_sessions().as_bytes()) else {
            panic!("complete");
        };
        assert_eq!(server, SERVER);
        let told: Vec<_> = sessions
            .iter()
            .map(|session| {
                (
                    session.id.as_str(),
                    session.name.as_str(),
                    session.panes.len(),
                )
            })
            .collect();
        assert_eq!(told, [("$0", "a b", 2), ("$1", "é \"q\" 🙂\\t", 1)]);
        assert!(sessions[0].panes[1].dead);
    }

    #[test]
    fn no_text_is_nothing_and_a_lone_count_of_none_is_an_empty_server() {
        assert_eq!(parse("N", b""), Reply::Nothing);
        assert_eq!(
            parse("N", b"N\tCOUNT\t7\t100\t\n"),
            Reply::Empty { server: SERVER }
        );
    }

    #[test]
    fn a_count_that_disagrees_is_no_listing() {
        for (from, to) in [
            ("xx\nN\tPANE", "x\nN\tPANE"),
            ("102\té", "102\té\nN\tPANE\t$2\t%3\t14\t0\t102\té"),
        ] {
            let text = two_sessions().replacen(from, to, 1);
            assert!(
                matches!(parse("N", text.as_bytes()), Reply::Broken(_)),
                "{text}"
            );
        }
    }

    #[test]
    fn two_servers_in_one_listing_are_none() {
        let text = two_sessions().replacen("COUNT\t7\t100", "COUNT\t7\t99", 1);
        assert!(matches!(parse("N", text.as_bytes()), Reply::Broken(_)));
    }

    #[test]
    fn tabs_that_became_underlines_are_no_listing() {
        let text = two_sessions().replace('\t', "_");
        assert!(matches!(parse("N", text.as_bytes()), Reply::Broken(_)));
    }

    #[test]
    fn grouped_sessions_keep_the_pane_they_share() {
        let text = "N\tCOUNT\t7\t100\txx\nN\tPANE\t$0\t%0\t11\t0\t101\ta\nN\tPANE\t$1\t%0\t11\t0\t102\tb\nN\tCOUNT\t7\t100\txx\n";
        let Reply::Complete { sessions, .. } = parse("N", text.as_bytes()) else {
            panic!("complete");
        };
        assert!(sessions.iter().all(|session| session.panes.len() == 1));
    }

    proptest! {
        #[test]
        fn cut_off_anywhere_it_is_never_complete(end in 0usize..150) {
            let whole = two_sessions();
            prop_assume!(end < whole.len());
            let reply = parse("N", &whole.as_bytes()[..end]);
            let complete = matches!(reply, Reply::Complete { .. } | Reply::Empty { .. });
            prop_assert!(!complete, "{:?}", reply);
        }

        #[test]
        fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let _ = parse("N", &bytes);
        }
    }
}
