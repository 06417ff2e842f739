//! One who was two: split off again, whoever they are.

use serde_json::json;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

use crate::documents::{bodies, focus};
use crate::merge::{both_of, join};
use crate::resolution::matching;
use crate::support::policy::apply;
use crate::support::{App, IDENTITY, on_both};
use crate::survivorship::{POLICY, at};

on_both!(
    a_newcomer_who_was_taken_for_another_is_split_off,
    of_two_who_were_one_one_alone_has_the_account_s_name,
    whatever_two_persons_are_a_merge_then_a_split_restores_both
);

/// An automatic link is taken back as well: what a system says becomes a person of its own, with its account's groups.
async fn a_newcomer_who_was_taken_for_another_is_split_off(app: &App) {
    apply(app, &matching());
    let (hris, ats, idp) = (
        app.client("hris").await,
        app.client("ats").await,
        app.client("idp").await,
    );
    let ada = json!({"name": {"givenName": "Augusta", "familyName": "Lovelace"}, "birthDate": "1985-12-10", "phoneNumbers": [{"value": "+442079460958"}]});
    let known = ats.create("/Persons", ada.clone()).await;
    let mut same = ada.clone();
    same["externalId"] = json!("w1");
    same["legalIdentifiers"] = json!([{"type": "ssn", "country": "US", "value": "078-05-1120"}]);
    assert_eq!(hris.create("/Persons", same).await["id"], known["id"]);
    let account = json!({"userName": "ada", IDENTITY: {"externalIdentifiers": [{"system": "hris", "field": "externalId", "value": "w1"}]}});
    assert_eq!(idp.create("/Users", account).await["id"], known["id"]);
    let group = idp
        .create(
            "/Groups",
            json!({"displayName": "Engines", "members": [{"value": known["id"]}]}),
        )
        .await;
    let path = format!("{}/split", at(&known));
    for (wrong, status) in [
        (json!({"system": "crm", "reason": "x"}), 400),
        (
            json!({"system": "hris", "externalId": "w2", "reason": "x"}),
            400,
        ),
        (json!({"system": "hris"}), 400),
    ] {
        hris.order(&path, wrong)
            .await
            .refused(status, "invalidValue");
    }
    let made = hris
        .order(
            &path,
            json!({"system": "hris", "externalId": "w1", "reason": "twins"}),
        )
        .await;
    let new = made.ok(201).clone();
    assert_ne!(new["id"], known["id"]);
    assert_eq!(new["externalId"], "w1");
    assert_eq!(new["legalIdentifierHints"].as_array().unwrap().len(), 1);
    let left = hris.get(&at(&known)).await;
    assert_eq!(left.ok(200).get("legalIdentifierHints"), None);
    assert_eq!(left.ok(200)["name"], ada["name"]);
    assert!(
        join(&hris, &known, "merge", &new)
            .await
            .refused(409, "")
            .contains("two persons")
    );
    // The account is another system's; split off, it takes its groups along.
    let made = hris
        .order(&path, json!({"system": "idp", "reason": "not hers"}))
        .await;
    assert_eq!(made.ok(201)["groups"][0]["value"], group["id"]);
    let members = idp
        .get(&format!("/Groups/{}", group["id"].as_str().unwrap()))
        .await;
    assert_eq!(members.ok(200)["members"].as_array().unwrap().len(), 1);
    assert_eq!(members.ok(200)["members"][0]["value"], made.ok(201)["id"]);
    let last = hris
        .order(&path, json!({"system": "ats", "reason": "x"}))
        .await;
    last.refused(409, "");
}

/// What both were said to have stays with both, but for the name of an account: then whoever splits says first whose it is.
async fn of_two_who_were_one_one_alone_has_the_account_s_name(app: &App) {
    let (hris, idp, admin) = (
        app.client("hris").await,
        app.client("idp").await,
        app.client("admin").await,
    );
    let badge = json!([{"system": "greenhouse", "field": "candidate_id", "value": "7"}]);
    let ada = json!({"userName": "ada", IDENTITY: {"externalIdentifiers": badge}});
    let ada = hris.create("/Users", ada).await;
    let path = format!("/Users/{}", ada["id"].as_str().unwrap());
    let said = json!([
        {"op": "replace", "path": "userName", "value": "ada"},
        {"op": "replace", "path": format!("{IDENTITY}:externalIdentifiers"), "value": badge}
    ]);
    idp.patch(&path, said).await.ok(200);
    let order = json!({"system": "idp", "reason": "two humans"});
    let split = format!("{}/split", at(&ada));
    let refused = admin.order(&split, order.clone()).await;
    assert!(refused.refused(409, "uniqueness").contains("userName"));
    let rename = json!([{"op": "replace", "path": "userName", "value": "ada2"}]);
    idp.patch(&path, rename).await.ok(200);
    let made = admin.order(&split, order).await.ok(201).clone();
    let names = [&ada, &made].map(|of| format!("/Users/{}", of["id"].as_str().unwrap()));
    for (path, name) in names.iter().zip(["ada", "ada2"]) {
        let known = hris.get(path).await.ok(200).clone();
        assert_eq!(known["userName"], name);
        assert_eq!(known[IDENTITY]["externalIdentifiers"], badge);
    }
}

/// As a property of generated persons of every attribute: what a split leaves is what was before the merge, but for `meta`.
async fn whatever_two_persons_are_a_merge_then_a_split_restores_both(app: &App) {
    // Nobody is linked by evidence, so that there are two to merge.
    apply(app, POLICY);
    let (hris, ats) = (app.client("hris").await, app.client("ats").await);
    let seed = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
    let mut runner = TestRunner::new_with_rng(Config::default(), seed);
    let words = focus().prop_flat_map(|focus| vec(bodies(focus), 2..6));
    let mut merged = 0;
    for _ in 0..40 {
        let words = words.new_tree(&mut runner).unwrap().current();
        let mut persons = words.iter().filter(|word| word.endpoint == "/Persons");
        let (Some(mine), Some(theirs)) = (persons.next(), persons.next()) else {
            continue;
        };
        let (one, other) = (
            hris.post("/Persons", mine.first.clone()).await,
            ats.post("/Persons", theirs.first.clone()).await,
        );
        if (one.status, other.status) != (201, 201) || one.body["id"] == other.body["id"] {
            continue;
        }
        if let Some(then) = &mine.then {
            hris.put(&at(&one.body), then.clone()).await;
        }
        let before = both_of(&hris, &one.body, &other.body).await;
        if join(&hris, &one.body, "merge", &other.body).await.status == 200 {
            merged += 1;
            join(&hris, &one.body, "split", &other.body).await.ok(200);
        }
        assert_eq!(both_of(&hris, &one.body, &other.body).await, before);
    }
    assert!(merged >= 10, "only {merged} pairs could be merged");
}
