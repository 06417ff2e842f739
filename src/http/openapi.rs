//! `GET /openapi.json`: the API as an OpenAPI 3.1 document, readable without a token as discovery is (RFC 7644 §4).

mod own;

use std::sync::Arc;

use actix_web::{HttpResponse, web};

use super::Door;
use super::answer;
use super::scim::discovery::described;
use crate::scim::json;
use crate::scim::openapi::{About, document};
use crate::scim::resource_type::ResourceType;

/// A resource to create at each endpoint.
const EXAMPLES: &str = include_str!("openapi/examples.json");

/// The route; any other method is 405.
pub(super) fn mount(app: &mut web::ServiceConfig) {
    let document = web::resource("/openapi.json").route(web::get().to(answer));
    app.service(document.default_service(web::to(answer::read_only)));
}

async fn answer(door: web::Data<Door>) -> HttpResponse {
    let document = door.openapi.get_or_init(|| render(&door)).clone();
    HttpResponse::Ok()
        .content_type("application/json")
        .body(document)
}

/// Nothing in the document changes while the server runs.
fn render(door: &Door) -> web::Bytes {
    let types = door.service.resource_types();
    let types: Vec<&ResourceType> = types.iter().map(Arc::as_ref).collect();
    let about = About {
        base: &door.base_url,
        config: &described(door),
        issuers: &door.issuers,
        // The examples are built in, and a test reads them.
        examples: &json::object(EXAMPLES.as_bytes()).unwrap_or_default(),
        own: &own::described(door, &types),
    };
    document(&about, &types).to_string().into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::catalog::Catalog;
    use crate::scim::profile::Profile;
    use crate::scim::receive::{Purpose, receive};

    #[test]
    fn every_example_is_a_valid_resource_of_its_endpoint() {
        let catalog = Catalog::load().unwrap();
        for (endpoint, body) in json::object(EXAMPLES.as_bytes()).unwrap() {
            let known = catalog.at(&endpoint).map(|view| &*view.resource_type);
            let ty = known.unwrap_or(catalog.membership());
            assert_eq!(ty.endpoint, endpoint);
            let body = body.as_object().unwrap().clone();
            let received = receive(ty, body, Purpose::Create, Profile::Rfc).unwrap();
            assert!(received.ignored.is_empty(), "{:?}", received.ignored);
        }
    }
}
