//! From the tree to typed rows. What does not fit is told and replaced by a default, so that the rest is read too.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::rc::Rc;

use super::finding::{Findings, Placed, Position};
use super::yaml::{Content, Node};
use crate::scim::error::did_you_mean;

/// What can be read from a node.
pub(in crate::domain) trait Read: Default {
    /// The value; a default where the node does not fit, which is then told.
    fn read(node: &Node, findings: &mut Findings) -> Self;
}

fn misfit<T: Default>(node: &Node, wanted: &str, findings: &mut Findings) -> T {
    let found = match &node.content {
        Content::Scalar { text, .. } => format!("'{text}'"),
        _ => node.kind().to_owned(),
    };
    findings.error(node.at, format!("expected {wanted}, found {found}"));
    T::default()
}

impl Read for String {
    fn read(node: &Node, findings: &mut Findings) -> Self {
        match &node.content {
            Content::Scalar { text, .. } if !text.trim().is_empty() => text.clone(),
            _ => misfit(node, "a text", findings),
        }
    }
}

impl Read for bool {
    fn read(node: &Node, findings: &mut Findings) -> Self {
        match &node.content {
            Content::Scalar { text, plain: true } if text == "true" => true,
            Content::Scalar { text, plain: true } if text == "false" => false,
            _ => misfit(node, "true or false", findings),
        }
    }
}

impl Read for u32 {
    fn read(node: &Node, findings: &mut Findings) -> Self {
        let number = match &node.content {
            Content::Scalar { text, plain: true } => text.parse().ok(),
            _ => None,
        };
        number.unwrap_or_else(|| misfit(node, "a whole number, 0 or more", findings))
    }
}

impl<T: Read> Read for Placed<T> {
    fn read(node: &Node, findings: &mut Findings) -> Self {
        let value = T::read(node, findings);
        Self { at: node.at, value }
    }
}

impl<T: Read> Read for Option<T> {
    fn read(node: &Node, findings: &mut Findings) -> Self {
        Some(T::read(node, findings))
    }
}

impl<T: Read> Read for Vec<T> {
    fn read(node: &Node, findings: &mut Findings) -> Self {
        match &node.content {
            Content::List(items) => items.iter().map(|item| T::read(item, findings)).collect(),
            _ => misfit(node, "a list", findings),
        }
    }
}

/// Names that the file chooses, in its order of names.
impl<T: Read> Read for BTreeMap<String, Placed<T>> {
    fn read(node: &Node, findings: &mut Findings) -> Self {
        let Content::Mapping(pairs) = &node.content else {
            return misfit(node, "a mapping of names", findings);
        };
        let mut read = |(key, node): &(Placed<String>, Rc<Node>)| {
            let (at, value) = (key.at, T::read(node, findings));
            (key.value.clone(), Placed { at, value })
        };
        pairs.iter().map(&mut read).collect()
    }
}

/// A mapping whose keys are known.
pub(in crate::domain) struct Fields<'n, 'f> {
    at: Position,
    /// Of what is no mapping nothing is missing: that it is none is told.
    is_mapping: bool,
    pairs: &'n [(Placed<String>, Rc<Node>)],
    pub(in crate::domain) findings: &'f mut Findings,
}

impl<'n, 'f> Fields<'n, 'f> {
    /// The mapping; every key beyond `known` is told.
    pub(in crate::domain) fn of(
        node: &'n Node,
        known: &[&str],
        findings: &'f mut Findings,
    ) -> Self {
        let mapping = match &node.content {
            Content::Mapping(pairs) => Some(pairs.as_slice()),
            _ => None,
        };
        if mapping.is_none() {
            let wanted = format!("a mapping with the keys {}", known.join(", "));
            misfit::<()>(node, &wanted, findings);
        }
        let pairs = mapping.unwrap_or_default();
        for (key, _) in pairs {
            if !known.contains(&key.value.as_str()) {
                let reason = unknown("key", &key.value, known.iter().copied());
                findings.error(key.at, reason);
            }
        }
        Self {
            at: node.at,
            is_mapping: mapping.is_some(),
            pairs,
            findings,
        }
    }

