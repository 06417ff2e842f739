//! What comparisons mean (RFC 7644 §3.4.2.2), in the database, on both engines.

use serde_json::json;

use crate::people::{NAMES, arrive, long, names};
use crate::support::{App, CANDIDATE, CONSENT, Client, on_both};

on_both!(
    every_operator_compares_strings,
    what_has_no_value_equals_nothing,
    logic_groups_and_negates,
    a_value_path_holds_of_one_element,
    an_element_of_which_a_type_shows_nothing_is_none_there,
    a_multi_valued_attribute_matches_by_any_element,
    case_is_folded_beyond_ascii_unless_case_exact,
    wildcards_of_sql_are_plain_characters,
    long_values_are_compared_whole,
    numbers_are_compared_as_numbers,
    instants_are_compared_as_instants,
);

/// Checks what each filter finds among the users.
pub(crate) async fn expect(client: &Client, cases: &[(String, &[&str])]) {
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

/// Filters as [`expect`] takes them.
pub(crate) fn cases<'a>(cases: &[(&str, &'a [&'a str])]) -> Vec<(String, &'a [&'a str])> {
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

/// A Person's telephone numbers have no `display` (model.md): an element that holds nothing else is not shown there.
async fn an_element_of_which_a_type_shows_nothing_is_none_there(app: &App) {
    let idp = app.client("idp").await;
    let phones = [
        ("named", json!([{ "display": "at the desk" }])),
        (
            "numbered",
            json!([{ "value": "+46 8 123", "display": "home" }]),
        ),
    ];
    for (name, numbers) in phones {
        idp.create(
            "/Users",
            json!({ "userName": name, "phoneNumbers": numbers }),
        )
        .await;
    }
    for (filter, persons, users) in [
        ("phoneNumbers[primary ne true]", 1, 2),
        ("phoneNumbers[primary eq false]", 1, 2),
        ("phoneNumbers.primary eq false", 1, 2),
        ("not (phoneNumbers[primary ne true])", 1, 0),
        ("phoneNumbers[not (type pr)]", 1, 2),
        ("phoneNumbers pr", 1, 2),
    ] {
        assert_eq!(
            idp.find("/Persons", filter).await.len(),
            persons,
            "{filter}"
        );
        assert_eq!(idp.find("/Users", filter).await.len(), users, "{filter}");
    }
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
            // RFC 7643 §2.4: what is not given is false.
            ("emails[primary eq false]", &["ada", "cyd", "fay"]),
            ("emails[primary ne false]", &["ada"]),
            (
                "emails[type eq \"home\" and primary eq \"False\"]",
                &["ada", "fay"],
            ),
            ("emails.primary eq false", &["ada", "cyd", "fay"]),
            (
                "emails.primary ne false and userName lt \"g\"",
                &["bo", "dag", "eli"],
            ),
            (
                "emails.primary ne true and userName lt \"g\"",
                &["bo", "cyd", "dag", "eli", "fay"],
            ),
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
