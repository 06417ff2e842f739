//! How many statements the application sends to its database.

use std::collections::BTreeMap;
use std::sync::Mutex;

use diesel::connection::{Instrumentation, InstrumentationEvent, set_default_instrumentation};

use super::Database;

static SENT: Mutex<BTreeMap<String, u64>> = Mutex::new(BTreeMap::new());

/// Counts what one connection sends.
#[derive(Default)]
struct Counter {
    url: String,
}

impl Instrumentation for Counter {
    fn on_connection_event(&mut self, event: InstrumentationEvent<'_>) {
        match event {
            InstrumentationEvent::StartEstablishConnection { url, .. } => {
                url.clone_into(&mut self.url);
            }
            InstrumentationEvent::StartQuery { query, .. } if is_nobodys(&query.to_string()) => {}
            InstrumentationEvent::StartQuery { .. } => {
                let mut sent = SENT.lock().expect("nobody panics here");
                *sent.entry(self.url.clone()).or_default() += 1;
            }
            _ => {}
        }
    }
}

/// Whether this thread does nothing for any request: it looks for policies, folds anew, seals or signs.
pub(crate) fn is_background() -> bool {
    let thread = std::thread::current();
    let by_itself = [
        "muster-policy",
        "muster-sealer",
        "muster-notary",
        "muster-refold",
    ];
    thread.name().is_some_and(|name| by_itself.contains(&name))
}

/// Whether a statement is no request's own: it is sent by a thread that looks for policies, seals or signs, or belongs to the
/// commit that requests share, or to sealing what was committed.
pub(crate) fn is_nobodys(sql: &str) -> bool {
    const SHARED: [&str; 7] = [
        "BEGIN",
        "COMMIT",
        "ROLLBACK",
        "SAVEPOINT",
        "RELEASE",
        "SELECT total_changes()",
        "SELECT 1",
    ];
    is_background()
        || sql.contains("policy")
        || sql.contains("break_glass")
        || sql.contains("token")
        || sql.contains("log_")
        || SHARED.iter().any(|start| sql.starts_with(start))
}

/// Counts from now on, on every connection that is made from now on.
pub(crate) fn watch() {
    set_default_instrumentation(|| Some(Box::new(Counter::default())))
        .expect("connections can be watched");
}

/// How many statements a database has been sent, by whichever address.
pub(crate) fn sent_to(database: &Database) -> u64 {
    let sent = SENT.lock().expect("nobody panics here");
    let wanted = plain(database.url());
    let of_it = sent.iter().filter(|(url, _)| plain(url) == wanted);
    of_it.map(|(_, count)| count).sum()
}

/// An address without how it is opened.
fn plain(url: &str) -> &str {
    let url = url.split('?').next().unwrap_or_default();
    url.trim_start_matches("sqlite:")
        .trim_start_matches("file:")
}
