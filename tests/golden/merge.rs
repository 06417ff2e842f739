//! Two persons who are one, and one who was two (A-053, design §3).

use serde_json::{Value, json};

use crate::resolution::matching;
use crate::support::policy::apply;
use crate::support::{Answer, App, CANDIDATE, Client, EMPLOYEE, IDENTITY, PROVENANCE, on_both};
use crate::survivorship::at;

on_both!(
    a_merge_then_a_split_restores_both,
    either_id_keeps_working_in_every_profile,
    a_write_through_an_alias_lands_on_that_aliass_source_record,
    what_speaks_against_a_merge_is_told,
    a_review_merges_two_accounts_and_remembers_a_rejection,
    erasing_the_survivor_erases_who_was_merged_into_it,
    either_name_of_one_system_finds_the_person,
    a_reference_to_an_alias_is_one_to_the_person,
    merges_at_once_lose_nothing
);

pub(crate) async fn join(client: &Client, person: &Value, verb: &str, other: &Value) -> Answer {
    let name = if verb == "merge" { "with" } else { "id" };
    let order = json!({name: other["id"], "reason": "the same passport"});
    client.order(&format!("{}/{verb}", at(person)), order).await
}

/// Without what every write changes.
fn plain(answer: &Answer) -> Value {
    let mut body = answer.ok(200).clone();
    body["meta"] = json!(body["meta"]["created"]);
    body
}

pub(crate) async fn both_of(client: &Client, one: &Value, other: &Value) -> (Value, Value) {
    (
        plain(&client.get(&at(one)).await),
        plain(&client.get(&at(other)).await),
    )
}

/// But for `meta`, byte for byte: names, elements, roles, secrets, memberships, external ids.
async fn a_merge_then_a_split_restores_both(app: &App) {
    apply(app, &matching());
    let (hris, ats, idp) = (
        app.client("hris").await,
        app.client("ats").await,
        app.client("idp").await,
    );
    let one = hris
        .create("/Persons", json!({"externalId": "w1", "legalName": "Augusta King", "name": {"familyName": "King"},
            "emails": [{"value": "a@x.example", "type": "work", "primary": true}], EMPLOYEE: {"jobTitle": "Analyst"},
            "legalIdentifiers": [{"type": "ssn", "country": "US", "value": "078-05-1120"}]}))
        .await;
    let other = ats
        .create(
            "/Persons",
            json!({"externalId": "c9", "name": {"givenName": "Ada", "familyName": "Lovelace"},
            "emails": [{"value": "b@x.example", "primary": true}], CANDIDATE: {"status": "active"},
            "legalIdentifiers": [{"type": "passport", "country": "GB", "value": "P123456"}]}),
        )
        .await;
    // An account of the other, in a group.
    let named = json!({"userName": "ada", IDENTITY: {"externalIdentifiers": [{"system": "ats", "field": "externalId", "value": "c9"}]}});
    let account = idp.create("/Users", named).await;
    assert_eq!(account["id"], other["id"]);
    let group = idp
        .create(
            "/Groups",
            json!({"displayName": "Engines", "members": [{"value": other["id"]}]}),
        )
        .await;
    let members = async || {
        let group = idp
            .get(&format!("/Groups/{}", group["id"].as_str().unwrap()))
            .await;
        group.ok(200)["members"][0]["value"].clone()
    };
    let before = both_of(&hris, &one, &other).await;
    let merged = join(&hris, &one, "merge", &other).await;
    let whole = merged.ok(200);
    assert_eq!(whole["id"], one["id"]);
    assert_eq!(
        whole["name"],
        json!({"familyName": "King", "givenName": "Ada"})
    );
    assert_eq!(whole["emails"].as_array().unwrap().len(), 2);
    assert_eq!(whole[CANDIDATE]["status"], "active");
    assert_eq!(whole["legalIdentifierHints"].as_array().unwrap().len(), 2);
    assert_eq!(members().await, one["id"]);
    let holder = async |number: &str| {
        let filter = json!({"filter": format!("legalIdentifiers[value eq \"{number}\"]")});
        hris.search("/Persons", filter).await.resources()[0]["id"].clone()
    };
    assert_eq!(holder("P123456").await, one["id"]);
    let asked = hris
        .get(&format!(
            "{}?attributes={PROVENANCE}:mergedFrom,{PROVENANCE}:sources",
            at(&one)
        ))
        .await;
    assert_eq!(
        asked.ok(200)[PROVENANCE]["mergedFrom"],
        json!([other["id"]])
    );
    assert!(
        asked.ok(200)[PROVENANCE]["sources"]
            .as_array()
            .unwrap()
            .len()
            >= 2
    );
    let id = other["id"].as_str().unwrap();
    let told = hris
        .find(
            "/AuditEvents",
            &format!("resourceId eq \"{id}\" and type eq \"person.merged.into\""),
        )
        .await;
    assert_eq!(told[0]["reasonCode"], "the same passport");
    join(&hris, &one, "split", &other).await.ok(200);
    assert_eq!(both_of(&hris, &one, &other).await, before);
    assert_eq!(members().await, other["id"]);
    assert_eq!(holder("P123456").await, other["id"]);
    assert_eq!(holder("078-05-1120").await, one["id"]);
    let again = join(&hris, &one, "merge", &other).await;
    assert!(again.refused(409, "").contains("two persons"));
    join(&hris, &one, "split", &other)
        .await
        .refused(400, "invalidValue");
}

