//! `where:` bounds the resources that a role reaches, on every channel and in every total.

use serde_json::{Value, json};

use crate::masking::without_meta;
use crate::rules::{POLICY, apply};
use crate::support::{App, CANDIDATE, CUSTOMER, on_both};

on_both!(
    a_crm_never_lists_the_candidates,
    a_bounded_role_writes_only_within_its_bound,
    who_is_out_of_reach_is_in_nobodys_way,
    a_value_of_two_is_anothers_when_its_holder_is_gone,
    a_master_alone_writes_what_is_its_own
);

async fn a_crm_never_lists_the_candidates(app: &App) {
    apply(app, POLICY);
    let (hris, crm) = (app.client("hris").await, app.client("crm").await);
    let customer = hris
        .create(
            "/Persons",
            json!({"displayName": "Bo", CUSTOMER: {"status": "customer"}}),
        )
        .await;
    let candidate = hris
        .create(
            "/Persons",
            json!({"displayName": "Ada", CANDIDATE: {"status": "active"}}),
        )
        .await;
    let at = |person: &Value| format!("/Persons/{}", person["id"].as_str().unwrap());
    crm.get(&at(&customer)).await.ok(200);
    crm.get(&at(&candidate)).await.refused(404, "");
    let all = crm.get("/Persons").await;
    assert_eq!(all.ok(200)["totalResults"], 1);
    assert_eq!(all.resources()[0]["displayName"], "Bo");
    assert_eq!(crm.get("/Persons?count=0").await.ok(200)["totalResults"], 1);
    for filter in [
        "displayName eq \"Ada\"",
        "displayName pr and not (displayName eq \"Bo\")",
    ] {
        assert_eq!(crm.find("/Persons", filter).await.len(), 0, "{filter}");
        let found = crm.search("", json!({"filter": filter})).await;
        assert_eq!(found.ok(200)["totalResults"], 0, "{filter}");
    }
    let id = candidate["id"].as_str().unwrap();
    assert_eq!(
        crm.find("/Persons", &format!("id eq \"{id}\"")).await.len(),
        0
    );
    let page = crm.get("/Persons?cursor&count=1&sortBy=displayName").await;
    assert_eq!(page.resources().len(), 1);
    assert_eq!(page.ok(200).get("nextCursor"), None);
    assert_eq!(crm.search("", json!({})).await.ok(200)["totalResults"], 1);
    // What it does not reach it does not change, as if it were not there.
    let operation = json!([{"op": "add", "path": "displayName", "value": "Eve"}]);
    crm.patch(&at(&candidate), operation).await.refused(404, "");
    crm.put(&at(&candidate), json!({"displayName": "Eve"}))
        .await
        .refused(404, "");
    crm.get("/Users").await.refused(403, "");
}

async fn a_bounded_role_writes_only_within_its_bound(app: &App) {
    apply(app, POLICY);
    let crm = app.client("crm").await;
    crm.post("/Persons", json!({"displayName": "Ada"}))
        .await
        .refused(403, "");
    let made = crm
        .create(
            "/Persons",
            json!({"displayName": "Bo", CUSTOMER: {"status": "lead"}}),
        )
        .await;
    let path = format!("/Persons/{}", made["id"].as_str().unwrap());
    crm.patch(
        &path,
        json!([{"op": "replace", "path": "displayName", "value": "Bob"}]),
    )
    .await
    .ok(200);
    crm.patch(
        &path,
        json!([{"op": "remove", "path": format!("{CUSTOMER}:status")}]),
    )
    .await
    .refused(403, "");
    assert_eq!(crm.get(&path).await.ok(200)[CUSTOMER]["status"], "lead");
}

fn named(value: &str) -> Value {
    json!([{"system": "greenhouse", "field": "candidate_id", "value": value}])
}

