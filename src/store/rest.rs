//! Records as they stand at rest: what a policy marks as secret of a person is sealed here on its way to the tables, and opened
//! on its way back, under the person's data key. Everything above knows values alone.

use std::collections::BTreeMap;
use std::sync::Arc;

use diesel::prelude::*;

use super::key::{self, Fresh};
use super::record::{ResourceRow, parts};
use super::schema::{resource, source_record};
use super::sql_types::uuid;
use super::{Error, Tx, blind, values};
use crate::domain::claim::{Claims, SourceRecord};
use crate::domain::record::{Folded, Kind, Leaves};
use crate::domain::sealed::Envelope;
use crate::domain::secrets::{Kept, Secrets, is_sealed, open};
use crate::domain::view::Specs;
use crate::id::{ResourceId, TenantId};

/// What seals a record for the tables.
pub(super) struct Seal {
    /// What is secret of it.
    pub(super) secrets: Arc<Secrets>,
    envelope: Option<Envelope>,
}

/// What is secret of a kind of record, where `before` is sealed of it now: that stays so while it is not known.
pub(super) fn secrets(
    tx: &Tx<'_>,
    (tenant, kind): (TenantId, Kind),
    before: &Secrets,
) -> Arc<Secrets> {
    let known = (kind == Kind::Person).then(|| tx.keys().secrets(tenant));
    known
        .unwrap_or_default()
        .unwrap_or_else(|| Arc::new(before.clone()))
}

impl Seal {
    /// That of a record that is about to exist.
    pub(super) fn of_new(tx: &Tx<'_>, of: (TenantId, Kind), data_key: Option<&Fresh>) -> Self {
        Self {
            secrets: secrets(tx, of, &Secrets::default()),
            envelope: data_key.map(Fresh::envelope),
        }
    }

    /// That of a known record which is to hold these values and claims. Its key is read only if any of them is secret.
    pub(super) fn of(
        tx: &mut Tx<'_>,
        record: &Folded,
        leaves: &Leaves,
        sources: &[SourceRecord],
    ) -> Result<Self, Error> {
        let secrets = secrets(tx, (record.tenant, record.kind), &record.sealed);
        let said = sources.iter().any(|source| secrets.any(&source.claims.0));
        let envelope = if said || secrets.any(leaves) {
            Some(key::envelope(tx, record)?)
        } else {
            None
        };
        Ok(Self { secrets, envelope })
    }

    pub(super) fn document(&self, leaves: &Leaves) -> Result<String, Error> {
        Ok(self
            .secrets
            .close(leaves, self.envelope.as_ref(), Kept::Document)?)
    }

    pub(super) fn claims(&self, claims: &Claims) -> Result<String, Error> {
        Ok(self
            .secrets
            .close(&claims.0, self.envelope.as_ref(), Kept::Claims)?)
    }
}

/// The envelopes of those of these records in which something is sealed.
fn envelopes<'r>(
    tx: &mut Tx<'_>,
    texts: impl Iterator<Item = ((i64, TenantId, ResourceId), &'r str)>,
) -> Result<BTreeMap<i64, Envelope>, Error> {
    let sealed: BTreeMap<i64, (TenantId, ResourceId)> = texts
        .filter(|(_, text)| is_sealed(text))
        .map(|((row, tenant, id), _)| (row, (tenant, id)))
        .collect();
    if sealed.is_empty() {
        return Ok(BTreeMap::new());
    }
    let wrapped = key::wrapped(tx, sealed.keys().copied().collect())?;
    let mut found = BTreeMap::new();
    for (row, (tenant, id)) in sealed {
        if let Some(wrapped) = wrapped.get(&row) {
            let key = key::of_tenant(tx, tenant)?.open(tenant, id, wrapped)?;
            found.insert(row, Envelope::new(key, tenant, id));
        }
    }
    Ok(found)
}

fn lost_key(row: i64) -> Error {
    Error::Fault(format!("the data key of record {row} is not there"))
}

