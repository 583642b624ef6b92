//! `headcount reconcile --subscribe`: whom to listen to, by flags and environment.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, anyhow, bail};
use clap::Args;
use sha2::{Digest as _, Sha256};

use super::environment::{Environment, Mqtt};
use super::seconds::seconds;
use crate::mqtt::{Broker, DEFAULT_FILTER, Filter, Tls};

/// A day: nobody calls it keeping watch to look less often.
const LONGEST_INTERVAL: u64 = 24 * 3600;

/// A hundred years.
const LONGEST_TIMEOUT: u64 = 100 * 365 * 24 * 3600;

/// How far apart passes are while the broker is away, in seconds.
const AWAY: u64 = 15;

/// The ports of MQTT without and with TLS.
const PORTS: (u16, u16) = (1883, 8883);

#[derive(Debug, Args)]
#[command(next_help_heading = "Listening to a broker")]
pub(super) struct Subscribe {
    /// Go on, and look as soon as a worker says over MQTT that its job has ended
    #[arg(long, group = "loops", conflicts_with = "dry_run")]
    subscribe: bool,
    /// The topics to listen to
    #[arg(long, value_name = "FILTER", default_value = DEFAULT_FILTER, requires = "subscribe", value_parser = Filter::parse)]
    topic: Filter,
    /// End when no event has come for so many seconds while the broker was there; 0 for never
    #[arg(
        long,
        value_name = "SECS",
        default_value_t = 600,
        allow_negative_numbers = true,
        value_parser = seconds(0..=LONGEST_TIMEOUT),
        requires = "subscribe",
    )]
    idle_timeout: u64,
    /// Look again every so many seconds even while the broker is there
    #[arg(
        long,
        value_name = "SECS",
        default_value_t = 300,
        allow_negative_numbers = true,
        value_parser = seconds(1..=LONGEST_INTERVAL),
        requires = "subscribe",
    )]
    resync: u64,
    /// Ignore every event without a valid signature
    #[arg(long, requires = "subscribe")]
    require_signature: bool,
    /// The broker's name or address [default: $MQTT_BROKER, else localhost]
    #[arg(long, value_name = "HOST", requires = "subscribe")]
    broker: Option<String>,
    /// Its port [default: $MQTT_PORT, else 1883, with TLS 8883]
    #[arg(long, value_name = "PORT", requires = "subscribe", allow_negative_numbers = true, value_parser = clap::value_parser!(u16).range(1..))]
    port: Option<u16>,
    /// The user's name; the password is $MQTT_PASSWORD [default: $MQTT_USERNAME]
    #[arg(long, value_name = "NAME", requires = "subscribe")]
    user: Option<String>,
    /// Talk so that nobody else can listen [default: $MQTT_TLS]
    #[arg(long, requires = "subscribe")]
    tls: bool,
    /// Who may vouch for the broker: a PEM file [default: $MQTT_CA_CERTS, else the system's list]
    #[arg(long, value_name = "PATH", requires = "subscribe")]
    ca_certs: Option<PathBuf>,
    /// Our own certificate, a PEM file [default: $MQTT_CERTFILE]
    #[arg(long, value_name = "PATH", requires = "subscribe")]
    cert: Option<PathBuf>,
    /// The key of our own certificate, a PEM file [default: $MQTT_KEYFILE]
    #[arg(long, value_name = "PATH", requires = "subscribe")]
    key: Option<PathBuf>,
}

/// How to listen. Whom to, is known when the roll is.
#[derive(Debug)]
pub(super) struct Listening {
    /// Everything about the broker but our name.
    broker: Broker,
    /// How our name begins.
    prefix: String,
    /// Whether an event without a valid signature never counts.
    pub(super) require_signature: bool,
    /// After how much time without an event to end.
    pub(super) idle: Option<Duration>,
    /// How far apart passes are while the broker is away.
    pub(super) away: Duration,
    /// How far apart they are while it is there.
    pub(super) resync: Duration,
}

impl Subscribe {
    /// Whether that is wanted.
    pub(super) const fn is_wanted(&self) -> bool {
        self.subscribe
    }