/// Design §3: a GET by an alias is 308 for `rfc` and `strict`, in place for `entra` and `okta`; writes always in place.
async fn either_id_keeps_working_in_every_profile(app: &App) {
    let profiled = matching()
        .replace(
            "system: ats, roles: [people] }",
            "system: ats, roles: [people], profile: entra }",
        )
        .replace(
            "system: crm, roles: [people] }",
            "system: crm, roles: [people], profile: okta }",
        )
        .replace(
            "system: idp, roles: [people] }",
            "system: idp, roles: [people], profile: strict }",
        );
    apply(app, &profiled);
    let hris = app.client("hris").await;
    let one = hris.create("/Persons", json!({"displayName": "Ada"})).await;
    let other = app
        .client("crm")
        .await
        .create("/Persons", json!({"displayName": "A. Lovelace"}))
        .await;
    join(&hris, &one, "merge", &other).await.ok(200);
    let here = one["meta"]["location"].as_str().unwrap();
    for (name, redirects) in [
        ("hris", true),
        ("idp", true),
        ("ats", false),
        ("crm", false),
    ] {
        let client = app.client(name).await;
        let got = client.get(&at(&other)).await;
        if redirects {
            assert_eq!(
                (got.status, got.header("location")),
                (308, Some(here)),
                "{name}"
            );
        } else {
            assert_eq!(
                (got.ok(200)["id"].clone(), got.header("content-location")),
                (one["id"].clone(), Some(here)),
                "{name}"
            );
        }
        let say = json!([{"op": "replace", "path": "preferredName", "value": name}]);
        let patched = client.patch(&at(&other), say).await;
        assert_eq!(
            (&patched.ok(200)["id"], patched.header("content-location")),
            (&one["id"], Some(here)),
            "{name}"
        );
        assert_eq!(hris.get(&at(&one)).await.ok(200)["preferredName"], name);
    }
    hris.get("/Persons/00000000-0000-4000-8000-000000000000")
        .await
        .refused(404, "");
}

async fn a_write_through_an_alias_lands_on_that_aliass_source_record(app: &App) {
    apply(app, &matching());
    let (hris, ats) = (app.client("hris").await, app.client("ats").await);
    let one = ats
        .create(
            "/Persons",
            json!({"externalId": "c1", "preferredName": "Ada"}),
        )
        .await;
    let other = ats
        .create(
            "/Persons",
            json!({"externalId": "c2", "preferredName": "Augusta"}),
        )
        .await;
    join(&hris, &one, "merge", &other).await.ok(200);
    let say = |name: &str| json!([{"op": "replace", "path": "preferredName", "value": name}]);
    ats.patch(&at(&other), say("Gussie")).await.ok(200);
    assert_eq!(hris.get(&at(&one)).await.ok(200)["preferredName"], "Gussie");
    join(&hris, &one, "split", &other).await.ok(200);
    assert_eq!(hris.get(&at(&one)).await.ok(200)["preferredName"], "Ada");
    assert_eq!(
        hris.get(&at(&other)).await.ok(200)["preferredName"],
        "Gussie"
    );
    assert_eq!(ats.get(&at(&other)).await.ok(200)["externalId"], "c2");
}

