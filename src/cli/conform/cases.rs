//! The cases of `conformance/`, built into the binary, so that any server can be tried with nothing but it.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use crate::cli::Failure;

/// A file with its name.
macro_rules! embedded {
    ($name:literal) => {
        (
            $name,
            include_str!(concat!("../../../conformance/", $name, ".json")),
        )
    };
}

/// The files, each by its name under `conformance/`. A test compares this with the folder.
const FILES: &[(&str, &str)] = &[
    embedded!("always"),
    embedded!("clients/entra"),
    embedded!("clients/okta"),
    embedded!("clients/onelogin"),
    embedded!("clients/others"),
    embedded!("clients/sailpoint"),
    embedded!("clients/strict"),
    embedded!("exchanges/bulk"),
    embedded!("exchanges/create"),
    embedded!("exchanges/cursors"),
    embedded!("exchanges/delete"),
    embedded!("exchanges/discovery"),
    embedded!("exchanges/errors"),
    embedded!("exchanges/etags"),
    embedded!("exchanges/me"),
    embedded!("exchanges/paging"),
    embedded!("exchanges/patch"),
    embedded!("exchanges/projection"),
    embedded!("exchanges/replace"),
    embedded!("exchanges/retrieve"),
    embedded!("exchanges/search"),
    embedded!("exchanges/sort"),
    embedded!("filters/invalid"),
    embedded!("filters/valid"),
    embedded!("patches/add"),
    embedded!("patches/clients"),
    embedded!("patches/remove"),
    embedded!("patches/replace"),
];

/// One thing that a server must do.
#[derive(Clone, Debug)]
pub(super) struct Case {
    /// The file it is from: `exchanges/create`.
    pub(super) file: &'static str,
    /// A sentence; for a filter the filter itself.
    pub(super) name: String,
    /// What it stands on: `RFC 7644 §3.3`.
    pub(super) clause: String,
    /// For which profiles it holds; none stands for `rfc`.
    pub(super) profiles: Vec<String>,
    /// What the server must offer for it to apply: `bulk`, `Group`, `/Me`.
    pub(super) needs: Vec<String>,
    /// What is done.
    pub(super) what: What,
}

/// What a case does.
#[derive(Clone, Debug)]
pub(super) enum What {
    /// Requests, one after the other.
    Story(Vec<Step>),
    /// A filter on Users, and whether it is one.
    Filter { valid: bool },
    /// One PATCH of one User.
    Patch(Patch),
    /// Something that holds of every answer, known by a keyword.
    Rule(String),
}

/// One request of a story, and what must come back.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Step {
    /// What happens, for the reader of a failure.
    #[serde(default)]
    pub(super) when: String,
    pub(super) send: Send,
    #[serde(default)]
    pub(super) expect: Expect,
    /// Values of the answer that later steps name: a JSON pointer, or `header:Location`.
    #[serde(default)]
    pub(super) keep: BTreeMap<String, String>,
}

/// The request of a step.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Send {
    pub(super) method: String,
    pub(super) path: String,
    #[serde(default)]
    pub(super) headers: BTreeMap<String, String>,
    /// The body as JSON,
    #[serde(default)]
    pub(super) body: Option<Value>,
    /// or as it is.
    #[serde(default)]
    pub(super) text: Option<String>,
}

/// What must come back.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Expect {
    /// A status code or several; none stands for any of 2xx.
    #[serde(default)]
    pub(super) status: Option<Statuses>,
    /// How the headers begin; `$any` and `$absent` too.
    #[serde(default)]
    pub(super) headers: BTreeMap<String, String>,
    /// What the body holds at least.
    #[serde(default)]
    pub(super) body: Option<Value>,
    /// What a place in the body holds, by JSON pointer.
    #[serde(default)]
    pub(super) at: BTreeMap<String, Value>,
    /// What a place in the body (or `header:ETag`) must not hold.
    #[serde(default)]
    pub(super) differs: BTreeMap<String, Value>,
    /// Attributes, or JSON pointers, that must have no value.
    #[serde(default)]
    pub(super) absent: Vec<String>,
}

/// One status code or several.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub(super) enum Statuses {
    One(u16),
    Any(Vec<u16>),
}

impl Statuses {
    pub(super) fn all(&self) -> &[u16] {
        match self {
            Self::One(status) => std::slice::from_ref(status),
            Self::Any(statuses) => statuses,
        }
    }
}

