//! What a reboot or the end of a tmux server cut off is offered again, and nothing that ended otherwise.

use headcount::core::ids::AgentKind::Claude;
use headcount::core::ids::BootId;
use headcount::core::interrupted::interrupted;
use headcount::core::ledger::{RowKey, SeenAlive};
use headcount::core::resume::Resume;
use headcount::core::sighting::Sighting;
use headcount::core::standing::Standing;

use crate::scene::{
    Declared, Scene, Server, UPTIME, ago, dead, not_there, pane, process, refused, row, scene,
    session, silent, tmux, unknown,
};
use crate::standing::{report, scope};

const APP: &str = "app-creator-claude";
const LIB: &str = "lib-creator-claude";

/// What is offered, each as a line: `NAME: COMMAND`, and `anew` where a new session can be made for it.
fn offered(scene: &Scene) -> Vec<String> {
    let report = report(scene);
    let scope = scope(scene, &report);
    interrupted(scope, &Standing::new(scope), None)
        .into_iter()
        .map(|it| {
            let how = match it.resume {
                Resume::By(command) => command,
                Resume::ByAfter(command, who) => format!("{command} after {who}"),
                Resume::Not(why) => format!("not: {why}"),
            };
            let anew = it.in_tmux.map_or("", |_| ", anew");
            format!("{}: {how}{anew}", it.name)
        })
        .collect()
}

fn by(name: &str, id: &str) -> String {
    format!("{name}: claude --resume {id}, anew")
}

fn app() -> Declared {
    row(APP).pid(100).id("c1")
}

/// The server with the session of [`app`].
fn with_app() -> Server {
    tmux("default").session(session(APP).pane(pane(100).claude("c1")))
}

fn nobody() -> Server {
    refused("default").listener(not_there())
}

/// A machine with that row and server, on which conversations have their files, and recorded processes are dead.
fn machine(row: Declared, server: Server) -> Scene {
    scene()
        .row(row)
        .server(server)
        .process(100, dead())
        .on_disk(Claude, "c1")
        .on_disk(Claude, "c2")
}

/// The same after a pass that was made so many seconds before noon, and looked at that.
fn seen(mut earlier: Scene, secs: i64, mut scene: Scene) -> Scene {
    earlier.now = ago(secs);
    earlier.world.at = ago(secs);
    scene.ledger = earlier.pass().ledger;
    scene
}

/// The same where the machine was started again since that pass.
fn rebooted(mut earlier: Scene, secs: i64, scene: Scene) -> Scene {
    earlier.world.vantage.boot = BootId::new("the boot before");
    seen(earlier, secs, scene)
}

/// The row was ended by headcount ten minutes ago.
fn marked(row: Declared) -> Declared {
    row.auto_detected(ago(600))
}

#[test]
fn each_row_is_offered_with_its_own_conversation() {
    let two = |server: Server| machine(app(), server).row(row(LIB).pid(101).id("c2"));
    let lib = session(LIB).pane(pane(101).claude("c2"));
    let scene = two(nobody()).process(101, dead());
    let scene = rebooted(two(with_app().session(lib)), 90_000, scene);
    assert_eq!(offered(&scene), [by(APP, "c1"), by(LIB, "c2")]);
}

#[test]
fn what_is_left_alone_is_not_offered() {
    let mut scene = rebooted(machine(app(), with_app()), 90_000, machine(app(), nobody()));
    assert_eq!(offered(&scene), [by(APP, "c1")]);
    scene.policy.ignored = vec!["app-*".parse().expect("a pattern")];
    assert!(offered(&scene).is_empty());
}

#[test]
fn a_session_that_is_there_without_its_agent_is_not_made_anew() {
    let shell = tmux("default").session(session(APP).created(ago(60)).pane(pane(200)));
    let scene = rebooted(machine(app(), with_app()), 90_000, machine(app(), shell));
    assert_eq!(
        offered(&scene),
        [format!("{APP}: cd /src/app && claude --resume c1")]
    );
}

#[test]
fn what_cannot_be_seen_now_is_offered_once_its_end_was_proven() {
    let now = |row| {
        rebooted(
            machine(app(), with_app()),
            90_000,
            machine(row, silent("default")),
        )
    };
    assert_eq!(offered(&now(marked(app()))), [by(APP, "c1")]);
    let may_run = offered(&now(app()));
    assert!(may_run[0].contains("not: it may still run"), "{may_run:?}");
}

#[test]
fn what_ran_in_a_container_is_told_and_not_offered_outside() {
    let mut inside = machine(app(), with_app());
    inside.world.vantage.place.pid_namespace = "pid:[4026532999]".to_owned();
    let scene = rebooted(inside, 90_000, machine(app(), nobody()));
    assert_eq!(
        offered(&scene),
        [format!(
            "{APP}: not: it ran on another machine or in a container"
        )]
    );
}

#[test]
fn a_row_that_no_pass_saw_alive_is_offered_if_it_was_there_more_than_a_second_before_the_boot() {
    let first_met = |before: i64| {
        let unseen = machine(app(), silent("default"));
        offered(&rebooted(
            unseen,
            UPTIME + before,
            machine(marked(app()), nobody()),
        ))
    };
    assert!(first_met(1).is_empty());
    assert_eq!(first_met(2), [by(APP, "c1")]);
}

