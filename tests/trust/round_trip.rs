//! What was shown masked and comes back changes nothing; what looks masked and is not what was shown is refused.

use serde_json::{Value, json};

use crate::masking::ada;
use crate::rules::{POLICY, apply};
use crate::support::{App, CONSENT, Client, EMPLOYEE, on_both};

on_both!(
    a_put_of_what_was_shown_changes_nothing,
    what_looks_masked_and_was_not_shown_is_refused,
    hidden_values_survive_writes_of_all_else,
    elements_that_look_the_same_come_back_as_they_are,
    what_is_not_seen_of_an_element_stays_with_it,
    what_is_not_seen_of_an_element_is_never_lost_by_a_guess
);

async fn a_put_of_what_was_shown_changes_nothing(app: &App) {
    apply(app, POLICY);
    let (hris, idp) = (app.client("hris").await, app.client("idp").await);
    let whole = ada(&hris).await;
    let path = format!("/Persons/{}", whole["id"].as_str().unwrap());
    let before = hris.get(&path).await.ok(200).clone();
    for endpoint in ["Persons", "Users"] {
        let path = path.replace("Persons", endpoint);
        let shown = idp.get(&path).await.ok(200).clone();
        let answer = idp.put(&path, shown.clone()).await;
        assert_eq!(answer.ok(200), &shown, "{endpoint}");
    }
    assert_eq!(hris.get(&path).await.ok(200), &before);
    // Beside a change of something else too.
    let mut shown = idp.get(&path).await.ok(200).clone();
    shown["displayName"] = "Countess".into();
    shown["phoneNumbers"][0]["type"] = "mobile".into();
    idp.put(&path, shown).await.ok(200);
    let after = hris.get(&path).await.ok(200).clone();
    assert_eq!(after["displayName"], "Countess");
    assert_eq!(
        after["phoneNumbers"],
        json!([{"value": "+44 20 7946 0123", "type": "mobile"}])
    );
    for kept in [
        "birthDate",
        "nationalities",
        "addresses",
        "preferredLanguage",
        "emails",
    ] {
        assert_eq!(after[kept], before[kept], "{kept}");
    }
}

async fn what_looks_masked_and_was_not_shown_is_refused(app: &App) {
    apply(app, POLICY);
    let (hris, idp) = (app.client("hris").await, app.client("idp").await);
    let whole = ada(&hris).await;
    let path = format!("/Persons/{}", whole["id"].as_str().unwrap());
    let before = hris.get(&path).await.ok(200).clone();
    let mut shown = idp.get(&path).await.ok(200).clone();
    shown["phoneNumbers"] = json!([{"value": "••••9999", "type": "work"}]);
    idp.put(&path, shown.clone())
        .await
        .refused(400, "invalidValue");
    shown["phoneNumbers"] = json!([{"value": "+44 20 7946 0123", "type": "work"}]);
    shown["nationalities"] = json!(["[redacted]", "[redacted]"]);
    idp.put(&path, shown).await.ok(200);
    for operation in [
        json!({"op": "replace", "path": "phoneNumbers[type eq \"work\"].value", "value": "••••9999"}),
        json!({"op": "add", "path": "phoneNumbers", "value": [{"value": "••••4444"}]}),
        json!({"op": "replace", "path": "preferredLanguage", "value": "A".repeat(43)}),
    ] {
        idp.patch(&path, json!([operation]))
            .await
            .refused(400, "invalidValue");
    }
    idp.post(
        "/Persons",
        json!({"displayName": "B", "phoneNumbers": [{"value": "••••0123"}]}),
    )
    .await
    .refused(400, "invalidValue");
    assert_eq!(
        hris.get(&path).await.ok(200)["phoneNumbers"],
        before["phoneNumbers"]
    );
    // Its own rendering through PATCH changes nothing.
    for operation in [
        json!({"op": "replace", "path": "phoneNumbers[type eq \"work\"].value", "value": "••••0123"}),
        json!({"op": "add", "path": "phoneNumbers", "value": [{"value": "••••0123", "type": "work"}]}),
    ] {
        idp.patch(&path, json!([operation])).await.ok(200);
    }
    assert_eq!(
        hris.get(&path).await.ok(200)["phoneNumbers"],
        before["phoneNumbers"]
    );
}

