//! `muster resolve train --store` and `muster resolve models`: models kept for a tenant, which its policy may name.

use std::fmt::Write;

use chrono::SecondsFormat;
use clap::Args;

use super::{Failure, print};
use crate::cli::database::Place;
use crate::clock::{Clock, SystemClock};
use crate::domain::catalog::Catalog;
use crate::domain::matching::Model;
use crate::domain::policy::load;
use crate::service::policy::Order;

/// Where models are kept, and for whom.
#[derive(Debug, Args)]
struct Tenancy {
    /// The tenant.
    #[arg(long, value_name = "NAME", default_value = "default")]
    tenant: String,
    #[command(flatten)]
    place: Place,
}

/// `train --store NAME`.
#[derive(Debug, Args)]
pub(super) struct Keep {
    /// Keep the model for the tenant under this name, as its next version, so that the policy can name it:
    /// `matching: { …, model: NAME }`.
    #[arg(long, value_name = "NAME")]
    store: Option<String>,
    /// Who keeps it: logged.
    #[arg(long, value_name = "NAME", env = "USER", default_value = "operator")]
    actor: String,
    /// Why: logged.
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
    #[command(flatten)]
    of: Tenancy,
}

/// `models`.
#[derive(Debug, Args)]
pub(super) struct Models {
    #[command(flatten)]
    of: Tenancy,
}

/// Keeps a model, where it is asked for.
pub(super) fn keep(options: &Keep, model: &Model) -> Result<(), Failure> {
    let Some(name) = &options.store else {
        return Ok(());
    };
    let order = Order {
        actor: options.actor.clone(),
        reason: options.reason.clone(),
        at: SystemClock.now(),
        after: None,
    };
    let tenant = &options.of.tenant;
    let service = options.of.place.open()?;
    let stored = service.store_model(tenant, name, model, &order);
    let (name, version) = stored.map(|stored| (stored.name, stored.version))?;
    print(&format!(
        "stored for the tenant '{tenant}' as {name}@{version}: a policy with 'model: {name}@{version}' goes by it\n"
    ))
    .map(drop)
}

/// Lists them.
pub(super) fn models(options: &Models) -> Result<(), Failure> {
    let tenant = &options.of.tenant;
    let service = options.of.place.open()?;
    let (models, policy) = (service.models(tenant), service.policy_text(tenant, None));
    let catalog = Catalog::load().map_err(Failure::run)?;
    let policy = policy?.and_then(|(_, text)| load(&text, &catalog).policy);
    let matching = policy.and_then(|policy| policy.matching);
    let mut lines = String::new();
    for stored in models? {
        let at = stored.created.to_rfc3339_opts(SecondsFormat::Secs, true);
        let name = format!("{}@{}", stored.name, stored.version);
        let _ = writeln!(lines, "{name:<32}  {at}  {}", stored.actor);
    }
    if lines.is_empty() {
        let _ = writeln!(lines, "no model is stored for the tenant '{tenant}'");
    }
    let _ = match matching {
        Some(row) => writeln!(
            lines,
            "the policy in force says: model: {}",
            row.model.value
        ),
        None => writeln!(lines, "the policy in force has no 'matching' row"),
    };
    print(&lines).map(drop)
}
