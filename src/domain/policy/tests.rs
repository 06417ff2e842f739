//! Policies: what is read of them, and what holds the reader within bounds.

use std::fmt::Write;
use std::sync::LazyLock;

use proptest::prelude::*;

use super::{Finding, Loaded, MAX_BYTES, Rule, Severity, Treatment, load};
use crate::domain::catalog::Catalog;
use crate::domain::context::Right;

const EXAMPLE: &str = include_str!("../../../tests/policy/example.yaml");
const CONTRACT: &str = include_str!("../../../tests/policy/brief-b.yaml");

static CATALOG: LazyLock<Catalog> = LazyLock::new(|| Catalog::load().unwrap());

fn read(text: &str) -> Loaded {
    load(text.as_bytes(), &CATALOG)
}

/// The only finding of a policy, which is an error.
fn error(text: &str) -> Finding {
    let loaded = read(text);
    assert!(loaded.policy.is_none());
    assert_eq!(loaded.findings.len(), 1, "{:?}", loaded.findings);
    loaded.findings[0].clone()
}

#[test]
fn every_key_of_the_contract_is_read() {
    let loaded = read(CONTRACT);
    assert!(loaded.findings.is_empty(), "{:?}", loaded.findings);
    let policy = loaded.policy.unwrap();
    // B-049, B-050.
    assert_eq!(policy.version, 1);
    assert_eq!(policy.owner.unwrap().business, "RecruitingOps");
    // B-053 to B-055.
    let allowed = policy.external_ids.unwrap().allow_list;
    assert_eq!(allowed.len(), 3);
    assert_eq!(allowed[1].fields[1].value, "opportunity_id");
    // B-060, B-062, B-064.
    let objects = policy.schema.unwrap().objects;
    assert_eq!(objects["Application"].value.status_enum.len(), 7);
    let verification = &objects["VerificationEvent"].value;
    assert_eq!(verification.decision_enum.len(), 3);
    assert_eq!(
        verification.biometrics.as_ref().unwrap().persist_only.len(),
        4
    );
    // B-071, B-073; the window of B-068 stands in a rule for people, and is 30 days where no number is given.
    let delivery = policy.webhooks.unwrap().delivery;
    assert_eq!(delivery.retries.max_attempts, 12);
    assert!(delivery.retries.dead_letter_queue);
    assert_eq!(delivery.idempotency.window_days, 30);
    // B-074 to B-080.
    let rollout = policy.rollout.unwrap();
    assert_eq!(rollout.canary.unwrap().scope.job_ids.len(), 2);
    assert_eq!(rollout.kill_switches.len(), 2);
    let seen = policy.observability.unwrap();
    assert_eq!(seen.event_log.retention_days, 365);
    assert_eq!(seen.event_log.fields.len(), 8);
    assert!(
        seen.slos["verification_to_ats_update_minutes"]
            .value
            .note
            .is_some()
    );
}

#[test]
fn the_example_is_read_with_warnings_only() {
    let loaded = read(EXAMPLE);
    assert!(
        loaded
            .findings
            .iter()
            .all(|found| found.severity == Severity::Warning)
    );
    let policy = loaded.policy.unwrap();
    assert!(policy.systems[0].verifies_email);
    assert_eq!(policy.survivorship[1].rule.value, Rule::Union);
    assert_eq!(policy.masking[2].otherwise, Treatment::LastFour);
    assert_eq!(
        policy.roles["provisioner"].value[0].rights[3].value,
        Right::Delete
    );
    assert_eq!(policy.matching.unwrap().merge_above, 90);
}

#[test]
fn aliases_are_written_out_but_only_so_far() {
    let shared =
        "version: 1\nroles:\n  a: &rows [{ types: [Person], rights: [read] }]\n  b: *rows\n";
    let policy = read(shared).policy.unwrap();
    assert_eq!(policy.roles["b"].value[0].rights[0].value, Right::Read);

    let mut bomb = "version: 1\na0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
    for level in 1..10 {
        let alias = vec![format!("*a{}", level - 1); 10].join(", ");
        writeln!(bomb, "a{level}: &a{level} [{alias}]").unwrap();
    }
    let found = error(&bomb);
    assert!(
        found.reason.contains("more than 100000 values"),
        "{found:?}"
    );
}

