//! What the server says it offers (RFC 7644 §4), and what a case needs of it.

use std::collections::BTreeSet;

use serde_json::Value;

use super::cases::{Case, What};
use super::wire::{Request, Wire};
use crate::cli::Failure;

/// The optional parts of the protocol that `/ServiceProviderConfig` speaks of.
const OPTIONAL: &[&str] = &["patch", "bulk", "filter", "sort", "etag", "changePassword"];

/// What is on offer.
#[derive(Debug, Default)]
pub(super) struct Features {
    config: Option<Value>,
    /// Endpoints, names and extension URNs of the resource types, in lower case.
    types: Option<BTreeSet<String>>,
    me: bool,
}

impl Features {
    /// Asks the server. One that does not answer, or refuses the token, ends the run.
    pub(super) async fn discover(wire: &mut Wire) -> Result<Self, Failure> {
        let mut ask = async |path: &str| wire.send(Request::get(path)).await.map_err(Failure::run);
        let config = ask("/ServiceProviderConfig").await?;
        let types = ask("/ResourceTypes").await?;
        let me = ask("/Me").await?;
        let users = ask("/Users?count=1").await?;
        if matches!(users.status, 401 | 403) {
            return Err(Failure::run(format!(
                "the server refuses the token: GET /Users answered {} {}",
                users.status, users.text
            )));
        }
        Ok(Self {
            config: config.body.filter(|_| config.status == 200),
            types: types
                .body
                .filter(|_| types.status == 200)
                .map(|types| names(&types)),
            me: me.status < 400,
        })
    }

    /// Why a case does not apply to this server; nothing if it does. A server that says nothing of itself is taken to
    /// offer everything.
    pub(super) fn lacking(&self, case: &Case) -> Option<String> {
        needs(case).into_iter().find_map(|need| self.lacks(&need))
    }

    fn lacks(&self, need: &str) -> Option<String> {
        let on = |pointer: &str| {
            let Some(config) = &self.config else {
                return true;
            };
            config.pointer(pointer) == Some(&Value::Bool(true))
        };
        let missing = match need {
            "/Me" => (!self.me).then(|| "the token names no account, or there is no /Me".into()),
            "cursor" | "index" if on(&format!("/pagination/{need}")) => None,
            // Index paging is what there is unless another way is announced (RFC 9865 §4).
            "index" if !on("/pagination/cursor") => None,
            "cursor" | "index" => Some(format!("pagination.{need}")),
            feature if OPTIONAL.contains(&feature) => {
                (!on(&format!("/{feature}/supported"))).then(|| format!("{feature}.supported"))
            }
            ty => {
                let known = self.types.as_ref();
                return known
                    .is_some_and(|known| !known.contains(&ty.to_ascii_lowercase()))
                    .then(|| format!("/ResourceTypes names no {ty}"));
            }
        };
        missing.map(|missing: String| {
            if missing.contains(' ') {
                missing
            } else {
                format!("the server does not announce {missing}")
            }
        })
    }
}

fn names(types: &Value) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let listed = types["Resources"].as_array();
    for ty in listed.into_iter().flatten() {
        let extensions = ty["schemaExtensions"].as_array().into_iter().flatten();
        let texts = [&ty["name"], &ty["endpoint"], &ty["schema"]]
            .into_iter()
            .chain(extensions.map(|extension| &extension["schema"]));
        found.extend(
            texts
                .filter_map(Value::as_str)
                .map(|text| text.trim_start_matches('/').to_ascii_lowercase()),
        );
    }
    found
}

/// What a case says that it needs, and what its requests show it to need.
fn needs(case: &Case) -> BTreeSet<String> {
    let mut needs: BTreeSet<String> = case.needs.iter().cloned().collect();
    let What::Story(steps) = &case.what else {
        return needs;
    };
    for send in steps.iter().map(|step| &step.send) {
        let path = send.path.as_str();
        let mut need = |holds: bool, what: &str| {
            if holds {
                needs.insert(what.into());
            }
        };
        let conditional = |name: &String| {
            name.eq_ignore_ascii_case("if-match") || name.eq_ignore_ascii_case("if-none-match")
        };
        need(send.method == "PATCH", "patch");
        need(path.starts_with("/Bulk"), "bulk");
        need(path.starts_with("/Groups"), "Group");
        need(send.headers.keys().any(conditional), "etag");
        let asked = |name: &str| {
            let in_body = send
                .body
                .as_ref()
                .is_some_and(|body| body.get(name).is_some());
            let query = path.split_once('?').map(|(_, query)| query);
            let in_query = query.is_some_and(|query| {
                let mut pairs = query.split('&');
                pairs.any(|pair| pair.split('=').next() == Some(name))
            });
            in_query || (in_body && path.contains("/.search"))
        };
        need(asked("filter"), "filter");
        need(asked("sortBy"), "sort");
        need(asked("cursor"), "cursor");
    }
    needs
}
