//! Tokens of the server's own issuer, for callers that can only hold a bearer (M-05): issued and revoked by command, in every
//! process, and warned of before their end.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

use chrono::TimeDelta;
use muster::clock::Clock;
use muster::config::OwnIssuer;
use muster::id::{RandomIds, ResourceId};
use muster::issuer::own::{Grant, Own};
use muster::service::token::{Issued, Request, Which};
use muster::service::{Error, Muster};
use serde_json::Value;

use crate::rules::{POLICY, apply};
use crate::support::policy::try_apply_to;
use crate::support::{App, Client, Engine, PATIENCE, client};

/// How callers reach the server, and the issuer below it.
const PUBLIC: &str = "https://people.example/scim/v2";
const OWN: &str = "https://people.example/issuer";
/// Tokens made by command are of the real year, and the tests' clock is years ahead.
const MOST_DAYS: u16 = 4000;

macro_rules! on_both {
    ($($case:ident),* $(,)?) => {
        $(mod $case {
            #[test]
            fn sqlite() {
                super::run(super::Engine::Sqlite, super::$case);
            }

            #[test]
            fn postgres() {
                super::run(super::Engine::Postgres, super::$case);
            }
        })*
    };
}

on_both!(
    a_token_is_issued_used_and_logged_without_itself,
    a_token_ends,
    a_revoked_token_is_out_though_it_was_verified_before,
    what_another_process_revokes_is_out_here_too,
    what_was_never_issued_is_refused_whoever_signed_it,
    a_replaced_key_goes_on_to_vouch_for_what_it_signed,
    a_token_is_of_its_client_and_tenant_alone,
    a_disabled_client_is_out_with_its_token,
    tokens_are_issued_listed_and_revoked_by_command,
    nobody_gets_a_token_for_nobody_or_for_too_long,
    the_end_of_a_token_is_warned_of_by_the_clock,
);

fn key(folder: &Path) -> PathBuf {
    folder.join("issuer-key.pem")
}

/// The key whose place that has taken.
fn replaced(folder: &Path) -> PathBuf {
    let path = folder.join("replaced-key.pem");
    Own::open(&path, OWN.into(), "muster".into()).unwrap();
    path
}

fn run(engine: Engine, case: impl AsyncFnOnce(&App)) {
    let app = App::start_with(engine, |config, folder| {
        config.server.public_url = Some(PUBLIC.into());
        config.own_issuer = Some(OwnIssuer {
            key: key(folder),
            previous: vec![replaced(folder)],
            audience: "muster".into(),
            most_days: MOST_DAYS,
        });
    });
    actix_web::rt::System::new().block_on(case(&app));
    app.finish();
}

/// The policy with a client that can only hold a bearer.
fn policy() -> String {
    let row = format!(
        "clients:\n  - {{ name: okta, issuer: \"{OWN}\", match: {{ claim: azp, equals: okta }}, tenant: default, system: idp, \
         roles: [people] }}\n"
    );
    POLICY.replace("clients:\n", &row)
}

fn by_itself<T: Send + 'static>(app: &App, work: impl FnOnce(Muster) -> T + Send + 'static) -> T {
    let service = app.service().clone();
    std::thread::spawn(move || work(service)).join().unwrap()
}

fn request(tenant: &str, client: &str, days: u16) -> Request {
    Request {
        tenant: tenant.into(),
        client: client.into(),
        days,
        most_days: MOST_DAYS,
        issuer: OWN.into(),
        configured: false,
    }
}

fn try_issue(app: &App, request: Request) -> Result<Issued, Error> {
    let now = app.clock.now();
    by_itself(app, move |service| {
        service.issue_token(&request, "kim", now)
    })
}

/// Signs a token as the server's own issuer does: whoever has the key file can.
fn signed(app: &App, issued: &Issued, id: ResourceId, client: &str) -> String {
    signed_by(&key(app.database.folder()), issued, id, client)
}

fn signed_by(key: &Path, issued: &Issued, id: ResourceId, client: &str) -> String {
    let own = Own::open(key, OWN.into(), "muster".into()).unwrap();
    let grant = Grant {
        id,
        tenant: "default",
        client,
        issued: issued.issued,
        expires: issued.expires,
    };
    own.issue(&grant).unwrap().reveal().to_owned()
}

fn bearer(app: &App, token: &str) -> Client {
    Client::new(client::http(), app.scim(), Some(token.to_owned()))
}

/// A token for so many days, and who has it.
fn holder(app: &App, days: u16) -> (Issued, String, Client) {
    let issued = try_issue(app, request("default", "okta", days)).unwrap();
    let token = signed(app, &issued, issued.id, "okta");
    let client = bearer(app, &token);
    (issued, token, client)
}

