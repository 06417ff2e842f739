//! A large bulk request costs little and keeps nobody waiting (design §5).

use std::cell::Cell;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Mutex;
use std::time::Instant;

use actix_web::rt::spawn;
use diesel::connection::{Instrumentation, InstrumentationEvent, set_default_instrumentation};
use serde_json::{Value, json};

use crate::bulk::{bulk, group, statuses, user};
use crate::support::statements::is_background;
use crate::support::{App, PATCH_OP, on_both};

on_both!(
    a_single_write_is_answered_while_a_bulk_goes_on,
    two_bulks_of_the_same_groups_lose_nothing,
);

/// A thousand creates. Whoever writes one user meanwhile comes in between two chunks.
async fn a_single_write_is_answered_while_a_bulk_goes_on(app: &App) {
    let idp = app.client("idp").await;
    let done = Rc::new(Cell::new(false));
    let many = {
        let (idp, done) = (idp.clone(), done.clone());
        spawn(async move {
            let operations: Vec<Value> = (0..1000)
                .map(|number| user(&format!("u{number}")))
                .collect();
            let answer = bulk(&idp, json!(operations)).await;
            done.set(true);
            assert_eq!(statuses(&answer), ["201"; 1000]);
        })
    };
    // The first chunk has been committed: the bulk is under way.
    while idp.find("/Users", "userName eq \"u0\"").await.is_empty() {
        assert!(!done.get(), "a bulk that is committed as a whole");
    }
    let mut between = 0;
    while between < 3 {
        let answer = idp
            .post("/Users", json!({"userName": format!("single{between}")}))
            .await;
        answer.ok(201);
        assert!(
            !done.get(),
            "write {between} had to wait for the bulk's end"
        );
        between += 1;
    }
    many.await.unwrap();
    let total = idp.list("/Users", &[("count", "0")]).await;
    assert_eq!(total.ok(200)["totalResults"], 1003);
}

/// Operations in opposite orders: on PostgreSQL their transactions lock each other out, and are run again.
async fn two_bulks_of_the_same_groups_lose_nothing(app: &App) {
    let idp = app.client("idp").await;
    let names: Vec<String> = (0..40).map(|number| format!("g{number}")).collect();
    let groups: Vec<Value> = names.iter().map(|name| group(name, &[])).collect();
    let made = bulk(&idp, json!(groups)).await;
    let paths: Vec<String> = made
        .iter()
        .map(|made| format!("/Groups/{}", crate::bulk::id(made)))
        .collect();
    let rename = |path: &String, name: &str| {
        json!({"method": "PATCH", "path": path, "data": {"schemas": [PATCH_OP],
            "Operations": [{"op": "replace", "path": "displayName", "value": format!("{name} of {path}")}]}})
    };
    let mut calls = Vec::new();
    for name in ["one", "two", "three", "four"] {
        let mut operations: Vec<Value> = paths.iter().map(|path| rename(path, name)).collect();
        if name == "two" || name == "four" {
            operations.reverse();
        }
        let idp = idp.clone();
        calls.push(spawn(async move { bulk(&idp, json!(operations)).await }));
    }
    for call in calls {
        let done = call.await.unwrap();
        assert_eq!(statuses(&done), ["200"; 40], "{done:?}");
    }
    for path in paths {
        assert_eq!(idp.get(&path).await.etag(), "W/\"5\"");
    }
}

mod a_thousand_operations_are_done_in_few_commits {
    use super::{few_commits, listen};
    use crate::support::{Engine, run};

    #[test]
    fn sqlite() {
        listen();
        run(Engine::Sqlite, few_commits);
    }

    #[test]
    fn postgres() {
        listen();
        run(Engine::Postgres, few_commits);
    }
}

/// Fifty operations share a commit.
async fn few_commits(app: &App) {
    let idp = app.client("idp").await;
    let operations: Vec<Value> = (0..1000)
        .map(|number| user(&format!("u{number}")))
        .collect();
    let (before, began) = (commits(app), Instant::now());
    let answer = bulk(&idp, json!(operations)).await;
    assert_eq!(statuses(&answer), ["201"; 1000]);
    // And once a second the log's head is signed.
    let (commits, seconds) = (commits(app) - before, began.elapsed().as_secs());
    assert!(
        (20..=24 + seconds).contains(&commits),
        "{commits} in {seconds} s"
    );
}

/// How often each database has been told to commit, by its address.
static COMMITS: Mutex<BTreeMap<String, u64>> = Mutex::new(BTreeMap::new());

fn commits(app: &App) -> u64 {
    let url = address(app.database.url());
    let counted = COMMITS.lock().unwrap();
    counted.get(&url).copied().unwrap_or_default()
}

/// A database's address without the scheme that SQLite does not know, and without parameters.
fn address(url: &str) -> String {
    let url = url.trim_start_matches("sqlite:");
    let url = url.trim_start_matches("file:");
    url.split('?').next().unwrap_or_default().to_owned()
}

/// Has every connection that is made from now on counted.
fn listen() {
    set_default_instrumentation(|| Some(Box::new(Listener::default()))).unwrap();
}

/// Listens to one connection.
#[derive(Default)]
struct Listener(String);

impl Instrumentation for Listener {
    fn on_connection_event(&mut self, event: InstrumentationEvent<'_>) {
        match event {
            InstrumentationEvent::StartEstablishConnection { url, .. } => self.0 = address(url),
            InstrumentationEvent::StartQuery { query, .. }
                if query.to_string().starts_with("COMMIT") && !is_background() =>
            {
                *COMMITS.lock().unwrap().entry(self.0.clone()).or_default() += 1;
            }
            _ => {}
        }
    }
}
