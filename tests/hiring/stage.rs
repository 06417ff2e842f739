//! What every story begins with: systems, a requisition, somebody who applies.

use serde_json::{Value, json};

use crate::support::policy::apply;
use crate::support::{App, CANDIDATE, Client};

/// Who is master of what in these stories.
pub(crate) const POLICY: &str = r#"version: 1
externalIds:
  allowList:
    - { system: greenhouse, fields: [candidate_id, application_id, job_id] }
    - { system: lever, fields: [candidate_id, opportunity_id, posting_id] }
    - { system: workday, fields: [candidate_id, requisition_id, submission_id] }
externalIdsAlso:
  - { system: workday, fields: [worker_id], approvedBy: HR }
systems:
  - { name: hris, kind: hris, owner: HR, verifiesEmail: true }
  - { name: ats, kind: ats, owner: Recruiting }
  - { name: crm, kind: crm, owner: Sales }
  - { name: idp, kind: idp, owner: IT, verifiesEmail: true }
authority:
  - { domain: employment, master: hris, covers: [Employment, Person.legalName], others: suggest }
  - { domain: candidacy, master: ats, covers: [Application, Requisition, Offer], others: suggest }
HIRING
roles:
  all: [{ types: [User, Person, Group, AuditEvent, Organization, Requisition, Application, Verification, Interview, Assessment, Offer, Opportunity, Employment], rights: [read, search, write, delete] }]
  steward: [{ types: [Review], rights: [read, search, write] }]
clients:
  - { name: hris, issuer: "ISSUER", match: { claim: azp, equals: hris }, tenant: default, system: hris, roles: [all, steward] }
  - { name: ats, issuer: "ISSUER", match: { claim: azp, equals: ats }, tenant: default, system: ats, roles: [all] }
  - { name: crm, issuer: "ISSUER", match: { claim: azp, equals: crm }, tenant: default, system: crm, roles: [all] }
  - { name: idp, issuer: "ISSUER", match: { claim: azp, equals: idp }, tenant: default, system: idp, roles: [all] }
"#;

/// That policy, with what it says of hiring.
pub(crate) fn policy(hiring: &str) -> String {
    let row = if hiring.is_empty() {
        String::new()
    } else {
        format!("hiring: {{ {hiring} }}")
    };
    POLICY.replace("HIRING", &row)
}

/// The policy in force, and the systems.
pub(crate) async fn set(app: &App, hiring: &str) -> (Client, Client) {
    apply(app, &policy(hiring));
    (app.client("ats").await, app.client("hris").await)
}

/// The same systems some days later.
pub(crate) async fn after(app: &App, days: i64) -> (Client, Client) {
    app.clock.advance(chrono::TimeDelta::days(days));
    app.forget_tokens();
    (app.client("ats").await, app.client("hris").await)
}

pub(crate) fn id(resource: &Value) -> &str {
    resource["id"].as_str().unwrap()
}

pub(crate) fn to(resource: &Value) -> Value {
    json!({ "value": id(resource) })
}

/// `/Applications/…`.
pub(crate) fn at(endpoint: &str, resource: &Value) -> String {
    format!("{endpoint}/{}", id(resource))
}

pub(crate) fn called(system: &str, field: &str, value: &str) -> Value {
    json!([{ "system": system, "field": field, "value": value }])
}

/// Sets one attribute.
#[expect(
    clippy::needless_pass_by_value,
    reason = "a value is written where it is used"
)]
pub(crate) fn replace(path: &str, value: Value) -> Value {
    json!([{ "op": "replace", "path": path, "value": value }])
}

pub(crate) async fn requisition(ats: &Client, tier: i64) -> Value {
    let body = json!({
        "jobId": "REQ-10291", "title": "Harbor pilot", "status": "Active", "requiredVerificationTier": tier,
        "externalIdentifiers": called("greenhouse", "job_id", "j-1"),
    });
    ats.create("/Requisitions", body).await
}

pub(crate) async fn candidate(ats: &Client, name: &str) -> Value {
    let body = json!({
        "externalId": format!("c-{name}"), "name": {"givenName": name, "familyName": "Okafor"}, "displayName": name,
        "emails": [{"value": format!("{name}@home.example"), "type": "home"}],
        "externalIdentifiers": called("greenhouse", "candidate_id", &format!("gc-{name}")),
        CANDIDATE: {"status": "active", "sourceName": "referral"},
    });
    ats.create("/Persons", body).await
}

pub(crate) fn applying(candidate: &Value, requisition: &Value, name: &str) -> Value {
    json!({
        "candidate": to(candidate), "requisition": to(requisition), "status": "sourced", "source": "referral",
        "externalIdentifiers": called("greenhouse", "application_id", name),
    })
}

/// A requisition that requires tier 2, somebody, and the application of the one to the other.
pub(crate) async fn applied(ats: &Client) -> (Value, Value, Value) {
    let (job, person) = (requisition(ats, 2).await, candidate(ats, "ines").await);
    let application = ats
        .create("/Applications", applying(&person, &job, "ga-1"))
        .await;
    (job, person, application)
}

pub(crate) fn verified(application: &Value, tier: i64, decision: &str) -> Value {
    json!({
        "application": to(application), "occurredAt": "2031-02-20T09:00:00Z", "tierRequired": 2, "tierSatisfied": tier,
        "decision": decision, "evidencePackRef": "https://evidence.example/packs/77", "vendor": "integrity",
        "reasonCodes": ["document.match"],
    })
}

/// The events of a type.
pub(crate) fn events(app: &App, kind: &str) -> Vec<Value> {
    let all = app.service().events(0, 10_000).unwrap().into_iter();
    all.map(|(_, event)| event)
        .filter(|event| event["type"] == kind)
        .collect()
}

/// What the sweep of each minute does, if that has not come first; how many were due.
pub(crate) fn turn(app: &App) -> usize {
    let (service, now) = (
        app.service().clone(),
        muster::clock::Clock::now(&*app.clock),
    );
    std::thread::spawn(move || service.turn_employments(muster::id::TenantId(1), now))
        .join()
        .unwrap()
        .unwrap()
}
