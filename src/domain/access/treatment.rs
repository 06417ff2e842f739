//! What is left of a value that is hidden. Each treatment takes any JSON value; where it does not know the form that it
//! keeps a part of, it keeps nothing.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, Mac};
use serde_json::{Map, Value};
use sha2::Sha256;

use crate::domain::policy::Treatment;
use crate::scim::stand_in::{DOT, REDACTED, StandIn};

/// How many letters and digits `lastFour` may leave, and that more than these must be hidden.
const LEFT: usize = 4;

/// What `treatment` leaves of `value`, or nothing. Of lists and objects each part is treated; parts of which nothing is
/// left are left out. `key` is a secret of this client alone: under another key the same value has another name.
#[must_use]
pub fn treat(treatment: Treatment, value: &Value, key: &[u8]) -> Option<Value> {
    match value {
        _ if treatment == Treatment::Omit => None,
        Value::Null => None,
        Value::Array(items) => {
            let items: Vec<Value> = items
                .iter()
                .filter_map(|item| treat(treatment, item, key))
                .collect();
            (!items.is_empty()).then_some(Value::Array(items))
        }
        Value::Object(parts) => {
            let treated = |(name, part): (&String, &Value)| {
                Some((name.clone(), treat(treatment, part, key)?))
            };
            let parts: Map<String, Value> = parts.iter().filter_map(treated).collect();
            (!parts.is_empty()).then_some(Value::Object(parts))
        }
        _ => leaf(treatment, value, key).map(Value::String),
    }
}

/// How much a treatment hides.
pub(super) fn severity(treatment: Treatment) -> u8 {
    match treatment {
        Treatment::LastFour | Treatment::MaskEmail | Treatment::Year => 3,
        Treatment::Hash => 4,
        Treatment::Redact => 5,
        Treatment::Omit => 6,
    }
}

/// What stands for a value after the treatment, if anything does.
pub(super) fn stand_in(treatment: Treatment) -> Option<StandIn> {
    match treatment {
        Treatment::Omit => None,
        Treatment::Redact => Some(StandIn::Redacted),
        Treatment::LastFour | Treatment::MaskEmail => Some(StandIn::Dotted),
        Treatment::Year => Some(StandIn::Year),
        Treatment::Hash => Some(StandIn::Name),
    }
}

/// Whether a value looks as if the treatment had made it.
pub(super) fn is_masked(treatment: Treatment, value: &Value) -> bool {
    let texts: Vec<&str> = match value {
        Value::Array(items) => items.iter().filter_map(Value::as_str).collect(),
        single => single.as_str().into_iter().collect(),
    };
    stand_in(treatment).is_some_and(|known| texts.into_iter().any(|text| known.is(text)))
}

fn leaf(treatment: Treatment, value: &Value, key: &[u8]) -> Option<String> {
    let text = value.as_str();
    match treatment {
        Treatment::Omit => None,
        Treatment::Redact => Some(REDACTED.to_owned()),
        Treatment::LastFour => last_four(text?),
        Treatment::MaskEmail => mask_email(text?),
        Treatment::Year => year(text?),
        Treatment::Hash => pairwise(value, key),
    }
}

/// `••••4567`: always four dots, so that the length is hidden too; nothing where four would be half or more of it.
fn last_four(text: &str) -> Option<String> {
    let kept: Vec<char> = text.chars().filter(|c| c.is_alphanumeric()).collect();
    let hidden = kept.len().checked_sub(LEFT)?;
    let dots = DOT.to_string().repeat(LEFT);
    if hidden <= LEFT {
        // Treated before: the dots are no letters.
        return (text.strip_prefix(&dots)?.chars().count() == LEFT && hidden == 0)
            .then(|| text.to_owned());
    }
    Some(dots + &kept[hidden..].iter().collect::<String>())
}

/// `a•••@example.com`; of a local part as short as `al` not even the first letter.
fn mask_email(text: &str) -> Option<String> {
    let (local, domain) = text.rsplit_once('@')?;
    let sound = |c: char| c.is_alphanumeric() || matches!(c, '.' | '-');
    if local.is_empty() || domain.is_empty() || !domain.chars().all(sound) {
        return None;
    }
    let dots = DOT.to_string().repeat(3);
    let treated_before = local
        .strip_suffix(&dots)
        .is_some_and(|rest| rest.chars().count() <= 1);
    if treated_before {
        return Some(text.to_owned());
    }
    let first = local.chars().next().filter(|_| local.chars().count() > 2);
    Some(format!(
        "{}{dots}@{domain}",
        first.map_or_else(String::new, String::from)
    ))
}

/// `1990` of `1990-05-17` or of an instant.
fn year(text: &str) -> Option<String> {
    let digits = text.get(..4)?;
    let is_date = text.len() == 4 || text.as_bytes().get(4) == Some(&b'-');
    (is_date && digits.bytes().all(|byte| byte.is_ascii_digit())).then(|| digits.to_owned())
}

/// HMAC-SHA-256 of the value's JSON, in base64url: 43 characters.
fn pairwise(value: &Value, key: &[u8]) -> Option<String> {
    let mut mac = <Hmac<Sha256> as Mac>::new_from_slice(key).ok()?;
    mac.update(value.to_string().as_bytes());
    Some(URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes()))
}
