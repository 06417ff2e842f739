//! Two persons who are one, and one who was two after all (design §3, A-053). Whole source records move: what
//! each system says stays what it says, so a split restores what a merge has put together.

use std::sync::Arc;

use serde_json::{Value, json};

use super::change::Write;
use super::idempotency::Shows;
use super::{Asked, Came, Error, Muster, Written, permit};
use crate::domain::claim::{Claims, SourceRecord};
use crate::domain::context::{Context, Right};
use crate::domain::event::{Happened, changes};
use crate::domain::record::{Folded, Kind, Leaves, Record};
use crate::domain::sealed::{self, Envelope};
use crate::domain::view::View;
use crate::id::ResourceId;
use crate::scim;
use crate::scim::projection::Projection;
use crate::store::alias::Alias;
use crate::store::member::Peer;
use crate::store::record::NewRecord;
use crate::store::{self, Tx};

/// What is to be done with two persons.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Join {
    /// The other is this one.
    Merge,
    /// The other, merged into this one before, is somebody else.
    Split,
    /// Of whom a system speaks, whose name that other is, is somebody else, of whom nothing else is known: a newcomer was
    /// taken for this one. Of several records of that system the one of this `externalId`.
    Detach(Option<String>),
}

/// A merge or a split that was found right so far: what is left to do needs the database.
struct Joining {
    view: Arc<View>,
    id: String,
    other: String,
    reason: String,
    join: Join,
    asked: Asked,
}

impl Muster {
    /// The view of persons, if the caller may merge and split them: asked before anything that it sent is looked at.
    pub fn may_join(&self, context: &Context) -> Result<Arc<View>, Error> {
        let view = self.view(context, "/Persons", Right::Write)?;
        permit(context, Right::Delete, "Person")?;
        permit(context, Right::Write, "Review")?;
        Ok(view)
    }

    /// Merges the person `other` into the person `id` (each by its id or, as vendors name them, by an external identifier
    /// `SYSTEM:FIELD:VALUE`), or splits it off again, for a reason. It is for those who settle who is
    /// who: they may write and delete persons, and write reviews.
    pub async fn join(
        &self,
        context: &Context,
        join: Join,
        (id, other): (&str, &str),
        reason: &str,
        projection: &Projection,
    ) -> Result<Written, Error> {
        let view = self.may_join(context)?;
        let joining = Joining {
            view,
            id: id.to_owned(),
            other: other.to_owned(),
            reason: reason.to_owned(),
            join,
            asked: projection.into(),
        };
        let written = self.perform(context, joining, Joining::perform).await?;
        self.disclosed_write(context, "Person", written).await
    }
}

impl Shows for Joining {
    fn shows(&self) -> (&View, &Asked) {
        (&self.view, &self.asked)
    }
}

impl Joining {
    fn perform(
        &self,
        muster: &Muster,
        context: &Context,
        tx: &mut Tx<'_>,
    ) -> Result<Written, Error> {
        let write = Write::new(muster, context, &self.view);
        let after = match &self.join {
            Join::Detach(external_id) => {
                let source = (self.other.as_str(), external_id.as_deref());
                write.detach(tx, &self.id, source, &self.reason)?
            }
            Join::Merge => {
                let id = write.person_named(tx, &self.id)?;
                let other = write.person_named(tx, &self.other)?;
                write.merge(tx, (&id, &other), &self.reason, false)?
            }
            Join::Split => write.split(tx, (&self.id, &self.other), &self.reason)?,
        };
        Ok(Written {
            resource: muster.show_one(tx, context, &self.view, after, &self.asked)?,
            ignored: Vec::new(),
            suggested: Vec::new(),
            came: Came::default(),
        })
    }
}

