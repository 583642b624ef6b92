//! The connection to the broker: the only file that knows with which library it is made.
//!
//! Every attempt is a new connection, so that nothing of a broken one is left over. The session at the broker
//! outlives them: what is published while nobody listens is kept there, as far as the broker keeps it, and
//! is sent again until it was acknowledged. It is acknowledged when the listener has made it safe.

use std::error::Error;
use std::hash::{BuildHasher as _, RandomState};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::{Duration, Instant};

use rumqttc::{
    AsyncClient, ClientError, ConnectReturnCode, ConnectionError, Event, EventLoop, MqttOptions,
    NetworkOptions, Packet, Publish, QoS, StateError, SubscribeReasonCode, TlsConfiguration,
    Transport,
};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use thiserror::Error;
use tokio::time::timeout;

use super::backoff::Backoff;
use super::message::is_of_events;
use super::{Broker, Tls};
use crate::clock;

/// How large a packet may be, in bytes, to be read past. An event has at most 64 KiB; what is larger than
/// this cannot be read past, and costs the session at the broker.
const LARGEST_PACKET: usize = 4 << 20;

/// What we send is small.
const LARGEST_SENT: usize = 64 << 10;

/// How often the broker is asked whether it is still there; it is given up when one question is not answered
/// before the next.
const KEEP_ALIVE: Duration = Duration::from_secs(10);

/// How long an answer may take.
const ANSWER: Duration = Duration::from_secs(5);

/// How many messages are acknowledged together at most.
const BATCH: usize = 256;

/// How many acknowledgements may wait to be sent.
const CHANNEL: usize = 2 * BATCH;

/// Why a broker cannot be listened to at all: what a person has to put right.
#[derive(Debug, Error)]
pub enum NotUsable {
    /// The name is nobody's.
    #[error(
        "the broker's name {host:?} cannot be resolved: {why}; name it by --broker or MQTT_BROKER"
    )]
    NoSuchHost {
        /// The name.
        host: String,
        /// What the system said.
        why: String,
    },
    /// A certificate or key cannot be used.
    #[error("{}: {why}; name the {what} by {setting}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What it should be.
        what: &'static str,
        /// What it is named by.
        setting: &'static str,
        /// What is wrong.
        why: String,
    },
    /// TLS cannot be used so.
    #[error("TLS cannot be used: {0}")]
    Tls(String),
}

/// Who listens.
pub trait Listener {
    /// From now on what is published is heard.
    fn up(&mut self);

    /// From now on it is not, or still not; why.
    fn away(&mut self, why: &str);

    /// A message came. It is not safe yet.
    fn message(&mut self, message: Message<'_>);

    /// A message came that was too large to be read, in bytes.
    fn too_large(&mut self, bytes: usize);

    /// Makes safe what came since the last call.
    ///
    /// # Errors
    ///
    /// Why that is not possible. The broker then keeps it.
    fn settle(&mut self) -> Result<(), String>;
}

/// A message on a topic of events.
#[derive(Clone, Copy, Debug)]
pub struct Message<'a> {
    /// The topic.
    pub topic: &'a str,
    /// What it says.
    pub payload: &'a [u8],
    /// Whether the broker had kept it for whoever subscribes.
    pub retained: bool,
}

/// A line to a broker that can be used as far as can be told without it.
pub struct Line {
    broker: Broker,
    options: MqttOptions,
}

