//! `GET /Applications/{id}/timeline` and `/evidence-pack`: what happened to an application, and the evidence of it.

use actix_web::HttpResponse;
use actix_web::http::header;

use super::call::Call;
use super::story_page;
use crate::http::answer::{self, Answer};
use crate::http::error::Failure;
use crate::http::query;

/// What happened, oldest first (B-043).
pub(super) async fn timeline(call: Call) -> Answer {
    let told = call.service().timeline(&call.context, call.id()).await?;
    answer::json(HttpResponse::Ok(), &told)
}

/// The evidence (B-010, B-044): as JSON, or as a page to print with `?format=html` or `Accept: text/html`.
pub(super) async fn evidence_pack(call: Call) -> Answer {
    let format = query::single(&call.query, "format")?;
    let accept = call.request.headers().get(header::ACCEPT);
    let accepts = accept.and_then(|accept| accept.to_str().ok());
    let page = match format {
        Some("html") => true,
        Some("json") => false,
        Some(other) => {
            return Err(Failure::invalid_value(format!(
                "'format' is '{other}': an evidence pack is 'json' or 'html'"
            )));
        }
        None => accepts.is_some_and(|accept| accept.starts_with("text/html")),
    };
    let pack = call
        .service()
        .evidence_pack(&call.context, call.id())
        .await?;
    if page {
        return Ok(story_page::evidence(&pack));
    }
    answer::json(HttpResponse::Ok(), &pack)
}
