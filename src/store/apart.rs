//! Of pairs of whom a human has said that they are two, the source records and what was known of both: HMACs alone, so that
//! they bind a source record that comes again when its person is gone.

use diesel::prelude::*;

use super::db::on_both;
use super::schema::known_apart;
use super::{Error, Tx, matching};
use crate::id::TenantId;

/// What the HMACs are made for.
const PURPOSE: &str = "known apart";

/// What is stored of texts, each in its place.
pub fn names(tx: &mut Tx<'_>, tenant: TenantId, texts: &[String]) -> Result<Vec<i64>, Error> {
    matching::blinded(tx, (tenant, PURPOSE), texts)
}

/// From whom a source record is kept apart, with what was known then.
pub fn of(tx: &mut Tx<'_>, tenant: TenantId, one: i64) -> Result<Vec<(i64, String)>, Error> {
    known_apart::table
        .filter(known_apart::tenant.eq(tenant.0))
        .filter(known_apart::one.eq(one))
        .select((known_apart::other, known_apart::evidence))
        .load(tx.db())
        .map_err(|error| tx.explain(error))
}

/// Keeps source records apart from whatever has one of the other names, with what is known now.
pub fn put(
    tx: &mut Tx<'_>,
    tenant: TenantId,
    (ones, others): (&[i64], &[i64]),
    evidence: &str,
) -> Result<(), Error> {
    forget(tx, tenant, (ones, others))?;
    let row = |one: i64, other: i64| {
        (
            known_apart::tenant.eq(tenant.0),
            known_apart::one.eq(one),
            known_apart::other.eq(other),
            known_apart::evidence.eq(evidence),
        )
    };
    let rows: Vec<_> = ones
        .iter()
        .flat_map(|one| others.iter().map(move |other| row(*one, *other)))
        .collect();
    if rows.is_empty() {
        return Ok(());
    }
    on_both!(tx.db(), connection => diesel::insert_into(known_apart::table).values(rows).execute(connection))
        .map(drop)
        .map_err(|error| tx.explain(error))
}

/// Keeps them apart no longer.
pub fn forget(
    tx: &mut Tx<'_>,
    tenant: TenantId,
    (ones, others): (&[i64], &[i64]),
) -> Result<(), Error> {
    let target = known_apart::table
        .filter(known_apart::tenant.eq(tenant.0))
        .filter(known_apart::one.eq_any(ones.to_vec()))
        .filter(known_apart::other.eq_any(others.to_vec()));
    diesel::delete(target)
        .execute(tx.db())
        .map(drop)
        .map_err(|error| tx.explain(error))
}

/// Forgets all that is kept of someone of these names.
pub fn forget_all(tx: &mut Tx<'_>, tenant: TenantId, names: &[i64]) -> Result<(), Error> {
    let target = known_apart::table
        .filter(known_apart::tenant.eq(tenant.0))
        .filter(
            known_apart::one
                .eq_any(names.to_vec())
                .or(known_apart::other.eq_any(names.to_vec())),
        );
    diesel::delete(target)
        .execute(tx.db())
        .map(drop)
        .map_err(|error| tx.explain(error))
}
