//! Which configured client a verified token is: claims in, `domain::context::Client` out.

use std::sync::Arc;

use serde_json::Value;

use super::limit::Limit;
use super::token::{Claims, Verified};
use crate::config::{self, Match, Me, MeAttribute};
use crate::domain::context::{Client, Grant, PatchAnswer, Right};
use crate::id::TenantId;
use crate::scim::profile::Profile;
use crate::service::Account;

/// The clients by the tokens they send.
pub(super) struct Clients(Vec<Entry>);

struct Entry {
    issuer: String,
    matches: Match,
    client: Arc<Client>,
    limit: Limit,
    me: Option<Me>,
}

impl Clients {
    /// The clients of the configuration, with their own limits or those of all; `tenant` gives each tenant's number.
    pub(super) fn new<E>(
        clients: &[config::Client],
        limits: Option<&config::Limits>,
        tenant: impl Fn(&str) -> Result<TenantId, E>,
    ) -> Result<Self, E> {
        let entry = |client: &config::Client| {
            Ok(Entry {
                issuer: client.issuer.clone(),
                matches: client.matches.clone(),
                client: Arc::new(Client {
                    name: client.name.clone(),
                    tenant: tenant(&client.tenant)?,
                    system: client.system.clone(),
                    grants: client.grants.iter().map(grant).collect(),
                    profile: profile(client.profile),
                    patch_answer: client.patch_answer.map(patch_answer),
                }),
                limit: Limit::of(client.limits.as_ref().or(limits)),
                me: client.me.clone(),
            })
        };
        clients
            .iter()
            .map(entry)
            .collect::<Result<_, E>>()
            .map(Self)
    }

    /// The first client that the token matches, in the order of configuration, and its limit.
    pub(super) fn find(&self, token: &Verified) -> Option<(&Arc<Client>, &Limit)> {
        self.entry(token).map(|entry| (&entry.client, &entry.limit))
    }

    /// The account that the token is of, or why it is of none.
    pub(super) fn account(&self, token: &Verified) -> Result<Account, String> {
        let Some(Entry { client, me, .. }) = self.entry(token) else {
            return Err("it is of no client configured here".into());
        };
        let Some(me) = me else {
            let name = &client.name;
            return Err(format!(
                "tokens of the client '{name}' are of no person's account"
            ));
        };
        let value = token.claims.get(&me.claim).and_then(Value::as_str);
        let value = value.filter(|value| !value.is_empty()).map(str::to_owned);
        let value =
            value.ok_or_else(|| format!("the token has no claim '{}' with a text", me.claim))?;
        Ok(match me.attribute {
            MeAttribute::UserName => Account::UserName(value),
            MeAttribute::ExternalId => Account::ExternalId(value),
            MeAttribute::Id => Account::Id(value),
        })
    }

    fn entry(&self, token: &Verified) -> Option<&Entry> {
        self.0
            .iter()
            .find(|entry| entry.issuer == token.issuer && holds(&entry.matches, &token.claims))
    }
}

/// Whether the claim is the wanted text, or a list (`roles`, `groups`) that contains it.
fn holds(wanted: &Match, claims: &Claims) -> bool {
    match claims.get(&wanted.claim) {
        Some(Value::String(text)) => *text == wanted.equals,
        Some(Value::Array(list)) => list
            .iter()
            .any(|item| item.as_str() == Some(&wanted.equals)),
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
        Clients::new(&config.unwrap().clients, None, |_| Ok::<_, ()>(TenantId(7))).unwrap()
    }

    fn found(issuer: &str, claims: Value) -> Option<String> {
        let Value::Object(claims) = claims else {
            return None;
        };
        clients()
            .find(&Verified {
                issuer: issuer.into(),
                claims,
            })
            .map(|(client, _)| client.name.clone())
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
