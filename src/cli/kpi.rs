//! `muster kpi`: figures of how the house is run, as a table or as JSON.

use std::fmt::Write;

use chrono::{DateTime, Utc};
use clap::Args;
use serde_json::{Map, Value};

use super::database::Place;
use super::{Failure, print};
use crate::clock::{Clock, SystemClock};
use crate::domain::kpi::{Figure, Period, read_time, told};
use crate::telemetry;

/// What can be asked of it.
#[derive(Debug, Args)]
pub(super) struct Options {
    /// The tenant.
    #[arg(long, default_value = "default")]
    tenant: String,
    /// From when: a day (UTC) or an instant; ninety days before `--to` without it.
    #[arg(long, value_name = "TIME", value_parser = time)]
    from: Option<DateTime<Utc>>,
    /// Until when, exclusive: a day (UTC) or an instant; now without it.
    #[arg(long, value_name = "TIME", value_parser = time)]
    to: Option<DateTime<Utc>>,
    /// Print JSON.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    place: Place,
}

fn time(text: &str) -> Result<DateTime<Utc>, String> {
    read_time(text).ok_or_else(|| "write it as 2031-03-01 or 2031-03-01T12:00:00Z".to_owned())
}

/// Prints them.
pub(super) fn run(options: &Options) -> Result<(), Failure> {
    telemetry::init(telemetry::Lines::Text, None).map_err(Failure::usage)?;
    let now = SystemClock.now();
    let period = Period::between(options.from, options.to, now);
    let period = period.ok_or_else(|| Failure::usage("--from must come before --to"))?;
    let service = options.place.open()?;
    let tenant = service
        .find_tenant(&options.tenant)?
        .ok_or_else(|| Failure::run(format!("there is no tenant '{}'", options.tenant)))?;
    let figures = service.kpis_of(tenant, period, now)?;
    if options.json {
        return print(&format!("{:#}\n", told(period, &figures))).map(drop);
    }
    print(&table(&options.tenant, period, &figures)).map(drop)
}

/// A line for each figure and for each of its parts, with what it means below.
fn table(tenant: &str, period: Period, figures: &[Figure]) -> String {
    let day = |at: DateTime<Utc>| at.format("%Y-%m-%d %H:%M");
    let mut out = format!(
        "Figures of '{tenant}' from {} to {} (UTC)\n",
        day(period.from),
        day(period.to)
    );
    for figure in figures {
        let count = figure
            .count
            .map_or("-".to_owned(), |count| count.to_string());
        let line = format!(
            "{:<30}{count:>8}  {}",
            words(figure.name),
            said(&figure.details)
        );
        let _ = write!(out, "\n{}\n", line.trim_end());
        let parts = figure.details.values().filter_map(Value::as_object);
        for (name, row) in parts.flatten() {
            let row = row.as_object().map(said).unwrap_or_default();
            let _ = writeln!(out, "  {:<36}  {row}", words(name));
        }
        let _ = writeln!(
            out,
            "    {} [{}]",
            figure.definition,
            figure.requirements.join(", ")
        );
    }
    out
}

/// What is no part of its own, in a line; times with their unit.
fn said(details: &Map<String, Value>) -> String {
    let unit = details.get("unit").and_then(Value::as_str);
    let mut line = Vec::new();
    for (name, value) in details {
        let value = match value {
            Value::Object(_) => continue,
            _ if name == "unit" => continue,
            Value::String(text) => text.clone(),
            Value::Bool(truth) => ["no", "yes"][usize::from(*truth)].to_owned(),
            Value::Null => "-".to_owned(),
            other => other.to_string(),
        };
        let unit = unit.filter(|_| ["mean", "median", "p90"].contains(&name.as_str()));
        let value = unit.map_or(value.clone(), |unit| format!("{value} {unit}"));
        line.push(format!("{} {value}", words(name)));
    }
    line.join(", ")
}

/// `timeToHire` as `time to hire`.
fn words(name: &str) -> String {
    let mut words = String::with_capacity(name.len() + 4);
    for letter in name.chars() {
        if letter.is_ascii_uppercase() {
            words.push(' ');
        }
        words.push(letter.to_ascii_lowercase());
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_table_says_what_each_figure_is_and_means() {
        let at = |text| read_time(text).unwrap();
        let period = Period {
            from: at("2031-01-01T00:00:00Z"),
            to: at("2031-03-01T12:00:00Z"),
        };
        let hire = Figure::new("timeToHire", &["A-120"], "From here to there.", Some(4))
            .with("unit", "days")
            .with("median", 2.5)
            .with(
                "kinds",
                json!({"match": {"open": 1, "withheld": "fewer than 3"}}),
            );
        let unknown = Figure::new("timeToProductivity", &["A-120"], "Not measurable.", None);
        let lines = table("default", period, &[hire, unknown]);
        let lines: Vec<&str> = lines.lines().collect();
        assert_eq!(
            lines[0],
            "Figures of 'default' from 2031-01-01 00:00 to 2031-03-01 12:00 (UTC)"
        );
        assert_eq!(
            lines[2],
            "time to hire                         4  median 2.5 days"
        );
        assert!(
            lines[3].ends_with("open 1, withheld fewer than 3"),
            "{}",
            lines[3]
        );
        assert_eq!(lines[4], "    From here to there. [A-120]");
        assert_eq!(
            lines[6].trim_end(),
            "time to productivity                 -"
        );
    }
}
