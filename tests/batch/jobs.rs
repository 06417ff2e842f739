//! Imports that a client starts, as background jobs.

use std::fmt::Write as _;
use std::fs;
use std::time::{Duration, Instant};

use muster::config::Import;
use reqwest::Method;
use serde_json::{Value, json};

use crate::SMALL;
use crate::support::client::http;
use crate::support::policy::apply;
use crate::support::{App, Engine, PATIENCE};

/// Rows of the file; one more is wrong.
const ROWS: i64 = 400;

fn run(engine: Engine, case: impl AsyncFnOnce(&App)) {
    let app = App::start_with(engine, |config, folder| {
        let import = |name: &str, file: &str| Import {
            name: name.into(),
            system: "hris".into(),
            map: folder.join("hris.yaml"),
            file: folder.join(file),
            tenant: "default".into(),
        };
        config.imports = vec![
            import("people", "people.csv"),
            import("nothing", "nothing.csv"),
        ];
    });
    let folder = app.database.folder();
    fs::write(folder.join("hris.yaml"), SMALL).unwrap();
    let mut rows = String::from("id,given,family,mail,born,title\n");
    for n in 0..ROWS {
        writeln!(
            rows,
            "E-{n},Given{n},Family{n},p{n}@corp.example,1980-01-01,Clerk"
        )
        .unwrap();
    }
    rows.push_str("E-x,Ada,Byron,ada@corp.example,1815-13-10,Clerk\n");
    fs::write(folder.join("people.csv"), rows).unwrap();
    actix_web::rt::System::new().block_on(case(&app));
    app.leave().forget();
}

/// What the caller is answered below `/admin/imports`.
async fn ask(app: &App, name: &str, path: &str, body: Option<Value>) -> (u16, Value) {
    let method = if body.is_some() {
        Method::POST
    } else {
        Method::GET
    };
    let url = format!("{}/admin/imports{path}", app.origin());
    let mut request = http().request(method, url);
    if !name.is_empty() {
        request = request.bearer_auth(app.token(name).await);
    }
    if let Some(body) = body {
        request = request
            .header("content-type", "application/json")
            .body(body.to_string());
    }
    let answer = request.send().await.unwrap();
    let status = answer.status().as_u16();
    (
        status,
        serde_json::from_str(&answer.text().await.unwrap()).unwrap(),
    )
}

/// Starts it, and waits for its end.
async fn done(app: &App, order: Value) -> Value {
    let path = format!("/{}", order["name"].as_str().unwrap());
    let (status, told) = ask(app, "hris", "", Some(order)).await;
    assert_eq!(status, 202, "{told}");
    let since = Instant::now();
    loop {
        let (status, told) = ask(app, "hris", &path, None).await;
        assert_eq!(status, 200, "{told}");
        if told["state"] != "running" {
            return told;
        }
        assert!(since.elapsed() < PATIENCE, "{told}");
        actix_web::rt::time::sleep(Duration::from_millis(50)).await;
    }
}

async fn a_client_has_an_extract_taken_in(app: &App) {
    let hris = app.client("hris").await;
    let (_, told) = ask(app, "hris", "", None).await;
    assert_eq!(
        told["imports"][0],
        json!({"name": "people", "system": "hris", "state": "idle"})
    );
    let tried = done(app, json!({"name": "people", "dryRun": true})).await;
    assert_eq!(
        (&tried["state"], &tried["dryRun"]),
        (&json!("finished"), &json!(true)),
        "{tried}"
    );
    assert_eq!(
        hris.get("/Persons?count=0").await.ok(200)["totalResults"],
        0
    );
    let taken = done(app, json!({"name": "people"})).await;
    assert_eq!(
        (&taken["counts"]["created"], &taken["counts"]["rejected"]),
        (&json!(ROWS), &json!(1)),
        "{taken}"
    );
    assert_eq!(
        hris.get("/Persons?count=0").await.ok(200)["totalResults"],
        ROWS
    );
    let rejects = fs::read_to_string(taken["rejectsFile"].as_str().unwrap()).unwrap();
    assert!(rejects.contains("1815-13-10"), "{rejects}");
    let events = app.service().events(0, 10_000).unwrap();
    let ended: Vec<&Value> = events
        .iter()
        .map(|(_, event)| event)
        .filter(|event| event["type"] == "import.finished")
        .collect();
    assert_eq!(
        (ended.len(), &ended[0]["actor"], &ended[0]["sourceSystem"]),
        (1, &json!("hris"), &json!("hris"))
    );
    let again = done(app, json!({"name": "people"})).await;
    assert_eq!(again["counts"]["unchanged"], ROWS, "{again}");
}

