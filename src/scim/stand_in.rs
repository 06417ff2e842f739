//! What a client is shown in place of a value that it may not see whole: a text, whatever the attribute's type. A body that
//! sends it back is read like any other; whether it is what was shown is not for the protocol to say.

/// What stands for a redacted value.
pub const REDACTED: &str = "[redacted]";
/// What stands for each hidden character.
pub const DOT: char = '•';

/// What may stand for a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StandIn {
    /// A fixed text.
    Redacted,
    /// A text some of whose characters are dots.
    Dotted,
    /// The year of a date.
    Year,
    /// A name of 43 characters.
    Name,
}

impl StandIn {
    /// Whether a text looks as if it stood for a value: nobody's phone number has dots in it, and no date is a year.
    #[must_use]
    pub fn is(self, text: &str) -> bool {
        let of_its_own = match self {
            Self::Year => text.len() == 4,
            Self::Name => is_name(text),
            Self::Redacted | Self::Dotted => false,
        };
        of_its_own || text.contains(DOT) || text == REDACTED
    }
}

/// Whether a text is 32 bytes in base64url: of the last letter's six bits two are nought.
fn is_name(text: &str) -> bool {
    let known = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
    text.len() == 43
        && text.bytes().all(known)
        && text.ends_with(|last| "AEIMQUYcgkosw048".contains(last))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_told_from_a_word() {
        let name = "n4bQgYhMfWWaL-qgxVrQFaO_TxsrC4Is0V1sFbDwCgg";
        assert!(StandIn::Name.is(name));
        assert!(!StandIn::Name.is(&name.replace("Cgg", "Cgh")));
        assert!(!StandIn::Name.is(&name[1..]) && !StandIn::Name.is(&name.replace('-', " ")));
        assert!(StandIn::Year.is("1815") && !StandIn::Redacted.is("1815"));
        assert!(StandIn::Year.is(REDACTED) && StandIn::Redacted.is("••••0123"));
    }
}
