//! What one row of an extract says: a body as a POST would have it, the source's own id and time; or what is wrong with it.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::source::{Source, walk};
use super::{Claim, Format, Mapping};
use crate::scim::document;
use crate::scim::error::did_you_mean;
use crate::scim::resource_type::Location;

/// One row of an extract.
#[derive(Clone, Debug, PartialEq)]
pub enum Row {
    /// Cells, in the order of the columns.
    Cells(Vec<String>),
    /// A JSON object.
    Object(Value),
}

/// What a row says.
#[derive(Clone, Debug, PartialEq)]
pub struct Said {
    /// The system's own id of whom it speaks.
    pub external_id: String,
    /// When the system knew it, if it says so.
    pub at: Option<DateTime<Utc>>,
    /// What it claims, as the body of a POST, `externalId` among it.
    pub body: Map<String, Value>,
    /// Of what it claims that there is none.
    pub cleared: Vec<Location>,
}

/// What is wrong with a row.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fault {
    /// The column or path; empty if it is the row as a whole.
    pub column: String,
    /// The attribute; empty if it is none.
    pub attribute: String,
    /// Why.
    pub reason: String,
}

/// A mapping with the columns of one extract.
#[derive(Clone, Debug)]
pub struct Bound<'m> {
    mapping: &'m Mapping,
    columns: HashMap<String, usize>,
}

impl Mapping {
    /// The mapping on an extract with these columns; JSON has none.
    ///
    /// # Errors
    /// Every column that the mapping names and the extract lacks or has twice.
    pub fn bind(&self, columns: &[String]) -> Result<Bound<'_>, Vec<String>> {
        let mut known = HashMap::new();
        let mut wrong = Vec::new();
        for (n, name) in columns.iter().enumerate() {
            if known.insert(name.clone(), n).is_some() && self.names(name) {
                wrong.push(format!("two columns are named '{name}'"));
            }
        }
        for source in self.sources() {
            if let Source::Column(name) = source
                && !known.contains_key(name)
            {
                let nearest = did_you_mean(name, columns.iter().map(String::as_str));
                wrong.push(format!("there is no column '{name}'{nearest}"));
            }
        }
        wrong.dedup();
        let bound = Bound {
            mapping: self,
            columns: known,
        };
        if wrong.is_empty() {
            Ok(bound)
        } else {
            Err(wrong)
        }
    }

    /// The mapping on an extract without rows.
    #[must_use]
    pub fn unbound(&self) -> Bound<'_> {
        Bound {
            mapping: self,
            columns: HashMap::new(),
        }
    }

    /// Whether a row of it can claim what stands at a canonical path, or a part of it.
    #[must_use]
    pub fn covers(&self, path: &str) -> bool {
        if self.format == Format::Scim {
            return true;
        }
        let mut paths = self.claims.iter().flat_map(|claim| &claim.paths);
        paths.any(|covered| {
            let part = path.strip_prefix(covered.as_str());
            part.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
        })
    }

    fn sources(&self) -> impl Iterator<Item = &Source> {
        let said_at = self.at.iter().map(|(source, _)| source);
        let claims = self.claims.iter().map(|claim| &claim.from);
        std::iter::once(&self.external_id)
            .chain(said_at)
            .chain(claims)
    }

    fn names(&self, column: &str) -> bool {
        self.sources().any(|source| source.name() == column)
    }

    /// The column and the attribute that a refusal of a body names, as far as it names one.
    #[must_use]
    pub fn blame(&self, reason: String) -> Fault {
        let about = |claim: &&Claim| {
            let whole = format!("'{}", claim.to.location.whole());
            reason.contains(&format!("'{}'", claim.to.text)) || reason.contains(&whole)
        };
        let exact = |claim: &&Claim| reason.contains(&format!("'{}'", claim.to.location));
        let mut claims = self.claims.iter();
        let found = claims.find(exact);
        let found = found.or_else(|| self.claims.iter().find(about));
        Fault {
            column: found
                .map(|claim| claim.from.name().to_owned())
                .unwrap_or_default(),
            attribute: found.map(|claim| claim.to.text.clone()).unwrap_or_default(),
            reason,
        }
    }
}

