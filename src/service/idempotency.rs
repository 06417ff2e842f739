//! Requests with a key of their own (A-069, B-046, B-067, B-068): each is carried out once, and its answer is given again to who
//! repeats it.
//!
//! **How.** A row stands for each (tenant, client, key), at `/Me` also for each account. It goes through three states:
//!
//! 1. *claimed*: committed before anything is done. Others with the key are told 409 while its lease of a minute runs;
//! 2. *committed*: set **in the transaction that does the work**, with the id of the record that it wrote. So there is no moment
//!    at which a crash leaves a write of which the row does not know, or a row that tells of a write that is not there;
//! 3. *answered*: the rendered answer is kept, sealed by the tenant's key, before it is sent.
//!
//! Where a process dies, the lease runs out and the next request with the key takes the row over. If it was claimed, nothing
//! has happened and the request is carried out. If it was committed it is not done again: the answer is what the first would
//! have been, rendered from the record as it stands now (404 if that is gone). Each take-over counts the row's turn up, and a
//! commit names its turn: an attempt that was given up and wakes up again can commit nothing. Nothing rests on the length of
//! the lease. A bulk request commits in parts; each part notes in its transaction which operations are done, and whoever
//! takes over does the rest.
//!
//! **What is kept** are successes. A failure (4xx, 5xx) changed nothing, so its key is free again: repeating it costs no more
//! than asking did, may succeed once the reason is gone, and its text, which may quote somebody, is not stored.
//!
//! **What is shown again** is what the caller may see today. The rights on the type are checked first. The answer is given byte
//! by byte if nothing on the type is restricted for the client, or if policy and purposes are those of then and what is shown
//! hangs neither on the record, nor on a consent, nor has to be logged. Otherwise the record is rendered as it is now, masked
//! and logged as ever; of a bulk answer the resources are left out.
//!
//! **Erasure** removes every answer that names the person, by whatever id, with the fingerprint of the request; the key stays
//! used, so that nobody is made again by a repetition.
//!
//! Against draft-ietf-httpapi-idempotency-key-header-06: we agree on the header, on 422 for another body, on 409 while the first
//! is in flight, on 400 for what is no key and on a fingerprint of the request. We depart from it in that the key need not be
//! in quotation marks (with them it is the same key), that it is never required, that PUT and DELETE may have one, that
//! failures are not replayed, and that errors are SCIM's instead of RFC 9457's.

use chrono::{DateTime, TimeDelta, Utc};
use sha2::{Digest, Sha256};

use super::change::find;
use super::review::NAME as REVIEW;
use super::{Account, Asked, Came, Error, Muster, Written, permit};
use crate::domain::context::{Context, Right};
use crate::domain::idempotency::{Answer, Attempt, Done, HEADER, Key, LEASE, Step, WINDOW_DAYS};
use crate::domain::view::View;
use crate::id::{ResourceId, TenantId};
use crate::store::idempotency::{Claimed, Request};
use crate::store::{self, Tx};

/// Keys that are forgotten in one transaction.
const SWEPT: i64 = 500;
/// The status of what was queued for a human, whose answer is a review.
const QUEUED: u16 = 202;

/// What came of a use case, as far as a repetition has to know it.
pub(super) trait Outcome {
    /// The record that it wrote, and what a POST came to.
    fn resource(&self) -> Option<(ResourceId, Came)>;
}

impl Outcome for Written {
    fn resource(&self) -> Option<(ResourceId, Came)> {
        Some((self.resource.seen().id, self.came))
    }
}

impl Outcome for () {
    fn resource(&self) -> Option<(ResourceId, Came)> {
        None
    }
}

/// A prepared use case whose outcome can be told again.
pub(super) trait Repeat<T> {
    /// What it came to when it was done before, as it stands now.
    fn again(
        &self,
        muster: &Muster,
        context: &Context,
        tx: &mut Tx<'_>,
        done: &Done,
    ) -> Result<T, Error>;
}

/// One that writes a record and shows it.
pub(super) trait Shows {
    /// Through which view, and what of it.
    fn shows(&self) -> (&View, &Asked);
}

impl<P: Shows> Repeat<Written> for P {
    fn again(
        &self,
        muster: &Muster,
        context: &Context,
        tx: &mut Tx<'_>,
        done: &Done,
    ) -> Result<Written, Error> {
        let step = done.resource.map(|(id, came)| (id.to_string(), came));
        let step = step.unwrap_or_default();
        muster.as_it_is(tx, context, self.shows(), &step)
    }
}