    /// How to listen, if that is wanted.
    ///
    /// # Errors
    ///
    /// Says which variable of the environment is wrong.
    pub(super) fn listening(self, environment: &Environment) -> anyhow::Result<Option<Listening>> {
        // Taken apart without `..`, so that no flag is accepted and then forgotten.
        let Self {
            subscribe,
            topic,
            idle_timeout,
            resync,
            require_signature,
            broker,
            port,
            user,
            tls,
            ca_certs,
            cert,
            key,
        } = self;
        if !subscribe {
            return Ok(None);
        }
        let Mqtt {
            broker: broker_said,
            port: port_said,
            tls: tls_said,
            username,
            password,
            ca_certs: ca_said,
            certfile,
            keyfile,
            client_id_prefix,
            poll_interval,
        } = environment.mqtt.clone();
        let ca = ca_certs.or(ca_said);
        let identity = match (cert.or(certfile), key.or(keyfile)) {
            (None, None) => None,
            (Some(cert), Some(key)) => Some((cert, key)),
            (Some(_), None) => {
                bail!("a certificate without its key: name the key by --key or MQTT_KEYFILE")
            }
            (None, Some(_)) => bail!(
                "a key without its certificate: name the certificate by --cert or MQTT_CERTFILE"
            ),
        };
        let is_asked_for = tls || ca.is_some() || identity.is_some();
        let tls = match tls_said.as_deref() {
            None => is_asked_for,
            Some(word) => {
                on_or_off(word).with_context(|| format!("MQTT_TLS is {word:?}"))? || is_asked_for
            }
        };
        let port = match (port, port_said) {
            (Some(port), _) => port,
            (None, Some(text)) => match text.parse() {
                Ok(port @ 1..) => port,
                _ => bail!("MQTT_PORT is {text:?}, which is no port: 1 to 65535 is"),
            },
            (None, None) if tls => PORTS.1,
            (None, None) => PORTS.0,
        };
        let away = match poll_interval {
            None => AWAY,
            Some(text) => match text.parse() {
                Ok(secs @ 1..=LONGEST_INTERVAL) => secs,
                _ => bail!(
                    "RECONCILE_POLL_INTERVAL is {text:?}: a number of seconds from 1 to {LONGEST_INTERVAL} is needed"
                ),
            },
        };
        let user = user.or(username);
        if user.is_none() && password.is_some() {
            bail!("there is a password without a user: name one by --user or MQTT_USERNAME");
        }
        Ok(Some(Listening {
            broker: Broker {
                host: host(broker.or(broker_said))?,
                port,
                user,
                password,
                tls: tls.then_some(Tls { ca, identity }),
                client_id: String::new(),
                filter: topic,
            },
            prefix: client_id_prefix.unwrap_or_else(|| "headcount".to_owned()),
            require_signature,
            idle: (idle_timeout > 0).then(|| Duration::from_secs(idle_timeout)),
            away: Duration::from_secs(away),
            resync: Duration::from_secs(resync),
        }))
    }
}

/// The broker that the environment names, if it names one.
///
/// # Errors
///
/// Says which variable of the environment is wrong.
pub(super) fn named_by(environment: &Environment) -> anyhow::Result<Option<(String, u16)>> {
    if environment.mqtt.broker.is_none() {
        return Ok(None);
    }
    let usual = Subscribe {
        subscribe: true,
        topic: Filter::parse(DEFAULT_FILTER).map_err(|error| anyhow!("{error}"))?,
        idle_timeout: 0,
        resync: 1,
        require_signature: false,
        broker: None,
        port: None,
        user: None,
        tls: false,
        ca_certs: None,
        cert: None,
        key: None,
    };
    let listening = usual.listening(environment)?;
    Ok(listening.map(|it| (it.broker.host, it.broker.port)))
}

impl Listening {
    /// The broker, with the name under which it keeps what comes for this roll on this machine. It stays the
    /// same, and no other roll, machine or topic has it.
    pub(super) fn broker(&self, machine: &str, roll: &Path) -> Broker {
        use std::os::unix::ffi::OsStrExt as _;

        let mut hash = Sha256::new();
        for part in [
            machine.as_bytes(),
            roll.as_os_str().as_bytes(),
            self.broker.filter.as_str().as_bytes(),
        ] {
            hash.update((part.len() as u64).to_be_bytes());
            hash.update(part);
        }
        let hex: String = hash
            .finalize()
            .iter()
            .take(6)
            .map(|byte| format!("{byte:02x}"))
            .collect();
        Broker {
            // At most 23 characters with the usual beginning: more an old broker need not take.
            client_id: format!("{}-{hex}", self.prefix),
            ..self.broker.clone()
        }
    }
}

