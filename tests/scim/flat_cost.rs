//! What a request costs does not grow with the number of persons: at two sizes it runs as many statements, and their plans
//! read as many rows. On PostgreSQL the rows are counted (`EXPLAIN ANALYZE`); SQLite tells its plan, which must search and
//! never scan.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use diesel::connection::{Instrumentation, InstrumentationEvent, set_default_instrumentation};
use serde_json::{Value, json};

use crate::crowd;
use crate::cursors::page;
use crate::support::database::Connection;
use crate::support::statements::is_nobodys;
use crate::support::{App, Engine, run};

/// The statements of the databases that are listened to.
static HEARD: Mutex<Option<HashMap<String, Vec<String>>>> = Mutex::new(None);

/// Writes down what one connection runs, if its database is listened to.
#[derive(Default)]
struct Recorder {
    database: String,
}

impl Instrumentation for Recorder {
    fn on_connection_event(&mut self, event: InstrumentationEvent<'_>) {
        match event {
            InstrumentationEvent::StartEstablishConnection { url, .. } => {
                self.database = within(url);
            }
            InstrumentationEvent::StartQuery { query, .. } if is_nobodys(&query.to_string()) => {}
            InstrumentationEvent::StartQuery { query, .. } => {
                let mut heard = HEARD.lock().unwrap_or_else(PoisonError::into_inner);
                if let Some(statements) = heard
                    .as_mut()
                    .and_then(|heard| heard.get_mut(&self.database))
                {
                    statements.push(query.to_string());
                }
            }
            _ => {}
        }
    }
}

#[expect(clippy::unnecessary_wraps, reason = "diesel asks for an Option")]
fn recorder() -> Option<Box<dyn Instrumentation>> {
    Some(Box::new(Recorder::default()))
}

/// The name that a test's database has in every spelling of its address.
fn within(url: &str) -> String {
    let start = url.find("muster_test_").unwrap_or(url.len());
    let is_name = |c: &char| c.is_ascii_alphanumeric() || *c == '_';
    url[start..].chars().take_while(is_name).collect()
}

fn name(app: &App) -> String {
    within(app.database.url())
}

fn listen(app: &App) {
    let mut heard = HEARD.lock().unwrap_or_else(PoisonError::into_inner);
    heard.get_or_insert_default().insert(name(app), Vec::new());
}

/// The queries since [`listen`]: what begins and ends transactions is none.
fn heard(app: &App) -> Vec<String> {
    let mut heard = HEARD.lock().unwrap_or_else(PoisonError::into_inner);
    let statements = heard.as_mut().and_then(|heard| heard.remove(&name(app)));
    let mut statements = statements.unwrap_or_default();
    statements.retain(|sql| sql.starts_with("SELECT"));
    statements
}

/// A statement with its values in it, as a client without parameters would send it.
fn spelled(statement: &str, engine: Engine) -> String {
    let (sql, binds) = statement
        .split_once("-- binds: ")
        .unwrap_or((statement, "[]"));
    let binds: Vec<Value> = serde_json::from_str(binds.trim()).expect(binds);
    let mut spelled = String::new();
    let mut rest = sql;
    let mut next = 0;
    let sign = if engine == Engine::Sqlite { '?' } else { '$' };
    while let Some((before, after)) = rest.split_once(sign) {
        spelled += before;
        let is_array = before.ends_with("ANY(");
        spelled += &literal(&binds[next], engine, is_array);
        next += 1;
        rest = after.trim_start_matches(|c: char| engine == Engine::Postgres && c.is_ascii_digit());
    }
    spelled + rest
}

fn literal(value: &Value, engine: Engine, is_array: bool) -> String {
    match value {
        Value::String(text) => format!("'{}'", text.replace('\'', "''")),
        Value::Array(elements) if is_array => {
            let elements: Vec<_> = elements.iter().map(Value::to_string).collect();
            format!("'{{{}}}'", elements.join(","))
        }
        Value::Array(bytes) => {
            let hex = bytes
                .iter()
                .map(|byte| format!("{:02x}", byte.as_u64().expect("a byte")));
            let hex = hex.collect::<Vec<_>>().concat();
            match engine {
                Engine::Sqlite => format!("X'{hex}'"),
                Engine::Postgres => format!("'\\x{hex}'::bytea"),
            }
        }
        other => other.to_string(),
    }
}

