//! What the issuer says of itself: OpenID Connect Discovery §3, and its keys (RFC 7517).

use actix_web::{HttpResponse, web};
use serde_json::json;

use super::Issuer;
use super::claims::SCOPE;

/// `GET /dev/.well-known/openid-configuration`.
pub(super) async fn metadata(issuer: web::Data<Issuer>) -> HttpResponse {
    let url = &issuer.url;
    HttpResponse::Ok().json(json!({
        "issuer": url,
        "authorization_endpoint": format!("{url}/authorize"),
        "token_endpoint": format!("{url}/token"),
        "jwks_uri": format!("{url}/jwks"),
        "scopes_supported": ["openid", "profile", SCOPE],
        "response_types_supported": ["code"],
        "grant_types_supported": ["authorization_code", "client_credentials"],
        "code_challenge_methods_supported": ["S256"],
        "authorization_response_iss_parameter_supported": true,
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["RS256", "ES256"],
        "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post", "private_key_jwt"],
        "token_endpoint_auth_signing_alg_values_supported": ["RS256", "ES256"],
    }))
}

/// `GET /dev/jwks`.
pub(super) async fn keys(issuer: web::Data<Issuer>) -> HttpResponse {
    HttpResponse::Ok().json(json!({ "keys": issuer.keys.published(issuer.clock.now()) }))
}
