//! The real application in process, on a free port, with a database of its own for each test. When a test ends, what
//! must hold of every database is checked on its database.
//!
//! | file | what it does |
//! |---|---|
//! | `database` | a fresh, migrated database in no time, on either engine |
//! | `client` | a client of the embedded issuer, with a token; answers and what holds of each |
//! | `policy` | applying a policy |
//! | `invariants` | what holds of every database after whatever has happened to it |
//! | `statements` | how many statements a database was sent |
//! | `sign_in` | a session of the embedded issuer, as a browser gets it |
//! | `process` | the built binary as a process of its own |

#![allow(
    dead_code,
    unused_imports,
    unused_macros,
    reason = "each suite uses its own part"
)]

pub(crate) mod client;
pub(crate) mod database;
pub(crate) mod invariants;
pub(crate) mod policy;
pub(crate) mod process;
pub(crate) mod sign_in;
pub(crate) mod statements;

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use muster::cli::serve::{Running, Serve, start};
use muster::clock::{Clock, SystemClock};
use muster::config::Config;
use muster::id::{RandomIds, SeededIds};
use muster::issuer::Issuer;
use muster::secret::Secret;
use serde_json::{Value, json};

pub(crate) use client::{Answer, Client};
pub(crate) use database::{Database, Engine};

/// The longest that a test waits for what another thread or process is to do. What the product promises is a constant of its
/// own there; a machine that is busy with other tests keeps no promise.
pub(crate) const PATIENCE: Duration = Duration::from_mins(1);

/// The core User schema.
pub(crate) const USER: &str = "urn:ietf:params:scim:schemas:core:2.0:User";
/// The core Group schema.
pub(crate) const GROUP: &str = "urn:ietf:params:scim:schemas:core:2.0:Group";
/// The schema of memberships one by one.
pub(crate) const MEMBERSHIP: &str = "urn:ietf:params:scim:schemas:core:2.0:GroupMembership";
/// The enterprise extension.
pub(crate) const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
/// Our Person.
pub(crate) const PERSON: &str = "urn:muster:scim:schemas:core:1.0:Person";
/// A person who may be hired.
pub(crate) const CANDIDATE: &str = "urn:muster:scim:schemas:extension:1.0:Candidate";
/// A person who works.
pub(crate) const EMPLOYEE: &str = "urn:muster:scim:schemas:extension:1.0:Employee";
/// A person who buys.
pub(crate) const CUSTOMER: &str = "urn:muster:scim:schemas:extension:1.0:Customer";
/// What a person allows.
pub(crate) const CONSENT: &str = "urn:muster:scim:schemas:extension:1.0:Consent";
/// Where a record comes from.
pub(crate) const PROVENANCE: &str = "urn:muster:scim:schemas:extension:1.0:Provenance";
/// Names the record that an account is for.
pub(crate) const IDENTITY: &str = "urn:muster:scim:schemas:extension:1.0:Identity";
/// The body of a PATCH.
pub(crate) const PATCH_OP: &str = "urn:ietf:params:scim:api:messages:2.0:PatchOp";
/// The body of a search.
pub(crate) const SEARCH: &str = "urn:ietf:params:scim:api:messages:2.0:SearchRequest";

/// When the tests' clock starts: 2031-03-01T12:00:00Z.
const NOON: i64 = 1_930_132_800_000;

/// A clock that a test can move, and that moves on by a millisecond whenever it is read: no two writes are of the same
/// instant, and every run sees the same instants.
#[derive(Debug)]
pub(crate) struct TickingClock(AtomicI64);

impl TickingClock {
    fn new() -> Self {
        Self(AtomicI64::new(NOON))
    }

    /// Moves the clock forward.
    pub(crate) fn advance(&self, by: TimeDelta) {
        self.0.fetch_add(by.num_milliseconds(), Ordering::SeqCst);
    }
}

impl Clock for TickingClock {
    fn now(&self) -> DateTime<Utc> {
        let millis = self.0.fetch_add(1, Ordering::SeqCst);
        DateTime::from_timestamp_millis(millis).expect("a time within chrono's years")
    }
}

/// A running application and its database.
pub(crate) struct App {
    /// Its clock.
    pub(crate) clock: Arc<TickingClock>,
    running: Option<Running>,
    http: reqwest::Client,
    tokens: RefCell<BTreeMap<String, String>>,
    /// Its database.
    pub(crate) database: Database,
}

impl App {
    /// Starts on a fresh database.
    pub(crate) fn start(engine: Engine) -> Self {
        Self::start_with(engine, |_, _| {})
    }

    /// The same with a configuration of one's own, and the folder beside the database.
    pub(crate) fn start_with(engine: Engine, configure: impl FnOnce(&mut Config, &Path)) -> Self {
        let database = Database::fresh(engine);
        keep_issuer_key(database.folder());
        let mut serve = Serve::dev(database.folder().to_owned());
        configure(&mut serve.config, database.folder());
        serve.config.server.database_url = Some(Secret::new(database.url()));
        let clock = Arc::new(TickingClock::new());
        let running = start(
            serve,
            clock.clone(),
            Arc::new(SeededIds::new(0x5eed_cafe_beef_f00d)),
        )
        .expect("the application starts");
        Self {
            clock,
            running: Some(running),
            http: client::http(),
            tokens: RefCell::default(),
            database,
        }
    }

    /// Where it listens, as a URL without a path.
    pub(crate) fn origin(&self) -> String {
        format!("http://{}", self.running().address)
    }

    /// The base of every SCIM location.
    pub(crate) fn scim(&self) -> String {
        format!("{}/scim/v2", self.origin())
    }

    /// The use cases, for what would take too long over HTTP.
    pub(crate) fn service(&self) -> &muster::service::Muster {
        self.running().service()
    }

