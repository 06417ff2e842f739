//! Discovery (RFC 7644 §4): what clients read before anything else.

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{App, EMPLOYEE, ENTERPRISE, GROUP, PERSON, USER, on_both};

on_both!(
    a_filter_on_discovery_is_forbidden,
    sailpoint_finds_its_five_documents_without_a_token,
    every_schema_a_resource_type_names_is_served,
    published_schemas_hold_every_characteristic_and_nothing_of_the_servers_own,
    the_configuration_tells_what_is_supported,
    discovery_is_read_only_and_unknown_names_are_404,
);

const ENDPOINTS: [&str; 3] = ["/ServiceProviderConfig", "/ResourceTypes", "/Schemas"];

/// RFC 7644 §4: a filter is 403; sorting and paging are ignored.
async fn a_filter_on_discovery_is_forbidden(app: &App) {
    let anybody = app.stranger();
    for endpoint in ENDPOINTS {
        anybody
            .list(endpoint, &[("filter", "id pr")])
            .await
            .refused(403, "");
        let plain = anybody.get(endpoint).await;
        let paged = anybody
            .list(
                endpoint,
                &[("startIndex", "2"), ("count", "1"), ("sortBy", "name")],
            )
            .await;
        assert_eq!(paged.ok(200), plain.ok(200));
    }
}

/// The `SailPoint` connector gives up when one of these is missing (scim.md, "Other clients").
async fn sailpoint_finds_its_five_documents_without_a_token(app: &App) {
    let anybody = app.stranger();
    let paths = [
        "/ServiceProviderConfig",
        "/ResourceTypes",
        "/Schemas",
        "/ResourceTypes/User",
    ];
    for path in paths
        .map(str::to_owned)
        .into_iter()
        .chain([format!("/Schemas/{USER}")])
    {
        // That no answer holds a null (Entra, E17) is checked on each answer.
        anybody.get(&path).await.ok(200);
    }
}

/// RFC 7643 §6, §7.
async fn every_schema_a_resource_type_names_is_served(app: &App) {
    let anybody = app.stranger();
    let types = anybody.get("/ResourceTypes").await;
    let names: Vec<_> = types
        .resources()
        .iter()
        .map(|found| found["name"].as_str().unwrap().to_owned())
        .collect();
    for name in ["User", "Group", "Person"] {
        assert!(names.contains(&name.to_owned()), "{names:?}");
    }
    for found in types.resources() {
        let name = found["name"].as_str().unwrap();
        assert_eq!(found["id"], found["name"]);
        assert_eq!(
            anybody.get(&format!("/ResourceTypes/{name}")).await.ok(200),
            found
        );
        assert_eq!(
            found["meta"]["location"],
            format!("{}/ResourceTypes/{name}", app.scim())
        );
        let extensions = found["schemaExtensions"].as_array().into_iter().flatten();
        for urn in extensions
            .map(|extension| &extension["schema"])
            .chain([&found["schema"]])
        {
            let urn = urn.as_str().unwrap();
            assert_eq!(
                anybody.get(&format!("/Schemas/{urn}")).await.ok(200)["id"],
                urn
            );
        }
    }
    let schemas = anybody.get("/Schemas").await;
    assert_eq!(schemas.body["totalResults"], schemas.resources().len());
    let ids: Vec<_> = schemas
        .resources()
        .iter()
        .map(|schema| schema["id"].as_str().unwrap())
        .collect();
    for urn in [USER, GROUP, PERSON, ENTERPRISE, EMPLOYEE] {
        assert_eq!(ids.iter().filter(|id| **id == urn).count(), 1, "{urn}");
    }
}

/// RFC 7643 §7.
async fn published_schemas_hold_every_characteristic_and_nothing_of_the_servers_own(app: &App) {
    let schemas = app.stranger().get("/Schemas").await;
    for schema in schemas.resources() {
        for attribute in schema["attributes"].as_array().unwrap() {
            check_attribute(attribute);
            for sub in attribute["subAttributes"].as_array().into_iter().flatten() {
                check_attribute(sub);
            }
        }
    }
    let user = app.stranger().get(&format!("/Schemas/{USER}")).await;
    let attributes = user.body["attributes"].as_array().unwrap();
    let user_name = attributes
        .iter()
        .find(|attribute| attribute["name"] == "userName")
        .unwrap();
    assert_eq!(user_name["required"], true);
    assert_eq!(user_name["uniqueness"], "server");
    assert_eq!(user_name["caseExact"], false);
    let password = attributes
        .iter()
        .find(|attribute| attribute["name"] == "password")
        .unwrap();
    assert_eq!(password["mutability"], "writeOnly");
    assert_eq!(password["returned"], "never");
}

fn check_attribute(attribute: &Value) {
    for name in [
        "name",
        "type",
        "multiValued",
        "description",
        "required",
        "mutability",
        "returned",
    ] {
        assert!(
            attribute.get(name).is_some(),
            "{name} is missing in {attribute}"
        );
    }
    for own in [
        "aliases",
        "storage",
        "closed",
        "elementKey",
        "secret",
        "derived",
        "format",
    ] {
        assert!(
            attribute.get(own).is_none(),
            "{own} is shown in {attribute}"
        );
    }
}

/// RFC 7643 §5.
async fn the_configuration_tells_what_is_supported(app: &App) {
    let answer = app.stranger().get("/ServiceProviderConfig").await;
    let config = answer.ok(200);
    for (feature, supported) in [
        ("patch", true),
        ("filter", true),
        ("sort", true),
        ("etag", true),
        ("bulk", true),
        ("changePassword", false),
    ] {
        assert_eq!(config[feature]["supported"], supported, "{feature}");
    }
    assert!(config["filter"]["maxResults"].as_u64().unwrap() >= 100);
    assert_eq!(
        config["bulk"],
        json!({"supported": true, "maxOperations": 1000, "maxPayloadSize": 10 * 1024 * 1024})
    );
    assert_eq!(
        config["authenticationSchemes"][0]["type"],
        "oauthbearertoken"
    );
}

/// RFC 7644 §4: resources that are fetched only.
async fn discovery_is_read_only_and_unknown_names_are_404(app: &App) {
    let anybody = app.stranger();
    for endpoint in ENDPOINTS {
        for method in [Method::POST, Method::PUT, Method::PATCH, Method::DELETE] {
            anybody
                .send(method, endpoint, &[], Some(b"{}".to_vec()))
                .await
                .refused(405, "");
        }
    }
    anybody.get("/ResourceTypes/Nobody").await.refused(404, "");
    anybody
        .get("/Schemas/urn:example:nothing")
        .await
        .refused(404, "");
}
