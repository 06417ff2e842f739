//! What is kept of a person, for that person (GDPR Art. 15 and 20).

use serde_json::{Value, json};

use super::{Error, Muster};
use crate::domain::access::Classified;
use crate::domain::claim::SourceRecord;
use crate::domain::fold::Rules;
use crate::domain::record::{Folded, Kind, Leaves, Record};
use crate::domain::sealed::{self, Envelope};
use crate::domain::survivorship::Rulings;
use crate::id::ResourceId;
use crate::scim::comparable;
use crate::store::{self, Tx};

impl Muster {
    /// What is kept of a person: the record with its consents, unmasked and its secrets opened; what each system says of them; their
    /// employments and applications with all that is on record of those; who was shown what of it that is classified, and for what purpose; and everything else that the log tells of them.
    pub fn export_person(&self, tenant: &str, person: ResourceId) -> Result<Value, Error> {
        self.0.store.read_blocking(|tx| {
            let unknown = || Error::NotFound(format!("nothing is known of a person '{person}'"));
            let tenant = store::tenant::find(tx, tenant)?.ok_or_else(unknown)?;
            let found = store::record::find(tx, tenant, person)?;
            let aliases = match &found {
                Some(found) => store::alias::of(tx, found.row)?,
                None => Vec::new(),
            };
            let mut hiring = Vec::new();
            let mut exported = match found.filter(|found| found.kind == Kind::Person) {
                Some(found) => {
                    hiring = self.hanging_on(tx, &found)?;
                    let record = store::record::with_sources(tx, found)?;
                    self.export_record(tx, record)?
                }
                // Of who has been deleted the log still tells.
                None => json!({ "id": person.to_string(), "person": null, "sources": [] }),
            };
            let mut log = store::event::of_record(tx, tenant, person)?;
            // Whoever has been merged into this person is this person.
            for alias in &aliases {
                log.extend(store::event::of_record(tx, tenant, alias.id)?);
            }
            log.retain(|event| !event["personId"].is_null() && event["type"] != "person.read");
            for (record, _) in &hiring {
                log.extend(store::event::of_record(tx, tenant, record.id)?);
            }
            let mut disclosures = store::event::of_subject(tx, tenant, person)?;
            for read in &mut disclosures {
                // Who else was shown in the same answer is not this person's to know.
                read.as_object_mut().map(|read| read.remove("subjects"));
            }
            if exported["person"].is_null() && log.is_empty() {
                return Err(unknown());
            }
            let hiring: Vec<Value> = hiring.iter().map(|(one, _)| self.hired(one)).collect();
            exported["hiring"] = hiring.into();
            exported["disclosures"] = disclosures.into();
            exported["log"] = log.into();
            Ok(exported)
        })
    }

    fn export_record(&self, tx: &mut Tx<'_>, record: Record) -> Result<Value, Error> {
        let envelope = store::key::find_envelope(tx, &record.folded)?;
        let sources: Result<Vec<Value>, Error> = record
            .sources
            .iter()
            .map(|source| {
                let said = self.shown(self.said(source), envelope.as_ref())?;
                Ok(json!({
                    "system": source.system,
                    "externalId": source.external_id,
                    "firstSeenAt": comparable::instant(source.first_seen),
                    "lastSyncedAt": comparable::instant(source.last_synced),
                    "says": said,
                }))
            })
            .collect();
        let (created, modified) = (record.folded.created, record.folded.modified);
        Ok(json!({
            "id": record.folded.id.to_string(),
            "created": comparable::instant(created),
            "lastModified": comparable::instant(modified),
            "person": self.shown(record.folded.leaves, envelope.as_ref())?,
            "sources": sources?,
        }))
    }

    /// A hiring record as SCIM has it.
    fn hired(&self, record: &Folded) -> Value {
        let catalog = self.0.renderer.catalog();
        let mut document = serde_json::Map::new();
        for view in catalog.views().iter().filter(|view| view.holds(record)) {
            document.extend(view.show(&record.leaves, catalog, ""));
        }
        document.insert("id".into(), record.id.to_string().into());
        document.insert("resourceType".into(), record.kind.type_name().into());
        document.into()
    }

    /// What one system alone says.
    fn said(&self, source: &SourceRecord) -> Leaves {
        let specs = self.0.renderer.catalog().specs(Kind::Person);
        let rules = Rules {
            specs,
            classified: &Classified::default(),
            rulings: &Rulings::default(),
        };
        rules.fold(std::slice::from_ref(source))
    }

    /// Values as SCIM has them, accounts' and persons' attributes in one document.
    fn shown(&self, mut leaves: Leaves, envelope: Option<&Envelope>) -> Result<Value, Error> {
        let catalog = self.0.renderer.catalog();
        if let Some(envelope) = envelope {
            sealed::open(catalog.specs(Kind::Person), &mut leaves, envelope)
                .map_err(store::Error::from)?;
        }
        let mut document = serde_json::Map::new();
        for view in catalog.views() {
            if view.kind == Kind::Person {
                document.extend(view.show(&leaves, catalog, ""));
            }
        }
        Ok(document.into())
    }
}
