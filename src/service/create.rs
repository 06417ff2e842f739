//! POST (RFC 7644 §3.3): a new record, or what another system says of somebody already known (design §2).

use std::sync::Arc;

use serde_json::{Map, Value};

use super::change::Write;
use super::idempotency::{Outcome, Repeat, Shows};
use super::identify::Identified;
use super::provenance::asks_for_more;
use super::resolve::Verdict;
use super::sight::{Wants, clearance, known_type};
use super::{Asked, Came, Error, Muster, Written};
use crate::domain::claim::{Claims, SourceRecord};
use crate::domain::context::{Context, Right};
use crate::domain::event::{Happened, changes};
use crate::domain::idempotency::Done;
use crate::domain::matching;
use crate::domain::record::{Folded, Kind, Leaves, Record, has_account};
use crate::domain::view::View;
use crate::id::ResourceId;
use crate::scim;
use crate::scim::projection::Projection;
use crate::scim::receive::{Purpose, receive};
use crate::scim::resource_type::ResourceType;
use crate::store::key::Fresh;
use crate::store::record::NewRecord;
use crate::store::{self, Tx};

/// What a body says, ready for the transaction.
#[derive(Clone)]
pub(super) struct Given {
    pub(super) leaves: Leaves,
    pub(super) external_id: Option<String>,
    members: Vec<Value>,
    /// Canonical paths of which it says that there is no value.
    pub(super) cleared: Vec<String>,
}

/// A POST that was found right so far: what is left to do needs the database.
pub(super) struct Create {
    pub(super) view: Arc<View>,
    pub(super) given: Given,
    asked: Asked,
    ignored: Vec<String>,
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
        let create = self.prepare_create(context, endpoint, body, projection)?;
        let is_person = create.view.kind == Kind::Person;
        let name = create.view.resource_type.name.clone();
        let ahead = is_person.then(|| self.foresee(context, &create.given));
        let create = Arc::new(create);
        let work = self.work(
            context,
            Arc::clone(&create),
            |create, muster, context, tx| create.post(muster, context, tx),
        );
        let posted = if is_person {
            self.0.store.write_new(ahead, work).await?
        } else {
            self.0.store.write(work).await?
        };
        let written = create.written(self, context, posted);
        self.disclosed_write(context, &name, written).await
    }

    /// Checks rights and body before the transaction.
    pub(super) fn prepare_create(
        &self,
        context: &Context,
        endpoint: &str,
        body: Map<String, Value>,
        projection: &Projection,
    ) -> Result<Create, Error> {
        let view = self.view(context, endpoint, Right::Write)?;
        if view.kind == Kind::Review {
            return Err(Error::Forbidden(
                "reviews are opened by the server: PATCH the status of one to decide it".into(),
            ));
        }
        let ty = known_type(context, &view);
        let mut received = receive(ty, body, Purpose::Create, context.client.profile)?;
        if view.kind.is_append_only() && !received.ignored.is_empty() {
            return Err(beyond(ty, &received.ignored));
        }
        let given = Given {
            leaves: view.read(&received.document, None)?,
            external_id: external_id(&received.document),
            members: super::members::given(&mut received.document),
            cleared: Vec::new(),
        };
        Ok(Create {
            view,
            given,
            asked: projection.into(),
            ignored: received.ignored,
        })
    }
}

impl Shows for Create {
    fn shows(&self) -> (&View, &Asked) {
        (&self.view, &self.asked)
    }
}

/// What a POST came to, before it is shown.
pub(super) enum Posted {
    /// It has been shown already.
    Shown(Written),
    /// A person of whom nothing was known and whose answer needs no more of the database; with names that were not kept and
    /// attributes of which another value stands. Others need not wait until it is shown.
    Newcomer(Folded, Vec<String>, Vec<String>),
}

impl Outcome for Posted {
    fn resource(&self) -> Option<(ResourceId, Came)> {
        match self {
            Self::Shown(written) => written.resource(),
            Self::Newcomer(folded, ..) => Some((folded.id, Came::Made)),
        }
    }
}

