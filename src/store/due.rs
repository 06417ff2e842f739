//! Records whose day has come.

use chrono::{DateTime, Utc};
use diesel::prelude::*;

use super::schema::attribute_index;
use super::{Error, Tx, attribute_path};
use crate::domain::lifecycle::dated;
use crate::domain::record::Kind;
use crate::id::TenantId;
use crate::scim::comparable::instant;

mod inner {
    use super::attribute_index;
    diesel::alias!(attribute_index as status: Status);
}
use inner::status;

/// The numbers of at most `limit` employments each that are Pending and begin on `today` (YYYY-MM-DD) or before, that have not
/// ended and were to end before it, or of which something changes by then.
pub fn employments(
    tx: &mut Tx<'_>,
    tenant: TenantId,
    today: &str,
    limit: i64,
) -> Result<Vec<i64>, Error> {
    let mut path = |name| attribute_path::find(tx, tenant, Kind::Employment, name);
    let Some(state) = path("status")? else {
        return Ok(Vec::new());
    };
    let (start, end) = (path("startDate")?, path("endDate")?);
    let next = path(dated::NEXT)?;
    let stands = |words: &[&'static str]| {
        status
            .filter(
                status
                    .field(attribute_index::resource)
                    .eq(attribute_index::resource),
            )
            .filter(status.field(attribute_index::path).eq(state))
            .filter(status.field(attribute_index::value).eq_any(words.to_vec()))
    };
    let mut found: Vec<i64> = Vec::new();
    if let Some(start) = start {
        found = attribute_index::table
            .filter(attribute_index::path.eq(start))
            .filter(attribute_index::value.le(today))
            .filter(diesel::dsl::exists(stands(&["pending"])))
            .limit(limit)
            .select(attribute_index::resource)
            .load(tx.db())
            .map_err(|error| tx.explain(error))?;
    }
    if let Some(end) = end {
        let ended: Vec<i64> = attribute_index::table
            .filter(attribute_index::path.eq(end))
            .filter(attribute_index::value.lt(today))
            .filter(diesel::dsl::exists(stands(&[
                "pending", "active", "inactive",
            ])))
            .limit(limit)
            .select(attribute_index::resource)
            .load(tx.db())
            .map_err(|error| tx.explain(error))?;
        found.extend(ended);
    }
    if let Some(next) = next {
        let changing: Vec<i64> = attribute_index::table
            .filter(attribute_index::path.eq(next))
            .filter(attribute_index::value.le(today))
            .limit(limit)
            .select(attribute_index::resource)
            .load(tx.db())
            .map_err(|error| tx.explain(error))?;
        found.extend(changing);
    }
    found.sort_unstable();
    found.dedup();
    Ok(found)
}

/// The numbers of at most `limit` applications whose satisfied tier counted until `now` or before.
pub fn applications(
    tx: &mut Tx<'_>,
    tenant: TenantId,
    now: DateTime<Utc>,
    limit: i64,
) -> Result<Vec<i64>, Error> {
    let path = "verificationValidUntil";
    let Some(until) = attribute_path::find(tx, tenant, Kind::Application, path)? else {
        return Ok(Vec::new());
    };
    attribute_index::table
        .filter(attribute_index::path.eq(until))
        .filter(attribute_index::value.le(instant(now)))
        .limit(limit)
        .select(attribute_index::resource)
        .load(tx.db())
        .map_err(|error| tx.explain(error))
}
