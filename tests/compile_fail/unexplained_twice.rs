//! An event is consumed by the change it explains: it cannot explain two.

use muster::domain::event::Event;
use muster::domain::record::Folded;
use muster::store::{Error, Tx, record};

fn delete(tx: &mut Tx<'_>, first: &Folded, second: &Folded, event: Event) -> Result<(), Error> {
    record::delete(tx, first, event)?;
    record::delete(tx, second, event)
}

fn main() {
    let _ = delete;
}