fn revoke(app: &App, which: Which) -> Result<usize, Error> {
    let now = app.clock.now();
    by_itself(app, move |service| {
        service.revoke_tokens(&which, "sam", now)
    })
}

fn told(app: &App, id: ResourceId) -> Vec<String> {
    let events = app.events_of(&id.to_string());
    let line = |event: &Value| {
        format!(
            "{} {} by {}",
            event["type"].as_str().unwrap(),
            event["detail"]["client"].as_str().unwrap(),
            event["actor"].as_str().unwrap()
        )
    };
    events.iter().map(line).collect()
}

async fn page(app: &App, path: &str) -> (u16, Value) {
    let url = format!("{}{path}", app.origin());
    let answer = client::http().get(url).send().await.unwrap();
    let status = answer.status().as_u16();
    let text = answer.text().await.unwrap();
    (status, serde_json::from_str(&text).unwrap_or_default())
}

async fn a_token_is_issued_used_and_logged_without_itself(app: &App) {
    apply(app, &policy());
    let (issued, token, okta) = holder(app, 90);
    okta.get("/Users").await.ok(200);
    assert_eq!(told(app, issued.id), ["token.issued okta by kim"]);
    let signature = token.rsplit('.').next().unwrap();
    let events = app.service().events(0, 10_000).unwrap();
    assert!(!format!("{events:?}").contains(signature));
    // Others can verify it too, and nobody can ask for one.
    let (status, found) = page(app, "/issuer/.well-known/openid-configuration").await;
    assert_eq!((status, &found["issuer"]), (200, &Value::from(OWN)));
    assert_eq!(found.get("token_endpoint"), None);
    let (status, keys) = page(app, "/issuer/jwks").await;
    let shown = keys["keys"][0].as_object().unwrap();
    assert_eq!((status, shown["crv"].as_str()), (200, Some("P-256")));
    assert!(!shown.contains_key("d"), "the private half is published");
    let url = format!("{}/issuer/token", app.origin());
    let asked = client::http().post(url).send().await.unwrap();
    assert_eq!(asked.status().as_u16(), 404);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let meta = fs::metadata(key(app.database.folder())).unwrap();
        assert_eq!(meta.permissions().mode() & 0o777, 0o600);
    }
}

async fn a_token_ends(app: &App) {
    apply(app, &policy());
    let (_, _, okta) = holder(app, 40);
    app.clock.advance(TimeDelta::days(40) - TimeDelta::hours(1));
    okta.get("/Users").await.ok(200);
    app.clock.advance(TimeDelta::hours(2));
    okta.get("/Users").await.refused(401, "");
}

async fn a_revoked_token_is_out_though_it_was_verified_before(app: &App) {
    apply(app, &policy());
    let (first, _, okta) = holder(app, 90);
    let (second, _, other) = holder(app, 90);
    okta.get("/Users").await.ok(200);
    okta.get("/Users").await.ok(200);
    other.get("/Users").await.ok(200);
    assert_eq!(revoke(app, Which::One(first.id)).unwrap(), 1);
    let refused = okta.get("/Users").await;
    let detail = refused.refused(401, "");
    assert!(detail.contains("it has been revoked"), "{detail}");
    other.get("/Users").await.ok(200);
    assert!(revoke(app, Which::One(first.id)).is_err());
    let all = Which::Of {
        tenant: "default".into(),
        client: "okta".into(),
    };
    assert_eq!(revoke(app, all).unwrap(), 1);
    other.get("/Users").await.refused(401, "");
    let events = app.service().events(0, 10_000).unwrap().into_iter();
    let refused = events.filter(|(_, event)| event["type"] == "request.refused.401");
    let of: Vec<_> = refused.map(|(_, event)| event["client"].clone()).collect();
    assert_eq!(of, ["okta", "okta"], "whose token it was is on the log");
    for issued in [first, second] {
        assert_eq!(
            told(app, issued.id),
            ["token.issued okta by kim", "token.revoked okta by sam"]
        );
    }
}

/// Whether who has a token is refused in the end.
async fn is_out(client: &Client) -> bool {
    let start = Instant::now();
    while start.elapsed() < PATIENCE {
        if client.get("/Users").await.status == 401 {
            return true;
        }
        actix_web::rt::time::sleep(Duration::from_millis(20)).await;
    }
    false
}

