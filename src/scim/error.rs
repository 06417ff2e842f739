//! The error keywords of RFC 7644 §3.12, each with a detail that names the attribute or the position
//! and says what would be right.

/// What a SCIM operation returns.
pub type Result<T> = std::result::Result<T, Error>;

/// A request that the protocol refuses.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{detail}")]
pub struct Error {
    /// The keyword that a client's program reads.
    pub kind: Kind,
    /// The sentence that a person reads.
    pub detail: String,
}

/// The `scimType` keywords of RFC 7644 §3.12, table 9, and of RFC 9865 §2.1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// The filter's syntax is wrong, or its comparison does not fit the attribute.
    InvalidFilter,
    /// The answer would hold more than the server is willing to return.
    TooMany,
    /// A value that must be unique is in use.
    Uniqueness,
    /// The change does not fit the attribute's mutability.
    Mutability,
    /// The body's structure is wrong.
    InvalidSyntax,
    /// The path of a PATCH operation or a sort is malformed or names nothing.
    InvalidPath,
    /// The path of a PATCH operation selects nothing.
    NoTarget,
    /// A value is missing or does not fit its attribute.
    InvalidValue,
    /// The protocol version is not supported.
    InvalidVers,
    /// The request would carry personal data in its URI (RFC 7644 §7.5.2).
    Sensitive,
    /// The cursor is none of this query's (RFC 9865 §2.1).
    InvalidCursor,
    /// The cursor was good once (RFC 9865 §2.1).
    ExpiredCursor,
    /// The page's size does not fit a cursor (RFC 9865 §2.1).
    InvalidCount,
}

impl Kind {
    /// Every one, in the order of the table.
    pub const ALL: [Self; 10] = [
        Self::InvalidFilter,
        Self::TooMany,
        Self::Uniqueness,
        Self::Mutability,
        Self::InvalidSyntax,
        Self::InvalidPath,
        Self::NoTarget,
        Self::InvalidValue,
        Self::InvalidVers,
        Self::Sensitive,
    ];

    /// The keyword as it stands in `scimType`.
    #[must_use]
    pub fn keyword(self) -> &'static str {
        match self {
            Self::InvalidFilter => "invalidFilter",
            Self::TooMany => "tooMany",
            Self::Uniqueness => "uniqueness",
            Self::Mutability => "mutability",
            Self::InvalidSyntax => "invalidSyntax",
            Self::InvalidPath => "invalidPath",
            Self::NoTarget => "noTarget",
            Self::InvalidValue => "invalidValue",
            Self::InvalidVers => "invalidVers",
            Self::Sensitive => "sensitive",
            Self::InvalidCursor => "invalidCursor",
            Self::ExpiredCursor => "expiredCursor",
            Self::InvalidCount => "invalidCount",
        }
    }
}

/// One short constructor for each keyword.
macro_rules! constructors {
    ($($name:ident => $kind:ident),* $(,)?) => {
        $(
            #[doc = concat!("An error of kind [`Kind::", stringify!($kind), "`].")]
            #[must_use]
            pub fn $name(detail: impl Into<String>) -> Self {
                Self::new(Kind::$kind, detail)
            }
        )*
    };
}

impl Error {
    /// An error of a kind, with its detail.
    #[must_use]
    pub fn new(kind: Kind, detail: impl Into<String>) -> Self {
        Self {
            kind,
            detail: detail.into(),
        }
    }

    constructors! {
        invalid_filter => InvalidFilter,
        too_many => TooMany,
        uniqueness => Uniqueness,
        mutability => Mutability,
        invalid_syntax => InvalidSyntax,
        invalid_path => InvalidPath,
        no_target => NoTarget,
        invalid_value => InvalidValue,
        invalid_vers => InvalidVers,
        sensitive => Sensitive,
        invalid_cursor => InvalidCursor,
        expired_cursor => ExpiredCursor,
        invalid_count => InvalidCount,
    }

    /// What is secret stands in a URI, which is written into logs and histories (RFC 7644 §7.5.2).
    #[must_use]
    pub fn sensitive_in_uri(location: impl std::fmt::Display) -> Self {
        Self::sensitive(format!(
            "'{location}' is secret and does not belong in a URI: search for it by POST, at /.search"
        ))
    }

    /// The same error, its detail preceded by where it happened.
    #[must_use]
    pub fn within(self, place: impl std::fmt::Display) -> Self {
        Self {
            kind: self.kind,
            detail: format!("{place}: {}", self.detail),
        }
    }
}

/// How alike two names must be before one is offered for the other.
const ALIKE: f64 = 0.8;

/// The known name nearest to a misspelt one, as the end of a sentence: `; did you mean 'userName'?` or nothing.
pub(crate) fn did_you_mean<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    let name = name.to_lowercase();
    known
        .into_iter()
        .map(|known| (strsim::jaro_winkler(&name, &known.to_lowercase()), known))
        .filter(|(likeness, _)| *likeness >= ALIKE)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map_or_else(String::new, |(_, known)| {
            format!("; did you mean '{known}'?")
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_misspelt_name_is_offered_the_nearest_one() {
        let known = ["userName", "name", "displayName"];
        assert_eq!(did_you_mean("userNme", known), "; did you mean 'userName'?");
        assert_eq!(did_you_mean("USERNAM", known), "; did you mean 'userName'?");
        assert_eq!(did_you_mean("zzz", known), "");
    }

    #[test]
    fn an_error_shows_its_detail() {
        let error = Error::no_target("nothing there").within("operation 2");
        assert_eq!(error.to_string(), "operation 2: nothing there");
        assert_eq!(error.kind.keyword(), "noTarget");
    }
}
