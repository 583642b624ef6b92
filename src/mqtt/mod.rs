//! Listening to a broker: the connection, and what is said over it. Nothing here knows a roll, and nothing
//! that is heard is believed here.

mod backoff;
mod broker;
mod client;
mod message;
mod reach;
mod signature;
mod topic;

pub use broker::{Broker, Tls};
pub use client::{Line, Listener, Message, NotUsable};
pub use message::{LARGEST, Said, read};
pub use reach::reach;
pub use signature::verify;
pub use topic::{DEFAULT_FILTER, Filter};
