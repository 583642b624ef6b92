//! Making a roll, and making this place the home of one.

use std::path::Path;
use std::time::Duration;

use super::error::RunError;
use crate::core::sighting::Sighting;
use crate::look::vantage;
use crate::roll::{self, Roll};
use crate::state::{Folder, LedgerFile};

/// What was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Made {
    /// The roll was created.
    Created,
    /// It was there.
    Settled,
}

/// Creates the roll where there is none, and remembers that its sessions run here: on this machine, and in
/// this container if it is one.
///
/// # Errors
///
/// The roll cannot be created or read, or the state folder cannot be used.
pub async fn init(named: &Path, state: &Path, lock_timeout: Duration) -> Result<Made, RunError> {
    // A roll that is there may lie in a folder that cannot be written.
    let created = if named.symlink_metadata().is_ok() {
        false
    } else {
        roll::init::create(named)?
    };
    let roll = Roll::at(named.to_owned());
    let _ = roll::read::read(&roll)?
        .registry()
        .map_err(RunError::not_yaml(&roll))?;
    let folder = Folder::of(state, &roll.target);
    let lock = folder.lock(lock_timeout).await?;
    let (mut file, mut ledger) = LedgerFile::load(&folder)?;
    let place = vantage::vantage(Sighting::unknown("not asked")).place;
    if ledger.homes.insert(place) {
        file.save(&ledger, &lock)?;
    }
    Ok(if created {
        Made::Created
    } else {
        Made::Settled
    })
}
