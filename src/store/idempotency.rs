//! Requests that carry a key of their own: one row each, from the moment it is let in until its key is forgotten. What they
//! change has its event as ever; a row says only that it has been done, and what was answered, sealed by the tenant's key.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use diesel::connection::SimpleConnection;
use diesel::prelude::*;

use super::db::{Db, on_both};
use super::key;
use super::schema::{idempotency, idempotency_name, resource};
use super::sql_types::{instant, key as bytes, micros, uuid};
use super::values::BATCH;
use super::{Error, Tx};
use crate::domain::idempotency::{Answer, Attempt, Done, Kept, Key, Progress, Standing, State};
use crate::domain::sealing::Place;
use crate::id::{ResourceId, TenantId};

/// A request with a key.
#[derive(Clone, Debug)]
pub struct Request {
    /// The tenant.
    pub tenant: TenantId,
    /// Whose key it is: the client, by name, or an account of it.
    pub owner: String,
    /// The key.
    pub key: Key,
    /// SHA-256 of what it says, in hexadecimal digits.
    pub digest: String,
    /// When it came in.
    pub now: DateTime<Utc>,
    /// Until when it may take.
    pub lease: DateTime<Utc>,
    /// Until when its key is to be known.
    pub expires: DateTime<Utc>,
}

/// What is known of a request that comes in.
#[derive(Clone, Debug)]
pub enum Claimed {
    /// It is let in, as the first or in the place of one that was given up.
    Admitted(Attempt),
    /// It has been answered.
    Answered(Attempt, Option<Answer>),
    /// It says something else than the first with its key.
    Different,
    /// The first is being worked on; so many seconds later it may not be.
    Busy(i64),
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = idempotency)]
struct Row {
    id: i64,
    fingerprint: Vec<u8>,
    turn: i64,
    state: i16,
    lease: i64,
    expires: i64,
    resource: Option<Vec<u8>>,
    came: Option<i16>,
    progress: Option<String>,
    answer: Option<Vec<u8>>,
}

impl Row {
    fn kept(&self) -> Result<Kept, Error> {
        let state = State::from_number(self.state)
            .ok_or_else(|| Error::Fault(format!("a request is in state {}", self.state)))?;
        Ok(Kept {
            fingerprint: self.fingerprint.clone(),
            state,
            lease: instant(self.lease),
            expires: instant(self.expires),
        })
    }

    fn done(&self) -> Result<Done, Error> {
        let progress = self.progress.as_deref();
        let progress: Option<Progress> = progress.map(serde_json::from_str).transpose()?;
        let resource = self.resource.as_deref();
        Ok(Done {
            resource: resource.map(|id| (ResourceId(uuid(id)), self.came.unwrap_or_default())),
            progress: progress.unwrap_or_default(),
            is_answered: self.state == State::Answered.number(),
        })
    }

    /// The attempt, which does not do again what has been committed.
    fn attempt(&self, key: &Key, turn: i64) -> Result<Attempt, Error> {
        let is_done = self.state != State::Claimed.number();
        Ok(Attempt {
            key: key.clone(),
            row: self.id,
            turn,
            done: is_done.then(|| self.done()).transpose()?,
        })
    }
}

/// Where the answer of a row belongs.
fn place(tenant: TenantId, what: &str) -> Place<'_> {
    Place {
        tenant,
        record: None,
        what,
    }
}

fn what(row: i64) -> String {
    format!("answer {row}")
}

/// Has PostgreSQL commit this transaction without waiting for the disk: only what is in no hurry may be in it. A later commit
/// that waits takes this one to the disk first, so no write is ever kept without the claim before it; and where an answer is
/// lost the record is shown as it is. SQLite's writes share their commits anyway.
fn hurry(tx: &mut Tx<'_>) -> Result<(), Error> {
    if let Db::Postgres(connection) = tx.db() {
        connection
            .batch_execute("SET LOCAL synchronous_commit TO off")
            .map_err(|error| tx.explain(error))?;
    }
    Ok(())
}

