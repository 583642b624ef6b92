//! A real Mosquitto, and a real publisher in Python that signs as `docs/job-events.md` tells.

use std::cell::RefCell;
use std::fmt::Write as _;
use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use serde_json::{Value, json};

use super::{Machine, cache, skip, wait_until};

/// A broker on a port of its own. It is killed when this is dropped.
pub struct Broker {
    folder: PathBuf,
    port: u16,
    tls: bool,
    child: RefCell<Option<Child>>,
}

/// A broker to be started.
#[must_use = "nothing runs before `start`"]
pub struct BrokerBuilder {
    folder: PathBuf,
    port: u16,
    config: String,
    tls: bool,
}

impl BrokerBuilder {
    /// Any line of its configuration.
    pub fn set(mut self, line: &str) -> Self {
        writeln!(self.config, "{line}").expect("a text can grow");
        self
    }

    /// It asks for these users and passwords.
    pub fn users(mut self, users: &[(&str, &str)]) -> Self {
        let file = self.folder.join("passwords");
        fs::write(&file, "").expect("a file can be written");
        for (user, password) in users {
            run(Command::new("mosquitto_passwd")
                .arg("-b")
                .arg(&file)
                .args([user, password]));
        }
        self.config = self
            .config
            .replace("allow_anonymous true", "allow_anonymous false");
        let line = format!("password_file {}", file.display());
        self.set(&line)
    }

    /// Who may do what.
    pub fn rights(self, acl: &str) -> Self {
        let file = self.folder.join("acl");
        fs::write(&file, acl).expect("a file can be written");
        let line = format!("acl_file {}", file.display());
        self.set(&line)
    }

    /// It talks TLS only, with a certificate of a private authority for `localhost`.
    pub fn tls(mut self) -> Self {
        self.tls = true;
        let folder = self.folder.clone();
        authority(&folder);
        certificate(&folder, "broker", "subjectAltName=DNS:localhost");
        let file = |name: &str| folder.join(name).display().to_string();
        let lines = [
            format!("cafile {}", file("ca.crt")),
            format!("certfile {}", file("broker.crt")),
            format!("keyfile {}", file("broker.key")),
        ];
        self.set(&lines.join("\n"))
    }

    /// It asks for a certificate of the same authority, and takes its name for the user's.
    pub fn client_certificates(mut self) -> Self {
        for name in ["headcount", "worker"] {
            certificate(&self.folder, name, "keyUsage=digitalSignature");
        }
        self.config = self
            .config
            .replace("allow_anonymous true", "allow_anonymous false");
        self.set("require_certificate true\nuse_identity_as_username true")
    }

    /// Starts it; `None`, and a loud word, where no Mosquitto is installed.
    pub fn start(self) -> Option<Broker> {
        if !is_installed() {
            assert!(
                std::env::var_os("HEADCOUNT_REQUIRE_MOSQUITTO").is_none_or(|it| it == "0"),
                "Mosquitto or paho-mqtt is not installed, and HEADCOUNT_REQUIRE_MOSQUITTO asks for it"
            );
            skip("Mosquitto or paho-mqtt is not installed: run scripts/setup-tests");
            return None;
        }
        fs::write(self.folder.join("mosquitto.conf"), &self.config).expect("it can be written");
        let broker = Broker {
            folder: self.folder,
            port: self.port,
            tls: self.tls,
            child: RefCell::default(),
        };
        broker.start_again();
        Some(broker)
    }
}

impl Broker {
    pub(super) fn on(machine: &Machine) -> BrokerBuilder {
        let folder = machine.new_folder("broker");
        // Held until the port is known, so that two tests do not get the same one at once.
        let port = free_port();
        let config = format!(
            "listener {port} 127.0.0.1\nallow_anonymous true\npersistence true\npersistence_location {}/\nmax_queued_messages 0\nlog_dest none\nuser root\n",
            folder.display()
        );
        BrokerBuilder {
            folder,
            port,
            config,
            tls: false,
        }
    }