impl Bound<'_> {
    /// What a row says, or all that is wrong with it. `now` bounds the source's time: one that lies more than a day ahead is
    /// no time.
    pub fn apply(&self, row: &Row, now: DateTime<Utc>) -> Result<Said, Vec<Fault>> {
        let mut faults = Vec::new();
        let external_id = self.external_id(row).unwrap_or_else(|fault| {
            faults.push(fault);
            String::new()
        });
        let at = self.said_at(row, now).unwrap_or_else(|fault| {
            faults.push(fault);
            None
        });
        if self.mapping.format == Format::Scim {
            return match self.operation(row) {
                Ok(body) if faults.is_empty() => Ok(Said {
                    external_id,
                    at,
                    body,
                    cleared: Vec::new(),
                }),
                Ok(_) => Err(faults),
                Err(fault) => Err(vec![fault]),
            };
        }
        let mut draft = Draft::default();
        draft.groups.resize_with(self.mapping.groups, Vec::new);
        for claim in &self.mapping.claims {
            let values = self.values(row, &claim.from);
            for (n, value) in values.iter().enumerate() {
                match claim.with.convert(value.as_ref().unwrap_or(&Value::Null)) {
                    Ok(Some(value)) => draft.put(claim, n, value),
                    Ok(None) => {}
                    Err(reason) => faults.push(fault(claim, reason)),
                }
            }
            let empty = values.iter().all(|value| {
                let value = value.as_ref();
                value.is_none_or(|value| value.is_null() || value.as_str().is_some_and(is_blank))
            });
            if claim.clears && empty && claim.to.element.is_none() {
                draft.cleared.push(claim.to.location.clone());
            }
        }
        if !faults.is_empty() {
            return Err(faults);
        }
        let (mut body, cleared) = draft.finish(&self.mapping.claims);
        body.insert("externalId".into(), external_id.clone().into());
        document::set_schemas(&self.mapping.resource_type, &mut body);
        Ok(Said {
            external_id,
            at,
            body,
            cleared,
        })
    }

    /// What an operation of a bulk request says of a resource that there is.
    fn operation(&self, row: &Row) -> Result<Map<String, Value>, Fault> {
        let endpoint = &self.mapping.resource_type.endpoint;
        let Row::Object(operation) = row else {
            return Err(Fault::default());
        };
        let text = |name: &str| {
            operation
                .get(name)
                .and_then(Value::as_str)
                .unwrap_or_default()
        };
        let wrong = |column: &str, reason: String| Fault {
            column: column.to_owned(),
            attribute: String::new(),
            reason,
        };
        if !text("method").eq_ignore_ascii_case("POST") {
            let reason = "an extract says what there is: only POST is taken in; send other operations to /Bulk";
            return Err(wrong("method", reason.into()));
        }
        if text("path").trim_start_matches('/') != endpoint.trim_start_matches('/') {
            let reason = format!(
                "the mapping is of {endpoint}, and this is of '{}'",
                text("path")
            );
            return Err(wrong("path", reason));
        }
        let data = operation.get("data").and_then(Value::as_object).cloned();
        data.ok_or_else(|| {
            wrong(
                "data",
                "an operation has its resource in 'data', as an object".into(),
            )
        })
    }

    fn external_id(&self, row: &Row) -> Result<String, Fault> {
        let source = &self.mapping.external_id;
        let fault = |reason: String| Fault {
            column: source.name().to_owned(),
            attribute: "externalId".into(),
            reason,
        };
        let first = self.values(row, source).into_iter().next().flatten();
        let text = super::Converter::Text.convert(&first.unwrap_or_default());
        match text.map_err(fault)? {
            Some(Value::String(text)) => Ok(text),
            _ => Err(fault(
                "the row does not say of whom it speaks: this is empty".into(),
            )),
        }
    }

    fn said_at(&self, row: &Row, now: DateTime<Utc>) -> Result<Option<DateTime<Utc>>, Fault> {
        let Some((source, with)) = &self.mapping.at else {
            return Ok(None);
        };
        let fault = |reason: String| Fault {
            column: source.name().to_owned(),
            attribute: String::new(),
            reason,
        };
        let first = self.values(row, source).into_iter().next().flatten();
        let at = with.moment(&first.unwrap_or_default()).map_err(fault)?;
        if at.is_some_and(|at| at > now + chrono::TimeDelta::days(1)) {
            return Err(fault("the source's time lies in the future".into()));
        }
        Ok(at.map(|at| at.min(now)))
    }

    fn values(&self, row: &Row, source: &Source) -> Vec<Option<Value>> {
        match (row, source) {
            (Row::Cells(cells), Source::Column(name)) => {
                let cell = self.columns.get(name).and_then(|n| cells.get(*n));
                vec![cell.map(|cell| cell.as_str().into())]
            }
            (Row::Object(object), Source::Path(_, steps)) => walk(object, steps)
                .into_iter()
                .map(Option::<&Value>::cloned)
                .collect(),
            _ => vec![None],
        }
    }
}

