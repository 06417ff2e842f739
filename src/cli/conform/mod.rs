//! `muster conform`: tries the cases of `conformance/` on any SCIM server, ours or another's, and reports by clause.
//!
//! | file | what it does |
//! |---|---|
//! | `cases` | the data, built in |
//! | `features` | what the server announces, and which cases that leaves out |
//! | `story`, `patch` | playing one case |
//! | `rules` | what holds of every answer |
//! | `compare` | expectation and answer |
//! | `wire` | HTTP, and removing what was made |
//! | `report` | the findings as text and as JSON |

mod cases;
mod compare;
mod features;
mod patch;
mod report;
mod rules;
mod story;
mod wire;

use std::collections::BTreeMap;
use std::io::{self, IsTerminal, Write};

use clap::Args;

use super::{Failure, print};
use crate::id::{IdSource, RandomIds};
use crate::secret::Secret;
use cases::{Case, What};
use compare::Mismatch;
use features::Features;
use report::{Finding, Outcome, Problem};
use wire::{Answer, Request, Wire};

pub use report::{Report, Totals};

/// The longest query that is put into a URL; longer ones go into the body of a search.
const LONGEST_QUERY: usize = 1500;
const SEARCH: &str = "urn:ietf:params:scim:api:messages:2.0:SearchRequest";

/// What can be asked of it.
#[derive(Debug, Args)]
pub(super) struct Options {
    /// The base of the SCIM service, such as `https://scim.example.com/v2`.
    #[arg(long)]
    url: String,
    /// A bearer token that may create, read, change and delete Users and Groups there.
    #[arg(long, env = "MUSTER_CONFORM_TOKEN", hide_env_values = true)]
    token: String,
    /// Whose habits the server has been told to expect of this token.
    #[arg(long, default_value = "rfc", value_parser = ["rfc", "entra", "okta", "strict"])]
    profile: String,
    /// Only the cases whose file or name holds this.
    #[arg(long, value_name = "NAME")]
    only: Option<String>,
    /// Report as one JSON object.
    #[arg(long)]
    json: bool,
}

/// A server to try.
#[derive(Clone, Debug)]
pub struct Target {
    /// The base of the SCIM service.
    pub url: String,
    /// A bearer token.
    pub token: Secret,
    /// The profile that the server has for this token: `rfc` unless it was told otherwise.
    pub profile: String,
    /// Only the cases whose file or name holds this.
    pub only: Option<String>,
    /// What this run's names begin with, so that runs do not meet: letters and digits.
    pub run: String,
}

/// Runs the command. That cases have failed is a failure too.
pub(super) fn command(options: Options) -> Result<(), Failure> {
    let target = Target {
        url: options.url,
        token: Secret::new(options.token),
        profile: options.profile,
        only: options.only,
        run: format!("c{}", RandomIds.resource().to_string().replace('-', "")),
    };
    let progress = Progress {
        shown: io::stderr().is_terminal(),
    };
    let running = run(&target, |done, all| progress.show(done, all));
    let report = actix_web::rt::System::new().block_on(running)?;
    progress.clear();
    if options.json {
        print(&format!("{:#}\n", report.to_json()))?;
    } else {
        print(&report.to_text())?;
    }
    match report.totals() {
        Totals {
            passed: 0,
            failed: 0,
            ..
        } => Err(Failure::run("no case was tried")),
        Totals { failed: 0, .. } => Ok(()),
        Totals { failed, .. } => Err(Failure::run(format!("{failed} cases failed"))),
    }
}

/// Tries the cases on a server. `progress` is told how many cases of how many are done.
///
/// # Errors
/// When the server cannot be reached or refuses the token; what the server does wrong is in the report.
pub async fn run(target: &Target, progress: impl Fn(usize, usize)) -> Result<Report, Failure> {
    let cases = cases::all()?;
    let mut wire = Wire::new(&target.url, target.token.clone())?;
    let features = Features::discover(&mut wire).await?;
    let mut rules = Rules::default();
    let mut report = Report {
        url: target.url.clone(),
        profile: target.profile.clone(),
        findings: Vec::new(),
        left: Vec::new(),
    };
    let wanted = |case: &&Case| {
        let only = target.only.as_deref().unwrap_or_default();
        case.file.contains(only) || case.name.contains(only)
    };
    let cases: Vec<&Case> = cases.iter().filter(wanted).collect();
    for (at, case) in cases.iter().enumerate() {
        let outcome = if let Some(reason) = left_out(case, &target.profile, &features) {
            Outcome::Skipped(reason)
        } else {
            attempt(&mut wire, case, &format!("{}-{at}", target.run)).await
        };
        if !matches!(case.what, What::Rule(_)) {
            report.findings.push(Finding::new(case, outcome));
        }
        report.left.extend(wire.clean().await);
        for (request, answer) in wire.journal.drain(..) {
            rules.observe(&request, &answer, &cases);
        }
        progress(at + 1, cases.len());
    }
    report.findings.extend(rules.findings(&cases));
    Ok(report)
}

