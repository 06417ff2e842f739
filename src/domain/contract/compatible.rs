//! What of a newer JSON Schema breaks who relies on an older one: a sender whose documents would no longer be valid, or a
//! reader who would miss what was promised (requirement A-119). Keywords that say nothing about validity are passed over.

use serde_json::{Map, Value};

/// Keywords whose larger number demands more.
const FLOORS: [&str; 5] = [
    "minimum",
    "exclusiveMinimum",
    "minLength",
    "minItems",
    "minProperties",
];
/// Keywords whose smaller number demands more.
const CEILINGS: [&str; 5] = [
    "maximum",
    "exclusiveMaximum",
    "maxLength",
    "maxItems",
    "maxProperties",
];
/// Keywords that may go, but neither come nor change.
const FIXED: [&str; 5] = ["format", "pattern", "uniqueItems", "contains", "const"];
/// Keywords that are not looked into: whatever changes in them counts.
const WHOLE: [&str; 9] = [
    "$ref",
    "anyOf",
    "oneOf",
    "allOf",
    "not",
    "if",
    "then",
    "else",
    "dependentRequired",
];

/// Each break with the place where it is (`/properties/status`); none if the newer schema is compatible.
#[must_use]
pub fn breaks(older: &Value, newer: &Value) -> Vec<String> {
    let mut found = Vec::new();
    compare("", older, newer, &mut found);
    found
}

fn compare(at: &str, older: &Value, newer: &Value, found: &mut Vec<String>) {
    let nothing = Map::new();
    let map = |schema: &Value| {
        schema
            .as_object()
            .cloned()
            .unwrap_or_else(|| nothing.clone())
    };
    let (older, newer) = (map(older), map(newer));
    let mut note = |what: String| found.push(format!("{}: {what}", place(at)));
    required(at, &older, &newer, &mut note);
    types(&older, &newer, &mut note);
    values(&older, &newer, &mut note);
    numbers(&older, &newer, &mut note);
    for key in FIXED {
        if newer.contains_key(key) && older.get(key) != newer.get(key) {
            note(format!("{key} is new or another"));
        }
    }
    for key in WHOLE {
        if older.get(key) != newer.get(key) {
            note(format!("{key} is another"));
        }
    }
    let closed = Some(&Value::Bool(false));
    if newer.get("additionalProperties") == closed && older.get("additionalProperties") != closed {
        note("additionalProperties are no longer allowed".to_owned());
    }
    for key in ["properties", "$defs"] {
        members(at, key, (&older, &newer), found);
    }
    if let Some(items) = newer.get("items") {
        let before = older.get("items").unwrap_or(&Value::Null);
        compare(&format!("{at}/items"), before, items, found);
    }
}

fn place(at: &str) -> &str {
    if at.is_empty() { "the whole" } else { at }
}

/// What is required of all may neither come nor go; of a definition `NAMEInput`, which only the service reads, it may go.
fn required(
    at: &str,
    older: &Map<String, Value>,
    newer: &Map<String, Value>,
    note: &mut impl FnMut(String),
) {
    let (before, after) = (strings(older, "required"), strings(newer, "required"));
    for name in after.iter().filter(|name| !before.contains(name)) {
        note(format!("'{name}' is required now"));
    }
    let is_sent = at.split('/').any(|part| part.ends_with("Input"));
    for name in before.iter().filter(|name| !after.contains(name)) {
        if !is_sent {
            note(format!("'{name}' is no longer sure to be there"));
        }
    }
}

fn types(older: &Map<String, Value>, newer: &Map<String, Value>, note: &mut impl FnMut(String)) {
    let (before, after) = (strings(older, "type"), strings(newer, "type"));
    if after.is_empty() {
        return;
    }
    if before.is_empty() {
        note(format!("the type must be {} now", after.join(" or ")));
    }
    let allowed =
        |kind: &str| after.contains(&kind) || kind == "integer" && after.contains(&"number");
    for kind in before.into_iter().filter(|kind| !allowed(kind)) {
        note(format!("the type may no longer be {kind}"));
    }
}

fn values(older: &Map<String, Value>, newer: &Map<String, Value>, note: &mut impl FnMut(String)) {
    let list = |schema: &Map<String, Value>| schema.get("enum").and_then(Value::as_array).cloned();
    let Some(after) = list(newer) else {
        return;
    };
    match list(older) {
        None => note("only certain values are allowed now".to_owned()),
        Some(before) => {
            for value in before.iter().filter(|value| !after.contains(value)) {
                note(format!("the value {value} is no longer allowed"));
            }
        }
    }
}

