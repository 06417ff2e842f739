//! The hiring record: what a write to it must find, and what follows from it in the same transaction (model.md, the lifecycle).
//!
//! | file | what it does |
//! |---|---|
//! | `mod` | what a record hangs on, the rule asked, what follows claimed |
//! | `cited` | what of it names a person, shown with the person |
//! | `refer` | references checked, and found by other systems' identifiers |
//! | `effects` | events, reviews and other records that follow |
//! | `judged` | what a human decides: a verification, and where something belongs |
//! | `known` | a POST of what is there already |
//! | `dated` | what changes of an employment hold from which day on |
//! | `days` | employments that a day begins, changes or ends |

mod cited;
mod dated;
mod days;
mod effects;
mod judged;
mod known;
mod refer;

pub(super) use cited::asks_citations;
pub(super) use known::{CITING, NATURAL_KEY, fixed};

use serde_json::Value;

use super::change::Write;
use super::{Error, Muster};
use crate::domain::claim::{Claims, SINGLE, SourceRecord, Stamp};
use crate::domain::context::Context;
use crate::domain::event::Belonging;
use crate::domain::lifecycle::{self, Accepted, Beside, Deed, HiringTerms, Known, Turn, offer};
use crate::domain::record::{Folded, Kind, Leaves, Record};
use crate::domain::review::SYSTEM;
use crate::id::ResourceId;
use crate::scim;
use crate::scim::schema::Mutability;
use crate::store::{self, Tx};

/// The path of the history of a status.
const HISTORY: &str = "statusHistory";
/// More applications of one person, or verifications of one application, than these are not looked at.
const MOST: i64 = 1000;

/// What is to be done once a record stands.
#[derive(Default)]
pub(super) struct Following {
    /// To whom and to which application it belongs.
    pub(super) belonging: Belonging,
    effects: Vec<lifecycle::Effect>,
}

impl Muster {
    /// The person whom a record is about, if it is about one.
    pub(super) fn person_behind(
        &self,
        tx: &mut Tx<'_>,
        context: &Context,
        id: ResourceId,
    ) -> Result<Option<ResourceId>, Error> {
        let found = store::record::find(tx, context.tenant(), id)?;
        let (Some(found), Some(view)) = (found, self.0.renderer.catalog().at("/Applications"))
        else {
            return Ok(None);
        };
        let write = Write::new(self, context, view);
        let (person, _) = match found.kind {
            Kind::Person => (Some(found.id), None),
            Kind::Review => write.of_review(tx, &found.leaves)?,
            kind if kind.is_hiring() => write.belonging_of(tx, &found)?,
            _ => (None, None),
        };
        Ok(person)
    }

    /// What the tenant's policy says of hiring, for what hangs on a requisition and an application: of what was written on the
    /// application when it began, that (B-008).
    fn hiring_terms(&self, context: &Context, beside: &Beside) -> HiringTerms {
        let policies = self.policies();
        let Some(governed) = policies.get(&context.tenant().0) else {
            return HiringTerms::default();
        };
        let requisition = beside.requisition.as_ref();
        let requisition = requisition.map(|known| (known.text("jobId"), known.id.as_str()));
        let terms = governed.policy.hiring_terms(requisition);
        terms.kept_by(beside.application.as_ref().map(|known| &known.leaves))
    }
}

