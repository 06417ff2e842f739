//! A log of more than a tile, verified from a size on: what stands before is taken from the stored tree, so a past that was changed
//! is found as far as that tree shows it, and by whoever verifies all of it.

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{App, Database, Engine, USER};
use crate::tampering::unlock;
use crate::{signed, verified_since};

#[test]
fn a_past_that_was_changed_is_found_from_later_on_too_on_sqlite() {
    a_past_that_was_changed_is_found_from_later_on_too(Engine::Sqlite);
}

#[test]
fn a_past_that_was_changed_is_found_from_later_on_too_on_postgres() {
    a_past_that_was_changed_is_found_from_later_on_too(Engine::Postgres);
}

fn grown(engine: Engine) -> Database {
    let app = App::start(engine);
    actix_web::rt::System::new().block_on(async {
        let hris = app.client("hris").await;
        let made = |n: i32| json!({"method": "POST", "path": "/Users", "bulkId": n.to_string(),
            "data": {"schemas": [USER], "userName": format!("bulk-{n}")}});
        let operations: Vec<Value> = (0..300).map(made).collect();
        let bulk = json!({"schemas": ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"], "Operations": operations});
        let body = Some(bulk.to_string().into_bytes());
        hris.send(Method::POST, "/Bulk", &[], body).await.ok(200);
        signed(&app).await;
    });
    app.leave()
}

fn a_past_that_was_changed_is_found_from_later_on_too(engine: Engine) {
    let database = grown(engine);
    let found = |since: u64| verified_since(&database, since, &[]).findings;
    for since in [0, 100, 256, 280, 300] {
        assert_eq!(found(since), [], "{since}");
    }
    let mut connection = database.connect();
    unlock(&mut connection);
    connection.run("CREATE TABLE kept AS SELECT * FROM log_leaf");
    // What is wrong, how it is undone, from which sizes on it is found, and from which on it is not looked at any more.
    let back = "UPDATE log_leaf SET hash = (SELECT k.hash FROM kept k WHERE k.tenant = log_leaf.tenant AND k.position = log_leaf.position)";
    let (leaf, node) = (
        "UPDATE log_leaf SET hash = (SELECT hash FROM kept WHERE position = 9) WHERE position = ",
        "UPDATE log_node SET hash = ",
    );
    let other = "(SELECT hash FROM kept WHERE position = 9)";
    connection.run("CREATE TABLE nodes AS SELECT * FROM log_node");
    let restored = "UPDATE log_node SET hash = (SELECT n.hash FROM nodes n WHERE n.tenant = log_node.tenant AND n.level = log_node.level AND n.position = log_node.position)";
    let event = |client: &str| {
        format!(
            "UPDATE event SET client = '{client}' WHERE seq = (SELECT seq FROM log_leaf WHERE position = 4)"
        )
    };
    for (wrong, undo, seen, unseen) in [
        (
            format!("{leaf}4"),
            back.to_owned(),
            &[0, 100, 255][..],
            &[256, 300][..],
        ),
        (
            format!("{leaf}270"),
            back.to_owned(),
            &[0, 256, 270, 271, 280, 299],
            &[],
        ),
        (
            format!("{node}{other}"),
            restored.to_owned(),
            &[0, 256, 280, 300],
            &[],
        ),
        (event("nobody"), event("hris"), &[0, 4], &[5, 256, 300]),
    ] {
        connection.run(&wrong);
        for since in seen {
            assert_ne!(found(*since), [], "{wrong} from {since} on");
        }
        for since in unseen {
            assert_eq!(found(*since), [], "{wrong} from {since} on");
        }
        connection.run(&undo);
        assert_eq!(found(0), [], "{undo}");
    }
    drop(connection);
    database.forget();
}
