//! How far each connected system is behind (B-047), so that whoever runs them sees it before a candidate does.
//!
//! What a client reads and writes is noted in memory and kept by a thread, a row for each client: a read of the feed waits for no
//! write, and a client that polls costs one a second while it moves, one a minute while it does not.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use super::policy::Admitted;
use super::{Error, Muster};
use crate::domain::context::{Client, Context};
use crate::domain::integration::{Integration, Signs, Unread};
use crate::id::TenantId;
use crate::scim::comparable::instant;
use crate::store::{self, Tx};

/// So many positions of the log are looked at for what a client has not read.
const LOOKED: i64 = 10_000;

/// What was heard of a client, and what of it has been kept.
type Notes = BTreeMap<(i32, String), (Signs, Signs)>;

/// What was lately heard of the clients of all tenants.
#[derive(Default)]
pub(super) struct Heard(Mutex<Notes>);

impl Heard {
    fn note(&self, client: &Client, note: impl FnOnce(&mut Signs)) {
        let client = (client.tenant.0, client.name.clone());
        let mut notes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        note(&mut notes.entry(client).or_default().0);
    }

    /// What is to be kept now, all of it `at_once` or what is worth it; it counts as kept.
    fn due(&self, at_once: bool) -> Vec<(TenantId, String, Signs)> {
        let mut notes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let due = notes.iter_mut().filter(|(_, (signs, kept))| {
            signs != kept && (at_once || signs.are_worth_more_than(kept))
        });
        let taken = due.map(|((tenant, client), (signs, kept))| {
            *kept = *signs;
            (TenantId(*tenant), client.clone(), *signs)
        });
        taken.collect()
    }
}

impl Muster {
    /// Notes that a client has asked for the feed from a position on.
    pub(super) fn note_asked(&self, context: &Context, position: i64) {
        self.0
            .heard
            .note(&context.client, |signs| signs.ask(position, context.now));
    }

    /// Notes that something was taken that a client wrote.
    pub fn note_written(&self, client: &Client, now: DateTime<Utc>) {
        self.0.heard.note(client, |signs| signs.wrote = Some(now));
    }

    /// Keeps what was lately heard of the clients: from time to time, and at the end.
    pub(super) fn keep_heard(&self, at_once: bool) {
        let due = self.0.heard.due(at_once);
        if due.is_empty() {
            return;
        }
        let kept = self.0.store.write_blocking(move |tx| keep(tx, &due));
        if let Err(error) = kept {
            tracing::debug!(%error, "what was heard of the clients is kept when they are next heard of");
        }
    }

    /// Keeps all that was heard, for who is about to be told of it.
    pub(super) async fn keep_heard_now(&self) -> Result<(), Error> {
        let due = self.0.heard.due(true);
        if !due.is_empty() {
            self.0.store.write(move |tx| keep(tx, &due)).await?;
        }
        Ok(())
    }

    /// The connected systems of the caller's tenant, each with how far it is behind: as a document.
    ///
    /// # Errors
    /// When the caller may not read all of `AuditEvent`.
    pub async fn integrations(&self, context: &Context) -> Result<Value, Error> {
        Self::may_read_whole_log(context)?;
        self.keep_heard_now().await?;
        let (muster, tenant, now) = (self.clone(), context.tenant(), context.now);
        let read = move |tx: &mut Tx<'_>| muster.connected(tx, tenant, now);
        let connected = self.0.store.read(read).await?;
        Ok(told(now, &connected))
    }

    /// The same of any tenant, for whoever runs the server.
    pub fn integrations_of(
        &self,
        tenant: TenantId,
        now: DateTime<Utc>,
    ) -> Result<Vec<Integration>, Error> {
        let read = |tx: &mut Tx<'_>| self.connected(tx, tenant, now);
        self.0.store.read_blocking(read)
    }

    fn connected(
        &self,
        tx: &mut Tx<'_>,
        tenant: TenantId,
        now: DateTime<Utc>,
    ) -> Result<Vec<Integration>, Error> {
        let policies = self.policies();
        let governed = policies.get(&tenant.0);
        let rows = governed.map(|row| &*row.clients).unwrap_or_default();
        let systems = governed.map(|row| &*row.policy.systems).unwrap_or_default();
        let mut heard = store::integration::list(tx, tenant)?;
        let refused = store::refused::waiting(tx, tenant)?;
        for client in refused
            .keys()
            .chain(rows.iter().map(|row| &row.client.name))
        {
            heard.entry(client.clone()).or_default();
        }
        let end = store::integration::positions(tx, tenant)?;
        let mut connected = Vec::new();
        for (client, signs) in heard {
            let row = rows.iter().find(|row| row.client.name == client);
            let unread = match signs.asked {
                Some((position, _)) => self.unread(tx, tenant, row, (position, end))?,
                None => Unread::default(),
            };
            let system = row.map(|row| row.client.system.as_str());
            let waiting = refused.get(&client).copied().unwrap_or(0);
            let one = Integration::new(
                (&client, system),
                row.is_some_and(|row| row.disabled),
                &signs,
                (unread, waiting),
                now,
            );
            let mut systems = systems.iter();
            let system = systems.find(|row| Some(row.name.value.as_str()) == system);
            connected.push(one.of(system, now.date_naive()));
        }
        Ok(connected)
    }

    /// What a client may see of the log from a position on; of a client that no policy names, what anybody might.
    fn unread(
        &self,
        tx: &mut Tx<'_>,
        tenant: TenantId,
        row: Option<&Admitted>,
        (from, end): (i64, i64),
    ) -> Result<Unread, Error> {
        let to = end.min(from.saturating_add(LOOKED));
        let mut unread = Unread {
            is_least: to < end,
            ..Unread::default()
        };
        if from >= to {
            return Ok(unread);
        }
        let client = row.map(|row| &*row.client);
        for lot in store::integration::between(tx, tenant, (from, to))? {
            if self.is_told_of(client, &lot.kind, &lot.of).is_none() {
                continue;
            }
            unread.count += lot.count;
            unread.newest = unread.newest.max(Some(lot.newest));
            let since = unread.since.map_or(lot.since, |since| since.min(lot.since));
            unread.since = Some(since);
        }
        Ok(unread)
    }
}

fn keep(tx: &mut Tx<'_>, due: &[(TenantId, String, Signs)]) -> Result<(), Error> {
    for (tenant, client, signs) in due {
        store::integration::keep(tx, *tenant, client, signs)?;
        if let Some(furthest) = signs.furthest {
            store::acknowledged::note(tx, *tenant, client, furthest)?;
        }
    }
    Ok(())
}

/// The connected systems at `now` as a document.
#[must_use]
pub fn told(now: DateTime<Utc>, connected: &[Integration]) -> Value {
    json!({ "at": instant(now), "integrations": connected })
}
