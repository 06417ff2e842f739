//! Text that must not be shown: passwords, client secrets, database addresses.

use std::fmt;

use serde::Deserialize;
use sha2::{Digest, Sha256};

/// A secret: printable only by whoever asks for it with [`Secret::reveal`].
#[derive(Clone, Deserialize)]
#[serde(transparent)]
pub struct Secret(String);

impl Secret {
    /// Takes a text into custody.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text itself, for the one place that needs it.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// Whether `other` is the same text. Digests are compared, so the time taken tells nothing of how
    /// far a guess was right.
    #[must_use]
    pub fn equals(&self, other: &str) -> bool {
        let (mine, other) = (Sha256::digest(&self.0), Sha256::digest(other));
        mine.iter()
            .zip(other.iter())
            .fold(0, |difference, (a, b)| difference | (a ^ b))
            == 0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[secret]")
    }
}

#[cfg(test)]
mod tests {
    use super::Secret;

    #[test]
    fn a_secret_is_not_shown() {
        assert_eq!(format!("{:?}", Secret::new("hunter2")), "[secret]");
    }

    #[test]
    fn a_secret_equals_its_own_text_alone() {
        let secret = Secret::new("hunter2");
        assert!(secret.equals("hunter2"));
        assert!(!secret.equals("hunter"));
        assert!(!secret.equals("hunter22"));
    }
}
