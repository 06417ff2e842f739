//! Values have the type of their attribute (RFC 7643 §2.3, §2.4); what is taken for it all the same.

use serde_json::json;

use crate::support::{App, CANDIDATE, CONSENT, EMPLOYEE, on_both};

on_both!(
    values_have_the_type_of_their_attribute,
    numbers_and_instants_are_within_their_range,
    calendar_days_exist,
    one_value_is_a_list_of_one_and_the_other_way_round,
    equal_elements_collapse_and_two_primaries_are_refused,
);

/// RFC 7643 §2.3: the detail names the path.
async fn values_have_the_type_of_their_attribute(app: &App) {
    let idp = app.client("idp").await;
    let wrong = [
        ("userName", json!(17)),
        ("userName", json!(true)),
        ("userName", json!({"value": "ines"})),
        ("userName", json!(["a", "b"])),
        ("active", json!("perhaps")),
        ("active", json!(1)),
        ("name", json!("Okafor")),
        ("name", json!([{"givenName": "a"}, {"givenName": "b"}])),
        ("name.familyName", json!({"familyName": 5})),
        ("emails", json!([7])),
        ("emails.value", json!([{"value": 7}])),
        (
            "emails.primary",
            json!([{"value": "a@b.example", "primary": "sometimes"}]),
        ),
        ("x509Certificates.value", json!([{"value": "not base64!"}])),
        (CANDIDATE, json!("x")),
    ];
    for (path, value) in wrong {
        let attribute = if path.starts_with("urn:") {
            path
        } else {
            path.split('.').next().unwrap()
        };
        let mut content = json!({"userName": "ines"});
        content[attribute] = value;
        let answer = idp.post("/Users", content.clone()).await;
        assert!(
            answer.refused(400, "invalidValue").contains(path),
            "{content}: {}",
            answer.body
        );
    }
    assert_eq!(app.event_count(), 0);
}

/// RFC 7643 §2.3.4, §2.3.5.
async fn numbers_and_instants_are_within_their_range(app: &App) {
    let idp = app.client("idp").await;
    for value in [
        json!("3"),
        json!(1.5),
        json!(9_223_372_036_854_775_808_u64),
        json!(true),
        json!(1e300),
    ] {
        let answer = idp
            .post(
                "/Users",
                json!({"userName": "ines", CANDIDATE: {"noticePeriodDays": value}}),
            )
            .await;
        assert!(
            answer
                .refused(400, "invalidValue")
                .contains("noticePeriodDays"),
            "{}",
            answer.body
        );
    }
    let consent = |at: &str| {
        let consent = json!({
            "purpose": "hiring", "legalBasis": "consent", "status": "given", "givenAt": at,
        });
        json!({"consents": [consent]})
    };
    for at in [
        "yesterday",
        "2031-02-30T00:00:00Z",
        "2031-03-01",
        "2031-03-01T25:00:00Z",
    ] {
        let answer = idp
            .post("/Users", json!({"userName": "ines", CONSENT: consent(at)}))
            .await;
        assert!(
            answer.refused(400, "invalidValue").contains("givenAt"),
            "{}",
            answer.body
        );
    }
    assert_eq!(app.event_count(), 0);
    let most = json!({"noticePeriodDays": i64::MAX});
    let given = consent("2031-03-01T12:00:00+05:30");
    let made = idp
        .create(
            "/Users",
            json!({"userName": "ines", CANDIDATE: most, CONSENT: given}),
        )
        .await;
    assert_eq!(made[CANDIDATE]["noticePeriodDays"], i64::MAX);
}

async fn calendar_days_exist(app: &App) {
    let hris = app.client("hris").await;
    for day in ["2031-02-29", "2031-13-01", "1 March 2031", "2031-3-1"] {
        let answer = hris
            .post(
                "/Persons",
                json!({EMPLOYEE: {"status": "Pending", "hireDate": day}}),
            )
            .await;
        assert!(
            answer.refused(400, "invalidValue").contains("hireDate"),
            "{}",
            answer.body
        );
    }
    let made = hris
        .create("/Persons", json!({EMPLOYEE: {"hireDate": "2028-02-29"}}))
        .await;
    assert_eq!(made[EMPLOYEE]["hireDate"], "2028-02-29");
}

async fn one_value_is_a_list_of_one_and_the_other_way_round(app: &App) {
    let idp = app.client("idp").await;
    let content = json!({"userName": ["ines"], "emails": {"value": "ines@north.example"}, "name": [{"givenName": "Inês"}]});
    let made = idp.create("/Users", content).await;
    assert_eq!(made["userName"], "ines");
    assert_eq!(made["emails"], json!([{"value": "ines@north.example"}]));
    assert_eq!(made["name"], json!({"givenName": "Inês"}));
}

/// RFC 7643 §2.4.
async fn equal_elements_collapse_and_two_primaries_are_refused(app: &App) {
    let idp = app.client("idp").await;
    let email = json!({"value": "ines@north.example", "type": "work"});
    let made = idp
        .create(
            "/Users",
            json!({"userName": "ines", "emails": [email, email]}),
        )
        .await;
    assert_eq!(made["emails"], json!([email]));
    let two = json!([{"value": "a@b.example", "primary": true}, {"value": "c@d.example", "primary": true}]);
    let answer = idp
        .post("/Users", json!({"userName": "bo", "emails": two}))
        .await;
    assert!(answer.refused(400, "invalidValue").contains("emails"));
}
