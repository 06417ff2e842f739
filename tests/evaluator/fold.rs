//! The golden record is a function of what the sources say: of all of it, and of nothing else (design §3).

use std::sync::LazyLock;

use chrono::{DateTime, TimeDelta, Utc};
use muster::domain::access::Classified;
use muster::domain::catalog::Catalog;
use muster::domain::claim::{SourceRecord, Stamp};
use muster::domain::fold::Rules;
use muster::domain::policy;
use muster::domain::record::{Kind, Leaves};
use muster::domain::survivorship::Survivorship;
use muster::domain::view::View;
use muster::domain::writing::Terms;
use muster::id::{IdSource, SeededIds};
use muster::scim::Map;
use muster::scim::patch::parse;
use muster::scim::profile::Profile;
use muster::scim::receive::{Purpose, receive};
use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use serde_json::{Value, json};

use super::documents::{Body, bodies, focus};

static CATALOG: LazyLock<Catalog> = LazyLock::new(|| Catalog::load().unwrap());

/// No rules: the newest claim wins.
static LAWLESS: LazyLock<Survivorship> = LazyLock::new(Survivorship::default);

/// A master, an order, a union and a size.
static LAWFUL: LazyLock<Survivorship> = LazyLock::new(|| {
    let text = "
version: 1
systems:
  - { name: ats, kind: ats, owner: A }
  - { name: idp, kind: idp, owner: I }
  - { name: hris, kind: hris, owner: H }
authority:
  - { domain: account, master: idp, covers: [User.userName, User.active], others: suggest }
  - { domain: job, master: hris, covers: [\"Person:Employee\", addresses], others: suggest }
survivorship:
  - { attributes: [name, nickName, ims], rule: sourcePriority, order: [hris, ats] }
  - { attributes: [emails, phoneNumbers], rule: union }
  - { attributes: [displayName], rule: longest }
  - { attributes: [photos], rule: mostComplete }
";
    let loaded = policy::load(text.as_bytes(), &CATALOG);
    let policy = loaded
        .policy
        .unwrap_or_else(|| panic!("{:?}", loaded.findings));
    Survivorship::of(&policy, &CATALOG)
});

/// One person, of whom systems speak one after another.
struct Person {
    ids: SeededIds,
    now: DateTime<Utc>,
    sources: Vec<SourceRecord>,
    laws: &'static Survivorship,
}

impl Person {
    fn of(words: &[Body]) -> Self {
        Self::under(&LAWLESS, words)
    }

    fn under(laws: &'static Survivorship, words: &[Body]) -> Self {
        let mut person = Self {
            laws,
            ids: SeededIds::new(3),
            now: "2026-11-22T09:00:00Z".parse().unwrap(),
            sources: Vec::new(),
        };
        for (n, word) in words
            .iter()
            .filter(|word| word.endpoint != "/Groups")
            .enumerate()
        {
            // Three systems, the first two of them at the same moment.
            let system = ["hris", "idp", "ats"][n % 3];
            person.now += TimeDelta::seconds(i64::from(n % 3 == 0));
            person.post(system, word.endpoint, &word.first);
            if let Some(then) = &word.then {
                person.put(system, word.endpoint, then);
            }
        }
        person
    }

    fn leaves(&self) -> Leaves {
        let rules = Rules {
            specs: CATALOG.specs(Kind::Person),
            classified: &Classified::default(),
            rulings: self.laws.on(Kind::Person),
        };
        rules.fold(&self.sources)
    }

    fn stamp(&self) -> Stamp {
        Stamp {
            at: self.now,
            event: self.ids.event(self.now),
            told: false,
        }
    }

    fn terms<'a>(&self, view: &'a View) -> Terms<'a> {
        Terms {
            view,
            specs: CATALOG.specs(view.kind),
            rulings: self.laws.on(view.kind),
            hides: &|_, _| false,
            veils: &|_, _, _| false,
            in_part: &|_| false,
            stamp: self.stamp(),
        }
    }

    /// Takes a system's own record out of the others; put back at the end.
    fn take(&mut self, system: &str) -> SourceRecord {
        let own = self
            .sources
            .iter()
            .position(|source| source.system == system);
        match own {
            Some(at) => self.sources.remove(at),
            None => SourceRecord::new(system, self.now),
        }
    }

    fn post(&mut self, system: &str, endpoint: &str, body: &Value) {
        let view = CATALOG.at(endpoint).unwrap();
        let Ok(received) = receive(
            &view.resource_type,
            map(body),
            Purpose::Create,
            Profile::Rfc,
        ) else {
            return;
        };
        let Ok(given) = view.read(&received.document, None) else {
            return;
        };
        let (terms, mut own) = (self.terms(view), self.take(system));
        terms.post(&given, &Leaves::new(), (&mut own, &[]));
        self.sources.push(own);
    }

    fn put(&mut self, system: &str, endpoint: &str, body: &Value) {
        let view = CATALOG.at(endpoint).unwrap();
        let Ok(received) = receive(
            &view.resource_type,
            map(body),
            Purpose::Replace,
            Profile::Rfc,
        ) else {
            return;
        };
        let folded = self.leaves();
        let Ok(given) = view.read(&received.document, Some(&folded)) else {
            return;
        };
        let (terms, mut own) = (self.terms(view), self.take(system));
        let source = (&mut own, self.sources.as_slice());
        terms.put(&given, &received.extensions, &folded, source);
        self.sources.push(own);
    }

    fn patch(&mut self, system: &str, endpoint: &str, operations: &Value) -> bool {
        let view = CATALOG.at(endpoint).unwrap();
        let before = self.shown(endpoint);
        let body = json!({
            "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": operations,
        });
        let patched = parse(map(&body), &view.resource_type, Profile::Rfc)
            .and_then(|patch| patch.apply(&view.resource_type, &before));
        let Ok(patched) = patched else {
            return false;
        };
        let (terms, mut own) = (self.terms(view), self.take(system));
        let source = (&mut own, self.sources.as_slice());
        let done = terms.patch(&before, &patched, source).is_ok();
        self.sources.push(own);
        done
    }

    fn shown(&self, endpoint: &str) -> Map {
        let view = CATALOG.at(endpoint).unwrap();
        view.show(
            &self.leaves(),
            &CATALOG,
            "https://people.example.com/scim/v2",
        )
    }

    /// As a GET answers, but for `id` and `meta`.
    fn read(&self, endpoint: &str) -> Value {
        let mut body = self.shown(endpoint);
        let urns = body.keys().filter(|name| name.starts_with("urn:")).cloned();
        let ty = &CATALOG.at(endpoint).unwrap().resource_type;
        let schemas: Vec<String> = std::iter::once(ty.schema.id.to_string())
            .chain(urns)
            .collect();
        body.insert("schemas".into(), json!(schemas));
        Value::Object(body)
    }

    fn claims_of(&self, system: &str) -> Value {
        let own = self.sources.iter().find(|source| source.system == system);
        own.map_or(Value::Null, |own| {
            serde_json::to_value(&own.claims).unwrap()
        })
    }
}

