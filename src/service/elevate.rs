//! A human decides that a suggestion stands: what a system says wins over what its master says, with a reason (design §3).

use std::sync::Arc;

use serde_json::Value;

use super::change::Write;
use super::idempotency::Shows;
use super::sight::known_type;
use super::{Asked, Came, Error, Muster, Written, permit};
use crate::domain::access::Seen;
use crate::domain::claim::{self, Claims};
use crate::domain::context::{Context, Right};
use crate::domain::event::Happened;
use crate::domain::record::Folded;
use crate::domain::view::View;
use crate::scim;
use crate::scim::error::Kind as Fault;
use crate::scim::filter::{Condition, parse_value_path};
use crate::scim::projection::Projection;
use crate::scim::resource_type::Location;
use crate::store::Tx;

/// What is elevated, and why.
#[derive(Clone, Debug)]
pub struct Elevation {
    /// The attribute, as SCIM writes it; with a value filter, some of its elements.
    pub path: String,
    /// The system whose word is to stand.
    pub system: String,
    /// Why.
    pub reason: String,
}

/// An elevation that was found right so far: what is left to do needs the database.
struct Elevate {
    view: Arc<View>,
    id: String,
    order: Elevation,
    target: Target,
    asked: Asked,
}

/// The attribute that is meant.
pub(super) struct Target {
    location: Location,
    condition: Option<Condition>,
}

impl Target {
    /// What a path means in a view.
    pub(super) fn of(view: &View, text: &str, context: &Context) -> Result<Self, Error> {
        let (mut path, filter, sub) = parse_value_path(text, context.client.profile)?;
        if path.sub.is_none() {
            path.sub = sub;
        }
        let ty = known_type(context, view);
        let Some(found) = ty.resolve(&path) else {
            return Err(scim::Error::new(Fault::InvalidPath, ty.unknown(&path)).into());
        };
        let condition =
            filter.map(|filter| filter.check_element(&found.whole(), Fault::InvalidPath));
        Ok(Self {
            location: found.location.clone(),
            condition: condition.transpose()?,
        })
    }

    /// Whether it is the value at a location, or has it as a part, or is a part of it.
    fn means(&self, at: &Location) -> bool {
        *at == self.location
            || self.location.sub.is_none() && at.whole() == self.location
            || at.sub.is_none() && self.location.whole() == *at
    }

    /// The canonical paths that it means.
    pub(super) fn paths<'v>(&self, view: &'v View) -> Vec<&'v str> {
        let units = view.units().filter(|(at, _)| self.means(at));
        let mut paths: Vec<&str> = units.map(|(_, path)| path).collect();
        paths.sort_unstable();
        paths.dedup();
        paths
    }

    /// Whether an element is meant.
    pub(super) fn matches(&self, value: &Value) -> bool {
        let condition = self.condition.as_ref();
        condition.is_none_or(|condition| condition.matches_element(value))
    }
}

impl Muster {
    /// The view at `endpoint`, if the caller may let suggestions stand there: asked before anything that it sent is looked at.
    pub fn may_elevate(&self, context: &Context, endpoint: &str) -> Result<Arc<View>, Error> {
        let view = self.view(context, endpoint, Right::Write)?;
        permit(context, Right::Write, "Review")?;
        Ok(view)
    }

    /// Lets what a system says of an attribute stand, whatever its master says, until that system says otherwise or another
    /// is elevated. It is for those who settle conflicts: they may write reviews.
    pub async fn elevate(
        &self,
        context: &Context,
        endpoint: &str,
        id: &str,
        order: Elevation,
        projection: &Projection,
    ) -> Result<Written, Error> {
        let view = self.may_elevate(context, endpoint)?;
        let target = Target::of(&view, &order.path, context)?;
        let name = view.resource_type.name.clone();
        let elevate = Elevate {
            view,
            id: id.to_owned(),
            order,
            target,
            asked: projection.into(),
        };
        let written = self.perform(context, elevate, Elevate::perform).await?;
        self.disclosed_write(context, &name, written).await
    }
}

impl Shows for Elevate {
    fn shows(&self) -> (&View, &Asked) {
        (&self.view, &self.asked)
    }
}

impl Elevate {
    fn perform(
        &self,
        muster: &Muster,
        context: &Context,
        tx: &mut Tx<'_>,
    ) -> Result<Written, Error> {
        let write = Write::new(muster, context, &self.view);
        let record = write.claim(tx, &self.id)?;
        let key = muster.veil_key(context, &self.view);
        let seen = muster.before(context, &self.view, &record.leaves, &key);
        write.reach(&seen, Right::Write, &self.id)?;
        let after = write.elevate(tx, &seen, record.clone(), (&self.target, &self.order))?;
        Ok(Written {
            resource: muster.show_one(tx, context, &self.view, after, &self.asked)?,
            ignored: Vec::new(),
            suggested: Vec::new(),
            came: Came::default(),
        })
    }
}

impl Write<'_> {
    /// Elevates what a system says at a path of a record that the caller sees so.
    pub(super) fn elevate(
        &self,
        tx: &mut Tx<'_>,
        seen: &Seen<'_>,
        record: Folded,
        (target, order): (&Target, &Elevation),
    ) -> Result<Folded, Error> {
        let record = crate::store::record::with_sources(tx, record)?;
        let decision = claim::Elevation {
            at: self.context.now.timestamp_micros(),
            event: self.event.to_string(),
        };
        let mut sources = record.sources.clone();
        let mut found = false;
        for path in target.paths(self.view) {
            self.permit_path(seen, path)?;
            let named = |source: &&mut claim::SourceRecord| source.system == order.system;
            for source in sources.iter_mut().filter(named) {
                let claims = source.claims.0.get_mut(path).into_iter().flatten();
                for (_, claim) in claims.filter(|(_, claim)| target.matches(&claim.value)) {
                    claim.elevated = Some(decision.clone());
                    found = true;
                }
            }
        }
        if !found {
            let (system, path) = (&order.system, &order.path);
            let detail = format!(
                "'{system}' says nothing of '{path}', so there is nothing to elevate: its lineage shows who says what"
            );
            return Err(scim::Error::new(Fault::NoTarget, detail).into());
        }
        let own = record.sources.iter();
        let mut own = own.filter(|source| source.system == self.context.system());
        let known = own
            .next()
            .map_or_else(Claims::default, |own| own.claims.clone());
        let why = (Happened::Elevated, Some(order.reason.as_str()), None);
        self.settle(tx, &record, sources, &known, why)
    }
}
