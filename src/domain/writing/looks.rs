//! What a view shows of a value, and which values look the same in it.

use serde_json::Value;

use super::Desk;
use crate::domain::view::is_computed;

impl Desk<'_> {
    pub(super) fn stored(&self, value: &Value) -> Value {
        match value {
            Value::Object(subs) => subs
                .iter()
                .filter(|(name, _)| {
                    self.spec
                        .attribute
                        .sub(name)
                        .is_some_and(|sub| !is_computed(sub))
                })
                .map(|(name, value)| (name.clone(), value.clone()))
                .collect(),
            other => other.clone(),
        }
    }

    pub(super) fn shows(&self, sub: &str) -> bool {
        let mut shown = self.terms.view.shown(self.path).iter();
        shown.any(|at| at.attribute.sub(sub).is_some())
    }

    /// What this view shows of a value.
    pub(super) fn visible(&self, value: &Value) -> Value {
        match self.stored(value) {
            Value::Object(subs) => subs
                .into_iter()
                .filter(|(name, value)| self.shows(name) && !value.is_null())
                .collect(),
            other => other,
        }
    }

    /// Whether two values look the same in this view.
    pub(super) fn same(&self, a: &Value, b: &Value) -> bool {
        self.visible(a) == self.visible(b)
    }

    /// A text that two values share if they look the same in this view.
    pub(super) fn look(&self, value: &Value) -> String {
        match self.visible(value) {
            Value::Object(subs) => {
                let mut subs: Vec<_> = subs.into_iter().collect();
                subs.sort_by(|(a, _), (b, _)| a.cmp(b));
                Value::Object(subs.into_iter().collect()).to_string()
            }
            other => other.to_string(),
        }
    }

    /// Whether the fold says all that is given; of an element it may say more, from others.
    pub(super) fn covers(&self, folded: &Value, given: &Value) -> bool {
        match (self.visible(folded), self.visible(given)) {
            (Value::Object(folded), Value::Object(given)) => given
                .iter()
                .all(|(name, value)| folded.get(name) == Some(value)),
            (folded, given) => folded == given,
        }
    }
}
