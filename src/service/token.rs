//! Tokens of the server's own issuer, for callers that can only hold a bearer: issued, listed, revoked in every process within
//! a moment, and warned of before their end.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use chrono::{DateTime, TimeDelta, Utc};

use super::{Error, Muster};
use crate::domain::event::Event;
use crate::domain::token;
use crate::id::{ResourceId, TenantId};
pub use crate::store::token::Issued;
use crate::store::{self, Store, Tx};

/// What is asked for.
#[derive(Clone, Debug)]
pub struct Request {
    /// Whose client.
    pub tenant: String,
    /// The client.
    pub client: String,
    /// For how many days.
    pub days: u16,
    /// The most days there may be.
    pub most_days: u16,
    /// The identifier of the issuer, which the client must name.
    pub issuer: String,
    /// Whether the configuration has that client, for a tenant without a policy.
    pub configured: bool,
}

/// Which tokens are revoked.
#[derive(Clone, Debug)]
pub enum Which {
    /// The one of that `jti`.
    One(ResourceId),
    /// All of a client.
    Of {
        /// Its tenant.
        tenant: String,
        /// The client.
        client: String,
    },
}

/// Whom a token was issued for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bearer {
    /// The tenant.
    pub tenant: TenantId,
    /// The client.
    pub client: String,
}

/// The tokens that this process knows of; those of other processes too, within a quarter of a second.
#[derive(Default)]
pub(super) struct Known(RwLock<Arc<Tokens>>);

#[derive(Default)]
struct Tokens {
    changes: i64,
    /// By `jti`: for whom, and whether it is revoked.
    bearers: HashMap<ResourceId, (Bearer, bool)>,
}

impl Known {
    fn current(&self) -> Arc<Tokens> {
        let tokens = self.0.read();
        tokens.unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Reads what is new, if the number of changes says that there is something.
    pub(super) fn refresh(&self, store: &Store, changes: i64) -> Result<(), Error> {
        if self.current().changes == changes {
            return Ok(());
        }
        let (changes, issued) = store.read_blocking(|tx| {
            let changes = store::token::changes(tx)?;
            Ok::<_, Error>((changes, store::token::list(tx, None)?))
        })?;
        let standing = |issued: Issued| {
            let bearer = Bearer {
                tenant: issued.tenant,
                client: issued.client,
            };
            (issued.id, (bearer, issued.revoked.is_some()))
        };
        let bearers = issued.into_iter().map(standing).collect();
        let mut current = self.0.write().unwrap_or_else(PoisonError::into_inner);
        // Of two that read at once, the one that has seen more stays.
        if changes >= current.changes {
            *current = Arc::new(Tokens { changes, bearers });
        }
        Ok(())
    }
}

impl Muster {
    /// Whom the token of that `jti`, proven and unexpired, was issued for. Else why it is refused, and whose it was: it was
    /// revoked, or it was never issued here, whoever has signed it. No query is made.
    pub fn bearer(&self, jti: &str) -> Result<Bearer, (&'static str, Option<Bearer>)> {
        let tokens = self.0.watch.tokens.current();
        let known = jti.parse().ok().and_then(|id| tokens.bearers.get(&id));
        match known {
            Some((bearer, false)) => Ok(bearer.clone()),
            Some((bearer, true)) => Err(("it has been revoked", Some(bearer.clone()))),
            None => Err(("it was not issued here", None)),
        }
    }

    /// Keeps that a token is issued, whose `jti` is then known here, and in all other processes within a quarter of a second.
    pub fn issue_token(
        &self,
        request: &Request,
        actor: &str,
        now: DateTime<Utc>,
    ) -> Result<Issued, Error> {
        let most = request.most_days;
        if !(1..=most).contains(&request.days) {
            return Err(Error::Conflict(format!(
                "a token is good for 1 to {most} days"
            )));
        }
        self.refresh()?;
        let tenant = self.tenant_of(&request.tenant)?;
        self.find_bearer(tenant, request)?;
        // A token's times are whole seconds (RFC 7519 §2).
        let start = DateTime::from_timestamp(now.timestamp(), 0).unwrap_or(now);
        let issued = Issued {
            id: self.0.ids.resource(),
            tenant,
            client: request.client.clone(),
            issued: start,
            issued_by: actor.to_owned(),
            expires: start + TimeDelta::days(i64::from(request.days)),
            revoked: None,
            warned: token::given_at_issue(request.days),
        };
        let event = self.token_event("token.issued", &issued, (actor, now));
        let kept = issued.clone();
        let work =
            move |tx: &mut Tx<'_>| Ok::<_, Error>(store::token::insert(tx, &kept, event.clone())?);
        self.0.store.write_blocking(work)?;
        self.refresh()?;
        Ok(issued)
    }

