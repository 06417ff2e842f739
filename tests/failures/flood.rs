//! Callers that send too much, too many or too slowly: they are refused early, and memory stays bounded.

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use actix_web::rt::System;

use crate::hris;
use crate::support::process::Process;
use crate::support::{Database, Engine, PATIENCE};

/// What the process may grow by, in KiB, under any of this: a body of a mebibyte takes some twenty when it is read, and
/// the allocator keeps a part of it for each thread.
const GROWTH: u64 = 200 * 1024;

/// The most memory that the process has had resident at once so far, in KiB.
fn peak(server: &Process) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", server.id())).unwrap();
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))
        .expect("VmHWM");
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

fn connect(server: &Process) -> TcpStream {
    let stream = TcpStream::connect(server.origin.trim_start_matches("http://")).unwrap();
    stream
        .set_read_timeout(Some(Duration::from_mins(1)))
        .unwrap();
    stream
        .set_write_timeout(Some(Duration::from_secs(10)))
        .unwrap();
    stream
}

/// What the server says before it closes; nothing if it just closes.
fn answer(stream: &mut TcpStream) -> String {
    let mut text = Vec::new();
    let mut part = [0; 4096];
    while let Ok(read) = stream.read(&mut part) {
        text.extend_from_slice(&part[..read]);
        if read == 0 || text.len() > 64 * 1024 {
            break;
        }
    }
    String::from_utf8_lossy(&text).into_owned()
}

/// Sends until the server no longer takes it: how many bytes it took.
fn pour(stream: &mut TcpStream, part: &[u8], times: usize) -> usize {
    let started = Instant::now();
    (0..times)
        .take_while(|_| stream.write_all(part).is_ok())
        .take_while(|_| started.elapsed() < PATIENCE)
        .count()
        * part.len()
}

/// Runs a test on a server whose memory is watched, and which must serve as before in the end.
fn flooded(test: impl FnOnce(&Process, &str)) {
    let database = Database::fresh(Engine::Sqlite);
    let server = Process::start(database.folder());
    let list = async || hris(&server).await.get("/Users?count=0").await.status;
    let token = System::new().block_on(async {
        assert_eq!(list().await, 200);
        crate::client::token(&crate::client::http(), &server.origin, "hris").await
    });
    let before = peak(&server);
    test(&server, &token);
    let grown = peak(&server) - before;
    assert!(grown < GROWTH, "grown by {grown} KiB from {before} KiB");
    System::new().block_on(async { assert_eq!(list().await, 200) });
    drop(server);
    database.forget();
}

fn post(token: &str, more: &str) -> String {
    format!(
        "POST /scim/v2/Users HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\n\
         Content-Type: application/scim+json\r\n{more}\r\n\r\n"
    )
}

#[test]
fn a_body_of_a_hundred_megabytes_or_without_end_is_not_read() {
    flooded(|server, token| {
        let mib = vec![b' '; 1024 * 1024];
        for _ in 0..5 {
            let mut announced = connect(server);
            let head = post(token, "Content-Length: 104857600");
            announced.write_all(head.as_bytes()).unwrap();
            let text = answer(&mut announced);
            assert!(text.starts_with("HTTP/1.1 413 "), "{text}");
            assert!(text.contains("urn:ietf:params:scim:api:messages:2.0:Error"));

            let mut chunked = connect(server);
            let head = post(token, "Transfer-Encoding: chunked");
            chunked.write_all(head.as_bytes()).unwrap();
            let mut part = format!("{:x}\r\n", mib.len()).into_bytes();
            part.extend_from_slice(&mib);
            part.extend_from_slice(b"\r\n");
            // It would never end.
            let started = Instant::now();
            pour(&mut chunked, &part, usize::MAX);
            assert!(started.elapsed() < PATIENCE, "it takes whatever comes");
        }
    });
}

#[test]
fn heads_that_never_end_are_refused() {
    flooded(|server, token| {
        for _ in 0..20 {
            let mut many = connect(server);
            let mut head = post(token, "Content-Length: 0");
            head.truncate(head.len() - 2);
            many.write_all(head.as_bytes()).unwrap();
            pour(&mut many, b"X-More: and more\r\n", 100_000);
            let text = answer(&mut many);
            assert!(text.is_empty() || text.starts_with("HTTP/1.1 4"), "{text}");

            let mut long = connect(server);
            long.write_all(b"GET /scim/v2/Users?x=").unwrap();
            let taken = pour(&mut long, &vec![b'x'; 65536], 160);
            assert!(taken < 160 * 65536, "a URL of {taken} bytes was taken");
        }
    });
}

#[test]
fn deep_and_wide_bodies_are_refused() {
    flooded(|server, token| {
        let size = 1024 * 1024;
        let wide = format!("{{\"a\":[{}0]}}", "0,".repeat(size / 2 - 10));
        for body in ["[".repeat(size), "{\"a\":".repeat(size / 5), wide] {
            for _ in 0..15 {
                let mut stream = connect(server);
                let head = post(
                    token,
                    &format!("Connection: close\r\nContent-Length: {}", body.len()),
                );
                stream.write_all(head.as_bytes()).unwrap();
                stream.write_all(body.as_bytes()).unwrap();
                let text = answer(&mut stream);
                assert!(text.starts_with("HTTP/1.1 400 "), "{text}");
            }
        }
    });
}

#[test]
fn slow_callers_hold_nobody_up_and_are_shown_out() {
    flooded(|server, token| {
        let heads: Vec<_> = (0..300)
            .map(|_| {
                let mut stream = connect(server);
                stream.write_all(b"GET /scim/v2/Users HT").unwrap();
                stream
            })
            .collect();
        let mut bodies: Vec<_> = (0..100)
            .map(|_| {
                let mut stream = connect(server);
                let head = post(token, "Content-Length: 1000");
                stream.write_all(head.as_bytes()).unwrap();
                stream.write_all(b"{").unwrap();
                stream
            })
            .collect();
        System::new().block_on(async {
            let hris = hris(server).await;
            for _ in 0..20 {
                assert_eq!(hris.get("/Users?count=0").await.status, 200);
            }
        });
        // They are all still there: nobody had to wait until they were gone.
        bodies[0].set_nonblocking(true).unwrap();
        let waiting = bodies[0].peek(&mut [0]);
        assert_eq!(waiting.unwrap_err().kind(), ErrorKind::WouldBlock);
        bodies[0].set_nonblocking(false).unwrap();
        for mut head in heads {
            let text = answer(&mut head);
            assert!(text.starts_with("HTTP/1.1 408 "), "{text}");
        }
        for body in &mut bodies {
            let text = answer(body);
            assert!(text.starts_with("HTTP/1.1 408 "), "{text}");
            assert!(text.contains("did not arrive within 30 s"), "{text}");
        }
    });
}

#[test]
fn strangers_by_the_thousand_cost_little() {
    flooded(|server, _| {
        let mut stream = connect(server);
        let long = "a".repeat(20_000);
        for token in ["a.b.c", &long, "\u{e9}"] {
            for _ in 0..1000 {
                let head = format!(
                    "GET /scim/v2/Users HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\n\r\n"
                );
                stream.write_all(head.as_bytes()).unwrap();
                let mut part = [0; 2048];
                let read = stream.read(&mut part).unwrap();
                assert!(part[..read].starts_with(b"HTTP/1.1 401 "));
            }
        }
    });
}
