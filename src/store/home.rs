//! The file in which an SQLite database lives, watched. A process goes on writing to a file that has been deleted or
//! replaced under it, and what it acknowledges then is lost; so who begins a transaction looks first.

use std::fs;
use std::path::Path;

use super::db::Address;
use super::error::Error;

/// Which file the database was in when it was opened; nothing for PostgreSQL.
#[derive(Clone, Debug)]
pub(super) struct Home(Option<(String, Identity)>);

/// Device and inode.
type Identity = (u64, u64);

impl Home {
    /// The file at this address, which is open already.
    pub(super) fn of(address: &Address) -> Result<Self, Error> {
        let Address::Sqlite(path) = address else {
            return Ok(Self(None));
        };
        if path.starts_with("file:") {
            return Ok(Self(None));
        }
        let identity = identity(Path::new(path))?;
        Ok(Self(identity.map(|identity| (path.clone(), identity))))
    }

    /// Fails while the file is not where it was. A file put back is the same; another one is not served, because what
    /// this process remembers is not of it: that takes a restart.
    pub(super) fn check(&self) -> Result<(), Error> {
        let Some((path, known)) = &self.0 else {
            return Ok(());
        };
        if identity(Path::new(path))? == Some(*known) {
            return Ok(());
        }
        Err(Error::Unavailable(
            "another file has taken the place of the database; restart the server to use it".into(),
        ))
    }
}

#[cfg(unix)]
fn identity(path: &Path) -> Result<Option<Identity>, Error> {
    use std::os::unix::fs::MetadataExt;
    let file = fs::metadata(path)
        .map_err(|error| Error::Unavailable(format!("the database file is gone: {error}")))?;
    Ok(Some((file.dev(), file.ino())))
}

/// Elsewhere an open file can be neither deleted nor replaced.
#[cfg(not(unix))]
fn identity(path: &Path) -> Result<Option<Identity>, Error> {
    fs::metadata(path)
        .map(|_| None)
        .map_err(|error| Error::Unavailable(format!("the database file is gone: {error}")))
}
