//! A filter's text as tokens, each with the position of its first character, counted from 1.

use serde_json::Number;

use crate::scim::error::{Error, Kind, Result};

/// A token and where it begins.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Token {
    pub(super) at: usize,
    pub(super) what: What,
}

/// The kinds of tokens.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum What {
    Open,
    Close,
    OpenBracket,
    CloseBracket,
    /// A name, an operator, an unquoted literal, or `.name` after a bracket.
    Word(String),
    /// A quoted string, unescaped.
    Text(String),
    End,
}

impl What {
    /// The token in words, for an error's detail.
    pub(super) fn describe(&self) -> String {
        match self {
            Self::Open => "'('".to_owned(),
            Self::Close => "')'".to_owned(),
            Self::OpenBracket => "'['".to_owned(),
            Self::CloseBracket => "']'".to_owned(),
            Self::Word(word) => format!("'{word}'"),
            Self::Text(text) => format!("the string \"{text}\""),
            Self::End => "the end".to_owned(),
        }
    }
}

/// Cuts a text into tokens; the last is [`What::End`].
pub(super) fn tokens(text: &str, kind: Kind) -> Result<Vec<Token>> {
    let mut tokens = Vec::new();
    let mut rest = text;
    let mut at = 1;
    while let Some(first) = rest.chars().next() {
        let (what, length) = match first {
            space if space.is_whitespace() => {
                rest = &rest[space.len_utf8()..];
                at += 1;
                continue;
            }
            '(' => (What::Open, 1),
            ')' => (What::Close, 1),
            '[' => (What::OpenBracket, 1),
            ']' => (What::CloseBracket, 1),
            '"' => string(rest)
                .map_err(|problem| Error::new(kind, format!("at character {at}: {problem}")))?,
            _ => {
                let length = rest.find(ends_word).unwrap_or(rest.len());
                (What::Word(rest[..length].to_owned()), length)
            }
        };
        tokens.push(Token { at, what });
        at += rest[..length].chars().count();
        rest = &rest[length..];
    }
    tokens.push(Token {
        at,
        what: What::End,
    });
    Ok(tokens)
}

fn ends_word(c: char) -> bool {
    c.is_whitespace() || matches!(c, '(' | ')' | '[' | ']' | '"')
}

/// A JSON string at the start of a text, and its length in bytes with its quotes.
fn string(text: &str) -> std::result::Result<(What, usize), String> {
    let mut escaped = false;
    let end = text
        .char_indices()
        .skip(1)
        .find(|(_, c)| {
            let ends = *c == '"' && !escaped;
            escaped = *c == '\\' && !escaped;
            ends
        })
        .map(|(index, _)| index + 1)
        .ok_or("the string has no closing quote")?;
    let string: String = serde_json::from_str(&text[..end]).map_err(|_| {
        format!(
            "{} is no valid JSON string: check its escapes",
            &text[..end]
        )
    })?;
    if string.contains('\0') {
        return Err("a string cannot hold the character U+0000".into());
    }
    Ok((What::Text(string), end))
}

/// A JSON number, or nothing if the word is none.
///
/// Doubles are read by the standard library: printing the shortest form and reading it again gives the same double.
pub(super) fn number(word: &str) -> Option<Number> {
    let unsigned = word.strip_prefix('-').unwrap_or(word);
    let leading_zero =
        unsigned.starts_with('0') && unsigned[1..].starts_with(|c: char| c.is_ascii_digit());
    let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => {
            let digits = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
            (mantissa, Some(digits))
        }
        None => (unsigned, None),
    };
    let (whole, fraction) = match mantissa.split_once('.') {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (mantissa, None),
    };
    let is_digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if leading_zero
        || !is_digits(whole)
        || !fraction.is_none_or(is_digits)
        || !exponent.is_none_or(is_digits)
    {
        return None;
    }
    if fraction.is_none() && exponent.is_none() {
        if let Ok(integer) = word.parse::<i64>() {
            return Some(integer.into());
        }
        if let Ok(integer) = word.parse::<u64>() {
            return Some(integer.into());
        }
    }
    Number::from_f64(word.parse().ok()?)
}

#[cfg(test)]
mod tests;
