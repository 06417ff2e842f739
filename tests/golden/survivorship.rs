//! Authority, survivorship, suggestions and elevation.

use serde_json::{Value, json};

use crate::support::policy::apply;
use crate::support::{Answer, App, Client, EMPLOYEE, on_both};

on_both!(
    the_masters_word_stands_and_anothers_is_a_suggestion,
    two_systems_that_alternate_flip_nothing,
    an_elevated_suggestion_stands_until_its_system_says_otherwise,
    the_first_system_in_the_order_that_speaks_wins,
    in_a_union_nobody_takes_away_what_another_says,
    the_longest_value_wins_where_the_policy_says_so,
    an_older_word_never_wins,
    only_the_master_of_accounts_opens_them,
    without_a_policy_the_newest_claim_wins
);

/// Who is master of what in these tests.
pub(crate) const POLICY: &str = r#"version: 1
systems:
  - { name: hris, kind: hris, owner: HR, verifiesEmail: true }
  - { name: ats, kind: ats, owner: Recruiting }
  - { name: crm, kind: crm, owner: Sales }
  - { name: idp, kind: idp, owner: IT, verifiesEmail: true }
authority:
  - { domain: employment, master: hris, covers: ["Person:Employee", Person.legalName, nationalities], others: suggest }
  - { domain: account, master: idp, covers: [User.userName, User.active], others: suggest }
survivorship:
  - { attributes: [name], rule: sourcePriority, order: [hris, ats, crm] }
  - { attributes: [addresses], rule: sourcePriority, order: [hris, crm] }
  - { attributes: [emails, phoneNumbers], rule: union }
  - { attributes: [displayName], rule: longest }
roles:
  people: [{ types: [User, Person, Group, AuditEvent], rights: [read, search, write, delete] }]
  steward: [{ types: [Person, Review], rights: [read, search, write] }]
clients:
  - { name: hris, issuer: "ISSUER", match: { claim: azp, equals: hris }, tenant: default, system: hris, roles: [people, steward] }
  - { name: ats, issuer: "ISSUER", match: { claim: azp, equals: ats }, tenant: default, system: ats, roles: [people] }
  - { name: crm, issuer: "ISSUER", match: { claim: azp, equals: crm }, tenant: default, system: crm, roles: [people] }
  - { name: idp, issuer: "ISSUER", match: { claim: azp, equals: idp }, tenant: default, system: idp, roles: [people] }
"#;

pub(crate) fn at(person: &Value) -> String {
    format!("/Persons/{}", person["id"].as_str().unwrap())
}

/// What an answer says is held back.
fn suggested(answer: &Answer) -> Vec<&str> {
    let names = answer.header("muster-suggested").unwrap_or_default();
    names.split(", ").filter(|name| !name.is_empty()).collect()
}

async fn set(client: &Client, path: &str, attribute: &str, value: Value) -> Answer {
    let operation = json!([{"op": "replace", "path": attribute, "value": value}]);
    client.patch(path, operation).await
}

/// The events of a type about one person, as the log tells them.
async fn events(hris: &Client, person: &Value, kind: &str) -> Vec<Value> {
    let id = person["id"].as_str().unwrap();
    let filter = format!("personId eq \"{id}\" and type eq \"{kind}\"");
    hris.find("/AuditEvents", &filter).await
}

