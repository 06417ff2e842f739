//! The file in which an SQLite database lives, watched. A process goes on writing to a file that has been deleted or
//! replaced under it, and what it acknowledges then is lost; so the writer looks before each transaction. Who only reads
//! loses nothing, and a look costs as much as a twentieth of a read: readers look from time to time.

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use super::db::{Address, SqliteFile};
use super::error::Error;

/// Which file the database was in when it was opened; nothing for PostgreSQL.
#[derive(Clone, Debug)]
pub(super) struct Home(Option<Arc<Place>>);

#[derive(Debug)]
struct Place {
    path: String,
    identity: Identity,
    opened: Instant,
    /// Until when readers rely on the last look, in milliseconds since `opened`.
    good_until: AtomicU64,
}

/// For how many milliseconds readers rely on a look.
const GOOD: u64 = 20;

/// Device and inode.
type Identity = (u64, u64);

impl Home {
    /// The file at this address, which is open already.
    pub(super) fn of(address: &Address) -> Result<Self, Error> {
        let Address::Sqlite(SqliteFile { path, .. }) = address else {
            return Ok(Self(None));
        };
        if path.starts_with("file:") {
            return Ok(Self(None));
        }
        let identity = identity(Path::new(path))?;
        let place = |identity| Place {
            path: path.clone(),
            identity,
            opened: Instant::now(),
            good_until: AtomicU64::new(0),
        };
        Ok(Self(identity.map(|identity| Arc::new(place(identity)))))
    }

    /// Fails while the file is not where it was. A file put back is the same; another one is not served, because what
    /// this process remembers is not of it: that takes a restart.
    pub(super) fn check(&self) -> Result<(), Error> {
        let Some(place) = &self.0 else {
            return Ok(());
        };
        if identity(Path::new(&place.path))? == Some(place.identity) {
            return Ok(());
        }
        Err(Error::Unavailable(
            "another file has taken the place of the database; restart the server to use it".into(),
        ))
    }

    /// The same for readers.
    pub(super) fn check_now_and_then(&self) -> Result<(), Error> {
        let Some(place) = &self.0 else {
            return Ok(());
        };
        let now = u64::try_from(place.opened.elapsed().as_millis()).unwrap_or(u64::MAX);
        if now < place.good_until.load(Ordering::Relaxed) {
            return Ok(());
        }
        self.check()?;
        place.good_until.store(now + GOOD, Ordering::Relaxed);
        Ok(())
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
