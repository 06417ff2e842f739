//! Which client a verified token is: claims in, `domain::context::Client` out.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use chrono::{DateTime, Utc};
use serde_json::Value;

use super::limit::Limit;
use super::token::{Claims, Verified};
use crate::config::{self, Match, Me, MeAttribute};
use crate::domain::access::Clearance;
use crate::domain::context::{Client, Grant, PatchAnswer, Right};
use crate::domain::policy;
use crate::id::TenantId;
use crate::scim::profile::Profile;
use crate::service::Account;
use crate::service::policy::{Admitted, Policies};
use crate::service::token::Bearer;

/// The clients by the tokens they send: those of the policies in force, and of tenants without one those of the
/// configuration.
pub(super) struct Clients {
    configured: Vec<Entry>,
    /// The tenants to which issuers are kept.
    kept: HashMap<String, Vec<TenantId>>,
    limits: Option<config::Limits>,
    /// What clients of policies have used up, by tenant and name: it outlives a version.
    counted: Mutex<HashMap<(i32, String), Arc<Limit>>>,
}

struct Entry {
    issuer: String,
    matches: Match,
    client: Arc<Client>,
    limit: Arc<Limit>,
    me: Option<Me>,
}

/// A client as a token of its own finds it.
pub(super) struct Found {
    pub(super) client: Arc<Client>,
    pub(super) limit: Arc<Limit>,
    me: Option<Me>,
}

/// Why a good token lets nobody in.
#[derive(Clone, Debug)]
pub(super) enum Unknown {
    /// It is of no client.
    Nobody,
    /// Its client is shut out: this one.
    Disabled(Arc<Client>),
    /// Clients of several tenants say that it is theirs.
    Ambiguous,
}

impl Clients {
    /// The clients of the configuration, with their own limits or those of all; `tenant` gives each tenant's number.
    pub(super) fn new<E>(
        clients: &[config::Client],
        issuers: &[config::Issuer],
        limits: Option<&config::Limits>,
        tenant: impl Fn(&str) -> Result<TenantId, E>,
    ) -> Result<Self, E> {
        let entry = |client: &config::Client| {
            let grants: Vec<Grant> = client.grants.iter().map(grant).collect();
            Ok(Entry {
                issuer: client.issuer.clone(),
                matches: client.matches.clone(),
                client: Arc::new(Client {
                    name: client.name.clone(),
                    tenant: tenant(&client.tenant)?,
                    system: client.system.clone(),
                    clearance: Clearance::of_grants(&grants),
                    purposes: Vec::new(),
                    profile: profile(client.profile),
                    patch_answer: client.patch_answer.map(patch_answer),
                }),
                limit: Arc::new(Limit::of(client.limits.as_ref().or(limits))),
                me: client.me.clone(),
            })
        };
        Ok(Self {
            configured: clients.iter().map(entry).collect::<Result<_, E>>()?,
            kept: issuers
                .iter()
                .filter_map(|issuer| Some((issuer.url.clone(), issuer.tenants.as_ref()?)))
                .map(|(url, names)| {
                    let tenants = names.iter().map(|name| tenant(name));
                    Ok((url, tenants.collect::<Result<_, E>>()?))
                })
                .collect::<Result<_, E>>()?,
            limits: limits.copied(),
            counted: Mutex::default(),
        })
    }

    /// The one client that the token matches: in each tenant the first, in the order of its policy or of the configuration. A
    /// token that two tenants claim reaches neither. A token of our own issuer is of the client that it was issued for, and of
    /// no other.
    pub(super) fn find(
        &self,
        (token, bearer): (&Verified, Option<&Bearer>),
        policies: &Policies,
        now: DateTime<Utc>,
    ) -> Result<Found, Unknown> {
        let kept = self.kept.get(&token.issuer);
        let speaks_for = |tenant: TenantId| {
            kept.is_none_or(|kept| kept.contains(&tenant))
                && bearer.is_none_or(|bearer| bearer.tenant == tenant)
        };
        let is_meant = |client: &Client| bearer.is_none_or(|bearer| bearer.client == client.name);
        let policies_of = policies.values();
        let by_policy = policies_of.filter(|governed| speaks_for(governed.tenant));
        let by_policy = by_policy.filter_map(|governed| {
            let mut rows = governed.clients.iter();
            let is_it = |row: &&Admitted| {
                row.issuer == token.issuer
                    && holds((&row.claim, &row.equals), &token.claims)
                    && is_meant(&row.client)
            };
            rows.find(is_it).map(Of::Policy)
        });
        let configured = self.configured.iter().filter(|entry| {
            let Match { claim, equals } = &entry.matches;
            !policies.contains_key(&entry.client.tenant.0)
                && entry.issuer == token.issuer
                && speaks_for(entry.client.tenant)
                && holds((claim, equals), &token.claims)
                && is_meant(&entry.client)
        });
        let mut found: Vec<Of<'_>> = by_policy.collect();
        let mut tenants: Vec<i32> = Vec::new();
        for entry in configured {
            if !tenants.contains(&entry.client.tenant.0) {
                tenants.push(entry.client.tenant.0);
                found.push(Of::Configuration(entry));
            }
        }
        match found[..] {
            [] => Err(Unknown::Nobody),
            [Of::Policy(row)] if row.disabled => Err(Unknown::Disabled(row.client.clone())),
            [Of::Policy(row)] => Ok(Found {
                client: row.at(now).clone(),
                limit: self.limit(&row.client),
                me: row.me.as_ref().map(me),
            }),
            [Of::Configuration(entry)] => Ok(Found {
                client: entry.client.clone(),
                limit: entry.limit.clone(),
                me: entry.me.clone(),
            }),
            _ => Err(Unknown::Ambiguous),
        }
    }

