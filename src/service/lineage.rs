//! Where a value comes from: from the golden record through every claim, decision and version of the policy back to the
//! message that it came in.

use serde_json::Value;

use super::change::missing;
use super::elevate::Target;
use super::{Error, Muster};
use crate::domain::access::Seen;
use crate::domain::context::{Context, Right};
use crate::domain::event::Event;
use crate::domain::lineage::{Claimed, Lineage, Traced};
use crate::domain::masked::provenance;
use crate::domain::record::{Folded, Kind, Record};
use crate::domain::view::View;
use crate::store::{self, Tx};

impl Muster {
    /// The lineage of what a record has at `path`, as SCIM writes it; of all that it has, without one. Of what the caller does
    /// not see nothing is told; what is classified and open to it is logged as read.
    pub async fn lineage(
        &self,
        context: &Context,
        endpoint: &str,
        id: &str,
        path: Option<&str>,
    ) -> Result<Lineage, Error> {
        let view = self.view(context, endpoint, Right::Read)?;
        let target = path
            .map(|path| Target::of(&view, path, context))
            .transpose()?;
        let (muster, reader, name) = (self.clone(), context.clone(), id.to_owned());
        let shown = view.clone();
        let read = move |tx: &mut Tx<'_>| {
            let found = super::change::find(tx, &reader, &shown, &name)?;
            muster.trace(tx, (&reader, &shown), found, target.as_ref())
        };
        let (lineage, disclosed) = self.0.store.read(read).await?;
        if !disclosed.is_empty() {
            let event = self.0.ids.event(context.now);
            let of = &view.resource_type.name;
            let person = (view.kind == Kind::Person).then_some(lineage.id);
            let event = Event::of_read(context, event, of, &[(lineage.id, person)], &disclosed);
            let note =
                move |tx: &mut Tx<'_>| Ok::<_, Error>(store::event::note(tx, event.clone())?);
            self.0.store.write_new(None, note).await?;
        }
        Ok(lineage)
    }

    /// The lineage, and what of it is classified.
    fn trace(
        &self,
        tx: &mut Tx<'_>,
        (context, view): (&Context, &View),
        found: Folded,
        target: Option<&Target>,
    ) -> Result<(Lineage, Vec<(String, String)>), Error> {
        let key = self.veil_key(context, view);
        let leaves = found.leaves.clone();
        let seen = self.before(context, view, &leaves, &key);
        if !seen.may(Right::Read) {
            return Err(missing(view, &found.id.to_string()));
        }
        let Some(at) = view.canonical(&provenance("attributes")) else {
            return Err(Error::NotFound(
                "persons and organizations alone have a lineage".into(),
            ));
        };
        if !seen.may_on(Right::Read, at, None) {
            return Err(Error::Forbidden(format!(
                "the client '{}' has no right to read whence values come (Provenance.attributes)",
                context.client.name
            )));
        }
        let specs = self.rules(context, view.kind).specs;
        let record = store::record::with_sources(tx, found)?;
        let mut paths = target.map_or_else(
            || view.units().map(|(_, path)| path).collect(),
            |target| target.paths(view),
        );
        paths.sort_unstable();
        paths.dedup();
        let is_list = |path: &str| {
            let spec = specs.get(path);
            spec.is_some_and(|spec| spec.attribute.multi_valued)
        };
        let is_told = |path: &&str| seen.knows(path) && (seen.traces(path) || !is_list(path));
        let paths = paths.into_iter().filter(is_told);
        let traced: Vec<Traced> = paths
            .filter_map(|path| self.trace_one(&record, (context, view), &seen, path))
            .collect();
        let ids: Vec<&str> = traced.iter().flat_map(Traced::events).collect();
        let claimed = store::event::told(tx, context.tenant(), &ids)?;
        let log = store::event::of_record(tx, record.folded.tenant, record.folded.id)?;
        let mut lineage = Lineage {
            id: record.folded.id,
            resource_type: view.resource_type.name.clone(),
            policy_version: context.client.clearance.version(),
            traced,
        };
        let shown = |path: &str, value: &Value| {
            let secret = specs.get(path).is_some_and(|spec| spec.attribute.secret);
            seen.value(path, value)
                .filter(|value| !secret && !value.is_null())
        };
        let guesses = context.client.clearance.guesses().is_some();
        let is_open = |path: &str| seen.is_open(path);
        lineage.tell(&claimed, &log, shown, (is_open, guesses));
        let open = seen.disclosed(&leaves).into_iter();
        let open = open.filter(|(path, _)| lineage.traced.iter().any(|one| one.canonical == *path));
        let disclosed = open
            .map(|(path, purpose)| (path.to_owned(), purpose.to_owned()))
            .collect();
        Ok((lineage, disclosed))
    }

    /// What each system claims at a path, and which of it stands; nothing if nobody says or said anything.
    fn trace_one(
        &self,
        record: &Record,
        (context, view): (&Context, &View),
        seen: &Seen<'_>,
        path: &str,
    ) -> Option<Traced> {
        let rules = self.rules(context, view.kind);
        let spec = rules.specs.get(path)?;
        let secret = spec.attribute.secret;
        let shown = |value: &Value| (!secret).then(|| seen.value(path, value)).flatten();
        let origins = rules.origins(&record.sources);
        let mut claims = Vec::new();
        for source in &record.sources {
            for (key, claim) in source.claims.0.get(path).into_iter().flatten() {
                if !claim.value.is_null() && seen.hides(path, &claim.value) {
                    continue;
                }
                let mut origins = origins.iter();
                let stands = origins.any(|origin| std::ptr::eq(origin.claim, claim));
                claims.push(Claimed {
                    system: source.system.clone(),
                    external_id: source.external_id.clone(),
                    key: key.clone(),
                    value: shown(&claim.value),
                    denies: claim.value.is_null(),
                    said_at: claim.at,
                    event: claim.event.clone(),
                    elevated: claim.elevated.clone(),
                    stands,
                    suggested: !rules.rulings.on(path).admits(&source.system, claim),
                });
            }
        }
        let value = record.folded.leaves.get(path).and_then(shown);
        let location = view.shown(path).first()?.location.to_string();
        (!claims.is_empty() || value.is_some()).then(|| Traced {
            path: location,
            canonical: path.to_owned(),
            value,
            rule: rules.rulings.on(path).told(),
            claims,
            history: Vec::new(),
        })
    }
}
