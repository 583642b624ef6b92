//! Ordinary days, walked through the core: on the first run ever, and with a memory of the day before.

use headcount::core::ids::{AgentKind, BootId};
use headcount::core::ledger::Ledger;

use crate::scene::{
    Declared, NOON, Scene, Server, UPTIME, ago, candidate, dead, missing, not_there, pane, process,
    record, refused, row, scene, session, tmux,
};
use headcount::core::sighting::Sighting;

const CLAUDE: AgentKind = AgentKind::Claude;

/// So many rows, each with a pane of its own.
fn rows(count: u32) -> Vec<Declared> {
    (0..count)
        .map(|nth| {
            row(&format!("{nth}-creator-claude"))
                .pid(100 + nth)
                .id("c1")
        })
        .collect()
}

/// The default server with the sessions of these rows.
fn listing(count: u32) -> Server {
    (0..count).fold(tmux("default"), |server, nth| {
        let name = format!("{nth}-creator-claude");
        let its = pane(100 + nth).began(ago(3700)).claude("c1");
        server.session(session(&name).created(ago(3700)).pane(its))
    })
}

fn declared(rows: Vec<Declared>) -> Scene {
    rows.into_iter()
        .fold(scene(), Scene::row)
        .on_disk(CLAUDE, "c1")
}

/// What a look some minutes ago left in mind.
fn yesterday(count: u32) -> Ledger {
    declared(rows(count)).server(listing(count)).pass().ledger
}

fn all_dead(scene: Scene, count: u32) -> Scene {
    (0..count).fold(scene, |scene, nth| scene.process(100 + nth, dead()))
}

/// Both on a first run ever and with a memory: the verdicts at once and after the longest grace.
fn both(scene: &Scene, memory: Ledger) -> Vec<(Vec<String>, Vec<String>)> {
    [Ledger::default(), memory]
        .into_iter()
        .map(|ledger| {
            let mut first = scene.clone();
            first.ledger = ledger;
            let look = first.pass();
            let last = first.after(&look, 30).pass();
            (look.says(), last.says())
        })
        .collect()
}

fn lines(count: u32, line: &str) -> Vec<String> {
    (0..count)
        .map(|nth| line.replace('N', &nth.to_string()))
        .collect()
}

fn end_after_ten_seconds(scene: &Scene, memory: Ledger, count: u32, reason: &str) {
    for (first, last) in both(scene, memory) {
        let waits = format!("tmux_gone N-creator-claude ({reason}): pending until noon+10");
        let written = format!("tmux_gone N-creator-claude ({reason}): written");
        assert_eq!(first, lines(count, &waits));
        assert_eq!(last, lines(count, &written));
    }
}

#[test]
fn two_sessions_are_killed_and_another_is_left() {
    let left = tmux("default").session(session("notes").tmux_id("$7").pane(pane(300)));
    let scene = all_dead(declared(rows(2)).server(left), 2);
    end_after_ten_seconds(&scene, yesterday(2), 2, "session_gone");
}

#[test]
fn two_sessions_are_killed_and_the_server_ends_with_the_last() {
    let scene = all_dead(declared(rows(2)).server(refused("default")), 2).process(10, dead());
    end_after_ten_seconds(&scene, yesterday(2), 2, "server_gone");
}

#[test]
fn a_server_is_killed_under_many_rows() {
    for count in [3, 5] {
        let scene = all_dead(declared(rows(count)).server(refused("default")), count);
        let scene = scene.process(10, dead());
        end_after_ten_seconds(&scene, yesterday(count), count, "server_gone");
    }
}

#[test]
fn a_server_is_killed_under_rows_that_record_no_process() {
    let bare = |count: u32| -> Vec<Declared> {
        (0..count)
            .map(|nth| row(&format!("{nth}-creator-claude")).id("c1"))
            .collect()
    };
    let memory = declared(bare(3)).server(listing(3)).pass().ledger;
    let scene = declared(bare(3))
        .server(refused("default"))
        .process(10, dead());
    let verdicts = both(&scene, memory);
    // On a first run nothing says why so many are gone; the memory knows the server, and that it is dead.
    let held = "tmux_gone N-creator-claude (server_gone): held, mass_change";
    assert_eq!(verdicts[0].1, lines(3, held));
    let written = "tmux_gone N-creator-claude (server_gone): written";
    assert_eq!(verdicts[1].1, lines(3, written));
}

