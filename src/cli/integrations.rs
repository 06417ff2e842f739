//! `muster integrations`: how far each connected system is behind, as a table or as JSON (B-047).

use clap::Args;

use super::database::Place;
use super::{Failure, print};
use crate::clock::{Clock, SystemClock};
use crate::domain::integration::Integration;
use crate::service::integrations::told;
use crate::telemetry;

/// What can be asked of it.
#[derive(Debug, Args)]
pub(super) struct Options {
    /// The tenant.
    #[arg(long, default_value = "default")]
    tenant: String,
    /// Print JSON.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    place: Place,
}

/// Prints them.
pub(super) fn run(options: &Options) -> Result<(), Failure> {
    telemetry::init(telemetry::Lines::Text, None).map_err(Failure::usage)?;
    let now = SystemClock.now();
    let service = options.place.open()?;
    let tenant = service
        .find_tenant(&options.tenant)?
        .ok_or_else(|| Failure::run(format!("there is no tenant '{}'", options.tenant)))?;
    let connected = service.integrations_of(tenant, now)?;
    if options.json {
        return print(&format!("{:#}\n", told(now, &connected))).map(drop);
    }
    print(&table(&connected)).map(drop)
}

/// A line for each client, under a head.
fn table(connected: &[Integration]) -> String {
    let line = |cells: [&str; 7]| {
        let [client, system, unread, lag, asked, wrote, refused] = cells;
        let line = format!(
            "{client:<20} {system:<14} {unread:>8} {lag:>8} {asked:<20} {wrote:<20} {refused}"
        );
        format!("{}\n", line.trim_end())
    };
    let mut out = line([
        "client",
        "system",
        "unread",
        "lag s",
        "last asked",
        "last wrote",
        "refused",
    ]);
    for one in connected {
        let count = |count: Option<i64>| count.map_or("-".to_owned(), |count| count.to_string());
        let at = |at: &Option<String>| at.as_deref().map_or("-".to_owned(), second);
        let more = ["", "+"][usize::from(one.unread_is_least)];
        let stopped = ["", " stopped"][usize::from(one.stopped)];
        out.push_str(&line([
            &format!("{}{stopped}", one.client),
            one.system.as_deref().unwrap_or("-"),
            &format!("{}{more}", count(one.unread)),
            &count(one.lag_seconds),
            &at(&one.last_asked_at),
            &at(&one.last_wrote_at),
            &one.refused.to_string(),
        ]));
    }
    out
}

/// An instant to the second.
fn second(instant: &str) -> String {
    let whole = instant.split('.').next().unwrap_or_default();
    format!("{}Z", whole.trim_end_matches('Z'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::integration::{Signs, Unread};

    #[test]
    fn a_client_is_a_line() {
        let now = "2031-03-01T12:00:00Z".parse().unwrap();
        let signs = Signs {
            asked: Some((7, now)),
            wrote: None,
            ..Signs::default()
        };
        let unread = Unread {
            count: 3,
            is_least: true,
            newest: Some(9),
            since: Some("2031-03-01T11:59:00Z".parse().unwrap()),
        };
        let hris = Integration::new(("hris", Some("workday")), false, &signs, (unread, 2), now);
        let table = table(&[hris]);
        let cells: Vec<&str> = table.lines().nth(1).unwrap().split_whitespace().collect();
        assert_eq!(
            cells,
            [
                "hris",
                "workday",
                "3+",
                "60",
                "2031-03-01T12:00:00Z",
                "-",
                "2"
            ]
        );
    }
}
