//! Who a newcomer is, by keys that are certain: an external identifier, a verified e-mail address (design §7).

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::change::Write;
use super::create::Given;
use super::sight::clearance;
use super::{Error, Muster};
use crate::domain::catalog::Catalog;
use crate::domain::context::{Context, Right};
use crate::domain::index::{Unique, external_id_text, key, uniques};
use crate::domain::masked::provenance;
use crate::domain::matching::apart::Said;
use crate::domain::record::{Kind, Leaves, Record, external_id_path, is_own_name};
use crate::domain::resolution;
use crate::store::{self, Ahead, Tx};

/// Candidates behind one e-mail address beyond which it tells nobody apart.
const CROWD: i64 = 5;
/// The same where some of them may be hidden from the caller: so many are looked through.
const HIDDEN_CROWD: i64 = 200;

/// Where addresses stand in the index.
const EMAIL: &str = "emails.value";

/// A known person, and by what it is known that the newcomer is it.
pub(super) type Identified = (Record, &'static str);

impl Write<'_> {
    /// Who the newcomer is, if that is certain: design §7, deterministic keys only.
    pub(super) fn resolve(
        &self,
        tx: &mut Tx<'_>,
        given: &Given,
    ) -> Result<Option<Identified>, Error> {
        let catalog = self.muster.0.renderer.catalog();
        let keys = named(catalog, self.context.system(), given);
        let keys: Vec<&Unique> = keys.iter().collect();
        let holders = store::unique::holders(tx, self.context.tenant(), Kind::Person, &keys)?;
        let mut rows: BTreeSet<i64> = holders.into_iter().flatten().collect();
        rows.extend(self.sharers(tx, Kind::Person, &keys)?);
        let mut named = Vec::new();
        for row in rows {
            let record = store::record::fetch(tx, row)?;
            // A name that the caller may not know of is nobody's, to it.
            if self.sees_a_name(&record, &keys) {
                named.push(record);
            }
        }
        match (named.pop(), named.len()) {
            (None, _) => self.resolve_by_email(tx, given),
            (Some(record), 0) => {
                let certain = self.may_attach(&record);
                Ok(certain.then_some((record, "externalIdentifier")))
            }
            _ => Ok(None),
        }
    }

    /// The id of the person that a text names: an id, or `SYSTEM:FIELD:VALUE` of an external identifier that the caller may know
    /// (`SYSTEM:externalId:VALUE` is what that system itself calls it). A vendor's merge message names persons so. What names
    /// nobody is given back as it is.
    pub(super) fn person_named(&self, tx: &mut Tx<'_>, text: &str) -> Result<String, Error> {
        let mut parts = text.splitn(3, ':');
        let (Some(system), Some(field), Some(value)) = (parts.next(), parts.next(), parts.next())
        else {
            return Ok(text.to_owned());
        };
        let identifier = json!([{ "system": system, "field": field, "value": value }]);
        let named = Leaves::from([(resolution::EXTERNAL_IDENTIFIERS.to_owned(), identifier)]);
        let keys = resolution::named_keys(self.muster.0.renderer.catalog(), &named);
        let keys = as_uniques(keys);
        let keys: Vec<&Unique> = keys.iter().collect();
        let holders = store::unique::holders(tx, self.context.tenant(), Kind::Person, &keys)?;
        let sharers = self.sharers(tx, Kind::Person, &keys)?;
        for row in holders.into_iter().flatten().chain(sharers) {
            let record = store::record::fetch(tx, row)?;
            if self.sees_a_name(&record, &keys) {
                return Ok(record.folded.id.to_string());
            }
        }
        Ok(text.to_owned())
    }

    /// The one person with whom the newcomer shares an e-mail address that two trusted systems vouch for, and whose names do
    /// not conflict (matching.md: a verified address alone is right 98.5 % of the time, with the names 99.9 %). Two candidates
    /// are a question for a human, not a match, whether they have accounts or not.
    fn resolve_by_email(
        &self,
        tx: &mut Tx<'_>,
        given: &Given,
    ) -> Result<Option<Identified>, Error> {
        let catalog = self.muster.0.renderer.catalog();
        let (tenant, system) = (self.context.tenant(), self.context.system());
        let verifies = |system: &str| self.muster.verifies(tenant, system);
        if !verifies(system) {
            return Ok(None);
        }
        let mut candidates: BTreeMap<i64, (Record, Vec<String>)> = BTreeMap::new();
        let emails = resolution::vouched_emails(catalog, &given.leaves);
        let values: Vec<String> = emails.iter().map(|email| key(email)).collect();
        let kind = (tenant, Kind::Person);
        let plain = clearance(self.context, self.view).is_plain();
        let most = if plain { CROWD + 1 } else { HIDDEN_CROWD };
        let sharing = store::record::with_values(tx, kind, EMAIL, &values, most)?;
        for (email, rows) in emails.into_iter().zip(sharing) {
            let mut sharers = Vec::new();
            for row in rows {
                // Addresses that the caller does not see are nobody's, to it.
                let record = store::record::fetch(tx, row)?;
                let known = self.known_to_caller(&record);
                if plain || resolution::has_email(catalog, &known, &email) {
                    sharers.push((row, record, known));
                }
            }
            if i64::try_from(sharers.len()).unwrap_or(i64::MAX) > CROWD {
                return Ok(None);
            }
            for (row, record, known) in sharers {
                let alike = !resolution::names_conflict(&known, &given.leaves);
                if alike && resolution::is_vouched(catalog, &record, &email, None, &verifies) {
                    let candidate = candidates.entry(row).or_insert((record, Vec::new()));
                    candidate.1.push(email.clone());
                }
            }
        }
        let (Some((_, (record, emails))), true) = (candidates.pop_first(), candidates.is_empty())
        else {
            return Ok(None);
        };
        // A system that knows the person already, and speaks of one with another name of its own, means another.
        let is_new_to_it = record.sources.iter().all(|source| source.system != system);
        let by_another = emails
            .iter()
            .any(|email| resolution::is_vouched(catalog, &record, email, Some(system), &verifies));
        let certain = is_new_to_it && by_another && self.may_attach(&record);
        if !certain {
            return Ok(None);
        }
        // Of whom a human has said that it is another, an address is evidence to be weighed, and not a key.
        let apart = self.apart(tx, given)?;
        let said = self.said_of(tx, apart.as_ref(), &record)?;
        Ok((said == Said::Nothing).then_some((record, "verifiedEmail")))
    }

    /// Who has one of these values beside a holder of whom the caller may not know: to it, that is who has it.
    pub(super) fn sharers(
        &self,
        tx: &mut Tx<'_>,
        kind: Kind,
        keys: &[&Unique],
    ) -> Result<Vec<i64>, Error> {
        // Names that are one's own have nobody beside them.
        let shared = keys.iter().filter(|key| !is_own_name(&key.path));
        let shared: Vec<&Unique> = shared.copied().collect();
        if shared.is_empty() || clearance(self.context, self.view).is_plain() {
            return Ok(Vec::new());
        }
        let tenant = self.context.tenant();
        Ok(store::unique::beside(tx, tenant, kind, &shared)?)
    }

    /// What the caller sees of a record.
    fn known_to_caller(&self, record: &Record) -> Leaves {
        let leaves = record.folded.leaves.clone();
        if clearance(self.context, self.view).is_plain() {
            return leaves;
        }
        let key = self.muster.veil_key(self.context, self.view);
        let seen = self.muster.before(self.context, self.view, &leaves, &key);
        seen.leaves(leaves.clone())
    }

    /// Whether the caller may know that the record has one of these names: an identifier that it sees, its own `externalId`,
    /// or another system's if it may see whence the record comes.
    fn sees_a_name(&self, record: &Record, keys: &[&Unique]) -> bool {
        if clearance(self.context, self.view).is_plain() {
            return true;
        }
        let key = self.muster.veil_key(self.context, self.view);
        let seen = self
            .muster
            .before(self.context, self.view, &record.folded.leaves, &key);
        if !(seen.may(Right::Read) || seen.may(Right::Write)) {
            // What is out of its reach has no name, not even one of its own system's.
            return false;
        }
        let sources = provenance("sources");
        let sources = self.view.canonical(&sources).unwrap_or_default();
        let own = external_id_path(self.context.system());
        let mut known = seen.leaves(record.folded.leaves.clone());
        let foreign = seen.may_on(Right::Read, sources, None);
        known.retain(|path, _| foreign || !path.starts_with("externalId@") || *path == own);
        let known = uniques(self.specs(), &known);
        keys.iter().any(|key| known.contains(*key))
    }

    /// Two accounts are never merged automatically, and a system that POSTs somebody it already speaks of means another.
    pub(super) fn may_attach(&self, record: &Record) -> bool {
        if self.view.accounts_only {
            !record.folded.has_account()
        } else {
            record
                .sources
                .iter()
                .all(|source| source.system != self.context.system())
        }
    }
}

