//! Around every request: a correlation id, a span, one line in the log, and a caught panic.

use std::future::{Future, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::task::Poll;

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::error::InternalError;
use actix_web::http::Method;
use actix_web::http::header::{HeaderName, HeaderValue};
use actix_web::middleware::Next;
use actix_web::{HttpMessage, HttpResponse, web};
use tracing::field::Empty;
use tracing::{Instrument, Span, info_span};

use super::Door;
use super::answer;
use super::caller::{CORRELATION, Correlation};
use super::error::Failure;
use super::refused;
use super::scim::ROOT;

/// The outermost middleware.
///
/// # Errors
/// Never but for a panic further in, which becomes an answer too.
pub async fn boundary<B: MessageBody + 'static>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<BoxBody>, actix_web::Error> {
    let correlation = Correlation::of(
        &request,
        request
            .app_data::<web::Data<Door>>()
            .map(web::Data::get_ref),
    );
    let span = span(&request, &correlation.id);
    request.extensions_mut().insert(correlation.clone());
    let outcome = caught(next.call(request)).instrument(span.clone()).await;
    if let Some(Ok(answer)) = &outcome
        && let Some(door) = answer.request().app_data::<web::Data<Door>>()
    {
        let log = door.refusals.log(door, answer, &correlation.id);
        log.instrument(span.clone()).await;
        let keep = refused::keep(door, answer, &correlation.id);
        keep.instrument(span.clone()).await;
    }
    let _entered = span.enter();
    match outcome {
        Some(Ok(response)) => Ok(finish(response.map_into_boxed_body(), &correlation)),
        Some(Err(error)) => {
            let answer = report(error.as_error(), error.error_response(), &correlation);
            Err(InternalError::from_response("refused", labeled(answer, &correlation)).into())
        }
        None => {
            let failure = Failure::internal("a panic");
            let answer = report(Some(&failure), failure.answer(None), &correlation);
            Err(InternalError::from_response("panicked", labeled(answer, &correlation)).into())
        }
    }
}

/// Runs a future; nothing if it panics. What it had in hand is dropped with it, so nothing half-done is seen again.
async fn caught<F: Future>(future: F) -> Option<F::Output> {
    let mut future = Box::pin(future);
    poll_fn(
        move |cx| match catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(cx))) {
            Ok(Poll::Ready(output)) => Poll::Ready(Some(output)),
            Ok(Poll::Pending) => Poll::Pending,
            Err(_) => Poll::Ready(None),
        },
    )
    .await
}

fn finish(
    response: ServiceResponse<BoxBody>,
    correlation: &Correlation,
) -> ServiceResponse<BoxBody> {
    let (request, response) = response.into_parts();
    let failure = response.error().map(|error| error.as_error::<Failure>());
    let answer = match failure {
        None if response.status().is_success() || response.status().is_redirection() => {
            Span::current().record("http.status", response.status().as_u16());
            tracing::debug!("answered");
            answer::named(&request, response)
        }
        None => report(None, response, correlation),
        Some(failure) => {
            let answer = failure.map(|failure| failure.answer(Some(&correlation.id)));
            match answer {
                Some(answer) => report(failure, answer, correlation),
                None => report(None, response, correlation),
            }
        }
    };
    ServiceResponse::new(request, labeled(answer, correlation))
}

/// Logs a failure once: ours as errors with their cause, the caller's by their kind alone, because the detail may quote
/// what somebody sent.
fn report(
    failure: Option<&Failure>,
    answer: HttpResponse,
    correlation: &Correlation,
) -> HttpResponse {
    let status = answer.status();
    Span::current().record("http.status", status.as_u16());
    let cause = failure.and_then(|failure| failure.cause.as_deref());
    if status.is_server_error() {
        tracing::error!(cause, "failed");
    } else {
        let scim_type = failure.and_then(|failure| failure.scim_type);
        tracing::info!("scim.type" = scim_type, "refused");
    }
    match failure {
        Some(failure) => failure.answer(Some(&correlation.id)),
        None => answer,
    }
}

/// Names the correlation id in the answer.
fn labeled(mut answer: HttpResponse, correlation: &Correlation) -> HttpResponse {
    let name = HeaderName::from_bytes(correlation.header.as_bytes());
    let name = name.unwrap_or(HeaderName::from_static(CORRELATION));
    if let Ok(value) = HeaderValue::from_str(&correlation.id) {
        answer.headers_mut().insert(name, value);
    }
    answer
}

/// The span of a request. A span's name is fixed at compile time, hence one line a verb.
fn span(request: &ServiceRequest, correlation: &str) -> Span {
    let (verb, endpoint) = operation(request.method(), request.path());
    let door = request.app_data::<web::Data<Door>>();
    // A path may hold anything; only what we know gets into the log.
    let known = door.and_then(|door| door.service.resource_type(&format!("/{endpoint}")));
    let kind = known.as_ref().map(|known| known.name.as_str());
    macro_rules! named {
        ($($verb:literal)*) => {
            match verb {
                $($verb => info_span!(concat!("http.scim.", $verb), correlation.id = correlation, client.name = Empty,
                    "resource.type" = kind, http.status = Empty),)*
                _ => info_span!("http.other", correlation.id = correlation, http.status = Empty),
            }
        };
    }
    named!("bulk" "create" "get" "list" "search" "replace" "patch" "delete" "discovery")
}

/// The verb of a request, and the first segment below the SCIM root.
fn operation<'a>(method: &Method, path: &'a str) -> (&'static str, &'a str) {
    let Some(rest) = path
        .strip_prefix(ROOT)
        .and_then(|rest| rest.strip_prefix('/'))
    else {
        return ("", "");
    };
    let (endpoint, id) = rest.split_once('/').unwrap_or((rest, ""));
    let verb = match (endpoint, method.as_str(), id) {
        ("Bulk", "POST", "") => "bulk",
        ("Me", "GET", "") => "get",
        ("ServiceProviderConfig" | "ResourceTypes" | "Schemas", ..) => "discovery",
        (_, "POST", ".search") => "search",
        (_, "POST", "") => "create",
        (_, "GET", "") => "list",
        (_, "GET", _) => "get",
        (_, "PUT", _) => "replace",
        (_, "PATCH", _) => "patch",
        (_, "DELETE", _) => "delete",
        _ => "",
    };
    (verb, endpoint)
}
