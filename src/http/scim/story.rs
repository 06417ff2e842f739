//! `GET /Applications/{id}/timeline` and `/evidence-pack`: what happened to an application, and the evidence of it.

use actix_web::HttpResponse;

use super::call::Call;
use super::story_page;
use crate::http::answer::{self, Answer};
use crate::http::html;

/// What happened, oldest first (B-043).
pub(super) async fn timeline(call: Call) -> Answer {
    let told = call.service().timeline(&call.context, call.id()).await?;
    answer::json(HttpResponse::Ok(), &told)
}

/// The evidence (B-010, B-044): as JSON, or as a page to print with `?format=html` or `Accept: text/html`.
pub(super) async fn evidence_pack(call: Call) -> Answer {
    let page = html::is_wanted(&call.request, &call.query, "an evidence pack")?;
    let pack = call
        .service()
        .evidence_pack(&call.context, call.id())
        .await?;
    if page {
        return Ok(story_page::evidence(&pack));
    }
    answer::json(HttpResponse::Ok(), &pack)
}
