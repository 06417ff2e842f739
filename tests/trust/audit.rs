//! What requests leave in the log that change nothing (design §4): reads of what is classified, and refusals.

use serde_json::{Value, json};

use crate::masking::ada;
use crate::rules::{POLICY, apply};
use crate::support::{App, Client, PATCH_OP, on_both};

on_both!(
    reads_of_what_is_classified_are_logged_with_their_purpose,
    refusals_are_logged_with_their_reason,
    each_refused_operation_of_a_bulk_request_is_logged,
    the_log_is_searched_like_everything_else,
    the_log_is_searched_by_what_its_bodies_say,
    the_log_is_masked_for_its_reader,
    the_log_is_paged_by_cursor_and_by_index
);

fn of_type(app: &App, kind: &str) -> Vec<Value> {
    let events = app.service().events(0, 10_000).unwrap();
    let events = events.into_iter().map(|(_, event)| event);
    events
        .filter(|event| event["type"].as_str().unwrap().starts_with(kind))
        .collect()
}

async fn reads_of_what_is_classified_are_logged_with_their_purpose(app: &App) {
    apply(app, POLICY);
    let (hris, idp) = (app.client("hris").await, app.client("idp").await);
    let id = ada(&hris).await["id"].as_str().unwrap().to_owned();
    let path = format!("/Persons/{id}");
    let before = of_type(app, "person.read").len();
    hris.get(&path).await.ok(200);
    let reads = of_type(app, "person.read");
    let read = &reads[before];
    assert_eq!(read["client"], "hris");
    assert_eq!(read["personId"], id.as_str());
    assert_eq!(read["subjects"], json!([id]));
    assert_eq!(read["purpose"], "employment payroll");
    assert!(read["attributes"].to_string().contains("birthDate"));
    assert!(!read.to_string().contains("1815"), "no value: {read}");
    // What it does not show it does not log, and who sees nothing classified leaves nothing.
    hris.get(&format!("{path}?attributes=displayName"))
        .await
        .ok(200);
    idp.get(&path).await.ok(200);
    idp.get("/Persons").await.ok(200);
    assert_eq!(of_type(app, "person.read").len(), before + 1);
    let bulk = json!({
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"],
        "Operations": [{"method": "PATCH", "path": path, "data": {
            "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
            "Operations": [{"op": "replace", "path": "timezone", "value": "Europe/Rome"}]
        }}]
    });
    for (prefer, more) in [("return=minimal", 0), ("return=representation", 1)] {
        let before = of_type(app, "person.read").len();
        let body = Some(bulk.to_string().into_bytes());
        let answer = hris
            .send(reqwest::Method::POST, "/Bulk", &[("prefer", prefer)], body)
            .await;
        assert_eq!(answer.ok(200).to_string().contains("1815"), more == 1);
        assert_eq!(of_type(app, "person.read").len(), before + more);
    }
    // One event a request, with all whom it is of; also a search by it that finds nobody.
    ada_again(&hris).await;
    let before = of_type(app, "person.read").len();
    hris.get("/Persons").await.ok(200);
    hris.find("/Persons", "birthDate eq \"1999-01-01\"").await;
    let reads = of_type(app, "person.read");
    assert_eq!(reads.len(), before + 2);
    assert_eq!(reads[before]["subjects"].as_array().unwrap().len(), 2);
    assert_eq!(reads[before + 1]["attributes"], json!(["birthDate"]));
    assert_eq!(reads[before + 1]["purpose"], "payroll");
}

async fn ada_again(hris: &crate::support::Client) {
    hris.create(
        "/Persons",
        json!({"displayName": "Eve", "birthDate": "1900-01-01"}),
    )
    .await;
}

/// Type, client and resource type of each.
fn who_was_refused(events: &[Value]) -> Vec<(&str, &str, &str)> {
    let told = events.iter().map(|event| {
        let text = |name: &str| event[name].as_str().unwrap_or_default();
        (text("type"), text("client"), text("resourceType"))
    });
    told.collect()
}

