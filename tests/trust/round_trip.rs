//! What was shown masked and comes back changes nothing; what looks masked and is not what was shown is refused.

use serde_json::json;

use crate::masking::ada;
use crate::rules::{POLICY, apply};
use crate::support::{App, EMPLOYEE, on_both};

on_both!(
    a_put_of_what_was_shown_changes_nothing,
    what_looks_masked_and_was_not_shown_is_refused,
    hidden_values_survive_writes_of_all_else,
    elements_that_look_the_same_come_back_as_they_are
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
    assert_eq!(shown["addresses"].as_array().unwrap().len(), 2);
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