async fn who_may_not_import_is_told_why(app: &App) {
    let order = || Some(json!({"name": "people"}));
    assert_eq!(ask(app, "", "", order()).await.0, 401);
    let (status, told) = ask(app, "idp", "", order()).await;
    assert_eq!(status, 403);
    assert!(
        told["detail"].as_str().unwrap().contains("'hris'"),
        "{told}"
    );
    assert_eq!(ask(app, "idp", "/people", None).await.0, 403);
    assert_eq!(ask(app, "idp", "", None).await.1["imports"], json!([]));
    let (status, told) = ask(app, "hris", "", Some(json!({"name": "../etc/passwd"}))).await;
    assert_eq!(status, 404);
    assert!(
        told["detail"].as_str().unwrap().contains("[[import]]"),
        "{told}"
    );
    let wrong = json!({"name": "people", "dryRun": "yes"});
    assert_eq!(ask(app, "hris", "", Some(wrong)).await.0, 400);
    // What is not there is told when it is looked for.
    let failed = done(app, json!({"name": "nothing"})).await;
    assert_eq!(failed["state"], "failed");
    assert!(
        failed["reason"].as_str().unwrap().contains("nothing.csv"),
        "{failed}"
    );
    // One at a time.
    assert_eq!(ask(app, "hris", "", order()).await.0, 202);
    let (status, told) = ask(app, "hris", "", order()).await;
    assert_eq!(status, 409, "{told}");
}

/// Rights to write decide, and no masking: of what is hidden an import tells nothing.
async fn who_may_write_everything_may_import(app: &App) {
    const POLICY: &str = r#"version: 1
systems:
  - { name: hris, kind: hris, owner: HR, verifiesEmail: true }
roles:
  people: [{ types: [Person, User], rights: [read, search, write] }]
  names: [{ types: [Person, User], rights: [read, search] }, { types: [Person, User], rights: [write], attributes: [displayName] }]
clients:
  - { name: hris, issuer: "ISSUER", match: { claim: azp, equals: hris }, tenant: default, system: hris, roles: [people] }
  - { name: idp, issuer: "ISSUER", match: { claim: azp, equals: idp }, tenant: default, system: hris, roles: [names] }
masking:
  - { attributes: [birthDate], openTo: [payroll], otherwise: omit }
"#;
    apply(app, POLICY);
    let (status, told) = ask(app, "idp", "", Some(json!({"name": "people"}))).await;
    assert_eq!(status, 403, "{told}");
    assert!(
        told["detail"]
            .as_str()
            .unwrap()
            .contains("may not write all"),
        "{told}"
    );
    let taken = done(app, json!({"name": "people"})).await;
    assert_eq!(taken["counts"]["created"], ROWS, "{taken}");
}

macro_rules! on_both {
    ($($case:ident),* $(,)?) => {
        $(mod $case {
            #[test]
            fn sqlite() {
                super::run(super::Engine::Sqlite, super::$case);
            }

            #[test]
            fn postgres() {
                super::run(super::Engine::Postgres, super::$case);
            }
        })*
    };
}

on_both!(
    a_client_has_an_extract_taken_in,
    who_may_not_import_is_told_why,
    who_may_write_everything_may_import,
);
