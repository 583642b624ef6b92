//! The environment: the only file that reads it.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, bail};

/// What the environment says. A variable that is set to nothing counts as not set.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Environment {
    /// `AGENT_SESSIONS_YAML`: the roll.
    pub(super) registry: Option<PathBuf>,
    /// `AGENT_SESSIONS_STATE_DIR`: the state folder.
    pub(super) state_dir: Option<PathBuf>,
    /// `XDG_STATE_HOME`, if it is an absolute path: others are to be ignored.
    pub(super) state_home: Option<PathBuf>,
    /// `HOME`
    pub(super) home: Option<PathBuf>,
    /// `TMUX_SERVER_NAME`: one more tmux server to look at.
    pub(super) tmux_server_name: Option<String>,
    /// `TMUX_TMPDIR`: where tmux keeps its sockets.
    pub(super) tmux_tmpdir: Option<PathBuf>,
    /// `CLAUDE_CONFIG_DIR`: where Claude Code keeps its files.
    pub(super) claude_config_dir: Option<PathBuf>,
    /// `CLAUDE_PROJECT_DIR`: where it keeps its transcripts.
    pub(super) claude_project_dir: Option<PathBuf>,
    /// `COLUMNS`: how wide a line may be, for programs like `watch` that show what others print.
    pub(super) columns: Option<usize>,
    /// `LC_ALL`, else `LC_CTYPE`, else `LANG`: in which letters programs talk.
    pub(super) locale: Option<String>,
    /// `TERM`: what the terminal is.
    pub(super) term: Option<String>,
    /// `PATH`
    pub(super) path: Option<OsString>,
    /// `NOTIFY_SOCKET`: where a service manager wants to hear how it goes.
    pub(super) notify_socket: Option<OsString>,
    /// `WATCHDOG_USEC`, where `WATCHDOG_PID` is not another process: how long it may hear nothing.
    pub(super) watchdog: Option<Duration>,
    /// Which broker to listen to.
    pub(super) mqtt: Mqtt,
    /// `HERMES_KANBAN_TASK`: the card to report to.
    pub(super) kanban_task: Option<String>,
    /// `HERMES_KANBAN_BOARD`: its board.
    pub(super) kanban_board: Option<String>,
}

/// What the environment says of the broker to listen to, as it says it.
#[derive(Clone, Default, PartialEq, Eq)]
pub(super) struct Mqtt {
    /// `MQTT_BROKER`
    pub(super) broker: Option<String>,
    /// `MQTT_PORT`
    pub(super) port: Option<String>,
    /// `MQTT_TLS`
    pub(super) tls: Option<String>,
    /// `MQTT_USERNAME`
    pub(super) username: Option<String>,
    /// `MQTT_PASSWORD`
    pub(super) password: Option<String>,
    /// `MQTT_CA_CERTS`
    pub(super) ca_certs: Option<PathBuf>,
    /// `MQTT_CERTFILE`
    pub(super) certfile: Option<PathBuf>,
    /// `MQTT_KEYFILE`
    pub(super) keyfile: Option<PathBuf>,
    /// `MQTT_CLIENT_ID_PREFIX`
    pub(super) client_id_prefix: Option<String>,
    /// `RECONCILE_POLL_INTERVAL`: how far apart passes are while the broker is away.
    pub(super) poll_interval: Option<String>,
}

/// Without the password.
impl std::fmt::Debug for Mqtt {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Mqtt")
            .field("broker", &self.broker)
            .field("port", &self.port)
            .finish_non_exhaustive()
    }
}

impl Environment {
    /// The environment of this process.
    #[must_use]
    pub(super) fn of_this_process() -> Self {
        Self::from(|name| std::env::var_os(name))
    }

    fn from(variable: impl Fn(&str) -> Option<OsString>) -> Self {
        let text = |name| variable(name).filter(|value| !value.is_empty());
        let path = |name| text(name).map(PathBuf::from);
        let words = |name| text(name).map(|value| value.to_string_lossy().into_owned());
        Self {
            registry: path("AGENT_SESSIONS_YAML"),
            state_dir: path("AGENT_SESSIONS_STATE_DIR"),
            state_home: path("XDG_STATE_HOME").filter(|path| path.is_absolute()),
            home: path("HOME"),
            tmux_server_name: words("TMUX_SERVER_NAME"),
            tmux_tmpdir: path("TMUX_TMPDIR"),
            claude_config_dir: path("CLAUDE_CONFIG_DIR"),
            claude_project_dir: path("CLAUDE_PROJECT_DIR"),
            locale: words("LC_ALL")
                .or_else(|| words("LC_CTYPE"))
                .or_else(|| words("LANG")),
            columns: words("COLUMNS")
                .and_then(|columns| columns.parse().ok())
                .filter(|columns| *columns > 0),
            term: words("TERM"),
            path: text("PATH"),
            notify_socket: text("NOTIFY_SOCKET"),
            watchdog: watchdog(text("WATCHDOG_USEC"), text("WATCHDOG_PID")),
            mqtt: Mqtt {
                broker: words("MQTT_BROKER"),
                port: words("MQTT_PORT"),
                tls: words("MQTT_TLS"),
                username: words("MQTT_USERNAME"),
                password: words("MQTT_PASSWORD"),
                ca_certs: path("MQTT_CA_CERTS"),
                certfile: path("MQTT_CERTFILE"),
                keyfile: path("MQTT_KEYFILE"),
                client_id_prefix: words("MQTT_CLIENT_ID_PREFIX"),
                poll_interval: words("RECONCILE_POLL_INTERVAL"),
            },
            kanban_task: words("HERMES_KANBAN_TASK"),
            kanban_board: words("HERMES_KANBAN_BOARD"),
        }
    }

