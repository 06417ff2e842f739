//! Reviews whose time is over.

use chrono::{DateTime, Utc};
use diesel::dsl::exists;
use diesel::prelude::*;

use super::schema::attribute_index;
use super::{Error, Tx, attribute_path};
use crate::domain::record::Kind;
use crate::id::TenantId;
use crate::scim::comparable::instant;

mod inner {
    use super::attribute_index;
    diesel::alias!(attribute_index as status: Status);
}
use inner::status;

/// The numbers of at most `limit` open reviews of a tenant that were to be decided before `now`, the longest due first.
pub fn overdue(
    tx: &mut Tx<'_>,
    tenant: TenantId,
    now: DateTime<Utc>,
    limit: i64,
) -> Result<Vec<i64>, Error> {
    let mut path = |name| attribute_path::find(tx, tenant, Kind::Review, name);
    let (Some(due), Some(state)) = (path("dueAt")?, path("status")?) else {
        return Ok(Vec::new());
    };
    let is_open = status
        .filter(
            status
                .field(attribute_index::resource)
                .eq(attribute_index::resource),
        )
        .filter(status.field(attribute_index::path).eq(state))
        .filter(status.field(attribute_index::value).eq("open"));
    attribute_index::table
        .filter(attribute_index::path.eq(due))
        .filter(attribute_index::value.lt(instant(now)))
        .filter(exists(is_open))
        .order((attribute_index::value, attribute_index::resource))
        .limit(limit)
        .select(attribute_index::resource)
        .load(tx.db())
        .map_err(|error| tx.explain(error))
}
