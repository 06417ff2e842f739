//! What holds of every database after whatever has happened to it (design §4, §5).

use std::collections::{BTreeMap, BTreeSet};

use diesel::QueryableByName;
use diesel::sql_types::{BigInt, Integer, Nullable, SmallInt, Text};
use muster::domain::catalog::Catalog;
use muster::domain::contract::event_types;
use muster::domain::index::{self, Row, Unique};
use muster::domain::record::{Kind, Leaves, display, has_account};
use muster::domain::secrets::Secrets;

use super::database::{Connection, rows};

/// Columns that name a record by its number.
const REFERENCES: [(&str, &str); 7] = [
    ("blind_index", "resource"),
    ("attribute_index", "resource"),
    ("unique_value", "resource"),
    ("unique_beside", "resource"),
    ("source_record", "resource"),
    ("group_member", "grp"),
    ("group_member", "member"),
];

/// Checks everything.
pub(crate) fn check(connection: &mut Connection) {
    every_version_has_exactly_one_event(connection);
    what_is_gone_ended_with_its_event(connection);
    no_row_is_of_a_record_that_is_gone(connection);
    index_and_unique_values_agree_with_the_documents(connection);
    every_group_knows_how_many_members_it_has(connection);
    the_counters_agree_with_the_records(connection);
    the_log_has_no_gaps(connection);
    every_type_of_event_is_published(connection);
}

/// whoever reads the log finds a contract for each event.
fn every_type_of_event_is_published(connection: &mut Connection) {
    let known = event_types();
    let types = connection.texts("SELECT DISTINCT type AS t FROM event");
    let unknown: Vec<&String> = types.iter().filter(|ty| !known.contains(ty)).collect();
    assert!(
        unknown.is_empty(),
        "types of event that src/domain/contract/events.rs does not name: {unknown:?}"
    );
}

/// What is sealed is there, and its positions are gapless from 0.
fn the_log_has_no_gaps(connection: &mut Connection) {
    let wrong = connection.number(
        "SELECT count(*) AS n FROM (\
           SELECT position, row_number() OVER (PARTITION BY tenant ORDER BY position) AS place FROM log_leaf\
         ) leaves WHERE position <> place - 1",
    );
    assert_eq!(wrong, 0, "leaves after a gap");
    let wrong = connection.number(
        "SELECT count(*) AS n FROM log_leaf l WHERE NOT EXISTS (\
           SELECT 1 FROM event e WHERE e.seq = l.seq AND e.id = l.event AND e.tenant = l.tenant)",
    );
    assert_eq!(wrong, 0, "leaves without their events");
    let wrong = connection.number(
        "SELECT count(*) AS n FROM log_tree t WHERE t.size <> (\
           SELECT count(*) FROM log_leaf l WHERE l.tenant = t.tenant)",
    );
    assert_eq!(wrong, 0, "trees of another size than their leaves");
}

/// Nothing is left to be sealed once a server has stopped in good order.
pub(crate) fn every_event_is_sealed(connection: &mut Connection) {
    let unsealed = connection.number(
        "SELECT count(*) AS n FROM event e WHERE NOT EXISTS (SELECT 1 FROM log_leaf l WHERE l.seq = e.seq)",
    );
    assert_eq!(unsealed, 0, "events without a leaf");
}

fn every_version_has_exactly_one_event(connection: &mut Connection) {
    let wrong = connection.texts(
        "SELECT cast(r.id AS text) AS t FROM resource r WHERE r.version <> (\
           SELECT count(DISTINCT e.version) FROM event e WHERE e.tenant = r.tenant AND e.resource = r.uuid \
           AND e.version BETWEEN 1 AND r.version) \
         OR r.version <> (\
           SELECT count(e.version) FROM event e WHERE e.tenant = r.tenant AND e.resource = r.uuid)",
    );
    assert!(
        wrong.is_empty(),
        "records whose versions and events do not match: {wrong:?}"
    );
}

fn what_is_gone_ended_with_its_event(connection: &mut Connection) {
    let wrong = connection.number(
        "SELECT count(*) AS n FROM (\
           SELECT tenant, resource, max(version) AS last, count(version) AS versions FROM event \
           WHERE type <> 'policy.applied' AND version IS NOT NULL GROUP BY tenant, resource\
         ) story WHERE NOT EXISTS (\
           SELECT 1 FROM resource r WHERE r.tenant = story.tenant AND r.uuid = story.resource) \
         AND (story.versions <> story.last OR NOT EXISTS (\
           SELECT 1 FROM event e WHERE e.tenant = story.tenant AND e.resource = story.resource \
           AND e.version = story.last AND (e.type LIKE '%.deleted' OR e.type IN ('person.erased', 'person.merged.into'))))",
    );
    assert_eq!(
        wrong, 0,
        "records that are gone without an event that says so"
    );
}

fn no_row_is_of_a_record_that_is_gone(connection: &mut Connection) {
    for (table, column) in REFERENCES {
        let orphans = connection.number(&format!(
            "SELECT count(*) AS n FROM {table} x WHERE NOT EXISTS (SELECT 1 FROM resource r WHERE r.id = x.{column})"
        ));
        assert_eq!(orphans, 0, "rows of {table} whose {column} is gone");
    }
}