/// A broker's name or address and nothing more. What is more may hold a password, and is not repeated.
fn host(said: Option<String>) -> anyhow::Result<String> {
    let host = said.unwrap_or_else(|| "localhost".to_owned());
    if host.contains(['/', '@']) {
        bail!(
            "the broker (--broker, MQTT_BROKER) is a whole address, and only its name or IP address is needed: put the port in MQTT_PORT, the user in MQTT_USERNAME and the password in MQTT_PASSWORD"
        );
    }
    if host.is_empty() {
        bail!("the broker (--broker, MQTT_BROKER) has no name; leave it out for localhost");
    }
    if let Some((name, port)) = host.split_once(':')
        && !name.is_empty()
        && port.parse::<u16>().is_ok()
    {
        bail!(
            "the broker {host:?} (--broker, MQTT_BROKER) is a name with a port: put the port in --port or MQTT_PORT"
        );
    }
    Ok(host)
}

fn on_or_off(word: &str) -> anyhow::Result<bool> {
    match word.to_ascii_lowercase().as_str() {
        "1" | "true" | "yes" | "on" => Ok(true),
        "0" | "false" | "no" | "off" => Ok(false),
        _ => Err(anyhow!("1 or 0 is needed")),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Command {
        #[arg(long)]
        dry_run: bool,
        #[command(flatten)]
        subscribe: Subscribe,
    }

    fn listening(arguments: &[&str], mqtt: Mqtt) -> Listening {
        let arguments = ["headcount", "--subscribe"].iter().chain(arguments);
        let environment = Environment {
            mqtt,
            ..Environment::default()
        };
        let subscribe = Command::parse_from(arguments).subscribe;
        subscribe.listening(&environment).unwrap().unwrap()
    }

    #[test]
    fn without_a_word_it_is_the_broker_of_this_machine() {
        let broker = listening(&[], Mqtt::default()).broker;
        assert_eq!(broker.to_string(), "mqtt://localhost:1883");
    }

    #[test]
    fn a_flag_beats_the_environment() {
        let said = Mqtt {
            broker: Some("there".to_owned()),
            port: Some("1".to_owned()),
            ..Mqtt::default()
        };
        let broker = listening(&[], said.clone()).broker;
        assert_eq!(broker.to_string(), "mqtt://there:1");
        let broker = listening(&["--broker", "here", "--port", "2"], said).broker;
        assert_eq!(broker.to_string(), "mqtt://here:2");
    }

    #[test]
    fn tls_has_a_port_of_its_own_and_a_certificate_asks_for_tls() {
        for flags in [&["--tls"][..], &["--ca-certs", "ca.crt"]] {
            let broker = listening(flags, Mqtt::default()).broker;
            assert_eq!(broker.to_string(), "mqtts://localhost:8883");
        }
    }

    #[test]
    fn the_name_at_the_broker_stays_and_is_nobody_elses() {
        let usual = listening(&[], Mqtt::default());
        let other_topic = listening(&["--topic", "#"], Mqtt::default());
        let roll = Path::new("/srv/.hermes/agent-sessions.yaml");
        let name = |listening: &Listening, machine, roll| listening.broker(machine, roll).client_id;
        let ours = name(&usual, "machine", roll);
        assert_eq!(ours, name(&usual, "machine", roll));
        assert!(ours.len() <= 23, "{ours}");
        for other in [
            name(&usual, "another", roll),
            name(&usual, "machine", Path::new("/srv/other.yaml")),
            name(&other_topic, "machine", roll),
        ] {
            assert_ne!(ours, other);
        }
    }

    #[test]
    fn a_password_is_never_shown() {
        let said = Mqtt {
            username: Some("u".to_owned()),
            password: Some("a secret".to_owned()),
            ..Mqtt::default()
        };
        let shown = format!("{:?} {:?}", said, listening(&[], said.clone()));
        assert!(!shown.contains("secret"), "{shown}");
    }
}
