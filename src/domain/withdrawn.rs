//! What the systems said of a record, and no longer say since it was deleted or its account closed: kept in the event of
//! that, so that it can be brought back as it was.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::claim::{Claims, SourceRecord};

/// Where it stands in an event's detail. It holds values as they are, so whoever shows an event leaves it out.
pub const NAME: &str = "withdrawn";

/// What was withdrawn of one record.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Withdrawn {
    /// The record's number.
    pub row: i64,
    /// When the record was created.
    pub created: DateTime<Utc>,
    /// By system.
    pub sources: Vec<Said>,
}

/// What one system said and no longer says.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Said {
    /// The system.
    pub system: String,
    /// Its own id of the record.
    pub external_id: Option<String>,
    /// When it first spoke of it.
    pub first_seen: DateTime<Utc>,
    /// When it last did.
    pub last_synced: DateTime<Utc>,
    /// What it claimed.
    pub claims: Claims,
}

impl Said {
    /// What of `before` is not in `after`, which is the same source record later, if it is still there.
    fn between(before: &SourceRecord, after: Option<&SourceRecord>) -> Option<Self> {
        let mut claims = before.claims.clone();
        if let Some(after) = after {
            claims
                .0
                .retain(|path, _| !after.claims.0.contains_key(path));
        }
        let is_gone = after.is_none();
        (is_gone || !claims.is_empty()).then(|| Self {
            system: before.system.clone(),
            external_id: before.external_id.clone(),
            first_seen: before.first_seen,
            last_synced: before.last_synced,
            claims,
        })
    }

    /// Whether a source record is the one that said it.
    fn is_of(&self, source: &SourceRecord) -> bool {
        source.system == self.system
            && (source.external_id == self.external_id
                || source.external_id.is_none()
                || self.external_id.is_none())
    }
}

/// What the sources `before` said that those of `after` do not.
#[must_use]
pub fn between(before: &[SourceRecord], after: &[SourceRecord]) -> Vec<Said> {
    let later = |source: &SourceRecord| after.iter().find(|later| later.row == source.row);
    before
        .iter()
        .filter_map(|source| Said::between(source, later(source)))
        .collect()
}

/// The sources with what was withdrawn given back. What a system has said since stays as it has said it.
#[must_use]
pub fn give_back(mut sources: Vec<SourceRecord>, withdrawn: Vec<Said>) -> Vec<SourceRecord> {
    for said in withdrawn {
        let Some(known) = sources.iter_mut().find(|source| said.is_of(source)) else {
            sources.push(SourceRecord {
                row: None,
                origin: None,
                system: said.system,
                external_id: said.external_id,
                first_seen: said.first_seen,
                last_synced: said.last_synced,
                claims: said.claims,
            });
            continue;
        };
        known.external_id = known.external_id.take().or(said.external_id);
        for (path, claims) in said.claims.0 {
            known.claims.0.entry(path).or_insert(claims);
        }
    }
    sources
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::claim::{SINGLE, Stamp};
    use crate::id::{IdSource, SeededIds};

    fn source(row: i64, system: &str, paths: &[&str]) -> SourceRecord {
        let at = DateTime::UNIX_EPOCH;
        let event = SeededIds::new(1).event(at);
        let told = false;
        let mut source = SourceRecord::new(system, at);
        source.row = Some(row);
        for path in paths {
            let stamp = Stamp { at, event, told };
            source
                .claims
                .claim(path, SINGLE, (*path).into(), stamp, &mut 0);
        }
        source
    }

    #[test]
    fn what_was_withdrawn_comes_back_and_what_was_said_since_stays() {
        let before = [
            source(1, "okta", &["userName", "active", "title"]),
            source(2, "hris", &["active", "legalName"]),
        ];
        let after = [source(2, "hris", &["legalName"])];
        let withdrawn = between(&before, &after);
        assert_eq!(withdrawn.len(), 2);
        assert_eq!(withdrawn[1].claims.0.len(), 1);
        let mut again = give_back(after.to_vec(), withdrawn.clone());
        again.sort_by_key(|source| source.system == "hris");
        again[0].row = Some(1);
        assert_eq!(again, before);
        // The event keeps it as JSON.
        let kept = serde_json::to_value(&withdrawn).unwrap();
        assert_eq!(
            serde_json::from_value::<Vec<Said>>(kept).unwrap(),
            withdrawn
        );

        let mut since = source(2, "hris", &["legalName", "active"]);
        let claims = since.claims.0.get_mut("active").unwrap();
        claims.get_mut(SINGLE).unwrap().value = false.into();
        let again = give_back(vec![since.clone()], withdrawn);
        assert_eq!(again[0], since);
    }
}
