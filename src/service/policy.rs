//! The policies in force: one a tenant, each version kept, compiled once, and known to all processes within a moment.

use std::collections::BTreeMap;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};

pub use super::apply::{Applied, Order};
use super::{Error, Muster, model};
use crate::domain::access::{Clearance, Confidential, Governing, confidential};
use crate::domain::catalog::Catalog;
use crate::domain::context::{Client, Context};
use crate::domain::matching::Scorer;
use crate::domain::policy::{self, Placed, Policy, load};
use crate::id::TenantId;
use crate::store::break_glass::Glass;
use crate::store::policy::Version;
use crate::store::{self, Store};

/// How often a process looks whether another has applied a policy.
pub(super) const LOOK: Duration = Duration::from_millis(250);
const _: () = assert!(
    LOOK.as_millis() <= 500,
    "a revoked client is out within a second"
);

/// A client of a policy: which tokens are its own, and what it may do.
#[derive(Debug)]
pub struct Admitted {
    /// The issuer of its tokens.
    pub issuer: String,
    /// The claim that tells them.
    pub claim: String,
    /// The text that the claim has.
    pub equals: String,
    /// How a token names its person's account, if it does.
    pub me: Option<policy::Me>,
    /// Whether it is shut out.
    pub disabled: bool,
    /// The client.
    pub client: Arc<Client>,
    /// The client with the purposes that it has for a while, and until when; the first to end comes first.
    pub elevated: Vec<(DateTime<Utc>, Arc<Client>)>,
}

impl Admitted {
    /// The client as it is now.
    #[must_use]
    pub fn at(&self, now: DateTime<Utc>) -> &Arc<Client> {
        let mut elevated = self.elevated.iter();
        let found = elevated.find(|(until, _)| *until > now);
        found.map_or(&self.client, |(_, client)| client)
    }
}

/// A tenant's policy in force.
#[derive(Debug)]
pub struct Governed {
    /// The tenant.
    pub tenant: TenantId,
    /// The version.
    pub version: i64,
    /// The policy as it is written.
    pub policy: Policy,
    /// What it says of records.
    pub governing: Governing,
    /// What strangers may not know of.
    pub confidential: Confidential,
    /// Its clients, in its order.
    pub clients: Vec<Admitted>,
    /// The trained model that matching goes by; the one that is shipped without one.
    pub scorer: Option<Arc<Scorer>>,
    /// Since when this process knows it.
    pub(super) known: Instant,
}

/// All policies in force, by tenant.
pub type Policies = BTreeMap<i32, Arc<Governed>>;

/// The policies, and the thread that looks for new ones.
pub(super) struct Watch {
    policies: RwLock<Arc<Policies>>,
    /// What was known of purposes for a while; held while something new is read.
    glasses: Mutex<i64>,
    /// The tokens of our own issuer.
    pub(super) tokens: super::token::Known,
    stop: Mutex<Option<Looking>>,
}

/// The thread that looks, and what stops it.
type Looking = (Sender<()>, JoinHandle<()>);

impl Watch {
    pub(super) fn new() -> Self {
        Self {
            policies: RwLock::default(),
            glasses: Mutex::default(),
            tokens: super::token::Known::default(),
            stop: Mutex::default(),
        }
    }

