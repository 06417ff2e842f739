//! One record of every kind in a tenant, bodies that are valid for each, and whatever can be asked of them by their ids.

use std::collections::BTreeMap;

use muster::clock::Clock;
use muster::config::{Import, OwnIssuer};
use muster::service::break_glass::Request;
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::client::http;
use crate::support::{App, CANDIDATE, Client, Engine, MEMBERSHIP, PATCH_OP, SEARCH, body};

/// The types that have an endpoint for POST.
pub(crate) const ENDPOINTS: [&str; 13] = [
    "/Users",
    "/Persons",
    "/Groups",
    "/GroupMemberships",
    "/Organizations",
    "/Requisitions",
    "/Applications",
    "/Verifications",
    "/Interviews",
    "/Assessments",
    "/Offers",
    "/Opportunities",
    "/Employments",
];
/// Whatever else has an id that requests name.
const OTHERS: [&str; 7] = [
    "spare", "alias", "review", "event", "refused", "glass", "approval",
];

/// Runs a test where the configuration names an import, `people`, of a file that is not there, and an issuer of the server's own.
pub(crate) fn run(engine: Engine, case: impl AsyncFnOnce(&App)) {
    let app = App::start_with(engine, |config, folder| {
        let import = Import {
            name: "people".into(),
            system: "hris".into(),
            map: folder.join("people.yaml"),
            file: folder.join("people.csv"),
            tenant: "default".into(),
        };
        config.imports = vec![import];
        config.server.public_url = Some("https://people.example/scim/v2".into());
        config.own_issuer = Some(OwnIssuer {
            key: folder.join("issuer-key.pem"),
            previous: Vec::new(),
            audience: "muster".into(),
            most_days: 90,
        });
    });
    actix_web::rt::System::new().block_on(case(&app));
    app.finish();
}

/// What was answered: the status, the headers but those of the moment, and the body.
pub(crate) type Told = (u16, Vec<(String, String)>, String);

/// Sends what stands below the server's origin.
pub(crate) async fn send(app: &App, token: Option<&str>, ask: &Ask) -> Told {
    let url = format!("{}{}", app.origin(), ask.path);
    let mut request = http().request(ask.method.clone(), url);
    if let Some(token) = token {
        request = request.bearer_auth(token);
    }
    if let Some((name, value)) = ask.header {
        request = request.header(name, value);
    }
    if let Some(body) = &ask.body {
        let request_with = request.header("content-type", "application/scim+json");
        request = request_with.body(body.to_string());
    }
    let answer = request.send().await.unwrap();
    let status = answer.status().as_u16();
    let named = |name: &str| !["date", "x-correlation-id"].contains(&name);
    let headers = answer.headers().iter();
    let mut headers: Vec<_> = headers
        .filter(|(name, _)| named(name.as_str()))
        .map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned()))
        .collect();
    headers.sort();
    (status, headers, answer.text().await.unwrap())
}

/// One request, below the server's origin.
#[derive(Clone, Debug)]
pub(crate) struct Ask {
    pub(crate) method: Method,
    pub(crate) path: String,
    pub(crate) body: Option<Value>,
    /// What else it says of itself.
    pub(crate) header: Option<(&'static str, &'static str)>,
}

fn ask(method: Method, path: impl Into<String>, body: Option<Value>) -> Ask {
    let (path, header) = (path.into(), None);
    Ask {
        method,
        path,
        body,
        header,
    }
}

fn get(path: impl Into<String>) -> Ask {
    ask(Method::GET, path, None)
}

/// The ids of one record of every kind.
#[derive(Clone, Debug)]
pub(crate) struct World {
    ids: BTreeMap<&'static str, String>,
    /// What the names in it end with.
    tag: String,
}

fn id(resource: &Value) -> String {
    resource["id"].as_str().unwrap().to_owned()
}

impl World {
    /// Ids that nobody has.
    pub(crate) fn nobody() -> Self {
        let all = ENDPOINTS.iter().chain(&OTHERS).enumerate();
        let ids = all.map(|(n, name)| {
            let id = format!("00000000-0000-4000-8000-0000dead{n:04x}");
            (*name, id)
        });
        let mut ids: BTreeMap<_, _> = ids.collect();
        let pair = format!("{}.{}", ids["/Groups"], ids["/Users"]);
        ids.insert("/GroupMemberships", pair);
        let tag = "nobody".into();
        Self { ids, tag }
    }

