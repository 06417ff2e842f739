//! A transaction as a value: nothing touches the database outside one.

use std::collections::{BTreeMap, HashMap};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use super::counter::Counted;
use super::db::{Db, Dialect};
use super::error::Error;
use super::gathered::Gathered;
use super::key::Keyring;
use super::newcomers;

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
    db: &'a mut Db,
    paths: &'a Paths,
    learned: Vec<(PathKey, i32)>,
    /// By how much the numbers of records have changed here. They are written last, in one order, so that a counter's row
    /// is held for the commit alone.
    pub(super) counted: BTreeMap<Counted, i64>,
    /// What it shares with others whose transaction this is too.
    pub(super) gathered: Gathered,
    lost: bool,
    /// Whether anything but records that wait was done since the last [`Mark`], and whether a statement has failed.
    touched: bool,
    failed: bool,
    /// Why the database cannot answer, where it has said so.
    away: Option<Error>,
}

/// Where a use case began in a transaction that it shares.
pub(super) struct Mark {
    waiting: usize,
    counted: BTreeMap<Counted, i64>,
}

impl<'a> Tx<'a> {
    pub(super) fn new(db: &'a mut Db, paths: &'a Paths) -> Self {
        Self {
            db,
            paths,
            learned: Vec::new(),
            counted: BTreeMap::new(),
            gathered: Gathered::default(),
            lost: false,
            touched: false,
            failed: false,
            away: None,
        }
    }

    /// The database, for anything at all: what waits is written first.
    pub(super) fn db(&mut self) -> &mut Db {
        self.looking();
        self.gathered.forget();
        self.touched = true;
        self.db
    }

    /// The same for who only reads records.
    pub(super) fn looking(&mut self) -> &mut Db {
        if self.write_waiting().is_err() {
            self.lost = true;
        }
        self.db
    }

    /// The same for what has nothing to do with records that wait, nor with whether the use case succeeds.
    pub(super) fn beside(&mut self) -> &mut Db {
        self.db
    }

    /// Writes the records that wait.
    pub(super) fn write_waiting(&mut self) -> Result<(), Error> {
        let waiting = std::mem::take(&mut self.gathered.waiting);
        match &mut *self.db {
            Db::Postgres(connection) if !waiting.is_empty() => {
                newcomers::insert(connection, &waiting).map_err(|error| self.explain(error))
            }
            _ => Ok(()),
        }
    }

    /// From here on another use case is run.
    pub(super) fn mark(&mut self) -> Mark {
        self.touched = false;
        Mark {
            waiting: self.gathered.waiting.len(),
            counted: self.counted.clone(),
        }
    }

    /// Undoes what was done since `mark`, if that was nothing but to look and to make records that still wait; whether it was.
    pub(super) fn undo(&mut self, mark: Mark) -> bool {
        let is_undone = !self.touched && !self.failed && !self.lost;
        if is_undone {
            self.gathered.waiting.truncate(mark.waiting);
            self.counted = mark.counted;
        }
        is_undone
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
        self.failed = true;
        match Error::from(error) {
            Error::Lost => self.lose(),
            other => {
                self.away = other.of_passing();
                other
            }
        }
    }

    pub(super) fn is_lost(&self) -> bool {
        self.lost
    }

    /// Why the database cannot answer now, if it has said so.
    pub(super) fn away(&mut self) -> Option<Error> {
        self.away.take()
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
            self.db().run("SAVEPOINT part")?;
            let (learned, counted) = (self.learned.len(), self.counted.clone());
            let done = catch_unwind(AssertUnwindSafe(|| work(self))).unwrap_or_else(|_| {
                Err(Error::Fault("a part of a use case panicked".into()).into())
            });
            let failed = match done {
                Ok(done) if !self.lost => {
                    self.db().run("RELEASE SAVEPOINT part")?;
                    return Ok(Ok(done));
                }
                // Whoever lost and went on all the same has seen what no longer holds.
                Ok(_) => Error::Lost.into(),
                Err(error) => error,
            };
            // What waited before has been written; what waits now is of the part.
            self.gathered.waiting.clear();
            let undone = self.db().run("ROLLBACK TO SAVEPOINT part");
            if undone
                .and_then(|()| self.db().run("RELEASE SAVEPOINT part"))
                .is_err()
            {
                // The transaction is gone, as on a full disk: why is told by what failed first.
                return Err(failed);
            }
            self.learned.truncate(learned);
            self.counted = counted;
            self.failed = false;
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
