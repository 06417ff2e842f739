//! Holds the house rules as data and names every line of `src` that breaks one: which ring may import which, where
//! the clock and randomness live, how long a file may be, what stands at the top of the repository.

#![allow(
    clippy::unwrap_used,
    reason = "a test that cannot go on says so by failing"
)]

#[path = "architecture/scan.rs"]
mod scan;
#[path = "architecture/self_tests.rs"]
mod self_tests;

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

use scan::{Token, arrows, test_items, tokens};

/// What each module of the crate may import (README, "The house"); `*` stands for all.
/// The crate's root (`lib.rs`) and `main.rs` only assemble, and are not in the table.
const IMPORTS: &[(&str, &str)] = &[
    ("id", ""),
    ("clock", ""),
    ("secret", ""),
    ("telemetry", ""),
    ("config", "secret"),
    ("scim", ""),
    ("domain", "scim id"),
    ("store", "domain scim id secret"),
    ("service", "store domain scim id clock secret config"),
    ("http", DOOR),
    ("intake", DOOR),
    ("delivery", DOOR),
    ("issuer", "id clock secret config"),
    ("cli", "*"),
];

/// A door reaches people through the service: never the store, never another door.
const DOOR: &str = "service domain scim id clock secret config telemetry";

/// Code that must not be written, and where it may be all the same.
struct Ban {
    /// Each is compared token by token.
    code: &'static [&'static str],
    why: &'static str,
    allowed_in: &'static [&'static str],
    allowed_in_tests: bool,
}

const BANS: &[Ban] = &[
    Ban {
        code: &[
            ".unwrap()",
            ".expect(",
            "panic!(",
            "todo!(",
            "unimplemented!(",
        ],
        why: "a failure is an error value",
        allowed_in: &[],
        allowed_in_tests: true,
    },
    Ban {
        code: &["println!", "eprintln!", "print!", "eprint!", "dbg!"],
        why: "only the command line writes to the terminal",
        allowed_in: &["src/cli/", "src/main.rs"],
        allowed_in_tests: true,
    },
    Ban {
        code: &["Utc::now", "Local::now", "SystemTime::now"],
        why: "time is a parameter (`Clock`)",
        allowed_in: &["src/clock.rs"],
        allowed_in_tests: false,
    },
    Ban {
        code: &[
            "rand::",
            "Uuid::new_v4",
            "Uuid::now_v7",
            "OsRng",
            "thread_rng",
        ],
        why: "randomness is a parameter (`IdSource`)",
        allowed_in: &["src/id.rs", "src/issuer/", "src/secret.rs", "src/secret/"],
        allowed_in_tests: false,
    },
];

const MOST_LINES: usize = 500;
/// Printed from the migrations, so its length is theirs.
const GENERATED: &str = "src/store/schema.rs";
const NAMELESS: &[&str] = &["utils", "util", "common", "helpers", "helper", "manager"];
const TOP_LEVEL: &str = "Cargo.toml Cargo.lock diesel.toml README.md LICENSE src migrations conformance tests \
    .ci .git .gitignore .gitattributes .editorconfig .rustfmt.toml .clippy.toml .cargo .config .github";

/// One source file: its path from the repository's root with forward slashes, and its text.
struct Source {
    path: String,
    text: String,
}

impl Source {
    /// The file's place in the module tree: `["store", "person"]` for `src/store/person.rs`.
    fn module(&self) -> Vec<&str> {
        let inner = self.path.trim_start_matches("src/").trim_end_matches(".rs");
        inner
            .split('/')
            .filter(|part| !matches!(*part, "mod" | "lib" | "main"))
            .collect()
    }

    fn is_test(&self) -> bool {
        self.path.ends_with("/tests.rs") || self.path.contains("/tests/")
    }

    /// Every broken rule, each with its line.
    fn offences(&self) -> Vec<String> {
        let tokens = tokens(&self.text);
        let mut found = self.shape();
        found.extend(self.imports(&tokens));
        found.extend(self.bans(&tokens));
        self.located(found)
    }

    /// Puts the path before each offence.
    fn located(&self, found: Vec<(usize, String)>) -> Vec<String> {
        let line = |(line, what)| format!("{}:{line}: {what}", self.path);
        found.into_iter().map(line).collect()
    }

    fn shape(&self) -> Vec<(usize, String)> {
        let mut found = Vec::new();
        let lines = self.text.lines().count();
        if lines > MOST_LINES && self.path != GENERATED {
            found.push((
                lines,
                format!("has {lines} lines; {MOST_LINES} are the most"),
            ));
        }
        if !self.text.starts_with("//!") && !self.text.starts_with("#![doc") {
            found.push((1, "does not open with `//!`".to_owned()));
        }
        if let Some(name) = self
            .path
            .split('/')
            .map(|part| part.trim_end_matches(".rs"))
            .find(|n| NAMELESS.contains(n))
        {
            found.push((
                1,
                format!("a module named `{name}` says nothing of what is in it"),
            ));
        }
        found
    }