async fn hidden_values_survive_writes_of_all_else(app: &App) {
    apply(app, POLICY);
    let (hris, idp) = (app.client("hris").await, app.client("idp").await);
    let whole = ada(&hris).await;
    let path = format!("/Persons/{}", whole["id"].as_str().unwrap());
    // One that it sees goes, one that it does not see stays.
    idp.patch(&path, json!([{"op": "remove", "path": "emails"}]))
        .await
        .ok(200);
    let after = hris.get(&path).await.ok(200).clone();
    assert_eq!(
        after["emails"],
        json!([{"value": "ada@home.example", "type": "home"}])
    );
    idp.patch(
        &path,
        json!([{"op": "replace", "path": "emails", "value": [{"value": "new@corp.example", "type": "work"}]}]),
    )
    .await
    .ok(200);
    let emails = hris.get(&path).await.ok(200)["emails"].clone();
    assert_eq!(emails.as_array().unwrap().len(), 2, "{emails}");
    // A value that it may write and not read is taken, and not shown.
    let answer = idp
        .patch(
            &path,
            json!([{"op": "replace", "path": "birthDate", "value": "1815-12-11"}]),
        )
        .await;
    assert_eq!(answer.ok(200).get("birthDate"), None);
    assert_eq!(hris.get(&path).await.ok(200)["birthDate"], "1815-12-11");
    assert_eq!(
        hris.get(&path).await.ok(200)[EMPLOYEE]["department"],
        "Engines"
    );
}

