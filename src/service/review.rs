//! Questions for a human: opened by the server, decided by who may write them.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use super::change::Write;
use super::elevate::{Elevation, Target};
use super::provenance::Shown;
use super::{Asked, Error, Muster};
use crate::domain::brake;
use crate::domain::claim::{Claims, SINGLE, SourceRecord, Stamp};
use crate::domain::context::{Context, Right};
use crate::domain::event::{Change, Event, Happened, changes};
use crate::domain::fold::Rules;
use crate::domain::index::key;
use crate::domain::matching::Trace;
use crate::domain::record::{Folded, Kind, Leaves, Record};
use crate::domain::review::{self, Asks, Opening, Step};
use crate::domain::view::View;
use crate::id::{EventId, ResourceId, TenantId};
use crate::scim::comparable::instant;
use crate::scim::resource_type::Location;
use crate::store::record::NewRecord;
use crate::store::{self, Tx};

/// The name of the resource type.
pub(super) const NAME: &str = "Review";
/// What has become of a review that nobody has decided in time.
const EXPIRED: &str = "expired";
/// Reviews that end in one transaction.
const SWEPT: i64 = 100;
/// Reviews about one subject that are looked through for one that asks the same.
const ABOUT: i64 = 200;

impl Muster {
    /// Ends the open reviews of a tenant that nobody has decided in time: they are `expired`, and what they asked about stays
    /// as it is. How many there were, at most a hundred at once.
    pub fn expire_reviews(&self, tenant: TenantId, now: DateTime<Utc>) -> Result<usize, Error> {
        let find =
            |tx: &mut Tx<'_>| Ok::<_, Error>(store::review::overdue(tx, tenant, now, SWEPT)?);
        let overdue = self.0.store.read_blocking(find)?;
        let count = overdue.len();
        if count > 0 {
            let muster = self.clone();
            let context = Arc::new(self.at_work(tenant, now));
            self.0.store.write_blocking(move |tx| {
                overdue
                    .iter()
                    .try_for_each(|row| muster.expire(tx, &context, *row))
            })?;
        }
        Ok(count)
    }

    fn expire(&self, tx: &mut Tx<'_>, context: &Context, row: i64) -> Result<(), Error> {
        let view = self.view(context, "/Reviews", Right::Write)?;
        let record = store::record::fetch(tx, row)?;
        if record.folded.leaves.get("status").and_then(Value::as_str) != Some("open") {
            return Ok(());
        }
        let mut write = Write::new(self, context, &view);
        write.errand = Some(EXPIRED);
        let stamp = write.stamp(&record.sources);
        let mut sources = record.sources.clone();
        for own in sources
            .iter_mut()
            .filter(|own| own.system == review::SYSTEM)
        {
            claim(own, "status", EXPIRED.into(), stamp);
            claim(own, "decidedBy", review::SYSTEM.into(), stamp);
            claim(own, "decidedAt", instant(context.now).into(), stamp);
        }
        let why = (Happened::Updated, Some(EXPIRED), None);
        write
            .settle(tx, &record, sources, &Claims::default(), why)
            .map(drop)
    }

    /// Opens a review, in the caller's transaction; nothing if one asks the same already.
    pub(super) fn open_review(
        &self,
        tx: &mut Tx<'_>,
        context: &Context,
        opening: &Opening,
    ) -> Result<Option<ResourceId>, Error> {
        let of = (context.tenant(), Kind::Review);
        let (path, value) = opening.key();
        let about = store::record::with_values(tx, of, path, &[key(&value)], ABOUT)?;
        for row in about.into_iter().flatten() {
            let known = store::record::at(tx, row)?;
            if known.is_some_and(|known| opening.is_asked_by(&known.leaves)) {
                return Ok(None);
            }
        }
        let leaves = opening.leaves(context.now);
        self.put_review(tx, context, leaves).map(Some)
    }

