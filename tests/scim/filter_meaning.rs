//! What filters find (RFC 7644 §3.4.2.2), in the database, on both engines.

use serde_json::{Value, json};

use crate::people::{NAMES, arrive, long, names};
use crate::support::{App, CANDIDATE, CONSENT, Client, EMPLOYEE, ENTERPRISE, USER, on_both};

on_both!(
    every_operator_compares_strings,
    what_has_no_value_equals_nothing,
    logic_groups_and_negates,
    a_value_path_holds_of_one_element,
    a_multi_valued_attribute_matches_by_any_element,
    case_is_folded_beyond_ascii_unless_case_exact,
    wildcards_of_sql_are_plain_characters,
    long_values_are_compared_whole,
    numbers_are_compared_as_numbers,
    instants_are_compared_as_instants,
    common_attributes_are_searched,
    paths_may_be_full_and_extensions_are_searched,
    an_alias_finds_what_its_leaf_holds,
    an_external_id_is_the_callers_own,
    users_are_found_by_group_and_groups_by_member,
    a_search_for_nobody_is_an_empty_list,
    persons_are_searched_like_users,
    changed_values_are_found_and_old_ones_are_not,
);

async fn expect(client: &Client, cases: &[(String, &[&str])]) {
    let mut failed = Vec::new();
    for (filter, wanted) in cases {
        let found = client.find("/Users", filter).await;
        if names(&found) != *wanted {
            failed.push(format!(
                "{filter}: wanted {wanted:?}, found {:?}",
                names(&found)
            ));
        }
    }
    assert!(failed.is_empty(), "{}", failed.join("\n"));
}

