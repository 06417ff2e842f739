//! The join keys in use: what records of several systems could be put together by, and how likely each is to put two into one
//! that are two, or to part one (B-035, B-081). Counts go in and ranked rows come out: never a value of anybody's.

use std::cmp::Reverse;

use serde_json::{Value, json};

use super::normal;
use crate::domain::kpi::share;

/// Mailboxes of a function and not of a human being: those of RFC 2142 §3 to §5, and what companies add to them.
const ROLES: [&str; 34] = [
    "abuse",
    "admin",
    "administrator",
    "billing",
    "bewerbung",
    "careers",
    "contact",
    "enquiries",
    "hello",
    "help",
    "hostmaster",
    "hr",
    "info",
    "jobs",
    "kontakt",
    "mail",
    "marketing",
    "no-reply",
    "noc",
    "noreply",
    "office",
    "payroll",
    "postmaster",
    "reception",
    "recruiting",
    "recruitment",
    "root",
    "sales",
    "security",
    "service",
    "support",
    "talent",
    "team",
    "webmaster",
];

/// What sort of thing a key is; the most treacherous first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Nature {
    /// An e-mail address.
    Email,
    /// Given name, family name and date of birth together.
    NameAndBirth,
    /// A phone number.
    Phone,
    /// What a system calls its record.
    Issued,
    /// What a state issued, by its blind index.
    LegalIdentifier,
}

/// How likely a join by a key is to be wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Risk {
    /// Safe as far as is seen.
    Low,
    /// Safe together with something else.
    Medium,
    /// Never by itself.
    High,
}

impl Risk {
    /// `low`, `medium` or `high`.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
        }
    }
}

/// Who holds the values of a key.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// How many records hold one.
    pub records: usize,
    /// How many different ones there are.
    pub values: usize,
    /// How many of them more than one record holds.
    pub shared: usize,
    /// How many records hold the one that most do.
    pub largest: usize,
}

/// What e-mail addresses tell by themselves.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Mailboxes {
    /// How many were looked at.
    addresses: usize,
    /// Mailboxes of a function.
    roles: usize,
    /// Other ways to write an address that is compared without: `ada+jobs@`, `@googlemail.com`.
    aliases: usize,
}

impl Mailboxes {
    /// Counts one different address.
    pub fn add(&mut self, address: &str) {
        let Some(plain) = normal::email(address) else {
            return;
        };
        self.addresses += 1;
        self.roles += usize::from(ROLES.contains(&normal::halves(&plain).0));
        self.aliases += usize::from(plain != address.trim().to_lowercase());
    }
}

/// A key and who holds it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JoinKey {
    /// Its name: `email`, or `SYSTEM:FIELD`.
    pub name: String,
    /// The type of the records that hold it, such as `Person`.
    pub record: &'static str,
    /// What sort of thing it is.
    pub nature: Nature,
    /// Who holds it.
    pub counts: Counts,
    /// Of e-mail addresses only.
    pub mailboxes: Option<Mailboxes>,
}

impl JoinKey {
    /// How likely a join by it is to be wrong, and why, in a sentence. An e-mail address is risky by its nature, whatever is seen.
    #[must_use]
    pub fn risk(&self) -> (Risk, &'static str) {
        let Counts {
            records,
            values,
            shared,
            ..
        } = self.counts;
        match (self.nature, shared > 0) {
            (Nature::Email, true) => (
                Risk::High,
                "More than one record holds the same address, and addresses are aliased, shared and given to others: never join by it alone.",
            ),
            (Nature::Email, false) => (
                Risk::High,
                "No two records hold the same address today, but addresses are aliased, shared and given to others: never join by it alone.",
            ),
            (Nature::NameAndBirth, true) => (
                Risk::High,
                "More than one record has the same name and date of birth: two people, or one who is on record twice.",
            ),
            (Nature::NameAndBirth, false) => (
                Risk::Medium,
                "People share names and dates of birth, and systems write names differently: join by it with something else.",
            ),
            (Nature::Phone, true) => (
                Risk::High,
                "More than one record holds the same number: households and offices share them.",
            ),
            (Nature::Phone, false) => (
                Risk::Medium,
                "Numbers are shared in households and given to others in time: join by it with something else.",
            ),
            (Nature::Issued, true) => (
                Risk::High,
                "More than one record holds what its system issued once: the system uses it again, or a record is here twice.",
            ),
            (Nature::Issued, false) if values > records => (
                Risk::Medium,
                "Some record holds several: its system knows one thing by two names, so a join by it misses some.",
            ),
            (Nature::Issued, false) => (
                Risk::Low,
                "One record for each; it is unique in its system alone: join by system, field and value together.",
            ),
            (Nature::LegalIdentifier, true) => (
                Risk::High,
                "More than one record holds the same number: a mistyped or borrowed one, or one person who is on record twice.",
            ),
            (Nature::LegalIdentifier, false) => (
                Risk::Low,
                "A state issues it once, and no two records hold the same.",
            ),
        }
    }

