//! `GET /sign-in`: off to the provider.

use actix_web::http::header;
use actix_web::{HttpResponse, web};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::attempt::Attempt;
use super::cookie::{self, Kind};
use super::page;
use crate::http::Door;
use crate::http::error::{Failure, nothing_here};

/// The handler.
pub(super) async fn begin(door: web::Data<Door>) -> Result<HttpResponse, Failure> {
    let Some(sign_in) = &door.sign_in else {
        return nothing_here().await;
    };
    let secret = URL_SAFE_NO_PAD.encode(door.ids.secret());
    let address = sign_in
        .address(&Attempt::of(&secret), door.clock.now())
        .await;
    let address = match address {
        Ok(address) => address,
        Err(trouble) => return Ok(page::trouble(&trouble)),
    };
    Ok(HttpResponse::SeeOther()
        .insert_header((header::LOCATION, address.as_str()))
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .cookie(cookie::keep(Kind::Attempt, secret, sign_in.secure))
        .finish())
}
