//! Query strings: form-urlencoded pairs, decoded strictly, because a filter with a byte guessed wrong finds the wrong
//! people.

use super::error::Failure;

/// The pairs of a query string, in order. `+` is a blank, empty parts (a trailing `&`) are harmless.
pub(super) fn parse(query: &str) -> Result<Vec<(String, String)>, Failure> {
    query
        .split('&')
        .filter(|part| !part.is_empty())
        .map(|part| {
            let (name, value) = part.split_once('=').unwrap_or((part, ""));
            Ok((decode(name)?, decode(value)?))
        })
        .collect()
}

/// The value of a parameter, which may be given once.
pub(super) fn single<'a>(
    pairs: &'a [(String, String)],
    name: &str,
) -> Result<Option<&'a str>, Failure> {
    let mut found = pairs
        .iter()
        .filter(|(known, _)| known == name)
        .map(|(_, value)| value.as_str());
    let first = found.next();
    match found.next() {
        None => Ok(first),
        Some(_) => Err(Failure::invalid_value(format!(
            "the query parameter '{name}' is given twice"
        ))),
    }
}

fn decode(text: &str) -> Result<String, Failure> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        let (byte, tail) = match (first, tail) {
            (b'+', _) => (b' ', tail),
            (b'%', [high, low, tail @ ..]) => (hex(*high)? << 4 | hex(*low)?, tail),
            (b'%', _) => return Err(bad_escape()),
            (byte, _) => (*byte, tail),
        };
        bytes.push(byte);
        rest = tail;
    }
    let text = String::from_utf8(bytes)
        .map_err(|_| Failure::invalid_value("the query string is not UTF-8 once decoded"))?;
    if text.contains('\0') {
        return Err(Failure::invalid_value(
            "the query string must not hold the character U+0000 (%00)",
        ));
    }
    Ok(text)
}

fn hex(digit: u8) -> Result<u8, Failure> {
    let value = char::from(digit)
        .to_digit(16)
        .and_then(|value| u8::try_from(value).ok());
    value.ok_or_else(bad_escape)
}

fn bad_escape() -> Failure {
    Failure::invalid_value(
        "in the query string, '%' must be followed by two hexadecimal digits; write a percent sign as %25",
    )
}

/// The parameter of that name, if it is there: a whole number of a range.
pub(super) fn number(
    pairs: &[(String, String)],
    name: &str,
    range: std::ops::RangeInclusive<i64>,
) -> Result<Option<i64>, Failure> {
    let read = |text: &str| {
        let number = text.parse().ok().filter(|number| range.contains(number));
        number.ok_or_else(|| {
            Failure::invalid_value(format!(
                "'{name}' is '{text}': give a whole number from {} to {}",
                range.start(),
                range.end()
            ))
        })
    };
    single(pairs, name)?.map(read).transpose()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pairs(query: &str) -> Vec<(String, String)> {
        parse(query).unwrap()
    }

    #[test]
    fn plus_and_percent_20_are_blanks_and_a_trailing_ampersand_is_harmless() {
        let expected = vec![("filter".to_owned(), "userName eq \"ä+b\"".to_owned())];
        assert_eq!(pairs("filter=userName+eq+%22%C3%A4%2Bb%22&"), expected);
        assert_eq!(pairs("filter=userName%20eq%20%22%c3%a4%2bb%22"), expected);
        assert_eq!(pairs("&&"), []);
    }

    #[test]
    fn broken_escapes_are_refused() {
        for query in ["a=%", "a=%2", "a=%zz", "a=%ff", "%C3=1"] {
            assert!(parse(query).is_err(), "{query}");
        }
    }

    #[test]
    fn a_parameter_may_be_given_once() {
        assert!(single(&pairs("a=1&b=2"), "a").is_ok_and(|value| value == Some("1")));
        assert!(single(&pairs("a=1&a=2"), "a").is_err());
    }
}
