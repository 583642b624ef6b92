//! Every rule of decision, each shown by the smallest scene in which it decides.

mod absence;
mod brake;
mod clock;
mod doubt;
mod elsewhere;
mod home;
mod identity;
mod ids;
mod inference;
mod interrupted;
mod jobs;
mod jobs_bounds;
mod looks;
mod memory;
mod namesakes;
mod notes;
mod person;
mod planned;
mod process;
mod prune;
mod reappearing;
mod registering;
mod stale;
mod undone;

use crate::scene::Scene;

const GONE: &str = "tmux_gone app-creator-claude";
const UNSEEN: [&str; 1] = ["note unseen app-creator-claude"];

/// What a pass over the scene says, when nothing is waited for.
fn at_once(scene: Scene) -> Vec<String> {
    scene.at_once().pass().says()
}

fn ended(reason: &str, outcome: &str) -> [String; 1] {
    [format!("{GONE} ({reason}): {outcome}")]
}
