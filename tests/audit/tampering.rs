//! By direct SQL on a stopped server: each change is found and named.

use std::sync::Arc;

use muster::domain::log::head::Head;
use muster::id::{RandomIds, TenantId};
use muster::service::verify::Finding;
use muster::store::audit::page;
use muster::store::{Keyring, Store};

use crate::support::database::Connection;
use crate::support::{App, Database, Engine};
use crate::{signed, users, verified};

/// Events in each log.
const EVENTS: usize = 12;
/// The position that is spoiled.
const PLACE: u64 = 4;

/// A log whose heads were retained, the first of half of it, and whose database takes any statement.
struct Spoiled {
    database: Database,
    heads: Vec<Head>,
    /// The id of the event at each position, in hexadecimal.
    ids: Vec<String>,
}

impl Spoiled {
    fn new(engine: Engine) -> Self {
        let app = App::start(engine);
        let heads = actix_web::rt::System::new().block_on(async {
            let hris = app.client("hris").await;
            users(&hris, "ann", EVENTS / 2).await;
            let half = signed(&app).await;
            users(&hris, "bob", EVENTS / 2).await;
            vec![half, signed(&app).await]
        });
        let database = app.leave();
        let mut connection = database.connect();
        unlock(&mut connection);
        let hex = match engine {
            Engine::Sqlite => "lower(hex(event))",
            Engine::Postgres => "encode(event, 'hex')",
        };
        let ids = connection.texts(&format!(
            "SELECT {hex} AS t FROM log_leaf ORDER BY position"
        ));
        assert_eq!(ids.len(), EVENTS);
        let whole = verified(&database, &heads);
        assert_eq!(whole.findings, []);
        assert_eq!((whole.size, whole.waiting), (EVENTS as u64, 0));
        assert!(whole.heads >= 4, "{whole:?}");
        Self {
            database,
            heads,
            ids,
        }
    }

    fn run(&self, sql: &str) {
        self.database.connect().run(sql);
    }

    /// What is found, most of all the first.
    fn found(&self) -> Vec<Finding> {
        let findings = verified(&self.database, &self.heads).findings;
        assert!(!findings.is_empty(), "nothing was found");
        findings
    }

    /// The first finding must be of this position and event.
    fn names(&self, place: u64) {
        let found = self.found();
        let first = &found[0];
        assert_eq!(first.position, Some(place), "{found:?}");
        let event = first.event.expect("an event").0.simple().to_string();
        assert_eq!(
            event,
            self.ids[usize::try_from(place).unwrap()],
            "{found:?}"
        );
    }

    fn forget(self) {
        self.database.forget();
    }

    fn bytes(&self, hex: &str) -> String {
        match self.database.engine() {
            Engine::Sqlite => format!("x'{hex}'"),
            Engine::Postgres => format!("'\\x{hex}'::bytea"),
        }
    }

    /// Gives the leaf at a position the hash that its event has now.
    fn rehash(&self, place: u64) {
        let keys = Keyring::new(self.database.keys(), Arc::new(RandomIds));
        let store = Store::open(self.database.url(), 2, keys).unwrap();
        let leaf = store.read_blocking(|tx| page(tx, TenantId(1), place, 1));
        let hash = leaf.unwrap()[0].row.as_ref().unwrap().entry().hash();
        store.close();
        let hex: Vec<String> = hash.iter().map(|byte| format!("{byte:02x}")).collect();
        let hash = self.bytes(&hex.concat());
        self.run(&format!(
            "UPDATE log_leaf SET hash = {hash} WHERE position = {place}"
        ));
    }
}

/// What an intruder with the rights of the tables' owner does first.
pub(super) fn unlock(connection: &mut Connection) {
    match connection {
        Connection::Sqlite(_) => {
            let names = connection.texts(
                "SELECT name AS t FROM sqlite_master WHERE type = 'trigger' AND tbl_name IN ('event', 'log_leaf', 'log_head')",
            );
            assert_eq!(names.len(), 6, "{names:?}");
            for name in names {
                connection.run(&format!("DROP TRIGGER {name}"));
            }
        }
        Connection::Postgres(_) => {
            for table in ["event", "log_leaf", "log_head"] {
                connection.run(&format!("ALTER TABLE {table} DISABLE TRIGGER USER"));
            }
        }
    }
}

