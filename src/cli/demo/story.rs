//! What is played: a requisition, three candidates, one of them twice, verification with an appeal, interview, assessment, offer,
//! the HR system's answer, the account, the first day, a leave and a re-hire; then what happened, and the evidence of it.

use std::time::Duration;

use chrono::{DateTime, Days, NaiveDate, Utc};
use reqwest::Method;
use serde_json::{Value, json};

use super::stage::{Stage, id, say, to};
use crate::cli::Failure;

const CANDIDATE: &str = "urn:muster:scim:schemas:extension:1.0:Candidate";
const EMPLOYEE: &str = "urn:muster:scim:schemas:extension:1.0:Employee";
const CUSTOMER: &str = "urn:muster:scim:schemas:extension:1.0:Customer";
const IDENTITY: &str = "urn:muster:scim:schemas:extension:1.0:Identity";

/// Who applies, and the application, made when the server says.
struct Hopeful {
    now: DateTime<Utc>,
    person: Value,
    application: Value,
}

/// Plays it.
pub(super) async fn play(stage: &mut Stage) -> Result<(), Failure> {
    let correlation = format!("demo-{}", stage.run);
    say(&format!(
        "From candidate to employee, on {} (X-Correlation-Id: {correlation})\n",
        stage.scim()
    ))?;
    let hopeful = applies(stage).await?;
    // The server's day, which need not be ours.
    let today = hopeful.now.date_naive();
    is_looked_at(stage, &hopeful).await?;
    let after = stage.get("hris", "/Events?after=0&count=1000").await?;
    let from = newest(stage, after).await?;
    let offer = accepts(stage, &hopeful, today).await?;
    let person = is_picked_up(stage, from, &offer).await?;
    works(stage, &person, &offer, today).await?;
    is_told(stage, &hopeful).await
}

fn day(today: NaiveDate, later: u64) -> String {
    today
        .checked_add_days(Days::new(later))
        .unwrap_or(today)
        .to_string()
}

/// Sourcing: the ATS tells of a requisition and three candidates, the CRM of what it knows, and one is there twice.
async fn applies(stage: &mut Stage) -> Result<Hopeful, Failure> {
    let run = stage.run.clone();
    let job = json!({
        "jobId": format!("REQ-{run}"), "title": "Harbor pilot", "status": "Active", "requiredVerificationTier": 2, "openings": 1,
    });
    let job = stage.make("ats", "/Requisitions", job).await?;
    stage.step(&format!(
        "ats opens the requisition {}: Harbor pilot, verification tier 2",
        job["jobId"]
    ))?;
    let mut hopefuls = Vec::new();
    for (given, family) in [
        ("Ines", "Okafor"),
        ("Tomas", "Lindqvist"),
        ("Amara", "Diallo"),
    ] {
        let body = json!({
            "externalId": format!("c-{given}-{run}"), "name": {"givenName": given, "familyName": family},
            "displayName": format!("{given} {family}"),
            "emails": [{"value": format!("{given}.{run}@home.example").to_lowercase(), "type": "home"}],
            "externalIdentifiers": [{"system": "greenhouse", "field": "candidate_id", "value": format!("gc-{given}-{run}")}],
            CANDIDATE: {"status": "active", "sourceName": "referral"},
        });
        let person = stage.make("ats", "/Persons", body).await?;
        let body = json!({
            "candidate": to(&person), "requisition": to(&job), "status": "sourced", "source": "referral",
            "externalIdentifiers": [{"system": "greenhouse", "field": "application_id", "value": format!("ga-{given}-{run}")}],
        });
        let application = stage.make("ats", "/Applications", body).await?;
        stage.step(&format!(
            "ats sends {given} {family}: person {}, application {}",
            id(&person),
            id(&application)
        ))?;
        let created = application["meta"]["created"].as_str().unwrap_or_default();
        let now = DateTime::parse_from_rfc3339(created).unwrap_or_default();
        hopefuls.push(Hopeful {
            now: now.to_utc(),
            person,
            application,
        });
    }
    let hopeful = hopefuls.swap_remove(0);
    is_known(stage, &hopeful.person).await?;
    Ok(hopeful)
}

/// The CRM knows her too, and told of her twice.
async fn is_known(stage: &mut Stage, person: &Value) -> Result<(), Failure> {
    let run = stage.run.clone();
    let path = format!("/Persons/{}", id(person));
    stage
        .set(
            "crm",
            &path,
            &[(&format!("{CUSTOMER}:status"), json!("former"))],
        )
        .await?;
    stage.step("crm adds what it knows of Ines: a former customer. Nothing that the ATS said is overwritten")?;
    let twin = json!({
        "externalId": format!("crm-{run}"), "name": {"givenName": "Inez", "familyName": "Okafor"}, "displayName": "Inez Okafor",
    });
    let twin = stage.make("crm", "/Persons", twin).await?;
    let order =
        json!({ "with": id(&twin), "reason": "the same human, seen by the demo's steward" });
    stage
        .call("admin", Method::POST, &format!("{path}/merge"), Some(order))
        .await?;
    stage.step(&format!(
        "crm told of her twice: a human merges {} into her; both ids keep working",
        id(&twin)
    ))?;
    Ok(())
}

