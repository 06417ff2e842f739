//! Who a newcomer is, by evidence; and what a human is asked.

use serde_json::{Value, json};

use crate::support::policy::apply;
use crate::support::{App, Client, on_both};
use crate::survivorship::{POLICY, at};

on_both!(
    somebody_known_by_evidence_is_not_made_twice,
    who_may_be_somebody_is_new_and_asked_about,
    twins_and_namesakes_are_two,
    legal_identifiers_decide,
    a_key_that_a_crowd_shares_is_not_walked,
    a_trace_adds_up_and_shows_only_what_its_reader_may_see,
    names_of_any_kind_are_taken,
    without_a_matching_row_keys_alone_decide,
    a_conflict_is_asked_about_once_and_settled_by_a_review,
    reviews_are_the_servers_to_open_and_are_decided_once,
    a_review_that_nobody_decides_expires
);

/// With matching: everybody sees everything, and `hris` may settle reviews.
pub(crate) fn matching() -> String {
    format!("{POLICY}matching: {{ mergeAbove: 90, reviewFrom: 70, model: builtin }}\n")
}

pub(crate) fn ada() -> Value {
    json!({
        "name": {"givenName": "Augusta", "familyName": "Lovelace"}, "birthDate": "1985-12-10",
        "emails": [{"value": "augusta.lovelace77@example.org", "type": "home"}],
        "phoneNumbers": [{"value": "+44 20 7946 0958", "type": "mobile"}],
        "addresses": [{"type": "home", "streetAddress": "12 St James Square", "locality": "London", "postalCode": "SW1Y 4LB", "country": "GB"}]
    })
}

async fn people(client: &Client) -> usize {
    client.list("/Persons", &[("count", "0")]).await.ok(200)["totalResults"]
        .as_u64()
        .unwrap()
        .try_into()
        .unwrap()
}

/// What the log tells of how a person was resolved: the reason of the event of that kind, and the decision.
pub(crate) async fn resolution(reader: &Client, person: &Value, kind: &str) -> (Value, Value) {
    let id = person["id"].as_str().unwrap();
    let filter = format!("personId eq \"{id}\" and type eq \"person.{kind}\"");
    let event = reader.find("/AuditEvents", &filter).await.remove(0);
    let detail: Value = serde_json::from_str(event["detail"].as_str().unwrap()).unwrap();
    (event["reasonCode"].clone(), detail["resolution"].clone())
}

/// a typing error and another way to write a number do not make two people; the log says why they are one.
async fn somebody_known_by_evidence_is_not_made_twice(app: &App) {
    apply(app, &matching());
    let (hris, ats) = (app.client("hris").await, app.client("ats").await);
    let known = ats.create("/Persons", ada()).await;
    let same = hris
        .create(
            "/Persons",
            json!({"externalId": "w7", "name": {"givenName": "Augusta", "familyName": "Lovelase"}, "birthDate": "1985-12-10",
                "phoneNumbers": [{"value": "0044 (20) 79460958", "type": "mobile"}]}),
        )
        .await;
    assert_eq!(same["id"], known["id"]);
    assert_eq!(
        same["name"]["familyName"], "Lovelase",
        "the HRIS comes first for names"
    );
    assert_eq!(same["emails"], known["emails"]);
    assert_eq!(people(&hris).await, 1);
    let (reason, resolution) = resolution(&hris, &known, "updated").await;
    assert_eq!(reason, "match");
    assert_eq!(resolution["decision"], "linked");
    assert!(resolution["candidates"][0]["among"].as_f64().unwrap() > 0.9);
}

/// between the lines a human decides; until then it is somebody new.
async fn who_may_be_somebody_is_new_and_asked_about(app: &App) {
    apply(app, &matching());
    let (hris, ats) = (app.client("hris").await, app.client("ats").await);
    let known = ats.create("/Persons", ada()).await;
    // The same home and phone, but a given name that is clearly another's.
    let other = hris
        .create(
            "/Persons",
            json!({"name": {"givenName": "Byron", "familyName": "Lovelace"}, "phoneNumbers": [{"value": "+442079460958"}],
                "emails": [{"value": "augusta.lovelace77@example.org", "type": "home"}]}),
        )
        .await;
    assert_ne!(other["id"], known["id"]);
    let reviews = hris
        .find("/Reviews", "kind eq \"match\" and status eq \"open\"")
        .await;
    assert_eq!(reviews.len(), 1, "{reviews:?}");
    let review = &reviews[0];
    assert_eq!(review["subject"]["value"], other["id"]);
    assert_eq!(review["candidates"][0]["value"], known["id"]);
    assert_eq!(review["candidates"][0]["guard"], "givenNamesDiffer");
    assert!(review["dueAt"].is_string() && review["score"].as_f64().unwrap() >= 70.0);
    let of_him = format!("subject.value eq \"{}\"", other["id"].as_str().unwrap());
    assert_eq!(hris.find("/Reviews", &of_him).await.len(), 1);
}

