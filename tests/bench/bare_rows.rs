//! The rows of one person, to be inserted again and again with nothing around it: what a create costs at least.

use diesel::prelude::*;
use diesel::{PgConnection, SqliteConnection};

use super::Failure;

diesel::table! {
    resource (id) {
        id -> BigInt,
        tenant -> Integer,
        uuid -> Binary,
        kind -> SmallInt,
        account -> Bool,
        version -> BigInt,
        created -> BigInt,
        modified -> BigInt,
        document -> Text,
    }
}
diesel::table! {
    source_record (id) {
        id -> BigInt,
        resource -> BigInt,
        origin -> BigInt,
        system -> Text,
        external_id -> Nullable<Text>,
        first_seen -> BigInt,
        last_synced -> BigInt,
        claims -> Text,
    }
}
diesel::table! {
    attribute_index (resource, path, element, value) {
        resource -> BigInt,
        path -> Integer,
        element -> Integer,
        value -> Text,
    }
}
diesel::table! {
    unique_value (tenant, path, value) {
        tenant -> Integer,
        path -> Integer,
        value -> Text,
        resource -> BigInt,
    }
}
diesel::table! {
    event (seq) {
        seq -> BigInt,
        id -> Binary,
        tenant -> Integer,
        #[sql_name = "type"]
        type_ -> Text,
        resource_type -> Text,
        resource -> Binary,
        version -> Nullable<BigInt>,
        recorded -> BigInt,
        client -> Text,
        correlation -> Text,
        format -> SmallInt,
        key_id -> Text,
        body -> Binary,
    }
}

type ResourceRow = (i64, i32, Vec<u8>, i16, bool, i64, i64, i64, String);
type SourceRow = (String, Option<String>, i64, i64, String);
type EventRow = (
    i32,
    String,
    String,
    Option<i64>,
    i64,
    String,
    String,
    i16,
    String,
    Vec<u8>,
);

/// A person's rows in all tables.
#[derive(Clone)]
pub(crate) struct Rows {
    resource: ResourceRow,
    source: SourceRow,
    index: Vec<(i32, i32, String)>,
    unique: Vec<(i32, i32, String)>,
    event: EventRow,
    token: String,
}

/// Runs the same statements on whichever connection it is.
macro_rules! load {
    ($link:expr) => {{
        let link = $link;
        let first: ResourceRow = resource::table
            .filter(resource::kind.eq(1))
            .order(resource::id.asc())
            .first(link)?;
        let source = source_record::table
            .filter(source_record::resource.eq(first.0))
            .select((
                source_record::system,
                source_record::external_id,
                source_record::first_seen,
                source_record::last_synced,
                source_record::claims,
            ))
            .first(link)?;
        let index = attribute_index::table
            .filter(attribute_index::resource.eq(first.0))
            .select((
                attribute_index::path,
                attribute_index::element,
                attribute_index::value,
            ))
            .load(link)?;
        let unique = unique_value::table
            .filter(unique_value::resource.eq(first.0))
            .select((
                unique_value::tenant,
                unique_value::path,
                unique_value::value,
            ))
            .load(link)?;
        let event = event::table
            .filter(event::resource.eq(&first.2))
            .filter(event::version.eq(1))
            .select((
                event::tenant,
                event::type_,
                event::resource_type,
                event::version,
                event::recorded,
                event::client,
                event::correlation,
                event::format,
                event::key_id,
                event::body,
            ))
            .first(link)?;
        let document: serde_json::Value = serde_json::from_str(&first.8)?;
        let name = document["userName"].as_str().unwrap_or_default();
        let token = name.split('@').next().unwrap_or_default().to_owned();
        Ok(Rows {
            resource: first,
            source,
            index,
            unique,
            event,
            token,
        })
    }};
}