/// What the statements cost: their rows on PostgreSQL. On SQLite their number, after a look at their plans.
fn cost(connection: &mut Connection, statements: &[String], what: &str) -> f64 {
    let mut rows = 0.0;
    for statement in statements {
        match connection {
            Connection::Sqlite(_) => {
                let sql = spelled(statement, Engine::Sqlite);
                for line in plan(connection, &sql) {
                    let scans = line.contains("SCAN") && !OURS.iter().any(|own| line.contains(own));
                    let sorts = line.contains("TEMP B-TREE") && what.contains("page");
                    let everybody = line.ends_with("(tenant=? AND kind=?)");
                    let walks = everybody && !sql.contains("LIMIT") && !what.contains("half");
                    assert!(!scans && !sorts && !walks, "{what}: {line}\n{sql}");
                }
                rows += 1.0;
            }
            Connection::Postgres(_) => {
                let sql = spelled(statement, Engine::Postgres);
                let json = connection.texts(&format!(
                    "SELECT muster_explain({}) AS t",
                    literal(&sql.as_str().into(), Engine::Postgres, false)
                ));
                let json: Value = serde_json::from_str(&json[0]).expect("a plan");
                rows += read(&json[0]["Plan"]);
            }
        }
    }
    rows
}

/// What a plan may go through from end to end: results of its own that are bounded.
const OURS: [&str; 3] = ["SCAN found", "SCAN probe", "SCAN CONSTANT ROW"];

fn plan(connection: &mut Connection, sql: &str) -> Vec<String> {
    use diesel::QueryableByName;
    use diesel::sql_types::Text;
    #[derive(QueryableByName)]
    struct Line {
        #[diesel(sql_type = Text)]
        detail: String,
    }
    let sql = format!("EXPLAIN QUERY PLAN {sql}");
    let lines = crate::support::database::rows!(connection, Line, sql.as_str());
    lines.into_iter().map(|line| line.detail).collect()
}

/// The rows that a plan's nodes have read: given on or thrown away.
fn read(node: &Value) -> f64 {
    let number = |name: &str| node[name].as_f64().unwrap_or_default();
    let here = [
        "Actual Rows",
        "Rows Removed by Filter",
        "Rows Removed by Join Filter",
    ];
    let here: f64 = here.into_iter().map(number).sum();
    let below: f64 = node["Plans"]
        .as_array()
        .into_iter()
        .flatten()
        .map(read)
        .sum();
    here * number("Actual Loops") + below
}

/// At sizes that a test can afford PostgreSQL would rather scan; asked is whether there is a way without.
const EXPLAIN: &str = "CREATE FUNCTION muster_explain(statement TEXT) RETURNS TEXT LANGUAGE plpgsql AS $$ \
    DECLARE answer JSON; BEGIN \
      SET LOCAL enable_seqscan = off; SET LOCAL jit = off; \
      EXECUTE 'EXPLAIN (ANALYZE, TIMING OFF, FORMAT JSON) ' || statement INTO answer; RETURN answer; END $$";

/// The requests, by what they are, with what comes after `?`; empty for a GET by id.
const REQUESTS: [(&str, &str); 13] = [
    ("get by id", ""),
    ("userName", "filter=userName eq \"user007919\""),
    (
        "work e-mail",
        "filter=emails[type eq \"work\" and value eq \"work7919@example.com\"]",
    ),
    (
        "the same fifty",
        "filter=urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department eq \"Observatory\" and not (title sw \"Title 1\")",
    ),
    ("first page", "count=20"),
    ("first page by userName", "count=20&sortBy=userName"),
    (
        "first page by userName downward",
        "count=20&sortBy=userName&sortOrder=descending",
    ),
    ("first page by title", "count=20&sortBy=title"),
    (
        "first page by modified",
        "count=20&sortBy=meta.lastModified&sortOrder=descending",
    ),
    ("page in the middle", "cursor&count=20"),
    (
        "page in the middle by userName",
        "cursor&count=20&sortBy=userName",
    ),
    (
        "page of half of all",
        "cursor&count=20&filter=active eq true",
    ),
    ("index page deep in a walk", "count=20"),
];

async fn costs(app: &App, size: usize, id: &str) -> Vec<(Vec<String>, f64)> {
    let service = app.service();
    let context = crowd::context(app, "walker", &crowd::grants());
    let mut connection = app.database.connect();
    // PostgreSQL does so by itself; a SQLite in the field has no statistics.
    if app.database.engine() == Engine::Postgres {
        connection.run("ANALYZE");
    }
    let mut found = Vec::new();
    for (what, query) in REQUESTS {
        // Walks there first: half the way by cursor, nine tenths by index.
        let mut query = query.to_owned();
        if what.contains("middle") || what.contains("half") {
            let mut seen = 0;
            let whole = query.clone();
            while seen < size / 4 {
                let found = page(service, &context, &query).await.unwrap();
                seen += found.resources.len();
                let next = found.next_cursor.expect("a next page");
                query = whole.replacen("cursor", &format!("cursor={next}"), 1);
            }
        }
        if what.contains("deep") {
            let mut start = 1;
            while start + 20 <= size * 9 / 10 {
                let query = format!("{query}&startIndex={start}");
                start += page(service, &context, &query)
                    .await
                    .unwrap()
                    .resources
                    .len();
            }
            query = format!("{query}&startIndex={start}");
        }
        // What the server notes of its own each second may come between, and not each time.
        let mut statements = Vec::new();
        for _ in 0..6 {
            actix_web::rt::time::sleep(Duration::from_millis(10)).await;
            listen(app);
            if query.is_empty() {
                let projection = muster::scim::projection::Projection::default();
                let got = service.get(&context, "/Users", id, &projection).await;
                got.unwrap();
            } else {
                let found = page(service, &context, &query).await.unwrap();
                assert!(!found.resources.is_empty(), "{what}");
            }
            let heard = heard(app);
            assert!(!heard.is_empty(), "{what}");
            if statements.is_empty() || heard.len() < statements.len() {
                statements = heard;
            }
        }
        let cost = cost(&mut connection, &statements, what);
        found.push((statements, cost));
    }
    found
}

