//! What must not compile: a change of the database without the event that explains it (design §4).

mod explained;

/// Each case is a use case that forgets its event; the compiler's words stand beside it.
#[test]
fn a_change_without_its_event_does_not_compile() {
    let cases = trybuild::TestCases::new();
    cases.compile_fail("tests/compile_fail/unexplained_*.rs");
}
