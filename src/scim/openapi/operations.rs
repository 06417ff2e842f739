//! What each address takes and answers (RFC 7644 §3.2).

use serde_json::{Value, json};

use super::resources::{answered, list, sent};
use super::shared::{body, empty, refusal, success};
use super::{About, reference};
use crate::scim::Map;
use crate::scim::resource_type::ResourceType;

/// What any request with a token may be answered.
pub(super) const ALWAYS: [u16; 6] = [400, 401, 403, 429, 500, 503];
/// What any request with a body may be answered besides.
pub(super) const WITH_BODY: [u16; 2] = [413, 415];
const PROJECTION: [&str; 2] = ["attributes", "excludedAttributes"];

/// One operation, put together step by step.
struct Operation(Value);

impl Operation {
    fn new(tag: &str, id: &str, summary: &str) -> Self {
        Self(json!({"tags": [tag], "operationId": id, "summary": summary, "responses": {}}))
            .refusing(&ALWAYS)
    }

    fn parameters(mut self, names: &[&str]) -> Self {
        let parameters = names.iter().map(|name| reference("parameters", name));
        self.0["parameters"] = parameters.collect();
        self
    }

    fn taking(mut self, schema: &str, example: Option<&Value>) -> Self {
        self.0["requestBody"] = body(&reference("schemas", schema), example);
        self.refusing(&WITH_BODY)
    }

    fn answering(mut self, status: u16, answer: Value) -> Self {
        self.0["responses"][status.to_string()] = answer;
        self
    }

    fn refusing(mut self, statuses: &[u16]) -> Self {
        for status in statuses {
            self.0["responses"][status.to_string()] = refusal(*status).into();
        }
        self
    }

    /// Readable without a token (RFC 7644 §4); a filter is 403.
    fn public(mut self) -> Self {
        self.0["security"] = json!([{}]);
        self
    }
}

/// Every address below the base.
pub(super) fn paths(about: &About<'_>, types: &[&ResourceType]) -> Value {
    let mut paths = Map::new();
    for ty in types {
        collection(about, ty, &mut paths);
        member(ty, &mut paths);
    }
    if let Some(account) = types.iter().find(|ty| ty.name == "User") {
        paths.insert("/Me".to_owned(), me(account));
    }
    if about.offers("/bulk/supported") {
        paths.insert("/Bulk".to_owned(), bulk());
    }
    let search = Operation::new("Search", "searchAll", "Searches all resource types")
        .taking("SearchRequest", None)
        .answering(200, page("AnyList"))
        .refusing(&[404]);
    paths.insert("/.search".to_owned(), json!({"post": search.0}));
    discovery(&mut paths);
    Value::Object(paths)
}

fn resource(description: &str, headers: &[&str], schema: &str) -> Value {
    success(description, headers, &reference("schemas", schema))
}

fn page(schema: &str) -> Value {
    resource("A page, empty where nothing matches.", &[], schema)
}

