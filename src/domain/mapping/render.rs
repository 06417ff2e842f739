//! The way back: what a resource says in the layout of another system (B-037), by the same file that reads it. What would be read
//! back as something else is told, and not written.

use serde_json::{Map, Value};

use super::apply::Fault;
use super::source::{Source, Step};
use super::target::Element;
use super::{Claim, Mapping, Row};
use crate::domain::document::value_at;
use crate::scim::resource_type::Location;

/// The longest list that a step such as `phones[3]` makes.
const LONGEST: usize = 1000;

/// A resource in another system's layout.
#[derive(Clone, Debug, PartialEq)]
pub struct Rendered {
    /// Its row.
    pub row: Row,
    /// The attributes of which not all values have a place there, each as often as one has none.
    pub unsaid: Vec<String>,
}

/// What is to be written at a source: as many values as it takes.
struct Said<'m> {
    claim: &'m Claim,
    values: Vec<Option<Value>>,
}

impl Mapping {
    /// The columns of its layout, each once: the id, then the claims in their order, then the time; JSON has none.
    #[must_use]
    pub fn columns(&self) -> Vec<String> {
        let mut columns: Vec<String> = Vec::new();
        let claims = self.claims.iter().map(|claim| &claim.from);
        let last = self.at.iter().map(|(source, _)| source);
        for source in std::iter::once(&self.external_id).chain(claims).chain(last) {
            if let Source::Column(name) = source
                && !columns.contains(name)
            {
                columns.push(name.clone());
            }
        }
        columns
    }

    /// What has to be asked for to fill the layout, as `attributes` names it (RFC 7644 §3.9).
    #[must_use]
    pub fn attributes(&self) -> String {
        let own = ["externalId", "meta.lastModified"].map(str::to_owned);
        let claimed = self.claims.iter().map(|claim| claim.to.location.whole());
        let mut names: Vec<String> = claimed.map(|at| at.to_string()).collect();
        names.extend(own);
        names.sort();
        names.dedup();
        names.join(",")
    }

    /// A resource, as its reader sees it, in the layout.
    ///
    /// # Errors
    /// Every value that has no word there, or would be read back as another.
    pub fn render(&self, document: &Map<String, Value>) -> Result<Rendered, Vec<Fault>> {
        let mut unsaid = Vec::new();
        let mut faults = Vec::new();
        let mut layout = Layout::of(self);
        let own_id = document.get("externalId").cloned();
        layout.put(&self.external_id, "externalId", vec![own_id], &mut faults);
        if let Some((source, with)) = &self.at {
            let modified = document
                .get("meta")
                .and_then(|meta| meta.get("lastModified"));
            let written = modified.map(|at| with.revert(at)).transpose();
            match written {
                Ok(at) => layout.put(source, "meta.lastModified", vec![at], &mut faults),
                Err(reason) => faults.push(fault(source, "meta.lastModified", reason)),
            }
        }
        for Said { claim, values } in self.said(document, &mut unsaid) {
            let reverted = values.into_iter().map(|value| match value {
                Some(value) => claim.with.said(&value).map(Some),
                None => Ok(None),
            });
            match reverted.collect() {
                Ok(values) => layout.put(&claim.from, &claim.to.text, values, &mut faults),
                Err(reason) => faults.push(fault(&claim.from, &claim.to.text, reason)),
            }
        }
        if faults.is_empty() {
            let row = layout.row();
            Ok(Rendered { row, unsaid })
        } else {
            Err(faults)
        }
    }

    /// What each claim is to say. An element is said by the first claims that fit it, a value of a list by the first that says none
    /// yet; what nobody says is `unsaid`.
    fn said(&self, document: &Map<String, Value>, unsaid: &mut Vec<String>) -> Vec<Said<'_>> {
        let groups = self.elements(document, unsaid);
        let mut lists: Vec<(&Location, std::vec::IntoIter<Value>)> = Vec::new();
        let mut said = Vec::new();
        for claim in &self.claims {
            let location = &claim.to.location;
            let values = if let Some(part) = &claim.to.element {
                let part_of = |element: &&Value| element.get(&part.sub).cloned();
                groups[part.group].iter().map(part_of).collect()
            } else if claim.to.is_list {
                let at = lists.iter().position(|(known, _)| *known == location);
                let at = at.unwrap_or_else(|| {
                    let all = value_at(document, location).and_then(Value::as_array);
                    lists.push((location, all.cloned().unwrap_or_default().into_iter()));
                    lists.len() - 1
                });
                let rest = &mut lists[at].1;
                match claim.from.repeats() {
                    true => rest.by_ref().map(Some).collect(),
                    false if claim.with.is_of_many() => {
                        let all: Vec<Value> = rest.by_ref().collect();
                        vec![(!all.is_empty()).then_some(Value::Array(all))]
                    }
                    false => vec![rest.next()],
                }
            } else {
                vec![value_at(document, location).cloned()]
            };
            said.push(Said { claim, values });
        }
        for (location, rest) in lists {
            unsaid.extend(rest.map(|_| location.to_string()));
        }
        said
    }

    /// The elements that the claims of each group say.
    fn elements<'d>(
        &self,
        document: &'d Map<String, Value>,
        unsaid: &mut Vec<String>,
    ) -> Vec<Vec<&'d Value>> {
        let mut groups: Vec<Vec<&Value>> = vec![Vec::new(); self.groups];
        let mut wholes: Vec<Location> = Vec::new();
        let parts = || {
            self.claims
                .iter()
                .filter_map(|claim| Some((claim, claim.to.element.as_ref()?)))
        };
        for (claim, _) in parts() {
            let whole = claim.to.location.whole();
            if wholes.contains(&whole) {
                continue;
            }
            let elements = value_at(document, &whole).and_then(Value::as_array);
            for element in elements.into_iter().flatten() {
                let of_it = parts().filter(|(claim, _)| claim.to.location.whole() == whole);
                let mut fitting = of_it.filter(|(claim, part)| {
                    fits(part, element) && (claim.from.repeats() || groups[part.group].is_empty())
                });
                match fitting.next() {
                    Some((_, part)) => groups[part.group].push(element),
                    None => unsaid.push(whole.to_string()),
                }
            }
            wholes.push(whole);
        }
        groups
    }
}

