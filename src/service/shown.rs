//! Whether the entries by which it is found who saw whom are those that the sealed reads tell: an entry less hides a read,
//! one more accuses.

use std::collections::{HashMap, HashSet};

use serde_json::Value;

use super::Error;
use super::verify::{Finding, MOST, PAGE};
use crate::id::{EventId, ResourceId, TenantId};
use crate::store::audit::Sealed;
use crate::store::shown::Shown;
use crate::store::{self, Store, Tx};

/// What is missing of the reads among these leaves, whose events are as they were sealed.
pub(super) fn missing(
    store: &Store,
    tenant: TenantId,
    leaves: &[&Sealed],
) -> Result<Vec<Finding>, Error> {
    let rows = leaves
        .iter()
        .filter_map(|leaf| Some((leaf.position, leaf.row.as_ref()?)));
    let reads: HashMap<i64, u64> = rows
        .filter(|(_, row)| row.entry().purpose.is_some())
        .map(|(position, row)| (row.seq(), position))
        .collect();
    let places: Vec<i64> = reads.keys().copied().collect();
    let mut findings = store.read_blocking(|tx| {
        let mut findings = Vec::new();
        for (place, body) in store::event::at(tx, &places)? {
            let missing = unentered(tx, tenant, &body)?;
            findings.extend(missing.iter().map(|(person, event)| Finding {
                tenant,
                position: reads.get(&place).copied(),
                event: Some(*event),
                what: format!(
                    "that it showed the person {person} has been removed from where that is found"
                ),
            }));
        }
        Ok::<_, Error>(findings)
    })?;
    findings.sort_by_key(|finding| finding.position);
    findings.truncate(MOST);
    Ok(findings)
}

/// Whom a read tells to have shown without their being entered.
fn unentered(tx: &mut Tx<'_>, tenant: TenantId, body: &Value) -> Result<Vec<Shown>, Error> {
    let Some(event) = body["eventId"]
        .as_str()
        .and_then(|id| id.parse::<EventId>().ok())
    else {
        return Ok(Vec::new());
    };
    let told = subjects(body);
    let entered = store::shown::among(tx, tenant, event, &told)?;
    let entered: HashSet<ResourceId> = entered.into_iter().collect();
    let told = told.into_iter().filter(|person| !entered.contains(person));
    Ok(told.map(|person| (person, event)).collect())
}

/// The entries of which no read tells.
pub(super) fn invented(store: &Store, tenant: TenantId) -> Result<Vec<Finding>, Error> {
    let (mut findings, mut last) = (Vec::new(), None);
    loop {
        let page = store.read_blocking(|tx| {
            let page = store::shown::after(tx, tenant, last, PAGE.into())?;
            let ids: Vec<String> = page.iter().map(|(_, event)| event.to_string()).collect();
            let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
            let told = store::event::told(tx, tenant, &ids)?;
            Ok::<_, Error>((page, told))
        });
        let (page, told) = page?;
        for (person, event) in &page {
            let body = told.get(&event.to_string());
            if !body.is_some_and(|body| subjects(body).contains(person)) {
                findings.push(Finding {
                    tenant,
                    position: None,
                    event: Some(*event),
                    what: format!(
                        "it is entered to have shown the person {person}, of which it tells nothing"
                    ),
                });
            }
        }
        last = page.last().copied();
        if page.len() < PAGE as usize || findings.len() >= MOST {
            return Ok(findings);
        }
    }
}

/// Whom a read showed, as its event tells it.
fn subjects(body: &Value) -> Vec<ResourceId> {
    let subjects = body["subjects"].as_array().into_iter().flatten();
    subjects
        .filter_map(|subject| subject.as_str()?.parse().ok())
        .collect()
}