fn map(value: &Value) -> Map {
    let mut map = value.as_object().unwrap().clone();
    if map.get("userName").is_some_and(|name| name == "") {
        map.insert("userName".into(), "u".into());
    }
    map
}

fn check(test: impl Fn(&[Body]) -> Result<(), TestCaseError>) {
    let words = focus().prop_flat_map(|focus| prop::collection::vec(bodies(focus), 2..7));
    let config = Config {
        cases: 100,
        failure_persistence: None,
        ..Config::default()
    };
    let seed = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
    let result = TestRunner::new_with_rng(config, seed).run(&words, |words| test(&words));
    if let Err(failure) = result {
        panic!("{failure}");
    }
}

/// with and without a policy.
#[test]
fn the_golden_record_does_not_depend_on_the_order_of_its_sources() {
    for laws in [&*LAWLESS, &*LAWFUL] {
        check(|words| {
            let mut person = Person::under(laws, words);
            let leaves = person.leaves();
            for _ in 0..person.sources.len() {
                person.sources.rotate_left(1);
                prop_assert_eq!(&person.leaves(), &leaves);
                if person.sources.len() > 1 {
                    person.sources.swap(0, 1);
                    prop_assert_eq!(&person.leaves(), &leaves);
                }
            }
            Ok(())
        });
    }
}

