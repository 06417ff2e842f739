//! List requests (RFC 7644 §3.4.2), searches (§3.4.3) and list responses, by index and by cursor (RFC 9865).

use serde::Serialize;
use serde_json::Value;

use super::Map;
use super::attribute_path::AttributePath;
use super::comparable::Comparison;
use super::document;
use super::error::{Error, Kind as ErrorKind, Result};
use super::filter::{self, Condition};
use super::json::name_of;
use super::profile::Profile;
use super::projection::Projection;
use super::resource_type::{Among, Location, ResourceType};
use super::schema::Kind;

/// The URN of a search's body.
pub const SEARCH_URN: &str = "urn:ietf:params:scim:api:messages:2.0:SearchRequest";
/// The URN of a list response.
pub const LIST_URN: &str = "urn:ietf:params:scim:api:messages:2.0:ListResponse";

/// What a client asks of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListRequest {
    /// Which resources.
    pub filter: Option<Condition>,
    /// In which order.
    pub sort: Option<Sort>,
    /// From which one on, counted from 1.
    pub start_index: u64,
    /// From where on, if pages are turned by cursor (RFC 9865 §2): empty for the first page.
    pub cursor: Option<String>,
    /// How many at most; the server's own default if absent.
    pub count: Option<u64>,
    /// Which attributes of each.
    pub projection: Projection,
}

/// An order of resources (RFC 7644 §3.4.2.3).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sort {
    /// The leaf that they are sorted by.
    pub location: Location,
    /// How its values compare.
    pub comparison: Comparison,
    /// Whether the attribute has elements: then the primary one's value counts, or else the first one's.
    pub multi_valued: bool,
    /// Last first.
    pub descending: bool,
}

impl Sort {
    /// The text that a document is sorted by; one without comes last, or first if descending: downward is upward read
    /// backward. Of several elements the primary one counts, or else the first, among those that have a value here.
    #[must_use]
    pub fn key(&self, document: &Map) -> Option<String> {
        let elements = document::elements(document, &self.location);
        let is_primary = |element: &Value| element.get("primary") == Some(&Value::Bool(true));
        let text = |element: &Value| {
            let values = document::within(element, &self.location).iter();
            values.filter_map(|value| self.comparison.text(value)).min()
        };
        let primary = elements
            .iter()
            .find(|element| is_primary(element))
            .and_then(text);
        primary.or_else(|| elements.iter().find_map(text))
    }
}

/// The parameters as written, before they mean anything.
#[derive(Default)]
struct Parameters {
    filter: Option<String>,
    sort_by: Option<String>,
    sort_order: Option<String>,
    start_index: Option<String>,
    cursor: Option<String>,
    count: Option<String>,
    attributes: Option<String>,
    excluded: Option<String>,
}

impl Parameters {
    fn slot(&mut self, name: &str) -> Option<&mut Option<String>> {
        let slot = match name {
            "filter" => &mut self.filter,
            "sortBy" => &mut self.sort_by,
            "sortOrder" => &mut self.sort_order,
            "startIndex" => &mut self.start_index,
            "cursor" => &mut self.cursor,
            "count" => &mut self.count,
            "attributes" => &mut self.attributes,
            "excludedAttributes" => &mut self.excluded,
            _ => return None,
        };
        Some(slot)
    }

    fn set(&mut self, name: &str, text: String) -> Result<()> {
        match self.slot(name) {
            Some(slot) if slot.is_some() => Err(Error::invalid_value(format!(
                "the parameter '{name}' is given twice"
            ))),
            Some(slot) => {
                *slot = Some(text);
                Ok(())
            }
            None => Ok(()),
        }
    }

    fn request(self, among: Among<'_>, profile: Profile) -> Result<ListRequest> {
        let filter = match &self.filter {
            Some(text) => Some(filter::condition_among(text, among, profile)?),
            None => None,
        };
        // RFC 9865 §2.3: each of the two asks for a method of its own.
        if self.start_index.is_some() && self.cursor.is_some() {
            return Err(Error::invalid_value(
                "'startIndex' and 'cursor' exclude each other: send one of them",
            ));
        }
        let start_index = match &self.start_index {
            Some(text) => whole_number("startIndex", text)?.max(1),
            None => 1,
        };
        let count = match &self.count {
            Some(text) => Some(whole_number("count", text)?),
            None => None,
        };
        Ok(ListRequest {
            filter,
            sort: sort(among, self.sort_by.as_deref(), self.sort_order.as_deref())?,
            start_index,
            cursor: self.cursor,
            count,
            projection: Projection::parse(
                among.ty,
                self.attributes.as_deref(),
                self.excluded.as_deref(),
            )?,
        })
    }
}

impl ListRequest {
    /// Reads the decoded pairs of a URI's query; parameters that SCIM does not know are passed over.
    pub fn from_query(
        ty: &ResourceType,
        pairs: &[(String, String)],
        profile: Profile,
    ) -> Result<Self> {
        let mut parameters = Parameters::default();
        for (name, text) in pairs {
            parameters.set(name, text.clone())?;
        }
        if let Some(text) = &parameters.filter {
            refuse_secrets(ty, text, profile)?;
        }
        parameters.request(ty.into(), profile)
    }

    /// Reads a search's body (RFC 7644 §3.4.3).
    pub fn from_search(ty: &ResourceType, body: Map, profile: Profile) -> Result<Self> {
        Self::from_search_among(ty.into(), body, profile)
    }

