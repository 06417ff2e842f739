//! The PATCH cases of `conformance/patches`, through HTTP and a database.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use crate::support::{App, Client, ENTERPRISE, on_both};

on_both!(add, replace, remove, clients);

async fn add(app: &App) {
    run(app, "add").await;
}

async fn replace(app: &App) {
    run(app, "replace").await;
}

async fn remove(app: &App) {
    run(app, "remove").await;
}

async fn clients(app: &App) {
    run(app, "clients").await;
}

async fn run(app: &App, file: &str) {
    let path =
        Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("conformance/patches/{file}.json"));
    let cases: Value = serde_json::from_slice(&fs::read(path).unwrap()).unwrap();
    let idp = app.client("idp").await;
    let mut failed = Vec::new();
    for case in cases.as_array().unwrap() {
        if let Err(why) = check(&idp, case).await {
            failed.push(format!("{}: {why}", case["name"]));
        }
    }
    assert!(failed.is_empty(), "{}", failed.join("\n"));
}

async fn check(idp: &Client, case: &Value) -> Result<(), String> {
    let made = idp.create("/Users", case["before"].clone()).await;
    let path = format!("/Users/{}", made["id"].as_str().unwrap());
    let answer = idp.patch(&path, case["operations"].clone()).await;
    let now = idp.get(&path).await.ok(200).clone();
    idp.delete(&path).await.ok(204);
    let Some(after) = case.get("after") else {
        return match (answer.status, answer.body.get("scimType")) {
            (400, Some(found)) if *found == case["error"] && now == made => Ok(()),
            _ => Err(format!(
                "wanted 400 {}, got {} {}; now {now}",
                case["error"], answer.status, answer.body
            )),
        };
    };
    if answer.status != 200 || answer.body != now {
        return Err(format!(
            "answered {} {}; now {now}",
            answer.status, answer.body
        ));
    }
    let mut wanted = after.clone();
    // An account is active unless somebody says that it is not.
    let fields = wanted.as_object_mut().unwrap();
    fields.entry("active").or_insert(json!(true));
    let found = standard(&now);
    if sorted(&wanted) != sorted(&found) {
        return Err(format!("wanted {wanted}, got {found}"));
    }
    // RFC 7644 §3.5.2: an operation that changes nothing leaves the resource and its version alone.
    let same = after == &case["before"];
    if same && now["meta"] != made["meta"] {
        return Err(format!(
            "nothing changed, but {} became {}",
            made["meta"], now["meta"]
        ));
    }
    Ok(())
}

/// The resource as RFC 7643 has it: without common attributes, our own extensions and the references that we add.
fn standard(resource: &Value) -> Value {
    let mut standard = resource.clone();
    let fields = standard.as_object_mut().unwrap();
    fields.retain(|name, _| {
        !["schemas", "id", "meta"].contains(&name.as_str()) && !name.starts_with("urn:muster:")
    });
    if let Some(manager) = standard.pointer_mut(&format!("/{ENTERPRISE}/manager")) {
        manager.as_object_mut().unwrap().remove("$ref");
    }
    standard
}

/// The elements of a multi-valued attribute have no order (RFC 7643 §2.4).
fn sorted(value: &Value) -> Value {
    match value {
        Value::Array(elements) => {
            let mut elements: Vec<Value> = elements.iter().map(sorted).collect();
            elements.sort_by_key(Value::to_string);
            elements.into()
        }
        Value::Object(members) => {
            let mut members: Vec<_> = members
                .iter()
                .map(|(name, value)| (name.clone(), sorted(value)))
                .collect();
            members.sort_by(|(a, _), (b, _)| a.cmp(b));
            Value::Object(members.into_iter().collect())
        }
        other => other.clone(),
    }
}
