//! The keys of tenants and persons (design §5). A tenant's key is wrapped by the key-encryption key and kept unwrapped while
//! the process runs; a person's data key is wrapped by the tenant's and unwrapped for as long as it is used.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};

use diesel::prelude::*;
use diesel::sql_types::BigInt;

use super::db::{Address, Db, Purpose, on_both};
use super::schema::{person_key, tenant_key};
use super::{Error, Tx, setting};
use crate::domain::record::Folded;
use crate::domain::sealed::Envelope;
use crate::domain::sealing::{KEY, Key, NONCE, Place};
use crate::domain::secrets::Secrets;
use crate::id::{IdSource, ResourceId, TenantId};

/// What a tenant's key is wrapped for, and a person's.
const TENANT_KEY: &str = "tenant key";
const DATA_KEY: &str = "data key";

/// The keys of this process. Cheap to clone.
#[derive(Clone)]
pub struct Keyring(Arc<Inner>, Option<Key>);

struct Inner {
    /// The key-encryption key, and after it those whose place it takes.
    encrypting: Vec<Key>,
    ids: Arc<dyn IdSource>,
    tenants: RwLock<HashMap<i32, TenantKeys>>,
    /// What the policies in force mark as secret.
    secrets: RwLock<HashMap<i32, Arc<Secrets>>>,
}

impl fmt::Debug for Keyring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[keys]")
    }
}

/// A tenant's keys, each derived from its one key for one purpose.
#[derive(Clone)]
pub(super) struct TenantKeys {
    /// Wraps the data keys.
    wrapping: Key,
    /// Seals what is nobody's in particular.
    pub(super) sealing: Key,
    /// The blind indexes, each by a key of its own that is derived from this one.
    pub(super) blind: Key,
}

/// The data key of a person who is about to exist.
#[derive(Clone, Debug)]
pub struct Fresh {
    pub(super) key: Key,
    pub(super) wrapped: Vec<u8>,
    tenant: TenantId,
    id: ResourceId,
}

impl Fresh {
    /// What seals that person's secrets.
    #[must_use]
    pub fn envelope(&self) -> Envelope {
        Envelope::new(self.key.clone(), self.tenant, self.id)
    }
}

impl Keyring {
    /// A ring of key-encryption keys: the first one wraps, all of them unwrap. `ids` makes keys and nonces.
    #[must_use]
    pub fn new(encrypting: Vec<Key>, ids: Arc<dyn IdSource>) -> Self {
        Self(
            Arc::new(Inner {
                encrypting,
                ids,
                tenants: RwLock::default(),
                secrets: RwLock::default(),
            }),
            None,
        )
    }

    /// The same, with the key under which SQLite's file is encrypted as a whole, if it is.
    #[must_use]
    pub fn with_file_key(mut self, key: Option<Key>) -> Self {
        self.1 = key;
        self
    }

    /// That key.
    pub(super) fn file_key(&self) -> Option<Key> {
        self.1.clone()
    }

    /// A fresh nonce.
    pub(super) fn nonce(&self) -> [u8; NONCE] {
        self.0.ids.nonce()
    }

    /// What is secret of a tenant's persons; nothing where that is not known.
    pub(super) fn secrets(&self, tenant: TenantId) -> Option<Arc<Secrets>> {
        let known = self.0.secrets.read();
        let known = known.unwrap_or_else(PoisonError::into_inner);
        known.get(&tenant.0).cloned()
    }

    /// From now on this is secret of a tenant's persons.
    pub(super) fn mark(&self, tenant: TenantId, secrets: Arc<Secrets>) {
        let known = self.0.secrets.write();
        let mut known = known.unwrap_or_else(PoisonError::into_inner);
        known.insert(tenant.0, secrets);
    }

    fn fresh(&self) -> Result<Key, Error> {
        Key::of(&self.0.ids.secret()).ok_or_else(|| Error::Fault("a key has 32 bytes".into()))
    }

    fn current(&self) -> Result<&Key, Error> {
        let first = self.0.encrypting.first();
        first.ok_or_else(|| Error::Key("no key-encryption key is given".into()))
    }

