//! What the client asks: requests of every kind, with guesses.

use std::fmt::Write as _;

use rand::Rng;
use rand::rngs::StdRng;
use rand::seq::SliceRandom;
use reqwest::Method;
use serde_json::{Value, json};

use super::people::{Differ, NAMES, PEOPLE, called};
use crate::support::{CUSTOMER, GROUP, MEMBERSHIP, PATCH_OP, PERSON, SEARCH, USER};

#[derive(Clone, Debug)]
pub(super) struct Request {
    pub(super) method: Method,
    pub(super) path: String,
    pub(super) headers: Vec<(&'static str, String)>,
    pub(super) body: Option<Value>,
}

pub(super) fn ask(method: Method, path: impl Into<String>, body: Option<Value>) -> Request {
    Request {
        method,
        path: path.into(),
        headers: Vec::new(),
        body,
    }
}

/// A client that asks everything, and guesses.
pub(super) struct Prober {
    pub(super) rng: StdRng,
    pub(super) ids: Vec<String>,
    pub(super) groups: Vec<String>,
    pub(super) tags: Vec<String>,
    /// Whether a list goes on.
    pub(super) goes_on: bool,
    pub(super) last: Option<Value>,
    pub(super) made: usize,
    pub(super) differ: Differ,
    /// Whether another system is the master of some of what is hidden.
    pub(super) suggests: bool,
}

impl Prober {
    pub(super) fn pick<T: Copy>(&mut self, among: &[T]) -> T {
        *among.choose(&mut self.rng).unwrap()
    }

    pub(super) fn id(&mut self) -> String {
        self.ids.choose(&mut self.rng).cloned().unwrap_or_default()
    }

    /// A value that may be hidden on one server or the other, or seen on both.
    pub(super) fn guess(&mut self, attribute: &str) -> String {
        let person = self.rng.gen_range(0..4);
        let side = self.rng.gen_range(0..2);
        let hidden = &PEOPLE[side][person];
        match attribute {
            "birthDate" => hidden.born.to_owned(),
            "home" => hidden.home.unwrap_or("nobody@home.example").to_owned(),
            "work" => format!("{}@corp.example", called(NAMES[person], side, self.differ)),
            "place" => hidden.place.to_owned(),
            "street" => hidden.street.unwrap_or("9 Lane").to_owned(),
            "legal" => hidden.legal.to_owned(),
            "badge" => hidden.badge.to_owned(),
            "phone" => hidden.phone.to_owned(),
            "passport" => hidden.passport.to_owned(),
            "nation" => hidden.nation.to_owned(),
            "job" => hidden.job.to_owned(),
            _ => called(NAMES[person], side, self.differ),
        }
    }

    fn filter(&mut self) -> String {
        let operator = self.pick(&["eq", "ne", "co", "sw", "ew", "gt", "le"]);
        let (path, of) = self.pick(&[
            ("birthDate", "birthDate"),
            ("emails.value", "home"),
            ("emails.value", "work"),
            ("emails", "home"),
            ("addresses.locality", "place"),
            ("addresses.streetAddress", "street"),
            ("legalName", "legal"),
            ("externalIdentifiers.value", "badge"),
            ("phoneNumbers.value", "phone"),
            ("legalIdentifiers.value", "passport"),
            ("nationalities", "nation"),
            ("employmentHistory.title", "job"),
            ("displayName", "name"),
            ("name.familyName", "name"),
        ]);
        let value = self.guess(of);
        let plain = format!("{path} {operator} \"{value}\"");
        let home = self.guess("home");
        match self.rng.gen_range(0..12) {
            0 => format!("not ({plain})"),
            1 => format!("{plain} or displayName pr"),
            2 => format!("emails[type eq \"home\" and value eq \"{home}\"]"),
            3 => format!("emails[type ne \"work\" or value sw \"{}\"]", &home[..2]),
            4 => "emails[type eq \"home\"] or addresses[type eq \"home\"]".into(),
            5 => "addresses pr and not (addresses[type eq \"work\"])".into(),
            6 => format!("emails[not (value eq \"{home}\")]"),
            7 => "schemas co \"Employee\" or meta.lastModified gt \"2031-03-01T12:00:00.500Z\""
                .into(),
            8 => format!("{path} pr"),
            9 => "emails.primary eq true and emails[primary eq false]".into(),
            _ => plain,
        }
    }

