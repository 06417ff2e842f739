//! What POST, PUT and PATCH claim (design §3), on pure values.

use std::collections::BTreeSet;

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};

use crate::domain::access::Classified;
use crate::domain::catalog::Catalog;
use crate::domain::claim::{SourceRecord, Stamp};
use crate::domain::fold::Rules;
use crate::domain::record::{Kind, Leaves};
use crate::domain::survivorship::Rulings;
use crate::domain::view::View;
use crate::domain::writing::Terms;
use crate::id::{IdSource, SeededIds};
use crate::scim::patch::parse;
use crate::scim::profile::Profile;

/// A person of whom several systems speak, one after another.
struct Desk {
    catalog: Catalog,
    ids: SeededIds,
    now: DateTime<Utc>,
    sources: Vec<SourceRecord>,
    rulings: Rulings,
}

impl Desk {
    fn new() -> Self {
        Self {
            catalog: Catalog::load().unwrap(),
            ids: SeededIds::new(7),
            now: "2026-11-22T09:00:00Z".parse().unwrap(),
            sources: Vec::new(),
            rulings: Rulings::default(),
        }
    }

    fn stamp(&mut self) -> Stamp {
        self.now += TimeDelta::seconds(1);
        Stamp {
            at: self.now,
            event: self.ids.event(self.now),
            told: false,
        }
    }

    fn terms<'a>(&'a self, view: &'a View, stamp: Stamp) -> Terms<'a> {
        Terms {
            view,
            specs: self.catalog.specs(Kind::Person),
            rulings: &self.rulings,
            hides: &|_, _| false,
            veils: &|_, _, _| false,
            in_part: &|_| false,
            stamp,
        }
    }

    fn leaves(&self) -> Leaves {
        let rules = Rules {
            specs: self.catalog.specs(Kind::Person),
            classified: &Classified::default(),
            rulings: &self.rulings,
        };
        rules.fold(&self.sources)
    }

    fn take(&mut self, system: &str) -> SourceRecord {
        match self
            .sources
            .iter()
            .position(|source| source.system == system)
        {
            Some(at) => self.sources.remove(at),
            None => SourceRecord::new(system, self.now),
        }
    }

    fn post(&mut self, system: &str, given: &Value) {
        let stamp = self.stamp();
        let mut own = self.take(system);
        let view = self.catalog.at("/Persons").unwrap();
        let given = serde_json::from_value(given.clone()).unwrap();
        self.terms(view, stamp)
            .post(&given, &Leaves::new(), (&mut own, &self.sources));
        self.sources.push(own);
    }

    fn put(&mut self, system: &str, endpoint: &str, given: &Value) {
        let stamp = self.stamp();
        let folded = self.leaves();
        let mut own = self.take(system);
        let view = self.catalog.at(endpoint).unwrap();
        let given: Leaves = serde_json::from_value(given.clone()).unwrap();
        let listed: BTreeSet<String> = given
            .keys()
            .filter_map(|path| path.rsplit_once(':'))
            .map(|(urn, _)| urn.into())
            .collect();
        self.terms(view, stamp)
            .put(&given, &listed, &folded, (&mut own, &self.sources));
        self.sources.push(own);
    }

    fn patch(&mut self, system: &str, endpoint: &str, operations: &Value) {
        let stamp = self.stamp();
        let folded = self.leaves();
        let mut own = self.take(system);
        let view = self.catalog.at(endpoint).unwrap();
        let before = view.show(&folded, &self.catalog, "");
        let body = json!({ "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": operations });
        let patch = parse(
            body.as_object().unwrap().clone(),
            &view.resource_type,
            Profile::Rfc,
        )
        .unwrap();
        let patched = patch.apply(&view.resource_type, &before).unwrap();
        let source = (&mut own, self.sources.as_slice());
        self.terms(view, stamp)
            .patch(&before, &patched, source)
            .unwrap();
        self.sources.push(own);
    }

    fn claims(&self, system: &str) -> Vec<String> {
        let own = self
            .sources
            .iter()
            .find(|source| source.system == system)
            .unwrap();
        own.claims.0.keys().cloned().collect()
    }
}

const TITLE: &str = "urn:muster:scim:schemas:extension:1.0:Employee:jobTitle";