    /// Reads the body of a search over several types, as it is meant for one of them (§3.4.2.1).
    pub fn from_search_among(among: Among<'_>, body: Map, profile: Profile) -> Result<Self> {
        let names_search = |urn: &Value| {
            urn.as_str()
                .is_some_and(|urn| urn.eq_ignore_ascii_case(SEARCH_URN))
        };
        let schemas = body.get("schemas").and_then(Value::as_array);
        if !schemas.is_some_and(|urns| urns.iter().any(names_search)) {
            return Err(Error::invalid_syntax(format!(
                "a search needs \"schemas\": [\"{SEARCH_URN}\"]"
            )));
        }
        let mut parameters = Parameters::default();
        for (name, value) in body {
            if parameters.slot(&name).is_none() || value.is_null() {
                continue;
            }
            let text = parameter_text(&name, value)?;
            parameters.set(&name, text)?;
        }
        parameters.request(among, profile)
    }
}

/// RFC 7644 §7.5.2: a URI is written into logs and histories, so what is secret does not belong there.
fn refuse_secrets(ty: &ResourceType, text: &str, profile: Profile) -> Result<()> {
    let paths = filter::parse_as(text, profile)?.paths();
    let secret = paths
        .iter()
        .filter_map(|path| ty.resolve(path))
        .find(|found| found.attribute.secret);
    secret.map_or(Ok(()), |found| {
        Err(Error::sensitive_in_uri(&found.location))
    })
}

/// A search's member as a query would write it.
fn parameter_text(name: &str, value: Value) -> Result<String> {
    let wanted = match name {
        "startIndex" | "count" => "a whole number",
        "attributes" | "excludedAttributes" => "an array of strings",
        _ => "a string",
    };
    let unfit = |found: &Value| {
        Error::invalid_value(format!("'{name}' must be {wanted}, not {}", name_of(found)))
    };
    match (name, value) {
        ("startIndex" | "count", Value::Number(number)) => Ok(number.to_string()),
        ("startIndex" | "count", other) => Err(unfit(&other)),
        (_, Value::String(text)) => Ok(text),
        ("attributes" | "excludedAttributes", Value::Array(names)) => {
            let names = names
                .iter()
                .map(|name| name.as_str().ok_or_else(|| unfit(name)));
            Ok(names.collect::<Result<Vec<_>>>()?.join(","))
        }
        (_, other) => Err(unfit(&other)),
    }
}

/// A whole number, below zero read as zero (RFC 7644 §3.4.2.4, RFC 9865 §2) and clamped to what a database counts to.
fn whole_number(name: &str, text: &str) -> Result<u64> {
    let text = text.trim();
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(Error::invalid_value(format!(
            "'{name}' must be a whole number, not '{text}'"
        )));
    }
    if text.starts_with('-') {
        return Ok(0);
    }
    let most = i64::MAX.cast_unsigned();
    Ok(digits.parse().unwrap_or(most).min(most))
}

fn sort(among: Among<'_>, by: Option<&str>, order: Option<&str>) -> Result<Option<Sort>> {
    let descending = match order {
        None | Some("") => false,
        Some(order) if order.eq_ignore_ascii_case("ascending") => false,
        Some(order) if order.eq_ignore_ascii_case("descending") => true,
        Some(order) => {
            return Err(Error::invalid_value(format!(
                "'sortOrder' must be ascending or descending, not '{order}'"
            )));
        }
    };
    let Some(by) = by.filter(|by| !by.trim().is_empty()) else {
        return Ok(None);
    };
    let path = AttributePath::parse(by.trim(), ErrorKind::InvalidPath)?;
    // RFC 7644 §3.4.2.3: where nobody has a value, no order is asked for.
    let Some(mut found) = among.find(&path, ErrorKind::InvalidPath)? else {
        return Ok(None);
    };
    if found.leaf().kind == Kind::Complex {
        // RFC 7644 §3.4.2.3: a complex attribute is sorted by its value.
        found = found.sub("value").ok_or_else(|| {
            Error::invalid_path(format!(
                "'{by}' is complex: sort by one of its sub-attributes"
            ))
        })?;
    }
    if !found.attribute.is_searchable() || !found.leaf().is_searchable() {
        return Err(Error::invalid_path(format!(
            "'{by}' is never returned, so it cannot be sorted by"
        )));
    }
    Ok(Some(Sort {
        comparison: Comparison::of(found.leaf()),
        multi_valued: found.attribute.multi_valued || found.leaf().multi_valued,
        location: found.location,
        descending,
    }))
}

/// Where a page stands among all results.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Place {
    /// How many match in all; left out where counting them costs too much (RFC 9865 §2).
    pub total: Option<u64>,
    /// The 1-based index of the first, if pages are turned by index.
    pub start_index: Option<u64>,
    /// Where the next page begins, if pages are turned by cursor and this is not the last.
    pub next_cursor: Option<String>,
}

/// A list response (RFC 7644 §3.4.2, RFC 9865 §2) of one page.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ListResponse<'a, R> {
    schemas: [&'static str; 1],
    #[serde(skip_serializing_if = "Option::is_none")]
    total_results: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    start_index: Option<u64>,
    items_per_page: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cursor: Option<&'a str>,
    #[serde(rename = "Resources", skip_serializing_if = "Option::is_none")]
    resources: Option<&'a [R]>,
}

impl<'a, R> ListResponse<'a, R> {
    /// The response that holds these resources.
    #[must_use]
    pub fn new(place: &'a Place, resources: &'a [R]) -> Self {
        Self {
            resources: Some(resources),
            ..Self::envelope(place, resources.len())
        }
    }

    /// All but the resources, for those who write them themselves.
    #[must_use]
    pub fn envelope(place: &'a Place, items_per_page: usize) -> Self {
        Self {
            schemas: [LIST_URN],
            total_results: place.total,
            start_index: place.start_index,
            items_per_page,
            next_cursor: place.next_cursor.as_deref(),
            resources: None,
        }
    }
}

#[cfg(test)]
mod tests;