/// A-012, A-067, A-070: the master's claim stands, another's is kept and told of once, however often it is pushed.
async fn the_masters_word_stands_and_anothers_is_a_suggestion(app: &App) {
    apply(app, POLICY);
    let (hris, ats) = (app.client("hris").await, app.client("ats").await);
    let title = format!("{EMPLOYEE}:jobTitle");
    let ada = json!({"displayName": "Ada", "legalName": "Augusta King", EMPLOYEE: {"jobTitle": "Analyst"}});
    let person = hris.create("/Persons", ada).await;
    let path = at(&person);
    let version = hris.get(&path).await.etag().to_owned();
    for _ in 0..3 {
        let answer = set(&ats, &path, &title, json!("Countess")).await;
        assert_eq!(answer.ok(200)[EMPLOYEE]["jobTitle"], "Analyst");
        assert_eq!(suggested(&answer), [title.as_str()]);
    }
    assert_eq!(hris.get(&path).await.etag(), version);
    let told = events(&hris, &person, "person.conflicted").await;
    assert_eq!(told.len(), 1, "{told:?}");
    let told = hris
        .get(&format!("/AuditEvents/{}", told[0]["id"].as_str().unwrap()))
        .await;
    let suggestion = &told.ok(200)["suggested"][0];
    assert_eq!(suggestion["new"], "Countess");
    assert_eq!(suggestion["previous"], "Analyst");
    // To take it away is a suggestion too; to say the same as the master is none.
    let removed = ats
        .patch(&path, json!([{"op": "remove", "path": title}]))
        .await;
    assert_eq!(removed.ok(200)[EMPLOYEE]["jobTitle"], "Analyst");
    assert_eq!(suggested(&removed), [title.as_str()]);
    let agreed = set(&ats, &path, &title, json!("Analyst")).await;
    assert_eq!(suggested(&agreed), Vec::<&str>::new());
    // In a POST of a stranger as well: what only another may say does not stand.
    let posted = ats
        .post(
            "/Persons",
            json!({"displayName": "Bo", EMPLOYEE: {"jobTitle": "Cook"}}),
        )
        .await;
    assert_eq!(posted.ok(201).get(EMPLOYEE), None);
    assert_eq!(suggested(&posted), [title.as_str()]);
}

/// A-107: no flip-flop, neither of one value nor of elements.
async fn two_systems_that_alternate_flip_nothing(app: &App) {
    apply(app, POLICY);
    let (hris, ats, crm) = (
        app.client("hris").await,
        app.client("ats").await,
        app.client("crm").await,
    );
    let person = hris.create("/Persons", json!({"displayName": "Ada"})).await;
    let path = at(&person);
    set(&ats, &path, "name.familyName", json!("Lovelace"))
        .await
        .ok(200);
    set(&hris, &path, "nationalities", json!(["GB"]))
        .await
        .ok(200);
    let mut versions = Vec::new();
    for _ in 0..4 {
        set(&crm, &path, "name.familyName", json!("Byron"))
            .await
            .ok(200);
        set(&crm, &path, "nationalities", json!(["FR"]))
            .await
            .ok(200);
        set(&ats, &path, "name.familyName", json!("Lovelace"))
            .await
            .ok(200);
        let now = hris.get(&path).await;
        assert_eq!(now.ok(200)["name"]["familyName"], "Lovelace");
        assert_eq!(now.ok(200)["nationalities"], json!(["GB"]));
        versions.push(now.etag().to_owned());
    }
    versions.dedup();
    assert_eq!(versions.len(), 1);
}

