//! Many persons, made through the service rather than over HTTP, many at once.

use std::sync::Arc;

use muster::clock::Clock;
use muster::domain::access::Clearance;
use muster::domain::context::{Client, Context, Grant, Right};
use muster::id::TenantId;
use muster::scim::Map;
use muster::scim::profile::Profile;
use muster::scim::projection::Projection;
use muster::service::Muster;
use serde_json::{Value, json};

use crate::support::{App, ENTERPRISE, USER};

/// How many writes are under way at once.
const AT_ONCE: usize = 32;

/// What `idp` may do here.
pub(crate) fn grants() -> Vec<Grant> {
    vec![Grant {
        types: vec!["*".into()],
        rights: vec![Right::Read, Right::Search, Right::Write, Right::Delete],
    }]
}

/// A caller named `name`, of the system `idp`, in the tenant of `serve --dev`.
pub(crate) fn context(app: &App, name: &str, grants: &[Grant]) -> Context {
    let tenant = app
        .database
        .connect()
        .number("SELECT cast(id AS bigint) AS n FROM tenant WHERE name = 'default'");
    let tenant = TenantId(i32::try_from(tenant).expect("a small number"));
    let client = Client {
        name: name.to_owned(),
        tenant,
        system: "idp".into(),
        clearance: Clearance::of_grants(grants),
        purposes: Vec::new(),
        profile: Profile::Rfc,
        patch_answer: None,
    };
    Context {
        client: Arc::new(client),
        correlation: "crowd".into(),
        base_url: app.scim().into(),
        now: app.clock.now(),
        said_at: None,
        by_human: false,
        attempt: None,
    }
}

/// The `n`th of the crowd. One in ten is a manager, four in five have a title, and their names are in no order.
pub(crate) fn member(n: usize) -> Value {
    let scattered = (n * 7919) % 100_003;
    let mut person = json!({
        "schemas": [USER, ENTERPRISE],
        "userName": format!("user{scattered:06}"),
        "externalId": format!("X-{n}"),
        "active": n.is_multiple_of(2),
        "userType": if n.is_multiple_of(10) { "manager" } else { "employee" },
        "name": {"familyName": format!("Family{}", n % 17), "givenName": format!("Given{n}")},
        "emails": [
            {"value": format!("work{scattered}@example.com"), "type": "work", "primary": true},
            {"value": format!("home{n}@example.net"), "type": "home"},
        ],
    });
    // As many at every size of the crowd.
    if n < 60 {
        person[ENTERPRISE] = json!({"department": "Observatory"});
    }
    if !n.is_multiple_of(5) {
        person["title"] = json!(format!("Title {}", scattered % 23));
    }
    person
}

/// Creates these Users, and gives their ids in the order of the numbers.
pub(crate) async fn create(
    service: &Muster,
    context: &Context,
    people: impl Iterator<Item = Value>,
) -> Vec<String> {
    let people: Vec<Map> = people
        .map(|person| person.as_object().expect("an object").clone())
        .collect();
    let mut ids = Vec::new();
    for people in people.chunks(AT_ONCE) {
        let writes: Vec<_> = people
            .iter()
            .map(|person| {
                let (service, context, person) = (service.clone(), context.clone(), person.clone());
                actix_web::rt::spawn(async move {
                    service
                        .create(&context, "/Users", person, &Projection::default())
                        .await
                })
            })
            .collect();
        for write in writes {
            let written = write.await.expect("no panic").expect("a person is created");
            ids.push(written.resource.seen().id.to_string());
        }
    }
    ids
}
