//! Successful answers: masked resources, their headers, lists.

use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderMap, HeaderName, HeaderValue};
use actix_web::{HttpMessage, HttpRequest, HttpResponse, HttpResponseBuilder};
use serde::Serialize;

use super::error::Failure;
use super::prefer::Wanted;
use super::stream::Reader;
use crate::domain::masked::{Masked, Resource, Rest};
use crate::scim::list::{ListResponse, Place};
use crate::service::{Came, Page, Written};

/// The media type of every answer (RFC 7644 §8.1).
pub(super) const SCIM_JSON: &str = "application/scim+json";
/// Names what a body gave and the server did not keep.
const IGNORED: HeaderName = HeaderName::from_static("muster-ignored");
/// Names what another system has said otherwise, whose word counts more: what was given is kept as a suggestion.
const SUGGESTED: HeaderName = HeaderName::from_static("muster-suggested");
/// The most bytes of either: proxies bound a header's size.
const IGNORED_LIMIT: usize = 2048;

/// What they end with when not all names fit.
const MORE: &str = ", ...";

/// What a handler answers.
pub(super) type Answer = Result<HttpResponse, Failure>;

/// 405, where there is nothing but GET.
pub(super) async fn read_only(request: HttpRequest) -> Answer {
    Err(Failure::method_not_allowed(
        request.method().as_str(),
        "GET",
    ))
}

/// 405, where there is nothing but POST.
pub(super) async fn write_only(request: HttpRequest) -> Answer {
    Err(Failure::method_not_allowed(
        request.method().as_str(),
        "POST",
    ))
}

/// 405, where there is nothing but GET and POST.
pub(super) async fn read_and_write_only(request: HttpRequest) -> Answer {
    Err(Failure::method_not_allowed(
        request.method().as_str(),
        "GET, POST",
    ))
}

/// JSON that nobody is to keep.
pub(super) fn unstored(body: &impl Serialize) -> HttpResponse {
    let mut answer = HttpResponse::Ok().json(body);
    answer
        .headers_mut()
        .insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    answer
}

/// 201 with its location (RFC 7644 §3.3); 200 with that of what was there already; 202 with that of the question.
pub(super) async fn created(reader: Reader<'_>, written: &Written, wanted: Wanted) -> Answer {
    let mut answer = HttpResponse::build(status_of(written.came));
    answer.insert_header((header::LOCATION, written.resource.seen().location.as_str()));
    after_write(reader, answer, written, wanted).await
}

/// The status of what a POST came to.
pub(super) fn status_of(came: Came) -> StatusCode {
    match came {
        Came::Made => StatusCode::CREATED,
        Came::Known => StatusCode::OK,
        Came::Queued => StatusCode::ACCEPTED,
    }
}

/// 200 with the resource after a change (§3.5), or 204.
pub(super) async fn changed(reader: Reader<'_>, written: &Written, wanted: Wanted) -> Answer {
    let answer = match wanted {
        Wanted::Minimal | Wanted::Silence => HttpResponse::NoContent(),
        Wanted::Representation | Wanted::Unsaid => HttpResponse::Ok(),
    };
    after_write(reader, answer, written, wanted).await
}

/// The same after a PATCH, which may also be answered 204 (§3.5.2): so it is where all of a group's many members would
/// be read to be told to somebody who has just named one, unless `attributes` asks for them.
pub(super) async fn patched(reader: Reader<'_>, written: &Written, wanted: Wanted) -> Answer {
    let seen = written.resource.seen();
    let waits = |rest: &Rest| rest.projection.names_attributes();
    if wanted != Wanted::Unsaid || seen.rest.as_ref().is_none_or(waits) {
        return changed(reader, written, wanted).await;
    }
    let mut answer = HttpResponse::NoContent();
    answer.insert_header((header::ETAG, seen.version.as_str()));
    name_kept(&mut answer, &written.ignored, &written.suggested);
    Ok(answer.finish())
}

async fn after_write(
    reader: Reader<'_>,
    mut answer: HttpResponseBuilder,
    written: &Written,
    wanted: Wanted,
) -> Answer {
    name_kept(&mut answer, &written.ignored, &written.suggested);
    if let Some(applied) = wanted.applied() {
        answer.insert_header(applied);
    }
    match wanted {
        Wanted::Minimal | Wanted::Silence => {
            let version = written.resource.seen().version.as_str();
            Ok(answer.insert_header((header::ETAG, version)).finish())
        }
        Wanted::Representation | Wanted::Unsaid => {
            resource(reader, answer, &written.resource).await
        }
    }
}

/// Names in the answer's headers what was not kept, and what was kept as a suggestion.
pub(super) fn name_kept(answer: &mut HttpResponseBuilder, left_out: &[String], held: &[String]) {
    for (header, names) in [(IGNORED, left_out), (SUGGESTED, held)] {
        if !names.is_empty() {
            answer.insert_header((header, ignored(names)));
        }
    }
}

/// The same, saying where what it holds is: it was asked for by another of its names (RFC 9110 §8.7).
pub(super) fn placed(mut answer: HttpResponse, location: &str) -> HttpResponse {
    if let Ok(location) = HeaderValue::from_str(location) {
        answer
            .headers_mut()
            .insert(header::CONTENT_LOCATION, location);
    }
    answer
}