impl Line {
    /// Looks at everything that a person may have got wrong.
    ///
    /// # Errors
    ///
    /// What that is.
    pub async fn prepare(broker: Broker) -> Result<Self, NotUsable> {
        let transport = match &broker.tls {
            None => Transport::tcp(),
            Some(tls) => {
                // The name has to be one that a certificate can be for.
                ServerName::try_from(broker.host.as_str()).map_err(|error| {
                    NotUsable::NoSuchHost {
                        host: broker.host.clone(),
                        why: error.to_string(),
                    }
                })?;
                let config = configure(tls)?;
                Transport::tls_with_config(TlsConfiguration::Rustls(Arc::new(config)))
            }
        };
        let found = tokio::net::lookup_host((broker.host.as_str(), broker.port)).await;
        let why = match found.map(|mut addresses| addresses.next()) {
            Ok(Some(_)) => None,
            Ok(None) => Some("it has no address".to_owned()),
            Err(error) => Some(error.to_string()),
        };
        if let Some(why) = why {
            return Err(NotUsable::NoSuchHost {
                host: broker.host.clone(),
                why,
            });
        }
        // The library puts a colon and the port behind it.
        let host = if broker.host.contains(':') && broker.tls.is_none() {
            format!("[{}]", broker.host)
        } else {
            broker.host.clone()
        };
        let mut options = MqttOptions::new(&broker.client_id, host, broker.port);
        options
            .set_keep_alive(KEEP_ALIVE)
            .set_max_packet_size(LARGEST_PACKET, LARGEST_SENT)
            .set_manual_acks(true)
            .set_clean_session(false)
            .set_transport(transport);
        if let Some(user) = &broker.user {
            options.set_credentials(user, broker.password.clone().unwrap_or_default());
        }
        Ok(Self { broker, options })
    }

    /// The broker.
    #[must_use]
    pub const fn broker(&self) -> &Broker {
        &self.broker
    }

    /// Listens for ever, connecting again whenever that is needed.
    pub async fn listen(self, listener: &mut impl Listener) -> ! {
        let mut backoff = Backoff::default();
        loop {
            let began = clock::monotonic();
            let trouble = self.connection(listener).await;
            if let Trouble::TooLarge(bytes) = trouble {
                listener.too_large(bytes);
                // It would come again for ever. With the session it is gone, and so is all that waits
                // behind it, which the records of the jobs make good.
                let _ = self.forget().await;
            }
            listener.away(&trouble.to_string());
            let lasted = clock::monotonic().saturating_duration_since(began);
            tokio::time::sleep(backoff.next(lasted, chance())).await;
        }
    }

    /// One connection, until it is no more.
    async fn connection(&self, listener: &mut impl Listener) -> Trouble {
        let (client, mut events) = connect(self.options.clone());
        let mut unsafe_yet: Vec<Publish> = Vec::new();
        let mut up = false;
        let mut answer_until: Option<Instant> = None;
        let mut answered = false;
        loop {
            let event = next(&mut events, &client, listener, &mut unsafe_yet);
            let event = match answer_until {
                None => event.await,
                Some(until) => {
                    let left = until.saturating_duration_since(clock::monotonic());
                    match timeout(left, event).await {
                        Ok(event) => event,
                        Err(_) => return Trouble::Lost("it does not answer".to_owned()),
                    }
                }
            };
            answered |= matches!(event, Ok(Event::Incoming(_)));
            match event {
                Ok(Event::Incoming(Packet::ConnAck(answer))) if answer.session_present => {
                    up = true;
                    listener.up();
                }
                Ok(Event::Incoming(Packet::ConnAck(_))) => {
                    let filter = self.broker.filter.as_str();
                    if let Err(error) = client.try_subscribe(filter, QoS::AtLeastOnce) {
                        return Trouble::Lost(error.to_string());
                    }
                    answer_until = Some(clock::monotonic() + ANSWER);
                }
                Ok(Event::Incoming(Packet::SubAck(answer))) => {
                    if answer.return_codes.contains(&SubscribeReasonCode::Failure) {
                        return Trouble::Lost(format!(
                            "it does not allow to subscribe to {}",
                            self.broker.filter
                        ));
                    }
                    answer_until = None;
                    if !up {
                        up = true;
                        listener.up();
                    }
                }
                Ok(Event::Incoming(Packet::Publish(publish))) => {
                    if is_of_events(&publish.topic) {
                        listener.message(Message {
                            topic: &publish.topic,
                            payload: &publish.payload,
                            retained: publish.retain,
                        });
                    }
                    // Only its number is needed to acknowledge it.
                    unsafe_yet.push(Publish {
                        payload: Default::default(),
                        ..publish
                    });
                }
                Ok(_) => {}
                Err(Trouble::Closed(why)) if !answered => {
                    let guess = if self.broker.tls.is_some() {
                        "it may not talk TLS on this port"
                    } else {
                        "it may talk only TLS on this port (--tls)"
                    };
                    return Trouble::Lost(format!("{why}; {guess}"));
                }
                Err(trouble) => return trouble,
            }
        }
    }

