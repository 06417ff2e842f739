//! PUT (RFC 7644 §3.5.1): one system's whole view, without wiping what others say (design §3).

use std::collections::BTreeSet;
use std::sync::Arc;

use serde_json::{Map, Value};

use super::change::Write;
use super::create::external_id;
use super::idempotency::Shows;
use super::sight::{Wants, clearance, is_said, known_type};
use super::{Asked, Came, Error, Muster, Written, precondition};
use crate::domain::context::{Context, Right};
use crate::domain::event::Happened;
use crate::domain::record::{Folded, Kind, Leaves};
use crate::domain::view::View;
use crate::scim::mutability::check_immutable;
use crate::scim::patch::Change as RowChange;
use crate::scim::projection::Projection;
use crate::scim::receive::{Purpose, receive};
use crate::store::Tx;

/// A body, ready for the transaction.
struct Replacement {
    document: Map<String, Value>,
    listed: BTreeSet<String>,
    members: RowChange,
}

/// A PUT that was found right so far: what is left to do needs the database.
pub(super) struct Replace {
    view: Arc<View>,
    id: String,
    replacement: Replacement,
    asked: Asked,
    ignored: Vec<String>,
}

impl Muster {
    /// Replaces what the caller's system says of a resource.
    pub async fn replace(
        &self,
        context: &Context,
        endpoint: &str,
        id: &str,
        if_match: Option<&str>,
        body: Map<String, Value>,
        projection: &Projection,
    ) -> Result<Written, Error> {
        let replace = self.prepare_replace(context, (endpoint, id), if_match, body, projection)?;
        let name = replace.view.resource_type.name.clone();
        let written = self.perform(context, replace, Replace::perform).await?;
        self.disclosed_write(context, &name, written).await
    }

    /// Checks rights and body before the transaction.
    pub(super) fn prepare_replace(
        &self,
        context: &Context,
        (endpoint, id): (&str, &str),
        if_match: Option<&str>,
        body: Map<String, Value>,
        projection: &Projection,
    ) -> Result<Replace, Error> {
        let view = self.changeable(context, endpoint, Right::Write)?;
        let ty = known_type(context, &view);
        let mut received = receive(ty, body, Purpose::Replace, context.client.profile)?;
        // What two names of one leaf say must agree, or at least one of them with what is known: the transaction tells.
        let members = RowChange::Replace(super::members::given(&mut received.document));
        Ok(Replace {
            view,
            id: id.to_owned(),
            replacement: Replacement {
                document: received.document,
                listed: received.extensions,
                members,
            },
            asked: Asked {
                projection: projection.clone(),
                if_match: if_match.map(str::to_owned),
            },
            ignored: received.ignored,
        })
    }
}

impl Shows for Replace {
    fn shows(&self) -> (&View, &Asked) {
        (&self.view, &self.asked)
    }
}

impl Replace {
    /// Does it in an open transaction: as often as the transaction is tried.
    pub(super) fn perform(
        &self,
        muster: &Muster,
        context: &Context,
        tx: &mut Tx<'_>,
    ) -> Result<Written, Error> {
        let write = Write::new(muster, context, &self.view);
        let (folded, strangers, suggested) =
            write.replace(tx, &self.id, &self.replacement, &self.asked)?;
        Ok(Written {
            resource: muster.show_one(tx, context, &self.view, folded, &self.asked)?,
            ignored: [self.ignored.as_slice(), &strangers].concat(),
            suggested,
            came: Came::default(),
        })
    }
}

impl Write<'_> {
    fn replace(
        &self,
        tx: &mut Tx<'_>,
        id: &str,
        replacement: &Replacement,
        asked: &Asked,
    ) -> Result<(Folded, Vec<String>, Vec<String>), Error> {
        let before = self.fetch(tx, id)?;
        let catalog = self.muster.0.renderer.catalog();
        let known: &Leaves = &before.folded.leaves;
        let key = self.muster.veil_key(self.context, self.view);
        let seen = self.muster.before(self.context, self.view, known, &key);
        self.reach(&seen, Right::Write, id)?;
        self.check_match(tx, &before.folded, asked)?;
        let mut document = replacement.document.clone();
        self.refer_in(tx, &mut document)?;
        let given = self.view.read(&document, Some(known))?;
        let plain = clearance(self.context, self.view).is_plain();
        let said = if plain { Leaves::new() } else { given.clone() };
        let mut given = self.admit_values(&seen, given, known)?;
        if let (true, Some(active)) = (self.view.accounts_only, known.get("active")) {
            // A default that the server may set (RFC 7644 §3.5.1): whoever leaves it out neither opens nor closes an account.
            given
                .entry("active".into())
                .or_insert_with(|| active.clone());
        }
        let means = if plain { Leaves::new() } else { given.clone() };
        let given = self.sealed_for(tx, &before.folded, &given)?;
        let shown = seen.leaves(known.clone());
        let shown = self.view.show(&shown, catalog, &self.context.base_url);
        check_immutable(&self.view.resource_type, &shown, &document)?;
        let (mut own, others) = self.desk(&before);
        own.external_id = external_id(&replacement.document);
        let hides = self.hides(&seen);
        let in_part = |path: &str| !seen.traces(path);
        let veils = |path: &str, element: &Value, given: &Value| {
            seen.veils(path, element) && is_said(said.get(path), means.get(path), given)
        };
        self.terms(&hides, &before.sources)
            .veiling(&veils, &in_part)
            .put(&given, &replacement.listed, known, (&mut own, &others));
        let after = self.commit(tx, &before, own, others, (Happened::Updated, None, None))?;
        let wanted = given
            .iter()
            .map(|(path, value)| (path.as_str(), Wants::Given(value)));
        let suggested = self.held_back(&seen, wanted, &after.leaves);
        if self.view.kind != Kind::Group {
            return Ok((after, Vec::new(), suggested));
        }
        // Who may not write them has not left them out.
        if self.permit_path(&seen, "members").is_err()
            && matches!(&replacement.members, RowChange::Replace(given) if given.is_empty())
        {
            return Ok((after, Vec::new(), suggested));
        }
        self.permit_path(&seen, "members")?;
        let members = std::slice::from_ref(&replacement.members);
        let (folded, strangers) = self.change_members(tx, &after, members)?;
        Ok((folded, strangers, suggested))
    }

    /// `If-Match` against the caller's own view of the record.
    pub(super) fn check_match(
        &self,
        tx: &mut Tx<'_>,
        folded: &Folded,
        asked: &Asked,
    ) -> Result<(), Error> {
        if asked.if_match.is_none() {
            return Ok(());
        }
        let whole = Asked::default();
        let version = if self.view.kind == Kind::Group {
            format!("W/\"{}\"", folded.version)
        } else {
            let folded = folded.clone();
            let shown = self
                .muster
                .show_one(tx, self.context, self.view, folded, &whole)?;
            shown.seen().version.clone()
        };
        precondition::check(asked.if_match.as_deref(), &version)
    }
}
