//! The evidence pack as a page (B-010, B-044): one file that loads nothing, in which what a system sent is text, whatever it sent.

use reqwest::header::HeaderMap;
use serde_json::{Value, json};

use crate::stage::*;
use crate::support::client::http;
use crate::support::{App, on_both};

on_both!(
    b_044_a_printed_pack_loads_nothing,
    b_044_hostile_names_are_text_in_a_printed_pack
);

/// What a page would do something by, if it were not text.
const HOSTILE: [&str; 8] = [
    "<script>alert(1)</script>",
    "\"><img src=x onerror=alert(1)>",
    "'><svg/onload=alert(1)>",
    "</td></tr></table></main></body></html><h1>Approved</h1>",
    "</style><style>@import 'https://evil.example/a.css';</style>",
    "<!-- <base href=https://evil.example/> -->",
    "&lt;b&gt; &#60;i&#62; &amp;",
    "<a href=\"javascript:alert(1)\">here</a>",
];

/// The elements that the page is made of, and those that have no end.
const ELEMENTS: [&str; 16] = [
    "html", "head", "title", "style", "body", "main", "h1", "h2", "p", "table", "thead", "tbody",
    "tr", "th", "td", "code",
];
const INLINE: [&str; 2] = ["strong", "br"];
const EMPTY: [&str; 2] = ["meta", "br"];
/// Attributes of them; none of these leads anywhere.
const ATTRIBUTES: [&str; 3] = ["lang", "charset", "scope"];

async fn printed(app: &App, application: &Value) -> (HeaderMap, String) {
    let path = at("/Applications", application);
    let url = format!("{}{path}/evidence-pack?format=html", app.scim());
    let asked = http().get(url).bearer_auth(app.token("hris").await);
    let answer = asked.send().await.unwrap();
    assert_eq!(answer.status().as_u16(), 200);
    (answer.headers().clone(), answer.text().await.unwrap())
}

/// What stands between tags, if the page is well formed, of known elements alone, and none of them leads out of it.
fn texts(page: &str) -> Vec<String> {
    let page = page.strip_prefix("<!DOCTYPE html>").unwrap();
    let (mut open, mut texts, mut rest) = (Vec::new(), Vec::new(), page);
    while let Some(begin) = rest.find('<') {
        texts.push(rest[..begin].to_owned());
        let end = begin + rest[begin..].find('>').expect("a tag ends");
        let tag = &rest[begin + 1..end];
        rest = &rest[end + 1..];
        if let Some(name) = tag.strip_prefix('/') {
            assert_eq!(open.pop(), Some(name), "{tag}");
            continue;
        }
        let (name, attributes) = tag.split_once(' ').unwrap_or((tag, ""));
        let mut known = ELEMENTS.iter().chain(&INLINE).chain(&EMPTY);
        assert!(known.any(|known| *known == name), "<{tag}>");
        for attribute in attributes.split_whitespace() {
            let (attribute, value) = attribute.split_once('=').unwrap();
            assert!(ATTRIBUTES.contains(&attribute), "<{tag}>");
            let value = value.strip_prefix('"').and_then(|v| v.strip_suffix('"'));
            assert!(value.is_some_and(|value| !value.contains('"')), "<{tag}>");
        }
        if !EMPTY.contains(&name) {
            open.push(name);
        }
    }
    texts.push(rest.to_owned());
    assert!(open.is_empty(), "{open:?} do not end");
    texts
}

/// A text as whoever reads the page sees it.
fn read(text: &str) -> String {
    [
        ("&lt;", "<"),
        ("&gt;", ">"),
        ("&quot;", "\""),
        ("&#39;", "'"),
        ("&amp;", "&"),
    ]
    .iter()
    .fold(text.to_owned(), |text, (name, sign)| {
        text.replace(name, sign)
    })
}

/// Nothing from elsewhere, no program, and headers that say so; the addresses of evidence are there to be read, not to be followed.
async fn b_044_a_printed_pack_loads_nothing(app: &App) {
    let (ats, _) = set(app, "").await;
    let (_, _, application) = applied(&ats).await;
    ats.create("/Verifications", verified(&application, 2, "pass"))
        .await;
    let (headers, page) = printed(app, &application).await;
    let policy = headers["content-security-policy"].to_str().unwrap();
    assert!(
        policy.starts_with("default-src 'none';") && !policy.contains("http"),
        "{policy}"
    );
    assert!(
        policy.contains("base-uri 'none'") && !policy.contains("script-src"),
        "{policy}"
    );
    assert_eq!(headers["x-content-type-options"], "nosniff");
    assert_eq!(headers["cache-control"], "no-store");
    assert_eq!(headers["referrer-policy"], "no-referrer");
    let texts = texts(&page);
    for word in ["url(", "@import", "expression("] {
        assert!(!page.contains(word), "{word}");
    }
    // Where the evidence is kept stands there as a text of its own.
    let kept = "https://evidence.example/packs/77";
    assert!(texts.iter().any(|text| text == kept), "{texts:?}");
    for wanted in [
        "Evidence pack",
        "Identity checks",
        "Verifications",
        "What happened",
    ] {
        assert!(texts.iter().any(|text| text == wanted), "{wanted}");
    }
    assert!(page.contains("@media print"));
}

/// Every place that a system fills: names, titles, vendors, results, reasons, terms.
async fn b_044_hostile_names_are_text_in_a_printed_pack(app: &App) {
    let (ats, hris) = set(app, "").await;
    for (number, hostile) in HOSTILE.iter().enumerate() {
        let job = json!({
            "jobId": format!("REQ-{number}"), "title": hostile, "location": hostile, "requiredSkills": [hostile, "tides"],
            "requiredVerificationTier": 2,
        });
        let job = ats.create("/Requisitions", job).await;
        let person = json!({
            "name": {"givenName": hostile, "familyName": hostile}, "displayName": hostile,
            "externalIdentifiers": called("greenhouse", "candidate_id", &format!("gc-{number}")),
        });
        let person = ats.create("/Persons", person).await;
        let mut application = applying(&person, &job, &format!("ga-{number}"));
        application["source"] = json!(hostile);
        let application = ats.create("/Applications", application).await;
        let mut verification = verified(&application, 2, "pass");
        verification["vendor"] = json!(hostile);
        ats.create("/Verifications", verification).await;
        let assessment = json!({
            "application": to(&application), "occurredAt": "2031-02-21T09:00:00Z", "vendor": hostile,
            "attemptId": format!("a-{number}"), "result": hostile,
        });
        ats.create("/Assessments", assessment).await;
        let offer = json!({"application": to(&application), "status": "accepted", "terms": {"title": hostile}});
        let offer = ats.create("/Offers", offer).await;
        let rejected = json!([
            {"op": "replace", "path": "status", "value": "rejected"}, {"op": "add", "path": "rejectionReason", "value": hostile},
        ]);
        ats.patch(&at("/Applications", &application), rejected)
            .await
            .ok(200);
        let employment = json!({
            "person": to(&person), "offer": to(&offer), "requisition": to(&job), "hireDate": "2030-01-07", "jobTitle": hostile,
            "department": hostile,
        });
        hris.create("/Employments", employment).await;
        let (_, page) = printed(app, &application).await;
        let shown = texts(&page);
        let shown = shown.iter().filter(|text| read(text).contains(hostile));
        let count = shown.count();
        assert!(count >= 8, "{hostile} stands in {count} places of\n{page}");
    }
}
