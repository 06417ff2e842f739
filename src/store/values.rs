//! A record's rows of the attribute index and of the table of unique values: only what differs is touched, many rows in one
//! statement.

use diesel::prelude::*;
use diesel::sql_types::Bool;

use super::db::on_both;
use super::schema::{attribute_index, unique_value};
use super::sql_nodes::Fragment;
use super::{Error, Tx, attribute_path};
use crate::domain::index::{self, Row, Unique};
use crate::domain::record::{Folded, Leaves};
use crate::domain::view::Specs;

/// Rows in one statement, far below the bind limits of both databases.
pub(super) const BATCH: usize = 1000;

/// Brings the index and the unique values from one set of folded values to another: only what differs is touched.
pub(super) fn put(
    tx: &mut Tx<'_>,
    specs: &Specs,
    record: &Folded,
    before: &Leaves,
    after: &Leaves,
) -> Result<(), Error> {
    let (old, new) = (index::rows(specs, before), index::rows(specs, after));
    let gone: Vec<&Row> = old.difference(&new).collect();
    remove_rows(tx, record, &gone)?;
    let fresh: Vec<&Row> = new.difference(&old).collect();
    put_rows(tx, record, &fresh)?;
    let (old, new) = (index::uniques(specs, before), index::uniques(specs, after));
    for Unique { path, value } in old.difference(&new) {
        let path = attribute_path::claim(tx, record.tenant, record.kind, path)?;
        let target = unique_value::table.find((record.tenant.0, path, value));
        diesel::delete(target)
            .execute(tx.db)
            .map_err(|error| tx.explain(error))?;
    }
    let mut fresh = Vec::new();
    for Unique { path, value } in new.difference(&old) {
        let path = attribute_path::claim(tx, record.tenant, record.kind, path)?;
        fresh.push((
            unique_value::tenant.eq(record.tenant.0),
            unique_value::path.eq(path),
            unique_value::value.eq(value.clone()),
            unique_value::resource.eq(record.row),
        ));
    }
    for values in fresh.chunks(BATCH) {
        let values = values.to_vec();
        on_both!(&mut *tx.db, connection => {
            diesel::insert_into(unique_value::table).values(values).execute(connection)
        })
        .map_err(|error| tx.explain(error))?;
    }
    Ok(())
}

/// Takes rows out of the index, many in one statement.
fn remove_rows(tx: &mut Tx<'_>, record: &Folded, rows: &[&Row]) -> Result<(), Error> {
    for rows in rows.chunks(BATCH) {
        let mut gone = Fragment::<Bool>::new();
        // Not a join: PostgreSQL would compare each of the record's rows with each of these.
        gone.sql(
            "((attribute_index.path, attribute_index.element, attribute_index.value) IN (VALUES ",
        );
        for (n, row) in rows.iter().enumerate() {
            let path = attribute_path::claim(tx, record.tenant, record.kind, &row.path)?;
            let comma = if n == 0 { "" } else { ", " };
            gone.sql(&format!("{comma}({path}, {}, ", row.element))
                .text(row.value.as_str())
                .sql(")");
        }
        gone.sql(")) IS TRUE");
        let target = attribute_index::table
            .filter(attribute_index::resource.eq(record.row))
            .filter(gone);
        diesel::delete(target)
            .execute(tx.db)
            .map_err(|error| tx.explain(error))?;
    }
    Ok(())
}

fn put_rows(tx: &mut Tx<'_>, record: &Folded, rows: &[&Row]) -> Result<(), Error> {
    let mut values = Vec::with_capacity(rows.len());
    for row in rows {
        values.push((
            attribute_index::resource.eq(record.row),
            attribute_index::path.eq(attribute_path::claim(
                tx,
                record.tenant,
                record.kind,
                &row.path,
            )?),
            attribute_index::element.eq(row.element),
            attribute_index::value.eq(row.value.clone()),
            attribute_index::whole.eq(row.whole.clone()),
        ));
    }
    for values in values.chunks(BATCH) {
        let values = values.to_vec();
        on_both!(&mut *tx.db, connection => {
            diesel::insert_into(attribute_index::table).values(values).execute(connection)
        })
        .map_err(|error| tx.explain(error))?;
    }
    Ok(())
}
