//! `muster break-glass`: a purpose for a client, for a while, with a reason and a second person's approval.

use std::fmt::Write;

use chrono::SecondsFormat;
use clap::{Args, Subcommand};

use super::database::{By, Place, Whose};
use super::{Failure, print};
use crate::clock::{Clock, SystemClock};
use crate::id::ResourceId;
use crate::service::break_glass::Request;

/// What can be asked of it.
#[derive(Debug, Args)]
pub(super) struct Options {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Ask that a client may have a purpose for a while.
    Request(Ask),
    /// Approve it, as somebody else than who asked.
    Approve(One),
    /// End it at once.
    End(One),
    /// List what was asked for, the newest first.
    List(Whose),
}

#[derive(Debug, Args)]
struct Ask {
    /// The client.
    #[arg(long, value_name = "NAME")]
    client: String,
    /// The purpose that it shall have.
    #[arg(long, value_name = "NAME")]
    purpose: String,
    /// For how many minutes from the approval on.
    #[arg(long, value_name = "N", default_value_t = 60)]
    minutes: i32,
    /// Why: it is logged.
    #[arg(long, value_name = "TEXT")]
    reason: String,
    #[command(flatten)]
    by: By,
    #[command(flatten)]
    all: Whose,
}

#[derive(Debug, Args)]
struct One {
    /// The request's id.
    id: String,
    #[command(flatten)]
    by: By,
    #[command(flatten)]
    place: Place,
}

/// Does it.
pub(super) fn run(options: &Options) -> Result<(), Failure> {
    match &options.command {
        Command::Request(ask) => request(ask),
        Command::Approve(one) => {
            let service = one.place.open()?;
            let until = service.approve_glass(id(&one.id)?, &one.by.actor, SystemClock.now())?;
            let until = until.to_rfc3339_opts(SecondsFormat::Secs, true);
            print(&format!("it holds until {until}\n")).map(drop)
        }
        Command::End(one) => {
            let service = one.place.open()?;
            service.end_glass(id(&one.id)?, &one.by.actor, SystemClock.now())?;
            print("it has ended\n").map(drop)
        }
        Command::List(all) => list(all),
    }
}

fn request(ask: &Ask) -> Result<(), Failure> {
    let service = ask.all.place.open()?;
    let request = Request {
        tenant: ask.all.tenant.clone(),
        client: ask.client.clone(),
        purpose: ask.purpose.clone(),
        minutes: ask.minutes,
        reason: ask.reason.clone(),
    };
    let id = service.break_glass(&request, &ask.by.actor, SystemClock.now())?;
    print(&format!("{id}\n")).map(drop)
}

fn list(all: &Whose) -> Result<(), Failure> {
    let service = all.place.open()?;
    let glasses = service.glasses(&all.tenant)?;
    let mut text = String::new();
    for glass in glasses {
        let state = match (&glass.approved_by, glass.until) {
            (Some(approver), Some(until)) => {
                let until = until.to_rfc3339_opts(SecondsFormat::Secs, true);
                format!("until {until}, approved by {approver}")
            }
            (None, Some(_)) => "ended, not approved".into(),
            _ => format!("{} minutes, not approved", glass.minutes),
        };
        let _ = writeln!(
            text,
            "{}  {} for {}: {state}; asked by {}: {}",
            glass.id, glass.client, glass.purpose, glass.requested_by, glass.reason
        );
    }
    print(&text).map(drop)
}

fn id(text: &str) -> Result<ResourceId, Failure> {
    text.parse()
        .map_err(|_| Failure::usage(format!("'{text}' is no id: see `muster break-glass list`")))
}