/// The day before belongs to another boot.
fn before_the_boot(mut ledger: Ledger) -> Ledger {
    let earlier = BootId::new("the boot before");
    for row in ledger.rows.values_mut() {
        row.since_boot.1 = earlier.clone();
        if let Some(alive) = &mut row.alive {
            alive.incarnation.boot = earlier.clone();
        }
    }
    for server in ledger.servers.values_mut() {
        server.boot = earlier.clone();
    }
    ledger
}

#[test]
fn a_reboot_empties_the_folder_of_tmux() {
    let scene = declared(rows(3))
        .roll_written(ago(UPTIME + 3600))
        .server(missing("default"));
    // Some of the pids are used again by now.
    let scene = scene
        .process(100, dead())
        .alive(process(101).began(ago(UPTIME - 1)).below(&[55, 99]))
        .alive(process(102).began(ago(60)));
    end_after_ten_seconds(&scene, before_the_boot(yesterday(3)), 3, "host_rebooted");
}

#[test]
fn after_a_reboot_sessions_of_the_same_names_are_made_again() {
    let made = |agent: bool| {
        let its = |nth: u32| {
            let shell = pane(500 + nth).began(ago(UPTIME - 60));
            if agent { shell.claude("c1") } else { shell }
        };
        let server = (0..2).fold(tmux("default"), |server, nth| {
            let name = format!("{nth}-creator-claude");
            let created = ago(UPTIME - 60);
            server.session(session(&name).created(created).pane(its(nth)))
        });
        let scene = declared(rows(2))
            .roll_written(ago(UPTIME + 3600))
            .server(server);
        // The recorded pids are others' now.
        scene
            .process(100, dead())
            .alive(process(101).began(ago(UPTIME - 1)))
    };
    let memory = || before_the_boot(yesterday(2));
    for (first, last) in both(&made(true), memory()) {
        let line = "reincarnated N-creator-claude (new_pane): written";
        assert_eq!(first, lines(2, line));
        assert_eq!(last, lines(2, line));
    }
    for (first, last) in both(&made(false), memory()) {
        assert_eq!(first, lines(2, "note agent_exited N-creator-claude"));
        assert_eq!(last, first);
    }
}

#[test]
fn after_a_reboot_a_pid_is_by_chance_that_of_a_pane_again() {
    // Row 0's pid is that of row 1's new pane, and the other way round.
    let swapped = tmux("default")
        .session(session("0-creator-claude").pane(pane(101).began(ago(600)).claude("c1")))
        .session(session("1-creator-claude").pane(pane(100).began(ago(600)).claude("c1")));
    let scene = declared(rows(2))
        .roll_written(ago(UPTIME + 3600))
        .server(swapped)
        .alive(process(100).began(ago(600)).below(&[10]))
        .alive(process(101).began(ago(600)).below(&[10]));
    for (first, _) in both(&scene, before_the_boot(yesterday(2))) {
        assert_eq!(
            first,
            lines(2, "reincarnated N-creator-claude (new_pane): written")
        );
    }
}

#[test]
fn a_session_is_made_by_hand() {
    let made = tmux("default").session(
        session("new-creator-claude")
            .created(ago(10))
            .pane(pane(100).claude("c1")),
    );
    let scene = declared(Vec::new()).server(made).our_folder("/src/app");
    for (first, last) in both(&scene, yesterday(1)) {
        assert_eq!(
            first,
            ["unregistered new-creator-claude (not_in_roll): pending until noon+20"]
        );
        assert_eq!(
            last,
            ["unregistered new-creator-claude (not_in_roll): written"]
        );
    }
}

#[test]
fn a_session_is_made_by_a_skill_that_writes_its_row_eight_seconds_later() {
    let made = || {
        let its = pane(100).began(ago(10)).claude("c1");
        tmux("default").session(session("new-creator-claude").created(ago(10)).pane(its))
    };
    let before = declared(Vec::new()).server(made()).our_folder("/src/app");
    let look = before.pass();
    let written = declared(vec![row("new-creator-claude").pid(100).id("c1")])
        .roll_written(ago(-8))
        .server(made())
        .our_folder("/src/app")
        .after(&look, 30);
    assert_eq!(written.pass().says(), [""; 0]);
    assert_eq!(look.ledger.resolved_since(&written.pass().ledger).len(), 1);
}