    /// The client of that name in the configuration, or in its place the one of that name in its tenant's policy, if it is not
    /// shut out.
    pub(super) fn named(&self, name: &str, policies: &Policies) -> Option<Arc<Client>> {
        let mut configured = self.configured.iter();
        let entry = configured.find(|entry| entry.client.name == name)?;
        let Some(governed) = policies.get(&entry.client.tenant.0) else {
            return Some(entry.client.clone());
        };
        let mut rows = governed.clients.iter();
        let row = rows.find(|row| row.client.name == name && !row.disabled)?;
        Some(row.client.clone())
    }

    /// The client for which a token of our own issuer was made, be it shut out or not.
    pub(super) fn of_bearer(&self, bearer: &Bearer, policies: &Policies) -> Option<Arc<Client>> {
        let is_it =
            |client: &&Arc<Client>| client.tenant == bearer.tenant && client.name == bearer.client;
        if let Some(governed) = policies.get(&bearer.tenant.0) {
            return governed
                .clients
                .iter()
                .map(|row| &row.client)
                .find(is_it)
                .cloned();
        }
        self.configured
            .iter()
            .map(|entry| &entry.client)
            .find(is_it)
            .cloned()
    }

    /// The client with whose rights whoever signs in with these claims acts, by the policies: that of the first row of a tenant's
    /// which names the issuer and which the claims fit. Whom two tenants claim has no role.
    pub(super) fn of_person(
        &self,
        (issuer, claims): (&str, &Claims),
        policies: &Policies,
    ) -> Result<Arc<Client>, Unknown> {
        let kept = self.kept.get(issuer);
        let governed = policies.values();
        let governed = governed.filter(|of| kept.is_none_or(|kept| kept.contains(&of.tenant)));
        let fits =
            |row: &&Admitted| row.issuer == issuer && holds((&row.claim, &row.equals), claims);
        let mut found = governed.filter_map(|governed| governed.clients.iter().find(fits));
        match (found.next(), found.next()) {
            (None, _) => Err(Unknown::Nobody),
            (Some(_), Some(_)) => Err(Unknown::Ambiguous),
            (Some(row), None) if row.disabled => Err(Unknown::Disabled(row.client.clone())),
            (Some(row), None) => Ok(row.client.clone()),
        }
    }

    /// The client of that name for people whom this issuer vouches for, by the tenant's policy, if it is not shut out.
    pub(super) fn for_people(
        (tenant, name): (TenantId, &str),
        issuer: &str,
        policies: &Policies,
    ) -> Option<Arc<Client>> {
        let mut rows = policies.get(&tenant.0)?.clients.iter();
        let row = rows.find(|row| row.client.name == name)?;
        (row.issuer == issuer && !row.disabled).then(|| row.client.clone())
    }

    fn limit(&self, client: &Client) -> Arc<Limit> {
        let mut counted = self.counted.lock().unwrap_or_else(PoisonError::into_inner);
        let fresh = || Arc::new(Limit::of(self.limits.as_ref()));
        let name = (client.tenant.0, client.name.clone());
        counted.entry(name).or_insert_with(fresh).clone()
    }
}

/// Where a client comes from.
#[derive(Clone, Copy)]
enum Of<'a> {
    Policy(&'a Admitted),
    Configuration(&'a Entry),
}

impl Found {
    /// The account that the token is of, or why it is of none.
    pub(super) fn account(&self, token: &Verified) -> Result<Account, String> {
        let Some(me) = &self.me else {
            let name = &self.client.name;
            return Err(format!(
                "tokens of the client '{name}' are of no person's account"
            ));
        };
        let value = claimed(me, token).map(str::to_owned);
        let value =
            value.ok_or_else(|| format!("the token has no claim '{}' with a text", me.claim))?;
        Ok(match me.attribute {
            MeAttribute::UserName => Account::UserName(value),
            MeAttribute::ExternalId => Account::ExternalId(value),
            MeAttribute::Id => Account::Id(value),
        })
    }

    /// Whether the token is of somebody's account.
    pub(super) fn is_of_somebody(&self, token: &Verified) -> bool {
        let me = self.me.as_ref();
        me.is_some_and(|me| claimed(me, token).is_some())
    }
}

/// What the token says of whose account it is.
fn claimed<'t>(me: &Me, token: &'t Verified) -> Option<&'t str> {
    let value = token.claims.get(&me.claim)?.as_str()?;
    (!value.is_empty()).then_some(value)
}