    /// Its port.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// A file it was set up with: `ca.crt`, `headcount.crt`, `headcount.key`.
    pub fn file(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// Kills it: nothing is saved.
    pub fn kill(&self) {
        if let Some(mut child) = self.child.borrow_mut().take() {
            child.kill().expect("it can be killed");
            child.wait().expect("it can be waited for");
        }
    }

    /// Whether what it has saved, and will know after it was killed, contains a text.
    pub fn has_saved(&self, text: &str) -> bool {
        let saved = fs::read(self.folder.join("mosquitto.db")).unwrap_or_default();
        memchr::memmem::find(&saved, text.as_bytes()).is_some()
    }

    /// Ends it as an administrator would: what it keeps is saved.
    pub fn stop(&self) {
        if let Some(mut child) = self.child.borrow_mut().take() {
            let pid = rustix::process::Pid::from_child(&child);
            rustix::process::kill_process(pid, rustix::process::Signal::TERM)
                .expect("it can be ended");
            child.wait().expect("it can be waited for");
        }
    }

    /// Starts it after it was ended.
    pub fn start_again(&self) {
        let child = Command::new(mosquitto().expect("it is installed"))
            .arg("-c")
            .arg(self.folder.join("mosquitto.conf"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("Mosquitto starts");
        *self.child.borrow_mut() = Some(child);
        wait_until("Mosquitto to listen", || {
            TcpStream::connect(("127.0.0.1", self.port)).ok()
        });
    }

    /// Somebody who publishes, without a name.
    pub fn publisher(&self) -> Publisher {
        self.publisher_with(json!({}))
    }

    /// Somebody who publishes, with these options: `user`, `password`, `cert`, `key`.
    pub fn publisher_with(&self, mut options: Value) -> Publisher {
        options["port"] = json!(self.port);
        if self.tls {
            options["ca"] = json!(self.file("ca.crt"));
        }
        Publisher::start(&options)
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        self.kill();
    }
}

fn free_port() -> u16 {
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("there is a free port");
    listener.local_addr().expect("it has an address").port()
}

fn mosquitto() -> Option<&'static Path> {
    [
        "/usr/sbin/mosquitto",
        "/usr/local/sbin/mosquitto",
        "/opt/homebrew/sbin/mosquitto",
        "/usr/bin/mosquitto",
    ]
    .into_iter()
    .map(Path::new)
    .find(|program| program.is_file())
}

fn is_installed() -> bool {
    mosquitto().is_some() && cache::paho().is_some()
}

#[track_caller]
fn run(command: &mut Command) {
    let output = command.output().expect("it can be run");
    assert!(
        output.status.success(),
        "{command:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
}

fn authority(folder: &Path) {
    run(Command::new("openssl")
        .current_dir(folder)
        .args([
            "req",
            "-x509",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:P-256",
            "-nodes",
        ])
        .args([
            "-keyout",
            "ca.key",
            "-out",
            "ca.crt",
            "-days",
            "2",
            "-subj",
            "/CN=test authority",
        ]));
}

/// A certificate of the authority in that folder, for that name.
fn certificate(folder: &Path, name: &str, extension: &str) {
    fs::write(folder.join(format!("{name}.ext")), extension).expect("it can be written");
    run(Command::new("openssl")
        .current_dir(folder)
        .args([
            "req",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:P-256",
            "-nodes",
        ])
        .args([
            "-keyout",
            &format!("{name}.key"),
            "-out",
            &format!("{name}.csr"),
        ])
        .args(["-subj", &format!("/CN={name}")]));
    run(Command::new("openssl")
        .current_dir(folder)
        .args([
            "x509",
            "-req",
            "-in",
            &format!("{name}.csr"),
            "-CA",
            "ca.crt",
            "-CAkey",
            "ca.key",
        ])
        .args([
            "-CAcreateserial",
            "-days",
            "2",
            "-out",
            &format!("{name}.crt"),
        ])
        .args(["-extfile", &format!("{name}.ext")]));
}

/// A real `paho-mqtt` client that publishes.
pub struct Publisher {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

impl Publisher {
    fn start(options: &Value) -> Self {
        let program = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/support/publisher.py");
        let mut child = Command::new(cache::paho().expect("it is installed"))
            .arg(program)
            .arg(options.to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("python starts");
        let input = child.stdin.take().expect("it is a pipe");
        let output = BufReader::new(child.stdout.take().expect("it is a pipe"));
        Self {
            child,
            input,
            output,
        }
    }

    /// Does it, and waits until the broker has it.
    #[track_caller]
    pub fn send(&mut self, command: &Value) {
        writeln!(self.input, "{command}").expect("the publisher listens");
        let mut line = String::new();
        self.output.read_line(&mut line).expect("it answers");
        assert_eq!(line.trim(), "done", "{command}");
    }

    /// Publishes an event.
    #[track_caller]
    pub fn event(&mut self, job: &str, seq: u64, event: &str) {
        self.publish(job, seq, event, None);
    }

    /// Publishes a signed event.
    #[track_caller]
    pub fn signed(&mut self, job: &str, seq: u64, event: &str, token: &str) {
        self.publish(job, seq, event, Some(token));
    }

    #[track_caller]
    fn publish(&mut self, job: &str, seq: u64, event: &str, token: Option<&str>) {
        self.send(&json!({
            "publish": {
                "schema_version": 1,
                "seq": seq,
                "job_id": job,
                "event": event,
                "timestamp": "2026-11-21T09:00:00Z",
                "detail": "as ordered",
            },
            "token": token,
        }));
    }

    /// Publishes anything.
    #[track_caller]
    pub fn raw(&mut self, topic: &str, text: &str) {
        self.send(&json!({ "topic": topic, "raw": text }));
    }
}

impl Drop for Publisher {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