/// Guards: nothing that clearly contradicts is put together, however much else agrees.
async fn twins_and_namesakes_are_two(app: &App) {
    apply(app, &matching());
    let (hris, ats) = (app.client("hris").await, app.client("ats").await);
    let known = ats.create("/Persons", ada()).await;
    for (what, change) in [
        ("a birth date", json!({"birthDate": "1958-03-02"})),
        (
            "a suffix",
            json!({"name": {"givenName": "Augusta", "familyName": "Lovelace", "honorificSuffix": "Jr"}}),
        ),
    ] {
        let mut twin = ada();
        twin.as_object_mut()
            .unwrap()
            .extend(change.as_object().unwrap().clone());
        if what == "a suffix" {
            let path = at(&known);
            let senior = json!([{"op": "add", "path": "name.honorificSuffix", "value": "Sr"}]);
            ats.patch(&path, senior).await.ok(200);
        }
        let made = hris.create("/Persons", twin).await;
        assert_ne!(made["id"], known["id"], "{what}");
    }
    // Namesakes of whom nothing else is known.
    let name = json!({"name": {"givenName": "Augusta", "familyName": "Lovelace"}});
    let before = people(&hris).await;
    app.client("crm").await.create("/Persons", name).await;
    assert_eq!(people(&hris).await, before + 1);
}

async fn legal_identifiers_decide(app: &App) {
    apply(app, &matching());
    let (hris, ats) = (app.client("hris").await, app.client("ats").await);
    let with = |value: &str| {
        let mut ada = ada();
        ada["legalIdentifiers"] = json!([{"type": "ssn", "country": "US", "value": value}]);
        ada
    };
    let known = ats.create("/Persons", with("078-05-1120")).await;
    let another = hris.create("/Persons", with("219-09-9999")).await;
    assert_ne!(
        another["id"], known["id"],
        "two numbers are never one person"
    );
    assert_eq!(hris.find("/Reviews", "kind eq \"match\"").await.len(), 0);
    let same = app
        .client("crm")
        .await
        .create(
            "/Persons",
            json!({"name": {"givenName": "Augusta", "familyName": "King"}, "legalIdentifiers": [{"type": "ssn", "country": "US", "value": "078-05-1120"}]}),
        )
        .await;
    assert_eq!(same["id"], known["id"]);
}

/// A hot block does not stall: what a crowd shares tells nobody apart.
async fn a_key_that_a_crowd_shares_is_not_walked(app: &App) {
    apply(app, &matching());
    let (hris, ats) = (app.client("hris").await, app.client("ats").await);
    let phone = json!([{"value": "+44 20 7946 0000", "type": "work"}]);
    for n in 0..40 {
        let name = format!(
            "{}{}",
            ["Ba", "Do", "Ki", "Lu", "Me"][n % 5],
            ["ver", "lin", "rost", "mak", "zig", "tum", "pog", "hal"][n / 5]
        );
        ats.create("/Persons", json!({"name": {"givenName": name, "familyName": format!("{name}son")}, "phoneNumbers": phone})).await;
    }
    let made = hris
        .create("/Persons", json!({"name": {"givenName": "Quentin", "familyName": "Xylander"}, "phoneNumbers": phone}))
        .await;
    let (reason, resolution) = resolution(&hris, &made, "created").await;
    assert_eq!(reason, Value::Null);
    assert_eq!(resolution["decision"], "new");
    assert!(resolution["hotKeys"].as_u64().unwrap() >= 1, "{resolution}");
    assert!(resolution["keysTried"].as_u64().unwrap() <= 20);
    assert!(resolution["candidates"].as_array().unwrap().len() <= 30);
}

