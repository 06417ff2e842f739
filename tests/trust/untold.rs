//! Who may write what is hidden from it reads no answer to its guesses in the log: neither in events, nor in anything that counts
//! them.

use serde_json::{Value, json};

use crate::rules::{POLICY, apply};
use crate::support::{App, Client, on_both};

on_both!(
    its_own_guess_is_not_among_the_events,
    nothing_that_counts_events_is_told,
    the_feed_goes_on_from_a_sealed_place,
    who_reads_alone_is_told_that_something_happened,
);

/// The policy, in which `idp` reads the log too, and `verifier` reads it alone.
fn policy() -> String {
    POLICY
        .replacen(
            "roles:\n",
            "roles:\n  log: [{ types: [AuditEvent], rights: [read, search] }]\n",
            1,
        )
        .replacen(
            "system: idp, roles: [people]",
            "system: idp, roles: [people, log]",
            1,
        )
        .replacen("roles: [directory]", "roles: [directory, log]", 1)
}

struct Scene {
    idp: Client,
    verifier: Client,
    id: String,
}

/// A person whose birth date the identity provider guesses twice: wrongly, and then what stands.
async fn scene(app: &App) -> Scene {
    apply(app, &policy());
    let [hris, idp, verifier] = [
        app.client("hris").await,
        app.client("idp").await,
        app.client("verifier").await,
    ];
    let ada = json!({"displayName": "Ada", "birthDate": "1815-12-10"});
    let id = hris.create("/Persons", ada).await["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let path = format!("/Persons/{id}");
    for born in ["1815-12-11", "1815-12-11"] {
        let guess = json!([{"op": "replace", "path": "birthDate", "value": born}]);
        idp.patch(&path, guess).await.ok(200);
    }
    let rename = json!([{"op": "replace", "path": "displayName", "value": "Ada King"}]);
    idp.patch(&path, rename).await.ok(200);
    hris.get(&path).await.ok(200);
    Scene { idp, verifier, id }
}

/// The types of the events of a person that a client finds, but for its own reads.
async fn types(client: &Client, id: &str) -> Vec<String> {
    let filter = format!("personId eq \"{id}\"");
    let found = client.find("/AuditEvents", &filter).await;
    let types = found
        .iter()
        .map(|event| event["type"].as_str().unwrap().to_owned());
    types.collect()
}

async fn its_own_guess_is_not_among_the_events(app: &App) {
    let Scene { idp, id, .. } = scene(app).await;
    assert_eq!(types(&idp, &id).await, ["person.created", "person.updated"]);
    let all = app.service().events(0, 1000).unwrap();
    for (_, event) in all
        .iter()
        .filter(|(_, event)| event["personId"] == id.as_str())
    {
        let path = format!("/AuditEvents/{}", event["eventId"].as_str().unwrap());
        let answer = idp.get(&path).await;
        let changed = event["changes"].to_string();
        let is_told = event["type"] == "person.created" || changed.contains("displayName");
        assert_eq!(answer.status, if is_told { 200 } else { 404 }, "{event}");
        assert!(answer.body.get("version").is_none(), "{}", answer.body);
        assert!(!answer.text.contains("birthDate"), "{}", answer.text);
    }
    let refused = idp
        .list("/AuditEvents", &[("filter", "version gt 1")])
        .await;
    assert!(refused.refused(403, "").contains("'version'"));
}

async fn nothing_that_counts_events_is_told(app: &App) {
    let Scene { idp, .. } = scene(app).await;
    for path in [
        "log/head",
        "log/consistency?first=1",
        "admin/kpis",
        "admin/integrations",
    ] {
        let path = format!("/../../{path}");
        let answer = idp.get(&path).await;
        assert!(
            answer.refused(403, "").contains("hidden from it"),
            "{path}: {}",
            answer.text
        );
    }
}

/// All that a client hears, at most two events at a time.
async fn heard(client: &Client) -> Vec<Value> {
    let (mut heard, mut next) = (Vec::new(), "0".to_owned());
    loop {
        let told = client
            .get(&format!("/Events?after={next}&count=2&wait=1"))
            .await;
        let told = told.ok(200);
        let events = told["events"].as_array().unwrap();
        next = match &told["next"] {
            Value::String(text) => text.clone(),
            number => number.to_string(),
        };
        if events.is_empty() {
            return heard;
        }
        heard.extend(events.clone());
    }
}

async fn the_feed_goes_on_from_a_sealed_place(app: &App) {
    let Scene { idp, verifier, .. } = scene(app).await;
    let told = heard(&idp).await;
    // Positions are of what it hears, without a gap.
    let positions: Vec<u64> = told
        .iter()
        .map(|event| event["position"].as_u64().unwrap())
        .collect();
    assert_eq!(positions, (0..told.len() as u64).collect::<Vec<_>>());
    assert_eq!(told.last().unwrap()["changes"][0]["path"], "displayName");
    // Who writes nothing has the log's own.
    let all = heard(&verifier).await;
    let last = all.last().unwrap()["position"].as_i64().unwrap();
    assert!(last >= i64::try_from(all.len()).unwrap(), "{all:?}");
    let answer = idp.get("/Events").await;
    let next = answer.ok(200)["next"].as_str().unwrap().to_owned();
    // Each time another text, of one length.
    let again = idp.get("/Events").await.ok(200)["next"]
        .as_str()
        .unwrap()
        .to_owned();
    assert!(again != next && again.len() == next.len(), "{next} {again}");
    let events = idp.get(&format!("/Events?after={next}")).await.ok(200)["events"].clone();
    assert_eq!(events, json!([]));
    for (client, after) in [
        (&idp, "1"),
        (&idp, "x"),
        (&idp, "-1"),
        (&verifier, next.as_str()),
        (&verifier, "-1"),
    ] {
        let answer = client.get(&format!("/Events?after={after}")).await;
        assert!(
            answer.refused(400, "invalidValue").contains("'next'"),
            "{after}"
        );
    }
}

async fn who_reads_alone_is_told_that_something_happened(app: &App) {
    let Scene { verifier, id, .. } = scene(app).await;
    let told = types(&verifier, &id).await;
    for kind in ["person.updated", "person.confirmed", "person.read"] {
        assert!(told.iter().any(|told| told == kind), "{kind}: {told:?}");
    }
    let whole = verifier
        .find(
            "/AuditEvents",
            &format!("personId eq \"{id}\" and version pr"),
        )
        .await;
    assert!(!Value::from(whole).to_string().contains("birthDate"));
}
