//! What must not compile: a change of the database without the event that explains it (design §4), and an answer that has not
//! been through the policy (design §6).

mod explained;

/// Each case is a use case that forgets its event; the compiler's words stand beside it.
#[test]
fn a_change_without_its_event_does_not_compile() {
    let cases = trybuild::TestCases::new();
    cases.compile_fail("tests/compile_fail/unexplained_*.rs");
}

#[test]
fn an_answer_that_was_not_masked_does_not_compile() {
    let cases = trybuild::TestCases::new();
    cases.compile_fail("tests/compile_fail/unmasked_*.rs");
}