fn cases<'a>(cases: &[(&str, &'a [&'a str])]) -> Vec<(String, &'a [&'a str])> {
    cases
        .iter()
        .map(|(filter, wanted)| ((*filter).to_owned(), *wanted))
        .collect()
}

async fn every_operator_compares_strings(app: &App) {
    arrive(app).await;
    let idp = app.client("idp").await;
    expect(
        &idp,
        &cases(&[
            ("userName eq \"ada\"", &["ada"]),
            ("userName eq \"ad\"", &[]),
            ("userName ne \"ada\"", &NAMES[1..]),
            ("userName co \"a\"", &["ada", "dag", "fay", "hana", "jan"]),
            ("userName sw \"i\"", &["ines", "ivo"]),
            ("userName ew \"a\"", &["ada", "hana"]),
            ("userName gt \"ines\"", &["ivo", "jan", "kim"]),
            ("userName ge \"ines\"", &["ines", "ivo", "jan", "kim"]),
            ("userName lt \"bo\"", &["ada"]),
            ("userName le \"bo\"", &["ada", "bo"]),
            ("title pr", &["ada", "bo", "cyd", "dag", "eli"]),
            ("name pr", &["ada", "bo"]),
            ("emails pr", &["ada", "cyd", "fay"]),
            ("active eq false", &["bo"]),
            ("active ne true", &["bo"]),
            ("not (active eq true)", &["bo"]),
            ("active eq \"False\"", &["bo"]),
        ]),
    )
    .await;
}

/// RFC 7643 §2.5: no value is null; `ne` holds of it, for it is not equal.
async fn what_has_no_value_equals_nothing(app: &App) {
    arrive(app).await;
    let idp = app.client("idp").await;
    expect(
        &idp,
        &cases(&[
            ("title eq null", &NAMES[5..]),
            ("title ne null", &NAMES[..5]),
            ("not (title pr)", &NAMES[5..]),
            (
                "userName sw \"i\" and title ne \"Engineer\"",
                &["ines", "ivo"],
            ),
            (
                "userName sw \"i\" and not (title eq \"Engineer\")",
                &["ines", "ivo"],
            ),
            ("title gt \"\"", &["ada", "bo", "cyd", "dag", "eli"]),
            ("emails eq null and userName lt \"d\"", &["bo"]),
            ("nickName eq \"nobody\" or nickName ne \"nobody\"", &NAMES),
            ("title eq \"\"", &[]),
        ]),
    )
    .await;
}

async fn logic_groups_and_negates(app: &App) {
    arrive(app).await;
    let idp = app.client("idp").await;
    let many: Vec<String> = NAMES
        .iter()
        .map(|name| format!("userName eq \"{name}\""))
        .collect();
    let mut all = cases(&[
        (
            "userName eq \"ada\" or userName eq \"bo\" and active eq true",
            &["ada"],
        ),
        (
            "(userName eq \"ada\" or userName eq \"bo\") and active eq false",
            &["bo"],
        ),
        (
            "not (userName lt \"ines\") and not (userName gt \"jan\")",
            &["ines", "ivo", "jan"],
        ),
        ("not (not (userName eq \"ada\"))", &["ada"]),
        (
            "not (title pr and active eq true)",
            &["bo", "fay", "gil", "hana", "ines", "ivo", "jan", "kim"],
        ),
        ("USERNAME EQ \"ADA\" OR USERNAME Eq \"Bo\"", &["ada", "bo"]),
        ("userName eq \"ada\" and userName eq \"bo\"", &[]),
    ]);
    all.push((many.join(" or "), &NAMES));
    all.push((format!("not ({})", many[..11].join(" or ")), &["kim"]));
    expect(&idp, &all).await;
}

/// All comparisons within the brackets are of the same element.
async fn a_value_path_holds_of_one_element(app: &App) {
    arrive(app).await;
    let idp = app.client("idp").await;
    expect(
        &idp,
        &cases(&[
            ("emails[type eq \"work\" and value co \"north\"]", &["ada"]),
            (
                "emails.type eq \"work\" and emails.value co \"north\"",
                &["ada", "fay"],
            ),
            ("emails[type eq \"work\"].value co \"north\"", &["ada"]),
            (
                "emails[type eq \"home\" and not (value co \"home\")]",
                &["fay"],
            ),
            ("emails[not (type eq \"work\")]", &["ada", "fay"]),
            ("emails[primary eq true]", &["ada"]),
            (
                "emails[primary eq \"True\"].value ew \"north.example\"",
                &["ada"],
            ),
            ("emails[primary ne true]", &["ada", "cyd", "fay"]),
            (
                "emails[type eq \"work\" or type eq \"home\"]",
                &["ada", "cyd", "fay"],
            ),
            (
                "emails[(type eq \"work\" or primary eq true) and value sw \"fay\"]",
                &["fay"],
            ),
            (
                "not (emails[type eq \"work\"]) and userName lt \"g\"",
                &["bo", "dag", "eli"],
            ),
            ("emails[type eq \"work\" and display pr]", &[]),
            ("emails[display eq null] and userName eq \"ada\"", &["ada"]),
        ]),
    )
    .await;
}

async fn a_multi_valued_attribute_matches_by_any_element(app: &App) {
    arrive(app).await;
    let idp = app.client("idp").await;
    let skills = format!("{CANDIDATE}:skills");
    let mut all = cases(&[
        ("emails.value eq \"fay@north.example\"", &["fay"]),
        ("emails eq \"ADA@HOME.example\"", &["ada"]),
        ("emails co \"south\"", &["cyd", "fay"]),
        // No element is equal: `ne` is what `eq` is not.
        ("emails.type ne \"home\" and emails pr", &["cyd"]),
        ("not (emails.type eq \"home\") and emails pr", &["cyd"]),
    ]);
    all.push((format!("{skills} eq \"sql\""), &["gil", "hana"]));
    all.push((
        format!("{skills} eq \"RUST\" and {skills} eq \"Sql\""),
        &["gil"],
    ));
    all.push((format!("{skills} pr"), &["gil", "hana"]));
    all.push((format!("{skills} ne \"rust\" and {skills} pr"), &["hana"]));
    expect(&idp, &all).await;
}

/// RFC 7643 §2.2, `caseExact`.
async fn case_is_folded_beyond_ascii_unless_case_exact(app: &App) {
    arrive(app).await;
    let idp = app.client("idp").await;
    expect(
        &idp,
        &cases(&[
            ("displayName eq \"strasse\"", &["gil", "hana"]),
            ("displayName eq \"STRAßE\"", &["gil", "hana"]),
            ("displayName sw \"stras\"", &["gil", "hana"]),
            ("displayName co \"ASS\"", &["gil", "hana"]),
            ("displayName eq \"INÊS\"", &["ines", "ivo"]),
            ("displayName eq \"ine\u{302}s\"", &["ines", "ivo"]),
            ("displayName ew \"ês\"", &["ines", "ivo"]),
            ("displayName eq \"ines\"", &[]),
            ("title eq \"ENGINEER\"", &["ada", "bo"]),
            // externalId is caseExact.
            ("externalId eq \"X-1\"", &["ada"]),
            ("externalId eq \"x-1\"", &["bo"]),
            ("externalId sw \"x\"", &["bo"]),
        ]),
    )
    .await;
}

async fn wildcards_of_sql_are_plain_characters(app: &App) {
    arrive(app).await;
    let idp = app.client("idp").await;
    expect(
        &idp,
        &cases(&[
            ("title co \"%\"", &["cyd"]),
            ("title co \"_\"", &["dag"]),
            ("title co \"\\\\\"", &["eli"]),
            ("title sw \"100%\"", &["cyd"]),
            ("title sw \"100_\"", &["dag"]),
            ("title sw \"100\\\\\"", &["eli"]),
            ("title ew \"_sure\"", &["dag"]),
            ("title ew \"% sure\"", &["cyd"]),
            ("title eq \"100_sure\"", &["dag"]),
            (
                "title co \"*\" or title co \"?\" or title co \"'\" or title co \";\"",
                &[],
            ),
            ("title sw \"[1]\"", &[]),
        ]),
    )
    .await;
}

async fn long_values_are_compared_whole(app: &App) {
    arrive(app).await;
    let idp = app.client("idp").await;
    let (a, b) = (long('a'), long('b'));
    let cases: Vec<(String, &[&str])> = vec![
        (format!("nickName eq \"{a}\""), &["jan"]),
        (format!("nickName eq \"{}\"", b.to_uppercase()), &["kim"]),
        (format!("nickName eq \"{}\"", &a[..400]), &[]),
        (format!("nickName sw \"{}\"", &a[..400]), &["jan", "kim"]),
        (format!("nickName sw \"{b}\""), &["kim"]),
        (format!("nickName co \"{}\"", &a[300..]), &["jan"]),
        (format!("nickName co \"{}\"", &a[1..]), &["jan"]),
        ("nickName ew \"langb\"".into(), &["kim"]),
        (format!("nickName gt \"{a}\""), &["kim"]),
        (format!("nickName ge \"{a}\""), &["jan", "kim"]),
        (format!("nickName lt \"{b}\""), &["jan"]),
        (format!("nickName le \"{b}\""), &["jan", "kim"]),
        (format!("nickName gt \"{}\"", &a[..256]), &["jan", "kim"]),
        (format!("nickName lt \"{}\"", &a[..256]), &[]),
        (format!("nickName ne \"{a}\" and nickName pr"), &["kim"]),
    ];
    expect(&idp, &cases).await;
}

async fn numbers_are_compared_as_numbers(app: &App) {
    arrive(app).await;
    let idp = app.client("idp").await;
    let days = format!("{CANDIDATE}:noticePeriodDays");
    let cases: Vec<(String, &[&str])> = vec![
        (format!("{days} gt 9"), &["hana", "ines"]),
        (format!("{days} ge 30"), &["hana", "ines"]),
        (format!("{days} lt 30"), &["gil", "ivo"]),
        (format!("{days} le -3"), &["ivo"]),
        (format!("{days} lt 0"), &["ivo"]),
        (format!("{days} eq 100"), &["ines"]),
        (
            format!("{days} ne 100 and {days} pr"),
            &["gil", "hana", "ivo"],
        ),
    ];
    expect(&idp, &cases).await;
    for literal in ["\"5\"", "true", "\"five\""] {
        let filter = format!("{days} eq {literal}");
        let answer = idp.list("/Users", &[("filter", &filter)]).await;
        assert!(
            answer
                .refused(400, "invalidFilter")
                .contains("noticePeriodDays"),
            "{}",
            answer.body
        );
    }
}

/// RFC 7643 §2.3.5: chronologically, whatever the offset. The first six came at noon, the others at one.
async fn instants_are_compared_as_instants(app: &App) {
    arrive(app).await;
    let idp = app.client("idp").await;
    let given = format!("{CONSENT}:consents.givenAt");
    let mut all = cases(&[
        ("meta.created lt \"2031-03-01T12:30:00Z\"", &NAMES[..6]),
        ("meta.created lt \"2031-03-01T18:00:00+05:30\"", &NAMES[..6]),
        ("meta.created ge \"2031-03-01T04:30:00-08:00\"", &NAMES[6..]),
        (
            "meta.lastModified gt \"2031-03-01T12:30:00.5Z\"",
            &NAMES[6..],
        ),
        (
            "meta.created gt \"2031-03-01T00:00:00Z\" and meta.created lt \"2031-03-02T00:00:00Z\"",
            &NAMES,
        ),
        ("meta.created pr", &NAMES),
        ("meta.created eq \"1999-01-01T00:00:00Z\"", &[]),
    ]);
    all.push((format!("{given} eq \"2030-06-01T08:00:00Z\""), &["jan"]));
    all.push((
        format!("{given} eq \"2030-06-01T08:00:00.000+00:00\""),
        &["jan"],
    ));
    all.push((
        format!("{given} gt \"2030-06-01T10:30:00+02:00\""),
        &["kim"],
    ));
    all.push((
        format!(
            "{CONSENT}:consents[purpose eq \"hiring\" and givenAt lt \"2030-06-01T09:00:00Z\"]"
        ),
        &["jan"],
    ));
    expect(&idp, &all).await;
    let made = &idp.find("/Users", "userName eq \"ada\"").await[0];
    let created = made["meta"]["created"].as_str().unwrap();
    expect(
        &idp,
        &[(format!("meta.created eq \"{created}\""), &["ada"])],
    )
    .await;
}

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
        assert_eq!(found, [lua.clone()], "{filter}");
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
