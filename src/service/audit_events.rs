//! `/AuditEvents`: the log, searched with the same filters as everything else, masked for its reader.

use serde_json::Value;
use sha2::{Digest, Sha256};

use super::sieve::{Asked, Sieve, Sifted, size};
use super::{Error, Muster, Page, permit};
use crate::domain::access::TypeClearance;
use crate::domain::audit_event::NAME;
use crate::domain::context::{Context, Right};
use crate::domain::cursor::{self, Cursor};
use crate::domain::masked::{Masked, Resource};
use crate::scim;
use crate::scim::filter::{Condition, Test};
use crate::scim::list::{ListRequest, Sort};
use crate::scim::projection::Projection;
use crate::scim::resource_type::Location;
use crate::store::Tx;
use crate::store::audit_event::{self, Query};

impl Muster {
    /// The event of that id.
    pub async fn get_audit_event(
        &self,
        context: &Context,
        id: &str,
        projection: &Projection,
    ) -> Result<Masked<Resource>, Error> {
        permit(context, Right::Read, NAME)?;
        let tenant = context.tenant();
        let by_id = scim::filter::condition(
            &format!("id eq {}", Value::from(id)),
            self.0.renderer.catalog().audit_event(),
            context.client.profile,
        )?;
        let by_id = within(context, Right::Read, Some(by_id));
        let reader = context.client.clone();
        let read = move |tx: &mut Tx<'_>| {
            let query = Query {
                tenant,
                condition: by_id.as_ref(),
                descending: false,
                reader: &reader,
            };
            Ok::<_, Error>(audit_event::list(tx, &query, None, (0, 1))?)
        };
        let found = self.0.store.read(read).await?;
        let missing = || Error::NotFound(format!("there is no {NAME} with id '{id}'"));
        let (_, body) = found.first().ok_or_else(missing)?;
        let shown = self.shown_event(context, body, projection);
        self.disclose(context, NAME, std::iter::once(&shown), Vec::new())
            .await?;
        Ok(shown)
    }

    /// One page of what matches, by index or by cursor, in the order of the log or the other way round.
    pub async fn list_audit_events(
        &self,
        context: &Context,
        request: ListRequest,
    ) -> Result<Page, Error> {
        permit(context, Right::Search, NAME)?;
        let descending = order(request.sort.as_ref())?;
        if let Some(condition) = &request.filter {
            let of = context.client.clearance.on("Person");
            check(context, of, condition)?;
        }
        let walk = digest(context, &request);
        let place = self.place(context, &request, &walk)?;
        let after = place.as_ref().map(|place| place.row).filter(|row| *row > 0);
        let count = place.as_ref().map(|place| place.count).or(request.count);
        let limit = self.0.paging.limit(count);
        let by_cursor = request.cursor.is_some();
        let offset = if by_cursor {
            0
        } else {
            i64::try_from(request.start_index - 1).unwrap_or(i64::MAX)
        };
        let (filter, sifted) = request
            .filter
            .clone()
            .map_or((None, None), audit_event::split);
        let filter = within(context, Right::Search, filter);
        let asked = Asked {
            filter,
            descending,
            page: (after, offset, limit),
            by_cursor,
        };
        let found = match sifted {
            Some(condition) => {
                let sieve = Sieve {
                    muster: self.clone(),
                    context: context.clone(),
                    condition,
                    asked,
                };
                self.0.store.read(move |tx| sieve.sift(tx)).await?
            }
            None => self.found(context, asked).await?,
        };
        self.page_of(context, &request, found, (walk, limit)).await
    }

    /// What the columns alone say.
    async fn found(&self, context: &Context, asked: Asked) -> Result<Sifted, Error> {
        let (after, offset, limit) = asked.page;
        let (tenant, by_cursor) = (context.tenant(), asked.by_cursor);
        let reader = context.client.clone();
        let read = move |tx: &mut Tx<'_>| {
            let query = asked.query(tenant, &reader);
            let total = if by_cursor {
                None
            } else {
                Some(audit_event::total(tx, &query)?)
            };
            // One more than asked for tells whether more come.
            let found = audit_event::list(tx, &query, after, (offset, limit.saturating_add(1)))?;
            Ok::<_, Error>((total, found))
        };
        let (total, mut found) = self.0.store.read(read).await?;
        let size = size(limit);
        let more = found.len() > size;
        found.truncate(size);
        let last = found.last().map(|(place, _)| *place);
        let mask = |(_, body): &(i64, Value)| self.0.renderer.mask_event(context, body);
        Ok(Sifted {
            events: found.iter().map(mask).collect(),
            total: total.map(|total| u64::try_from(total).unwrap_or(0)),
            next: last.filter(|_| by_cursor && more),
            beyond: Vec::new(),
        })
    }

    /// The page of what was found. What was sifted tells of values, whether it is on the page or not.
    async fn page_of(
        &self,
        context: &Context,
        request: &ListRequest,
        found: Sifted,
        (walk, limit): ([u8; 32], i64),
    ) -> Result<Page, Error> {
        let next = found
            .next
            .map(|row| self.sealed(context, walk, (row, limit)));
        let narrow = |shown: Masked<Resource>| self.narrowed(shown, &request.projection);
        let page = Page {
            total: found.total,
            start_index: found.total.map(|_| request.start_index),
            next_cursor: next.transpose()?,
            resources: found.events.into_iter().map(narrow).collect(),
        };
        let told = page.resources.iter().chain(&found.beyond);
        self.disclose(context, NAME, told, Vec::new()).await?;
        Ok(page)
    }

    /// Where a walk stands that a request goes on with.
    fn place(
        &self,
        context: &Context,
        request: &ListRequest,
        walk: &[u8; 32],
    ) -> Result<Option<Cursor>, Error> {
        let client = &*context.client;
        let text = request.cursor.as_deref().filter(|text| !text.is_empty());
        let Some(text) = text else { return Ok(None) };
        let place = Cursor::open(text, self.0.paging.key(), client)?;
        let count = request.count.filter(|count| *count > 0);
        let now = context.now.timestamp();
        place.check(walk, count, cursor::policy(client), now)?;
        Ok(Some(place))
    }

    /// What the page after this is asked for with.
    fn sealed(
        &self,
        context: &Context,
        walk: [u8; 32],
        (row, limit): (i64, i64),
    ) -> Result<String, Error> {
        let client = &*context.client;
        let next = Cursor {
            walk,
            count: u64::try_from(limit).unwrap_or(0),
            policy: cursor::policy(client),
            expires: context.now.timestamp() + cursor::TIMEOUT,
            part: 0,
            key: None,
            row,
        };
        let sealed = next.seal(self.0.paging.key(), client, &self.0.ids.secret());
        sealed.map_err(Error::Internal)
    }

    fn shown_event(
        &self,
        context: &Context,
        body: &Value,
        projection: &Projection,
    ) -> Masked<Resource> {
        self.narrowed(self.0.renderer.mask_event(context, body), projection)
    }

    fn narrowed(&self, event: Masked<Resource>, projection: &Projection) -> Masked<Resource> {
        let ty = self.0.renderer.catalog().audit_event();
        event.narrowed(|document| projection.apply(ty, document))
    }
}

