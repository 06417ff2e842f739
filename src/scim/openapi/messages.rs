//! The messages of RFC 7644 and the discovery documents of RFC 7643 §5 to §7 as JSON Schema.

use serde_json::{Value, json};

use super::{About, reference};
use crate::scim::discovery::CONFIG_URN;
use crate::scim::error::Kind;
use crate::scim::list::{LIST_URN, SEARCH_URN};
use crate::scim::patch::{MAX_OPERATIONS, PATCH_URN};
use crate::scim::resource_type::RESOURCE_TYPE_URN;
use crate::scim::schema::SCHEMA_URN;
use crate::scim::{Map, bulk};

/// The URN of an error (RFC 7644 §3.12).
const ERROR_URN: &str = "urn:ietf:params:scim:api:messages:2.0:Error";

/// The keywords that RFC 9865 §2.1 adds to those of RFC 7644.
const CURSOR_KEYWORDS: [&str; 3] = ["invalidCursor", "expiredCursor", "invalidCount"];

/// Every message by its component's name.
pub(super) fn schemas(about: &About<'_>) -> Map {
    let mut schemas = Map::from_iter([
        ("Error".to_owned(), error()),
        (
            "AnyList".to_owned(),
            list(&json!({"type": "object", "required": ["schemas"]})),
        ),
        ("SearchRequest".to_owned(), search(about)),
        ("PatchOp".to_owned(), patch()),
        ("ServiceProviderConfig".to_owned(), configuration()),
        ("ResourceType".to_owned(), resource_type()),
        ("Schema".to_owned(), schema()),
        (
            "ResourceTypeList".to_owned(),
            list(&reference("schemas", "ResourceType")),
        ),
        (
            "SchemaList".to_owned(),
            list(&reference("schemas", "Schema")),
        ),
    ]);
    if about.offers("/bulk/supported") {
        schemas.insert("BulkRequest".to_owned(), bulk_request(about));
        schemas.insert("BulkResponse".to_owned(), bulk_response());
    }
    schemas
}

/// `schemas` of a message: just its URN.
fn schemas_of(urn: &str) -> Value {
    json!({"type": "array", "items": {"const": urn}, "minItems": 1, "maxItems": 1})
}

/// RFC 7644 §3.12: the status is a string.
fn error() -> Value {
    let mut keywords: Vec<&str> = Kind::ALL.map(Kind::keyword).to_vec();
    for keyword in CURSOR_KEYWORDS {
        if !keywords.contains(&keyword) {
            keywords.push(keyword);
        }
    }
    json!({
        "type": "object",
        "required": ["schemas", "status", "detail"],
        "properties": {
            "schemas": schemas_of(ERROR_URN),
            "status": {"type": "string", "pattern": "^[45][0-9][0-9]$", "description": "The status code."},
            "scimType": {"enum": keywords, "description": "What a program reads."},
            "detail": {"type": "string", "description": "What a person reads."},
        },
        "examples": [{
            "schemas": [ERROR_URN], "status": "400", "scimType": "invalidFilter",
            "detail": "there is no attribute 'userNme' in User; did you mean 'userName'?",
        }],
    })
}

/// RFC 7644 §3.4.2, RFC 9865 §2.
pub(super) fn list(item: &Value) -> Value {
    json!({
        "type": "object",
        "required": ["schemas", "Resources"],
        "properties": {
            "schemas": schemas_of(LIST_URN),
            "totalResults": {"type": "integer", "minimum": 0, "description": "How many match; a cursor's page may leave it out."},
            "startIndex": {"type": "integer", "minimum": 1, "description": "Which the first one of this page is."},
            "itemsPerPage": {"type": "integer", "minimum": 0, "description": "How many this page holds."},
            "nextCursor": {"type": "string", "description": "Gets the next page; missing on the last."},
            "previousCursor": {"type": "string", "description": "Gets the page before."},
            "Resources": {"type": "array", "items": item},
        },
    })
}

/// RFC 7644 §3.4.3.
fn search(about: &About<'_>) -> Value {
    let names = json!({"type": "array", "items": {"type": "string"}});
    let mut search = json!({
        "type": "object",
        "required": ["schemas"],
        "properties": {
            "schemas": schemas_of(SEARCH_URN),
            "filter": {"type": "string"},
            "sortBy": {"type": "string"},
            "sortOrder": {"enum": ["ascending", "descending"]},
            "startIndex": {"type": "integer"},
            "count": {"type": "integer"},
            "attributes": names,
            "excludedAttributes": names,
        },
        "examples": [{"schemas": [SEARCH_URN], "filter": "meta.lastModified gt \"2026-01-01T00:00:00Z\"", "count": 10}],
    });
    if about.offers_cursors() {
        search["properties"]["cursor"] =
            json!({"type": "string", "description": "Empty: the first page."});
    }
    search
}