impl Write<'_> {
    /// A person that the caller may change, held, with its sources.
    fn whole(&self, tx: &mut Tx<'_>, id: &str) -> Result<Record, Error> {
        let folded = self.claim(tx, id)?;
        let leaves = folded.leaves.clone();
        let seen = self.muster.before(self.context, self.view, &leaves, &[]);
        self.reach(&seen, Right::Write, id)?;
        self.reach(&seen, Right::Delete, id)?;
        Ok(store::record::with_sources(tx, folded)?)
    }

    /// Merges the person `other` into the person `id`. Two who both have accounts are merged by a review alone.
    pub(super) fn merge(
        &self,
        tx: &mut Tx<'_>,
        (id, other): (&str, &str),
        reason: &str,
        reviewed: bool,
    ) -> Result<Folded, Error> {
        let ids: Vec<ResourceId> = [id, other]
            .iter()
            .filter_map(|id| id.parse().ok())
            .collect();
        store::record::hold(tx, self.context.tenant(), &ids)?;
        let survivor = self.whole(tx, id)?;
        let loser = self.whole(tx, other)?;
        self.check_merge(tx, &survivor, &loser, reviewed)?;
        let pair = (&survivor, &loser);
        self.muster.forget_apart(tx, self.context.tenant(), pair)?;
        let (from, to) = (loser.folded.row, survivor.folded.row);
        let keys = (
            store::key::envelope(tx, &loser.folded)?,
            store::key::envelope(tx, &survivor.folded)?,
        );
        let mut sources = survivor.sources.clone();
        for source in &loser.sources {
            sources.push(self.resealed(source, (&keys.0, &keys.1))?);
        }
        let groups = self.hand_over(tx, &loser.folded, &survivor.folded)?;
        let gone = changes(&loser.folded.leaves, &Leaves::new());
        let of_it = Write::new(self.muster, self.context, self.view);
        let told = of_it.event(Happened::MergedInto, loser.folded.id);
        let told = told
            .with_changes(gone)
            .because(Some(reason))
            .telling(Some(json!({ "survivor": survivor.folded.id.to_string() })));
        store::alias::yield_values(tx, &loser.folded, told)?;
        let detail = json!({ "merged": loser.folded.id.to_string() });
        let why = (Happened::Merged, Some(reason), Some(detail));
        let after = self.settle(tx, &survivor, sources, &Claims::default(), why)?;
        // What the survivor had beside the other is its own now.
        store::unique::promote(tx, self.context.tenant())?;
        self.join_groups(tx, &after, &groups)?;
        let alias = Alias {
            tenant: self.context.tenant(),
            id: loser.folded.id,
            survivor: to,
            origin: from,
            version: loser.folded.version + 1,
            created: loser.folded.created,
            groups: groups
                .iter()
                .map(|(group, fresh)| (group.row, *fresh))
                .collect(),
        };
        store::alias::become_alias(tx, &loser.folded, &alias)?;
        self.follow_person(tx, after.id)?;
        Ok(after)
    }

    fn check_merge(
        &self,
        tx: &mut Tx<'_>,
        survivor: &Record,
        loser: &Record,
        reviewed: bool,
    ) -> Result<(), Error> {
        let (one, other) = (&survivor.folded, &loser.folded);
        if one.row == other.row {
            return Err(scim::Error::invalid_value("a person is not merged with itself").into());
        }
        if one.has_account() && other.has_account() && !reviewed {
            return Err(Error::Conflict(
                "both persons have accounts: they are merged by approving a review of kind 'match' alone".into(),
            ));
        }
        if store::alias::are_apart(tx, self.context.tenant(), (one.id, other.id))? {
            return Err(Error::Conflict(
                "somebody has said that these are two persons: they are not merged".into(),
            ));
        }
        let mut identifiers = Vec::new();
        for record in [one, other] {
            let envelope = store::key::find_envelope(tx, record)?;
            let known = match &envelope {
                Some(_) => sealed::identifiers(self.specs(), &record.leaves, envelope.as_ref())
                    .map_err(store::Error::from)?,
                None => Vec::new(),
            };
            identifiers.push(known);
        }
        let kind = |identifier: &String| identifier.split(':').next().map(str::to_owned);
        let differ = identifiers[0].iter().any(|mine| {
            let mut theirs = identifiers[1]
                .iter()
                .filter(|theirs| kind(theirs) == kind(mine));
            let first = theirs.next();
            first.is_some() && first != Some(mine) && theirs.all(|theirs| theirs != mine)
        });
        if differ {
            return Err(Error::Conflict(
                "their legal identifiers differ: they are two persons; correct the wrong one first"
                    .into(),
            ));
        }
        Ok(())
    }

    /// A source record whose secrets are sealed under another person's key.
    fn resealed(
        &self,
        source: &SourceRecord,
        (from, to): (&Envelope, &Envelope),
    ) -> Result<SourceRecord, Error> {
        let mut source = source.clone();
        for (path, claims) in &mut source.claims.0 {
            let secret = self
                .specs()
                .get(path)
                .is_some_and(|spec| spec.attribute.secret);
            for claim in claims
                .values_mut()
                .filter(|claim| secret && !claim.value.is_null())
            {
                let mut one =
                    Leaves::from([(path.clone(), Value::Array(vec![claim.value.clone()]))]);
                sealed::open(self.specs(), &mut one, from).map_err(store::Error::from)?;
                sealed::seal(self.specs(), &mut one, to).map_err(store::Error::from)?;
                if let Some(Value::Array(mut sealed)) = one.remove(path) {
                    claim.value = sealed.pop().unwrap_or_default();
                }
            }
        }
        Ok(source)
    }

    /// Takes a person who is about to be another out of its groups; the groups, and whether that other is not in them yet.
    fn hand_over(
        &self,
        tx: &mut Tx<'_>,
        from: &Folded,
        to: &Folded,
    ) -> Result<Vec<(Folded, bool)>, Error> {
        let mut groups = Vec::new();
        for belonging in store::belonging::direct(tx, from.row)? {
            let Some(group) = store::record::find(tx, self.context.tenant(), belonging.id)? else {
                continue;
            };
            let fresh = store::member::present(tx, group.row, &[to.row])?.is_empty();
            let group = self.record_because(tx, &group, (&[], &[peer(from)]), Some("merged"))?;
            groups.push((group, fresh));
        }
        Ok(groups)
    }

    fn join_groups(
        &self,
        tx: &mut Tx<'_>,
        person: &Folded,
        groups: &[(Folded, bool)],
    ) -> Result<(), Error> {
        for (group, fresh) in groups {
            if *fresh && person.has_account() {
                self.record_because(tx, group, (&[peer(person)], &[]), Some("merged"))?;
            }
        }
        Ok(())
    }

    /// Splits the person that `other` was off again: both fold back to what they were, but for what was written since. That
    /// they are two is remembered.
    fn split(
        &self,
        tx: &mut Tx<'_>,
        (id, other): (&str, &str),
        reason: &str,
    ) -> Result<Folded, Error> {
        let survivor = self.whole(tx, id)?;
        let tenant = self.context.tenant();
        let alias = match other.parse() {
            Ok(other) => store::alias::find(tx, tenant, other)?,
            Err(_) => None,
        };
        let alias = alias.filter(|alias| alias.survivor == survivor.folded.row);
        let alias = alias.ok_or_else(|| {
            scim::Error::invalid_value(format!(
                "'{other}' has not been merged into this person: Provenance.mergedFrom lists who has"
            ))
        })?;
        let keys = store::key::envelope(tx, &survivor.folded)?;
        let mut stands = store::alias::stand_again(tx, &alias, self.context.now)?;
        let own = store::key::envelope(tx, &stands)?;
        let moved = store::record::with_sources(tx, stands.clone())?;
        let left = store::record::with_sources(tx, survivor.folded.clone())?;
        let detail = json!({ "split": alias.id.to_string() });
        let why = (Happened::Split, Some(reason), Some(detail));
        // Held for the sake of its version, whether its values change or not.
        let after = self.settle(tx, &left, left.sources.clone(), &Claims::default(), why)?;
        let mut sources = Vec::new();
        for source in &moved.sources {
            sources.push(self.resealed(source, (&keys, &own))?);
        }
        let of_it = Write::new(self.muster, self.context, self.view);
        let detail = json!({ "splitFrom": survivor.folded.id.to_string() });
        let why = (Happened::Split, Some(reason), Some(detail));
        stands = of_it.settle(tx, &moved, sources, &Claims::default(), why)?;
        self.give_back(tx, &alias, (&after, &stands))?;
        self.muster
            .keep_apart(tx, self.context, (survivor.folded.id, alias.id))?;
        self.follow_person(tx, after.id)?;
        self.follow_person(tx, stands.id)?;
        Ok(after)
    }

    /// Makes a person of its own of what one system says; that person. An account that goes along keeps its groups.
    fn detach(
        &self,
        tx: &mut Tx<'_>,
        id: &str,
        (system, external_id): (&str, Option<&str>),
        reason: &str,
    ) -> Result<Folded, Error> {
        let record = self.whole(tx, id)?;
        let source = Self::one_source(&record, system, external_id)?;
        let tenant = self.context.tenant();
        let new_id = self.muster.0.ids.resource();
        let data_key = store::key::fresh(tx, tenant, new_id)?;
        let keys = store::key::envelope(tx, &record.folded)?;
        let mut moved = self.resealed(source, (&keys, &data_key.envelope()))?;
        (moved.row, moved.origin) = (None, None);
        let left = record.sources.iter();
        let left = left
            .filter(|other| other.row != source.row)
            .cloned()
            .collect();
        let detail = json!({ "split": new_id.to_string() });
        let why = (Happened::Split, Some(reason), Some(detail));
        let after = self.settle(tx, &record, left, &Claims::default(), why)?;
        let of_it = Write::new(self.muster, self.context, self.view);
        let sources = vec![moved];
        let (leaves, withheld) = of_it.fold_unique(tx, Happened::Split, (None, &sources))?;
        let event = of_it.event(Happened::Created, new_id);
        let event = event
            .with_changes(changes(&Leaves::new(), &leaves))
            .withholding(withheld)
            .because(Some(reason))
            .telling(Some(json!({ "splitFrom": record.folded.id.to_string() })));
        let new = NewRecord {
            id: new_id,
            kind: Kind::Person,
            leaves,
            sources,
            members: Vec::new(),
            data_key: Some(data_key),
        };
        let made = store::record::insert(tx, self.specs(), new, event)?;
        self.muster.key(tx, self.context, &made)?;
        if record.folded.has_account() && !after.has_account() {
            let groups = self.hand_over(tx, &after, &made)?;
            self.join_groups(tx, &made, &groups)?;
        }
        self.muster
            .keep_apart(tx, self.context, (record.folded.id, made.id))?;
        Ok(made)
    }

    /// The one source record that is meant, which must not be all that is known.
    fn one_source<'r>(
        record: &'r Record,
        system: &str,
        external_id: Option<&str>,
    ) -> Result<&'r SourceRecord, Error> {
        let meant = |source: &&SourceRecord| {
            let named = external_id.is_none_or(|id| source.external_id.as_deref() == Some(id));
            source.system == system && named
        };
        let mut found = record.sources.iter().filter(meant);
        let (Some(source), None) = (found.next(), found.next()) else {
            return Err(scim::Error::invalid_value(format!(
                "'{system}' does not speak of this person by one record: Provenance.sources lists who does; name its 'externalId' too"
            ))
            .into());
        };
        if source.origin != Some(record.folded.row) {
            return Err(scim::Error::invalid_value(
                "this record came by a merge: split the 'id' that was merged, which Provenance.mergedFrom lists",
            )
            .into());
        }
        if record.sources.len() == 1 {
            return Err(Error::Conflict(
                "nobody else speaks of this person: there is nothing to split".into(),
            ));
        }
        Ok(source)
    }

    /// Puts a person that stands again back into its groups, and takes the one that it was merged into out of those that it
    /// was in for that reason alone.
    fn give_back(
        &self,
        tx: &mut Tx<'_>,
        alias: &Alias,
        (survivor, stands): (&Folded, &Folded),
    ) -> Result<(), Error> {
        for (row, fresh) in &alias.groups {
            let group = store::record::at(tx, *row)?;
            let Some(group) = group.filter(|group| group.kind == Kind::Group) else {
                continue;
            };
            let there = !store::member::present(tx, *row, &[survivor.row])?.is_empty();
            let gone = if *fresh && there {
                vec![peer(survivor)]
            } else {
                Vec::new()
            };
            let back = if stands.has_account() {
                vec![peer(stands)]
            } else {
                Vec::new()
            };
            if !(gone.is_empty() && back.is_empty()) {
                self.record_because(tx, &group, (&back, &gone), Some("split"))?;
            }
        }
        Ok(())
    }
}

fn peer(person: &Folded) -> Peer {
    Peer {
        row: person.row,
        id: person.id,
        kind: person.kind,
        account: person.has_account(),
        display: crate::domain::record::display(&person.leaves).map(str::to_owned),
    }
}