fn numbers(older: &Map<String, Value>, newer: &Map<String, Value>, note: &mut impl FnMut(String)) {
    let number = |schema: &Map<String, Value>, key: &str| schema.get(key).and_then(Value::as_f64);
    let keys = FLOORS.map(|key| (key, true)).into_iter();
    for (key, is_floor) in keys.chain(CEILINGS.map(|key| (key, false))) {
        let demands_more = match (number(older, key), number(newer, key)) {
            (_, None) => false,
            (None, Some(_)) => true,
            (Some(before), Some(after)) if is_floor => after > before,
            (Some(before), Some(after)) => after < before,
        };
        if demands_more {
            note(format!("{key} demands more"));
        }
    }
}

/// What both have is compared; what is new breaks nobody.
fn members(
    at: &str,
    key: &str,
    (older, newer): (&Map<String, Value>, &Map<String, Value>),
    found: &mut Vec<String>,
) {
    let before = older.get(key).and_then(Value::as_object);
    let after = newer.get(key).and_then(Value::as_object);
    for (name, schema) in before.into_iter().flatten() {
        let at = format!("{at}/{key}/{name}");
        match after.and_then(|after| after.get(name)) {
            Some(now) => compare(&at, schema, now, found),
            None => found.push(format!("{at}: is gone")),
        }
    }
}

/// A keyword's string, or its strings.
fn strings<'a>(schema: &'a Map<String, Value>, key: &str) -> Vec<&'a str> {
    match schema.get(key) {
        Some(Value::String(one)) => vec![one],
        Some(Value::Array(many)) => many.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn published() -> Value {
        json!({
            "type": "object",
            "description": "As it was.",
            "properties": {
                "status": {"enum": ["sent", "accepted"]},
                "note": {"type": ["string", "null"], "maxLength": 10},
                "codes": {"type": "array", "items": {"type": "integer"}},
            },
            "required": ["status"],
            "$defs": {"OfferInput": {"required": ["status"]}},
        })
    }

    /// The one break that a change makes.
    fn broken(pointer: &str, value: Value) -> String {
        let mut newer = published();
        let (parent, key) = pointer.rsplit_once('/').unwrap();
        newer.pointer_mut(parent).unwrap()[key] = value;
        let found = breaks(&published(), &newer);
        assert_eq!(found.len(), 1, "{found:?}");
        found[0].clone()
    }

    #[test]
    fn what_is_gone_is_a_break() {
        let cases = [
            ("/properties", json!({}), 3),
            ("/$defs", json!({}), 1),
            ("/required", json!([]), 1),
        ];
        for (pointer, value, count) in cases {
            let mut newer = published();
            *newer.pointer_mut(pointer).unwrap() = value;
            assert_eq!(breaks(&published(), &newer).len(), count, "{pointer}");
        }
    }

    #[test]
    fn a_break_is_named_with_its_place() {
        let cases = [
            (
                "/required",
                json!(["status", "note"]),
                "the whole: 'note' is required now",
            ),
            (
                "/additionalProperties",
                json!(false),
                "the whole: additionalProperties are no longer allowed",
            ),
            (
                "/properties/status/enum",
                json!(["sent"]),
                "/properties/status: the value \"accepted\" is no longer allowed",
            ),
            (
                "/properties/status/type",
                json!("string"),
                "/properties/status: the type must be string now",
            ),
            (
                "/properties/note/type",
                json!("string"),
                "/properties/note: the type may no longer be null",
            ),
            (
                "/properties/note/maxLength",
                json!(9),
                "/properties/note: maxLength demands more",
            ),
            (
                "/properties/note/minLength",
                json!(1),
                "/properties/note: minLength demands more",
            ),
            (
                "/properties/note/format",
                json!("uuid"),
                "/properties/note: format is new or another",
            ),
            (
                "/properties/codes/items/enum",
                json!([1]),
                "/properties/codes/items: only certain values are allowed now",
            ),
            (
                "/anyOf",
                json!([{"required": ["note"]}]),
                "the whole: anyOf is another",
            ),
        ];
        for (pointer, value, expected) in cases {
            assert_eq!(broken(pointer, value), expected);
        }
    }

    #[test]
    fn what_allows_more_or_only_explains_is_none() {
        let mut newer = published();
        newer["description"] = json!("As it is.");
        newer["properties"]["extra"] = json!({"type": "string"});
        newer["properties"]["status"]["enum"] = json!(["sent", "accepted", "declined"]);
        newer["properties"]["note"] = json!({"description": "Anything."});
        newer["properties"]["codes"]["items"]["type"] = json!("number");
        newer["$defs"]["OfferInput"]["required"] = json!([]);
        newer["$defs"]["Offer"] = json!({"required": ["status"]});
        assert_eq!(breaks(&published(), &newer), Vec::<String>::new());
    }
}