    /// Makes them, as a client that may do everything and speaks for the system that is master of time zones, beside one that is not.
    pub(crate) async fn make(app: &App, (maker, other): (&str, &str), tag: &str) -> Self {
        let (admin, ats) = (app.client(maker).await, app.client(other).await);
        let mut world = Self {
            ids: BTreeMap::new(),
            tag: tag.to_owned(),
        };
        for endpoint in ENDPOINTS {
            let made = admin.create(endpoint, world.body(endpoint)).await;
            world.ids.insert(endpoint, id(&made));
        }
        for name in ["spare", "alias"] {
            let content = json!({"displayName": format!("{name} {tag}"), "externalId": format!("{name}-{tag}")});
            let made = admin.create("/Persons", content).await;
            world.ids.insert(name, id(&made));
        }
        let person = world.scim("/Persons");
        let with = json!({"with": world.ids["alias"], "reason": "they are one"});
        let merged = ask(Method::POST, format!("{person}/merge"), Some(with));
        let token = app.token(maker).await;
        let told = send(app, Some(&token), &merged).await;
        assert_eq!(told.0, 200, "{told:?}");
        world.more(app, &admin, &ats).await;
        world
    }

    /// A review, an event, a refused write and a grant that waits for its approval.
    async fn more(&mut self, app: &App, admin: &Client, ats: &Client) {
        let person = self.ids["/Persons"].clone();
        let at = format!("/Persons/{person}");
        let zone = |zone: &str| json!([{"op": "replace", "path": "timezone", "value": zone}]);
        admin.patch(&at, zone("Europe/Rome")).await.ok(200);
        ats.patch(&at, zone("Asia/Tokyo")).await.ok(200);
        let filter = format!("subject.value eq \"{person}\"");
        let open = admin.find("/Reviews", &filter).await;
        self.ids.insert("review", id(&open[0]));
        let filter = format!("resourceId eq \"{person}\"");
        let events = admin.find("/AuditEvents", &filter).await;
        self.ids.insert("event", id(&events[0]));
        let wrong = json!({"displayName": format!("Wrong {}", self.tag), "birthDate": "never"});
        admin.post("/Persons", wrong).await.ok(400);
        let reader = app.token("strict").await;
        let (status, _, kept) = send(app, Some(&reader), &get("/admin/refused")).await;
        assert_eq!(status, 200, "{kept}");
        let kept: Value = serde_json::from_str(&kept).unwrap();
        self.ids.insert("refused", id(&kept["items"][0]));
        let request = Request {
            tenant: "default".into(),
            client: "idp".into(),
            purpose: "payroll".into(),
            minutes: 30,
            reason: "incident".into(),
        };
        let (service, now) = (app.service().clone(), app.clock.now());
        let asked = std::thread::spawn(move || service.break_glass(&request, "sam", now));
        let glass = asked.join().unwrap().unwrap();
        self.ids.insert("glass", glass.to_string());
        self.ids.insert("approval", "0".repeat(64));
    }

    pub(crate) fn id(&self, name: &str) -> &str {
        &self.ids[name]
    }

    /// `/scim/v2/Offers/…`.
    pub(crate) fn scim(&self, endpoint: &str) -> String {
        format!("/scim/v2{endpoint}/{}", self.ids[endpoint])
    }

    /// A text without the ids.
    pub(crate) fn without_ids(&self, text: &str) -> String {
        // The longer ones first: a membership's id has those of two others in it.
        let mut ids: Vec<_> = self.ids.iter().collect();
        ids.sort_by_key(|(_, id)| std::cmp::Reverse(id.len()));
        let named = |text: String, (name, id): (&&str, &String)| text.replace(id, name);
        ids.into_iter().fold(text.to_owned(), named)
    }

    fn to(&self, name: &str) -> Value {
        json!({ "value": self.ids.get(name) })
    }

