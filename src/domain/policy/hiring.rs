//! How hiring goes: the row `hiring`.

use super::finding::Findings;
use super::read::{Fields, Read, words};
use super::yaml::Node;
use crate::domain::lifecycle::{Early, HiringTerms};

words! {
    /// How an interview before the required verification is met (B-004).
    EarlyInterview, "way to meet an early interview":
    /// It is marked as such.
    Flag = "flag",
    /// It is refused.
    Refuse = "refuse",
}

words! {
    /// What becomes of a closed account on the first day (model.md, the lifecycle, 5).
    AccountOnStart, "thing to do with the account on the first day":
    /// It is left as it is: whoever keeps accounts hears of the day from the feed.
    Leave = "leave",
    /// It is opened.
    Enable = "enable",
}

/// How hiring goes.
#[derive(Clone, Copy, Debug, Default)]
pub struct Hiring {
    /// What becomes of an interview before the required verification; flagged without.
    pub early_interview: EarlyInterview,
    /// For how many days a verification counts that says nothing of it itself; 0: for good.
    pub verification_days: u32,
    /// What becomes of a closed account on the first day; it is left as it is without.
    pub account_on_start: AccountOnStart,
}

impl Read for Hiring {
    fn read(node: &Node, findings: &mut Findings) -> Self {
        let keys = [
            "interviewBeforeVerification",
            "verificationValidDays",
            "accountOnStart",
        ];
        let mut row = Fields::of(node, &keys, findings);
        Self {
            early_interview: row.get("interviewBeforeVerification"),
            verification_days: row.number_or("verificationValidDays", 1..=36_500, 0),
            account_on_start: row.get("accountOnStart"),
        }
    }
}

impl From<&Hiring> for HiringTerms {
    fn from(row: &Hiring) -> Self {
        Self {
            early_interview: match row.early_interview {
                EarlyInterview::Refuse => Early::Refuse,
                EarlyInterview::Flag => Early::Flag,
            },
            verification_days: Some(row.verification_days).filter(|days| *days > 0),
            opens_account: matches!(row.account_on_start, AccountOnStart::Enable),
        }
    }
}
