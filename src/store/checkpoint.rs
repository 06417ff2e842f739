//! Moves what SQLite's writer has written from its log to the file, on a thread and a connection of its own: among a million
//! records the pages of a few seconds lie all over the file, and a write that moved them itself would take as long as that.

use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::time::{Duration, Instant};

use diesel::connection::SimpleConnection;

use super::db::{Address, Db, Purpose};
use super::error::Error;
use super::home::Home;

/// How long the log grows before it is moved: a page that many writes have changed meanwhile is moved once.
const PAUSE: Duration = Duration::from_millis(500);

/// The writer's end. When it is dropped the thread ends.
pub(super) struct Checkpoints(SyncSender<()>);

impl Checkpoints {
    pub(super) fn start(address: &Address, home: Home) -> Result<Self, Error> {
        let (written, heard) = sync_channel(1);
        let address = address.clone();
        std::thread::Builder::new()
            .name("muster-checkpoint".into())
            .spawn(move || serve(&address, &home, &heard))
            .map_err(|error| Error::Unavailable(error.to_string()))?;
        Ok(Self(written))
    }

    /// Says that something was committed.
    pub(super) fn wanted(&self) {
        // One that waits already speaks for both.
        let _ = self.0.try_send(());
    }
}

fn serve(address: &Address, home: &Home, written: &Receiver<()>) {
    let mut db = None;
    while written.recv().is_ok() {
        if !pause(written) {
            return;
        }
        // Nothing is lost by one that fails: the log has it all, and the writer moves it when it has grown long.
        if let Err(error) = checkpoint(address, home, &mut db) {
            tracing::debug!(error = %error, "store.checkpoint failed");
            db = None;
        }
    }
}

/// Waits, whatever is written meanwhile; false when nothing more can be.
fn pause(written: &Receiver<()>) -> bool {
    let until = Instant::now() + PAUSE;
    loop {
        match written.recv_timeout(until.saturating_duration_since(Instant::now())) {
            Ok(()) => {}
            Err(RecvTimeoutError::Timeout) => return true,
            Err(RecvTimeoutError::Disconnected) => return false,
        }
    }
}

fn checkpoint(address: &Address, home: &Home, kept: &mut Option<Db>) -> Result<(), Error> {
    home.check()?;
    let db = match kept {
        Some(db) => db,
        None => kept.insert(address.reconnect(Purpose::Write)?),
    };
    if let Db::Sqlite(connection) = db {
        // It waits for nobody, and nobody for it.
        connection.batch_execute("PRAGMA wal_checkpoint(PASSIVE)")?;
    }
    Ok(())
}