    fn listing(&mut self) -> Request {
        let endpoint = self.pick(&["/Persons", "/Users", "/Groups"]);
        let mut query = String::from("?count=3");
        if std::mem::take(&mut self.goes_on) {
            query.push_str("&cursor=CURSOR");
            return ask(
                Method::GET,
                format!("/Persons{query}&sortBy=displayName"),
                None,
            );
        }
        if self.rng.gen_bool(0.7) {
            let filter = self.filter();
            let text: String = reqwest::Url::parse_with_params("http://x", [("filter", filter)])
                .unwrap()
                .query()
                .unwrap()
                .to_owned();
            let _ = write!(query, "&{text}");
        }
        match self.rng.gen_range(0..6) {
            0 => query.push_str("&sortBy=emails.value"),
            1 => query.push_str("&sortBy=birthDate&sortOrder=descending"),
            2 => query.push_str("&sortBy=meta.lastModified"),
            3 => query.push_str("&startIndex=2"),
            4 => {
                return ask(
                    Method::GET,
                    "/Persons?count=2&cursor=&sortBy=displayName",
                    None,
                );
            }
            _ => query.push_str("&attributes=emails,birthDate,meta"),
        }
        ask(Method::GET, format!("{endpoint}{query}"), None)
    }

    fn emails(&mut self) -> Value {
        let of = self.pick(&["home", "work", "home"]);
        let ty = self.pick(&["work", "home", "other"]);
        json!([{"value": self.guess(of), "type": ty, "display": "mine", "primary": self.rng.gen_bool(0.3)}])
    }

    fn newcomer(&mut self) -> Request {
        self.made += 1;
        let mut body = json!({"displayName": format!("new{}", self.made), "emails": self.emails()});
        if self.rng.gen_bool(0.4) {
            body["externalIdentifiers"] = json!([{"system": "greenhouse", "field": "candidate_id", "value": self.guess("badge")}]);
        }
        if self.rng.gen_bool(0.3) {
            body["birthDate"] = self.guess("birthDate").into();
        }
        if self.rng.gen_bool(0.2) {
            body["legalIdentifiers"] =
                json!([{"type": "passport", "country": "GB", "value": self.guess("passport")}]);
        }
        if self.rng.gen_bool(0.2) {
            body["employmentHistory"] =
                json!([{"organization": "Engines", "title": self.guess("job")}]);
        }
        if self.rng.gen_bool(0.5) {
            body.as_object_mut().unwrap().remove("externalIdentifiers");
            for name in ["birthDate", "legalIdentifiers", "employmentHistory"] {
                body.as_object_mut().unwrap().remove(name);
            }
            body["schemas"] = json!([USER]);
            body["userName"] = format!("user{}", self.made).into();
            return ask(Method::POST, "/Users", Some(body));
        }
        body["schemas"] = json!([PERSON, CUSTOMER]);
        if self.differ == Differ::Reach {
            body[CUSTOMER] = json!({"status": "lead"});
            body["name"] = json!({"givenName": self.guess("name"), "familyName": "Test"});
        }
        ask(Method::POST, "/Persons", Some(body))
    }

