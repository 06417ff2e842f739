//! What sealing costs: creates with it and without, in pairs, each on a database of its own.

use std::sync::Arc;

use super::database::Place;
use super::load::{Pace, run};
use super::operations::{Operation, Target};
use super::people::WRITTEN;
use super::report::Report;
use super::seed::{seed, target};
use super::server::Server;
use super::{Failure, Plan};

/// Pairs of runs; the median of their ratios counts.
const PAIRS: usize = 7;

/// What the ratio is held against.
pub(crate) const WANTED: f64 = 0.85;

/// What was found on one database.
pub(crate) struct Sealing {
    pub(crate) engine: &'static str,
    /// Creates a second with sealing by those without, of each pair, ascending.
    pub(crate) ratios: Vec<f64>,
    /// The same of the server's processor time for a create.
    pub(crate) costs: Vec<f64>,
}

/// A server with its database.
struct Side {
    place: Place,
    target: Arc<Target>,
    _server: Server,
}

impl Side {
    async fn start(
        plan: &Plan,
        engine: &str,
        url: Option<&str>,
        name: &str,
        more: &[&str],
    ) -> Result<Self, Failure> {
        let name = format!("{name}-{engine}").to_lowercase();
        let place = Place::new(&plan.work, url, &name)?;
        seed(plan, &place, WRITTEN, None).await?;
        let server = Server::muster_with(plan, place.folder(), &place.url(), more)?;
        let target = Arc::new(target(&server, &place, WRITTEN).await?);
        Ok(Self {
            place,
            target,
            _server: server,
        })
    }

    /// Creates a second, and the processor time of each.
    async fn create(&self, seconds: f64) -> Result<(f64, f64), Failure> {
        let (target, create) = (&self.target, Operation::Create);
        run(target, create, Pace::Closed, seconds / 10.0, usize::MAX).await?;
        let outcome = run(target, create, Pace::Closed, seconds, usize::MAX).await?;
        Ok((outcome.rate(), outcome.cost()))
    }
}

/// Measures it on one database.
pub(crate) async fn sealing(
    plan: &Plan,
    engine: &'static str,
    url: Option<&str>,
    report: &mut Report,
) -> Result<(), Failure> {
    if !"sealing".contains(&plan.only) {
        return Ok(());
    }
    let with = Side::start(plan, engine, url, "sealed", &[]).await?;
    let without = Side::start(plan, engine, url, "unsealed", &["--unsealed"]).await?;
    let mut found = Sealing {
        engine,
        ratios: Vec::new(),
        costs: Vec::new(),
    };
    for pair in 0..PAIRS {
        // Who is first takes turns too.
        let (on, off) = if pair % 2 == 0 {
            let on = with.create(plan.seconds).await?;
            (on, without.create(plan.seconds).await?)
        } else {
            let off = without.create(plan.seconds).await?;
            (with.create(plan.seconds).await?, off)
        };
        eprintln!(
            "{engine}: {:.0} creates/s sealed, {:.0} unsealed; {:.2} and {:.2} ms of processor time",
            on.0, off.0, on.1, off.1
        );
        found.ratios.push(on.0 / off.0);
        found.costs.push(on.1 / off.1);
    }
    found.ratios.sort_by(f64::total_cmp);
    found.costs.sort_by(f64::total_cmp);
    eprintln!("{found}");
    report.sealing.push(found);
    let places = [with.place.clone(), without.place.clone()];
    drop((with, without));
    for place in places {
        place.remove();
    }
    Ok(())
}

impl std::fmt::Display for Sealing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let [low, median, high] = [0, PAIRS / 2, PAIRS - 1].map(|n| self.ratios[n]);
        write!(
            f,
            "{}: creates with sealing reach {median:.2} of those without ({low:.2} to {high:.2}; wanted {WANTED}), \
             at {:.2} of the server's processor time",
            self.engine,
            self.costs[PAIRS / 2]
        )
    }
}