#[test]
fn a_put_by_one_system_leaves_the_values_of_another_standing() {
    let mut desk = Desk::new();
    desk.post("hris", &json!({ "name.givenName": "Ada", TITLE: "Countess", "emails": [{ "value": "a@x.example" }] }));
    desk.put(
        "idp",
        "/Users",
        &json!({ "userName": "ada", "emails": [{ "value": "b@x.example" }] }),
    );
    let leaves = desk.leaves();
    assert_eq!(leaves["name.givenName"], "Ada");
    assert_eq!(leaves[TITLE], "Countess");
    assert_eq!(
        leaves["emails"],
        json!([{ "value": "a@x.example" }, { "value": "b@x.example" }])
    );
}

#[test]
fn an_echo_in_a_put_is_not_claimed() {
    let mut desk = Desk::new();
    desk.post(
        "hris",
        &json!({ "name.givenName": "Ada", "displayName": "Ada" }),
    );
    desk.put(
        "idp",
        "/Users",
        &json!({ "userName": "ada", "name.givenName": "Ada", "displayName": "Ada B" }),
    );
    assert_eq!(desk.claims("idp"), ["displayName", "userName"]);
}

#[test]
fn absence_in_a_put_withdraws_the_callers_own_claims_only() {
    let mut desk = Desk::new();
    desk.post(
        "ats",
        &json!({ "displayName": "Ada", "emails": [{ "value": "a@x.example" }] }),
    );
    desk.post(
        "hris",
        &json!({ "displayName": "Ada B", "emails": [{ "value": "b@x.example" }] }),
    );
    desk.put("hris", "/Persons", &json!({}));
    assert_eq!(desk.leaves()["displayName"], "Ada");
    assert_eq!(desk.leaves()["emails"], json!([{ "value": "a@x.example" }]));
}

#[test]
fn a_put_through_persons_keeps_what_only_users_can_write() {
    let mut desk = Desk::new();
    desk.put(
        "idp",
        "/Users",
        &json!({ "userName": "ada", "active": false }),
    );
    desk.put("idp", "/Persons", &json!({ "displayName": "Ada" }));
    assert_eq!(desk.leaves()["userName"], "ada");
    assert_eq!(desk.leaves()["active"], false);
}

#[test]
fn a_patch_claims_what_its_operations_name_even_when_it_is_known() {
    let mut desk = Desk::new();
    desk.post(
        "ats",
        &json!({ "displayName": "Ada", "name.givenName": "Ada" }),
    );
    desk.patch(
        "hris",
        "/Persons",
        &json!([{ "op": "replace", "path": "displayName", "value": "Ada" }]),
    );
    assert_eq!(desk.claims("hris"), ["displayName"]);
    assert_eq!(desk.leaves()["displayName"], "Ada");
}

#[test]
fn a_removed_value_that_another_system_claims_is_denied_until_it_is_claimed_again() {
    let mut desk = Desk::new();
    desk.post("ats", &json!({ "displayName": "Ada", "emails": [{ "value": "a@x.example" }, { "value": "b@x.example" }] }));
    desk.patch(
        "hris",
        "/Persons",
        &json!([{ "op": "remove", "path": "displayName" }, { "op": "remove", "path": "emails[value eq \"a@x.example\"]" }]),
    );
    assert_eq!(desk.leaves().get("displayName"), None);
    assert_eq!(desk.leaves()["emails"], json!([{ "value": "b@x.example" }]));
    desk.post("ats", &json!({ "displayName": "Ada" }));
    assert_eq!(desk.leaves()["displayName"], "Ada");
}

#[test]
fn one_leaf_has_one_value_under_both_of_its_names() {
    let mut desk = Desk::new();
    desk.put(
        "idp",
        "/Users",
        &json!({ "userName": "ada", TITLE: "Countess" }),
    );
    desk.patch(
        "idp",
        "/Users",
        &json!([{ "op": "replace", "path": "title", "value": "Analyst" }]),
    );
    let user = desk
        .catalog
        .at("/Users")
        .unwrap()
        .show(&desk.leaves(), &desk.catalog, "");
    assert_eq!(user["title"], "Analyst");
    assert_eq!(
        user["urn:muster:scim:schemas:extension:1.0:Employee"]["jobTitle"],
        "Analyst"
    );
}

#[test]
fn a_view_without_a_sub_attribute_does_not_wipe_it() {
    let mut desk = Desk::new();
    desk.post(
        "ats",
        &json!({ "emails": [{ "value": "a@x.example", "verified": true, "type": "home" }] }),
    );
    desk.put(
        "idp",
        "/Users",
        &json!({ "userName": "ada", "emails": [{ "value": "A@x.example", "type": "work" }] }),
    );
    assert_eq!(
        desk.leaves()["emails"],
        json!([{ "value": "A@x.example", "type": "work", "verified": true }])
    );
}

