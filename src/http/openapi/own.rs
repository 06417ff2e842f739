//! What the server has besides RFC 7644, for the document: kept as OpenAPI beside this file.
//!
//! | what | file |
//! |---|---|
//! | lineage, merge, split and elevation | `persons.json` |
//! | the feed, timelines and evidence packs | `hiring.json` |
//! | other forms of a resource | `forms.json`; which resource has which is said here |
//! | the contracts, the log and figures, which are not below SCIM's root | `root.json` |

use serde_json::{Map, Value, json};

use crate::domain::contract;
use crate::domain::rendering::Form;
use crate::http::Door;
use crate::http::published::Published;
use crate::scim::openapi::join;
use crate::scim::resource_type::ResourceType;

/// What is below SCIM's root.
const BELOW: [&str; 3] = [
    include_str!("persons.json"),
    include_str!("hiring.json"),
    include_str!("forms.json"),
];
/// What is at the server's own.
const AT_ROOT: &str = include_str!("root.json");
/// The resource type that has a form by the names of HR-Open.
const PERSON: &str = "Person";

/// All of it as one document.
pub(super) fn described(door: &Door, published: &Published) -> Value {
    let mut own = read(AT_ROOT);
    let items = own["paths"].as_object_mut().into_iter();
    let items = items
        .flat_map(Map::values_mut)
        .filter_map(Value::as_object_mut);
    for operation in items.flat_map(Map::values_mut) {
        operation["servers"] = json!([{"url": door.root()}]);
    }
    for part in BELOW {
        join(&mut own, &read(part));
    }
    for ty in &published.types {
        forms(published, ty, &mut own);
    }
    let form = &mut own["components"]["schemas"]["HrOpenPerson"];
    for location in published.hidden.get(PERSON).into_iter().flatten() {
        without(form, location.sub.as_ref().unwrap_or(&location.attribute));
    }
    own
}

/// Takes a property out of a JSON Schema, wherever it stands.
fn without(schema: &mut Value, name: &str) {
    match schema {
        Value::Object(members) => {
            if let Some(Value::Object(properties)) = members.get_mut("properties") {
                properties.shift_remove(name);
            }
            members.values_mut().for_each(|inner| without(inner, name));
        }
        Value::Array(items) => items.iter_mut().for_each(|inner| without(inner, name)),
        _ => {}
    }
}

/// The parts are built in, and a test reads them.
fn read(part: &str) -> Value {
    serde_json::from_str(part).unwrap_or_default()
}

/// The forms that a resource of a type can be asked for in (see [`Form`]).
fn forms(published: &Published, ty: &ResourceType, own: &mut Value) {
    let Some(name) = contract::exchanged_as(ty) else {
        return;
    };
    let schema = format!("{name}Contract");
    let mut forms = vec![(Form::Contract, &*schema)];
    if ty.name == PERSON {
        forms.push((Form::HrOpen, "HrOpen"));
    }
    let others = forms.iter().map(|(form, _)| form.name());
    let names: Vec<&str> = std::iter::once("scim").chain(others).collect();
    let content: Map<String, Value> = forms
        .iter()
        .map(|(form, schema)| {
            let schema = json!({"$ref": format!("#/components/schemas/{schema}")});
            (form.media_type().to_owned(), json!({"schema": schema}))
        })
        .collect();
    let header = |name: &str| json!({"$ref": format!("#/components/headers/{name}")});
    let get = json!({
        "parameters": [{
            "name": "format", "in": "query", "schema": {"enum": names},
            "description": "In which form; counts more than Accept.",
        }],
        "responses": {
            "200": {"content": content, "headers": {
                "ETag": header("Version"), "Link": header("Link"), "Vary": header("Vary"),
            }},
            "406": {"$ref": "#/components/responses/NotAcceptable"},
        },
    });
    let more = json!({
        "paths": {format!("{}/{{id}}", ty.endpoint): {"get": get}},
        "components": {"schemas": {schema: shape(published, name)}},
    });
    join(own, &more);
}

/// A contract's properties; what the client may not see, or has not asked for, is not there.
fn shape(published: &Published, name: &str) -> Value {
    let contract = published.contract(name);
    let mut schema = contract
        .map(|contract| contract.schema.clone())
        .unwrap_or_default();
    if let Some(members) = schema.as_object_mut() {
        for name in ["$schema", "$id", "required"] {
            members.remove(name);
        }
    }
    schema
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_part_is_an_object() {
        for part in BELOW.into_iter().chain([AT_ROOT]) {
            assert!(read(part)["components"].is_object(), "{part:.80}");
        }
    }
}
