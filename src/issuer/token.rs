//! `POST /dev/token`: an access token for a client's own credentials (RFC 6749 §4.4), or for the code of somebody who signed
//! in (§4.1.3), then with an ID token. It is signed with RS256, or as the
//! parameter `alg`, which is ours, wants it. With `username=…`, ours too and for trying out `/Me`, the token names an
//! account in its claim `preferred_username`.

use actix_web::http::StatusCode;
use actix_web::http::header;
use actix_web::{HttpMessage, HttpRequest, HttpResponse, web};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use openidconnect::url::form_urlencoded;
use serde_json::json;

use super::Issuer;
use super::assertion;
use super::claims::{Claims, IdClaims, LIFETIME, SCOPE};
use super::key::Kind;
use crate::config::{DevClient, dev_clients};

/// An error answer of RFC 6749 §5.2.
pub(super) struct Refusal {
    pub(super) status: StatusCode,
    pub(super) error: &'static str,
    pub(super) description: &'static str,
}

impl Refusal {
    fn invalid_request(description: &'static str) -> Self {
        Self {
            status: StatusCode::BAD_REQUEST,
            error: "invalid_request",
            description,
        }
    }

    fn invalid_client(description: &'static str) -> Self {
        Self {
            status: StatusCode::UNAUTHORIZED,
            error: "invalid_client",
            description,
        }
    }

    fn unsigned() -> Self {
        Self {
            status: StatusCode::INTERNAL_SERVER_ERROR,
            error: "server_error",
            description: "signing failed",
        }
    }

    pub(super) fn answer(&self) -> HttpResponse {
        let mut answer = HttpResponse::build(self.status);
        answer.insert_header((header::CACHE_CONTROL, "no-store"));
        match self.status {
            StatusCode::UNAUTHORIZED => answer.insert_header((
                header::WWW_AUTHENTICATE,
                "Basic realm=\"muster dev issuer\"",
            )),
            StatusCode::METHOD_NOT_ALLOWED => answer.insert_header((header::ALLOW, "POST")),
            _ => &mut answer,
        };
        answer.json(json!({ "error": self.error, "error_description": self.description }))
    }
}

/// The handler.
pub(super) async fn issue(
    issuer: web::Data<Issuer>,
    request: HttpRequest,
    body: Result<web::Bytes, actix_web::Error>,
) -> HttpResponse {
    match grant(&issuer, &request, body.as_deref().unwrap_or_default()) {
        Ok(answer) => answer,
        Err(refusal) => refusal.answer(),
    }
}

/// RFC 6749 §3.2: the client must use POST.
pub(super) async fn not_a_post() -> HttpResponse {
    Refusal {
        status: StatusCode::METHOD_NOT_ALLOWED,
        error: "invalid_request",
        description: "send a POST",
    }
    .answer()
}

fn grant(issuer: &Issuer, request: &HttpRequest, body: &[u8]) -> Result<HttpResponse, Refusal> {
    if !request
        .content_type()
        .eq_ignore_ascii_case("application/x-www-form-urlencoded")
    {
        return Err(Refusal::invalid_request(
            "send the parameters as application/x-www-form-urlencoded",
        ));
    }
    let form = Form::parse(body)?;
    let client = authenticate(issuer, request, &form)?;
    let kind = Kind::named(form.get("alg").unwrap_or("RS256"))
        .ok_or_else(|| Refusal::invalid_request("the alg must be RS256 or ES256"))?;
    let (claims, id_token) = match form.get("grant_type") {
        Some("client_credentials") => {
            let claims = Claims::fresh(issuer, client.name, form.get("username"));
            (claims, None)
        }
        Some("authorization_code") => {
            let now = issuer.clock.now().timestamp();
            let granted = issuer.codes.redeem(client, &form, now);
            let granted = granted.ok_or(Refusal {
                status: StatusCode::BAD_REQUEST,
                error: "invalid_grant",
                description: "the code is not good, or not for this client, redirect_uri and code_verifier",
            })?;
            let nonce = granted.nonce.as_deref();
            let id = IdClaims::fresh(issuer, client.name, granted.who, nonce);
            let id = issuer.keys.sign(kind, "JWT", &id);
            let claims = Claims::fresh(issuer, granted.who, None);
            (claims, Some(id.ok_or_else(Refusal::unsigned)?))
        }
        Some(_) => {
            let description = "the grant_type must be client_credentials or authorization_code";
            return Err(Refusal {
                status: StatusCode::BAD_REQUEST,
                error: "unsupported_grant_type",
                description,
            });
        }
        None => {
            return Err(Refusal::invalid_request(
                "grant_type is missing; it must be client_credentials or authorization_code",
            ));
        }
    };
    let token = issuer.keys.sign(kind, "at+jwt", &claims);
    let token = token.ok_or_else(Refusal::unsigned)?;
    // §5.1: the granted scope is named because it may differ from the one asked for.
    let mut answer = json!({
        "access_token": token, "token_type": "Bearer", "expires_in": LIFETIME.num_seconds(), "scope": SCOPE,
    });
    if let Some(id_token) = id_token {
        answer["id_token"] = id_token.into();
        answer["scope"] = format!("openid profile {SCOPE}").into();
    }
    Ok(HttpResponse::Ok()
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .insert_header((header::PRAGMA, "no-cache"))
        .json(answer))
}

