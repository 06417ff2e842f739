//! What the writer answers when a write, or the whole transaction, goes wrong.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

use tokio::sync::oneshot;

use super::Writer;
use crate::domain::sealing::Key;
use crate::id::SeededIds;
use crate::store::Keyring;
use crate::store::db::{Address, Purpose};
use crate::store::home::Home;
use crate::store::tx::{Paths, Tx};
use crate::store::use_case::{Job, UseCase};
use crate::store::{Error, migration, tenant};

/// A database of its own with a writer.
struct House {
    folder: PathBuf,
    address: Address,
    writer: Writer,
}

fn paths() -> Paths {
    let keys = vec![Key::new([7; 32])];
    Paths::new(Keyring::new(keys, Arc::new(SeededIds::new(1))))
}

impl House {
    fn open(name: &str) -> Self {
        let folder =
            std::env::temp_dir().join(format!("muster-writer-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let path = folder.join("muster.db");
        let address = Address::parse(&format!("sqlite:{}", path.display())).unwrap();
        migration::apply(&address).unwrap();
        let home = Home::of(&address).unwrap();
        let writer = Writer::start(&address, home, paths()).unwrap();
        Self {
            folder,
            address,
            writer,
        }
    }

    fn submit(
        &self,
        work: impl Fn(&mut Tx<'_>) -> Result<(), Error> + Send + 'static,
    ) -> oneshot::Receiver<Result<(), Error>> {
        let (job, answer) = UseCase::new(work);
        self.writer.submit(Box::new(job) as Box<dyn Job>);
        answer
    }

    /// Submits a tenant of that name.
    fn tenant(&self, name: &str) -> oneshot::Receiver<Result<(), Error>> {
        let name = name.to_owned();
        self.submit(move |tx| tenant::claim(tx, &name).map(drop))
    }

    /// Keeps the writer busy until the sender is gone, so that what is submitted meanwhile shares one transaction with it.
    fn hold(&self) -> Sender<()> {
        let (go, wait): (Sender<()>, Receiver<()>) = channel();
        let wait = std::sync::Mutex::new(wait);
        drop(self.submit(move |_| {
            drop(
                wait.lock()
                    .map(|wait| wait.recv_timeout(Duration::from_millis(2))),
            );
            Ok(())
        }));
        go
    }

    fn tenants(&self) -> i64 {
        let mut db = self.address.connect(Purpose::Read).unwrap();
        tenant::count(&mut Tx::new(&mut db, &paths())).unwrap()
    }
}

impl Drop for House {
    fn drop(&mut self) {
        self.writer.close();
        drop(std::fs::remove_dir_all(&self.folder));
    }
}

#[test]
fn a_write_that_panics_takes_nobody_with_it() {
    let house = House::open("panic");
    let go = house.hold();
    let before = house.tenant("before");
    let panics = house.submit(|tx| {
        tenant::claim(tx, "lost")?;
        panic!("on purpose")
    });
    let after = house.tenant("after");
    drop(go);
    assert!(before.blocking_recv().unwrap().is_ok());
    assert!(matches!(
        panics.blocking_recv().unwrap(),
        Err(Error::Fault(_))
    ));
    assert!(after.blocking_recv().unwrap().is_ok());
    assert_eq!(house.tenants(), 2);
}

/// How often a write ran that shared its transaction with one that failed.
fn runs_beside(name: &str, fails: fn(&mut Tx<'_>) -> Result<(), Error>) -> usize {
    let house = House::open(name);
    let go = house.hold();
    let runs = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&runs);
    let before = house.submit(move |tx| {
        counter.fetch_add(1, Ordering::Relaxed);
        tenant::claim(tx, "before").map(drop)
    });
    let failed = house.submit(fails);
    let after = house.tenant("after");
    drop(go);
    assert!(before.blocking_recv().unwrap().is_ok());
    assert!(failed.blocking_recv().unwrap().is_err());
    assert!(after.blocking_recv().unwrap().is_ok());
    assert_eq!(house.tenants(), 2);
    runs.load(Ordering::Relaxed)
}

#[test]
fn a_write_that_fails_before_it_changes_anything_has_nobody_run_again() {
    let refused = |_: &mut Tx<'_>| Err(Error::Fault("refused".into()));
    assert_eq!(runs_beside("refused", refused), 1);
}

#[test]
fn a_write_that_fails_halfway_is_undone_and_the_others_run_again() {
    let halfway = |tx: &mut Tx<'_>| {
        tenant::claim(tx, "lost")?;
        Err(Error::Fault("on purpose".into()))
    };
    assert_eq!(runs_beside("halfway", halfway), 2);
}

#[test]
fn nobody_is_told_of_success_after_the_database_has_rolled_the_group_back() {
    let house = House::open("rollback");
    let go = house.hold();
    let mut answers = vec![house.tenant("before")];
    answers.push(house.submit(|tx| {
        // As SQLite does of itself on a full disk.
        tx.db().run("ROLLBACK")
    }));
    answers.push(house.tenant("after"));
    drop(go);
    let kept = answers
        .into_iter()
        .flat_map(|answer| answer.blocking_recv().unwrap())
        .count();
    assert_eq!(house.tenants(), i64::try_from(kept).unwrap());
    assert!(house.tenant("later").blocking_recv().unwrap().is_ok());
}

#[test]
fn all_that_wait_for_a_locked_database_are_told_at_once() {
    let house = House::open("locked");
    let mut other = house.address.connect(Purpose::Write).unwrap();
    other.run("BEGIN IMMEDIATE").unwrap();
    let started = std::time::Instant::now();
    let answers: Vec<_> = (0..20).map(|n| house.tenant(&format!("t{n}"))).collect();
    for answer in answers {
        assert!(matches!(
            answer.blocking_recv().unwrap(),
            Err(Error::Unavailable(_))
        ));
    }
    assert!(started.elapsed() < Duration::from_secs(8));
    other.run("ROLLBACK").unwrap();
    assert!(house.tenant("free").blocking_recv().unwrap().is_ok());
}

#[test]
fn a_full_disk_is_told_and_forgotten() {
    let house = House::open("full");
    // This connection may not let the file grow; the next one may again, as after somebody has made room.
    let full = house.submit(|tx| {
        tx.db().run("PRAGMA max_page_count = 1")?;
        (0..100).try_for_each(|n| tenant::claim(tx, &"x".repeat(9000 + n)).map(drop))
    });
    assert!(matches!(
        full.blocking_recv().unwrap(),
        Err(Error::Unavailable(_))
    ));
    assert_eq!(house.tenants(), 0);
    drop(house.tenant("small").blocking_recv());
    let long = "y".repeat(100_000);
    let mut answers = (0..3).map(|_| house.tenant(&long).blocking_recv().unwrap());
    assert!(answers.any(|answer| answer.is_ok()));
}

#[test]
fn a_broken_connection_is_opened_again() {
    let house = House::open("broken");
    let broken = house.submit(|tx| tx.db().run("RELEASE write"));
    assert!(broken.blocking_recv().unwrap().is_err());
    assert!(house.tenant("next").blocking_recv().unwrap().is_ok());
}

#[cfg(unix)]
#[test]
fn nobody_is_told_of_success_when_the_file_has_been_taken_away() {
    let house = House::open("taken");
    let file = house.folder.join("muster.db");
    let aside = house.folder.join("aside.db");
    assert!(house.tenant("one").blocking_recv().unwrap().is_ok());
    std::fs::rename(&file, &aside).unwrap();
    for _ in 0..2 {
        assert!(matches!(
            house.tenant("lost").blocking_recv().unwrap(),
            Err(Error::Unavailable(_))
        ));
    }
    assert!(!file.exists());
    std::fs::write(&file, "another").unwrap();
    assert!(house.tenant("lost").blocking_recv().unwrap().is_err());
    std::fs::rename(&aside, &file).unwrap();
    assert!(house.tenant("two").blocking_recv().unwrap().is_ok());
    assert_eq!(house.tenants(), 2);
}

#[test]
fn what_nobody_waits_for_any_more_is_not_done() {
    let house = House::open("gone");
    let go = house.hold();
    drop(house.tenant("hung up"));
    let waits = house.tenant("waits");
    drop(go);
    assert!(waits.blocking_recv().unwrap().is_ok());
    assert_eq!(house.tenants(), 1);
}

#[test]
fn what_was_written_reaches_the_file_while_the_writer_rests() {
    let house = House::open("rests");
    let name = "Harpsichord Makers' Guild";
    assert!(house.tenant(name).blocking_recv().unwrap().is_ok());
    let is_there = || {
        let file = std::fs::read(house.folder.join("muster.db")).unwrap();
        file.windows(name.len()).any(|part| part == name.as_bytes())
    };
    let until = std::time::Instant::now() + Duration::from_secs(20);
    while !is_there() {
        assert!(std::time::Instant::now() < until, "it is in the log alone");
        std::thread::sleep(Duration::from_millis(50));
    }
}
