//! `muster restore`: takes back what a client did.

use chrono::{DateTime, Utc};
use clap::Args;

use super::database::Place;
use super::{Failure, print};
use crate::clock::{Clock, SystemClock};
use crate::id::ResourceId;
use crate::service::restore::{Fate, Restoration, Restored};
use crate::telemetry;

/// What to take back.
#[derive(Debug, Args)]
pub(super) struct Options {
    /// The client whose acts they are.
    #[arg(
        long,
        value_name = "NAME",
        requires = "since",
        required_unless_present = "review"
    )]
    client: Option<String>,
    /// Since when, as 2031-03-01T12:00:00Z.
    #[arg(long, value_name = "TIME")]
    since: Option<DateTime<Utc>>,
    /// What a review of the leaver brake is about: the client's acts of that kind since they were counted.
    #[arg(long, value_name = "ID", conflicts_with_all = ["client", "since"])]
    review: Option<String>,
    /// Only say what would be done.
    #[arg(long)]
    dry_run: bool,
    /// The tenant.
    #[arg(long, default_value = "default")]
    tenant: String,
    /// Who orders it, for the log.
    #[arg(long, value_name = "NAME", env = "USER", default_value = "operator")]
    actor: String,
    #[command(flatten)]
    place: Place,
}

/// How many acts came to what.
#[derive(Default)]
struct Counts {
    accounts: usize,
    records: usize,
    members: usize,
    kept: usize,
}

/// Takes it back, and prints a line for each act.
pub(super) fn run(options: &Options) -> Result<(), Failure> {
    telemetry::init(telemetry::Lines::Text, None).map_err(Failure::usage)?;
    let service = options.place.open()?;
    let tenant = service
        .find_tenant(&options.tenant)?
        .ok_or_else(|| Failure::run(format!("there is no tenant '{}'", options.tenant)))?;
    let (client, act, since) = match (&options.review, &options.client, options.since) {
        (Some(review), _, _) => {
            let id: ResourceId = review
                .parse()
                .map_err(|_| Failure::usage(format!("'{review}' is no id of a review")))?;
            let (client, act, since) = service.braked(tenant, id)?;
            (client, Some(act), since)
        }
        (None, Some(client), Some(since)) => (client.clone(), None, since),
        _ => return Err(Failure::usage("name a --client and --since, or a --review")),
    };
    let order = Restoration {
        tenant,
        client,
        since,
        act,
        actor: options.actor.clone(),
        at: SystemClock.now(),
        dry_run: options.dry_run,
    };
    let mut counts = Counts::default();
    let mut printed = Ok(true);
    let done = service.restore(&order, |one| {
        counts.add(&one.fate);
        let written = print(&line(one));
        if printed.is_ok() {
            printed = written;
        }
    });
    done?;
    printed?;
    print(&counts.summary(options.dry_run)).map(drop)
}

impl Counts {
    fn add(&mut self, fate: &Fate) {
        match fate {
            Fate::Activated => self.accounts += 1,
            Fate::Returned => self.records += 1,
            Fate::Rejoined(members) => self.members += members,
            Fate::Kept(_) => self.kept += 1,
        }
    }

    fn summary(&self, dry_run: bool) -> String {
        let Self {
            accounts,
            records,
            members,
            kept,
        } = self;
        let mood = if dry_run { "would be" } else { "are" };
        format!(
            "{accounts} accounts {mood} active again, {records} records {mood} back, {members} memberships {mood} restored, {kept} \
             acts left as they are\n"
        )
    }
}

fn line(one: &Restored) -> String {
    let Restored {
        at,
        resource_type,
        id,
        fate,
    } = one;
    let what = match fate {
        Fate::Activated => "active again".to_owned(),
        Fate::Returned => "back".to_owned(),
        Fate::Rejoined(members) => format!("{members} members back"),
        Fate::Kept(why) => format!("left as it is: {why}"),
    };
    format!("{at} {resource_type} {id}: {what}\n")
}
