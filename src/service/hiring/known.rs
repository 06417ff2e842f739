//! A POST of what is there already: by a name that only one record has it is that record, so that what is sent twice is one
//! (B-046). What is never changed is answered as it is.

use serde_json::Value;

use super::Write;
use crate::domain::context::Right;
use crate::domain::index::{Unique, external_id_text, key, uniques};
use crate::domain::lifecycle::offer;
use crate::domain::record::{Folded, Kind, Leaves, Record, external_id_path};
use crate::domain::suggestion::covers;
use crate::scim;
use crate::service::Error;
use crate::service::create::Given;
use crate::store::{self, Tx};

/// Why a record is the one that was sent.
pub(in crate::service) const NATURAL_KEY: &str = "naturalKey";

impl Write<'_> {
    /// The record that has one of the names which are given.
    pub(in crate::service) fn named_by(
        &self,
        tx: &mut Tx<'_>,
        given: &Given,
    ) -> Result<Option<Record>, Error> {
        let mut keys: Vec<Unique> = uniques(self.specs(), &given.leaves).into_iter().collect();
        let own = given.external_id.as_deref().map(Value::from);
        keys.extend(own.as_ref().and_then(external_id_text).map(|text| Unique {
            path: external_id_path(self.context.system()),
            value: key(&text),
        }));
        let keys: Vec<&Unique> = keys.iter().collect();
        let holders = store::unique::holders(tx, self.context.tenant(), self.view.kind, &keys)?;
        let mut rows: Vec<i64> = holders.into_iter().flatten().collect();
        rows.extend(self.sharers(tx, self.view.kind, &keys)?);
        rows.sort_unstable();
        rows.dedup();
        let mut known = Vec::new();
        for row in rows {
            let record = store::record::fetch(tx, row)?;
            let leaves = &record.folded.leaves;
            // Of what its role does not reach the caller may not know that it is there.
            if self
                .muster
                .reaches(self.context, self.view, leaves, Right::Read)
            {
                known.push(record);
            }
        }
        if known.len() > 1 {
            return Err(scim::Error::uniqueness(format!(
                "the names given belong to {} different {} resources: send each with its own",
                known.len(),
                self.view.resource_type.name
            ))
            .into());
        }
        Ok(known.pop())
    }

    /// What is created and never changed is there: it must say what is given.
    pub(in crate::service) fn same_as(
        &self,
        tx: &mut Tx<'_>,
        known: &Folded,
        given: &Leaves,
    ) -> Result<(), Error> {
        let mut given = given.clone();
        self.refer_leaves(tx, &mut given)?;
        let differs = given.iter().find(|(path, value)| {
            !known
                .leaves
                .get(*path)
                .is_some_and(|stands| covers(stands, value))
        });
        match differs {
            None => Ok(()),
            Some((path, _)) => Err(Error::Conflict(format!(
                "this {} is on record and says otherwise of '{path}': it is never changed; send what is new with a name of its own",
                self.view.resource_type.name
            ))),
        }
    }

    /// Whether a thing of the hiring record may be deleted, and that.
    pub(in crate::service) fn delete_hiring(
        &self,
        tx: &mut Tx<'_>,
        record: &Record,
    ) -> Result<(), Error> {
        let name = &self.view.resource_type.name;
        if self.view.kind.is_append_only() {
            return Err(fixed(name));
        }
        let other = record.sources.iter().find(|source| {
            source.system != self.context.system() && source.system != crate::domain::review::SYSTEM
        });
        if let Some(other) = other {
            return Err(Error::Conflict(format!(
                "'{}' still speaks of this {name}: it is deleted when no other system does",
                other.system
            )));
        }
        if self.view.kind == Kind::Offer && offer::is_final(&record.folded.leaves) {
            return Err(Error::Conflict(
                "this offer is accepted: what was agreed on stays on record".into(),
            ));
        }
        let ids = [record.folded.id.to_string()];
        for (kind, path) in CITING
            .iter()
            .filter(|(_, path)| path.starts_with(self.view.kind.word()))
        {
            if let Some(one) = self.citing(tx, (*kind, path), &ids)?.first() {
                return Err(Error::Conflict(format!(
                    "the {} '{}' hangs on this {name}: what is on record of it would be lost",
                    kind.type_name(),
                    one.id
                )));
            }
        }
        let (_, belonging) = self.beside(tx, record.folded.id, &record.folded.leaves)?;
        self.remove_of(tx, record, belonging)?;
        match (self.view.kind, belonging.0) {
            (Kind::Employment, Some(person)) => self.employ(tx, person),
            _ => Ok(()),
        }
    }
}

/// What hangs on what.
pub(in crate::service) const CITING: [(Kind, &str); 7] = [
    (Kind::Application, "requisition.value"),
    (Kind::Verification, "application.value"),
    (Kind::Interview, "application.value"),
    (Kind::Assessment, "application.value"),
    (Kind::Offer, "application.value"),
    (Kind::Employment, "offer.value"),
    (Kind::Employment, "requisition.value"),
];

/// What is created and read, and never changed.
pub(in crate::service) fn fixed(name: &str) -> Error {
    Error::Fixed(format!(
        "a {name} is created and read, never changed or deleted: POST another one, with 'appealOf' if it looks at this one again"
    ))
}