    /// A valid body of a POST or PUT, that refers to the records before it.
    pub(crate) fn body(&self, endpoint: &str) -> Value {
        let tag = &self.tag;
        let job = self.to("/Requisitions");
        let application = self.to("/Applications");
        let content = match endpoint {
            "/Users" => {
                json!({"userName": format!("ada-{tag}"), "displayName": format!("Ada {tag}")})
            }
            "/Persons" => {
                json!({"externalId": format!("c-{tag}"), "displayName": format!("Bo {tag}"),
                "name": {"givenName": "Bo", "familyName": tag}, "birthDate": "1985-12-10", CANDIDATE: {"status": "active"}})
            }
            "/Groups" => {
                json!({"displayName": format!("crew {tag}")})
            }
            "/GroupMemberships" => {
                json!({"schemas": [MEMBERSHIP], "group": self.to("/Groups"), "member": self.to("/Users")})
            }
            "/Organizations" => json!({"name": format!("Harbors {tag}"), "type": "employer"}),
            "/Requisitions" => {
                json!({"jobId": format!("REQ-{tag}"), "title": "Pilot", "status": "Active",
                "requiredVerificationTier": 1, "owner": self.to("/Persons"), "organization": self.to("/Organizations")})
            }
            "/Applications" => {
                json!({"candidate": self.to("/Persons"), "requisition": job, "status": "sourced", "source": "fair"})
            }
            "/Verifications" => {
                json!({"application": application, "occurredAt": "2031-02-20T09:00:00Z", "tierRequired": 1,
                "tierSatisfied": 1, "decision": "pass", "evidencePackRef": "https://evidence.example/7", "vendor": "integrity",
                "reasonCodes": ["document.match"]})
            }
            "/Interviews" => {
                json!({"application": application, "scheduledAt": "2031-03-02T10:00:00Z", "interviewers": [self.to("/Users")]})
            }
            "/Assessments" => {
                json!({"application": application, "occurredAt": "2031-02-28T09:00:00Z", "vendor": "codetest",
                "attemptId": format!("a-{tag}"), "result": "pass"})
            }
            "/Offers" => json!({"application": application, "status": "draft"}),
            "/Opportunities" => {
                json!({"name": format!("Quay {tag}"), "organization": self.to("/Organizations"),
                "contacts": [self.to("/Persons")], "stage": "proposal"})
            }
            "/Employments" => {
                json!({"person": self.to("/Persons"), "organization": self.to("/Organizations"), "hireDate": "2030-01-01"})
            }
            _ => json!({"status": "rejected"}),
        };
        body(endpoint, content)
    }

    /// A valid body of a PATCH.
    pub(crate) fn patch(endpoint: &str) -> Value {
        let (path, value) = match endpoint {
            "/Organizations" | "/Opportunities" => ("name", json!("Other")),
            "/Requisitions" => ("title", json!("Keeper")),
            "/Applications" => ("source", json!("referral")),
            "/Interviews" => ("scheduledAt", json!("2031-03-03T10:00:00Z")),
            "/Offers" => ("terms.title", json!("Keeper")),
            "/Employments" => ("jobTitle", json!("Keeper")),
            "/Reviews" => ("status", json!("rejected")),
            _ => ("displayName", json!("Eve")),
        };
        json!({"schemas": [PATCH_OP], "Operations": [{"op": "replace", "path": path, "value": value}]})
    }

    /// The id below an endpoint.
    pub(crate) fn at(&self, endpoint: &str) -> String {
        match endpoint {
            "/Reviews" => self.ids["review"].clone(),
            "/AuditEvents" => self.ids["event"].clone(),
            "/ResourceTypes" => "User".into(),
            "/Schemas" => "urn:ietf:params:scim:schemas:core:2.0:User".into(),
            _ => self.ids[endpoint].clone(),
        }
    }

    /// All that can be asked of them by their ids; what could remove them comes last.
    pub(crate) fn requests(&self) -> Vec<Ask> {
        let mut all = self.reads();
        all.extend(self.orders());
        for endpoint in ENDPOINTS.into_iter().chain(["/Reviews"]) {
            let at = format!("/scim/v2{endpoint}/{}", self.at(endpoint));
            let content = self.body(endpoint);
            if endpoint != "/Reviews" {
                all.push(ask(
                    Method::POST,
                    format!("/scim/v2{endpoint}"),
                    Some(content.clone()),
                ));
            }
            all.push(ask(Method::PUT, &at, Some(content)));
            all.push(ask(Method::PATCH, &at, Some(Self::patch(endpoint))));
        }
        let conditions = [
            ("if-match", "W/\"7\""),
            ("if-match", "*"),
            ("if-none-match", "*"),
        ];
        let writes = all
            .iter()
            .filter(|ask| [Method::GET, Method::PUT, Method::PATCH].contains(&ask.method));
        let under: Vec<Ask> = writes
            .flat_map(|ask| {
                conditions.map(|header| Ask {
                    header: Some(header),
                    ..ask.clone()
                })
            })
            .collect();
        all.extend(under);
        for header in conditions {
            let gone = ENDPOINTS.map(|endpoint| ask(Method::DELETE, self.scim(endpoint), None));
            all.extend(gone.map(|ask| Ask {
                header: Some(header),
                ..ask
            }));
        }
        for endpoint in ENDPOINTS {
            all.push(ask(Method::DELETE, self.scim(endpoint), None));
        }
        all.push(Ask {
            header: Some(("muster-erase", "asked")),
            ..ask(Method::DELETE, self.scim("/Persons"), None)
        });
        all
    }