/// Lets a request in if it is the first with its key, or if the first was given up; else says what is known of it. It has a
/// transaction to itself.
pub fn claim(tx: &mut Tx<'_>, request: &Request) -> Result<Claimed, Error> {
    hurry(tx)?;
    let secret = key::of_tenant(tx, request.tenant)?
        .blind
        .derive("idempotency");
    let name = secret
        .mac(&format!("{}\u{0}{}", request.owner, request.key))
        .to_vec();
    let fingerprint = secret.mac(&request.digest).to_vec();
    let values = (
        idempotency::tenant.eq(request.tenant.0),
        idempotency::key.eq(&name),
        idempotency::fingerprint.eq(&fingerprint),
        idempotency::turn.eq(1_i64),
        idempotency::state.eq(State::Claimed.number()),
        idempotency::lease.eq(micros(request.lease)),
        idempotency::expires.eq(micros(request.expires)),
    );
    let made: Result<i64, _> = on_both!(tx.db(), connection => diesel::insert_into(idempotency::table)
        .values(values)
        .on_conflict_do_nothing()
        .returning(idempotency::id)
        .get_result(connection));
    if let Some(row) = made.optional().map_err(|error| tx.explain(error))? {
        return Ok(Claimed::Admitted(Attempt {
            key: request.key.clone(),
            row,
            turn: 1,
            done: None,
        }));
    }
    let row: Option<Row> = idempotency::table
        .filter(idempotency::tenant.eq(request.tenant.0))
        .filter(idempotency::key.eq(&name))
        .select(Row::as_select())
        .first(tx.db())
        .optional()
        .map_err(|error| tx.explain(error))?;
    // It may have been given up or forgotten just now.
    let Some(row) = row else {
        return Err(tx.lose());
    };
    match row.kept()?.standing(&fingerprint, request.now) {
        Standing::Different => Ok(Claimed::Different),
        Standing::Busy(seconds) => Ok(Claimed::Busy(seconds)),
        Standing::Answered => {
            let answer = opened(tx, request.tenant, &row)?;
            Ok(Claimed::Answered(
                row.attempt(&request.key, row.turn)?,
                answer,
            ))
        }
        Standing::Forgotten => renew(tx, request, &row, fingerprint),
        Standing::Abandoned => take_over(tx, request, &row),
    }
}

fn opened(tx: &mut Tx<'_>, tenant: TenantId, row: &Row) -> Result<Option<Answer>, Error> {
    let Some(sealed) = &row.answer else {
        return Ok(None);
    };
    let keys = key::of_tenant(tx, tenant)?;
    let opened = keys.sealing.open(place(tenant, &what(row.id)), sealed)?;
    Ok(Some(serde_json::from_slice(&opened)?))
}

/// Whoever comes first takes a request over that was given up.
fn take_over(tx: &mut Tx<'_>, request: &Request, row: &Row) -> Result<Claimed, Error> {
    let target = idempotency::table
        .find(row.id)
        .filter(idempotency::turn.eq(row.turn))
        .filter(idempotency::state.eq(row.state));
    let taken = diesel::update(target)
        .set((
            idempotency::turn.eq(row.turn + 1),
            idempotency::lease.eq(micros(request.lease)),
        ))
        .execute(tx.db())
        .map_err(|error| tx.explain(error))?;
    if taken == 0 {
        return Err(tx.lose());
    }
    Ok(Claimed::Admitted(row.attempt(&request.key, row.turn + 1)?))
}