    fn operation(&mut self) -> Value {
        let home = self.guess("home");
        match self.rng.gen_range(0..26) {
            22..=24 => self.moving(),
            18 => {
                let op = self.pick(&["add", "add", "replace"]);
                let ty = self.pick(&["work", "home", "mobile"]);
                // Whichever it is, it ends and is of the type as what is known: that much is seen.
                let all = PEOPLE[self.pick(&[0, 1])]
                    .each_ref()
                    .map(|of| json!({"value": of.phone, "type": ty}));
                json!({"op": op, "path": "phoneNumbers", "value": all})
            }
            19 => {
                json!({"op": "remove", "path": format!("phoneNumbers[value eq \"{}\"]", self.guess("phone"))})
            }
            20 => {
                let all = self.pick(&[0, 1]);
                let all = PEOPLE[all].each_ref().map(|of| of.nation);
                json!({"op": self.pick(&["add", "replace"]), "path": "nationalities", "value": all})
            }
            14 => {
                json!({"op": "replace", "path": "legalIdentifiers", "value": [{"type": "passport", "country": "GB", "value": self.guess("passport")}]})
            }
            15 => {
                json!({"op": "add", "path": "employmentHistory", "value": [{"organization": "Engines", "title": self.guess("job")}]})
            }
            16 => {
                json!({"op": "remove", "path": format!("employmentHistory[title eq \"{}\"]", self.guess("job"))})
            }
            0 => json!({"op": "add", "path": "emails", "value": self.emails()}),
            1 => {
                json!({"op": "replace", "path": format!("emails[value eq \"{home}\"].display"), "value": "found"})
            }
            2 => json!({"op": "remove", "path": format!("emails[value eq \"{home}\"]")}),
            3 => json!({"op": "remove", "path": "emails[type eq \"home\"]"}),
            4 => json!({"op": "replace", "path": "birthDate", "value": self.guess("birthDate")}),
            5 => json!({"op": "remove", "path": "birthDate"}),
            6 => {
                json!({"op": "replace", "path": "addresses[type eq \"home\"].locality", "value": "X"})
            }
            7 => {
                json!({"op": "replace", "path": "addresses", "value": [{"locality": "Y", "type": "work"}]})
            }
            8 => {
                json!({"op": "replace", "value": {"displayName": self.guess("name"), "legalName": self.guess("legal")}})
            }
            9 => json!({"op": "add", "path": "emails[type eq \"other\"].value", "value": home}),
            10 => json!({"op": "remove", "path": "emails"}),
            11 if self.differ == Differ::Part => {
                json!({"op": "replace", "path": "phoneNumbers[type eq \"work\"].type", "value": "mobile"})
            }
            12 => json!({"op": "replace", "path": "emails", "value": self.emails()}),
            _ => {
                json!({"op": "replace", "path": "timezone", "value": self.pick(&["Europe/Paris", "Europe/Rome"])})
            }
        }
    }

    /// Something about addresses: of some a part is hidden.
    fn moving(&mut self) -> Value {
        let ty = self.pick(&["home", "work", "other"]);
        let mut address = json!({"type": ty});
        if self.rng.gen_bool(0.5) {
            address["country"] = "GB".into();
        }
        if self.rng.gen_bool(0.5) {
            address["locality"] = self.guess("place").into();
        }
        if self.rng.gen_bool(0.3) {
            address["streetAddress"] = self.guess("street").into();
        }
        let one = format!("addresses[type eq \"{ty}\"]");
        match self.rng.gen_range(0..7) {
            0 => json!({"op": "replace", "path": one, "value": address}),
            1 => json!({"op": "replace", "path": format!("{one}.country"), "value": "FR"}),
            2 => json!({"op": "replace", "path": format!("{one}.type"), "value": "home"}),
            3 => json!({"op": "remove", "path": "addresses", "value": [address]}),
            4 => json!({"op": "replace", "path": "addresses", "value": [address]}),
            5 => {
                json!({"op": "replace", "path": format!("{one}.streetAddress"), "value": self.guess("street")})
            }
            _ => json!({"op": "add", "path": "addresses", "value": [address]}),
        }
    }