macro_rules! put_person {
    ($link:expr, $rows:expr, $renamed:expr) => {{
        let (rows, renamed) = ($rows, $renamed);
        let key = uuid::Uuid::new_v4().as_bytes().to_vec();
        let (_, tenant, _, kind, account, version, created, modified, document) = &rows.resource;
        let row: i64 = diesel::insert_into(resource::table)
            .values((
                resource::tenant.eq(tenant),
                resource::uuid.eq(&key),
                resource::kind.eq(kind),
                resource::account.eq(account),
                resource::version.eq(version),
                resource::created.eq(created),
                resource::modified.eq(modified),
                resource::document.eq(renamed(document)),
            ))
            .returning(resource::id)
            .get_result($link)?;
        let (system, external_id, first_seen, last_synced, claims) = &rows.source;
        diesel::insert_into(source_record::table)
            .values((
                source_record::resource.eq(row),
                source_record::origin.eq(row),
                source_record::system.eq(system),
                source_record::external_id.eq(external_id.as_deref().map(renamed)),
                source_record::first_seen.eq(first_seen),
                source_record::last_synced.eq(last_synced),
                source_record::claims.eq(renamed(claims)),
            ))
            .execute($link)?;
        let event = &rows.event;
        diesel::insert_into(event::table)
            .values((
                event::id.eq(uuid::Uuid::now_v7().as_bytes().to_vec()),
                event::tenant.eq(event.0),
                event::type_.eq(&event.1),
                event::resource_type.eq(&event.2),
                event::resource.eq(&key),
                event::version.eq(event.3),
                event::recorded.eq(event.4),
                event::client.eq(&event.5),
                event::correlation.eq(&event.6),
                event::format.eq(event.7),
                event::key_id.eq(&event.8),
                event::body.eq(&event.9),
            ))
            .execute($link)?;
        row
    }};
}

impl Rows {
    /// Those of the first person on SQLite.
    pub(crate) fn load_sqlite(link: &mut SqliteConnection) -> Result<Self, Failure> {
        load!(link)
    }

    /// Those of the first person on PostgreSQL.
    pub(crate) fn load_postgres(link: &mut PgConnection) -> Result<Self, Failure> {
        load!(link)
    }

    fn index_rows(&self, row: i64, renamed: impl Fn(&String) -> String) -> Vec<IndexValues> {
        let one = |(path, element, value): &(i32, i32, String)| {
            (
                attribute_index::resource.eq(row),
                attribute_index::path.eq(*path),
                attribute_index::element.eq(*element),
                attribute_index::value.eq(renamed(value)),
            )
        };
        self.index.iter().map(one).collect()
    }

    fn unique_rows(&self, row: i64, renamed: impl Fn(&String) -> String) -> Vec<UniqueValues> {
        let one = |(tenant, path, value): &(i32, i32, String)| {
            (
                unique_value::tenant.eq(*tenant),
                unique_value::path.eq(*path),
                unique_value::value.eq(renamed(value)),
                unique_value::resource.eq(row),
            )
        };
        self.unique.iter().map(one).collect()
    }

    /// Inserts them under another token, with the statements that SQLite keeps prepared: one a row.
    pub(crate) fn put_sqlite(
        &self,
        link: &mut SqliteConnection,
        token: &str,
    ) -> Result<(), Failure> {
        let renamed = |text: &String| text.replace(&self.token, token);
        let renamed_text = |text: &str| text.replace(&self.token, token);
        let row = put_person!(&mut *link, self, renamed_text);
        for values in self.index_rows(row, renamed) {
            diesel::insert_into(attribute_index::table)
                .values(values)
                .execute(link)?;
        }
        for values in self.unique_rows(row, renamed) {
            diesel::insert_into(unique_value::table)
                .values(values)
                .execute(link)?;
        }
        Ok(())
    }

    /// The same on PostgreSQL, where each statement is a round trip: one a table.
    pub(crate) fn put_postgres(&self, link: &mut PgConnection, token: &str) -> Result<(), Failure> {
        let renamed = |text: &String| text.replace(&self.token, token);
        let renamed_text = |text: &str| text.replace(&self.token, token);
        let row = put_person!(&mut *link, self, renamed_text);
        diesel::insert_into(attribute_index::table)
            .values(self.index_rows(row, renamed))
            .execute(link)?;
        diesel::insert_into(unique_value::table)
            .values(self.unique_rows(row, renamed))
            .execute(link)?;
        Ok(())
    }
}

type Eq<Column, Value> = diesel::dsl::Eq<Column, Value>;
type IndexValues = (
    Eq<attribute_index::resource, i64>,
    Eq<attribute_index::path, i32>,
    Eq<attribute_index::element, i32>,
    Eq<attribute_index::value, String>,
);
type UniqueValues = (
    Eq<unique_value::tenant, i32>,
    Eq<unique_value::path, i32>,
    Eq<unique_value::value, String>,
    Eq<unique_value::resource, i64>,
);