/// A request whose key was forgotten is a first one again.
fn renew(
    tx: &mut Tx<'_>,
    request: &Request,
    row: &Row,
    fingerprint: Vec<u8>,
) -> Result<Claimed, Error> {
    let target = idempotency::table
        .find(row.id)
        .filter(idempotency::turn.eq(row.turn));
    let renewed = diesel::update(target)
        .set((
            idempotency::fingerprint.eq(fingerprint),
            idempotency::turn.eq(row.turn + 1),
            idempotency::state.eq(State::Claimed.number()),
            idempotency::lease.eq(micros(request.lease)),
            idempotency::expires.eq(micros(request.expires)),
            idempotency::resource.eq(None::<Vec<u8>>),
            idempotency::came.eq(None::<i16>),
            idempotency::progress.eq(None::<String>),
            idempotency::answer.eq(None::<Vec<u8>>),
        ))
        .execute(tx.db())
        .map_err(|error| tx.explain(error))?;
    if renewed == 0 {
        return Err(tx.lose());
    }
    diesel::delete(idempotency_name::table.filter(idempotency_name::request.eq(row.id)))
        .execute(tx.db())
        .map_err(|error| tx.explain(error))?;
    Ok(Claimed::Admitted(Attempt {
        key: request.key.clone(),
        row: row.id,
        turn: row.turn + 1,
        done: None,
    }))
}

/// Notes, in the transaction that does it, what a request has done: the record that it has written, and of a bulk request how
/// far it has come, for which its lease is prolonged.
///
/// # Errors
/// If another attempt has taken over: then nothing may be committed.
pub fn commit(
    tx: &mut Tx<'_>,
    attempt: &Attempt,
    resource: Option<(ResourceId, i16)>,
    progress: Option<(&Progress, DateTime<Utc>)>,
) -> Result<(), Error> {
    let target = idempotency::table
        .find(attempt.row)
        .filter(idempotency::turn.eq(attempt.turn));
    let state = idempotency::state.eq(State::Committed.number());
    let updated = match progress {
        None => diesel::update(target)
            .set((
                state,
                idempotency::resource.eq(resource.map(|(id, _)| bytes(id.0))),
                idempotency::came.eq(resource.map(|(_, came)| came)),
            ))
            .execute(tx.db()),
        Some((progress, lease)) => diesel::update(target)
            .set((
                state,
                idempotency::progress.eq(serde_json::to_string(progress)?),
                idempotency::lease.eq(micros(lease)),
            ))
            .execute(tx.db()),
    };
    if updated.map_err(|error| tx.explain(error))? == 1 {
        return Ok(());
    }
    Err(Error::Unavailable(
        "another attempt at the same request has taken over".into(),
    ))
}

/// Keeps the answer of a request, with every id that it names. One about a record that is gone by now is not kept. It has a
/// transaction to itself.
pub fn keep(
    tx: &mut Tx<'_>,
    tenant: TenantId,
    attempt: &Attempt,
    answer: &Answer,
) -> Result<(), Error> {
    hurry(tx)?;
    let about: Option<Option<Vec<u8>>> = idempotency::table
        .find(attempt.row)
        .filter(idempotency::turn.eq(attempt.turn))
        .select(idempotency::resource)
        .first(tx.db())
        .optional()
        .map_err(|error| tx.explain(error))?;
    let Some(about) = about else { return Ok(()) };
    let says_nothing = answer.body.as_deref() == Some("");
    let may_be_kept = match &about {
        Some(id) if !says_nothing => is_there(tx, tenant, id)?,
        _ => true,
    };
    let sealed = if answer.body.is_some() && may_be_kept {
        let keys = key::of_tenant(tx, tenant)?;
        let (nonce, what) = (tx.keys().nonce(), what(attempt.row));
        let plain = serde_json::to_vec(answer)?;
        Some(keys.sealing.seal(nonce, place(tenant, &what), &plain)?)
    } else {
        None
    };
    let named = if sealed.is_some() {
        answer.names()
    } else {
        BTreeSet::default()
    };
    let target = idempotency::table
        .find(attempt.row)
        .filter(idempotency::turn.eq(attempt.turn));
    let kept = diesel::update(target)
        .set((
            idempotency::state.eq(State::Answered.number()),
            idempotency::answer.eq(sealed),
        ))
        .execute(tx.db())
        .map_err(|error| tx.explain(error))?;
    if kept == 0 {
        return Ok(());
    }
    let rows: Vec<_> = named
        .iter()
        .map(|id| {
            (
                idempotency_name::request.eq(attempt.row),
                idempotency_name::name.eq(bytes(id.0)),
            )
        })
        .collect();
    for rows in rows.chunks(BATCH) {
        on_both!(tx.db(), connection => diesel::insert_into(idempotency_name::table)
            .values(rows.to_vec())
            .on_conflict_do_nothing()
            .execute(connection))
        .map_err(|error| tx.explain(error))?;
    }
    Ok(())
}