    fn patch(&mut self) -> Request {
        let count = self.rng.gen_range(1..4);
        let operations: Vec<Value> = (0..count).map(|_| self.operation()).collect();
        let body = json!({"schemas": [PATCH_OP], "Operations": operations});
        let endpoint = self.pick(&["Persons", "Persons", "Users"]);
        let path = format!("/{endpoint}/{}", self.id());
        let mut request = ask(Method::PATCH, path, Some(body));
        if self.rng.gen_bool(0.2) {
            // Two keys: some answers are repeated, some bodies are not those of their key.
            let key = format!("key-{}", self.rng.gen_range(0..2));
            request.headers.push(("idempotency-key", key));
        }
        if self.rng.gen_bool(0.3)
            && let Some(tag) = self.tags.last()
        {
            request.headers.push(("if-match", tag.clone()));
        }
        request
    }

    fn put(&mut self) -> Request {
        let Some(mut body) = self.last.clone() else {
            return self.listing();
        };
        let id = body["id"].as_str().unwrap_or_default().to_owned();
        match self.rng.gen_range(0..7) {
            5 => {
                let guess = json!({"value": self.guess("phone"), "type": "work"});
                body["phoneNumbers"] = json!([guess]);
            }
            0 => body["emails"] = self.emails(),
            1 => body["birthDate"] = self.guess("birthDate").into(),
            2 => {
                body["externalIdentifiers"] = json!([{"system": "greenhouse", "field": "candidate_id", "value": self.guess("badge")}]);
            }
            3 => body["addresses"] = json!([{"locality": self.guess("place"), "type": "home"}]),
            _ => {}
        }
        let endpoint = if self.rng.gen_bool(0.3) {
            body["schemas"] = json!([USER]);
            body["userName"] = format!("put{}", self.made).into();
            "Users"
        } else {
            "Persons"
        };
        ask(Method::PUT, format!("/{endpoint}/{id}"), Some(body))
    }

    fn group(&mut self) -> String {
        self.groups
            .choose(&mut self.rng)
            .cloned()
            .unwrap_or_default()
    }

    /// Groups and memberships: who is in them is seen, what is hidden of them is not.
    fn grouping(&mut self) -> Request {
        let (group, person) = (self.group(), self.id());
        match self.rng.gen_range(0..8) {
            0 => {
                self.made += 1;
                let body = json!({"schemas": [GROUP], "displayName": format!("crew {}", self.made), "members": [{"value": person}]});
                ask(Method::POST, "/Groups", Some(body))
            }
            1 | 2 => {
                let operation = if self.rng.gen_bool(0.5) {
                    json!({"op": "add", "path": "members", "value": [{"value": person}]})
                } else {
                    json!({"op": "remove", "path": format!("members[value eq \"{person}\"]")})
                };
                let body = json!({"schemas": [PATCH_OP], "Operations": [operation]});
                ask(Method::PATCH, format!("/Groups/{group}"), Some(body))
            }
            3 => {
                let body = json!({"schemas": [MEMBERSHIP], "group": {"value": group}, "member": {"value": person}});
                ask(Method::POST, "/GroupMemberships", Some(body))
            }
            4 => ask(Method::GET, "/GroupMemberships?count=3", None),
            5 => ask(
                Method::GET,
                format!("/GroupMemberships/{group}.{person}"),
                None,
            ),
            6 => {
                let filter = format!("filter=members.value%20eq%20%22{person}%22");
                ask(Method::GET, format!("/Groups?{filter}"), None)
            }
            _ => ask(Method::GET, format!("/Groups/{group}"), None),
        }
    }

    /// The caller's own account, whose name its token says.
    fn me(&mut self) -> Request {
        let operation = self.operation();
        match self.rng.gen_range(0..4) {
            0 => {
                let body = json!({"schemas": [PATCH_OP], "Operations": [operation]});
                ask(Method::PATCH, "/Me", Some(body))
            }
            1 => ask(
                Method::GET,
                "/Me?attributes=emails,birthDate,phoneNumbers",
                None,
            ),
            _ => ask(Method::GET, "/Me", None),
        }
    }

