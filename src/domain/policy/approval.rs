//! What Security owns of a policy (B-016): a change of it comes into force only with Security's approval of the whole text.

use super::finding::{Findings, Placed};
use super::read::{Fields, Read};
use super::yaml::{Content, Node};
use super::{POLICY, yaml};

/// Whose approval a change takes.
#[derive(Clone, Debug, Default)]
pub struct Approval {
    /// The clients that speak for Security.
    pub security: Vec<Placed<String>>,
}

impl Read for Approval {
    fn read(node: &Node, findings: &mut Findings) -> Self {
        let mut row = Fields::of(node, &["security"], findings);
        Self {
            security: row.need("security"),
        }
    }
}

/// The parts that are Security's: who approves, thresholds of verification, what is hidden, and how long something is kept.
const OWNED: [&[&str]; 9] = [
    &["owner"],
    &["approval"],
    &["schema", "objects", "VerificationEvent"],
    &["hiring", "interviewBeforeVerification"],
    &["hiring", "verificationValidDays"],
    &["masking"],
    &["secret"],
    &["retention"],
    &["observability"],
];
/// Security's too where it says how hiring goes, since then its reach decides whom that is for.
const CANARY: [&str; 2] = ["rolloutControls", "canary"];

/// What a text changes of Security's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reserved {
    /// The clients one of which has to approve it.
    pub by: Vec<String>,
    /// The parts.
    pub parts: Vec<String>,
}

/// What `after` changes of what is Security's in `before`; nothing if `before` asks for no approval, or it changes nothing of that.
#[must_use]
pub fn reserved(before: &[u8], after: &[u8]) -> Option<Reserved> {
    let read = |text| yaml::read(text, POLICY, &mut Findings::default());
    let (before, after) = (read(before)?, read(after)?);
    let by = texts(at(&before, &["approval", "security"]));
    if by.is_empty() {
        return None;
    }
    let mut parts: Vec<String> = OWNED
        .iter()
        .filter(|path| !alike(at(&before, path), at(&after, path)))
        .map(|path| path.join("."))
        .collect();
    let [rollout, canary] = CANARY;
    let rules = [rollout, canary, "hiring"];
    let decides = at(&before, &rules).or(at(&after, &rules)).is_some();
    if decides && !alike(at(&before, &CANARY), at(&after, &CANARY)) {
        parts.push(CANARY.join("."));
    }
    // Who speaks for Security is told by which tokens are the client's.
    let changed = |name: &&String| !alike(client(&before, name), client(&after, name));
    parts.extend(
        by.iter()
            .filter(changed)
            .map(|name| format!("the client {name}")),
    );
    (!parts.is_empty()).then_some(Reserved { by, parts })
}

fn at<'n>(node: &'n Node, path: &[&str]) -> Option<&'n Node> {
    let Some((first, rest)) = path.split_first() else {
        return Some(node);
    };
    let Content::Mapping(pairs) = &node.content else {
        return None;
    };
    let found = pairs.iter().find(|(name, _)| name.value == *first);
    at(&found?.1, rest)
}

fn client<'n>(policy: &'n Node, name: &str) -> Option<&'n Node> {
    let Content::List(rows) = &at(policy, &["clients"])?.content else {
        return None;
    };
    let is_it = |row: &Node| texts(at(row, &["name"])).iter().any(|known| known == name);
    rows.iter().map(|row| &**row).find(|row| is_it(row))
}

/// A text, or those of a list.
fn texts(node: Option<&Node>) -> Vec<String> {
    match node.map(|node| &node.content) {
        Some(Content::Scalar { text, .. }) => vec![text.clone()],
        Some(Content::List(items)) => items.iter().flat_map(|item| texts(Some(item))).collect(),
        _ => Vec::new(),
    }
}

fn alike(one: Option<&Node>, other: Option<&Node>) -> bool {
    match (one, other) {
        (None, None) => true,
        (Some(one), Some(other)) => one.says_the_same(other),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BEFORE: &str = "version: 1
owner: { business: A, security: B, engineering: C }
approval: { security: [soc] }
hiring: { verificationValidDays: 90, accountOnStart: leave }
clients:
  - { name: soc, issuer: a }
  - { name: crm, issuer: a }
rolloutControls: { canary: { enabled: true, scope: { jobIds: [R1] } } }
retention: []
";

    fn parts(change: (&str, &str)) -> Vec<String> {
        let after = BEFORE.replacen(change.0, change.1, 1);
        assert_ne!(after, BEFORE, "{change:?}");
        let found = reserved(BEFORE.as_bytes(), after.as_bytes());
        found.map_or_else(Vec::new, |found| found.parts)
    }

    /// B-016: thresholds and retention are Security's, and so is who speaks for it; how the file is laid out is nobody's.
    #[test]
    fn what_security_owns_is_told() {
        for (change, told) in [
            (("90", "30"), "hiring.verificationValidDays"),
            (("retention: []", ""), "retention"),
            (("[soc]", "[soc, crm]"), "approval"),
            (("approval: { security: [soc] }", ""), "approval"),
            (("soc, issuer: a", "soc, issuer: b"), "the client soc"),
            (("security: B", "security: D"), "owner"),
            (("version: 1", "version: 1\nsecret: [birthDate]"), "secret"),
            (
                (
                    "jobIds: [R1] }",
                    "jobIds: [R1] }, hiring: { verificationValidDays: 1 }",
                ),
                "rolloutControls.canary",
            ),
        ] {
            assert_eq!(parts(change), [told], "{change:?}");
        }
        for change in [
            ("leave", "enable"),
            ("crm, issuer: a", "crm, issuer: b"),
            ("[R1]", "[R2]"),
            ("{ business: A, security: B", "{ security: B, business: A"),
            ("version: 1", "# of 2026\nversion: 1"),
        ] {
            assert_eq!(parts(change), Vec::<String>::new(), "{change:?}");
        }
    }

    #[test]
    fn nobody_is_asked_where_nobody_is_named() {
        let before = BEFORE.replace("approval: { security: [soc] }", "");
        assert_eq!(reserved(before.as_bytes(), b"version: 1"), None);
    }
}
