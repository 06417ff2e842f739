//! What a client may not see is not in any answer, and cannot be searched, sorted or probed by.

use muster::clock::Clock;
use serde_json::{Value, json};

use crate::rules::{POLICY, apply};
use crate::support::{App, Client, EMPLOYEE, PROVENANCE, on_both};

on_both!(
    each_treatment_shows_in_every_answer,
    what_is_hidden_cannot_be_searched_or_sorted_by,
    hidden_elements_do_not_match,
    the_second_stamp_ignores_what_is_classified,
    a_hidden_conflict_is_accepted_and_told_to_nobody,
    a_hidden_address_resolves_nobody,
    a_directory_shows_what_its_row_names,
    who_writes_or_searches_without_reading_learns_nothing
);

/// A person of whom the HRIS says everything.
pub(crate) async fn ada(hris: &Client) -> Value {
    let ada = json!({
        "userName": "ada",
        "name": {"givenName": "Ada", "familyName": "Byron"},
        "displayName": "Ada Byron",
        "emails": [
            {"value": "ada@corp.example", "type": "work", "primary": true},
            {"value": "ada@home.example", "type": "home"}
        ],
        "phoneNumbers": [{"value": "+44 20 7946 0123", "type": "work"}],
        "preferredLanguage": "en-GB",
        "addresses": [{"locality": "Ockham", "type": "home"}],
    });
    let user = hris.create("/Users", ada).await;
    let path = format!("/Persons/{}", user["id"].as_str().unwrap());
    hris.patch(
        &path,
        json!([
            {"op": "add", "path": "birthDate", "value": "1815-12-10"},
            {"op": "add", "path": "nationalities", "value": ["GB"]},
            {"op": "add", "path": format!("{EMPLOYEE}:department"), "value": "Engines"}
        ]),
    )
    .await
    .ok(200)
    .clone()
}

pub(crate) fn without_meta(resource: &Value) -> Value {
    let mut resource = resource.clone();
    resource.as_object_mut().unwrap().remove("meta");
    resource
}

async fn each_treatment_shows_in_every_answer(app: &App) {
    apply(app, POLICY);
    let (hris, idp) = (app.client("hris").await, app.client("idp").await);
    let whole = ada(&hris).await;
    assert_eq!(whole["birthDate"], "1815-12-10");
    assert_eq!(whole["emails"].as_array().unwrap().len(), 2);
    let id = whole["id"].as_str().unwrap();
    let path = format!("/Persons/{id}");
    let seen = idp.get(&path).await.ok(200).clone();
    assert_eq!(seen.get("birthDate"), None);
    assert_eq!(seen["nationalities"], json!(["[redacted]"]));
    assert_eq!(
        seen["emails"],
        json!([{"value": "ada@corp.example", "type": "work", "primary": true}])
    );
    assert_eq!(seen.get("addresses"), None);
    assert_eq!(
        seen["phoneNumbers"],
        json!([{"value": "••••0123", "type": "work"}])
    );
    assert_eq!(seen["preferredLanguage"].as_str().unwrap().len(), 43);
    let masked = seen[PROVENANCE]["maskedAttributes"].as_array().unwrap();
    let told: Vec<(&str, &str)> = masked
        .iter()
        .map(|row| {
            (
                row["path"].as_str().unwrap(),
                row["method"].as_str().unwrap(),
            )
        })
        .collect();
    for wanted in [
        ("birthDate", "omit"),
        ("emails[type eq \"home\"]", "omit"),
        ("phoneNumbers", "lastFour"),
    ] {
        assert!(told.contains(&wanted), "{told:?}");
    }
    // On each channel the same.
    let list = idp.find("/Persons", "displayName eq \"Ada Byron\"").await;
    let search = idp.search("/Persons", json!({"count": 5})).await;
    let patched = idp
        .patch(
            &path,
            json!([{"op": "add", "path": "timezone", "value": "Europe/London"}]),
        )
        .await;
    let bulk = idp
        .send(
            reqwest::Method::POST,
            "/Bulk",
            &[],
            Some(
                json!({
                    "schemas": ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"],
                    "Operations": [{"method": "PATCH", "path": path, "data": {
                        "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
                        "Operations": [{"op": "remove", "path": "timezone"}]
                    }}]
                })
                .to_string()
                .into_bytes(),
            ),
        )
        .await;
    assert_eq!(list, vec![seen.clone()]);
    assert_eq!(search.resources(), std::slice::from_ref(&seen));
    let mut without = without_meta(patched.ok(200));
    without.as_object_mut().unwrap().remove("timezone");
    assert_eq!(without, without_meta(&seen));
    assert!(!bulk.body.to_string().contains("1815"), "{}", bulk.body);
    let user = idp.get(&format!("/Users/{id}")).await.ok(200).to_string();
    for secret in [
        "1815",
        "ada@home.example",
        "7946",
        "Ockham",
        "en-GB",
        "GB\"",
    ] {
        assert!(!user.contains(secret), "{secret}: {user}");
    }
}