    fn running(&self) -> &Running {
        self.running
            .as_ref()
            .expect("the application runs until the test's end")
    }

    /// One of the dev issuer's clients, with a token of its own.
    pub(crate) async fn client(&self, name: &str) -> Client {
        let token = self.token(name).await;
        Client::new(self.http.clone(), self.scim(), Some(token))
    }

    /// The token of one of the dev issuer's clients.
    pub(crate) async fn token(&self, name: &str) -> String {
        let known = self.tokens.borrow().get(name).cloned();
        let token = match known {
            Some(token) => token,
            None => client::token(&self.http, &self.origin(), name).await,
        };
        self.tokens
            .borrow_mut()
            .insert(name.to_owned(), token.clone());
        token
    }

    /// Forgets the tokens, which a clock that was moved may have ended.
    pub(crate) fn forget_tokens(&self) {
        self.tokens.borrow_mut().clear();
    }

    /// One of the dev issuer's clients, with a token of somebody's account.
    pub(crate) async fn client_as(&self, name: &str, user_name: &str) -> Client {
        let token = client::token_as(&self.http, &self.origin(), name, Some(user_name)).await;
        Client::new(self.http.clone(), self.scim(), Some(token))
    }

    /// Somebody without a token.
    pub(crate) fn stranger(&self) -> Client {
        Client::new(self.http.clone(), self.scim(), None)
    }

    /// How many events the log has, without refusals.
    pub(crate) fn event_count(&self) -> i64 {
        self.database
            .connect()
            .number("SELECT count(*) AS n FROM event WHERE type NOT LIKE 'request.refused.%' AND type <> 'write.refused'")
    }

    /// The events about one resource, oldest first.
    pub(crate) fn events_of(&self, id: &str) -> Vec<Value> {
        let events = self
            .running()
            .service()
            .events(0, 10_000)
            .expect("the log can be read");
        events
            .into_iter()
            .map(|(_, event)| event)
            .filter(|event| event["resourceId"] == id)
            .collect()
    }

    /// Stops, and leaves the database to a test that spoils it.
    pub(crate) fn leave(mut self) -> Database {
        let running = self.running.take().expect("it runs");
        running.stop().expect("it stops in good order");
        self.database
    }

    /// Stops, and checks what must hold of every database.
    pub(crate) fn finish(mut self) {
        let running = self.running.take().expect("it runs");
        running.stop().expect("it stops in good order");
        let connection = &mut self.database.connect();
        invariants::check(connection);
        invariants::every_event_is_sealed(connection);
        self.database.forget();
    }
}

/// Runs one test on a fresh application.
pub(crate) fn run(engine: Engine, case: impl AsyncFnOnce(&App)) {
    let app = App::start(engine);
    // The event loop and with it every connection is gone before the application is asked to stop.
    actix_web::rt::System::new().block_on(case(&app));
    app.finish();
}

/// Makes two tests of each named function, `name::sqlite` and `name::postgres`.
macro_rules! on_both {
    ($($case:ident),* $(,)?) => {
        $(mod $case {
            #[test]
            fn sqlite() {
                $crate::support::run($crate::support::Engine::Sqlite, super::$case);
            }

            #[test]
            fn postgres() {
                $crate::support::run($crate::support::Engine::Postgres, super::$case);
            }
        })*
    };
}
pub(crate) use on_both;

/// The same for a case that counts what the database is sent.
macro_rules! counted_on_both {
    ($($name:ident: $case:ident),* $(,)?) => {
        $(mod $name {
            #[test]
            fn sqlite() {
                $crate::support::statements::watch();
                $crate::support::run($crate::support::Engine::Sqlite, super::$case);
            }

            #[test]
            fn postgres() {
                $crate::support::statements::watch();
                $crate::support::run($crate::support::Engine::Postgres, super::$case);
            }
        })*
    };
}
pub(crate) use counted_on_both;

/// Places the issuer's key, which takes long to make, in a data folder. It is made once for all test runs.
pub(crate) fn keep_issuer_key(folder: &Path) {
    const FILE: &str = "dev-issuer-key.pem";
    let shared = Path::new(env!("CARGO_TARGET_TMPDIR")).join(FILE);
    if !shared.exists() {
        let making = database::scratch_folder();
        Issuer::open(
            &making,
            "http://127.0.0.1/dev".into(),
            Arc::new(SystemClock),
            Arc::new(RandomIds),
        )
        .expect("a key can be made");
        fs::rename(making.join(FILE), &shared).expect("the key can be kept");
        fs::remove_dir_all(making).expect("the folder can be removed");
    }
    fs::copy(&shared, folder.join(FILE)).expect("the key can be copied");
}

/// A body for a POST or PUT at `endpoint`, with the `schemas` that its content asks for.
pub(crate) fn body(endpoint: &str, mut content: Value) -> Value {
    let core = match endpoint.split('?').next().unwrap_or_default() {
        "/Users" => USER,
        "/Groups" => GROUP,
        "/GroupMemberships" => MEMBERSHIP,
        "/Persons" => PERSON,
        "/Opportunities" => "urn:muster:scim:schemas:core:1.0:Opportunity",
        // `/Offers` is of Offer.
        other => &format!(
            "urn:muster:scim:schemas:core:1.0:{}",
            other[1..].trim_end_matches('s')
        ),
    };
    let fields = content.as_object_mut().expect("a resource is an object");
    let extensions = fields.keys().filter(|name| name.starts_with("urn:"));
    let schemas: Vec<&str> = std::iter::once(core)
        .chain(extensions.map(String::as_str))
        .collect();
    let schemas = json!(schemas);
    fields.entry("schemas").or_insert(schemas);
    content
}
