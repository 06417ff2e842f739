//! Sorting (RFC 7644 §3.4.2.3).

use serde_json::json;

use crate::people::{NAMES, arrive, names};
use crate::support::{Answer, App, CANDIDATE, Client, on_both};

on_both!(
    what_has_no_value_comes_last_upward_and_first_downward,
    a_multi_valued_attribute_sorts_by_its_primary_or_first_element,
    every_kind_of_attribute_sorts_in_its_own_order,
    pages_of_a_sorted_list_fit_together,
    an_order_that_does_not_exist_is_refused,
);

async fn sorted(client: &Client, by: &str, order: &str) -> Answer {
    let answer = client
        .list("/Users", &[("sortBy", by), ("sortOrder", order)])
        .await;
    assert_eq!(answer.status, 200, "{by} {order}: {}", answer.body);
    answer
}

async fn what_has_no_value_comes_last_upward_and_first_downward(app: &App) {
    arrive(app).await;
    let idp = app.client("idp").await;
    let upward = sorted(&idp, "title", "ascending").await;
    let found = names(upward.resources());
    // 100%, 100\, 100_ by their bytes; Engineer and engineer are equal, and equals stay in order of creation.
    assert_eq!(found[..5], ["cyd", "eli", "dag", "ada", "bo"]);
    assert_eq!(found[5..], NAMES[5..]);
    // Downward is upward read backward, among equals too.
    let downward = sorted(&idp, "title", "descending").await;
    let mut found = names(downward.resources());
    found.reverse();
    assert_eq!(found, names(upward.resources()));
    // Ascending is the default, and an attribute's name knows no case.
    let plain = idp.list("/Users", &[("sortBy", "TITLE")]).await;
    assert_eq!(names(plain.resources()), names(upward.resources()));
}

async fn a_multi_valued_attribute_sorts_by_its_primary_or_first_element(app: &App) {
    arrive(app).await;
    let idp = app.client("idp").await;
    for by in ["emails", "emails.value"] {
        // ada's first is ada@home, her primary ada@north; fay's first is fay@south.
        let answer = sorted(&idp, by, "ascending").await;
        assert_eq!(
            names(answer.resources())[..3],
            ["ada", "cyd", "fay"],
            "{by}"
        );
    }
    let answer = sorted(&idp, "emails.type", "ascending").await;
    assert_eq!(names(answer.resources())[..3], ["ada", "cyd", "fay"]);
    let operations =
        json!([{"op": "replace", "path": "emails[type eq \"home\"].primary", "value": true}]);
    let fay = &idp.find("/Users", "userName eq \"fay\"").await[0];
    idp.patch(
        &format!("/Users/{}", fay["id"].as_str().unwrap()),
        operations,
    )
    .await
    .ok(200);
    let answer = sorted(&idp, "emails.type", "ascending").await;
    assert_eq!(names(answer.resources())[..3], ["fay", "ada", "cyd"]);
}

async fn every_kind_of_attribute_sorts_in_its_own_order(app: &App) {
    let made = arrive(app).await;
    let idp = app.client("idp").await;
    let days = format!("{CANDIDATE}:noticePeriodDays");
    let answer = sorted(&idp, &days, "ascending").await;
    assert_eq!(
        names(answer.resources())[..4],
        ["ivo", "gil", "hana", "ines"]
    );
    let answer = sorted(&idp, "active", "ascending").await;
    assert_eq!(names(answer.resources())[0], "bo");
    let answer = sorted(&idp, "name.familyName", "descending").await;
    assert_eq!(names(answer.resources())[10..], ["bo", "ada"]);
    for by in ["meta.created", "userName"] {
        assert_eq!(
            names(sorted(&idp, by, "ascending").await.resources()),
            NAMES,
            "{by}"
        );
        let mut reversed = NAMES;
        reversed.reverse();
        assert_eq!(
            names(sorted(&idp, by, "descending").await.resources()),
            reversed,
            "{by}"
        );
    }
    let answer = sorted(&idp, "id", "ascending").await;
    let mut ids: Vec<_> = made
        .iter()
        .map(|user| user["id"].as_str().unwrap())
        .collect();
    ids.sort_unstable();
    let found: Vec<_> = answer
        .resources()
        .iter()
        .map(|user| user["id"].as_str().unwrap())
        .collect();
    assert_eq!(found, ids);
    let answer = sorted(&idp, "externalId", "ascending").await;
    assert_eq!(names(answer.resources())[..2], ["ada", "bo"]);
}

/// Also where most values are equal or missing.
async fn pages_of_a_sorted_list_fit_together(app: &App) {
    arrive(app).await;
    let idp = app.client("idp").await;
    for (by, order) in [
        ("active", "ascending"),
        ("title", "descending"),
        ("nickName", "ascending"),
    ] {
        let whole = sorted(&idp, by, order).await;
        let mut gathered = Vec::new();
        for start in [1, 6, 11] {
            let request =
                json!({"sortBy": by, "sortOrder": order, "startIndex": start, "count": 5});
            let page = idp.search("/Users", request).await;
            gathered.extend_from_slice(page.resources());
        }
        assert_eq!(gathered, whole.resources(), "{by} {order}");
    }
}

async fn an_order_that_does_not_exist_is_refused(app: &App) {
    let idp = app.client("idp").await;
    let answer = idp.list("/Users", &[("sortBy", "userNme")]).await;
    let detail = answer.refused(400, "invalidPath");
    assert!(
        detail.contains("userNme") && detail.contains("userName"),
        "{detail}"
    );
    idp.list("/Users", &[("sortBy", "name")])
        .await
        .refused(400, "invalidPath");
    idp.list("/Users", &[("sortBy", "password")])
        .await
        .refused(400, "invalidPath");
    let answer = idp
        .list("/Users", &[("sortBy", "title"), ("sortOrder", "sideways")])
        .await;
    assert!(answer.refused(400, "invalidValue").contains("sortOrder"));
}
