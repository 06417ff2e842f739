//! `muster policy apply | show | history | rollback`: the versions of a tenant's policy.

use std::fmt::Write;
use std::path::PathBuf;

use chrono::SecondsFormat;
use clap::Args;

use super::{Failure, bytes, line, print};
use crate::cli::database::Place;
use crate::clock::{Clock, SystemClock};
use crate::service::policy::{Applied, Order};

/// Whose policy, and where it is kept.
#[derive(Debug, Args)]
pub(super) struct Tenancy {
    /// The tenant.
    #[arg(long, value_name = "NAME", default_value = "default")]
    pub(super) tenant: String,
    #[command(flatten)]
    pub(super) place: Place,
}

/// Who changes it, and why: both are logged.
#[derive(Debug, Args)]
struct Why {
    /// Who applies it.
    #[arg(long, value_name = "NAME", env = "USER", default_value = "operator")]
    actor: String,
    /// Why.
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
    /// Only if this version is in force (0: none is).
    #[arg(long, value_name = "VERSION")]
    after: Option<i64>,
}

impl Why {
    fn order(&self) -> Order {
        Order {
            actor: self.actor.clone(),
            reason: self.reason.clone(),
            at: SystemClock.now(),
            after: self.after,
        }
    }
}

/// `apply FILE`.
#[derive(Debug, Args)]
pub(super) struct Apply {
    /// The policy (YAML).
    file: PathBuf,
    #[command(flatten)]
    why: Why,
    #[command(flatten)]
    of: Tenancy,
}

/// `show`.
#[derive(Debug, Args)]
pub(super) struct Show {
    /// The version; the one in force if left out.
    #[arg(long, value_name = "VERSION")]
    version: Option<i64>,
    #[command(flatten)]
    of: Tenancy,
}

/// `history`.
#[derive(Debug, Args)]
pub(super) struct History {
    #[command(flatten)]
    of: Tenancy,
}

/// `rollback VERSION`.
#[derive(Debug, Args)]
pub(super) struct Rollback {
    /// The version whose text shall be in force again.
    version: i64,
    #[command(flatten)]
    why: Why,
    #[command(flatten)]
    of: Tenancy,
}

pub(super) fn apply(options: &Apply) -> Result<(), Failure> {
    let text = bytes(&options.file)?;
    let service = options.of.place.open()?;
    let applied = service.apply_policy(&options.of.tenant, &text, &options.why.order())?;
    if let Applied::Wrong(findings) | Applied::Done { findings, .. } = &applied {
        let lines = findings
            .iter()
            .map(|found| line(&options.file, found) + "\n");
        print(&lines.collect::<String>())?;
    }
    told(&options.of.tenant, &applied)
}

fn told(tenant: &str, applied: &Applied) -> Result<(), Failure> {
    match applied {
        Applied::Done { version, .. } => print(&format!(
            "version {version} is in force for the tenant '{tenant}'\n"
        ))
        .map(drop),
        Applied::Unchanged { version } => print(&format!(
            "nothing changed: this is version {version}, which is in force\n"
        ))
        .map(drop),
        Applied::Wrong(_) => Err(Failure::run("the policy has errors: nothing changed")),
        Applied::Unapproved { reserved, sha256 } => {
            let (parts, by) = (reserved.parts.join(", "), reserved.by.join(" or "));
            Err(Failure::run(format!(
                "nothing changed: this changes {parts}, which Security owns, and Security has not approved this text. Let {by} \
                 look at `muster policy diff` and send POST /admin/policy/approvals {{\"sha256\": \"{sha256}\", \"reason\": …}}; \
                 then apply it again"
            )))
        }
        Applied::Overtaken { version } => Err(Failure::run(format!(
            "version {version} is in force, and not the one that was expected: nothing changed; look at `muster policy \
             diff` and try again"
        ))),
    }
}

/// The text of a version.
pub(super) fn text(of: &Tenancy, version: Option<i64>) -> Result<(i64, Vec<u8>), Failure> {
    let service = of.place.open()?;
    let found = service.policy_text(&of.tenant, version)?;
    found.ok_or_else(|| {
        let tenant = &of.tenant;
        Failure::run(match version {
            Some(version) => format!("the tenant '{tenant}' has no version {version} of a policy"),
            None => format!(
                "the tenant '{tenant}' has no policy: the configuration's clients are in force"
            ),
        })
    })
}

pub(super) fn show(options: &Show) -> Result<(), Failure> {
    let (_, text) = text(&options.of, options.version)?;
    print(&String::from_utf8_lossy(&text)).map(drop)
}

pub(super) fn history(options: &History) -> Result<(), Failure> {
    let service = options.of.place.open()?;
    let versions = service.policy_history(&options.of.tenant)?;
    let mut lines = String::new();
    for version in versions {
        let at = version.applied.to_rfc3339_opts(SecondsFormat::Secs, true);
        let reason = version.reason.as_deref().unwrap_or("-");
        let _ = writeln!(
            lines,
            "{:>5}  {at}  {}  {reason}",
            version.number, version.actor
        );
    }
    if lines.is_empty() {
        lines = format!("the tenant '{}' has no policy\n", options.of.tenant);
    }
    print(&lines).map(drop)
}

pub(super) fn rollback(options: &Rollback) -> Result<(), Failure> {
    let (_, text) = text(&options.of, Some(options.version))?;
    let mut order = options.why.order();
    let reason = format!("rollback to version {}", options.version);
    order.reason = Some(match order.reason {
        Some(given) => format!("{reason}: {given}"),
        None => reason,
    });
    let service = options.of.place.open()?;
    let applied = service.apply_policy(&options.of.tenant, &text, &order)?;
    told(&options.of.tenant, &applied)
}