async fn elements_that_look_the_same_come_back_as_they_are(app: &App) {
    let row =
        "masking:\n  - { attributes: [addresses.locality], openTo: [payroll], otherwise: omit }\n";
    let other = ", \"addresses[type eq \\\"home\\\"]\"";
    apply(app, &POLICY.replace(other, "").replace("masking:\n", row));
    let (hris, idp) = (app.client("hris").await, app.client("idp").await);
    let home = |place: &str| json!({"type": "home", "country": "GB", "locality": place});
    let person = json!({
        "displayName": "A", "addresses": [home("Ockham"), home("London")], "nationalities": ["GB", "IT"],
        "phoneNumbers": [{"value": "+44 20 7946 0123", "type": "work"}, {"value": "+33 14 0000 0123", "type": "work"}],
    });
    let path = hris.create("/Persons", person).await["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let path = format!("/Persons/{path}");
    let before = hris.get(&path).await.ok(200).clone();
    let mut shown = idp.get(&path).await.ok(200).clone();
    assert_eq!(
        shown["addresses"],
        json!([{"type": "home", "country": "GB"}])
    );
    assert_eq!(shown["nationalities"], json!(["[redacted]"]));
    assert_eq!(
        shown["phoneNumbers"],
        json!([{"value": "••••0123", "type": "work"}])
    );
    idp.put(&path, shown.clone()).await.ok(200);
    assert_eq!(hris.get(&path).await.ok(200), &before);
    // Given twice it is still what it was.
    shown["nationalities"] = json!(["[redacted]", "[redacted]"]);
    idp.put(&path, shown).await.ok(200);
    assert_eq!(hris.get(&path).await.ok(200), &before);
}

/// A policy under which the identity provider sees addresses without their `locality`, and consents without what shows them.
fn in_part() -> String {
    let rows = "masking:\n  - { attributes: [addresses.locality], openTo: [payroll], otherwise: omit }\n  \
        - { attributes: [\"urn:muster:scim:schemas:extension:1.0:Consent:consents.evidenceRef\"], openTo: [payroll], otherwise: omit }\n";
    let other = ", \"addresses[type eq \\\"home\\\"]\"";
    POLICY.replace(other, "").replace("masking:\n", rows)
}

fn address(kind: &str, country: &str, locality: &str) -> Value {
    json!({"locality": locality, "country": country, "type": kind})
}

/// The addresses as the one sees them that sees all, in any order.
async fn addresses(hris: &Client, path: &str) -> Vec<String> {
    let person = hris.get(path).await.ok(200).clone();
    let all = person["addresses"].as_array().cloned().unwrap_or_default();
    let each = all.iter().map(|one| {
        let part = |name: &str| one[name].as_str().unwrap_or("?").to_owned();
        format!("{} {} {}", part("type"), part("country"), part("locality"))
    });
    let mut each: Vec<String> = each.collect();
    each.sort();
    each
}

async fn what_is_not_seen_of_an_element_stays_with_it(app: &App) {
    apply(app, &in_part());
    let (hris, idp) = (app.client("hris").await, app.client("idp").await);
    let consent = |purpose: &str, evidence: &str| {
        json!({
            "purpose": purpose, "legalBasis": "consent", "status": "given", "evidenceRef": evidence,
        })
    };
    let person = json!({
        "displayName": "A",
        "addresses": [address("home", "GB", "Ockham"), address("home", "GB", "London"), address("work", "GB", "Horsley")],
        CONSENT: {"consents": [consent("marketing", "m-1"), consent("research", "r-1")]},
    });
    let id = hris.create("/Persons", person).await["id"].clone();
    let path = format!("/Persons/{}", id.as_str().unwrap());
    // A part that both show is changed, of both.
    let change =
        |path: &str, value: Value| json!([{"op": "replace", "path": path, "value": value}]);
    let country = change("addresses[type eq \"home\"].country", "FR".into());
    let answer = idp.patch(&path, country).await;
    let shown = json!([{"country": "FR", "type": "home"}, {"country": "GB", "type": "work"}]);
    assert_eq!(answer.ok(200)["addresses"], shown);
    let homes = ["home FR London", "home FR Ockham", "work GB Horsley"];
    assert_eq!(addresses(&hris, &path).await, homes);
    // One is made to look like the others, and stays what it is.
    let country = change(
        "addresses[type eq \"work\"]",
        json!({"type": "home", "country": "FR"}),
    );
    idp.patch(&path, country).await.ok(200);
    let homes = ["home FR Horsley", "home FR London", "home FR Ockham"];
    assert_eq!(addresses(&hris, &path).await, homes);
    // A new one has nothing of the others.
    let new =
        json!([{"op": "add", "path": "addresses", "value": {"type": "other", "country": "FR"}}]);
    idp.patch(&path, new).await.ok(200);
    assert_eq!(addresses(&hris, &path).await[3], "other FR ?");
    // Nor has one that comes when they have gone.
    let swap = json!([
        {"op": "remove", "path": "addresses"},
        {"op": "add", "path": "addresses", "value": [{"type": "home", "country": "IT"}]},
    ]);
    idp.patch(&path, swap).await.ok(200);
    let left = addresses(&hris, &path).await;
    assert!(left.contains(&"home IT ?".to_owned()), "{left:?}");
    // What a consent rests on stays with it, when others come and it changes.
    let mut shown = idp.get(&path).await.ok(200).clone();
    let consents = shown[CONSENT]["consents"].as_array_mut().unwrap();
    assert!(consents.iter().all(|one| one.get("evidenceRef").is_none()));
    consents[0]["status"] = "withdrawn".into();
    consents.insert(
        0,
        json!({"purpose": "news", "legalBasis": "consent", "status": "given"}),
    );
    idp.put(&path, shown).await.ok(200);
    let after = hris.get(&path).await.ok(200).clone();
    let after = after[CONSENT]["consents"].as_array().unwrap();
    let of = |purpose: &str| after.iter().find(|one| one["purpose"] == purpose).unwrap();
    assert_eq!(of("marketing")["status"], "withdrawn");
    assert_eq!(of("marketing")["evidenceRef"], "m-1");
    assert_eq!(of("research")["evidenceRef"], "r-1");
    assert_eq!(of("news").get("evidenceRef"), None);
}

async fn what_is_not_seen_of_an_element_is_never_lost_by_a_guess(app: &App) {
    apply(app, &in_part());
    let (hris, idp) = (app.client("hris").await, app.client("idp").await);
    let all = [
        address("home", "GB", "Ockham"),
        address("home", "IT", "Turin"),
        address("work", "GB", "Horsley"),
    ];
    let person = json!({"displayName": "A", "addresses": all});
    let id = idp.create("/Persons", person).await["id"].clone();
    let path = format!("/Persons/{}", id.as_str().unwrap());
    let before = addresses(&hris, &path).await;
    let shown = idp.get(&path).await.ok(200).clone();
    let with = |addresses: Value| {
        let mut person = shown.clone();
        person["addresses"] = addresses;
        person
    };
    // Which of two it was cannot be told.
    for given in [
        json!([{"type": "home", "country": "FR"}, {"type": "work", "country": "GB"}]),
        json!([{"type": "home", "country": "FR"}, {"type": "home", "country": "US"}]),
    ] {
        let answer = idp.put(&path, with(given)).await;
        let detail = answer.refused(400, "invalidValue");
        assert!(
            detail.contains("addresses") && detail.contains("home"),
            "{detail}"
        );
        assert_eq!(addresses(&hris, &path).await, before);
    }
    // Nor whether one that says of itself nothing that tells it apart is one that has gone.
    let nameless = json!([{"country": "GB", "locality": "Ockham"}]);
    let nameless = hris
        .create(
            "/Persons",
            json!({"displayName": "B", "addresses": nameless}),
        )
        .await;
    let at = format!("/Persons/{}", nameless["id"].as_str().unwrap());
    let mut given = idp.get(&at).await.ok(200).clone();
    given["addresses"] = json!([{"country": "FR"}]);
    idp.put(&at, given.clone())
        .await
        .refused(400, "invalidValue");
    given["addresses"] = json!([{"country": "GB"}, {"country": "FR"}]);
    idp.put(&at, given).await.ok(200);
    assert_eq!(addresses(&hris, &at).await, ["? FR ?", "? GB Ockham"]);
    // Which of one, it can, when the other is given as shown.
    let given = json!([
        {"type": "home", "country": "FR"}, {"type": "home", "country": "IT"}, {"type": "work", "country": "FR"},
    ]);
    idp.put(&path, with(given)).await.ok(200);
    let after = ["home FR Ockham", "home IT Turin", "work FR Horsley"];
    assert_eq!(addresses(&hris, &path).await, after);
    // What it does not give, it takes back.
    idp.put(&path, with(json!([{"type": "work", "country": "FR"}])))
        .await
        .ok(200);
    assert_eq!(addresses(&hris, &path).await, ["work FR Horsley"]);
}
