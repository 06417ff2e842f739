//! What real systems send: bounded work, no wrong merge, a reason for what cannot be read.

use std::fs;
use std::path::{Path, PathBuf};

use muster::cli::resolve::records::{ReadError, read};
use muster::domain::matching::block::{MOST_KEYS, keys};
use muster::domain::matching::evaluate::resolve;
use muster::domain::matching::population::{HOT, Population};
use muster::domain::matching::{Decision, Guard, Outcome, Profile, Scorer};

fn named(given: &str, family: &str) -> Profile {
    let mut profile = Profile::default();
    profile.name([given, "", family], "", "");
    profile
}

fn among(newcomer: &Profile, people: &mut Population) -> Decision<u32> {
    resolve(newcomer, people, Scorer::builtin().unwrap()).0
}

#[test]
fn a_name_of_any_length_or_script_is_resolved() {
    for (given, family) in [
        ("A", "B"),
        (&*"a".repeat(10_000), &*"b".repeat(10_000)),
        ("😀", "🎉🎉"),
        ("דוד", "כהן"),
        ("محمد", "العربي"),
        ("伟", "王"),
        ("\u{202e}nhoJ", "\u{0}Doe"),
    ] {
        let mut profile = named(given, family);
        profile.birth("1980-02-03");
        profile.email("somebody77@gmail.com");
        let mut people = Population::default();
        people.add(profile.clone());
        assert!(keys(&profile).len() <= MOST_KEYS);
        let found = among(&profile, &mut people);
        assert_eq!(found.outcome, Outcome::Merge, "{given:.20} {family:.20}");
        let comparisons = &found.candidates[0].1.comparisons;
        assert!(
            comparisons.iter().all(|one| one.left.len() <= 100),
            "{comparisons:?}"
        );
    }
}

#[test]
fn nothing_at_all_is_nobody() {
    let nobody = named("", " ");
    assert_eq!(keys(&nobody), Vec::<String>::new());
    let mut people = Population::default();
    people.add(nobody.clone());
    people.add(named("Ada", "Lovelace"));
    let found = among(&nobody, &mut people);
    assert_eq!((found.outcome, found.candidates.len()), (Outcome::New, 0));
}

#[test]
fn the_familys_mailbox_does_not_merge_the_family() {
    let mut people = Population::default();
    for given in ["Margaret", "Holger"] {
        let mut profile = named(given, "Steinfeld");
        profile.email("steinfelds1990@gmail.com");
        profile.place(["Lindenweg 3", "Köln", "NW", "50667"]);
        let found = among(&profile, &mut people);
        assert_ne!(found.outcome, Outcome::Merge);
        for (_, trace) in found.candidates {
            assert_eq!(trace.guard, Some(Guard::GivenNamesDiffer));
        }
        people.add(profile);
    }
    assert_eq!(people.profiles.len(), 2);
}

#[test]
fn one_phone_number_of_a_thousand_people_is_skipped_and_counted() {
    let mut people = Population::default();
    let switchboard = |n: usize| {
        let letters: String = n
            .to_string()
            .bytes()
            .map(|digit| char::from(digit + 49))
            .collect();
        let mut profile = named(&format!("{letters}a"), &format!("{letters}son"));
        profile.phone("+493012345678", None);
        profile
    };
    for n in 0..1000 {
        people.add(switchboard(n));
    }
    let before = people.hot;
    let found = people.candidates(&switchboard(1000));
    assert_eq!(people.hot, before + 1);
    assert!(found.len() <= HOT * MOST_KEYS, "{}", found.len());
    // The thousand are found by their names all the same.
    assert_eq!(people.candidates(&switchboard(17)), [17]);
}

#[test]
fn a_birth_date_in_the_future_merges_nobody_who_is_alive() {
    let mut people = Population::default();
    let mut ada = named("Ada", "Lovelace");
    ada.email("ada.byron1815@gmail.com");
    let mut unborn = ada.clone();
    ada.birth("1985-12-10");
    unborn.birth("2999-01-01");
    people.add(ada);
    let found = among(&unborn, &mut people);
    assert_ne!(found.outcome, Outcome::Merge);
    assert_eq!(found.candidates[0].1.guard, Some(Guard::BirthDatesDiffer));
}

fn written(name: &str, text: &[u8]) -> PathBuf {
    let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    fs::write(&file, text).unwrap();
    file
}

#[test]
fn a_file_with_a_byte_order_mark_or_three_hundred_columns_is_read() {
    let many: Vec<String> = (0..297).map(|n| format!(",c{n}")).collect();
    let many = many.concat();
    let text = format!(
        "\u{feff}true_id,given_name,family_name{many}\n7,Ada,Lovelace{}\n",
        ",".repeat(297)
    );
    let records = read(&[written("mark.csv", text.as_bytes())]).unwrap();
    assert!(records.is_labeled);
    assert_eq!(records.known[0].profile, named("Ada", "Lovelace").into());
}

#[test]
fn a_file_that_cannot_be_used_says_why_and_where() {
    let rows = "true_id,given_name,family_name\n1,Ada,Lovelace\n";
    for (name, text, said) in [
        ("short.csv", format!("{rows}2,Ada\n"), "line: 3"),
        (
            "quote.csv",
            format!("{rows}2,\"Ada,Lovelace\n3,Al,An\n"),
            "line: 3",
        ),
        ("nobody.csv", format!("{rows},Ada,Lovelace\n"), "line 3"),
        (
            "header.csv",
            "first,last\nAda,Lovelace\n".to_owned(),
            "header",
        ),
    ] {
        let error: ReadError = read(&[written(name, text.as_bytes())]).unwrap_err();
        let text = error.to_string();
        assert!(text.contains(name) && text.contains(said), "{text}");
    }
    let latin = read(&[written(
        "latin.csv",
        b"given_name,family_name\nM\xfcller,X\n",
    )]);
    let text = latin.unwrap_err().to_string();
    assert!(
        text.contains("latin.csv") && text.contains("line 2"),
        "{text}"
    );
}
