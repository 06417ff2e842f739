//! Candidates by the keys that they are found by, stored as HMACs alone; and the traces of decisions, sealed (design §5, §7).

use std::collections::{BTreeMap, BTreeSet};

use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt};

use super::db::{Db, on_both};
use super::schema::{blocking_key, match_trace};
use super::sql_types::micros;
use super::{Error, Tx, key};
use crate::domain::record::{Folded, Kind, Record};
use crate::domain::sealing::Place;
use crate::id::TenantId;

/// What the keys' HMACs are made for.
const PURPOSE: &str = "blocking key";
/// What a trace is sealed for.
const TRACE: &str = "match trace";

/// What is stored of keys: the first eight bytes of their HMACs. Two that share these by chance share a few candidates more.
pub fn names(tx: &mut Tx<'_>, tenant: TenantId, keys: &[String]) -> Result<Vec<i64>, Error> {
    blinded(tx, (tenant, PURPOSE), keys)
}

/// The first eight bytes of the HMACs of texts, made for a purpose; sorted, none twice.
pub(super) fn blinded(
    tx: &mut Tx<'_>,
    (tenant, purpose): (TenantId, &str),
    keys: &[String],
) -> Result<Vec<i64>, Error> {
    let blind = key::of_tenant(tx, tenant)?.blind.derive(purpose);
    let name = |key: &String| {
        let mac = blind.mac(key);
        let mut bytes = [0_u8; 8];
        bytes.copy_from_slice(&mac[..8]);
        i64::from_be_bytes(bytes)
    };
    let mut names: Vec<i64> = keys.iter().map(name).collect();
    names.sort_unstable();
    names.dedup();
    Ok(names)
}

/// Brings the keys of a record to `names`: only what differs is touched.
pub fn put(tx: &mut Tx<'_>, record: i64, names: &[i64]) -> Result<(), Error> {
    let known: Vec<i64> = blocking_key::table
        .filter(blocking_key::resource.eq(record))
        .select(blocking_key::value)
        .load(tx.db())
        .map_err(|error| tx.explain(error))?;
    let (known, wanted): (BTreeSet<i64>, BTreeSet<i64>) =
        (known.into_iter().collect(), names.iter().copied().collect());
    let gone: Vec<i64> = known.difference(&wanted).copied().collect();
    if !gone.is_empty() {
        let target = blocking_key::table
            .filter(blocking_key::resource.eq(record))
            .filter(blocking_key::value.eq_any(gone));
        diesel::delete(target)
            .execute(tx.db())
            .map_err(|error| tx.explain(error))?;
    }
    let rows: Vec<_> = wanted
        .difference(&known)
        .map(|value| {
            (
                blocking_key::value.eq(*value),
                blocking_key::resource.eq(record),
            )
        })
        .collect();
    if !rows.is_empty() {
        on_both!(tx.db(), connection => diesel::insert_into(blocking_key::table).values(rows).execute(connection))
            .map_err(|error| tx.explain(error))?;
    }
    Ok(())
}

/// Who shares keys.
#[derive(Debug, Default)]
pub struct Sharers {
    /// How many of the keys each record has, by its number.
    pub shared: BTreeMap<i64, usize>,
    /// How many keys were not walked, because more than `most` have them.
    pub hot: usize,
}

#[derive(QueryableByName)]
struct Holder {
    #[diesel(sql_type = BigInt)]
    value: i64,
    #[diesel(sql_type = BigInt)]
    resource: i64,
}

/// The records that have one of these keys. A key that more than `most` have tells nobody apart: it is counted, not walked.
pub fn sharers(tx: &mut Tx<'_>, names: &[i64], most: usize) -> Result<Sharers, Error> {
    let mut holders: BTreeMap<i64, Vec<i64>> = BTreeMap::new();
    let limit = i64::try_from(most + 1).unwrap_or(i64::MAX);
    let loaded = match tx.db() {
        Db::Sqlite(connection) => names.iter().try_for_each(|name| {
            let found = blocking_key::table
                .filter(blocking_key::value.eq(name))
                .select(blocking_key::resource)
                .limit(limit)
                .load(connection)?;
            holders.insert(*name, found);
            Ok(())
        }),
        Db::Postgres(connection) => {
            let found = diesel::sql_query(format!(
                "SELECT given.value, found.resource FROM unnest($1) AS given (value) CROSS JOIN LATERAL \
                 (SELECT k.resource FROM blocking_key k WHERE k.value = given.value LIMIT {limit}) found"
            ))
            .bind::<Array<BigInt>, _>(names)
            .load::<Holder>(connection);
            found.map(|found| {
                for Holder { value, resource } in found {
                    holders.entry(value).or_default().push(resource);
                }
            })
        }
    };
    loaded.map_err(|error| tx.explain(error))?;
    let mut sharers = Sharers::default();
    for found in holders.into_values() {
        if found.len() > most {
            sharers.hot += 1;
            continue;
        }
        for record in found {
            *sharers.shared.entry(record).or_default() += 1;
        }
    }
    Ok(sharers)
}

