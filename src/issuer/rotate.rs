//! `POST /dev/rotate`: new signing keys, asked for by `admin`. Tokens in use stay good.

use actix_web::http::{StatusCode, header};
use actix_web::{HttpRequest, HttpResponse, web};
use serde_json::json;

use super::Issuer;
use super::token::{Form, Refusal, authenticate};

/// The handler.
pub(super) async fn rotate(issuer: web::Data<Issuer>, request: HttpRequest) -> HttpResponse {
    match authenticate(&issuer, &request, &Form::default()) {
        Ok(client) if client.name == "admin" => {}
        Ok(_) => {
            return Refusal {
                status: StatusCode::FORBIDDEN,
                error: "unauthorized_client",
                description: "only admin may change the keys",
            }
            .answer();
        }
        Err(refusal) => return refusal.answer(),
    }
    // Making an RSA key takes its time.
    let made = web::block(move || issuer.keys.rotate(issuer.clock.now())).await;
    let why = match made {
        Ok(Ok(keys)) => {
            return HttpResponse::Ok()
                .insert_header((header::CACHE_CONTROL, "no-store"))
                .json(json!({ "signing": keys }));
        }
        Ok(Err(error)) => error.to_string(),
        Err(error) => error.to_string(),
    };
    tracing::error!(error = %why, "issuer.keys.rotate failed");
    Refusal {
        status: StatusCode::INTERNAL_SERVER_ERROR,
        error: "server_error",
        description: "no new keys could be made or kept",
    }
    .answer()
}
