//! Where pages begin, for clients that know only `startIndex`: kept for a few minutes in this process, so that turning
//! pages one after the other costs the same at any depth (design §5). Another process, or a jump, counts its way there.
//!
//! An anchor is a place in the order, not a number: what is deleted before it meanwhile does not move it, so that a client
//! that walks on loses nobody who was there throughout, as it would if the index were counted anew; what is created before
//! it is not seen any more. `totalResults` is always of now.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, PoisonError};

use chrono::{DateTime, TimeDelta, Utc};

use crate::store::list::Position;

/// How many are kept. With the longest sort keys they take about ten megabytes.
const MOST: usize = 4096;
/// For how long.
const LIFE: TimeDelta = TimeDelta::minutes(3);

/// A query as [`super::paging`] hashes it, and an index.
type Page = ([u8; 32], u64);

/// In which of several types a page begins, and after what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Anchor {
    pub(super) part: usize,
    pub(super) after: Option<Position>,
}

struct Kept {
    anchor: Anchor,
    until: DateTime<Utc>,
    number: u64,
}

#[derive(Default)]
struct Inner {
    pages: HashMap<Page, Kept>,
    /// The pages by when they were last set or asked for.
    order: BTreeMap<u64, Page>,
    next: u64,
}

/// The anchors of a process.
#[derive(Default)]
pub(super) struct Anchors(Mutex<Inner>);

impl Anchors {
    /// Where the page at `index` of this walk begins, if that is known.
    pub(super) fn find(&self, walk: &[u8; 32], index: u64, now: DateTime<Utc>) -> Option<Anchor> {
        let mut inner = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let page = (*walk, index);
        let kept = inner.pages.get(&page)?;
        let (anchor, until) = (kept.anchor.clone(), kept.until);
        if until < now {
            inner.forget(&page);
            return None;
        }
        inner.keep(page, anchor.clone(), until);
        Some(anchor)
    }

    /// Notes where the page at `index` begins.
    pub(super) fn set(&self, walk: &[u8; 32], index: u64, anchor: Anchor, now: DateTime<Utc>) {
        let mut inner = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        inner.keep((*walk, index), anchor, now + LIFE);
    }
}

impl Inner {
    fn keep(&mut self, page: Page, anchor: Anchor, until: DateTime<Utc>) {
        self.forget(&page);
        if self.pages.len() >= MOST
            && let Some((_, oldest)) = self.order.pop_first()
        {
            self.pages.remove(&oldest);
        }
        self.next += 1;
        let number = self.next;
        self.order.insert(number, page);
        let kept = Kept {
            anchor,
            until,
            number,
        };
        self.pages.insert(page, kept);
    }

    fn forget(&mut self, page: &Page) {
        if let Some(kept) = self.pages.remove(page) {
            self.order.remove(&kept.number);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn anchor(row: i64) -> Anchor {
        let after = Some(Position { key: None, row });
        Anchor { part: 0, after }
    }

    #[test]
    fn an_anchor_is_of_one_walk_and_one_index_and_of_a_few_minutes() {
        let (anchors, now) = (Anchors::default(), DateTime::UNIX_EPOCH);
        anchors.set(&[1; 32], 101, anchor(7), now);
        assert_eq!(anchors.find(&[1; 32], 101, now + LIFE), Some(anchor(7)));
        assert_eq!(anchors.find(&[2; 32], 101, now), None);
        assert_eq!(anchors.find(&[1; 32], 102, now), None);
        let later = now + LIFE + TimeDelta::seconds(1);
        assert_eq!(anchors.find(&[1; 32], 101, later), None);
    }

    #[test]
    fn those_that_nobody_asks_for_make_room() {
        let (anchors, now) = (Anchors::default(), DateTime::UNIX_EPOCH);
        for index in 0..MOST as u64 {
            anchors.set(&[0; 32], index, anchor(1), now);
        }
        assert!(anchors.find(&[0; 32], 0, now).is_some());
        anchors.set(&[1; 32], 0, anchor(2), now);
        assert!(anchors.find(&[0; 32], 0, now).is_some());
        assert!(anchors.find(&[0; 32], 1, now).is_none());
        let inner = anchors.0.lock().unwrap();
        assert_eq!((inner.pages.len(), inner.order.len()), (MOST, MOST));
    }
}