fn is_there(tx: &mut Tx<'_>, tenant: TenantId, id: &[u8]) -> Result<bool, Error> {
    let target = resource::table
        .filter(resource::tenant.eq(tenant.0))
        .filter(resource::uuid.eq(id));
    diesel::select(diesel::dsl::exists(target))
        .get_result(tx.db())
        .map_err(|error| tx.explain(error))
}

/// Gives up an attempt without an answer that could be kept: if nothing has been committed its key is free, else it may be
/// taken over at once. It has a transaction to itself.
pub fn release(tx: &mut Tx<'_>, attempt: &Attempt) -> Result<(), Error> {
    hurry(tx)?;
    let mine = || {
        idempotency::table
            .find(attempt.row)
            .filter(idempotency::turn.eq(attempt.turn))
    };
    diesel::delete(mine().filter(idempotency::state.eq(State::Claimed.number())))
        .execute(tx.db())
        .map_err(|error| tx.explain(error))?;
    diesel::update(mine().filter(idempotency::state.eq(State::Committed.number())))
        .set(idempotency::lease.eq(0))
        .execute(tx.db())
        .map(drop)
        .map_err(|error| tx.explain(error))
}

/// Removes the answers that name any of these, and what follows from what was said of them. Their keys stay known, so that
/// nobody who is erased is made again by who repeats a request.
pub fn forget(tx: &mut Tx<'_>, tenant: TenantId, ids: &[ResourceId]) -> Result<(), Error> {
    for ids in ids.chunks(BATCH) {
        let names: Vec<Vec<u8>> = ids.iter().map(|id| bytes(id.0)).collect();
        let naming = idempotency_name::table
            .filter(idempotency_name::name.eq_any(names.clone()))
            .select(idempotency_name::request);
        let known: Vec<i64> = naming.load(tx.db()).map_err(|error| tx.explain(error))?;
        let about = idempotency::table
            .filter(idempotency::tenant.eq(tenant.0))
            .filter(idempotency::id.eq_any(known));
        diesel::update(about)
            .set((
                idempotency::answer.eq(None::<Vec<u8>>),
                idempotency::fingerprint.eq(Vec::<u8>::new()),
            ))
            .execute(tx.db())
            .map_err(|error| tx.explain(error))?;
        let gone = idempotency_name::table.filter(idempotency_name::name.eq_any(names));
        diesel::delete(gone)
            .execute(tx.db())
            .map_err(|error| tx.explain(error))?;
    }
    Ok(())
}

/// Keys whose time is over, at most `limit`.
pub fn expired(tx: &mut Tx<'_>, now: DateTime<Utc>, limit: i64) -> Result<Vec<i64>, Error> {
    idempotency::table
        .filter(idempotency::expires.le(micros(now)))
        .order(idempotency::expires.asc())
        .limit(limit)
        .select(idempotency::id)
        .load(tx.db())
        .map_err(|error| tx.explain(error))
}

/// Forgets those of these keys whose time is over; how many there were.
pub fn delete_expired(tx: &mut Tx<'_>, rows: &[i64], now: DateTime<Utc>) -> Result<usize, Error> {
    let over = idempotency::table
        .filter(idempotency::id.eq_any(rows.to_vec()))
        .filter(idempotency::expires.le(micros(now)));
    diesel::delete(over)
        .execute(tx.db())
        .map_err(|error| tx.explain(error))
}
