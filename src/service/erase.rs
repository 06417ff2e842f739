//! Erasure (GDPR Art. 17): the key of all that the log tells of a person is destroyed, and with it everything else that is
//! kept of them. What stays says that somebody was erased, when and by whom.

use chrono::{DateTime, Utc};
use serde_json::Value;

use super::change::Write;
use super::hiring::CITING;
use super::idempotency::once;
use super::members::change;
use super::{Error, Muster};
use crate::domain::context::{Context, Right};
use crate::domain::event::Event;
use crate::domain::index::key;
use crate::domain::record::{Folded, Kind};
use crate::domain::review;
use crate::id::{ResourceId, TenantId};
use crate::store::member::Peer;
use crate::store::{self, Tx};

/// The leaf by which a legal duty to keep a record is told.
const LEGAL_HOLD: &str = "dataProtection.legalHold";

/// Who is to be erased, by whose order.
#[derive(Clone, Debug)]
pub struct Erasure {
    /// The person's tenant.
    pub tenant: TenantId,
    /// The person.
    pub person: ResourceId,
    /// Who orders it.
    pub actor: String,
    /// When.
    pub at: DateTime<Utc>,
    /// Why, as a code.
    pub reason: Option<String>,
}

impl Muster {
    /// Erases a person of the caller's tenant. Only a client that may delete everything may do that.
    pub async fn erase_for(
        &self,
        context: &Context,
        id: &str,
        reason: Option<&str>,
    ) -> Result<(), Error> {
        let mut types = self.0.renderer.catalog().resource_types();
        if !types.all(|known| context.client.may(Right::Delete, &known.name)) {
            return Err(Error::Forbidden(format!(
                "the client '{}' has no right to erase: that takes the right to delete on every type",
                context.client.name
            )));
        }
        let erasure = Erasure {
            tenant: context.tenant(),
            person: id.parse().map_err(|_| unknown(id))?,
            actor: context.client.name.clone(),
            at: context.now,
            reason: reason.map(str::to_owned),
        };
        let (muster, context) = (self.clone(), context.clone());
        let work = move |tx: &mut Tx<'_>| {
            let erase = |tx: &mut Tx<'_>| muster.perform_erasure(tx, &erasure, Some(&context));
            once(&context, tx, erase, |_, _| Ok(()))
        };
        self.0.store.write(work).await?;
        self.0.store.purge_later();
        Ok(())
    }

    /// Erases a person, by order of an operator. What the database still holds of it in its files goes with
    /// [`Muster::purge`].
    pub fn erase(&self, erasure: Erasure) -> Result<(), Error> {
        let muster = self.clone();
        self.0
            .store
            .write_blocking(move |tx| muster.perform_erasure(tx, &erasure, None))
    }

    /// Has the database give up what it has deleted. With `rewrite` its files are written anew, which on PostgreSQL keeps
    /// everybody else waiting; without it what was deleted is overwritten in time.
    pub fn purge(&self, rewrite: bool) -> Result<(), Error> {
        Ok(self.0.store.purge(rewrite)?)
    }

    /// Erases; `request` is the one that asks for it, if it is not an operator.
    fn perform_erasure(
        &self,
        tx: &mut Tx<'_>,
        erasure: &Erasure,
        request: Option<&Context>,
    ) -> Result<(), Error> {
        // By whichever of its ids a person is named, it is the person that is erased.
        let alias = store::alias::find(tx, erasure.tenant, erasure.person)?;
        let survivor = match &alias {
            Some(alias) => store::record::identify(tx, alias.survivor)?,
            None => None,
        };
        let person = survivor.unwrap_or(erasure.person);
        let of = ("person.erased", "Person", person);
        let tombstone = self.event_of(erasure, request, of);
        store::idempotency::forget(tx, erasure.tenant, &[person, erasure.person])?;
        let Some(found) = store::record::claim(tx, erasure.tenant, person)? else {
            // Somebody who was deleted before: the log still tells of them.
            return if store::record::erase_departed(tx, tombstone)? {
                Ok(())
            } else {
                Err(unknown(&erasure.person.to_string()))
            };
        };
        if found.kind != Kind::Person {
            return Err(unknown(&erasure.person.to_string()));
        }
        if found.leaves.get(LEGAL_HOLD) == Some(&true.into()) {
            return Err(Error::Conflict(format!(
                "a legal duty forbids erasing this person: '{LEGAL_HOLD}' is true; once the duty has ended, set it to false \
                 and erase again"
            )));
        }
        let aliases = store::alias::of(tx, found.row)?;
        let aliases: Vec<ResourceId> = aliases.iter().map(|alias| alias.id).collect();
        store::idempotency::forget(tx, erasure.tenant, &aliases)?;
        self.leave_all_groups(tx, erasure, request, &found)?;
        self.erase_hiring(tx, erasure, request, &found)?;
        self.erase_apart(tx, &found)?;
        Ok(store::record::erase(tx, &found, tombstone)?)
    }

    fn event_of(
        &self,
        erasure: &Erasure,
        request: Option<&Context>,
        of: (&str, &str, ResourceId),
    ) -> Event {
        let id = self.0.ids.event(erasure.at);
        let by = (erasure.actor.as_str(), erasure.at);
        let reason = erasure.reason.as_deref();
        let event = Event::of_order(id, erasure.tenant, of, by, reason);
        match request {
            Some(context) => event.asked_by(context),
            None => event,
        }
    }

    /// What hangs on a person of the hiring record goes with them, and what is quarantined under one of their addresses.
    fn erase_hiring(
        &self,
        tx: &mut Tx<'_>,
        erasure: &Erasure,
        request: Option<&Context>,
        person: &Folded,
    ) -> Result<(), Error> {
        // What came with one of their addresses and waits for somebody to say where it belongs.
        let context = self.at_work(erasure.tenant, erasure.at);
        let view = self.view(&context, "/Applications", Right::Read)?;
        let write = Write::new(self, &context, &view);
        let addresses = person.leaves.get("emails").and_then(Value::as_array);
        let addresses = addresses.into_iter().flatten();
        let addresses: Vec<String> = addresses
            .filter_map(|email| email["value"].as_str())
            .map(|email| key(&email.to_lowercase()))
            .collect();
        for review in write.citing(tx, (Kind::Review, review::NAMED), &addresses)? {
            self.erase_one(tx, (erasure, request), &review, None)?;
        }
        for (record, application) in self.hanging_on(tx, person)? {
            self.erase_one(tx, (erasure, request), &record, application)?;
        }
        Ok(())
    }

    /// What hangs on a person of the hiring record, each with the application that it belongs to: employments, and applications
    /// after all that is on record of those.
    pub(super) fn hanging_on(
        &self,
        tx: &mut Tx<'_>,
        person: &Folded,
    ) -> Result<Vec<(Folded, Option<ResourceId>)>, Error> {
        let context = self.at_work(person.tenant, person.modified);
        let view = self.view(&context, "/Applications", Right::Read)?;
        let write = Write::new(self, &context, &view);
        let mut names = vec![person.id.to_string()];
        let aliases = store::alias::of(tx, person.row)?;
        names.extend(aliases.iter().map(|alias| alias.id.to_string()));
        let employments = write.citing(tx, (Kind::Employment, "person.value"), &names)?;
        let mut found: Vec<_> = employments.into_iter().map(|one| (one, None)).collect();
        for application in write.citing(tx, (Kind::Application, "candidate.value"), &names)? {
            let (id, ids) = (application.id, [application.id.to_string()]);
            let hanging = CITING
                .iter()
                .filter(|(_, path)| *path == "application.value");
            for (kind, path) in hanging {
                let of_it = write.citing(tx, (*kind, path), &ids)?;
                found.extend(of_it.into_iter().map(|one| (one, Some(id))));
            }
            found.push((application, Some(id)));
        }
        Ok(found)
    }

    fn erase_one(
        &self,
        tx: &mut Tx<'_>,
        (erasure, request): (&Erasure, Option<&Context>),
        record: &Folded,
        application: Option<ResourceId>,
    ) -> Result<(), Error> {
        let kind = format!("{}.deleted", record.kind.word());
        let of = (kind.as_str(), record.kind.type_name(), record.id);
        store::idempotency::forget(tx, erasure.tenant, &[record.id])?;
        let told = self.event_of(erasure, request, of);
        let told = told
            .belonging((None, application))
            .because(Some("personErased"));
        Ok(store::record::delete(tx, record, told)?)
    }

    /// Each group gets a version and an event, as when a member is deleted.
    fn leave_all_groups(
        &self,
        tx: &mut Tx<'_>,
        erasure: &Erasure,
        request: Option<&Context>,
        person: &Folded,
    ) -> Result<(), Error> {
        let peer = Peer {
            row: person.row,
            id: person.id,
            kind: person.kind,
            account: person.has_account(),
            display: None,
        };
        for belonging in store::belonging::direct(tx, person.row)? {
            let Some(group) = store::record::find(tx, erasure.tenant, belonging.id)? else {
                continue;
            };
            let left = change(&[], std::slice::from_ref(&peer));
            let event = self
                .event_of(
                    erasure,
                    request,
                    ("group.members.changed", "Group", group.id),
                )
                .with_changes(left.into_iter().collect());
            store::member::update(tx, &group, &[], &[person.row], event)?;
        }
        Ok(())
    }
}

fn unknown(id: &str) -> Error {
    Error::NotFound(format!("nothing is known of a person '{id}'"))
}
