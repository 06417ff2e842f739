//! `GET /{endpoint}/{id}/lineage?path=…`: where values come from.

use actix_web::HttpResponse;
use actix_web::http::header;

use super::call::Call;
use crate::http::answer::{self, Answer};
use crate::http::error::Failure;
use crate::http::query;

/// The media type of PROV-JSON.
const PROV: &str = "application/prov+json";

/// The claims, decisions and events behind what stands at `path`, or behind everything without one: as JSON, or as W3C
/// PROV-JSON if `Accept` names that.
pub(super) async fn lineage(call: Call) -> Answer {
    let path = query::single(&call.query, "path")?;
    let lineage = call
        .service()
        .lineage(&call.context, &call.endpoint, call.id(), path)
        .await?;
    let accept = call.request.headers().get(header::ACCEPT);
    let prov = accept
        .and_then(|accept| accept.to_str().ok())
        .is_some_and(|accept| accept.to_ascii_lowercase().contains(PROV));
    let (kind, body) = if prov {
        (PROV, lineage.prov_json())
    } else {
        (answer::SCIM_JSON, lineage.json())
    };
    let text = serde_json::to_string(&body)
        .map_err(|error| Failure::internal(format!("a lineage is no JSON: {error}")))?;
    Ok(HttpResponse::Ok().content_type(kind).body(text))
}
