//! From the tree to typed rows.

use super::super::policy::finding::{Findings, Placed, Position};
use super::super::policy::read::{Fields, Read, one_of, unknown, words};
use super::super::policy::yaml::{Content, Node};
use super::convert::{Converter, Order};

words! {
    /// How an extract is written.
    Format, "format":
    /// A table in text (RFC 4180), its first line the names of the columns.
    Csv = "csv",
    /// JSON Lines, or one JSON array.
    JsonLines = "jsonl",
    /// A SCIM bulk request (RFC 7644 §3.7), or an array of its operations: it says itself what it claims.
    Scim = "scim",
}

words! {
    /// In what an extract is written.
    Encoding, "encoding":
    /// UTF-8, with a byte-order mark or without.
    Utf8 = "utf-8",
}

words! {
    /// What an empty cell says.
    Empty, "word for what an empty cell says":
    /// Nothing.
    Silent = "silent",
    /// That there is no value.
    Clear = "clear",
}

/// A mapping as it stands in its file.
#[derive(Debug, Default)]
pub(super) struct File {
    pub(super) at: Position,
    pub(super) system: String,
    pub(super) format: Format,
    pub(super) delimiter: Option<Placed<String>>,
    pub(super) quote: Option<Placed<String>>,
    pub(super) resource_type: Placed<String>,
    pub(super) external_id: Placed<String>,
    pub(super) said_at: Option<SaidAt>,
    pub(super) claims: Vec<Line>,
}

const KEYS: [&str; 9] = [
    "system",
    "format",
    "delimiter",
    "quote",
    "encoding",
    "resourceType",
    "externalId",
    "at",
    "claims",
];

impl Read for File {
    fn read(node: &Node, findings: &mut Findings) -> Self {
        let mut file = Fields::of(node, &KEYS, findings);
        let _: Option<Encoding> = file.get("encoding");
        let (system, format) = (file.need("system"), file.need("format"));
        if format == Format::Scim {
            return Self::of_scim(file, system);
        }
        Self {
            at: file.at(),
            system,
            format,
            delimiter: file.get("delimiter"),
            quote: file.get("quote"),
            resource_type: file.need("resourceType"),
            external_id: file.need("externalId"),
            said_at: file.get("at"),
            claims: file.need("claims"),
        }
    }
}

impl File {
    /// Of what needs no columns to be told.
    fn of_scim(mut file: Fields<'_, '_>, system: String) -> Self {
        for key in ["externalId", "at", "claims"] {
            if let Some(at) = file.place(key) {
                let reason = format!("a SCIM file says this itself: leave '{key}' out");
                file.findings.error(at, reason);
            }
        }
        let inner = |text: &str| Placed {
            at: file.at(),
            value: text.to_owned(),
        };
        let (external_id, from) = (inner(DATA_ID), inner(DATA_AT));
        Self {
            at: file.at(),
            system,
            format: Format::Scim,
            delimiter: file.get("delimiter"),
            quote: file.get("quote"),
            resource_type: file.need("resourceType"),
            external_id,
            said_at: Some(SaidAt { from, with: None }),
            claims: Vec::new(),
        }
    }
}

/// Where an operation of a bulk request says of whom it is, and when that was known.
const DATA_ID: &str = "data.externalId";
const DATA_AT: &str = "data.meta.lastModified";

/// Where the source's time stands.
#[derive(Debug, Default)]
pub(super) struct SaidAt {
    pub(super) from: Placed<String>,
    pub(super) with: Option<Placed<Converter>>,
}

impl Read for SaidAt {
    fn read(node: &Node, findings: &mut Findings) -> Self {
        if let Content::Scalar { .. } = node.content {
            let from = Placed::read(node, findings);
            return Self { from, with: None };
        }
        let mut row = Fields::of(node, &["from", "with"], findings);
        Self {
            from: row.need("from"),
            with: row.get("with"),
        }
    }
}

/// One row of `claims`.
#[derive(Debug, Default)]
pub(super) struct Line {
    pub(super) from: Placed<String>,
    pub(super) to: Placed<String>,
    pub(super) with: Placed<Converter>,
    pub(super) empty: Option<Empty>,
}