async fn what_is_hidden_cannot_be_searched_or_sorted_by(app: &App) {
    apply(app, POLICY);
    let (hris, idp) = (app.client("hris").await, app.client("idp").await);
    ada(&hris).await;
    for filter in [
        "birthDate eq \"1815-12-10\"",
        "not (birthDate pr)",
        "displayName pr and birthDate sw \"18\"",
        "phoneNumbers.value co \"0123\"",
        "phoneNumbers[value ew \"0123\"]",
        "nationalities eq \"GB\"",
        "preferredLanguage eq \"en-GB\"",
        "legalName pr",
    ] {
        let answer = idp.list("/Persons", &[("filter", filter)]).await;
        answer.refused(403, "");
        assert_eq!(
            hris.list("/Persons", &[("filter", filter)]).await.status,
            200,
            "{filter}"
        );
    }
    for sort in ["birthDate", "emails.value", "phoneNumbers.value"] {
        idp.list("/Persons", &[("sortBy", sort)])
            .await
            .refused(403, "");
        hris.list("/Persons", &[("sortBy", sort)]).await.ok(200);
    }
    // What a partial treatment leaves may be searched.
    assert_eq!(
        idp.find("/Persons", "phoneNumbers.type eq \"work\"")
            .await
            .len(),
        1
    );
}

async fn hidden_elements_do_not_match(app: &App) {
    apply(app, POLICY);
    let (hris, idp) = (app.client("hris").await, app.client("idp").await);
    ada(&hris).await;
    for (filter, found) in [
        ("emails.value eq \"ada@home.example\"", 0),
        ("emails[type eq \"home\"]", 0),
        ("emails[type eq \"home\" or value ew \"corp.example\"]", 1),
        ("not (emails.value co \"home\")", 1),
        ("emails[type ne \"work\"]", 0),
        ("addresses pr", 0),
        ("addresses.locality eq \"Ockham\"", 0),
        ("emails pr", 1),
        (
            "schemas eq \"urn:muster:scim:schemas:extension:1.0:Employee\"",
            1,
        ),
    ] {
        assert_eq!(idp.find("/Persons", filter).await.len(), found, "{filter}");
        let mine = idp.search("", json!({"filter": filter})).await;
        assert_eq!(mine.ok(200)["totalResults"], found, "{filter}");
    }
    assert_eq!(
        hris.find("/Persons", "emails[type eq \"home\"]")
            .await
            .len(),
        1
    );
}

async fn the_second_stamp_ignores_what_is_classified(app: &App) {
    // Without the row that needs consent nothing is hidden from the HRIS.
    let rows: Vec<&str> = POLICY
        .lines()
        .filter(|row| !row.contains("legalName"))
        .collect();
    apply(app, &(rows.join("\n") + "\n"));
    let (hris, idp) = (app.client("hris").await, app.client("idp").await);
    let whole = ada(&hris).await;
    let path = format!("/Persons/{}", whole["id"].as_str().unwrap());
    let before = idp.get(&path).await;
    let stamp = before.ok(200)["meta"]["lastModified"]
        .as_str()
        .unwrap()
        .to_owned();
    let changed = hris
        .patch(
            &path,
            json!([{"op": "replace", "path": "birthDate", "value": "1815-12-11"}]),
        )
        .await;
    let full = changed.ok(200)["meta"]["lastModified"]
        .as_str()
        .unwrap()
        .to_owned();
    assert!(full > stamp);
    let after = idp.get(&path).await;
    assert_eq!(after.body, before.body);
    assert_eq!(after.etag(), before.etag());
    let since = format!("meta.lastModified gt \"{stamp}\"");
    assert_eq!(idp.find("/Persons", &since).await.len(), 0);
    assert_eq!(hris.find("/Persons", &since).await.len(), 1);
    // An entity tag of its own view still holds.
    idp.patch_if(
        &path,
        &[("If-Match", before.etag())],
        json!([{"op": "add", "path": "timezone", "value": "Europe/London"}]),
    )
    .await
    .ok(200);
}

