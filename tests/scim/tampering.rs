//! `muster conform` has to notice a server that is wrong: here the right one behind a proxy that spoils its answers in
//! one way at a time.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use muster::cli::conform::{self, Target};
use muster::secret::Secret;
use serde_json::{Value, json};

use crate::support::{App, Engine, client, run};

/// The proxy is the same in front of either database.
#[test]
fn what_is_spoiled_is_noticed() {
    run(Engine::Sqlite, spoil_one_by_one);
}

/// A request or an answer: the first line, the headers, the body.
#[derive(Clone, Debug, Default)]
struct Message {
    start: String,
    headers: Vec<(String, String)>,
    body: String,
}

impl Message {
    /// Reads one message; nothing when the other side has closed.
    fn read(stream: &mut TcpStream) -> Option<Self> {
        let mut bytes = Vec::new();
        let mut one = [0];
        while !bytes.ends_with(b"\r\n\r\n") {
            if stream.read(&mut one).ok()? == 0 {
                return None;
            }
            bytes.push(one[0]);
        }
        let head = String::from_utf8(bytes).ok()?;
        let mut lines = head.trim_end().lines();
        let start = lines.next()?.to_owned();
        let headers: Vec<(String, String)> = lines
            .filter_map(|line| line.split_once(": "))
            .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
            .collect();
        let mut message = Self {
            start,
            headers,
            body: String::new(),
        };
        let length = message.header("content-length");
        let mut body = vec![0; length.and_then(|n| n.parse().ok()).unwrap_or(0)];
        stream.read_exact(&mut body).ok()?;
        message.body = String::from_utf8(body).ok()?;
        Some(message)
    }

    fn write(&self, stream: &mut TcpStream) {
        let mut text = format!("{}\r\n", self.start).into_bytes();
        for (name, value) in &self.headers {
            if name != "content-length" && name != "connection" {
                write!(text, "{name}: {value}\r\n").unwrap();
            }
        }
        let (length, body) = (self.body.len(), &self.body);
        let bodiless = self.start.contains(" 204 ") || self.start.contains(" 304 ");
        if !bodiless || length > 0 {
            write!(text, "content-length: {length}\r\n").unwrap();
        }
        write!(text, "connection: close\r\n\r\n{body}").unwrap();
        drop(stream.write_all(&text));
    }

    fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str())
    }

    fn drop_header(&mut self, name: &str) {
        self.headers.retain(|(known, _)| known != name);
    }

    /// Changes a body that is JSON.
    fn edit(&mut self, change: impl Fn(&mut Value)) {
        if let Ok(mut body) = serde_json::from_str(&self.body) {
            change(&mut body);
            self.body = body.to_string();
        }
    }

    /// Whether the request's line begins so.
    fn asks(&self, start: &str) -> bool {
        self.start.starts_with(start)
    }

    fn answers(&self, status: &str) -> bool {
        self.start.contains(&format!(" {status} "))
    }
}

/// One way of being wrong: which cases are run, what is done to requests, and to answers.
struct Spoil {
    only: &'static str,
    request: fn(&mut Message),
    answer: fn(&Message, &mut Message),
}

const NO_REQUEST: fn(&mut Message) = |_| ();
const NO_ANSWER: fn(&Message, &mut Message) = |_, _| ();

const fn answers(only: &'static str, answer: fn(&Message, &mut Message)) -> Spoil {
    Spoil {
        only,
        request: NO_REQUEST,
        answer,
    }
}

const fn requests(only: &'static str, request: fn(&mut Message)) -> Spoil {
    Spoil {
        only,
        request,
        answer: NO_ANSWER,
    }
}