/// Who is asking: by HTTP Basic, by parameters in the body (§2.3.1) or by an assertion (RFC 7523 §2.2), never by two of
/// them (§2.3).
pub(super) fn authenticate(
    issuer: &Issuer,
    request: &HttpRequest,
    form: &Form,
) -> Result<&'static DevClient, Refusal> {
    if let Some(assertion) = form.get("client_assertion") {
        return asserted(issuer, request, form, assertion);
    }
    let (name, secret) = match request.headers().get(header::AUTHORIZATION) {
        Some(_) if form.get("client_secret").is_some() => {
            return Err(Refusal::invalid_request(
                "send the client's secret once: by Basic authentication or in the body",
            ));
        }
        Some(value) => value.to_str().ok().and_then(basic).ok_or_else(|| {
            Refusal::invalid_client(
                "the Authorization header is not HTTP Basic with client id and secret",
            )
        })?,
        None => match (form.get("client_id"), form.get("client_secret")) {
            (Some(name), Some(secret)) => (name.to_owned(), secret.to_owned()),
            _ => {
                return Err(Refusal::invalid_client(
                    "send client id and secret, by Basic authentication or in the body",
                ));
            }
        },
    };
    dev_clients()
        .iter()
        .find(|client| client.name == name && client.secret().equals(&secret))
        .ok_or_else(|| Refusal::invalid_client("no such client, or another secret"))
}

/// Who is asking by an assertion; a `client_id` beside it must name the same client (RFC 7521 §4.2).
fn asserted(
    issuer: &Issuer,
    request: &HttpRequest,
    form: &Form,
    assertion: &str,
) -> Result<&'static DevClient, Refusal> {
    if request.headers().contains_key(header::AUTHORIZATION) || form.get("client_secret").is_some()
    {
        return Err(Refusal::invalid_request(
            "send the client's secret or its assertion, not both",
        ));
    }
    if form.get("client_assertion_type") != Some(assertion::TYPE) {
        return Err(Refusal::invalid_request(
            "the client_assertion_type must be urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
        ));
    }
    let endpoint = format!("{}/token", issuer.url);
    let now = issuer.clock.now().timestamp();
    let name = issuer
        .assertions
        .prove(assertion, &[&issuer.url, &endpoint], now)
        .map_err(Refusal::invalid_client)?;
    dev_clients()
        .iter()
        .find(|client| client.name == name)
        .filter(|client| form.get("client_id").is_none_or(|id| id == client.name))
        .ok_or_else(|| Refusal::invalid_client("the client_id is not the assertion's"))
}

/// Client id and secret of a Basic header, each form-encoded within it (§2.3.1).
fn basic(value: &str) -> Option<(String, String)> {
    let (scheme, credentials) = value.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let credentials = String::from_utf8(STANDARD.decode(credentials.trim()).ok()?).ok()?;
    let (name, secret) = credentials.split_once(':')?;
    Some((form_decoded(name), form_decoded(secret)))
}

fn form_decoded(part: &str) -> String {
    let pair = format!("={}", part.replace('&', "%26"));
    form_urlencoded::parse(pair.as_bytes())
        .next()
        .map(|(_, value)| value.into_owned())
        .unwrap_or_default()
}

/// The parameters of a request.
#[derive(Default)]
pub(super) struct Form(Vec<(String, String)>);

impl Form {
    /// §3.2: parameters without a value count as absent, and none may be given twice.
    pub(super) fn parse(body: &[u8]) -> Result<Self, Refusal> {
        let mut pairs: Vec<(String, String)> = Vec::new();
        for (name, value) in form_urlencoded::parse(body)
            .into_owned()
            .filter(|(_, value)| !value.is_empty())
        {
            if pairs.iter().any(|(known, _)| *known == name) {
                return Err(Refusal::invalid_request("a parameter is given twice"));
            }
            pairs.push((name, value));
        }
        Ok(Self(pairs))
    }

    /// All of them.
    pub(super) fn pairs(&self) -> impl Iterator<Item = (&str, &str)> {
        let pairs = self.0.iter();
        pairs.map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// The value of one.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.0
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, value)| value.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn basic_credentials_are_form_encoded_inside() {
        let header = format!("basic {}", STANDARD.encode("a%3Ab:s+e%26cret"));
        assert_eq!(basic(&header), Some(("a:b".into(), "s e&cret".into())));
        assert_eq!(basic("Bearer abc"), None);
        assert_eq!(basic("Basic !!"), None);
    }

    #[test]
    fn a_parameter_given_twice_is_refused_and_an_empty_one_is_absent() {
        assert!(Form::parse(b"scope=a&scope=b").is_err());
        assert!(Form::parse(b"scope=&grant_type=x").is_ok_and(|form| form.get("scope").is_none()));
    }
}