/// whoever says again what it has said, its claims and the golden record stay, however others speak meanwhile.
#[test]
fn what_is_said_again_under_a_policy_flips_nothing() {
    check(|words| {
        let mut person = Person::under(&LAWFUL, words);
        let mut settled = None;
        for _ in 0..3 {
            for (n, word) in words.iter().enumerate() {
                if word.endpoint == "/Groups" {
                    continue;
                }
                person.now += TimeDelta::seconds(1);
                let system = ["ats", "crm"][n % 2];
                let ours = ["name", "nickName", "ims", "userName", "active", "addresses"];
                let mut body = word.first.clone();
                let body_map = body.as_object_mut().unwrap();
                body_map.retain(|name, _| name == "schemas" || ours.contains(&name.as_str()));
                person.put(system, word.endpoint, &body);
            }
            let stable: Vec<_> = person
                .leaves()
                .into_iter()
                .filter(|(path, _)| ["userName", "active", "addresses"].contains(&path.as_str()))
                .collect();
            prop_assert_eq!(settled.get_or_insert_with(|| stable.clone()), &stable);
        }
        Ok(())
    });
}

#[test]
fn a_put_of_what_was_read_changes_nothing() {
    for laws in [&*LAWLESS, &*LAWFUL] {
        check(|words| an_echo_is_silent(Person::under(laws, words)));
    }
}

fn an_echo_is_silent(mut person: Person) -> Result<(), TestCaseError> {
    {
        person.now += TimeDelta::seconds(1);
        for system in ["hris", "idp", "ats", "crm"] {
            for endpoint in ["/Users", "/Persons"] {
                let leaves = person.leaves();
                let body = person.read(endpoint);
                person.put(system, endpoint, &body);
                prop_assert_eq!(&person.leaves(), &leaves, "{} {}", system, endpoint);
                // What it had said otherwise it has now said again; who had said nothing still does not.
                let claims = person.claims_of(system);
                prop_assert!(
                    system != "crm" || claims.as_object().is_none_or(Map::is_empty),
                    "{}",
                    claims
                );
                person.now += TimeDelta::seconds(1);
                person.put(system, endpoint, &body);
                prop_assert_eq!(person.claims_of(system), claims, "{} {}", system, endpoint);
            }
        }
        Ok(())
    }
}

#[test]
fn a_patch_that_adds_what_is_there_changes_nothing() {
    check(|words| {
        let mut person = Person::of(words);
        person.now += TimeDelta::seconds(1);
        for endpoint in ["/Users", "/Persons"] {
            for (name, value) in person.shown(endpoint) {
                let leaves = person.leaves();
                let operations = json!([{ "op": "add", "path": name, "value": value }]);
                if person.patch("crm", endpoint, &operations) {
                    prop_assert_eq!(&person.leaves(), &leaves, "{} {}", endpoint, operations);
                }
            }
        }
        Ok(())
    });
}

#[test]
fn a_patch_that_removes_removes() {
    check(|words| {
        let mut person = Person::of(words);
        person.now += TimeDelta::seconds(1);
        for (name, _) in person.shown("/Persons") {
            let operations = json!([{ "op": "remove", "path": name }]);
            if person.patch("crm", "/Persons", &operations) {
                let left = person.shown("/Persons");
                // The account's own, and what follows from a role, are not /Persons' to remove.
                let own = matches!(name.as_str(), "active") || name.starts_with("urn:");
                prop_assert!(own || !left.contains_key(&name), "{} of {:?}", name, left);
            }
        }
        Ok(())
    });
}

#[test]
fn what_was_put_last_is_what_is_read() {
    check(|words| {
        let (last, words) = words.split_last().unwrap();
        if last.endpoint == "/Groups" {
            return Ok(());
        }
        let mut person = Person::of(words);
        person.now += TimeDelta::seconds(1);
        let view = CATALOG.at(last.endpoint).unwrap();
        let Ok(received) = receive(
            &view.resource_type,
            map(&last.first),
            Purpose::Replace,
            Profile::Rfc,
        ) else {
            return Ok(());
        };
        let Ok(given) = view.read(&received.document, Some(&person.leaves())) else {
            return Ok(());
        };
        person.put(last.system, last.endpoint, &last.first);
        let leaves = person.leaves();
        for (path, value) in given {
            let wanted = value
                .as_array()
                .map_or(std::slice::from_ref(&value), Vec::as_slice);
            let there = &leaves[&path];
            let there = there
                .as_array()
                .map_or(std::slice::from_ref(there), Vec::as_slice);
            for wanted in wanted {
                let found = there.iter().any(|there| covers(there, wanted));
                prop_assert!(found, "{path}: {wanted} is not in {there:?}");
            }
        }
        Ok(())
    });
}

/// Whether a value says all that another does.
fn covers(there: &Value, wanted: &Value) -> bool {
    match (there, wanted) {
        (Value::Object(there), Value::Object(wanted)) => wanted
            .iter()
            .all(|(name, value)| there.get(name) == Some(value)),
        _ => there == wanted,
    }
}