    /// A tenant's key out of its wrapping.
    fn unwrap(&self, tenant: TenantId, kek: &str, wrapped: &[u8]) -> Result<Key, Error> {
        let place = place(tenant, None, TENANT_KEY);
        let named = self.0.encrypting.iter().find(|key| key.id() == kek);
        let opened = named.map(|key| key.unwrap(place, wrapped));
        match opened {
            Some(Ok(key)) => Ok(key),
            Some(Err(_)) => Err(Error::Key(format!(
                "the key of tenant {} is damaged: the key-encryption key {kek} does not open it",
                tenant.0
            ))),
            None => Err(self.is_another(kek)),
        }
    }

    fn ids(&self) -> String {
        let ids: Vec<String> = self.0.encrypting.iter().map(Key::id).collect();
        ids.join(" or ")
    }
}

fn place(tenant: TenantId, record: Option<ResourceId>, what: &str) -> Place<'_> {
    Place {
        tenant,
        record,
        what,
    }
}

type TenantRow = (i32, String, Vec<u8>);

/// Whether the key-encryption keys open every tenant's key. Nothing is written; a database without tables passes.
pub(super) fn check(address: &Address, keys: &Keyring) -> Result<(), Error> {
    keys.current()?;
    if let Address::Sqlite(file) = address
        && !std::path::Path::new(&file.path).exists()
    {
        return Ok(());
    }
    let mut db = address.reconnect(Purpose::Read)?;
    if !has_table(&mut db)? {
        return Ok(());
    }
    let rows: Vec<TenantRow> = tenant_key::table.load(&mut db)?;
    rows.iter().try_for_each(|(tenant, kek, wrapped)| {
        keys.unwrap(TenantId(*tenant), kek, wrapped).map(drop)
    })
}

#[derive(QueryableByName)]
struct Count {
    #[diesel(sql_type = BigInt)]
    n: i64,
}

fn has_table(db: &mut Db) -> Result<bool, Error> {
    let count: Count = match db {
        Db::Sqlite(connection) => diesel::sql_query(
            "SELECT count(*) AS n FROM sqlite_master WHERE type = 'table' AND name = 'tenant_key'",
        )
        .get_result(connection)?,
        Db::Postgres(connection) => {
            diesel::sql_query("SELECT count(to_regclass('tenant_key')) AS n")
                .get_result(connection)?
        }
    };
    Ok(count.n > 0)
}

/// Makes the tenant's key if it has none: whoever comes first decides. It is used once it is committed.
pub(super) fn claim(tx: &mut Tx<'_>, tenant: TenantId) -> Result<(), Error> {
    let known = tenant_key::table
        .select(tenant_key::kek)
        .load::<String>(tx.db())
        .map_err(|error| tx.explain(error))?;
    let has_one = tenant_key::table
        .find(tenant.0)
        .count()
        .get_result::<i64>(tx.db())
        .map_err(|error| tx.explain(error))?;
    if has_one > 0 {
        return Ok(());
    }
    let keys = tx.keys();
    let kek = keys.current()?;
    // Another process has put a new key-encryption key in the place of ours since we started.
    if known
        .iter()
        .any(|id| keys.0.encrypting.iter().all(|key| key.id() != *id))
    {
        return Err(Error::Key(format!(
            "the key-encryption key {} has been replaced: start again with the new one",
            kek.id()
        )));
    }
    let wrapped = kek.wrap(
        keys.nonce(),
        place(tenant, None, TENANT_KEY),
        &keys.fresh()?,
    )?;
    on_both!(tx.db(), connection => diesel::insert_into(tenant_key::table)
        .values((
            tenant_key::tenant.eq(tenant.0),
            tenant_key::kek.eq(kek.id()),
            tenant_key::wrapped.eq(&wrapped),
        ))
        .on_conflict_do_nothing()
        .execute(connection))
    .map(drop)
    .map_err(|error| tx.explain(error))
}

