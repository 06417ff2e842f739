//! `muster token`: tokens of the server's own issuer, for callers that can only hold a bearer.

use std::fmt::Write;

use chrono::{DateTime, SecondsFormat, Utc};
use clap::{Args, Subcommand};

use super::database::{By, Whose};
use super::{Failure, print};
use crate::clock::{Clock, SystemClock};
use crate::config::{Config, OwnIssuer};
use crate::issuer::own::{Grant, Own};
use crate::service::token::{Issued, Request, Which};

/// What to say where it is not configured.
const WANTED: &str = r#"this server issues no tokens. Write below the rest of the configuration:

[own_issuer]
key = "/etc/muster/issuer-key.pem"   # made when it is first wanted

and name the file with --config"#;

/// What can be done with tokens.
#[derive(Debug, Args)]
pub(super) struct Options {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Issue a token for a client, and print it: it is shown once, and kept nowhere.
    ///
    /// The token alone is on standard output. It is good in every server a quarter of a second later.
    Issue(Issue),
    /// List the tokens that were issued, the newest first; what they are is not known.
    List(Whose),
    /// Revoke one token, or all of a client: it is refused by every server within a second.
    Revoke(Revoke),
}

#[derive(Debug, Args)]
struct Issue {
    /// The client: as the policy names it, with the issuer of this server.
    #[arg(long, value_name = "NAME")]
    client: String,
    /// For how many days; 365 at most, if the configuration does not say otherwise: nobody notices a copy of a token, so that it
    /// has to be replaced from time to time.
    #[arg(long, value_name = "N")]
    days: u16,
    #[command(flatten)]
    by: By,
    #[command(flatten)]
    all: Whose,
}

#[derive(Debug, Args)]
struct Revoke {
    /// The token's id (`jti`), as `muster token list` shows it.
    #[arg(
        long,
        value_name = "JTI",
        required_unless_present = "client",
        conflicts_with = "client"
    )]
    id: Option<String>,
    /// All tokens of that client.
    #[arg(long, value_name = "NAME")]
    client: Option<String>,
    #[command(flatten)]
    by: By,
    #[command(flatten)]
    all: Whose,
}

/// Does it.
pub(super) fn run(options: &Options) -> Result<(), Failure> {
    match &options.command {
        Command::Issue(options) => issue(options),
        Command::List(options) => list(options),
        Command::Revoke(options) => revoke(options),
    }
}

/// The server's own issuer, if it is configured.
pub(super) fn own(config: &Config) -> Result<Option<(Own, &OwnIssuer)>, Failure> {
    config.check_own_issuer()?;
    let (Some(own), Some(url)) = (&config.own_issuer, config.own_issuer_url()) else {
        return Ok(None);
    };
    let opened = Own::open(&own.key, url, own.audience.clone())?.after(&own.previous)?;
    Ok(Some((opened, own)))
}

fn issue(options: &Issue) -> Result<(), Failure> {
    let Whose { tenant, place } = &options.all;
    let config = place.settings()?;
    let (issuer, own) = own(&config)?.ok_or_else(|| Failure::usage(WANTED))?;
    let configured = config.clients.iter().any(|client| {
        client.name == options.client && client.issuer == issuer.url() && client.tenant == *tenant
    });
    let request = Request {
        tenant: tenant.clone(),
        client: options.client.clone(),
        days: options.days,
        most_days: own.most_days,
        issuer: issuer.url().to_owned(),
        configured,
    };
    let service = place.open()?;
    let issued = service.issue_token(&request, &options.by.actor, SystemClock.now())?;
    let token = issuer.issue(&Grant {
        id: issued.id,
        tenant,
        client: &issued.client,
        issued: issued.issued,
        expires: issued.expires,
    })?;
    print(&format!("{}\n", token.reveal())).map(drop)
}

fn list(options: &Whose) -> Result<(), Failure> {
    let service = options.place.open()?;
    let found = service.tokens(&options.tenant);
    let now = SystemClock.now();
    let mut text = String::new();
    for issued in found? {
        let _ = writeln!(
            text,
            "{}  {}: issued {} by {}, {}",
            issued.id,
            issued.client,
            day(issued.issued),
            issued.issued_by,
            state(&issued, now)
        );
    }
    print(&text).map(drop)
}

fn state(issued: &Issued, now: DateTime<Utc>) -> String {
    if let Some((at, by)) = &issued.revoked {
        let at = at.to_rfc3339_opts(SecondsFormat::Secs, true);
        return format!("revoked {at} by {by}");
    }
    match (issued.expires - now).num_days() {
        _ if issued.expires <= now => format!("expired {}", day(issued.expires)),
        0 => "expires within a day".into(),
        1 => "expires in 1 day".into(),
        days => format!("expires in {days} days"),
    }
}

fn day(at: DateTime<Utc>) -> String {
    at.format("%Y-%m-%d").to_string()
}

fn revoke(options: &Revoke) -> Result<(), Failure> {
    let Whose { tenant, place } = &options.all;
    let which = match (&options.id, &options.client) {
        (Some(id), _) => Which::One(
            id.parse()
                .map_err(|_| Failure::usage(format!("'{id}' is no id: see `muster token list`")))?,
        ),
        (None, client) => Which::Of {
            tenant: tenant.clone(),
            client: client.clone().unwrap_or_default(),
        },
    };
    let service = place.open()?;
    let revoked = service.revoke_tokens(&which, &options.by.actor, SystemClock.now());
    print(&format!("revoked: {}\n", revoked?)).map(drop)
}
