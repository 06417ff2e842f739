//! What an extract says of one person: taken in as a part of something larger, or compared with what is held.

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::change::Write;
use super::create::{Create, Given, Made};
use super::hiring::NATURAL_KEY;
use super::resolve::Verdict;
use super::{Error, Muster};
use crate::domain::claim::{Claim, SourceRecord};
use crate::domain::context::Context;
use crate::domain::index::{Unique, external_id_text, key};
use crate::domain::record::{Kind, Leaves, Record, external_id_path};
use crate::id::ResourceId;
use crate::scim::resource_type::Location;
use crate::store::{self, Tx};
use serde_json::Value;

/// Where a system's record of a person and what it now says part.
pub(super) struct Drift {
    pub(super) person: ResourceId,
    /// The paths of which it now says something else.
    pub(super) changed: Vec<String>,
    /// The paths of which it is held to say something that it no longer says.
    pub(super) lingering: Vec<String>,
}

/// What came of a row that was taken in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Taken {
    /// Nobody knew them.
    Created,
    /// Others knew them, and now this system speaks of them too.
    Joined,
    /// This system spoke of them, and the record has changed.
    Changed,
    /// The record stays as it is.
    Unchanged,
}

impl Create {
    /// With what it says that there is none of; no attribute may be said to have a value and none.
    pub(super) fn clearing(mut self, cleared: &[Location]) -> Self {
        let is_named = |at: &Location| {
            cleared
                .iter()
                .any(|named| named == at || *named == at.whole())
        };
        let named = self.view.units().filter(|(at, _)| is_named(at));
        let paths: Vec<String> = named.map(|(_, path)| path.to_owned()).collect();
        let open = |path: &String| !self.given.leaves.contains_key(path);
        self.given.cleared = paths.into_iter().filter(open).collect();
        self
    }

    /// What the caller's system is held to say of the person otherwise; nothing if it is not held to speak of them.
    pub(super) fn compare(
        &self,
        (muster, context): (&Muster, &Context),
        tx: &mut Tx<'_>,
    ) -> Result<Option<Drift>, Error> {
        let write = Write::new(muster, context, &self.view);
        let Some(row) = write.spoken_of(tx, &self.given)? else {
            return Ok(None);
        };
        // Nothing is locked: a comparison only reads.
        let id = store::record::identify(tx, row)?;
        let found = match id {
            Some(id) => store::record::find(tx, context.tenant(), id)?,
            None => None,
        };
        let Some(found) = found else {
            return Ok(None);
        };
        let record = store::record::with_sources(tx, found)?;
        write.speak_as(&record, &self.given);
        write.drift(tx, &record, &self.given).map(Some)
    }

    /// The system's own id of the person.
    pub(super) fn external_id(&self) -> &str {
        self.given.external_id.as_deref().unwrap_or_default()
    }

    /// Whether it says anything beside whom it is about.
    pub(super) fn is_silent(&self) -> bool {
        self.given.leaves.is_empty() && self.given.cleared.is_empty()
    }

    /// The values that it gives, by canonical path.
    pub(super) fn leaves(&self) -> &Leaves {
        &self.given.leaves
    }

    /// Takes it in as a part of something larger, without an answer to show.
    pub(super) fn take(
        &self,
        (muster, context): (&Muster, &Context),
        errand: &'static str,
        tx: &mut Tx<'_>,
    ) -> Result<Taken, Error> {
        let mut write = Write::new(muster, context, &self.view);
        write.errand = Some(errand);
        let made = write.create(tx, self.given.clone())?;
        Ok(match made.was {
            None => Taken::Created,
            Some((_, false)) => Taken::Joined,
            Some((version, true)) if version == made.folded.version => Taken::Unchanged,
            Some(_) => Taken::Changed,
        })
    }
}