/// The tenant's keys.
pub(super) fn of_tenant(tx: &mut Tx<'_>, tenant: TenantId) -> Result<TenantKeys, Error> {
    let keys = tx.keys();
    let known = {
        let tenants = keys.0.tenants.read();
        let tenants = tenants.unwrap_or_else(PoisonError::into_inner);
        tenants.get(&tenant.0).cloned()
    };
    if let Some(known) = known {
        return Ok(known);
    }
    let row: Option<TenantRow> = tenant_key::table
        .find(tenant.0)
        .get_result(tx.db())
        .optional()
        .map_err(|error| tx.explain(error))?;
    let Some((_, kek, wrapped)) = row else {
        return Err(Error::Fault(format!("tenant {} has no key", tenant.0)));
    };
    let key = keys.unwrap(tenant, &kek, &wrapped)?;
    let found = TenantKeys {
        wrapping: key.derive("wrapping"),
        sealing: key.derive("sealing"),
        blind: key.derive("blind"),
    };
    let mut tenants = keys
        .0
        .tenants
        .write()
        .unwrap_or_else(PoisonError::into_inner);
    tenants.insert(tenant.0, found.clone());
    Ok(found)
}

/// A data key for a person who is about to exist.
pub fn fresh(tx: &mut Tx<'_>, tenant: TenantId, id: ResourceId) -> Result<Fresh, Error> {
    let wrapping = of_tenant(tx, tenant)?.wrapping;
    let keys = tx.keys();
    let key = keys.fresh()?;
    let wrapped = wrapping.wrap(keys.nonce(), place(tenant, Some(id), DATA_KEY), &key)?;
    Ok(Fresh {
        key,
        wrapped,
        tenant,
        id,
    })
}

/// Keeps a person's data key, wrapped.
pub(super) fn insert(tx: &mut Tx<'_>, row: i64, wrapped: &[u8]) -> Result<(), Error> {
    let values = (
        person_key::resource.eq(row),
        person_key::wrapped.eq(wrapped),
    );
    on_both!(tx.db(), connection => diesel::insert_into(person_key::table)
        .values(values)
        .execute(connection))
    .map(drop)
    .map_err(|error| tx.explain(error))
}

/// The data key of a known person; one who was known before there were keys gets one now.
pub(super) fn of_person(
    tx: &mut Tx<'_>,
    tenant: TenantId,
    (row, id): (i64, ResourceId),
) -> Result<Key, Error> {
    let target = person_key::table.find(row).select(person_key::wrapped);
    let wrapped: Result<Vec<u8>, _> =
        on_both!(tx.db(), connection => target.get_result(connection));
    if let Some(wrapped) = wrapped.optional().map_err(|error| tx.explain(error))? {
        return of_tenant(tx, tenant)?.open(tenant, id, &wrapped);
    }
    let fresh = fresh(tx, tenant, id)?;
    insert(tx, row, &fresh.wrapped)?;
    Ok(fresh.key)
}

/// What seals the secrets of a known person.
pub fn envelope(tx: &mut Tx<'_>, person: &Folded) -> Result<Envelope, Error> {
    let key = of_person(tx, person.tenant, (person.row, person.id))?;
    Ok(Envelope::new(key, person.tenant, person.id))
}

/// The same for who only reads: nothing for a person who has no key yet, and so no secrets.
pub fn find_envelope(tx: &mut Tx<'_>, person: &Folded) -> Result<Option<Envelope>, Error> {
    let known = wrapped(tx, vec![person.row])?;
    known
        .get(&person.row)
        .map(|wrapped| {
            let keys = of_tenant(tx, person.tenant)?;
            let key = keys.open(person.tenant, person.id, wrapped)?;
            Ok(Envelope::new(key, person.tenant, person.id))
        })
        .transpose()
}

/// Destroys a person's data key; whether there was one.
pub(super) fn destroy(tx: &mut Tx<'_>, row: i64) -> Result<bool, Error> {
    let count = diesel::delete(person_key::table.find(row))
        .execute(tx.db())
        .map_err(|error| tx.explain(error))?;
    Ok(count > 0)
}

/// The wrapped data keys of these persons; nothing for those who have been erased.
pub(super) fn wrapped(tx: &mut Tx<'_>, rows: Vec<i64>) -> Result<HashMap<i64, Vec<u8>>, Error> {
    let loaded: Vec<(i64, Vec<u8>)> = person_key::table
        .filter(person_key::resource.eq_any(rows))
        .load(tx.db())
        .map_err(|error| tx.explain(error))?;
    Ok(loaded.into_iter().collect())
}