/// Verification, interview, assessment.
async fn is_looked_at(stage: &mut Stage, hopeful: &Hopeful) -> Result<(), Failure> {
    let of = to(&hopeful.application);
    let path = format!("/Applications/{}", id(&hopeful.application));
    let now = |seconds: i64| {
        let at = hopeful.now - chrono::TimeDelta::seconds(seconds);
        at.to_rfc3339_opts(chrono::SecondsFormat::Secs, true)
    };
    let verdict = |decision: &str, tier: i64, at: String| {
        json!({
            "application": of, "occurredAt": at, "tierRequired": 2, "tierSatisfied": tier, "decision": decision,
            "evidencePackRef": "https://evidence.example/packs/77", "vendor": "integrity", "actorType": "system",
        })
    };
    let failed = stage
        .make("ats", "/Verifications", verdict("fail", 0, now(30)))
        .await?;
    let mut appeal = verdict("pass", 2, now(20));
    appeal["appealOf"] = to(&failed);
    appeal["actorType"] = json!("human");
    stage.make("ats", "/Verifications", appeal).await?;
    let known = stage.get("ats", &path).await?;
    stage.step(&format!(
        "verification fails, is appealed and passed by a human: tier {} is satisfied, and counts for her next application too",
        known["satisfiedVerificationTier"]
    ))?;
    stage
        .set("ats", &path, &[("status", json!("interviewing"))])
        .await?;
    let body =
        json!({"application": of, "startedAt": now(10), "endedAt": now(5), "status": "completed"});
    let interview = stage.make("ats", "/Interviews", body).await?;
    stage.step(&format!(
        "the interview: before the verification? {}",
        interview["beforeVerification"]
    ))?;
    let body = json!({
        "application": of, "occurredAt": now(2), "vendor": "codetest", "attemptId": format!("a-{}", stage.run),
        "result": "pass", "score": 91, "scoreMax": 100,
    });
    stage.make("ats", "/Assessments", body).await?;
    stage
        .set("ats", &path, &[("status", json!("offered"))])
        .await?;
    stage.step("the assessment is passed: 91 of 100. The application is at 'offered'")
}

/// Where the feed ends now.
async fn newest(stage: &mut Stage, mut feed: Value) -> Result<String, Failure> {
    loop {
        let next = text_of(&feed["next"]);
        if feed["events"].as_array().is_none_or(Vec::is_empty) {
            return Ok(next);
        }
        feed = stage
            .get("hris", &format!("/Events?after={next}&count=1000"))
            .await?;
    }
}

/// Where to go on, which is a number or a text.
fn text_of(next: &Value) -> String {
    next.as_str()
        .map_or_else(|| next.to_string(), str::to_owned)
}

async fn accepts(stage: &mut Stage, hopeful: &Hopeful, today: NaiveDate) -> Result<Value, Failure> {
    let terms = json!({
        "salary": 61000, "salaryCurrency": "EUR", "salaryInterval": "year", "startDate": day(today, 30), "title": "Harbor pilot",
    });
    let body = json!({"application": to(&hopeful.application), "status": "sent", "terms": terms});
    let offer = stage.make("ats", "/Offers", body).await?;
    let path = format!("/Offers/{}", id(&offer));
    let offer = stage
        .set("ats", &path, &[("status", json!("accepted"))])
        .await?;
    stage.step(&format!(
        "the offer is sent and accepted at {}: that is final",
        offer["acceptanceTimestamp"]
    ))?;
    Ok(offer)
}

/// The HR system waits at the feed for the intent; the person.
async fn is_picked_up(
    stage: &mut Stage,
    mut from: String,
    offer: &Value,
) -> Result<Value, Failure> {
    for _ in 0..30 {
        let feed = stage
            .get("hris", &format!("/Events?after={from}&wait=5"))
            .await?;
        from = text_of(&feed["next"]);
        let events = feed["events"].as_array().into_iter().flatten();
        let mut intents = events.filter(|event| event["type"] == "CandidateToEmployee");
        if let Some(intent) = intents.find(|event| event["resourceId"] == offer["id"]) {
            stage.step(&format!(
                "hris picks up the intent CandidateToEmployee from GET /Events: correlation id {} is the person",
                intent["correlationId"]
            ))?;
            return Ok(json!({ "id": intent["personId"] }));
        }
    }
    Err(Failure::run("the intent does not come in the feed"))
}

