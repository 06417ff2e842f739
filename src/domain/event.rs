//! The event that explains a change: who, for whom, when, why, and each value before and after (design §4, A-072, A-073).

mod change;
mod withheld;

use std::collections::BTreeSet;

use chrono::{DateTime, SecondsFormat, Utc};
use serde_json::{Value, json};

use super::context::{Context, actor_type};
use super::record::Kind;
use super::session::Session;
use crate::id::{EventId, ResourceId, TenantId};
pub use change::{Change, changes};
pub use withheld::Withheld;

/// What happened to the record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Happened {
    /// It was made.
    Created,
    /// Its values changed.
    Updated,
    /// A known record got its account.
    AccountAttached,
    /// Its account was closed; the record lives on.
    AccountClosed,
    /// A source confirmed what was known: no new version.
    Confirmed,
    /// A source said what is for another to say: no new version, and a conflict for somebody to settle.
    Conflicted,
    /// Somebody decided that a suggestion stands.
    Elevated,
    /// Another person has been merged into it.
    Merged,
    /// It has been merged into another.
    MergedInto,
    /// It was two after all.
    Split,
    /// The policy has changed, and with it what the same claims come to.
    Refolded,
    /// Members came or went.
    MembersChanged,
    /// What is classified of it was read.
    Read,
    /// It is gone.
    Deleted,
    /// What a client did to it has been taken back.
    Restored,
}

impl Happened {
    fn word(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Updated => "updated",
            Self::AccountAttached => "account.attached",
            Self::AccountClosed => "account.closed",
            Self::Confirmed => "confirmed",
            Self::Conflicted => "conflicted",
            Self::Elevated => "elevated",
            Self::Merged => "merged",
            Self::MergedInto => "merged.into",
            Self::Split => "split",
            Self::Refolded => "refolded",
            Self::MembersChanged => "members.changed",
            Self::Read => "read",
            Self::Deleted => "deleted",
            Self::Restored => "restored",
        }
    }
}

/// A request that was refused: 401, 403, 409, 412 or 429.
#[derive(Clone, Copy, Debug)]
pub struct Refusal<'a> {
    /// The status code.
    pub status: u16,
    /// The `scimType`, if there is one.
    pub scim_type: Option<&'a str>,
    /// The answer's detail.
    pub why: &'a str,
    /// The method.
    pub method: &'a str,
    /// The resource type that it was about; empty if none.
    pub resource_type: &'a str,
    /// The client; empty if nobody is known.
    pub client: &'a str,
    /// Ties together what belongs to one flow.
    pub correlation: &'a str,
    /// When.
    pub at: DateTime<Utc>,
    /// How many were refused before it and not logged, because they were too many.
    pub unlogged: u64,
}

/// What stands for the record where an event is of none.
const NO_RECORD: ResourceId = ResourceId(uuid::Uuid::nil());

/// The person and the application that something belongs to.
pub type Belonging = (Option<ResourceId>, Option<ResourceId>);

/// An event, ready to be committed with the change it explains.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    /// Its id.
    pub id: EventId,
    /// Its tenant.
    pub tenant: TenantId,
    /// Its type, such as `person.updated`.
    pub kind: String,
    /// The resource type through which it was done (`User`).
    pub resource_type: String,
    /// The record.
    pub resource: ResourceId,
    /// Whether the record is a person.
    pub is_person: bool,
    /// Whom it is about, where the record is no person.
    pub person: Option<ResourceId>,
    /// The application that it belongs to.
    pub application: Option<ResourceId>,
    /// When it was done.
    pub at: DateTime<Utc>,
    /// The client that did it.
    pub client: String,
    /// Whether a human did it through that client (B-025).
    pub by_human: bool,
    /// The source system it spoke for.
    pub system: String,
    /// Ties together what belongs to one flow.
    pub correlation: String,
    /// The event that it follows from.
    pub causation: Option<EventId>,
    /// The key of the request that did it, if it has one.
    pub idempotency_key: Option<String>,
    /// Why, as a code, where there is a reason beyond the request itself.
    pub reason: Option<String>,
    /// What changed.
    pub changes: Vec<Change>,
    /// The purpose for which it was done.
    pub purpose: Option<String>,
    /// What was read, by name.
    pub attributes: Vec<String>,
    /// Whom it is about, beside its record.
    pub subjects: Vec<ResourceId>,
    /// What else there is to say, such as why something was refused.
    pub detail: Value,
    /// What the record has although another holds it, because the client may not know that: for a review.
    pub withheld: Vec<Change>,
    /// What its system says from now on that is for another to say.
    pub suggested: Vec<Change>,
}

