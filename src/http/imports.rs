//! `/admin/imports`: extracts that the configuration names, taken in as background jobs. Only what it names, so that a request
//! reaches no other file; and only for the system that the caller speaks for.

use std::sync::Arc;

use actix_web::http::header::LOCATION;
use actix_web::{HttpRequest, HttpResponse, web};
use serde::Serialize;
use serde_json::{Value, json};

use super::answer::{self, Answer};
use super::body;
use super::caller::{Caller, door};
use super::error::Failure;
use crate::config::Import;
use crate::domain::context::Context;
use crate::id::TenantId;
use crate::service::import::Counts;
use crate::service::{Error, Muster};

const PATH: &str = "/admin/imports";

/// Who takes extracts in, one at a time.
pub trait Runner: Send + Sync {
    /// The imports that can be asked for, each with its tenant.
    fn known(&self) -> &[(TenantId, Import)];
    /// Begins one, or goes on with it; the error says why it cannot now.
    ///
    /// # Errors
    /// When one is at work.
    fn start(&self, import: &Import, actor: &str, dry_run: bool) -> Result<(), String>;
    /// How far one is, since the server was started.
    fn state(&self, import: &Import) -> State;
}

/// How far an import is.
#[derive(Clone, Debug, Default, Serialize)]
#[serde(tag = "state", rename_all = "camelCase")]
pub enum State {
    /// Nobody has asked for it since the server was started.
    #[default]
    Idle,
    /// It is at work.
    #[serde(rename_all = "camelCase")]
    Running {
        /// How many rows are done.
        rows: i64,
        /// How many of them were rejected.
        rejected: i64,
        /// How much of the file is read, in percent.
        percent: u64,
    },
    /// It is done.
    #[serde(rename_all = "camelCase")]
    Finished {
        /// What the rows came to.
        counts: Counts,
        /// Whether nothing was kept.
        dry_run: bool,
        /// The file that says of each rejected row why, if there is one.
        rejects_file: Option<String>,
    },
    /// It has ended before it was done. What was taken in stays; asked for again, it goes on there.
    #[serde(rename_all = "camelCase")]
    Failed {
        /// Why.
        reason: String,
    },
}

/// The routes; any other method is 405.
pub(super) fn mount(app: &mut web::ServiceConfig) {
    app.service(
        web::resource(PATH)
            .route(web::get().to(list))
            .route(web::post().to(start))
            .default_service(web::to(answer::read_and_write_only)),
    )
    .service(
        web::resource("/admin/imports/{name}")
            .route(web::get().to(one))
            .default_service(web::to(answer::read_only)),
    );
}

/// Those of the caller's system.
async fn list(request: HttpRequest, caller: Caller) -> Answer {
    let door = door(&request)?;
    let mut told = Vec::new();
    for (tenant, import) in known(door.imports.as_ref()) {
        if Muster::may_import(&caller.context, (*tenant, &import.system)).is_ok() {
            told.push(shown(door.imports.as_ref(), import));
        }
    }
    Ok(answer::unstored(&json!({ "imports": told })))
}

/// How far one is.
async fn one(request: HttpRequest, caller: Caller, name: web::Path<String>) -> Answer {
    let door = door(&request)?;
    let import = find(door, &caller.context, &name)?;
    Ok(answer::unstored(&shown(door.imports.as_ref(), import)))
}

/// `{"name": …, "dryRun": false}`: 202 with where its progress is; 409 while one is at work.
async fn start(request: HttpRequest, caller: Caller, payload: web::Payload) -> Answer {
    let body = body::object(&request, payload).await?;
    let name = body.get("name").and_then(Value::as_str).unwrap_or_default();
    let dry_run = match body.get("dryRun") {
        None => false,
        Some(Value::Bool(truth)) => *truth,
        Some(_) => return Err(Failure::invalid_value("'dryRun' must be true or false")),
    };
    let door = door(&request)?;
    let import = find(door, &caller.context, name)?;
    let runner = door.imports.as_ref();
    let started = runner.map(|runner| runner.start(import, &caller.context.client.name, dry_run));
    started.unwrap_or(Ok(())).map_err(Failure::conflict)?;
    let location = format!("{}{PATH}/{}", door.root(), import.name);
    Ok(HttpResponse::Accepted()
        .insert_header((LOCATION, location))
        .json(shown(runner, import)))
}

fn known(runner: Option<&Arc<dyn Runner>>) -> &[(TenantId, Import)] {
    runner.map_or(&[], |runner| runner.known())
}

/// The import of that name, which the caller may ask for.
fn find<'d>(door: &'d super::Door, context: &Context, name: &str) -> Result<&'d Import, Failure> {
    let mut imports = known(door.imports.as_ref()).iter();
    let import = imports.find(|(_, import)| import.name == name);
    let missing = || {
        Failure::not_found(format!(
            "the configuration names no import '{name}' ([[import]])"
        ))
    };
    let (tenant, import) = import.ok_or_else(missing)?;
    match Muster::may_import(context, (*tenant, &import.system)) {
        Err(Error::NotFound(_)) => Err(missing()),
        Err(error) => Err(error.into()),
        Ok(()) => Ok(import),
    }
}

fn shown(runner: Option<&Arc<dyn Runner>>, import: &Import) -> Value {
    let state = runner
        .map(|runner| runner.state(import))
        .unwrap_or_default();
    let mut shown = json!(state);
    shown["name"] = import.name.as_str().into();
    shown["system"] = import.system.as_str().into();
    shown
}
