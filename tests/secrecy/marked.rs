//! What a policy marks as secret: sealed where it stands, found by whole values alone, and otherwise as it was (design §5).

use serde_json::{Value, json};

use super::files::holding;
use super::rules::{POLICY, apply, folded};
use crate::support::{App, Client, on_both};

on_both!(
    what_is_marked_is_in_no_file_and_is_seen_as_before,
    what_is_marked_is_found_by_whole_values_alone,
    what_is_marked_is_no_order,
    marking_seals_what_is_there_and_unmarking_opens_it,
    what_is_marked_goes_with_its_person_through_merge_and_split,
);

const EMPLOYEE: &str = "urn:muster:scim:schemas:extension:1.0:Employee";
const NAME: &str = "Geheimname-0815";
const PHONE: &str = "+351912471108";
const COST: &str = "Kostenstelle-4711";

/// The policy of these tests, with these attributes marked.
fn marking(names: &str) -> String {
    format!("{POLICY}secret: [{names}]\n")
}

fn all() -> String {
    marking(
        "birthDate, legalName, phoneNumbers, \"Person:Employee.costCenter\", nationalities, name",
    )
}

fn ada() -> Value {
    json!({
        "externalId": "w1",
        "displayName": "Ada",
        "name": {"givenName": "Vorname-0815", "familyName": "Lovelace"},
        "legalName": NAME,
        "birthDate": "1815-12-10",
        "nationalities": ["PT", "GB"],
        "phoneNumbers": [{"type": "work", "value": PHONE}],
        EMPLOYEE: {"costCenter": COST},
    })
}

fn at(person: &Value) -> String {
    format!("/Persons/{}", person["id"].as_str().unwrap())
}

/// How many a search by POST finds.
async fn found(client: &Client, filter: &str) -> u64 {
    let answer = client.search("/Persons", json!({"filter": filter})).await;
    answer.ok(200)["totalResults"].as_u64().unwrap()
}

/// None of the values stands in a file, also not in pages that were overwritten.
fn nowhere(app: &App) {
    for secret in [NAME, PHONE, COST, "1815-12-10", "Vorname-0815"] {
        assert_eq!(holding(app, secret, true), [""; 0], "{secret}");
    }
}

async fn what_is_marked_is_in_no_file_and_is_seen_as_before(app: &App) {
    apply(app, &all());
    let (hris, idp) = (app.client("hris").await, app.client("idp").await);
    let made = hris.create("/Persons", ada()).await;
    for (name, value) in ada().as_object().unwrap() {
        if name != "legalName" {
            assert_eq!(&made[name], value, "{name}");
        }
    }
    assert!(!holding(app, "Lovelace", true).is_empty() || !holding(app, "Ada", true).is_empty());
    nowhere(app);

    // Whoever may see a part of it sees that part, and in lists too.
    let seen = idp.get(&at(&made)).await;
    assert_eq!(seen.ok(200)["phoneNumbers"][0]["value"], "••••1108");
    assert!(seen.body.get("birthDate").is_none(), "{}", seen.body);
    let listed = hris.list("/Persons", &[("attributes", "birthDate")]).await;
    assert_eq!(listed.resources()[0]["birthDate"], "1815-12-10");

    // One part is changed, and the rest stays sealed.
    let change = json!([{"op": "replace", "path": "birthDate", "value": "1815-12-11"}]);
    let patched = hris.patch(&at(&made), change).await;
    assert_eq!(patched.ok(200)["birthDate"], "1815-12-11");
    assert_eq!(patched.body["phoneNumbers"], made["phoneNumbers"]);
    nowhere(app);
    let version = patched.body["meta"]["version"].clone();
    let mut echo = ada();
    echo["birthDate"] = "1815-12-11".into();
    let again = hris.put(&at(&made), echo).await;
    assert_eq!(
        again.ok(200)["meta"]["version"],
        version,
        "an echo changes nothing"
    );
}

