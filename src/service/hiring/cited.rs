//! What of the hiring record names a person: shown with the person where a request asks for it.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::Write;
use crate::domain::context::{Context, Right};
use crate::domain::lifecycle::facts::{CANDIDATE, EMPLOYEE};
use crate::domain::record::{Folded, Kind};
use crate::domain::view::View;
use crate::scim::resource_type::Location;
use crate::service::provenance::Shown;
use crate::service::{Asked, Error, Muster};
use crate::store::Tx;

/// The role, its attribute, where what it lists is, and the path by which that names the person.
const CITED: [(&str, &str, &str, &str); 2] = [
    (
        CANDIDATE,
        "applications",
        "/Applications",
        "candidate.value",
    ),
    (EMPLOYEE, "employments", "/Employments", "person.value"),
];

fn at((role, attribute, ..): (&str, &str, &str, &str)) -> Location {
    Location {
        extension: Some(role.into()),
        attribute: attribute.into(),
        sub: None,
    }
}

/// Whether the answer shows it.
pub(in crate::service) fn asks_citations(view: &View, asked: &Asked) -> bool {
    let ty = &view.resource_type;
    let asks = |one| asked.projection.includes(ty, &at(one));
    view.kind == Kind::Person && !asked.projection.is_default() && CITED.into_iter().any(asks)
}

impl Muster {
    /// For each person, by number, its applications and employments, as far as they were asked for and the caller may read them.
    pub(in crate::service) fn citations(
        &self,
        tx: &mut Tx<'_>,
        (context, view): (&Context, &View),
        records: &[Folded],
        asked: &Asked,
    ) -> Result<BTreeMap<i64, Shown>, Error> {
        let mut shown: BTreeMap<i64, Shown> = BTreeMap::new();
        if !asks_citations(view, asked) {
            return Ok(shown);
        }
        for one in CITED {
            let (_, _, endpoint, path) = one;
            let cited = self.0.renderer.catalog().at(endpoint);
            let Some(cited) = cited.filter(|cited| {
                let may = context.client.may(Right::Read, &cited.resource_type.name);
                may && asked.projection.includes(&view.resource_type, &at(one))
            }) else {
                continue;
            };
            let write = Write::new(self, context, cited);
            for person in records {
                let names = write.names_of(tx, person.id)?;
                let mut found = write.citing(tx, (cited.kind, path), &names)?;
                found.retain(|found| self.reaches(context, cited, &found.leaves, Right::Read));
                found.sort_by_key(|found| (found.created, found.id));
                let listed = found.iter().map(|found| {
                    let location = format!("{}{endpoint}/{}", context.base_url, found.id);
                    json!({ "value": found.id.to_string(), "$ref": location })
                });
                let listed: Vec<Value> = listed.collect();
                if !listed.is_empty() {
                    let row = shown.entry(person.row).or_default();
                    row.push((at(one), listed.into()));
                }
            }
        }
        Ok(shown)
    }
}