/// A system that knew a person twice goes on by either name: it finds both, makes neither anew, and deletes one alone.
async fn either_name_of_one_system_finds_the_person(app: &App) {
    apply(app, &matching());
    let (hris, ats) = (app.client("hris").await, app.client("ats").await);
    let one = ats
        .create(
            "/Persons",
            json!({"externalId": "c1", "preferredName": "Ada"}),
        )
        .await;
    let other = ats
        .create(
            "/Persons",
            json!({"externalId": "c2", "legalName": "Augusta King"}),
        )
        .await;
    let third = ats.create("/Persons", json!({"externalId": "c3"})).await;
    join(&hris, &one, "merge", &other).await.ok(200);
    for name in ["c1", "c2"] {
        let found = ats
            .find("/Persons", &format!("externalId eq \"{name}\""))
            .await;
        assert_eq!(found[0]["id"], one["id"], "{name}");
        let again = json!({"externalId": name, "preferredName": "Somebody else"});
        ats.post("/Persons", again).await.refused(409, "uniqueness");
    }
    let sorted = ats.list("/Persons", &[("sortBy", "externalId")]).await;
    let ids: Vec<&Value> = sorted
        .resources()
        .iter()
        .map(|person| &person["id"])
        .collect();
    assert_eq!(ids, [&one["id"], &third["id"]]);
    assert_eq!(sorted.resources()[0]["externalId"], "c1");
    ats.delete(&at(&other)).await.ok(204);
    let left = ats.get(&at(&one)).await;
    assert_eq!(
        (
            &left.ok(200)["preferredName"],
            left.ok(200).get("legalName")
        ),
        (&json!("Ada"), None)
    );
    assert_eq!(ats.find("/Persons", "externalId eq \"c2\"").await.len(), 0);
    ats.delete(&at(&one)).await.ok(204);
    ats.get(&at(&one)).await.refused(404, "");
}

async fn a_reference_to_an_alias_is_one_to_the_person(app: &App) {
    apply(app, &matching());
    let (hris, ats, idp) = (
        app.client("hris").await,
        app.client("ats").await,
        app.client("idp").await,
    );
    let one = idp.create("/Users", json!({"userName": "ada"})).await;
    let other = ats
        .create("/Persons", json!({"displayName": "A. Lovelace"}))
        .await;
    join(&hris, &one, "merge", &other).await.ok(200);
    let group = idp
        .create(
            "/Groups",
            json!({"displayName": "Engines", "members": [{"value": other["id"]}]}),
        )
        .await;
    assert_eq!(group["members"][0]["value"], one["id"]);
    let path = format!("/Groups/{}", group["id"].as_str().unwrap());
    let remove = json!([{"op": "remove", "path": format!("members[value eq {}]", other["id"])}]);
    assert_eq!(idp.patch(&path, remove).await.ok(200).get("members"), None);
    let add = json!([{"op": "add", "path": "members", "value": [{"value": other["id"]}]}]);
    let added = idp.patch(&path, add).await;
    assert_eq!(added.ok(200)["members"][0]["value"], one["id"]);
    assert_eq!(added.header("muster-ignored"), None);
}

/// The same pair merged both ways at once while others write to both: each is answered, no word is lost.
async fn merges_at_once_lose_nothing(app: &App) {
    apply(app, &matching());
    let (hris, ats) = (app.client("hris").await, app.client("ats").await);
    for n in 0..6 {
        let one = hris
            .create("/Persons", json!({"displayName": format!("One {n}")}))
            .await;
        let other = ats
            .create("/Persons", json!({"displayName": format!("Other {n}")}))
            .await;
        let say =
            |path: &str, value: &str| json!([{"op": "replace", "path": path, "value": value}]);
        let (a, b, c, d) = tokio::join!(
            join(&hris, &one, "merge", &other),
            join(&hris, &other, "merge", &one),
            async { ats.patch(&at(&other), say("preferredName", "Ada")).await },
            async { hris.patch(&at(&one), say("legalName", "Augusta")).await },
        );
        // Whoever comes second finds that the two are one.
        let done = [a.status, b.status];
        assert!(
            done.contains(&200) && done.iter().all(|status| [200, 400].contains(status)),
            "{done:?}"
        );
        c.ok(200);
        d.ok(200);
        let alive = if a.status == 200 { &one } else { &other };
        let person = hris.get(&at(alive)).await;
        let names = (
            &person.ok(200)["preferredName"],
            &person.ok(200)["legalName"],
        );
        assert_eq!(names, (&json!("Ada"), &json!("Augusta")));
    }
}