/// On PostgreSQL a newcomer asks once: whether anybody has what it brings, and for its number.
async fn a_newcomer_asks_once(app: &App) {
    let context = crowd::context(app, "walker", &crowd::grants());
    // The first of a kind also names its paths.
    let first = [crowd::member(1), crowd::member(2)].into_iter();
    crowd::create(app.service(), &context, first).await;
    let mut asked = Vec::new();
    for n in 3..6 {
        listen(app);
        crowd::create(app.service(), &context, [crowd::member(n)].into_iter()).await;
        asked.push(heard(app));
    }
    let least = asked.iter().map(Vec::len).min();
    assert_eq!(least, Some(1), "{asked:#?}");
}

async fn no_request_costs_more_among_more_persons(app: &App) {
    const SIZES: [usize; 2] = [200, 1600];
    if app.database.engine() == Engine::Postgres {
        app.database.connect().run(EXPLAIN);
    }
    let context = crowd::context(app, "walker", &crowd::grants());
    let few = (0..SIZES[0]).map(crowd::member);
    let id = crowd::create(app.service(), &context, few)
        .await
        .swap_remove(70);
    let small = costs(app, SIZES[0], &id).await;
    let rest = (SIZES[0]..SIZES[1]).map(crowd::member);
    crowd::create(app.service(), &context, rest).await;
    let large = costs(app, SIZES[1], &id).await;
    let mut grown = Vec::new();
    for (n, (what, _)) in REQUESTS.iter().enumerate() {
        let ((before, few), (after, many)) = (&small[n], &large[n]);
        assert!(*few > 0.0 && *many > 0.0, "{what} reads nothing");
        let bounded = *many <= few * 1.3 + 40.0 || what.contains("half");
        if before.len() != after.len() || !bounded {
            grown.push(format!(
                "{what}: {few} rows, then {many}: {before:#?}, then {after:#?}"
            ));
        }
    }
    assert!(grown.is_empty(), "{grown:#?}");
}

/// How many rows PostgreSQL has read from the beginning of a table on, by table. What a session has read is known when it
/// has ended; the server makes itself new ones.
const SCANNED: &str = "SELECT relname || ': ' || seq_tup_read AS t FROM pg_stat_user_tables \
     WHERE seq_tup_read > 0 AND relname IN ('resource', 'source_record', 'attribute_index', 'unique_value', 'group_member', 'event')";
const END_SESSIONS: &str = "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity \
     WHERE datname = current_database() AND pid <> pg_backend_pid()";

/// The plans of a write are kept, and made while the tables are nearly empty, when reading them whole would be as good.
#[test]
fn no_plan_of_a_write_is_one_for_small_tables() {
    run(Engine::Postgres, async |app: &App| {
        let hris = app.client("hris").await;
        let group = hris.create("/Groups", json!({"displayName": "Apes"})).await;
        let group = format!("/Groups/{}", group["id"].as_str().unwrap());
        for n in 0..40 {
            let name = format!("ada{n}");
            let user = json!({"userName": name, "externalId": name, "emails": [{"value": format!("{name}@north.example")}]});
            let user = hris.create("/Users", user).await;
            let path = format!("/Users/{}", user["id"].as_str().unwrap());
            let nick = json!([{"op": "add", "path": "nickName", "value": name}]);
            hris.patch(&path, nick).await.ok(200);
            let member =
                json!([{"op": "add", "path": "members", "value": [{"value": user["id"]}]}]);
            hris.patch(&group, member).await.ok(200);
            if n % 2 == 0 {
                hris.delete(&path).await.ok(204);
            }
        }
        let mut connection = app.database.connect();
        connection.run(END_SESSIONS);
        assert_eq!(connection.texts(SCANNED), [""; 0]);
    });
}

#[test]
fn sqlite() {
    set_default_instrumentation(recorder).expect("nobody has panicked");
    run(Engine::Sqlite, no_request_costs_more_among_more_persons);
}

#[test]
fn postgres() {
    set_default_instrumentation(recorder).expect("nobody has panicked");
    run(Engine::Postgres, no_request_costs_more_among_more_persons);
}

#[test]
fn a_newcomer_asks_once_on_postgres() {
    set_default_instrumentation(recorder).expect("nobody has panicked");
    run(Engine::Postgres, a_newcomer_asks_once);
}
