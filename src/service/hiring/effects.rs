//! What follows from a hiring record, in its transaction: events of their own, questions for a human, and other records that
//! say something else now. What the server does so is done by the server, and says which event caused it.

use std::sync::Arc;

use serde_json::Value;

use super::{Following, Write, known, overtake};
use crate::domain::claim::{Claim, Claims, SINGLE, SourceRecord};
use crate::domain::context::{Context, Right};
use crate::domain::event::{Belonging, Change, Event, Happened};
use crate::domain::lifecycle::{Effect, Known, facts};
use crate::domain::record::{Folded, Kind, Record};
use crate::domain::review::{Asks, Opening};
use crate::domain::view::View;
use crate::id::ResourceId;
use crate::service::Error;
use crate::store::{self, Tx};

/// Why a record says something else now.
const EMPLOYMENT: &str = "employment";
const VERIFICATION: &str = "verification";
const INTERVIEW: &str = "interview";

impl Write<'_> {
    /// Does what follows, now that the record stands.
    pub(in crate::service) fn carry(
        &self,
        tx: &mut Tx<'_>,
        made: &Folded,
        following: Following,
    ) -> Result<(), Error> {
        let (person, application) = following.belonging;
        for effect in following.effects {
            match (effect, person, application) {
                (Effect::Announce(kind, told, paths), ..) => {
                    let tells = |path: &&&str| made.leaves.contains_key(**path);
                    let changes = paths.iter().filter(tells).map(|path| Change {
                        path: (*path).to_owned(),
                        previous: Value::Null,
                        new: made.leaves[*path].clone(),
                    });
                    let told = (kind, told, changes.collect());
                    self.announce(tx, made.id, following.belonging, told)?;
                }
                (Effect::Ask(asks), Some(person), _) => self.ask(tx, made.id, person, asks)?,
                (Effect::Reverify, Some(person), _) => self.reverify(tx, person)?,
                (Effect::Employ, Some(person), _) => self.employ(tx, person)?,
                (Effect::Enable, Some(person), _) => self.enable(tx, person)?,
                (Effect::MarkEarly, _, Some(application)) => {
                    let facts = [("interviewedBeforeVerified", true.into())];
                    self.state(tx, application, &facts, INTERVIEW)?;
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// An event of its own, under the person's id as its correlation id: what HR, IT, payroll and benefits go by.
    fn announce(
        &self,
        tx: &mut Tx<'_>,
        record: ResourceId,
        belonging: Belonging,
        (kind, told, changes): (&str, Value, Vec<Change>),
    ) -> Result<(), Error> {
        let id = self.muster.0.ids.event(self.context.now);
        let name = &self.view.resource_type.name;
        let event = Event::new(
            self.context,
            id,
            Happened::Updated,
            self.view.kind,
            name,
            record,
        );
        let correlation = belonging.0.map(|person| person.to_string());
        let event = Event {
            kind: kind.to_owned(),
            correlation: correlation.unwrap_or_else(|| self.context.correlation.clone()),
            causation: Some(self.event),
            ..event
                .belonging(belonging)
                .with_changes(changes)
                .telling(Some(told))
        };
        Ok(store::event::announce(tx, event)?)
    }

    fn ask(
        &self,
        tx: &mut Tx<'_>,
        about: ResourceId,
        subject: ResourceId,
        asks: Asks,
    ) -> Result<(), Error> {
        let opening = Opening {
            asks,
            subject: Some(subject),
            about: Some((self.view.resource_type.name.clone(), about)),
            payload: None,
            candidates: Vec::new(),
            path: None,
            system: self.context.system().to_owned(),
        };
        self.muster
            .open_review(tx, self.context, &opening)
            .map(drop)
    }

    /// What follows for a person that has been put together, or taken apart: its role, and the tier of each application.
    pub(in crate::service) fn follow_person(
        &self,
        tx: &mut Tx<'_>,
        person: ResourceId,
    ) -> Result<(), Error> {
        self.reverify(tx, person)?;
        self.employ(tx, person)
    }

    /// Each application of the person says anew which tier is satisfied.
    fn reverify(&self, tx: &mut Tx<'_>, person: ResourceId) -> Result<(), Error> {
        for application in self.applications(tx, person)? {
            self.state(tx, application.id, &[], VERIFICATION)?;
        }
        Ok(())
    }

    /// The server states facts of an application, beside those that its rule gives.
    fn state(
        &self,
        tx: &mut Tx<'_>,
        application: ResourceId,
        facts: &[(&'static str, Value)],
        why: &'static str,
    ) -> Result<(), Error> {
        self.as_server(
            tx,
            "/Applications",
            application,
            why,
            |write, record, sources| {
                let stamp = write.stamp(&record.sources);
                let own = write.server(sources);
                for (path, value) in facts {
                    own.claims
                        .derive(path, SINGLE, value.clone(), stamp, &mut 0);
                }
            },
        )
    }

    /// The person's employee role says what its employments say.
    pub(super) fn employ(&self, tx: &mut Tx<'_>, person: ResourceId) -> Result<(), Error> {
        let names = self.names_of(tx, person)?;
        let employments = self.citing(tx, (Kind::Employment, "person.value"), &names)?;
        let employments: Vec<Known> = employments.into_iter().map(known).collect();
        let facts = facts::of_person(&employments);
        self.as_server(
            tx,
            "/Persons",
            person,
            EMPLOYMENT,
            |write, record, sources| {
                let stamp = write.stamp(&record.sources);
                let own = write.server(sources);
                let follows = |path: &String| facts.iter().any(|(fact, _)| fact == path);
                own.claims.0.retain(|path, claims| {
                    follows(path) || !claims.values().all(Claim::is_derived)
                });
                for (path, value) in &facts {
                    own.claims
                        .derive(path, SINGLE, value.clone(), stamp, &mut 0);
                }
            },
        )
    }

    /// The person's account, if it has one that is closed, is open: it is put right where it is said, so whoever closes it
    /// later has it closed.
    fn enable(&self, tx: &mut Tx<'_>, person: ResourceId) -> Result<(), Error> {
        self.as_server(
            tx,
            "/Users",
            person,
            EMPLOYMENT,
            |write, record, sources| {
                let stamp = write.stamp(&record.sources);
                overtake(sources, ("active", &false.into(), &true.into()), stamp);
            },
        )
    }

    /// Changes another record in this transaction, as the server.
    fn as_server(
        &self,
        tx: &mut Tx<'_>,
        endpoint: &str,
        id: ResourceId,
        why: &'static str,
        change: impl Fn(&Write<'_>, &Record, &mut Vec<SourceRecord>),
    ) -> Result<(), Error> {
        let context = Context {
            correlation: self.context.correlation.clone(),
            base_url: self.context.base_url.clone(),
            ..self.muster.at_work(self.context.tenant(), self.context.now)
        };
        let view: Arc<View> = self.muster.view(&context, endpoint, Right::Write)?;
        let mut write = Write::new(self.muster, &context, &view);
        write.errand = Some(why);
        write.cause = Some(self.event);
        let tenant = context.tenant();
        let Some(folded) = store::record::claim(tx, tenant, id)? else {
            return Ok(());
        };
        let record = store::record::with_sources(tx, folded)?;
        let mut sources = record.sources.clone();
        change(&write, &record, &mut sources);
        sources.retain(|source| source.row.is_some() || !source.claims.is_empty());
        let reason = (Happened::Updated, Some(why), None);
        write
            .settle(tx, &record, sources, &Claims::default(), reason)
            .map(drop)
    }
}
