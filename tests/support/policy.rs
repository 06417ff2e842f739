//! Applying a policy to a running application.

use std::thread;
use std::time::Duration;

use muster::clock::Clock;
use muster::service::policy::{Applied, Order};

use super::App;

/// Applies a policy to the tenant of `serve --dev`.
pub(crate) fn try_apply(app: &App, text: &str) -> Applied {
    try_apply_to(app, "default", text)
}

/// The same to any tenant.
pub(crate) fn try_apply_to(app: &App, tenant: &'static str, text: &str) -> Applied {
    let text = text.replace("ISSUER", &format!("{}/dev", app.origin()));
    let service = app.service().clone();
    let order = Order {
        actor: "security".into(),
        reason: None,
        at: app.clock.now(),
        after: None,
    };
    // As a process of its own does it: outside of any event loop.
    thread::spawn(move || service.apply_policy(tenant, text.as_bytes(), &order))
        .join()
        .unwrap()
        .unwrap()
}

/// The same, which must succeed; the version.
#[track_caller]
pub(crate) fn apply(app: &App, text: &str) -> i64 {
    match try_apply(app, text) {
        Applied::Done { version, .. } => version,
        other => panic!("{other:?}"),
    }
}

/// Waits until the records are folded under a version; how many were looked at, and how many changed.
pub(crate) fn folded(app: &App, version: i64) -> (i64, i64) {
    let service = app.service().clone();
    let look = move || {
        for _ in 0..1200 {
            let progress = service.refold_progress("default").unwrap();
            if let Some(done) =
                progress.filter(|known| known.version == version && known.finished.is_some())
            {
                return (done.looked, done.changed);
            }
            thread::sleep(Duration::from_millis(50));
        }
        panic!("not folded in a minute");
    };
    thread::spawn(look).join().unwrap()
}
