//! Which broker to listen to, and as whom.

use std::fmt;
use std::path::PathBuf;

use super::Filter;

/// Which broker to listen to, and as whom.
#[derive(Clone)]
pub struct Broker {
    /// Its name or address.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// The user's name, if it asks for one.
    pub user: Option<String>,
    /// The user's password.
    pub password: Option<String>,
    /// How to talk so that nobody else can listen, if so.
    pub tls: Option<Tls>,
    /// Who we are: the broker keeps what comes for us while we are away.
    pub client_id: String,
    /// The topics to listen to.
    pub filter: Filter,
}

/// How to talk so that nobody else can listen.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tls {
    /// The file with the certificates of those who may vouch for the broker; `None` for the system's.
    pub ca: Option<PathBuf>,
    /// The files with our own certificate and its key, if the broker asks for one.
    pub identity: Option<(PathBuf, PathBuf)>,
}

impl fmt::Display for Broker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.tls.is_some() { "mqtts" } else { "mqtt" };
        write!(f, "{scheme}://{}:{}", self.host, self.port)
    }
}

/// Without the password.
impl fmt::Debug for Broker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Broker")
            .field("at", &self.to_string())
            .field("user", &self.user)
            .field("tls", &self.tls)
            .field("client_id", &self.client_id)
            .field("filter", &self.filter)
            .finish_non_exhaustive()
    }
}