/// Records out of their rows.
pub(super) fn folded_all(tx: &mut Tx<'_>, rows: Vec<ResourceRow>) -> Result<Vec<Folded>, Error> {
    let texts = rows.iter().map(|row| {
        (
            (row.0, TenantId(row.1), ResourceId(uuid(&row.2))),
            row.8.as_str(),
        )
    });
    let mut envelopes = envelopes(tx, texts)?;
    rows.into_iter()
        .map(|row| {
            let (mut folded, document) = parts(row)?;
            let envelope = || envelopes.remove(&folded.row).ok_or(lost_key(folded.row));
            (folded.leaves, folded.sealed) = open(&document, Kept::Document, envelope)?;
            Ok(folded)
        })
        .collect()
}

/// A record out of its row; nothing if it has been erased since that was read, outside of a transaction.
pub(super) fn folded(tx: &mut Tx<'_>, row: ResourceRow) -> Result<Option<Folded>, Error> {
    let number = row.0;
    folded_all(tx, vec![row])
        .map(|mut found| found.pop())
        .or_else(|error| {
            let there: i64 = resource::table
                .filter(resource::id.eq(number))
                .count()
                .get_result(tx.db())
                .map_err(|error| tx.explain(error))?;
            if there == 0 { Ok(None) } else { Err(error) }
        })
}

/// The claims of sources, each with the number of its record, out of what is kept.
pub(super) fn claims(tx: &mut Tx<'_>, kept: &[(i64, &str)]) -> Result<Vec<Claims>, Error> {
    let sealed = kept.iter().filter(|(_, text)| is_sealed(text));
    let rows: Vec<i64> = sealed.map(|(row, _)| *row).collect();
    let mut owners: BTreeMap<i64, (TenantId, ResourceId)> = BTreeMap::new();
    if !rows.is_empty() {
        let found: Vec<(i64, i32, Vec<u8>)> = resource::table
            .filter(resource::id.eq_any(rows))
            .select((resource::id, resource::tenant, resource::uuid))
            .load(tx.db())
            .map_err(|error| tx.explain(error))?;
        let owner = |(row, tenant, id): (i64, i32, Vec<u8>)| {
            (row, (TenantId(tenant), ResourceId(uuid(&id))))
        };
        owners.extend(found.into_iter().map(owner));
    }
    let texts = kept.iter().filter_map(|(row, text)| {
        let (tenant, id) = owners.get(row)?;
        Some(((*row, *tenant, *id), *text))
    });
    let envelopes = envelopes(tx, texts)?;
    kept.iter()
        .map(|(row, text)| {
            let envelope = || envelopes.get(row).cloned().ok_or(lost_key(*row));
            let (claims, _) = open(text, Kept::Claims, envelope)?;
            Ok(Claims(claims))
        })
        .collect()
}

/// Brings a record to what is secret of it now, without a new version: what it says stays the same. Whether anything stood
/// otherwise.
pub fn reseal(
    tx: &mut Tx<'_>,
    specs: &Specs,
    record: &Folded,
    sources: &[SourceRecord],
) -> Result<bool, Error> {
    if record.kind != Kind::Person {
        return Ok(false);
    }
    let seal = Seal::of(tx, record, &record.leaves, sources)?;
    let mut changed = false;
    if seal.secrets.among(&record.leaves) != record.sealed {
        let target = resource::table
            .filter(resource::id.eq(record.row))
            .filter(resource::version.eq(record.version));
        let count = diesel::update(target)
            .set(resource::document.eq(seal.document(&record.leaves)?))
            .execute(tx.db())
            .map_err(|error| tx.explain(error))?;
        if count != 1 {
            return Err(tx.lose());
        }
        values::put(tx, specs, record, (&record.leaves, &seal.secrets), &[])?;
        blind::change(tx, specs, record, (&record.leaves, &seal.secrets))?;
        changed = true;
    }
    let kept: Vec<(i64, String)> = source_record::table
        .filter(source_record::resource.eq(record.row))
        .select((source_record::id, source_record::claims))
        .load(tx.db())
        .map_err(|error| tx.explain(error))?;
    for (row, text) in kept {
        let Some(source) = sources.iter().find(|source| source.row == Some(row)) else {
            continue;
        };
        let wanted = seal.claims(&source.claims)?;
        if wanted != text {
            diesel::update(source_record::table.find(row))
                .set(source_record::claims.eq(wanted))
                .execute(tx.db())
                .map_err(|error| tx.explain(error))?;
            changed = true;
        }
    }
    Ok(changed)
}