/// A request with a key, as it came in.
#[derive(Clone, Debug)]
pub struct Presented<'r> {
    /// Its key.
    pub key: Key,
    /// Its method.
    pub method: &'r str,
    /// Its path, with the query.
    pub target: &'r str,
    /// Its body.
    pub body: &'r [u8],
    /// The resource type that it is about; none of a bulk request.
    pub resource_type: Option<&'r str>,
    /// The account that the token is of, where the path stands for it (`/Me`): other accounts' keys are others.
    pub account: Option<&'r Account>,
}

impl Presented<'_> {
    /// Whose key it is.
    fn owner(&self, context: &Context) -> String {
        let client = &context.client.name;
        match self.account.map(Account::named) {
            None => client.clone(),
            Some((name, value)) => format!("{client}\u{0}{name}\u{0}{value}"),
        }
    }

    /// A hash of what it says, in hexadecimal digits.
    fn digest(&self) -> String {
        let mut hash = Sha256::new();
        for part in [self.method.as_bytes(), self.target.as_bytes()] {
            hash.update(part);
            hash.update([0]);
        }
        hash.update(self.body);
        format!("{:x}", hash.finalize())
    }

    fn right(&self) -> Right {
        if self.method == "DELETE" {
            Right::Delete
        } else {
            Right::Write
        }
    }
}

/// What is to be done with a request that has a key.
#[derive(Clone, Debug)]
pub enum Admission {
    /// Carry it out.
    Perform(Attempt),
    /// It has been done: render what stands now, and add the headers of then.
    Render(Attempt, Vec<(String, String)>),
    /// Answer this.
    Replay(Answer),
    /// Another request had this key.
    Different,
    /// The first is being carried out: so many seconds later it may be done.
    Busy(i64),
}

impl Muster {
    /// Whether a request has a key, by the header that its tenant's policy names, or any other's: who asks is not known yet.
    pub fn has_idempotency_key(&self, has: impl Fn(&str) -> bool) -> bool {
        let policies = self.policies();
        let mut named = policies.values().filter_map(|row| row.policy.idempotency());
        has(HEADER) || named.any(|terms| has(&terms.header))
    }

    /// The header with the key (B-067), and for how long a key is known (B-068), as the tenant's policy has it.
    #[must_use]
    pub fn idempotency_terms(&self, tenant: TenantId) -> (String, TimeDelta) {
        let policies = self.policies();
        let governed = policies.get(&tenant.0);
        let terms = governed.and_then(|governed| governed.policy.idempotency());
        let header = terms.map(|terms| terms.header.as_str());
        let days = terms.map(|terms| terms.window_days);
        (
            header
                .filter(|name| !name.is_empty())
                .unwrap_or(HEADER)
                .to_owned(),
            TimeDelta::days(days.filter(|days| *days > 0).unwrap_or(WINDOW_DAYS).into()),
        )
    }

    /// The header by which a flow is followed (B-069), `standard` or as a policy names it: the first that a request has.
    pub fn correlation_header(&self, standard: &str, has: impl Fn(&str) -> bool) -> Option<String> {
        let policies = self.policies();
        let named = policies
            .values()
            .filter_map(|row| row.policy.correlation_header());
        let mut headers = std::iter::once(standard).chain(named);
        headers.find(|name| has(name)).map(str::to_owned)
    }

    /// Lets a request in, or says what is known of it.
    ///
    /// # Errors
    /// 403 if it has been answered and the caller may not do it any more.
    pub async fn admit_once(
        &self,
        context: &Context,
        presented: &Presented<'_>,
    ) -> Result<Admission, Error> {
        let (_, window) = self.idempotency_terms(context.tenant());
        let request = Request {
            tenant: context.tenant(),
            owner: presented.owner(context),
            key: presented.key.clone(),
            digest: presented.digest(),
            now: context.now,
            lease: context.now + LEASE,
            expires: context.now + window,
        };
        let claim = move |tx: &mut Tx<'_>| Ok::<_, Error>(store::idempotency::claim(tx, &request)?);
        let (attempt, answer) = match self.0.store.write(claim).await? {
            Claimed::Admitted(attempt) => return Ok(Admission::Perform(attempt)),
            Claimed::Different => return Ok(Admission::Different),
            Claimed::Busy(seconds) => return Ok(Admission::Busy(seconds)),
            Claimed::Answered(attempt, answer) => (attempt, answer),
        };
        if let Some(name) = presented.resource_type {
            permit(context, presented.right(), name)?;
        }
        Ok(match answer {
            Some(answer) => self.replay(context, presented, attempt, answer),
            None => Admission::Render(attempt, Vec::new()),
        })
    }

