//! Who may do what (design §6): in dev each client has its grants.

use serde_json::{Value, json};

use crate::support::{App, Client, on_both};

on_both!(
    a_client_does_what_it_may_and_nothing_else,
    a_stranger_reads_nothing
);

/// Client, type, whether it may look, whether it may write and delete.
const GRANTS: [(&str, &str, bool, bool); 15] = [
    ("hris", "/Persons", true, true),
    ("hris", "/Users", true, true),
    ("hris", "/Groups", true, true),
    ("ats", "/Persons", true, true),
    ("ats", "/Users", false, false),
    ("ats", "/Groups", false, false),
    ("crm", "/Users", false, false),
    ("idp", "/Users", true, true),
    ("idp", "/Groups", true, true),
    ("idp", "/Persons", true, false),
    ("verifier", "/Persons", true, false),
    ("verifier", "/Users", false, false),
    ("auditor", "/Users", true, false),
    ("auditor", "/Groups", true, false),
    ("conformance", "/Users", true, true),
];

fn content(endpoint: &str, name: &str) -> Value {
    match endpoint {
        "/Users" => json!({"userName": name}),
        _ => json!({"displayName": name}),
    }
}

async fn status_of_each(
    client: &Client,
    endpoint: &str,
    path: &str,
    name: &str,
) -> ([u16; 3], [u16; 4]) {
    let look = [
        client.get(path).await.status,
        client.get(endpoint).await.status,
        client.search(endpoint, json!({})).await.status,
    ];
    let operation = json!([{"op": "add", "path": "externalId", "value": name}]);
    let change = [
        client.post(endpoint, content(endpoint, name)).await.status,
        client.put(path, content(endpoint, name)).await.status,
        client.patch(path, operation).await.status,
        client.delete(path).await.status,
    ];
    (look, change)
}

async fn a_client_does_what_it_may_and_nothing_else(app: &App) {
    let admin = app.client("admin").await;
    for (number, (name, endpoint, looks, writes)) in GRANTS.into_iter().enumerate() {
        let client = app.client(name).await;
        let maker = if writes { &client } else { &admin };
        let made = maker
            .create(endpoint, content(endpoint, &format!("one{number}")))
            .await;
        let path = format!("{endpoint}/{}", made["id"].as_str().unwrap());
        let events = app.event_count();
        let (look, change) =
            status_of_each(&client, endpoint, &path, &format!("two{number}")).await;
        assert_eq!(
            look,
            if looks { [200; 3] } else { [403; 3] },
            "{name} {endpoint}"
        );
        if writes {
            // The second is of the first's name: 409, which is no matter of rights.
            assert!(
                matches!(change, [201, 200 | 409, 200, 204]),
                "{name} {endpoint}: {change:?}"
            );
        } else {
            assert_eq!(change, [403; 4], "{name} {endpoint}");
            assert_eq!(app.event_count(), events, "{name} {endpoint}");
        }
    }
}

async fn a_stranger_reads_nothing(app: &App) {
    let admin = app.client("admin").await;
    let made = admin.create("/Users", json!({"userName": "ines"})).await;
    let stranger = app.stranger();
    let path = format!("/Users/{}", made["id"].as_str().unwrap());
    for path in ["/Users", path.as_str(), "/Groups", "/Persons"] {
        let answer = stranger.get(path).await;
        answer.refused(401, "");
        assert!(
            answer
                .header("www-authenticate")
                .unwrap()
                .starts_with("Bearer")
        );
    }
    stranger
        .post("/Users", json!({"userName": "bo"}))
        .await
        .refused(401, "");
    stranger.delete(&path).await.refused(401, "");
    assert_eq!(app.event_count(), 1);
}
