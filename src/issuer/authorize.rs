//! `/dev/authorize`: the code flow (RFC 6749 §4.1) with PKCE (RFC 7636), for people at this machine's own browser. Nobody is
//! asked for a password: whoever can reach this may be any of the clients, and has its name as their role.

use std::collections::HashMap;
use std::fmt::Write;
use std::sync::{Mutex, PoisonError};

use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse, web};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use openidconnect::url::{Host, Url};
use sha2::{Digest, Sha256};

use super::Issuer;
use super::token::Form;
use crate::config::{DevClient, dev_clients};

/// For how long a code is good, in seconds (RFC 6749 §4.1.2 recommends ten minutes at most).
const LIFETIME: i64 = 60;
/// How many codes may be on their way.
const CAPACITY: usize = 1000;

/// The codes on their way.
#[derive(Default)]
pub(super) struct Codes(Mutex<HashMap<String, Granted>>);

/// What a code is good for.
pub(super) struct Granted {
    client: String,
    redirect: String,
    challenge: String,
    pub(super) nonce: Option<String>,
    /// Who signs in.
    pub(super) who: &'static str,
    ends: i64,
}

impl Codes {
    fn insert(&self, code: &str, granted: Granted, now: i64) {
        let mut codes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        codes.retain(|_, known| now < known.ends);
        if codes.len() >= CAPACITY {
            codes.clear();
        }
        codes.insert(code.to_owned(), granted);
    }

    /// Takes a code, which is good once, for the client and the address that it was given for, and for who knows the
    /// verifier (RFC 7636 §4.6).
    pub(super) fn redeem(&self, client: &DevClient, form: &Form, now: i64) -> Option<Granted> {
        let mut codes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let granted = codes.remove(form.get("code")?)?;
        let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(form.get("code_verifier")?));
        let is_good = now < granted.ends
            && granted.client == client.name
            && Some(granted.redirect.as_str()) == form.get("redirect_uri")
            && granted.challenge == challenge;
        is_good.then_some(granted)
    }
}

/// What is asked for, checked.
struct Asked {
    client: String,
    redirect: Url,
    challenge: String,
    state: Option<String>,
    nonce: Option<String>,
}

impl Asked {
    /// Else what is wrong. It is shown here: only a sound address may be redirected to (§4.1.2.1).
    fn read(form: &Form) -> Result<Self, &'static str> {
        let owned = |name| form.get(name).map(str::to_owned);
        let client = owned("client_id").filter(|id| dev_client(id).is_some());
        let redirect = form
            .get("redirect_uri")
            .and_then(|url| Url::parse(url).ok());
        let redirect = redirect.filter(|url| url.scheme() == "http" && is_loopback(url));
        if form.get("response_type") != Some("code") {
            return Err("the one response_type here is code");
        }
        if form.get("code_challenge_method") != Some("S256") {
            return Err("the code_challenge_method must be S256");
        }
        Ok(Self {
            client: client.ok_or("there is no such client")?,
            redirect: redirect.ok_or("the redirect_uri must be on this machine")?,
            challenge: owned("code_challenge").ok_or("the code_challenge is missing")?,
            state: owned("state"),
            nonce: owned("nonce"),
        })
    }
}

fn dev_client(name: &str) -> Option<&'static DevClient> {
    dev_clients().iter().find(|client| client.name == name)
}

/// Whether an address is on this machine (RFC 8252 §7.3).
fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

/// `GET`: asks as whom to sign in.
pub(super) async fn ask(request: HttpRequest) -> HttpResponse {
    let form = Form::parse(request.query_string().as_bytes()).unwrap_or_default();
    if let Err(why) = Asked::read(&form) {
        return wrong(why);
    }
    let mut body =
        String::from("<h1>Sign in as</h1><form method=\"post\" action=\"/dev/authorize\">");
    for (name, value) in form.pairs() {
        // Writing to a text cannot fail.
        _ = write!(
            body,
            "<input type=\"hidden\" name=\"{}\" value=\"{}\">",
            escape(name),
            escape(value)
        );
    }
    for client in dev_clients() {
        let name = client.name;
        _ = write!(
            body,
            "<p><button name=\"who\" value=\"{name}\">{name}</button></p>"
        );
    }
    body.push_str("</form>");
    page(HttpResponse::Ok(), &body)
}

/// `POST`: sends the browser back with a code.
pub(super) async fn answer(
    issuer: web::Data<Issuer>,
    body: Result<web::Bytes, actix_web::Error>,
) -> HttpResponse {
    let form = Form::parse(&body.unwrap_or_default()).unwrap_or_default();
    let asked = match Asked::read(&form) {
        Ok(asked) => asked,
        Err(why) => return wrong(why),
    };
    let Some(who) = form.get("who").and_then(dev_client) else {
        return wrong("there is nobody of that name");
    };
    let now = issuer.clock.now().timestamp();
    let code = URL_SAFE_NO_PAD.encode(issuer.ids.secret());
    let granted = Granted {
        client: asked.client,
        redirect: form.get("redirect_uri").unwrap_or_default().to_owned(),
        challenge: asked.challenge,
        nonce: asked.nonce,
        who: who.name,
        ends: now + LIFETIME,
    };
    issuer.codes.insert(&code, granted, now);
    let mut address = asked.redirect;
    address.query_pairs_mut().append_pair("code", &code);
    if let Some(state) = &asked.state {
        address.query_pairs_mut().append_pair("state", state);
    }
    // RFC 9207 §2.
    address.query_pairs_mut().append_pair("iss", &issuer.url);
    HttpResponse::SeeOther()
        .insert_header((header::LOCATION, address.as_str()))
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .finish()
}

fn wrong(why: &str) -> HttpResponse {
    page(
        HttpResponse::BadRequest(),
        &format!("<h1>Not possible</h1><p>{why}</p>"),
    )
}

fn page(mut answer: actix_web::HttpResponseBuilder, body: &str) -> HttpResponse {
    answer
        .content_type("text/html; charset=utf-8")
        .insert_header((
            header::CONTENT_SECURITY_POLICY,
            "default-src 'none'; frame-ancestors 'none'; base-uri 'none'",
        ))
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .body(format!(
            "<!DOCTYPE html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>Muster's dev issuer</title></head>\
             <body><main>{body}</main></body></html>\n"
        ))
}

/// A text within quotes.
fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}
