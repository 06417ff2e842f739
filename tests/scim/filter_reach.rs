//! What can be searched by (RFC 7644 §3.4.2.2): common attributes, full paths, aliases, references, other types.

use serde_json::{Value, json};

use crate::filter_meaning::{cases, expect};
use crate::people::{NAMES, arrive, names};
use crate::support::{App, CONSENT, Client, EMPLOYEE, ENTERPRISE, USER, on_both};

on_both!(
    common_attributes_are_searched,
    paths_may_be_full_and_extensions_are_searched,
    an_alias_finds_what_its_leaf_holds,
    an_external_id_is_the_callers_own,
    users_are_found_by_group_and_groups_by_member,
    users_are_found_by_their_manager,
    a_search_for_nobody_is_an_empty_list,
    persons_are_searched_like_users,
    what_a_type_lacks_has_no_value_in_a_search_of_the_root,
    a_search_of_the_root_may_be_sorted_by_what_a_type_lacks,
    changed_values_are_found_and_old_ones_are_not,
);

async fn common_attributes_are_searched(app: &App) {
    let made = arrive(app).await;
    let idp = app.client("idp").await;
    let id = made[2]["id"].as_str().unwrap();
    let cases: Vec<(String, &[&str])> = vec![
        (format!("id eq \"{id}\""), &["cyd"]),
        (
            format!("id eq \"{}\"", id.to_uppercase()),
            if id == id.to_uppercase() {
                &["cyd"]
            } else {
                &[]
            },
        ),
        (
            format!("id ne \"{id}\" and userName lt \"dag\""),
            &["ada", "bo"],
        ),
        ("id eq \"nobody\"".into(), &[]),
        ("meta.resourceType eq \"User\"".into(), &NAMES),
        ("meta.resourceType eq \"Group\"".into(), &[]),
        (
            format!("meta.location eq \"{}/Users/{id}\"", app.scim()),
            &["cyd"],
        ),
        (format!("schemas eq \"{USER}\""), &NAMES),
        (format!("schemas eq \"{ENTERPRISE}\""), &["dag", "eli"]),
        (format!("schemas eq \"{CONSENT}\""), &["jan", "kim"]),
        (format!("not (schemas eq \"{USER}\")"), &[]),
    ];
    expect(&idp, &cases).await;
}

async fn paths_may_be_full_and_extensions_are_searched(app: &App) {
    arrive(app).await;
    let idp = app.client("idp").await;
    let cases: Vec<(String, &[&str])> = vec![
        (format!("{USER}:userName eq \"ada\""), &["ada"]),
        (format!("{USER}:name.familyName eq \"byron\""), &["ada"]),
        (
            format!("{USER}:emails[type eq \"home\"].value sw \"fay\""),
            &["fay"],
        ),
        (
            format!("{ENTERPRISE}:department eq \"FIELD work\""),
            &["dag", "eli"],
        ),
        (
            format!("{}:DEPARTMENT sw \"field\"", ENTERPRISE.to_uppercase()),
            &["dag", "eli"],
        ),
        (format!("{ENTERPRISE}:employeeNumber gt \"2\""), &["dag"]),
        (
            format!("{CONSENT}:consents.status eq \"given\""),
            &["jan", "kim"],
        ),
        (format!("{CONSENT}:consents[status eq \"withdrawn\"]"), &[]),
    ];
    expect(&idp, &cases).await;
}

/// Design §2: aliases of one leaf.
async fn an_alias_finds_what_its_leaf_holds(app: &App) {
    arrive(app).await;
    let idp = app.client("idp").await;
    let cases: Vec<(String, &[&str])> = vec![
        (
            format!("{EMPLOYEE}:jobTitle eq \"engineer\""),
            &["ada", "bo"],
        ),
        (
            format!("{EMPLOYEE}:jobTitle eq \"engineer\" and title eq \"engineer\""),
            &["ada", "bo"],
        ),
        (
            format!("{EMPLOYEE}:department eq \"field work\""),
            &["dag", "eli"],
        ),
        (format!("{EMPLOYEE}:workerType eq \"employee\""), &["ada"]),
    ];
    expect(&idp, &cases).await;
}

/// Design §2: each client searches by its own.
async fn an_external_id_is_the_callers_own(app: &App) {
    let made = arrive(app).await;
    let (idp, hris) = (app.client("idp").await, app.client("hris").await);
    let path = format!("/Users/{}", made[3]["id"].as_str().unwrap());
    hris.patch(
        &path,
        json!([{"op": "add", "path": "externalId", "value": "X-1"}]),
    )
    .await
    .ok(200);
    expect(
        &idp,
        &cases(&[
            ("externalId eq \"X-1\"", &["ada"]),
            ("externalId pr", &["ada", "bo"]),
        ]),
    )
    .await;
    expect(
        &hris,
        &cases(&[
            ("externalId eq \"X-1\"", &["dag"]),
            ("externalId pr", &["dag"]),
        ]),
    )
    .await;
    expect(
        &app.client("auditor").await,
        &cases(&[("externalId eq \"X-1\"", &[])]),
    )
    .await;
}

