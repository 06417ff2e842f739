//! The join keys in use in a tenant, ranked by the risk that a join by them is wrong (B-035, B-081). No record is held and no
//! secret is opened: the database counts, and addresses pass by a page at a time.

use super::{Error, Muster};
use crate::domain::matching::inventory::{Counts, JoinKey, Mailboxes, Nature, ranked};
use crate::domain::record::Kind;
use crate::domain::sealed::WAYS;
use crate::id::TenantId;
use crate::store::{Tx, join_key, story};

const EMAIL: &str = "emails.value";
const PHONE: &str = "phoneNumbers.value";
const NAME_AND_BIRTH: [&str; 3] = ["name.familyName", "name.givenName", "birthDate"];
const EXTERNAL: [&str; 3] = [
    "externalIdentifiers.system",
    "externalIdentifiers.field",
    "externalIdentifiers.value",
];
const ATTEMPT: [&str; 2] = ["vendor", "attemptId"];
/// So many addresses are held at once.
const PAGE: i64 = 1000;

impl Muster {
    /// The join keys that any record of a tenant holds, the riskiest first.
    pub fn join_keys_of(&self, tenant: TenantId) -> Result<Vec<JoinKey>, Error> {
        let keys = self.0.store.read_blocking(|tx| inventory(tx, tenant))?;
        Ok(ranked(keys))
    }
}

fn inventory(tx: &mut Tx<'_>, tenant: TenantId) -> Result<Vec<JoinKey>, Error> {
    let person = (tenant, Kind::Person);
    let mut email = at(tx, person, ("email", Nature::Email), EMAIL)?;
    email.mailboxes = Some(mailboxes(tx, tenant)?);
    let both = join_key::shares(tx, person, &NAME_AND_BIRTH, 0)?;
    let both = both.into_iter().next().map(|(_, counts)| counts);
    let mut keys = vec![
        email,
        at(tx, person, ("phone", Nature::Phone), PHONE)?,
        key(
            Kind::Person,
            ("nameAndBirthDate", Nature::NameAndBirth),
            both.unwrap_or_default(),
        ),
        key(
            Kind::Person,
            ("legalIdentifier", Nature::LegalIdentifier),
            legal(tx, tenant)?,
        ),
    ];
    for kind in Kind::claimed() {
        for path in story::external_id_paths(tx, tenant, kind)? {
            let name = path.strip_prefix("externalId@").unwrap_or(&path);
            let name = format!("{name}:externalId");
            keys.push(at(tx, (tenant, kind), (&name, Nature::Issued), &path)?);
        }
        for ([system, field], counts) in join_key::shares(tx, (tenant, kind), &EXTERNAL, 2)? {
            let name = format!("{system}:{field}");
            keys.push(key(kind, (&name, Nature::Issued), counts));
        }
    }
    let assessment = (tenant, Kind::Assessment);
    for ([vendor, _], counts) in join_key::shares(tx, assessment, &ATTEMPT, 1)? {
        let name = format!("{vendor}:attemptId");
        keys.push(key(Kind::Assessment, (&name, Nature::Issued), counts));
    }
    Ok(keys)
}

fn key(kind: Kind, (name, nature): (&str, Nature), counts: Counts) -> JoinKey {
    JoinKey {
        name: name.to_owned(),
        record: kind.type_name(),
        nature,
        counts,
        mailboxes: None,
    }
}

/// The key whose values stand at one path, of which a record may hold several.
fn at(
    tx: &mut Tx<'_>,
    of: (TenantId, Kind),
    named: (&str, Nature),
    path: &str,
) -> Result<JoinKey, Error> {
    let found = join_key::shares(tx, of, &[path], 0)?;
    let mut counts = found
        .into_iter()
        .next()
        .map(|(_, counts)| counts)
        .unwrap_or_default();
    counts.records = join_key::holders(tx, of, path)?;
    Ok(key(of.1, named, counts))
}

/// Each identifier stands in the blind index alone, with its type, with its country, and with both. Of two that differ in type or
/// country alone some of these are one, which counts as shared.
fn legal(tx: &mut Tx<'_>, tenant: TenantId) -> Result<Counts, Error> {
    let counts = join_key::blind(tx, (tenant, Kind::Person), "legalIdentifiers")?;
    Ok(Counts {
        values: counts.values.div_ceil(WAYS),
        shared: counts.shared.div_ceil(WAYS),
        ..counts
    })
}

fn mailboxes(tx: &mut Tx<'_>, tenant: TenantId) -> Result<Mailboxes, Error> {
    let mut boxes = Mailboxes::default();
    let mut last = String::new();
    loop {
        let page = join_key::values_after(tx, (tenant, Kind::Person), EMAIL, (&last, PAGE))?;
        for address in &page {
            boxes.add(address);
        }
        match page.into_iter().next_back() {
            Some(address) => last = address,
            None => return Ok(boxes),
        }
    }
}