#[test]
fn what_headcount_ended_before_the_boot_is_not_offered() {
    let ended = |before: i64| {
        let ended = app().auto_detected(ago(UPTIME + before));
        offered(&rebooted(
            machine(app(), with_app()),
            90_000,
            machine(ended, nobody()),
        ))
    };
    assert_eq!(ended(1), [by(APP, "c1")], "a second may be the clock's");
    assert!(ended(2).is_empty());
}

#[test]
fn the_end_of_a_server_here_cuts_off_what_runs_on_it() {
    let mut scene = machine(app(), nobody());
    assert_eq!(offered(&scene), [by(APP, "c1")]);
    scene.world.vantage.roll_is_local = not_there();
    assert!(offered(&scene).is_empty(), "it may run elsewhere");
    assert!(offered(&machine(app(), tmux("default"))).is_empty());
}

/// The session was seen on its server, and a later look found nobody there any more.
fn server_died(row: Declared) -> Scene {
    let now = machine(row, nobody()).process(10, dead());
    seen(machine(app(), with_app()), 1000, now)
}

#[test]
fn a_row_that_was_ended_with_its_server_is_offered_and_not_one_that_a_person_stopped() {
    assert_eq!(offered(&server_died(marked(app()))), [by(APP, "c1")]);
    assert!(offered(&server_died(app().stopped(ago(600)))).is_empty());
}

#[test]
fn a_server_has_ended_only_if_that_is_proven() {
    let its_process = |sight| {
        let mut scene = server_died(marked(app()));
        scene.world.processes.insert(10, sight);
        offered(&scene)
    };
    let alive = process(10).began(ago(UPTIME - 60)).sight();
    let lives = Sighting::Present(vec![alive]);
    assert!(its_process(lives).is_empty());
    assert!(its_process(unknown()).is_empty());
    let answers = machine(marked(app()), tmux("default")).process(10, dead());
    let answers = seen(machine(app(), with_app()), 1000, answers);
    assert!(offered(&answers).is_empty(), "it answers");
    let another = tmux("default").life(20, ago(300));
    let another = machine(marked(app()), another).process(10, dead());
    let another = seen(machine(app(), with_app()), 1000, another);
    assert_eq!(offered(&another), [by(APP, "c1")]);
}

#[test]
fn a_session_that_ended_before_its_server_did_is_not_offered() {
    let now = machine(marked(app()), nobody()).process(10, dead());
    let without = machine(marked(app()), tmux("default"));
    let before = seen(machine(app(), with_app()), 1000, without);
    assert!(offered(&seen(before, 900, now)).is_empty());
}

/// The session was seen on its server; a later look found another server on the socket, with another row's session.
/// Now nobody answers.
fn two_servers() -> Scene {
    let two = |server| {
        machine(marked(app()), server)
            .row(marked(row(LIB).pid(101).id("c2")))
            .process(10, dead())
            .process(20, dead())
    };
    let lib = session(LIB).created(ago(950)).pane(pane(101).claude("c2"));
    let next = tmux("default").life(20, ago(960)).session(lib);
    let mut next = two(next);
    next.registry.rows[1] = row(LIB).pid(101).id("c2").at(1);
    seen(
        seen(machine(app(), with_app()), 1000, next),
        900,
        two(nobody()),
    )
}

#[test]
fn of_a_socket_only_the_last_server_that_ended_counts() {
    assert_eq!(offered(&two_servers()), [by(LIB, "c2")]);
    let mut lives = two_servers();
    lives.world.processes.insert(20, unknown());
    assert_eq!(offered(&lives), [by(APP, "c1")]);
}

#[test]
fn what_was_seen_elsewhere_is_no_later_server_of_the_socket() {
    let elsewhere = |change: &dyn Fn(&mut SeenAlive)| {
        let mut scene = two_servers();
        scene.ledger.servers.clear();
        let lib = |key: &&RowKey| key.name.as_str() == LIB;
        let lib = scene.ledger.rows.keys().find(lib).cloned().unwrap();
        let known = scene.ledger.rows.get_mut(&lib).unwrap();
        change(known.alive.as_mut().unwrap());
        offered(&scene)
    };
    assert_eq!(elsewhere(&|_| ()), [by(LIB, "c2")]);
    let in_a_container = |alive: &mut SeenAlive| alive.place.pid_namespace = "pid:[9]".to_owned();
    assert!(elsewhere(&in_a_container).contains(&by(APP, "c1")));
    let before = |alive: &mut SeenAlive| alive.incarnation.boot = BootId::new("the boot before");
    assert!(elsewhere(&before).contains(&by(APP, "c1")));

    let mut scene = two_servers();
    scene.ledger.rows.retain(|key, _| key.name.as_str() == APP);
    let servers = std::mem::take(&mut scene.ledger.servers);
    for ((mut place, socket), known) in servers {
        place.pid_namespace = "pid:[9]".to_owned();
        scene.ledger.servers.insert((place, socket), known);
    }
    assert_eq!(offered(&scene), [by(APP, "c1")]);
}
