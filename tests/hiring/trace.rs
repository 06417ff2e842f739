//! `muster trace`, as an operator runs it.

use std::process::Command;

use serde_json::Value;

use crate::stage::*;
use crate::support::{App, on_both};

on_both!(b_098_any_id_leads_to_the_whole_way);

/// The command, beside the server; what it printed, and its exit code.
pub(crate) fn muster(app: &App, arguments: &[&str]) -> (String, Option<i32>) {
    let output = Command::new(env!("CARGO_BIN_EXE_muster"))
        .args(arguments)
        .args(if arguments[0] == "demo" {
            vec![]
        } else {
            vec!["--database-url", app.database.url()]
        })
        .env("MUSTER_DATA_DIR", app.database.folder())
        .output()
        .unwrap();
    let text = [output.stdout, output.stderr].concat();
    (String::from_utf8(text).unwrap(), output.status.code())
}

pub(crate) fn trace(app: &App, name: &str) -> (String, Option<i32>) {
    muster(app, &["trace", name])
}

/// B-098, B-042: by our id, a vendor's, or a bare value; of whatever hangs on the application too.
async fn b_098_any_id_leads_to_the_whole_way(app: &App) {
    let (ats, _) = set(app, "").await;
    let (job, person, application) = applied(&ats).await;
    let verification = ats
        .create("/Verifications", verified(&application, 2, "pass"))
        .await;
    let (whole, code) = trace(app, id(&application));
    assert_eq!(code, Some(0), "{whole}");
    assert!(
        whole.starts_with(&format!("Application {}\n", id(&application))),
        "{whole}"
    );
    assert!(
        whole.contains("ats        verification passed: decision pass"),
        "{whole}"
    );
    for name in [id(&verification), "greenhouse:application_id:ga-1", "ga-1"] {
        assert_eq!(trace(app, name), (whole.clone(), Some(0)), "{name}");
    }
    let (told, _) = trace(app, "c-ines");
    assert!(
        told.starts_with(&format!("Person {}\n", id(&person))) && told.contains("person created"),
        "{told}"
    );
    let (told, _) = trace(app, "greenhouse:job_id:j-1");
    assert!(
        told.starts_with(&format!("Requisition {}\n", id(&job))),
        "{told}"
    );
    let (told, code) = trace(app, "nobody");
    assert!(
        told.contains("nothing here is called 'nobody'") && code == Some(1),
        "{told}"
    );
    // One name, two things.
    let mut other = applying(&person, &job, "gc-ines");
    other["source"] = "fair".into();
    ats.create("/Applications", other).await;
    let (told, code) = trace(app, "gc-ines");
    assert!(
        told.contains("several") && told.contains(id(&person)) && code == Some(2),
        "{told}"
    );
    let (told, _) = muster(app, &["trace", "ga-1", "--json"]);
    let told: Value = serde_json::from_str(&told).unwrap();
    assert_eq!(told["events"][0]["type"], "application.created");
}
