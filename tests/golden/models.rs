//! Trained models: kept by name and version, put in force by a policy, told by every decision.

use muster::domain::matching::Model;
use muster::service::policy::{Applied, Order};
use serde_json::json;

use crate::resolution::{ada, matching, resolution};
use crate::support::policy::{apply, try_apply};
use crate::support::{App, on_both};

on_both!(
    a_policy_puts_a_stored_model_in_force,
    a_policy_that_names_no_stored_model_is_refused
);

fn store(app: &App, name: &'static str, model: Model) -> i64 {
    let (service, at) = (
        app.service().clone(),
        muster::clock::Clock::now(&*app.clock),
    );
    let order = Order {
        actor: "analyst".into(),
        reason: Some("trained on our people".into()),
        at,
        after: None,
    };
    let kept = std::thread::spawn(move || service.store_model("default", name, &model, &order));
    kept.join().unwrap().unwrap().version
}

fn with_model(model: &str) -> String {
    matching().replace("model: builtin", &format!("model: {model}"))
}

/// A model by which nothing tells people to be one: the same level is as likely among the same as among different people.
fn blank() -> Model {
    let mut model = Model::builtin();
    for level in model.weights.values_mut().flat_map(|of| of.values_mut()) {
        level.m = level.u;
    }
    model
}

/// the model that the policy names decides, and its name and version are told; a newer version waits for a
/// policy that means it.
async fn a_policy_puts_a_stored_model_in_force(app: &App) {
    assert_eq!(store(app, "ours", blank()), 1);
    apply(app, &with_model("ours"));
    let (hris, ats) = (app.client("hris").await, app.client("ats").await);
    let known = ats.create("/Persons", ada()).await;
    let newcomer = json!({"name": {"givenName": "Augusta", "familyName": "Lovelace"}, "birthDate": "1985-12-10",
        "phoneNumbers": [{"value": "+44 20 7946 0958", "type": "mobile"}]});
    let other = hris.create("/Persons", newcomer.clone()).await;
    assert_ne!(other["id"], known["id"], "this model finds nobody");
    let (_, told) = resolution(&hris, &other, "created").await;
    assert_eq!(told["decision"], "new");
    assert_eq!(told["candidates"][0]["model"], "ours@1");

    app.clock.advance(chrono::TimeDelta::seconds(1));
    assert_eq!(store(app, "ours", Model::builtin()), 2);
    let crm = app.client("crm").await;
    let still = crm.create("/Persons", newcomer.clone()).await;
    let (_, told) = resolution(&hris, &still, "created").await;
    assert_eq!(
        told["candidates"][0]["model"], "ours@1",
        "the policy has not changed"
    );
    for id in [&other["id"], &still["id"]] {
        let path = format!("/Persons/{}", id.as_str().unwrap());
        let owner = if *id == other["id"] { &hris } else { &crm };
        owner.delete(&path).await.ok(204);
    }

    apply(app, &with_model("ours@2"));
    let mut newcomer = newcomer;
    newcomer["name"]["familyName"] = "Lovelase".into();
    let same = hris.create("/Persons", newcomer).await;
    assert_eq!(same["id"], known["id"]);
    let (_, told) = resolution(&hris, &known, "updated").await;
    assert_eq!(told["candidates"][0]["model"], "ours@2");
    let stored = hris.find("/AuditEvents", "type eq \"model.stored\"").await;
    let details: Vec<&str> = stored
        .iter()
        .map(|event| event["detail"].as_str().unwrap())
        .collect();
    assert_eq!(details.len(), 2, "{details:?}");
}

/// Issue: a policy that names an unknown model, or an unknown version, is refused on apply with its line and the reason.
async fn a_policy_that_names_no_stored_model_is_refused(app: &App) {
    store(app, "ours", Model::builtin());
    for unknown in ["theirs", "ours@2"] {
        let text = with_model(unknown);
        let Applied::Wrong(findings) = try_apply(app, &text) else {
            panic!("'{unknown}' is taken");
        };
        let line = 1 + text
            .lines()
            .position(|line| line.starts_with("matching"))
            .unwrap();
        assert_eq!((findings.len(), findings[0].at.line), (1, line));
        let reason = &findings[0].reason;
        assert!(
            reason.contains(unknown) && reason.contains("ours@1"),
            "{reason}"
        );
    }
    let Applied::Wrong(findings) = try_apply(app, &with_model("ours@x")) else {
        panic!("no version is taken");
    };
    assert!(findings[0].reason.contains("NAME@VERSION"), "{findings:?}");
}