impl TenantKeys {
    /// A person's data key out of its wrapping.
    pub(super) fn open(
        &self,
        tenant: TenantId,
        id: ResourceId,
        wrapped: &[u8],
    ) -> Result<Key, Error> {
        Ok(self
            .wrapping
            .unwrap(place(tenant, Some(id), DATA_KEY), wrapped)?)
    }
}

/// The installation's own keys, by the names of their settings: they sign the log's heads, versions and cursors.
const OWN: [&str; 3] = ["log-key", "etag-key", "cursor-key"];
/// How long the name of a key is, before what it has sealed.
const NAME: usize = 16;

/// One of the installation's own keys, as it is for use; `fresh` if there is none yet. It is kept sealed under the
/// key-encryption key: who has the database alone cannot sign a head of the log.
pub fn own(tx: &mut Tx<'_>, name: &str, fresh: &[u8]) -> Result<Vec<u8>, Error> {
    let sealed = tx.keys().seal_own(name, fresh)?;
    let kept = setting::claim(tx, name, &sealed)?;
    if kept.len() != fresh.len() {
        return tx.keys().open_own(name, &kept);
    }
    // As releases before this one kept it.
    let sealed = tx.keys().seal_own(name, &kept)?;
    setting::replace(tx, name, (&kept, &sealed))?;
    Ok(kept)
}

impl Keyring {
    /// A key of the installation's own: the name of the key-encryption key, and what that has sealed.
    fn seal_own(&self, name: &str, key: &[u8]) -> Result<Vec<u8>, Error> {
        let kek = self.current()?;
        let sealed = kek.seal(self.nonce(), place(TenantId(0), None, name), key)?;
        Ok([kek.id().as_bytes(), &sealed].concat())
    }

    fn open_own(&self, name: &str, kept: &[u8]) -> Result<Vec<u8>, Error> {
        let (kek, sealed) = kept.split_at_checked(NAME).unwrap_or((kept, &[]));
        let named = self
            .0
            .encrypting
            .iter()
            .find(|key| key.id().as_bytes() == kek);
        let named = named.ok_or_else(|| self.is_another(&String::from_utf8_lossy(kek)))?;
        Ok(named.open(place(TenantId(0), None, name), sealed)?)
    }

    /// What is kept is encrypted under a key that was not given.
    fn is_another(&self, kek: &str) -> Error {
        Error::Key(format!(
            "it is encrypted under the key-encryption key {kek}, and the one that is given is {}: nothing was changed; \
             start with the right one",
            self.ids()
        ))
    }
}

/// Wraps every tenant's key, and the installation's own, by the first of the key-encryption keys: that one's name, and how many were wrapped by another. What they wrap stays
/// as it is, and processes that run go on.
pub fn rotate(tx: &mut Tx<'_>) -> Result<(String, usize), Error> {
    let keys = tx.keys();
    let kek = keys.current()?;
    let rows: Vec<TenantRow> = tenant_key::table
        .filter(tenant_key::kek.ne(kek.id()))
        .load(tx.db())
        .map_err(|error| tx.explain(error))?;
    for (tenant, old, wrapped) in &rows {
        let tenant = TenantId(*tenant);
        let key = keys.unwrap(tenant, old, wrapped)?;
        let wrapped = kek.wrap(keys.nonce(), place(tenant, None, TENANT_KEY), &key)?;
        diesel::update(tenant_key::table.find(tenant.0))
            .set((
                tenant_key::kek.eq(kek.id()),
                tenant_key::wrapped.eq(&wrapped),
            ))
            .execute(tx.db())
            .map_err(|error| tx.explain(error))?;
    }
    for name in OWN {
        if let Some(kept) = setting::find(tx, name)? {
            let sealed = keys.seal_own(name, &own(tx, name, &[0; KEY])?)?;
            setting::replace(tx, name, (&kept, &sealed))?;
        }
    }
    Ok((kek.id(), rows.len()))
}