    /// The arrows that the table does not allow.
    fn imports(&self, tokens: &[Token]) -> Vec<(usize, String)> {
        let module = self.module();
        let Some(from) = module.first() else {
            return Vec::new();
        };
        let Some((_, allowed)) = IMPORTS.iter().find(|(name, _)| name == from) else {
            return vec![(
                1,
                format!("the module `{from}` is not in the table of imports"),
            )];
        };
        let known = |name: &str| IMPORTS.iter().any(|(module, _)| *module == name);
        let mut found = Vec::new();
        for (line, to) in arrows(tokens, module.len()) {
            if to == *from || allows(allowed, &to) {
                continue;
            }
            let what = if known(&to) {
                "must not import"
            } else {
                "imports something that is no module:"
            };
            found.push((line, format!("`{from}` {what} `{to}`")));
        }
        found
    }

    fn bans(&self, tokens: &[Token]) -> Vec<(usize, String)> {
        let tests = if self.is_test() {
            vec![true; tokens.len()]
        } else {
            test_items(tokens)
        };
        let mut found = Vec::new();
        for ban in BANS {
            if ban
                .allowed_in
                .iter()
                .any(|path| self.path.starts_with(path))
            {
                continue;
            }
            for code in ban.code {
                let banned = scan::tokens(code);
                for (at, window) in tokens.windows(banned.len()).enumerate() {
                    let same = window.iter().zip(&banned).all(|(a, b)| a.text == b.text);
                    if same && !(ban.allowed_in_tests && tests[at]) {
                        found.push((window[0].line, format!("`{code}`: {}", ban.why)));
                    }
                }
            }
        }
        found
    }
}

/// Whether a row of the table allows an arrow to this module.
fn allows(row: &str, to: &str) -> bool {
    row.split(' ').any(|name| name == "*" || name == to)
}

fn root() -> PathBuf {
    PathBuf::from(std::env::var("CARGO_MANIFEST_DIR").unwrap_or_else(|_| ".".to_owned()))
}

/// Every Rust file under a folder of the repository.
fn sources(folder: &str) -> Vec<Source> {
    let mut found = Vec::new();
    let mut folders = vec![root().join(folder)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let name = path
                    .strip_prefix(root())
                    .unwrap()
                    .to_string_lossy()
                    .replace('\\', "/");
                found.push(Source {
                    path: name,
                    text: fs::read_to_string(&path).unwrap(),
                });
            }
        }
    }
    found.sort_by(|a, b| a.path.cmp(&b.path));
    found
}

/// Fails with one line for each offence.
fn assert_none(offences: &[String]) {
    assert!(
        offences.is_empty(),
        "{} broken rules:\n{}\n",
        offences.len(),
        offences.join("\n")
    );
}

#[test]
fn every_source_file_keeps_the_house_rules() {
    let sources = sources("src");
    assert!(
        sources.len() > 10,
        "found only {} source files",
        sources.len()
    );
    let mut lengths: Vec<usize> = sources
        .iter()
        .map(|file| file.text.lines().count())
        .collect();
    lengths.sort_unstable();
    let median = lengths[lengths.len() / 2];
    println!(
        "{} files in src, median {median} lines (aim 150, at most 200)",
        lengths.len()
    );
    assert_none(
        &sources
            .iter()
            .flat_map(Source::offences)
            .collect::<Vec<_>>(),
    );
}

#[test]
fn test_files_are_short_and_say_what_they_are_about() {
    let sources = sources("tests");
    let offences = sources.iter().flat_map(|file| file.located(file.shape()));
    assert_none(&offences.collect::<Vec<_>>());
}

#[test]
fn the_top_of_the_repository_holds_only_what_belongs_there() {
    let ignored = fs::read_to_string(root().join(".gitignore")).unwrap();
    let ignored: Vec<&str> = ignored
        .lines()
        .map(|line| line.trim().trim_matches('/'))
        .collect();
    let names = fs::read_dir(root())
        .unwrap()
        .map(|entry| entry.unwrap().file_name());
    let strangers = names
        .map(|name| name.to_string_lossy().into_owned())
        .filter(|name| !allows(TOP_LEVEL, name) && !ignored.contains(&name.as_str()))
        .map(|name| format!("{name}: does not belong at the top of the repository"));
    assert_none(&strangers.collect::<Vec<_>>());
}

#[test]
fn the_table_has_no_cycle() {
    let mut settled: BTreeSet<&str> = BTreeSet::from(["*", ""]);
    for _ in IMPORTS {
        let ready = |row: &str| row.split(' ').all(|to| settled.contains(to));
        let next: Vec<&str> = IMPORTS
            .iter()
            .filter(|row| ready(row.1))
            .map(|row| row.0)
            .collect();
        settled.extend(next);
    }
    let stuck: Vec<_> = IMPORTS
        .iter()
        .filter(|row| !settled.contains(row.0))
        .collect();
    assert!(stuck.is_empty(), "these import each other: {stuck:?}");
}
