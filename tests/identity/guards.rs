//! What keeps two from being merged, and what does not.

use muster::domain::matching::apart::Said;
use muster::domain::matching::level::{Attribute, compare};
use muster::domain::matching::{
    Candidate, Context, Decision, Guard, Model, Outcome, Profile, Scorer, Unknown, decide,
};

fn person(given: &str, email: &str, phone: &str, employer: &str) -> Profile {
    let mut profile = Profile::default();
    profile.name([given, "", "Okonjo"], "", "");
    profile.email(email);
    profile.phone(phone, Some("US"));
    profile.employer(employer);
    profile
}

fn decided(newcomer: &Profile, people: &[Profile]) -> Decision<usize> {
    let candidates: Vec<_> = people
        .iter()
        .enumerate()
        .map(|(id, profile)| Candidate {
            id,
            profile,
            same_system: false,
            said: Said::Nothing,
        })
        .collect();
    let context = Context {
        population: 1000.0,
        merge_above: 0.9,
        review_from: 0.7,
        needs_strong_evidence: true,
        guards_account: false,
    };
    decide(
        newcomer,
        &candidates,
        &context,
        Scorer::builtin().unwrap(),
        &Unknown,
    )
}

fn level(a: &Profile, b: &Profile, attribute: Attribute) -> &'static str {
    let level = compare(a, b)[attribute as usize].unwrap();
    attribute.levels()[usize::from(level)]
}

/// two whom nothing keeps from being merged make each other doubtful.
#[test]
fn two_who_are_as_good_are_for_a_human_to_tell_apart() {
    let ada = person("Adaeze", "ada.k77@gmail.com", "202-555-0143", "Meridian");
    let found = decided(&ada, &[ada.clone(), ada.clone()]);
    assert_eq!(found.outcome, Outcome::Review);
    for (_, trace) in &found.candidates {
        assert_eq!(trace.guard, Some(Guard::SeveralCandidates));
    }
}

/// a twin with the same mailbox and phone is nobody's rival: a guard keeps the twin from being merged anyway.
#[test]
fn one_who_cannot_be_merged_makes_nobody_else_doubtful() {
    let ada = person("Adaeze", "ada.k77@gmail.com", "202-555-0143", "Meridian");
    let twin = person("Zikora", "ada.k77@gmail.com", "202-555-0143", "Meridian");
    let found = decided(&ada, &[twin, ada.clone()]);
    assert_eq!(found.outcome, Outcome::Merge);
    assert_eq!(found.candidates[0].0, 1);
    assert_eq!(
        found.candidates[1].1.guard,
        Some(Guard::GivenNamesDiffer),
        "the twin was a candidate"
    );
}

/// a mailbox that was shared or given to another is no proof, where the given names are alike at most and neither phone
/// nor employer agrees; with the same employer it is.
#[test]
fn a_mailbox_alone_does_not_merge_names_that_are_only_alike() {
    let ada = person("Marlena", "office77@gmail.com", "202-555-0143", "Meridian");
    let other = person("Marlene", "office77@gmail.com", "312-555-0188", "Halcyon");
    let same_work = person("Marlene", "office77@gmail.com", "312-555-0188", "Meridian");
    let found = decided(&ada, &[other]);
    assert_ne!(found.outcome, Outcome::Merge);
    assert_eq!(found.candidates[0].1.guard, Some(Guard::WeakEvidence));
    let found = decided(&ada, &[same_work]);
    assert_eq!(found.candidates[0].1.guard, None);
}

/// two mailboxes at one employer are rather two people's than two mailboxes at two employers.
#[test]
fn two_mailboxes_at_one_employer_speak_against_one_person() {
    let at = |email| person("Adaeze", email, "202-555-0143", "Meridian");
    let ada = at("a.okonjo@meridian.example");
    let namesake = at("okonjo2@meridian.example");
    let moved = at("a.okonjo@halcyon.example");
    assert_eq!(
        level(&ada, &namesake, Attribute::Email),
        "differentSameEmployer"
    );
    assert_eq!(level(&ada, &moved, Attribute::Email), "differentWork");
    let rate = |level| {
        let rate = Model::builtin().rate(Attribute::Email, level).unwrap();
        (rate.m / rate.u).log2()
    };
    assert!(rate("differentSameEmployer") < rate("differentWork") - 3.0);
}

/// a house number is misspelled as easily as a street, and one of two exchanged names as easily as any other.
#[test]
fn one_misspelling_beside_another_difference_is_not_a_different_value() {
    let at = |street: &str, given: &str, family: &str| {
        let mut profile = Profile::default();
        profile.name([given, "", family], "", "");
        profile.place([street, "Carnegie", "", ""]);
        profile
    };
    let a = at("61 Gellibrand Street", "Benger", "Samuel");
    let b = at("1 Gelibrand Street", "Samule", "Benger");
    assert_eq!(level(&a, &b, Attribute::Street), "street");
    assert_eq!(level(&a, &b, Attribute::Given), "swapped");
}

/// a model that was stored before there was a level goes on as it did.
#[test]
fn a_model_from_before_a_level_is_still_of_use() {
    let mut model = Model::builtin();
    let emails = model.weights.get_mut("emails").unwrap();
    emails.remove("differentSameEmployer").unwrap();
    let before = emails["differentWork"];
    assert_eq!(
        model.rate(Attribute::Email, "differentSameEmployer"),
        Some(before)
    );
    assert!(model.scorer().is_ok());
}