    /// Where another system is the master, what is suggested may ask humans: then a person is written last, because the ids of the
    /// questions, which a client does not see, are of the same sequence.
    fn bulk(&mut self) -> Request {
        let newcomer = self.newcomer();
        let group = json!({"schemas": [GROUP], "displayName": format!("crowd {}", self.made)});
        let suggesting = json!([
            {"method": "POST", "path": "/Groups", "bulkId": "g", "data": group},
            {"method": "POST", "path": newcomer.path, "bulkId": "n", "data": newcomer.body},
        ]);
        let operations = json!([
            {"method": "POST", "path": newcomer.path, "bulkId": "n", "data": newcomer.body},
            {"method": "PATCH", "path": "/Persons/bulkId:n", "data": {"schemas": [PATCH_OP], "Operations": [self.operation()]}},
            {"method": "POST", "path": "/Groups", "bulkId": "g", "data": {"schemas": [GROUP], "displayName": format!("team {}", self.made), "members": [{"value": "bulkId:n"}]}},
        ]);
        let operations = if self.suggests {
            suggesting
        } else {
            operations
        };
        let body = json!({"schemas": ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"], "Operations": operations});
        ask(Method::POST, "/Bulk", Some(body))
    }

    pub(super) fn next(&mut self) -> Request {
        match self.rng.gen_range(0..28) {
            24 => self.me(),
            25..=27 => self.history(),
            0..=5 => self.listing(),
            6 | 7 => {
                let filter = self.filter();
                let at = self.pick(&["", "/Persons", "/Users"]);
                ask(
                    Method::POST,
                    format!("{at}/.search"),
                    Some(json!({"schemas": [SEARCH], "filter": filter, "count": 20})),
                )
            }
            8..=10 => {
                let part = self.pick(&[
                    "",
                    "?attributes=urn:muster:scim:schemas:extension:1.0:Provenance:attributes",
                    "?attributes=emails",
                    "?excludedAttributes=emails",
                    "?attributes=birthDate,legalName",
                ]);
                let endpoint = self.pick(&["Persons", "Users"]);
                let mut request = ask(
                    Method::GET,
                    format!("/{endpoint}/{}{part}", self.id()),
                    None,
                );
                if let Some(tag) = self.tags.last().filter(|_| part.is_empty()) {
                    request.headers.push(("if-none-match", tag.clone()));
                }
                request
            }
            11 | 12 => self.newcomer(),
            13..=15 => self.patch(),
            16 | 17 => self.put(),
            18 => self.bulk(),
            19 => {
                let endpoint = self.pick(&["Users", "Persons"]);
                ask(Method::DELETE, format!("/{endpoint}/{}", self.id()), None)
            }
            20 => ask(
                Method::GET,
                self.pick(&[
                    "/Schemas",
                    "/ResourceTypes",
                    "/ServiceProviderConfig",
                    "/ServiceProviderConfig?attributes=employmentHistory",
                    "/Me",
                    "/Groups",
                ]),
                None,
            ),
            _ => self.grouping(),
        }
    }

    /// What the client learns from an answer, which is the same on both servers.
    pub(super) fn learn(&mut self, head: &str, body: &str) {
        let Ok(body) = serde_json::from_str::<Value>(body) else {
            return;
        };
        self.goes_on |= body["nextCursor"].is_string();
        for line in head.lines() {
            if let Some(tag) = line.strip_prefix("etag: ") {
                self.tags.push(tag.trim_matches('"').replace("\\\"", "\""));
            }
        }
        let schemas = body["schemas"].to_string();
        let resources = body["Resources"]
            .as_array()
            .cloned()
            .unwrap_or_else(|| vec![body.clone()]);
        for resource in resources {
            let Some(id) = resource["id"].as_str() else {
                continue;
            };
            if schemas.contains(GROUP) {
                self.groups.push(id.to_owned());
            } else if resource["meta"]["resourceType"] == "Person"
                && resource["displayName"].is_string()
            {
                self.last = Some(resource.clone());
            }
            if matches!(
                resource["meta"]["resourceType"].as_str(),
                Some("Person" | "User")
            ) && !self.ids.iter().any(|known| known == id)
            {
                self.ids.push(id.to_owned());
            }
        }
    }
}
