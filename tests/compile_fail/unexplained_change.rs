//! No verb that changes something can be called without its event.

use muster::domain::record::{Folded, Leaves, Record};
use muster::domain::view::Specs;
use muster::store::record::{self, NewRecord};
use muster::store::{Error, Tx, member};

fn insert(tx: &mut Tx<'_>, specs: &Specs, new: NewRecord) -> Result<Folded, Error> {
    record::insert(tx, specs, new)
}

fn update(tx: &mut Tx<'_>, specs: &Specs, before: &Record) -> Result<Folded, Error> {
    record::update(tx, specs, before, (Leaves::new(), true), &before.sources)
}

fn confirm(tx: &mut Tx<'_>, before: &Record) -> Result<(), Error> {
    record::confirm(tx, before, &before.sources)
}

fn delete(tx: &mut Tx<'_>, folded: &Folded) -> Result<(), Error> {
    record::delete(tx, folded)
}

fn members(tx: &mut Tx<'_>, group: &Folded) -> Result<Folded, Error> {
    member::update(tx, group, &[1], &[2])
}

fn main() {
    let _ = (insert, update, confirm, delete, members);
}
