//! What time does by itself: each minute, in every process; whoever comes first does it, and who comes second finds it done.

use chrono::{DateTime, Utc};

use super::{Error, Muster};
use crate::store::{self, Tx};

impl Muster {
    /// Forgets the keys of requests whose time is over, ends the reviews that nobody has decided in time, begins and ends the
    /// employments whose day has come, and warns of the tokens that end soon.
    pub(super) fn sweep(&self, now: DateTime<Utc>) {
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
                "applications whose verification counts no longer",
                self.turn_applications(tenant, now),
            );
            tell(
                "employments begun or ended: their day has come",
                self.turn_employments(tenant, now),
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
