//! What is logged of requests that change nothing: reads of what is classified, and refusals (design §4).

use std::iter;

use super::sight::clearance;
use super::{Error, Muster, Page, Written, permit};
use crate::domain::audit_event::NAME;
use crate::domain::context::{Context, Right};
use crate::domain::event::{Event, Refusal};
use crate::domain::masked::{Masked, Resource};
use crate::domain::view::View;
use crate::id::{ResourceId, TenantId};
use crate::scim::filter::Condition;
use crate::scim::list::ListRequest;
use crate::store;

impl Muster {
    /// Whether a client may read the whole log of its tenant, and so what is told of all of it: figures, integrations, others' rights.
    pub fn may_read_whole_log(context: &Context) -> Result<(), Error> {
        Self::may_count_log(context)?;
        if context.client.clearance.on(NAME).is_bounded() {
            return Err(Error::Forbidden(format!(
                "this is of the whole tenant, and the client '{}' may read a part of its AuditEvents",
                context.client.name
            )));
        }
        Ok(())
    }

    /// Whether a client may know how many events there are: not if it could tell by it whether its guess at what is hidden from
    /// it was right.
    pub(super) fn may_count_log(context: &Context) -> Result<(), Error> {
        permit(context, Right::Read, NAME)?;
        if let Some(guessed) = context.client.clearance.guesses() {
            return Err(Error::Forbidden(format!(
                "this is of the whole tenant, and the client '{}' may write of a {guessed} what is hidden from it: let a client ask \
                 that reads alone",
                context.client.name
            )));
        }
        Ok(())
    }

    /// Logs that these were read, if anything of them is classified: committed before the answer leaves, in one event.
    pub(super) async fn disclose(
        &self,
        context: &Context,
        resource_type: &str,
        resources: impl Iterator<Item = &Masked<Resource>>,
        searched: Vec<(String, String)>,
    ) -> Result<(), Error> {
        let mut disclosed = searched;
        let mut read = Vec::new();
        let by_search = !disclosed.is_empty();
        for resource in resources {
            let seen = resource.seen();
            if by_search || !seen.disclosed.is_empty() {
                read.push((seen.id, seen.is_person.then_some(seen.id)));
            }
            for (_, path, purpose) in &seen.disclosed {
                disclosed.push((path.clone(), purpose.clone()));
            }
        }
        if disclosed.is_empty() {
            return Ok(());
        }
        let id = self.0.ids.event(context.now);
        let read = self.with_persons(context, read).await?;
        let event = Event::of_read(context, id, resource_type, &read, &disclosed);
        let note = move |tx: &mut store::Tx<'_>| Ok(store::event::note(tx, event.clone())?);
        self.0.store.write_new(None, note).await
    }

    /// The same records, each with the person whom it is about: one of hiring is about whoever applies or works.
    async fn with_persons(
        &self,
        context: &Context,
        read: Vec<(ResourceId, Option<ResourceId>)>,
    ) -> Result<Vec<(ResourceId, Option<ResourceId>)>, Error> {
        if read.iter().all(|(_, person)| person.is_some()) {
            return Ok(read);
        }
        let (muster, reader) = (self.clone(), context.clone());
        let find = move |tx: &mut store::Tx<'_>| {
            let mut found = Vec::with_capacity(read.len());
            for (record, person) in &read {
                let person = match person {
                    Some(person) => Some(*person),
                    None => muster.person_behind(tx, &reader, *record)?,
                };
                found.push((*record, person));
            }
            Ok::<_, Error>(found)
        };
        self.0.store.read(find).await
    }

    /// The classified attributes that a request searches or sorts by, with the purposes that open them: what is found tells
    /// of them.
    pub(super) fn searched(
        context: &Context,
        view: &View,
        request: &ListRequest,
    ) -> Vec<(String, String)> {
        let of = clearance(context, view);
        if of.is_plain() {
            return Vec::new();
        }
        let filter = request.filter.as_ref();
        let filter = filter.map(Condition::locations).unwrap_or_default();
        let sort = request.sort.as_ref().map(|sort| &sort.location);
        let locations = filter.into_iter().chain(sort);
        let opened = locations.flat_map(|at| of.opened(view, at));
        opened
            .map(|(path, purpose)| (path.to_owned(), purpose.to_owned()))
            .collect()
    }

    /// A page whose reading is logged.
    pub(super) async fn disclosed_page(
        &self,
        context: &Context,
        resource_type: &str,
        page: Page,
        searched: Vec<(String, String)>,
    ) -> Result<Page, Error> {
        self.disclose(context, resource_type, page.resources.iter(), searched)
            .await?;
        Ok(page)
    }

    /// What was written, whose showing is logged.
    pub(super) async fn disclosed_write(
        &self,
        context: &Context,
        resource_type: &str,
        written: Written,
    ) -> Result<Written, Error> {
        let shown = iter::once(&written.resource);
        self.disclose(context, resource_type, shown, Vec::new())
            .await?;
        Ok(written)
    }

    /// Logs a refusal; of nobody known, in the tenant `home`.
    pub async fn refused(&self, refusal: Refusal<'_>, tenant: TenantId) -> Result<(), Error> {
        let event = Event::of_refusal(refusal, self.0.ids.event(refusal.at), tenant);
        let note = move |tx: &mut store::Tx<'_>| Ok(store::event::note(tx, event.clone())?);
        self.0.store.write_new(None, note).await
    }
}