async fn what_is_marked_is_found_by_whole_values_alone(app: &App) {
    apply(app, &all());
    let hris = app.client("hris").await;
    hris.create("/Persons", ada()).await;
    hris.create(
        "/Persons",
        json!({"displayName": "Bo", "birthDate": "1900-01-01"}),
    )
    .await;
    for (filter, count) in [
        ("birthDate eq \"1815-12-10\"", 1),
        ("birthDate eq \"1815-12-11\"", 0),
        ("birthDate pr", 2),
        ("not (birthDate eq \"1815-12-10\")", 1),
        ("birthDate ne \"1815-12-10\"", 1),
        ("displayName eq \"Ada\" and birthDate eq \"1815-12-10\"", 1),
        ("name.givenName eq \"VORNAME-0815\"", 1),
        ("nationalities eq \"GB\"", 1),
        ("nationalities pr", 1),
        ("phoneNumbers eq \"+351912471108\"", 1),
        ("phoneNumbers.value eq \"+351912471108\"", 1),
        ("phoneNumbers[value eq \"+351912471108\"]", 1),
        ("phoneNumbers.value eq \"+351912471109\"", 0),
        ("phoneNumbers pr", 1),
        (
            "urn:muster:scim:schemas:extension:1.0:Employee:costCenter eq \"kostenstelle-4711\"",
            1,
        ),
        (
            "schemas eq \"urn:muster:scim:schemas:extension:1.0:Employee\"",
            1,
        ),
    ] {
        assert_eq!(found(&hris, filter).await, count, "{filter}");
    }
    for filter in [
        "birthDate gt \"1800-01-01\"",
        "birthDate sw \"18\"",
        "name.givenName co \"name\"",
        "phoneNumbers.value ew \"1108\"",
        "phoneNumbers.type eq \"work\"",
        "phoneNumbers[type eq \"work\" and value eq \"+351912471108\"]",
        "not (nationalities sw \"G\")",
    ] {
        let answer = hris.search("/Persons", json!({"filter": filter})).await;
        assert!(
            answer.refused(400, "invalidFilter").contains("whole value"),
            "{filter}"
        );
        let listed = hris.list("/Persons", &[("filter", filter)]).await;
        listed.refused(403, "sensitive");
    }
}

async fn what_is_marked_is_no_order(app: &App) {
    apply(app, &all());
    let hris = app.client("hris").await;
    hris.create("/Persons", ada()).await;
    for by in [
        "birthDate",
        "phoneNumbers",
        "phoneNumbers.value",
        "name.givenName",
    ] {
        let sorted = hris.search("/Persons", json!({"sortBy": by})).await;
        sorted.refused(400, "invalidPath");
    }
}

async fn marking_seals_what_is_there_and_unmarking_opens_it(app: &App) {
    apply(app, POLICY);
    let hris = app.client("hris").await;
    let made = hris.create("/Persons", ada()).await;
    // What Bo is said to be is claimed by somebody else too, and does not stand.
    let bo = hris
        .create(
            "/Persons",
            json!({"displayName": "Bo", "legalName": "Bo B"}),
        )
        .await;
    let other = json!([{"op": "add", "path": "legalName", "value": NAME}]);
    let ats = app.client("ats").await;
    ats.patch(&at(&bo), other).await.ok(200);
    let newer = json!([{"op": "replace", "path": "legalName", "value": "Bo C"}]);
    hris.patch(&at(&bo), newer).await.ok(200);
    assert!(!holding(app, NAME, true).is_empty());
    let before = hris.get(&at(&made)).await;

    let events = app.event_count();
    folded(app, apply(app, &all()));
    nowhere(app);
    assert_eq!(
        app.event_count(),
        events + 1,
        "the policy's own event alone"
    );
    let after = hris.get(&at(&made)).await;
    assert_eq!(before.body, after.body, "nobody's version is another");
    assert_eq!(found(&hris, "birthDate eq \"1815-12-10\"").await, 1);

    folded(app, apply(app, POLICY));
    assert!(!holding(app, NAME, true).is_empty());
    assert_eq!(hris.get(&at(&made)).await.body, before.body);
    assert_eq!(found(&hris, "birthDate sw \"1815\"").await, 1);
    assert_eq!(found(&hris, "phoneNumbers[type eq \"work\"]").await, 1);
    let sorted = hris.list("/Persons", &[("sortBy", "birthDate")]).await;
    sorted.ok(200);
}

async fn what_is_marked_goes_with_its_person_through_merge_and_split(app: &App) {
    apply(
        app,
        &all().replace("[User, Person,", "[User, Person, Review,"),
    );
    let (hris, ats) = (app.client("hris").await, app.client("ats").await);
    let one = hris.create("/Persons", ada()).await;
    let two = json!({"externalId": "c1", "displayName": "A. L.", "birthDate": "1815-12-10", "phoneNumbers": [{"value": "+351912471109"}]});
    let two = ats.create("/Persons", two).await;
    let alone = ats.get(&at(&two)).await.body;
    let order = json!({"with": two["id"], "reason": "the same"});
    hris.order(&format!("{}/merge", at(&one)), order)
        .await
        .ok(200);
    let merged = hris.get(&at(&one)).await;
    assert_eq!(merged.ok(200)["phoneNumbers"].as_array().unwrap().len(), 2);
    assert_eq!(
        found(&hris, "phoneNumbers.value eq \"+351912471109\"").await,
        1
    );
    nowhere(app);
    let order = json!({"id": two["id"], "reason": "not the same"});
    hris.order(&format!("{}/split", at(&one)), order)
        .await
        .ok(200);
    let again = ats.get(&at(&two)).await;
    let values = |person: &Value| (person["birthDate"].clone(), person["phoneNumbers"].clone());
    assert_eq!(values(again.ok(200)), values(&alone));
    assert_eq!(
        hris.get(&at(&one)).await.ok(200)["legalName"],
        one["legalName"]
    );
    nowhere(app);
}
