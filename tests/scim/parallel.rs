//! Many at once (E15, checklist row 21): nothing is lost, nothing fails.

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::{App, Client, Engine, on_both};

on_both!(
    two_hundred_single_member_patches_lose_nothing,
    of_many_posts_of_one_user_name_one_succeeds,
    posts_that_fail_among_many_take_nobody_with_them,
    posts_that_want_one_anothers_values_are_made_or_refused,
    a_value_that_is_taken_meanwhile_fails_its_post_alone,
    persons_with_secrets_who_come_at_once_are_all_found,
    many_changes_of_one_user_are_all_applied,
    one_member_added_many_times_at_once_is_added_once,
    members_who_come_and_go_at_once_are_counted_right,
    nobody_stays_a_member_without_an_account,
);

async fn all<T: 'static>(calls: Vec<impl Future<Output = T> + 'static>) -> Vec<T> {
    let calls: Vec<_> = calls.into_iter().map(actix_web::rt::spawn).collect();
    let mut results = Vec::new();
    for call in calls {
        results.push(call.await.expect("no call panics"));
    }
    results
}

async fn users(idp: &Client, count: usize) -> Vec<String> {
    let posts = (0..count).map(|number| {
        let idp = idp.clone();
        async move {
            idp.create("/Users", json!({"userName": format!("u{number}")}))
                .await
        }
    });
    let made = all(posts.collect()).await;
    made.iter()
        .map(|user| user["id"].as_str().unwrap().to_owned())
        .collect()
}

async fn two_hundred_single_member_patches_lose_nothing(app: &App) {
    let idp = app.client("idp").await;
    let ids = users(&idp, 200).await;
    let gone: Vec<Value> = ids[..100].iter().map(|id| json!({"value": id})).collect();
    let group = idp
        .create("/Groups", json!({"displayName": "g", "members": gone}))
        .await;
    let path = format!(
        "/Groups/{}?excludedAttributes=members",
        group["id"].as_str().unwrap()
    );
    // A hundred leave while a hundred come.
    let patches = ids.iter().enumerate().map(|(number, id)| {
        let operation = if number < 100 {
            json!([{"op": "remove", "path": format!("members[value eq \"{id}\"]")}])
        } else {
            json!([{"op": "add", "path": "members", "value": [{"value": id}]}])
        };
        let (idp, path) = (idp.clone(), path.clone());
        async move { idp.patch(&path, operation).await.status }
    });
    let statuses = all(patches.collect()).await;
    assert!(statuses.iter().all(|status| *status == 200), "{statuses:?}");
    let answer = idp
        .get(&format!("/Groups/{}", group["id"].as_str().unwrap()))
        .await;
    let mut members: Vec<_> = answer.ok(200)["members"]
        .as_array()
        .unwrap()
        .iter()
        .map(|member| member["value"].as_str().unwrap())
        .collect();
    members.sort_unstable();
    let mut wanted: Vec<_> = ids[100..].iter().map(String::as_str).collect();
    wanted.sort_unstable();
    assert_eq!(members, wanted);
    // Each change made a version of its own.
    assert_eq!(answer.etag(), "W/\"201\"");
}

async fn of_many_posts_of_one_user_name_one_succeeds(app: &App) {
    let idp = app.client("idp").await;
    let posts = (0..20).map(|number| {
        let idp = idp.clone();
        let name = if number % 2 == 0 { "ines" } else { "INES" };
        async move { idp.post("/Users", json!({"userName": name})).await.status }
    });
    let mut statuses = all(posts.collect()).await;
    statuses.sort_unstable();
    assert_eq!(statuses[0], 201);
    assert!(
        statuses[1..].iter().all(|status| *status == 409),
        "{statuses:?}"
    );
    assert_eq!(app.event_count(), 1);
}

/// Newcomers may share a transaction: one that is refused must not undo the others, nor make any of them twice.
async fn posts_that_fail_among_many_take_nobody_with_them(app: &App) {
    let idp = app.client("idp").await;
    let name = |number: usize| match number % 4 {
        0 => "taken".to_owned(),
        _ => format!("u{number}"),
    };
    let posts = (0..160).map(|number| {
        let idp = idp.clone();
        async move {
            let answer = idp.post("/Users", json!({"userName": name(number)})).await;
            (number % 4 == 0, answer.status)
        }
    });
    let answers = all(posts.collect()).await;
    let count = |wanted| answers.iter().filter(|answer| **answer == wanted).count();
    assert_eq!(count((false, 201)), 120, "{answers:?}");
    assert_eq!((count((true, 201)), count((true, 409))), (1, 39));
    let mut found: Vec<String> = idp
        .find("/Users", "userName pr")
        .await
        .iter()
        .map(|user| user["userName"].as_str().unwrap().to_owned())
        .collect();
    found.sort_unstable();
    let mut wanted: Vec<String> = (0..160).map(name).collect();
    wanted.sort_unstable();
    wanted.dedup();
    assert_eq!(found, wanted);
}

