//! How hiring goes: the row `hiring`, and to whom a change of it goes first.

use super::Policy;
use super::finding::Findings;
use super::read::{Fields, Read, words};
use super::yaml::Node;
use crate::domain::lifecycle::{Early, HiringTerms, Wave};

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
            wave: Some(Wave::All),
        }
    }
}

impl Policy {
    /// What holds today for who applies to a requisition of that job id and id: the canary's rules where it reaches it (B-008,
    /// B-040), else those of the row `hiring`.
    #[must_use]
    pub fn hiring_terms(&self, requisition: Option<(Option<&str>, &str)>) -> HiringTerms {
        let row = self.hiring.as_ref();
        let terms = row.map(HiringTerms::from).unwrap_or_default();
        let rollout = self.rollout.as_ref();
        let canary = rollout.and_then(|rollout| rollout.canary.as_ref());
        let canary = canary.filter(|canary| canary.enabled);
        let Some((canary, rules)) =
            canary.and_then(|canary| Some((canary, canary.hiring.as_ref()?)))
        else {
            return terms;
        };
        if requisition.is_some_and(|(job, id)| canary.scope.reaches(job, id)) {
            return HiringTerms {
                opens_account: terms.opens_account,
                wave: Some(Wave::Canary),
                ..HiringTerms::from(&rules.value)
            };
        }
        HiringTerms {
            wave: Some(Wave::All),
            ..terms
        }
    }
}
