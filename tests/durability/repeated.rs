//! SIGKILL under write load, and every request repeated with its key: each is carried out exactly once (A-069, B-046).

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use actix_web::rt::{System, spawn, time};
use reqwest::Method;
use serde_json::json;

use crate::support::process::Process;
use crate::support::{Client, Database, Engine, body, invariants};
use crate::{hris, moment};

/// How often the server is killed.
const KILLS: u64 = 5;
/// Writers at once.
const WRITERS: usize = 12;
/// Requests that must be answered before each kill.
const ANSWERED: usize = 150;

/// What was answered to each request, by its key, which is also the person's name; nothing if the server was gone.
type Told = BTreeMap<String, Option<String>>;

#[test]
fn of_requests_repeated_after_a_kill_each_is_carried_out_once_on_sqlite() {
    killed_and_repeated(Engine::Sqlite);
}

#[test]
fn of_requests_repeated_after_a_kill_each_is_carried_out_once_on_postgres() {
    killed_and_repeated(Engine::Postgres);
}

fn killed_and_repeated(engine: Engine) {
    let database = Database::fresh(engine);
    let (mut told, mut open) = (Told::new(), 0);
    for round in 0..KILLS {
        let server = Process::start_on(database.folder(), database.url());
        let ours = System::new().block_on(until_killed(server, round));
        open += ours.values().filter(|answer| answer.is_none()).count();
        told.extend(ours);
    }
    assert!(open > 0, "no kill came between a request and its answer");
    // In place of a minute's patience.
    let mut connection = database.connect();
    connection.run("UPDATE idempotency SET lease = 0");
    let server = Process::start_on(database.folder(), database.url());
    System::new().block_on(repeat(&hris_of(&server), &told));
    server.kill();
    let persons = "SELECT count(*) AS n FROM resource";
    assert_eq!(
        connection.number(persons),
        i64::try_from(told.len()).unwrap()
    );
    let names = "SELECT count(DISTINCT display) AS n FROM resource";
    assert_eq!(connection.number(names), i64::try_from(told.len()).unwrap());
    invariants::check(&mut connection);
    drop(connection);
    database.forget();
}

fn hris_of(server: &Process) -> Client {
    System::new().block_on(hris(server))
}

async fn until_killed(server: Process, round: u64) -> Told {
    let client = hris(&server).await;
    let told = Rc::new(RefCell::new(Told::new()));
    let writers: Vec<_> = (0..WRITERS)
        .map(|writer| {
            spawn(write(
                client.clone(),
                Rc::clone(&told),
                format!("r{round}-{writer}"),
            ))
        })
        .collect();
    let answered = || {
        told.borrow()
            .values()
            .filter(|answer| answer.is_some())
            .count()
    };
    let patience = time::Instant::now() + std::time::Duration::from_mins(1);
    while answered() < ANSWERED {
        assert!(
            time::Instant::now() < patience,
            "only {} answered",
            answered()
        );
        time::sleep(std::time::Duration::from_millis(1)).await;
    }
    time::sleep(moment(round)).await;
    server.kill();
    for writer in writers {
        writer.await.expect("a writer ends when its server is gone");
    }
    Rc::try_unwrap(told)
        .expect("all writers have ended")
        .into_inner()
}

/// Makes persons until a request is not answered.
async fn write(client: Client, told: Rc<RefCell<Told>>, name: String) {
    for number in 0.. {
        let key = format!("{name}-{number}");
        told.borrow_mut().insert(key.clone(), None);
        let Some(text) = make(&client, &key).await else {
            return;
        };
        told.borrow_mut().insert(key, Some(text));
    }
}

async fn make(client: &Client, key: &str) -> Option<String> {
    let content = body("/Persons", json!({"displayName": key})).to_string();
    let keyed = client.keyed(key);
    let sent = keyed.try_send(Method::POST, "/Persons", &[], Some(content.into_bytes()));
    let answer = sent.await?;
    answer.ok(201);
    Some(answer.text)
}

async fn repeat(client: &Client, told: &Told) {
    for (key, before) in told {
        let again = make(client, key).await.expect("the server answers");
        if let Some(before) = before {
            // The server listens on another port each time.
            assert_eq!(at_no_port(&again), at_no_port(before));
        }
    }
}

/// A text without the port of each location in it.
fn at_no_port(text: &str) -> String {
    let mut parts = text.split("127.0.0.1:");
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |text, part| {
        text + part.trim_start_matches(|digit: char| digit.is_ascii_digit())
    })
}