fn me(me: &policy::Me) -> Me {
    Me {
        claim: me.claim.clone(),
        attribute: match me.attribute {
            policy::MeAttribute::UserName => MeAttribute::UserName,
            policy::MeAttribute::ExternalId => MeAttribute::ExternalId,
            policy::MeAttribute::Id => MeAttribute::Id,
        },
    }
}

/// Whether the claim is the wanted text, or a list (`roles`, `groups`) that contains it.
pub(super) fn holds((claim, equals): (&str, &str), claims: &Claims) -> bool {
    match claims.get(claim) {
        Some(Value::String(text)) => text == equals,
        Some(Value::Array(list)) => list.iter().any(|item| item.as_str() == Some(equals)),
        _ => false,
    }
}

fn grant(grant: &config::Grant) -> Grant {
    Grant {
        types: grant.types.clone(),
        rights: grant.rights.iter().copied().map(right).collect(),
    }
}

fn profile(profile: config::Profile) -> Profile {
    match profile {
        config::Profile::Rfc => Profile::Rfc,
        config::Profile::Entra => Profile::Entra,
        config::Profile::Okta => Profile::Okta,
        config::Profile::Strict => Profile::Strict,
    }
}

fn patch_answer(answer: config::PatchAnswer) -> PatchAnswer {
    match answer {
        config::PatchAnswer::Resource => PatchAnswer::Resource,
        config::PatchAnswer::None => PatchAnswer::Nothing,
    }
}

fn right(right: config::Right) -> Right {
    match right {
        config::Right::Read => Right::Read,
        config::Right::Search => Right::Search,
        config::Right::Write => Right::Write,
        config::Right::Delete => Right::Delete,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn clients() -> Clients {
        let config = crate::config::parse(
            r#"
            [[issuer]]
            url = "https://kept.example"
            audience = "us"
            tenants = ["other"]

            [[client]]
            name = "kept"
            issuer = "https://kept.example"
            match = { claim = "azp", equals = "hris" }
            system = "hris"
            grants = []

            [[client]]
            name = "at home"
            tenant = "other"
            issuer = "https://kept.example"
            match = { claim = "azp", equals = "crm" }
            system = "hris"
            grants = []

            [[client]]
            name = "twice"
            tenant = "other"
            issuer = "https://a.example"
            match = { claim = "azp", equals = "both" }
            system = "hris"
            grants = []

            [[client]]
            name = "twice"
            issuer = "https://a.example"
            match = { claim = "azp", equals = "both" }
            system = "hris"
            grants = []

            [[client]]
            name = "hris"
            issuer = "https://a.example"
            match = { claim = "azp", equals = "hris" }
            system = "hris"
            grants = [{ types = ["Person"], rights = ["read"] }]

            [[client]]
            name = "payroll"
            issuer = "https://a.example"
            match = { claim = "roles", equals = "payroll" }
            system = "hris"
            grants = []
            "#,
        );
        let config = config.unwrap();
        let number = |name: &str| {
            let number = if name == "default" { 7 } else { 8 };
            Ok::<_, ()>(TenantId(number))
        };
        Clients::new(&config.clients, &config.issuers, None, number).unwrap()
    }

    fn found(issuer: &str, claims: Value) -> Option<String> {
        let Value::Object(claims) = claims else {
            return None;
        };
        let token = Verified {
            issuer: issuer.into(),
            claims,
        };
        let found = clients()
            .find((&token, None), &Policies::new(), DateTime::default())
            .ok()?;
        Some(found.client.name.clone())
    }

    #[test]
    fn a_token_is_a_client_by_the_value_of_a_claim() {
        assert_eq!(
            found("https://a.example", json!({"azp": "hris"})).as_deref(),
            Some("hris")
        );
        assert_eq!(
            found("https://a.example", json!({"roles": ["x", "payroll"]})).as_deref(),
            Some("payroll")
        );
    }

    #[test]
    fn an_issuer_speaks_for_its_tenants_alone_and_nobody_for_two() {
        assert_eq!(found("https://kept.example", json!({"azp": "hris"})), None);
        assert_eq!(
            found("https://kept.example", json!({"azp": "crm"})).as_deref(),
            Some("at home")
        );
        assert_eq!(found("https://a.example", json!({"azp": "both"})), None);
    }

    #[test]
    fn other_issuers_values_and_types_are_no_client() {
        assert_eq!(found("https://b.example", json!({"azp": "hris"})), None);
        assert_eq!(found("https://a.example", json!({"azp": "HRIS"})), None);
        assert_eq!(
            found("https://a.example", json!({"azp": {"hris": "hris"}})),
            None
        );
        assert_eq!(found("https://a.example", json!({})), None);
    }
}
