//! All that a server says of itself, at its most talkative, while requests of every kind carry planted values (design §6, §8:
//! attribute values never reach a log).

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use reqwest::Method;
use serde_json::{Value, json};

use crate::rules::POLICY;
use crate::support::process::Process;
use crate::support::{
    CANDIDATE, CUSTOMER, Client, Database, Engine, PATCH_OP, PATIENCE, PERSON, USER, client,
};
use crate::{done, write};

/// What stands in each planted value, and nowhere else.
const PLANT: &str = "qxplant";
/// Values that cannot have it in them.
const OTHERS: [&str; 3] = ["1931-07-23", "5551234077", "PX7745Q"];

#[test]
fn a_servers_log_holds_no_value_on_sqlite() {
    a_servers_log_holds_no_value(Engine::Sqlite);
}

#[test]
fn a_servers_log_holds_no_value_on_postgres() {
    a_servers_log_holds_no_value(Engine::Postgres);
}

fn policy(origin: &str) -> String {
    POLICY
        .replace("ISSUER", &format!("{origin}/dev"))
        .replace("- { attributes: [birthDate]", "- { attributes: [externalIdentifiers], openTo: [payroll], otherwise: omit }\n  - { attributes: [birthDate]")
        .replacen("roles:\n", "roles:\n  all: [{ types: [\"*\"], rights: [read, search, write, delete] }]\n", 1)
        .replace("system: hris, roles: [people]", "system: hris, roles: [all]")
        .replace("system: ats, roles: [people]", "system: ats, roles: [all]")
}

/// An extract, and the file that names it.
fn extract(folder: &Path) -> String {
    let map = "system: hris\nformat: csv\nresourceType: Person\nexternalId: id\nclaims:\n  - { from: family, to: name.familyName }\n  \
               - { from: born, to: birthDate, with: date }\n";
    let map = write(folder, "people.yaml", map);
    let rows =
        "id,family,born\nqxplant-E1,Qxplantson,1931-07-23\nqxplant-E2,Qxplantson,qxplant-never\n";
    let file = write(folder, "people.csv", rows);
    let text = format!(
        "[[import]]\nname = \"people\"\nsystem = \"hris\"\nmap = \"{}\"\nfile = \"{}\"\n",
        map.display(),
        file.display()
    );
    let path = write(folder, "muster.toml", &text);
    path.to_str().unwrap().to_owned()
}

/// Whoever asks, and with what.
struct Asker<'p> {
    server: &'p Process,
    http: reqwest::Client,
    tokens: Vec<(&'static str, String)>,
}

impl<'p> Asker<'p> {
    async fn new(server: &'p Process) -> Self {
        let http = client::http();
        let mut tokens = vec![("", String::new())];
        for name in ["hris", "idp", "ats", "crm"] {
            let token = client::token(&http, &server.origin, name).await;
            tokens.push((name, token));
        }
        Self {
            server,
            http,
            tokens,
        }
    }

    fn token(&self, name: &str) -> &str {
        let mut known = self.tokens.iter();
        &known.find(|(known, _)| *known == name).unwrap().1
    }

    fn client(&self, name: &str) -> Client {
        let scim = format!("{}/scim/v2", self.server.origin);
        Client::new(self.http.clone(), scim, Some(self.token(name).to_owned()))
    }

