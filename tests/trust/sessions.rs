//! A session is of the server, and not of one of its processes: its cookie is good in each over the same database and after a restart,
//! and out in each once it is closed.

use std::time::Instant;

use actix_web::rt::System;

use crate::support::process::Process;
use crate::support::{Database, Engine, PATIENCE, client, sign_in};

#[test]
fn a_session_is_of_every_process_on_sqlite() {
    a_session_is_of_every_process(Engine::Sqlite);
}

#[test]
fn a_session_is_of_every_process_on_postgres() {
    a_session_is_of_every_process(Engine::Postgres);
}

/// What the page's own form signs out with.
fn form(page: &str) -> String {
    let (_, rest) = page.split_once("name=\"").expect("a field");
    let (name, rest) = rest.split_once('"').expect("its name");
    let (_, rest) = rest.split_once("value=\"").expect("its value");
    let (value, _) = rest.split_once('"').expect("the value's end");
    format!("{name}={value}")
}

async fn sign_out(server: &Process, cookie: &str, form: String) -> u16 {
    let request = client::http().post(format!("{}/sign-out", server.origin));
    let request = request
        .header("cookie", cookie)
        .header("content-type", "application/x-www-form-urlencoded")
        .header("origin", &server.origin);
    request.body(form).send().await.unwrap().status().as_u16()
}

fn a_session_is_of_every_process(engine: Engine) {
    let database = Database::fresh(engine);
    let start = || Process::start_on(database.folder(), database.url());
    let servers = [start(), start()];
    let kept = System::new().block_on(async {
        let http = client::http();
        let first = sign_in::cookie(&http, &servers[0].origin, "verifier").await;
        let other = sign_in::cookie(&http, &servers[1].origin, "hris").await;
        for server in &servers {
            for (cookie, name) in [(&first, "verifier"), (&other, "hris")] {
                let page = sign_in::me(&http, &server.origin, cookie).await;
                let rights = format!("with the rights of {name}");
                assert!(page.is_some_and(|page| page.contains(&rights)), "{name}");
            }
            // Neither is good with a letter changed, nor is what is no cookie of ours.
            let forged = format!("{}x", &first[..first.len() - 1]);
            assert_eq!(sign_in::me(&http, &server.origin, &forged).await, None);
        }
        // Signed out where it was not signed in.
        let page = sign_in::me(&http, &servers[1].origin, &first)
            .await
            .unwrap();
        let strange = sign_in::me(&http, &servers[1].origin, &other)
            .await
            .unwrap();
        assert!(
            sign_out(&servers[1], &first, form(&strange)).await >= 400,
            "another session's form"
        );
        assert!(
            sign_in::me(&http, &servers[0].origin, &first)
                .await
                .is_some()
        );
        assert!(sign_out(&servers[1], &first, form(&page)).await < 400);
        let since = Instant::now();
        for server in &servers {
            while sign_in::me(&http, &server.origin, &first).await.is_some() {
                assert!(since.elapsed() < PATIENCE, "it is signed in");
            }
        }
        (first, other)
    });
    for server in servers {
        server.kill();
    }
    let server = start();
    System::new().block_on(async {
        let http = client::http();
        assert_eq!(sign_in::me(&http, &server.origin, &kept.0).await, None);
        assert!(sign_in::me(&http, &server.origin, &kept.1).await.is_some());
    });
    drop(server);
    database.forget();
}
