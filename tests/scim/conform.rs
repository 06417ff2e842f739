//! `muster conform` on Muster itself, as the clients of each profile.

use muster::cli::conform::{self, Target};
use muster::config::dev_clients;
use muster::secret::Secret;

use crate::support::{App, client, on_both};

on_both!(every_case_is_met, a_token_that_is_no_good_ends_the_run);

/// The client that has each profile.
const CALLERS: &[(&str, &str)] = &[
    ("rfc", "conformance"),
    ("entra", "entra"),
    ("okta", "okta"),
    ("strict", "strict"),
];

async fn target(app: &App, profile: &str, client: &str) -> Target {
    Target {
        url: app.scim(),
        token: Secret::new(client::token(&client::http(), &app.origin(), client).await),
        profile: profile.to_owned(),
        only: None,
        run: "conform".to_owned(),
    }
}

async fn every_case_is_met(app: &App) {
    for (profile, client) in CALLERS {
        if !dev_clients().iter().any(|known| known.name == *client) {
            continue;
        }
        let target = target(app, profile, client).await;
        let report = conform::run(&target, |_, _| ()).await.unwrap();
        let totals = report.totals();
        assert!(
            totals.failed == 0 && totals.passed > 10,
            "{}",
            report.to_text()
        );
        assert_eq!(report.to_json()["left"], serde_json::json!([]));
    }
}

async fn a_token_that_is_no_good_ends_the_run(app: &App) {
    let mut target = target(app, "rfc", "conformance").await;
    target.token = Secret::new("nobody");
    let failure = conform::run(&target, |_, _| ()).await.unwrap_err();
    assert!(
        failure.to_string().contains("refuses the token"),
        "{failure}"
    );
}