/// RFC 7644 §3.3, §3.4.2 and §3.4.3.
fn collection(about: &About<'_>, ty: &ResourceType, paths: &mut Map) {
    let (endpoint, name) = (&ty.endpoint, answered(&ty.name));
    let mut query = vec!["filter", "sortBy", "sortOrder", "startIndex", "count"];
    if about.offers_cursors() {
        query.push("cursor");
    }
    query.extend(PROJECTION);
    let listed = Operation::new(
        &ty.name,
        &format!("list{name}"),
        &format!("Lists {endpoint}"),
    )
    .parameters(&query)
    .answering(200, page(&list(&ty.name)))
    .refusing(&[404]);
    let mut created = resource(
        "Created.",
        &["ETag", "Location", "Muster-Ignored"],
        &answered(&ty.name),
    );
    created["links"] = links(ty, &name);
    let create = Operation::new(
        &ty.name,
        &format!("create{name}"),
        &format!("Creates a {}", ty.name),
    )
    .parameters(&[PROJECTION[0], PROJECTION[1], "prefer", "idempotencyKey"])
    .taking(&sent(&ty.name), about.examples.get(endpoint))
    .answering(201, created)
    .refusing(&[404, 409, 422]);
    let create = if ty.schema.natural_keys {
        let headers = ["ETag", "Location", "Muster-Ignored"];
        let known = resource(
            "It was on record already, by one of its names.",
            &headers,
            &name,
        );
        let queued = resource(
            "A human is to say where it belongs: the review.",
            &["ETag", "Location"],
            &answered("Review"),
        );
        create.answering(200, known).answering(202, queued)
    } else {
        create
    };
    let mut item = json!({"get": listed.0});
    if ty.is_made_by_clients() {
        item["post"] = create.0;
    }
    paths.insert(endpoint.clone(), item);
    let search = Operation::new(
        &ty.name,
        &format!("search{name}"),
        &format!("Searches {endpoint}"),
    )
    .taking("SearchRequest", None)
    .answering(200, page(&list(&ty.name)))
    .refusing(&[404]);
    paths.insert(format!("{endpoint}/.search"), json!({"post": search.0}));
}

/// The id of a new resource leads to what can be done with it.
fn links(ty: &ResourceType, name: &str) -> Value {
    let changes: &[&str] = if ty.is_changeable() {
        &["replace", "change"]
    } else {
        &[]
    };
    let always: &[&str] = if ty.schema.append_only {
        &["get"]
    } else {
        &["get", "delete"]
    };
    let operations = always.iter().chain(changes);
    let links = operations.map(|operation| {
        let link = json!({
            "operationId": format!("{operation}{name}"),
            "parameters": {"id": "$response.body#/id"},
        });
        ((*operation).to_owned(), link)
    });
    Value::Object(links.collect())
}

/// RFC 7644 §3.4.1, §3.5.1, §3.5.2 and §3.6.
fn member(ty: &ResourceType, paths: &mut Map) {
    let (tag, name) = (&*ty.name, answered(&ty.name));
    let [attributes, excluded] = PROJECTION;
    let operation = |verb: &str, summary: &str| {
        Operation::new(tag, &format!("{verb}{name}"), &format!("{summary} a {tag}"))
    };
    let changed = || resource("As it is now.", &["ETag", "Muster-Ignored"], &name);
    let unsaid = || empty("Done; the answer was not wanted.", &[]);
    let get = operation("get", "Reads")
        .parameters(&["id", attributes, excluded, "ifNoneMatch"])
        .answering(200, resource("The resource.", &["ETag"], &name))
        .answering(
            304,
            empty("It has the version that the client knows.", &["ETag"]),
        )
        .refusing(&[404]);
    let put = operation("replace", "Replaces")
        .parameters(&[
            "id",
            attributes,
            excluded,
            "ifMatch",
            "prefer",
            "idempotencyKey",
        ])
        .taking(&sent(&ty.name), None)
        .answering(200, changed())
        .answering(204, unsaid())
        .refusing(&[404, 409, 412, 422]);
    let patch = operation("change", "Changes parts of")
        .parameters(&[
            "id",
            attributes,
            excluded,
            "ifMatch",
            "prefer",
            "idempotencyKey",
        ])
        .taking("PatchOp", None)
        .answering(200, changed())
        .answering(204, unsaid())
        .refusing(&[404, 409, 412, 422]);
    let delete = operation("delete", "Deletes")
        .parameters(&["id", "ifMatch", "idempotencyKey"])
        .answering(204, empty("Gone.", &[]))
        .refusing(&[404, 409, 412, 422]);
    let mut item = json!({"get": get.0});
    if ty.is_made_by_clients() && !ty.schema.append_only {
        item["delete"] = delete.0;
    }
    if ty.is_changeable() {
        item["put"] = put.0;
        item["patch"] = patch.0;
    }
    paths.insert(format!("{}/{{id}}", ty.endpoint), item);
}

