//! The source records: what each system says of a record (design §3).

use std::collections::{BTreeMap, BTreeSet};

use diesel::prelude::*;

use super::db::on_both;
use super::rest::{self, Seal};
use super::schema::source_record;
use super::sql_types::{instant, micros};
use super::{Error, Tx};
use crate::domain::claim::SourceRecord;
use crate::domain::record::Record;

/// What the sources say of several records, by the record's number.
pub fn of_records(
    tx: &mut Tx<'_>,
    records: &[i64],
) -> Result<BTreeMap<i64, Vec<SourceRecord>>, Error> {
    type SourceRow = (i64, i64, i64, String, Option<String>, i64, i64, String);
    let ordered = source_record::table.order(source_record::id.asc());
    let rows: Result<Vec<SourceRow>, _> = match records {
        // A list of its own length would be prepared anew every time.
        [record] => {
            let of_one = ordered.filter(source_record::resource.eq(record));
            on_both!(tx.db(), connection => of_one.load(connection))
        }
        _ => ordered
            .filter(source_record::resource.eq_any(records.to_vec()))
            .load(tx.db()),
    };
    let rows = rows.map_err(|error| tx.explain(error))?;
    let kept: Vec<(i64, &str)> = rows.iter().map(|row| (row.1, row.7.as_str())).collect();
    let claims = rest::claims(tx, &kept)?;
    let mut sources: BTreeMap<i64, Vec<SourceRecord>> = BTreeMap::new();
    for (row, claims) in rows.into_iter().zip(claims) {
        let (row, record, origin, system, external_id, first_seen, last_synced, _) = row;
        sources.entry(record).or_default().push(SourceRecord {
            row: Some(row),
            origin: Some(origin),
            system,
            external_id,
            first_seen: instant(first_seen),
            last_synced: instant(last_synced),
            claims,
        });
    }
    Ok(sources)
}

/// Brings a record's sources to these: what does not differ is not touched.
pub(super) fn put_all(
    tx: &mut Tx<'_>,
    before: &Record,
    sources: &[SourceRecord],
    seal: &Seal,
) -> Result<(), Error> {
    let kept: BTreeSet<i64> = sources.iter().filter_map(|source| source.row).collect();
    for row in before
        .sources
        .iter()
        .filter_map(|source| source.row)
        .filter(|row| !kept.contains(row))
    {
        diesel::delete(source_record::table.find(row))
            .execute(tx.db())
            .map_err(|error| tx.explain(error))?;
    }
    for source in sources
        .iter()
        .filter(|source| !before.sources.contains(source))
    {
        put(tx, before.folded.row, source, seal)?;
    }
    Ok(())
}

/// Keeps what a source says of the record `owner`, whose seal that is.
pub(super) fn put(
    tx: &mut Tx<'_>,
    owner: i64,
    source: &SourceRecord,
    seal: &Seal,
) -> Result<(), Error> {
    let values = (
        source_record::resource.eq(owner),
        source_record::system.eq(&source.system),
        source_record::external_id.eq(&source.external_id),
        source_record::first_seen.eq(micros(source.first_seen)),
        source_record::last_synced.eq(micros(source.last_synced)),
        source_record::claims.eq(seal.claims(&source.claims)?),
    );
    let result = match source.row {
        Some(row) => diesel::update(source_record::table.find(row))
            .set(values)
            .execute(tx.db()),
        None => on_both!(tx.db(), connection => diesel::insert_into(source_record::table)
            .values((source_record::origin.eq(owner), values))
            .execute(connection)),
    };
    result.map(drop).map_err(|error| tx.explain(error))
}
