//! What every page needs: pages are one file, with nothing loaded from elsewhere.

use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse};

use super::error::Failure;
use super::query::single;

/// Nothing is loaded, and its one style is its own.
const POLICY: &str =
    "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'";

const STYLE: &str = "body{font:11pt/1.4 serif;max-width:60em;margin:2em auto;padding:0 1em}table{border-collapse:collapse;width:100%}\
th,td{border:1px solid #999;padding:.2em .5em;text-align:left;vertical-align:top}h2{margin-top:1.5em}code{font-size:80%;\
word-break:break-all}@media print{body{margin:0}h2{break-after:avoid}tr{break-inside:avoid}}";

/// A page to be read and printed: a title, and what stands below it.
pub(super) fn page(title: &str, body: &str) -> HttpResponse {
    let title = escape(title);
    let html = format!(
        "<!DOCTYPE html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>{title}</title><style>{STYLE}</style></head>\
         <body><main><h1>{title}</h1>{body}</main></body></html>\n"
    );
    HttpResponse::Ok()
        .content_type("text/html; charset=utf-8")
        .insert_header((header::CONTENT_SECURITY_POLICY, POLICY))
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .insert_header((header::REFERRER_POLICY, "no-referrer"))
        .insert_header((header::X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .body(html)
}

/// Whether a page is asked for: by `?format=html`, or by what is accepted; of a `kind` of thing that is JSON otherwise.
pub(super) fn is_wanted(
    request: &HttpRequest,
    pairs: &[(String, String)],
    kind: &str,
) -> Result<bool, Failure> {
    let accept = request.headers().get(header::ACCEPT);
    let accept = accept.and_then(|accept| accept.to_str().ok());
    match single(pairs, "format")? {
        Some("html") => Ok(true),
        Some("json") => Ok(false),
        Some(other) => Err(Failure::invalid_value(format!(
            "'format' is '{other}': {kind} is 'json' or 'html'"
        ))),
        None => Ok(accept.is_some_and(|accept| accept.starts_with("text/html"))),
    }
}

/// A text within HTML, between tags or quotes.
pub(super) fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            c => escaped.push(c),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::escape;

    #[test]
    fn nothing_that_html_knows_is_left() {
        assert_eq!(
            escape("<a href=\"x\" b='y'>Ø & co</a>"),
            "&lt;a href=&quot;x&quot; b=&#39;y&#39;&gt;Ø &amp; co&lt;/a&gt;"
        );
    }
}