/// RFC 7644 §3.11: the caller's own account, as at its own address; 501 where the token names none.
fn me(account: &ResourceType) -> Value {
    let name = answered(&account.name);
    let operation = |verb: &str, summary: &str| {
        let summary = format!("{summary} the caller's own account");
        Operation::new("Me", &format!("{verb}Me"), &summary)
    };
    let found = |description: &str, headers: &[&str]| resource(description, headers, &name);
    let changed = || {
        found(
            "As it is now.",
            &["ETag", "Location", "Content-Location", "Muster-Ignored"],
        )
    };
    let unsaid = || empty("Done; the answer was not wanted.", &["Location"]);
    let [attributes, excluded] = PROJECTION;
    let get = operation("get", "Reads")
        .parameters(&[attributes, excluded, "ifNoneMatch"])
        .answering(
            200,
            found("The account.", &["ETag", "Location", "Content-Location"]),
        )
        .answering(
            304,
            empty(
                "It has the version that the client knows.",
                &["ETag", "Location"],
            ),
        )
        .refusing(&[404, 501]);
    let post = operation("create", "Creates")
        .parameters(&[attributes, excluded, "prefer", "idempotencyKey"])
        .taking(&sent(&account.name), None)
        .answering(
            201,
            found("Created.", &["ETag", "Location", "Muster-Ignored"]),
        )
        .refusing(&[404, 409, 422, 501]);
    let put = operation("replace", "Replaces")
        .parameters(&[attributes, excluded, "ifMatch", "prefer", "idempotencyKey"])
        .taking(&sent(&account.name), None)
        .answering(200, changed())
        .answering(204, unsaid())
        .refusing(&[404, 409, 412, 422, 501]);
    let patch = operation("change", "Changes parts of")
        .parameters(&[attributes, excluded, "ifMatch", "prefer", "idempotencyKey"])
        .taking("PatchOp", None)
        .answering(200, changed())
        .answering(204, unsaid())
        .refusing(&[404, 409, 412, 422, 501]);
    let delete = operation("delete", "Deletes")
        .parameters(&["ifMatch", "idempotencyKey"])
        .answering(204, empty("Gone.", &["Location"]))
        .refusing(&[404, 409, 412, 422, 501]);
    json!({"get": get.0, "post": post.0, "put": put.0, "patch": patch.0, "delete": delete.0})
}

/// RFC 7644 §3.7.
fn bulk() -> Value {
    let bulk = Operation::new("Bulk", "bulk", "Does many operations in one request")
        .parameters(&["prefer", "idempotencyKey"])
        .taking("BulkRequest", None)
        .answering(
            200,
            resource("What became of each.", &["Muster-Ignored"], "BulkResponse"),
        )
        .refusing(&[409, 422]);
    json!({"post": bulk.0})
}

/// RFC 7644 §4.
fn discovery(paths: &mut Map) {
    let documents = [
        (
            "/ServiceProviderConfig",
            "getConfiguration",
            "What the service offers",
            "ServiceProviderConfig",
        ),
        (
            "/ResourceTypes",
            "listResourceTypes",
            "The types of resources",
            "ResourceTypeList",
        ),
        (
            "/ResourceTypes/{id}",
            "getResourceType",
            "One type of resources",
            "ResourceType",
        ),
        ("/Schemas", "listSchemas", "The schemas", "SchemaList"),
        ("/Schemas/{id}", "getSchema", "One schema", "Schema"),
    ];
    for (path, id, summary, schema) in documents {
        let mut operation = Operation::new("Discovery", id, summary)
            .answering(200, resource("The document.", &[], schema))
            .public();
        if path.ends_with("/{id}") {
            operation = operation.parameters(&["id"]).refusing(&[404]);
        }
        paths.insert(path.to_owned(), json!({"get": operation.0}));
    }
}
