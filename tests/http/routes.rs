//! What `src/http` mounts, read from its source: all that a client may call is in the document.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::app::App;
use crate::openapi::{address, document};

/// What the document leaves out, and why.
const LEFT_OUT: [(&str, &str); 7] = [
    ("/healthz", "for who runs the server"),
    ("/readyz", "for who runs the server"),
    ("/openapi.json", "the document itself"),
    ("/sign-in", "a page, for people with a browser"),
    ("/sign-in/callback", "a page, for people with a browser"),
    ("/sign-out", "a page, for people with a browser"),
    ("/me", "a page, for people with a browser"),
];
const METHODS: [&str; 5] = ["get", "post", "put", "patch", "delete"];

/// A route: its path, and its methods.
struct Route {
    path: String,
    methods: Vec<&'static str>,
}

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|end| end == "rs") {
            found.push(path);
        }
    }
}

/// The routes of one file: each `resource("…` and `route("…`, with the methods named before the next.
fn routes(text: &str, root: &str) -> Vec<Route> {
    let text: String = text.split_whitespace().collect();
    let text = text
        .replace("resource(\"/", "\0/")
        .replace("route(\"/", "\0/");
    let parts = text.split('\0').skip(1);
    let route = |part: &str| {
        let (path, rest) = part.split_once('"').unwrap();
        let named = |method: &&&str| rest.contains(&format!("web::{method}()"));
        Route {
            path: format!("{root}{path}"),
            methods: METHODS.iter().filter(named).copied().collect(),
        }
    };
    parts.map(route).collect()
}

/// Whether the path of a route (`/{endpoint:Groups}/{id}`) is that of the document (`/Groups/{id}`). An endpoint stands for
/// any resource type, every other parameter for a parameter.
fn is_at(route: &str, path: &str) -> bool {
    let (route, path): (Vec<&str>, Vec<&str>) =
        (route.split('/').collect(), path.split('/').collect());
    let fits = |(part, known): (&&str, &&str)| {
        let named = part
            .strip_prefix("{endpoint:")
            .and_then(|part| part.strip_suffix('}'));
        match (named, *part) {
            (Some(named), _) => named == *known,
            (None, "{endpoint}") => !known.starts_with('{'),
            (None, part) if part.starts_with('{') => known.starts_with('{'),
            (None, part) => part == *known,
        }
    };
    route.len() == path.len() && route.iter().zip(&path).all(fits)
}

#[actix_web::test]
async fn every_route_that_a_client_may_call_is_in_the_document() {
    let app = App::start();
    let document = document(&app).await;
    let mut described: Vec<(String, String)> = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let address = address(&document, path, operation);
            let path = address.strip_prefix(&app.origin).unwrap();
            described.push((path.to_owned(), method.clone()));
        }
    }
    let http = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/http");
    let mut files = Vec::new();
    sources(&http, &mut files);
    let mut mounted = Vec::new();
    for file in files {
        let root = if file.starts_with(http.join("scim")) {
            "/scim/v2"
        } else {
            ""
        };
        mounted.extend(routes(&fs::read_to_string(file).unwrap(), root));
    }
    assert!(mounted.len() > 30, "{} routes are found", mounted.len());
    for Route { path, methods } in &mounted {
        assert!(!methods.is_empty(), "{path}");
        for method in methods {
            let known = |(at, by): &(String, String)| by == method && is_at(path, at);
            let left_out = LEFT_OUT.iter().any(|(at, _)| at == path);
            let is_described = described.iter().any(known);
            assert!(left_out != is_described, "{method} {path}");
        }
    }
    for (path, why) in LEFT_OUT {
        let is_there = mounted.iter().any(|route| route.path == path);
        assert!(is_there, "{path} ({why}) is no route any more");
    }
}

/// The answers to what the document says of refusals are SCIM errors.
#[actix_web::test]
async fn every_refusal_of_the_document_is_an_error_of_scim() {
    let app = App::start();
    let document = document(&app).await;
    let error = Value::from("#/components/schemas/Error");
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            for (status, answer) in operation["responses"].as_object().unwrap() {
                if !status.starts_with(['4', '5']) {
                    continue;
                }
                let target = answer["$ref"].as_str().unwrap().trim_start_matches('#');
                let answer = document.pointer(target).unwrap();
                let body = &answer["content"]["application/scim+json"]["schema"]["$ref"];
                assert_eq!(*body, error, "{method} {path}: {status}");
            }
        }
    }
}