#[test]
fn a_file_is_bounded_in_size_and_depth() {
    let huge = format!("version: 1 #{}\n", "x".repeat(MAX_BYTES));
    assert!(error(&huge).reason.contains("larger than 1048576 bytes"));
    let deep = |open: &str, close: &str| {
        let (open, close) = (open.repeat(5000), close.repeat(5000));
        error(&format!("version: {open}1{close}")).reason
    };
    assert!(deep("{a: ", "}").contains("nest deeper than 32 levels"));
    // The parser looks ahead to the end of a list that may be a key, and has a bound of its own.
    assert!(deep("[", "]").contains("recursion limit"));
    let mut block = "version: 1\na:\n".to_owned();
    for level in 1..2000 {
        writeln!(block, "{}a:", " ".repeat(level.min(400))).unwrap();
    }
    assert!(read(&block).policy.is_none());
}

#[test]
fn a_block_style_row_stands_where_its_first_key_does() {
    let found = error("version: 1\nsystems:\n  - name: ats\n    kind: ats\n");
    assert_eq!((found.at.line, found.at.column), (3, 5), "{found:?}");
    assert_eq!(found.reason, "the key 'owner' is missing");
}

#[test]
fn an_empty_row_lacks_what_every_row_needs() {
    assert_eq!(error("{}").reason, "the key 'version' is missing");
    let found = read("version: 1\nsystems: [{}]\n").findings;
    assert_eq!(found.len(), 3, "{found:?}");
}

#[test]
fn a_year_is_left_of_dates_only() {
    let text = "version: 1\nmasking:\n  - { attributes: [locale], openTo: [], otherwise: year }\n";
    assert!(error(text).reason.contains("is no date"));
    assert!(read(&text.replace("locale", "birthDate")).policy.is_some());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_bytes_are_answered(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = load(&bytes, &CATALOG);
    }

    #[test]
    fn a_policy_with_a_piece_cut_out_is_answered(at in 0..EXAMPLE.len(), cut in 1_usize..40) {
        let mut bytes = EXAMPLE.as_bytes().to_vec();
        let end = (at + cut).min(bytes.len());
        bytes.drain(at..end);
        let loaded = load(&bytes, &CATALOG);
        let lines = EXAMPLE.lines().count();
        prop_assert!(loaded.findings.iter().all(|found| (1..=lines + 1).contains(&found.at.line)));
    }
}

#[test]
fn a_leaver_brake_has_numbers_of_its_own_and_bounds_for_others() {
    let brake = |row: &str| read(&format!("version: 1\nleaverBrake: {row}\n"));
    let plain = brake("{}").policy.unwrap().leaver_brake.unwrap();
    let numbers = (plain.window, plain.deactivations, plain.deletions);
    assert_eq!(numbers, (60, 50, 20));
    let numbers = (plain.removals, plain.share, plain.restore_days);
    assert_eq!(numbers, (500, 10, 30));
    let given = brake("{ window: 15, deletions: 5 }").policy.unwrap();
    let given = given.leaver_brake.unwrap();
    assert_eq!((given.window, given.deletions, given.share), (15, 5, 10));
    assert!(read("version: 1\n").policy.unwrap().leaver_brake.is_none());
    let wrong = error("version: 1\nleaverBrake: { share: 0 }\n");
    assert_eq!((wrong.at.line, wrong.at.column), (2, 23));
    assert_eq!(wrong.reason, "share is 0, but must lie between 1 and 100");
    let wrong = error("version: 1\nleaverBrake: { deletion: 5 }\n");
    assert!(wrong.reason.contains("'deletions'"), "{}", wrong.reason);
}
