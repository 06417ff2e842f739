//! From a file to a mapping, and what its rows must not say: a place twice, a value of another kind, less than the type
//! requires.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::super::policy::finding::{Findings, Placed, Position};
use super::super::policy::read::unknown;
use super::convert::Converter;
use super::read::{Empty, File, Format, Line};
use super::source::Source;
use super::target::Target;
use super::{Claim, Mapping};
use crate::domain::catalog::Catalog;
use crate::domain::view::View;
use crate::scim::resource_type::{Location, ResourceType};
use crate::scim::schema::{self, Kind, Mutability};

/// The mapping of a file; nothing where not even its type is known. What is wrong is added to `findings`.
pub(super) fn compile(file: File, catalog: &Catalog, findings: &mut Findings) -> Option<Mapping> {
    let view = view_of(&file.resource_type, catalog, findings);
    let delimiter = character(file.delimiter.as_ref(), ("delimiter", ','), findings);
    let quote = character(file.quote.as_ref(), ("quote", '"'), findings);
    if delimiter == quote {
        let at = file.delimiter.as_ref().or(file.quote.as_ref());
        let at = at.map_or(file.at, |placed| placed.at);
        findings.error(
            at,
            "delimiter and quote are one character: they must differ",
        );
    }
    for told in [&file.delimiter, &file.quote].into_iter().flatten() {
        if file.format != Format::Csv {
            findings.warn(
                told.at,
                "only csv has delimiters and quotes: this has no effect",
            );
        }
    }
    let (external_id, said_at) = singles(&file, findings);
    let view = view?;
    let resource_type = view.resource_type.clone();
    let lines = file.claims.iter();
    let claims: Vec<Claim> = lines
        .filter_map(|line| claim(line, file.format, &view, findings))
        .collect();
    let (claims, groups) = grouped(claims, findings);
    if file.format != Format::Scim {
        required(&resource_type, &claims, file.at, findings);
    }
    Some(Mapping {
        system: file.system,
        format: file.format,
        delimiter,
        quote,
        resource_type,
        external_id,
        at: said_at,
        claims,
        groups,
    })
}

/// Where a row's id and time stand.
fn singles(file: &File, findings: &mut Findings) -> (Source, Option<(Source, Converter)>) {
    let external_id = source(&file.external_id, file.format, findings);
    let said_at = file.said_at.as_ref().map(|said| {
        let with = said.with.clone().unwrap_or_default();
        let moment = matches!(
            with.value,
            Converter::Text | Converter::Date(_) | Converter::DateTime(_)
        );
        if !moment {
            findings.error(with.at, "the source's time is read by date or dateTime");
        }
        (source(&said.from, file.format, findings), with.value)
    });
    for (source, at) in [(Some(&external_id), file.external_id.at)]
        .into_iter()
        .chain(
            said_at
                .as_ref()
                .zip(file.said_at.as_ref())
                .map(|((source, _), said)| (Some(source), said.from.at)),
        )
    {
        if source.is_some_and(Source::repeats) {
            findings.error(at, "a row has one of it: '[*]' repeats");
        }
    }
    (external_id, said_at)
}

fn view_of(
    named: &Placed<String>,
    catalog: &Catalog,
    findings: &mut Findings,
) -> Option<Arc<View>> {
    let mut views = catalog.views().iter();
    let found = views
        .find(|view| view.resource_type.name == named.value)
        .cloned();
    if found.is_none() && !named.value.is_empty() {
        let known = catalog
            .views()
            .iter()
            .map(|view| view.resource_type.name.as_str());
        findings.error(named.at, unknown("resource type", &named.value, known));
    }
    found
}

fn character(
    told: Option<&Placed<String>>,
    (key, absent): (&str, char),
    findings: &mut Findings,
) -> char {
    let Some(told) = told else { return absent };
    let mut chars = told.value.chars();
    match (told.value.as_str(), chars.next(), chars.next()) {
        ("tab", ..) => '\t',
        (_, Some(one), None) if one.is_ascii() && one != '\n' && one != '\r' => one,
        _ => {
            let reason = format!(
                "{key} is '{}', but must be one ASCII character, or tab",
                told.value
            );
            findings.error(told.at, reason);
            absent
        }
    }
}

fn source(named: &Placed<String>, format: Format, findings: &mut Findings) -> Source {
    if format == Format::Csv || named.value.is_empty() {
        return Source::Column(named.value.clone());
    }
    Source::path(&named.value).unwrap_or_else(|reason| {
        findings.error(named.at, reason);
        Source::Column(named.value.clone())
    })
}