    /// Whether an open review asks that about a person.
    pub(super) fn is_asked_about(
        tx: &mut Tx<'_>,
        subject: &Folded,
        asks: Asks,
    ) -> Result<bool, Error> {
        let of = (subject.tenant, Kind::Review);
        let id = subject.id.to_string();
        let about = store::record::with_values(tx, of, "subject.value", &[id], ABOUT)?;
        for row in about.into_iter().flatten() {
            let known = store::record::at(tx, row)?.map(|review| review.leaves);
            let has = |path: &str, text: &str| {
                let known = known.as_ref().and_then(|known| known.get(path));
                known.and_then(Value::as_str) == Some(text)
            };
            if has("status", "open") && has("kind", asks.word()) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Opens a review of these values; its id.
    pub(super) fn put_review(
        &self,
        tx: &mut Tx<'_>,
        context: &Context,
        leaves: Leaves,
    ) -> Result<ResourceId, Error> {
        let id = self.0.ids.resource();
        let event = self.0.ids.event(context.now);
        let mut own = SourceRecord::new(review::SYSTEM, context.now);
        let stamp = Stamp {
            at: context.now,
            event,
            told: false,
        };
        for (path, value) in leaves {
            claim(&mut own, &path, value, stamp);
        }
        let leaves = self
            .rules(context, Kind::Review)
            .fold(std::slice::from_ref(&own));
        let event = Event::new(context, event, Happened::Created, Kind::Review, NAME, id)
            .with_changes(logged(&leaves));
        let view = self.view(
            &self.at_work(context.tenant(), context.now),
            "/Reviews",
            Right::Write,
        )?;
        let belonging = Write::new(self, context, &view).of_review(tx, &leaves)?;
        let event = event.belonging(belonging);
        let new = NewRecord {
            id,
            kind: Kind::Review,
            leaves,
            sources: vec![own],
            members: Vec::new(),
            data_key: None,
        };
        let specs = self.0.renderer.catalog().specs(Kind::Review);
        store::record::insert(tx, specs, new, event)?;
        Ok(id)
    }

    /// `trace` of reviews, which a request must name: what the subject was compared in, as far as the caller may see it of
    /// persons.
    pub(super) fn review_traces(
        tx: &mut Tx<'_>,
        (context, view): (&Context, &View),
        record: &Folded,
        asked: &Asked,
    ) -> Result<Shown, Error> {
        let at = Location {
            extension: None,
            attribute: "trace".into(),
            sub: None,
        };
        if asked.projection.is_default() || !asked.projection.includes(&view.resource_type, &at) {
            return Ok(Shown::new());
        }
        let subject = record.leaves.get("subject.value").and_then(Value::as_str);
        let subject = subject.and_then(|id| id.parse().ok());
        let subject = subject
            .map(|id| store::record::find(tx, record.tenant, id))
            .transpose()?;
        let Some(subject) = subject.flatten() else {
            return Ok(Shown::new());
        };
        let nobody = serde_json::Map::new();
        let people = context
            .client
            .clearance
            .on("Person")
            .before(&nobody, |_| false, &[]);
        let mut told = Vec::new();
        for (candidate, trace) in store::matching::traces(tx, &subject)? {
            let Some(candidate) = store::record::identify(tx, candidate)? else {
                continue;
            };
            let trace: Trace = serde_json::from_slice(&trace)
                .map_err(|error| Error::Internal(error.to_string()))?;
            for one in trace
                .comparisons
                .iter()
                .filter(|one| people.knows(&one.path))
            {
                let mut shown = json!({
                    "candidate": candidate.to_string(), "attribute": one.attribute, "level": one.level, "bits": one.bits,
                });
                // What is masked in part, or in some elements, is not told as matching has it.
                if people.may_on(Right::Read, &one.path, None) && people.is_open(&one.path) {
                    shown["left"] = one.left.as_str().into();
                    shown["right"] = one.right.as_str().into();
                }
                told.push(shown);
            }
        }
        Ok(vec![(at, told.into())])
    }
}

/// What the log tells of a review that is opened.
fn logged(leaves: &Leaves) -> Vec<Change> {
    let mut told = changes(&Leaves::new(), leaves);
    told.retain(|change| !review::UNLOGGED.contains(&change.path.as_str()));
    told
}

fn claim(own: &mut SourceRecord, path: &str, value: Value, stamp: Stamp) {
    match value {
        Value::Array(elements) => {
            let mut next = 0;
            for element in elements {
                let key = element["value"].as_str().unwrap_or_default().to_owned();
                own.claims.claim(path, &key, element, stamp, &mut next);
            }
        }
        single => own.claims.claim(path, SINGLE, single, stamp, &mut 0),
    }
}

impl Write<'_> {
    /// Opens the one review that a suggestion asks for.
    pub(super) fn ask_about(
        &self,
        tx: &mut Tx<'_>,
        subject: ResourceId,
        path: &str,
    ) -> Result<(), Error> {
        let opening = Opening {
            asks: review::Asks::Conflict,
            subject: Some(subject),
            about: None,
            payload: None,
            candidates: Vec::new(),
            path: Some(self.name_of(path)),
            system: self.context.system().to_owned(),
        };
        self.muster
            .open_review(tx, self.context, &opening)
            .map(drop)
    }

    /// What a change of a review comes to: its decision is signed, and does what was decided.
    pub(super) fn step(
        &self,
        tx: &mut Tx<'_>,
        before: &Record,
        sources: &mut [SourceRecord],
        event: EventId,
    ) -> Result<(), Error> {
        let id = before.folded.id;
        if self.errand == Some(EXPIRED) {
            return self.decide_brake(tx, (id, &before.folded.leaves), Step::Rejected);
        }
        let rules: Rules<'_> = self.rules();
        let after = rules.fold(sources);
        if after == before.folded.leaves {
            return Ok(());
        }
        let step = review::step(&before.folded.leaves, &after);
        let step = step.map_err(|refused| Error::Conflict(refused.to_string()))?;
        if step == Step::Open {
            return Ok(());
        }
        let stamp = Stamp {
            at: self.context.now,
            event,
            told: false,
        };
        let own = sources
            .iter_mut()
            .find(|source| source.system == review::SYSTEM);
        if let Some(own) = own {
            claim(
                own,
                "decidedBy",
                self.context.client.name.as_str().into(),
                stamp,
            );
            claim(own, "decidedAt", instant(self.context.now).into(), stamp);
        }
        if brake::asked(&after).is_some() {
            return self.decide_brake(tx, (id, &after), step);
        }
        let asks = after.get("kind").and_then(Value::as_str);
        match (asks.and_then(Asks::of_word), step) {
            (Some(Asks::Verification), _) => self.judge(tx, &after, step == Step::Approved),
            (Some(Asks::Quarantine), Step::Approved) => self.release(tx, &after),
            (_, Step::Approved) => self.carry_out(tx, &after),
            _ => self.remember(tx, &after),
        }
    }

    /// Remembers of a match that is rejected that the two are two.
    fn remember(&self, tx: &mut Tx<'_>, review: &Leaves) -> Result<(), Error> {
        let id = |value: Option<&Value>| value.and_then(Value::as_str)?.parse().ok();
        let candidates = review.get("candidates").and_then(Value::as_array);
        for candidate in candidates.into_iter().flatten() {
            let pair = (id(review.get("subject.value")), id(candidate.get("value")));
            if let (Some(subject), Some(candidate)) = pair {
                self.muster
                    .keep_apart(tx, self.context, (subject, candidate))?;
            }
        }
        Ok(())
    }

    /// Where the record that a review is of is changed: a person, or an organization, or a record of hiring.
    fn endpoint_of(&self, tx: &mut Tx<'_>, id: &str) -> Result<String, Error> {
        let found = match id.parse() {
            Ok(id) => store::record::find(tx, self.context.tenant(), id)?,
            Err(_) => None,
        };
        let kind = found.map_or(Kind::Person, |found| found.kind);
        let mut views = self.muster.0.renderer.catalog().views().iter();
        let view = views.find(|view| view.kind == kind && !view.accounts_only);
        Ok(view.map_or_else(
            || "/Persons".into(),
            |view| view.resource_type.endpoint.clone(),
        ))
    }

    fn carry_out(&self, tx: &mut Tx<'_>, review: &Leaves) -> Result<(), Error> {
        let text = |path: &str| review.get(path).and_then(Value::as_str).unwrap_or_default();
        let endpoint = self.endpoint_of(tx, text("subject.value"))?;
        let view = self.muster.view(self.context, &endpoint, Right::Write)?;
        let reason = match text("reasonCode") {
            "" => "review approved",
            reason => reason,
        };
        if text("kind") == review::Asks::Match.word() {
            let candidates = review.get("candidates").and_then(Value::as_array);
            let first = candidates.and_then(|all| all.first()?.get("value")?.as_str());
            let pair = (first.unwrap_or_default(), text("subject.value"));
            let write = Write::new(self.muster, self.context, &view);
            return write.merge(tx, pair, reason, true).map(drop);
        }
        let order = Elevation {
            path: text("path").to_owned(),
            system: text("system").to_owned(),
            reason: reason.to_owned(),
        };
        let target = Target::of(&view, &order.path, self.context)?;
        let write = Write::new(self.muster, self.context, &view);
        let person = write.claim(tx, text("subject.value"))?;
        let key = self.muster.veil_key(self.context, &view);
        let leaves = person.leaves.clone();
        let seen = self.muster.before(self.context, &view, &leaves, &key);
        write.reach(&seen, Right::Write, text("subject.value"))?;
        write
            .elevate(tx, &seen, person, (&target, &order))
            .map(drop)
    }
}
