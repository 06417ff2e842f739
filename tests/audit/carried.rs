//! What goes along when a database is backed up, restored and copied, beside records and the log: policies, tokens and which of
//! them are revoked, sessions, open break-glass, answers that are kept, and another tenant (M-05, A-078, B-067).

use std::fs;

use actix_web::rt::System;
use serde_json::{Value, json};

use crate::support::process::{Process, free_port};
use crate::support::{Client, Database, Engine, PATIENCE, client, invariants, sign_in};

#[test]
fn all_that_clients_rely_on_goes_from_sqlite_to_postgres_and_back() {
    all_that_clients_rely_on_goes_along(Engine::Sqlite, Engine::Postgres);
}

#[test]
fn all_that_clients_rely_on_goes_from_postgres_to_sqlite_and_back() {
    all_that_clients_rely_on_goes_along(Engine::Postgres, Engine::Sqlite);
}

/// One address, whichever database is behind it.
struct Place {
    folder: String,
    config: String,
    origin: String,
    port: u16,
}

/// What a command says on standard output.
fn done(arguments: &[&str]) -> String {
    let output = Process::command(arguments);
    let error = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(0), "{arguments:?}: {error}");
    String::from_utf8(output.stdout).unwrap()
}

impl Place {
    fn new(database: &Database) -> Self {
        let port = free_port();
        let origin = format!("http://127.0.0.1:{port}");
        let folder = database.folder();
        let config = folder.join("muster.toml");
        let key = folder.join("issuer-key.pem");
        let text = format!(
            "[server]\npublic_url = \"{origin}/scim/v2\"\n\n[own_issuer]\nkey = \"{}\"\n",
            key.display()
        );
        fs::write(&config, text).unwrap();
        Self {
            folder: folder.to_str().unwrap().to_owned(),
            config: config.to_str().unwrap().to_owned(),
            origin,
            port,
        }
    }

    fn start(&self, database: &Database) -> Process {
        let more = ["--config", &self.config, "--database-url", database.url()];
        Process::start_at(self.folder.as_ref(), self.port, &more)
    }

    /// Runs a command on a database.
    fn run(&self, database: &Database, arguments: &[&str]) -> String {
        let place = [
            "--config",
            &self.config,
            "--data-dir",
            &self.folder,
            "--database-url",
            database.url(),
        ];
        done(&[arguments, &place].concat())
    }

    fn client(&self, token: &str) -> Client {
        let scim = format!("{}/scim/v2", self.origin);
        Client::new(client::http(), scim, Some(token.to_owned()))
    }

    /// Applies a policy by which `client` speaks for a tenant, in whose version `owner` stands.
    fn apply(&self, database: &Database, (tenant, clients): (&str, &[&str]), owner: &str) {
        let row = |name: &&str| {
            let (issuer, purposes) = (
                format!("{}/issuer", self.origin),
                if *name == "hris" { "payroll" } else { "" },
            );
            format!(
                "  - {{ name: {name}, issuer: \"{issuer}\", match: {{ claim: azp, equals: {name} }}, tenant: {tenant}, system: own, \
                     roles: [all], purposes: [{purposes}] }}\n"
            )
        };
        let clients: String = clients.iter().map(row).collect();
        let text = format!(
            "version: 1\nsystems:\n  - {{ name: own, kind: hris, owner: {owner} }}\nroles:\n  all: [{{ types: [\"*\"], rights: [read, \
             search, write, delete] }}]\nclients:\n{clients}masking:\n  - {{ attributes: [birthDate], openTo: [payroll], otherwise: omit }}\n"
        );
        let file = format!("{}/policy.yaml", self.folder);
        fs::write(&file, text).unwrap();
        self.run(
            database,
            &[
                "policy", "apply", &file, "--tenant", tenant, "--reason", owner,
            ],
        );
    }

    fn token(&self, database: &Database, (tenant, client): (&str, &str)) -> String {
        let issue = [
            "token", "issue", "--client", client, "--tenant", tenant, "--days", "30", "--actor",
            "kim",
        ];
        self.run(database, &issue).trim().to_owned()
    }
}

/// What was there before the copy, and has to be after it.
struct Kept {
    good: Client,
    revoked: Client,
    foreign: Client,
    cookie: String,
    id: String,
    told: [String; 4],
}

fn person() -> Value {
    json!({"displayName": "Ada", "birthDate": "1985-12-10"})
}

/// What the commands tell of it.
fn told(place: &Place, database: &Database) -> [String; 4] {
    [
        place.run(database, &["policy", "history"]),
        place.run(database, &["policy", "show", "--version", "1"]),
        place.run(database, &["token", "list"]),
        place.run(database, &["break-glass", "list"]),
    ]
}