    /// As it is printed: `key`, `record`, `records`, `values`, `sharedValues`, `largestGroup`, `risk` and `reason`; of e-mail
    /// addresses `roleAddressPercent` and `aliasPercent` too.
    #[must_use]
    pub fn told(&self) -> Value {
        let (risk, reason) = self.risk();
        let mut told = json!({
            "key": self.name,
            "record": self.record,
            "records": self.counts.records,
            "values": self.counts.values,
            "sharedValues": self.counts.shared,
            "largestGroup": self.counts.largest,
            "risk": risk.word(),
            "reason": reason,
        });
        if let Some(boxes) = self.mailboxes {
            told["roleAddressPercent"] = share(boxes.roles, boxes.addresses);
            told["aliasPercent"] = share(boxes.aliases, boxes.addresses);
        }
        told
    }
}

/// The keys that any record holds, the riskiest first: by rank, by nature, by the share of values that are shared, by name.
#[must_use]
pub fn ranked(keys: Vec<JoinKey>) -> Vec<JoinKey> {
    let mut used: Vec<JoinKey> = keys
        .into_iter()
        .filter(|key| key.counts.records > 0)
        .collect();
    used.sort_by_cached_key(|key| {
        let counts = key.counts;
        let per_mille = counts.shared * 1000 / counts.values.max(1);
        let risk = Reverse(key.risk().0);
        let name = (key.record, key.name.clone());
        (risk, key.nature, Reverse(per_mille), name)
    });
    used
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(nature: Nature, name: &str, [records, values, shared, largest]: [usize; 4]) -> JoinKey {
        let counts = Counts {
            records,
            values,
            shared,
            largest,
        };
        JoinKey {
            name: name.to_owned(),
            record: "Person",
            nature,
            counts,
            mailboxes: None,
        }
    }

    /// B-035, B-081: e-mail is first and high, though nobody shares an address; what nobody holds is no key in use.
    #[test]
    fn the_riskiest_come_first() {
        let keys = ranked(vec![
            key(Nature::Issued, "ats:id", [3, 3, 0, 1]),
            key(Nature::LegalIdentifier, "legalIdentifier", [0; 4]),
            key(Nature::Issued, "crm:id", [3, 2, 1, 2]),
            key(Nature::Issued, "hris:id", [3, 4, 0, 1]),
            key(Nature::Issued, "erp:id", [4, 2, 2, 2]),
            key(Nature::Phone, "phone", [3, 3, 0, 1]),
            key(Nature::Email, "email", [3, 3, 0, 1]),
        ]);
        let told: Vec<(&str, &str)> = keys
            .iter()
            .map(|key| (key.name.as_str(), key.risk().0.word()))
            .collect();
        assert_eq!(
            told,
            [
                ("email", "high"),
                ("erp:id", "high"),
                ("crm:id", "high"),
                ("phone", "medium"),
                ("hris:id", "medium"),
                ("ats:id", "low")
            ]
        );
    }

    #[test]
    fn whoever_shares_a_number_or_a_name_raises_its_rank() {
        for nature in [Nature::Phone, Nature::NameAndBirth, Nature::LegalIdentifier] {
            let apart = key(nature, "k", [2, 2, 0, 1]).risk().0;
            let shared = key(nature, "k", [2, 1, 1, 2]).risk().0;
            assert!(apart < Risk::High && shared == Risk::High, "{nature:?}");
        }
    }

    #[test]
    fn role_addresses_and_aliases_are_told_by_what_they_look_like() {
        let mut boxes = Mailboxes::default();
        for address in [
            "ada@example.org",
            "ada+jobs@example.org",
            "info@example.org",
            "information@example.org",
            "ada@googlemail.com",
            "nobody",
        ] {
            boxes.add(address);
        }
        assert_eq!(
            boxes,
            Mailboxes {
                addresses: 5,
                roles: 1,
                aliases: 2
            }
        );
    }
}
