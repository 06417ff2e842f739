//! Extracts taken in by mapping files, and compared with what is held: the real binary beside a running server, on both
//! databases.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on says so by failing"
)]
#![allow(clippy::too_many_lines, reason = "a story is told in one piece")]

#[path = "../support/mod.rs"]
mod support;

mod afternoon;
mod bad_input;
mod import;
mod jobs;
mod mapping;
mod outbound;
mod reconcile;

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use support::App;

/// A mapping of a small CSV file.
pub(crate) const SMALL: &str = "system: hris
format: csv
resourceType: Person
externalId: id
claims:
  - { from: given, to: name.givenName }
  - { from: family, to: name.familyName }
  - { from: mail, to: 'emails[type eq \"work\"].value' }
  - { from: born, to: birthDate, with: date }
  - { from: title, to: 'urn:muster:scim:schemas:extension:1.0:Employee:jobTitle', empty: clear }
";

/// The same with the source's time.
pub(crate) fn timed() -> String {
    SMALL.replace("claims:", "at: at\nclaims:")
}

/// A command of the binary on the application's database: not started yet.
pub(crate) fn command(app: &App, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_muster"));
    command
        .args(arguments)
        .env("MUSTER_DATABASE_URL", app.database.url())
        .env("MUSTER_DATA_DIR", app.database.folder())
        .env_remove("RUST_LOG");
    command
}

/// What a command said, and its exit code.
pub(crate) struct Told {
    pub(crate) code: i32,
    pub(crate) text: String,
}

pub(crate) fn told(output: &Output) -> Told {
    let text = String::from_utf8_lossy(&output.stdout).into_owned()
        + &String::from_utf8_lossy(&output.stderr);
    let code = output.status.code().expect("it was not killed");
    Told { code, text }
}

/// Keeps a file beside the application's database; its path.
pub(crate) fn keep(app: &App, name: &str, text: impl AsRef<[u8]>) -> String {
    let path = app.database.folder().join(name);
    fs::write(&path, text).unwrap();
    path.to_str().unwrap().to_owned()
}

/// `muster import` of a text by a mapping.
pub(crate) fn import(
    app: &App,
    (map, name): (&str, &str),
    text: impl AsRef<[u8]>,
    more: &[&str],
) -> Told {
    let map = keep(app, "map.yaml", map);
    let file = keep(app, name, text);
    let arguments = [&["import", "--system", "hris", "--map", &map, &file], more].concat();
    told(&command(app, &arguments).output().unwrap())
}

/// `muster import` of one of the shipped extracts by the shipped mapping; what it said, and its rejects.
pub(crate) fn import_shipped(app: &App, system: &str, file: &str) -> (Told, String) {
    let (map, file) = (shipped(&format!("{system}.yaml")), shipped(file));
    let rejects = keep(app, &format!("{system}.rejects"), "");
    let arguments = [
        "import",
        "--system",
        system,
        "--map",
        &map,
        &file,
        "--rejects",
        &rejects,
    ];
    let told = told(&command(app, &arguments).output().unwrap());
    (told, fs::read_to_string(rejects).unwrap())
}

/// The rejects of an import, its head left out.
pub(crate) fn rejects(app: &App, name: &str) -> Vec<String> {
    let path = app.database.folder().join(format!("{name}.rejects.csv"));
    let text = fs::read_to_string(path).unwrap_or_default();
    text.lines().skip(1).map(str::to_owned).collect()
}

/// Everybody, without what differs from database to database: ids, times and versions.
pub(crate) async fn everybody(app: &App) -> Vec<String> {
    let hris = app.client("hris").await;
    let mut all = Vec::new();
    loop {
        let path = format!("/Persons?startIndex={}&count=1000", all.len() + 1);
        let page = hris.get(&path).await.ok(200).clone();
        let resources = page["Resources"].as_array().cloned().unwrap_or_default();
        if resources.is_empty() {
            break;
        }
        for mut person in resources {
            let fields = person.as_object_mut().unwrap();
            fields.remove("id");
            fields.remove("meta");
            all.push(person.to_string());
        }
    }
    all.sort();
    all
}

/// A file of the repository.
pub(crate) fn shipped(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("conformance/mappings")
        .join(name);
    path.to_str().unwrap().to_owned()
}
