//! The rules that an application goes by: those of the day on which it began, so that no change of them strands anybody on the way
//! (B-008, B-040). They are written on it, so that whoever looks at it sees them.

use serde_json::Value;

use super::{Early, HiringTerms, number, text};
use crate::domain::record::Leaves;

const WAVE: &str = "hiringRules.wave";
const EARLY: &str = "hiringRules.interviewBeforeVerification";
const DAYS: &str = "hiringRules.verificationValidDays";

/// Which rules they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wave {
    /// Everybody's.
    All,
    /// Those that are tried with a few first.
    Canary,
}

impl HiringTerms {
    /// What is written on an application that begins; nothing where the policy says nothing of hiring.
    #[must_use]
    pub fn begun(&self) -> Vec<(&'static str, Value)> {
        let Some(wave) = self.wave else {
            return Vec::new();
        };
        let wave = match wave {
            Wave::All => "all",
            Wave::Canary => "canary",
        };
        let early = match self.early_interview {
            Early::Flag => "flag",
            Early::Refuse => "refuse",
        };
        let mut facts = vec![(WAVE, wave.into()), (EARLY, early.into())];
        facts.extend(self.verification_days.map(|days| (DAYS, days.into())));
        facts
    }

    /// These, but for what is written on an application: that stays as it was when it began.
    #[must_use]
    pub fn kept_by(self, application: Option<&Leaves>) -> Self {
        let Some(application) = application.filter(|leaves| leaves.contains_key(WAVE)) else {
            return self;
        };
        let early = match text(application, EARLY) {
            Some("refuse") => Early::Refuse,
            _ => Early::Flag,
        };
        Self {
            early_interview: early,
            verification_days: number(application, DAYS).and_then(|days| days.try_into().ok()),
            ..self
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_on_an_application_holds_for_it() {
        let began = HiringTerms {
            early_interview: Early::Refuse,
            verification_days: Some(30),
            opens_account: false,
            wave: Some(Wave::Canary),
        };
        let written = began.begun();
        let written = written
            .into_iter()
            .map(|(path, value)| (path.into(), value));
        let written: Leaves = written.collect();
        let today = HiringTerms {
            opens_account: true,
            ..HiringTerms::default()
        };
        let kept = today.kept_by(Some(&written));
        assert_eq!(
            (
                kept.early_interview,
                kept.verification_days,
                kept.opens_account
            ),
            (Early::Refuse, Some(30), true)
        );
        assert_eq!(today.kept_by(Some(&Leaves::default())), today);
        assert!(today.begun().is_empty());
    }
}