impl Read for Line {
    fn read(node: &Node, findings: &mut Findings) -> Self {
        let mut row = Fields::of(node, &["from", "to", "with", "empty"], findings);
        Self {
            from: row.need("from"),
            to: row.need("to"),
            with: row.get("with"),
            empty: row.get("empty"),
        }
    }
}

const CONVERTERS: [&str; 8] = [
    "text", "date", "dateTime", "boolean", "enum", "number", "name", "split",
];

impl Read for Converter {
    /// Its name; or a mapping of its name to what it takes.
    fn read(node: &Node, findings: &mut Findings) -> Self {
        let (name, at, given) = match &node.content {
            Content::Scalar { text, .. } => (text.as_str(), node.at, None),
            Content::Mapping(pairs) if pairs.len() == 1 => {
                (pairs[0].0.value.as_str(), pairs[0].0.at, Some(&*pairs[0].1))
            }
            _ => {
                let words = CONVERTERS.join(", ");
                let reason = format!("expected one converter of {words}");
                findings.error(node.at, reason);
                return Self::Text;
            }
        };
        match (name, given) {
            ("text", None) => Self::Text,
            ("number", None) => Self::Number,
            ("date", given) => Self::Date(formats(given, findings)),
            ("dateTime", given) => Self::DateTime(formats(given, findings)),
            ("boolean", None) => Self::boolean(),
            ("boolean", Some(node)) => words_of_boolean(node, findings),
            ("enum", Some(node)) => Self::Enum(pairs_of(node, findings)),
            ("name", Some(node)) => Self::Name(order(node, findings)),
            ("split", Some(node)) => Self::Split(String::read(node, findings)),
            ("enum" | "name" | "split", None) => {
                let reason = format!("the converter '{name}' needs to be told how: {}", how(name));
                findings.error(at, reason);
                Self::Text
            }
            ("text" | "number", Some(node)) => {
                findings.error(node.at, format!("the converter '{name}' takes nothing"));
                Self::Text
            }
            _ => {
                findings.error(at, unknown("converter", name, CONVERTERS.into_iter()));
                Self::Text
            }
        }
    }
}

fn how(name: &str) -> &'static str {
    match name {
        "enum" => "enum: { theirs: ours }",
        "name" => "name: \"family, given\" or name: \"given family\"",
        _ => "split: \";\"",
    }
}

/// One pattern or several (chrono's: `%d.%m.%Y`); none means as ISO 8601 has it.
fn formats(node: Option<&Node>, findings: &mut Findings) -> Vec<String> {
    let Some(node) = node else { return Vec::new() };
    let formats: Vec<Placed<String>> = match node.content {
        Content::Scalar { .. } => vec![Placed::read(node, findings)],
        _ => Vec::read(node, findings),
    };
    for format in &formats {
        if !super::convert::is_pattern(&format.value) {
            let reason = format!(
                "'{}' is no pattern of a date: write it as %d.%m.%Y, with %H:%M:%S for a time",
                format.value
            );
            findings.error(format.at, reason);
        }
    }
    formats.into_iter().map(|format| format.value).collect()
}

fn words_of_boolean(node: &Node, findings: &mut Findings) -> Converter {
    let mut row = Fields::of(node, &["true", "false"], findings);
    Converter::Boolean {
        yes: row.need("true"),
        no: row.need("false"),
    }
}

fn pairs_of(node: &Node, findings: &mut Findings) -> Vec<(String, String)> {
    let Content::Mapping(pairs) = &node.content else {
        let reason = format!(
            "expected a mapping of their words to ours, found {}",
            node.kind()
        );
        findings.error(node.at, reason);
        return Vec::new();
    };
    let mut read = |(theirs, ours): &(Placed<String>, std::rc::Rc<Node>)| {
        (theirs.value.clone(), String::read(ours, findings))
    };
    pairs.iter().map(&mut read).collect()
}

fn order(node: &Node, findings: &mut Findings) -> Order {
    let known = [
        ("family, given", Order::FamilyFirst),
        ("given family", Order::GivenFirst),
    ];
    one_of("order of names", &known, node, findings)
}
