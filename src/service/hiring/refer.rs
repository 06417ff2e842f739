//! References of the hiring record: to what is there, by its id or by what another system calls it; and identifiers that the
//! policy's list allows (B-023, B-028, B-056).

use serde_json::{Map, Value};

use crate::domain::claim::{SINGLE, SourceRecord};
use crate::domain::context::Right;
use crate::domain::index::{Unique, key, unique_text};
use crate::domain::lifecycle::dated;
use crate::domain::record::{Folded, Leaves};
use crate::domain::view::Reference;
use crate::scim;
use crate::service::Error;
use crate::service::change::Write;
use crate::store::{self, Tx};

const EXTERNAL_IDENTIFIERS: &str = "externalIdentifiers";

impl Write<'_> {
    /// Checks what this write refers to, and puts ids in the place of other systems' identifiers.
    pub(super) fn refer(&self, tx: &mut Tx<'_>, sources: &mut [SourceRecord]) -> Result<(), Error> {
        let event = self.event.to_string();
        let own = sources
            .iter_mut()
            .find(|source| source.system == self.context.system());
        let Some(own) = own else { return Ok(()) };
        for reference in self.view.references() {
            let Some(claims) = own.claims.0.get_mut(reference.path) else {
                continue;
            };
            for (key, claim) in claims.iter_mut().filter(|(_, claim)| claim.event == event) {
                let given = match &claim.value {
                    Value::String(id) => id.clone(),
                    element => element["value"].as_str().unwrap_or_default().to_owned(),
                };
                if claim.value.is_null() {
                    continue;
                }
                let id = self.referred(tx, &reference, &given)?;
                if key == SINGLE {
                    claim.value = id.into();
                } else if id != given {
                    return Err(scim::Error::invalid_value(format!(
                        "'{}' takes ids of resources alone, and '{given}' is none",
                        reference.attribute
                    ))
                    .into());
                }
            }
        }
        let changes = own.claims.0.get_mut(dated::PATH);
        let changes = changes.into_iter().flat_map(|claims| claims.values_mut());
        for claim in changes.filter(|claim| claim.event == event) {
            self.refer_dated(tx, &mut claim.value)?;
        }
        Ok(())
    }

    /// The same in a document that replaces another: what it says must be comparable with what is there.
    pub(in crate::service) fn refer_in(
        &self,
        tx: &mut Tx<'_>,
        document: &mut Map<String, Value>,
    ) -> Result<(), Error> {
        if !self.view.kind.is_hiring() {
            return Ok(());
        }
        for reference in self.view.references().into_iter().filter(|one| !one.many) {
            let value = document.get_mut(reference.attribute);
            if let Some(value) = value.and_then(|found| found.get_mut("value"))
                && let Some(given) = value.as_str().map(str::to_owned)
            {
                *value = self.referred(tx, &reference, &given)?.into();
            }
        }
        let changes = document.get_mut(dated::PATH).and_then(Value::as_array_mut);
        for change in changes.into_iter().flatten() {
            self.refer_dated(tx, change)?;
        }
        Ok(())
    }

    /// The same in values.
    pub(in crate::service) fn refer_leaves(
        &self,
        tx: &mut Tx<'_>,
        leaves: &mut Leaves,
    ) -> Result<(), Error> {
        for reference in self.view.references().into_iter().filter(|one| !one.many) {
            if let Some(Value::String(given)) = leaves.get_mut(reference.path) {
                *given = self.referred(tx, &reference, &given.clone())?;
            }
        }
        let changes = leaves.get_mut(dated::PATH).and_then(Value::as_array_mut);
        for change in changes.into_iter().flatten() {
            self.refer_dated(tx, change)?;
        }
        Ok(())
    }

    /// The id of what is referred to.
    pub(super) fn referred(
        &self,
        tx: &mut Tx<'_>,
        reference: &Reference<'_>,
        given: &str,
    ) -> Result<String, Error> {
        let tenant = self.context.tenant();
        let kinds = || reference.kinds();
        let (name, of) = (reference.attribute, reference.types.join(" or "));
        if let Ok(id) = given.parse() {
            let survivor = self.survivor(tx, id)?;
            let found = store::record::find(tx, tenant, survivor)?;
            let found = found.filter(|found| kinds().any(|kind| kind == found.kind));
            return match found.filter(|found| self.may_know(found)) {
                Some(_) => Ok(given.to_owned()),
                None => Err(scim::Error::invalid_value(format!(
                    "'{name}' refers to '{given}', and there is no {of} of that id"
                ))
                .into()),
            };
        }
        let mut parts = given.splitn(3, ':');
        let (Some(system), Some(field), Some(value)) = (parts.next(), parts.next(), parts.next())
        else {
            return Err(scim::Error::invalid_value(format!(
                "'{name}' is '{given}': give the id of the {of}, or SYSTEM:FIELD:VALUE of one of its externalIdentifiers"
            ))
            .into());
        };
        let identifier = serde_json::json!({ "system": system, "field": field, "value": value });
        let catalog = self.muster.0.renderer.catalog();
        for kind in kinds() {
            let Some(spec) = catalog.specs(kind).get(EXTERNAL_IDENTIFIERS) else {
                continue;
            };
            let unique = Unique {
                path: EXTERNAL_IDENTIFIERS.to_owned(),
                value: key(&unique_text(spec, &identifier)),
            };
            let holders = store::unique::holders(tx, tenant, kind, &[&unique])?;
            let mut known = self.first_known(tx, holders.into_iter().flatten())?;
            if known.is_none() {
                let beside = store::unique::beside(tx, tenant, kind, &[&unique])?;
                known = self.first_known(tx, beside)?;
            }
            if let Some(known) = known {
                return Ok(known.id.to_string());
            }
        }
        Err(scim::Error::invalid_value(format!(
            "'{name}' refers to '{given}', and no {of} has that external identifier: send it first, or give the id"
        ))
        .into())
    }

    /// The first of the records with these numbers of which the caller may know.
    fn first_known(
        &self,
        tx: &mut Tx<'_>,
        rows: impl IntoIterator<Item = i64>,
    ) -> Result<Option<Folded>, Error> {
        for row in rows {
            let found = store::record::at(tx, row)?;
            if let Some(found) = found.filter(|found| self.may_know(found)) {
                return Ok(Some(found));
            }
        }
        Ok(None)
    }

    /// Whether a record is one that the caller's role reaches. To whom a type is closed altogether, as to a vendor that only
    /// writes what hangs on it, the id it was given says no more.
    fn may_know(&self, record: &Folded) -> bool {
        let context = self.context;
        let views = self.muster.0.renderer.catalog().views().iter();
        let open = views.filter(|view| {
            view.kind == record.kind && context.client.may(Right::Read, &view.resource_type.name)
        });
        let mut open = open.peekable();
        open.peek().is_none()
            || open.any(|view| {
                let reaches = self
                    .muster
                    .reaches(context, view, &record.leaves, Right::Read);
                view.holds(record) && reaches
            })
    }

    /// Identifiers of other systems are on the policy's list, or they are not taken.
    pub(super) fn check_identifiers(&self, sources: &[SourceRecord]) -> Result<(), Error> {
        let policies = self.muster.policies();
        let Some(governed) = policies.get(&self.context.tenant().0) else {
            return Ok(());
        };
        let policy = &governed.policy;
        let Some(listed) = &policy.external_ids else {
            return Ok(());
        };
        let event = self.event.to_string();
        let own = sources
            .iter()
            .find(|source| source.system == self.context.system());
        let claims = own.and_then(|own| own.claims.0.get(EXTERNAL_IDENTIFIERS));
        for claim in claims.into_iter().flat_map(|claims| claims.values()) {
            let part = |name: &str| claim.value[name].as_str().unwrap_or_default();
            let (system, field) = (part("system"), part("field"));
            let mut allowed = listed.allow_list.iter().chain(&policy.external_ids_also);
            let is_allowed = allowed.any(|row| {
                row.system.value == system && row.fields.iter().any(|known| known.value == field)
            });
            if claim.event == event && !claim.value.is_null() && !is_allowed {
                let fields = listed.allow_list.iter().chain(&policy.external_ids_also);
                let known: Vec<String> = fields
                    .flat_map(|row| {
                        row.fields
                            .iter()
                            .map(|field| format!("{}.{}", row.system.value, field.value))
                    })
                    .collect();
                return Err(scim::Error::invalid_value(format!(
                    "'externalIdentifiers' has '{system}.{field}', which is not on the policy's externalIds.allowList: {}",
                    known.join(", ")
                ))
                .into());
            }
        }
        Ok(())
    }
}