/// Each must lead to at least one failure among the cases that it names.
const SPOILS: &[Spoil] = &[
    answers("exchanges/create", |_, answer| {
        answer.drop_header("location");
    }),
    answers("exchanges/create", |_, answer| {
        answer.start = answer.start.replace("201 Created", "200 OK");
    }),
    answers("exchanges/create", |_, answer| {
        answer.edit(|body| body["password"] = json!("t1meMa$heen"));
    }),
    answers("exchanges/create", |_, answer| {
        answer.edit(|body| {
            if let Some(user) = body.as_object_mut() {
                user.remove("schemas");
            }
        });
    }),
    answers("exchanges/errors", |_, answer| {
        answer.edit(|body| {
            if let Some(status) = body["status"].as_str() {
                body["status"] = json!(status.parse::<u16>().unwrap());
            }
        });
    }),
    answers("exchanges/errors", |_, answer| {
        answer.drop_header("www-authenticate");
    }),
    answers("exchanges/errors", |_, answer| {
        answer.start = answer.start.replace("404 Not Found", "410 Gone");
    }),
    requests("exchanges/retrieve", |request| {
        request.start = request.start.replace("filter=", "ignored=");
    }),
    answers("exchanges/retrieve", |_, answer| {
        answer.edit(|body| {
            if body["totalResults"] == 0 {
                body["totalResults"] = json!(1);
            }
        });
    }),
    requests("filters/invalid", |request| {
        request.start = request.start.replace("filter=", "ignored=");
    }),
    answers("filters/valid", |request, answer| {
        if request.start.contains("not") {
            answer.start = "HTTP/1.1 501 Not Implemented".into();
        }
    }),
    requests("exchanges/projection", |request| {
        request.start = request.start.replace("attributes=", "ignored=");
    }),
    requests("exchanges/sort", |request| {
        request.start = request.start.replace("sortOrder=", "ignored=");
    }),
    requests("exchanges/paging", |request| {
        request.start = request.start.replace("startIndex=", "ignored=");
    }),
    requests("exchanges/search", |request| {
        request.body = request.body.replace("\"filter\"", "\"ignored\"");
    }),
    requests("exchanges/replace", |request| {
        if request.asks("PUT ") {
            request.start = request.start.replacen("PUT", "GET", 1);
            request.body.clear();
        }
    }),
    requests("patches/add", |request| {
        if request.asks("PATCH ") {
            request.start = request.start.replacen("PATCH", "GET", 1);
            request.body.clear();
        }
    }),
    requests("exchanges/patch", |request| {
        request.body = request.body.replace("\"remove\"", "\"add\"");
    }),
    requests("exchanges/delete", |request| {
        if request.asks("DELETE ") {
            request.start = request.start.replacen("DELETE", "GET", 1);
        }
    }),
    requests("exchanges/etags", |request| request.drop_header("if-match")),
    requests("exchanges/etags", |request| {
        request.drop_header("if-none-match");
    }),
    answers("exchanges/etags", |_, answer| {
        answer.edit(|body| {
            if body["meta"]["version"].is_string() {
                body["meta"]["version"] = json!("W/\"same\"");
            }
        });
    }),
    answers("exchanges/discovery", |_, answer| {
        if answer.answers("403") {
            answer.start = "HTTP/1.1 200 OK".into();
        }
    }),
    answers("an answer with a body", |request, answer| {
        if request.asks("GET") && answer.answers("200") {
            answer.drop_header("content-type");
            let kind = ("content-type".to_owned(), "text/html".to_owned());
            answer.headers.push(kind);
        }
    }),
];

/// Stands between the runner and the application until it is told to stop.
fn proxy(upstream: String, spoil: &'static Spoil, stop: Arc<AtomicBool>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let own = listener.local_addr().unwrap().to_string();
    let address = own.clone();
    thread::spawn(move || {
        for stream in listener.incoming() {
            if stop.load(Ordering::SeqCst) {
                return;
            }
            pass(&mut stream.unwrap(), &upstream, &own, spoil);
        }
    });
    address
}

fn pass(stream: &mut TcpStream, upstream: &str, own: &str, spoil: &Spoil) {
    let Some(mut request) = Message::read(stream) else {
        return;
    };
    request.start = request.start.replace(own, upstream);
    (spoil.request)(&mut request);
    let mut server = TcpStream::connect(upstream).unwrap();
    request.write(&mut server);
    let Some(mut answer) = Message::read(&mut server) else {
        return;
    };
    // Locations lead here, so that the runner follows them.
    answer.body = answer.body.replace(upstream, own);
    for (_, value) in &mut answer.headers {
        *value = value.replace(upstream, own);
    }
    (spoil.answer)(&request, &mut answer);
    answer.write(stream);
}

async fn spoil_one_by_one(app: &App) {
    let token = client::token(&client::http(), &app.origin(), "conformance").await;
    let upstream = app.origin().replace("http://", "");
    let right = Spoil {
        only: "exchanges/",
        ..answers("", NO_ANSWER)
    };
    let right: &'static Spoil = Box::leak(Box::new(right));
    let mut unnoticed = Vec::new();
    for (at, spoil) in std::iter::once(right).chain(SPOILS).enumerate() {
        let stop = Arc::new(AtomicBool::new(false));
        let address = proxy(upstream.clone(), spoil, stop.clone());
        let target = Target {
            url: format!("http://{address}/scim/v2"),
            token: Secret::new(token.clone()),
            profile: "rfc".into(),
            only: Some(spoil.only.into()),
            run: format!("spoil{at}"),
        };
        let report = conform::run(&target, |_, _| ()).await.unwrap();
        let failed = report.totals().failed;
        if at == 0 {
            assert_eq!(failed, 0, "through the proxy: {}", report.to_text());
        } else if failed == 0 {
            unnoticed.push(format!("spoil {at} of {}", spoil.only));
        }
        stop.store(true, Ordering::SeqCst);
        drop(TcpStream::connect(address));
    }
    assert!(unnoticed.is_empty(), "{unnoticed:?}");
}
