//! Mapping files: what the columns of an extract, or the paths of its JSON, claim of a person (B-007, B-019). Pure data,
//! read like a policy, every mistake told with its place.
//!
//! ```yaml
//! system: hris
//! format: csv                      # or jsonl: JSON Lines, or one array; or scim: a bulk request, which needs no claims
//! delimiter: ";"                   # of csv; a comma without it
//! resourceType: Person
//! externalId: employee_id
//! at: { from: changed_at, with: dateTime }
//! claims:
//!   - { from: surname, to: name.familyName }
//!   - { from: mail, to: 'emails[type eq "work"].value', empty: clear }
//!   - { from: born, to: birthDate, with: { date: ["%d.%m.%Y"] } }
//! ```
//!
//! | file | what it knows |
//! |---|---|
//! | `read` | from the tree to typed rows |
//! | `source` | where a value comes from: a column, or a path through JSON |
//! | `target` | where it goes: an attribute, an element, a part of either |
//! | `convert` | what is made of it on the way |
//! | `check` | what its rows must not say of each other |
//! | `apply` | what one row of an extract says |
//! | `render` `revert` | the way back: a resource as a row of the same layout |

mod apply;
mod check;
mod convert;
mod read;
mod render;
mod revert;
mod source;
mod target;

use std::sync::Arc;

pub use apply::{Bound, Fault, Row, Said};
pub use read::{Empty, Encoding, Format};
pub use render::Rendered;

use super::catalog::Catalog;
use super::policy::finding::Findings;
use super::policy::read::Read;
use super::policy::{Finding, Position, Severity, yaml};
use crate::scim::resource_type::ResourceType;
use convert::Converter;
use read::File;
use source::Source;
use target::Target;

const MAPPING: yaml::Wording = yaml::Wording {
    file: "mapping",
    least: "system, format, externalId and claims",
};

/// How columns claim attributes.
#[derive(Clone, Debug)]
pub struct Mapping {
    /// The source system whose extract it reads.
    pub system: String,
    /// How the extract is written.
    pub format: Format,
    /// What separates the cells of CSV.
    pub delimiter: char,
    /// What encloses a cell of CSV that holds a delimiter, a line end, or this itself, then doubled.
    pub quote: char,
    /// The type as which its rows are taken.
    pub resource_type: Arc<ResourceType>,
    external_id: Source,
    at: Option<(Source, Converter)>,
    claims: Vec<Claim>,
    /// How many kinds of element its claims make.
    groups: usize,
}

/// One row of a mapping.
#[derive(Clone, Debug)]
struct Claim {
    at: Position,
    from: Source,
    to: Target,
    /// The canonical paths of the attribute that takes its values.
    paths: Vec<String>,
    with: Converter,
    /// Whether an empty cell claims that there is no value; else it says nothing.
    clears: bool,
}

/// What came of reading a file.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// The mapping, if there is no error.
    pub mapping: Option<Mapping>,
    /// Every mistake, in the order of the file.
    pub findings: Vec<Finding>,
}

/// Reads the bytes of a mapping file and checks all that it says against the resource types of `catalog`.
#[must_use]
pub fn load(bytes: &[u8], catalog: &Catalog) -> Loaded {
    let mut findings = Findings::default();
    let mapping = yaml::read(bytes, MAPPING, &mut findings).and_then(|root| {
        let file = File::read(&root, &mut findings);
        check::compile(file, catalog, &mut findings)
    });
    let findings = findings.sorted();
    let sound = findings
        .iter()
        .all(|found| found.severity != Severity::Error);
    Loaded {
        mapping: mapping.filter(|_| sound),
        findings,
    }
}
