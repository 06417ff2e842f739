//! The caller's own account (RFC 7644 §3.11): from what a token says of its owner to the id of a User.

use serde_json::{Map, Value};

use super::sight::clearance;
use super::{Error, Muster};
use crate::domain::context::{Context, Right};
use crate::domain::index::{Unique, uniques};
use crate::domain::record::{Kind, Leaves, external_id_path};
use crate::id::ResourceId;
use crate::store::{self, Tx};

/// The name by which a token knows its owner's account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Account {
    /// Our `id`.
    Id(String),
    /// The `userName`.
    UserName(String),
    /// The `externalId` that the client's system gave.
    ExternalId(String),
}

impl Account {
    /// The attribute and its value.
    #[must_use]
    pub fn named(&self) -> (&'static str, &str) {
        match self {
            Self::Id(value) => ("id", value),
            Self::UserName(value) => ("userName", value),
            Self::ExternalId(value) => ("externalId", value),
        }
    }

    /// Whether a body is of this account; none has an `id` yet (RFC 7643 §3.1).
    #[must_use]
    pub fn is_of(&self, body: &Map<String, Value>) -> bool {
        let (name, wanted) = self.named();
        let given = body.iter().find(|(key, _)| key.eq_ignore_ascii_case(name));
        let given = given.and_then(|(_, value)| value.as_str());
        match self {
            Self::Id(_) => false,
            Self::UserName(_) => given.map(str::to_lowercase) == Some(wanted.to_lowercase()),
            Self::ExternalId(_) => given == Some(wanted),
        }
    }
}

impl Muster {
    /// The id of the account; 404 if there is none (yet), or if the caller reaches it neither to read it nor by the `right` that it
    /// is to be asked for. Who may not write, read or delete Users learns nothing here: each of the use cases that follow asks
    /// for its own right.
    pub async fn me(
        &self,
        context: &Context,
        account: &Account,
        right: Right,
    ) -> Result<String, Error> {
        let (name, value) = account.named();
        let path = match account {
            Account::Id(id) => return Ok(id.clone()),
            Account::UserName(_) => name.to_owned(),
            Account::ExternalId(_) => external_id_path(context.system()),
        };
        let may = |right| context.client.may(right, "User");
        if !(may(Right::Read) || may(Right::Write) || may(Right::Delete)) {
            self.view(context, "/Users", Right::Read)?;
        }
        let leaves = Leaves::from_iter([(path, Value::from(value))]);
        let wanted = uniques(self.0.renderer.catalog().specs(Kind::Person), &leaves);
        let (muster, reader) = (self.clone(), context.clone());
        let find = move |tx: &mut Tx<'_>| {
            let wanted: Vec<&Unique> = wanted.iter().collect();
            let holders = store::unique::holders(tx, reader.tenant(), Kind::Person, &wanted)?;
            let Some(row) = holders.into_iter().flatten().next() else {
                return Ok(None);
            };
            match store::record::identify(tx, row)? {
                Some(id) if muster.reaches_account(tx, &reader, (id, right))? => Ok(Some(id)),
                _ => Ok::<_, Error>(None),
            }
        };
        let found = self.0.store.read(find).await?;
        let missing = || Error::NotFound(format!("there is no account whose {name} is '{value}'"));
        found.map(|id| id.to_string()).ok_or_else(missing)
    }

    /// Whether the account is within what bounds the caller's roles.
    fn reaches_account(
        &self,
        tx: &mut Tx<'_>,
        context: &Context,
        (id, right): (ResourceId, Right),
    ) -> Result<bool, Error> {
        let view = self.0.renderer.catalog().at("/Users");
        let Some(view) = view.filter(|view| clearance(context, view).is_bounded()) else {
            return Ok(true);
        };
        let Some(found) = store::record::find(tx, context.tenant(), id)? else {
            return Ok(false);
        };
        let reaches = |right| self.reaches(context, view, &found.leaves, right);
        Ok(reaches(right) || reaches(Right::Read))
    }
}
