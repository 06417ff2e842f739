//! What a list is ordered by, and how that reads in SQL (RFC 7644 §3.4.2.3).

use super::{KEY, Query};
use crate::domain::record::external_id_path;
use crate::domain::secrets::Secrets;
use crate::scim;
use crate::scim::list::Sort;
use crate::store::db::Dialect;
use crate::store::sql_nodes::Fragment;
use crate::store::sql_types::key;
use crate::store::{Error, Tx, attribute_path, rest};

/// The number of no path: of an attribute that no record has had yet.
const NOWHERE: i32 = -1;

/// An order of records. Among equals it is that of creation.
pub(super) enum Order {
    /// Of creation.
    Creation,
    /// Of a column of `resource` that always has a value.
    Column { column: Column, descending: bool },
    /// Of the values at a path of the attribute index.
    Value(Value),
}

/// A column of `resource`.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Column {
    Id,
    Created,
    Modified,
    /// When what is not classified last changed.
    Open,
}

/// The values at a path.
pub(super) struct Value {
    /// The interned path.
    pub(super) path: i32,
    /// That of `primary` beside it.
    primary: Option<i32>,
    /// Whether one record may have several.
    several: bool,
    /// Whether a record may have none.
    pub(super) optional: bool,
    pub(super) descending: bool,
}

impl Order {
    /// The order that a query asks for. What all records have alike makes no order.
    pub(super) fn of(tx: &mut Tx<'_>, query: &Query<'_>) -> Result<Self, Error> {
        let Some(sort) = query.sort else {
            return Ok(Self::Creation);
        };
        let Sort {
            location,
            descending,
            ..
        } = sort;
        let column = |column| Self::Column {
            column,
            descending: *descending,
        };
        let path = match (
            query.view.canonical(location),
            &*location.attribute,
            location.sub.as_deref(),
        ) {
            (Some(path), ..) => path.to_owned(),
            (None, "id", _) => return Ok(column(Column::Id)),
            (None, "meta", Some("created")) => return Ok(column(Column::Created)),
            (None, "meta", Some("lastModified")) if query.open_stamp => {
                return Ok(column(Column::Open));
            }
            (None, "meta", Some("lastModified")) => return Ok(column(Column::Modified)),
            (None, "externalId", _) => external_id_path(query.system),
            _ => return Ok(Self::Creation),
        };
        let whole = query.view.canonical(&location.whole()).unwrap_or(&path);
        let of = (query.tenant, query.view.kind);
        let secrets = rest::secrets(tx, of, &Secrets::default());
        if secrets.holds(&path) || secrets.holds(whole) {
            let reason = format!("'{location}' is secret, so it cannot be sorted by");
            return Err(Error::Filter(scim::Error::invalid_path(reason)));
        }
        let find = |tx: &mut Tx<'_>, path: &str| {
            attribute_path::find(tx, query.tenant, query.view.kind, path)
        };
        let number = find(tx, &path)?.unwrap_or(NOWHERE);
        let primary = match (location.sub.as_ref(), path.rsplit_once('.')) {
            (Some(_), Some((whole, _))) => find(tx, &format!("{whole}.primary"))?,
            _ => None,
        };
        let required = query.view.attribute(location).is_some_and(|attribute| {
            location.sub.is_none() && location.extension.is_none() && attribute.required
        });
        Ok(Self::Value(Value {
            path: number,
            primary,
            // A merge may have brought several records of one system together.
            several: sort.multi_valued || &*location.attribute == "externalId",
            optional: !required,
            descending: *descending,
        }))
    }
}

impl Column {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Id => "resource.uuid",
            Self::Created => "resource.created",
            Self::Modified => "resource.modified",
            Self::Open => "resource.modified_open",
        }
    }

    /// Its value as a position keeps it.
    pub(super) fn text(self, dialect: Dialect) -> String {
        match (self, dialect) {
            (Self::Id, Dialect::Sqlite) => "lower(hex(resource.uuid))".into(),
            (Self::Id, Dialect::Postgres) => "encode(resource.uuid, 'hex')".into(),
            _ => format!("CAST({} AS TEXT)", self.name()),
        }
    }

    /// Binds the value that a position keeps.
    pub(super) fn bind<T>(self, out: &mut Fragment<T>, text: &str) {
        match self {
            Self::Id => out.bytes(key(text.parse().unwrap_or_default())),
            _ => out.number(text.parse().unwrap_or(i64::MAX)),
        };
    }
}

impl Value {
    /// What a row `s` of the index is sorted by.
    pub(super) fn text() -> String {
        format!("substr(coalesce(s.whole, s.value), 1, {KEY})")
    }

    /// `AND …`: of several rows of one record, `s` is the one that it is sorted by: of the primary element, else of the
    /// first; where an element has several values, the least.
    pub(super) fn first<T>(&self, out: &mut Fragment<T>) {
        if !self.several {
            return;
        }
        let primary = self.primary.map_or_else(String::new, |primary| {
            format!(
                "(SELECT count(*) FROM attribute_index p WHERE p.resource = b.resource AND p.path = {primary} \
                 AND p.element = b.element AND p.value = 'true') DESC, "
            )
        });
        out.sql(&format!(
            " AND (s.element, s.value) = (SELECT b.element, b.value FROM attribute_index b \
             WHERE b.resource = s.resource AND b.path = {} \
             ORDER BY {primary}b.element ASC, coalesce(b.whole, b.value) ASC LIMIT 1)",
            self.path
        ));
    }

    /// `AND …`: the record has no value.
    pub(super) fn missing<T>(&self, out: &mut Fragment<T>) {
        out.sql(&format!(
            " AND NOT EXISTS (SELECT 1 FROM attribute_index s WHERE s.resource = resource.id AND s.path = {})",
            self.path
        ));
    }
}
