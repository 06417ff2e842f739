//! One PATCH case: a User is made as the case has it, patched, read and compared.

use serde_json::{Map, Value, json};

use super::cases::Patch;
use super::compare::Mismatch;
use super::report::Problem;
use super::wire::{Answer, Request, Wire};

const USER: &str = "urn:ietf:params:scim:schemas:core:2.0:User";
const PATCH_OP: &str = "urn:ietf:params:scim:api:messages:2.0:PatchOp";

/// Runs the case.
pub(super) async fn check(wire: &mut Wire, case: &Patch, unique: &str) -> Result<(), Problem> {
    let own = case.before["userName"].as_str().unwrap_or_default();
    let renamed = |value: &Value| rename(value, own, unique);
    let before = renamed(&case.before);

    let create = Request::new("POST", "/Users", Some(&with_schemas(&before)));
    let made = send(wire, "creates the User", &create, &[201]).await?;
    let made = made.body.unwrap_or_default();
    let Some(id) = made["id"].as_str() else {
        let mismatch = Mismatch::new("an id", made.to_string());
        return Err(Problem::new("creates the User", Some(create), mismatch));
    };
    let path = format!("/Users/{id}");

    let body = json!({"schemas": [PATCH_OP], "Operations": renamed(&case.operations)});
    let request = Request::new("PATCH", &path, Some(&body));
    let statuses: &[u16] = if case.after.is_ok() {
        &[200, 204]
    } else {
        &[400]
    };
    let answer = send(wire, "patches it", &request, statuses).await?;
    let now = send(wire, "reads it", &Request::get(&path), &[200]).await?;
    let now = now.body.unwrap_or_default();

    let wrong = |expected: String, got: String| {
        Err(Problem::new(
            "patches it",
            Some(request.clone()),
            Mismatch::new(expected, got),
        ))
    };
    match &case.after {
        Err(keyword) => {
            if answer.place("/scimType") != Some(keyword.as_str().into()) {
                return wrong(format!("400 {keyword}"), answer.text);
            }
            // RFC 7644 §3.5.2: a PATCH is done in whole or not at all.
            if plain(&now) != plain(&made) {
                return wrong(format!("the User as before: {made}"), now.to_string());
            }
        }
        Ok(after) => {
            let after = renamed(after);
            let (wanted, found) = (settled(&after, &before, &made), plain(&now));
            if wanted != found {
                return wrong(wanted.to_string(), found.to_string());
            }
            // RFC 7644 §3.5.2.1: where nothing changes, no new time of modification.
            if after == before && now["meta"]["lastModified"] != made["meta"]["lastModified"] {
                return wrong(
                    format!("meta unchanged: {}", made["meta"]),
                    now["meta"].to_string(),
                );
            }
        }
    }
    Ok(())
}

async fn send(
    wire: &mut Wire,
    when: &str,
    request: &Request,
    statuses: &[u16],
) -> Result<Answer, Problem> {
    let problem = |mismatch| Problem::new(when, Some(request.clone()), mismatch);
    let wanted: Vec<String> = statuses.iter().map(u16::to_string).collect();
    let wanted = format!("status {}", wanted.join(" or "));
    match wire.send(request.clone()).await {
        Ok(answer) if statuses.contains(&answer.status) => Ok(answer),
        Ok(answer) => {
            let got = format!("status {} {}", answer.status, answer.text);
            Err(problem(Mismatch::new(wanted, got)))
        }
        Err(why) => Err(problem(Mismatch::new(wanted, why))),
    }
}

/// The User with a name that nobody else has.
fn rename(value: &Value, own: &str, unique: &str) -> Value {
    match value {
        Value::String(text) if text == own => unique.into(),
        Value::Array(elements) => elements.iter().map(|e| rename(e, own, unique)).collect(),
        Value::Object(members) => members
            .iter()
            .map(|(name, value)| (name.clone(), rename(value, own, unique)))
            .collect::<Map<_, _>>()
            .into(),
        other => other.clone(),
    }
}

fn with_schemas(user: &Value) -> Value {
    let mut user = user.clone();
    let extensions: Vec<String> = user
        .as_object()
        .into_iter()
        .flat_map(Map::keys)
        .filter(|name| name.starts_with("urn:"))
        .cloned()
        .collect();
    let mut schemas = vec![USER.to_owned()];
    schemas.extend(extensions);
    user["schemas"] = json!(schemas);
    user
}

/// What is expected in the end, with what the server itself had set when the User was made: a default is its right
/// (RFC 7644 §3.3).
fn settled(after: &Value, before: &Value, made: &Value) -> Value {
    let mut wanted = plain(after);
    let (Some(fields), Some(set)) = (wanted.as_object_mut(), plain(made).as_object().cloned())
    else {
        return wanted;
    };
    for (name, value) in set {
        let asked = before.get(&name).is_some();
        if !asked && !fields.contains_key(&name) {
            fields.insert(name, value);
        }
    }
    sorted(&wanted)
}

/// A User without common attributes and private extensions, without references, which are the server's to make, without what merely says
/// `false`, and without an order of elements (RFC 7643 §2.4).
fn plain(user: &Value) -> Value {
    let mut user = user.clone();
    if let Some(fields) = user.as_object_mut() {
        fields.retain(|name, _| {
            let common = ["schemas", "id", "meta", "groups"].contains(&name.as_str());
            let private = name.starts_with("urn:") && !name.starts_with("urn:ietf:params:scim:");
            !common && !private
        });
    }
    sorted(&user)
}

fn sorted(value: &Value) -> Value {
    match value {
        Value::Array(elements) => {
            let mut elements: Vec<Value> = elements.iter().map(sorted).collect();
            elements.sort_by_key(Value::to_string);
            elements.into()
        }
        Value::Object(members) => {
            let mut members: Vec<(String, Value)> = members
                .iter()
                .filter(|(name, value)| {
                    *name != "$ref" && !(*name == "primary" && **value == Value::Bool(false))
                })
                .map(|(name, value)| (name.clone(), sorted(value)))
                .collect();
            members.sort_by(|(a, _), (b, _)| a.cmp(b));
            Value::Object(members.into_iter().collect())
        }
        other => other.clone(),
    }
}