/// A-067: with a reason, by those who may settle conflicts; logged.
async fn an_elevated_suggestion_stands_until_its_system_says_otherwise(app: &App) {
    apply(app, POLICY);
    let (hris, ats) = (app.client("hris").await, app.client("ats").await);
    let person = hris
        .create(
            "/Persons",
            json!({"legalName": "Augusta King", "nationalities": ["GB"]}),
        )
        .await;
    let path = at(&person);
    set(&ats, &path, "legalName", json!("Ada Lovelace"))
        .await
        .ok(200);
    set(&ats, &path, "nationalities", json!(["IT"]))
        .await
        .ok(200);
    let elevate = format!("{path}/elevate");
    let order = json!({"path": "legalName", "system": "ats", "reason": "passport seen"});
    let refusal = ats.order(&elevate, order.clone()).await;
    assert!(refusal.refused(403, "").contains("Review"));
    for (wrong, kind) in [
        (
            json!({"path": "legalName", "system": "ats"}),
            "invalidValue",
        ),
        (
            json!({"path": "legalNme", "system": "ats", "reason": "x"}),
            "invalidPath",
        ),
        (
            json!({"path": "legalName", "system": "crm", "reason": "x"}),
            "noTarget",
        ),
    ] {
        hris.order(&elevate, wrong).await.refused(400, kind);
    }
    let elevated = hris.order(&elevate, order).await;
    assert_eq!(elevated.ok(200)["legalName"], "Ada Lovelace");
    let told = events(&hris, &person, "person.elevated").await;
    assert_eq!(told[0]["reasonCode"], "passport seen");
    // One element of several.
    let order =
        json!({"path": "nationalities[value eq \"IT\"]", "system": "ats", "reason": "both"});
    let both = hris.order(&elevate, order).await;
    assert_eq!(both.ok(200)["nationalities"].as_array().unwrap().len(), 2);
    // The master is told that its word does not stand; what was decided stays.
    let again = set(&hris, &path, "legalName", json!("Augusta Ada King")).await;
    assert_eq!(again.ok(200)["legalName"], "Ada Lovelace");
    assert_eq!(suggested(&again), ["legalName"]);
    set(&ats, &path, "legalName", json!("Ada Lovelace"))
        .await
        .ok(200);
    assert_eq!(hris.get(&path).await.ok(200)["legalName"], "Ada Lovelace");
    // What the system says next is but a suggestion again.
    let next = set(&ats, &path, "legalName", json!("Ada Byron")).await;
    assert_eq!(next.ok(200)["legalName"], "Augusta Ada King");
}

/// A-056: one value, and a list as a whole.
async fn the_first_system_in_the_order_that_speaks_wins(app: &App) {
    apply(app, POLICY);
    let (hris, crm, idp) = (
        app.client("hris").await,
        app.client("crm").await,
        app.client("idp").await,
    );
    let person = crm
        .create(
            "/Persons",
            json!({"name": {"familyName": "King"}, "addresses": [{"type": "work", "locality": "Ockham"}, {"type": "home", "locality": "Leeds"}]}),
        )
        .await;
    let path = at(&person);
    let later = set(&idp, &path, "name.familyName", json!("Byron")).await;
    assert_eq!(later.ok(200)["name"]["familyName"], "King");
    assert_eq!(suggested(&later), ["name.familyName"]);
    let first = set(&hris, &path, "name.familyName", json!("Lovelace")).await;
    assert_eq!(first.ok(200)["name"]["familyName"], "Lovelace");
    let moved = set(
        &hris,
        &path,
        "addresses",
        json!([{"type": "work", "locality": "London"}]),
    )
    .await;
    let addresses = moved.ok(200)["addresses"].as_array().unwrap().clone();
    assert_eq!(addresses.len(), 1, "{addresses:?}");
    assert_eq!(addresses[0]["locality"], "London");
    // When it falls silent, the next one is heard again.
    hris.put(&path, json!({"displayName": "Ada"})).await.ok(200);
    let now = crm.get(&path).await;
    assert_eq!(now.ok(200)["name"]["familyName"], "King");
}

/// A-054.
async fn in_a_union_nobody_takes_away_what_another_says(app: &App) {
    apply(app, POLICY);
    let (hris, crm) = (app.client("hris").await, app.client("crm").await);
    let person = hris
        .create(
            "/Persons",
            json!({"displayName": "Ada", "emails": [{"value": "a@x.example", "type": "work"}]}),
        )
        .await;
    let path = at(&person);
    let add = json!([{"op": "add", "path": "emails", "value": [{"value": "b@x.example"}]}]);
    assert_eq!(
        crm.patch(&path, add).await.ok(200)["emails"]
            .as_array()
            .unwrap()
            .len(),
        2
    );
    let remove = crm
        .patch(
            &path,
            json!([{"op": "remove", "path": "emails[value eq \"a@x.example\"]"}]),
        )
        .await;
    assert_eq!(remove.ok(200)["emails"].as_array().unwrap().len(), 2);
    assert_eq!(suggested(&remove), ["emails"]);
    let own = crm
        .patch(
            &path,
            json!([{"op": "remove", "path": "emails[value eq \"b@x.example\"]"}]),
        )
        .await;
    assert_eq!(own.ok(200)["emails"].as_array().unwrap().len(), 1);
}