fn is_blank(text: &str) -> bool {
    text.trim().is_empty()
}

fn fault(claim: &Claim, reason: String) -> Fault {
    Fault {
        column: claim.from.name().to_owned(),
        attribute: claim.to.text.clone(),
        reason,
    }
}

/// A body in the making.
#[derive(Default)]
struct Draft {
    body: Map<String, Value>,
    /// The elements of each kind, by their place in the list they come from.
    groups: Vec<Vec<Option<Map<String, Value>>>>,
    cleared: Vec<Location>,
}

impl Draft {
    fn put(&mut self, claim: &Claim, n: usize, value: Value) {
        if let Some(part) = &claim.to.element {
            let elements = &mut self.groups[part.group];
            if elements.len() <= n {
                elements.resize(n + 1, None);
            }
            let element = elements[n].get_or_insert_with(|| part.fixed.clone());
            element.insert(part.sub.clone(), value);
        } else if claim.to.is_list {
            let values = match value {
                Value::Array(values) => values,
                one => vec![one],
            };
            self.extend(&claim.to.location, values);
        } else if let Some(sub) = &claim.to.location.sub {
            self.merge(
                &claim.to.location,
                Map::from_iter([(sub.to_string(), value)]),
            );
        } else {
            match value {
                Value::Object(parts) => self.merge(&claim.to.location, parts),
                value => document::put(&mut self.body, &claim.to.location, value),
            }
        }
    }

    fn extend(&mut self, location: &Location, values: Vec<Value>) {
        let known = crate::domain::document::value_at(&self.body, location);
        let mut all = known.and_then(Value::as_array).cloned().unwrap_or_default();
        all.extend(values);
        document::put(&mut self.body, location, Value::Array(all));
    }

    fn merge(&mut self, location: &Location, parts: Map<String, Value>) {
        let whole = location.whole();
        let known = crate::domain::document::value_at(&self.body, &whole);
        let mut object = known
            .and_then(Value::as_object)
            .cloned()
            .unwrap_or_default();
        object.extend(parts);
        document::put(&mut self.body, &whole, Value::Object(object));
    }

    fn finish(mut self, claims: &[Claim]) -> (Map<String, Value>, Vec<Location>) {
        for (n, elements) in std::mem::take(&mut self.groups).into_iter().enumerate() {
            let made: Vec<Value> = elements.into_iter().flatten().map(Value::Object).collect();
            let mut of_group = claims.iter().filter(|claim| {
                claim
                    .to
                    .element
                    .as_ref()
                    .is_some_and(|part| part.group == n)
            });
            if let Some(claim) = of_group.next().filter(|_| !made.is_empty()) {
                self.extend(&claim.to.location.whole(), made);
            }
        }
        (self.body, self.cleared)
    }
}