/// One PATCH: the User before, and the User after or the error.
#[derive(Clone, Debug)]
pub(super) struct Patch {
    pub(super) before: Value,
    pub(super) operations: Value,
    pub(super) after: Result<Value, String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct StoryEntry {
    name: String,
    clause: String,
    #[serde(default)]
    profile: Profiles,
    #[serde(default)]
    needs: Vec<String>,
    steps: Vec<Step>,
}

#[derive(Default, Deserialize)]
#[serde(untagged)]
enum Profiles {
    #[default]
    Default,
    One(String),
    Any(Vec<String>),
}

impl Profiles {
    fn all(self) -> Vec<String> {
        match self {
            Self::Default => Vec::new(),
            Self::One(name) => vec![name],
            Self::Any(names) => names,
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FilterEntry {
    filter: String,
    #[serde(default, rename = "reason")]
    _reason: String,
    #[serde(default)]
    profile: Profiles,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PatchEntry {
    name: String,
    clause: String,
    #[serde(default)]
    profile: Profiles,
    before: Value,
    operations: Value,
    after: Option<Value>,
    error: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RuleEntry {
    name: String,
    clause: String,
    rule: String,
}

/// All cases, file after file.
pub(super) fn all() -> Result<Vec<Case>, Failure> {
    let mut cases = Vec::new();
    for (file, text) in FILES {
        let found = read(file, text)
            .map_err(|error| Failure::run(format!("conformance/{file}.json: {error}")))?;
        cases.extend(found);
    }
    Ok(cases)
}

fn read(file: &'static str, text: &str) -> serde_json::Result<Vec<Case>> {
    match file.split('/').next() {
        Some("filters") => filters(file, text),
        Some("patches") => patches(file, text),
        Some("always") => rules(file, text),
        _ => stories(file, text),
    }
}

fn stories(file: &'static str, text: &str) -> serde_json::Result<Vec<Case>> {
    let entries: Vec<StoryEntry> = serde_json::from_str(text)?;
    let case = |entry: StoryEntry| Case {
        file,
        name: entry.name,
        clause: entry.clause,
        profiles: entry.profile.all(),
        needs: entry.needs,
        what: What::Story(entry.steps),
    };
    Ok(entries.into_iter().map(case).collect())
}

fn filters(file: &'static str, text: &str) -> serde_json::Result<Vec<Case>> {
    let entries: Vec<FilterEntry> = serde_json::from_str(text)?;
    let case = |entry: FilterEntry| Case {
        file,
        name: entry.filter,
        clause: "RFC 7644 §3.4.2.2".into(),
        profiles: entry.profile.all(),
        needs: vec!["filter".into()],
        what: What::Filter {
            valid: file == "filters/valid",
        },
    };
    Ok(entries.into_iter().map(case).collect())
}

fn patches(file: &'static str, text: &str) -> serde_json::Result<Vec<Case>> {
    let entries: Vec<PatchEntry> = serde_json::from_str(text)?;
    let case = |entry: PatchEntry| Case {
        file,
        name: entry.name,
        clause: entry.clause,
        profiles: entry.profile.all(),
        needs: vec!["patch".into()],
        what: What::Patch(Patch {
            before: entry.before,
            operations: entry.operations,
            after: entry.after.ok_or_else(|| entry.error.unwrap_or_default()),
        }),
    };
    Ok(entries.into_iter().map(case).collect())
}

fn rules(file: &'static str, text: &str) -> serde_json::Result<Vec<Case>> {
    let entries: Vec<RuleEntry> = serde_json::from_str(text)?;
    let case = |entry: RuleEntry| Case {
        file,
        name: entry.name,
        clause: entry.clause,
        profiles: vec!["*".into()],
        needs: Vec::new(),
        what: What::Rule(entry.rule),
    };
    Ok(entries.into_iter().map(case).collect())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::fs;
    use std::path::Path;

    use super::{FILES, What, all};
    use crate::cli::conform::rules;

    #[test]
    fn every_file_of_the_folder_is_built_in() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("conformance");
        let mut found = BTreeSet::from(["always".to_owned()]);
        for kind in ["exchanges", "clients", "filters", "patches"] {
            for entry in fs::read_dir(folder.join(kind)).into_iter().flatten() {
                let path = entry.unwrap().path();
                let name = path.file_stem().unwrap().to_str().unwrap();
                found.insert(format!("{kind}/{name}"));
            }
        }
        let built_in: BTreeSet<String> = FILES.iter().map(|(file, _)| (*file).into()).collect();
        assert_eq!(found, built_in);
    }

    #[test]
    fn every_case_can_be_read_and_has_a_name_of_its_own() {
        let mut names = BTreeSet::new();
        for case in all().unwrap() {
            let name = (case.file, case.name.clone());
            assert!(
                names.insert(name),
                "{}: '{}' is there twice",
                case.file,
                case.name
            );
            if let What::Rule(keyword) = &case.what {
                assert!(
                    rules::named(keyword).is_some(),
                    "no rule is called {keyword}"
                );
            }
        }
    }
}
