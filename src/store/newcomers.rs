//! The records of creates that share a transaction, on PostgreSQL: all rows of all of them in one statement.

use diesel::PgConnection;
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::query_builder::{AstPass, QueryFragment, QueryId};
use diesel::sql_types::{Array, BigInt, Binary, Bool, Integer, Nullable, SmallInt, Text};

use super::event::EventRow;
use super::newcomer::Newcomer;

/// Inserts all rows of records whose numbers are known.
pub(super) fn insert(connection: &mut PgConnection, newcomers: &[Newcomer]) -> QueryResult<()> {
    All::of(newcomers).execute(connection).map(drop)
}

/// The rows, table by table and column by column.
#[derive(Default)]
struct All<'a> {
    resources: Resources<'a>,
    sources: Sources<'a>,
    index: Index<'a>,
    uniques: Vec<(i32, i32, &'a str, i64)>,
    keyed: (Vec<i64>, Vec<&'a [u8]>),
    events: Events<'a>,
    /// The columns of `uniques`.
    unique: Uniques<'a>,
}

#[derive(Default)]
struct Resources<'a> {
    rows: Vec<i64>,
    tenants: Vec<i32>,
    uuids: Vec<&'a [u8]>,
    kinds: Vec<i16>,
    accounts: Vec<bool>,
    at: Vec<i64>,
    documents: Vec<&'a str>,
    displays: Vec<Option<&'a str>>,
    members: Vec<i64>,
}

#[derive(Default)]
struct Sources<'a> {
    resources: Vec<i64>,
    systems: Vec<&'a str>,
    external_ids: Vec<Option<&'a str>>,
    first_seen: Vec<i64>,
    last_synced: Vec<i64>,
    claims: Vec<&'a str>,
}

#[derive(Default)]
struct Index<'a> {
    resources: Vec<i64>,
    paths: Vec<i32>,
    elements: Vec<i32>,
    values: Vec<&'a str>,
    wholes: Vec<Option<&'a str>>,
}

#[derive(Default)]
struct Uniques<'a> {
    tenants: Vec<i32>,
    paths: Vec<i32>,
    values: Vec<&'a str>,
    resources: Vec<i64>,
}

#[derive(Default)]
struct Events<'a> {
    ids: Vec<&'a [u8]>,
    tenants: Vec<i32>,
    types: Vec<&'a str>,
    resource_types: Vec<&'a str>,
    resources: Vec<&'a [u8]>,
    versions: Vec<Option<i64>>,
    recorded: Vec<i64>,
    clients: Vec<&'a str>,
    correlations: Vec<&'a str>,
    formats: Vec<i16>,
    key_ids: Vec<&'a str>,
    bodies: Vec<&'a [u8]>,
    purposes: Vec<Option<&'a str>>,
    attributes: Vec<Option<&'a str>>,
    persons: Vec<Option<&'a [u8]>>,
    applications: Vec<Option<&'a [u8]>>,
}

impl<'a> All<'a> {
    fn of(newcomers: &'a [Newcomer]) -> Self {
        let mut all = Self::default();
        for newcomer in newcomers {
            let row = newcomer.row.unwrap_or_default();
            all.resources.push(row, newcomer);
            all.sources.push(row, newcomer);
            all.index.push(row, newcomer);
            let tenant = newcomer.resource.tenant;
            let uniques = newcomer.fresh.uniques.iter();
            all.uniques
                .extend(uniques.map(|(path, value)| (tenant, *path, &**value, row)));
            if let Some(data_key) = &newcomer.data_key {
                all.keyed.0.push(row);
                all.keyed.1.push(data_key);
            }
            all.events.push(&newcomer.event);
        }
        // Who wants the same values at the same time asks for them in the same order, so that one waits for the other instead of
        // each for the other.
        all.uniques.sort_unstable();
        for (tenant, path, value, row) in &all.uniques {
            all.unique.tenants.push(*tenant);
            all.unique.paths.push(*path);
            all.unique.values.push(value);
            all.unique.resources.push(*row);
        }
        all
    }
}

impl<'a> Resources<'a> {
    fn push(&mut self, row: i64, newcomer: &'a Newcomer) {
        let resource = &newcomer.resource;
        self.rows.push(row);
        self.tenants.push(resource.tenant);
        self.uuids.push(&resource.uuid);
        self.kinds.push(resource.kind);
        self.accounts.push(resource.account);
        self.at.push(resource.at);
        self.documents.push(&resource.document);
        self.displays.push(resource.display.as_deref());
        self.members.push(resource.members);
    }

