//! The write path that every use case shares: claims in, fold, what changed, unique values, one commit with its event.

use serde_json::Value;
use std::borrow::Cow;
use std::cell::Cell;
use std::slice;

use super::provenance::Shown;
use super::sight::clearance;
use super::{Asked, Error, Muster};
use crate::domain::claim::{Claims, SourceRecord, Stamp};
use crate::domain::context::{Context, Right};
use crate::domain::event::{Change, Event, Happened, changes};
use crate::domain::fold::Rules;
use crate::domain::index::{Unique, uniques, withheld};
use crate::domain::masked::{Beside, Masked, Resource};
use crate::domain::record::{Folded, Kind, Leaves, Record, is_own_name};
use crate::domain::sealed::{self, Envelope};
use crate::domain::view::{Specs, View};
use crate::domain::writing::{Hides, Terms};
use crate::id::{EventId, ResourceId, TenantId};
use crate::scim;
use crate::scim::resource_type::Location;
use crate::store::{self, Tx};

/// What happens, the reason if there is one beyond the request itself, and what else there is to say.
pub(super) type Why<'a> = (Happened, Option<&'a str>, Option<Value>);

/// One write: who, through which view, as which event.
pub(super) struct Write<'a> {
    pub(super) muster: &'a Muster,
    pub(super) context: &'a Context,
    pub(super) view: &'a View,
    pub(super) event: EventId,
    /// Why, as a code for its events, where it is no single request: then what a source repeats is not written again.
    pub(super) errand: Option<&'static str>,
    /// The event that it follows from, if it is the server's own.
    pub(super) cause: Option<EventId>,
    /// The number that the record had which was asked for, if that is an alias.
    pub(super) home: Cell<Option<i64>>,
}

impl<'a> Write<'a> {
    pub(super) fn new(muster: &'a Muster, context: &'a Context, view: &'a View) -> Self {
        Self {
            muster,
            context,
            view,
            event: muster.0.ids.event(context.now),
            errand: None,
            cause: None,
            home: Cell::new(None),
        }
    }

