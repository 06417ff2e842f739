//! Of biometric detail only what the contract persists is ever stored: codes, and where the evidence is.

use serde_json::json;

use crate::stage::*;
use crate::support::{App, on_both};

on_both!(what_the_schema_does_not_have_is_refused);

/// B-030, B-034, B-063, B-064, B-096: of biometric detail only what the contract persists, and nothing else is even ignored.
async fn what_the_schema_does_not_have_is_refused(app: &App) {
    let (ats, hris) = set(app, "").await;
    let (_, _, application) = applied(&ats).await;
    let mut body = verified(&application, 2, "pass");
    body["faceTemplate"] = json!("c2VjcmV0LWZhY2U=");
    let refused = ats.post("/Verifications", body).await;
    let why = refused.refused(400, "invalidValue");
    assert!(
        why.contains("faceTemplate") && why.contains("evidencePackRef"),
        "{why}"
    );
    // Nor by another's name: what is persisted are codes and where the evidence is, no words and no bytes.
    for (name, value) in [
        ("reasonCodes", json!(["c2VjcmV0LWZhY2U="])),
        ("qualitySignals", json!(["a".repeat(65)])),
        ("reasonCodes", json!(["looked like her brother"])),
        (
            "evidencePackRef",
            json!("data:image/png;base64,c2VjcmV0LWZhY2U"),
        ),
        (
            "evidencePackRef",
            json!(format!("https://evidence.example/{}", "a".repeat(2048))),
        ),
        ("evidencePackRef", json!("in the safe")),
    ] {
        let mut body = verified(&application, 2, "pass");
        body[name] = value;
        let refused = ats.post("/Verifications", body).await;
        assert!(
            refused.refused(400, "invalidValue").contains(name),
            "{name}"
        );
    }
    assert_eq!(hris.find("/Verifications", "id pr").await.len(), 0);
    let told = hris
        .find("/AuditEvents", "type eq \"request.refused.400\"")
        .await;
    assert_eq!(told.len(), 7, "{told:?}");
    let log = format!("{:?}", app.service().events(0, 1000).unwrap());
    assert!(!log.contains("c2VjcmV0"), "not even in the log");
}