/// Keeps why a subject was or was not found to be a candidate, in place of what was kept of the two before.
pub fn keep_trace(
    tx: &mut Tx<'_>,
    subject: &Folded,
    candidate: i64,
    (at, trace): (chrono::DateTime<chrono::Utc>, &[u8]),
) -> Result<(), Error> {
    let sealing = key::of_person(tx, subject.tenant, (subject.row, subject.id))?;
    let body = sealing.seal(tx.keys().nonce(), place(subject), trace)?;
    let target = match_trace::table.find((subject.row, candidate));
    diesel::delete(target)
        .execute(tx.db())
        .map_err(|error| tx.explain(error))?;
    let values = (
        match_trace::subject.eq(subject.row),
        match_trace::candidate.eq(candidate),
        match_trace::decided.eq(micros(at)),
        match_trace::body.eq(body),
    );
    on_both!(tx.db(), connection => diesel::insert_into(match_trace::table).values(values).execute(connection))
        .map(drop)
        .map_err(|error| tx.explain(error))
}

/// The traces of a subject, by the candidate's number.
pub fn traces(tx: &mut Tx<'_>, subject: &Folded) -> Result<Vec<(i64, Vec<u8>)>, Error> {
    let rows: Vec<(i64, Vec<u8>)> = match_trace::table
        .filter(match_trace::subject.eq(subject.row))
        .order(match_trace::candidate)
        .select((match_trace::candidate, match_trace::body))
        .load(tx.db())
        .map_err(|error| tx.explain(error))?;
    if rows.is_empty() {
        return Ok(Vec::new());
    }
    let wrapped = key::wrapped(tx, vec![subject.row])?;
    let Some(wrapped) = wrapped.get(&subject.row) else {
        return Ok(Vec::new());
    };
    let sealing = key::of_tenant(tx, subject.tenant)?.open(subject.tenant, subject.id, wrapped)?;
    let open =
        |(candidate, body): (i64, Vec<u8>)| Ok((candidate, sealing.open(place(subject), &body)?));
    rows.into_iter().map(open).collect()
}

fn place(subject: &Folded) -> Place<'_> {
    Place {
        tenant: subject.tenant,
        record: Some(subject.id),
        what: TRACE,
    }
}

/// Forgets all of a record that is about to go, whoever it was compared with.
pub(super) fn delete(tx: &mut Tx<'_>, record: i64) -> Result<(), Error> {
    diesel::delete(blocking_key::table.filter(blocking_key::resource.eq(record)))
        .execute(tx.db())
        .map_err(|error| tx.explain(error))?;
    for of_it in [true, false] {
        let done = if of_it {
            diesel::delete(match_trace::table.filter(match_trace::subject.eq(record)))
                .execute(tx.db())
        } else {
            diesel::delete(match_trace::table.filter(match_trace::candidate.eq(record)))
                .execute(tx.db())
        };
        done.map_err(|error| tx.explain(error))?;
    }
    Ok(())
}

/// Records of these numbers with their sources, without holding them: to look at, not to change.
pub fn look(tx: &mut Tx<'_>, rows: &[i64]) -> Result<Vec<Record>, Error> {
    let mut sources = super::source::of_records(tx, rows)?;
    let mut records = Vec::with_capacity(rows.len());
    for row in rows {
        if let Some(folded) = super::record::at(tx, *row)? {
            let sources = sources.remove(row).unwrap_or_default();
            records.push(Record { folded, sources });
        }
    }
    Ok(records)
}

/// How many people a tenant has.
pub fn population(tx: &mut Tx<'_>, tenant: TenantId) -> Result<i64, Error> {
    super::counter::total(tx, tenant, Kind::Person, None)
}