impl Event {
    /// The event of what `context`'s client did to a record through a resource type.
    #[must_use]
    pub fn new(
        context: &Context,
        id: EventId,
        happened: Happened,
        kind: Kind,
        resource_type: &str,
        resource: ResourceId,
    ) -> Self {
        Self {
            id,
            tenant: context.tenant(),
            kind: format!("{}.{}", kind.word(), happened.word()),
            resource_type: resource_type.to_owned(),
            resource,
            is_person: kind == Kind::Person,
            person: None,
            application: None,
            at: context.now,
            client: context.client.name.clone(),
            by_human: context.by_human,
            system: context.system().to_owned(),
            correlation: context.correlation.clone(),
            causation: None,
            idempotency_key: context.idempotency_key(),
            reason: None,
            changes: Vec::new(),
            purpose: None,
            attributes: Vec::new(),
            subjects: Vec::new(),
            detail: Value::Null,
            withheld: Vec::new(),
            suggested: Vec::new(),
        }
    }

    /// The event of a read of what is classified: the attributes, for what purpose they were open, and the records, each with
    /// the person whom it is about.
    #[must_use]
    pub fn of_read(
        context: &Context,
        id: EventId,
        resource_type: &str,
        read: &[(ResourceId, Option<ResourceId>)],
        disclosed: &[(String, String)],
    ) -> Self {
        let sorted = |names: &mut dyn Iterator<Item = &String>| {
            let names: BTreeSet<String> = names.cloned().collect();
            names.into_iter().collect::<Vec<_>>()
        };
        let attributes = sorted(&mut disclosed.iter().map(|(path, _)| path));
        let purposes = sorted(&mut disclosed.iter().map(|(_, purpose)| purpose));
        let records: BTreeSet<ResourceId> = read.iter().map(|(record, _)| *record).collect();
        let persons: BTreeSet<_> = read.iter().map(|(_, person)| *person).collect();
        let subjects: BTreeSet<_> = read
            .iter()
            .map(|(record, person)| person.unwrap_or(*record))
            .collect();
        let one = |all: &BTreeSet<ResourceId>| all.first().copied().filter(|_| all.len() == 1);
        let resource = one(&records).unwrap_or(NO_RECORD);
        let mut event = Self::new(
            context,
            id,
            Happened::Read,
            Kind::Person,
            resource_type,
            resource,
        );
        let person = persons.first().copied().flatten();
        let person = person.filter(|_| persons.len() == 1);
        event.is_person = person == Some(resource);
        event.person = person.filter(|_| !event.is_person);
        event.purpose = Some(purposes.join(" "));
        event.attributes = attributes;
        event.subjects = subjects.into_iter().collect();
        event
    }

    /// The event of a refusal: of what, by whom, why.
    #[must_use]
    pub fn of_refusal(refusal: Refusal<'_>, id: EventId, tenant: TenantId) -> Self {
        let kind = format!("request.refused.{}", refusal.status);
        let of = (kind.as_str(), refusal.resource_type, NO_RECORD);
        let by = (refusal.client, refusal.at);
        Self {
            is_person: false,
            correlation: refusal.correlation.to_owned(),
            detail: json!({
                "status": refusal.status,
                "method": refusal.method,
                "why": refusal.why,
                "alsoRefused": refusal.unlogged,
            }),
            ..Self::of_order(id, tenant, of, by, refusal.scim_type)
        }
    }

    /// The event of a policy's new version. It is of no record: its resource is the tenant's policy as such.
    #[must_use]
    pub fn of_policy(
        id: EventId,
        tenant: TenantId,
        version: i64,
        (actor, at): (&str, DateTime<Utc>),
        reason: Option<&str>,
    ) -> Self {
        let before = if version > 1 {
            (version - 1).into()
        } else {
            Value::Null
        };
        let change = Change {
            path: "version".into(),
            previous: before,
            new: version.into(),
        };
        let of = ("policy.applied", "Policy", NO_RECORD);
        Self::of_order(id, tenant, of, (actor, at), reason).with_changes(vec![change])
    }

    /// The event of a model of matching that was stored, by its name and version. It is of no record.
    #[must_use]
    pub fn of_model(
        id: EventId,
        tenant: TenantId,
        model: &str,
        told: (&str, DateTime<Utc>),
        reason: Option<&str>,
    ) -> Self {
        let of = ("model.stored", "MatchingModel", NO_RECORD);
        let mut event = Self::of_order(id, tenant, of, told, reason);
        event.detail = json!({ "model": model });
        event
    }

    /// With the client that it is about, the purpose, and for how many minutes.
    #[must_use]
    pub fn about(mut self, client: &str, purpose: &str, minutes: i32) -> Self {
        self.purpose = Some(purpose.to_owned());
        self.detail = json!({ "client": client, "minutes": minutes });
        self
    }

    /// With the client that it is about, and until when that holds.
    #[must_use]
    pub fn until(mut self, client: &str, until: DateTime<Utc>) -> Self {
        let until = until.to_rfc3339_opts(chrono::SecondsFormat::Secs, true);
        self.detail = json!({ "client": client, "until": until });
        self
    }

