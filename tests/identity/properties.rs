//! What holds of every decision, whoever is compared.

use muster::domain::matching::apart::Said;
use muster::domain::matching::level::compare;
use muster::domain::matching::population::Population;
use muster::domain::matching::{Candidate, Context, Decision, Profile, Scorer, decide};
use proptest::collection::vec;
use proptest::prelude::*;

fn context(population: f64) -> Context {
    Context {
        population,
        merge_above: 0.9,
        review_from: 0.7,
        needs_strong_evidence: true,
        guards_account: false,
    }
}

/// Few letters, so that people meet; now and then any text at all.
fn word() -> impl Strategy<Value = String> {
    prop_oneof![4 => "[abm]{0,4}( [ab]{1,3})?", 1 => ".{0,12}"]
}

prop_compose! {
    fn name()(given in word(), middle in word(), family in word(), suffix in "(jr|sr)?") -> [String; 4] {
        [given, middle, family, suffix]
    }
}

prop_compose! {
    fn person()(
        names in vec(name(), 0..3),
        births in vec("(19[0-2][0-2]-0[12]-[012][1-3])|.{0,8}", 0..2),
        emails in vec("[ab]{1,7}[0-9]{0,2}@(gmail\\.com|a\\.example|b\\.example)", 0..3),
        phones in vec("\\+4915[01]{8}", 0..2),
        places in vec(("[abs]{1,5} [12]", "[ab]{1,3}", "[ab]", "[12]{2}"), 0..3),
        employers in vec("[ab]{1,2}", 0..4),
        legal in vec("[xy]", 0..2),
    ) -> Profile {
        let mut profile = Profile { legal, ..Profile::default() };
        for [given, middle, family, suffix] in &names {
            profile.name([given, middle, family], suffix, "");
        }
        for birth in &births { profile.birth(birth); }
        for email in &emails { profile.email(email); }
        for phone in &phones { profile.phone(phone, None); }
        for (street, city, region, postcode) in &places {
            profile.place([street, city, region, postcode]);
        }
        for employer in &employers { profile.employer(employer); }
        profile
    }
}

fn decided(newcomer: &Profile, people: &[(usize, &Profile)]) -> Decision<usize> {
    let mut population = Population::default();
    let mut sorted = people.to_vec();
    sorted.sort_by_key(|(id, _)| *id);
    for (_, profile) in sorted {
        population.add(profile.clone());
    }
    let candidates: Vec<_> = people
        .iter()
        .map(|(id, profile)| Candidate {
            id: *id,
            profile,
            same_system: false,
            said: [Said::Nothing, Said::Apart, Said::ApartBefore][(id % 7).min(5) / 2],
        })
        .collect();
    decide(
        newcomer,
        &candidates,
        &context(50.0),
        Scorer::builtin().unwrap(),
        &population,
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_bits_of_a_trace_and_the_prior_are_its_score(newcomer in person(), people in vec(person(), 1..6)) {
        let scorer = Scorer::builtin().unwrap();
        let all: Vec<_> = people.iter().enumerate().collect();
        for (id, trace) in decided(&newcomer, &all).candidates {
            let sum = trace.prior + trace.comparisons.iter().map(|one| one.bits).sum::<f64>();
            prop_assert!((sum - trace.score).abs() < 1e-9, "{sum} is not {}", trace.score);
            // The probability that decided is that of the score that is told.
            let odds = scorer.odds(trace.score);
            let told = odds / (1.0 + odds);
            let is_never = trace.guard.is_some_and(muster::domain::matching::Guard::is_final);
            prop_assert!(is_never || (told - trace.probability).abs() < 1e-9, "{id}: {told} is not {}", trace.probability);
        }
    }

    #[test]
    fn the_order_of_the_candidates_does_not_matter(
        newcomer in person(), people in vec(person(), 1..6), turn in 0..6_usize,
    ) {
        let mut all: Vec<_> = people.iter().enumerate().collect();
        let first = decided(&newcomer, &all);
        let middle = turn % all.len();
        all.rotate_left(middle);
        all.reverse();
        let second = decided(&newcomer, &all);
        prop_assert_eq!(first.outcome, second.outcome);
        let ids = |decision: &Decision<usize>| decision.candidates.iter().map(|(id, _)| *id).collect::<Vec<_>>();
        prop_assert_eq!(ids(&first), ids(&second));
    }

    #[test]
    fn who_is_compared_with_whom_does_not_matter(a in person(), b in person()) {
        prop_assert_eq!(compare(&a, &b), compare(&b, &a));
    }
}
