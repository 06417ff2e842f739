//! Pages of one type or of several, one type after the other: by index (RFC 7644 §3.4.2.4) or by cursor (RFC 9865).

use std::sync::Arc;

use sha2::{Digest, Sha256};

use super::anchors::{Anchor, Anchors};
use super::sight::{clearance, unsearchable};
use super::{Asked, DEFAULT_PAGE, Error, Muster, Page};
use crate::domain::access::{Lens, consented};
use crate::domain::context::Context;
use crate::domain::cursor::{self, Cursor};
use crate::domain::masked::{Masked, Resource};
use crate::domain::view::View;
use crate::scim::filter::Condition;
use crate::scim::list::ListRequest;
use crate::store::Tx;
use crate::store::list::{From, List, Position, Query, Slice};

/// What paging keeps.
pub(super) struct Paging {
    key: Vec<u8>,
    most: u64,
    anchors: Anchors,
}

/// What one type contributes.
pub(super) struct Part {
    pub(super) view: Arc<View>,
    pub(super) request: ListRequest,
    /// The request's filter as it is for the caller.
    pub(super) filter: Option<Condition>,
    /// Persons whom a search lists as Users already are left out (design §2: a record is listed once).
    pub(super) without_accounts: bool,
    /// The view and the filter by which another part lists some of these already.
    pub(super) elsewhere: Option<(Arc<View>, Condition)>,
}

impl Part {
    fn query<'a>(&'a self, context: &'a Context) -> Query<'a> {
        Query {
            tenant: context.tenant(),
            system: context.system(),
            view: &self.view,
            base_url: &context.base_url,
            without_accounts: self.without_accounts,
            condition: self.filter.as_ref(),
            elsewhere: self
                .elsewhere
                .as_ref()
                .map(|(view, condition)| (&**view, condition)),
            sort: self.request.sort.as_ref(),
            open_stamp: clearance(context, &self.view).hides(),
        }
    }
}

/// A walk under way: the lists of all parts, and the page that is being filled.
struct Walk<'a> {
    muster: &'a Muster,
    context: &'a Context,
    parts: &'a [Part],
    lists: Vec<List<'a>>,
    digest: [u8; 32],
    resources: Vec<Masked<Resource>>,
}

impl Paging {
    pub(super) fn new(key: Vec<u8>, most: u64) -> Self {
        Self {
            key,
            most: most.max(1),
            anchors: Anchors::default(),
        }
    }

    /// What cursors are sealed with.
    pub(super) fn key(&self) -> &[u8] {
        &self.key
    }

    /// How many the page of an index holds.
    pub(super) fn limit(&self, count: Option<u64>) -> i64 {
        self.size(count.unwrap_or(DEFAULT_PAGE))
    }

    /// How many a page holds.
    fn size(&self, count: u64) -> i64 {
        i64::try_from(count.min(self.most)).unwrap_or(i64::MAX)
    }
}

impl Muster {
    /// A request's filter as it is for the caller: bounded to what it reaches, of what it may read. What it may not search or
    /// sort by is refused, whether anybody has it or not.
    pub(super) fn seen_filter(
        context: &Context,
        view: &View,
        request: &ListRequest,
    ) -> Result<Option<Condition>, Error> {
        let of = clearance(context, view);
        if of.is_plain() {
            return Ok(request.filter.clone());
        }
        let consent = |purpose: &str| consented(&view.resource_type, purpose, context.now);
        let lens = Lens {
            of,
            view,
            consent: &consent,
        };
        let refused = |found| unsearchable(context, &found);
        if let Some(sort) = &request.sort {
            lens.order(&sort.location).map_err(refused)?;
        }
        lens.filter(request.filter.as_ref()).map_err(refused)
    }

    /// One page of what the parts have, in their order.
    pub(super) fn page(
        &self,
        tx: &mut Tx<'_>,
        context: &Context,
        parts: &[Part],
    ) -> Result<Page, Error> {
        let Some(first) = parts.first() else {
            return Err(Error::Internal("a list of nothing".into()));
        };
        let queries: Vec<Query<'_>> = parts.iter().map(|part| part.query(context)).collect();
        let lists = queries
            .iter()
            .map(|query| List::open(tx, query))
            .collect::<Result<_, _>>()?;
        let walk = Walk {
            muster: self,
            context,
            parts,
            lists,
            digest: digest(context, parts),
            resources: Vec::new(),
        };
        match &first.request.cursor {
            Some(cursor) => walk.by_cursor(tx, cursor, first.request.count),
            None => walk.by_index(tx, &first.request),
        }
    }
}

