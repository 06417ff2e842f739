//! DELETE (RFC 7644 §3.6): what a view showed is gone from it; a person lives on while another system speaks of it (design §2).

use std::sync::Arc;

use super::change::Write;
use super::idempotency::Repeat;
use super::{Asked, Error, Muster};
use crate::domain::brake::Act;
use crate::domain::claim::{Claims, SourceRecord};
use crate::domain::context::{Context, Right};
use crate::domain::event::{Belonging, Happened, changes};
use crate::domain::idempotency::Done;
use crate::domain::record::{Kind, Leaves, Record};
use crate::domain::review;
use crate::domain::view::View;
use crate::scim::patch::{Change as RowChange, Rows};
use crate::store::{self, Tx};

/// The leaves that make an account, whoever claimed them.
const ACCOUNT: [&str; 2] = ["userName", "active"];

/// A DELETE that the caller may ask for: what is left to do needs the database.
pub(super) struct Delete {
    view: Arc<View>,
    id: String,
    asked: Asked,
}

impl Muster {
    /// Deletes a resource.
    pub async fn delete(
        &self,
        context: &Context,
        endpoint: &str,
        id: &str,
        if_match: Option<&str>,
    ) -> Result<(), Error> {
        let delete = self.prepare_delete(context, (endpoint, id), if_match)?;
        self.perform(context, delete, Delete::perform).await
    }

    /// Checks rights before the transaction.
    pub(super) fn prepare_delete(
        &self,
        context: &Context,
        (endpoint, id): (&str, &str),
        if_match: Option<&str>,
    ) -> Result<Delete, Error> {
        Ok(Delete {
            view: self.changeable(context, endpoint, Right::Delete)?,
            id: id.to_owned(),
            asked: Asked {
                if_match: if_match.map(str::to_owned),
                ..Asked::default()
            },
        })
    }
}

impl Repeat<()> for Delete {
    /// What is gone is gone.
    fn again(&self, _: &Muster, _: &Context, _: &mut Tx<'_>, _: &Done) -> Result<(), Error> {
        Ok(())
    }
}

impl Delete {
    /// Does it in an open transaction: as often as the transaction is tried.
    pub(super) fn perform(
        &self,
        muster: &Muster,
        context: &Context,
        tx: &mut Tx<'_>,
    ) -> Result<(), Error> {
        let write = Write::new(muster, context, &self.view);
        let mut record = write.fetch(tx, &self.id)?;
        let seen = muster.before(context, &self.view, &record.folded.leaves, &[]);
        write.reach(&seen, Right::Delete, &self.id)?;
        write.check_match(tx, &record.folded, &self.asked)?;
        match self.view.kind {
            Kind::Person => write.count_leavers(tx, Act::Deletion, 1)?,
            Kind::Group => write.empty(tx, &mut record)?,
            _ => {}
        }
        match (self.view.kind, self.view.accounts_only) {
            (Kind::Group, _) => write.remove(tx, &record),
            (Kind::Person, true) => write.close_account(tx, &record),
            (Kind::Person | Kind::Organization, false) => write.delete_person(tx, &record),
            (kind, _) if kind.is_hiring() => write.delete_hiring(tx, &record),
            _ => Err(Error::Forbidden(
                "a review is not deleted: approve or reject it by a PATCH of its status".into(),
            )),
        }
    }
}

impl Write<'_> {
    /// Where there is a leaver brake, a group that goes first loses its members: they are counted, and the log tells who
    /// they were.
    fn empty(&self, tx: &mut Tx<'_>, record: &mut Record) -> Result<(), Error> {
        if self.muster.brake(self.context.tenant()).is_some() && record.folded.members > 0 {
            let all = [RowChange::Remove(Rows::All)];
            (record.folded, _) = self.change_members(tx, &record.folded, &all)?;
        }
        Ok(())
    }

    /// Withdraws the caller's record and closes the account. Nobody is left without a source: then the person goes too.
    fn close_account(&self, tx: &mut Tx<'_>, record: &Record) -> Result<(), Error> {
        let (_, mut others) = self.desk(record);
        for source in &mut others {
            for path in ACCOUNT {
                source.claims.0.remove(path);
            }
        }
        others.retain(|source| !source.claims.is_empty() || source.external_id.is_some());
        if others.is_empty() {
            return self.remove(tx, record);
        }
        self.leave_groups(tx, &record.folded)?;
        let kept = self.withdrawing(record, &others);
        let nothing = SourceRecord::new(self.context.system(), self.context.now);
        self.commit(
            tx,
            record,
            nothing,
            others,
            (Happened::AccountClosed, None, kept),
        )
        .map(drop)
    }

    fn delete_person(&self, tx: &mut Tx<'_>, record: &Record) -> Result<(), Error> {
        let other = record
            .sources
            .iter()
            .find(|source| source.system != self.context.system());
        if let Some(other) = other {
            if other.system == review::SYSTEM {
                return Err(Error::Conflict(
                    "an employment still cites this person, who is deleted when none does".into(),
                ));
            }
            return Err(Error::Conflict(format!(
                "'{}' still speaks of this {what}: a {what} is deleted when no other system does",
                other.system,
                what = self.view.kind.word()
            )));
        }
        // Of two of its own records, which a merge has brought together, it deletes the one that it asked for.
        let (_, others) = self.desk(record);
        if others.is_empty() {
            return self.remove(tx, record);
        }
        let kept = self.withdrawing(record, &others);
        let why = (Happened::Updated, Some("sourceDeleted"), kept);
        self.settle(tx, record, others, &Claims::default(), why)
            .map(drop)
    }

    fn remove(&self, tx: &mut Tx<'_>, record: &Record) -> Result<(), Error> {
        self.remove_of(tx, record, (None, None))
    }

    /// The same of a record that belongs to somebody.
    pub(super) fn remove_of(
        &self,
        tx: &mut Tx<'_>,
        record: &Record,
        belonging: Belonging,
    ) -> Result<(), Error> {
        self.leave_groups(tx, &record.folded)?;
        let gone = changes(&record.folded.leaves, &Leaves::new());
        let event = self
            .event(Happened::Deleted, record.folded.id)
            .belonging(belonging)
            .with_changes(gone)
            .telling(self.withdrawing(record, &[]));
        Ok(store::record::delete(tx, &record.folded, event)?)
    }
}
