//! What a service says of itself (RFC 7644 §4, RFC 7643 §5 to §7).

use std::collections::HashSet;

use serde_json::{Value, json};

use super::list::LIST_URN;
use super::resource_type::ResourceType;
use super::schema::Schema;

/// The URN of the service provider's configuration.
pub const CONFIG_URN: &str = "urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig";

/// What a service allows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// How many resources a list holds at most.
    pub max_results: u64,
    /// How many operations a bulk request may hold, and how many bytes it may have (RFC 7644 §3.7.4).
    pub bulk: (usize, usize),
    /// How many it holds if the client does not say.
    pub default_results: u64,
    /// For how many seconds a cursor is good.
    pub cursor_timeout: u64,
    /// Where people read about the service.
    pub documentation_uri: Option<String>,
}

/// `/ServiceProviderConfig` (RFC 7643 §5).
#[must_use]
pub fn service_provider_config(base: &str, limits: &Limits) -> Value {
    let base = base.trim_end_matches('/');
    let mut config = json!({
        "schemas": [CONFIG_URN],
        "patch": {"supported": true},
        "bulk": {
            "supported": true,
            "maxOperations": limits.bulk.0,
            "maxPayloadSize": limits.bulk.1,
        },
        "filter": {"supported": true, "maxResults": limits.max_results},
        "changePassword": {"supported": false},
        "sort": {"supported": true},
        "etag": {"supported": true},
        // RFC 9865 §4. Index stays the default: clients that know nothing of cursors name no method.
        "pagination": {
            "cursor": true,
            "index": true,
            "defaultPaginationMethod": "index",
            "defaultPageSize": limits.default_results.min(limits.max_results),
            "maxPageSize": limits.max_results,
            "cursorTimeout": limits.cursor_timeout,
        },
        "authenticationSchemes": [{
            "type": "oauthbearertoken",
            "name": "OAuth bearer token",
            "description": "A JWT of an OpenID Connect issuer that the service trusts.",
            "specUri": "https://www.rfc-editor.org/info/rfc6750",
            "primary": true,
        }],
        "meta": {
            "resourceType": "ServiceProviderConfig",
            "location": format!("{base}/ServiceProviderConfig"),
        },
    });
    if let Some(uri) = &limits.documentation_uri {
        config["documentationUri"] = json!(uri);
    }
    config
}

/// `/ResourceTypes` (RFC 7643 §6).
pub fn resource_types<'a>(base: &str, types: impl IntoIterator<Item = &'a ResourceType>) -> Value {
    let types = types.into_iter().map(|ty| ty.to_json(base));
    whole_list(&types.collect::<Vec<_>>())
}

/// `/Schemas` (RFC 7643 §7): each schema once.
pub fn schemas<'a>(base: &str, types: impl IntoIterator<Item = &'a ResourceType>) -> Value {
    let schemas = distinct_schemas(types).into_iter();
    whole_list(
        &schemas
            .map(|schema| schema.to_json(base))
            .collect::<Vec<_>>(),
    )
}

/// The schemas of these types, each once, in order.
pub fn distinct_schemas<'a>(types: impl IntoIterator<Item = &'a ResourceType>) -> Vec<&'a Schema> {
    let mut seen = HashSet::new();
    types
        .into_iter()
        .flat_map(|ty| {
            let extensions = ty.extensions.iter().map(|extension| &*extension.schema);
            std::iter::once(&*ty.schema).chain(extensions)
        })
        .filter(|schema| seen.insert(&*schema.id))
        .collect()
}

fn whole_list(resources: &[Value]) -> Value {
    json!({
        "schemas": [LIST_URN],
        "totalResults": resources.len(),
        "startIndex": 1,
        "itemsPerPage": resources.len(),
        "Resources": resources,
    })
}

#[cfg(test)]
mod tests;
