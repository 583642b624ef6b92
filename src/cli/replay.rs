//! Replaying what `headcount record` has saved, instead of looking.

use std::path::PathBuf;

use anyhow::bail;
use clap::Args;

use super::terms::Terms;

/// Which snapshot is replayed, if one is.
#[derive(Debug, Default, Args)]
pub(super) struct Replay {
    /// Replay what `headcount record` has saved there, and look at nothing here
    #[arg(long, value_name = "DIR", conflicts_with_all = ["registry", "state_dir"])]
    from_snapshot: Option<PathBuf>,
}

impl Replay {
    /// The snapshot's folder.
    pub(super) fn folder(self) -> Option<PathBuf> {
        self.from_snapshot
    }

    /// The snapshot's folder, for a pass that is made on these terms.
    ///
    /// # Errors
    ///
    /// The pass would not be the one that was recorded.
    pub(super) fn on(self, terms: Terms) -> anyhow::Result<Option<PathBuf>> {
        if self.from_snapshot.is_some() && terms != Terms::usual() {
            bail!(
                "a snapshot is replayed on the terms it was recorded on: name --grace, --spawn-grace and the like to `headcount record`, and leave them out here"
            );
        }
        Ok(self.from_snapshot)
    }
}
