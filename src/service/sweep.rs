//! What time does by itself: each minute, in one process of all that share a database. It holds a lease; if it dies, another
//! has the lease soon. Two that both believed to have it would do no harm: who comes second finds it done.

use chrono::{DateTime, TimeDelta, Utc};

use super::{Error, Muster};
use crate::store::{self, Tx};

/// The lease of the process that sees to it.
const LEADER: &str = "leader";
/// How long it holds: a little longer than from one minute to the next.
const TERM: TimeDelta = TimeDelta::seconds(90);

impl Muster {
    /// Whether this process is the one that sees to what time does, from `now` for a minute and a half.
    pub fn leads(&self, process: &str, now: DateTime<Utc>) -> Result<bool, Error> {
        let process = process.to_owned();
        let term = (now, now + TERM);
        self.0.store.write_blocking(move |tx| {
            Ok::<_, Error>(store::setting::lease(tx, LEADER, &process, term)?)
        })
    }

    /// This process ends in good order: the next to ask leads.
    pub fn resign(&self, process: &str) {
        let process = process.to_owned();
        let resigned = self.0.store.write_blocking(move |tx| {
            Ok::<_, Error>(store::setting::release(tx, LEADER, &process)?)
        });
        if let Err(error) = resigned {
            tracing::debug!(%error, "another process leads when the lease is over");
        }
    }

    /// Forgets the keys of requests whose time is over, ends the reviews that nobody has decided in time, asks whose a
    /// value is that two have, begins, changes and ends the employments whose day has come, forgets what was delivered and
    /// refused long ago, and warns of the tokens that end soon.
    pub(super) fn sweep(&self, process: &str, now: DateTime<Utc>) {
        match self.leads(process, now) {
            Ok(true) => {}
            Ok(false) => return,
            Err(error) => return tracing::debug!(%error, "who leads is not known now"),
        }
        tell(
            "keys of requests forgotten: their time is over",
            self.forget_keys(now),
        );
        let tenants = |tx: &mut Tx<'_>| Ok::<_, Error>(store::audit::tenants(tx)?);
        let Ok(tenants) = self.0.store.read_blocking(tenants) else {
            return;
        };
        for tenant in tenants {
            tell(
                "reviews expired: nobody has decided them in time",
                self.expire_reviews(tenant, now),
            );
            tell(
                "questions opened: somebody has a value that another holds",
                self.ask_of_withheld(tenant, now),
            );
            tell(
                "unique values held anew: their holders are no more",
                self.promote(tenant),
            );
            tell(
                "applications whose verification counts no longer",
                self.turn_applications(tenant, now),
            );
            tell(
                "employments begun, changed or ended: their day has come",
                self.turn_employments(tenant, now),
            );
            tell(
                "rows of the log of deliveries forgotten: their time is over",
                self.forget_deliveries(tenant, now),
            );
            tell(
                "tokens warned of: they end soon",
                self.warn_of_tokens(tenant, now),
            );
        }
    }
}

fn tell(what: &'static str, done: Result<usize, Error>) {
    match done {
        Ok(0) => {}
        Ok(count) => tracing::info!(count, "{what}"),
        Err(error) => tracing::debug!(%error, "not now, and tried again: {what}"),
    }
}
