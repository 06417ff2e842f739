//! An issuer on this machine that misbehaves as a test wants it to.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value, json};

/// How the keys are answered.
#[derive(Clone, Debug)]
pub(crate) enum Manner {
    /// As they should be.
    Good(Vec<Value>),
    /// With no end of white space, a byte at a time.
    Slow,
    /// By 404.
    Gone,
    /// By more than a MiB.
    Huge,
    /// By a redirect to another address.
    Redirect(String),
    /// By something that is no key set.
    Garbage,
}

#[derive(Debug)]
struct State {
    issuer: String,
    keys_at: String,
    manner: Manner,
    /// What its token endpoint answers.
    tokens: String,
    /// Paths that were asked for.
    asked: Vec<String>,
}

/// The issuer: discovery below `/discovery`, keys at `/keys` and `/moved`.
pub(crate) struct FakeIssuer {
    pub(crate) origin: String,
    state: Arc<Mutex<State>>,
}

impl FakeIssuer {
    /// An issuer at its own address.
    pub(crate) fn new(keys: Vec<Value>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let origin = format!("http://{}", listener.local_addr().unwrap());
        let state = Arc::new(Mutex::new(State {
            issuer: origin.clone(),
            keys_at: format!("{origin}/keys"),
            manner: Manner::Good(keys),
            tokens: String::new(),
            asked: Vec::new(),
        }));
        let shared = Arc::clone(&state);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let state = Arc::clone(&shared);
                std::thread::spawn(move || answer(stream.unwrap(), &state));
            }
        });
        Self { origin, state }
    }

    /// What its discovery says who it is.
    pub(crate) fn call_itself(&self, issuer: &str) {
        self.state.lock().unwrap().issuer = issuer.into();
    }

    /// What its discovery says where its keys are.
    pub(crate) fn keep_keys_at(&self, url: &str) {
        self.state.lock().unwrap().keys_at = url.into();
    }

    /// Has the token endpoint answer this.
    pub(crate) fn hand_out(&self, tokens: &Value) {
        self.state.lock().unwrap().tokens = tokens.to_string();
    }

    pub(crate) fn behave(&self, manner: Manner) {
        self.state.lock().unwrap().manner = manner;
    }

    /// How often a path was asked for.
    pub(crate) fn asked(&self, path: &str) -> usize {
        let state = self.state.lock().unwrap();
        state.asked.iter().filter(|asked| *asked == path).count()
    }
}

fn answer(mut stream: TcpStream, state: &Mutex<State>) {
    let mut request = [0; 4096];
    let read = stream.read(&mut request).unwrap();
    let head = String::from_utf8_lossy(&request[..read]);
    let path = head.split(' ').nth(1).unwrap_or_default().to_owned();
    let (issuer, keys_at, manner) = {
        let mut state = state.lock().unwrap();
        state.asked.push(path.clone());
        (
            state.issuer.clone(),
            state.keys_at.clone(),
            state.manner.clone(),
        )
    };
    if path.ends_with("/.well-known/openid-configuration") || path == "/discovery" {
        let metadata = json!({
            "issuer": issuer, "authorization_endpoint": format!("{issuer}/authorize"), "jwks_uri": keys_at,
            "token_endpoint": format!("{issuer}/token"),
            "response_types_supported": ["code"], "subject_types_supported": ["pairwise"],
            "id_token_signing_alg_values_supported": ["RS256"],
        });
        return say(&mut stream, "200 OK", "", &metadata.to_string());
    }
    if path == "/token" {
        let tokens = state.lock().unwrap().tokens.clone();
        return say(&mut stream, "200 OK", "", &tokens);
    }
    match manner {
        Manner::Good(keys) => say(
            &mut stream,
            "200 OK",
            "",
            &json!({ "keys": keys }).to_string(),
        ),
        Manner::Gone => say(&mut stream, "404 Not Found", "", "{}"),
        Manner::Garbage => say(&mut stream, "200 OK", "", "<html>"),
        Manner::Redirect(to) => say(&mut stream, "302 Found", &format!("Location: {to}\r\n"), ""),
        Manner::Huge => {
            let body = format!("{{\"keys\": [], \"x\": \"{}\"}}", "x".repeat(2 << 20));
            say(&mut stream, "200 OK", "", &body);
        }
        Manner::Slow => {
            let head =
                "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n";
            let mut sent = stream.write_all(head.as_bytes());
            while sent.is_ok() {
                std::thread::sleep(Duration::from_millis(100));
                sent = stream.write_all(b" ");
            }
        }
    }
}

/// The client may have left already.
fn say(stream: &mut TcpStream, status: &str, headers: &str, body: &str) {
    let length = body.len();
    drop(write!(
        stream,
        "HTTP/1.1 {status}\r\nContent-Type: application/json\r\nConnection: close\r\n{headers}Content-Length: {length}\r\n\r\n{body}"
    ));
}
