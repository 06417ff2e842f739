//! The second part of a policy, its callers: the rights of roles, and the clients that have them.

use super::finding::{Findings, Placed, Position};
use super::read::{Fields, Read, words};
use super::yaml::Node;
use crate::domain::context::Right;
use crate::scim::profile::Profile;

/// Rights on types, on all attributes or on some, everywhere or where a filter holds.
#[derive(Clone, Debug, Default)]
pub struct Grant {
    /// Where the row begins.
    pub at: Position,
    /// Names of resource types.
    pub types: Vec<Placed<String>>,
    /// What is allowed.
    pub rights: Vec<Placed<Right>>,
    /// The only attributes; all of them if absent.
    pub attributes: Option<Vec<Placed<String>>>,
    /// The only resources.
    pub filter: Option<Placed<String>>,
}

impl Read for Grant {
    fn read(node: &Node, findings: &mut Findings) -> Self {
        let mut row = Fields::of(node, &["types", "rights", "attributes", "where"], findings);
        Self {
            at: row.at(),
            types: row.need("types"),
            rights: row.need("rights"),
            attributes: row.get("attributes"),
            filter: row.get("where"),
        }
    }
}

/// How a verified token becomes a caller.
#[derive(Clone, Debug, Default)]
pub struct Client {
    /// Where the row begins.
    pub at: Position,
    /// Its name.
    pub name: Placed<String>,
    /// Who issues its tokens.
    pub issuer: Placed<String>,
    /// Which of them are its own.
    pub matches: Match,
    /// The tenant that it belongs to.
    pub tenant: String,
    /// The system as which it writes.
    pub system: Placed<String>,
    /// What it may do.
    pub roles: Vec<Placed<String>>,
    /// For what it may see what is classified.
    pub purposes: Vec<Placed<String>>,
    /// How it speaks SCIM.
    pub profile: Profile,
    /// How its tokens name the account of whoever they were issued to: that is `/Me`.
    pub me: Option<Me>,
    /// Whether it is shut out, whatever its tokens say.
    pub disabled: bool,
}

impl Read for Client {
    fn read(node: &Node, findings: &mut Findings) -> Self {
        let mut row = Fields::of(
            node,
            &[
                "name", "issuer", "match", "tenant", "system", "roles", "purposes", "profile",
                "me", "disabled",
            ],
            findings,
        );
        Self {
            at: row.at(),
            name: row.need("name"),
            issuer: row.need("issuer"),
            matches: row.need("match"),
            tenant: row.need("tenant"),
            system: row.need("system"),
            roles: row.need("roles"),
            purposes: row.get("purposes"),
            profile: row.get("profile"),
            me: row.get("me"),
            disabled: row.get("disabled"),
        }
    }
}

words! {
    /// An attribute that tells accounts apart.
    MeAttribute, "attribute of an account":
    /// The `userName`.
    UserName = "userName",
    /// The `externalId` that the client's system gave.
    ExternalId = "externalId",
    /// Our own `id`.
    Id = "id",
}

/// How a token names an account.
#[derive(Clone, Debug, Default)]
pub struct Me {
    /// Where the row begins.
    pub at: Position,
    /// The claim.
    pub claim: String,
    /// The attribute that has its value.
    pub attribute: MeAttribute,
}

impl Read for Me {
    fn read(node: &Node, findings: &mut Findings) -> Self {
        let mut row = Fields::of(node, &["claim", "attribute"], findings);
        Self {
            at: row.at(),
            claim: row.need("claim"),
            attribute: row.get("attribute"),
        }
    }
}

/// A claim of a token and the text that it equals.
#[derive(Clone, Debug, Default)]
pub struct Match {
    /// Where the row begins.
    pub at: Position,
    /// The claim.
    pub claim: String,
    /// The text.
    pub equals: String,
}

impl Read for Match {
    fn read(node: &Node, findings: &mut Findings) -> Self {
        let mut row = Fields::of(node, &["claim", "equals"], findings);
        Self {
            at: row.at(),
            claim: row.need("claim"),
            equals: row.need("equals"),
        }
    }
}