/// A filter on what a role reaches of the log.
fn within(context: &Context, right: Right, filter: Option<Condition>) -> Option<Condition> {
    match (context.client.clearance.on(NAME).bound(right), filter) {
        (Some(bound), Some(filter)) => Some(Condition::All(vec![bound, filter])),
        (bound, filter) => bound.or(filter),
    }
}

/// Whether the newest come first.
fn order(sort: Option<&Sort>) -> Result<bool, Error> {
    let Some(sort) = sort else { return Ok(false) };
    let name = sort.location.to_string();
    if matches!(
        name.as_str(),
        "recordedAt" | "meta.created" | "meta.lastModified"
    ) {
        return Ok(sort.descending);
    }
    Err(scim::Error::invalid_value(format!(
        "the log has one order, that of time: leave 'sortBy={name}' out, or sort by 'recordedAt'"
    ))
    .into())
}

/// What a reader may not read of the log, or know of persons, it cannot ask the log for either.
fn check(context: &Context, of: &TypeClearance, condition: &Condition) -> Result<(), Error> {
    match condition {
        Condition::All(terms) | Condition::Any(terms) => {
            terms.iter().try_for_each(|term| check(context, of, term))
        }
        Condition::Not(inner) => check(context, of, inner),
        Condition::Element {
            location,
            condition,
        } => {
            refuse_unread(context, location)?;
            check(context, of, condition)
        }
        Condition::Test { location, test, .. } => {
            let named = match test {
                Test::Equal(path) => of.conceals(path),
                _ => !of.is_plain(),
            };
            let is_version = &*location.attribute == "version";
            if &*location.attribute == "attributes" && named
                || is_version && context.client.clearance.guesses().is_some()
            {
                return Err(unsearched(context, location));
            }
            refuse_unread(context, location)
        }
    }
}

fn refuse_unread(context: &Context, location: &Location) -> Result<(), Error> {
    let log = context.client.clearance.on(NAME);
    if log.may_search_by(&location.attribute) {
        return Ok(());
    }
    Err(unsearched(context, location))
}

fn unsearched(context: &Context, location: &Location) -> Error {
    Error::Forbidden(format!(
        "the client '{}' may not search the log by '{}'",
        context.client.name, location.attribute
    ))
}

fn digest(context: &Context, request: &ListRequest) -> [u8; 32] {
    let ListRequest { filter, sort, .. } = request;
    let (tenant, name) = (context.tenant().0, &context.client.name);
    let text = format!("{tenant}\u{1f}{name}\u{1e}{NAME}\u{1f}{filter:?}\u{1f}{sort:?}");
    Sha256::digest(text.as_bytes()).into()
}