    pub(super) fn current(&self) -> Arc<Policies> {
        let policies = self.policies.read();
        policies.unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Reads what is new.
    pub(super) fn refresh(&self, store: &Store, catalog: &Catalog) -> Result<(), Error> {
        let mut glasses = self.glasses.lock().unwrap_or_else(PoisonError::into_inner);
        let known = self.current();
        let (newest, changes, tokens) = store.glance_blocking(|tx| {
            let newest = store::policy::newest(tx)?;
            let changes = store::break_glass::changes(tx)?;
            Ok((newest, changes, store::token::changes(tx)?))
        })?;
        self.tokens.refresh(store, tokens)?;
        let elevations = *glasses != changes;
        let is_known = |(tenant, version): &(TenantId, i64)| {
            let known = known.get(&tenant.0);
            known.is_some_and(|known| known.version == *version) && !elevations
        };
        if newest.iter().all(is_known) && newest.len() == known.len() {
            return Ok(());
        }
        let mut policies = (*known).clone();
        for (tenant, version) in newest.into_iter().filter(|found| !is_known(found)) {
            let (text, given) = store.read_blocking(|tx| {
                let text = store::policy::text(tx, tenant, Some(version))?;
                Ok::<_, Error>((text, store::break_glass::list(tx, tenant)?))
            })?;
            let Some((_, text)) = text else { continue };
            let loaded = load(&text, catalog);
            let Some(mut policy) = loaded.policy else {
                // It was right when it was applied, by a process of another release. Nobody gets in by what is not
                // understood, and nobody by what was in force before.
                tracing::error!(
                    "policy.version" = version,
                    "a stored policy is not understood: its clients are shut out"
                );
                let hidden = last_understood(store, catalog, (tenant, version))?;
                let nobody = Governed::nobody((tenant, version), hidden);
                policies.insert(tenant.0, Arc::new(nobody));
                continue;
            };
            let scorer = model::named(store, &policy, (tenant, version))?;
            let scorer = scorer.unwrap_or_else(|reason| {
                // Keys that are certain still decide; nobody is linked by weights that the policy does not mean.
                tracing::error!(%reason, "policy.version" = version, "the policy's model is not usable: nothing is matched");
                policy.matching = None;
                None
            });
            let governed = Governed::of(policy, (tenant, version), &given, catalog);
            store.mark_secret(tenant, governed.governing.secrets.clone());
            policies.insert(tenant.0, Arc::new(Governed { scorer, ..governed }));
            tell_in_force(known.is_empty(), tenant, version);
        }
        let mut current = self
            .policies
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        *current = Arc::new(policies);
        *glasses = changes;
        Ok(())
    }

    fn begin(&self, looking: Looking) {
        *self.stop.lock().unwrap_or_else(PoisonError::into_inner) = Some(looking);
    }

    /// Ends the thread, and waits for that: a process must not end while a connection is being opened.
    pub(super) fn close(&self) {
        let looking = self
            .stop
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        if let Some((stop, thread)) = looking {
            drop(stop);
            if thread.thread().id() != thread::current().id() {
                thread.join().unwrap_or_default();
            }
        }
    }
}

impl Governed {
    /// Nobody gets in; what was confidential stays so before strangers.
    fn nobody((tenant, version): (TenantId, i64), confidential: Confidential) -> Self {
        Self {
            tenant,
            version,
            policy: Policy::default(),
            governing: Governing::default(),
            confidential,
            clients: Vec::new(),
            scorer: None,
            known: Instant::now(),
        }
    }

    fn of(
        policy: Policy,
        (tenant, version): (TenantId, i64),
        given: &[Glass],
        catalog: &Catalog,
    ) -> Self {
        let governing = Governing::of(&policy, u64::try_from(version).unwrap_or(0), catalog);
        let client = |row: &policy::Client| {
            Arc::new(Client {
                name: row.name.value.clone(),
                tenant,
                system: row.system.value.clone(),
                clearance: Clearance::of_policy(&policy, row, catalog, &governing),
                purposes: row
                    .purposes
                    .iter()
                    .map(|purpose| purpose.value.clone())
                    .collect(),
                profile: row.profile,
                patch_answer: None,
            })
        };
        let admitted = |row: &policy::Client| Admitted {
            issuer: row.issuer.value.clone(),
            claim: row.matches.claim.clone(),
            equals: row.matches.equals.clone(),
            me: row.me.clone(),
            disabled: row.disabled,
            client: client(row),
            elevated: elevations(row, given, client),
        };
        Self {
            tenant,
            version,
            clients: policy.clients.iter().map(admitted).collect(),
            confidential: confidential(&policy, catalog, &[]),
            policy,
            governing,
            scorer: None,
            known: Instant::now(),
        }
    }

    /// Whether addresses of a system count as verified.
    #[must_use]
    pub fn verifies(&self, system: &str) -> bool {
        let mut systems = self.policy.systems.iter();
        systems.any(|row| row.name.value == system && row.verifies_email)
    }
}

/// A policy that is found at the start is no news.
fn tell_in_force(at_start: bool, tenant: TenantId, version: i64) {
    let tenant = tenant.0;
    if at_start {
        tracing::debug!("policy.version" = version, "tenant.id" = tenant, "in force");
    } else {
        tracing::info!(
            "policy.version" = version,
            "tenant.id" = tenant,
            "a policy is in force"
        );
    }
}

impl Muster {
    /// The policies in force.
    #[must_use]
    pub fn policies(&self) -> Arc<Policies> {
        self.0.watch.current()
    }