async fn what_speaks_against_a_merge_is_told(app: &App) {
    apply(app, &matching());
    let (hris, ats, idp) = (
        app.client("hris").await,
        app.client("ats").await,
        app.client("idp").await,
    );
    let person = |n: usize| json!({"legalIdentifiers": [{"type": "ssn", "country": "US", "value": format!("078-05-112{n}")}], "displayName": "x"});
    let (one, other) = (
        hris.create("/Persons", person(1)).await,
        ats.create("/Persons", person(2)).await,
    );
    assert!(
        join(&hris, &one, "merge", &other)
            .await
            .refused(409, "")
            .contains("legal identifiers differ")
    );
    join(&hris, &one, "merge", &one)
        .await
        .refused(400, "invalidValue");
    assert!(
        join(&ats, &one, "merge", &other)
            .await
            .refused(403, "")
            .contains("Review")
    );
    let (a, b) = (
        idp.create("/Users", json!({"userName": "a"})).await,
        idp.create("/Users", json!({"userName": "b"})).await,
    );
    assert!(
        join(&hris, &a, "merge", &b)
            .await
            .refused(409, "")
            .contains("review")
    );
    let nobody = json!({"id": "00000000-0000-4000-8000-000000000000"});
    join(&hris, &one, "merge", &nobody).await.refused(404, "");
    let order = json!({"with": other["id"]});
    hris.order(&format!("{}/merge", at(&one)), order)
        .await
        .refused(400, "invalidValue");
}

async fn a_review_merges_two_accounts_and_remembers_a_rejection(app: &App) {
    apply(app, &matching());
    let (hris, ats, crm) = (
        app.client("hris").await,
        app.client("ats").await,
        app.client("crm").await,
    );
    let person = |given: &str| {
        json!({"name": {"givenName": given, "familyName": "Lovelace"}, "phoneNumbers": [{"value": "+442079460958"}],
        "emails": [{"value": "augusta.lovelace77@example.org"}]})
    };
    let known = ats.create("/Persons", person("Augusta")).await;
    let like = crm.create("/Persons", person("Byron")).await;
    let open = hris
        .find("/Reviews", "kind eq \"match\" and status eq \"open\"")
        .await;
    let review = format!("/Reviews/{}", open[0]["id"].as_str().unwrap());
    let decide = |status: &str| json!([{"op": "replace", "path": "status", "value": status}]);
    hris.patch(&review, decide("approved")).await.ok(200);
    assert_eq!(hris.get(&at(&like)).await.status, 308);
    assert_eq!(hris.get(&at(&known)).await.ok(200)["id"], known["id"]);
    // Another that is like them, and is not.
    let third = app
        .client("idp")
        .await
        .create("/Persons", person("Casimir"))
        .await;
    let open = hris
        .find("/Reviews", "kind eq \"match\" and status eq \"open\"")
        .await;
    let review = format!("/Reviews/{}", open[0]["id"].as_str().unwrap());
    hris.patch(&review, decide("rejected")).await.ok(200);
    assert!(
        join(&hris, &known, "merge", &third)
            .await
            .refused(409, "")
            .contains("two persons")
    );
}

/// By whichever of its ids.
async fn erasing_the_survivor_erases_who_was_merged_into_it(app: &App) {
    apply(app, &matching());
    let (hris, ats) = (app.client("hris").await, app.client("ats").await);
    let one = hris.create("/Persons", json!({"displayName": "Ada"})).await;
    let other = ats
        .create("/Persons", json!({"displayName": "Secretly Lovelace"}))
        .await;
    join(&hris, &one, "merge", &other).await.ok(200);
    let service = app.service().clone();
    let (tenant, person) = (
        service.clone(),
        other["id"].as_str().unwrap().parse().unwrap(),
    );
    let exporter = (
        service.clone(),
        one["id"].as_str().unwrap().parse().unwrap(),
    );
    let exported = std::thread::spawn(move || exporter.0.export_person("default", exporter.1));
    let exported = exported.join().unwrap().unwrap();
    assert!(
        exported["log"].to_string().contains("Secretly Lovelace"),
        "what was said before the merge is exported too"
    );
    let now = muster::clock::Clock::now(&*app.clock);
    std::thread::spawn(move || {
        let erasure = muster::service::Erasure {
            tenant: tenant.find_tenant("default").unwrap().unwrap(),
            person,
            actor: "dpo".into(),
            reason: None,
            at: now,
        };
        service.erase(erasure).unwrap();
    })
    .join()
    .unwrap();
    hris.get(&at(&one)).await.refused(404, "");
    hris.get(&at(&other)).await.refused(404, "");
    let id = other["id"].as_str().unwrap();
    let told = hris
        .find("/AuditEvents", &format!("resourceId eq \"{id}\""))
        .await;
    assert!(
        !told.is_empty() && !json!(told).to_string().contains("Lovelace"),
        "{told:?}"
    );
}
