//! `muster trace`: what happened to an application or a person, by any id, ours or another system's (B-043, B-098).

use clap::Args;
use serde_json::Value;

use super::database::Place;
use super::{Failure, print};
use crate::clock::{Clock, SystemClock};
use crate::telemetry;

/// What can be asked of it.
#[derive(Debug, Args)]
pub(super) struct Options {
    /// An id of ours, SYSTEM:FIELD:VALUE, or what any system calls it.
    id: String,
    /// The tenant.
    #[arg(long, default_value = "default")]
    tenant: String,
    /// Print JSON.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    place: Place,
}

/// Prints it.
pub(super) fn run(options: &Options) -> Result<(), Failure> {
    telemetry::init(telemetry::Lines::Text, None).map_err(Failure::usage)?;
    let service = options.place.open()?;
    let tenant = service
        .find_tenant(&options.tenant)?
        .ok_or_else(|| Failure::run(format!("there is no tenant '{}'", options.tenant)))?;
    let told = service.trace_name(tenant, &options.id, SystemClock.now())?;
    if let Some(several) = told["several"].as_array() {
        let lines = several.iter().map(|one| {
            let text = |name: &str| one[name].as_str().unwrap_or_default();
            format!("\n  {} {}", text("resourceType"), text("id"))
        });
        return Err(Failure::usage(format!(
            "'{}' is the name of several: trace one of them by its id{}",
            options.id,
            lines.collect::<String>()
        )));
    }
    if options.json {
        return print(&format!("{told:#}\n")).map(drop);
    }
    print(&lines(&told)).map(drop)
}

fn lines(told: &Value) -> String {
    let text = |value: &Value, name: &str| value[name].as_str().unwrap_or_default().to_owned();
    let mut out = format!("{} {}\n", text(told, "resourceType"), text(told, "id"));
    for event in told["events"].as_array().into_iter().flatten() {
        let at: String = text(event, "at").chars().take(19).collect();
        let mut line = format!("{at}  {:<10} {}", text(event, "actor"), text(event, "what"));
        let reason = text(event, "reasonCode");
        if !reason.is_empty() {
            line = format!("{line} ({reason})");
        }
        out.push_str(line.trim_end());
        out.push_str(&deliveries(event));
        out.push('\n');
    }
    out
}

/// Who reads the feed and has got an event, and who has not.
fn deliveries(event: &Value) -> String {
    let all = event["deliveries"].as_array().into_iter().flatten();
    let (got, pending): (Vec<&Value>, Vec<&Value>) =
        all.partition(|one| one["deliveryStatus"] == "delivered");
    let names = |all: Vec<&Value>| {
        let names = all.into_iter().filter_map(|one| one["client"].as_str());
        names.collect::<Vec<_>>().join(", ")
    };
    let mut told = String::new();
    for (what, names) in [("got by", names(got)), ("not yet by", names(pending))] {
        if !names.is_empty() {
            told = format!("{told}; {what} {names}");
        }
    }
    told
}