    /// What strangers may not know of: of any tenant, since nobody knows whose they are.
    #[must_use]
    pub fn confidential(&self) -> Confidential {
        let policies = self.policies();
        let each = policies.values().flat_map(|row| &row.confidential);
        let mut all = Confidential::new();
        for (ty, hidden) in each {
            all.entry(ty.clone())
                .or_default()
                .extend(hidden.iter().cloned());
        }
        all
    }

    /// Whether a tenant trusts a system's e-mail addresses: as its policy says, or else the configuration.
    pub(super) fn verifies(&self, tenant: TenantId, system: &str) -> bool {
        match self.policies().get(&tenant.0) {
            Some(governed) => governed.verifies(system),
            None => self.0.verifying.contains(system),
        }
    }

    /// The server itself, at work under what the tenant's policy says of records: it folds as everybody does.
    pub(super) fn at_work(&self, tenant: TenantId, now: DateTime<Utc>) -> Context {
        let policies = self.policies();
        let governed = policies.get(&tenant.0).map(|row| row.governing.clone());
        Context::of_server(tenant, now, &governed.unwrap_or_default())
    }

    /// Looks for policies that other processes apply, until the service is closed.
    pub(super) fn watch(&self) -> Result<(), Error> {
        self.refresh()?;
        let (stop, stopped) = channel();
        let inner = Arc::downgrade(&self.0);
        let look = move || {
            while stopped.recv_timeout(LOOK) == Err(RecvTimeoutError::Timeout) {
                let Some(inner) = inner.upgrade() else { return };
                if let Err(error) = inner.watch.refresh(&inner.store, inner.renderer.catalog()) {
                    // Every request tells of it too; what was in force stays so.
                    tracing::debug!(%error, "cannot look for policies");
                }
            }
        };
        let thread = thread::Builder::new().name("muster-policy".into());
        let spawned = thread.spawn(look);
        let spawned =
            spawned.map_err(|error| Error::Internal(format!("cannot start a thread: {error}")))?;
        self.0.watch.begin((stop, spawned));
        Ok(())
    }

    pub(super) fn refresh(&self) -> Result<(), Error> {
        self.0
            .watch
            .refresh(&self.0.store, self.0.renderer.catalog())
    }

    /// The text of a version of a tenant's policy; of the one in force without a number.
    pub fn policy_text(
        &self,
        tenant: &str,
        version: Option<i64>,
    ) -> Result<Option<(i64, Vec<u8>)>, Error> {
        self.0.store.read_blocking(|tx| {
            let Some(tenant) = store::tenant::find(tx, tenant)? else {
                return Ok(None);
            };
            Ok(store::policy::text(tx, tenant, version)?)
        })
    }

    /// All versions of a tenant's policy, the newest first.
    pub fn policy_history(&self, tenant: &str) -> Result<Vec<Version>, Error> {
        self.0.store.read_blocking(|tx| {
            let Some(tenant) = store::tenant::find(tx, tenant)? else {
                return Ok(Vec::new());
            };
            Ok(store::policy::history(tx, tenant)?)
        })
    }
}

/// What the newest version before this one that is understood makes confidential.
fn last_understood(
    store: &Store,
    catalog: &Catalog,
    (tenant, version): (TenantId, i64),
) -> Result<Confidential, Error> {
    for earlier in (1..version).rev() {
        let text = store
            .read_blocking(|tx| Ok::<_, Error>(store::policy::text(tx, tenant, Some(earlier))?))?;
        if let Some(policy) = text.and_then(|(_, text)| load(&text, catalog).policy) {
            return Ok(confidential(&policy, catalog, &[]));
        }
    }
    Ok(Confidential::new())
}

/// A client with the purposes that it has for a while: until each of them ends, with those that end no sooner.
fn elevations(
    row: &policy::Client,
    given: &[Glass],
    client: impl Fn(&policy::Client) -> Arc<Client>,
) -> Vec<(DateTime<Utc>, Arc<Client>)> {
    let mine = given.iter().filter(|glass| glass.approved_by.is_some());
    let mine = mine.filter(|glass| glass.client == row.name.value);
    let mut mine: Vec<(DateTime<Utc>, &str)> = mine
        .filter_map(|glass| Some((glass.until?, glass.purpose.as_str())))
        .collect();
    mine.sort();
    let with = |from: usize| {
        let mut row = row.clone();
        row.purposes
            .extend(mine[from..].iter().map(|(_, purpose)| Placed {
                at: row.at,
                value: (*purpose).to_owned(),
            }));
        (mine[from].0, client(&row))
    };
    (0..mine.len()).map(with).collect()
}