impl Muster {
    /// What the creation of a person is going to ask.
    pub(super) fn foresee(&self, context: &Context, given: &Given) -> Ahead {
        let catalog = self.0.renderer.catalog();
        let (tenant, kind) = (context.tenant(), Kind::Person);
        let mut asked: BTreeSet<Unique> = named(catalog, context.system(), given)
            .into_iter()
            .collect();
        asked.extend(uniques(catalog.specs(kind), &given.leaves));
        let emails = if self.verifies(tenant, context.system()) {
            resolution::vouched_emails(catalog, &given.leaves)
        } else {
            Vec::new()
        };
        let values = emails.iter().map(|email| (EMAIL, key(email)));
        Ahead {
            tenant,
            kind,
            uniques: asked.into_iter().collect(),
            values: values.collect(),
        }
    }
}

/// The unique values by which somebody may be known: the identifiers that are given, and the caller's own name.
fn named(catalog: &Catalog, system: &str, given: &Given) -> Vec<Unique> {
    let mut keys = resolution::named_keys(catalog, &given.leaves);
    // The caller's own name for a person whom it already speaks of.
    let own = given.external_id.as_deref().map(Value::from);
    let own = own.as_ref().and_then(external_id_text);
    keys.extend(own.map(|text| (external_id_path(system), key(&text))));
    as_uniques(keys)
}

fn as_uniques(keys: Vec<(String, String)>) -> Vec<Unique> {
    let unique = |(path, value)| Unique { path, value };
    keys.into_iter().map(unique).collect()
}
