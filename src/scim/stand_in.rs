//! What a client is shown in place of a value that it may not see whole: a text, whatever the attribute's type. A body that
//! sends it back is read like any other; whether it is what was shown is not for the protocol to say.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

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
            Self::Name => text.len() == 43 && URL_SAFE_NO_PAD.decode(text).is_ok(),
            Self::Redacted | Self::Dotted => false,
        };
        of_its_own || text.contains(DOT) || text == REDACTED
    }
}
