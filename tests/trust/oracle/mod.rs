//! No oracle (design §6): two servers with the same ids and the same clock, whose data differ only in what is hidden from a
//! client, answer it byte for byte alike, whatever it asks or writes, its guesses of the hidden values among it.

mod history;
mod people;
mod prober;

use std::cell::RefCell;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use muster::cli::serve::{Running, Serve, start};
use muster::clock::Clock;
use muster::id::{EventId, IdSource, ResourceId, SeededIds};
use muster::secret::Secret;
use muster::service::policy::{Applied, Order};
use rand::SeedableRng;
use rand::rngs::StdRng;
use reqwest::Method;
use serde_json::{Value, json};

use crate::rules::POLICY;
use crate::support::{
    CONSENT, CUSTOMER, Database, Engine, PATCH_OP, PATIENCE, USER, client, invariants,
    keep_issuer_key,
};
use people::{Differ, Hidden, NAMES, PEOPLE, called, customer, said};
use prober::{Prober, Request, ask};

/// How many requests the client makes in a run.
const REQUESTS: usize = 250;
/// Whatever it asks, no run may be of refusals alone.
const ANSWERED: usize = 60;

/// A clock that moves only when the test says so: how often a server looks at it in the background tells nothing.
#[derive(Debug)]
struct SteadyClock(AtomicI64);

impl SteadyClock {
    fn advance(&self) {
        self.0.fetch_add(10, Ordering::SeqCst);
    }
}

impl Clock for SteadyClock {
    fn now(&self) -> DateTime<Utc> {
        DateTime::from_timestamp_millis(self.0.load(Ordering::SeqCst)).unwrap()
    }
}

/// Ids of which each request begins a sequence of its own: how many an earlier one took tells nothing.
struct SteadyIds {
    asked: AtomicU64,
    now: Mutex<SeededIds>,
}

impl SteadyIds {
    fn new() -> Self {
        Self {
            asked: AtomicU64::new(1),
            now: Mutex::new(SeededIds::new(1)),
        }
    }

    fn begin(&self) {
        let asked = self.asked.fetch_add(1, Ordering::SeqCst);
        *self.now.lock().unwrap() = SeededIds::new(asked + 1);
    }
}

impl IdSource for SteadyIds {
    fn resource(&self) -> ResourceId {
        self.now.lock().unwrap().resource()
    }

    fn event(&self, now: DateTime<Utc>) -> EventId {
        self.now.lock().unwrap().event(now)
    }

    fn secret(&self) -> Vec<u8> {
        self.now.lock().unwrap().secret()
    }

    fn nonce(&self) -> [u8; 12] {
        self.now.lock().unwrap().nonce()
    }
}

/// One of the two servers.
struct Server {
    clock: Arc<SteadyClock>,
    ids: Arc<SteadyIds>,
    running: Option<Running>,
    http: reqwest::Client,
    database: Database,
    tokens: [String; 2],
    /// Where its feed and its list go on for the client: sealed, and so other texts on each server.
    next: RefCell<[String; 2]>,
}

impl Server {
    fn start(engine: Engine, policy: &str) -> Self {
        let database = Database::fresh(engine);
        keep_issuer_key(database.folder());
        let mut serve = Serve::dev(database.folder().to_owned());
        serve.config.server.database_url = Some(Secret::new(database.url()));
        serve.config.server.public_url = Some("https://people.example/scim/v2".into());
        // 2031-03-01T12:00:00Z.
        let clock = Arc::new(SteadyClock(AtomicI64::new(1_930_132_800_000)));
        let ids = Arc::new(SteadyIds::new());
        let running = start(serve, clock.clone(), ids.clone()).unwrap();
        let origin = format!("http://{}", running.address);
        let service = running.service().clone();
        let text = policy.replace("ISSUER", &format!("{origin}/dev"));
        let order = Order {
            actor: "security".into(),
            reason: None,
            at: clock.now(),
            after: None,
        };
        let applied =
            thread::spawn(move || service.apply_policy("default", text.as_bytes(), &order))
                .join()
                .unwrap()
                .unwrap();
        assert!(matches!(applied, Applied::Done { .. }), "{applied:?}");
        Self {
            clock,
            ids,
            running: Some(running),
            http: client::http(),
            database,
            tokens: Default::default(),
            next: RefCell::new(["0".into(), String::new()]),
        }
    }

