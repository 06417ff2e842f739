//! Records that are gone, standing again under their old numbers, so that what was sealed for them opens.

use chrono::{DateTime, Utc};
use diesel::prelude::*;

use super::schema::{person_key, resource};
use super::sql_types::{key, micros};
use super::{Error, Tx, counter};
use crate::domain::record::{Folded, Kind, Leaves};
use crate::domain::secrets::Secrets;
use crate::id::{ResourceId, TenantId};

/// A record that is gone: what it takes to have it stand again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gone {
    /// The tenant.
    pub tenant: TenantId,
    /// Its id.
    pub id: ResourceId,
    /// Its kind.
    pub kind: Kind,
    /// The number that it had.
    pub row: i64,
    /// The version that its end made.
    pub version: i64,
    /// When it was created.
    pub created: DateTime<Utc>,
}

/// Has a record stand again, as yet without values and sources.
pub fn stand(tx: &mut Tx<'_>, gone: &Gone, at: DateTime<Utc>) -> Result<Folded, Error> {
    let leaves = Leaves::new();
    let values = (
        resource::id.eq(gone.row),
        resource::tenant.eq(gone.tenant.0),
        resource::uuid.eq(key(gone.id.0)),
        resource::kind.eq(gone.kind.number()),
        resource::account.eq(false),
        resource::version.eq(gone.version),
        resource::created.eq(micros(gone.created)),
        resource::modified.eq(micros(at)),
        resource::modified_open.eq(micros(at)),
        resource::document.eq(serde_json::to_string(&leaves)?),
        resource::members.eq(0_i64),
    );
    diesel::insert_into(resource::table)
        .values(values)
        .execute(tx.db())
        .map_err(|error| tx.explain(error))?;
    counter::count(tx, gone.tenant, gone.kind, false, 1);
    Ok(Folded {
        row: gone.row,
        tenant: gone.tenant,
        id: gone.id,
        kind: gone.kind,
        version: gone.version,
        created: gone.created,
        modified: at,
        modified_open: at,
        leaves,
        sealed: Secrets::default(),
        members: 0,
    })
}

/// Whether the key of the person of that number is still there: without it nobody comes back.
pub fn has_key(tx: &mut Tx<'_>, row: i64) -> Result<bool, Error> {
    let count: i64 = person_key::table
        .find(row)
        .count()
        .get_result(tx.db())
        .map_err(|error| tx.explain(error))?;
    Ok(count > 0)
}
