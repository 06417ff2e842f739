//! A transaction's connection is the store's own: nobody else runs a statement on it.

use muster::store::Tx;

fn erase(tx: &mut Tx<'_>) {
    let _ = &mut tx.db;
}

fn main() {
    let _ = erase;
}
