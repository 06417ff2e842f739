//! `GET /me`: who is signed in, and what they may do.

use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse, web};

use super::page;
use super::visitor::Visitor;
use crate::domain::context::Right;
use crate::http::Door;
use crate::http::error::{Failure, nothing_here};

/// The handler. Who is not signed in is sent to do so.
pub(super) async fn me(
    door: web::Data<Door>,
    request: HttpRequest,
) -> Result<HttpResponse, Failure> {
    let Some(sign_in) = &door.sign_in else {
        return nothing_here().await;
    };
    let Some(visitor) = Visitor::of(&request, &door, sign_in).await? else {
        return Ok(HttpResponse::SeeOther()
            .insert_header((header::LOCATION, "/sign-in"))
            .insert_header((header::CACHE_CONTROL, "no-store"))
            .finish());
    };
    let client = &visitor.context.client;
    let types = door.service.resource_types();
    let rights: Vec<(&str, Vec<&str>)> = types
        .iter()
        .map(|known| {
            let rights = Right::ALL.into_iter();
            let held = rights.filter(|right| client.may(*right, &known.name));
            (known.name.as_str(), held.map(Right::name).collect())
        })
        .collect();
    Ok(page::me(&visitor, &rights))
}