    fn origin(&self) -> String {
        format!("http://{}", self.running.as_ref().unwrap().address)
    }

    async fn sign_in(&mut self) {
        for (at, name) in ["hris", "idp"].into_iter().enumerate() {
            let origin = self.origin();
            self.tokens[at] = client::token_as(&self.http, &origin, name, Some(NAMES[0])).await;
        }
    }

    /// Waits until all is sealed: the feed tells of nothing else.
    async fn settle(&self) {
        let unsealed = "SELECT count(*) AS n FROM event e WHERE NOT EXISTS (SELECT 1 FROM log_leaf l WHERE l.seq = e.seq)";
        let patience = Instant::now() + PATIENCE;
        while self.database.connect().number(unsealed) > 0 {
            assert!(Instant::now() < patience, "events are left unsealed");
            actix_web::rt::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// All of an answer but its date.
    async fn answer(&self, who: usize, request: &Request) -> (u16, String, String) {
        let Request {
            method,
            path,
            headers,
            body,
        } = request;
        self.clock.advance();
        self.ids.begin();
        if path.starts_with("/Events") || path.starts_with("/AuditEvents") {
            self.settle().await;
        }
        let [next, cursor] = self.next.borrow().clone();
        let path = path.replace("NEXT", &next).replace("CURSOR", &cursor);
        let url = format!("{}/scim/v2{path}", self.origin());
        let mut asked = self
            .http
            .request(method.clone(), url)
            .bearer_auth(&self.tokens[who]);
        for (name, value) in headers {
            asked = asked.header(*name, value);
        }
        if let Some(body) = body {
            asked = asked
                .header("content-type", "application/scim+json")
                .body(body.to_string());
        }
        let answer = asked.send().await.unwrap();
        let status = answer.status().as_u16();
        let mut head: Vec<String> = answer
            .headers()
            .iter()
            .filter(|(name, _)| *name != "date" && *name != "connection")
            .map(|(name, value)| format!("{name}: {value:?}"))
            .collect();
        head.sort();
        let text = answer.text().await.unwrap();
        (status, head.join("\n"), self.without_next(text))
    }

    /// An answer, of whose sealed `next` or `nextCursor` only the length is told.
    fn without_next(&self, mut text: String) -> String {
        let told: Value = serde_json::from_str(&text).unwrap_or_default();
        for (at, name) in ["next", "nextCursor"].into_iter().enumerate() {
            if let Some(next) = told[name].as_str() {
                next.clone_into(&mut self.next.borrow_mut()[at]);
                text = text.replace(next, &format!("{} characters", next.len()));
            }
        }
        text
    }

    fn stop(mut self) {
        self.running.take().unwrap().stop().unwrap();
        invariants::check(&mut self.database.connect());
        self.database.forget();
    }
}

/// Whose word counts, of what is hidden.
const AUTHORITY: &str = "authority:\n  - { domain: people, master: hris, covers: [\"Person.birthDate\", \"Person.legalName\", \"Person.emails\", \"Person.phoneNumbers\", \"Person.addresses\"], others: suggest }\n";

/// The policy, with the badges hidden too. With `Differ::Part`, what is hidden is so in part; with `Differ::Reach`, the client reaches
/// customers alone; of every other seed one system is the master of it, and the other suggests.
fn policy(differ: Differ, seed: u64) -> String {
    let partial = differ == Differ::Part;
    let born = if partial { "year" } else { "omit" };
    let row = format!(
        "  - {{ attributes: [externalIdentifiers, legalIdentifiers, legalIdentifierHints], openTo: [payroll], otherwise: omit }}\n  \
         - {{ attributes: [employmentHistory], openTo: [payroll], otherwise: omit, confidential: true }}\n  \
         - {{ attributes: [birthDate], openTo: [payroll], otherwise: {born} }}"
    );
    let homes = ", \"addresses[type eq \\\"home\\\"]\"";
    let parts = "masking:\n  - { attributes: [addresses.locality, addresses.streetAddress], openTo: [employment], otherwise: omit }\n";
    let me = "roles: [people, log], me: { claim: preferred_username, attribute: userName } }";
    let authority = if seed % 2 == 1 { AUTHORITY } else { "" };
    let mut policy = POLICY.to_owned();
    if partial {
        policy = policy.replace(homes, "").replacen("masking:\n", parts, 1);
    }
    if differ == Differ::Reach {
        // Nothing is masked: what it reaches it sees.
        let (rows, _) = policy.split_once("masking:\n").unwrap();
        let rows = rows.replacen("roles:\n", &format!("{authority}roles:\n"), 1);
        return rows
            .replace(
                "system: idp, roles: [people]",
                "system: idp, roles: [sales]",
            )
            .replace("search, write], where", "search, write, delete], where");
    }
    policy
        .replacen("roles:\n", &format!("{authority}roles:\n"), 1)
        .replace(
            "  - { attributes: [birthDate], openTo: [payroll], otherwise: omit }",
            &row,
        )
        .replacen(
            "system: idp, roles: [people] }",
            &format!("system: idp, {me}"),
            1,
        )
        .replacen(
            "roles:\n",
            "roles:\n  log: [{ types: [AuditEvent], rights: [read, search] }]\n",
            1,
        )
}

/// The HRIS enters somebody. The first has the account that the client's token names.
async fn enter(server: &Server, name: &str, hidden: &Hidden, differ: Differ) {
    let said = said(name, hidden, differ);
    let mut entering = ask(Method::POST, "/Persons", Some(said.clone()));
    if name == NAMES[0] {
        let account = json!({"schemas": [USER], "userName": name, "displayName": name});
        let (_, _, made) = server
            .answer(0, &ask(Method::POST, "/Users", Some(account)))
            .await;
        let made: Value = serde_json::from_str(&made).unwrap();
        let path = format!("/Persons/{}", made["id"].as_str().unwrap());
        entering = ask(Method::PUT, path, Some(said));
    }
    let (status, _, body) = server.answer(0, &entering).await;
    assert!(status < 300, "{body}");
}

/// Where two answers begin to differ.
fn difference(one: &(u16, String, String), other: &(u16, String, String)) -> String {
    // The length tells nothing that the rest does not.
    let texts = [one, other].map(|(status, head, body)| format!("{status}\n{body}\n{head}"));
    let pairs = texts[0].chars().zip(texts[1].chars());
    let same = pairs.take_while(|(one, other)| one == other).count();
    let around = |text: &String| -> String {
        let from = same.saturating_sub(600);
        text.chars().skip(from).take(900).collect()
    };
    format!("one:   {}\nother: {}", around(&texts[0]), around(&texts[1]))
}

async fn probe(servers: &mut [Server; 2], seed: u64, differ: Differ) {
    for server in servers.iter_mut() {
        server.sign_in().await;
    }
    let mut prober = Prober {
        rng: StdRng::seed_from_u64(seed),
        ids: Vec::new(),
        groups: Vec::new(),
        tags: Vec::new(),
        goes_on: false,
        last: None,
        made: 0,
        differ,
        suggests: seed % 2 == 1,
    };
    for (side, (server, people)) in servers.iter().zip(&PEOPLE).enumerate() {
        for (name, hidden) in NAMES.into_iter().zip(people) {
            if differ == Differ::Reach {
                let entering = ask(Method::POST, "/Persons", Some(customer(name)));
                let (status, _, body) = server.answer(0, &entering).await;
                assert_eq!(status, 201, "{body}");
            }
            enter(server, &called(name, side, differ), hidden, differ).await;
        }
    }
    // To whom nothing is hidden the two are not the same.
    let all = ask(Method::GET, "/Persons", None);
    let [one, other] = [&servers[0], &servers[1]].map(|server| server.answer(0, &all));
    assert_ne!(one.await, other.await);
    let mut answered = 0;
    for n in 0..REQUESTS {
        // Now and then the HRIS says something else that is hidden, or what is consented to.
        if n % 25 == 24 {
            let at = n / 25 % 4;
            for (side, (server, people)) in servers.iter().zip(&PEOPLE).enumerate() {
                let name = called(NAMES[at], side, differ);
                // Whom the client does not reach has a name that no customer was given.
                let filter = if differ == Differ::Reach {
                    format!(
                        "legalName%20pr%20and%20displayName%20eq%20%22{name}%22%20and%20not%20({CUSTOMER}:status%20pr)"
                    )
                } else {
                    format!("displayName%20eq%20%22{name}%22")
                };
                // It changes on both, and a year is that of both.
                let month = if people[0].badge == "7" { "03" } else { "05" };
                let born = format!("{}-{month}-{:02}", &people[at].born[..4], n / 25 + 1);
                let body = json!({"schemas": [PATCH_OP], "Operations": [
                    {"op": "replace", "path": "birthDate", "value": born},
                    {"op": "replace", "path": "legalName", "value": people[at].place},
                    {"op": "add", "path": format!("{CONSENT}:consents"), "value": [{"purpose": "Hiring", "legalBasis": "consent", "status": "given"}]}
                ]});
                let (_, _, found) = server
                    .answer(
                        0,
                        &ask(Method::GET, format!("/Persons?filter={filter}"), None),
                    )
                    .await;
                let found: Value = serde_json::from_str(&found).unwrap();
                if let Some(id) = found["Resources"][0]["id"].as_str() {
                    server
                        .answer(0, &ask(Method::PATCH, format!("/Persons/{id}"), Some(body)))
                        .await;
                }
            }
        }
        let request = prober.next();
        let one = servers[0].answer(1, &request).await;
        let other = servers[1].answer(1, &request).await;
        assert!(
            one == other,
            "seed {seed}, request {n}: {request:?}\n{}",
            difference(&one, &other)
        );
        answered += usize::from(one.0 < 300);
        prober.learn(&one.1, &one.2);
    }
    assert!(
        answered >= ANSWERED,
        "only {answered} requests of {REQUESTS} were answered"
    );
}

fn run(engine: Engine, seed: u64, differ: Differ) {
    let policy = policy(differ, seed);
    let mut servers = [
        Server::start(engine, &policy),
        Server::start(engine, &policy),
    ];
    actix_web::rt::System::new().block_on(probe(&mut servers, seed, differ));
    let [one, other] = servers;
    one.stop();
    other.stop();
}

#[test]
fn what_is_omitted_changes_no_answer_on_sqlite() {
    for seed in [0, 1, 2, 3, 160, 305] {
        run(Engine::Sqlite, seed, Differ::Whole);
    }
}

#[test]
fn what_is_omitted_changes_no_answer_on_postgres() {
    for seed in [10, 501] {
        run(Engine::Postgres, seed, Differ::Whole);
    }
}

#[test]
fn the_hidden_part_of_a_value_changes_no_answer_on_sqlite() {
    for seed in [2, 213, 409, 610] {
        run(Engine::Sqlite, seed, Differ::Part);
    }
}

#[test]
fn the_hidden_part_of_a_value_changes_no_answer_on_postgres() {
    run(Engine::Postgres, 30, Differ::Part);
}

#[test]
fn who_is_out_of_reach_changes_no_answer_on_sqlite() {
    for seed in [1, 4, 9, 12] {
        run(Engine::Sqlite, seed, Differ::Reach);
    }
}

#[test]
fn who_is_out_of_reach_changes_no_answer_on_postgres() {
    run(Engine::Postgres, 1, Differ::Reach);
}
