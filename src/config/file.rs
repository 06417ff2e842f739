//! The TOML file as written: parsing with located errors, and the defaults of single keys.

use std::fs;
use std::path::Path;
use std::str::FromStr;

use jsonwebtoken::{Algorithm, AlgorithmFamily};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};

use super::{Config, Error, Profile};

/// Reads and parses a configuration file. What holds between its parts is not checked yet: see [`Config::check`].
///
/// # Errors
/// When the file cannot be read or is not the TOML we know; the message names file, line, column and key.
pub fn load(path: &Path) -> Result<Config, Error> {
    let text = fs::read_to_string(path).map_err(|error| {
        Error(format!(
            "cannot read the configuration {}: {error}",
            path.display()
        ))
    })?;
    parse(&text).map_err(|Error(message)| Error(format!("{}: {message}", path.display())))
}

/// Parses the text of a configuration file.
///
/// # Errors
/// When it is not the TOML we know; the message names line, column and key.
pub fn parse(text: &str) -> Result<Config, Error> {
    toml::from_str(text).map_err(|error| Error(describe(text, &error)))
}

fn describe(text: &str, error: &toml::de::Error) -> String {
    let message = error.message().trim().replace('\n', ", ");
    let Some(span) = error.span() else {
        return message;
    };
    let before = text.get(..span.start).unwrap_or(text);
    let line = before.matches('\n').count() + 1;
    let column = before.chars().rev().take_while(|c| *c != '\n').count() + 1;
    match key_of(text, line) {
        Some(key) if !message.contains(key) => {
            format!("line {line}, column {column}: {key}: {message}")
        }
        _ => format!("line {line}, column {column}: {message}"),
    }
}

/// The key that is assigned to on that line, so that "expected a string" says of what.
fn key_of(text: &str, line: usize) -> Option<&str> {
    let line = text.lines().nth(line - 1)?;
    let (key, _) = line.split_once('=')?;
    let key = key.trim();
    (!key.is_empty() && !key.starts_with('#')).then_some(key)
}

/// A text, or a list of texts.
pub(super) fn one_or_more<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Vec<String>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged, expecting = "expected a text or a list of texts")]
    enum OneOrMore {
        One(String),
        More(Vec<String>),
    }
    Ok(match OneOrMore::deserialize(deserializer)? {
        OneOrMore::One(text) => vec![text],
        OneOrMore::More(list) => list,
    })
}

/// RS256 and ES256: what issuers use.
pub(super) fn default_algorithms() -> Vec<Algorithm> {
    vec![Algorithm::RS256, Algorithm::ES256]
}

/// The tenant of a client that names none.
pub(super) fn default_tenant() -> String {
    "default".into()
}

/// Signature algorithms with a public key. `none` and HMAC are refused: with HMAC the public key would be the secret
/// (RFC 8725 §2.1).
pub(super) fn algorithms<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Vec<Algorithm>, D::Error> {
    let names = Vec::<String>::deserialize(deserializer)?;
    if names.is_empty() {
        return Err(D::Error::custom(
            "name at least one algorithm, such as \"RS256\"",
        ));
    }
    names
        .iter()
        .map(|name| match Algorithm::from_str(name) {
            Ok(algorithm) if algorithm.family() != AlgorithmFamily::Hmac => Ok(algorithm),
            _ => Err(D::Error::custom(format!(
                "'{name}' is not an algorithm that can be trusted here; use RS256, RS384, RS512, PS256, PS384, PS512, \
                 ES256, ES384 or EdDSA"
            ))),
        })
        .collect()
}

impl<'de> Deserialize<'de> for Profile {
    /// By name, in any case.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = String::deserialize(deserializer)?;
        let known = [
            ("rfc", Self::Rfc),
            ("entra", Self::Entra),
            ("okta", Self::Okta),
            ("strict", Self::Strict),
        ];
        let found = known
            .into_iter()
            .find(|(known, _)| known.eq_ignore_ascii_case(&name));
        found.map(|(_, profile)| profile).ok_or_else(|| {
            D::Error::custom(format!(
                "'{name}' is no profile; write \"rfc\", \"entra\", \"okta\" or \"strict\""
            ))
        })
    }
}
