//! `muster resolve keys`: the join keys in use, ranked by the risk that a join by them is wrong.

use std::fmt::Write;

use clap::Args;
use serde_json::{Value, json};

use super::{Failure, print};
use crate::cli::database::Place;
use crate::domain::matching::inventory::JoinKey;
use crate::telemetry;

/// What can be asked of it.
#[derive(Debug, Args)]
pub(super) struct Keys {
    /// The tenant.
    #[arg(long, value_name = "NAME", default_value = "default")]
    tenant: String,
    /// Print one JSON object.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    place: Place,
}

/// Prints them.
pub(super) fn keys(options: &Keys) -> Result<(), Failure> {
    telemetry::init(telemetry::Lines::Text, None).map_err(Failure::usage)?;
    let service = options.place.open()?;
    let name = &options.tenant;
    let tenant = service
        .find_tenant(name)?
        .ok_or_else(|| Failure::run(format!("there is no tenant '{name}'")))?;
    let keys = service.join_keys_of(tenant)?;
    let text = if options.json {
        let keys: Vec<Value> = keys.iter().map(JoinKey::told).collect();
        format!("{:#}\n", json!({ "tenant": name, "keys": keys }))
    } else {
        table(name, &keys)
    };
    print(&text).map(drop)
}

/// A line for each key, with the reason of its rank below.
fn table(tenant: &str, keys: &[JoinKey]) -> String {
    if keys.is_empty() {
        return format!("no record of '{tenant}' holds a join key\n");
    }
    let mut out = format!("Join keys of '{tenant}', the riskiest first\n\n");
    let width = keys.iter().map(|key| key.name.chars().count()).max();
    let width = width.unwrap_or(0).max("key".len());
    let _ = writeln!(
        out,
        "{:<7} {:<width$} {:<12} {:>9} {:>9} {:>9} {:>9}",
        "risk", "key", "record", "records", "values", "shared", "largest"
    );
    for key in keys {
        let (risk, reason) = key.risk();
        let counts = key.counts;
        let _ = writeln!(
            out,
            "{:<7} {:<width$} {:<12} {:>9} {:>9} {:>9} {:>9}",
            risk.word(),
            key.name,
            key.record,
            counts.records,
            counts.values,
            counts.shared,
            counts.largest
        );
        let _ = writeln!(out, "        {reason}");
        let told = key.told();
        if let (Some(roles), Some(aliases)) =
            (told.get("roleAddressPercent"), told.get("aliasPercent"))
        {
            let _ = writeln!(out, "        role addresses {roles} %, aliases {aliases} %");
        }
    }
    out
}
