//! Which model a policy means: the one that is shipped, or one that was trained here and stored under a name.

use std::fmt;
use std::str::FromStr;

/// The name of the model that is shipped.
pub const BUILTIN: &str = "builtin";
/// The longest name of a model, in bytes.
const LONGEST: usize = 64;

/// A model by its name, and by its version where that is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reference {
    /// Its name.
    pub name: String,
    /// Its version, from 1; the newest one otherwise.
    pub version: Option<i64>,
}

impl Default for Reference {
    /// The model that is shipped.
    fn default() -> Self {
        Self {
            name: BUILTIN.to_owned(),
            version: None,
        }
    }
}

impl Reference {
    /// Whether it is the model that is shipped.
    #[must_use]
    pub fn is_builtin(&self) -> bool {
        self.name == BUILTIN
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.version {
            Some(version) => write!(f, "{}@{version}", self.name),
            None => f.write_str(&self.name),
        }
    }
}

impl FromStr for Reference {
    type Err = String;

    /// Reads `NAME` or `NAME@VERSION`; errs with the sentence that says what would be right.
    fn from_str(text: &str) -> Result<Self, String> {
        let (name, version) = match text.split_once('@') {
            Some((name, version)) => (name, Some(version)),
            None => (text, None),
        };
        let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
        let is_named = !name.is_empty() && name.len() <= LONGEST && name.chars().all(fits);
        let number = version.map(|version| version.parse::<i64>().ok().filter(|n| *n > 0));
        let pinned_builtin = name == BUILTIN && version.is_some();
        if !is_named || number == Some(None) || pinned_builtin {
            return Err(format!(
                "'{text}' names no matching model: write {BUILTIN}, or NAME or NAME@VERSION of a stored one, a name of at \
                 most {LONGEST} letters, digits, '.', '_' and '-'"
            ));
        }
        Ok(Self {
            name: name.to_owned(),
            version: number.flatten(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::Reference;

    #[test]
    fn a_model_is_named_with_or_without_its_version() {
        for (text, version) in [
            ("builtin", None),
            ("ours-2026.1", None),
            ("ours@3", Some(3)),
        ] {
            let read: Reference = text.parse().unwrap();
            assert_eq!(read.version, version, "{text}");
            assert_eq!(read.to_string(), text);
        }
        for text in [
            "",
            "@1",
            "ours@",
            "ours@0",
            "ours@x",
            "ou rs",
            "builtin@1",
            "ours@1@2",
        ] {
            assert!(text.parse::<Reference>().is_err(), "{text}");
        }
    }
}