    fn walk<'b>(&'b self, out: &mut AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        out.push_sql(
            "INSERT INTO resource \
             (id, tenant, uuid, kind, account, version, created, modified, modified_open, document, display, members) \
             SELECT g.id, g.tenant, g.uuid, g.kind, g.account, 1, g.at, g.at, g.at, g.document, g.display, g.members \
             FROM unnest(",
        );
        out.push_bind_param::<Array<BigInt>, _>(&self.rows)?;
        out.push_sql(", ");
        out.push_bind_param::<Array<Integer>, _>(&self.tenants)?;
        out.push_sql(", ");
        out.push_bind_param::<Array<Binary>, _>(&self.uuids)?;
        out.push_sql(", ");
        out.push_bind_param::<Array<SmallInt>, _>(&self.kinds)?;
        out.push_sql(", ");
        out.push_bind_param::<Array<Bool>, _>(&self.accounts)?;
        out.push_sql(", ");
        out.push_bind_param::<Array<BigInt>, _>(&self.at)?;
        out.push_sql(", ");
        out.push_bind_param::<Array<Text>, _>(&self.documents)?;
        out.push_sql(", ");
        out.push_bind_param::<Array<Nullable<Text>>, _>(&self.displays)?;
        out.push_sql(", ");
        out.push_bind_param::<Array<BigInt>, _>(&self.members)?;
        out.push_sql(") AS g (id, tenant, uuid, kind, account, at, document, display, members)");
        Ok(())
    }
}

impl<'a> Sources<'a> {
    fn push(&mut self, row: i64, newcomer: &'a Newcomer) {
        let said = &newcomer.sources;
        self.resources.extend(said.systems.iter().map(|_| row));
        self.systems.extend(said.systems.iter().map(String::as_str));
        let external_ids = said.external_ids.iter();
        self.external_ids.extend(external_ids.map(Option::as_deref));
        self.first_seen.extend(&said.first_seen);
        self.last_synced.extend(&said.last_synced);
        self.claims.extend(said.claims.iter().map(String::as_str));
    }

    fn walk<'b>(&'b self, out: &mut AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        out.push_sql(
            "INSERT INTO source_record (resource, origin, system, external_id, first_seen, last_synced, claims) \
             SELECT g.resource, g.resource, g.system, g.external_id, g.first_seen, g.last_synced, g.claims FROM unnest(",
        );
        out.push_bind_param::<Array<BigInt>, _>(&self.resources)?;
        out.push_sql(", ");
        out.push_bind_param::<Array<Text>, _>(&self.systems)?;
        out.push_sql(", ");
        out.push_bind_param::<Array<Nullable<Text>>, _>(&self.external_ids)?;
        out.push_sql(", ");
        out.push_bind_param::<Array<BigInt>, _>(&self.first_seen)?;
        out.push_sql(", ");
        out.push_bind_param::<Array<BigInt>, _>(&self.last_synced)?;
        out.push_sql(", ");
        out.push_bind_param::<Array<Text>, _>(&self.claims)?;
        out.push_sql(") AS g (resource, system, external_id, first_seen, last_synced, claims)");
        Ok(())
    }
}

impl<'a> Index<'a> {
    fn push(&mut self, row: i64, newcomer: &'a Newcomer) {
        for (path, indexed) in newcomer.fresh.row_paths.iter().zip(&newcomer.fresh.rows) {
            self.resources.push(row);
            self.paths.push(*path);
            self.elements.push(indexed.element);
            self.values.push(&indexed.value);
            self.wholes.push(indexed.whole.as_deref());
        }
    }

    fn walk<'b>(&'b self, out: &mut AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        out.push_sql(
            "INSERT INTO attribute_index (resource, path, element, value, whole) SELECT * FROM unnest(",
        );
        out.push_bind_param::<Array<BigInt>, _>(&self.resources)?;
        out.push_sql(", ");
        out.push_bind_param::<Array<Integer>, _>(&self.paths)?;
        out.push_sql(", ");
        out.push_bind_param::<Array<Integer>, _>(&self.elements)?;
        out.push_sql(", ");
        out.push_bind_param::<Array<Text>, _>(&self.values)?;
        out.push_sql(", ");
        out.push_bind_param::<Array<Nullable<Text>>, _>(&self.wholes)?;
        out.push_sql(")");
        Ok(())
    }
}

