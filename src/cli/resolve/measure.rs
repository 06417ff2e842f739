//! How long the engine takes for one record, and how much memory the process has taken.

use std::time::Instant;

use super::scorecard::{Figure, Target, figure};
use crate::domain::matching::Scorer;
use crate::domain::matching::evaluate::{Known, resolve};
use crate::domain::matching::population::Population;

/// So many records are timed.
const TIMED: usize = 20_000;

/// The most memory that this process has held, in bytes, where the system tells.
pub(super) fn memory() -> Option<f64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    let kilobytes: f64 = line.split_whitespace().nth(1)?.parse().ok()?;
    Some(kilobytes * 1024.0)
}

/// Candidates found, compared and decided for one record after another against all of them.
pub(super) fn one_record(
    records: &[Known],
    people: &mut Population,
    scorer: &Scorer,
) -> Vec<Figure> {
    let mut times: Vec<f64> = Vec::new();
    let mut outcomes = 0;
    for record in records.iter().step_by(records.len().div_ceil(TIMED).max(1)) {
        let start = Instant::now();
        let (decision, _) = resolve(&record.profile, people, scorer);
        times.push(start.elapsed().as_secs_f64() * 1000.0);
        outcomes += decision.candidates.len();
    }
    if outcomes == 0 {
        return Vec::new();
    }
    times.sort_by(f64::total_cmp);
    let at = |hundredth: usize| times[(times.len() * hundredth / 100).min(times.len() - 1)];
    let most = Some(Target::AtMost(5.0));
    vec![
        figure("one record against all, engine: p50, ms", at(50), None),
        figure("one record against all, engine: p99, ms", at(99), most),
    ]
}