/// Entra (E11) and the IPSIE profile ask so.
async fn users_are_found_by_group_and_groups_by_member(app: &App) {
    let made = arrive(app).await;
    let idp = app.client("idp").await;
    let id = |number: usize| made[number]["id"].as_str().unwrap();
    let members: Vec<Value> = (0..3).map(|number| json!({"value": id(number)})).collect();
    let group = idp
        .create(
            "/Groups",
            json!({"displayName": "North", "members": members}),
        )
        .await;
    let other = idp
        .create(
            "/Groups",
            json!({"displayName": "South", "members": [{"value": id(2)}]}),
        )
        .await;
    let (north, south) = (group["id"].as_str().unwrap(), other["id"].as_str().unwrap());
    let all: Vec<(String, &[&str])> = vec![
        (
            format!("groups.value eq \"{north}\""),
            &["ada", "bo", "cyd"],
        ),
        (format!("groups eq \"{south}\""), &["cyd"]),
        (format!("groups[value eq \"{south}\"]"), &["cyd"]),
        (
            format!("groups.value eq \"{north}\" and not (groups.value eq \"{south}\")"),
            &["ada", "bo"],
        ),
        ("groups pr".into(), &["ada", "bo", "cyd"]),
    ];
    expect(&idp, &all).await;
    for (filter, wanted) in [
        (format!("members[value eq \"{}\"]", id(0)), vec!["North"]),
        (format!("members eq \"{}\"", id(2)), vec!["North", "South"]),
        (format!("members.value eq \"{}\"", id(5)), vec![]),
        (
            format!("id eq \"{north}\" and members eq \"{}\"", id(1)),
            vec!["North"],
        ),
        (
            format!("id eq \"{south}\" and members eq \"{}\"", id(1)),
            vec![],
        ),
        ("displayName eq \"north\"".into(), vec!["North"]),
        ("members pr".into(), vec!["North", "South"]),
    ] {
        let found = idp.find("/Groups", &filter).await;
        let found: Vec<_> = found
            .iter()
            .map(|group| group["displayName"].as_str().unwrap())
            .collect();
        assert_eq!(found, wanted, "{filter}");
    }
}

/// Entra checks a manager so (E11).
async fn users_are_found_by_their_manager(app: &App) {
    let made = arrive(app).await;
    let idp = app.client("idp").await;
    let id = |number: usize| made[number]["id"].as_str().unwrap();
    let boss = format!("{ENTERPRISE}:manager");
    let path = format!("/Users/{}", id(1));
    idp.patch(&path, json!([{"op": "add", "path": boss, "value": id(0)}]))
        .await
        .ok(200);
    let all: Vec<(String, &[&str])> = vec![
        (format!("{boss} eq \"{}\"", id(0)), &["bo"]),
        (
            format!("id eq \"{}\" and {boss}.value eq \"{}\"", id(1), id(0)),
            &["bo"],
        ),
        (format!("{boss} pr"), &["bo"]),
    ];
    expect(&idp, &all).await;
}

/// Entra's connection test (E11): not 404.
async fn a_search_for_nobody_is_an_empty_list(app: &App) {
    let idp = app.client("idp").await;
    let answer = idp
        .list(
            "/Users",
            &[(
                "filter",
                "userName eq \"8f0c2b1e-33aa-4f5e-9b1c-0d8e6f2a7c44\"",
            )],
        )
        .await;
    let list = answer.ok(200);
    assert_eq!(list["totalResults"], 0);
    assert_eq!(list["itemsPerPage"], 0);
    assert_eq!(list["startIndex"], 1);
    assert_eq!(list["Resources"], json!([]));
}

async fn persons_are_searched_like_users(app: &App) {
    arrive(app).await;
    let hris = app.client("hris").await;
    let content = json!({
        "legalName": "Lua Prado", "birthDate": "1999-12-31", "dataProtection": {"retentionDays": 90, "legalHold": true},
        "externalIdentifiers": [{"system": "payroll", "field": "number", "value": "P9"}],
        "emails": [{"value": "lua@north.example"}],
    });
    let lua = hris.create("/Persons", content).await;
    for filter in [
        "legalName sw \"lua\"",
        "birthDate lt \"2000-01-01\"",
        "dataProtection.retentionDays gt 9",
        "dataProtection.legalHold eq true",
        "externalIdentifiers[system eq \"payroll\" and value eq \"P9\"]",
        "meta.resourceType eq \"Person\" and legalName pr",
        "emails.value eq \"LUA@north.example\"",
    ] {
        let found = hris.find("/Persons", filter).await;
        assert_eq!(found, std::slice::from_ref(&lua), "{filter}");
    }
    // Those with an account are persons too; a person without one is no user.
    assert_eq!(
        hris.find("/Persons", "emails.value ew \"north.example\"")
            .await
            .len(),
        3
    );
    assert_eq!(
        hris.find("/Users", "emails.value ew \"north.example\"")
            .await
            .len(),
        2
    );
    assert_eq!(hris.find("/Persons", "active eq false").await.len(), 1);
    let answer = hris
        .list("/Persons", &[("filter", "userName eq \"ada\"")])
        .await;
    assert!(answer.refused(400, "invalidFilter").contains("userName"));
}

