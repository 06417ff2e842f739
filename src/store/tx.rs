//! A transaction as a value: nothing touches the database outside one.

use std::collections::{BTreeMap, HashMap};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use super::counter::Counted;
use super::db::{Db, Dialect};
use super::error::Error;
use super::key::Keyring;

/// Interned attribute paths: tenant, kind of record, name.
pub(super) type PathKey = (i32, i16, String);

/// What this process knows of the database: the interned paths, of which only what is committed gets in, and its keys.
#[derive(Clone)]
pub(super) struct Paths {
    known: Arc<RwLock<HashMap<PathKey, i32>>>,
    keys: Keyring,
}

impl Paths {
    /// Nothing is known yet but the keys.
    pub(super) fn new(keys: Keyring) -> Self {
        Self {
            known: Arc::default(),
            keys,
        }
    }

    /// The keys of this process.
    pub(super) fn keys(&self) -> &Keyring {
        &self.keys
    }
}

/// How often a part that loses races is run before its whole use case is run again: what the parts before it hold may be
/// what the other waits for.
const PART_ATTEMPTS: u32 = 2;

/// An open transaction.
pub struct Tx<'a> {
    pub(super) db: &'a mut Db,
    paths: &'a Paths,
    learned: Vec<(PathKey, i32)>,
    /// By how much the numbers of records have changed here. They are written last, in one order, so that a counter's row
    /// is held for the commit alone.
    pub(super) counted: BTreeMap<Counted, i64>,
    lost: bool,
}

impl<'a> Tx<'a> {
    pub(super) fn new(db: &'a mut Db, paths: &'a Paths) -> Self {
        Self {
            db,
            paths,
            learned: Vec::new(),
            counted: BTreeMap::new(),
            lost: false,
        }
    }

    /// Whose SQL is spoken here.
    #[must_use]
    pub fn dialect(&self) -> Dialect {
        self.db.dialect()
    }

    /// Notes that another writer was faster, so that the use case is run again from its start.
    pub(super) fn lose(&mut self) -> Error {
        self.lost = true;
        Error::Lost
    }

    /// Gives an error of diesel its meaning, and remembers a lost race.
    pub(super) fn explain(&mut self, error: diesel::result::Error) -> Error {
        match Error::from(error) {
            Error::Lost => self.lose(),
            other => other,
        }
    }

    pub(super) fn is_lost(&self) -> bool {
        self.lost
    }

    /// Runs `work` in a savepoint: what it did is kept if it succeeds and undone if it fails or panics, and the transaction goes
    /// on. Where another writer was faster it is run again, a few times, and then the whole use case is.
    ///
    /// # Errors
    /// The outer error is one of the transaction itself, which is then of no more use.
    pub fn savepoint<T, E: From<Error>>(
        &mut self,
        work: impl Fn(&mut Self) -> Result<T, E>,
    ) -> Result<Result<T, E>, E> {
        for attempt in 1.. {
            self.db.run("SAVEPOINT part")?;
            let (learned, counted) = (self.learned.len(), self.counted.clone());
            let done = catch_unwind(AssertUnwindSafe(|| work(self))).unwrap_or_else(|_| {
                Err(Error::Fault("a part of a use case panicked".into()).into())
            });
            let failed = match done {
                Ok(done) if !self.lost => {
                    self.db.run("RELEASE SAVEPOINT part")?;
                    return Ok(Ok(done));
                }
                // Whoever lost and went on all the same has seen what no longer holds.
                Ok(_) => Error::Lost.into(),
                Err(error) => error,
            };
            let undone = self.db.run("ROLLBACK TO SAVEPOINT part");
            if undone
                .and_then(|()| self.db.run("RELEASE SAVEPOINT part"))
                .is_err()
            {
                // The transaction is gone, as on a full disk: why is told by what failed first.
                return Err(failed);
            }
            self.learned.truncate(learned);
            self.counted = counted;
            if !self.lost {
                return Ok(Err(failed));
            }
            if attempt == PART_ATTEMPTS {
                return Err(failed);
            }
            self.lost = false;
        }
        Err(Error::Lost.into())
    }

    /// What `work` would come to: it is run in a savepoint as by [`Tx::savepoint`], and undone whatever comes of it.
    pub fn rehearse<T, E: From<Error>>(
        &mut self,
        work: impl Fn(&mut Self) -> Result<T, E>,
    ) -> Result<Result<T, E>, E> {
        let found = Mutex::new(None);
        let undone = self.savepoint(|tx| {
            let (done, failed) = match work(tx) {
                Ok(done) => (Some(done), Error::Fault("nothing is kept".into()).into()),
                Err(error) => (None, error),
            };
            *found.lock().unwrap_or_else(PoisonError::into_inner) = done;
            Err::<T, E>(failed)
        })?;
        let found = found.into_inner().unwrap_or_else(PoisonError::into_inner);
        Ok(found.map_or(undone, Ok))
    }

    /// The keys of this process.
    pub(super) fn keys(&self) -> &'a Keyring {
        &self.paths.keys
    }

    pub(super) fn known_path(&self, key: &PathKey) -> Option<i32> {
        if let Some((_, id)) = self.learned.iter().find(|(learned, _)| learned == key) {
            return Some(*id);
        }
        self.paths
            .known
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .get(key)
            .copied()
    }

    pub(super) fn learn_path(&mut self, key: PathKey, id: i32) {
        self.learned.push((key, id));
    }

    /// What was learned here, to be published after the commit.
    pub(super) fn into_learned(self) -> Vec<(PathKey, i32)> {
        self.learned
    }
}

/// Makes what a committed transaction learned known to all.
pub(super) fn publish(paths: &Paths, learned: Vec<(PathKey, i32)>) {
    if !learned.is_empty() {
        paths
            .known
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .extend(learned);
    }
}