fn fits(part: &Element, element: &Value) -> bool {
    let mut fixed = part.fixed.iter();
    fixed.all(|(name, value)| element.get(name) == Some(value))
}

fn fault(source: &Source, attribute: &str, reason: String) -> Fault {
    Fault {
        column: source.name().to_owned(),
        attribute: attribute.to_owned(),
        reason,
    }
}

/// A row in the making.
struct Layout {
    columns: Vec<String>,
    cells: Vec<Option<String>>,
    object: Value,
}

impl Layout {
    fn of(mapping: &Mapping) -> Self {
        let columns = mapping.columns();
        Self {
            cells: vec![None; columns.len()],
            columns,
            object: Value::Object(Map::new()),
        }
    }

    fn put(
        &mut self,
        source: &Source,
        attribute: &str,
        values: Vec<Option<Value>>,
        faults: &mut Vec<Fault>,
    ) {
        let done = match source {
            Source::Column(name) => self.cell(name, values),
            Source::Path(_, steps) => place(&mut self.object, steps, values),
        };
        if let Err(reason) = done {
            faults.push(fault(source, attribute, reason));
        }
    }

    /// Two attributes may be said by one column, if they are the same.
    fn cell(&mut self, name: &str, values: Vec<Option<Value>>) -> Result<(), String> {
        let Some(value) = values.into_iter().next().flatten() else {
            return Ok(());
        };
        let text = match value {
            Value::String(text) => text,
            other => other.to_string(),
        };
        let at = self.columns.iter().position(|known| known == name);
        let Some(cell) = at.and_then(|at| self.cells.get_mut(at)) else {
            return Ok(());
        };
        if cell.as_ref().is_some_and(|before| *before != text) {
            return Err("another attribute says this column otherwise".into());
        }
        *cell = Some(text);
        Ok(())
    }

    fn row(self) -> Row {
        if self.columns.is_empty() {
            return Row::Object(self.object);
        }
        let cells = self.cells.into_iter().map(Option::unwrap_or_default);
        Row::Cells(cells.collect())
    }
}

/// Writes values at the end of the steps; where there is none, nothing is made on the way to it.
fn place(at: &mut Value, steps: &[Step], values: Vec<Option<Value>>) -> Result<(), String> {
    if values.iter().all(Option::is_none) {
        return Ok(());
    }
    let Some((step, rest)) = steps.split_first() else {
        let value = values.into_iter().next().flatten().unwrap_or_default();
        if !at.is_null() && *at != value {
            return Err("another attribute says this place otherwise".into());
        }
        *at = value;
        return Ok(());
    };
    match step {
        Step::Key(name) => {
            if at.is_null() {
                *at = Value::Object(Map::new());
            }
            let object = at.as_object_mut();
            let object = object.ok_or("another path says that this is no object")?;
            place(
                object.entry(name.clone()).or_insert(Value::Null),
                rest,
                values,
            )
        }
        Step::Index(index) => place(nth(at, *index)?, rest, values),
        Step::Each => {
            let mut each = values.into_iter().enumerate();
            each.try_for_each(|(n, value)| place(nth(at, n)?, rest, vec![value]))
        }
    }
}

/// An element of a list that is as long as that needs.
fn nth(list: &mut Value, n: usize) -> Result<&mut Value, String> {
    if list.is_null() {
        *list = Value::Array(Vec::new());
    }
    let elements = list.as_array_mut();
    let elements = elements.ok_or("another path says that this is no list")?;
    if n >= LONGEST {
        return Err(format!("a list of more than {LONGEST} is not made"));
    }
    if elements.len() <= n {
        elements.resize(n + 1, Value::Null);
    }
    elements.get_mut(n).ok_or_else(String::new)
}