    /// Makes the broker forget the session, and whatever waits in it.
    async fn forget(&self) -> Result<(), ConnectionError> {
        let mut options = self.options.clone();
        options.set_clean_session(true);
        let (_client, mut events) = connect(options);
        events.poll().await.map(|_| ())
    }
}

fn connect(options: MqttOptions) -> (AsyncClient, EventLoop) {
    let (client, mut events) = AsyncClient::new(options, CHANNEL);
    let mut network = NetworkOptions::new();
    network.set_tcp_nodelay(true);
    network.set_connection_timeout(ANSWER.as_secs());
    events.set_network_options(network);
    (client, events)
}

/// The next event. Before it waits for one, what came is made safe and acknowledged: in one go as long as
/// more comes at once. The library's own future is never dropped half-way.
async fn next(
    events: &mut EventLoop,
    client: &AsyncClient,
    listener: &mut impl Listener,
    unsafe_yet: &mut Vec<Publish>,
) -> Result<Event, Trouble> {
    let mut event = pin!(events.poll());
    if !unsafe_yet.is_empty() && unsafe_yet.len() < BATCH {
        let at_once = std::future::poll_fn(|context| {
            Poll::Ready(match event.as_mut().poll(context) {
                Poll::Ready(event) => Some(event),
                Poll::Pending => None,
            })
        });
        if let Some(event) = at_once.await {
            return event.map_err(Trouble::from);
        }
    }
    if !unsafe_yet.is_empty() {
        listener.settle().map_err(Trouble::Lost)?;
        while let Some(publish) = unsafe_yet.first() {
            match client.try_ack(publish) {
                Ok(()) => drop(unsafe_yet.remove(0)),
                // More than can be sent now: the rest follows.
                Err(ClientError::TryRequest(_)) => break,
                Err(error) => return Err(Trouble::Lost(error.to_string())),
            }
        }
    }
    event.await.map_err(Trouble::from)
}

/// Why a connection ended.
enum Trouble {
    /// It broke, or did not come about.
    Lost(String),
    /// It was closed by the other side; how that was noticed.
    Closed(String),
    /// Something came that is larger than can be read past, in bytes.
    TooLarge(usize),
}

impl std::fmt::Display for Trouble {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Lost(why) | Self::Closed(why) => f.write_str(why),
            Self::TooLarge(bytes) => write!(
                f,
                "a message of {bytes} bytes came; what the broker had kept was given up to get past it"
            ),
        }
    }
}

impl From<ConnectionError> for Trouble {
    fn from(error: ConnectionError) -> Self {
        Self::Lost(match error {
            ConnectionError::MqttState(StateError::Deserialization(
                rumqttc::mqttbytes::Error::PayloadSizeLimitExceeded(bytes),
            )) => return Self::TooLarge(bytes),
            ConnectionError::NetworkTimeout | ConnectionError::FlushTimeout => {
                "it does not answer".to_owned()
            }
            ConnectionError::MqttState(StateError::AwaitPingResp) => {
                "it has fallen silent".to_owned()
            }
            ConnectionError::MqttState(StateError::ConnectionAborted) => {
                return Self::Closed("it closed the connection".to_owned());
            }
            ConnectionError::ConnectionRefused(
                ConnectReturnCode::BadUserNamePassword | ConnectReturnCode::NotAuthorized,
            ) => "it refuses the user or the password (MQTT_USERNAME, MQTT_PASSWORD)".to_owned(),
            ConnectionError::ConnectionRefused(code) => format!("it refuses us: {code:?}"),
            other => return Self::of(&other),
        })
    }
}

