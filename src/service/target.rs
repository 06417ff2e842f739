//! Whether what a PATCH removes from a group is there: clients that are held to the letter are told (400 `noTarget`).

use std::collections::BTreeSet;

use super::Error;
use super::change::Write;
use crate::domain::record::Folded;
use crate::id::ResourceId;
use crate::scim;
use crate::scim::patch::{Change as RowChange, Rows};
use crate::scim::profile::Habit;
use crate::store::{self, Tx};

impl Write<'_> {
    /// Refuses to remove members whom the group does not have, unless the client's profile lets that pass. Members whom an
    /// earlier operation of the same PATCH adds are there. A filter other than on `value` may select nobody.
    pub(super) fn check_removals(
        &self,
        tx: &mut Tx<'_>,
        group: &Folded,
        changes: &[RowChange],
    ) -> Result<(), Error> {
        if self.context.client.profile.allows(Habit::RemoveOfNothing) {
            return Ok(());
        }
        let mut added: BTreeSet<&str> = BTreeSet::new();
        for change in changes {
            match change {
                RowChange::Add(members) | RowChange::Replace(members) => {
                    let values = members.iter().filter_map(|member| member.get("value"));
                    added.extend(values.filter_map(serde_json::Value::as_str));
                }
                RowChange::Remove(Rows::Values(values)) => {
                    for value in values
                        .iter()
                        .filter(|value| !added.contains(value.as_str()))
                    {
                        self.check_member(tx, group, value)?;
                    }
                }
                RowChange::Remove(_) => {}
            }
        }
        Ok(())
    }

    fn check_member(&self, tx: &mut Tx<'_>, group: &Folded, value: &str) -> Result<(), Error> {
        let ids: Vec<ResourceId> = value.parse().into_iter().collect();
        let found = store::member::find(tx, self.context.tenant(), &ids)?;
        let rows: Vec<i64> = found.values().map(|peer| peer.row).collect();
        if store::member::present(tx, group.row, &rows)?.is_empty() {
            return Err(scim::Error::no_target(format!(
                "there is nothing to remove: '{value}' is no member of this group"
            ))
            .into());
        }
        Ok(())
    }
}
