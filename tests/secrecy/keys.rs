//! The key-encryption key.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use muster::cli::serve::{Running, Serve, start};
use muster::clock::SystemClock;
use muster::config::{KeySource, Keys};
use muster::domain::log::head::Key;
use muster::id::RandomIds;
use muster::secret::Secret;
use serde_json::json;

use super::{done, refused, write};
use crate::support::database::scratch_folder;
use crate::support::{Client, Database, Engine, client, keep_issuer_key};

/// A server on a database, with the keys in these files: the first is current.
fn serve(database: &Database, keys: &[&str]) -> Result<Running, String> {
    keep_issuer_key(database.folder());
    let source = |name: &&str| KeySource::File(database.folder().join(name));
    let mut sources = keys.iter().map(source);
    let mut serve = Serve::dev(database.folder().to_owned());
    serve.config.server.database_url = Some(Secret::new(database.url()));
    serve.config.keys = Some(Keys {
        key_encryption_key: sources.next().expect("a key"),
        previous: sources.collect(),
        sqlite_key: None,
    });
    start(serve, Arc::new(SystemClock), Arc::new(RandomIds)).map_err(|failure| {
        assert_eq!(failure.code(), 1, "{failure}");
        failure.to_string()
    })
}

/// A configuration file with keys.
fn configuration(database: &Database, keys: &str) -> String {
    let text = format!(
        "[server]\ndatabase_url = \"{}\"\n\n[keys]\n{keys}\n",
        database.url()
    );
    let path = write(database.folder(), "muster.toml", &text);
    path.display().to_string()
}

fn generate(folder: &Path, name: &str) {
    write(folder, name, &done(&["keys", "generate"]));
}

/// Makes a person who is called this, over HTTP; the id.
fn create(running: &Running, name: &str) -> String {
    create_at(running, "/Persons", name)
}

fn create_at(running: &Running, endpoint: &str, name: &str) -> String {
    actix_web::rt::System::new().block_on(async {
        let http = client::http();
        let origin = format!("http://{}", running.address);
        let token = client::token(&http, &origin, "hris").await;
        let hris = Client::new(http, format!("{origin}/scim/v2"), Some(token));
        let made = hris.create(endpoint, json!({"displayName": name})).await;
        made["id"].as_str().expect("an id").to_owned()
    })
}

/// The names that the log tells of.
fn told(running: &Running) -> Vec<String> {
    let events = running.service().events(0, 1000).expect("the log opens");
    let names = events.iter().flat_map(|(_, event)| {
        let changes = event["changes"].as_array().cloned().unwrap_or_default();
        changes
            .into_iter()
            .filter(|change| change["path"] == "displayName")
    });
    names
        .map(|change| change["new"].as_str().expect("a name").to_owned())
        .collect()
}

/// All that a refused start could have changed.
fn content(database: &Database) -> Vec<String> {
    let mut connection = database.connect();
    let tables = [
        "SELECT name || cast(length(value) AS text) AS t FROM setting ORDER BY name",
        "SELECT kek AS t FROM tenant_key ORDER BY tenant",
        "SELECT cast(seq AS text) || type AS t FROM event ORDER BY seq",
        "SELECT cast(version AS text) || document AS t FROM resource ORDER BY id",
        "SELECT cast(count(*) AS text) AS t FROM person_key",
        "SELECT name AS t FROM tenant ORDER BY id",
    ];
    tables
        .iter()
        .flat_map(|sql| connection.texts(sql))
        .collect()
}

/// Makes two tests of each named function, one on each database.
macro_rules! on_both {
    ($($case:ident),* $(,)?) => {
        $(mod $case {
            use crate::support::{Database, Engine};

            #[test]
            fn sqlite() {
                let database = Database::fresh(Engine::Sqlite);
                super::$case(&database);
                database.forget();
            }

            #[test]
            fn postgres() {
                let database = Database::fresh(Engine::Postgres);
                super::$case(&database);
                database.forget();
            }
        })*
    };
}

on_both!(
    a_wrong_key_opens_nothing_and_loses_nothing,
    a_new_key_takes_the_old_ones_place_while_servers_run,
    events_are_readable_with_the_key_alone,
    a_body_that_was_moved_does_not_open,
    the_installations_own_keys_are_sealed_too,
);

