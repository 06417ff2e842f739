//! The evidence pack as a page: one file, nothing loaded from elsewhere, made to be printed and filed (B-010, B-044).

use std::fmt::Write;

use actix_web::HttpResponse;
use serde_json::Value;

use crate::http::html::{escape, page};

/// The sections, each a list of resources.
const SECTIONS: [(&str, &str); 7] = [
    ("Verifications", "verifications"),
    ("Carried over from other applications", "carriedOver"),
    ("Interviews", "interviews"),
    ("Assessments", "assessments"),
    ("Reviews by a human", "reviews"),
    ("Offers", "offers"),
    ("Employments", "employments"),
];
/// What says nothing to who reads.
const PLUMBING: [&str; 3] = ["schemas", "meta", "$ref"];

/// The whole page.
pub(super) fn evidence(pack: &Value) -> HttpResponse {
    let text = |value: &Value| escape(value.as_str().unwrap_or_default());
    let mut body = String::new();
    // Writing to a text cannot fail.
    _ = write!(
        body,
        "<p>Application <code>{}</code>, prepared {} for {}.</p><h2>Identity checks</h2>{}",
        text(&pack["applicationId"]),
        text(&pack["preparedAt"]),
        text(&pack["preparedFor"]),
        verdict(&pack["identityChecks"])
    );
    for (title, name) in [
        ("Candidate", "candidate"),
        ("Requisition", "requisition"),
        ("Application", "application"),
    ] {
        _ = write!(body, "<h2>{title}</h2>{}", table(&pack[name]));
    }
    for (title, name) in SECTIONS {
        let all = pack[name].as_array().map_or(&[][..], Vec::as_slice);
        _ = write!(body, "<h2>{title}</h2>");
        if all.is_empty() {
            body.push_str("<p>None.</p>");
        }
        for one in all {
            body.push_str(&table(one));
        }
    }
    body.push_str(&timeline(pack));
    page("Evidence pack", &body)
}

fn verdict(checks: &Value) -> String {
    let words = match checks["outcome"].as_str() {
        Some("verifiedFirst") => {
            "The required identity checks were passed before the first interview began."
        }
        Some("interviewedFirst") => {
            "An interview began before the required identity checks were passed."
        }
        Some("notYet") => "No interview has begun yet.",
        Some("notShown") => "Not all that decides this is shown to this reader.",
        _ => "This requisition requires no identity checks.",
    };
    format!("<p><strong>{words}</strong></p>{}", table(checks))
}

fn timeline(pack: &Value) -> String {
    let mut rows = String::new();
    for line in pack["timeline"].as_array().into_iter().flatten() {
        let cell = |name: &str| escape(line[name].as_str().unwrap_or_default());
        let position = &line["proof"]["position"];
        let proof = if pack["log"]["withheld"].is_string() {
            "no proof for this reader".to_owned()
        } else if position.is_null() {
            "not sealed yet".to_owned()
        } else {
            format!("no. {position}")
        };
        _ = write!(
            rows,
            "<tr><td>{}</td><td>{}</td><td>{} {}</td><td>{proof} <code>{}</code></td></tr>",
            cell("at"),
            cell("what"),
            cell("actor"),
            cell("reasonCode"),
            escape(line["proof"]["leafHash"].as_str().unwrap_or_default())
        );
    }
    format!(
        "<h2>What happened</h2><table><thead><tr><th>When</th><th>What</th><th>Who, why</th><th>In the log</th></tr></thead>\
         <tbody>{rows}</tbody></table><h2>Head of the log</h2>{}",
        table(&pack["log"])
    )
}

/// A resource as names and values.
fn table(value: &Value) -> String {
    let Some(fields) = value.as_object() else {
        return "<p>Not shown to this reader.</p>".into();
    };
    let mut rows = String::new();
    for (name, value) in fields
        .iter()
        .filter(|(name, _)| !PLUMBING.contains(&name.as_str()))
    {
        let short = name.rsplit(':').next().unwrap_or_default();
        _ = write!(
            rows,
            "<tr><th scope=\"row\">{}</th><td>{}</td></tr>",
            escape(short),
            cell(value)
        );
    }
    format!("<table><tbody>{rows}</tbody></table>")
}

fn cell(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => escape(text),
        Value::Array(items) => items.iter().map(cell).collect::<Vec<_>>().join("<br>"),
        Value::Object(fields) => {
            let shown = fields
                .iter()
                .filter(|(name, _)| !PLUMBING.contains(&name.as_str()));
            let shown: Vec<String> = shown
                .map(|(name, value)| format!("{}: {}", escape(name), cell(value)))
                .collect();
            shown.join(", ")
        }
        other => escape(&other.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::body::to_bytes;
    use serde_json::json;

    #[actix_web::test]
    async fn what_a_system_sent_is_text_and_nothing_else() {
        let pack = json!({"candidate": {"name": {"formatted": "<script>alert(1)</script>"}}, "timeline": [{"what": "a & b"}]});
        let page = to_bytes(evidence(&pack).into_body()).await.unwrap();
        let page = String::from_utf8_lossy(&page).into_owned();
        assert!(
            page.contains("&lt;script&gt;") && page.contains("a &amp; b"),
            "{page}"
        );
        assert!(!page.contains("<script"), "{page}");
        assert!(
            !page.contains("http://") && !page.contains("src="),
            "nothing from elsewhere"
        );
    }
}
