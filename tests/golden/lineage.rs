//! Whence a value comes: on the record, and traced back to the messages.

use serde_json::{Value, json};

use crate::support::policy::apply;
use crate::support::{App, PROVENANCE, on_both};
use crate::survivorship::{POLICY, at};

on_both!(
    each_attribute_says_who_said_it,
    a_value_is_traced_back_to_its_messages,
    what_is_hidden_has_no_lineage
);

async fn each_attribute_says_who_said_it(app: &App) {
    apply(app, POLICY);
    let (hris, crm) = (app.client("hris").await, app.client("crm").await);
    let person = hris
        .create(
            "/Persons",
            json!({"legalName": "Augusta King", "emails": [{"value": "a@x.example"}]}),
        )
        .await;
    let path = at(&person);
    let add = json!([{"op": "add", "path": "emails", "value": [{"value": "b@x.example"}]}, {"op": "add", "path": "preferredName", "value": "Ada"}]);
    crm.patch(&path, add).await.ok(200);
    assert_eq!(hris.get(&path).await.ok(200).get(PROVENANCE), None);
    let asked = format!("{path}?attributes={PROVENANCE}:attributes");
    let told = hris.get(&asked).await;
    let told = told.ok(200)[PROVENANCE]["attributes"]
        .as_array()
        .unwrap()
        .clone();
    let of = |path: &str| {
        let found = told.iter().find(|one| one["path"] == path);
        found.unwrap_or_else(|| panic!("{path} is not in {told:?}"))
    };
    for (path, system) in [
        ("legalName", "hris"),
        ("emails[value eq \"a@x.example\"]", "hris"),
        ("emails[value eq \"b@x.example\"]", "crm"),
        ("preferredName", "crm"),
    ] {
        assert_eq!(
            (&of(path)["system"], &of(path)["actor"]),
            (&json!(system), &json!(system))
        );
        let event = of(path)["eventId"].as_str().unwrap();
        let event = hris.get(&format!("/AuditEvents/{event}")).await;
        assert_eq!(event.ok(200)["sourceSystem"], system);
    }
    assert_eq!(told.len(), 4);
    // On a list it is the same, and in one reading for all.
    let list = hris
        .get(&format!("/Persons?attributes={PROVENANCE}:attributes"))
        .await;
    assert_eq!(list.resources()[0][PROVENANCE]["attributes"], json!(told));
}