impl Repeat<Posted> for Arc<Create> {
    fn again(
        &self,
        muster: &Muster,
        context: &Context,
        tx: &mut Tx<'_>,
        done: &Done,
    ) -> Result<Posted, Error> {
        Repeat::<Written>::again(&**self, muster, context, tx, done).map(Posted::Shown)
    }
}

impl Create {
    /// Does it in an open transaction, as often as the transaction is tried, and shows what came of it.
    pub(super) fn perform(
        &self,
        muster: &Muster,
        context: &Context,
        tx: &mut Tx<'_>,
    ) -> Result<Written, Error> {
        let posted = self.post(muster, context, tx)?;
        Ok(self.written(muster, context, posted))
    }

    fn post(&self, muster: &Muster, context: &Context, tx: &mut Tx<'_>) -> Result<Posted, Error> {
        let write = Write::new(muster, context, &self.view);
        if let Some(queued) = write.queue(tx, &self.given, &self.asked)? {
            return Ok(Posted::Shown(queued));
        }
        let made = write.create(tx, self.given.clone())?;
        let (view, asked) = (&*self.view, &self.asked);
        let suggested = write.held_back_of_new(&self.given.leaves, &made.folded.leaves);
        let ignored = [self.ignored.as_slice(), &made.strangers].concat();
        // A newcomer is in no group yet.
        if made.is_newcomer && !asks_for_more(view, asked) {
            return Ok(Posted::Newcomer(made.folded, ignored, suggested));
        }
        let known = view.kind.is_hiring() && made.was.is_some();
        Ok(Posted::Shown(Written {
            resource: muster.show_one(tx, context, view, made.folded, asked)?,
            ignored,
            suggested,
            came: if known { Came::Known } else { Came::Made },
        }))
    }

    fn written(&self, muster: &Muster, context: &Context, posted: Posted) -> Written {
        let (folded, ignored, suggested) = match posted {
            Posted::Shown(written) => return written,
            Posted::Newcomer(folded, ignored, suggested) => (folded, ignored, suggested),
        };
        let (view, asked) = (&self.view, &self.asked);
        Written {
            resource: muster.render(context, view, folded, (Vec::new(), Vec::new()), asked),
            ignored,
            suggested,
            came: Came::Made,
        }
    }
}

impl Given {
    /// Values alone.
    pub(super) fn of(leaves: Leaves) -> Self {
        Self {
            leaves,
            external_id: None,
            members: Vec::new(),
            cleared: Vec::new(),
        }
    }
}

/// What is never changed takes nothing that its schema does not have: a biometric detail must not even be ignored (B-064).
fn beyond(ty: &ResourceType, names: &[String]) -> Error {
    let known = &ty.schema.attributes;
    let known: Vec<&str> = known.iter().map(|attribute| &*attribute.name).collect();
    scim::Error::invalid_value(format!(
        "a {} has no {}: nothing was kept; it takes {}",
        ty.name,
        names.join(", "),
        known.join(", ")
    ))
    .into()
}

/// The `externalId` of a received document.
pub(super) fn external_id(document: &Map<String, Value>) -> Option<String> {
    document
        .get("externalId")
        .and_then(Value::as_str)
        .map(str::to_owned)
}

/// What a POST came to.
pub(super) struct Made {
    pub(super) folded: Folded,
    /// Members that are nobody.
    pub(super) strangers: Vec<String>,
    /// Whether it is a person of whom nothing was known.
    pub(super) is_newcomer: bool,
    /// If it was known: its version, and whether the caller's system spoke of it.
    pub(super) was: Option<(i64, bool)>,
}