    /// A kept answer, as far as the caller may see it today.
    fn replay(
        &self,
        context: &Context,
        presented: &Presented<'_>,
        attempt: Attempt,
        answer: Answer,
    ) -> Admission {
        let clearance = &context.client.clearance;
        let says_nothing = answer.body.as_deref() == Some("");
        let all = self.resource_types();
        let all = all.iter().map(|known| known.name.as_str());
        let about = |name: &&str| {
            let queued = answer.status == QUEUED && *name == REVIEW;
            queued || presented.resource_type.is_none_or(|about| about == *name)
        };
        let may_be_shown = answer.may_be_shown(clearance, all.filter(about));
        match presented.resource_type {
            _ if may_be_shown || says_nothing => Admission::Replay(answer),
            None => Admission::Replay(answer.without_resources()),
            Some(_) => Admission::Render(attempt, answer.headers),
        }
    }

    /// Keeps the answer to a request.
    pub async fn keep_answer(
        &self,
        context: &Context,
        attempt: &Attempt,
        mut answer: Answer,
    ) -> Result<(), Error> {
        answer.sight = context.client.clearance.fingerprint();
        let (tenant, attempt) = (context.tenant(), attempt.clone());
        let keep = move |tx: &mut Tx<'_>| {
            Ok::<_, Error>(store::idempotency::keep(tx, tenant, &attempt, &answer)?)
        };
        self.0.store.write(keep).await
    }

    /// Gives up a request that has no answer to be kept: whoever repeats it need not wait.
    pub async fn give_up(&self, attempt: &Attempt) -> Result<(), Error> {
        let attempt = attempt.clone();
        let release =
            move |tx: &mut Tx<'_>| Ok::<_, Error>(store::idempotency::release(tx, &attempt)?);
        self.0.store.write(release).await
    }

    /// Forgets the keys whose time is over; how many there were.
    pub fn forget_keys(&self, now: DateTime<Utc>) -> Result<usize, Error> {
        let mut forgotten = 0;
        loop {
            let find =
                |tx: &mut Tx<'_>| Ok::<_, Error>(store::idempotency::expired(tx, now, SWEPT)?);
            let rows = self.0.store.read_blocking(find)?;
            if rows.is_empty() {
                return Ok(forgotten);
            }
            forgotten += self.0.store.write_blocking(move |tx| {
                Ok::<_, Error>(store::idempotency::delete_expired(tx, &rows, now)?)
            })?;
        }
    }

    /// A record that was written before, as it stands now and as the caller, who may write it, sees it.
    pub(super) fn as_it_is(
        &self,
        tx: &mut Tx<'_>,
        context: &Context,
        (view, asked): (&View, &Asked),
        (id, came): &Step,
    ) -> Result<Written, Error> {
        let came = Came::from_number(*came);
        // What was queued is shown to whoever asked, as a review.
        let review = self.0.renderer.catalog().at("/Reviews");
        let view = review
            .filter(|_| came == Came::Queued)
            .map_or(view, |view| &**view);
        let found = find(tx, context, view, id)?;
        if came != Came::Queued && !self.reaches(context, view, &found.leaves, Right::Write) {
            return Err(super::change::missing(view, id));
        }
        Ok(Written {
            resource: self.show_one(tx, context, view, found, asked)?,
            ignored: Vec::new(),
            suggested: Vec::new(),
            came,
        })
    }
}

/// Does what has been prepared, unless an earlier attempt at the same request has; notes that it is done.
pub(super) fn once<T: Outcome>(
    context: &Context,
    tx: &mut Tx<'_>,
    perform: impl FnOnce(&mut Tx<'_>) -> Result<T, Error>,
    again: impl FnOnce(&mut Tx<'_>, &Done) -> Result<T, Error>,
) -> Result<T, Error> {
    let Some(attempt) = &context.attempt else {
        return perform(tx);
    };
    if let Some(done) = &attempt.done {
        return again(tx, done);
    }
    let outcome = perform(tx)?;
    let written = outcome.resource().map(|(id, came)| (id, came.number()));
    store::idempotency::commit(tx, attempt, written, None)?;
    Ok(outcome)
}
