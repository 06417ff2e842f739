//! `[keys]`: where the key-encryption key comes from (design §5).

use std::env;
use std::fs;
use std::path::PathBuf;
use std::process::Command;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use serde::Deserialize;

use super::Error;

/// How long a key-encryption key is, in bytes.
const KEY: usize = 32;

/// `[keys]`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Keys {
    /// The key that encrypts all others.
    pub key_encryption_key: KeySource,
    /// Those whose place it takes: as long as `muster keys rotate` has not been run.
    #[serde(default)]
    pub previous: Vec<KeySource>,
    /// The key under which SQLite's file is encrypted as a whole, in a build with SQLCipher; it is not without one.
    #[serde(default)]
    pub sqlite_key: Option<KeySource>,
}

/// Where a key is read from: 32 bytes, in base64 or as 64 hexadecimal digits.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KeySource {
    /// A file that only the server may read.
    File(PathBuf),
    /// An environment variable.
    Env(String),
    /// A program and its arguments, which prints the key, such as the client of a secret store.
    Command(Vec<String>),
}

impl Keys {
    /// The bytes of the key-encryption key, and of those whose place it takes.
    ///
    /// # Errors
    /// When one of them cannot be had or is no key; the message says which, and never what it is.
    pub fn read(&self) -> Result<Vec<[u8; KEY]>, Error> {
        let sources = std::iter::once(&self.key_encryption_key).chain(&self.previous);
        sources.map(KeySource::read).collect()
    }
}

impl KeySource {
    /// The bytes of the key.
    ///
    /// # Errors
    /// As of [`Keys::read`].
    pub fn read(&self) -> Result<[u8; KEY], Error> {
        let (what, text) = match self {
            Self::File(path) => {
                let what = format!("the file {}", path.display());
                (
                    what,
                    fs::read_to_string(path).map_err(|error| error.to_string()),
                )
            }
            Self::Env(name) => {
                let what = format!("the environment variable {name}");
                (what, env::var(name).map_err(|error| error.to_string()))
            }
            Self::Command(words) => {
                let name = words.first().map_or("", String::as_str);
                (format!("the command '{name}'"), output(words))
            }
        };
        let text = text.map_err(|why| {
            Error(format!(
                "the key-encryption key cannot be had from {what}: {why}"
            ))
        })?;
        decode(text.trim()).ok_or_else(|| {
            Error(format!(
                "{what} holds no key-encryption key: it is {KEY} bytes, in base64 or as {} hexadecimal digits, as \
                 `muster keys generate` prints one",
                2 * KEY
            ))
        })
    }
}

fn output(words: &[String]) -> Result<String, String> {
    let (program, arguments) = words.split_first().ok_or("it is empty")?;
    let output = Command::new(program)
        .args(arguments)
        .output()
        .map_err(|error| error.to_string())?;
    if !output.status.success() {
        return Err(format!("it ended with {}", output.status));
    }
    String::from_utf8(output.stdout).map_err(|_| "it printed no text".into())
}

/// The bytes of a key as it is written.
fn decode(text: &str) -> Option<[u8; KEY]> {
    if text.len() == 2 * KEY {
        let mut key = [0; KEY];
        for (at, byte) in key.iter_mut().enumerate() {
            *byte = u8::from_str_radix(text.get(2 * at..2 * at + 2)?, 16).ok()?;
        }
        return Some(key);
    }
    let bytes = STANDARD
        .decode(text)
        .or_else(|_| STANDARD_NO_PAD.decode(text));
    bytes.ok()?.try_into().ok()
}

/// A key as it is written: base64.
#[must_use]
pub fn encode(key: &[u8]) -> String {
    STANDARD.encode(key)
}

#[cfg(test)]
mod tests {
    use super::{KEY, KeySource, Keys, decode, encode};
    use crate::config::parse;

    #[test]
    fn a_key_is_read_in_base64_and_in_hexadecimal() {
        let key: Vec<u8> = (0..32).collect();
        assert_eq!(decode(&encode(&key)).unwrap().to_vec(), key);
        assert_eq!(
            decode(encode(&key).trim_end_matches('=')).unwrap().to_vec(),
            key
        );
        let digits = key
            .iter()
            .fold(String::new(), |text, byte| format!("{text}{byte:02X}"));
        assert_eq!(decode(&digits).unwrap().to_vec(), key);
        for wrong in [
            "",
            "hunter2",
            &encode(&key[..31]),
            &digits[..62],
            &"g".repeat(64),
        ] {
            assert_eq!(decode(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_key_comes_from_a_command_and_its_previous_ones_beside_it() {
        let text = format!(
            "[keys]\nkey_encryption_key = {{ command = [\"printf\", \"{}\"] }}\nprevious = [{{ env = \"OLD_KEK\" }}]",
            "0a".repeat(KEY)
        );
        let keys = parse(&text).unwrap().keys.unwrap();
        assert_eq!(keys.key_encryption_key.read().unwrap(), [10; KEY]);
        assert_eq!(keys.previous, [KeySource::Env("OLD_KEK".into())]);
        let said = keys.read().unwrap_err().to_string();
        assert!(said.contains("environment variable OLD_KEK"), "{said}");
    }

    #[test]
    fn what_is_no_key_is_named_and_not_shown() {
        let source = KeySource::Command(vec!["printf".into(), "hunter2".into()]);
        let said = source.read().unwrap_err().to_string();
        assert!(
            said.contains("'printf' holds no key") && !said.contains("hunter2"),
            "{said}"
        );
        let failing = Keys {
            key_encryption_key: KeySource::Command(vec!["false".into()]),
            previous: Vec::new(),
            sqlite_key: None,
        };
        let said = failing.read().unwrap_err().to_string();
        assert!(said.contains("'false': it ended with"), "{said}");
        assert!(parse("[keys]\nkey_encryption_key = { file = \"a\", env = \"B\" }").is_err());
    }
}
