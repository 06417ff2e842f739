//! Index paging (RFC 7644 §3.4.2.4) and searches by POST (§3.4.3).

use reqwest::Method;
use serde_json::{Value, json};

use crate::people::{NAMES, arrive, names};
use crate::support::{App, on_both};

on_both!(
    a_list_tells_where_it_is,
    a_start_below_one_is_one_and_a_count_below_zero_is_zero,
    a_count_of_zero_counts_only,
    beyond_the_end_there_is_nothing,
    pages_gather_everybody_once_in_a_stable_order,
    a_count_beyond_the_maximum_is_cut,
    a_search_by_post_is_a_list,
    a_parameter_that_is_no_number_is_refused_by_its_name,
    unknown_parameters_are_passed_over,
);

async fn a_list_tells_where_it_is(app: &App) {
    arrive(app).await;
    let idp = app.client("idp").await;
    let answer = idp
        .list("/Users", &[("startIndex", "4"), ("count", "3")])
        .await;
    let list = answer.ok(200);
    assert_eq!(
        list["schemas"],
        json!(["urn:ietf:params:scim:api:messages:2.0:ListResponse"])
    );
    // JSON integers, as Okta wants them (O1).
    assert_eq!(
        (
            &list["totalResults"],
            &list["startIndex"],
            &list["itemsPerPage"]
        ),
        (&json!(12), &json!(4), &json!(3))
    );
    assert_eq!(names(answer.resources()), NAMES[3..6]);
    let whole = idp.get("/Users").await;
    assert_eq!(names(whole.resources()), NAMES);
}

async fn a_start_below_one_is_one_and_a_count_below_zero_is_zero(app: &App) {
    arrive(app).await;
    let idp = app.client("idp").await;
    for start in ["0", "-3"] {
        let answer = idp
            .list("/Users", &[("startIndex", start), ("count", "2")])
            .await;
        assert_eq!(answer.ok(200)["startIndex"], 1);
        assert_eq!(names(answer.resources()), NAMES[..2]);
    }
    let answer = idp.list("/Users", &[("count", "-1")]).await;
    assert_eq!(answer.ok(200)["itemsPerPage"], 0);
    assert_eq!(answer.body["totalResults"], 12);
}

async fn a_count_of_zero_counts_only(app: &App) {
    arrive(app).await;
    let idp = app.client("idp").await;
    for (filter, total) in [
        ("userName pr", 12),
        ("userName sw \"i\"", 2),
        ("userName eq \"nobody\"", 0),
    ] {
        let answer = idp
            .list("/Users", &[("filter", filter), ("count", "0")])
            .await;
        assert_eq!(answer.ok(200)["totalResults"], total, "{filter}");
        assert_eq!(answer.body["itemsPerPage"], 0);
        assert!(
            answer.body["Resources"]
                .as_array()
                .is_none_or(Vec::is_empty)
        );
    }
}

async fn beyond_the_end_there_is_nothing(app: &App) {
    arrive(app).await;
    let idp = app.client("idp").await;
    for start in [
        "13",
        "500",
        "9223372036854775807",
        "99999999999999999999999999",
    ] {
        let answer = idp.list("/Users", &[("startIndex", start)]).await;
        assert_eq!(answer.ok(200)["totalResults"], 12, "{start}");
        assert_eq!(answer.body["itemsPerPage"], 0);
        assert_eq!(answer.resources(), &[] as &[Value]);
    }
}

async fn pages_gather_everybody_once_in_a_stable_order(app: &App) {
    arrive(app).await;
    let idp = app.client("idp").await;
    for size in [1, 5, 7, 12, 100] {
        let mut gathered = Vec::new();
        while gathered.len() < 12 {
            let start = (gathered.len() + 1).to_string();
            let page = idp
                .list(
                    "/Users",
                    &[("startIndex", &start), ("count", &size.to_string())],
                )
                .await;
            assert!(
                !page.resources().is_empty(),
                "page at {start} of size {size} is empty"
            );
            gathered.extend_from_slice(page.resources());
        }
        assert_eq!(names(&gathered), NAMES, "size {size}");
    }
}

async fn a_count_beyond_the_maximum_is_cut(app: &App) {
    arrive(app).await;
    let config = app.stranger().get("/ServiceProviderConfig").await;
    assert!(config.ok(200)["filter"]["maxResults"].as_u64().unwrap() >= 12);
    for count in [
        "100000",
        "9223372036854775807",
        "99999999999999999999999999",
    ] {
        let answer = app
            .client("idp")
            .await
            .list("/Users", &[("count", count)])
            .await;
        assert_eq!(answer.ok(200)["itemsPerPage"], 12);
    }
}

async fn a_search_by_post_is_a_list(app: &App) {
    arrive(app).await;
    let idp = app.client("idp").await;
    let request = json!({
        "filter": "userName gt \"bo\"", "startIndex": 2, "count": 3, "sortBy": "userName", "sortOrder": "descending",
        "attributes": ["userName"],
    });
    let answer = idp.search("/Users", request).await;
    assert_eq!(answer.ok(200)["totalResults"], 10);
    assert_eq!(names(answer.resources()), ["jan", "ivo", "ines"]);
    assert!(answer.resources()[0].get("meta").is_none());
    for body in [
        json!({}),
        json!({"schemas": ["urn:x"]}),
        json!({"schemas": [crate::support::USER]}),
    ] {
        let body = Some(body.to_string().into_bytes());
        idp.send(Method::POST, "/Users/.search", &[], body)
            .await
            .refused(400, "invalidSyntax");
    }
    idp.search("/Users", json!({"startIndex": "x"}))
        .await
        .refused(400, "invalidValue");
    idp.search("/Users", json!({"filter": 7}))
        .await
        .refused(400, "invalidValue");
}

async fn a_parameter_that_is_no_number_is_refused_by_its_name(app: &App) {
    let idp = app.client("idp").await;
    for (name, value) in [
        ("startIndex", "one"),
        ("count", "1.5"),
        ("count", ""),
        ("startIndex", "0x1"),
    ] {
        let answer = idp.list("/Users", &[(name, value)]).await;
        assert!(
            answer.refused(400, "invalidValue").contains(name),
            "{}",
            answer.body
        );
    }
    let answer = idp.list("/Users", &[("count", "1"), ("count", "2")]).await;
    assert!(answer.refused(400, "invalidValue").contains("count"));
    idp.get("/Users?filter=%zz")
        .await
        .refused(400, "invalidValue");
    idp.get("/Users?filter=%ff")
        .await
        .refused(400, "invalidValue");
}

async fn unknown_parameters_are_passed_over(app: &App) {
    arrive(app).await;
    let idp = app.client("idp").await;
    let answer = idp
        .list("/Users", &[("aadOptscim062020", ""), ("count", "2")])
        .await;
    assert_eq!(answer.ok(200)["itemsPerPage"], 2);
}
