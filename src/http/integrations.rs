//! `/admin/integrations`: how far each connected system is behind, as JSON or as a page (B-047). Who may read all of `AuditEvent`
//! may ask.

use std::fmt::Write;

use actix_web::{HttpRequest, web};
use serde_json::Value;

use super::answer::{self, Answer};
use super::caller::{Caller, door};
use super::html::{self, escape, page};
use super::query::parse;

/// The columns of the page: what each is called, and which value it shows.
const COLUMNS: [(&str, &str); 14] = [
    ("Client", "client"),
    ("System", "system"),
    ("Owner", "owner"),
    ("Stopped", "stopped"),
    ("Unread", "unread"),
    ("Oldest unread, seconds", "lagSeconds"),
    ("Position", "position"),
    ("Last asked", "lastAskedAt"),
    ("Last wrote", "lastWroteAt"),
    ("Refused, waiting", "refused"),
    ("Contract until", "posture/contractUntil"),
    ("SOC 2", "posture/soc2"),
    ("ISO 27001", "posture/iso27001"),
    ("Reviewed", "posture/reviewedAt"),
];

/// The route; any other method is 405.
pub(super) fn mount(app: &mut web::ServiceConfig) {
    app.service(
        web::resource("/admin/integrations")
            .route(web::get().to(integrations))
            .default_service(web::to(answer::read_only)),
    );
}

/// As JSON, or as a page with `?format=html` or `Accept: text/html`.
async fn integrations(request: HttpRequest, caller: Caller) -> Answer {
    let service = &door(&request)?.service;
    let told = service.integrations(&caller.context).await?;
    if html::is_wanted(&request, &parse(request.query_string())?, "this")? {
        return Ok(page("Integrations", &table(&told)));
    }
    Ok(answer::unstored(&told))
}

fn table(told: &Value) -> String {
    let mut body = format!(
        "<p>As of {}.</p><table><thead><tr>",
        escape(told["at"].as_str().unwrap_or_default())
    );
    // Writing to a text cannot fail.
    for (title, _) in COLUMNS {
        _ = write!(body, "<th scope=\"col\">{title}</th>");
    }
    body.push_str("</tr></thead><tbody>");
    for one in told["integrations"].as_array().into_iter().flatten() {
        body.push_str("<tr>");
        for (_, name) in COLUMNS {
            _ = write!(body, "<td>{}</td>", cell(one, name));
        }
        body.push_str("</tr>");
    }
    body.push_str("</tbody></table>");
    body
}

fn cell(one: &Value, name: &str) -> String {
    let found = one.pointer(&format!("/{name}"));
    match found.unwrap_or(&Value::Null) {
        Value::Null => String::new(),
        Value::Bool(truth) => ["no", "yes"][usize::from(*truth)].to_owned(),
        Value::String(text) => escape(text),
        other if name == "unread" && one["unreadIsLeast"] == true => format!("{other} or more"),
        other => other.to_string(),
    }
}