impl Trouble {
    /// By the error that is behind all others: what the library puts before it helps nobody.
    fn of(error: &(dyn Error + 'static)) -> Self {
        let mut last = error;
        while let Some(behind) = last.source() {
            last = behind;
        }
        let why = last.to_string();
        let kind = last
            .downcast_ref::<io::Error>()
            .map_or(ErrorKind::Other, io::Error::kind);
        match kind {
            ErrorKind::ConnectionReset
            | ErrorKind::ConnectionAborted
            | ErrorKind::UnexpectedEof => Self::Closed(why),
            _ if why.contains("UnknownIssuer") => Self::Lost(format!(
                "{why} (--ca-certs or MQTT_CA_CERTS names who may vouch for it)"
            )),
            _ => Self::Lost(why),
        }
    }
}

fn configure(tls: &Tls) -> Result<ClientConfig, NotUsable> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| NotUsable::Tls(error.to_string()))?
        .with_root_certificates(roots(tls.ca.as_deref())?);
    let Some((certificate, key)) = &tls.identity else {
        return Ok(config.with_no_client_auth());
    };
    let chain = certificates(certificate, "client certificate", "--cert or MQTT_CERTFILE")?;
    let key_file = |why: String| NotUsable::File {
        path: key.clone(),
        what: "key of the client certificate",
        setting: "--key or MQTT_KEYFILE",
        why,
    };
    let private = PrivateKeyDer::from_pem_file(key).map_err(|error| key_file(plain(&error)))?;
    config
        .with_client_auth_cert(chain, private)
        .map_err(|error| key_file(error.to_string()))
}

fn roots(ca: Option<&Path>) -> Result<RootCertStore, NotUsable> {
    let mut roots = RootCertStore::empty();
    let Some(ca) = ca else {
        let found = rustls_native_certs::load_native_certs();
        roots.add_parsable_certificates(found.certs);
        if roots.is_empty() {
            return Err(NotUsable::Tls(
                "this system has no certificates of its own; name a file of them by --ca-certs or MQTT_CA_CERTS"
                    .to_owned(),
            ));
        }
        return Ok(roots);
    };
    let (what, setting) = (
        "certificate of the authority",
        "--ca-certs or MQTT_CA_CERTS",
    );
    for certificate in certificates(ca, what, setting)? {
        roots.add(certificate).map_err(|error| NotUsable::File {
            path: ca.to_owned(),
            what,
            setting,
            why: error.to_string(),
        })?;
    }
    Ok(roots)
}

fn certificates(
    path: &Path,
    what: &'static str,
    setting: &'static str,
) -> Result<Vec<CertificateDer<'static>>, NotUsable> {
    let wrong = |why: String| NotUsable::File {
        path: path.to_owned(),
        what,
        setting,
        why,
    };
    let found = CertificateDer::pem_file_iter(path)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(|error| wrong(plain(&error)))?;
    if found.is_empty() {
        return Err(wrong("it has no certificate in it".to_owned()));
    }
    Ok(found)
}

fn plain(error: &rustls::pki_types::pem::Error) -> String {
    match error {
        rustls::pki_types::pem::Error::Io(error) => error.to_string(),
        rustls::pki_types::pem::Error::NoItemsFound => "it has none in it".to_owned(),
        other => other.to_string(),
    }
}

/// A number from 0 to 1 that is different each time and in each process.
fn chance() -> f64 {
    let [.., high, low] = RandomState::new().hash_one(()).to_le_bytes();
    f64::from(u16::from_le_bytes([low, high])) / f64::from(u16::MAX)
}
