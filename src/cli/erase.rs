//! `muster erase`: destroys what is kept of a person.

use clap::Args;

use super::database::Place;
use super::{Failure, print};
use crate::clock::{Clock, SystemClock};
use crate::id::ResourceId;
use crate::service::Erasure;
use crate::telemetry;

/// Whom to erase.
#[derive(Debug, Args)]
pub(super) struct Options {
    /// The ids of the persons.
    #[arg(value_name = "PERSON", required_unless_present = "purge")]
    persons: Vec<String>,
    /// Their tenant.
    #[arg(long, default_value = "default")]
    tenant: String,
    /// Why, as a code for the log.
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
    /// Who orders it, for the log.
    #[arg(long, value_name = "NAME", env = "USER", default_value = "operator")]
    actor: String,
    /// Let servers on PostgreSQL go on meanwhile: the tables' files are not written anew, and what they still hold is
    /// overwritten in time.
    #[arg(long)]
    online: bool,
    /// Only remove from the files what has been erased before.
    #[arg(long, conflicts_with = "persons")]
    purge: bool,
    #[command(flatten)]
    place: Place,
}

/// Erases one after another; at the first that cannot be, it stops.
pub(super) fn run(options: &Options) -> Result<(), Failure> {
    telemetry::init(telemetry::Lines::Text, None).map_err(Failure::usage)?;
    let ids: Vec<ResourceId> = options
        .persons
        .iter()
        .map(|id| {
            id.parse()
                .map_err(|_| Failure::usage(format!("'{id}' is no id of a person")))
        })
        .collect::<Result<_, _>>()?;
    let service = options.place.open()?;
    let tenant = service
        .find_tenant(&options.tenant)?
        .ok_or_else(|| Failure::run(format!("there is no tenant '{}'", options.tenant)))?;
    let mut done = Ok(());
    let mut erased = 0;
    for person in ids {
        done = service.erase(Erasure {
            tenant,
            person,
            actor: options.actor.clone(),
            at: SystemClock.now(),
            reason: options.reason.clone(),
        });
        if done.is_err() {
            break;
        }
        erased += 1;
        print(&format!("{person} is erased\n"))?;
    }
    if erased > 0 || options.purge {
        let purged = service.purge(!options.online);
        purged.map_err(|error| {
            Failure::run(format!(
                "the files still hold what was erased: {error}; run `muster erase --purge`"
            ))
        })?;
    }
    Ok(done?)
}
