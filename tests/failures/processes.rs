//! Two servers on one database: both write, and nothing is lost.

use actix_web::rt::{System, spawn};
use serde_json::{Value, json};

use crate::hris;
use crate::load::Load;
use crate::support::process::Process;
use crate::support::{Client, Database, Engine, invariants};

fn both_write(engine: Engine) {
    let database = Database::fresh(engine);
    let [one, two] = [(); 2].map(|()| Process::start_on(database.folder(), database.url()));
    System::new().block_on(async {
        let (first, second) = (hris(&one).await, hris(&two).await);
        let loads = [Load::start(&first, 1), Load::start(&second, 2)];
        for load in &loads {
            load.acknowledged(150).await;
        }
        for load in loads {
            load.stop().await;
        }
        one_user(&first, &second).await;
    });
    drop((one, two));
    invariants::check(&mut database.connect());
    database.forget();
}

/// Both change the same user at once, and each sees what the other did.
async fn one_user(first: &Client, second: &Client) {
    let made = first.create("/Users", json!({"userName": "ines"})).await;
    let path = format!("/Users/{}", made["id"].as_str().unwrap());
    let patches = (0..20).map(|number| {
        let client = if number % 2 == 0 { first } else { second }.clone();
        let path = path.clone();
        let email = json!([{"op": "add", "path": "emails", "value": [{"value": format!("e{number}@north.example")}]}]);
        spawn(async move { client.patch(&path, email).await.status })
    });
    let mut kept = 0;
    for patch in patches.collect::<Vec<_>>() {
        match patch.await.expect("an answer") {
            200 => kept += 1,
            // Told to come again, and nothing was changed.
            status => assert_eq!(status, 503),
        }
    }
    let count = |user: &Value| user["emails"].as_array().map_or(0, Vec::len);
    for client in [first, second] {
        assert_eq!(count(client.get(&path).await.ok(200)), kept);
    }
    assert!(kept > 0);
}

#[test]
fn two_servers_on_one_sqlite_file_lose_nothing() {
    both_write(Engine::Sqlite);
}

#[test]
fn two_servers_on_one_postgres_database_lose_nothing() {
    both_write(Engine::Postgres);
}
