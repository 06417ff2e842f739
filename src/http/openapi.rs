//! `GET /openapi.json`: the API as an OpenAPI 3.1 document, readable without a token as discovery is (RFC 7644 §4).

mod own;

use std::sync::Arc;

use actix_web::{HttpResponse, web};
use serde_json::Value;

use super::Door;
use super::answer;
use super::published::Published;
use super::scim::discovery::described;
use crate::scim::document::remove;
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
    let published = door.published();
    let make = || render(&door, &published);
    let document = published.openapi.get_or_init(make).clone();
    HttpResponse::Ok()
        .content_type("application/json")
        .body(document)
}

fn render(door: &Door, published: &Published) -> web::Bytes {
    let types: Vec<&ResourceType> = published.types.iter().map(Arc::as_ref).collect();
    // The examples are built in, and a test reads them.
    let mut examples = json::object(EXAMPLES.as_bytes()).unwrap_or_default();
    for ty in &types {
        let example = examples
            .get_mut(&ty.endpoint)
            .and_then(Value::as_object_mut);
        if let (Some(example), Some(hidden)) = (example, published.hidden.get(&ty.name)) {
            for location in hidden {
                remove(example, location);
            }
        }
    }
    let about = About {
        base: &door.base_url,
        config: &described(door),
        issuers: &door.issuers,
        examples: &examples,
        own: &own::described(door, published),
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
