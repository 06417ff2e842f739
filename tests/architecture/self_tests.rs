//! Each rule fires on a snippet that breaks it, and stays silent on one that does not.

use super::{MOST_LINES, Source};

/// What is wrong with a file of this path whose `//!` is in place.
fn wrong(path: &str, code: &str) -> Vec<String> {
    Source {
        path: path.to_owned(),
        text: format!("//! Doc.\n{code}\n"),
    }
    .offences()
}

fn is_fine(path: &str, code: &str) {
    assert_eq!(wrong(path, code), Vec::<String>::new(), "{code}");
}

fn is_refused(path: &str, code: &str, offence: &str) {
    let found = wrong(path, code);
    assert!(
        found.iter().any(|line| line.contains(offence)),
        "{code}: {found:?}"
    );
}

#[test]
fn an_arrow_outward_is_named_with_its_line() {
    assert_eq!(
        wrong(
            "src/domain/consent.rs",
            "\nuse crate::scim::Error;\nuse crate::store::Tx;"
        ),
        ["src/domain/consent.rs:4: `domain` must not import `store`"]
    );
    is_refused(
        "src/http/scim/get.rs",
        "use crate::{scim::{Error, store}, store::Tx};",
        "import `store`",
    );
    is_refused(
        "src/http/mod.rs",
        "fn f() -> crate::intake::Row { todo() }",
        "import `intake`",
    );
    is_refused(
        "src/scim/mod.rs",
        "use super::domain::X;",
        "`scim` must not import `domain`",
    );
    is_refused(
        "src/scim/filter/parser.rs",
        "use super::super::super::id::X;",
        "import `id`",
    );
    is_refused(
        "src/id.rs",
        "use crate::nowhere::X;",
        "no module: `nowhere`",
    );
    is_refused(
        "src/issuer/mod.rs",
        "use crate::service::X;",
        "import `service`",
    );
    is_refused("src/other/mod.rs", "", "`other` is not in the table");
}

#[test]
fn an_arrow_inward_is_fine() {
    is_fine(
        "src/service/person.rs",
        "use crate::{store::{Tx, person}, domain::Masked, id::TenantId};",
    );
    is_fine("src/cli/serve.rs", "use crate::http; use crate::store;");
    is_fine(
        "src/domain/person.rs",
        "mod tests { use super::super::consent::X; use crate::domain::Y; }",
    );
    is_fine("src/lib.rs", "pub use crate::store::Tx;");
}

#[test]
fn comments_strings_and_characters_are_not_code() {
    is_fine(
        "src/scim/a.rs",
        "// use crate::store::X;\n/* a /* b */ crate::store::X */",
    );
    is_fine(
        "src/scim/a.rs",
        r##"const A: &str = "crate::store"; const B: &str = r#"x".unwrap()"#;"##,
    );
    is_fine(
        "src/scim/a.rs",
        "fn f<'a>(c: char) -> bool { c == '\"' || c == '\\'' }",
    );
    is_refused(
        "src/scim/a.rs",
        "const A: char = '\"'; use crate::store::X; const B: char = '\"';",
        "`store`",
    );
    is_refused(
        "src/scim/a.rs",
        "const A: &str = \"\\\\\";\nuse crate::store::X;",
        "a.rs:3:",
    );
}

#[test]
fn failing_by_panic_is_refused_outside_tests() {
    for code in [
        "a.unwrap();",
        "a\n.expect(\"b\");",
        "panic!(\"a\");",
        "todo!()",
        "unimplemented!()",
    ] {
        is_refused(
            "src/store/a.rs",
            &format!("fn f() {{ {code} }}"),
            "error value",
        );
        is_fine("src/store/a/tests.rs", &format!("fn f() {{ {code} }}"));
        is_fine(
            "src/store/a.rs",
            &format!("#[cfg(test)]\nmod tests {{ fn f() {{ {code} }} }}"),
        );
        is_refused(
            "src/store/a.rs",
            &format!("#[cfg(test)] mod tests {{ }} fn f() {{ {code} }}"),
            "error value",
        );
        is_refused(
            "src/store/a.rs",
            &format!("#[cfg(test)] mod tests; fn f() {{ {code} }}"),
            "error value",
        );
    }
    is_fine(
        "src/store/a.rs",
        "fn f() { a.unwrap_or(1); a.unwrap_or_default(); }",
    );
}

#[test]
fn only_the_command_line_prints() {
    for code in [
        "println!()",
        "eprintln!()",
        "print!()",
        "eprint!()",
        "dbg!(1)",
    ] {
        is_refused("src/http/a.rs", &format!("fn f() {{ {code} }}"), "terminal");
        is_fine("src/cli/serve.rs", &format!("fn f() {{ {code} }}"));
        is_fine("src/main.rs", &format!("fn f() {{ {code} }}"));
    }
}

#[test]
fn time_and_randomness_have_their_places() {
    for code in [
        "Utc::now()",
        "chrono::Utc::now()",
        "SystemTime::now()",
        "Local::now()",
    ] {
        is_refused(
            "src/service/a.rs",
            &format!("fn f() {{ {code}; }}"),
            "`Clock`",
        );
        is_refused(
            "src/service/a/tests.rs",
            &format!("fn f() {{ {code}; }}"),
            "`Clock`",
        );
        is_fine("src/clock.rs", &format!("fn f() {{ {code}; }}"));
    }
    for code in [
        "rand::random()",
        "Uuid::new_v4()",
        "uuid::Uuid::now_v7()",
        "OsRng",
        "rsa::rand_core::OsRng",
    ] {
        is_refused(
            "src/service/a.rs",
            &format!("fn f() {{ {code}; }}"),
            "`IdSource`",
        );
        is_fine("src/id.rs", &format!("fn f() {{ {code}; }}"));
        is_fine("src/issuer/key.rs", &format!("fn f() {{ {code}; }}"));
        is_fine("src/secret.rs", &format!("fn f() {{ {code}; }}"));
    }
}

#[test]
fn a_file_says_what_it_is_and_stays_short() {
    let bare = Source {
        path: "src/id.rs".to_owned(),
        text: "use std::fmt;\n".to_owned(),
    };
    assert_eq!(bare.offences(), ["src/id.rs:1: does not open with `//!`"]);
    is_fine("src/id.rs", &"\n".repeat(MOST_LINES - 2));
    is_refused("src/id.rs", &"\n".repeat(MOST_LINES), "500 are the most");
    is_fine("src/store/schema.rs", &"\n".repeat(MOST_LINES));
    for path in [
        "src/http/utils.rs",
        "src/domain/helpers/mod.rs",
        "src/common/mod.rs",
        "src/store/manager.rs",
    ] {
        is_refused(path, "", "says nothing");
    }
}
