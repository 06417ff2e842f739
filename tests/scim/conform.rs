//! `muster conform` on Muster itself, as the clients of each profile.

use muster::cli::conform::{self, Target};
use muster::secret::Secret;

use crate::support::{App, client, on_both};

on_both!(
    every_case_is_met,
    an_account_of_ones_own_is_tried_too,
    a_token_that_is_no_good_ends_the_run
);

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
        let target = target(app, profile, client).await;
        let report = conform::run(&target, |_, _| ()).await.unwrap();
        let totals = report.totals();
        assert!(
            totals.failed == 0 && totals.passed > 100,
            "{}",
            report.to_text()
        );
        assert_eq!(report.to_json()["left"], serde_json::json!([]));
    }
}

/// RFC 7644 §3.11: with a token that names an account there is more to try.
async fn an_account_of_ones_own_is_tried_too(app: &App) {
    let somebody = serde_json::json!({"userName": "somebody"});
    app.client("conformance")
        .await
        .create("/Users", somebody)
        .await;
    let mut target = target(app, "rfc", "conformance").await;
    let (http, origin) = (client::http(), app.origin());
    let token = client::token_as(&http, &origin, "conformance", Some("somebody")).await;
    target.token = Secret::new(token);
    target.only = Some("exchanges/me".to_owned());
    let totals = conform::run(&target, |_, _| ()).await.unwrap().totals();
    assert_eq!((totals.passed, totals.failed), (2, 0), "{totals:?}");
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
