//! `/admin/policy/explain`: what a client would do with and see of a record, and which line of the policy decides, as JSON. Who may
//! read all of `AuditEvent`, and the record, may ask.

use actix_web::{HttpRequest, web};
use serde_json::{Map, Value, json};

use super::answer::{self, Answer};
use super::caller::{Caller, door};
use super::error::Failure;
use super::query::{parse, single};
use crate::domain::access::Sight;
use crate::service::Muster;
use crate::service::explain::{Explained, ExplainedAttribute, ExplainedRight};

/// The route; any other method is 405.
pub(super) fn mount(app: &mut web::ServiceConfig) {
    app.service(
        web::resource("/admin/policy/explain")
            .route(web::get().to(explain))
            .default_service(web::to(answer::read_only)),
    );
}

/// `?client=&resource=`: the client's name in the policy, and the id of the record.
async fn explain(request: HttpRequest, caller: Caller) -> Answer {
    Muster::may_read_whole_log(&caller.context)?;
    let pairs = parse(request.query_string())?;
    let named = |name: &str, what: &str| {
        let missing = || Failure::invalid_value(format!("'{name}' is missing: {what}"));
        single(&pairs, name)?.ok_or_else(missing)
    };
    let client = named("client", "the name of a client in the policy")?;
    let resource = named("resource", "the id of a record")?;
    let service = &door(&request)?.service;
    let explained = service.explain_to(&caller.context, (client, resource));
    let views: Vec<Value> = explained.await?.iter().map(view).collect();
    let told = json!({ "client": client, "resource": resource, "views": views });
    Ok(answer::unstored(&told))
}

fn view(explained: &Explained) -> Value {
    let rights: Vec<&str> = explained.rights.iter().map(|right| right.name()).collect();
    let attributes: Vec<Value> = explained.attributes.iter().map(attribute).collect();
    json!({ "resourceType": explained.ty, "rights": rights, "attributes": attributes })
}

/// `{right, role, line, where, holds}`: the row that gives a right, and whether its filter holds of the record.
fn right(row: &ExplainedRight) -> Value {
    let held = &row.held;
    let role = held.row.name.trim_start_matches("role ");
    let mut told = json!({ "right": held.right.name(), "role": role, "line": held.row.at.line });
    if let Some(filter) = &held.filter {
        told["where"] = json!(filter);
        if let Some(holds) = row.holds {
            told["holds"] = json!(holds);
        }
    }
    told
}

fn attribute(row: &ExplainedAttribute) -> Value {
    let mut told = Map::new();
    let mut tell = |name: &str, value: Value| told.insert(name.into(), value);
    tell("path", json!(row.path));
    let rights: Vec<Value> = row.rights.iter().map(right).collect();
    tell("rights", json!(rights));
    if let Some(shown) = row.shown {
        tell("shown", json!(shown));
    }
    let sight = match &row.sight {
        Sight::Unreadable => "unreadable",
        Sight::NeverReturned => "neverReturned",
        Sight::Open => "open",
        Sight::Shown {
            purpose,
            consent,
            row,
        } => {
            tell("purpose", json!(purpose));
            if let Some((needed, treatment)) = consent {
                tell("needsConsent", json!(needed));
                tell("treatment", json!(treatment.word()));
            }
            tell("line", json!(row.at.line));
            "shown"
        }
        Sight::Hidden { treatment, row } => {
            tell("treatment", json!(treatment.word()));
            tell("line", json!(row.at.line));
            "hidden"
        }
    };
    tell("sight", json!(sight));
    Value::Object(told)
}