/// Somebody known, with the reason, and what was weighed.
type Identified = (Option<(Record, &'static str)>, Option<Verdict>);

impl Write<'_> {
    /// Who it is, if that is known, and what was weighed to find out.
    pub(super) fn identify(&self, tx: &mut Tx<'_>, given: &Given) -> Result<Identified, Error> {
        if self.view.kind.is_hiring() {
            let known = self.named_by(tx, given)?;
            return Ok((known.map(|record| (record, NATURAL_KEY)), None));
        }
        // A POST of what is there is a conflict; an extract says it again.
        let is_claimed = matches!(self.view.kind, Kind::Person | Kind::Organization);
        if let Some(errand) = self.errand.filter(|_| is_claimed)
            && let Some(row) = self.spoken_of(tx, given)?
        {
            let record = store::record::fetch(tx, row)?;
            self.speak_as(&record, given);
            return Ok((Some((record, errand)), None));
        }
        if self.view.kind != Kind::Person {
            return Ok((None, None));
        }
        if let Some(known) = self.resolve(tx, given)? {
            return Ok((Some(known), None));
        }
        let mut verdict = self.weigh(tx, given)?;
        Ok((self.linked(tx, verdict.as_mut())?, verdict))
    }

    /// Adds what is given to a known person, with what was weighed.
    pub(super) fn attach_known(
        &self,
        tx: &mut Tx<'_>,
        record: &Record,
        given: &Given,
        (reason, verdict): (&str, Option<&Verdict>),
    ) -> Result<Made, Error> {
        if self.view.kind.is_append_only() {
            self.same_as(tx, &record.folded, &given.leaves)?;
            return Ok(Made {
                folded: record.folded.clone(),
                strangers: Vec::new(),
                is_newcomer: false,
                was: Some((record.folded.version, true)),
            });
        }
        let mut sources = record.sources.iter();
        let spoke = sources.any(|source| source.system == self.context.system());
        let mut given = Cow::Borrowed(given);
        if self.view.kind == Kind::Employment {
            // Whoever is named as before by another system's identifier is no news: what a day has changed stays changed.
            self.refer_leaves(tx, &mut given.to_mut().leaves)?;
        }
        let folded = self.attach(tx, record, &given, (reason, verdict))?;
        if let Some(verdict) = verdict {
            self.keep_traces(tx, &folded, verdict)?;
        }
        Ok(Made {
            folded,
            strangers: Vec::new(),
            is_newcomer: false,
            was: Some((record.folded.version, spoke)),
        })
    }

    /// Of two source records that a merge has brought together the one of that `externalId` is meant.
    fn speak_as(&self, record: &Record, given: &Given) {
        let mut sources = record.sources.iter();
        let own = sources.find(|source| {
            source.system == self.context.system() && source.external_id == given.external_id
        });
        self.home.set(own.and_then(|own| own.origin));
    }

    /// The number of the record of which the caller's system speaks by that `externalId`.
    pub(super) fn spoken_of(&self, tx: &mut Tx<'_>, given: &Given) -> Result<Option<i64>, Error> {
        let own = given.external_id.as_deref().map(Value::from);
        let Some(text) = own.as_ref().and_then(external_id_text) else {
            return Ok(None);
        };
        let named = Unique {
            path: external_id_path(self.context.system()),
            value: key(&text),
        };
        let of = (self.context.tenant(), self.view.kind);
        let holders = store::unique::holders(tx, of.0, of.1, &[&named])?;
        Ok(holders.into_iter().flatten().next())
    }

    /// What a known person's own source record says otherwise than what is given.
    fn drift(&self, tx: &mut Tx<'_>, record: &Record, given: &Given) -> Result<Drift, Error> {
        let (said, _) = self.say(tx, record, given)?;
        let (own, _) = self.desk(record);
        let changed = said.differing(&own, false, self.specs());
        let mut anew = SourceRecord::new(self.context.system(), self.context.now);
        self.terms(&|_, _| false, &[])
            .post(&given.leaves, &Leaves::new(), (&mut anew, &[]));
        let is_kept = |path: &str, key: &str| anew.claims.get(path, key).is_some();
        let lingers = |(path, keyed): (&String, &BTreeMap<String, Claim>)| {
            let mut left = keyed.iter().filter(|(_, claim)| !claim.value.is_null());
            let lingers = left.any(|(key, _)| !is_kept(path, key));
            lingers.then(|| path.clone())
        };
        Ok(Drift {
            person: record.folded.id,
            changed: changed.into_iter().map(str::to_owned).collect(),
            lingering: own.claims.0.iter().filter_map(lingers).collect(),
        })
    }
}
