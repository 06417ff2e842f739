//! Each tenant has a log of its own: what is done to one's is found there and named, and the other's is as sealed.

use std::fs;

use muster::domain::log::head::Head;
use muster::id::TenantId;
use muster::service::policy::Applied;
use muster::service::verify::Verified;
use serde_json::json;

use crate::support::policy::try_apply_to;
use crate::support::process::Process;
use crate::support::{App, Database, Engine, PATIENCE};
use crate::tampering::unlock;
use crate::{open, users};

#[test]
fn what_is_done_to_one_tenants_log_is_named_on_sqlite() {
    what_is_done_to_one_tenants_log_is_named(Engine::Sqlite);
}

#[test]
fn what_is_done_to_one_tenants_log_is_named_on_postgres() {
    what_is_done_to_one_tenants_log_is_named(Engine::Postgres);
}

/// Whose client may do everything in a tenant.
fn policy(tenant: &str, client: &str) -> String {
    format!(
        "version: 1\nsystems:\n  - {{ name: own, kind: idp, owner: IT }}\nroles:\n  all: [{{ types: [\"*\"], rights: [read, search, \
         write, delete] }}]\nclients:\n  - {{ name: own, issuer: \"ISSUER\", match: {{ claim: azp, equals: {client} }}, tenant: {tenant}, \
         system: own, roles: [all] }}\n"
    )
}

/// Events of the home tenant, and of the other, each beside the one of its policy.
const HOME: usize = 12;
const FOREIGN: usize = 5;

/// Waits until both tenants' events are under signed heads; the heads.
async fn signed(app: &App) -> Vec<Head> {
    let since = std::time::Instant::now();
    loop {
        let heads = app.service().log_heads().unwrap();
        let sizes: Vec<u64> = heads.iter().map(|head| head.size).collect();
        if sizes == [HOME as u64 + 1, FOREIGN as u64 + 1] {
            return heads;
        }
        assert!(since.elapsed() < PATIENCE, "{sizes:?}");
        actix_web::rt::time::sleep(std::time::Duration::from_millis(50)).await;
    }
}

/// Two logs, the other tenant's the shorter one, with the heads that were kept.
fn two_logs(engine: Engine) -> (Database, Vec<Head>) {
    let app = App::start(engine);
    let heads = actix_web::rt::System::new().block_on(async {
        for (tenant, client) in [("default", "hris"), ("other", "conformance")] {
            let applied = try_apply_to(&app, tenant, &policy(tenant, client));
            assert!(matches!(applied, Applied::Done { .. }), "{applied:?}");
        }
        users(&app.client("hris").await, "ann", HOME / 2).await;
        let foreign = app.client("conformance").await;
        for n in 0..FOREIGN {
            let name = format!("foreign-{n}");
            foreign.create("/Users", json!({"userName": name})).await;
        }
        users(&app.client("hris").await, "bob", HOME / 2).await;
        signed(&app).await
    });
    (app.leave(), heads)
}

fn verified(database: &Database, since: u64, heads: &[Head]) -> Vec<Verified> {
    let service = open(database);
    let logs = service.verify_log(since, heads).unwrap();
    service.close();
    logs
}

/// What `muster audit verify` says, and its exit code.
fn told(database: &Database, more: &[&str]) -> (Option<i32>, String) {
    let folder = database.folder().to_str().unwrap();
    let place = ["--data-dir", folder, "--database-url", database.url()];
    let output = Process::command(&[&["audit", "verify"], more, &place].concat());
    let text = [output.stdout, output.stderr].concat();
    (output.status.code(), String::from_utf8(text).unwrap())
}

/// From whichever size on, nothing is found: a shorter log that has not come so far is not wrong.
fn as_sealed(database: &Database, heads: &[Head]) {
    let kept = database.folder().join("kept.jsonl");
    let lines: Vec<String> = heads
        .iter()
        .map(|head| head.to_json().to_string())
        .collect();
    fs::write(&kept, lines.join("\n")).unwrap();
    let kept = kept.to_str().unwrap();
    for since in [0, 3, 8, HOME as u64] {
        let all = verified(database, since, heads);
        assert!(
            all.iter().all(|log| log.findings.is_empty()),
            "{since}: {all:?}"
        );
        let (code, said) = told(database, &["--since", &since.to_string(), "--head", kept]);
        assert_eq!(code, Some(0), "{said}");
        assert!(
            said.contains("13 events, as sealed") && said.contains("6 events, as sealed"),
            "{said}"
        );
    }
}

fn what_is_done_to_one_tenants_log_is_named(engine: Engine) {
    let (database, heads) = two_logs(engine);
    let other = heads[1].tenant;
    assert_ne!(other, TenantId(1));
    as_sealed(&database, &heads);
    let mut connection = database.connect();
    unlock(&mut connection);
    let (place, tenant) = (4, other.0);
    let of = format!("(SELECT seq FROM log_leaf WHERE tenant = {tenant} AND position = {place})");
    let id = match engine {
        Engine::Sqlite => "lower(hex(id))",
        Engine::Postgres => "encode(id, 'hex')",
    };
    let id = connection
        .texts(&format!("SELECT {id} AS t FROM event WHERE seq = {of}"))
        .remove(0);
    connection.run(&format!(
        "UPDATE event SET client = 'nobody' WHERE seq = {of}"
    ));
    for log in verified(&database, 0, &heads) {
        let found: Vec<_> = log
            .findings
            .iter()
            .map(|found| (found.tenant, found.position, found.event))
            .collect();
        if log.tenant == other {
            let named = found[0].2.unwrap().0.simple().to_string();
            assert_eq!(
                (found[0].0, found[0].1, named),
                (other, Some(place), id.clone()),
                "{log:?}"
            );
        } else {
            assert_eq!(found, [], "{log:?}");
        }
    }
    let (code, said) = told(&database, &[]);
    let named = format!("tenant {tenant}, position {place}, event ");
    assert!(
        code == Some(1) && said.contains(&named) && said.contains("13 events, as sealed"),
        "{said}"
    );
    connection.run(&format!("UPDATE event SET client = 'own' WHERE seq = {of}"));
    cut(&database, &heads, tenant);
    drop(connection);
    database.forget();
}

/// The other tenant's log is cut off with its heads: who has kept one elsewhere is told, from whichever size he looks.
fn cut(database: &Database, heads: &[Head], tenant: i32) {
    let mut connection = database.connect();
    let late = format!("tenant = {tenant} AND position >= 2");
    connection.run(&format!(
        "DELETE FROM event WHERE seq IN (SELECT seq FROM log_leaf WHERE {late})"
    ));
    for sql in [
        format!("DELETE FROM log_leaf WHERE {late}"),
        format!("DELETE FROM log_head WHERE tenant = {tenant} AND size > 2"),
        format!("DELETE FROM log_tree WHERE tenant = {tenant}"),
    ] {
        connection.run(&sql);
    }
    for since in [0, 1, 4] {
        let all = verified(database, since, heads);
        let found: Vec<_> = all.iter().flat_map(|log| &log.findings).collect();
        assert!(
            !found.is_empty() && found.iter().all(|found| found.tenant.0 == tenant),
            "{since}: {found:?}"
        );
    }
}
