#![allow(clippy::unwrap_used)]

use super::*;

fn read(text: &str) -> Registry {
    parse::parse(text, Fingerprint::new("f"), Timestamp::from_secs(7)).unwrap()
}

fn row(keys: &str) -> Result<Row, String> {
    let registry = read(&format!(
        "tmux_sessions:\n- {{name: a, status: running, {keys}}}\n"
    ));
    match (
        registry.rows.into_iter().next(),
        registry.invalid.into_iter().next(),
    ) {
        (Some(row), None) => Ok(row),
        (None, Some(invalid)) => Err(invalid.problem),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_row_says_what_it_says() {
    let registry = read(
        "tmux_sessions:
- name: shop-creator-claude
  status: terminated
  tmux_server: work
  pane: {pid: 7, cmd: claude, cwd: /shop}
  claude_session_id_own: new
  claude_session_id_own_previous: [old, older]
  terminated_at: 2026-11-21T09:00:00Z
  termination_mode: auto-detected
  delegate_job_id: j
",
    );
    let row = &registry.rows[0];
    assert_eq!(row.name.as_str(), "shop-creator-claude");
    assert_eq!(row.status, Status::Terminated);
    assert_eq!(row.server.as_ref().map(ServerName::as_str), Some("work"));
    assert_eq!(row.pane.pid, Some(7));
    assert_eq!(row.pane.cwd.as_deref(), Some("/shop"));
    let id = &row.ids[&AgentKind::Claude];
    assert_eq!(id.value, Some(ConversationId::new("new")));
    assert_eq!(
        id.previous,
        [ConversationId::new("old"), ConversationId::new("older")]
    );
    assert_eq!(row.agent, Some(AgentKind::Claude));
    assert_eq!(row.end.at, Timestamp::parse("2026-11-21T09:00:00Z"));
    assert!(row.ended_by_headcount());
    assert_eq!(row.job.as_deref(), Some("j"));
    assert_eq!(registry.written_at, Timestamp::from_secs(7));
}

#[test]
fn a_wrong_row_is_told_with_its_line_and_the_others_are_read() {
    let registry = read(
        "tmux_sessions:
# comment
- name: a
  status: running
- name: b
  pane: {pid: 9}
- just text
-
- status: running
- name: 12
  status: running
- name: c
  status: running
  pane: 3
- name: d
  status: paused
",
    );
    let rows: Vec<_> = registry
        .rows
        .iter()
        .map(|row| (row.index, row.name.as_str()))
        .collect();
    assert_eq!(rows, [(0, "a"), (7, "d")]);
    assert_eq!(registry.rows[1].status, Status::Other("paused".to_owned()));
    let told: Vec<_> = registry
        .invalid
        .iter()
        .map(|row| (row.index, row.line, row.problem.as_str()))
        .collect();
    assert_eq!(
        told,
        [
            (1, Some(5), "it has no `status`"),
            (2, Some(7), "this entry is a text, not a mapping"),
            (3, Some(8), "this entry is null, not a mapping"),
            (4, Some(9), "it has no `name`"),
            (
                5,
                Some(10),
                "`name` is a number, not a text: put it in quotes"
            ),
            (6, Some(12), "`pane` is a number, not a mapping"),
        ]
    );
    assert_eq!(registry.invalid[0].pid, Some(9));
    assert_eq!(registry.invalid[0].name, Some(SessionName::new("b")));
}

#[test]
fn all_rows_of_one_name_are_wrong() {
    let registry = read(
        "tmux_sessions: [{name: a, status: running}, {name: b, status: running}, {name: a, status: x}]",
    );
    assert_eq!(registry.rows.len(), 1);
    assert_eq!(registry.invalid.len(), 2);
    assert!(registry.invalid[0].problem.contains("2 times"));
}

#[test]
fn values_of_the_wrong_type_are_told() {
    for (keys, problem) in [
        ("pane: {pid: x}", "`pane.pid` is a text, not a whole number"),
        ("pane: {pid: 0}", "`pane.pid` is 0, which is no process id"),
        (
            "pane: {pid: 5000000000}",
            "`pane.pid` is 5000000000, which is no process id",
        ),
        (
            "pane: {pid: 1, pid: 2}",
            "the key `pane.pid` is there twice",
        ),
        (
            "tmux_server: [x]",
            "`tmux_server` is a list, not a text: put it in quotes",
        ),
        (
            "claude_session_id_own: {a: b}",
            "`claude_session_id_own` is a mapping, not a text: put it in quotes",
        ),
        (
            "agy_conversation_id_own: 12",
            "`agy_conversation_id_own` is a number, not a text: put it in quotes",
        ),
        (
            "agy_conversation_id_own: , agy_conversation_id_own_previous: x",
            "`agy_conversation_id_own_previous` is a text, not a list",
        ),
        ("role: a, role: b", "the key `role` is there twice"),
    ] {
        assert_eq!(row(keys).unwrap_err(), problem);
    }
}

/// To PyYAML an id such as `12e34567` is a text, so that it writes it without quotes.
#[test]
fn an_id_that_looks_like_a_number_to_yaml_1_2_only_is_a_text() {
    let row = row("delegate_job_id: 12e34567, claude_session_id_own: 1e5").unwrap();
    assert_eq!(row.job.as_deref(), Some("12e34567"));
    assert_eq!(
        row.recorded_id(AgentKind::Claude),
        Some(&ConversationId::new("1e5"))
    );
}

#[test]
fn nothing_null_and_an_empty_text_are_one() {
    for value in ["", "null", "~", "''"] {
        let row = row(&format!(
            "tmux_server: {value}, claude_session_id_own: {value}, delegate_job_id: {value}"
        ));
        let row = row.unwrap();
        assert_eq!((row.server, row.job), (None, None));
        assert_eq!(row.ids[&AgentKind::Claude].value, None);
    }
}

#[test]
fn the_agent_is_told_by_ids_then_name_then_label_then_program() {
    let agent = |name: &str, keys: &str| {
        let text = format!("tmux_sessions: [{{name: {name}, status: running, {keys}}}]");
        read(&text).rows[0].agent
    };
    assert_eq!(
        agent("x-creator-agy", "claude_session_id_own: null"),
        Some(AgentKind::Claude)
    );
    assert_eq!(
        agent(
            "x-creator-agy",
            "claude_session_id_own: null, agy_conversation_id_own: null"
        ),
        Some(AgentKind::Agy)
    );
    assert_eq!(
        agent("x", "agent: claude-code, pane: {cmd: agy}"),
        Some(AgentKind::Claude)
    );
    assert_eq!(
        agent("x", "pane: {cmd: /usr/bin/codex}"),
        Some(AgentKind::Codex)
    );
    assert_eq!(
        agent("x", "start_command: opencode run"),
        Some(AgentKind::OpenCode)
    );
    assert_eq!(agent("x", "pane: {cmd: bash}"), None);
}

#[test]
fn the_newest_end_that_is_told_counts_by_seconds_or_by_text() {
    let at = |keys: &str| row(keys).unwrap().end.at;
    assert_eq!(
        at("terminated_at_epoch: 5, stopped_at_epoch: 9.5"),
        Some(Timestamp::from_millis(9_500))
    );
    assert_eq!(
        at("terminated_at_epoch: 5, terminated_at: '2026-01-01T00:00:00Z'"),
        Timestamp::parse("2026-01-01T00:00:00Z")
    );
    assert_eq!(
        at("terminated_at_epoch: 1900000000, terminated_at: '2026-01-01T00:00:00Z'"),
        Some(Timestamp::from_secs(1_900_000_000))
    );
    assert_eq!(at("terminated_at_epoch: 5"), Some(Timestamp::from_secs(5)));
    assert_eq!(
        at("stopped_at: 2026-01-01T00:00:00Z, archived_at: '2026-01-02 00:00:00'"),
        Timestamp::parse("2026-01-02T00:00:00Z")
    );
    assert_eq!(at("terminated_at_epoch: .nan, stopped_at: yesterday"), None);
    assert_eq!(at("terminated_at_epoch: 0, stopped_at_epoch: -1"), None);
    assert_eq!(
        at("terminated_at_epoch: 0.0, terminated_at: '2026-01-01T00:00:00Z'"),
        Timestamp::parse("2026-01-01T00:00:00Z")
    );
}

#[test]
fn layout_and_comments_do_not_count_in_a_rows_fingerprint_and_unknown_keys_do() {
    let print = |text: &str| read(text).rows[0].fingerprint.clone();
    let one = print("tmux_sessions:\n- name: a # c\n  status: 'running'\n  x: [1]\n");
    assert_eq!(
        one,
        print("{\"tmux_sessions\": [{\"x\": [1], \"status\": \"running\", \"name\": \"a\"}]}")
    );
    assert_ne!(
        one,
        print("tmux_sessions:\n- name: a\n  status: running\n  x: ['1']\n")
    );
}

#[test]
fn identities_with_an_id_are_read() {
    let registry = read(
        "agent_identities:\n  claude: {session_id: s, project_cwd: /p}\n  agy: {conversation_id: c}\n  other: {session_id: }\n  bad: 3\n",
    );
    let told: Vec<_> = registry
        .identities
        .iter()
        .map(|identity| (identity.key.as_str(), identity.id.as_str(), identity.agent))
        .collect();
    assert_eq!(
        told,
        [
            ("claude", "s", Some(AgentKind::Claude)),
            ("agy", "c", Some(AgentKind::Agy))
        ]
    );
    assert_eq!(registry.identities[0].cwd.as_deref(), Some("/p"));
}

#[test]
fn a_list_that_is_none_is_an_error_at_its_place() {
    let error = |text: &str| {
        let error = parse::parse(text, Fingerprint::new(""), Timestamp::default()).unwrap_err();
        (error.line, error.column, error.why)
    };
    let (line, column, why) = error("x: 1\ntmux_sessions: {a: b}\n");
    assert_eq!((line, column), (2, 1));
    assert!(why.contains("is a mapping where a list"), "{why}");
    assert!(
        error("tmux_sessions: []\ntmux_sessions: []\n")
            .2
            .contains("twice")
    );
    assert!(
        error("x: 1\n")
            .2
            .contains("there is no `tmux_sessions` in it")
    );
    assert!(error("- a\n").2.contains("a list where a mapping"));
    assert!(error("# only\n").2.contains("nothing but comments"));
    let (line, column, why) = error("tmux_sessions:\n- a: [\n");
    assert_eq!(line, 3, "{why}");
    assert!(column > 0 && !why.contains(" at line 3"), "{why}");
}

#[test]
fn merges_and_aliases_are_read_as_what_they_stand_for() {
    let registry = read(
        "base: &base {status: running, pane: {pid: 1}}
tmux_sessions:
- {<<: *base, name: a}
- {<<: [{status: stopped}, *base], name: b}
",
    );
    assert_eq!(registry.rows[0].status, Status::Running);
    assert_eq!(registry.rows[0].pane.pid, Some(1));
    assert_eq!(registry.rows[1].status, Status::Stopped);
    assert_eq!(registry.rows[1].pane.pid, Some(1));
    let registry = read(
        "base: &base {name: a, status: running}
tmux_sessions:
- <<: *base
- {<<: *base, name: b, pane: {pid: 3}}
",
    );
    assert_eq!(registry.rows[0].status, Status::Running);
    assert_eq!(registry.rows[1].pane.pid, Some(3));
}

#[test]
fn brackets_without_end_are_refused_and_any_number_of_them_is_not() {
    let problem = |text: &str| {
        let read = parse::parse(text, Fingerprint::new(""), Timestamp::default());
        read.map_or_else(|error| error.why, |_| String::new())
    };
    let open = |count: usize| problem(&format!("x: {}", "[".repeat(count)));
    assert_eq!(open(5_001), "more than 5000 brackets are open at once");
    assert!(!open(5_000).contains("brackets are open"));
    let text = format!("x: '{}'\ntmux_sessions: []\n", "[]".repeat(5_001));
    assert_eq!(problem(&text), "");
}

#[test]
fn a_name_of_nothing_is_no_name() {
    let registry = read("tmux_sessions:\n- {name: '', status: running}\n");
    assert_eq!(registry.invalid[0].problem, "`name` is empty");
}

#[test]
fn of_several_documents_the_one_with_sessions_is_read() {
    let registry =
        read("x: 1\n---\ntmux_sessions: [{name: a, status: running}]\n---\ntmux_sessions: []\n");
    assert_eq!(registry.rows.len(), 1);
}
