//! Erasure, and what a person is given of what is kept of them.

use serde_json::{Value, json};

use super::files::holding;
use super::rules::{POLICY, apply};
use super::{done, refused};
use crate::support::{App, CONSENT, Client, on_both};

on_both!(
    who_is_erased_is_in_no_file_and_the_log_stands,
    who_was_deleted_before_is_erased_from_the_log,
    a_legal_hold_forbids_erasure,
    a_client_erases_only_if_it_may_delete_everything,
    a_person_is_given_all_that_is_kept,
    a_person_is_told_who_was_shown_what,
);

/// Texts that nothing but this person has.
const NAME: &str = "Ysolde Quintrell";
const EARLIER: &str = "Ysolde Featherwick";
const EMAIL: &str = "ysolde.quintrell@corp.example";
const PASSPORT: &str = "PZ-93271-4408";

/// A person of whom two systems speak, who is in a group, and whose name has changed.
async fn ysolde(hris: &Client, ats: &Client) -> String {
    let content = json!({
        "userName": "ysolde-quintrell", "displayName": EARLIER,
        "emails": [{"value": EMAIL, "type": "work"}],
        "externalId": "EMP-77321-Q",
    });
    let made = hris.create("/Users", content).await;
    let id = made["id"].as_str().unwrap().to_owned();
    let path = format!("/Persons/{id}");
    let identifier = json!([{"type": "passport", "country": "PT", "value": PASSPORT}]);
    let change = json!([
        {"op": "replace", "path": "displayName", "value": NAME},
        {"op": "add", "path": "legalIdentifiers", "value": identifier},
    ]);
    hris.patch(&path, change).await.ok(200);
    let change = json!([{"op": "add", "path": "preferredName", "value": "Ysolde-from-the-ATS"}]);
    ats.patch(&path, change).await.ok(200);
    let group = json!({"displayName": "Crew", "members": [{"value": id}]});
    hris.create("/Groups", group).await;
    id
}

/// Runs a command on the application's database.
fn on(app: &App, command: &[&str]) -> Vec<String> {
    let folder = app.database.folder().display().to_string();
    let mut arguments: Vec<String> = command.iter().map(ToString::to_string).collect();
    arguments.extend(["--data-dir".into(), folder]);
    arguments.extend(["--database-url".into(), app.database.url().into()]);
    arguments
}

fn run(app: &App, command: &[&str]) -> String {
    let arguments = on(app, command);
    done(&arguments.iter().map(String::as_str).collect::<Vec<_>>())
}

fn fail(app: &App, code: i32, command: &[&str]) -> String {
    let arguments = on(app, command);
    refused(
        code,
        &arguments.iter().map(String::as_str).collect::<Vec<_>>(),
    )
}

async fn who_is_erased_is_in_no_file_and_the_log_stands(app: &App) {
    let (hris, ats) = (app.client("hris").await, app.client("ats").await);
    let id = ysolde(&hris, &ats).await;
    let bystander = hris
        .create("/Persons", json!({"displayName": "Bo Bystander"}))
        .await;
    let before = app.events_of(&id).len();
    for planted in [NAME, EMAIL, "EMP-77321-Q", "Ysolde-from-the-ATS"] {
        assert!(
            !holding(app, planted, false).is_empty(),
            "{planted} is there"
        );
    }
    let said = run(
        app,
        &["erase", &id, "--reason", "gdpr-17", "--actor", "dpo"],
    );
    assert_eq!(said, format!("{id} is erased\n"));

    // No file holds any of it; nothing was rewritten for the search.
    for planted in [
        NAME,
        EARLIER,
        EMAIL,
        "EMP-77321-Q",
        "Ysolde-from-the-ATS",
        PASSPORT,
        "ysolde-quintrell",
    ] {
        assert_eq!(holding(app, planted, false), [""; 0], "{planted}");
    }
    assert_eq!(hris.get(&format!("/Persons/{id}")).await.status, 404);
    assert_eq!(hris.get(&format!("/Users/{id}")).await.status, 404);
    let group = &hris.find("/Groups", "displayName eq \"Crew\"").await[0];
    let group = hris
        .get(&format!("/Groups/{}", group["id"].as_str().unwrap()))
        .await;
    assert!(group.ok(200).get("members").is_none());

    // The log has every event that it had, without what they tell, and one more.
    let told = app.events_of(&id);
    assert_eq!(told.len(), before + 1);
    let (tombstone, others) = told.split_last().unwrap();
    assert_eq!(tombstone["type"], "person.erased");
    assert_eq!(tombstone["actor"], "dpo");
    assert_eq!(tombstone["reasonCode"], "gdpr-17");
    for event in others {
        assert_eq!(event["erased"], true);
        assert!(event.get("changes").is_none(), "{event}");
        assert_eq!(event["resourceId"], id.as_str());
    }
    // Nobody else has lost anything.
    let other = bystander["id"].as_str().unwrap();
    assert!(app.events_of(other)[0].to_string().contains("Bo Bystander"));
    hris.get(&format!("/Persons/{other}")).await.ok(200);
    let again = fail(app, 1, &["erase", &id]);
    assert!(again.contains("nothing is known"), "{again}");
}

async fn who_was_deleted_before_is_erased_from_the_log(app: &App) {
    let hris = app.client("hris").await;
    let made = hris.create("/Persons", json!({"displayName": NAME})).await;
    let id = made["id"].as_str().unwrap();
    hris.delete(&format!("/Persons/{id}")).await.ok(204);
    assert!(app.events_of(id)[0].to_string().contains(NAME));
    let exported = run(app, &["person", "export", id]);
    let exported: Value = serde_json::from_str(&exported).unwrap();
    assert!(exported["person"].is_null());
    assert_eq!(exported["log"].as_array().unwrap().len(), 2);
    run(app, &["erase", id]);
    let told = app.events_of(id);
    assert_eq!(told.len(), 3);
    assert!(!told.iter().any(|event| event.to_string().contains(NAME)));
    assert_eq!(told[2]["type"], "person.erased");
    let again = fail(app, 1, &["erase", id]);
    assert!(again.contains("nothing is known"), "{again}");
}

