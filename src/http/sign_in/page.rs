//! The pages: plain HTML without scripts, styles or anything from elsewhere.

use std::fmt::Write;

use actix_web::HttpResponse;
use actix_web::http::{StatusCode, header};
use chrono::SecondsFormat;

use super::provider::Trouble;
use super::visitor::Visitor;
use crate::http::html::escape;

/// The name of the field by which a form shows that it is the session's own.
pub(super) const TOKEN: &str = "token";

/// Nothing is loaded, forms lead here alone, and no other site shows the page within its own.
const POLICY: &str =
    "default-src 'none'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'";

const AGAIN: &str = "<p><a href=\"/sign-in\">Sign in</a></p>";

/// Who is signed in, and what they may do with each resource type.
pub(super) fn me(visitor: &Visitor, rights: &[(&str, Vec<&str>)]) -> HttpResponse {
    let Visitor {
        session, context, ..
    } = visitor;
    let mut rows = String::new();
    for (kind, held) in rights {
        let held = if held.is_empty() {
            "nothing".into()
        } else {
            held.join(", ")
        };
        // Writing to a text cannot fail.
        _ = write!(
            rows,
            "<tr><th scope=\"row\">{}</th><td>{}</td></tr>",
            escape(kind),
            escape(&held)
        );
    }
    let body = format!(
        "<p>Signed in as {subject} by {issuer} since <time>{since}</time>, with the rights of {client}.</p>\
         <table><thead><tr><th scope=\"col\">Resource type</th><th scope=\"col\">What you may do</th></tr></thead>\
         <tbody>{rows}</tbody></table>\
         <form method=\"post\" action=\"/sign-out\"><input type=\"hidden\" name=\"{TOKEN}\" value=\"{token}\">\
         <button type=\"submit\">Sign out</button></form>",
        subject = escape(&session.subject),
        issuer = escape(&session.issuer),
        since = session.opened.to_rfc3339_opts(SecondsFormat::Secs, true),
        client = escape(&context.client.name),
        token = escape(&visitor.form_token()),
    );
    page(StatusCode::OK, &session.name, &body)
}

/// After signing out.
pub(super) fn signed_out() -> HttpResponse {
    page(StatusCode::OK, "Signed out", AGAIN)
}

/// An answer that belongs to no sign-in of this browser.
pub(super) fn stray() -> HttpResponse {
    let text = "<p>This sign-in was not begun in this browser, or too long ago.</p>";
    page(
        StatusCode::BAD_REQUEST,
        "Not signed in",
        &format!("{text}{AGAIN}"),
    )
}

/// The provider says that there will be no code.
pub(super) fn declined() -> HttpResponse {
    let text = "<p>The sign-in was broken off.</p>";
    page(
        StatusCode::FORBIDDEN,
        "Not signed in",
        &format!("{text}{AGAIN}"),
    )
}

/// Somebody who has no role here.
pub(super) fn no_role() -> HttpResponse {
    let text = "<p>You are known, but nobody has given you a role here.</p>";
    page(StatusCode::FORBIDDEN, "Not signed in", text)
}

/// A form that the session was not shown.
pub(super) fn foreign_form() -> HttpResponse {
    let text =
        "<p>This form is not of your session. <a href=\"/me\">Go back</a> and try again.</p>";
    page(StatusCode::FORBIDDEN, "Nothing was done", text)
}

/// The provider cannot be asked, or says no. Why is for the log.
pub(super) fn trouble(trouble: &Trouble) -> HttpResponse {
    let (status, text, cause) = match trouble {
        Trouble::Unreachable(cause) => {
            let text = "<p>The identity provider cannot be reached. Try again in a minute.</p>";
            (StatusCode::SERVICE_UNAVAILABLE, text, cause)
        }
        Trouble::Refused(cause) => {
            let text = "<p>The identity provider's answer was refused.</p>";
            (StatusCode::FORBIDDEN, text, cause)
        }
    };
    tracing::warn!(%cause, "http.sign_in failed");
    page(status, "Not signed in", &format!("{text}{AGAIN}"))
}

/// A page with a title; the body is HTML.
fn page(status: StatusCode, title: &str, body: &str) -> HttpResponse {
    let title = escape(title);
    let html = format!(
        "<!DOCTYPE html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>{title} – Muster</title></head>\
         <body><main><h1>{title}</h1>{body}</main></body></html>\n"
    );
    HttpResponse::build(status)
        .content_type("text/html; charset=utf-8")
        .insert_header((header::CONTENT_SECURITY_POLICY, POLICY))
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .insert_header((header::REFERRER_POLICY, "no-referrer"))
        .insert_header((header::X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .body(html)
}
