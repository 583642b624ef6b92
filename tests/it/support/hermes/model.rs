//! What the board's own workers need: a stand-in for the model, and the skill that it reads.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use crate::support::{Machine, python};

/// The skill's folder.
const SKILL: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/skills/tmux-agent-orchestrate-monitor"
);

/// A stand-in for a model that does what cards ask of it.
pub struct Model {
    api: Child,
}

impl Model {
    /// Makes everything ready for the board's workers. The turns of this model are so long, whatever a card says.
    #[track_caller]
    pub fn on(machine: &Machine, turn: &str) -> Self {
        let mut api = machine
            .command(python())
            .arg(concat!(
                env!("CARGO_MANIFEST_DIR"),
                "/tests/hermes_api/server.py"
            ))
            .arg(turn)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("python starts");
        let mut port = String::new();
        BufReader::new(api.stdout.take().expect("its output is a pipe"))
            .read_line(&mut port)
            .expect("it says its port");

        let home = machine.home().join(".hermes");
        let skill = home
            .join("skills")
            .join(Path::new(SKILL).file_name().expect("it has a name"));
        fs::create_dir_all(&skill).expect("a folder can be made");
        fs::copy(Path::new(SKILL).join("SKILL.md"), skill.join("SKILL.md"))
            .expect("the skill can be copied");
        let port = port.trim();
        let settings = format!(
            "model:\n  default: stand-in\n  provider: custom\n  base_url: http://127.0.0.1:{port}/v1\n  \
             api_key: sk-test-000\n  context_length: 200000\n\
             platform_toolsets:\n  cli: [terminal, skills]\n"
        );
        fs::write(home.join("config.yaml"), settings).expect("its settings can be written");
        Self { api }
    }
}

impl Drop for Model {
    fn drop(&mut self) {
        // It ends with its input anyway; this only does not leave a zombie.
        let _ = self.api.kill();
        let _ = self.api.wait();
    }
}

/// With nobody to talk to beyond this machine.
pub(super) fn offline(mut command: Command) -> Command {
    for proxy in ["HTTPS_PROXY", "HTTP_PROXY", "https_proxy", "http_proxy"] {
        command.env(proxy, "http://127.0.0.1:9");
    }
    command
        .env("NO_PROXY", "127.0.0.1")
        .env("no_proxy", "127.0.0.1");
    command
}