/// Ada, whom the CRM does not reach, and a customer of the CRM who has one of two identifiers.
async fn ada_and_a_customer(app: &App, value: &str) -> (Value, Value) {
    apply(
        app,
        &POLICY.replace("GroupMembership]", "GroupMembership, Review]"),
    );
    let (hris, crm) = (app.client("hris").await, app.client("crm").await);
    let ada = json!({"displayName": "Ada", "externalIdentifiers": named("7"), CANDIDATE: {"status": "active"}});
    let ada = hris.create("/Persons", ada).await;
    let bo = json!({"displayName": "Bo", "externalIdentifiers": named(value), CUSTOMER: {"status": "lead"}});
    let bo = crm.post("/Persons", bo).await;
    assert_eq!(bo.status, 201, "{:?}", bo.body);
    (ada, bo.body)
}

/// An answer without what is another for each resource.
fn plain(answer: &Value, id: &str) -> String {
    let mut resource = without_meta(answer);
    resource.as_object_mut().unwrap().remove("id");
    resource.to_string().replace(id, "ID")
}

/// Of two guesses, one right and one wrong, the answers to all that is asked of whoever has it are the same.
async fn who_is_out_of_reach_is_in_nobodys_way(app: &App) {
    let (ada, _) = ada_and_a_customer(app, "1").await;
    let (hris, crm) = (app.client("hris").await, app.client("crm").await);
    let mut told = Vec::new();
    for guess in ["7", "8"] {
        let person = |name: &str, value: &str| json!({"displayName": name, "externalIdentifiers": named(value), CUSTOMER: {"status": "lead"}});
        let mut answers = Vec::new();
        let eve = crm.post("/Persons", person("Eve", guess)).await;
        assert_eq!(eve.status, 201, "{:?}", eve.body);
        let id = eve.body["id"].as_str().unwrap().to_owned();
        let path = format!("/Persons/{id}");
        answers.push(plain(&eve.body, &id));
        answers.push(plain(crm.get(&path).await.ok(200), &id));
        let filter = format!("externalIdentifiers[value eq \"{guess}\"]");
        answers.push(crm.find("/Persons", &filter).await.len().to_string());
        // Its own it may not give to two.
        let twice = crm.post("/Persons", person("Eve", guess)).await;
        twice.refused(409, "uniqueness");
        answers.push(twice.body.to_string());
        let patch =
            |op: &str| json!([{"op": op, "path": "externalIdentifiers", "value": named(guess)}]);
        for op in ["remove", "add", "replace"] {
            let answer = crm.patch(&path, patch(op)).await;
            answers.push(plain(answer.ok(200), &id));
        }
        let put = crm.put(&path, person("Eva", guess)).await;
        answers.push(plain(put.ok(200), &id));
        let by_name = format!("greenhouse:candidate_id:{guess}");
        let lineage = crm
            .get(&format!("{path}/lineage?path=externalIdentifiers"))
            .await;
        answers.push(format!("{by_name} {}", lineage.status));
        told.push(answers.join("\n").replace(guess, "GUESS"));
        let is_withheld = |event: &Value| event.get("withheld").is_some();
        assert_eq!(app.events_of(&id).iter().any(is_withheld), guess == "7");
        // To whom reaches both the name is Ada's, as ever.
        let known = json!({"displayName": "Ada", "externalIdentifiers": named("7")});
        let refused = hris.post("/Persons", known).await;
        refused.refused(409, "uniqueness");
        assert_eq!(
            hris.get(&format!("/Persons/{}", ada["id"].as_str().unwrap()))
                .await
                .ok(200)["externalIdentifiers"],
            ada["externalIdentifiers"]
        );
        let operation = json!([{"op": "remove", "path": "externalIdentifiers"}]);
        crm.patch(&path, operation).await.ok(200);
    }
    assert_eq!(told[0], told[1]);
}