fn a_wrong_key_opens_nothing_and_loses_nothing(database: &Database) {
    generate(database.folder(), "right");
    generate(database.folder(), "wrong");
    let running = serve(database, &["right"]).unwrap();
    create(&running, "Ada");
    running.stop().unwrap();
    let before = content(database);
    let file = database.folder().join("muster.db");
    let bytes = || (database.engine() == Engine::Sqlite).then(|| fs::read(&file).unwrap());
    let whole = bytes();

    let said = serve(database, &["wrong"]).err().expect("it is refused");
    assert!(said.contains("key-encryption key"), "{said}");
    assert!(said.contains("nothing was changed"), "{said}");
    let config = configuration(database, "key_encryption_key = { file = \"/nowhere/kek\" }");
    let said = refused(1, &["events", "--config", &config]);
    assert!(said.contains("/nowhere/kek"), "{said}");
    let short = write(database.folder(), "short", "c2hvcnQ=\n");
    let config = configuration(
        database,
        &format!("key_encryption_key = {{ file = \"{}\" }}", short.display()),
    );
    let said = refused(1, &["events", "--config", &config]);
    assert!(
        said.contains("32 bytes") && !said.contains("c2hvcnQ"),
        "{said}"
    );

    // None at all is no other one.
    let text = format!(
        "[server]\ndatabase_url = \"{}\"\n\n[[issuer]]\nurl = \"https://login.example.com\"\naudience = \"muster\"\n",
        database.url()
    );
    let config = write(database.folder(), "without.toml", &text);
    let config = config.display().to_string();
    for command in [
        &["serve", "--port", "0"][..],
        &["events"],
        &["audit", "verify"],
    ] {
        let said = refused(1, &[command, &["--config", &config]].concat());
        assert!(said.contains("muster keys generate"), "{said}");
    }

    assert_eq!(content(database), before);
    assert_eq!(bytes(), whole, "the file is as it was");
    let running = serve(database, &["right"]).unwrap();
    create(&running, "Grace");
    assert_eq!(told(&running), ["Ada", "Grace"]);
}

fn a_new_key_takes_the_old_ones_place_while_servers_run(database: &Database) {
    generate(database.folder(), "old");
    generate(database.folder(), "new");
    let running = serve(database, &["old"]).unwrap();
    create(&running, "Ada");
    let path = |name| database.folder().join(name).display().to_string();
    let keys = format!(
        "key_encryption_key = {{ file = \"{}\" }}\nprevious = [{{ file = \"{}\" }}]",
        path("new"),
        path("old")
    );
    let config = configuration(database, &keys);
    let rotate = || done(&["keys", "rotate", "--config", &config]);
    let first = rotate();
    assert!(first.starts_with("1 tenant key newly encrypted"), "{first}");
    let second = rotate();
    assert!(second.starts_with("0 tenant keys"), "{second}");

    // Who runs goes on, and makes no key that the new key-encryption key would not open.
    create(&running, "Grace");
    let said = running.service().tenant("another").unwrap_err().to_string();
    assert!(said.contains("has been replaced"), "{said}");
    running.stop().unwrap();
    let said = serve(database, &["old"])
        .err()
        .expect("the old one is of no use");
    assert!(said.contains("key-encryption key"), "{said}");
    let running = serve(database, &["new"]).unwrap();
    running.service().tenant("another").unwrap();
    create(&running, "Mary");
    assert_eq!(told(&running), ["Ada", "Grace", "Mary"]);
}

/// Who has the database alone cannot sign a head of the log, nor make a cursor.
fn the_installations_own_keys_are_sealed_too(database: &Database) {
    let own = "SELECT name || ' ' || cast(length(value) AS text) AS t FROM setting WHERE name LIKE '%-key' ORDER BY name";
    let sealed = ["cursor-key 76", "etag-key 76", "log-key 76"];
    generate(database.folder(), "old");
    generate(database.folder(), "new");
    // As releases before this one kept it.
    let hex = "07".repeat(32);
    let bytes = match database.engine() {
        Engine::Sqlite => format!("x'{hex}'"),
        Engine::Postgres => format!("decode('{hex}', 'hex')"),
    };
    let mut connection = database.connect();
    connection.run(&format!(
        "INSERT INTO setting (name, value) VALUES ('log-key', {bytes})"
    ));
    let running = serve(database, &["old"]).unwrap();
    let public = running.service().log_key();
    running.stop().unwrap();
    let expected = Key::from_seed(&[7; 32]).unwrap();
    assert_eq!(
        public,
        expected.public(),
        "heads go on to be signed by the same key"
    );
    assert_eq!(connection.texts(own), sealed);

    let path = |name| database.folder().join(name).display().to_string();
    let keys = format!(
        "key_encryption_key = {{ file = \"{}\" }}\nprevious = [{{ file = \"{}\" }}]",
        path("new"),
        path("old")
    );
    done(&[
        "keys",
        "rotate",
        "--config",
        &configuration(database, &keys),
    ]);
    let running = serve(database, &["new"]).unwrap();
    assert_eq!(running.service().log_key(), public);
    running.stop().unwrap();
    assert_eq!(connection.texts(own), sealed);
    assert!(serve(database, &["old"]).is_err());
}

