//! Since when a card is worked on, and by which run: so that a worker that was cut off is followed by one that knows
//! the claim as its own, and goes on counting where it began.

use std::fs::{self, DirBuilder};
use std::io::ErrorKind;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::folder::file_name;
use super::replace::replace;
use super::{Folder, Locked, StateError};

/// What is known of the work on one card.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tenure {
    /// The number of the newest entry of the journal when it began.
    pub since: u64,
    /// The number of its run, once that is known.
    pub run: Option<i64>,
    /// The claim that was about to be made, until it is known what came of it.
    pub sought: Option<Sought>,
}

/// What tells a claim that was about to be made from all others.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sought {
    /// The newest run that the card had by then.
    pub after: i64,
    /// When, in seconds since 1970.
    pub at: i64,
    /// For how long, in seconds.
    pub ttl: u64,
}

/// Where the tenure of one card is kept.
#[derive(Clone, Debug)]
pub struct TenureFile {
    folder: PathBuf,
    path: PathBuf,
}

impl TenureFile {
    /// That of a card, in the folder of a roll. It may not be there yet.
    #[must_use]
    pub fn of(folder: &Folder, card: &str) -> Self {
        let folder = folder.path().join("tenures");
        let path = folder.join(file_name(card, card.as_bytes()));
        Self { folder, path }
    }

    /// What is kept; nothing where nothing can be read, so that the card counts as somebody else's.
    #[must_use]
    pub fn load(&self) -> Option<Tenure> {
        let read = match fs::read(&self.path) {
            Ok(bytes) => serde_json::from_slice(&bytes).map_err(|error| error.to_string()),
            Err(error) if error.kind() == ErrorKind::NotFound => return None,
            Err(error) => Err(error.to_string()),
        };
        match read {
            Ok(tenure) => Some(tenure),
            Err(why) => {
                tracing::warn!("{} cannot be read: {why}", self.path.display());
                None
            }
        }
    }

    /// Keeps it. When this returns, a crash cannot lose it any more.
    ///
    /// # Errors
    /// When the system refuses.
    pub fn save(&self, tenure: &Tenure, lock: &Locked) -> Result<(), StateError> {
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&self.folder)
            .map_err(StateError::io("make", &self.folder))?;
        let bytes = serde_json::to_vec(tenure)
            .map_err(|error| StateError::io("write", &self.path)(error.into()))?;
        replace(&self.path, &bytes, lock)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::path::Path;
    use std::time::Duration;

    use super::*;

    #[tokio::test]
    async fn what_was_kept_is_read_again_and_what_is_damaged_is_nothing() {
        let temp = tempfile::tempdir().unwrap();
        let folder = Folder::of(&temp.path().join("state"), Path::new("/r/.hermes/a.yaml"));
        let file = TenureFile::of(&folder, "t_1");
        assert_eq!(file.load(), None);
        let tenure = Tenure {
            since: 7,
            run: None,
            sought: Some(Sought {
                after: 2,
                at: 1_000,
                ttl: 86_000,
            }),
        };
        let lock = folder.lock(Duration::ZERO).await.unwrap();

        file.save(&tenure, &lock).unwrap();

        assert_eq!(file.load(), Some(tenure));
        assert_eq!(TenureFile::of(&folder, "t_2").load(), None);
        fs::write(&file.path, "{").unwrap();
        assert_eq!(file.load(), None);
    }
}