fn claim(line: &Line, format: Format, view: &View, findings: &mut Findings) -> Option<Claim> {
    let from = source(&line.from, format, findings);
    if line.to.value.is_empty() {
        return None;
    }
    let to = match Target::parse(&line.to.value, &view.resource_type) {
        Ok(to) => to,
        Err(reason) => {
            findings.error(line.to.at, reason);
            return None;
        }
    };
    if let Some(reason) = misfit(&from, &to, &line.with.value) {
        let at = if line.with.at == Position::default() {
            line.to.at
        } else {
            line.with.at
        };
        findings.error(at, reason);
    }
    let clears = line.empty == Some(Empty::Clear);
    if clears && to.element.is_some() {
        let reason = format!(
            "'{}' is a part of an element: that there is none, only a whole attribute can say",
            to.text
        );
        findings.error(line.to.at, reason);
    }
    let is_of = |at: &Location| at == &to.location || at.whole() == to.location;
    let units = view
        .units()
        .filter(|(at, _)| is_of(at) || *at == &to.location.whole());
    let paths = units.map(|(_, path)| path.to_owned()).collect();
    Some(Claim {
        at: line.to.at,
        from,
        paths,
        to,
        with: line.with.value.clone(),
        clears,
    })
}

/// Why what comes of a row does not fit where it goes.
fn misfit(from: &Source, to: &Target, with: &Converter) -> Option<String> {
    let (name, kind) = (&to.text, to.leaf.kind);
    let takes_list = to.is_list && to.element.is_none();
    if let Converter::Name(_) = with {
        let is_name = kind == Kind::Complex && to.leaf.sub("familyName").is_some() && !to.is_list;
        return (!is_name).then(|| {
            format!("'{name}' has no familyName and givenName: the converter 'name' goes to 'name'")
        });
    }
    if kind == Kind::Complex {
        let parts = to.leaf.sub_attributes.iter();
        let parts: Vec<String> = parts.map(|sub| format!("{name}.{}", sub.name)).collect();
        return Some(format!(
            "'{name}' has parts: name one of {}",
            parts.join(", ")
        ));
    }
    if (from.repeats() || matches!(with, Converter::Split(_))) && !to.is_list {
        return Some(format!(
            "'{name}' takes one value, but several come of '{}'",
            from.name()
        ));
    }
    if matches!(with, Converter::Split(_)) && !takes_list {
        return Some(format!(
            "'split' makes values of a list, and '{name}' is a part of an element"
        ));
    }
    let fits = match with {
        Converter::Boolean { .. } => kind == Kind::Boolean,
        Converter::Number => matches!(kind, Kind::Integer | Kind::Decimal),
        Converter::DateTime(_) => kind == Kind::DateTime,
        Converter::Date(_) => matches!(kind, Kind::String | Kind::DateTime),
        _ => true,
    };
    (!fits).then(|| format!("'{name}' is of another kind than what its converter makes"))
}

/// Tells rows on one place, and numbers the elements.
fn grouped(mut claims: Vec<Claim>, findings: &mut Findings) -> (Vec<Claim>, usize) {
    let mut places: BTreeMap<String, Position> = BTreeMap::new();
    let mut groups: Vec<String> = Vec::new();
    for claim in &mut claims {
        let is_open = claim.to.is_list && claim.to.element.is_none();
        if let Some(first) = places
            .insert(claim.to.place(), claim.at)
            .filter(|_| !is_open)
        {
            let reason = format!(
                "line {} claims '{}' already: a place is claimed once",
                first.line, claim.to.text
            );
            findings.error(claim.at, reason);
        }
        let group = claim.to.group();
        if let Some(element) = &mut claim.to.element {
            element.group = groups
                .iter()
                .position(|known| *known == group)
                .unwrap_or_else(|| {
                    groups.push(group);
                    groups.len() - 1
                });
        }
    }
    let mut told = BTreeSet::new();
    for claim in &claims {
        let Some(element) = &claim.to.element else {
            continue;
        };
        let lacks = element.required.iter().find(|name| {
            let mut parts = claims.iter().filter_map(|other| other.to.element.as_ref());
            let claimed = parts.any(|part| part.group == element.group && part.sub == **name);
            !claimed && !element.fixed.contains_key(*name)
        });
        if let Some(name) = lacks.filter(|_| told.insert(element.group)) {
            let reason =
                format!("no row claims the part '{name}', which each of these elements must have");
            findings.error(claim.at, reason);
        }
    }
    (claims, groups.len())
}

/// Tells what the type requires and no row claims.
fn required(ty: &ResourceType, claims: &[Claim], at: Position, findings: &mut Findings) {
    for whole in ty.attributes() {
        let attribute = whole.attribute;
        let mut common = schema::common().iter();
        let is_common = common.any(|common| common.name == attribute.name);
        let own = whole.location.extension.is_none() && !is_common;
        if !own || !attribute.required || attribute.mutability == Mutability::ReadOnly {
            continue;
        }
        let claimed = claims
            .iter()
            .any(|claim| claim.to.location.whole() == whole.location);
        if !claimed {
            let reason = format!(
                "no row claims '{}', which every {} must have: all rows would be rejected",
                whole.location, ty.name
            );
            findings.error(at, reason);
        }
    }
}
