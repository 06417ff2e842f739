//! The sealed log as its readers see it: signed heads and proofs (RFC 9162), and the thread that signs.

use std::io;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use serde_json::{Value, json};

use super::{Error, Muster};
use crate::clock::Clock;
use crate::domain::context::Context;
use crate::domain::log::head::{Head, Key, encoded};
use crate::domain::log::{Hash, proof};
use crate::id::{EventId, TenantId};
use crate::store::{self, Dialect, Store, Tx};

/// How often the heads of logs that have grown are signed.
const SIGN: Duration = Duration::from_secs(1);

/// Keeps heads outside the database, each as a line of JSON.
pub type Keep = Box<dyn FnMut(&str) -> io::Result<()> + Send>;

/// The key that signs the heads; `fresh` is its seed if there is none yet.
pub(super) fn key(store: &Store, fresh: Vec<u8>) -> Result<Key, Error> {
    let seed =
        store.write_blocking(move |tx| Ok::<_, Error>(store::key::own(tx, "log-key", &fresh)?))?;
    Key::from_seed(&seed).ok_or_else(|| Error::Internal("the key of the log is damaged".into()))
}

/// The thread that signs.
#[derive(Default)]
pub(super) struct Notary(Mutex<Option<(Sender<()>, JoinHandle<()>)>>);

impl Notary {
    /// Signs what is not yet, and stops.
    pub(super) fn close(&self) {
        let running = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some((stop, thread)) = running {
            drop(stop);
            drop(thread.join());
        }
    }
}

impl Muster {
    /// Seals from now on what is committed, also what was committed before, and once a second signs the head of each log that
    /// has grown. `keep` is given each head that this process has signed.
    pub fn start_log(&self, clock: Arc<dyn Clock>, mut keep: Option<Keep>) -> Result<(), Error> {
        self.0.store.start_sealing()?;
        let (stop, stopped) = channel::<()>();
        let inner = Arc::downgrade(&self.0);
        let work = move || {
            let mut unkept = Vec::new();
            loop {
                let waited = stopped.recv_timeout(SIGN);
                let Some(inner) = inner.upgrade() else { return };
                if let Err(error) = Self(inner).notarize(&*clock, &mut unkept) {
                    tracing::warn!(%error, "service.log.sign failed");
                }
                if let Some(keep) = &mut keep
                    && !unkept.is_empty()
                {
                    match keep(&unkept.concat()) {
                        Ok(()) => unkept.clear(),
                        Err(error) => {
                            tracing::error!(%error, "a tree head cannot be kept outside the database");
                        }
                    }
                } else {
                    unkept.clear();
                }
                if waited != Err(RecvTimeoutError::Timeout) {
                    return;
                }
            }
        };
        let thread = thread::Builder::new()
            .name("muster-notary".into())
            .spawn(work)
            .map_err(|error| Error::Internal(format!("cannot start a thread: {error}")))?;
        let notary = &self.0.notary.0;
        *notary.lock().unwrap_or_else(PoisonError::into_inner) = Some((stop, thread));
        Ok(())
    }

    /// Seals nothing from now on: to measure what sealing costs.
    pub fn leave_unsealed(&self) {
        self.0.store.leave_unsealed();
    }

    /// Seals what SQLite's commits have left for later, and signs the heads of the logs that have grown.
    fn notarize(&self, clock: &dyn Clock, lines: &mut Vec<String>) -> Result<(), Error> {
        let store = &self.0.store;
        if store.dialect() == Dialect::Sqlite {
            // Every commit takes some along.
            while store.read_blocking(|tx| Ok::<_, Error>(store::log::has_backlog(tx)?))? {
                let before = store.read_blocking(|tx| Ok::<_, Error>(store::log::horizon(tx)?))?;
                store.write_blocking(|_| Ok::<_, Error>(()))?;
                let after = store.read_blocking(|tx| Ok::<_, Error>(store::log::horizon(tx)?))?;
                if after == before {
                    break;
                }
            }
        }
        let grown = store.read_blocking(|tx| Ok::<_, Error>(store::log::unsigned(tx)?))?;
        for (tenant, tree) in grown {
            let head = self
                .0
                .log_key
                .sign(tenant, tree.size(), tree.root(), clock.now());
            let line = format!("{}\n", head.to_json());
            let is_new = store
                .write_blocking(move |tx| Ok::<_, Error>(store::log::insert_head(tx, &head)?))?;
            if is_new {
                lines.push(line);
            }
        }
        Ok(())
    }

