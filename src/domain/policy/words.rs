//! The words that keys of the second part may have, and its days.

use super::finding::Findings;
use super::read::{Read, one_of, words};
use super::yaml::Node;
use crate::domain::context::Right;
use crate::scim::profile::Profile;

words! {
    /// What a system is.
    SystemKind, "kind of system":
    /// Applicant tracking.
    Ats = "ats",
    /// Human resources.
    Hris = "hris",
    /// Customer relations.
    Crm = "crm",
    /// An identity provider.
    Idp = "idp",
    /// A verification service.
    Verification = "verification",
    /// An assessment vendor.
    Assessment = "assessment",
}

words! {
    /// What the word of those who are not master is.
    Others, "way to treat others":
    /// A suggestion.
    Suggest = "suggest",
}

words! {
    /// How claims come to one value.
    Rule, "survivorship rule":
    /// The first system in the order that says anything.
    SourcePriority = "sourcePriority",
    /// The newest claim.
    MostRecent = "mostRecent",
    /// All elements together.
    Union = "union",
    /// The longest text.
    Longest = "longest",
    /// The claim with the most parts.
    MostComplete = "mostComplete",
}

words! {
    /// What is left of a hidden value.
    Treatment, "treatment":
    /// Nothing.
    Omit = "omit",
    /// A fixed text.
    Redact = "redact",
    /// Its last four letters and digits.
    LastFour = "lastFour",
    /// The first letter and the domain of an address.
    MaskEmail = "maskEmail",
    /// The year of a date.
    Year = "year",
    /// A name that only this client sees, always the same for the same value.
    Hash = "hash",
}

words! {
    /// What happens when it is kept no longer.
    Then, "end of retention":
    /// The person cannot be known from it.
    Anonymize = "anonymize",
    /// It is gone.
    Erase = "erase",
}

words! {
    /// The legal basis of keeping it.
    Basis, "legal basis":
    /// The person agreed.
    Consent = "consent",
    /// A contract needs it.
    Contract = "contract",
    /// A law demands it.
    LegalObligation = "legalObligation",
    /// Somebody's life hangs on it.
    VitalInterest = "vitalInterest",
    /// A public task needs it.
    PublicTask = "publicTask",
    /// An interest that outweighs the person's.
    LegitimateInterest = "legitimateInterest",
}

/// A calendar day, `2027-06-30`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Day(pub String);

impl Read for Day {
    fn read(node: &Node, findings: &mut Findings) -> Self {
        let text = String::read(node, findings);
        if !text.is_empty() && (text.len() != 10 || text.parse::<chrono::NaiveDate>().is_err()) {
            let reason = format!("'{text}' is no day: write it as 2027-06-30");
            findings.error(node.at, reason);
        }
        Self(text)
    }
}

impl Default for Right {
    /// The least.
    fn default() -> Self {
        Self::Read
    }
}

impl Read for Right {
    fn read(node: &Node, findings: &mut Findings) -> Self {
        let known = Self::ALL.map(|right| (right.name(), right));
        one_of("right", &known, node, findings)
    }
}

/// How a client speaks SCIM.
impl Read for Profile {
    fn read(node: &Node, findings: &mut Findings) -> Self {
        let known = Self::ALL.map(|profile| (profile.name(), profile));
        one_of("profile", &known, node, findings)
    }
}