    fn reads(&self) -> Vec<Ask> {
        let mut all = Vec::new();
        let types = ["/Reviews", "/AuditEvents"];
        for endpoint in ENDPOINTS.into_iter().chain(types) {
            let id = self.at(endpoint);
            let at = format!("/scim/v2{endpoint}/{id}");
            let more = [
                "",
                "/lineage",
                "/timeline",
                "/evidence-pack",
                "/evidence-pack?format=html",
                "?format=hropen",
            ];
            all.extend(more.map(|more| get(format!("{at}{more}"))));
            let filter = format!("id eq \"{id}\"");
            all.push(get(format!(
                "/scim/v2{endpoint}?filter={}",
                filter.replace(' ', "%20").replace('"', "%22")
            )));
            let search = json!({"schemas": [SEARCH], "filter": filter});
            all.push(ask(
                Method::POST,
                format!("/scim/v2{endpoint}/.search"),
                Some(search),
            ));
        }
        for (endpoint, path, name) in [
            ("/Applications", "candidate.value", "/Persons"),
            ("/Offers", "application.value", "/Applications"),
            ("/Reviews", "subject.value", "/Persons"),
            ("/Groups", "members.value", "/Users"),
            ("/AuditEvents", "personId", "/Persons"),
            ("/AuditEvents", "resourceId", "/Offers"),
            ("/AuditEvents", "applicationId", "/Applications"),
        ] {
            let filter = format!("{path}%20eq%20%22{}%22", self.ids[name]);
            all.push(get(format!("/scim/v2{endpoint}?filter={filter}")));
        }
        let search =
            json!({"schemas": [SEARCH], "filter": format!("id eq \"{}\"", self.ids["/Persons"])});
        all.push(ask(Method::POST, "/scim/v2/.search", Some(search)));
        all.push(get(format!("/log/proof?event={}", self.ids["event"])));
        for name in ["/Persons", "/Offers"] {
            all.push(get(format!(
                "/admin/policy/explain?client=foreign&resource={}",
                self.ids[name]
            )));
        }
        all
    }

    /// What is asked for of people, and of those who operate it.
    fn orders(&self) -> Vec<Ask> {
        let order = |path: String, body: Value| ask(Method::POST, path, Some(body));
        let mut all: Vec<Ask> = [
            "/scim/v2/Persons/{Persons}/merge",
            "/scim/v2/Persons/{Persons}/split",
            "/scim/v2/Persons/{Persons}/elevate",
            "/scim/v2/Organizations/{Organizations}/elevate",
            "/admin/refused/{refused}/resolve",
            "/admin/break-glass/{glass}/approve",
        ]
        .iter()
        .map(|path| order(self.with_ids(path), self.order(path)))
        .collect();
        let other = json!({"with": self.ids["/Persons"], "reason": "they are one"});
        all.push(order(
            self.with_ids("/scim/v2/Persons/{spare}/merge"),
            other,
        ));
        let mut bulk = self.bulk();
        let gone = ENDPOINTS
            .iter()
            .map(|name| json!({"method": "DELETE", "path": format!("{name}/{}", self.ids[name])}));
        bulk["Operations"].as_array_mut().unwrap().extend(gone);
        all.push(order("/scim/v2/Bulk".into(), bulk));
        all
    }

    /// A change of each in one request.
    pub(crate) fn bulk(&self) -> Value {
        let writes = ENDPOINTS
            .iter()
            .filter(|name| **name != "/GroupMemberships");
        let operations: Vec<Value> = writes
            .map(|name| {
                let path = format!("{name}/{}", self.ids[name]);
                json!({"method": "PATCH", "path": path, "data": Self::patch(name)})
            })
            .collect();
        json!({"schemas": ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"], "Operations": operations})
    }

    /// A path whose braces name records.
    pub(crate) fn with_ids(&self, path: &str) -> String {
        let fill = |text: String, (name, id): (&&str, &String)| {
            text.replace(&format!("{{{}}}", name.trim_start_matches('/')), id)
        };
        self.ids.iter().fold(path.to_owned(), fill)
    }

    /// The body of a POST to such a path.
    pub(crate) fn order(&self, path: &str) -> Value {
        match path.rsplit('/').next().unwrap_or_default() {
            "elevate" => json!({"path": "name", "system": "hris", "reason": "it is right"}),
            "merge" => json!({"with": self.ids["spare"], "reason": "they are one"}),
            "split" => json!({"id": self.ids["alias"], "reason": "they are two"}),
            "resolve" => json!({"note": "seen to"}),
            "approvals" => json!({"sha256": self.ids["approval"], "reason": "it is right"}),
            "imports" => json!({"name": "people"}),
            _ => json!({}),
        }
    }
}