fn events_are_readable_with_the_key_alone(database: &Database) {
    generate(database.folder(), "kek");
    let running = serve(database, &["kek"]).unwrap();
    create(&running, "Ada Lovelace");
    running.stop().unwrap();
    let kek = fs::read_to_string(database.folder().join("kek")).unwrap();
    let config = configuration(
        database,
        &format!(
            "key_encryption_key = {{ command = [\"echo\", \"{}\"] }}",
            kek.trim()
        ),
    );
    let printed = done(&["events", "--config", &config]);
    assert!(printed.contains("Ada Lovelace"), "{printed}");
    let mut connection = database.connect();
    assert_eq!(
        connection.number("SELECT count(*) AS n FROM event WHERE format = 2"),
        1
    );
    assert_eq!(
        connection.number("SELECT count(*) AS n FROM event WHERE key_id LIKE 'p%'"),
        1
    );
}

/// What is sealed is bound to its place: by the tenant's key too it opens nowhere else.
fn a_body_that_was_moved_does_not_open(database: &Database) {
    generate(database.folder(), "kek");
    let running = serve(database, &["kek"]).unwrap();
    create_at(&running, "/Groups", "Crew");
    create_at(&running, "/Groups", "Team");
    running.stop().unwrap();
    let file = database.folder().join("kek");
    let keys = format!("key_encryption_key = {{ file = \"{}\" }}", file.display());
    let config = configuration(database, &keys);
    let before = done(&["events", "--config", &config]);
    assert!(
        before.contains("Crew") && before.contains("Team"),
        "{before}"
    );
    let mut connection = database.connect();
    connection.run(match database.engine() {
        Engine::Sqlite => "DROP TRIGGER event_is_never_updated",
        Engine::Postgres => "ALTER TABLE event DISABLE TRIGGER USER",
    });
    connection.run("CREATE TABLE moved AS SELECT seq, body FROM event");
    connection.run("UPDATE event SET body = (SELECT m.body FROM moved m WHERE m.seq <> event.seq)");
    let said = refused(1, &["events", "--config", &config]);
    assert!(!said.contains("Crew") && !said.contains("panic"), "{said}");
    connection.run("UPDATE event SET body = (SELECT m.body FROM moved m WHERE m.seq = event.seq)");
    connection.run("DROP TABLE moved");
    assert_eq!(done(&["events", "--config", &config]), before);
}

/// Two keys are two keys; each is what a configuration takes.
#[test]
fn a_key_is_generated() {
    let keys = [done(&["keys", "generate"]), done(&["keys", "generate"])];
    assert_ne!(keys[0], keys[1]);
    for key in keys {
        let source = KeySource::Command(vec!["echo".into(), key.trim().into()]);
        assert_eq!(source.read().unwrap().len(), 32);
    }
}

/// In production nobody guesses a key.
#[test]
fn without_a_key_a_server_says_how_to_make_one() {
    let database = Database::fresh(Engine::Sqlite);
    let text = "[[issuer]]\nurl = \"https://login.example.com\"\naudience = \"muster\"\n";
    let config = write(database.folder(), "muster.toml", text);
    let said = refused(
        1,
        &[
            "serve",
            "--port",
            "0",
            "--config",
            config.to_str().unwrap(),
            "--database-url",
            database.url(),
        ],
    );
    assert!(said.contains("muster keys generate"), "{said}");
    assert!(said.contains("[keys]"), "{said}");
    database.forget();
}

/// Asked for in vain, a whole file's encryption is no reason to go on in plain.
#[cfg(not(feature = "sqlcipher"))]
#[test]
fn a_build_without_sqlcipher_refuses_a_key_for_the_whole_file() {
    let folder = scratch_folder();
    let key = "ab".repeat(32);
    let text = format!(
        "[server]\ndata_dir = \"{}\"\n[keys]\nkey_encryption_key = {{ command = [\"printf\", \"{key}\"] }}\n\
         sqlite_key = {{ command = [\"printf\", \"{key}\"] }}\n",
        folder.display()
    );
    let path = write(&folder, "muster.toml", &text).display().to_string();
    let said = refused(1, &["serve", "--dev", "--port", "0", "--config", &path]);
    assert!(said.contains("`--features sqlcipher`"), "{said}");
    fs::remove_dir_all(folder).unwrap();
}
