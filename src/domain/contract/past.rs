//! The versions of contracts that have been superseded. Whoever relies on one still finds it, as it was published.
//!
//! To break a contract: leave its file in `conformance/contracts` as it is, name it in `PAST`, and let the test write the
//! file of the next version, which is made from then on. All that Verification has is an object's too, and can therefore never be
//! confidential; of a type of which something can, a superseded version would have to be kept from strangers.

use super::{Contract, Subject};

/// A superseded version.
struct Past {
    name: &'static str,
    major: u32,
    subject: Subject,
    /// Its file.
    text: &'static str,
}

/// In order of their versions.
const PAST: &[Past] = &[
    // Reasons and signals were any text, and the evidence might have stood in its own reference.
    Past {
        name: "VerificationEvent",
        major: 1,
        subject: Subject::Object,
        text: include_str!("../../../conformance/contracts/VerificationEvent-1.0.json"),
    },
    Past {
        name: "VerificationResource",
        major: 1,
        subject: Subject::Resource,
        text: include_str!("../../../conformance/contracts/VerificationResource-1.0.json"),
    },
];

/// The version that is made now: 1.0, or the one after the last that was superseded.
pub(super) fn current(name: &str) -> String {
    version(after(PAST, name))
}

/// Every superseded version.
pub(super) fn contracts() -> Vec<Contract> {
    PAST.iter().filter_map(Past::contract).collect()
}

fn after(past: &[Past], name: &str) -> u32 {
    let known = past.iter().filter(|past| past.name == name);
    known.map(|past| past.major).max().unwrap_or(0) + 1
}

fn version(major: u32) -> String {
    format!("{major}.0")
}

impl Past {
    /// A file that is no JSON is no contract; a test reads them all.
    fn contract(&self) -> Option<Contract> {
        Some(Contract {
            name: self.name.to_owned(),
            version: version(self.major),
            subject: self.subject,
            schema: serde_json::from_str(self.text).ok()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_superseded_is_served_as_it_was_and_the_next_version_is_made() {
        let past = [Past {
            name: "Offer",
            major: 1,
            subject: Subject::Object,
            text: r#"{"$id": "urn:muster:contract:Offer:1.0"}"#,
        }];
        assert_eq!((after(&past, "Offer"), after(&past, "Interview")), (2, 1));
        let kept = past[0].contract().unwrap();
        assert_eq!(
            (kept.name.as_str(), kept.version.as_str()),
            ("Offer", "1.0")
        );
        assert_eq!(kept.schema["$id"], "urn:muster:contract:Offer:1.0");
    }

    #[test]
    fn every_superseded_version_can_be_read() {
        assert_eq!(contracts().len(), PAST.len());
    }
}