    /// Sends anything, whatever becomes of it; the status.
    async fn send(
        &self,
        name: &str,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: String,
    ) -> u16 {
        let method = Method::from_bytes(method.as_bytes()).unwrap();
        let url = format!("{}{path}", self.server.origin);
        let mut request = self.http.request(method, url).body(body);
        if !name.is_empty() {
            request = request.bearer_auth(self.token(name));
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request.send().await.unwrap().status().as_u16()
    }
}

/// Somebody whose every value is planted.
fn somebody(n: usize) -> Value {
    json!({
        "schemas": [PERSON, CANDIDATE], "externalId": format!("qxplant-{n}"), "displayName": "Xanthippe Qxplant",
        "name": {"givenName": "Xanthippe-qxplant", "familyName": "Qxplant"}, "birthDate": "1931-07-23",
        "emails": [{"value": format!("qxplant{n}@home.example"), "type": "home"}],
        "phoneNumbers": [{"value": "+49 30 5551234077", "type": "work"}],
        "legalIdentifiers": [{"type": "passport", "country": "DE", "value": "PX7745Q"}],
        "externalIdentifiers": [{"system": "greenhouse", "field": "candidate_id", "value": format!("qxplant-{n}")}],
        CANDIDATE: {"status": "active", "sourceName": "qxplant fair"},
    })
}

/// Writes of one person, hidden conflicts among them; the id.
async fn writes(asker: &Asker<'_>) -> String {
    let (hris, idp) = (asker.client("hris"), asker.client("idp"));
    let made = hris.create("/Persons", somebody(1)).await;
    let id = made["id"].as_str().unwrap().to_owned();
    let at = format!("/Persons/{id}");
    let mut conflict = somebody(2);
    conflict["externalIdentifiers"][0]["value"] = "qxplant-1".into();
    conflict.as_object_mut().unwrap().remove("legalIdentifiers");
    idp.create("/Persons", conflict).await;
    hris.create(
        "/Users",
        json!({"userName": "qxplant.user", "password": "qxplant-password"}),
    )
    .await;
    idp.post("/Users", json!({"userName": "qxplant.user"}))
        .await
        .refused(409, "uniqueness");
    let name = json!([{"op": "replace", "path": "displayName", "value": "Another Qxplant"},
        {"op": "add", "path": "phoneNumbers[value eq \"+49 qxplant\"]", "value": {"type": "home"}}]);
    hris.patch(&at, name).await;
    let name = json!([{"op": "replace", "path": "displayName", "value": "Another Qxplant"}]);
    hris.patch_if(&at, &[("if-match", "W/\"qxplant\"")], name.clone())
        .await
        .refused(412, "");
    hris.keyed("qxplant-key").patch(&at, name).await.ok(200);
    let mut whole = somebody(1);
    whole["nickName"] = "Qxplant".into();
    hris.put(&at, whole).await.ok(200);
    hris.create("/Groups", json!({"displayName": "Qxplant crew"}))
        .await;
    let data = json!({"schemas": [USER], "userName": "qxplant.bulk", "emails": [{"value": "qxplant-wrong"}]});
    let change = json!({"schemas": [PATCH_OP], "Operations": [{"op": "replace", "path": "qxplant", "value": "qxplant"}]});
    let bulk = json!({"schemas": ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"], "Operations": [
        {"method": "POST", "path": "/Users", "bulkId": "qxplant", "data": data},
        {"method": "PATCH", "path": at, "data": change},
        {"method": "DELETE", "path": "/Users/qxplant"}]});
    hris.order("/Bulk", bulk).await.ok(200);
    id
}

/// Reads, and what is asked for in them.
async fn reads(asker: &Asker<'_>, id: &str) {
    let (hris, crm) = (asker.client("hris"), asker.client("crm"));
    for filter in [
        "name.familyName eq \"Qxplant\"",
        "emails[type eq \"home\" and value eq \"qxplant1@home.example\"]",
        "birthDate eq \"1931-07-23\"",
        "externalId eq \"qxplant-1\"",
    ] {
        hris.find("/Persons", filter).await;
        hris.search("", json!({"filter": filter})).await.ok(200);
    }
    let passport = "legalIdentifiers[type eq \"passport\" and value eq \"PX7745Q\"]";
    hris.list("/Persons", &[("filter", passport)])
        .await
        .refused(403, "sensitive");
    let found = hris.search("/Persons", json!({"filter": passport})).await;
    assert!(found.ok(200)["totalResults"].as_u64() > Some(0));
    let wrong = [("filter", "qxplant zz \"qxplant\""), ("sortBy", "qxplant")];
    hris.list("/Persons", &wrong).await;
    hris.get("/Persons?cursor=qxplant").await;
    hris.get(&format!("/Persons/{id}?attributes=qxplant"))
        .await
        .ok(200);
    hris.get(&format!("/Persons/{id}/lineage?path=displayName"))
        .await
        .ok(200);
    crm.get(&format!("/Persons/{id}")).await.refused(404, "");
    hris.get("/AuditEvents?count=50").await.ok(200);
    hris.get("/Events").await.ok(200);
    crm.list("/Persons", &[("filter", "birthDate eq \"1931-07-23\"")])
        .await
        .refused(403, "");
}