impl Write<'_> {
    /// Asks the rules whether a hiring record may become what its sources now say, and adds to them what follows. Nothing
    /// happens to records of other kinds.
    pub(super) fn follow(
        &self,
        tx: &mut Tx<'_>,
        (id, before): (ResourceId, Option<&Record>),
        sources: &mut Vec<SourceRecord>,
    ) -> Result<Following, Error> {
        self.check_identifiers(sources)?;
        if self.view.kind == Kind::Review {
            let belonging = self.of_review(tx, &self.fold(sources))?;
            let effects = Vec::new();
            return Ok(Following { belonging, effects });
        }
        if !self.view.kind.is_hiring() {
            return Ok(Following::default());
        }
        self.refer(tx, sources)?;
        let defaults = self.take_defaults(sources);
        let mut after = self.fold(sources);
        self.check_required(&after)?;
        let known = before.map(|record| &record.folded.leaves);
        let holding = self.date(known, sources, &mut after)?;
        let (beside, belonging) = self.beside(tx, id, &after)?;
        let stamp = self.stamp(sources);
        let deed = Deed {
            now: self.context.now,
            said_at: self.context.said_at.unwrap_or(self.context.now),
            event: self.event.to_string(),
            actor: self.context.client.name.clone(),
            by_human: self.context.by_human,
        };
        let turn = Turn {
            id: &id.to_string(),
            before: known,
            after: &after,
            beside: &beside,
            terms: self.muster.hiring_terms(self.context, &beside),
            deed: &deed,
        };
        let accepted = lifecycle::accept(self.view.kind, &turn);
        let mut accepted = accepted.map_err(|refused| Error::Conflict(refused.to_string()))?;
        accepted.holding = holding;
        let effects = accepted.effects.clone();
        self.claim_facts(sources, accepted, (defaults, stamp));
        Ok(Following { belonging, effects })
    }

    /// What another system says, or nobody any more, must not leave a record without what it requires.
    fn check_required(&self, after: &Leaves) -> Result<(), Error> {
        let missing = self
            .view
            .resource_type
            .schema
            .attributes
            .iter()
            .find(|attribute| {
                let name: &str = &attribute.name;
                let sub = format!("{name}.value");
                attribute.required && !after.contains_key(name) && !after.contains_key(&sub)
            });
        let Some(attribute) = missing else {
            return Ok(());
        };
        let name: &str = &attribute.name;
        let (rules, sub) = (self.rules(), format!("{name}.value"));
        let master = |path: &str| rules.rulings.foreign_master(path, self.context.system());
        if let Some(master) = master(name).or_else(|| master(&sub)) {
            return Err(Error::Forbidden(format!(
                "'{name}' is for '{master}' to say, so it alone makes {} resources",
                self.view.resource_type.name
            )));
        }
        let why = format!("'{name}' is required: {}", attribute.description);
        Err(scim::Error::invalid_value(why).into())
    }

    /// The records that this one hangs on, and to whom and which application it belongs.
    fn beside(
        &self,
        tx: &mut Tx<'_>,
        id: ResourceId,
        leaves: &Leaves,
    ) -> Result<(Beside, Belonging), Error> {
        let mut beside = Beside::default();
        let text = |leaves: &Leaves, path: &str| lifecycle::text(leaves, path).map(str::to_owned);
        let (mut application, mut on) = (None, leaves.clone());
        if self.view.kind == Kind::Application {
            application = Some(id);
        } else if let Some(known) = self.known_at(tx, leaves, "application.value")? {
            application = known.id.parse().ok();
            on.clone_from(&known.leaves);
            beside.application = Some(known);
        }
        beside.appealed = self.known_at(tx, leaves, "appealOf.value")?;
        beside.requisition = self.known_at(tx, &on, "requisition.value")?;
        if self.view.kind == Kind::Offer
            && offer::is_final(leaves)
            && let Some(application) = application
        {
            beside.accepted = self.accepted_beside(tx, id, application)?;
        }
        let person = text(&on, "candidate.value").or_else(|| text(leaves, "person.value"));
        let person = match person.and_then(|id| id.parse().ok()) {
            Some(id) => Some(self.survivor(tx, id)?),
            None => None,
        };
        if matches!(
            self.view.kind,
            Kind::Application | Kind::Verification | Kind::Interview
        ) && let Some(person) = person
        {
            beside.verifications = self.verifications(tx, person)?;
        }
        Ok((beside, (person, application)))
    }

    /// Another offer of an application that is accepted. The application is held: two are not accepted at once.
    fn accepted_beside(
        &self,
        tx: &mut Tx<'_>,
        offer: ResourceId,
        application: ResourceId,
    ) -> Result<Option<String>, Error> {
        store::record::claim(tx, self.context.tenant(), application)?;
        let of = (Kind::Offer, "application.value");
        let offers = self.citing(tx, of, &[application.to_string()])?;
        let mut others = offers.iter().filter(|other| other.id != offer);
        let other = others.find(|other| offer::is_final(&other.leaves));
        Ok(other.map(|other| other.id.to_string()))
    }

    /// To whom and to which application a review belongs.
    pub(super) fn of_review(&self, tx: &mut Tx<'_>, review: &Leaves) -> Result<Belonging, Error> {
        let subject = lifecycle::text(review, "subject.value").and_then(|id| id.parse().ok());
        let person = match subject {
            Some(id) => {
                let found = store::record::find(tx, self.context.tenant(), id)?;
                if let Some(found) = found.filter(|found| found.kind.is_hiring()) {
                    return self.belonging_of(tx, &found);
                }
                Some(self.survivor(tx, id)?)
            }
            None => None,
        };
        let about = self.known_at(tx, review, "about.value")?;
        let application = about
            .as_ref()
            .and_then(|about| about.text("application.value"));
        Ok((person, application.and_then(|id| id.parse().ok())))
    }

    /// To whom and to which application a hiring record belongs.
    fn belonging_of(&self, tx: &mut Tx<'_>, record: &Folded) -> Result<Belonging, Error> {
        let id = |leaves: &Leaves, path: &str| {
            let id = lifecycle::text(leaves, path).map(str::to_owned);
            id.and_then(|id| id.parse::<ResourceId>().ok())
        };
        let (application, on) = if record.kind == Kind::Application {
            (Some(record.id), None)
        } else {
            let on = self.known_at(tx, &record.leaves, "application.value")?;
            (id(&record.leaves, "application.value"), on)
        };
        let on = on.map_or_else(|| record.leaves.clone(), |on| on.leaves);
        let person = id(&on, "candidate.value").or_else(|| id(&record.leaves, "person.value"));
        let person = match person {
            Some(person) => Some(self.survivor(tx, person)?),
            None => None,
        };
        Ok((person, application))
    }

    /// The record whose id stands at a path.
    fn known_at(
        &self,
        tx: &mut Tx<'_>,
        leaves: &Leaves,
        path: &str,
    ) -> Result<Option<Known>, Error> {
        let Some(id) = lifecycle::text(leaves, path).and_then(|id| id.parse().ok()) else {
            return Ok(None);
        };
        let found = store::record::find(tx, self.context.tenant(), id)?;
        Ok(found.map(known))
    }

    /// The person that an id is a name of.
    pub(super) fn survivor(&self, tx: &mut Tx<'_>, id: ResourceId) -> Result<ResourceId, Error> {
        let Some(alias) = store::alias::find(tx, self.context.tenant(), id)? else {
            return Ok(id);
        };
        Ok(store::record::identify(tx, alias.survivor)?.unwrap_or(id))
    }

    /// All ids of a person: its own, and those of whoever has been merged into it.
    fn names_of(&self, tx: &mut Tx<'_>, person: ResourceId) -> Result<Vec<String>, Error> {
        let mut names = vec![person.to_string()];
        if let Some(found) = store::record::find(tx, self.context.tenant(), person)? {
            let aliases = store::alias::of(tx, found.row)?;
            names.extend(aliases.iter().map(|alias| alias.id.to_string()));
        }
        Ok(names)
    }

    /// The records of a kind that name one of `ids` at a path.
    pub(super) fn citing(
        &self,
        tx: &mut Tx<'_>,
        (kind, path): (Kind, &str),
        ids: &[String],
    ) -> Result<Vec<Folded>, Error> {
        let of = (self.context.tenant(), kind);
        let rows = store::record::with_values(tx, of, path, ids, MOST)?;
        let mut found = Vec::new();
        for row in rows.into_iter().flatten() {
            found.extend(store::record::at(tx, row)?);
        }
        Ok(found)
    }

    /// The person's applications.
    pub(super) fn applications(
        &self,
        tx: &mut Tx<'_>,
        person: ResourceId,
    ) -> Result<Vec<Folded>, Error> {
        let names = self.names_of(tx, person)?;
        self.citing(tx, (Kind::Application, "candidate.value"), &names)
    }

    /// The person's verifications, whatever application they are of.
    fn verifications(&self, tx: &mut Tx<'_>, person: ResourceId) -> Result<Vec<Known>, Error> {
        let applications = self.applications(tx, person)?;
        let ids: Vec<String> = applications.iter().map(|one| one.id.to_string()).collect();
        let found = self.citing(tx, (Kind::Verification, "application.value"), &ids)?;
        Ok(found.into_iter().map(known).collect())
    }

    /// Takes out what the server has said because nobody else did: whether it still does is asked anew.
    fn take_defaults(&self, sources: &mut [SourceRecord]) -> Claims {
        let specs = self.specs();
        let is_default = |path: &str| {
            let spec = specs.get(path);
            spec.is_some_and(|spec| spec.attribute.mutability != Mutability::ReadOnly)
        };
        let mut taken = Claims::default();
        for own in sources.iter_mut().filter(|source| source.system == SYSTEM) {
            let paths: Vec<String> = own
                .claims
                .0
                .keys()
                .filter(|path| is_default(path))
                .cloned()
                .collect();
            for path in paths {
                let claims = own.claims.0.remove(&path);
                taken.0.extend(claims.map(|claims| (path, claims)));
            }
        }
        taken
    }

    /// Claims what follows, for the server.
    fn claim_facts(
        &self,
        sources: &mut Vec<SourceRecord>,
        mut accepted: Accepted,
        (mut known, stamp): (Claims, Stamp),
    ) {
        if let Some((said, status)) = accepted.overtaken.take() {
            match said {
                Some(said) => overtake(sources, ("status", &said.into(), &status.into()), stamp),
                None => accepted.defaults.push(("status", status.into())),
            }
        }
        if accepted.is_nothing() {
            return;
        }
        let own = self.server(sources);
        dated::claim_holding(own, accepted.holding, (&mut known, stamp));
        for (path, value) in accepted.facts {
            if value.is_null() {
                own.claims.withdraw(path, SINGLE);
            } else {
                own.claims.derive(path, SINGLE, value, stamp, &mut 0);
            }
        }
        for (path, value) in accepted.defaults {
            let same = known
                .get(path, SINGLE)
                .is_some_and(|claim| claim.value == value);
            match known.0.remove(path).filter(|_| same) {
                Some(claims) => drop(own.claims.0.insert(path.to_owned(), claims)),
                None => own.claims.derive(path, SINGLE, value, stamp, &mut 0),
            }
        }
        if let Some(chapter) = accepted.history {
            let mut next = own.claims.next_place(HISTORY);
            own.claims
                .derive(HISTORY, &stamp.event.to_string(), chapter, stamp, &mut next);
        }
    }

    /// The source record of the server itself, made if there is none.
    pub(super) fn server<'s>(&self, sources: &'s mut Vec<SourceRecord>) -> &'s mut SourceRecord {
        let at = sources.iter().position(|source| source.system == SYSTEM);
        let at = at.unwrap_or_else(|| {
            sources.push(SourceRecord::new(SYSTEM, self.context.now));
            sources.len() - 1
        });
        &mut sources[at]
    }
}

fn known(folded: Folded) -> Known {
    Known {
        id: folded.id.to_string(),
        leaves: folded.leaves,
    }
}

/// What a day has overtaken is put right where it is said.
fn overtake(
    sources: &mut [SourceRecord],
    (path, said, holds): (&str, &Value, &Value),
    stamp: Stamp,
) {
    for source in sources {
        let claim = source.claims.get(path, SINGLE);
        if claim.is_some_and(|claim| claim.value == *said) {
            let stamp = Stamp {
                told: false,
                ..stamp
            };
            source
                .claims
                .claim(path, SINGLE, holds.clone(), stamp, &mut 0);
        }
    }
}