/// The same after a write, if the resource was asked for by the id of one that has been merged into it.
pub(super) fn placed_if(answer: HttpResponse, asked: &str, written: &Written) -> HttpResponse {
    let seen = written.resource.seen();
    if seen.id.to_string() == asked {
        return answer;
    }
    placed(answer, &seen.location)
}

/// 200 with one resource, or 304 when the caller has this version (§3.14; RFC 9110 §13.1.2).
pub(super) async fn one(
    reader: Reader<'_>,
    found: &Masked<Resource>,
    request: &HeaderMap,
) -> Answer {
    let version = found.seen().version.as_str();
    if has_version(request, version) {
        return Ok(HttpResponse::NotModified()
            .insert_header((header::ETAG, version))
            .finish());
    }
    resource(reader, HttpResponse::Ok(), found).await
}

/// 200 with one page (§3.4.2).
pub(super) async fn page(reader: Reader<'_>, page: &Page) -> Answer {
    let place = Place {
        total: page.total,
        start_index: page.start_index,
        next_cursor: page.next_cursor.clone(),
    };
    let resources = page.resources.as_slice();
    let envelope = ListResponse::<Masked<Resource>>::envelope(&place, resources.len());
    match reader.page(&envelope, resources).await? {
        Some(body) => Ok(HttpResponse::Ok().content_type(SCIM_JSON).body(body)),
        None => json(HttpResponse::Ok(), &ListResponse::new(&place, resources)),
    }
}

/// 204.
pub(super) fn nothing() -> HttpResponse {
    HttpResponse::NoContent().finish()
}

/// An answer in SCIM's media type.
pub(super) fn json(mut answer: HttpResponseBuilder, body: &impl Serialize) -> Answer {
    let text = serde_json::to_string(body)
        .map_err(|error| Failure::internal(format!("an answer is no JSON: {error}")))?;
    Ok(answer.content_type(SCIM_JSON).body(text))
}

async fn resource(
    reader: Reader<'_>,
    mut answer: HttpResponseBuilder,
    resource: &Masked<Resource>,
) -> Answer {
    answer.insert_header((header::ETAG, resource.seen().version.as_str()));
    match reader.one(resource).await? {
        Some(body) => Ok(answer.content_type(SCIM_JSON).body(body)),
        None => json(answer, resource),
    }
}

/// `If-None-Match`: a list of entity tags or `*`, compared weakly.
fn has_version(request: &HeaderMap, version: &str) -> bool {
    let opaque = |tag: &str| tag.trim().trim_start_matches("W/").to_owned();
    let version = opaque(version);
    request
        .get_all(header::IF_NONE_MATCH)
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .any(|tag| tag.trim() == "*" || opaque(tag) == version)
}

/// What a query names and nobody knows, kept with the request until its answer.
struct LeftOut(Vec<String>);

/// Remembers names that mean nothing here.
pub(super) fn leave_out(request: &HttpRequest, names: Vec<String>) {
    if names.is_empty() {
        return;
    }
    let mut kept = request.extensions_mut();
    let before = kept.remove::<LeftOut>().map(|LeftOut(names)| names);
    let all = before.into_iter().flatten().chain(names).collect();
    kept.insert(LeftOut(all));
}

/// Names in an answer what has been left out, after what a write has left out.
pub(super) fn named(request: &HttpRequest, mut answer: HttpResponse) -> HttpResponse {
    let Some(LeftOut(names)) = request.extensions_mut().remove::<LeftOut>() else {
        return answer;
    };
    let headers = answer.headers_mut();
    let before = headers.get(IGNORED).and_then(|value| value.to_str().ok());
    let all = match before {
        Some(before) => format!("{before}, {}", ignored(&names)),
        None => ignored(&names),
    };
    if let Ok(value) = HeaderValue::from_str(&all) {
        headers.insert(IGNORED, value);
    }
    answer
}

/// The names, made fit for a header: visible ASCII, cut where the limit falls.
fn ignored(names: &[String]) -> String {
    let mut text = String::new();
    for name in names {
        let name: String = name
            .chars()
            .map(|c| {
                if c.is_ascii_graphic() && c != ',' {
                    c
                } else {
                    '?'
                }
            })
            .collect();
        let comma = if text.is_empty() { "" } else { ", " };
        // Whoever has so many of them learns at least that these are not all.
        if text.len() + comma.len() + name.len() + MORE.len() > IGNORED_LIMIT {
            text += MORE;
            break;
        }
        text = text + comma + &name;
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ignored_names_fit_a_header() {
        assert_eq!(ignored(&["a".into(), "b\r\nX: ü,".into()]), "a, b??X:???");
        let many: Vec<_> = (0..1000).map(|n| format!("attribute{n}")).collect();
        assert!(ignored(&many).len() <= IGNORED_LIMIT);
    }

    #[test]
    fn a_known_version_is_found_in_a_list_and_compared_weakly() {
        let mut headers = HeaderMap::new();
        headers.insert(
            header::IF_NONE_MATCH,
            HeaderValue::from_static("\"a\", W/\"b\""),
        );
        assert!(has_version(&headers, "W/\"a\"") && has_version(&headers, "W/\"b\""));
        assert!(!has_version(&headers, "W/\"c\""));
        headers.insert(header::IF_NONE_MATCH, HeaderValue::from_static("*"));
        assert!(has_version(&headers, "W/\"c\""));
    }
}
