//! Writers that work until the server is gone, and keep a journal.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use actix_web::rt::{spawn, time};
use reqwest::Method;
use serde_json::json;

use crate::journal::Journal;
use crate::support::process::Process;
use crate::support::{Client, PATCH_OP, body};

/// Writers at once.
const WRITERS: usize = 12;
/// Changes to each user after its creation.
const CHANGES: usize = 2;

/// Loads the server until so many writes are acknowledged, goes on for a moment more, and kills it in the midst.
pub(crate) async fn until_killed(
    server: Process,
    client: &Client,
    round: u64,
    acknowledged: usize,
    moment: Duration,
) -> Journal {
    let journal = Rc::new(RefCell::new(Journal::new(round)));
    let writers: Vec<_> = (0..WRITERS)
        .map(|writer| spawn(write(client.clone(), Rc::clone(&journal), writer)))
        .collect();
    let patience = time::Instant::now() + Duration::from_mins(1);
    while journal.borrow().acknowledged() < acknowledged {
        assert!(
            time::Instant::now() < patience,
            "only {} acknowledged",
            journal.borrow().acknowledged()
        );
        time::sleep(Duration::from_millis(1)).await;
    }
    time::sleep(moment).await;
    server.kill();
    for writer in writers {
        writer.await.expect("a writer ends when its server is gone");
    }
    Rc::try_unwrap(journal)
        .expect("all writers have ended")
        .into_inner()
}

/// Creates users and changes them until a request is not answered.
async fn write(client: Client, journal: Rc<RefCell<Journal>>, writer: usize) {
    for number in 0.. {
        let name = journal.borrow().name(writer, number);
        journal.borrow_mut().creating(&name);
        let content = body("/Users", json!({"userName": name}));
        let Some(id) = send(&client, Method::POST, "/Users", &content, 201).await else {
            return;
        };
        journal.borrow_mut().created(&name);
        for change in 0..CHANGES {
            let nick_name = format!("{name}-{change}");
            journal.borrow_mut().renaming(&name, &nick_name);
            let operation = json!({"op": "replace", "path": "nickName", "value": nick_name});
            let patch = json!({"schemas": [PATCH_OP], "Operations": [operation]});
            let user = format!("/Users/{id}");
            if send(&client, Method::PATCH, &user, &patch, 200)
                .await
                .is_none()
            {
                return;
            }
            journal.borrow_mut().renamed(&name);
        }
    }
}

/// The id in the answer; nothing if the server is gone.
async fn send(
    client: &Client,
    method: Method,
    path: &str,
    body: &serde_json::Value,
    status: u16,
) -> Option<String> {
    let answer = client
        .try_send(method, path, &[], Some(body.to_string().into_bytes()))
        .await?;
    Some(answer.ok(status)["id"].as_str().expect("an id").to_owned())
}