/// What the sweep does two minutes later; how many questions were opened.
fn sweep(app: &App) -> usize {
    let (service, now) = (app.service().clone(), app.clock.now());
    let later = now + chrono::TimeDelta::minutes(2);
    let sweep = move || service.ask_of_withheld(muster::id::TenantId(1), later);
    std::thread::spawn(sweep).join().unwrap().unwrap()
}

async fn a_hidden_conflict_is_accepted_and_told_to_nobody(app: &App) {
    apply(
        app,
        &POLICY.replace(
            "  - { attributes: [birthDate]",
            "  - { attributes: [externalIdentifiers], openTo: [payroll], otherwise: omit }\n  - { attributes: [birthDate]",
        ),
    );
    let (hris, idp) = (app.client("hris").await, app.client("idp").await);
    let badge = json!([{"system": "greenhouse", "field": "candidate_id", "value": "7"}]);
    let ada = json!({"displayName": "Ada", "externalIdentifiers": badge});
    let ada = hris.create("/Persons", ada).await;
    let made = idp
        .create(
            "/Persons",
            json!({"displayName": "Eve", "externalIdentifiers": badge}),
        )
        .await;
    let other = json!([{"system": "greenhouse", "field": "candidate_id", "value": "8"}]);
    let free = idp
        .create(
            "/Persons",
            json!({"displayName": "Eve", "externalIdentifiers": other}),
        )
        .await;
    let plain = |resource: &Value| {
        let mut resource = without_meta(resource);
        resource.as_object_mut().unwrap().remove("id");
        resource
    };
    assert_eq!(plain(&made), plain(&free));
    let events = app.events_of(made["id"].as_str().unwrap());
    assert_eq!(events[0]["withheld"][0]["path"], "externalIdentifiers");
    assert_eq!(events[0]["withheld"][0]["new"]["value"], "7");
    // It is queued for a human: the two may be one.
    let asked = || {
        let reviews = "SELECT document AS t FROM resource WHERE document LIKE '%withheldValue%'";
        app.database.connect().texts(reviews)
    };
    assert_eq!(asked().len(), 0, "not while the writer waits");
    assert_eq!(sweep(app), 1);
    let reviews = asked();
    assert_eq!(reviews.len(), 1, "{reviews:?}");
    let ids = [ada["id"].as_str(), made["id"].as_str()];
    assert!(
        ids.iter().all(|id| reviews[0].contains(id.unwrap())),
        "{reviews:?}"
    );
    let again = json!([{"op": "add", "path": "externalIdentifiers", "value": badge}]);
    let path = format!("/Persons/{}", made["id"].as_str().unwrap());
    idp.patch(&path, again).await.ok(200);
    assert_eq!(sweep(app), 0, "one question, however often it is said");
    assert_eq!(asked().len(), 1);
    // Who may see it is told.
    hris.post(
        "/Persons",
        json!({"displayName": "Eve", "externalIdentifiers": badge}),
    )
    .await
    .refused(409, "uniqueness");
}