impl Write<'_> {
    pub(super) fn create(&self, tx: &mut Tx<'_>, mut given: Given) -> Result<Made, Error> {
        let (known, verdict) = self.identify(tx, &given)?;
        given.leaves = self.admit_new(known.as_ref().map(|(record, _)| record), given.leaves)?;
        let has_account =
            |(record, _): &(Record, &str)| self.errand.is_some() && record.folded.has_account();
        if self.view.accounts_only && !known.as_ref().is_some_and(has_account) {
            // A new account is active unless the client says otherwise: a claim of the client's, so that it can be removed.
            given
                .leaves
                .entry("active".into())
                .or_insert(Value::Bool(true));
        }
        match known {
            None => self.make(tx, &given, verdict.as_ref()),
            Some((record, reason)) => {
                self.attach_known(tx, &record, &given, (reason, verdict.as_ref()))
            }
        }
    }

    /// Makes what is new.
    fn make(
        &self,
        tx: &mut Tx<'_>,
        given: &Given,
        verdict: Option<&Verdict>,
    ) -> Result<Made, Error> {
        let id = self.muster.0.ids.resource();
        let data_key = match self.view.kind {
            Kind::Person => Some(store::key::fresh(tx, self.context.tenant(), id)?),
            _ => None,
        };
        let given_leaves =
            self.sealed(&given.leaves, || Ok(data_key.as_ref().map(Fresh::envelope)))?;
        let mut own = SourceRecord::new(self.context.system(), self.context.now);
        own.external_id.clone_from(&given.external_id);
        let terms = self.terms(&|_, _| false, &[]);
        terms.post(&given_leaves, &Leaves::new(), (&mut own, &[]));
        terms.clear(&given.cleared, (&mut own, &[]));
        let mut sources = vec![own];
        let following = self.follow(tx, (id, None), &mut sources)?;
        let of = (None, &*sources);
        let (leaves, withheld) = self.fold_unique(tx, Happened::Created, of)?;
        self.note_withheld(tx, (id, &leaves), &withheld)?;
        self.stay(&leaves)?;
        self.check_account(&leaves)?;
        let suggested = self.newly_suggested(&Claims::default(), &sources, &leaves);
        let (members, strangers) = self.known_members(tx, &given.members)?;
        let mut changes = changes(&Leaves::new(), &leaves);
        let (first, others) = Self::first(&members);
        changes.extend(super::members::change(first, &[]));
        let event = self.event(Happened::Created, id);
        let conflicts: Vec<String> = suggested.iter().map(|new| new.path.clone()).collect();
        let event = event
            .belonging(following.belonging)
            .with_changes(changes)
            .withholding(withheld)
            .suggesting(suggested)
            .telling(verdict.map(Verdict::told));
        let new = NewRecord {
            id,
            kind: self.view.kind,
            leaves,
            sources,
            members: first.iter().map(|member| member.row).collect(),
            data_key,
        };
        let made = store::record::insert(tx, self.specs(), new, event)?;
        self.settle_newcomer(tx, &made, verdict, &conflicts)?;
        self.carry(tx, &made, following)?;
        Ok(Made {
            folded: self.admit(tx, made, others)?,
            strangers,
            is_newcomer: self.view.kind == Kind::Person,
            was: None,
        })
    }

    /// The known person that a verdict says the newcomer is. One whom the caller may not attach to is a question for a human.
    pub(super) fn linked(
        &self,
        tx: &mut Tx<'_>,
        verdict: Option<&mut Verdict>,
    ) -> Result<Option<Identified>, Error> {
        let Some(verdict) = verdict.filter(|verdict| verdict.outcome == matching::Outcome::Merge)
        else {
            return Ok(None);
        };
        let best = verdict
            .candidates
            .first()
            .map(|(record, _)| record.folded.row);
        if let Some(row) = best {
            // Held from now on, and as it is now.
            let record = store::record::fetch(tx, row)?;
            if self.may_attach(&record) {
                return Ok(Some((record, "match")));
            }
        }
        verdict.outcome = matching::Outcome::Review;
        Ok(None)
    }

    /// What is to be kept and asked of somebody new.
    fn settle_newcomer(
        &self,
        tx: &mut Tx<'_>,
        made: &Folded,
        verdict: Option<&Verdict>,
        conflicts: &[String],
    ) -> Result<(), Error> {
        for path in conflicts {
            self.ask_about(tx, made.id, path)?;
        }
        let Some(verdict) = verdict else {
            return Ok(());
        };
        self.muster.key(tx, self.context, made)?;
        self.keep_traces(tx, made, verdict)?;
        if let Some(opening) = verdict.opening(made.id, self.context.system()) {
            self.muster.open_review(tx, self.context, &opening)?;
        }
        Ok(())
    }

    /// Refuses an account that none comes of: one that only another system may open.
    fn check_account(&self, leaves: &Leaves) -> Result<(), Error> {
        let rules = self.rules();
        let master = rules
            .rulings
            .foreign_master("userName", self.context.system());
        match master.filter(|_| self.view.accounts_only && !has_account(leaves)) {
            None => Ok(()),
            Some(master) => Err(Error::Forbidden(format!(
                "'userName' is for '{master}' to say, so it alone opens accounts: create the person at /Persons"
            ))),
        }
    }

    /// [`Self::held_back`] after a POST.
    fn held_back_of_new(&self, given: &Leaves, stands: &Leaves) -> Vec<String> {
        let key = self.muster.veil_key(self.context, self.view);
        let seen = self.muster.before(self.context, self.view, stands, &key);
        let wants = given
            .iter()
            .map(|(path, value)| (path.as_str(), Wants::Given(value)));
        self.held_back(&seen, wants, stands)
    }

    /// What the caller may say of somebody new to it: rights are those that it has on what comes of it.
    fn admit_new(&self, record: Option<&Record>, given: Leaves) -> Result<Leaves, Error> {
        if clearance(self.context, self.view).is_plain() {
            return Ok(given);
        }
        let mut after = record
            .map(|record| record.folded.leaves.clone())
            .unwrap_or_default();
        after.extend(given.clone());
        let key = self.muster.veil_key(self.context, self.view);
        let seen = self.muster.before(self.context, self.view, &after, &key);
        self.admit_values(&seen, given, &Leaves::new())
    }

    /// Adds what the caller's system says to a known person.
    pub(super) fn attach(
        &self,
        tx: &mut Tx<'_>,
        record: &Record,
        given: &Given,
        (reason, verdict): (&str, Option<&Verdict>),
    ) -> Result<Folded, Error> {
        let (own, others) = self.say(tx, record, given)?;
        let happened = if self.view.accounts_only {
            Happened::AccountAttached
        } else {
            Happened::Updated
        };
        let reason = self.errand.unwrap_or(reason);
        let why = (happened, Some(reason), verdict.map(Verdict::told));
        let made = self.commit(tx, record, own, others, why)?;
        self.check_account(&made.leaves)?;
        Ok(made)
    }

    /// The caller's own source record with what is given added to it, and those of all others.
    pub(super) fn say(
        &self,
        tx: &mut Tx<'_>,
        record: &Record,
        given: &Given,
    ) -> Result<(SourceRecord, Vec<SourceRecord>), Error> {
        let (mut own, others) = self.desk(record);
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
        let known = &record.folded.leaves;
        let key = self.muster.veil_key(self.context, self.view);
        let seen = self.muster.before(self.context, self.view, known, &key);
        let given_leaves = self.sealed_for(tx, &record.folded, &given.leaves)?;
        let hides = self.hides(&seen);
        let in_part = |path: &str| !seen.traces(path);
        let veils = |path: &str, element: &Value, _: &Value| seen.veils(path, element);
        let terms = self
            .terms(&hides, &record.sources)
            .veiling(&veils, &in_part);
        terms.post(&given_leaves, known, (&mut own, &others));
        terms.clear(&given.cleared, (&mut own, &others));
        Ok((own, others))
    }
}