    /// The state folder: what `flag` says, else `AGENT_SESSIONS_STATE_DIR`, else the user's usual place.
    ///
    /// # Errors
    /// When nothing says where.
    pub(super) fn state_folder(&self, flag: Option<&Path>) -> anyhow::Result<PathBuf> {
        if let Some(named) = flag.or(self.state_dir.as_deref()) {
            return std::path::absolute(named)
                .with_context(|| format!("cannot tell where {} is", named.display()));
        }
        if let Some(state) = &self.state_home {
            return Ok(state.join("headcount"));
        }
        match &self.home {
            Some(home) if home.is_absolute() => Ok(home.join(".local/state/headcount")),
            Some(home) => bail!(
                "HOME is {}, which is not an absolute path, so there is no place for the state: name one with --state-dir",
                home.display()
            ),
            None => bail!(
                "HOME is not set, so there is no place for the state: name one with --state-dir"
            ),
        }
    }
}

fn watchdog(micros: Option<OsString>, pid: Option<OsString>) -> Option<Duration> {
    let micros: u64 = micros?.to_str()?.parse().ok()?;
    let ours = pid.is_none_or(|pid| pid.to_str() == Some(&std::process::id().to_string()));
    (ours && micros > 0).then(|| Duration::from_micros(micros))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::path::{Path, PathBuf};

    use super::Environment;

    fn with(variables: &[(&str, &str)]) -> Environment {
        Environment::from(|name| {
            let found = variables.iter().find(|(key, _)| *key == name);
            found.map(|(_, value)| value.into())
        })
    }

    fn state_folder(variables: &[(&str, &str)]) -> PathBuf {
        with(variables).state_folder(None).unwrap()
    }

    const HOME: (&str, &str) = ("HOME", "/home/u");

    #[test]
    fn a_variable_set_to_nothing_is_not_set() {
        let set_to_nothing = [("AGENT_SESSIONS_YAML", ""), ("TMUX_SERVER_NAME", "")];
        assert_eq!(with(&set_to_nothing), Environment::default());
    }

    #[test]
    fn a_flag_beats_the_environment() {
        let environment = with(&[HOME, ("AGENT_SESSIONS_STATE_DIR", "/named")]);
        assert_eq!(environment.state_folder(None).unwrap(), Path::new("/named"));
        let flag = environment.state_folder(Some(Path::new("/flag")));
        assert_eq!(flag.unwrap(), Path::new("/flag"));
    }

    #[test]
    fn the_state_lies_where_the_desktop_rules_put_it() {
        let default = Path::new("/home/u/.local/state/headcount");
        assert_eq!(state_folder(&[HOME]), default);
        assert_eq!(
            state_folder(&[HOME, ("XDG_STATE_HOME", "relative")]),
            default
        );
        let named = state_folder(&[HOME, ("XDG_STATE_HOME", "/xdg")]);
        assert_eq!(named, Path::new("/xdg/headcount"));
    }

    #[test]
    fn a_watchdog_counts_if_it_is_for_this_process() {
        let mine = std::process::id().to_string();
        let two = Some(std::time::Duration::from_secs(2));
        for (variables, expected) in [
            (&[("WATCHDOG_USEC", "2000000")][..], two),
            (
                &[("WATCHDOG_USEC", "2000000"), ("WATCHDOG_PID", &mine)],
                two,
            ),
            (&[("WATCHDOG_USEC", "2000000"), ("WATCHDOG_PID", "1")], None),
            (&[("WATCHDOG_USEC", "0")], None),
            (&[("WATCHDOG_USEC", "soon")], None),
            (&[], None),
        ] {
            assert_eq!(with(variables).watchdog, expected, "{variables:?}");
        }
    }

    #[test]
    fn a_home_that_is_no_absolute_path_is_told_as_that() {
        let error = with(&[("HOME", "home/u")]).state_folder(None).unwrap_err();
        let error = error.to_string();
        assert!(
            error.contains("home/u, which is not an absolute path")
                && error.contains("--state-dir"),
            "{error}"
        );
    }

    #[test]
    fn without_any_place_for_the_state_it_says_what_to_do() {
        let error = with(&[]).state_folder(None).unwrap_err().to_string();
        assert!(error.contains("--state-dir"), "{error}");
    }
}
