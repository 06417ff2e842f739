//! Clients that create, change and read users all the time, take 503 for an answer, and keep a journal.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::{Duration, Instant};

use actix_web::rt::task::JoinHandle;
use actix_web::rt::{spawn, time};
use reqwest::Method;
use serde_json::{Value, json};

use crate::journal::Journal;
use crate::support::{Client, PATCH_OP, body};

/// Within this every request is answered: the longest that the server waits for its database, and a little more.
pub(crate) const BOUND: Duration = Duration::from_secs(35);
/// Clients at once.
const WRITERS: usize = 8;

/// What the clients have seen so far.
#[derive(Default)]
struct Seen {
    stopping: Cell<bool>,
    acknowledged: Cell<usize>,
    refused: Cell<usize>,
    slowest: Cell<Duration>,
}

/// A load that goes on until it is stopped.
pub(crate) struct Load {
    client: Client,
    journal: Rc<RefCell<Journal>>,
    seen: Rc<Seen>,
    writers: Vec<JoinHandle<()>>,
}

/// What came of it.
#[derive(Debug)]
#[expect(dead_code, reason = "the counts are for who reads a failed test")]
pub(crate) struct Outcome {
    acknowledged: usize,
    refused: usize,
    pub(crate) slowest: Duration,
}

impl Load {
    /// Starts; `round` tells the names of its users from those of other loads.
    pub(crate) fn start(client: &Client, round: u64) -> Self {
        let journal = Rc::new(RefCell::new(Journal::new(round)));
        let seen = Rc::new(Seen::default());
        let writer = |number| {
            let writer = Writer {
                client: client.clone(),
                journal: Rc::clone(&journal),
                seen: Rc::clone(&seen),
                number,
            };
            spawn(writer.work())
        };
        Self {
            client: client.clone(),
            writers: (0..WRITERS).map(writer).collect(),
            journal,
            seen,
        }
    }

    /// Waits until so many more writes are acknowledged.
    pub(crate) async fn acknowledged(&self, more: usize) {
        Self::more(&self.seen.acknowledged, more, "acknowledged").await;
    }

    /// Waits until so many more requests are refused with 503.
    pub(crate) async fn refused(&self, more: usize) {
        Self::more(&self.seen.refused, more, "refused").await;
    }

    async fn more(count: &Cell<usize>, more: usize, what: &str) {
        let wanted = count.get() + more;
        let patience = Instant::now() + Duration::from_mins(2);
        while count.get() < wanted {
            assert!(
                Instant::now() < patience,
                "{} of {wanted} {what}",
                count.get()
            );
            time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// Stops, and compares the journal with what the server knows.
    pub(crate) async fn stop(self) -> Outcome {
        self.seen.stopping.set(true);
        for writer in self.writers {
            writer.await.expect("no client met what it must not");
        }
        let outcome = Outcome {
            acknowledged: self.seen.acknowledged.get(),
            refused: self.seen.refused.get(),
            slowest: self.seen.slowest.get(),
        };
        let journal = Rc::try_unwrap(self.journal).expect("all clients have ended");
        journal.into_inner().compare(&self.client).await;
        outcome
    }
}

/// One client.
struct Writer {
    client: Client,
    journal: Rc<RefCell<Journal>>,
    seen: Rc<Seen>,
    number: usize,
}

impl Writer {
    async fn work(self) {
        for user in 0.. {
            if self.seen.stopping.get() {
                return;
            }
            let name = self.journal.borrow().name(self.number, user);
            self.journal.borrow_mut().creating(&name);
            let content = body("/Users", json!({"userName": name}));
            let Some(made) = self.send(Method::POST, "/Users", Some(&content)).await else {
                continue;
            };
            self.journal.borrow_mut().created(&name);
            self.seen.acknowledged.update(|count| count + 1);
            let path = format!("/Users/{}", made["id"].as_str().expect("an id"));
            let nick_name = format!("{name}-new");
            let operation = json!({"op": "replace", "path": "nickName", "value": nick_name});
            let patch = json!({"schemas": [PATCH_OP], "Operations": [operation]});
            self.journal.borrow_mut().renaming(&name, &nick_name);
            // A change that was not answered may have happened; this user is left as it is.
            if self
                .send(Method::PATCH, &path, Some(&patch))
                .await
                .is_some()
            {
                self.journal.borrow_mut().renamed(&name);
                self.seen.acknowledged.update(|count| count + 1);
                if let Some(found) = self.send(Method::GET, &path, None).await {
                    assert_eq!(found["nickName"], nick_name.as_str());
                }
            }
        }
    }

    /// The body of a success; nothing for a 503. Anything else fails the test, and so does no answer at all.
    async fn send(&self, method: Method, path: &str, body: Option<&Value>) -> Option<Value> {
        let started = Instant::now();
        let body = body.map(|body| body.to_string().into_bytes());
        let answer = self.client.send(method, path, &[], body).await;
        let took = started.elapsed();
        self.seen.slowest.update(|slowest| slowest.max(took));
        if answer.status == 503 {
            // Okta takes whole seconds only (O8).
            let seconds: u32 = answer
                .header("retry-after")
                .expect("Retry-After")
                .parse()
                .expect("whole seconds");
            assert!((1..=60).contains(&seconds), "{seconds}");
            self.seen.refused.update(|count| count + 1);
            time::sleep(Duration::from_millis(20)).await;
            return None;
        }
        assert!(
            matches!(answer.status, 200 | 201),
            "{}: {}",
            answer.status,
            answer.body
        );
        Some(answer.body)
    }
}
