//! What this installation keeps for itself.

use diesel::prelude::*;

use super::db::on_both;
use super::schema::setting;
use super::{Error, Tx};

/// The setting named `name`; `fresh` if there was none: whoever comes first decides.
pub fn claim(tx: &mut Tx<'_>, name: &str, fresh: &[u8]) -> Result<Vec<u8>, Error> {
    on_both!(&mut *tx.db, connection => diesel::insert_into(setting::table)
        .values((setting::name.eq(name), setting::value.eq(fresh)))
        .on_conflict_do_nothing()
        .execute(connection))
    .map_err(|error| tx.explain(error))?;
    let value = setting::table
        .filter(setting::name.eq(name))
        .select(setting::value)
        .first(tx.db);
    value.map_err(|error| tx.explain(error))
}

/// The setting named `name`, if there is one.
pub fn find(tx: &mut Tx<'_>, name: &str) -> Result<Option<Vec<u8>>, Error> {
    setting::table
        .filter(setting::name.eq(name))
        .select(setting::value)
        .first(tx.db)
        .optional()
        .map_err(|error| tx.explain(error))
}
