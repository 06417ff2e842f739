//! One page of a filtered, sorted list, and how many match in all.

use std::cell::Cell;

use diesel::prelude::*;

use super::filter::Scope;
use super::record::{ResourceRow, folded};
use super::schema::resource;
use super::sql_nodes::Fragment;
use super::{Error, Tx, attribute_path};
use crate::domain::record::{Folded, external_id_path};
use crate::domain::view::View;
use crate::id::TenantId;
use crate::scim::filter::Condition;
use crate::scim::resource_type::Location;

/// What to list.
pub struct Query<'a> {
    /// The tenant.
    pub tenant: TenantId,
    /// The caller's source system, whose `externalId` is meant.
    pub system: &'a str,
    /// The view.
    pub view: &'a View,
    /// The start of every location.
    pub base_url: &'a str,
    /// Whether persons with an account are left out.
    pub without_accounts: bool,
    /// The filter.
    pub condition: Option<&'a Condition>,
    /// By what to sort, and whether downward; by creation without it.
    pub sort: Option<(&'a Location, bool)>,
    /// How many to leave out.
    pub offset: i64,
    /// How many to give.
    pub limit: i64,
}

/// How many match, and the page.
pub fn list(tx: &mut Tx<'_>, query: &Query<'_>) -> Result<(i64, Vec<Folded>), Error> {
    let scope = Scope {
        tenant: query.tenant,
        system: query.system,
        view: query.view,
        base_url: query.base_url,
        written: Cell::new(0),
        pinned: Cell::new(false),
    };
    let filter = query
        .condition
        .map(|condition| scope.compile(tx, condition))
        .transpose()?;
    let matching = || {
        let mut select = resource::table
            .filter(resource::tenant.eq(query.tenant.0))
            .filter(resource::kind.eq(query.view.kind.number()))
            .into_boxed();
        if query.view.accounts_only {
            // As text, so that the partial index on accounts is found.
            select = select.filter(literal("resource.account"));
        }
        if query.without_accounts {
            select = select.filter(literal("NOT resource.account"));
        }
        if let Some(filter) = filter.clone() {
            select = select.filter(filter);
        }
        select
    };
    let total: i64 = matching()
        .count()
        .get_result(tx.db)
        .map_err(|error| tx.explain(error))?;
    if query.limit == 0 || query.offset >= total {
        return Ok((total, Vec::new()));
    }
    let order = order(tx, query)?;
    let rows: Vec<ResourceRow> = matching()
        .order(order)
        .limit(query.limit)
        .offset(query.offset)
        .load(tx.db)
        .map_err(|error| tx.explain(error))?;
    Ok((
        total,
        rows.into_iter().map(folded).collect::<Result<_, _>>()?,
    ))
}

fn literal(sql: &str) -> Fragment {
    let mut out = Fragment::new();
    out.sql(sql);
    out
}

/// `ORDER BY`: missing values last upward, first downward; a multi-valued attribute by its primary element, else its first
/// (RFC 7644 §3.4.2.3). Among equals the order of creation, so that pages are stable.
fn order(tx: &mut Tx<'_>, query: &Query<'_>) -> Result<Fragment, Error> {
    let mut out = Fragment::new();
    if let Some((location, descending)) = query.sort {
        let direction = if descending {
            " DESC NULLS FIRST"
        } else {
            " ASC NULLS LAST"
        };
        if let Some(expression) = sort_value(tx, query, location)? {
            out.sql(&expression).sql(direction).sql(", ");
        }
    }
    out.sql("resource.id ASC");
    Ok(out)
}

fn sort_value(
    tx: &mut Tx<'_>,
    query: &Query<'_>,
    location: &Location,
) -> Result<Option<String>, Error> {
    let find =
        |tx: &mut Tx<'_>, path: &str| attribute_path::find(tx, query.tenant, query.view.kind, path);
    let (path, primary) = match query.view.canonical(location) {
        Some(path) => {
            let sibling = location.sub.as_ref().and_then(|_| path.rsplit_once('.'));
            let primary = match sibling {
                Some((whole, _)) => find(tx, &format!("{whole}.primary"))?,
                None => None,
            };
            (find(tx, path)?, primary)
        }
        None => match (&*location.attribute, location.sub.as_deref()) {
            ("id", _) => return Ok(Some("resource.uuid".into())),
            ("meta", Some("created")) => return Ok(Some("resource.created".into())),
            ("meta", Some("lastModified")) => return Ok(Some("resource.modified".into())),
            ("externalId", _) => (find(tx, &external_id_path(query.system))?, None),
            _ => return Ok(None),
        },
    };
    let Some(path) = path else { return Ok(None) };
    let first = primary.map_or_else(String::new, |primary| {
        format!(
            "(SELECT count(*) FROM attribute_index p WHERE p.resource = s.resource AND p.path = {primary} \
             AND p.element = s.element AND p.value = 'true') DESC, "
        )
    });
    Ok(Some(format!(
        "(SELECT coalesce(s.whole, s.value) FROM attribute_index s WHERE s.resource = resource.id \
         AND s.path = {path} ORDER BY {first}s.element ASC, coalesce(s.whole, s.value) ASC LIMIT 1)"
    )))
}
