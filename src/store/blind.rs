//! The blind index: secret values by their HMAC-SHA-256, under a key of their tenant and attribute (design §5).

use std::collections::BTreeSet;

use diesel::prelude::*;

use super::db::on_both;
use super::schema::blind_index;
use super::{Error, Tx, attribute_path, key};
use crate::domain::record::{Folded, Kind, Leaves};
use crate::domain::sealed::{self, Blind, Envelope};
use crate::domain::secrets::Secrets;
use crate::domain::view::Specs;
use crate::id::TenantId;

/// What stands in the index for a secret.
pub(super) fn value(tx: &mut Tx<'_>, tenant: TenantId, blind: &Blind) -> Result<Vec<u8>, Error> {
    let key = key::of_tenant(tx, tenant)?.blind.derive(&blind.path);
    Ok(key.mac(&blind.text).to_vec())
}

/// Puts the secrets of a new record into the index.
pub(super) fn put(
    tx: &mut Tx<'_>,
    specs: &Specs,
    record: (TenantId, Kind, i64),
    (leaves, secrets): (&Leaves, &Secrets),
    envelope: &Envelope,
) -> Result<(), Error> {
    let mut wanted = sealed::blind(specs, leaves, envelope)?;
    wanted.extend(secrets.blind(specs, leaves));
    insert(tx, record, &wanted)
}

fn insert(
    tx: &mut Tx<'_>,
    (tenant, kind, row): (TenantId, Kind, i64),
    wanted: &BTreeSet<Blind>,
) -> Result<(), Error> {
    for blind in wanted {
        let path = attribute_path::claim(tx, tenant, kind, &blind.path)?;
        let value = value(tx, tenant, blind)?;
        on_both!(tx.db(), connection => diesel::insert_into(blind_index::table)
            .values((
                blind_index::path.eq(path),
                blind_index::value.eq(&value),
                blind_index::resource.eq(row),
            ))
            .execute(connection))
        .map_err(|error| tx.explain(error))?;
    }
    Ok(())
}

/// Brings the index from what a record had to what it has, of which this is marked as secret. Where no secret is among what
/// changed, nothing is read.
pub(super) fn change(
    tx: &mut Tx<'_>,
    specs: &Specs,
    record: &Folded,
    (after, secrets): (&Leaves, &Secrets),
) -> Result<(), Error> {
    let of = |leaves: &Leaves| {
        let secret = leaves.iter().filter(|(path, _)| {
            let spec = specs.get(path.as_str());
            spec.is_some_and(|spec| spec.attribute.secret)
        });
        let owned = secret.map(|(path, value)| (path.clone(), value.clone()));
        owned.collect::<Leaves>()
    };
    let (old, new) = (of(&record.leaves), of(after));
    let marked = secrets.blind(specs, after);
    if old == new && record.sealed.blind(specs, &record.leaves) == marked {
        return Ok(());
    }
    let mut wanted = marked;
    if !new.is_empty() {
        let envelope = key::envelope(tx, record)?;
        wanted.extend(sealed::blind(specs, &new, &envelope)?);
    }
    delete(tx, record.row)?;
    insert(tx, (record.tenant, record.kind, record.row), &wanted)
}

/// Forgets the secrets of a record.
pub(super) fn delete(tx: &mut Tx<'_>, row: i64) -> Result<(), Error> {
    diesel::delete(blind_index::table.filter(blind_index::resource.eq(row)))
        .execute(tx.db())
        .map(drop)
        .map_err(|error| tx.explain(error))
}
