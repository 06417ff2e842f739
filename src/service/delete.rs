//! DELETE (RFC 7644 §3.6): what a view showed is gone from it; a person lives on while another system speaks of it (design §2).

use super::change::Write;
use super::{Asked, Error, Muster};
use crate::domain::claim::SourceRecord;
use crate::domain::context::{Context, Right};
use crate::domain::event::{Happened, changes};
use crate::domain::record::{Kind, Leaves, Record};
use crate::store::{self, Tx};

/// The leaves that make an account, whoever claimed them.
const ACCOUNT: [&str; 2] = ["userName", "active"];

impl Muster {
    /// Deletes a resource.
    pub async fn delete(
        &self,
        context: &Context,
        endpoint: &str,
        id: &str,
        if_match: Option<&str>,
    ) -> Result<(), Error> {
        let view = self.view(context, endpoint, Right::Delete)?;
        let (muster, context, id) = (self.clone(), context.clone(), id.to_owned());
        let asked = Asked {
            if_match: if_match.map(str::to_owned),
            ..Asked::default()
        };
        let delete = move |tx: &mut Tx<'_>| {
            let write = Write::new(&muster, &context, &view);
            let record = write.fetch(tx, &id)?;
            write.check_match(tx, &record.folded, &asked)?;
            match (view.kind, view.accounts_only) {
                (Kind::Group, _) => write.remove(tx, &record),
                (Kind::Person, true) => write.close_account(tx, &record),
                (Kind::Person, false) => write.delete_person(tx, &record),
            }
        };
        self.0.store.write(delete).await
    }
}

impl Write<'_> {
    /// Withdraws the caller's record and closes the account. Nobody is left without a source: then the person goes too.
    fn close_account(&self, tx: &mut Tx<'_>, record: &Record) -> Result<(), Error> {
        let mut others: Vec<SourceRecord> = record
            .sources
            .iter()
            .filter(|source| source.system != self.context.system())
            .cloned()
            .collect();
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
        let nothing = SourceRecord::new(self.context.system(), self.context.now);
        self.commit(tx, record, nothing, others, (Happened::AccountClosed, None))
            .map(drop)
    }

    fn delete_person(&self, tx: &mut Tx<'_>, record: &Record) -> Result<(), Error> {
        let other = record
            .sources
            .iter()
            .find(|source| source.system != self.context.system());
        if let Some(other) = other {
            return Err(Error::Conflict(format!(
                "'{}' still speaks of this person: a person is deleted when no other system does",
                other.system
            )));
        }
        self.remove(tx, record)
    }

    fn remove(&self, tx: &mut Tx<'_>, record: &Record) -> Result<(), Error> {
        self.leave_groups(tx, &record.folded)?;
        let gone = changes(&record.folded.leaves, &Leaves::new());
        let event = self
            .event(Happened::Deleted, record.folded.id)
            .with_changes(gone);
        Ok(store::record::delete(tx, &record.folded, event)?)
    }
}
