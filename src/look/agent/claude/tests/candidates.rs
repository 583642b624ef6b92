//! What is needed to infer a conversation: candidates, claims, retention, and what the report says of a root.

use super::*;

#[test]
fn a_persons_conversation_is_a_candidate_of_its_folder() {
    let home = Home::new();
    let work = home.work("a");
    home.transcript(&work, ID, &begin(&work));
    let candidate = only(candidates(&mut home.claude(), &work));
    let began = Timestamp::parse("2026-11-21T09:16:04.765Z").expect("a time");
    assert_eq!(candidate.id.as_str(), ID);
    assert_eq!(candidate.began, Sighting::Present(began));
    assert!(candidate.in_folder.is_present());
    assert!(candidate.interactive.is_present());
}

#[test]
fn what_a_script_began_is_no_persons() {
    let home = Home::new();
    let work = home.work("a");
    let mut lines = begin(&work);
    lines[1]["entrypoint"] = json!("sdk-cli");
    home.transcript(&work, ID, &lines);
    let candidate = only(candidates(&mut home.claude(), &work));
    assert!(candidate.interactive.is_absent());
}

#[test]
fn two_folders_of_one_key_are_told_apart_by_what_the_transcripts_say() {
    let home = Home::new();
    let (one, other) = (home.work("a-b"), home.work("a_b"));
    home.transcript(&one, ID, &begin(&one));
    home.transcript(&other, OTHER, &begin(&other));
    let seen = candidates(&mut home.claude(), &one);
    let of = |id| seen.iter().find(|it| it.id.as_str() == id);
    assert!(of(ID).is_some_and(|it| it.in_folder.is_present()));
    assert!(of(OTHER).is_some_and(|it| it.in_folder.is_absent()));
}

#[test]
fn a_transcript_of_a_folder_that_is_gone_may_be_of_this_one_renamed() {
    let home = Home::new();
    let work = home.work("a-b");
    let gone = work.replace("a-b", "a_b");
    home.transcript(&gone, ID, &begin(&gone));
    let candidate = only(candidates(&mut home.claude(), &work));
    assert!(candidate.in_folder.is_unknown());
}

#[test]
fn a_head_without_an_end_says_only_when_the_file_was_made() {
    let home = Home::new();
    let work = home.work("a");
    let path = home.transcript(&work, ID, &[]);
    fs::write(&path, vec![b'x'; 20 * 1024 * 1024]).expect("a file");
    let born = window::outside(&path).expect("a file").born;
    let candidate = only(candidates(&mut home.claude(), &work));
    assert!(candidate.in_folder.is_unknown());
    assert!(candidate.interactive.is_unknown());
    match born {
        Some(born) => assert_eq!(candidate.began, Sighting::Present(born)),
        None => assert!(candidate.began.is_unknown()),
    }
}

#[test]
fn what_is_no_conversation_or_empty_or_older_is_no_candidate() {
    let home = Home::new();
    let work = home.work("a");
    home.transcript(&work, "agent-3bd73422", &begin(&work));
    home.transcript(&work, OTHER, &[]);
    let old = home.transcript(&work, ID, &begin(&work));
    let file = fs::File::options().write(true).open(old).expect("a file");
    let at = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000);
    file.set_modified(at).expect("a time");

    let mut claude = home.claude();
    assert_eq!(candidates(&mut claude, &work).len(), 1);
    let since = Timestamp::from_secs(1_000).plus(FILE_TIMES);
    assert!(matches!(claude.candidates(&work, since), Sighting::Present(all) if all.len() == 1));
    let later = since.plus(Duration::from_millis(1));
    assert_eq!(
        claude.candidates(&work, later),
        Sighting::Present(Vec::new())
    );
}

#[test]
fn a_folder_in_which_nothing_was_said_has_no_candidates() {
    let home = Home::new();
    let work = home.work("a");
    assert_eq!(candidates(&mut home.claude(), &work), Vec::new());
}

#[test]
fn candidates_of_a_store_or_a_folder_that_cannot_be_seen_are_unknown() {
    let home = Home::new();
    let work = home.work("a");
    let mut claude = home.claude();
    let start = Timestamp::from_secs(0);
    assert!(
        claude
            .candidates("/a/folder/that/is/gone", start)
            .is_unknown()
    );
    fs::remove_dir(home.config().join("projects")).expect("an empty folder");
    assert!(claude.candidates(&work, start).is_unknown());
    let mut homeless = Claude::new(&Homes::default());
    assert!(homeless.candidates(&work, start).is_unknown());
}

// Claims.

#[test]
fn the_records_of_live_processes_claim_their_conversations() {
    let home = Home::new();
    let agent = home.agent(&[]);
    home.record(agent.process, ID);
    let earlier = ProcessId {
        pid: std::process::id(),
        start: 1,
    };
    home.record(earlier, OTHER);
    home.put(
        "sessions/4294967295.json",
        record(earlier, OTHER).to_string(),
    );
    home.put("sessions/pid-1.json", "{}");
    let expected = BTreeSet::from([ConversationId::new(ID)]);
    assert_eq!(home.claude().claimed(), Sighting::Present(expected));
}

