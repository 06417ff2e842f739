//! With its event each of them compiles: the cases beside this file fail for the want of one alone.

use muster::domain::event::Event;
use muster::domain::record::{Folded, Leaves, Record};
use muster::domain::view::Specs;
use muster::store::record::{self, NewRecord};
use muster::store::{Error, Tx, member};

fn insert(tx: &mut Tx<'_>, specs: &Specs, new: NewRecord, event: Event) -> Result<Folded, Error> {
    record::insert(tx, specs, new, event)
}

fn update(tx: &mut Tx<'_>, specs: &Specs, before: &Record, event: Event) -> Result<Folded, Error> {
    record::update(
        tx,
        specs,
        before,
        (Leaves::new(), true),
        &before.sources,
        event,
    )
}

fn confirm(tx: &mut Tx<'_>, before: &Record, event: Event) -> Result<(), Error> {
    record::confirm(tx, before, &before.sources, event)
}

fn delete(tx: &mut Tx<'_>, folded: &Folded, event: Event) -> Result<(), Error> {
    record::delete(tx, folded, event)
}

fn members(tx: &mut Tx<'_>, group: &Folded, event: Event) -> Result<Folded, Error> {
    member::update(tx, group, &[1], &[2], event)
}

/// They are compiled; there is no transaction to run them in.
#[test]
fn a_change_with_its_event_compiles() {
    let _ = (insert, update, confirm, delete, members);
}