/// A-054.
async fn the_longest_value_wins_where_the_policy_says_so(app: &App) {
    apply(app, POLICY);
    let (hris, crm) = (app.client("hris").await, app.client("crm").await);
    let person = hris
        .create("/Persons", json!({"displayName": "Augusta Ada King"}))
        .await;
    let shorter = set(&crm, &at(&person), "displayName", json!("Ada")).await;
    assert_eq!(shorter.ok(200)["displayName"], "Augusta Ada King");
    assert_eq!(suggested(&shorter), ["displayName"]);
}

/// A-055: whatever the order in which they arrive, and with no policy either.
async fn an_older_word_never_wins(app: &App) {
    let (hris, crm) = (app.client("hris").await, app.client("crm").await);
    let person = hris.create("/Persons", json!({"displayName": "Ada"})).await;
    let path = at(&person);
    let title = |value: &str| json!([{"op": "replace", "path": "preferredName", "value": value}]);
    let body =
        |value: &str| json!({"schemas": [crate::support::PATCH_OP], "Operations": title(value)});
    let told = async |client: &Client, value: &str, time: &str| {
        let headers = [("Muster-Source-Time", time)];
        let sent = Some(serde_json::to_vec(&body(value)).unwrap());
        client
            .try_send(reqwest::Method::PATCH, &path, &headers, sent)
            .await
            .unwrap()
    };
    told(&hris, "new", "2029-05-01T00:00:00Z").await.ok(200);
    let old = told(&crm, "old", "2028-05-01T00:00:00Z").await;
    assert_eq!(old.ok(200)["preferredName"], "new");
    assert_eq!(suggested(&old), ["preferredName"]);
    let own = told(&hris, "older", "2027-05-01T00:00:00Z").await;
    assert_eq!(own.ok(200)["preferredName"], "new");
    let newest = told(&crm, "newest", "2030-05-01T00:00:00+01:00").await;
    assert_eq!(newest.ok(200)["preferredName"], "newest");
    told(&crm, "x", "yesterday")
        .await
        .refused(400, "invalidValue");
    // A time that is yet to come is now.
    told(&hris, "future", "2999-01-01T00:00:00Z").await.ok(200);
    let now = set(&crm, &path, "preferredName", json!("now")).await;
    assert_eq!(now.ok(200)["preferredName"], "now");
}

async fn only_the_master_of_accounts_opens_them(app: &App) {
    apply(app, POLICY);
    let (hris, idp) = (app.client("hris").await, app.client("idp").await);
    let refusal = hris.post("/Users", json!({"userName": "ada"})).await;
    assert!(refusal.refused(403, "").contains("idp"));
    let made = idp.create("/Users", json!({"userName": "ada"})).await;
    let path = format!("/Users/{}", made["id"].as_str().unwrap());
    let closed = set(&hris, &path, "active", json!(false)).await;
    assert_eq!(closed.ok(200)["active"], true);
    assert_eq!(suggested(&closed), ["active"]);
}

async fn without_a_policy_the_newest_claim_wins(app: &App) {
    let (hris, crm) = (app.client("hris").await, app.client("crm").await);
    let person = hris
        .create("/Persons", json!({"displayName": "Augusta Ada King"}))
        .await;
    let answer = set(&crm, &at(&person), "displayName", json!("Ada")).await;
    assert_eq!(answer.ok(200)["displayName"], "Ada");
    assert_eq!(suggested(&answer), Vec::<&str>::new());
}