async fn a_hidden_address_resolves_nobody(app: &App) {
    apply(app, POLICY);
    let (hris, idp) = (app.client("hris").await, app.client("idp").await);
    let ada = hris
        .create(
            "/Persons",
            json!({"name": {"givenName": "Ada"}, "emails": [
                {"value": "ada@home.example", "type": "home"},
                {"value": "ada@corp.example", "type": "work"}
            ]}),
        )
        .await;
    let account = |name: &str, email: &str| json!({"userName": name, "emails": [{"value": email, "type": "work"}]});
    let stranger = idp
        .create("/Users", account("eve", "ada@home.example"))
        .await;
    assert_ne!(stranger["id"], ada["id"]);
    let known = idp
        .create("/Users", account("ada", "ada@corp.example"))
        .await;
    assert_eq!(known["id"], ada["id"]);
    // What she gives as her own does not become hers whom she does not see.
    let path = format!("/Persons/{}", ada["id"].as_str().unwrap());
    idp.patch(
        &path,
        json!([{"op": "add", "path": "emails", "value": [{"value": "ada@home.example", "type": "work"}]}]),
    )
    .await
    .ok(200);
    let all = hris.get(&path).await.ok(200)["emails"]
        .as_array()
        .unwrap()
        .len();
    assert_eq!(all, 3);
}

async fn a_directory_shows_what_its_row_names(app: &App) {
    apply(app, POLICY);
    let (hris, verifier) = (app.client("hris").await, app.client("verifier").await);
    let whole = ada(&hris).await;
    let path = format!("/Persons/{}", whole["id"].as_str().unwrap());
    let seen = verifier.get(&path).await.ok(200).clone();
    let names: Vec<&String> = seen.as_object().unwrap().keys().collect();
    for hidden in ["phoneNumbers", "birthDate", "nationalities", "active"] {
        assert!(!names.iter().any(|name| *name == hidden), "{names:?}");
    }
    assert_eq!(seen["displayName"], "Ada Byron");
    assert_eq!(seen["emails"], json!([{"value": "ada@corp.example"}]));
    assert_eq!(seen["meta"].get("lastModified"), None);
    for filter in [
        "timezone pr",
        "emails.type eq \"work\"",
        "meta.lastModified pr",
    ] {
        verifier
            .list("/Persons", &[("filter", filter)])
            .await
            .refused(403, "");
    }
    verifier
        .patch(
            &path,
            json!([{"op": "add", "path": "displayName", "value": "A"}]),
        )
        .await
        .refused(403, "");
}

async fn who_writes_or_searches_without_reading_learns_nothing(app: &App) {
    let blind = "  blind: [{ types: [User, Person], rights: [write] }]\n  finder: [{ types: [Person], rights: [search] }]\nclients:\n";
    let policy = POLICY
        .replace("clients:\n", blind)
        .replace("system: crm, roles: [sales]", "system: crm, roles: [blind]")
        .replace(
            "system: ats, roles: [people]",
            "system: ats, roles: [finder]",
        );
    apply(app, &policy);
    let (hris, crm) = (app.client("hris").await, app.client("crm").await);
    let ats = app.client("ats").await;
    let known = ada(&hris).await;
    let path = format!("/Persons/{}", known["id"].as_str().unwrap());
    let made = crm
        .create("/Users", json!({"userName": "bo", "displayName": "Bo"}))
        .await;
    let names: Vec<&String> = made.as_object().unwrap().keys().collect();
    assert_eq!(names, ["schemas", "id", "meta"], "{made}");
    let changed = crm
        .patch(
            &path,
            json!([{"op": "replace", "path": "displayName", "value": "Countess"}]),
        )
        .await;
    assert!(
        !changed.ok(200).to_string().contains("Byron"),
        "{}",
        changed.body
    );
    crm.get(&path).await.refused(403, "");
    assert_eq!(hris.get(&path).await.ok(200)["displayName"], "Countess");
    let all = ats.get("/Persons").await;
    assert_eq!(all.ok(200)["totalResults"], 2);
    assert!(!all.body.to_string().contains("Countess"), "{}", all.body);
    for filter in [
        "displayName eq \"Countess\"",
        "name.familyName pr",
        "emails[type eq \"work\"]",
    ] {
        ats.list("/Persons", &[("filter", filter)])
            .await
            .refused(403, "");
    }
    let id = known["id"].as_str().unwrap();
    assert_eq!(
        ats.find("/Persons", &format!("id eq \"{id}\"")).await.len(),
        1
    );
}
