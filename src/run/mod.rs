//! When to look: one pass, or a loop of them. Nothing here decides what a look means.

mod beat;
mod cut_off;
mod error;
mod init;
mod news;
mod notify;
mod onlook;
mod pass;
mod proposal;
mod push;
mod record;
mod schedule;
mod service;
mod shutdown;
mod sole;
mod source;
mod survey;
mod told;
mod wake;
mod watch;
mod work;

pub use error::RunError;
pub use init::{Made, init};
pub use notify::Notifier;
pub use onlook::{Onlooker, Seen, onlook};
pub use pass::{Reconciled, Settings, Waiting, reconcile};
pub use proposal::{Proposal, propose};
pub use push::Push;
pub use record::{Whereabouts, record};
pub use service::Manager;
pub use shutdown::{Stop, Stopper, asked_to_end};
pub use survey::{Survey, survey, survey_without_roll};
pub use wake::{Wake, Waker};
pub use watch::{Sources, Teller, watch};
pub use work::{Assignment, Ended, work};