async fn each_refused_operation_of_a_bulk_request_is_logged(app: &App) {
    apply(app, POLICY);
    let crm = app.client("crm").await;
    let idp = app.client("idp").await;
    let user = |name: &str| {
        json!({"method": "POST", "path": "/Users", "bulkId": name, "data": {
            "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": name,
        }})
    };
    let gone = json!({"method": "DELETE", "path": "/Users/00000000-0000-4000-8000-00000000dead"});
    let request = |operations: Value| json!({"schemas": ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"], "Operations": operations});
    let taken =
        json!({"method": "POST", "path": "/Users", "bulkId": "c", "data": user("a")["data"]});
    let both = request(json!([user("a"), user("b"), taken, gone]));
    idp.order("/Bulk", both).await.ok(200);
    crm.order("/Bulk", request(json!([user("d"), user("e")])))
        .await
        .ok(200);
    let refused = of_type(app, "request.refused");
    assert_eq!(
        who_was_refused(&refused),
        [
            ("request.refused.409", "idp", "User"),
            ("request.refused.403", "crm", "User"),
            ("request.refused.403", "crm", "User"),
        ]
    );
}

async fn refusals_are_logged_with_their_reason(app: &App) {
    apply(app, POLICY);
    let (idp, crm) = (app.client("idp").await, app.client("crm").await);
    app.stranger().get("/Users").await.refused(401, "");
    crm.get("/Users").await.refused(403, "");
    idp.create("/Users", json!({"userName": "ada"})).await;
    idp.post("/Users", json!({"userName": "ada"}))
        .await
        .refused(409, "uniqueness");
    idp.get("/Users/nobody").await.refused(404, "");
    let refused = of_type(app, "request.refused");
    assert_eq!(
        who_was_refused(&refused),
        [
            ("request.refused.401", "", "User"),
            ("request.refused.403", "crm", "User"),
            ("request.refused.409", "idp", "User")
        ]
    );
    assert_eq!(refused[2]["reasonCode"], "uniqueness");
    assert!(
        refused[2]["detail"]["why"]
            .as_str()
            .unwrap()
            .contains("userName")
    );
    // They are bounded: a flood is counted, not kept.
    for _ in 0..150 {
        crm.get("/Users").await.refused(403, "");
    }
    let kept = of_type(app, "request.refused");
    assert!(kept.len() < 140, "{}", kept.len());
}

/// The policy, with an auditor and a helpdesk that reads the log without a purpose.
fn with_readers() -> String {
    POLICY
        .replace("  - { name: verifier,", "  - { name: auditor, issuer: \"ISSUER\", match: { claim: azp, equals: auditor }, tenant: default, system: ats, roles: [audit], purposes: [payroll, employment, recruiting] }\n  - { name: conformance, issuer: \"ISSUER\", match: { claim: azp, equals: conformance }, tenant: default, system: ats, roles: [audit] }\n  - { name: verifier,")
        .replace("\nclients:\n", "\n  audit: [{ types: [AuditEvent, Person, User, Group], rights: [read, search] }]\nclients:\n")
}

async fn the_log_is_searched_like_everything_else(app: &App) {
    apply(app, &with_readers());
    let (hris, auditor) = (app.client("hris").await, app.client("auditor").await);
    let id = ada(&hris).await["id"].as_str().unwrap().to_owned();
    ada_again(&hris).await;
    hris.get("/Persons").await.ok(200);
    // "Who read Ada's birth date in March, and for what purpose" is one filter.
    let filter = format!(
        "type eq \"person.read\" and personId eq \"{id}\" and attributes eq \"birthDate\" \
         and recordedAt ge \"2031-03-01T00:00:00Z\" and recordedAt lt \"2031-04-01T00:00:00Z\""
    );
    let found = auditor.find("/AuditEvents", &filter).await;
    assert!(!found.is_empty());
    for event in &found {
        assert_eq!(event["client"], "hris");
        assert!(event["purpose"].as_str().unwrap().contains("payroll"));
        assert!(event["subjects"].to_string().contains(&id));
    }
    for (filter, some) in [
        (
            "type sw \"person.\" and not (type eq \"person.read\")",
            true,
        ),
        ("client eq \"hris\" and version eq 1", true),
        ("version gt 1 and resourceType eq \"Person\"", true),
        ("purpose pr and purpose co \"payroll\"", true),
        ("not (purpose pr) and type eq \"policy.applied\"", true),
        ("recordedAt gt \"2032-01-01T00:00:00Z\"", false),
        ("correlationId eq \"nobody's\"", false),
        ("attributes eq \"birth\"", false),
        ("id eq \"00000000-0000-0000-0000-000000000000\"", false),
    ] {
        let found = auditor.find("/AuditEvents", filter).await;
        assert_eq!(!found.is_empty(), some, "{filter}");
    }
    let one = &found[0];
    let path = format!("/AuditEvents/{}", one["id"].as_str().unwrap());
    assert_eq!(auditor.get(&path).await.ok(200)["type"], "person.read");
    auditor.get("/AuditEvents/7").await.refused(404, "");
    for answer in [
        auditor.post("/Persons", json!({})).await,
        hris.get("/AuditEvents").await,
        app.client("crm").await.get("/AuditEvents").await,
    ] {
        answer.refused(403, "");
    }
    let body = json!({"type": "x"}).to_string().into_bytes();
    for method in [reqwest::Method::POST, reqwest::Method::DELETE] {
        let at = if method == reqwest::Method::POST {
            "/AuditEvents"
        } else {
            path.as_str()
        };
        auditor
            .send(method, at, &[], Some(body.clone()))
            .await
            .refused(405, "");
    }
    let nothing = auditor
        .search("/AuditEvents", json!({"filter": "type eq \"nothing\""}))
        .await;
    assert_eq!(nothing.ok(200)["totalResults"], 0);
}

/// What no column has is looked for in the bodies, as far as the reader sees them, by page and by cursor.
async fn the_log_is_searched_by_what_its_bodies_say(app: &App) {
    apply(app, &with_readers());
    let (hris, auditor) = (app.client("hris").await, app.client("auditor").await);
    let helpdesk = app.client("conformance").await;
    let id = ada(&hris).await["id"].as_str().unwrap().to_owned();
    hris.get("/Persons").await.ok(200);
    auditor.get("/Users").await.ok(200);
    hris.get("/Users/7").await.refused(404, "");
    app.client("crm").await.get("/Users").await.refused(403, "");
    let found = async |reader: &Client, filter: &str| {
        let page = reader
            .search("/AuditEvents", json!({"filter": filter, "count": 100}))
            .await;
        assert_eq!(
            page.ok(200)["totalResults"],
            page.resources().len(),
            "{filter}"
        );
        page.resources().len()
    };
    let born = "changes[path eq \"birthDate\" and new eq \"1815-12-10\"]";
    for (filter, some) in [
        (born.to_owned(), true),
        (
            "changes[path eq \"birthDate\" and new sw \"1816\"]".into(),
            false,
        ),
        (
            format!("{born} and personId eq \"{id}\" and client eq \"hris\""),
            true,
        ),
        (format!("{born} and client eq \"idp\""), false),
        (
            format!("({born} or type eq \"nothing\") and resourceType eq \"Person\""),
            true,
        ),
        ("changes.new co \"1815\"".into(), true),
        (
            format!("subjects eq \"{id}\" and sourceSystem eq \"hris\""),
            true,
        ),
        (
            format!("(personId eq \"{id}\" or personId eq \"7\") and subjects pr"),
            true,
        ),
        ("actorType eq \"human\"".into(), false),
        (
            "actorType ne \"human\" and not (subjects pr) and changes pr".into(),
            true,
        ),
        ("detail co \"403\" and client eq \"crm\"".into(), true),
        ("reasonCode pr and reasonCode eq \"nothing\"".into(), false),
        ("causationId pr".into(), false),
    ] {
        assert_eq!(found(&auditor, &filter).await > 0, some, "{filter}");
    }
    // A value that is seen is asked for; one that is not matches nothing, by whichever name.
    for filter in [
        born,
        "changes.new co \"1815\"",
        "changes.path eq \"birthDate\"",
        "changes.new co \"7946\"",
    ] {
        assert_eq!(found(&helpdesk, filter).await, 0, "{filter}");
    }
    assert!(found(&helpdesk, "changes.new co \"0123\"").await > 0);
    // What was asked for is on the log with whose it is, shown or not.
    let count = format!(
        "type eq \"person.read\" and client eq \"auditor\" and attributes eq \"birthDate\" and personId eq \"{id}\""
    );
    let before = found(&auditor, &count).await;
    let asked = auditor
        .search("/AuditEvents", json!({"filter": born, "count": 0}))
        .await;
    assert_eq!(asked.ok(200)["totalResults"], 1);
    assert_eq!(found(&auditor, &count).await, before + 1);
    let (mut cursor, mut walked) = (String::new(), Vec::new());
    loop {
        let asked = json!({"filter": "sourceSystem eq \"hris\" and resourceType eq \"Person\"", "count": 1, "cursor": cursor});
        let page = auditor.search("/AuditEvents", asked).await;
        walked.extend(page.resources().iter().map(|event| event["id"].to_string()));
        match page.ok(200).get("nextCursor") {
            Some(next) => next.as_str().unwrap().clone_into(&mut cursor),
            None => break,
        }
    }
    let all = found(
        &auditor,
        "sourceSystem eq \"hris\" and resourceType eq \"Person\"",
    )
    .await;
    assert_eq!((walked.len(), all > 1), (all, true));
    // What cannot be looked through is said, and by cursor it goes on.
    let eve = hris.create("/Users", json!({"userName": "eve"})).await;
    let path = format!("/Users/{}", eve["id"].as_str().unwrap());
    for round in 0..2 {
        let operation = |n| {
            let change = json!({"op": "replace", "path": "title", "value": format!("{round} {n}")});
            json!({"method": "PATCH", "path": path, "data": {"schemas": [PATCH_OP], "Operations": [change]}})
        };
        let operations: Vec<Value> = (0..1000).map(operation).collect();
        let bulk = json!({"schemas": ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"], "Operations": operations});
        hris.order("/Bulk", bulk).await.ok(200);
    }
    let rare = json!({"filter": "reasonCode eq \"nothing\""});
    let refused = auditor.search("/AuditEvents", rare).await;
    assert!(refused.refused(400, "tooMany").contains("recordedAt"));
    let page = auditor
        .search(
            "/AuditEvents",
            json!({"filter": "reasonCode eq \"nothing\"", "cursor": ""}),
        )
        .await;
    assert!(page.ok(200)["nextCursor"].is_string() && page.resources().is_empty());
}

async fn the_log_is_masked_for_its_reader(app: &App) {
    apply(app, &with_readers());
    let (hris, auditor) = (app.client("hris").await, app.client("auditor").await);
    let helpdesk = app.client("conformance").await;
    let id = ada(&hris).await["id"].as_str().unwrap().to_owned();
    let filter = format!("resourceId eq \"{id}\" and version pr");
    let told = |events: Vec<Value>| Value::from(events).to_string();
    let all = told(auditor.find("/AuditEvents", &filter).await);
    for value in [
        "1815-12-10",
        "+44 20 7946 0123",
        "ada@home.example",
        "Engines",
    ] {
        assert!(all.contains(value), "{value}: {all}");
    }
    let some = told(helpdesk.find("/AuditEvents", &filter).await);
    for value in ["1815", "birthDate", "7946", "ada@home.example", "Ockham"] {
        assert!(!some.contains(value), "{value}: {some}");
    }
    assert!(
        some.contains("Engines") && some.contains("••••0123"),
        "{some}"
    );
    helpdesk
        .list("/AuditEvents", &[("filter", "attributes eq \"birthDate\"")])
        .await
        .refused(403, "");
    // That an auditor saw them is on the log too.
    let read = "type eq \"person.read\" and client eq \"auditor\" and attributes eq \"birthDate\"";
    let read = auditor.find("/AuditEvents", read).await;
    assert_eq!(read.len(), 1);
    assert_eq!(read[0]["personId"], id.as_str());
}

async fn the_log_is_paged_by_cursor_and_by_index(app: &App) {
    apply(app, &with_readers());
    let (idp, auditor) = (app.client("idp").await, app.client("auditor").await);
    for n in 0..7 {
        idp.create("/Users", json!({"userName": format!("user{n}")}))
            .await;
    }
    let (mut cursor, mut walked) = (String::new(), Vec::new());
    loop {
        let path =
            format!("/AuditEvents?filter=type%20eq%20%22person.created%22&count=3&cursor={cursor}");
        let page = auditor.get(&path).await;
        let ids = page
            .resources()
            .iter()
            .map(|event| event["id"].as_str().unwrap().to_owned());
        walked.extend(ids);
        match page.ok(200).get("nextCursor") {
            Some(next) => next.as_str().unwrap().clone_into(&mut cursor),
            None => break,
        }
    }
    assert_eq!(walked.len(), 7);
    let newest = auditor
        .get("/AuditEvents?filter=type%20eq%20%22person.created%22&count=2&sortBy=recordedAt&sortOrder=descending&startIndex=2")
        .await;
    assert_eq!(newest.ok(200)["totalResults"], 7);
    let ids: Vec<&str> = newest
        .resources()
        .iter()
        .map(|event| event["id"].as_str().unwrap())
        .collect();
    assert_eq!(ids, [walked[5].as_str(), walked[4].as_str()]);
    auditor
        .get("/AuditEvents?sortBy=client")
        .await
        .refused(400, "invalidValue");
}