const SEQ: &str = "(SELECT seq FROM log_leaf WHERE position = 4)";

/// Runs one way of spoiling on both databases.
macro_rules! spoils {
    ($($case:ident),* $(,)?) => {
        $(mod $case {
            use super::{Engine, Spoiled};

            #[test]
            fn sqlite() {
                let log = Spoiled::new(Engine::Sqlite);
                super::$case(&log);
                log.forget();
            }

            #[test]
            fn postgres() {
                let log = Spoiled::new(Engine::Postgres);
                super::$case(&log);
                log.forget();
            }
        })*
    };
}

spoils!(
    a_changed_event,
    every_changed_column,
    a_changed_event_with_its_hash,
    a_removed_event,
    a_removed_event_with_its_leaf,
    a_removed_event_whose_place_was_closed,
    two_events_that_changed_places,
    an_event_inserted_between_others,
    an_event_inserted_behind_the_horizon,
    a_log_that_was_cut_off,
    a_log_that_was_cut_off_with_its_heads,
    a_changed_head,
    a_changed_frontier,
);

fn a_changed_event(log: &Spoiled) {
    log.run(&format!(
        "UPDATE event SET client = 'nobody' WHERE seq = {SEQ}"
    ));
    log.names(PLACE);
}

fn every_changed_column(log: &Spoiled) {
    log.run("INSERT INTO tenant (id, name) VALUES (2, 'other')");
    let other = log.bytes("00000000000040008000000000000001");
    let changes = [
        ("type", "'person.deleted'"),
        ("resource_type", "'Group'"),
        ("resource", &other),
        ("version", "77"),
        ("recorded", "recorded + 1"),
        ("client", "'crm'"),
        ("correlation", "'another'"),
        ("format", "format + 1"),
        ("key_id", "'k'"),
        ("body", &log.bytes("7b7d")),
        ("purpose", "'another'"),
        ("attributes", "' another '"),
        ("person", &other),
        ("application", &other),
        ("tenant", "2"),
        ("seq", "-seq"),
        ("id", &other),
    ];
    for (column, value) in changes {
        log.run("CREATE TABLE kept AS SELECT * FROM event");
        log.run(&format!(
            "UPDATE event SET {column} = {value} WHERE seq = {SEQ}"
        ));
        log.names(PLACE);
        log.run(&format!(
            "UPDATE event SET {column} = (SELECT k.{column} FROM kept k WHERE k.seq = abs(event.seq)) \
             WHERE abs(seq) = {SEQ}"
        ));
        log.run("DROP TABLE kept");
        assert_eq!(verified(&log.database, &log.heads).findings, [], "{column}");
    }
}

/// Which one it was only its hash could tell. It is among those since the last head that holds.
fn a_changed_event_with_its_hash(log: &Spoiled) {
    log.run(&format!(
        "UPDATE event SET client = 'nobody' WHERE seq = {SEQ}"
    ));
    log.rehash(PLACE);
    let found = log.found();
    let place = found[0].position.expect("a position");
    assert!(place <= PLACE, "{found:?}");
    assert!(found[0].what.contains("was changed"), "{found:?}");
    // The second half was sealed after the first: what is wrong there is found there.
    let late = PLACE + EVENTS as u64 / 2;
    let log = Spoiled::new(log.database.engine());
    log.run(&format!(
        "UPDATE event SET client = 'nobody' WHERE seq = (SELECT seq FROM log_leaf WHERE position = {late})"
    ));
    log.rehash(late);
    let found = log.found();
    let place = found[0].position.expect("a position");
    assert!((EVENTS as u64 / 2..=late).contains(&place), "{found:?}");
    log.forget();
}

fn a_removed_event(log: &Spoiled) {
    log.run(&format!("DELETE FROM event WHERE seq = {SEQ}"));
    log.names(PLACE);
    assert!(log.found()[0].what.contains("removed"));
}

fn a_removed_event_with_its_leaf(log: &Spoiled) {
    log.run(&format!("DELETE FROM event WHERE seq = {SEQ}"));
    log.run("DELETE FROM log_leaf WHERE position = 4");
    let found = log.found();
    assert_eq!(found[0].position, Some(PLACE), "{found:?}");
    assert!(found[0].what.contains("missing"), "{found:?}");
}