async fn a_value_is_traced_back_to_its_messages(app: &App) {
    let version = apply(app, POLICY);
    let (hris, ats) = (app.client("hris").await, app.client("ats").await);
    let person = hris
        .create(
            "/Persons",
            json!({"externalId": "w1", "legalName": "Augusta King"}),
        )
        .await;
    let path = at(&person);
    let patch = json!([{"op": "replace", "path": "legalName", "value": "Ada Lovelace"}]);
    ats.patch(&path, patch).await.ok(200);
    let traced = hris.get(&format!("{path}/lineage?path=legalName")).await;
    let lineage = traced.ok(200);
    assert_eq!(lineage["policyVersion"], version);
    let legal = &lineage["attributes"][0];
    assert_eq!(
        (&legal["path"], &legal["rule"]),
        (&json!("legalName"), &json!("master hris"))
    );
    assert_eq!(legal["value"], "Augusta King");
    let claim = |system: &str| {
        let mut claims = legal["claims"].as_array().unwrap().iter();
        claims.find(|claim| claim["system"] == system).unwrap()
    };
    assert_eq!(claim("hris")["stands"], true);
    assert_eq!(claim("hris")["externalId"], "w1");
    assert_eq!(claim("ats")["suggested"], true);
    assert_eq!(claim("ats")["value"], "Ada Lovelace");
    assert_eq!(claim("ats")["actor"], "ats");
    // Then it is elevated: who, why and when is told with the claim, and what it took the place of in the history.
    let order = json!({"path": "legalName", "system": "ats", "reason": "deed poll"});
    hris.order(&format!("{path}/elevate"), order).await.ok(200);
    let traced = hris.get(&format!("{path}/lineage?path=legalName")).await;
    let legal = &traced.ok(200)["attributes"][0];
    let claims = legal["claims"].as_array().unwrap();
    let ats_claim = claims
        .iter()
        .find(|claim| claim["system"] == "ats")
        .unwrap();
    assert_eq!(ats_claim["elevated"]["reasonCode"], "deed poll");
    assert_eq!(ats_claim["elevated"]["actor"], "hris");
    let history = legal["history"].as_array().unwrap();
    let types: Vec<&Value> = history.iter().map(|event| &event["type"]).collect();
    assert_eq!(
        types,
        ["person.created", "person.conflicted", "person.elevated"]
    );
    assert_eq!(history[2]["previous"], "Augusta King");
    // As PROV-JSON: the value was derived from the claim that stands, which an event brought, which a client did.
    let headers = [("Accept", "application/prov+json")];
    let url = format!("{path}/lineage?path=legalName");
    let prov = hris
        .try_send(reqwest::Method::GET, &url, &headers, None)
        .await
        .unwrap();
    assert_eq!(prov.header("content-type"), Some("application/prov+json"));
    let prov = &prov.body;
    let derived = prov["wasDerivedFrom"]
        .as_object()
        .unwrap()
        .values()
        .next()
        .unwrap();
    let claim = derived["prov:usedEntity"].as_str().unwrap();
    assert_eq!(prov["entity"][claim]["prov:value"], "Ada Lovelace");
    let mut generated = prov["wasGeneratedBy"].as_object().unwrap().values();
    let activity = generated.find(|link| link["prov:entity"] == claim).unwrap();
    let activity = activity["prov:activity"].as_str().unwrap();
    assert_eq!(prov["activity"][activity]["prov:type"], "person.conflicted");
    let mut by = prov["wasAssociatedWith"].as_object().unwrap().values();
    let agent = by.find(|link| link["prov:activity"] == activity).unwrap();
    assert_eq!(agent["prov:agent"], "muster:client/ats");
    hris.get(&format!("{path}/lineage?path=legalNme"))
        .await
        .refused(400, "invalidPath");
    hris.get("/Persons/00000000-0000-4000-8000-000000000000/lineage")
        .await
        .refused(404, "");
}

async fn what_is_hidden_has_no_lineage(app: &App) {
    let masking = "masking:\n  - { attributes: [birthDate, \"emails[type eq \\\"home\\\"]\"], openTo: [payroll], otherwise: omit }\n";
    let opened = POLICY.replace(
        "roles: [people, steward] }",
        "roles: [people, steward], purposes: [payroll] }",
    );
    apply(app, &format!("{opened}{masking}"));
    let (hris, crm) = (app.client("hris").await, app.client("crm").await);
    let person = hris
        .create(
            "/Persons",
            json!({"displayName": "Ada", "birthDate": "1815-12-10", "emails": [{"value": "a@x.example", "type": "home"}, {"value": "w@x.example", "type": "work"}],
                "legalIdentifiers": [{"type": "ssn", "country": "US", "value": "078-05-1120"}]}),
        )
        .await;
    let path = at(&person);
    let seen = crm.get(&format!("{path}/lineage")).await;
    let told = seen.ok(200).to_string();
    assert!(
        told.contains("w@x.example") && told.contains("Ada"),
        "{told}"
    );
    for hidden in ["1815", "birthDate", "a@x.example", "078", "home"] {
        assert!(!told.contains(hidden), "{hidden} in {told}");
    }
    let asked = format!("{path}?attributes={PROVENANCE}:attributes");
    let told = crm.get(&asked).await.ok(200).to_string();
    assert!(
        !told.contains("birthDate") && !told.contains("a@x.example"),
        "{told}"
    );
    // Who may see it is seen to have looked.
    let open = hris.get(&format!("{path}/lineage?path=birthDate")).await;
    assert_eq!(open.ok(200)["attributes"][0]["value"], "1815-12-10");
    let reads = hris
        .find(
            "/AuditEvents",
            "type eq \"person.read\" and attributes eq \"birthDate\"",
        )
        .await;
    assert!(!reads.is_empty());
    assert!(
        !hris
            .get(&format!("{path}/lineage"))
            .await
            .ok(200)
            .to_string()
            .contains("078")
    );
}