#[test]
fn a_skill_stops_a_session() {
    let one = || rows(1).remove(0);
    let name = "0-creator-claude";
    let memory = yesterday(1);
    // It types the agent's exit keys …
    let shell = tmux("default").session(
        session(name)
            .created(ago(3700))
            .pane(pane(100).began(ago(3700))),
    );
    let mut exited = declared(vec![one()]).server(shell);
    exited.ledger = memory;
    let first = exited.pass();
    assert_eq!(first.says(), ["note agent_exited 0-creator-claude"]);
    // … three seconds later kills the session …
    let killed = all_dead(declared(vec![one()]).server(refused("default")), 1).after(&first, 3);
    let second = killed.pass();
    assert_eq!(
        second.says(),
        ["tmux_gone 0-creator-claude (server_gone): pending until noon+13"]
    );
    // … and five seconds after that writes into the row that it stopped.
    let stopped = declared(vec![one().stopped(ago(-8))])
        .roll_written(ago(-8))
        .server(refused("default"));
    let third = all_dead(stopped, 1).after(&second, 13).pass();
    assert_eq!(third.says(), [""; 0]);
    assert!(third.ledger.drifts.is_empty());
}

#[test]
fn a_null_id_and_one_new_transcript() {
    let new = || row("app-creator-claude").pid(100).null_id();
    let with = |its: crate::scene::Pane| {
        let Sighting::Present(kin) = its.clone().sight().agents else {
            panic!("an agent runs in it");
        };
        let beside = pane(200).agent(AgentKind::Agy, not_there());
        scene()
            .row(new())
            .on_disk(CLAUDE, "c1")
            .server(
                tmux("default")
                    .session(session("app-creator-claude").created(ago(3700)).pane(its))
                    .session(session("app-creator-agy").tmux_id("$7").pane(beside)),
            )
            .row(row("app-creator-agy").null_id())
            .folder(CLAUDE, "/src/app", vec![candidate("c1", ago(60))], kin)
    };
    let began = || pane(100).began(ago(3700));
    let written = ["id_materialized app-creator-claude (conversation_exists): written"];
    for its in [
        began().agent(CLAUDE, Sighting::Present(record("c1"))),
        began().agent(CLAUDE, not_there()),
    ] {
        for (first, _) in both(&with(its), Ledger::default()) {
            assert_eq!(first, written);
        }
    }
}

#[test]
fn a_session_is_renamed() {
    let renamed = tmux("default").session(
        session("another-name")
            .created(ago(3700))
            .pane(pane(100).began(ago(3700)).claude("c1")),
    );
    let scene = declared(rows(1))
        .server(renamed)
        .alive(process(100).began(ago(3700)).below(&[10]));
    for (first, last) in both(&scene, yesterday(1)) {
        assert_eq!(first, ["note renamed 0-creator-claude"]);
        assert_eq!(last, first);
    }
}

#[test]
fn a_second_host_or_a_container_works_on_the_same_folder() {
    let mut scene = all_dead(declared(rows(2)).server(tmux("default")), 2);
    scene.world.vantage.place.pid_namespace = "pid:[4026532000]".to_owned();
    scene.world.vantage.first_pid_namespace = not_there();
    for (_, last) in both(&scene, yesterday(2)) {
        let held = "tmux_gone N-creator-claude (session_gone): held, not_home";
        assert_eq!(last, lines(2, held));
    }
}

#[test]
fn the_roll_is_edited_all_the_while() {
    let gone = |note: &str, written: i64| {
        let declared = row("0-creator-claude").pid(100).cwd(note).id("c1");
        all_dead(scene().row(declared).on_disk(CLAUDE, "c1"), 1)
            .roll_written(ago(written))
            .server(tmux("default"))
    };
    let first = gone("/one", 1).pass();
    let second = gone("/two", -4).after(&first, 5).pass();
    let third = gone("/three", -9).after(&second, 10).pass();
    assert_eq!(
        third.says(),
        ["tmux_gone 0-creator-claude (session_gone): written"]
    );
    assert_eq!(
        second.plan.next_due().map(|due| due.secs()),
        Some(NOON + 10)
    );
}