async fn a_legal_hold_forbids_erasure(app: &App) {
    let (hris, admin) = (app.client("hris").await, app.client("admin").await);
    let content = json!({"displayName": NAME, "dataProtection": {"legalHold": true}});
    let made = hris.create("/Persons", content).await;
    let id = made["id"].as_str().unwrap();
    let path = format!("/Persons/{id}");
    let said = fail(app, 1, &["erase", id]);
    assert!(said.contains("legalHold"), "{said}");
    let erase = [("Muster-Erase", "gdpr-17")];
    let answer = admin
        .send(reqwest::Method::DELETE, &path, &erase, None)
        .await;
    assert!(answer.refused(409, "").contains("legalHold"));
    assert_eq!(hris.get(&path).await.ok(200)["displayName"], NAME);
    assert!(app.events_of(id)[0].to_string().contains(NAME));

    let change = json!([{"op": "replace", "path": "dataProtection.legalHold", "value": false}]);
    hris.patch(&path, change).await.ok(200);
    run(app, &["erase", id]);
    hris.get(&path).await.refused(404, "");
}

async fn a_client_erases_only_if_it_may_delete_everything(app: &App) {
    let (hris, admin) = (app.client("hris").await, app.client("admin").await);
    let content = json!({"userName": "ysolde", "displayName": NAME});
    let made = hris.create("/Users", content).await;
    let id = made["id"].as_str().unwrap();
    let erase = [("Muster-Erase", "gdpr-17")];
    let crm = app.client("crm").await;
    let path = format!("/Persons/{id}");
    let delete = async |client: &Client, path: &str| {
        client
            .send(reqwest::Method::DELETE, path, &erase, None)
            .await
    };
    delete(&crm, &path).await.refused(403, "");
    delete(&admin, &format!("/Users/{id}"))
        .await
        .refused(409, "");
    hris.get(&path).await.ok(200);
    // Another system speaks of the person, which keeps nobody from being erased.
    delete(&admin, &path).await.ok(204);
    delete(&admin, &path).await.refused(404, "");
    let told = app.events_of(id);
    assert_eq!(told.last().unwrap()["client"], "admin");
    assert!(!told.iter().any(|event| event.to_string().contains(NAME)));
}

async fn a_person_is_given_all_that_is_kept(app: &App) {
    let (hris, ats) = (app.client("hris").await, app.client("ats").await);
    let id = ysolde(&hris, &ats).await;
    let path = format!("/Persons/{id}");
    let consent = json!([{"purpose": "Hiring", "legalBasis": "consent", "status": "given"}]);
    let change = json!([{"op": "add", "path": format!("{CONSENT}:consents"), "value": consent}]);
    ats.patch(&path, change).await.ok(200);
    let exported: Value = serde_json::from_str(&run(app, &["person", "export", &id])).unwrap();
    let person = &exported["person"];
    assert_eq!(person["displayName"], NAME);
    assert_eq!(person["userName"], "ysolde-quintrell");
    // Not masked, and not sealed: it is the subject's own.
    assert_eq!(person["legalIdentifiers"][0]["value"], PASSPORT);
    assert_eq!(person[CONSENT]["consents"][0]["purpose"], "Hiring");
    let sources = exported["sources"].as_array().unwrap();
    let says = |system: &str| {
        let source = sources.iter().find(|source| source["system"] == system);
        source.unwrap_or_else(|| panic!("{system}: {sources:?}"))
    };
    assert_eq!(says("hris")["externalId"], "EMP-77321-Q");
    assert_eq!(
        says("hris")["says"]["legalIdentifiers"][0]["value"],
        PASSPORT
    );
    assert_eq!(says("ats")["says"]["preferredName"], "Ysolde-from-the-ATS");
    let log = exported["log"].as_array().unwrap();
    assert_eq!(log.len(), app.events_of(&id).len());
    assert!(log.iter().any(|event| event["client"] == "ats"));
    let unknown = fail(
        app,
        1,
        &["person", "export", "00000000-0000-4000-8000-000000000000"],
    );
    assert!(unknown.contains("nothing is known"), "{unknown}");
}

async fn a_person_is_told_who_was_shown_what(app: &App) {
    let hris = app.client("hris").await;
    apply(app, POLICY);
    let mut ids = Vec::new();
    for name in [NAME, "Bo Bystander"] {
        let content = json!({"displayName": name, "birthDate": "1815-12-10"});
        let made = hris.create("/Persons", content).await;
        ids.push(made["id"].as_str().unwrap().to_owned());
    }
    hris.get("/Persons?attributes=birthDate").await.ok(200);
    let exported = run(app, &["person", "export", &ids[0]]);
    assert!(!exported.contains(&ids[1]), "{exported}");
    let exported: Value = serde_json::from_str(&exported).unwrap();
    let disclosures = exported["disclosures"].as_array().unwrap();
    let last = disclosures.last().unwrap();
    assert_eq!(last["attributes"], json!(["birthDate"]));
    assert_eq!(last["purpose"], "payroll");
    assert_eq!(last["client"], "hris");
    // That somebody was shown outlives the person: it tells no value.
    run(app, &["erase", &ids[0]]);
    let told = app.service().events(0, 1000).unwrap();
    let kept = |event: &&(i64, Value)| event.1["eventId"] == last["eventId"];
    assert_eq!(told.iter().find(kept).unwrap().1["purpose"], "payroll");
}