/// RFC 7644 §3.5.2.
fn patch() -> Value {
    json!({
        "type": "object",
        "required": ["schemas", "Operations"],
        "properties": {
            "schemas": schemas_of(PATCH_URN),
            "Operations": {
                "type": "array", "minItems": 1, "maxItems": MAX_OPERATIONS,
                "items": {
                    "type": "object",
                    "required": ["op"],
                    "properties": {
                        "op": {"enum": ["add", "replace", "remove"]},
                        "path": {"type": "string", "description": "Where: attribute, attribute.sub, attribute[filter] or attribute[filter].sub; needed to remove."},
                        "value": {"description": "With what; without a path an object of attributes."},
                    },
                },
            },
        },
        "examples": [{"schemas": [PATCH_URN], "Operations": [
            {"op": "replace", "path": "displayName", "value": "Ines Okafor"},
        ]}],
    })
}

/// RFC 7644 §3.7.
fn bulk_request(about: &About<'_>) -> Value {
    let most = about.config.pointer("/bulk/maxOperations");
    json!({
        "type": "object",
        "required": ["schemas", "Operations"],
        "properties": {
            "schemas": schemas_of(bulk::REQUEST_URN),
            "failOnErrors": {"type": "integer", "minimum": 1, "description": "After how many errors to stop."},
            "Operations": {
                "type": "array", "minItems": 1, "maxItems": most,
                "items": {
                    "type": "object",
                    "required": ["method", "path"],
                    "properties": {
                        "method": {"enum": ["POST", "PUT", "PATCH", "DELETE"]},
                        "bulkId": {"type": "string", "description": "Needed to POST: others refer to it as bulkId:…"},
                        "path": {"type": "string", "description": "As in a request of its own, such as /Users/{id}."},
                        "version": {"type": "string", "description": "Only if the resource has this entity tag."},
                        "data": {"type": "object", "description": "The body."},
                    },
                },
            },
        },
    })
}

/// RFC 7644 §3.7.3.
fn bulk_response() -> Value {
    json!({
        "type": "object",
        "required": ["schemas", "Operations"],
        "properties": {
            "schemas": schemas_of(bulk::RESPONSE_URN),
            "Operations": {"type": "array", "items": {
                "type": "object",
                "required": ["method", "status"],
                "properties": {
                    "method": {"enum": ["POST", "PUT", "PATCH", "DELETE"]},
                    "bulkId": {"type": "string"},
                    "location": {"type": "string"},
                    "version": {"type": "string"},
                    "status": {"type": "string"},
                    "response": {"type": "object"},
                },
            }},
        },
    })
}

/// RFC 7643 §5.
fn configuration() -> Value {
    let feature = json!({
        "type": "object", "required": ["supported"], "properties": {"supported": {"type": "boolean"}},
    });
    json!({
        "type": "object",
        "required": ["schemas", "patch", "bulk", "filter", "changePassword", "sort", "etag", "authenticationSchemes"],
        "properties": {
            "schemas": schemas_of(CONFIG_URN),
            "documentationUri": {"type": "string"},
            "patch": feature, "bulk": feature, "filter": feature, "changePassword": feature, "sort": feature,
            "etag": feature,
            "authenticationSchemes": {"type": "array", "items": {"type": "object", "required": ["type", "name", "description"]}},
        },
    })
}

/// RFC 7643 §6.
fn resource_type() -> Value {
    json!({
        "type": "object",
        "required": ["schemas", "name", "endpoint", "schema"],
        "properties": {
            "schemas": schemas_of(RESOURCE_TYPE_URN),
            "id": {"type": "string"},
            "name": {"type": "string"},
            "description": {"type": "string"},
            "endpoint": {"type": "string"},
            "schema": {"type": "string"},
            "schemaExtensions": {"type": "array", "items": {"type": "object", "required": ["schema", "required"]}},
        },
    })
}

/// RFC 7643 §7.
fn schema() -> Value {
    json!({
        "type": "object",
        "required": ["id", "attributes"],
        "properties": {
            "schemas": schemas_of(SCHEMA_URN),
            "id": {"type": "string"},
            "name": {"type": "string"},
            "description": {"type": "string"},
            "attributes": {"type": "array", "items": {
                "type": "object",
                "required": ["name", "type", "multiValued", "required", "mutability", "returned"],
            }},
        },
    })
}