/// From the application to the employment, and back to nobody.
async fn hires(asker: &Asker<'_>) {
    let (hris, ats) = (asker.client("hris"), asker.client("ats"));
    let person = ats.create("/Persons", somebody(3)).await;
    let to = |record: &Value| json!({"value": record["id"]});
    let job = json!({"jobId": "QXPLANT-7", "title": "Qxplant pilot", "status": "Active", "requiredVerificationTier": 0});
    let job = ats.create("/Requisitions", job).await;
    let application = json!({"candidate": to(&person), "requisition": to(&job), "status": "sourced", "source": "qxplant"});
    let application = ats.create("/Applications", application).await;
    let interview = json!({"application": to(&application), "scheduledAt": "2031-03-02T10:00:00Z", "feedback": [
        {"interviewer": person["id"], "rating": 4, "recommendation": "yes", "comments": "Steady qxplant hands."}]});
    ats.create("/Interviews", interview).await;
    let offer = json!({"application": to(&application), "status": "accepted", "terms": {"title": "Qxplant", "startDate": "1931-07-23"}});
    let offer = ats.post("/Offers", offer).await;
    let work = json!({"person": to(&person), "offer": to(&offer.body), "hireDate": "1931-07-23", "jobTitle": "Qxplant"});
    hris.post("/Employments", work).await;
    let work = json!({"person": to(&person), "hireDate": "1931-07-23", "jobTitle": "Qxplant"});
    hris.create("/Employments", work).await;
    let path = format!(
        "/scim/v2/Applications/{}",
        application["id"].as_str().unwrap()
    );
    for more in ["/timeline", "/evidence-pack", "/evidence-pack?format=html"] {
        let status = asker
            .send("hris", "GET", &format!("{path}{more}"), &[], String::new())
            .await;
        assert_eq!(status, 200, "{more}");
    }
    let leaver = hris.create("/Persons", json!({"displayName": "Qxplant", "birthDate": "1931-07-23", CUSTOMER: {"status": "lead"}})).await;
    let path = format!("/scim/v2/Persons/{}", leaver["id"].as_str().unwrap());
    let header = [("muster-erase", "qxplant asked for it")];
    let status = asker
        .send("hris", "DELETE", &path, &header, String::new())
        .await;
    assert_eq!(status, 204);
}

const JSON: Headers = &[("content-type", "application/scim+json")];
const FORM: Headers = &[("content-type", "application/x-www-form-urlencoded")];
const FORGED: Headers = &[(
    "authorization",
    "Bearer eyJhbGciOiJSUzI1NiJ9.qxplant.qxplant",
)];
const BASIC: Headers = &[("authorization", "Basic cXhwbGFudDpxeHBsYW50"), FORM[0]];
const ODD: Headers = &[
    ("cookie", "__Host-muster=qxplant"),
    ("accept", "qxplant/qxplant"),
    ("user-agent", "qxplant"),
    ("prefer", "qxplant"),
];
type Headers = &'static [(&'static str, &'static str)];
type Sent = (
    &'static str,
    &'static str,
    &'static str,
    Headers,
    &'static str,
);

/// What is no request that anybody should send: who, how, where, and with what.
const NONSENSE: [Sent; 13] = [
    (
        "hris",
        "POST",
        "/scim/v2/Users",
        JSON,
        "{\"userName\": \"qxplant",
    ),
    (
        "hris",
        "POST",
        "/scim/v2/Users",
        JSON,
        "{\"userName\": [\"qxplant\"], \"emails\": \"qxplant\"}",
    ),
    (
        "hris",
        "POST",
        "/scim/v2/Persons",
        JSON,
        "{\"birthDate\": \"qxplant\", \"displayName\": \"qxplant\"}",
    ),
    (
        "hris",
        "PATCH",
        "/scim/v2/Users/qxplant",
        JSON,
        "{\"Operations\": \"qxplant\"}",
    ),
    (
        "hris",
        "GET",
        "/scim/v2/qxplant/qxplant?qxplant=qxplant",
        ODD,
        "",
    ),
    ("", "GET", "/qxplant", ODD, ""),
    ("", "GET", "/scim/v2/Users", FORGED, ""),
    (
        "",
        "POST",
        "/dev/token",
        BASIC,
        "grant_type=client_credentials&username=qxplant",
    ),
    (
        "",
        "POST",
        "/dev/token",
        FORM,
        "grant_type=client_credentials&client_id=hris&client_secret=qxplant",
    ),
    (
        "",
        "POST",
        "/dev/token",
        FORM,
        "grant_type=client_credentials&client_assertion_type=urn:ietf:params:oauth:client-assertion-type:jwt-bearer&client_assertion=qxplant.qxplant.qxplant",
    ),
    (
        "",
        "GET",
        "/sign-in/callback?code=qxplant&state=qxplant",
        ODD,
        "",
    ),
    (
        "hris",
        "POST",
        "/admin/imports",
        JSON,
        "{\"name\": \"qxplant\"}",
    ),
    (
        "hris",
        "POST",
        "/admin/policy/approvals",
        JSON,
        "{\"sha256\": \"qxplant\", \"reason\": \"qxplant\"}",
    ),
];

