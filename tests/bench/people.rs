//! Who is in the database. Everybody has a token of fixed width, which stands in each value that is theirs alone.

use serde_json::{Value, json};

/// Persons that are written one by one through the server; larger databases multiply most of them.
pub(crate) const WRITTEN: usize = 1000;
/// The first of them that may be multiplied.
pub(crate) const PLAIN: usize = 100;
/// Persons who get [`TITLE`] and so are found by the compound filter, and how many of them are contractors.
pub(crate) const MARKED: usize = 60;
pub(crate) const CONTRACTORS: usize = 10;
/// A title that nobody else has.
pub(crate) const TITLE: &str = "Harpsichord Maker";
/// The most members of the group.
pub(crate) const MEMBERS: usize = 100_000;

const GIVEN: [&str; 16] = [
    "Ada",
    "Alan",
    "Barbara",
    "Claude",
    "Donald",
    "Edsger",
    "Frances",
    "Grace",
    "Hedy",
    "Ivan",
    "Jean",
    "Katherine",
    "Leslie",
    "Margaret",
    "Niklaus",
    "Radia",
];
const FAMILY: [&str; 16] = [
    "Allen",
    "Bartik",
    "Dijkstra",
    "Hamilton",
    "Hopper",
    "Johnson",
    "Knuth",
    "Lamarr",
    "Lamport",
    "Liskov",
    "Lovelace",
    "Perlman",
    "Shannon",
    "Sutherland",
    "Turing",
    "Wirth",
];
const TITLES: [&str; 8] = [
    "Accountant",
    "Buyer",
    "Clerk",
    "Designer",
    "Engineer",
    "Nurse",
    "Teacher",
    "Technician",
];
const DEPARTMENTS: [&str; 6] = [
    "Finance",
    "Logistics",
    "Operations",
    "Research",
    "Sales",
    "Support",
];

/// What tells person `n` from all others.
pub(crate) fn token(n: usize) -> String {
    format!("p{n:07}")
}

/// The work address of person `n`, which is the `userName` too.
pub(crate) fn address(n: usize) -> String {
    format!("{}@example.com", token(n))
}

/// Person `n` as an HR system would send it: about 1.3 kB, 30 values.
pub(crate) fn user(n: usize) -> Value {
    let token = token(n);
    let (given, family) = (GIVEN[n % 16], FAMILY[n / 16 % 16]);
    json!({
        "schemas": [
            "urn:ietf:params:scim:schemas:core:2.0:User",
            "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User",
        ],
        "externalId": format!("hr-{token}"),
        "userName": address(n),
        "name": {
            "formatted": format!("{given} {family}"),
            "familyName": family,
            "givenName": given,
        },
        "displayName": format!("{given} {family} {token}"),
        "title": TITLES[n % 8],
        "userType": "Employee",
        "preferredLanguage": "en-US",
        "locale": "en-US",
        "timezone": "Europe/Zurich",
        "active": true,
        "emails": [
            { "value": address(n), "type": "work", "primary": true },
            { "value": format!("{token}@home.example.net"), "type": "home" },
        ],
        "phoneNumbers": [
            { "value": format!("tel:+41-44-200-{:04}", n % 10_000), "type": "work" },
        ],
        "addresses": [{
            "type": "work",
            "streetAddress": format!("{} Main Street", n % 200),
            "locality": "Springfield",
            "region": "CA",
            "postalCode": format!("{:05}", 90_000 + n % 500),
            "country": "US",
        }],
        "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User": {
            "employeeNumber": token,
            "costCenter": format!("{}", 4000 + n % 40),
            "organization": "Universal Exports",
            "department": DEPARTMENTS[n % 6],
        },
    })
}