/// Waits until a token is taken, or not taken any more.
async fn until(client: &Client, status: u16) {
    let since = std::time::Instant::now();
    while client.get("/Persons").await.status != status {
        assert!(since.elapsed() < PATIENCE, "not {status}");
        actix_web::rt::time::sleep(std::time::Duration::from_millis(50)).await;
    }
}

/// A database in use.
async fn populate(place: &Place, database: &Database) -> Kept {
    let cookie = sign_in::cookie(&client::http(), &place.origin, "hris").await;
    place.apply(database, ("default", &["hris", "idp"]), "HR");
    place.apply(database, ("default", &["hris", "idp"]), "People");
    place.apply(database, ("other", &["foreign"]), "IT");
    let good = place.client(&place.token(database, ("default", "idp")));
    let foreign = place.client(&place.token(database, ("other", "foreign")));
    let revoked = place.client(&place.token(database, ("default", "hris")));
    until(&revoked, 200).await;
    let made = revoked.create("/Persons", person()).await;
    place.run(
        database,
        &["token", "revoke", "--client", "hris", "--actor", "kim"],
    );
    until(&revoked, 401).await;
    until(&good, 200).await;
    until(&foreign, 200).await;
    foreign
        .create("/Persons", json!({"displayName": "Bo"}))
        .await;
    let first = good
        .keyed("once")
        .post("/Persons", json!({"displayName": "Eve"}))
        .await;
    first.ok(201);
    let ask = "break-glass request --client idp --purpose payroll --minutes 30 --reason incident --actor sam";
    let ask: Vec<&str> = ask.split(' ').collect();
    let glass = place.run(database, &ask);
    place.run(
        database,
        &["break-glass", "approve", glass.trim(), "--actor", "kim"],
    );
    let id = made["id"].as_str().unwrap().to_owned();
    let told = told(place, database);
    let kept = Kept {
        good,
        revoked,
        foreign,
        cookie,
        id,
        told,
    };
    let since = std::time::Instant::now();
    while kept
        .good
        .get(&format!("/Persons/{}", kept.id))
        .await
        .ok(200)
        .get("birthDate")
        .is_none()
    {
        assert!(since.elapsed() < PATIENCE, "the glass is not open");
        actix_web::rt::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    relied_on(place, &kept).await;
    kept
}

/// What clients rely on, whichever database they are served from.
async fn relied_on(place: &Place, kept: &Kept) {
    let path = format!("/Persons/{}", kept.id);
    // The policy in force, its masking, and the purpose that is open for a while.
    assert_eq!(
        kept.good.get(&path).await.ok(200)["birthDate"],
        "1985-12-10"
    );
    kept.revoked.get(&path).await.refused(401, "");
    // The other tenant has its own.
    assert_eq!(
        kept.foreign.get("/Persons").await.ok(200)["totalResults"],
        1
    );
    kept.foreign.get(&path).await.refused(404, "");
    let again = kept
        .good
        .keyed("once")
        .post("/Persons", json!({"displayName": "Eve"}))
        .await;
    assert!(again.is_replayed() && again.status == 201, "{}", again.text);
    assert_eq!(kept.good.get("/Persons").await.ok(200)["totalResults"], 2);
    let page = sign_in::me(&client::http(), &place.origin, &kept.cookie).await;
    assert!(page.is_some_and(|page| page.contains("with the rights of hris")));
}

fn all_that_clients_rely_on_goes_along(one: Engine, other: Engine) {
    let database = Database::fresh(one);
    let (there, back) = (Database::empty(other), Database::empty(one));
    let place = Place::new(&database);
    let server = place.start(&database);
    let kept = System::new().block_on(populate(&place, &database));
    server.kill();
    let file = format!("{}/backup.db", place.folder);
    place.run(&database, &["backup", "make", &file]);
    place.run(&there, &["backup", "restore", &file]);
    done(&["copy", "--from", there.url(), "--to", back.url()]);
    for copy in [&there, &back] {
        let said = place.run(copy, &["audit", "verify"]);
        assert_eq!(said.matches(" events, as sealed").count(), 2, "{said}");
        assert_eq!(told(&place, copy), kept.told);
        let server = place.start(copy);
        System::new().block_on(relied_on(&place, &kept));
        // And what is closed there is closed.
        let glass = kept.told[3].split_whitespace().next().unwrap();
        place.run(copy, &["break-glass", "end", glass, "--actor", "kim"]);
        server.kill();
        let said = place.run(copy, &["audit", "verify"]);
        assert_eq!(said.matches(" events, as sealed").count(), 2, "{said}");
        invariants::check(&mut copy.connect());
    }
    for database in [there, back, database] {
        database.forget();
    }
}