async fn what_another_process_revokes_is_out_here_too(app: &App) {
    apply(app, &policy());
    let (issued, _, okta) = holder(app, 90);
    okta.get("/Users").await.ok(200);
    let settings = app.database.settings();
    let now = app.clock.now();
    let other = std::thread::spawn(move || {
        let other = Muster::open(&settings, Arc::new(RandomIds)).unwrap();
        let known = other.bearer(&issued.id.to_string()).unwrap();
        let count = other.revoke_tokens(&Which::One(issued.id), "sam", now);
        (other, known, count.unwrap())
    });
    let (other, known, count) = other.join().unwrap();
    assert_eq!((known.client.as_str(), count), ("okta", 1));
    assert!(is_out(&okta).await, "it is still good");
    std::thread::spawn(move || other.close()).join().unwrap();
}

async fn what_was_never_issued_is_refused_whoever_signed_it(app: &App) {
    apply(app, &policy());
    let (issued, _, okta) = holder(app, 90);
    okta.get("/Users").await.ok(200);
    let forged: ResourceId = "00000000-0000-4000-8000-00000000dead".parse().unwrap();
    let stolen = bearer(app, &signed(app, &issued, forged, "okta"));
    let refused = stolen.get("/Users").await;
    let detail = refused.refused(401, "");
    assert!(detail.contains("it was not issued here"), "{detail}");
    // Another issuer's key proves nothing here.
    let folder = app.database.folder().join("elsewhere.pem");
    let token = signed_by(&folder, &issued, issued.id, "okta");
    let refused = bearer(app, &token).get("/Users").await;
    refused.refused(401, "");
}

async fn a_replaced_key_goes_on_to_vouch_for_what_it_signed(app: &App) {
    apply(app, &policy());
    let (issued, _, okta) = holder(app, 90);
    let old = signed_by(&replaced(app.database.folder()), &issued, issued.id, "okta");
    bearer(app, &old).get("/Users").await.ok(200);
    okta.get("/Users").await.ok(200);
    // What is revoked is so, whichever key signed it.
    revoke(app, Which::One(issued.id)).unwrap();
    bearer(app, &old).get("/Users").await.refused(401, "");
    let folder = app.database.folder();
    let own = Own::open(&key(folder), OWN.into(), "muster".into()).unwrap();
    let gone = own.after(&[folder.join("nowhere.pem")]);
    let said = gone.err().unwrap().to_string();
    assert!(said.contains("nowhere.pem"), "{said}");
    assert!(!folder.join("nowhere.pem").exists(), "none is made");
}

async fn a_token_is_of_its_client_and_tenant_alone(app: &App) {
    let second = format!(
        "  - {{ name: sync, issuer: \"{OWN}\", match: {{ claim: azp, equals: sync }}, tenant: default, system: hris, roles: [people] \
         }}\nmasking:"
    );
    apply(app, &policy().replace("masking:", &second));
    let (issued, _, okta) = holder(app, 90);
    // The key alone does not make another client of it.
    let other = bearer(app, &signed(app, &issued, issued.id, "sync"));
    other.get("/Users").await.refused(403, "");
    // Another tenant's client of the same name and match is neither reached nor in the way.
    let foreign = format!(
        "version: 1\nsystems:\n  - {{ name: other, kind: idp, owner: IT }}\nroles:\n  all: [{{ types: [\"*\"], rights: [read, \
         search, write, delete] }}]\nclients:\n  - {{ name: okta, issuer: \"{OWN}\", match: {{ claim: azp, equals: okta }}, \
         tenant: other, system: other, roles: [all] }}\n"
    );
    try_apply_to(app, "other", &foreign);
    let theirs = try_issue(app, request("other", "okta", 90)).unwrap();
    let theirs = bearer(app, &signed(app, &theirs, theirs.id, "okta"));
    okta.create("/Users", serde_json::json!({"userName": "ada"}))
        .await;
    assert_eq!(okta.get("/Users").await.ok(200)["totalResults"], 1);
    assert_eq!(theirs.get("/Users").await.ok(200)["totalResults"], 0);
    while app.service().log_heads().unwrap().len() < 2 {
        actix_web::rt::time::sleep(Duration::from_millis(50)).await;
    }
}

async fn a_disabled_client_is_out_with_its_token(app: &App) {
    apply(app, &policy());
    let (_, _, okta) = holder(app, 90);
    okta.get("/Users").await.ok(200);
    let equals = "equals: okta }, tenant: default,";
    let out = policy().replace(equals, &format!("{equals} disabled: true,"));
    apply(app, &out);
    let refused = okta.get("/Users").await;
    assert!(refused.refused(403, "").contains("shut out"));
}