#[test]
fn a_new_primary_of_one_system_makes_the_other_systems_element_secondary() {
    let mut desk = Desk::new();
    desk.post(
        "ats",
        &json!({ "emails": [{ "value": "a@x.example", "primary": true }] }),
    );
    desk.patch("idp", "/Persons", &json!([{ "op": "add", "path": "emails", "value": [{ "value": "b@x.example", "primary": true }] }]));
    let emails = &desk.leaves()["emails"];
    assert_eq!(
        emails[0],
        json!({ "value": "a@x.example", "primary": false })
    );
    assert_eq!(
        emails[1],
        json!({ "value": "b@x.example", "primary": true })
    );
}

#[test]
fn elements_of_one_key_in_one_body_are_all_kept() {
    let phone = |kind: &str| json!({ "value": "+1555", "type": kind });
    let mut desk = Desk::new();
    desk.post(
        "idp",
        &json!({ "phoneNumbers": [phone("work"), phone("mobile"), phone("fax")] }),
    );
    assert_eq!(
        desk.leaves()["phoneNumbers"].as_array().map(Vec::len),
        Some(3)
    );
}

#[test]
fn of_elements_of_one_key_the_one_that_a_patch_means_goes() {
    let phone = |kind: &str| json!({ "value": "+1555", "type": kind });
    let mut desk = Desk::new();
    desk.post(
        "idp",
        &json!({ "phoneNumbers": [phone("work"), phone("mobile"), phone("fax")] }),
    );
    desk.patch(
        "idp",
        "/Persons",
        &json!([{ "op": "remove", "path": "phoneNumbers[type eq \"work\"]" }]),
    );
    assert_eq!(
        desk.leaves()["phoneNumbers"],
        json!([phone("mobile"), phone("fax")])
    );
    desk.put(
        "idp",
        "/Persons",
        &json!({ "phoneNumbers": [phone("mobile"), phone("fax")] }),
    );
    assert_eq!(
        desk.leaves()["phoneNumbers"],
        json!([phone("mobile"), phone("fax")])
    );
    desk.put(
        "idp",
        "/Persons",
        &json!({ "phoneNumbers": [phone("fax"), phone("home")] }),
    );
    assert_eq!(
        desk.leaves()["phoneNumbers"],
        json!([phone("home"), phone("fax")])
    );
}

#[test]
fn an_echoed_absence_does_not_take_back_a_denial() {
    let mut desk = Desk::new();
    desk.post(
        "hris",
        &json!({ "displayName": "Ada", "emails": [{ "value": "a@x.example", "display": "Ada" }, { "value": "b@x.example" }] }),
    );
    desk.patch(
        "idp",
        "/Persons",
        &json!([
            { "op": "remove", "path": "displayName" },
            { "op": "remove", "path": "emails[value eq \"b@x.example\"]" },
            { "op": "remove", "path": "emails[value eq \"a@x.example\"].display" },
        ]),
    );
    let seen = desk.leaves();
    assert_eq!(seen.get("displayName"), None);
    assert_eq!(seen["emails"], json!([{ "value": "a@x.example" }]));
    desk.put("idp", "/Persons", &json!({ "emails": seen["emails"] }));
    assert_eq!(desk.leaves(), seen);
    let emails = json!([{ "value": "a@x.example", "type": "work" }]);
    desk.put("idp", "/Persons", &json!({ "emails": emails }));
    assert_eq!(desk.leaves()["emails"], emails);
}

#[test]
fn a_put_without_a_sub_attribute_of_another_system_claims_nothing_each_time() {
    let mut desk = Desk::new();
    desk.put(
        "idp",
        "/Users",
        &json!({ "userName": "ada", "emails": [{ "value": "a@x.example" }] }),
    );
    desk.post(
        "ats",
        &json!({ "emails": [{ "value": "a@x.example", "display": "Ada" }] }),
    );
    let before = desk.sources.clone();
    desk.put(
        "idp",
        "/Users",
        &json!({ "userName": "ada", "emails": [{ "value": "a@x.example" }] }),
    );
    desk.sources.sort_by(|a, b| b.system.cmp(&a.system));
    let mut before = before;
    before.sort_by(|a, b| b.system.cmp(&a.system));
    assert_eq!(desk.sources, before);
}
