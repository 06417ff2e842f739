//! `Prefer: return=minimal` and `return=representation` (RFC 7240 §4.2): what the answer to a write shall hold.

use actix_web::http::header::{HeaderMap, HeaderName, HeaderValue};

/// What the caller wants to get back.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Wanted {
    /// Nothing was said: what the RFC makes the rule.
    #[default]
    Unsaid,
    /// Headers alone.
    Minimal,
    /// The resource.
    Representation,
    /// Nothing was said, and this client looks at no answer to a PATCH (RFC 7644 §3.5.2 allows 204).
    Silence,
}

impl Wanted {
    /// The first `return` preference of a request; what we do not know is ignored (RFC 7240 §2).
    pub(super) fn of(headers: &HeaderMap) -> Self {
        let preferences = headers
            .get_all("prefer")
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.split(','));
        for preference in preferences {
            let (name, value) = preference
                .split(';')
                .next()
                .and_then(|pair| pair.split_once('='))
                .unwrap_or_default();
            if !name.trim().eq_ignore_ascii_case("return") {
                continue;
            }
            let value = value.trim().trim_matches('"');
            if value.eq_ignore_ascii_case("minimal") {
                return Self::Minimal;
            }
            if value.eq_ignore_ascii_case("representation") {
                return Self::Representation;
            }
        }
        Self::Unsaid
    }

    /// The header that tells what was honored (RFC 7240 §3).
    pub(super) fn applied(self) -> Option<(HeaderName, HeaderValue)> {
        let value = match self {
            Self::Unsaid | Self::Silence => return None,
            Self::Minimal => "return=minimal",
            Self::Representation => "return=representation",
        };
        let name = HeaderName::from_static("preference-applied");
        Some((name, HeaderValue::from_static(value)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wanted(values: &[&'static str]) -> Wanted {
        let mut headers = HeaderMap::new();
        for value in values {
            let name = HeaderName::from_static("prefer");
            headers.append(name, HeaderValue::from_static(value));
        }
        Wanted::of(&headers)
    }

    #[test]
    fn the_first_return_preference_counts_in_whatever_spelling() {
        assert_eq!(wanted(&[]), Wanted::Unsaid);
        assert_eq!(
            wanted(&["respond-async, RETURN = \"minimal\"; x=1"]),
            Wanted::Minimal
        );
        assert_eq!(
            wanted(&["wait=10", "return=representation", "return=minimal"]),
            Wanted::Representation
        );
        assert_eq!(
            wanted(&["return=nothing, returned=minimal"]),
            Wanted::Unsaid
        );
    }
}