/// Each wants two values, and others want each of them, in every order: nobody waits for another who waits for it, nobody gets
/// one of the two, and nobody fails for anything else.
async fn posts_that_want_one_anothers_values_are_made_or_refused(app: &App) {
    let idp = app.client("idp").await;
    let posts = (0..240).map(|number| {
        let idp = idp.clone();
        let user = json!({
            "userName": format!("u{}", number % 60),
            "externalId": format!("x{}", number * 7 % 80),
        });
        async move {
            let answer = idp.post("/Users", user).await;
            (
                answer.status,
                answer.body["userName"].as_str().map(str::to_owned),
            )
        }
    });
    let answers = all(posts.collect()).await;
    let refused = answers.iter().filter(|(status, _)| *status == 409).count();
    let mut made: Vec<&str> = answers
        .iter()
        .filter(|(status, _)| *status == 201)
        .filter_map(|(_, name)| name.as_deref())
        .collect();
    assert_eq!(made.len() + refused, 240, "{answers:?}");
    made.sort_unstable();
    let found = idp.find("/Users", "userName pr").await;
    let mut found: Vec<&str> = found
        .iter()
        .map(|user| user["userName"].as_str().unwrap())
        .collect();
    found.sort_unstable();
    assert_eq!(found, made);
    // Who is refused finds somebody who has what it wanted.
    assert!((40..=60).contains(&made.len()), "{made:?}");
    assert_eq!(app.event_count(), i64::try_from(made.len()).unwrap());
}

/// Another process may take a value after the group has asked for it.
async fn a_value_that_is_taken_meanwhile_fails_its_post_alone(app: &App) {
    if app.database.engine() == Engine::Sqlite {
        return; // nobody writes beside the writer
    }
    let idp = app.client("idp").await;
    idp.create("/Users", json!({"userName": "first"})).await;
    let mut other = app.database.connect();
    other.run(
        "BEGIN; INSERT INTO unique_value (tenant, path, value, resource) \
         SELECT tenant, id, 'taken', 0 FROM attribute_path WHERE name = 'userName'",
    );
    let posts = (0..40).map(|number| {
        let idp = idp.clone();
        let name = if number % 8 == 0 {
            "taken".to_owned()
        } else {
            format!("u{number}")
        };
        async move {
            (
                number % 8 == 0,
                idp.post("/Users", json!({"userName": name})).await.status,
            )
        }
    });
    let posts = actix_web::rt::spawn(all(posts.collect()));
    let mut watcher = app.database.connect();
    for _ in 0..500 {
        let waiting = watcher.number(
            "SELECT count(*) AS n FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()",
        );
        if waiting > 0 {
            break;
        }
        actix_web::rt::time::sleep(Duration::from_millis(10)).await;
    }
    other.run("COMMIT");
    let answers = posts.await.expect("no post panics");
    for (is_taken, status) in &answers {
        assert_eq!(*status, if *is_taken { 409 } else { 201 }, "{answers:?}");
    }
    assert_eq!(app.event_count(), 36);
    other.run("DELETE FROM unique_value WHERE resource = 0");
}

async fn persons_with_secrets_who_come_at_once_are_all_found(app: &App) {
    let hris = app.client("hris").await;
    let identifier = |number: usize| format!("ES-{number:05}");
    let posts = (0..60).map(|number| {
        let hris = hris.clone();
        let person = json!({
            "name": {"familyName": format!("Family{number}")},
            "legalIdentifiers": [{"type": "passport", "country": "PT", "value": identifier(number)}],
        });
        async move { hris.post("/Persons", person).await.status }
    });
    let statuses = all(posts.collect()).await;
    assert!(statuses.iter().all(|status| *status == 201), "{statuses:?}");
    for number in [0, 31, 59] {
        let filter = format!("legalIdentifiers.value eq \"{}\"", identifier(number));
        let found = hris.search("/Persons", json!({"filter": filter})).await;
        assert_eq!(found.resources().len(), 1, "{filter}");
    }
}