impl Walk<'_> {
    fn by_index(mut self, tx: &mut Tx<'_>, request: &ListRequest) -> Result<Page, Error> {
        let (paging, now) = (&self.muster.0.paging, self.context.now);
        let room = paging.limit(request.count);
        let start = request.start_index;
        let page = |total, resources| Page {
            total: Some(total),
            start_index: Some(start),
            next_cursor: None,
            resources,
        };
        let at_hand = self.lists.len() == 1 && self.lists[0].has_few();
        if start == 1 && room > 0 && at_hand {
            let (end, more) = self.fill(tx, 0, From::After(None), room)?;
            let shown = self.resources.len() as u64;
            if shown > 0 {
                paging.anchors.set(&self.digest, start + shown, end, now);
            }
            if !more {
                return Ok(page(shown, self.resources));
            }
            let total = self.lists[0].total(tx)?;
            return Ok(page(u64::try_from(total).unwrap_or(0), self.resources));
        }
        let totals = self
            .lists
            .iter()
            .map(|list| list.total(tx))
            .collect::<Result<Vec<i64>, _>>()?;
        let total: i64 = totals.iter().sum();
        let anchor = paging.anchors.find(&self.digest, start, now);
        if room > 0 {
            let (part, from) = match anchor {
                Some(Anchor { part, after }) => (part, From::After(after)),
                None => leap(&totals, start),
            };
            let (end, _) = self.fill(tx, part, from, room)?;
            // Also at the end: who asks what has come since gets that, and nobody twice.
            if !self.resources.is_empty() {
                let next = start.saturating_add(self.resources.len() as u64);
                paging.anchors.set(&self.digest, next, end, now);
            }
        }
        Ok(page(u64::try_from(total).unwrap_or(0), self.resources))
    }

    fn by_cursor(mut self, tx: &mut Tx<'_>, text: &str, count: Option<u64>) -> Result<Page, Error> {
        let (paging, client) = (&self.muster.0.paging, &*self.context.client);
        let policy = cursor::policy(client);
        let now = self.context.now.timestamp();
        let asked = count.map(|count| count.min(paging.most));
        let mut place = Cursor {
            walk: self.digest,
            count: asked.unwrap_or(DEFAULT_PAGE.min(paging.most)),
            policy,
            expires: 0,
            part: 0,
            key: None,
            row: 0,
        };
        if !text.is_empty() {
            place = Cursor::open(text, &paging.key, client)?;
            place.check(&self.digest, asked.filter(|count| *count > 0), policy, now)?;
        }
        // RFC 9865 §2: this asks for the total alone, and leaves a walk where it is.
        if asked == Some(0) {
            return Ok(Page {
                total: Some(self.total(tx)?),
                start_index: None,
                next_cursor: None,
                resources: Vec::new(),
            });
        }
        let Cursor { part, key, row, .. } = place.clone();
        let after = (row > 0).then_some(Position { key, row });
        let (end, more) = self.fill(tx, part, From::After(after), paging.size(place.count))?;
        let next = more.then_some(end).map(|Anchor { part, after }| {
            let (key, row) = after.map_or((None, 0), |after| (after.key, after.row));
            let next = Cursor {
                part,
                key,
                row,
                expires: now + cursor::TIMEOUT,
                ..place
            };
            next.seal(&paging.key, client, &self.muster.0.ids.secret())
        });
        // Counted only where that costs nothing: a filter's matches would be counted anew for every page.
        let unfiltered = self.parts.iter().all(|part| part.filter.is_none());
        let total = unfiltered.then(|| self.total(tx)).transpose()?;
        Ok(Page {
            total,
            start_index: None,
            next_cursor: next.transpose().map_err(Error::Internal)?,
            resources: self.resources,
        })
    }

    /// How many match in all parts.
    fn total(&self, tx: &mut Tx<'_>) -> Result<u64, Error> {
        let totals = self.lists.iter().map(|list| list.total(tx));
        let total = totals.sum::<Result<i64, _>>()?;
        Ok(u64::try_from(total).unwrap_or(0))
    }

    /// Takes `room` resources from a place on, from one part after the other; where this ends, and whether there is more.
    fn fill(
        &mut self,
        tx: &mut Tx<'_>,
        first: usize,
        mut from: From,
        mut room: i64,
    ) -> Result<(Anchor, bool), Error> {
        let mut end = Anchor {
            part: first,
            after: None,
        };
        for part in first..self.parts.len() {
            let (list, Part { view, request, .. }) = (&self.lists[part], &self.parts[part]);
            if room == 0 {
                if list.has_more(tx, &from)? {
                    return Ok((Anchor { part, after: None }, true));
                }
                continue;
            }
            let Slice {
                records,
                last,
                more,
            } = list.slice(tx, &from, room)?;
            let asked = Asked::from(&request.projection);
            let count = i64::try_from(records.len()).unwrap_or(i64::MAX);
            let shown = self.muster.show(tx, self.context, view, records, &asked)?;
            self.resources.extend(shown);
            end = Anchor { part, after: last };
            if more {
                return Ok((end, true));
            }
            room -= count;
            from = From::After(None);
        }
        Ok((end, false))
    }
}

/// In which part an index is, and how many come before it there.
fn leap(totals: &[i64], start: u64) -> (usize, From) {
    let mut offset = i64::try_from(start - 1).unwrap_or(i64::MAX);
    for (part, total) in totals.iter().enumerate() {
        if offset == 0 {
            return (part, From::After(None));
        }
        if offset < *total {
            return (part, From::Offset(offset));
        }
        offset -= total;
    }
    (totals.len(), From::After(None))
}

/// All that a walk is of: whose, of which types, filtered and sorted how. Page sizes and projections are no part of it.
fn digest(context: &Context, parts: &[Part]) -> [u8; 32] {
    let mut hash = Sha256::new();
    hash.update(format!(
        "{}\u{1f}{}",
        context.tenant().0,
        context.client.name
    ));
    for part in parts {
        let ListRequest { filter, sort, .. } = &part.request;
        let endpoint = &part.view.resource_type.endpoint;
        let text = format!(
            "\u{1e}{endpoint}\u{1f}{}{}\u{1f}{filter:?}\u{1f}{sort:?}",
            part.without_accounts,
            part.elsewhere.is_some()
        );
        hash.update(text);
    }
    hash.finalize().into()
}
