//! What this installation keeps for itself.

use chrono::{DateTime, Utc};
use diesel::prelude::*;

use super::db::on_both;
use super::schema::setting;
use super::{Error, Tx};

/// The setting named `name`; `fresh` if there was none: whoever comes first decides.
pub(super) fn claim(tx: &mut Tx<'_>, name: &str, fresh: &[u8]) -> Result<Vec<u8>, Error> {
    on_both!(tx.db(), connection => diesel::insert_into(setting::table)
        .values((setting::name.eq(name), setting::value.eq(fresh)))
        .on_conflict_do_nothing()
        .execute(connection))
    .map_err(|error| tx.explain(error))?;
    let value = setting::table
        .filter(setting::name.eq(name))
        .select(setting::value)
        .first(tx.db());
    value.map_err(|error| tx.explain(error))
}

/// Puts another value in the place of what was read; who was faster is believed.
pub(super) fn replace(
    tx: &mut Tx<'_>,
    name: &str,
    (known, value): (&[u8], &[u8]),
) -> Result<(), Error> {
    let unchanged = setting::table.filter(setting::name.eq(name).and(setting::value.eq(known)));
    let put = diesel::update(unchanged)
        .set(setting::value.eq(value))
        .execute(tx.db());
    put.map(drop).map_err(|error| tx.explain(error))
}

/// Whether `holder` has the lease named `name` now: if it had it, or nobody does whose time is not over. It is kept until
/// `until`.
pub fn lease(
    tx: &mut Tx<'_>,
    name: &str,
    holder: &str,
    (now, until): (DateTime<Utc>, DateTime<Utc>),
) -> Result<bool, Error> {
    let fresh = format!("{holder} {}", until.timestamp_micros()).into_bytes();
    let known = claim(tx, name, &fresh)?;
    if known == fresh {
        return Ok(true);
    }
    let text = String::from_utf8_lossy(&known);
    let (has, ends) = text.split_once(' ').unwrap_or_default();
    if has != holder
        && ends
            .parse()
            .is_ok_and(|ends: i64| ends > now.timestamp_micros())
    {
        return Ok(false);
    }
    // Two may find it free at once: the second no longer finds what it has read.
    let unchanged = setting::table.filter(setting::name.eq(name).and(setting::value.eq(known)));
    let taken = diesel::update(unchanged)
        .set(setting::value.eq(&fresh))
        .execute(tx.db());
    Ok(taken.map_err(|error| tx.explain(error))? == 1)
}

/// Gives the lease named `name` back, if `holder` has it.
pub fn release(tx: &mut Tx<'_>, name: &str, holder: &str) -> Result<(), Error> {
    let Some(known) = find(tx, name)? else {
        return Ok(());
    };
    if !known.starts_with(holder.as_bytes()) {
        return Ok(());
    }
    let held = setting::table.filter(setting::name.eq(name).and(setting::value.eq(known)));
    let gone = diesel::delete(held).execute(tx.db());
    gone.map(drop).map_err(|error| tx.explain(error))
}

/// The setting named `name`, if there is one.
pub fn find(tx: &mut Tx<'_>, name: &str) -> Result<Option<Vec<u8>>, Error> {
    setting::table
        .filter(setting::name.eq(name))
        .select(setting::value)
        .first(tx.db())
        .optional()
        .map_err(|error| tx.explain(error))
}
