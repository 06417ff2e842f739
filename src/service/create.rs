//! POST (RFC 7644 §3.3): a new record, or what another system says of somebody already known (design §2).

use std::collections::BTreeSet;
use std::sync::Arc;

use serde_json::{Map, Value};

use super::change::Write;
use super::{Asked, Error, Muster, Written};
use crate::domain::claim::SourceRecord;
use crate::domain::context::{Context, Right};
use crate::domain::event::{Happened, changes};
use crate::domain::fold::fold;
use crate::domain::index::key;
use crate::domain::record::{Folded, Kind, Leaves, Record};
use crate::domain::{resolution, writing};
use crate::scim;
use crate::scim::projection::Projection;
use crate::scim::receive::{Purpose, receive};
use crate::store::record::NewRecord;
use crate::store::{self, Tx};

/// Candidates behind one e-mail address beyond which it tells nobody apart.
const CROWD: i64 = 5;

/// What a body says, ready for the transaction.
struct Given {
    leaves: Leaves,
    external_id: Option<String>,
    members: Vec<Value>,
}

impl Muster {
    /// Creates a resource. A person whom the body names by an external identifier, or whom two trusted systems know by one
    /// e-mail address, is not created twice: the answer has the known id.
    pub async fn create(
        &self,
        context: &Context,
        endpoint: &str,
        body: Map<String, Value>,
        projection: &Projection,
    ) -> Result<Written, Error> {
        let view = self.view(context, endpoint, Right::Write)?;
        let mut received = receive(&view.resource_type, body, Purpose::Create)?;
        let mut leaves = view.read(&received.document, None)?;
        if view.accounts_only {
            // A new account is active unless the client says otherwise: a claim of the client's, so that it can be removed.
            leaves.entry("active".into()).or_insert(Value::Bool(true));
        }
        let given = Arc::new(Given {
            leaves,
            external_id: external_id(&received.document),
            members: super::members::given(&mut received.document),
        });
        let (muster, context) = (self.clone(), context.clone());
        let asked = Asked {
            projection: projection.clone(),
            if_match: None,
        };
        let mut ignored = received.ignored;
        let create = move |tx: &mut Tx<'_>| {
            let write = Write::new(&muster, &context, &view);
            let (folded, strangers) = write.create(tx, &given)?;
            Ok::<_, Error>((
                muster.show_one(tx, &context, &view, &folded, &asked)?,
                strangers,
            ))
        };
        let (resource, strangers) = self.0.store.write(create).await?;
        ignored.extend(strangers);
        Ok(Written { resource, ignored })
    }
}

/// The `externalId` of a received document.
pub(super) fn external_id(document: &Map<String, Value>) -> Option<String> {
    document
        .get("externalId")
        .and_then(Value::as_str)
        .map(str::to_owned)
}

impl Write<'_> {
    fn create(&self, tx: &mut Tx<'_>, given: &Given) -> Result<(Folded, Vec<String>), Error> {
        let known = if self.view.kind == Kind::Person {
            self.resolve(tx, given)?
        } else {
            None
        };
        if let Some((record, reason)) = known {
            return Ok((self.attach(tx, &record, given, reason)?, Vec::new()));
        }
        let mut own = SourceRecord::new(self.context.system(), self.context.now);
        own.external_id.clone_from(&given.external_id);
        writing::post(
            self.view,
            self.muster.0.renderer.catalog(),
            &given.leaves,
            &mut own,
            self.stamp(),
        );
        let sources = vec![own];
        let leaves = fold(self.specs(), &sources);
        self.claim_unique(tx, None, &leaves)?;
        let (members, strangers) = self.known_members(tx, &given.members)?;
        let id = self.muster.0.ids.resource();
        let mut changes = changes(&Leaves::new(), &leaves);
        changes.extend(super::members::change(&members, &[]));
        let event = self.event(Happened::Created, id).with_changes(changes);
        let members = members.into_iter().map(|member| member.row).collect();
        let new = NewRecord {
            id,
            kind: self.view.kind,
            leaves,
            sources,
            members,
        };
        Ok((
            store::record::insert(tx, self.specs(), &new, event)?,
            strangers,
        ))
    }

    /// Adds what the caller's system says to a known person.
    fn attach(
        &self,
        tx: &mut Tx<'_>,
        record: &Record,
        given: &Given,
        reason: &str,
    ) -> Result<Folded, Error> {
        let (mut own, others) = self.desk(&record.sources);
        if own.external_id.is_some()
            && given.external_id.is_some()
            && own.external_id != given.external_id
        {
            return Err(scim::Error::uniqueness(format!(
                "'{}' already knows this person by another 'externalId'",
                self.context.system()
            ))
            .into());
        }
        own.external_id = given.external_id.clone().or(own.external_id);
        writing::post(
            self.view,
            self.muster.0.renderer.catalog(),
            &given.leaves,
            &mut own,
            self.stamp(),
        );
        let happened = if self.view.accounts_only {
            Happened::AccountAttached
        } else {
            Happened::Updated
        };
        self.commit(tx, record, own, others, (happened, Some(reason)))
    }

    /// Who the newcomer is, if that is certain: design §7, deterministic keys only.
    fn resolve(
        &self,
        tx: &mut Tx<'_>,
        given: &Given,
    ) -> Result<Option<(Record, &'static str)>, Error> {
        let catalog = self.muster.0.renderer.catalog();
        let tenant = self.context.tenant();
        let mut named = BTreeSet::new();
        for (path, value) in resolution::named_keys(catalog, &given.leaves) {
            named.extend(store::record::holder(
                tx,
                tenant,
                Kind::Person,
                &path,
                &value,
            )?);
        }
        if let (Some(row), 1) = (named.first(), named.len()) {
            let record = store::record::fetch(tx, *row)?;
            if self.may_attach(&record) {
                return Ok(Some((record, "externalIdentifier")));
            }
        }
        let verifies = |system: &str| self.muster.0.verifying.contains(system);
        if !named.is_empty() || !verifies(self.context.system()) {
            return Ok(None);
        }
        let mut found = Vec::new();
        for email in resolution::vouched_emails(catalog, &given.leaves) {
            for row in store::record::with_value(
                tx,
                tenant,
                Kind::Person,
                "emails.value",
                &key(&email),
                CROWD,
            )? {
                let record = store::record::fetch(tx, row)?;
                let system = self.context.system();
                let same = resolution::shares_verified_email(
                    catalog,
                    &record,
                    &email,
                    &given.leaves,
                    system,
                    &verifies,
                );
                if same && self.may_attach(&record) && !found.contains(&record) {
                    found.push(record);
                }
            }
        }
        // Two candidates are a question for a human, not a match.
        Ok(if found.len() == 1 {
            found.pop().map(|record| (record, "verifiedEmail"))
        } else {
            None
        })
    }

    /// Two accounts are never merged automatically, and a system that POSTs somebody it already speaks of means another.
    fn may_attach(&self, record: &Record) -> bool {
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