async fn nonsense(asker: &Asker<'_>) {
    for (name, method, path, headers, body) in NONSENSE {
        let status = asker.send(name, method, path, headers, body.into()).await;
        assert!((400..500).contains(&status), "{method} {path}: {status}");
    }
}

/// The import of the extract, to its end.
async fn import(asker: &Asker<'_>) {
    let json = [("content-type", "application/json")];
    let status = asker
        .send(
            "hris",
            "POST",
            "/admin/imports",
            &json,
            "{\"name\": \"people\"}".into(),
        )
        .await;
    assert_eq!(status, 202);
    let since = Instant::now();
    let hris = asker.client("hris");
    while hris
        .find("/Persons", "externalId eq \"qxplant-E1\"")
        .await
        .is_empty()
    {
        assert!(since.elapsed() < PATIENCE, "nothing is taken in");
        actix_web::rt::time::sleep(Duration::from_millis(50)).await;
    }
}

fn a_servers_log_holds_no_value(engine: Engine) {
    let database = Database::fresh(engine);
    let folder = database.folder();
    let (file, config) = (folder.join("server.log"), extract(folder));
    let server = Process::start_told(folder, database.url(), &["--config", &config], &file);
    let text = write(folder, "policy.yaml", &policy(&server.origin));
    let place = [
        "--data-dir",
        folder.to_str().unwrap(),
        "--database-url",
        database.url(),
    ];
    let apply = [
        "policy",
        "apply",
        text.to_str().unwrap(),
        "--reason",
        "qxplant",
    ];
    done(&[&apply[..], &place].concat());
    let tokens = actix_web::rt::System::new().block_on(drive(&server, &database));
    server.kill();
    let told = fs::read_to_string(&file).unwrap();
    let secrets = tokens.iter().flat_map(|token| token.split('.'));
    let secrets = secrets.filter(|part| part.len() > 40);
    let secrets: Vec<&str> = OTHERS.into_iter().chain(secrets).collect();
    let holds = |line: &&str| {
        line.to_lowercase().contains(PLANT) || secrets.iter().any(|value| line.contains(value))
    };
    let found: Vec<&str> = told.lines().filter(holds).take(20).collect();
    assert!(found.is_empty(), "{found:#?}");
    told_of_all(&told);
    database.forget();
}

/// Sends all of it; the tokens that were sent along.
async fn drive(server: &Process, database: &Database) -> Vec<String> {
    let asker = Asker::new(server).await;
    let since = Instant::now();
    while asker.client("idp").delete("/Persons/7").await.status != 404 {
        assert!(since.elapsed() < PATIENCE, "the policy is not in force");
        actix_web::rt::time::sleep(Duration::from_millis(50)).await;
    }
    let id = writes(&asker).await;
    reads(&asker, &id).await;
    hires(&asker).await;
    nonsense(&asker).await;
    import(&asker).await;
    // A failure of the server's own tells its cause.
    let away = "ALTER TABLE blind_index RENAME TO no_index";
    database.connect().run(away);
    let body = somebody(9).to_string();
    let path = "/scim/v2/Persons";
    let status = asker.send("hris", "POST", path, JSON, body).await;
    assert_eq!(status, 500);
    let tokens = asker.tokens.into_iter().map(|(_, token)| token);
    tokens.filter(|token| !token.is_empty()).collect()
}

/// The log tells of the requests all the same.
fn told_of_all(told: &str) {
    for wanted in [
        "http.scim.create",
        "http.scim.patch",
        "http.scim.replace",
        "http.scim.list",
        "http.scim.search",
        "http.scim.bulk",
        "http.scim.delete",
        "answered",
        "refused",
        "failed",
    ] {
        let lines = told.lines().filter(|line| line.contains(wanted)).count();
        assert!(lines > 0, "nothing of {wanted} in {told}");
    }
    let requests = told
        .lines()
        .filter(|line| ["answered", "refused"].iter().any(|end| line.contains(end)));
    assert!(requests.count() > 60, "{told}");
    assert!(told.lines().any(|line| line.contains("TRACE")), "{told}");
}