/// the bits added up again give the score; who may not see an attribute sees neither form.
async fn a_trace_adds_up_and_shows_only_what_its_reader_may_see(app: &App) {
    let masking = "masking:\n  - { attributes: [birthDate], openTo: [payroll], otherwise: omit }\n  - { attributes: [phoneNumbers], openTo: [payroll], otherwise: lastFour }\n";
    let opened = matching()
        .replace(
            "roles: [people, steward] }",
            "roles: [people, steward], purposes: [payroll] }",
        )
        .replace(
            "system: ats, roles: [people] }",
            "system: ats, roles: [people, steward] }",
        )
        .replace(
            "system: idp, roles: [people] }",
            "system: idp, roles: [people], purposes: [payroll] }",
        );
    apply(app, &format!("{opened}{masking}"));
    let (hris, ats) = (app.client("hris").await, app.client("ats").await);
    hris.create("/Persons", ada()).await;
    let mut twin = ada();
    twin["name"]["givenName"] = json!("Byron");
    let made = app
        .client("idp")
        .await
        .create("/Persons", twin.clone())
        .await;
    let review = hris.find("/Reviews", "kind eq \"match\"").await;
    let path = format!(
        "/Reviews/{}?attributes=trace,score",
        review[0]["id"].as_str().unwrap()
    );
    let whole = hris.get(&path).await;
    let trace = whole.ok(200)["trace"].as_array().unwrap().clone();
    assert!(
        trace.iter().any(|one| one["right"] == "19851210"),
        "{trace:?}"
    );
    for (reader, knows) in [(&hris, true), (&ats, false)] {
        let (_, told) = resolution(reader, &made, "created").await;
        assert_eq!(told.to_string().contains("birthDate"), knows, "{told}");
    }
    let given = trace
        .iter()
        .find(|one| one["attribute"] == "givenName")
        .unwrap();
    assert_eq!(
        (&given["left"], &given["right"]),
        (&json!("byron"), &json!("augusta"))
    );
    let seen = ats.get(&path).await;
    let told = seen.ok(200)["trace"].to_string();
    assert!(
        told.contains("byron") && !told.contains("birthDate"),
        "{told}"
    );
    assert!(
        told.contains("phoneNumbers") && !told.contains("7946"),
        "{told}"
    );
    assert_eq!(
        hris.get(path.split('?').next().unwrap())
            .await
            .ok(200)
            .get("trace"),
        None
    );
}

async fn names_of_any_kind_are_taken(app: &App) {
    apply(app, &matching());
    let hris = app.client("hris").await;
    let long = "x".repeat(10_000);
    for name in ["A", &long, "😀", "עדה לאבלייס", "阿达", "'", "   "] {
        let body = json!({"name": {"givenName": name, "familyName": name}, "emails": [{"value": "family@example.org"}]});
        hris.create("/Persons", body).await;
    }
    hris.create(
        "/Persons",
        json!({"emails": [{"value": "family@example.org"}]}),
    )
    .await;
    assert_eq!(people(&hris).await, 8);
}

async fn without_a_matching_row_keys_alone_decide(app: &App) {
    apply(app, POLICY);
    let (hris, ats) = (app.client("hris").await, app.client("ats").await);
    let one = ats.create("/Persons", ada()).await;
    let two = hris.create("/Persons", ada()).await;
    assert_ne!(one["id"], two["id"]);
    assert_eq!(hris.find("/Reviews", "id pr").await.len(), 0);
}

/// one open review per person, attribute and system; approving it elevates.
async fn a_conflict_is_asked_about_once_and_settled_by_a_review(app: &App) {
    apply(app, &matching());
    let (hris, ats) = (app.client("hris").await, app.client("ats").await);
    let person = hris
        .create("/Persons", json!({"legalName": "Augusta King"}))
        .await;
    let path = at(&person);
    let say = |name: &str| json!([{"op": "replace", "path": "legalName", "value": name}]);
    for name in ["Ada Lovelace", "Ada Lovelace", "Ada Byron", "Ada Lovelace"] {
        ats.patch(&path, say(name)).await.ok(200);
    }
    let open = hris
        .find("/Reviews", "kind eq \"conflict\" and status eq \"open\"")
        .await;
    assert_eq!(open.len(), 1, "{open:?}");
    assert_eq!(
        (&open[0]["path"], &open[0]["system"]),
        (&json!("legalName"), &json!("ats"))
    );
    let review = format!("/Reviews/{}", open[0]["id"].as_str().unwrap());
    let assign = json!([{"op": "replace", "path": "assignedTo", "value": "eve"}]);
    assert_eq!(hris.patch(&review, assign).await.ok(200)["status"], "open");
    let approve = json!([{"op": "replace", "path": "status", "value": "approved"}, {"op": "replace", "path": "reasonCode", "value": "deed poll"}]);
    let decided = hris.patch(&review, approve.clone()).await;
    assert_eq!(decided.ok(200)["decidedBy"], "hris");
    assert!(decided.ok(200)["decidedAt"].is_string());
    assert_eq!(hris.get(&path).await.ok(200)["legalName"], "Ada Lovelace");
    let again = json!([{"op": "replace", "path": "status", "value": "rejected"}]);
    let refusal = hris.patch(&review, again).await;
    assert!(refusal.refused(409, "").contains("approved by 'hris'"));
    // A new value is a new question; once it is rejected, the same value again is none.
    ats.patch(&path, say("Ada Noel")).await.ok(200);
    let open = hris
        .find("/Reviews", "kind eq \"conflict\" and status eq \"open\"")
        .await;
    let review = format!("/Reviews/{}", open[0]["id"].as_str().unwrap());
    hris.patch(
        &review,
        json!([{"op": "replace", "path": "status", "value": "rejected"}]),
    )
    .await
    .ok(200);
    ats.patch(&path, say("Ada Noel")).await.ok(200);
    assert_eq!(hris.find("/Reviews", "status eq \"open\"").await.len(), 0);
}