    /// Revokes tokens: from the answer on they are refused here, and in all other processes within a quarter of a second. How
    /// many there were.
    pub fn revoke_tokens(
        &self,
        which: &Which,
        actor: &str,
        now: DateTime<Utc>,
    ) -> Result<usize, Error> {
        let found = match which {
            Which::One(id) => {
                let id = *id;
                let find = |tx: &mut Tx<'_>| Ok::<_, Error>(store::token::find(tx, id)?);
                self.0.store.read_blocking(find)?.into_iter().collect()
            }
            Which::Of { tenant, client } => {
                let mut all = self.tokens(tenant)?;
                all.retain(|issued| issued.client == *client);
                all
            }
        };
        let good = |issued: &Issued| {
            let event = self.token_event("token.revoked", issued, (actor, now));
            issued.revoked.is_none().then_some((issued.id, event))
        };
        let good: Vec<(ResourceId, Event)> = found.iter().filter_map(good).collect();
        let count = good.len();
        if count == 0 {
            return Err(Error::NotFound(
                "there is no such token that is not revoked already".into(),
            ));
        }
        let actor = actor.to_owned();
        self.0.store.write_blocking(move |tx| {
            for (id, event) in &good {
                let is_revoked =
                    store::token::find(tx, *id)?.is_none_or(|row| row.revoked.is_some());
                // Somebody else may have done it in between.
                if !is_revoked {
                    store::token::update_revoked(tx, *id, (&actor, now), event.clone())?;
                }
            }
            Ok::<_, Error>(())
        })?;
        self.refresh()?;
        Ok(count)
    }

    /// All tokens issued for clients of a tenant, the newest first.
    pub fn tokens(&self, tenant: &str) -> Result<Vec<Issued>, Error> {
        let tenant = self.tenant_of(tenant)?;
        self.0
            .store
            .read_blocking(|tx| Ok(store::token::list(tx, Some(tenant))?))
    }

    /// Warns of the tokens of a tenant that end soon; how many there were.
    pub fn warn_of_tokens(&self, tenant: TenantId, now: DateTime<Utc>) -> Result<usize, Error> {
        let all = self
            .0
            .store
            .read_blocking(|tx| Ok::<_, Error>(store::token::list(tx, Some(tenant))?))?;
        let mut count = 0;
        for issued in all {
            let Some(days) = due(&issued, now) else {
                continue;
            };
            let event = self.token_event("token.expiring", &issued, ("muster", now));
            let id = issued.id;
            let told = self.0.store.write_blocking(move |tx| {
                let row = store::token::find(tx, id)?;
                let Some(row) = row.filter(|row| due(row, now) == Some(days)) else {
                    return Ok::<_, Error>(false);
                };
                store::token::update_warned(tx, &row, days, event.clone())?;
                Ok(true)
            })?;
            if told {
                count += 1;
                tracing::warn!(
                    "token.id" = %issued.id,
                    "client.name" = issued.client,
                    "token.expires" = %issued.expires,
                    "a token ends within {days} days: issue another one, and revoke this one when it is in use"
                );
            }
        }
        Ok(count)
    }

    /// Else a token would be nobody's.
    fn find_bearer(&self, tenant: TenantId, request: &Request) -> Result<(), Error> {
        let (client, issuer) = (&request.client, &request.issuer);
        let known = match self.policies().get(&tenant.0) {
            Some(governed) => governed.clients.iter().any(|row| {
                row.client.name == *client
                    && row.issuer == *issuer
                    && row.equals == *client
                    && matches!(row.claim.as_str(), "azp" | "client_id" | "sub")
            }),
            None => request.configured,
        };
        if known {
            return Ok(());
        }
        Err(Error::NotFound(format!(
            "the tenant '{}' has no client '{client}' with the issuer '{issuer}' and the match {{ claim: azp, equals: {client} }}",
            request.tenant
        )))
    }

    fn token_event(&self, kind: &str, issued: &Issued, by: (&str, DateTime<Utc>)) -> Event {
        let id = self.0.ids.event(by.1);
        let of = (kind, "Token", issued.id);
        Event::of_order(id, issued.tenant, of, by, None).until(&issued.client, issued.expires)
    }
}

/// The warning of a token that is still good.
fn due(issued: &Issued, now: DateTime<Utc>) -> Option<i32> {
    let is_good = issued.revoked.is_none();
    is_good
        .then(|| token::due(issued.expires, now, issued.warned))
        .flatten()
}
