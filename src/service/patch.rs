//! PATCH (RFC 7644 §3.5.2): atomic, and a claim of exactly what its operations name (design §3).

use std::sync::Arc;

use serde_json::{Map, Value};

use super::change::Write;
use super::create::external_id;
use super::idempotency::Shows;
use super::sight::{Wants, clearance, is_said, known_type};
use super::{Asked, Came, Error, Muster, Written};
use crate::domain::access::Seen;
use crate::domain::context::{Context, Right};
use crate::domain::document::value_at;
use crate::domain::event::Happened;
use crate::domain::record::{Folded, Leaves};
use crate::domain::sealed;
use crate::domain::view::View;
use crate::domain::writing;
use crate::scim::patch::{Change as RowChange, Patch, parse};
use crate::scim::projection::Projection;
use crate::scim::resource_type::Location;
use crate::store::{self, Tx};

/// A request, ready for the transaction: operations on the document, and on the rows of members.
struct Request {
    patch: Patch,
    rows: Vec<RowChange>,
}

/// What a PATCH came to.
struct Done {
    folded: Folded,
    ignored: Vec<String>,
    suggested: Vec<String>,
}

/// A PATCH that was found right so far: what is left to do needs the database.
pub(super) struct Change {
    view: Arc<View>,
    id: String,
    request: Request,
    asked: Asked,
}

impl Muster {
    /// Applies the operations, all or none.
    pub async fn patch(
        &self,
        context: &Context,
        endpoint: &str,
        id: &str,
        if_match: Option<&str>,
        body: Map<String, Value>,
        projection: &Projection,
    ) -> Result<Written, Error> {
        let patch = self.prepare_patch(context, (endpoint, id), if_match, body, projection)?;
        let name = patch.view.resource_type.name.clone();
        let written = self.perform(context, patch, Change::perform).await?;
        self.disclosed_write(context, &name, written).await
    }

    /// Checks rights and body before the transaction.
    pub(super) fn prepare_patch(
        &self,
        context: &Context,
        (endpoint, id): (&str, &str),
        if_match: Option<&str>,
        body: Map<String, Value>,
        projection: &Projection,
    ) -> Result<Change, Error> {
        let view = self.changeable(context, endpoint, Right::Write)?;
        let ty = known_type(context, &view);
        let (patch, rows) = parse(body, ty, context.client.profile)?.split_rows(ty)?;
        let rows = rows.into_iter().map(|row| row.change).collect();
        Ok(Change {
            view,
            id: id.to_owned(),
            request: Request { patch, rows },
            asked: Asked {
                projection: projection.clone(),
                if_match: if_match.map(str::to_owned),
            },
        })
    }
}

impl Shows for Change {
    fn shows(&self) -> (&View, &Asked) {
        (&self.view, &self.asked)
    }
}

impl Change {
    /// Does it in an open transaction: as often as the transaction is tried.
    pub(super) fn perform(
        &self,
        muster: &Muster,
        context: &Context,
        tx: &mut Tx<'_>,
    ) -> Result<Written, Error> {
        let write = Write::new(muster, context, &self.view);
        let done = write.patch(tx, &self.id, &self.request, &self.asked)?;
        Ok(Written {
            resource: muster.show_one(tx, context, &self.view, done.folded, &self.asked)?,
            ignored: done.ignored,
            suggested: done.suggested,
            came: Came::default(),
        })
    }
}

impl Write<'_> {
    fn patch(
        &self,
        tx: &mut Tx<'_>,
        id: &str,
        request: &Request,
        asked: &Asked,
    ) -> Result<Done, Error> {
        // Changes of members alone need not wait for each other, unless they are compared.
        let blind = request.patch.operations.is_empty() && asked.if_match.is_none();
        let mut folded = if blind {
            self.find(tx, id)?
        } else {
            self.claim(tx, id)?
        };
        let key = self.muster.veil_key(self.context, self.view);
        let known = folded.leaves.clone();
        let seen = self.muster.before(self.context, self.view, &known, &key);
        self.reach(&seen, Right::Write, id)?;
        self.check_match(tx, &folded, asked)?;
        self.permit_patch(&seen, &request.patch)?;
        let mut ignored = request.patch.ignored.clone();
        let mut suggested = Vec::new();
        if !request.patch.operations.is_empty() {
            let done = self.patch_document(tx, folded, &seen, &request.patch)?;
            ignored.extend(done.ignored);
            (folded, suggested) = (done.folded, done.suggested);
        }
        if !request.rows.is_empty() {
            self.permit_path(&seen, "members")?;
            self.check_removals(tx, &folded, &request.rows)?;
            let (changed, strangers) = self.change_members(tx, &folded, &request.rows)?;
            ignored.extend(strangers);
            folded = changed;
        }
        Ok(Done {
            folded,
            ignored,
            suggested,
        })
    }

    fn patch_document(
        &self,
        tx: &mut Tx<'_>,
        folded: Folded,
        seen: &Seen<'_>,
        patch: &Patch,
    ) -> Result<Done, Error> {
        let record = store::record::with_sources(tx, folded)?;
        let catalog = self.muster.0.renderer.catalog();
        let known = &record.folded.leaves;
        let (mut own, others) = self.desk(&record);
        let called = own.external_id.clone();
        let document = |leaves: &Leaves| {
            let mut document: Map<String, Value> =
                self.view.show(leaves, catalog, &self.context.base_url);
            if let Some(external_id) = &called {
                document.insert("externalId".into(), external_id.as_str().into());
            }
            // An operation that says what the id already is changes nothing (RFC 7644 §3.5.2, `mutability`).
            document.insert("id".into(), record.folded.id.to_string().into());
            document
        };
        let before = document(known);
        // Operations are on what the caller sees: what it does not see they neither find nor miss.
        let plain = clearance(self.context, self.view).is_plain();
        let mut said = Map::new();
        let mut patched = if plain {
            patch.apply(&self.view.resource_type, &before)?
        } else {
            let shown = document(&seen.leaves(known.clone()));
            let patched = patch.apply_in_part(known_type(self.context, self.view), &shown)?;
            said.clone_from(&patched.document);
            self.unveil(seen, known, patch, patched)?
        };
        if sealed::touches(self.view, &patched) {
            let envelope = store::key::envelope(tx, &record.folded)?;
            sealed::seal_patched(self.view, &before, &mut patched, &envelope)
                .map_err(store::Error::from)?;
        }
        own.external_id = external_id(&patched.document);
        let hides = self.hides(seen);
        let in_part = |path: &str| !seen.traces(path);
        let veils = |path: &str, element: &Value, given: &Value| {
            let said = |at: &Location| {
                let (said, means) = (value_at(&said, at), value_at(&patched.document, at));
                is_said(said, means, given)
            };
            let mut shown = self.view.shown(path).iter();
            seen.veils(path, element) && shown.any(|at| said(&at.location))
        };
        self.terms(&hides, &record.sources)
            .veiling(&veils, &in_part)
            .patch(&before, &patched, (&mut own, &others))?;
        let after = self.commit(tx, &record, own, others, (Happened::Updated, None, None))?;
        let wanted = writing::wanted(self.view, self.specs(), &patched).into_iter();
        let wanted = wanted.map(|(path, value)| (path, Wants::Whole(value)));
        Ok(Done {
            suggested: self.held_back(seen, wanted, &after.leaves),
            folded: after,
            ignored: patched.ignored,
        })
    }
}