    /// Where the mapping begins.
    pub(in crate::domain) fn at(&self) -> Position {
        self.at
    }

    /// Where a key stands, if it does.
    pub(in crate::domain) fn place(&self, key: &str) -> Option<Position> {
        let mut pairs = self.pairs.iter();
        Some(pairs.find(|(name, _)| name.value == key)?.0.at)
    }

    /// The value of a key, or the default where it is absent.
    pub(in crate::domain) fn get<T: Read>(&mut self, key: &str) -> T {
        let found = self.pairs.iter().find(|(name, _)| name.value == key);
        found.map_or_else(T::default, |(_, node)| T::read(node, self.findings))
    }

    /// The value of a key that must be there.
    pub(in crate::domain) fn need<T: Read>(&mut self, key: &str) -> T {
        self.demand(key);
        self.get(key)
    }

    fn demand(&mut self, key: &str) {
        if self.is_mapping && !self.pairs.iter().any(|(name, _)| name.value == key) {
            let reason = format!("the key '{key}' is missing");
            self.findings.error(self.at, reason);
        }
    }

    /// A number that must be there and lie in a range.
    pub(in crate::domain) fn number(&mut self, key: &str, range: RangeInclusive<u32>) -> u32 {
        self.demand(key);
        self.number_or(key, range, 0)
    }

    /// A number that must lie in a range; `absent` where the key is not there.
    pub(in crate::domain) fn number_or(
        &mut self,
        key: &str,
        range: RangeInclusive<u32>,
        absent: u32,
    ) -> u32 {
        let told = self.findings.count();
        let found: Option<Placed<u32>> = self.get(key);
        let Some(Placed { at, value }) = found else {
            return absent;
        };
        let was_read = self.findings.count() == told;
        if was_read && !range.contains(&value) {
            let (least, most) = (range.start(), range.end());
            let reason = format!("{key} is {value}, but must lie between {least} and {most}");
            self.findings.error(at, reason);
        }
        value
    }
}

/// The sentence for a name that is none of those known: the nearest one, or else all of them if they are few.
pub(in crate::domain) fn unknown<'a>(
    what: &str,
    name: &str,
    known: impl Iterator<Item = &'a str>,
) -> String {
    let known: Vec<&str> = known.collect();
    let mut hint = did_you_mean(name, known.iter().copied());
    if hint.is_empty() && !known.is_empty() {
        hint = format!(
            "; there {} {}",
            if known.len() == 1 { "is" } else { "are" },
            known.join(", ")
        );
    }
    format!("there is no {what} '{name}'{hint}")
}

/// What one of the known words stands for; a default where the node is none of them, which is then told.
pub(in crate::domain) fn one_of<T: Copy + Default>(
    what: &str,
    known: &[(&str, T)],
    node: &Node,
    findings: &mut Findings,
) -> T {
    let word = String::read(node, findings);
    let found = known.iter().find(|(known, _)| *known == word);
    if found.is_none() && !word.is_empty() {
        let known = known.iter().map(|(known, _)| *known);
        findings.error(node.at, unknown(what, &word, known));
    }
    found.map_or_else(T::default, |(_, meant)| *meant)
}

/// An enum of the words that a key may have, each as written in the file.
macro_rules! words {
    ($(#[$doc:meta])* $name:ident, $what:literal: $($(#[$each:meta])* $variant:ident = $word:literal,)+) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name {
            $($(#[$each])* $variant,)+
        }

        impl $name {
            /// Every one, in the order in which they are told.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The word as written in the file.
            #[must_use]
            pub fn word(self) -> &'static str {
                match self {
                    $(Self::$variant => $word,)+
                }
            }
        }

        impl Default for $name {
            fn default() -> Self {
                Self::ALL[0]
            }
        }

        impl $crate::domain::policy::read::Read for $name {
            fn read(
                node: &$crate::domain::policy::yaml::Node,
                findings: &mut $crate::domain::policy::finding::Findings,
            ) -> Self {
                let known = [$(($word, Self::$variant)),+];
                $crate::domain::policy::read::one_of($what, &known, node, findings)
            }
        }
    };
}
pub(in crate::domain) use words;
