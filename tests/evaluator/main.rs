//! The meaning of a filter and of an order is one: what the in-memory evaluator says of the rendered documents is what SQL
//! selects, on both databases; and the golden record does not depend on the order of its sources.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test that cannot go on says so by failing"
)]

mod documents;
mod filters;
mod fold;
mod service;
mod texts;

use std::cell::Cell;
use std::collections::BTreeSet;
use std::fmt::{Debug, Formatter};
use std::time::{Duration, Instant};

use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

use muster::scim::Map;
use muster::scim::filter::parse;
use muster::scim::list::{ListRequest, Sort};
use muster::scim::profile::Profile;
use muster::scim::resource_type::ResourceType;

use documents::{Body, bodies, focus};
use filters::{filter, sort_by};
use service::{Database, House};

/// What one case tries: bodies to write, then filters and orders to ask for.
struct Case {
    people: Vec<Body>,
    questions: Vec<(&'static str, String)>,
    orders: Vec<(&'static str, String, bool)>,
}

/// Short: what failed says which documents matter.
impl Debug for Case {
    fn fmt(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "{} bodies, {} filters",
            self.people.len(),
            self.questions.len()
        )
    }
}

fn case() -> impl Strategy<Value = Case> {
    focus().prop_flat_map(|focus| {
        let types = prop::sample::select(vec!["/Users", "/Persons", "/Groups"]);
        let about = focus.clone();
        let question = types
            .clone()
            .prop_flat_map(move |endpoint| (Just(endpoint), filter(endpoint, &about)));
        let order =
            types.prop_flat_map(|endpoint| (Just(endpoint), sort_by(endpoint), any::<bool>()));
        (
            prop::collection::vec(bodies(focus), 3..12),
            prop::collection::vec(question, 30..60),
            prop::collection::vec(order, 4..8),
        )
            .prop_map(|(people, questions, orders)| Case {
                people,
                questions,
                orders,
            })
    })
}

/// As many cases as fit into twelve seconds, or as many as `MUSTER_TEST_SECONDS` says: always the same ones in the same
/// order, or those of `MUSTER_TEST_SEED`.
fn cases(check: impl Fn(&Case) -> Result<(), TestCaseError>) {
    let started = Instant::now();
    let asked = std::env::var("MUSTER_TEST_SECONDS").map(|text| text.parse().unwrap());
    let budget = Duration::from_secs(asked.clone().unwrap_or(12));
    let config = Config {
        // Those beyond the budget are not tried, but made.
        cases: if asked.is_ok() { 10_000 } else { 200 },
        failure_persistence: None,
        max_shrink_iters: 60,
        ..Config::default()
    };
    let rng = match std::env::var("MUSTER_TEST_SEED") {
        Ok(seed) => {
            let mut bytes = [0; 32];
            bytes[..8].copy_from_slice(&seed.parse::<u64>().unwrap().to_le_bytes());
            TestRng::from_seed(RngAlgorithm::ChaCha, &bytes)
        }
        Err(_) => TestRng::deterministic_rng(RngAlgorithm::ChaCha),
    };
    let tried = Cell::new(0_u32);
    let result = TestRunner::new_with_rng(config, rng).run(&case(), |case| {
        if started.elapsed() > budget {
            return Ok(());
        }
        tried.set(tried.get() + 1);
        check(&case)
    });
    let tried = tried.get();
    println!("{tried} cases in {:?}", started.elapsed());
    assert!(tried > 0, "no case was tried");
    if let Err(failure) = result {
        panic!("{failure}");
    }
}

fn sql_means_what_the_evaluator_means(database: &Database) {
    let house = House::open(database);
    let (asked, hit) = (Cell::new(0_u32), Cell::new(0_u32));
    cases(|case| {
        let tenant = house.tenant();
        house.write(&tenant, &case.people);
        for (endpoint, question) in &case.questions {
            let ty = house.muster.resource_type(endpoint).unwrap();
            let all = house.all(&tenant, endpoint);
            let question = &tenant.meant(question, &ty, &all);
            let Some(found) = house.ask(&tenant, endpoint, question)? else {
                continue;
            };
            let condition = parse(question).unwrap().check(&ty).unwrap();
            let expected: BTreeSet<String> = all
                .iter()
                .filter(|document| condition.matches(document))
                .map(id)
                .collect();
            asked.set(asked.get() + 1);
            let chose = !expected.is_empty() && expected.len() < all.len();
            hit.set(hit.get() + u32::from(chose));
            let wrong: Vec<&Map> = all
                .iter()
                .filter(|document| {
                    found.contains(&id(document)) != expected.contains(&id(document))
                })
                .collect();
            prop_assert!(
                wrong.is_empty(),
                "{}?filter={}: SQL found {} where the evaluator found {}; they differ on {:#?}",
                endpoint,
                question,
                found.len(),
                expected.len(),
                wrong[0]
            );
        }
        for (endpoint, path, descending) in &case.orders {
            let ty = house.muster.resource_type(endpoint).unwrap();
            let request = sorted(&ty, path, *descending);
            let all = house.all(&tenant, endpoint);
            let expected = in_order(&all, request.sort.as_ref().unwrap());
            let found = house.sorted(&tenant, endpoint, request);
            prop_assert_eq!(
                &found,
                &expected,
                "{}?sortBy={} descending {}",
                endpoint,
                path,
                descending
            );
        }
        Ok(())
    });
    let (asked, hit) = (asked.get(), hit.get());
    println!("{asked} filters, {hit} of them chose some but not all");
    assert!(
        hit * 10 > asked,
        "{hit} of {asked}: the filters say too little"
    );
}

fn id(document: &Map) -> String {
    document["id"].as_str().unwrap().to_owned()
}

fn sorted(ty: &ResourceType, path: &str, descending: bool) -> ListRequest {
    let order = if descending {
        "descending"
    } else {
        "ascending"
    };
    let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    ListRequest::from_query(
        ty,
        &[
            pair("sortBy", path),
            pair("sortOrder", order),
            pair("count", "1000"),
        ],
        Profile::Rfc,
    )
    .unwrap()
}

/// By key, missing ones last; equals as they were. Downward is that read backward.
fn in_order(all: &[Map], sort: &Sort) -> Vec<String> {
    let mut keyed: Vec<(Option<String>, String)> = all
        .iter()
        .map(|document| (sort.key(document), id(document)))
        .collect();
    keyed.sort_by(|(a, _), (b, _)| (a.is_none(), a).cmp(&(b.is_none(), b)));
    if sort.descending {
        keyed.reverse();
    }
    keyed.into_iter().map(|(_, id)| id).collect()
}

#[test]
fn sqlite_selects_what_the_evaluator_selects() {
    sql_means_what_the_evaluator_means(&Database::sqlite());
}

#[test]
fn postgres_selects_what_the_evaluator_selects() {
    sql_means_what_the_evaluator_means(&Database::postgres());
}
