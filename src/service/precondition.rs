//! `If-Match` (RFC 7644 §3.14, RFC 9110 §13.1.1).

use super::Error;

/// Whether a resource whose entity tag is `version` is one that the header names. SCIM's tags are weak and are compared so.
pub(super) fn check(if_match: Option<&str>, version: &str) -> Result<(), Error> {
    let Some(header) = if_match else {
        return Ok(());
    };
    let opaque = |tag: &str| tag.trim().trim_start_matches("W/").to_owned();
    let named = header
        .split(',')
        .any(|tag| tag.trim() == "*" || opaque(tag) == opaque(version));
    if named {
        return Ok(());
    }
    Err(Error::PreconditionFailed(format!(
        "If-Match names {header}, but the resource is at {version}: read it again"
    )))
}

#[cfg(test)]
mod tests {
    use super::check;

    #[test]
    fn weak_and_strong_spellings_of_a_tag_are_the_same() {
        for header in ["W/\"a\"", "\"a\"", "*", "\"b\", W/\"a\""] {
            assert!(check(Some(header), "W/\"a\"").is_ok(), "{header}");
        }
        assert!(check(Some("W/\"b\""), "W/\"a\"").is_err());
        assert!(check(None, "W/\"a\"").is_ok());
    }
}