    pub(super) fn specs(&self) -> &'a Specs {
        self.muster.0.renderer.catalog().specs(self.view.kind)
    }

    /// When and by what the claims of this write are made: after all that these sources have claimed.
    pub(super) fn stamp(&self, sources: &[SourceRecord]) -> Stamp {
        let said = self.context.said_at;
        let stamp = Stamp {
            at: said.unwrap_or(self.context.now).min(self.context.now),
            event: self.event,
            told: said.is_some(),
        };
        stamp.after(sources)
    }

    pub(super) fn event(&self, happened: Happened, id: ResourceId) -> Event {
        let name = &self.view.resource_type.name;
        let (context, kind) = (self.context, self.view.kind);
        let event = Event::new(context, self.event, happened, kind, name, id);
        Event {
            causation: self.cause,
            ..event.because(self.errand)
        }
    }

    /// Splits what is known into the caller's own source record, made if there is none, and all others. Of two that a merge has
    /// brought together it is the one of the id by which the record was asked for.
    pub(super) fn desk(&self, record: &Record) -> (SourceRecord, Vec<SourceRecord>) {
        let home = self.home.get().unwrap_or(record.folded.row);
        let mine = |source: &&SourceRecord| source.system == self.context.system();
        let mine = || record.sources.iter().filter(mine);
        let own = mine().find(|source| source.origin == Some(home));
        let own = own.or_else(|| mine().next());
        let row = own.and_then(|own| own.row);
        let others = record.sources.iter();
        let others = others.filter(|source| own.is_none() || source.row != row);
        let fresh = || SourceRecord::new(self.context.system(), self.context.now);
        (
            own.cloned().unwrap_or_else(fresh),
            others.cloned().collect(),
        )
    }

    /// Commits what the sources now say of a known record. Nothing is written if they say what they said.
    pub(super) fn commit(
        &self,
        tx: &mut Tx<'_>,
        before: &Record,
        mut own: SourceRecord,
        others: Vec<SourceRecord>,
        why: Why<'_>,
    ) -> Result<Folded, Error> {
        let said = before
            .sources
            .iter()
            .find(|source| source.row == own.row && source.system == own.system);
        if said == Some(&own) && others.len() + 1 == before.sources.len() {
            return Ok(before.folded.clone());
        }
        let told = self.context.said_at.is_some();
        let repeats = |said: &SourceRecord| own.repeats(said, told, self.specs());
        if self.errand.is_some() && said.is_some_and(repeats) {
            return Ok(before.folded.clone());
        }
        own.last_synced = self.context.now;
        let known = said.map(|said| said.claims.clone()).unwrap_or_default();
        let mut sources = others;
        // Who has spoken stays a source: whether it says anything still might follow from what is kept back of it.
        let has_spoken = own.row.is_some() || own.external_id.is_some();
        if has_spoken || !own.claims.is_empty() || sources.is_empty() {
            sources.push(own);
        }
        self.settle(tx, before, sources, &known, why)
    }

    /// Commits what a record's sources come to. `known` is what the caller's own said before.
    pub(super) fn settle(
        &self,
        tx: &mut Tx<'_>,
        before: &Record,
        mut sources: Vec<SourceRecord>,
        known: &Claims,
        (happened, reason, detail): Why<'_>,
    ) -> Result<Folded, Error> {
        if self.view.kind == Kind::Review {
            self.step(tx, before, &mut sources, self.event)?;
        }
        let of = (before.folded.id, Some(before));
        let following = self.follow(tx, of, &mut sources)?;
        let of = (Some(before), &*sources);
        let (leaves, withheld) = self.fold_unique(tx, happened, of)?;
        self.stay(&leaves)?;
        self.count_deactivation(tx, (&before.folded.leaves, &leaves), happened)?;
        let suggested = self.newly_suggested(known, &sources, &leaves);
        for change in &suggested {
            self.ask_about(tx, before.folded.id, &change.path)?;
        }
        let changes = changes(&before.folded.leaves, &leaves);
        let id = before.folded.id;
        self.note_withheld(tx, (id, &leaves), &withheld)?;
        if changes.is_empty() {
            let decided = matches!(
                happened,
                Happened::Elevated | Happened::Merged | Happened::Split
            );
            if decided || sources != before.sources || !withheld.is_empty() {
                let (happened, reason) = match happened {
                    _ if decided => (happened, reason),
                    _ if suggested.is_empty() => (Happened::Confirmed, reason),
                    _ => (Happened::Conflicted, reason),
                };
                let event = self.event(happened, id).withholding(withheld);
                let event = event
                    .belonging(following.belonging)
                    .suggesting(suggested)
                    .because(reason.or(self.errand))
                    .telling(detail);
                store::record::confirm(tx, before, &sources, event)?;
            }
            return Ok(before.folded.clone());
        }
        let event = self
            .event(happened, id)
            .belonging(following.belonging)
            .with_changes(changes)
            .withholding(withheld)
            .suggesting(suggested)
            .because(reason.or(self.errand))
            .telling(detail);
        let classified = self.context.client.clearance.classified();
        let open = classified.differ(&before.folded.leaves, &leaves);
        let specs = self.specs();
        let after = store::record::update(tx, specs, before, (leaves, open), &sources, event)?;
        self.muster.key(tx, self.context, &after)?;
        self.carry(tx, &after, following)?;
        Ok(after)
    }

    /// What of the caller's claims, which were `known` before, is a suggestion that it has not made yet.
    pub(super) fn newly_suggested(
        &self,
        known: &Claims,
        sources: &[SourceRecord],
        leaves: &Leaves,
    ) -> Vec<Change> {
        let rules = self.rules();
        let system = self.context.system();
        let own = sources.iter().find(|source| source.system == system);
        let (Some(own), false) = (own, rules.rulings.is_empty()) else {
            return Vec::new();
        };
        let said = |path: &str, key: &str| known.get(path, key).map(|claim| &claim.value);
        let suggestions = rules.suggestions(own, sources, leaves).into_iter();
        suggestions
            .filter(|new| said(new.path, new.key) != Some(&new.claim.value))
            .map(|new| new.change())
            .collect()
    }

    /// What a client gives, its secrets sealed. The envelope is asked for only where there are any.
    pub(super) fn sealed<'l>(
        &self,
        given: &'l Leaves,
        envelope: impl FnOnce() -> Result<Option<Envelope>, Error>,
    ) -> Result<Cow<'l, Leaves>, Error> {
        if !sealed::any(self.specs(), given) {
            return Ok(Cow::Borrowed(given));
        }
        let Some(envelope) = envelope()? else {
            return Err(Error::Internal("only persons have secrets".into()));
        };
        let mut given = given.clone();
        sealed::seal(self.specs(), &mut given, &envelope).map_err(store::Error::from)?;
        Ok(Cow::Owned(given))
    }

    /// The same for a known person.
    pub(super) fn sealed_for<'l>(
        &self,
        tx: &mut Tx<'_>,
        person: &Folded,
        given: &'l Leaves,
    ) -> Result<Cow<'l, Leaves>, Error> {
        self.sealed(given, || Ok(Some(store::key::envelope(tx, person)?)))
    }

    /// What the sources come to.
    pub(super) fn fold(&self, sources: &[SourceRecord]) -> Leaves {
        self.rules().fold(sources)
    }

    /// What a fold depends on beside the sources.
    pub(super) fn rules(&self) -> Rules<'a> {
        self.muster.rules(self.context, self.view.kind)
    }

    /// What claims that are made now rest on.
    pub(super) fn terms<'t>(&'t self, hides: Hides<'t>, sources: &[SourceRecord]) -> Terms<'t> {
        let rules = self.rules();
        Terms {
            view: self.view,
            specs: rules.specs,
            rulings: rules.rulings,
            hides,
            veils: &|_, _, _| false,
            in_part: &|_| false,
            stamp: self.stamp(sources),
        }
    }

    /// What the sources come to, and what of it another record of the tenant holds although it is to be unique (RFC 7643 §7).
    /// That is refused, unless the caller may not know that somebody has it: then the record has it beside its holder, the
    /// event says so, and a human is asked whether the two are one (design §6).
    pub(super) fn fold_unique(
        &self,
        tx: &mut Tx<'_>,
        happened: Happened,
        (before, sources): (Option<&Record>, &[SourceRecord]),
    ) -> Result<(Leaves, Vec<Change>), Error> {
        let leaves = self.fold(sources);
        let held = before
            .map(|record| uniques(self.specs(), &record.folded.leaves))
            .unwrap_or_default();
        let (tenant, kind) = (self.context.tenant(), self.view.kind);
        let row = before.map(|record| record.folded.row);
        let wanted = uniques(self.specs(), &leaves);
        let mut fresh: Vec<_> = wanted.difference(&held).collect();
        let mut withheld = Vec::new();
        while let Some((unique, holder)) = store::unique::taken(tx, tenant, kind, &fresh, row)? {
            // Two that were one may both have what was said of them, but for the name of an account.
            let were_one = happened == Happened::Split && !is_own_name(&unique.path);
            if !were_one && !self.is_hidden(tx, unique, holder)? {
                return Err(scim::Error::uniqueness(self.taken(&unique.path)).into());
            }
            withheld.extend(self.valued(&leaves, unique));
            fresh.retain(|other| *other != unique);
        }
        Ok((leaves, withheld))
    }

    /// Whether the caller may know neither of the holder of a unique value nor of any who has it beside that one.
    fn is_hidden(&self, tx: &mut Tx<'_>, unique: &Unique, holder: i64) -> Result<bool, Error> {
        let clearance = clearance(self.context, self.view);
        if self.view.kind == Kind::Person && clearance.conceals(&unique.path) {
            return Ok(true);
        }
        if !clearance.is_bounded() || is_own_name(&unique.path) {
            return Ok(false);
        }
        let tenant = self.context.tenant();
        let mut rows = store::unique::beside(tx, tenant, self.view.kind, &[unique])?;
        rows.push(holder);
        for row in rows {
            let known = store::record::at(tx, row)?;
            let reaches = |known: Folded| {
                let leaves = &known.leaves;
                self.muster
                    .reaches(self.context, self.view, leaves, Right::Read)
            };
            if known.is_some_and(reaches) {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// The value by which a record has a unique text, as what is new.
    fn valued(&self, leaves: &Leaves, unique: &Unique) -> Option<Change> {
        let path = unique.path.clone();
        let is_it = |new: &Value| {
            let one = Change {
                path: path.clone(),
                previous: Value::Null,
                new: new.clone(),
            };
            let is_it = withheld(self.specs(), leaves, slice::from_ref(&one)).contains(unique);
            is_it.then_some(one)
        };
        match leaves.get(&path)? {
            Value::Array(elements) => elements.iter().find_map(is_it),
            single => is_it(single),
        }
    }

    fn taken(&self, path: &str) -> String {
        let (name, kind) = (self.name_of(path), self.view.kind.word());
        format!(
            "another {kind} already has this '{name}': it must be unique; find that one with a filter"
        )
    }

    /// The record of that id if this view shows it.
    pub(super) fn find(&self, tx: &mut Tx<'_>, id: &str) -> Result<Folded, Error> {
        find(tx, self.context, self.view, id)
    }

    /// The same, held until the transaction ends.
    pub(super) fn claim(&self, tx: &mut Tx<'_>, id: &str) -> Result<Folded, Error> {
        let (found, home) = shown(self.view, id, |id| {
            named(tx, self.context.tenant(), id, store::record::claim)
        })?;
        self.home.set(home);
        Ok(found)
    }

    /// The same with its sources, held.
    pub(super) fn fetch(&self, tx: &mut Tx<'_>, id: &str) -> Result<Record, Error> {
        let folded = self.claim(tx, id)?;
        Ok(store::record::with_sources(tx, folded)?)
    }
}

/// The record of that id if `view` shows it: 404 otherwise, as for an id that never was.
pub(super) fn find(
    tx: &mut Tx<'_>,
    context: &Context,
    view: &View,
    id: &str,
) -> Result<Folded, Error> {
    let (found, _) = shown(view, id, |id| {
        named(tx, context.tenant(), id, store::record::find)
    })?;
    Ok(found)
}

/// A record, and the number that it had by whose name it was found, if that is an alias.
type Named = (Folded, Option<i64>);

fn shown(
    view: &View,
    id: &str,
    find: impl FnOnce(ResourceId) -> Result<Option<Named>, store::Error>,
) -> Result<Named, Error> {
    let parsed = id.parse().map_err(|_| missing(view, id))?;
    let found = find(parsed)?;
    let found = found.filter(|(found, _)| view.holds(found));
    found.ok_or_else(|| missing(view, id))
}

/// The record of an id, or of one that has been merged into it.
fn named(
    tx: &mut Tx<'_>,
    tenant: TenantId,
    id: ResourceId,
    find: fn(&mut Tx<'_>, TenantId, ResourceId) -> Result<Option<Folded>, store::Error>,
) -> Result<Option<Named>, store::Error> {
    if let Some(found) = find(tx, tenant, id)? {
        return Ok(Some((found, None)));
    }
    let Some(alias) = store::alias::find(tx, tenant, id)? else {
        return Ok(None);
    };
    let Some(survivor) = store::record::identify(tx, alias.survivor)? else {
        return Ok(None);
    };
    let found = find(tx, tenant, survivor)?;
    Ok(found.map(|found| (found, Some(alias.origin))))
}

/// The answer where a view shows nothing of that id.
pub(super) fn missing(view: &View, id: &str) -> Error {
    let name = &view.resource_type.name;
    Error::NotFound(format!("there is no {name} with id '{id}'"))
}

impl Muster {
    /// The records as the caller may see them, narrowed to what was asked for.
    pub(super) fn show(
        &self,
        tx: &mut Tx<'_>,
        context: &Context,
        view: &View,
        records: Vec<Folded>,
        asked: &Asked,
    ) -> Result<Vec<Masked<Resource>>, Error> {
        let rows: Vec<i64> = records.iter().map(|record| record.row).collect();
        let mut groups = Self::groups(tx, context, view, &rows, asked)?;
        let (mut members, mut rests) = Self::members(tx, context, view, &records, asked)?;
        let mut whence = self.provenance(tx, (context, view), &records, asked)?;
        for (row, citations) in self.citations(tx, (context, view), &records, asked)? {
            whence.entry(row).or_default().extend(citations);
        }
        let mut shown = Vec::with_capacity(records.len());
        for record in records {
            let row = record.row;
            if record.kind == Kind::Review {
                let traces = Self::review_traces(tx, (context, view), &record, asked)?;
                whence.insert(row, traces);
            }
            let groups = groups.remove(&row).map(|groups| ("groups", groups));
            let members = members.remove(&row).map(|all| ("members", all));
            let rows = groups.into_iter().chain(members).collect();
            let whence = whence.remove(&row).unwrap_or_default();
            let masked = self.render(context, view, record, (rows, whence), asked);
            shown.push(masked.followed_by(rests.remove(&row)));
        }
        Ok(shown)
    }

    /// A record as the caller may see it, with what of it lives in rows and, where asked for, whence it comes.
    pub(super) fn render(
        &self,
        context: &Context,
        view: &View,
        record: Folded,
        (rows, asked_for): (Vec<(&'static str, Value)>, Shown),
        asked: &Asked,
    ) -> Masked<Resource> {
        let rows = rows.into_iter().map(|(name, value)| {
            let location = Location {
                extension: None,
                attribute: name.into(),
                sub: None,
            };
            (location, value)
        });
        let beside = Beside {
            rows: rows.collect(),
            asked: asked_for,
        };
        let masked = self.0.renderer.mask(context, view, record, beside);
        masked.narrowed(|document| asked.projection.apply(&view.resource_type, document))
    }

    /// The one record, shown.
    pub(super) fn show_one(
        &self,
        tx: &mut Tx<'_>,
        context: &Context,
        view: &View,
        record: Folded,
        asked: &Asked,
    ) -> Result<Masked<Resource>, Error> {
        let shown = self.show(tx, context, view, vec![record], asked)?;
        shown
            .into_iter()
            .next()
            .ok_or_else(|| Error::Internal("a record was not shown".into()))
    }
}
