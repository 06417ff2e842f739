//! What is only appended takes nothing that its schema does not have, wherever it stands: it is refused and reported, and of its
//! value nothing is left, in no table, file, event or queue (B-030, B-034, B-063, B-064).

use serde_json::{Value, json};

use crate::stage::*;
use crate::support::client::http;
use crate::support::{App, Client, Engine, on_both};

on_both!(
    b_064_a_verification_takes_nothing_beyond_its_schema,
    b_064_an_assessment_takes_nothing_beyond_its_schema
);

/// What must not be kept, and what it is called.
const PLANTED: &str = "cGxhbnRlZC1mYWNlLXRlbXBsYXRl";
const NAME: &str = "faceTemplate";

async fn b_064_a_verification_takes_nothing_beyond_its_schema(app: &App) {
    let whole = |application: &Value| {
        let mut body = verified(application, 2, "pass");
        body["externalIdentifiers"] = called("greenhouse", "application_id", "v-1");
        body
    };
    takes_nothing_beyond(app, "Verification", whole).await;
}

async fn b_064_an_assessment_takes_nothing_beyond_its_schema(app: &App) {
    let whole = |application: &Value| {
        json!({
            "application": to(application), "occurredAt": "2031-02-21T09:00:00Z", "vendor": "codetest", "attemptId": "a-1",
            "result": "pass", "externalIdentifiers": called("greenhouse", "application_id", "s-1"),
        })
    };
    takes_nothing_beyond(app, "Assessment", whole).await;
}

/// The body with the value planted in each place where one may be: beside its attributes, in each complex one, in an extension that
/// is listed, and in one that is not; as a text, a list and an object.
async fn planted(client: &Client, name: &str, whole: &Value) -> Vec<(String, Value)> {
    let urn = format!("urn:muster:scim:schemas:core:1.0:{name}");
    let schema = client.get(&format!("/Schemas/{urn}")).await;
    let mut found = Vec::new();
    for value in [json!(PLANTED), json!([PLANTED]), json!({"data": PLANTED})] {
        let mut body = whole.clone();
        body[NAME] = value;
        found.push((NAME.to_owned(), body));
    }
    let attributes = schema.ok(200)["attributes"].as_array().unwrap();
    for attribute in attributes.iter().filter(|one| one["type"] == "complex") {
        let (name, mut body) = (attribute["name"].as_str().unwrap(), whole.clone());
        let part = json!(PLANTED);
        if attribute["multiValued"] == true {
            body[name][0][NAME] = part;
        } else {
            // What it does not have yet it has with this alone.
            body[name][NAME] = part;
        }
        found.push((format!("in {name}"), body));
    }
    let extension = "urn:example:biometrics:1.0:Face";
    for schemas in [json!([urn]), json!([urn, extension])] {
        let mut body = whole.clone();
        body["schemas"] = schemas;
        body[extension] = json!({NAME: PLANTED});
        found.push((extension.to_owned(), body));
    }
    // One that is served, but not of this type.
    let mut body = whole.clone();
    body["urn:muster:scim:schemas:extension:1.0:Candidate"] = json!({"sourceName": PLANTED});
    found.push(("another type's".to_owned(), body));
    found
}

async fn takes_nothing_beyond(app: &App, name: &str, whole: impl Fn(&Value) -> Value) {
    let (ats, hris) = set(app, "").await;
    let (_, _, application) = applied(&ats).await;
    let (endpoint, whole) = (format!("/{name}s"), whole(&application));
    let mut refused = 0;
    for (place, body) in planted(&ats, name, &whole).await {
        let answer = ats.post(&endpoint, body.clone()).await;
        let told = answer.body.to_string();
        assert_eq!(answer.status, 400, "{place}: {told}");
        assert!(!told.contains(PLANTED), "{place}: {told}");
        let mut data = body;
        if data.get("schemas").is_none() {
            data["schemas"] = json!([format!("urn:muster:scim:schemas:core:1.0:{name}")]);
        }
        let bulk = json!({
            "schemas": ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"],
            "Operations": [{"method": "POST", "path": endpoint, "bulkId": "b", "data": data}],
        });
        let answer = ats.post("/Bulk", bulk).await;
        let told = answer.ok(200);
        assert_eq!(told["Operations"][0]["status"], "400", "{place}: {told}");
        assert!(!told.to_string().contains(PLANTED), "{place}: {told}");
        refused += 1;
    }
    assert!(refused >= 8, "{refused}");
    assert!(hris.find(&endpoint, "id pr").await.is_empty());
    // It is reported: as refusals on the log, and in the queue of what waits for a human.
    let events = hris
        .find("/AuditEvents", "type eq \"request.refused.400\"")
        .await;
    assert!(events.len() >= refused, "{} of {refused}", events.len());
    let url = format!("{}/admin/refused", app.origin());
    let asked = http().get(url).bearer_auth(app.token("hris").await);
    let queue = asked.send().await.unwrap().text().await.unwrap();
    assert!(queue.contains(NAME) && !queue.contains(PLANTED), "{queue}");
    let log = format!("{:?}", app.service().events(0, 10_000).unwrap());
    assert!(!log.contains(PLANTED), "not even in the log");
    assert_eq!(holding(app), [""; 0]);
    // Without it, it is taken: nothing else was wrong. And what is kept is found where it is looked for.
    let mut kept = whole;
    kept["vendor"] = PLANTED.into();
    ats.create(&endpoint, kept).await;
    assert!(!holding(app).is_empty());
}

/// The files, or tables, in which the value stands.
fn holding(app: &App) -> Vec<String> {
    if app.database.engine() == Engine::Sqlite {
        return app.database.files_with(PLANTED);
    }
    let mut connection = app.database.connect();
    let tables = "SELECT quote_ident(table_name) AS t FROM information_schema.tables WHERE table_schema = 'public'";
    let bytes = hex::encode(PLANTED);
    let mut found = connection.texts(tables);
    assert!(found.len() > 20, "{found:?}");
    found.retain(|table| {
        let count = format!(
            "SELECT count(*) AS n FROM {table} AS row WHERE row::text LIKE '%{PLANTED}%' OR row::text LIKE '%{bytes}%'"
        );
        connection.number(&count) > 0
    });
    found
}
