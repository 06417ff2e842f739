//! Tokens as Entra issues them, of both of its kinds of issuer, are those of the clients of a policy, who may do what it says.

use std::sync::LazyLock;

use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use muster::clock::Clock;
use rsa::RsaPrivateKey;
use rsa::pkcs8::{EncodePrivateKey, LineEnding};
use serde_json::{Value, json};

use crate::fake_issuer::{FakeIssuer, Manner};
use crate::masking::ada;
use crate::rules::{POLICY, apply};
use crate::support::{App, Client, Engine, client};

const TENANT: &str = "72f988bf-86f1-41af-91ab-2d7cd011db47";
/// The audience of the gallery's provisioning tokens.
const GALLERY: &str = "8adf8e6e-67b2-4cf2-a259-e3dc5476c621";
const APPLICATION: &str = "6e74172b-be56-4843-9ff4-e66a39bb12e3";
/// The two registered applications.
const PROVISIONING: &str = "7d5d2f3c-1111-4222-8333-444455556666";
const PAYROLL: &str = "9c1b2a3d-5555-4666-8777-888899990000";

static KEY: LazyLock<EncodingKey> = LazyLock::new(|| {
    let key = RsaPrivateKey::new(&mut rand::thread_rng(), 2048).unwrap();
    let pem = key.to_pkcs8_pem(LineEnding::LF).unwrap();
    EncodingKey::from_rsa_pem(pem.as_bytes()).unwrap()
});

/// The key as Entra publishes it: without an algorithm, with the issuer that it is of.
fn published(issuer: &str) -> Value {
    let mut key = Jwk::from_encoding_key(&KEY, Algorithm::RS256).unwrap();
    key.common.key_id = Some("first".into());
    let mut key = serde_json::to_value(key).unwrap();
    key.as_object_mut().unwrap().remove("alg");
    key["x5t"] = json!("first");
    key["issuer"] = json!(issuer);
    key
}

fn token(claims: &Value) -> String {
    let mut header = Header::new(Algorithm::RS256);
    header.kid = Some("first".into());
    encode(&header, claims, &KEY).unwrap()
}

/// The application, which trusts both issuers, and what either calls itself.
fn trusting(engine: Engine) -> (App, [String; 2]) {
    let v1 = format!("https://sts.windows.net/{TENANT}/");
    let (old, new) = (
        FakeIssuer::new(vec![published(&v1)]),
        FakeIssuer::new(Vec::new()),
    );
    old.call_itself(&v1);
    let v2 = format!("{}/{TENANT}/v2.0", new.origin);
    new.call_itself(&v2);
    let template = format!("{}/{{tenantid}}/v2.0", new.origin);
    new.behave(Manner::Good(vec![published(&template)]));
    let issuers = format!(
        "[[issuer]]\nurl = \"{v1}\"\naudience = [\"{GALLERY}\", \"api://muster\"]\ndiscovery = \"{}/discovery\"\n\
         [[issuer]]\nurl = \"{v2}\"\naudience = \"{APPLICATION}\"\n",
        old.origin
    );
    let app = App::start_with(engine, |config, _| {
        let own = muster::config::parse(&issuers).unwrap();
        config.issuers.extend(own.issuers);
    });
    (app, [v1, v2])
}

fn policy([v1, v2]: &[String; 2]) -> String {
    let clients = format!(
        "  - {{ name: entra, issuer: \"{v1}\", match: {{ claim: appid, equals: {PROVISIONING} }}, tenant: default, system: idp, roles: [people], profile: entra }}\n  \
         - {{ name: payroll, issuer: \"{v2}\", match: {{ claim: azp, equals: {PAYROLL} }}, tenant: default, system: hris, roles: [directory], purposes: [payroll] }}\n"
    );
    POLICY.replacen("clients:\n", &format!("clients:\n{clients}"), 1)
}

fn run(engine: Engine) {
    let (app, issuers) = trusting(engine);
    actix_web::rt::System::new()
        .block_on(tokens_of_both_kinds_are_the_policys_clients(&app, &issuers));
    app.leave().forget();
}

async fn tokens_of_both_kinds_are_the_policys_clients(app: &App, issuers: &[String; 2]) {
    apply(app, &policy(issuers));
    let now = app.clock.now().timestamp();
    let of = |claims: &Value| Client::new(client::http(), app.scim(), Some(token(claims)));
    let v1 = |audience: &str, application: &str| {
        json!({
            "aud": audience, "iss": issuers[0], "iat": now, "nbf": now, "exp": now + 3900, "aio": "E2Zg", "appidacr": "2",
            "appid": application, "idp": issuers[0], "oid": "a", "sub": "a", "tid": TENANT, "ver": "1.0",
        })
    };
    let v2 = |application: &str| {
        json!({
            "aud": APPLICATION, "iss": issuers[1], "iat": now, "nbf": now, "exp": now + 3900, "azp": application,
            "azpacr": "1", "oid": "a", "sub": "a", "tid": TENANT, "ver": "2.0", "roles": ["Provisioning"],
        })
    };
    let hris = app.client("hris").await;
    let path = format!("/Persons/{}", ada(&hris).await["id"].as_str().unwrap());
    // The gallery's token and that of the own application: the same client, with the rights and the view of its row.
    for audience in [GALLERY, "api://muster"] {
        let entra = of(&v1(audience, PROVISIONING));
        let seen = entra.get(&path).await.ok(200).clone();
        assert_eq!(seen.get("birthDate"), None, "{seen}");
        assert_eq!(seen["phoneNumbers"][0]["value"], "••••0123");
    }
    let entra = of(&v1(GALLERY, PROVISIONING));
    let made = entra.create("/Users", json!({"userName": "bo"})).await;
    let events = app.events_of(made["id"].as_str().unwrap());
    assert_eq!(events[0]["client"], "entra");
    assert_eq!(events[0]["sourceSystem"], "idp");
    let payroll = of(&v2(PAYROLL));
    let seen = payroll.get(&path).await.ok(200).clone();
    assert_eq!(seen["displayName"], "Ada Byron");
    let change = json!([{"op": "replace", "path": "displayName", "value": "Eve"}]);
    payroll.patch(&path, change).await.refused(403, "");
    payroll.get("/Users").await.refused(403, "");
    // Another application of the same tenant is nobody's client, and neither row is open to the other's issuer.
    for claims in [
        v1(GALLERY, PAYROLL),
        v2(PROVISIONING),
        v2("00000000-0000-4000-8000-00000000dead"),
    ] {
        let detail = of(&claims).get(&path).await.refused(403, "").to_owned();
        assert!(detail.contains("not that of a client"), "{detail}");
    }
    let another = v1("00000002-0000-0000-c000-000000000000", PROVISIONING);
    of(&another).get(&path).await.refused(401, "");
    // Shut out in the policy, it is out at once.
    let out = policy(issuers).replace("profile: entra }", "profile: entra, disabled: true }");
    apply(app, &out);
    assert!(entra.get(&path).await.refused(403, "").contains("shut out"));
}

#[test]
fn tokens_of_both_kinds_are_the_policys_clients_on_sqlite() {
    run(Engine::Sqlite);
}

#[test]
fn tokens_of_both_kinds_are_the_policys_clients_on_postgres() {
    run(Engine::Postgres);
}
