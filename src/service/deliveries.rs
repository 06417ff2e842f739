//! Which client has got an event, and when (B-079). The feed is pulled: a client that asks after a place has what is before it.

use std::collections::HashMap;

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};

use super::{Error, Muster};
use crate::domain::context::Context;
use crate::id::TenantId;
use crate::scim::comparable::instant;
use crate::store::acknowledged::Had;
use crate::store::{self, Tx};

/// For how many days the log of deliveries is kept where the policy does not say (C-08).
const DAYS: u32 = 365;

impl Muster {
    /// For each of these events, by its place, who reads the feed and is told of its type: whether it has got it, and when. Who
    /// may read the whole log is told of every client; another of itself alone, and nothing if it could guess by it (design §6).
    pub(super) fn deliveries(
        &self,
        tx: &mut Tx<'_>,
        context: &Context,
        events: &[(i64, Value)],
    ) -> Result<HashMap<i64, Value>, Error> {
        let tenant = context.tenant();
        let sees_all = Self::may_read_whole_log(context).is_ok();
        let mut told: HashMap<i64, Vec<Value>> = HashMap::new();
        if events.is_empty() || !sees_all && context.client.clearance.guesses().is_some() {
            return Ok(HashMap::new());
        }
        let kept_since = context.now - self.deliveries_kept(tenant);
        let places: Vec<i64> = events.iter().map(|(seq, _)| *seq).collect();
        for (client, signs) in store::integration::list(tx, tenant)? {
            let is_told = sees_all || client == context.client.name;
            let Some((asked, _)) = signs.asked.filter(|_| is_told) else {
                continue;
            };
            let had = store::acknowledged::of(tx, tenant, &client, &places)?;
            let had: HashMap<i64, Had> = had.into_iter().map(|had| (had.seq, had)).collect();
            for (seq, event) in events {
                if self.hears_of(tenant, &client, event) {
                    let known = (had.get(seq), asked);
                    let delivery = delivery(&client, event, known, kept_since);
                    told.entry(*seq).or_default().push(delivery);
                }
            }
        }
        Ok(told
            .into_iter()
            .map(|(seq, all)| (seq, all.into()))
            .collect())
    }

    /// Whether a client is told of events like this one; one that no policy names as anybody would be. It goes by the types alone,
    /// as the lag does: what of a record another client sees may follow from what is hidden from who asks.
    fn hears_of(&self, tenant: TenantId, client: &str, event: &Value) -> bool {
        let policies = self.policies();
        let rows = policies.get(&tenant.0).map(|row| &row.clients);
        let row = rows.and_then(|rows| rows.iter().find(|row| row.client.name == client));
        let text = |name: &str| event[name].as_str().unwrap_or_default();
        let client = row.map(|row| &*row.client);
        self.is_told_of(client, text("type"), text("resourceType"))
            .is_some()
    }

    /// How long it is kept what was delivered when.
    pub(super) fn deliveries_kept(&self, tenant: TenantId) -> TimeDelta {
        let policies = self.policies();
        let row = policies.get(&tenant.0);
        let row = row.and_then(|row| row.policy.observability.as_ref());
        let days = row.map_or(DAYS, |row| row.event_log.retention_days);
        TimeDelta::days(days.into())
    }
}

/// What is told of one client: of what is older than what is kept, not when.
fn delivery(
    client: &str,
    event: &Value,
    (had, asked): (Option<&Had>, i64),
    kept_since: DateTime<Utc>,
) -> Value {
    let is_delivered = had.is_some_and(|had| had.at.is_some() || asked > had.position);
    let recorded = event["recordedAt"].as_str().and_then(|at| at.parse().ok());
    let is_kept = recorded.is_some_and(|at: DateTime<Utc>| at >= kept_since);
    let at = had.and_then(|had| had.at).filter(|_| is_kept);
    json!({
        "client": client,
        "deliveryStatus": if is_delivered { "delivered" } else { "pending" },
        "deliveredAt": at.map(instant),
    })
}
