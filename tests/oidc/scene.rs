//! A server that trusts the provider and nobody else, with a clock that follows the provider's and can be set forward.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::thread;

use chrono::{DateTime, TimeDelta, Utc};
use muster::cli::serve::{Running, Serve, start};
use muster::clock::{Clock, SystemClock};
use muster::config::{self, KeySource, Keys};
use muster::id::RandomIds;
use muster::secret::Secret;
use muster::service::policy::{Applied, Order};

use crate::provider::Provider;
use crate::support::{Client, Database, Engine, client, invariants};

/// The `aud` of tokens for the server.
pub(crate) const AUDIENCE: &str = "https://people.example.com/scim/v2";

/// The machine's time, and what a test adds to it, in seconds.
#[derive(Default)]
pub(crate) struct LateClock(AtomicI64);

impl LateClock {
    pub(crate) fn advance(&self, by: TimeDelta) {
        self.0.fetch_add(by.num_seconds(), Ordering::SeqCst);
    }
}

impl Clock for LateClock {
    fn now(&self) -> DateTime<Utc> {
        SystemClock.now() + TimeDelta::seconds(self.0.load(Ordering::SeqCst))
    }
}

/// The provider, the server and its clock.
pub(crate) struct Scene {
    pub(crate) provider: Provider,
    pub(crate) clock: Arc<LateClock>,
    running: Running,
    database: Database,
}

impl Scene {
    fn new(engine: Engine) -> Self {
        let port = crate::support::process::free_port();
        let provider = Provider::start(&format!("http://127.0.0.1:{port}/sign-in/callback"));
        let database = Database::fresh(engine);
        let issuer = &provider.issuer;
        let text = format!(
            "[sign_in]\nissuer = \"{issuer}\"\nclient_id = \"operators\"\nclient_secret = \"operators-secret\"\n\
             [[person_role]]\nclaim = \"roles\"\nequals = \"people-admin\"\nclient = \"hris\"\n\
             [[issuer]]\nurl = \"{issuer}\"\naudience = \"{AUDIENCE}\"\n[[system]]\nname = \"hris\"\n\
             [[client]]\nname = \"hris\"\nissuer = \"{issuer}\"\nmatch = {{ claim = \"client_id\", equals = \"hris\" }}\n\
             system = \"hris\"\ngrants = [{{ types = [\"*\"], rights = [\"read\", \"search\", \"write\"] }}]\n"
        );
        let mut config = config::parse(&text).unwrap();
        config.keys = Some(any_key());
        config.server.port = port;
        config.server.data_dir = database.folder().into();
        config.server.database_url = Some(Secret::new(database.url()));
        let serve = Serve {
            config,
            dev: false,
            dev_client_jwks: Vec::new(),
            signals: false,
        };
        let clock = Arc::new(LateClock::default());
        let running = start(serve, clock.clone(), Arc::new(RandomIds)).unwrap();
        Self {
            provider,
            clock,
            running,
            database,
        }
    }

    /// Where the server is.
    pub(crate) fn origin(&self) -> String {
        format!("http://{}", self.running.address)
    }

    /// A caller of the server with this token.
    pub(crate) fn caller(&self, token: &str) -> Client {
        let scim = format!("{}/scim/v2", self.origin());
        Client::new(client::http(), scim, Some(token.to_owned()))
    }

    /// Applies a policy to the tenant; ISSUER stands for the provider.
    pub(crate) fn apply(&self, policy: &str) {
        let text = policy.replace("ISSUER", &self.provider.issuer);
        let service = self.running.service().clone();
        let order = Order {
            actor: "security".into(),
            reason: None,
            at: self.clock.now(),
            after: None,
        };
        // As a process of its own does it: outside of any event loop.
        let applied =
            thread::spawn(move || service.apply_policy("default", text.as_bytes(), &order));
        let applied = applied.join().unwrap().unwrap();
        assert!(matches!(applied, Applied::Done { .. }), "{applied:?}");
    }

    /// Somebody without a token.
    pub(crate) fn stranger(&self) -> Client {
        Client::new(client::http(), format!("{}/scim/v2", self.origin()), None)
    }

    /// The one session's hash, as the database has it.
    pub(crate) fn session_hash(&self) -> String {
        let hex = match self.database.engine() {
            Engine::Sqlite => "lower(hex(hash))",
            Engine::Postgres => "encode(hash, 'hex')",
        };
        let found = self
            .database
            .connect()
            .texts(&format!("SELECT {hex} AS t FROM session"));
        assert_eq!(found.len(), 1, "{found:?}");
        found[0].clone()
    }

    /// The events of sessions, oldest first.
    pub(crate) fn session_events(&self) -> Vec<serde_json::Value> {
        let events = self.running.service().events(0, 1000).unwrap();
        let events = events.into_iter().map(|(_, event)| event);
        events
            .filter(|event| event["resourceType"] == "Session")
            .collect()
    }

    fn finish(self) {
        self.running.stop().unwrap();
        invariants::check(&mut self.database.connect());
        self.database.forget();
    }
}

/// A key-encryption key that lasts as long as the test.
fn any_key() -> Keys {
    let words = ["echo", "c2l4dGVlbiBieXRlcywgdGhlbiBzaXh0ZWVuIG1vcmU="];
    Keys {
        key_encryption_key: KeySource::Command(words.map(str::to_owned).to_vec()),
        previous: Vec::new(),
        sqlite_key: None,
    }
}

/// Runs one test on a fresh server.
pub(crate) fn run(engine: Engine, case: impl AsyncFnOnce(&Scene)) {
    let scene = Scene::new(engine);
    actix_web::rt::System::new().block_on(case(&scene));
    scene.finish();
}

/// Makes two tests of each named function, `name::sqlite` and `name::postgres`.
macro_rules! on_both {
    ($($case:ident),* $(,)?) => {
        $(mod $case {
            #[test]
            fn sqlite() {
                crate::scene::run(crate::support::Engine::Sqlite, super::$case);
            }

            #[test]
            fn postgres() {
                crate::scene::run(crate::support::Engine::Postgres, super::$case);
            }
        })*
    };
}
pub(crate) use on_both;