async fn many_changes_of_one_user_are_all_applied(app: &App) {
    let idp = app.client("idp").await;
    let made = idp.create("/Users", json!({"userName": "ines"})).await;
    let path = format!("/Users/{}", made["id"].as_str().unwrap());
    let patches = (0..20).map(|number| {
        let (idp, path) = (idp.clone(), path.clone());
        let email = json!([{"op": "add", "path": "emails", "value": [{"value": format!("e{number}@north.example")}]}]);
        async move { idp.patch(&path, email).await.status }
    });
    let statuses = all(patches.collect()).await;
    assert!(statuses.iter().all(|status| *status == 200), "{statuses:?}");
    assert_eq!(
        idp.get(&path).await.ok(200)["emails"]
            .as_array()
            .unwrap()
            .len(),
        20
    );
}

async fn one_member_added_many_times_at_once_is_added_once(app: &App) {
    let idp = app.client("idp").await;
    let ids = users(&idp, 1).await;
    let group = idp.create("/Groups", json!({"displayName": "g"})).await;
    let path = format!("/Groups/{}", group["id"].as_str().unwrap());
    let patches = (0..20).map(|_| {
        let (idp, path) = (idp.clone(), path.clone());
        let operation = json!([{"op": "add", "path": "members", "value": [{"value": ids[0]}]}]);
        async move { idp.patch(&path, operation).await.status }
    });
    let statuses = all(patches.collect()).await;
    assert!(statuses.iter().all(|status| *status == 200), "{statuses:?}");
    assert_eq!(idp.get(&path).await.etag(), "W/\"2\"");
}

/// Two hundred changes of the same few members: whoever wins, nothing fails and the rows and versions agree, which is
/// checked when the test ends.
async fn members_who_come_and_go_at_once_are_counted_right(app: &App) {
    let idp = app.client("idp").await;
    let ids = users(&idp, 8).await;
    let group = idp.create("/Groups", json!({"displayName": "g"})).await;
    let group = group["id"].as_str().unwrap().to_owned();
    let patches = (0..200_usize).map(|number| {
        let (idp, id) = (idp.clone(), ids[number % ids.len()].clone());
        let path = format!("/Groups/{group}?excludedAttributes=members");
        let (group, kind) = (group.clone(), number / ids.len() % 4);
        async move {
            let operation = match kind {
                0 => json!({"op": "add", "path": "members", "value": [{"value": id}]}),
                1 => json!({"op": "remove", "path": format!("members[value eq \"{id}\"]")}),
                2 => json!({"op": "replace", "path": "members", "value": [{"value": id}]}),
                _ => {
                    let content = json!({"group": {"value": group}, "member": {"value": id}});
                    return idp.post("/GroupMemberships", content).await.status;
                }
            };
            idp.patch(&path, json!([operation])).await.status
        }
    });
    let statuses = all(patches.collect()).await;
    let fine = |status: &u16| [200, 201, 409].contains(status);
    assert!(statuses.iter().all(fine), "{statuses:?}");
}

/// Closing an account takes the person out of its groups, also out of one that it is just being brought into.
async fn nobody_stays_a_member_without_an_account(app: &App) {
    let (idp, hris) = (app.client("idp").await, app.client("hris").await);
    let ids = users(&idp, 40).await;
    for id in &ids {
        // Somebody else speaks of her, too: so she outlives her account.
        let known = json!([{"op": "add", "path": "externalId", "value": format!("W-{id}")}]);
        hris.patch(&format!("/Persons/{id}"), known).await.ok(200);
    }
    let group = idp.create("/Groups", json!({"displayName": "g"})).await;
    let path = format!("/Groups/{}", group["id"].as_str().unwrap());
    let calls = (0..ids.len() * 2).map(|number| {
        let (idp, hris, path) = (idp.clone(), hris.clone(), path.clone());
        let id = ids[number / 2].clone();
        async move {
            if number % 2 == 0 {
                return idp.delete(&format!("/Users/{id}")).await.status;
            }
            let add = json!([{"op": "add", "path": "members", "value": [{"value": id}]}]);
            hris.patch(&path, add).await.status
        }
    });
    let statuses = all(calls.collect()).await;
    let fine = |status: &u16| [200, 204].contains(status);
    assert!(statuses.iter().all(fine), "{statuses:?}");
    let left = "SELECT count(*) AS n FROM group_member m JOIN resource r ON r.id = m.member WHERE NOT r.account";
    assert_eq!(app.database.connect().number(left), 0);
    assert_eq!(
        app.database
            .connect()
            .number("SELECT count(*) AS n FROM resource WHERE kind = 1"),
        40
    );
}
