//! What the client asks of the past.

use rand::Rng;
use reqwest::Method;
use serde_json::json;

use super::prober::{Prober, Request, ask};

impl Prober {
    /// What the log tells, by every name that it is searched by.
    fn log(&mut self) -> Request {
        let person = self.id();
        let kind = self.pick(&[
            "person.updated",
            "person.confirmed",
            "person.read",
            "person.created",
            "person.conflicted",
        ]);
        let filter = match self.rng.gen_range(0..15) {
            0 => format!("personId eq \"{person}\""),
            1 => format!("type eq \"{kind}\""),
            2 => format!("resourceId eq \"{person}\" and not (type eq \"{kind}\")"),
            3 => "attributes pr and client eq \"idp\"".into(),
            4 => format!(
                "attributes eq \"{}\"",
                self.pick(&["birthDate", "displayName"])
            ),
            5 => "version gt 1".into(),
            6 => "resourceType eq \"Review\" or type sw \"person\"".into(),
            7 => "recordedAt gt \"2031-03-01T12:00:01Z\" and client ne \"idp\"".into(),
            8 => "purpose pr".into(),
            // What the bodies say, as far as the client sees it.
            9 => {
                let (path, of) = self.pick(&[
                    ("birthDate", "birthDate"),
                    ("emails", "home"),
                    ("phoneNumbers", "phone"),
                ]);
                let guess = self.guess(of);
                format!("changes[path eq \"{path}\" and new co \"{guess}\"]")
            }
            10 => format!(
                "changes.previous pr and not (changes.new co \"{}\")",
                self.guess("legal")
            ),
            11 => self
                .pick(&[
                    "withheld pr",
                    "suggested pr",
                    "detail pr",
                    "subjects pr",
                    "reasonCode pr",
                    "causationId pr",
                ])
                .into(),
            _ => "type pr".into(),
        };
        let query = reqwest::Url::parse_with_params("http://x", [("filter", filter)]).unwrap();
        let place = self.pick(&[
            "",
            "&count=3&startIndex=4",
            "&sortBy=recordedAt&sortOrder=descending&count=5",
            "&cursor=&count=4",
        ]);
        match self.rng.gen_range(0..12) {
            0 => ask(
                Method::GET,
                self.pick(&[
                    "/../../log/head",
                    "/../../../log/consistency?first=1",
                    "/../../admin/kpis",
                    "/../../admin/integrations",
                ]),
                None,
            ),
            1 => ask(Method::GET, "/AuditEvents", None),
            _ => ask(
                Method::GET,
                format!("/AuditEvents?{}{place}", query.query().unwrap()),
                None,
            ),
        }
    }

    /// What is told of a person's past: the feed, where values come from, the log.
    pub(super) fn history(&mut self) -> Request {
        let person = self.id();
        match self.rng.gen_range(0..14) {
            9..=13 => self.log(),
            0 | 1 => ask(Method::GET, "/Events?after=NEXT&count=50", None),
            2 => {
                let path = self.pick(&[
                    "nationalities",
                    "legalIdentifiers",
                    "employmentHistory",
                    "birthDate",
                    "emails",
                    "displayName",
                    "legalName",
                    "phoneNumbers",
                ]);
                ask(
                    Method::GET,
                    format!("/Persons/{person}/lineage?path={path}"),
                    None,
                )
            }
            6 => {
                let path = self.pick(&["birthDate", "emails", "displayName", "phoneNumbers"]);
                let system = self.pick(&["hris", "idp"]);
                let body = json!({"path": path, "system": system, "reason": "it is right"});
                ask(
                    Method::POST,
                    format!("/Persons/{person}/elevate"),
                    Some(body),
                )
            }
            7 => {
                let body = json!({"with": self.id(), "reason": "they are one"});
                ask(Method::POST, format!("/Persons/{person}/merge"), Some(body))
            }
            8 => ask(
                Method::GET,
                self.pick(&["/Reviews", "/Applications", "/Offers"]),
                None,
            ),
            3 => ask(Method::GET, format!("/Persons/{person}/lineage"), None),
            4 => ask(
                Method::GET,
                format!("/Persons/{person}?format=hropen"),
                None,
            ),
            _ => ask(Method::GET, "/Events?count=1000", None),
        }
    }
}
