//! Sealing: AES-256-GCM under keys that wrap each other (design §5). A key-encryption key wraps each tenant's key, which
//! wraps a data key for each person; what a key seals is bound to its place, so that nobody can move it to another.

use std::fmt;

use aes_gcm::aead::{AeadInPlace, KeyInit};
use aes_gcm::{Aes256Gcm, Nonce, Tag};
use hmac::{Hmac, Mac};
use sha2::Sha256;

use crate::id::{ResourceId, TenantId};

/// How long a key is, in bytes.
pub const KEY: usize = 32;
/// How long a nonce is, in bytes: what AES-GCM is made for (NIST SP 800-38D §8.2).
pub const NONCE: usize = 12;
const TAG: usize = 16;

/// A key. It is never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct Key([u8; KEY]);

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[key]")
    }
}

/// Why sealed bytes do not open: another key sealed them, for another place, or somebody changed them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("sealed by another key, for another place, or changed since")]
pub struct Broken;

/// The place that sealed bytes belong to: the associated data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place<'a> {
    /// The tenant.
    pub tenant: TenantId,
    /// The record, if it is one's.
    pub record: Option<ResourceId>,
    /// Which of its secrets, such as the path of an attribute.
    pub what: &'a str,
}

impl Place<'_> {
    /// Bytes that no other place has: the parts before the last have a fixed length.
    fn bytes(&self) -> Vec<u8> {
        let record = self.record.map(|id| *id.0.as_bytes()).unwrap_or_default();
        let tenant = self.tenant.0.to_be_bytes();
        [b"muster1", &tenant[..], &record, self.what.as_bytes()].concat()
    }
}

impl Key {
    /// The key of these bytes, which nobody may be able to guess.
    #[must_use]
    pub fn new(bytes: [u8; KEY]) -> Self {
        Self(bytes)
    }

    /// The same, if they are as many as a key has.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }

    /// Its bytes in hexadecimal, for a library that takes them so: never to be shown.
    #[must_use]
    pub fn to_hex(&self) -> String {
        hex::encode(self.0)
    }

    /// A name for the key, which says nothing of it: 16 hexadecimal digits.
    #[must_use]
    pub fn id(&self) -> String {
        let name = self.mac("key id");
        name.iter()
            .take(8)
            .fold(String::new(), |text, byte| format!("{text}{byte:02x}"))
    }

    /// A key of its own for one purpose: HMAC-SHA-256 as in NIST SP 800-108.
    #[must_use]
    pub fn derive(&self, purpose: &str) -> Self {
        Self(self.mac(purpose))
    }

    /// The HMAC-SHA-256 of a text under this key.
    #[must_use]
    pub fn mac(&self, text: &str) -> [u8; KEY] {
        // A short key is filled up with zeros (RFC 2104 §2).
        let mut block = [0; 64];
        block[..KEY].copy_from_slice(&self.0);
        let mut mac = <Hmac<Sha256> as KeyInit>::new(&block.into());
        mac.update(text.as_bytes());
        mac.finalize().into_bytes().into()
    }

    /// Seals bytes for a place: nonce, ciphertext and tag. A nonce is used once with a key.
    pub fn seal(
        &self,
        nonce: [u8; NONCE],
        place: Place<'_>,
        plain: &[u8],
    ) -> Result<Vec<u8>, Broken> {
        let mut sealed = Vec::with_capacity(NONCE + plain.len() + TAG);
        sealed.extend_from_slice(&nonce);
        sealed.extend_from_slice(plain);
        let text = sealed.get_mut(NONCE..).unwrap_or_default();
        let tag = Aes256Gcm::new(&self.0.into())
            .encrypt_in_place_detached(&Nonce::from(nonce), &place.bytes(), text)
            .map_err(|_| Broken)?;
        sealed.extend_from_slice(&tag);
        Ok(sealed)
    }

    /// What was sealed for that place.
    pub fn open(&self, place: Place<'_>, sealed: &[u8]) -> Result<Vec<u8>, Broken> {
        let (nonce, rest) = sealed.split_first_chunk::<NONCE>().ok_or(Broken)?;
        let (text, tag) = rest.split_last_chunk::<TAG>().ok_or(Broken)?;
        let mut plain = text.to_vec();
        Aes256Gcm::new(&self.0.into())
            .decrypt_in_place_detached(
                &Nonce::from(*nonce),
                &place.bytes(),
                &mut plain,
                &Tag::from(*tag),
            )
            .map_err(|_| Broken)?;
        Ok(plain)
    }

    /// Seals another key for a place.
    pub fn wrap(
        &self,
        nonce: [u8; NONCE],
        place: Place<'_>,
        key: &Self,
    ) -> Result<Vec<u8>, Broken> {
        self.seal(nonce, place, &key.0)
    }

    /// The key that was sealed for that place.
    pub fn unwrap(&self, place: Place<'_>, wrapped: &[u8]) -> Result<Self, Broken> {
        Self::of(&self.open(place, wrapped)?).ok_or(Broken)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(what: &str) -> Place<'_> {
        Place {
            tenant: TenantId(7),
            record: None,
            what,
        }
    }

    #[test]
    fn what_is_sealed_opens_in_its_place_under_its_key_unchanged() {
        let key = Key::new([3; KEY]);
        let sealed = key.seal([9; NONCE], place("a"), b"078-05-1120").unwrap();
        assert_eq!(sealed.len(), NONCE + 11 + TAG);
        assert!(!sealed.windows(4).any(|four| four == b"1120"));
        assert_eq!(key.open(place("a"), &sealed).unwrap(), b"078-05-1120");
        assert_eq!(key.open(place("b"), &sealed), Err(Broken));
        let elsewhere = Place {
            tenant: TenantId(8),
            ..place("a")
        };
        assert_eq!(key.open(elsewhere, &sealed), Err(Broken));
        assert_eq!(Key::new([4; KEY]).open(place("a"), &sealed), Err(Broken));
        for byte in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[byte] ^= 1;
            assert_eq!(key.open(place("a"), &changed), Err(Broken), "byte {byte}");
        }
        assert_eq!(key.open(place("a"), &sealed[..20]), Err(Broken));
    }

    #[test]
    fn a_key_is_wrapped_named_and_derived_without_being_shown() {
        let (kek, key) = (Key::new([1; KEY]), Key::new([2; KEY]));
        let wrapped = kek.wrap([5; NONCE], place("k"), &key).unwrap();
        assert_eq!(kek.unwrap(place("k"), &wrapped).unwrap(), key);
        assert_eq!(key.unwrap(place("k"), &wrapped), Err(Broken));
        assert_eq!(key.id().len(), 16);
        assert_ne!(kek.id(), key.id());
        assert_ne!(key.derive("a"), key.derive("b"));
        assert_eq!(format!("{key:?}"), "[key]");
    }

    /// RFC 4231, test case 2: there the key is "Jefe", which zeros fill up.
    #[test]
    fn the_mac_is_hmac_sha_256() {
        let mut jefe = [0; KEY];
        jefe[..4].copy_from_slice(b"Jefe");
        let mac = Key::new(jefe).mac("what do ya want for nothing?");
        assert_eq!(mac[..8], [0x5b, 0xdc, 0xc1, 0x46, 0xbf, 0x60, 0x75, 0x4e]);
        assert_eq!(mac[28..], [0x64, 0xec, 0x38, 0x43]);
    }
}
