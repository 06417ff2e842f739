//! The issuer's keys: one that signs for each algorithm, and the public halves of those that signed before, published
//! until the last token that they signed has expired. They can be changed while tokens are being issued.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError, RwLock};

use chrono::{DateTime, TimeDelta, Utc};
use jsonwebtoken::jwk::Jwk;
use serde::{Deserialize, Serialize};

use super::Error;
use super::claims::LIFETIME;
use super::key::{Kind, SigningKey, keep};

/// The file of the public keys that signed before.
const RETIRED: &str = "dev-issuer-retired.json";
/// How much longer than its tokens a key is published: verifiers' clocks differ.
const GRACE: TimeDelta = TimeDelta::minutes(1);

/// The keys.
pub(super) struct Ring {
    folder: PathBuf,
    keys: RwLock<Keys>,
    /// Held while new keys are made, so that of two rotations at once one is after the other.
    rotating: Mutex<()>,
}

struct Keys {
    signing: Vec<SigningKey>,
    retired: Vec<Retired>,
}

/// A key that signs no more.
#[derive(Clone, Serialize, Deserialize)]
struct Retired {
    key: Jwk,
    /// Until when it is published, in seconds since 1970.
    until: i64,
}

impl Ring {
    /// The keys in `folder`, made where there are none.
    pub(super) fn open(folder: &Path) -> Result<Self, Error> {
        let signing = [Kind::Rs256, Kind::Es256].map(|kind| SigningKey::open(kind, folder));
        let keys = Keys {
            signing: signing.into_iter().collect::<Result<_, _>>()?,
            retired: read(&folder.join(RETIRED))?,
        };
        Ok(Self {
            folder: folder.to_owned(),
            keys: RwLock::new(keys),
            rotating: Mutex::default(),
        })
    }

    /// What is published at `now`.
    pub(super) fn published(&self, now: DateTime<Utc>) -> Vec<Jwk> {
        let keys = self.keys.read().unwrap_or_else(PoisonError::into_inner);
        let signing = keys.signing.iter().map(SigningKey::public);
        let ids: Vec<&str> = keys.signing.iter().map(SigningKey::id).collect();
        let retired = keys
            .retired
            .iter()
            .filter(|retired| now.timestamp() < retired.until)
            .map(|retired| &retired.key)
            // The process may have died between retiring a key and replacing it.
            .filter(|key| {
                !ids.iter()
                    .any(|id| key.common.key_id.as_deref() == Some(id))
            });
        signing.chain(retired).cloned().collect()
    }

    /// Signs a token of that type with the key of that kind.
    pub(super) fn sign(&self, kind: Kind, typ: &str, claims: &impl Serialize) -> Option<String> {
        let keys = self.keys.read().unwrap_or_else(PoisonError::into_inner);
        let key = keys.signing.iter().find(|key| key.kind() == kind)?;
        key.sign(typ, claims).ok()
    }

    /// Replaces every signing key. The old ones' private halves are gone then; the public ones stay published for as
    /// long as their tokens are good. Answers the new keys' names.
    pub(super) fn rotate(&self, now: DateTime<Utc>) -> Result<Vec<String>, Error> {
        let _one = self.rotating.lock().unwrap_or_else(PoisonError::into_inner);
        let made = [Kind::Rs256, Kind::Es256].map(SigningKey::make);
        let made = made.into_iter().collect::<Result<Vec<_>, _>>()?;
        let retired = self.retiring(now);
        let text = serde_json::to_string(&retired)
            .map_err(|error| Error(format!("cannot write down the retired keys: {error}")))?;
        // In this order: a key that is published without need does no harm.
        keep(&self.folder.join(RETIRED), &text)?;
        for (key, pem) in &made {
            keep(&self.folder.join(key.kind().file()), pem)?;
        }
        let signing: Vec<_> = made.into_iter().map(|(key, _)| key).collect();
        let ids = signing.iter().map(|key| key.id().to_owned()).collect();
        *self.keys.write().unwrap_or_else(PoisonError::into_inner) = Keys { signing, retired };
        Ok(ids)
    }

    /// Those that are retired still, and those that are now.
    fn retiring(&self, now: DateTime<Utc>) -> Vec<Retired> {
        let keys = self.keys.read().unwrap_or_else(PoisonError::into_inner);
        let until = (now + LIFETIME + GRACE).timestamp();
        let signing = keys.signing.iter().map(|key| Retired {
            key: key.public().clone(),
            until,
        });
        keys.retired
            .iter()
            .filter(|retired| now.timestamp() < retired.until)
            .cloned()
            .chain(signing)
            .collect()
    }
}

fn read(path: &Path) -> Result<Vec<Retired>, Error> {
    let refused = |why: &dyn std::fmt::Display| {
        Error(format!(
            "cannot read the dev issuer's retired keys {}: {why}; remove the file to forget them",
            path.display()
        ))
    };
    match fs::read_to_string(path) {
        Ok(text) => serde_json::from_str(&text).map_err(|error| refused(&error)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(refused(&error)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_replaced_key_is_published_until_its_tokens_have_expired() {
        let folder = std::env::temp_dir().join(format!("muster-ring-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let at = |seconds: i64| DateTime::from_timestamp(1_800_000_000 + seconds, 0).unwrap();
        let ids = |ring: &Ring, seconds: i64| -> Vec<String> {
            let keys = ring.published(at(seconds)).into_iter();
            keys.map(|key| key.common.key_id.unwrap()).collect()
        };
        let ring = Ring::open(&folder).unwrap();
        let first = ids(&ring, 0);
        let second = ring.rotate(at(0)).unwrap();
        assert_eq!((first.len(), second.len()), (2, 2));
        let both = [second.clone(), first.clone()].concat();
        assert_eq!(ids(&ring, 3600), both);
        assert_eq!(ids(&Ring::open(&folder).unwrap(), 3600), both);
        assert_eq!(ids(&ring, 3660), second);
        let third = ring.rotate(at(4000)).unwrap();
        assert_eq!(ids(&ring, 4000), [third, second].concat());
        fs::write(folder.join(RETIRED), "{").unwrap();
        let error = Ring::open(&folder).map(drop).unwrap_err().to_string();
        assert!(error.contains(RETIRED), "{error}");
        fs::remove_dir_all(folder).unwrap();
    }
}
