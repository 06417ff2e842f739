//! The people on the two servers: what is hidden of them differs.

use serde_json::{Value, json};

use crate::support::{CUSTOMER, EMPLOYEE, PERSON};

/// What is hidden of one person, on either server.
pub(super) struct Hidden {
    pub(super) born: &'static str,
    pub(super) home: Option<&'static str>,
    pub(super) place: &'static str,
    pub(super) street: Option<&'static str>,
    pub(super) legal: &'static str,
    pub(super) badge: &'static str,
    pub(super) phone: &'static str,
    pub(super) passport: &'static str,
    pub(super) nation: &'static str,
    /// What nobody may know that there is of anybody.
    pub(super) job: &'static str,
}

/// The same people, as either server knows them. What is hidden by `lastFour` differs in what is hidden alone.
pub(super) const PEOPLE: [[Hidden; 4]; 2] = [
    [
        Hidden {
            born: "1815-12-10",
            home: Some("ada@home.example"),
            place: "Ockham",
            street: Some("1 Hill"),
            legal: "Augusta King",
            badge: "7",
            phone: "+44 20 7946 0123",
            passport: "PZ-1001",
            nation: "GB",
            job: "Enchantress",
        },
        Hidden {
            born: "1906-12-09",
            home: None,
            place: "York",
            street: None,
            legal: "Grace Hopper",
            badge: "8",
            phone: "+1 212 555 0199",
            passport: "PZ-1002",
            nation: "US",
            job: "Admiral",
        },
        Hidden {
            born: "1912-06-23",
            home: Some("alan@home.example"),
            place: "Wilmslow",
            street: None,
            legal: "Alan Turing",
            badge: "9",
            phone: "+44 16 2555 4444",
            passport: "PZ-1003",
            nation: "GB",
            job: "Fellow",
        },
        Hidden {
            born: "1918-08-26",
            home: Some("kj@home.example"),
            place: "Hampton",
            street: Some("2 Road"),
            legal: "Katherine Johnson",
            badge: "10",
            phone: "+1 757 555 7777",
            passport: "PZ-1004",
            nation: "US",
            job: "Computer",
        },
    ],
    [
        Hidden {
            born: "1815-01-01",
            home: None,
            place: "Paris",
            street: None,
            legal: "Somebody Else",
            badge: "17",
            phone: "+33 14 0000 0123",
            passport: "QQ-2001",
            nation: "FR",
            job: "Poet",
        },
        Hidden {
            born: "1906-01-01",
            home: Some("grace@home.example"),
            place: "Berlin",
            street: None,
            legal: "No One",
            badge: "18",
            phone: "+49 30 1234 0199",
            passport: "QQ-2002",
            nation: "DE",
            job: "Sailor",
        },
        Hidden {
            born: "1912-01-01",
            home: None,
            place: "Rome",
            street: Some("5 Via"),
            legal: "A. M.",
            badge: "19",
            phone: "+39 06 9876 4444",
            passport: "QQ-2003",
            nation: "IT",
            job: "Runner",
        },
        Hidden {
            born: "1918-01-01",
            home: Some("other@home.example"),
            place: "Oslo",
            street: Some("2 Road"),
            legal: "K. G.",
            badge: "20",
            phone: "+47 22 3333 7777",
            passport: "QQ-2004",
            nation: "NO",
            job: "Pilot",
        },
    ],
];

pub(super) const NAMES: [&str; 4] = ["ada", "grace", "alan", "katherine"];

/// What the two servers differ in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Differ {
    /// Values that are omitted.
    Whole,
    /// The hidden part of values.
    Part,
    /// All of whom the client's role does not reach.
    Reach,
}

/// How somebody is called on a server.
pub(super) fn called(name: &str, side: usize, differ: Differ) -> String {
    if differ == Differ::Reach && side == 1 {
        name.chars().rev().collect()
    } else {
        name.to_owned()
    }
}

/// A customer, whom the client reaches, alike on both servers.
pub(super) fn customer(name: &str) -> Value {
    json!({
        "schemas": [PERSON, CUSTOMER],
        "displayName": format!("{name} & sons"),
        "name": {"givenName": name, "familyName": "Sons"},
        "emails": [{"value": format!("{name}@sons.example"), "type": "work"}],
        CUSTOMER: {"status": "customer"},
    })
}

/// What the HRIS says of a person; whether somebody has a home address or not is hidden too, or, with
/// `Differ::Part`, whether one has a street.
pub(super) fn said(name: &str, hidden: &Hidden, differ: Differ) -> Value {
    let mut emails = vec![
        json!({"value": format!("{name}@corp.example"), "type": "work", "primary": hidden.home.is_none()}),
    ];
    if let Some(home) = hidden.home {
        emails.push(json!({"value": home, "type": "home", "primary": true}));
    }
    // The mark of the hidden one takes nothing from the other.
    emails[0]["primary"] = json!(true);
    if let Some(home) = emails.get_mut(1) {
        home["primary"] = json!(false);
    }
    let mut other = json!({"country": "GB", "type": "other"});
    if let Some(street) = hidden.street.filter(|_| differ == Differ::Part) {
        other["streetAddress"] = street.into();
    }
    json!({
        "schemas": [PERSON, EMPLOYEE],
        "displayName": name,
        "name": {"givenName": name, "familyName": "Test"},
        "legalName": hidden.legal,
        "birthDate": hidden.born,
        "emails": emails,
        "addresses": [{"locality": hidden.place, "type": "home"}, {"locality": "London", "type": "work"}, other],
        "phoneNumbers": [{"value": hidden.phone, "type": "work"}],
        "legalIdentifiers": [{"type": "passport", "country": "GB", "value": hidden.passport}],
        "nationalities": [hidden.nation],
        "employmentHistory": [{"organization": "Engines", "title": hidden.job}],
        "externalIdentifiers": [{"system": "greenhouse", "field": "candidate_id", "value": hidden.badge}],
        EMPLOYEE: {"department": "Engines"},
    })
}