async fn reviews_are_the_servers_to_open_and_are_decided_once(app: &App) {
    apply(app, &matching());
    let (hris, ats) = (app.client("hris").await, app.client("ats").await);
    hris.order(
        "/Reviews",
        json!({"schemas": ["urn:muster:scim:schemas:core:1.0:Review"], "assignedTo": "eve"}),
    )
    .await
    .refused(403, "");
    ats.get("/Reviews").await.refused(403, "");
    let person = hris
        .create("/Persons", json!({"legalName": "Augusta King"}))
        .await;
    ats.patch(
        &at(&person),
        json!([{"op": "replace", "path": "legalName", "value": "Ada"}]),
    )
    .await
    .ok(200);
    let open = hris.find("/Reviews", "status eq \"open\"").await;
    let review = format!("/Reviews/{}", open[0]["id"].as_str().unwrap());
    let patch = |path: &str, value: &str| json!([{"op": "replace", "path": path, "value": value}]);
    hris.patch(&review, patch("kind", "match"))
        .await
        .refused(400, "mutability");
    hris.patch(&review, patch("status", "maybe"))
        .await
        .refused(409, "");
    hris.delete(&review).await.refused(403, "");
    let due = hris
        .find(
            "/Reviews",
            "status eq \"open\" and dueAt lt \"2031-03-10T00:00:00Z\"",
        )
        .await;
    assert_eq!(due.len(), 1);
}

/// Its time over, a review is no longer open; what it asked about may be asked again by new words.
async fn a_review_that_nobody_decides_expires(app: &App) {
    apply(app, &matching());
    let (hris, ats) = (app.client("hris").await, app.client("ats").await);
    let person = hris
        .create("/Persons", json!({"legalName": "Augusta King"}))
        .await;
    let say = |name: &str| json!([{"op": "replace", "path": "legalName", "value": name}]);
    ats.patch(&at(&person), say("Ada")).await.ok(200);
    let open = hris.find("/Reviews", "status eq \"open\"").await;
    let tenant = muster::id::TenantId(1);
    let sweep = async |now| {
        let service = app.service().clone();
        std::thread::spawn(move || service.expire_reviews(tenant, now))
            .join()
            .unwrap()
            .unwrap()
    };
    let now = muster::clock::Clock::now(&*app.clock);
    assert_eq!(sweep(now + chrono::TimeDelta::days(4)).await, 0);
    assert_eq!(sweep(now + chrono::TimeDelta::days(6)).await, 1);
    assert_eq!(sweep(now + chrono::TimeDelta::days(7)).await, 0);
    let path = format!("/Reviews/{}", open[0]["id"].as_str().unwrap());
    let over = hris.get(&path).await;
    assert_eq!(
        (&over.ok(200)["status"], &over.ok(200)["decidedBy"]),
        (&json!("expired"), &json!("muster"))
    );
    let approve = json!([{"op": "replace", "path": "status", "value": "approved"}]);
    assert!(
        hris.patch(&path, approve)
            .await
            .refused(409, "")
            .contains("expired")
    );
    assert_eq!(
        hris.get(&at(&person)).await.ok(200)["legalName"],
        "Augusta King"
    );
    ats.patch(&at(&person), say("Ada Noel")).await.ok(200);
    assert_eq!(hris.find("/Reviews", "status eq \"open\"").await.len(), 1);
}