#[test]
fn a_record_of_a_container_claims_its_conversation() {
    let home = Home::new();
    let process = ProcessId {
        pid: 4_294_967_295,
        start: 1,
    };
    let mut record = record(process, ID);
    record["pidDomain"] = json!("linux:x:pid:[1]");
    home.put("sessions/4294967295.json", record.to_string());
    let expected = BTreeSet::from([ConversationId::new(ID)]);
    assert_eq!(home.claude().claimed(), Sighting::Present(expected));
}

#[test]
fn a_live_processs_record_that_cannot_be_read_leaves_the_claims_open() {
    let home = Home::new();
    let agent = home.agent(&[]);
    let path = home.record(agent.process, ID);
    fs::write(path, "{").expect("a file");
    assert!(home.claude().claimed().is_unknown());
}

#[test]
fn where_no_records_are_kept_nothing_is_claimed() {
    let home = Home::new();
    fs::remove_dir(home.config().join("sessions")).expect("an empty folder");
    assert_eq!(home.claude().claimed(), Sighting::Present(BTreeSet::new()));

    fs::remove_dir_all(home.config()).expect("a folder");
    let mut claude = home.claude();
    assert!(claude.claimed().is_unknown(), "it may be nobody's home");
    let agent = home.agent(&[]);
    let _ = claude.mind(agent.process);
    assert_eq!(claude.claimed(), Sighting::Present(BTreeSet::new()));
}

// Retention.

#[test]
fn transcripts_are_kept_for_30_days_unless_the_settings_say_otherwise() {
    const DAY: u64 = 24 * 3600;
    let home = Home::new();
    let kept = |days: u64| Sighting::Present(Duration::from_secs(days * DAY));
    assert_eq!(home.claude().retention(), kept(30));
    for (settings, days) in [
        ("{}", 30),
        (r#"{"model":"x","cleanupPeriodDays":7}"#, 7),
        (r#"{"cleanupPeriodDays":3650}"#, 3650),
    ] {
        home.put("settings.json", settings);
        assert_eq!(home.claude().retention(), kept(days), "{settings}");
    }
}

#[test]
fn settings_that_say_nothing_sensible_leave_retention_open() {
    let home = Home::new();
    for settings in [
        "",
        "{",
        r#"{"cleanupPeriodDays":"7"}"#,
        r#"{"cleanupPeriodDays":0}"#,
    ] {
        home.put("settings.json", settings);
        assert!(home.claude().retention().is_unknown(), "{settings}");
    }
}

#[test]
fn where_there_is_no_claude_nothing_says_how_long_it_keeps_what() {
    let home = Home::new();
    fs::remove_dir_all(home.config()).expect("a folder");
    assert!(home.claude().retention().is_absent());
}

#[test]
fn of_several_roots_the_longest_retention_counts() {
    let (home, other) = (Home::new(), Home::new());
    home.put("settings.json", r#"{"cleanupPeriodDays":7}"#);
    other.put("settings.json", r#"{"cleanupPeriodDays":9}"#);
    let agent = other.agent(&[]);
    other.record(agent.process, ID);
    let mut claude = home.claude();
    let _ = claude.mind(agent.process);
    let days = Duration::from_secs(9 * 24 * 3600);
    assert_eq!(claude.retention(), Sighting::Present(days));
}

#[test]
fn the_report_has_a_line_for_each_root_that_was_looked_into() {
    let home = Home::new();
    let at = Timestamp::from_secs(1);
    let mut claude = home.claude();
    assert_eq!(claude.sources(at), []);
    let _ = ask(&mut claude, ID, None);
    let [source] = &claude.sources(at)[..] else {
        panic!("one line");
    };
    assert_eq!(source.name, format!("claude:{}", home.config().display()));
    assert_eq!(source.state, SourceState::Present);

    fs::remove_dir(home.config().join("projects")).expect("an empty folder");
    let [source] = &claude.sources(at)[..] else {
        panic!("one line");
    };
    assert_eq!(source.state, SourceState::Unknown);
    assert!(
        source.reason.contains("CLAUDE_CONFIG_DIR"),
        "{}",
        source.reason
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Whatever bytes lie in its files, nothing panics and nothing is taken for a conversation of the folder.
    #[test]
    fn files_of_any_bytes_prove_nothing(bytes in proptest::collection::vec(any::<u8>(), 1..200)) {
        let home = Home::new();
        let work = home.work("a");
        home.put("settings.json", &bytes);
        let path = home.transcript(&work, ID, &[]);
        fs::write(path, &bytes)?;
        let candidate = only(candidates(&mut home.claude(), &work));
        prop_assert!(candidate.in_folder.is_unknown());
        prop_assert!(candidate.interactive.is_unknown());
        prop_assert!(ask(&mut home.claude(), ID, Some(&work)).is_present());
        prop_assert!(!home.claude().retention().is_absent());
    }
}
