//! The service as an OpenAPI 3.1 document, made from the same schemas that `/Schemas` publishes.
//!
//! | part | file |
//! |---|---|
//! | a resource type's components, made by [`super::json_schema`] | `resources` |
//! | errors, lists, searches, patches, bulk and discovery documents | `messages` |
//! | what each address takes and answers | `operations` |
//! | headers, parameters and the answers that many operations share | `shared` |
//! | what the service has besides SCIM, and what all operations have | `complete` |
//!
//! What a client may send is described as the RFCs have it; the server takes more (RFC 7644's tolerance, and the
//! habits of real clients), so a body that breaks this description is not always refused.

mod complete;
mod messages;
mod operations;
mod resources;
mod shared;

use serde_json::{Value, json};

use super::Map;
use super::json_schema::DIALECT;
use super::resource_type::ResourceType;

pub use complete::join;

/// The version of the specification that the document follows.
pub const OPENAPI: &str = "3.1.0";

/// What the document says beyond the resource types.
#[derive(Debug, Clone, Copy)]
pub struct About<'a> {
    /// Where SCIM is.
    pub base: &'a str,
    /// The `ServiceProviderConfig` (RFC 7643 §5): what is offered.
    pub config: &'a Value,
    /// The OpenID Connect issuers whose tokens are accepted.
    pub issuers: &'a [String],
    /// A resource to create at each endpoint (`/Users`), for people to begin with.
    pub examples: &'a Map,
    /// What the service has besides SCIM: a document like this one, to be joined with it. An answer that is null is the
    /// refusal of that status.
    pub own: &'a Value,
}

impl About<'_> {
    /// Whether the configuration says that a feature (`/bulk/supported`) is there.
    fn offers(&self, pointer: &str) -> bool {
        self.config.pointer(pointer) == Some(&Value::Bool(true))
    }

    fn offers_cursors(&self) -> bool {
        self.offers("/pagination/cursor")
    }
}

/// The document.
#[must_use]
pub fn document(about: &About<'_>, types: &[&ResourceType]) -> Value {
    let mut document = json!({
        "openapi": OPENAPI,
        "jsonSchemaDialect": DIALECT,
        "info": {
            "title": "SCIM 2.0",
            "version": "2.0",
            "description": "System for Cross-domain Identity Management: RFC 7643 (schemas), RFC 7644 (protocol).",
        },
        "servers": [{"url": about.base.trim_end_matches('/')}],
        "security": security(about),
        "tags": tags(types),
        "paths": operations::paths(about, types),
        "components": {
            "schemas": schemas(about, types),
            "parameters": shared::parameters(about),
            "headers": shared::headers(),
            "responses": shared::responses(),
            "securitySchemes": security_schemes(about),
        },
    });
    complete::complete(&mut document, about.own);
    document
}

fn schemas(about: &About<'_>, types: &[&ResourceType]) -> Value {
    let mut schemas = messages::schemas(about);
    for ty in types {
        resources::add(ty, &mut schemas);
    }
    Value::Object(schemas)
}

fn tags(types: &[&ResourceType]) -> Value {
    let types = types
        .iter()
        .map(|ty| json!({"name": ty.name, "description": ty.description}));
    let own = [
        ("Me", "The caller's own account (RFC 7644 §3.11)"),
        ("Bulk", "Many operations in one request (RFC 7644 §3.7)"),
        ("Search", "Over all resource types (RFC 7644 §3.4.3)"),
        ("Discovery", "What the service says of itself (RFC 7644 §4)"),
    ];
    let own = own
        .iter()
        .map(|(name, description)| json!({"name": name, "description": description}));
    types.chain(own).collect()
}

/// Any one of them will do.
fn security(about: &About<'_>) -> Value {
    let names = security_names(about).map(|name| json!({name: []}));
    names.chain([json!({"bearer": []})]).collect()
}

fn security_names(about: &About<'_>) -> impl Iterator<Item = String> {
    (1..=about.issuers.len()).map(|number| match number {
        1 => "oidc".to_owned(),
        more => format!("oidc{more}"),
    })
}

/// Each issuer by its discovery document, which names the token endpoint and what it takes (`client_credentials`).
fn security_schemes(about: &About<'_>) -> Value {
    let mut schemes = Map::new();
    for (name, issuer) in security_names(about).zip(about.issuers) {
        let issuer = issuer.trim_end_matches('/');
        let scheme = json!({
            "type": "openIdConnect",
            "openIdConnectUrl": format!("{issuer}/.well-known/openid-configuration"),
            "description": "Get an access token with the client credentials grant (RFC 6749 §4.4).",
        });
        schemes.insert(name, scheme);
    }
    let bearer = json!({
        "type": "http", "scheme": "bearer", "bearerFormat": "JWT",
        "description": "A JWT of an issuer that the service trusts (RFC 6750).",
    });
    schemes.insert("bearer".to_owned(), bearer);
    Value::Object(schemes)
}

/// A reference to a component.
fn reference(kind: &str, name: &str) -> Value {
    json!({"$ref": format!("#/components/{kind}/{name}")})
}

#[cfg(test)]
mod tests;
