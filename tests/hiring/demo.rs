//! `muster demo`, as somebody who tries the product runs it: what it prints is what the server has.

use std::process::Command;

use crate::support::{App, on_both};
use crate::trace::muster;

on_both!(
    the_demo_plays_the_whole_flow,
    what_the_demo_tells_is_what_the_server_has
);

/// What it prints on a server, which must be there.
async fn demo(app: &App) -> String {
    let origin = app.origin();
    let output = actix_web::rt::task::spawn_blocking(move || {
        Command::new(env!("CARGO_BIN_EXE_muster"))
            .args(["demo", "--url", &origin])
            .output()
            .unwrap()
    });
    let output = output.await.unwrap();
    let text = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
    assert_eq!(output.status.code(), Some(0), "{text}");
    text
}

/// By public calls alone, on a server without a policy; and again.
async fn the_demo_plays_the_whole_flow(app: &App) {
    for _ in 0..2 {
        let text = demo(app).await;
        for wanted in [
            "tier 2 is satisfied",
            "before the verification? false",
            "picks up the intent CandidateToEmployee",
            "employee Pending (OfferAcceptance), Harbor pilot",
            "employee Active (NewHire)",
            "employee Inactive (Leave)",
            "employee Terminated (Resignation)",
            "employee Active (Rehire), Chief harbor pilot",
            "application updated: status sourced → interviewing",
            "identity checks \"verifiedFirst\", 2 verifications (1 appeal)",
            "evidence-pack?format=html",
        ] {
            assert!(text.contains(wanted), "no '{wanted}' in:\n{text}");
        }
    }
    let (told, code) = muster(app, &["demo", "--url", "http://127.0.0.1:1"]);
    assert_ne!(code, Some(0), "{told}");
}

/// The word after a text, in the first line that has it.
fn after_text<'t>(text: &'t str, before: &str) -> &'t str {
    let rest = &text[text.find(before).unwrap() + before.len()..];
    rest.split([',', ' ', ':', ';', '\n', '"']).next().unwrap()
}

/// Step by step in order; the timeline is the server's, line by line; the ids it names lead where it says; and a second run tells
/// of others.
async fn what_the_demo_tells_is_what_the_server_has(app: &App) {
    let text = demo(app).await;
    let numbers = text.lines().filter_map(|line| {
        let (number, _) = line.split_once(". ")?;
        number.trim().parse::<usize>().ok()
    });
    let numbers: Vec<usize> = numbers.collect();
    assert_eq!(numbers, (1..=17).collect::<Vec<_>>(), "{text}");
    let application = after_text(&text, "What happened to application ");
    let person = after_text(&text, "Ines Okafor: person ");
    assert_eq!(after_text(&text, "application "), application);
    assert_eq!(after_text(&text, "correlation id \""), person);
    let admin = app.client("admin").await;
    let path = format!("/Applications/{application}");
    let told = admin.get(&format!("{path}/timeline")).await.ok(200).clone();
    assert_eq!(told["candidateId"], person);
    let events = told["events"].as_array().unwrap();
    let lines = events.iter().map(|event| {
        let (at, what) = (
            event["at"].as_str().unwrap(),
            event["what"].as_str().unwrap(),
        );
        let actor = event["actor"].as_str().unwrap();
        format!("  {}  {actor:<10}{what}", &at[11..19])
    });
    let lines: Vec<String> = lines.collect();
    let (_, printed) = text.split_once("What happened to application ").unwrap();
    let printed: Vec<&str> = printed.lines().skip(1).take(lines.len()).collect();
    assert_eq!(printed, lines);
    // Whoever was merged into her leads to her.
    let merged = after_text(&text, "a human merges ");
    assert_ne!(merged, person);
    let found = admin.get(&format!("/Persons/{merged}")).await;
    assert_eq!(found.status, 308);
    assert!(found.header("location").unwrap().ends_with(person));
    let pack = admin
        .get(&format!("{path}/evidence-pack"))
        .await
        .ok(200)
        .clone();
    assert_eq!(pack["identityChecks"]["outcome"], "verifiedFirst");
    assert_eq!(pack["verifications"].as_array().unwrap().len(), 2);
    assert!(text.contains(&format!(
        "{} events under the log's signed head",
        lines.len()
    )));
    let again = demo(app).await;
    assert_ne!(after_text(&again, "Ines Okafor: person "), person);
}