    /// The event of somebody who signed in, or out again, to act as `context`'s client, which `detail` names. It is of no
    /// record, and its actor is that human.
    #[must_use]
    pub fn of_session(context: &Context, id: EventId, session: &Session, opened: bool) -> Self {
        let subject = Value::from(session.subject.as_str());
        let (previous, new) = if opened {
            (Value::Null, subject)
        } else {
            (subject, Value::Null)
        };
        let change = Change {
            path: "subject".into(),
            previous,
            new,
        };
        let kind = ["session.closed", "session.opened"][usize::from(opened)];
        let by = (session.subject.as_str(), context.now);
        let event = Self::of_order(id, context.tenant(), (kind, "Session", NO_RECORD), by, None);
        let detail = json!({ "client": context.client.name });
        Self {
            system: session.issuer.clone(),
            correlation: context.correlation.clone(),
            by_human: true,
            ..event.with_changes(vec![change]).telling(Some(detail))
        }
    }

    /// The event of what is not done through a resource type, such as an erasure. `kind` is its type, and `of` that of the
    /// resource.
    #[must_use]
    pub fn of_order(
        id: EventId,
        tenant: TenantId,
        (kind, of, resource): (&str, &str, ResourceId),
        (actor, at): (&str, DateTime<Utc>),
        reason: Option<&str>,
    ) -> Self {
        Self {
            id,
            tenant,
            kind: kind.into(),
            resource_type: of.into(),
            resource,
            is_person: of == "Person",
            person: None,
            application: None,
            at,
            client: actor.to_owned(),
            by_human: false,
            system: String::new(),
            correlation: id.to_string(),
            causation: None,
            idempotency_key: None,
            reason: reason.map(str::to_owned),
            changes: Vec::new(),
            purpose: None,
            attributes: Vec::new(),
            subjects: Vec::new(),
            detail: Value::Null,
            withheld: Vec::new(),
            suggested: Vec::new(),
        }
    }

    /// The event of work on many records at once, such as an import. It is of no record; `detail` says what came of it.
    #[must_use]
    pub fn of_batch(context: &Context, id: EventId, kind: &str, detail: Value) -> Self {
        let by = (context.client.name.as_str(), context.now);
        Self {
            by_human: context.by_human,
            system: context.system().to_owned(),
            correlation: context.correlation.clone(),
            detail,
            ..Self::of_order(id, context.tenant(), (kind, "", NO_RECORD), by, None)
        }
    }

    /// The person whom it is about.
    #[must_use]
    pub fn of_person(&self) -> Option<ResourceId> {
        if self.is_person {
            Some(self.resource)
        } else {
            self.person
        }
    }

    /// With whom and which application it is about.
    #[must_use]
    pub fn belonging(mut self, (person, application): Belonging) -> Self {
        self.person = person.filter(|_| !self.is_person);
        self.application = application;
        self
    }

    /// With the flow that it is part of, and the key of the request that asked for it.
    #[must_use]
    pub fn asked_by(mut self, context: &Context) -> Self {
        self.correlation.clone_from(&context.correlation);
        self.idempotency_key = context.idempotency_key();
        self
    }

    /// With what changed.
    #[must_use]
    pub fn with_changes(mut self, changes: Vec<Change>) -> Self {
        self.changes = changes;
        self
    }

    /// With what another record holds.
    #[must_use]
    pub fn withholding(mut self, withheld: Vec<Change>) -> Self {
        self.withheld = withheld;
        self
    }

    /// With what else there is to say, if there is anything.
    #[must_use]
    pub fn telling(mut self, detail: Option<Value>) -> Self {
        self.detail = detail.unwrap_or(self.detail);
        self
    }

    /// With what is suggested.
    #[must_use]
    pub fn suggesting(mut self, suggested: Vec<Change>) -> Self {
        self.suggested = suggested;
        self
    }

    /// With a reason code.
    #[must_use]
    pub fn because(mut self, reason: Option<&str>) -> Self {
        self.reason = reason.map(str::to_owned);
        self
    }

    /// The event as it is kept and printed; `version` is the one it made, if it made one.
    #[must_use]
    pub fn body(&self, version: Option<i64>) -> Value {
        let at = self.at.to_rfc3339_opts(SecondsFormat::Micros, true);
        let mut body = json!({
            "eventId": self.id.to_string(),
            "tenant": self.tenant.0,
            "type": self.kind,
            "resourceType": self.resource_type,
            "resourceId": self.resource.to_string(),
            "version": version,
            "personId": self.of_person().map(|id| id.to_string()),
            "applicationId": self.application.map(|id| id.to_string()),
            "occurredAt": at,
            "recordedAt": at,
            "actor": self.client,
            "actorType": actor_type(self.by_human),
            "sourceSystem": self.system,
            "client": self.client,
            "purpose": self.purpose,
            "correlationId": self.correlation,
            "causationId": self.causation.map(|id| id.to_string()),
            "idempotencyKey": self.idempotency_key,
            "reasonCode": self.reason,
            "changes": self.changes,
        });
        if !self.attributes.is_empty() {
            let subjects: Vec<String> = self.subjects.iter().map(ToString::to_string).collect();
            body["attributes"] = json!(self.attributes);
            body["subjects"] = json!(subjects);
        }
        if !self.detail.is_null() {
            body["detail"] = self.detail.clone();
        }
        if !self.withheld.is_empty() {
            body["withheld"] = json!(self.withheld);
        }
        if !self.suggested.is_empty() {
            body["suggested"] = json!(self.suggested);
        }
        body
    }
}