/// Who stands beside the holder of a value holds it as soon as that one is gone, merged into it or split off again.
async fn a_value_of_two_is_anothers_when_its_holder_is_gone(app: &App) {
    let (ada, bo) = ada_and_a_customer(app, "7").await;
    let hris = app.client("hris").await;
    let at = |person: &Value| format!("/Persons/{}", person["id"].as_str().unwrap());
    let held = async |value: &str, whose: &Value| {
        let rows = format!(
            "SELECT r.document AS t FROM unique_value u JOIN resource r ON r.id = u.resource WHERE u.value LIKE '%candidate_id%{value}'"
        );
        let documents = app.database.connect().texts(&rows);
        assert_eq!(documents.len(), 1, "{documents:?}");
        let name = whose["displayName"].as_str().unwrap();
        assert!(documents[0].contains(name), "{documents:?}");
    };
    held("7", &ada).await;
    let beside = || {
        app.database
            .connect()
            .number("SELECT count(*) AS n FROM unique_beside")
    };
    assert_eq!(beside(), 1);
    let join = json!({"with": ada["id"], "reason": "one"});
    hris.order(&format!("{}/merge", at(&bo)), join)
        .await
        .ok(200);
    held("7", &bo).await;
    assert_eq!(beside(), 0);
    let split = json!({"id": ada["id"], "reason": "two"});
    hris.order(&format!("{}/split", at(&bo)), split)
        .await
        .ok(200);
    for (person, name) in [(&ada, "Ada"), (&bo, "Bo")] {
        let found = hris.get(&at(person)).await;
        assert_eq!(found.ok(200)["externalIdentifiers"], named("7"), "{name}");
    }
    assert_eq!(beside(), 1);
    // Whichever of them holds it: when that one has it no more, the sweep gives it to the other.
    let holder = app.database.connect().texts("SELECT r.document AS t FROM unique_beside b JOIN unique_value u ON u.path = b.path AND u.value = b.value JOIN resource r ON r.id = u.resource");
    let (gone, left, speaker) = if holder[0].contains("Ada") {
        (&ada, &bo, hris)
    } else {
        (&bo, &ada, app.client("crm").await)
    };
    let operation = json!([{"op": "remove", "path": "externalIdentifiers"}]);
    speaker.patch(&at(gone), operation).await.ok(200);
    let service = app.service().clone();
    let sweep = move || service.promote(muster::id::TenantId(1));
    assert_eq!(std::thread::spawn(sweep).join().unwrap().unwrap(), 1);
    held("7", left).await;
    assert_eq!(beside(), 0);
}

async fn a_master_alone_writes_what_is_its_own(app: &App) {
    let authority = "\nauthority:\n  - { domain: names, master: hris, covers: [Person.legalName, \"Person:Employee\"], others: suggest }\nroles:\n";
    apply(
        app,
        &POLICY
            .replace("\nroles:\n", authority)
            .replace("needsConsent: Hiring, ", "")
            .replace(
                "[employment, recruiting], otherwise: omit",
                "[employment, recruiting, any], otherwise: omit",
            ),
    );
    let (hris, ats) = (app.client("hris").await, app.client("ats").await);
    let made = hris
        .create(
            "/Persons",
            json!({"displayName": "Ada", "legalName": "Augusta Ada King"}),
        )
        .await;
    let path = format!("/Persons/{}", made["id"].as_str().unwrap());
    // What another says of it is kept, and does not stand.
    let suggested = ats
        .patch(
            &path,
            json!([{"op": "replace", "path": "legalName", "value": "Ada Lovelace"}]),
        )
        .await;
    assert_eq!(suggested.ok(200)["legalName"], "Augusta Ada King");
    assert_eq!(suggested.headers["muster-suggested"], "legalName");
    // Its PUT of all that it read is fine; so is one of something else, which again stands for nothing.
    let mut read = ats.get(&path).await.ok(200).clone();
    assert_eq!(read["legalName"], "Augusta Ada King");
    read["displayName"] = "Ada K.".into();
    ats.put(&path, read.clone()).await.ok(200);
    read["legalName"] = "Ada Lovelace".into();
    let put = ats.put(&path, read).await;
    assert_eq!(put.ok(200)["legalName"], "Augusta Ada King");
    assert_eq!(put.ok(200)["displayName"], "Ada K.");
}