impl Uniques<'_> {
    fn walk<'b>(&'b self, out: &mut AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        out.push_sql(
            "INSERT INTO unique_value (tenant, path, value, resource) SELECT * FROM unnest(",
        );
        out.push_bind_param::<Array<Integer>, _>(&self.tenants)?;
        out.push_sql(", ");
        out.push_bind_param::<Array<Integer>, _>(&self.paths)?;
        out.push_sql(", ");
        out.push_bind_param::<Array<Text>, _>(&self.values)?;
        out.push_sql(", ");
        out.push_bind_param::<Array<BigInt>, _>(&self.resources)?;
        out.push_sql(")");
        Ok(())
    }
}

impl<'a> Events<'a> {
    fn push(&mut self, event: &'a EventRow) {
        self.ids.push(&event.id);
        self.tenants.push(event.tenant);
        self.types.push(&event.type_);
        self.resource_types.push(&event.resource_type);
        self.resources.push(&event.resource);
        self.versions.push(event.version);
        self.recorded.push(event.recorded);
        self.clients.push(&event.client);
        self.correlations.push(&event.correlation);
        self.formats.push(event.format);
        self.key_ids.push(&event.key_id);
        self.bodies.push(&event.body);
        self.purposes.push(event.purpose.as_deref());
        self.attributes.push(event.attributes.as_deref());
        self.persons.push(event.person.as_deref());
        self.applications.push(event.application.as_deref());
    }

    fn walk<'b>(&'b self, out: &mut AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        out.push_sql(
            "INSERT INTO event (id, tenant, type, resource_type, resource, version, recorded, client, correlation, \
             format, key_id, body, purpose, attributes, person, application) SELECT * FROM unnest(",
        );
        out.push_bind_param::<Array<Binary>, _>(&self.ids)?;
        out.push_sql(", ");
        out.push_bind_param::<Array<Integer>, _>(&self.tenants)?;
        out.push_sql(", ");
        out.push_bind_param::<Array<Text>, _>(&self.types)?;
        out.push_sql(", ");
        out.push_bind_param::<Array<Text>, _>(&self.resource_types)?;
        out.push_sql(", ");
        out.push_bind_param::<Array<Binary>, _>(&self.resources)?;
        out.push_sql(", ");
        out.push_bind_param::<Array<Nullable<BigInt>>, _>(&self.versions)?;
        out.push_sql(", ");
        out.push_bind_param::<Array<BigInt>, _>(&self.recorded)?;
        out.push_sql(", ");
        out.push_bind_param::<Array<Text>, _>(&self.clients)?;
        out.push_sql(", ");
        out.push_bind_param::<Array<Text>, _>(&self.correlations)?;
        out.push_sql(", ");
        out.push_bind_param::<Array<SmallInt>, _>(&self.formats)?;
        out.push_sql(", ");
        out.push_bind_param::<Array<Text>, _>(&self.key_ids)?;
        out.push_sql(", ");
        out.push_bind_param::<Array<Binary>, _>(&self.bodies)?;
        out.push_sql(", ");
        out.push_bind_param::<Array<Nullable<Text>>, _>(&self.purposes)?;
        out.push_sql(", ");
        out.push_bind_param::<Array<Nullable<Text>>, _>(&self.attributes)?;
        out.push_sql(", ");
        out.push_bind_param::<Array<Nullable<Binary>>, _>(&self.persons)?;
        out.push_sql(", ");
        out.push_bind_param::<Array<Nullable<Binary>>, _>(&self.applications)?;
        out.push_sql(")");
        Ok(())
    }
}

impl QueryFragment<Pg> for All<'_> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        out.push_sql("WITH made AS (");
        self.resources.walk(&mut out)?;
        out.push_sql("), sources AS (");
        self.sources.walk(&mut out)?;
        out.push_sql("), indexed AS (");
        self.index.walk(&mut out)?;
        out.push_sql("), uniques AS (");
        self.unique.walk(&mut out)?;
        out.push_sql(
            "), keyed AS (INSERT INTO person_key (resource, wrapped) SELECT * FROM unnest(",
        );
        out.push_bind_param::<Array<BigInt>, _>(&self.keyed.0)?;
        out.push_sql(", ");
        out.push_bind_param::<Array<Binary>, _>(&self.keyed.1)?;
        out.push_sql(")) ");
        self.events.walk(&mut out)
    }
}

// The text never varies: a connection finds its prepared statement by the type.
impl QueryId for All<'_> {
    type QueryId = All<'static>;
}
impl RunQueryDsl<PgConnection> for All<'_> {}