/// Everybody, a person without an account and two groups: the users, and who may search all.
async fn arrive_with_others(app: &App) -> (Vec<Value>, Client) {
    let made = arrive(app).await;
    let hris = app.client("hris").await;
    for name in ["Apes", "Bees"] {
        hris.create("/Groups", json!({"displayName": name})).await;
    }
    let lua = json!({"legalName": "Lua Prado", "birthDate": "1999-12-31", "emails": [{"value": "lua@north.example"}]});
    hris.create("/Persons", lua).await;
    (made, hris)
}

/// RFC 7644 §3.4.2.1, and design §2: a record is listed once.
async fn what_a_type_lacks_has_no_value_in_a_search_of_the_root(app: &App) {
    let (made, hris) = arrive_with_others(app).await;
    let ada = format!("/Persons/{}", made[0]["id"].as_str().unwrap());
    let born = json!([{"op": "add", "path": "birthDate", "value": "1815-12-10"}]);
    hris.patch(&ada, born).await.ok(200);
    for (filter, users, persons, groups) in [
        ("userName pr or displayName pr", 12, 0, 2),
        ("not (userName pr)", 0, 1, 2),
        ("members eq null", 12, 1, 2),
        ("userName eq \"bo\" or displayName eq \"apes\"", 1, 0, 1),
        ("userName pr and members pr", 0, 0, 0),
        ("birthDate pr", 0, 2, 0),
        ("birthDate pr or displayName eq \"apes\"", 0, 2, 1),
        ("birthDate pr or userName eq \"bo\"", 1, 2, 0),
        ("birthDate pr or userName eq \"ada\"", 1, 1, 0),
        ("not (birthDate pr and userName pr)", 12, 1, 2),
        (
            "emails[verified eq true] or displayName eq \"apes\"",
            0,
            0,
            1,
        ),
        ("not (emails[type eq \"work\"])", 9, 1, 2),
    ] {
        let answer = hris
            .search("", json!({"filter": filter, "count": 100}))
            .await;
        answer.ok(200);
        let of = |name: &str| {
            let types = answer
                .resources()
                .iter()
                .map(|one| &one["meta"]["resourceType"]);
            types.filter(|ty| *ty == name).count()
        };
        let found = (of("User"), of("Person"), of("Group"));
        assert_eq!(found, (users, persons, groups), "{filter}");
        assert_eq!(
            answer.body["totalResults"],
            users + persons + groups,
            "{filter}"
        );
    }
    for filter in [
        "nobody pr or userName pr",
        "password pr",
        "members pr or active eq 5",
    ] {
        let answer = hris.search("", json!({"filter": filter})).await;
        answer.refused(400, "invalidFilter");
    }
}

/// §3.4.2.3: groups and persons have no userName to be sorted by.
async fn a_search_of_the_root_may_be_sorted_by_what_a_type_lacks(app: &App) {
    let (_, hris) = arrive_with_others(app).await;
    let request = json!({"sortBy": "userName", "sortOrder": "descending"});
    let whole = hris.search("", request).await;
    assert_eq!(whole.ok(200)["totalResults"], 15);
    let sorted: Vec<&str> = NAMES.iter().rev().copied().collect();
    assert_eq!(names(&whole.resources()[..12]), sorted);
    let page =
        json!({"sortBy": "userName", "sortOrder": "descending", "startIndex": 12, "count": 3});
    let page = hris.search("", page).await;
    assert_eq!(page.resources(), &whole.resources()[11..14]);
    let unknown = hris.search("", json!({"sortBy": "nobody"})).await;
    unknown.refused(400, "invalidPath");
}

/// A write touches only the index rows that differ: nothing old may stay behind.
async fn changed_values_are_found_and_old_ones_are_not(app: &App) {
    let made = arrive(app).await;
    let idp = app.client("idp").await;
    let path = format!("/Users/{}", made[0]["id"].as_str().unwrap());
    let operations = json!([
        {"op": "remove", "path": "emails[type eq \"home\"]"},
        {"op": "replace", "path": "emails[type eq \"work\"].value", "value": "ada@west.example"},
        {"op": "remove", "path": "title"},
        {"op": "replace", "path": "userName", "value": "zoe"},
    ]);
    idp.patch(&path, operations).await.ok(200);
    expect(
        &idp,
        &cases(&[
            ("emails.value eq \"ada@west.example\"", &["zoe"]),
            (
                "emails.value sw \"ada@home\" or emails.value sw \"ada@north\"",
                &[],
            ),
            ("title eq \"engineer\"", &["bo"]),
            ("userName eq \"ada\"", &[]),
            ("emails[primary eq true and value co \"west\"]", &["zoe"]),
        ]),
    )
    .await;
}