fn a_removed_event_whose_place_was_closed(log: &Spoiled) {
    log.run(&format!("DELETE FROM event WHERE seq = {SEQ}"));
    log.run("DELETE FROM log_leaf WHERE position = 4");
    for place in 5..EVENTS {
        log.run(&format!(
            "UPDATE log_leaf SET position = position - 1 WHERE position = {place}"
        ));
    }
    let found = log.found();
    assert!(found[0].position <= Some(PLACE), "{found:?}");
    assert!(
        found.iter().any(|f| f.what.contains("removed")),
        "{found:?}"
    );
}

fn two_events_that_changed_places(log: &Spoiled) {
    for (from, to) in [(PLACE - 1, 900), (PLACE, PLACE - 1), (900, PLACE)] {
        log.run(&format!(
            "UPDATE log_leaf SET position = {to} WHERE position = {from}"
        ));
    }
    // The later one stands first now: what follows it was written before it.
    let found = log.found();
    assert_eq!(found[0].position, Some(PLACE), "{found:?}");
    let event = found[0].event.expect("an event").0.simple().to_string();
    assert_eq!(event, log.ids[3], "{found:?}");
}

fn forged(log: &Spoiled, seq: i64) -> String {
    let id = log.bytes("00000000000040008000000000000002");
    format!(
        "INSERT INTO event (seq, id, tenant, type, resource_type, resource, version, recorded, client, correlation, format, \
         key_id, body) SELECT {seq}, {id}, tenant, type, resource_type, resource, NULL, recorded, client, correlation, \
         format, key_id, body FROM event WHERE seq = {SEQ}"
    )
}

fn an_event_inserted_between_others(log: &Spoiled) {
    log.run(&forged(log, -1));
    for place in (4..EVENTS).rev() {
        log.run(&format!(
            "UPDATE log_leaf SET position = position + 1 WHERE position = {place}"
        ));
    }
    log.run(
        "INSERT INTO log_leaf (tenant, position, seq, event, hash) \
         SELECT tenant, 4, -1, (SELECT id FROM event WHERE seq = -1), hash FROM log_leaf WHERE position = 5",
    );
    let found = log.found();
    assert_eq!(found[0].position, Some(PLACE), "{found:?}");
    log.rehash(PLACE);
    let found = log.found();
    assert_eq!(found[0].position, Some(PLACE), "{found:?}");
    assert!(found[0].what.contains("inserted"), "{found:?}");
}

fn an_event_inserted_behind_the_horizon(log: &Spoiled) {
    log.run(&forged(log, -1));
    let found = log.found();
    let id = found[0].event.expect("an event").0.simple().to_string();
    assert_eq!(id, "00000000000040008000000000000002", "{found:?}");
    assert!(found[0].what.contains("no leaf"), "{found:?}");
}

/// Everything of the last four events is removed, as if they had never been.
fn cut(log: &Spoiled) {
    log.run("DELETE FROM event WHERE seq IN (SELECT seq FROM log_leaf WHERE position >= 8)");
    log.run("DELETE FROM log_leaf WHERE position >= 8");
}

fn is_cut(log: &Spoiled) {
    let found = log.found();
    let cut = found.iter().find(|f| f.what.contains("cut off"));
    assert_eq!(cut.expect("a cut").position, Some(8), "{found:?}");
}

fn a_log_that_was_cut_off(log: &Spoiled) {
    cut(log);
    is_cut(log);
}

/// Then only what was kept elsewhere can tell.
fn a_log_that_was_cut_off_with_its_heads(log: &Spoiled) {
    cut(log);
    log.run("DELETE FROM log_head WHERE size > 8");
    // The frontier of eight leaves is one hash, and a frontier of none is no mistake.
    log.run("DELETE FROM log_tree");
    is_cut(log);
    assert_eq!(verified(&log.database, &[]).findings, []);
}

fn a_changed_head(log: &Spoiled) {
    log.run("UPDATE log_head SET at = at + 1 WHERE size = 12");
    let found = log.found();
    assert!(found[0].what.contains("wrong signature"), "{found:?}");
}

fn a_changed_frontier(log: &Spoiled) {
    let other = log.bytes(&"00".repeat(64));
    log.run(&format!("UPDATE log_tree SET peaks = {other}"));
    let found = log.found();
    assert!(found[0].what.contains("frontier"), "{found:?}");
}