/// What a command prints to either side, and whether it succeeds.
fn muster(app: &App, arguments: &[&str]) -> (bool, String, String) {
    let folder = app.database.folder();
    let config = folder.join("muster.toml");
    let text = format!(
        "[server]\npublic_url = \"{PUBLIC}\"\n[own_issuer]\nkey = '{}'\nmost_days = {MOST_DAYS}\n",
        key(folder).display()
    );
    fs::write(&config, text).unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_muster"))
        .arg("token")
        .args(arguments)
        .arg("--config")
        .arg(config)
        .env("USER", "kim")
        .env("MUSTER_DATABASE_URL", app.database.url())
        .env("MUSTER_DATA_DIR", folder)
        .output()
        .unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (
        output.status.success(),
        text(&output.stdout),
        text(&output.stderr),
    )
}

async fn tokens_are_issued_listed_and_revoked_by_command(app: &App) {
    apply(app, &policy());
    let (done, token, said) = muster(app, &["issue", "--client", "okta", "--days", "3900"]);
    assert!(done, "{said}");
    let token = token.trim();
    assert_eq!(token.split('.').count(), 3, "{token}");
    let okta = bearer(app, token);
    let start = Instant::now();
    while okta.get("/Users").await.status != 200 {
        assert!(start.elapsed() < PATIENCE);
    }
    let (_, list, _) = muster(app, &["list"]);
    let part = |at: usize| token.split('.').nth(at).unwrap();
    assert!(list.contains("okta: issued ") && list.contains(" by kim, expires in 3899 days"));
    assert!(!list.contains(part(1)) && !list.contains(part(2)), "{list}");
    let id = list.split(' ').next().unwrap();
    let (done, text, said) = muster(app, &["revoke", "--id", id]);
    assert!(done && text == "revoked: 1\n", "{text}{said}");
    assert!(is_out(&okta).await, "it is still good");
    let (_, list, _) = muster(app, &["list"]);
    assert!(
        list.contains("revoked 20") && list.contains("by kim"),
        "{list}"
    );
    let (done, _, said) = muster(app, &["revoke", "--client", "okta"]);
    assert!(!done && said.contains("no such token"), "{said}");
    // Neither is it in the database's own files.
    assert_eq!(app.database.files_with(part(2)), [""; 0]);
}

async fn nobody_gets_a_token_for_nobody_or_for_too_long(app: &App) {
    apply(app, &policy());
    for (client, days, why) in [
        ("nobody", 90, "has no client 'nobody'"),
        // Its tokens are another issuer's.
        ("hris", 90, "has no client 'hris'"),
        ("okta", 0, "1 to 4000 days"),
        ("okta", 4001, "1 to 4000 days"),
    ] {
        let said = try_issue(app, request("default", client, days)).unwrap_err();
        assert!(said.to_string().contains(why), "{said}");
    }
    let said = try_issue(app, request("none", "okta", 90)).unwrap_err();
    assert!(said.to_string().contains("no tenant 'none'"), "{said}");
    let unset = Command::new(env!("CARGO_BIN_EXE_muster"))
        .args([
            "token", "issue", "--client", "okta", "--days", "9", "--actor", "kim",
        ])
        .env("MUSTER_DATABASE_URL", app.database.url())
        .env("MUSTER_DATA_DIR", app.database.folder())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&unset.stderr).into_owned();
    assert!(
        !unset.status.success() && said.contains("[own_issuer]"),
        "{said}"
    );
    assert_eq!(app.service().tokens("default").unwrap(), []);
}

/// Waits until the server has warned so many times.
async fn warned(app: &App, id: ResourceId, count: usize) {
    let start = Instant::now();
    let warnings = || {
        let told = told(app, id);
        told.iter()
            .filter(|line| *line == "token.expiring okta by muster")
            .count()
    };
    while warnings() < count {
        assert!(start.elapsed() < PATIENCE, "{:?}", told(app, id));
        actix_web::rt::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(warnings(), count, "{:?}", told(app, id));
}

async fn the_end_of_a_token_is_warned_of_by_the_clock(app: &App) {
    apply(app, &policy());
    let (kept, _, _) = holder(app, 60);
    let (revoked, _, _) = holder(app, 60);
    revoke(app, Which::One(revoked.id)).unwrap();
    let sweep = async |app: &App| {
        let now = app.clock.now();
        by_itself(app, move |service| service.warn_of_tokens(kept.tenant, now)).unwrap()
    };
    app.clock.advance(TimeDelta::days(29));
    assert_eq!(sweep(app).await, 0);
    for (days, count) in [(2, 1), (23, 2), (5, 3)] {
        app.clock.advance(TimeDelta::days(days));
        warned(app, kept.id, count).await;
        // It is not said again.
        assert_eq!(sweep(app).await, 0);
        warned(app, kept.id, count).await;
    }
    app.clock.advance(TimeDelta::days(2));
    assert_eq!(sweep(app).await, 0);
    assert_eq!(
        told(app, revoked.id),
        ["token.issued okta by kim", "token.revoked okta by sam"]
    );
}