/// Employment, account, first day.
async fn works(
    stage: &mut Stage,
    person: &Value,
    offer: &Value,
    today: NaiveDate,
) -> Result<(), Failure> {
    let run = stage.run.clone();
    let body = json!({
        "person": to(person), "offer": to(offer), "hireDate": day(today, 30), "jobTitle": "Harbor pilot", "department": "Harbors",
        "employeeNumber": format!("E-{run}"),
        "externalIdentifiers": [{"system": "workday", "field": "worker_id", "value": format!("W-{run}")}],
    });
    let employment = stage.make("hris", "/Employments", body).await?;
    let at = format!("/Employments/{}", id(&employment));
    stage.step(&format!(
        "hris answers with an employment: {}. Nobody typed her name again; IT, payroll and benefits are told",
        employment["status"]
    ))?;
    role(stage, person).await?;
    let account = json!({
        "userName": format!("ines.{run}"), "active": false,
        IDENTITY: {"externalIdentifiers": [{"system": "greenhouse", "field": "candidate_id", "value": format!("gc-Ines-{run}")}]},
    });
    let account = stage.make("idp", "/Users", account).await?;
    stage.step(&format!(
        "idp opens the account {} on the same record {}",
        account["userName"],
        id(&account)
    ))?;
    stage
        .set(
            "hris",
            &at,
            &[
                ("startDate", json!(day(today, 0))),
                ("hireDate", json!(day(today, 0))),
            ],
        )
        .await?;
    stage
        .set(
            "idp",
            &format!("/Users/{}", id(&account)),
            &[("active", json!(true))],
        )
        .await?;
    goes_on(stage, person, &at, today).await
}

/// First day, leave, end, and again.
async fn goes_on(
    stage: &mut Stage,
    person: &Value,
    at: &str,
    today: NaiveDate,
) -> Result<(), Failure> {
    stage.step("the first day comes early: hris moves it to today (a day that comes by itself is seen to by the server), idp enables the account")?;
    role(stage, person).await?;
    let leave = [
        ("status", json!("Inactive")),
        ("statusReason", json!("Leave")),
    ];
    stage.set("hris", at, &leave).await?;
    stage.step("a leave")?;
    role(stage, person).await?;
    let gone = [
        ("status", json!("Terminated")),
        ("statusReason", json!("Resignation")),
    ];
    stage.set("hris", at, &gone).await?;
    stage.step("she resigns")?;
    role(stage, person).await?;
    let body =
        json!({"person": to(person), "hireDate": day(today, 0), "jobTitle": "Chief harbor pilot"});
    stage.make("hris", "/Employments", body).await?;
    stage.step("and is hired again: the same person, another employment")?;
    role(stage, person).await
}

/// What the person's employee role says.
async fn role(stage: &mut Stage, person: &Value) -> Result<(), Failure> {
    let known = stage
        .get("hris", &format!("/Persons/{}", id(person)))
        .await?;
    let role = &known[EMPLOYEE];
    let text = |name: &str| role[name].as_str().unwrap_or("-").to_owned();
    let candidate = known[CANDIDATE]["status"].as_str().unwrap_or("-");
    say(&format!(
        "      employee {} ({}), {}, hired {}, first {}; candidate {candidate}",
        text("status"),
        text("statusReason"),
        text("jobTitle"),
        text("hireDate"),
        text("originalHireDate")
    ))
}

/// What happened, and the evidence.
async fn is_told(stage: &mut Stage, hopeful: &Hopeful) -> Result<(), Failure> {
    let path = format!("/Applications/{}", id(&hopeful.application));
    let timeline = stage.get("admin", &format!("{path}/timeline")).await?;
    say(&format!(
        "\nWhat happened to application {}:",
        id(&hopeful.application)
    ))?;
    for event in timeline["events"].as_array().into_iter().flatten() {
        let text = |name: &str| event[name].as_str().unwrap_or_default();
        let at = text("at").get(11..19).unwrap_or_default();
        say(&format!("  {at}  {:<9} {}", text("actor"), text("what")))?;
    }
    let pack = sealed(stage, &format!("{path}/evidence-pack")).await?;
    let count = |name: &str| pack[name].as_array().map_or(0, Vec::len);
    say(&format!(
        "\nIts evidence pack: identity checks {}, {} verifications ({} appeal), {} interview, {} assessment, {} offer, {} employment,\n\
         {} events under the log's signed head of size {}",
        pack["identityChecks"]["outcome"],
        count("verifications"),
        count("appeals"),
        count("interviews"),
        count("assessments"),
        count("offers"),
        count("employments"),
        count("timeline"),
        pack["log"]["size"]
    ))?;
    let url = format!("{}{path}/evidence-pack?format=html", stage.scim());
    say(&format!("  to print: {url}"))
}

/// The pack, once the signed head of the log has come to its last event: heads are signed each second.
async fn sealed(stage: &mut Stage, path: &str) -> Result<Value, Failure> {
    let mut pack = stage.get("admin", path).await?;
    for _ in 0..20 {
        let last = pack["timeline"].as_array().and_then(|lines| lines.last());
        if last.is_some_and(|line| line.get("proof").is_some()) {
            break;
        }
        actix_web::rt::time::sleep(Duration::from_millis(250)).await;
        pack = stage.get("admin", path).await?;
    }
    Ok(pack)
}
