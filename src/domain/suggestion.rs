//! What a system says that is for another to say: kept, shown, and held back until somebody elevates it (design §3, A-067).

use serde_json::Value;

use super::claim::{Claim, SourceRecord};
use super::event::Change;
use super::fold::{self, Rules};
use super::record::Leaves;
use super::review::SYSTEM;

/// A claim that another system's mastery holds back.
#[derive(Clone, Copy, Debug)]
pub struct Suggestion<'a> {
    /// The canonical path.
    pub path: &'a str,
    /// The element's key.
    pub key: &'a str,
    /// The system that is master of the attribute.
    pub master: &'a str,
    /// What is suggested.
    pub claim: &'a Claim,
    /// What stands instead: `null` if nothing does.
    pub stands: &'a Value,
}

impl Suggestion<'_> {
    /// What would change.
    #[must_use]
    pub fn change(&self) -> Change {
        Change {
            path: self.path.to_owned(),
            previous: self.stands.clone(),
            new: self.claim.value.clone(),
        }
    }
}

impl<'a> Rules<'a> {
    /// What `own` suggests: `leaves` is what `sources`, of which it is one, fold to.
    #[must_use]
    pub fn suggestions<'s>(
        &self,
        own: &'s SourceRecord,
        sources: &[SourceRecord],
        leaves: &'s Leaves,
    ) -> Vec<Suggestion<'s>>
    where
        'a: 's,
    {
        let mut found = Vec::new();
        for (path, claims) in &own.claims.0 {
            let law = self.rulings.on(path);
            let derives = |source: &SourceRecord| {
                let mut claims = source.claims.0.get(path).into_iter().flatten();
                claims.any(|(_, claim)| claim.is_derived())
            };
            let derived = sources.iter().any(derives);
            let master = if derived { Some(SYSTEM) } else { law.master() };
            let (Some(master), Some(spec)) = (master, self.specs.get(path)) else {
                continue;
            };
            let folded = leaves.get(path);
            let elements = folded
                .and_then(Value::as_array)
                .filter(|_| spec.attribute.multi_valued);
            let keys = elements.map(|_| fold::keys(law, path, sources.iter()));
            for (key, claim) in claims {
                let stands = match (elements, &keys) {
                    (Some(elements), Some(keys)) => keys
                        .iter()
                        .position(|known| known == key)
                        .and_then(|at| elements.get(at)),
                    _ => folded,
                };
                let stands = stands.unwrap_or(&Value::Null);
                let held = derived || !law.admits(&own.system, claim);
                if held && !claim.is_derived() && !covers(stands, &claim.value) {
                    found.push(Suggestion {
                        path,
                        key,
                        master,
                        claim,
                        stands,
                    });
                }
            }
        }
        found
    }
}

/// Whether what stands says all that is given; of an element it may say more.
#[must_use]
pub fn covers(stands: &Value, given: &Value) -> bool {
    match (stands, given) {
        (Value::Array(known), Value::Array(given)) => given
            .iter()
            .all(|element| known.iter().any(|known| covers(known, element))),
        (Value::Object(known), Value::Object(given)) => given.iter().all(|(name, value)| {
            value.is_null() || known.get(name) == Some(value) || name == "$ref"
        }),
        (stands, given) => stands == given,
    }
}
