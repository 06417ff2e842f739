//! The sealed log: what of an event is hashed, and the Merkle tree over all events of a tenant (RFC 9162 §2.1).
//!
//! | file | what it knows |
//! |---|---|
//! | `tree` | the tree while it grows: its frontier and its root |
//! | `proof` | proofs of inclusion and of consistency, made and verified |
//! | `head` | tree heads: signed (Ed25519), printed and read |

pub mod head;
pub mod proof;
pub mod tree;

use sha2::{Digest, Sha256};

/// A hash of the tree: SHA-256.
pub type Hash = [u8; 32];

/// Everything of an event whose change must be found: its whole row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry<'a> {
    /// Its place in the order of insertion.
    pub seq: i64,
    /// Its id.
    pub id: &'a [u8],
    /// Its tenant.
    pub tenant: i32,
    /// Its type.
    pub kind: &'a str,
    /// The resource type through which it was done.
    pub resource_type: &'a str,
    /// The record.
    pub resource: &'a [u8],
    /// The version of the record that it explains, if it made one.
    pub version: Option<i64>,
    /// When it was recorded, in microseconds.
    pub recorded: i64,
    /// The client.
    pub client: &'a str,
    /// The correlation id.
    pub correlation: &'a str,
    /// How the body is written.
    pub format: i16,
    /// The key of the body, if it is encrypted.
    pub key_id: &'a str,
    /// The body as it is stored.
    pub body: &'a [u8],
    /// The purpose by which it is found.
    pub purpose: Option<&'a str>,
    /// The attributes by which it is found.
    pub attributes: Option<&'a str>,
    /// The person by whom it is found, where its record is no person.
    pub person: Option<&'a [u8]>,
    /// The application by which it is found.
    pub application: Option<&'a [u8]>,
}

/// Names what the bytes of an entry are, and their form.
const ENTRY: &str = "muster event 1";

impl Entry<'_> {
    /// The bytes that are hashed: every field with its length before it, so that no two events have the same.
    #[must_use]
    pub fn bytes(&self) -> Vec<u8> {
        let version = self.version.map(i64::to_be_bytes);
        let version: &[u8] = version.as_ref().map_or(&[], |bytes| bytes);
        let [purpose, attributes] = [self.purpose, self.attributes].map(told);
        let mut bytes = canonical(&[
            ENTRY.as_bytes(),
            &self.seq.to_be_bytes(),
            self.id,
            &self.tenant.to_be_bytes(),
            self.kind.as_bytes(),
            self.resource_type.as_bytes(),
            self.resource,
            version,
            &self.recorded.to_be_bytes(),
            self.client.as_bytes(),
            self.correlation.as_bytes(),
            &self.format.to_be_bytes(),
            self.key_id.as_bytes(),
            self.body,
            &purpose,
            &attributes,
        ]);
        // Events of before there were any have none, and their bytes stay as they were sealed.
        if self.person.is_some() || self.application.is_some() {
            let [person, application] =
                [self.person, self.application].map(Option::unwrap_or_default);
            bytes.extend(canonical(&[person, application]));
        }
        bytes
    }

    /// Its leaf of the tree.
    #[must_use]
    pub fn hash(&self) -> Hash {
        leaf(&self.bytes())
    }
}

/// A text that may be missing: none is not the empty one.
fn told(text: Option<&str>) -> Vec<u8> {
    text.map(|text| format!("={text}").into_bytes())
        .unwrap_or_default()
}

/// Fields one after another, each with its length as eight bytes before it.
fn canonical(fields: &[&[u8]]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(fields.iter().map(|field| field.len() + 8).sum());
    for field in fields {
        bytes.extend((field.len() as u64).to_be_bytes());
        bytes.extend_from_slice(field);
    }
    bytes
}

/// The root of a tree without leaves (RFC 9162 §2.1.1).
#[must_use]
pub fn empty() -> Hash {
    Sha256::digest([]).into()
}

/// The hash of a leaf (RFC 9162 §2.1.1).
#[must_use]
pub fn leaf(bytes: &[u8]) -> Hash {
    Sha256::new()
        .chain_update([0])
        .chain_update(bytes)
        .finalize()
        .into()
}

/// The hash of a node over two others (RFC 9162 §2.1.1).
#[must_use]
pub fn node(left: &Hash, right: &Hash) -> Hash {
    Sha256::new()
        .chain_update([1])
        .chain_update(left)
        .chain_update(right)
        .finalize()
        .into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry() -> Entry<'static> {
        Entry {
            seq: 7,
            id: b"0123456789abcdef",
            tenant: 1,
            kind: "person.created",
            resource_type: "User",
            resource: b"fedcba9876543210",
            version: Some(1),
            recorded: 1_930_132_800_000_000,
            client: "hris",
            correlation: "c-1",
            format: 1,
            key_id: "",
            body: b"{}",
            purpose: Some(""),
            attributes: Some(" emails "),
            person: Some(b"0123456789abcdee"),
            application: None,
        }
    }

    #[test]
    fn every_field_counts() {
        let changes: [fn(&mut Entry<'static>); 17] = [
            |e| e.seq = 8,
            |e| e.id = b"0123456789abcdeg",
            |e| e.tenant = 2,
            |e| e.kind = "person.updated",
            |e| e.resource_type = "Person",
            |e| e.resource = b"fedcba9876543211",
            |e| e.version = None,
            |e| e.recorded += 1,
            |e| e.client = "crm",
            |e| e.correlation = "c-2",
            |e| e.format = 2,
            |e| e.key_id = "k",
            |e| e.body = b"{ }",
            |e| e.purpose = None,
            |e| e.attributes = None,
            |e| e.person = None,
            |e| e.application = e.person.take(),
        ];
        let sealed = entry().hash();
        for change in changes {
            let mut changed = entry();
            change(&mut changed);
            assert_ne!(changed.hash(), sealed, "{changed:?}");
        }
    }

    #[test]
    fn what_moves_from_one_field_to_the_next_is_another_event() {
        let (mut one, mut other) = (entry(), entry());
        (one.client, one.correlation) = ("ab", "c");
        (other.client, other.correlation) = ("a", "bc");
        assert_ne!(one.hash(), other.hash());
    }
}