    /// The public half of the key that signs the heads, in base64.
    #[must_use]
    pub fn log_key(&self) -> String {
        self.0.log_key.public()
    }

    /// The newest signed head of each tenant's log.
    pub fn log_heads(&self) -> Result<Vec<Head>, Error> {
        self.0.store.read_blocking(|tx| {
            let mut heads = Vec::new();
            for tenant in store::audit::tenants(tx)? {
                heads.extend(store::log::newest_head(tx, tenant)?);
            }
            Ok(heads)
        })
    }

    /// The newest signed head of the caller's log, with the key that signed it.
    pub async fn log_head(&self, context: &Context) -> Result<Value, Error> {
        Self::may_count_log(context)?;
        let (tenant, key) = (context.tenant(), self.log_key());
        let work = move |tx: &mut Tx<'_>| Ok(with_key(&newest(tx, tenant)?, &key));
        self.0.store.read(work).await
    }

    /// The proof that an event is under the newest signed head (RFC 9162 §2.1.3).
    pub async fn log_inclusion(&self, context: &Context, event: EventId) -> Result<Value, Error> {
        Self::may_read_whole_log(context)?;
        let (tenant, key) = (context.tenant(), self.log_key());
        let work = move |tx: &mut Tx<'_>| {
            let head = newest(tx, tenant)?;
            let found = inclusion(tx, tenant, &head, event)?;
            let mut found = found.ok_or_else(|| {
                Error::NotFound(format!(
                    "no event {event} is under a signed head of this log; one that has just happened is within two seconds"
                ))
            })?;
            found["head"] = with_key(&head, &key);
            Ok(found)
        };
        self.0.store.read(work).await
    }

    /// A head as it is told, with the key that signed it.
    pub(super) fn told_head(&self, head: &Head) -> Value {
        with_key(head, &self.log_key())
    }

    /// The proof that the log of one size is the beginning of that of another (RFC 9162 §2.1.4); of the newest signed head
    /// without the second.
    pub async fn log_consistency(
        &self,
        context: &Context,
        first: u64,
        second: Option<u64>,
    ) -> Result<Value, Error> {
        Self::may_count_log(context)?;
        let (tenant, key) = (context.tenant(), self.log_key());
        let work = move |tx: &mut Tx<'_>| {
            let head = newest(tx, tenant)?;
            let second = second.unwrap_or(head.size);
            if first == 0 || first > second || second > head.size {
                return Err(Error::NotFound(format!(
                    "there is no proof from {first} to {second}: the first size is at least 1, and the second at most that \
                     of the newest signed head, {}",
                    head.size
                )));
            }
            let path = proof::consistency(first, second, |level, number| {
                store::log::subtree(tx, tenant, level, number)
            })?;
            Ok(json!({
                "first": first,
                "second": second,
                "consistencyPath": texts(&path),
                "head": with_key(&head, &key),
            }))
        };
        self.0.store.read(work).await
    }
}

/// The newest signed head of a tenant's log, if there is one.
pub(super) fn head_of(tx: &mut Tx<'_>, tenant: TenantId) -> Result<Option<Head>, Error> {
    Ok(store::log::newest_head(tx, tenant)?)
}

/// The proof that an event is under a head; nothing if it is not yet.
pub(super) fn inclusion(
    tx: &mut Tx<'_>,
    tenant: TenantId,
    head: &Head,
    event: EventId,
) -> Result<Option<Value>, Error> {
    let found = store::log::find(tx, tenant, event.0.as_bytes())?;
    let Some((position, leaf)) = found.filter(|(position, _)| *position < head.size) else {
        return Ok(None);
    };
    let path = proof::inclusion(position, head.size, |level, number| {
        store::log::subtree(tx, tenant, level, number)
    })?;
    Ok(Some(json!({
        "event": event.to_string(),
        "position": position,
        "leafHash": encoded(&leaf),
        "inclusionPath": texts(&path),
    })))
}

fn newest(tx: &mut Tx<'_>, tenant: TenantId) -> Result<Head, Error> {
    store::log::newest_head(tx, tenant)?
        .ok_or_else(|| Error::NotFound("this log has no signed head yet".into()))
}

fn with_key(head: &Head, key: &str) -> Value {
    let mut head = head.to_json();
    head["publicKey"] = key.into();
    head
}

fn texts(hashes: &[Hash]) -> Vec<String> {
    hashes.iter().map(|hash| encoded(hash)).collect()
}