#[derive(QueryableByName)]
struct ResourceRow {
    #[diesel(sql_type = BigInt)]
    id: i64,
    #[diesel(sql_type = SmallInt)]
    kind: i16,
    #[diesel(sql_type = BigInt)]
    account: i64,
    #[diesel(sql_type = Text)]
    document: String,
    #[diesel(sql_type = Nullable<Text>)]
    display: Option<String>,
}

#[derive(QueryableByName)]
struct IndexRow {
    #[diesel(sql_type = BigInt)]
    resource: i64,
    #[diesel(sql_type = Text)]
    name: String,
    #[diesel(sql_type = Integer)]
    element: i32,
    #[diesel(sql_type = Text)]
    value: String,
    #[diesel(sql_type = Nullable<Text>)]
    whole: Option<String>,
}

#[derive(QueryableByName)]
struct UniqueRow {
    #[diesel(sql_type = BigInt)]
    resource: i64,
    #[diesel(sql_type = Text)]
    name: String,
    #[diesel(sql_type = Text)]
    value: String,
}

/// The rows of the attribute index, by the number of their record.
fn index_rows(connection: &mut Connection) -> BTreeMap<i64, BTreeSet<Row>> {
    let mut kept: BTreeMap<i64, BTreeSet<Row>> = BTreeMap::new();
    for row in rows!(
        &mut *connection,
        IndexRow,
        "SELECT i.resource, p.name, i.element, i.value, i.whole FROM attribute_index i \
         JOIN attribute_path p ON p.id = i.path"
    ) {
        let IndexRow {
            resource,
            name: path,
            element,
            value,
            whole,
        } = row;
        kept.entry(resource).or_default().insert(Row {
            path,
            element,
            value,
            whole,
        });
    }
    kept
}

/// The unique values, by the number of the record that holds them.
fn unique_rows(connection: &mut Connection) -> BTreeMap<i64, BTreeSet<Unique>> {
    let mut kept: BTreeMap<i64, BTreeSet<Unique>> = BTreeMap::new();
    for row in rows!(
        &mut *connection,
        UniqueRow,
        "SELECT u.resource, p.name, u.value FROM (SELECT resource, path, value FROM unique_value UNION ALL \
         SELECT resource, path, value FROM unique_beside) u JOIN attribute_path p ON p.id = u.path"
    ) {
        let UniqueRow {
            resource,
            name: path,
            value,
        } = row;
        kept.entry(resource)
            .or_default()
            .insert(Unique { path, value });
    }
    kept
}

/// A write touches only the rows that differ: after any number of writes they are what the document alone asks for.
fn index_and_unique_values_agree_with_the_documents(connection: &mut Connection) {
    let catalog = Catalog::load().expect("the schema files are sound");
    let resources = rows!(
        &mut *connection,
        ResourceRow,
        "SELECT id, kind, CASE WHEN account THEN cast(1 AS bigint) ELSE cast(0 AS bigint) END AS account, document, display \
         FROM resource"
    );
    let mut kept_rows = index_rows(connection);
    let mut kept_uniques = unique_rows(connection);
    for ResourceRow {
        id,
        kind,
        account,
        document,
        display: called,
    } in resources
    {
        let kind = Kind::from_number(kind).expect("a known kind");
        let mut leaves: Leaves = serde_json::from_str(&document).expect("a document is JSON");
        let sealed = leaves.remove("").is_some();
        let specs = catalog.specs(kind);
        assert_eq!(account == 1, has_account(&leaves), "account of record {id}");
        assert_eq!(called.as_deref(), display(&leaves), "name of record {id}");
        let mut kept = kept_rows.remove(&id).unwrap_or_default();
        let plain = index::rows(specs, &leaves, &Secrets::default());
        if sealed {
            // Of what is sealed the index has that it is there, and no value.
            kept.retain(|row| plain.contains(row) || !row.value.is_empty() || row.whole.is_some());
        }
        assert_eq!(kept, plain, "index of record {id}");
        let uniques = kept_uniques.remove(&id).unwrap_or_default();
        assert_eq!(
            uniques,
            index::uniques(specs, &leaves),
            "unique values of record {id}"
        );
    }
}

fn every_group_knows_how_many_members_it_has(connection: &mut Connection) {
    let wrong = connection.texts(
        "SELECT cast(id AS text) AS t FROM resource WHERE members <> (\
           SELECT count(*) FROM group_member WHERE grp = resource.id)",
    );
    assert!(
        wrong.is_empty(),
        "groups that miscount their members: {wrong:?}"
    );
}

/// Whatever was rolled back, retried or refused, the counters say how many records there are.
fn the_counters_agree_with_the_records(connection: &mut Connection) {
    let wrong = connection.texts(
        "SELECT cast(c.tenant AS text) || ' ' || cast(c.kind AS text) AS t FROM (\
           SELECT tenant, kind, account, sum(n) AS n FROM (\
             SELECT tenant, kind, account, n FROM record_count \
             UNION ALL SELECT tenant, kind, account, -count(*) FROM resource GROUP BY tenant, kind, account\
           ) both_sides GROUP BY tenant, kind, account\
         ) c WHERE c.n <> 0",
    );
    assert!(
        wrong.is_empty(),
        "tenants and kinds that are counted wrong: {wrong:?}"
    );
}
