//! What holds on which day, on pure values.

use chrono::{DateTime, NaiveDate, Utc};
use serde_json::{Value, json};

use super::*;
use crate::domain::access::Classified;
use crate::domain::catalog::Catalog;
use crate::domain::claim::{SINGLE, Stamp};
use crate::domain::survivorship::Rulings;
use crate::id::{IdSource, SeededIds};

/// What one system says, each thing at a time of its own.
struct Desk {
    catalog: Catalog,
    ids: SeededIds,
    hris: SourceRecord,
}

fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

impl Desk {
    fn new() -> Self {
        Self {
            catalog: Catalog::load().unwrap(),
            ids: SeededIds::new(3),
            hris: SourceRecord::new("hris", DateTime::UNIX_EPOCH),
        }
    }

    fn stamp(&self, at: &str) -> Stamp {
        let at: DateTime<Utc> = format!("{at}T09:00:00Z").parse().unwrap();
        let event = self.ids.event(at);
        Stamp {
            at,
            event,
            told: false,
        }
    }

    fn says(&mut self, at: &str, title: impl Into<Value>) -> &mut Self {
        let (path, stamp) = ("jobTitle", self.stamp(at));
        self.hris
            .claims
            .claim(path, SINGLE, title.into(), stamp, &mut 0);
        self
    }

    fn dates(&mut self, at: &str, from: &str, change: Value) -> &mut Self {
        let (mut change, stamp) = (change, self.stamp(at));
        change[DAY] = from.into();
        self.hris.claims.claim(PATH, from, change, stamp, &mut 0);
        self
    }

    fn holding(&self, today: &str, end: Option<&str>) -> Vec<Holding> {
        let rules = Rules {
            specs: self.catalog.specs(Kind::Employment),
            classified: &Classified::default(),
            rulings: &Rulings::default(),
        };
        let until = (day(today), end.map(day));
        holding(&rules, std::slice::from_ref(&self.hris), until)
    }

    fn title(&self, today: &str) -> Option<String> {
        let holding = self.holding(today, None).into_iter();
        let mut titles = holding.filter(|one| one.path == "jobTitle");
        titles.next().map(|one| one.value.as_str().unwrap().into())
    }
}

/// from its day on, and not before.
#[test]
fn a_change_holds_from_its_day_on() {
    let mut desk = Desk::new();
    desk.says("2031-01-10", "Mate")
        .dates("2031-01-10", "2031-03-01", json!({"jobTitle": "Captain"}))
        .dates(
            "2031-01-10",
            "2031-05-01",
            json!({"jobTitle": "Commodore", "department": "Fleet"}),
        );
    assert_eq!(desk.title("2031-02-28"), None);
    assert_eq!(desk.title("2031-03-01").as_deref(), Some("Captain"));
    assert_eq!(desk.title("2031-05-01").as_deref(), Some("Commodore"));
    assert_eq!(desk.holding("2031-04-30", None).len(), 1);
    assert_eq!(desk.holding("2031-05-01", None).len(), 2);
    // What was to come after the end does not come.
    let last = desk.holding("2032-01-01", Some("2031-04-30"));
    assert_eq!(last.len(), 1);
    assert_eq!(last[0].value, "Captain");
}

/// what was said last of the attribute itself stands, if that was after the day and after the change was said.
#[test]
fn what_is_said_anew_after_the_day_stands() {
    let mut desk = Desk::new();
    desk.says("2031-01-10", "Mate").dates(
        "2031-01-10",
        "2031-03-01",
        json!({"jobTitle": "Captain"}),
    );
    // Before the day: still what stands until then.
    desk.says("2031-02-10", "Boatswain");
    assert_eq!(desk.title("2031-03-02").as_deref(), Some("Captain"));
    desk.says("2031-03-05", "Cook");
    assert_eq!(desk.title("2031-03-06"), None);
    // A back-dated change, said later than that.
    desk.dates("2031-03-07", "2031-03-02", json!({"jobTitle": "Diver"}));
    assert_eq!(desk.title("2031-03-07").as_deref(), Some("Diver"));
    // Of two that are past, the later day counts, whenever they were said.
    desk.dates("2031-03-08", "2031-02-01", json!({"jobTitle": "Stoker"}));
    assert_eq!(desk.title("2031-03-08").as_deref(), Some("Diver"));
    // That there is none is said too.
    desk.says("2031-03-09", Value::Null);
    assert_eq!(desk.title("2031-03-09"), None);
}

/// said in one breath with what it replaces, it holds at once if its day is past.
#[test]
fn what_is_said_together_is_in_the_order_of_the_days() {
    let mut desk = Desk::new();
    let stamp = desk.stamp("2031-03-10");
    let change = json!({"effectiveDate": "2031-03-01", "jobTitle": "Captain"});
    let claims = &mut desk.hris.claims;
    claims.claim("jobTitle", SINGLE, "Mate".into(), stamp, &mut 0);
    claims.claim(PATH, "2031-03-01", change, stamp, &mut 0);
    assert_eq!(desk.title("2031-03-10").as_deref(), Some("Captain"));
    let [one] = &desk.holding("2031-03-10", None)[..] else {
        panic!("one holds")
    };
    assert_eq!(one.event, stamp.event.to_string());
    assert_eq!(one.since, stamp.at.timestamp_micros());
}

#[test]
fn what_cannot_be_is_told() {
    let list = |changes: Value| {
        Leaves::from([
            (PATH.to_owned(), changes),
            ("endDate".to_owned(), "2031-06-30".into()),
        ])
    };
    let late = json!([{"effectiveDate": "2031-07-01", "jobTitle": "Captain"}]);
    let wrong = check(None, &list(late.clone())).unwrap_err().to_string();
    assert!(
        wrong.contains("].effectiveDate' is after 'endDate'"),
        "{wrong}"
    );
    // What was planned before the end came earlier is left alone.
    assert_eq!(check(Some(&list(late.clone())), &list(late)), Ok(()));
    let empty = json!([{"effectiveDate": "2031-05-01", "reasonCode": "Transfer"}]);
    let wrong = check(None, &list(empty)).unwrap_err().to_string();
    assert!(
        wrong.contains("changes nothing: it takes jobTitle"),
        "{wrong}"
    );
    let twice = json!([
        {"effectiveDate": "2031-05-01", "jobTitle": "Captain"}, {"effectiveDate": "2031-05-01", "department": "Fleet"},
    ]);
    let wrong = check(None, &list(twice)).unwrap_err();
    assert_eq!(wrong, Wrong::Twice("2031-05-01".into()));
}

/// What hides an attribute hides what is to become of it, and what hides that hides the day.
#[test]
fn a_change_is_shown_to_whom_the_attribute_is() {
    let of = |kind, path: &str| shown_in(Some(kind), path).collect::<Vec<_>>();
    assert_eq!(of(Kind::Employment, "manager"), ["datedChanges.managerId"]);
    assert_eq!(
        of(Kind::Employment, "manager.value"),
        ["datedChanges.managerId"]
    );
    assert_eq!(of(Kind::Employment, "jobTitle"), ["datedChanges.jobTitle"]);
    assert_eq!(of(Kind::Employment, "datedChanges"), [NEXT]);
    assert!(of(Kind::Requisition, "location").is_empty());
    assert!(of(Kind::Employment, "compensation").is_empty());
}
