//! Keyed requests on the hiring record (A-069, B-046): whatever a first POST came to, made, known or queued, its repetition comes
//! to the same, even where the answer was lost.

use serde_json::json;

use crate::stage::{applied, applying, set};
use crate::support::{App, on_both};

on_both!(a_repetition_comes_to_what_the_first_came_to);

async fn a_repetition_comes_to_what_the_first_came_to(app: &App) {
    let (ats, _) = set(app, "").await;
    let (job, person, _) = applied(&ats).await;
    let fresh = (applying(&person, &job, "ga-2"), "/Applications", 201);
    let known = (applying(&person, &job, "ga-1"), "/Applications", 200);
    let body = json!({
        "application": {"value": "ines@home.example"}, "occurredAt": "2031-02-21T09:00:00Z", "vendor": "codetest",
        "attemptId": "a-7", "result": "pass", "score": 91,
    });
    let queued = (body, "/Assessments", 202);
    for (n, (content, endpoint, status)) in [known, fresh, queued].into_iter().enumerate() {
        let once = ats.keyed(&format!("k-{n}"));
        let first = once.post(endpoint, content.clone()).await;
        assert_eq!(first.status, status, "{}", first.body);
        let events = app.event_count();
        for lost in [false, true] {
            if lost {
                let sql = "UPDATE idempotency SET state = 1, answer = NULL, lease = 0; DELETE FROM idempotency_name";
                app.database.connect().run(sql);
            }
            let again = once.post(endpoint, content.clone()).await;
            assert!(again.is_replayed());
            assert_eq!(again.status, status, "{}", again.body);
            assert_eq!(again.header("location"), first.header("location"));
            assert_eq!(again.text, first.text);
        }
        assert_eq!(app.event_count(), events);
    }
}