fn left_out(case: &Case, profile: &str, features: &Features) -> Option<String> {
    let holds = match case.profiles.as_slice() {
        [] => profile == "rfc",
        names => names.iter().any(|name| name == profile || name == "*"),
    };
    if holds {
        return features.lacking(case);
    }
    let names = match case.profiles.as_slice() {
        [] => "rfc".to_owned(),
        names => names.join(", "),
    };
    Some(format!("it is of the profile {names}"))
}

async fn attempt(wire: &mut Wire, case: &Case, unique: &str) -> Outcome {
    let result = match &case.what {
        What::Story(steps) => story::play(wire, steps, unique).await,
        What::Patch(patch) => patch::check(wire, patch, unique).await,
        What::Filter { valid } => filter(wire, &case.name, *valid).await,
        What::Rule(_) => Ok(()),
    };
    match result {
        Ok(()) => Outcome::Passed,
        Err(problem) => Outcome::Failed(problem),
    }
}

/// RFC 7644 §3.4.2.2: a filter is answered, or refused with `invalidFilter`; never is it left unheard.
async fn filter(wire: &mut Wire, filter: &str, valid: bool) -> Result<(), Problem> {
    let request = if filter.len() > LONGEST_QUERY {
        let body = serde_json::json!({"schemas": [SEARCH], "filter": filter, "count": 1});
        Request::new("POST", "/Users/.search", Some(&body))
    } else {
        Request::get(wire::with_query(
            "/Users",
            &[("filter", filter), ("count", "1")],
        ))
    };
    let wanted = if valid { "200" } else { "400 invalidFilter" };
    let when = format!("filters by {filter}");
    let problem = |got: String| {
        let mismatch = Mismatch::new(format!("status {wanted}"), got);
        Err(Problem::new(&when, Some(request.clone()), mismatch))
    };
    let answer = match wire.send(request.clone()).await {
        Ok(answer) => answer,
        Err(why) => return problem(why),
    };
    let keyword = answer.place("/scimType");
    let right = if valid {
        answer.status == 200
    } else {
        answer.status == 400 && keyword == Some("invalidFilter".into())
    };
    if right {
        return Ok(());
    }
    problem(format!("status {} {}", answer.status, answer.text))
}

/// What the rules of every answer have found.
#[derive(Default)]
struct Rules(BTreeMap<String, Result<(), (Problem, usize)>>);

impl Rules {
    fn observe(&mut self, request: &Request, answer: &Answer, cases: &[&Case]) {
        for case in cases {
            let What::Rule(keyword) = &case.what else {
                continue;
            };
            let verdict = rules::named(keyword).and_then(|rule| rule(request, answer));
            let Some(verdict) = verdict else { continue };
            let found = self.0.entry(keyword.clone()).or_insert(Ok(()));
            if let Err(mismatch) = verdict {
                if let Err((_, more)) = found {
                    *more += 1;
                } else {
                    let problem = Problem::new("an answer", Some(request.clone()), mismatch);
                    *found = Err((problem, 0));
                }
            }
        }
    }

    fn findings(self, cases: &[&Case]) -> Vec<Finding> {
        let mut findings = Vec::new();
        for case in cases {
            let What::Rule(keyword) = &case.what else {
                continue;
            };
            let outcome = match self.0.get(keyword) {
                None => Outcome::Skipped("there was no such answer".into()),
                Some(Ok(())) => Outcome::Passed,
                Some(Err((problem, more))) => Outcome::Failed(problem.clone().repeated(*more)),
            };
            findings.push(Finding::new(case, outcome));
        }
        findings
    }
}

/// How far the run is, on a terminal alone.
struct Progress {
    shown: bool,
}

impl Progress {
    fn show(&self, done: usize, all: usize) {
        self.write(&format!("\r{done} of {all} cases "));
    }

    fn clear(&self) {
        self.write("\r                         \r");
    }

    fn write(&self, text: &str) {
        if self.shown {
            let mut out = io::stderr();
            // What cannot be shown is not missed.
            _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
        }
    }
}
