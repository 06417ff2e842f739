//! Which rules the decisions of humans recommend.

use muster::domain::advice::Verdict;
use muster::service::advice::Recommended;
use serde_json::{Value, json};

use crate::support::policy::apply;
use crate::support::{App, on_both};
use crate::survivorship::{POLICY, at};

on_both!(what_humans_nearly_always_decide_is_recommended_as_a_rule);

fn advise(app: &App, least: u64) -> Recommended {
    let service = app.service().clone();
    let advised = std::thread::spawn(move || service.advise("default", least));
    advised.join().unwrap().unwrap().unwrap()
}

/// the evidence by attribute and system, the rows to paste, and what they would change; applied, they do just that.
async fn what_humans_nearly_always_decide_is_recommended_as_a_rule(app: &App) {
    apply(app, POLICY);
    let (hris, ats) = (app.client("hris").await, app.client("ats").await);
    let say = |name: &str| json!([{"op": "replace", "path": "legalName", "value": name}]);
    let mut people: Vec<Value> = Vec::new();
    for n in 0..7 {
        let name = format!("Number {n}");
        let person = hris.create("/Persons", json!({"legalName": name})).await;
        ats.patch(&at(&person), say(&format!("{name} of the passport")))
            .await
            .ok(200);
        people.push(person);
    }
    let reviews = hris.find("/Reviews", "kind eq \"conflict\"").await;
    assert_eq!(reviews.len(), 7);
    // Four are approved and one is rejected; one is elevated past its review, and one waits.
    for (n, person) in people.iter().enumerate().take(5) {
        let of_it = reviews
            .iter()
            .find(|review| review["subject"]["value"] == person["id"]);
        let status = if n < 4 { "approved" } else { "rejected" };
        let decided = json!([{"op": "replace", "path": "status", "value": status}]);
        let path = format!("/Reviews/{}", of_it.unwrap()["id"].as_str().unwrap());
        hris.patch(&path, decided).await.ok(200);
    }
    let order = json!({"path": "legalName", "system": "ats", "reason": "seen"});
    hris.order(&format!("{}/elevate", at(&people[5])), order)
        .await
        .ok(200);

    let found = advise(app, 5);
    let advice = &found.advised.advice;
    assert_eq!(advice.len(), 1, "{advice:?}");
    assert_eq!(
        (&*advice[0].name, &*advice[0].system),
        ("Person.legalName", "ats")
    );
    let tally = advice[0].tally;
    assert_eq!((tally.approved, tally.rejected, tally.elevated), (4, 1, 1));
    assert_eq!(
        (advice[0].verdict, advice[0].master.as_deref()),
        (Verdict::Master, Some("hris"))
    );
    let effect = &found.simulation.as_ref().unwrap().effects["legalName"];
    assert_eq!(
        (effect.changed, effect.gained, effect.lost),
        (2, 0, 0),
        "the rejected and the waiting one"
    );
    assert!(
        advise(app, 7).advised.rows.is_empty(),
        "too little to go by"
    );

    let mut lines: Vec<String> = POLICY.lines().map(str::to_owned).collect();
    let [instead, further] = &found.advised.rows[..] else {
        panic!("{:?}", found.advised.rows);
    };
    let row = instead.text.as_ref().unwrap();
    lines[instead.instead_of.unwrap() - 1] =
        format!("  {row}\n  {}", further.text.as_ref().unwrap());
    apply(app, &(lines.join("\n") + "\n"));
    let told = hris.create("/Persons", json!({"legalName": "Ada"})).await;
    assert_eq!(
        told.get("legalName"),
        None,
        "the HRIS only suggests it now: {told}"
    );
    assert_eq!(advise(app, 5).advised.advice[0].verdict, Verdict::Settled);
}
