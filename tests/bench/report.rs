//! What comes of it: tables for people, JSON for programs.

use std::fmt::{self, Write as _};
use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use super::Failure;
use super::load::Outcome;
use super::operations::Operation;
use super::sealing::Sealing;

/// The median of one operation's runs.
#[derive(Clone, Debug)]
pub(crate) struct Figure {
    engine: &'static str,
    size: usize,
    server: String,
    operation: Operation,
    rate: f64,
    p50: f64,
    p99: f64,
    cost: f64,
    failed: usize,
    complaint: Option<String>,
}

/// The same at a fixed rate.
pub(crate) struct Growth {
    pub(crate) rate: f64,
    pub(crate) figure: Figure,
}

/// All figures.
#[derive(Default)]
pub(crate) struct Report {
    pub(crate) figures: Vec<Figure>,
    pub(crate) growth: Vec<Growth>,
    /// Engine, size, bytes on disk a person.
    pub(crate) bytes: Vec<(&'static str, usize, f64)>,
    pub(crate) sealing: Vec<Sealing>,
    /// Engine, size, anonymous MB at the start, after the load, and at most.
    pub(crate) memory: Vec<(&'static str, usize, f64, f64, f64)>,
}

impl Figure {
    pub(crate) fn of(
        engine: &'static str,
        size: usize,
        server: &str,
        operation: Operation,
        outcomes: &[Outcome],
    ) -> Self {
        let middle =
            |figure: &dyn Fn(&Outcome) -> f64| median(outcomes.iter().map(figure).collect());
        Self {
            engine,
            size,
            server: server.to_owned(),
            operation,
            rate: middle(&Outcome::rate),
            p50: middle(&|outcome| outcome.quantile(0.5)),
            p99: middle(&|outcome| outcome.quantile(0.99)),
            cost: middle(&Outcome::cost),
            failed: outcomes.iter().map(|outcome| outcome.failed).sum(),
            complaint: outcomes
                .iter()
                .find_map(|outcome| outcome.complaint.clone()),
        }
    }

    fn json(&self) -> Value {
        json!({
            "engine": self.engine, "size": self.size, "server": self.server, "operation": self.operation.name(),
            "rate": self.rate, "p50": self.p50, "p99": self.p99, "processorMs": self.cost, "failed": self.failed,
        })
    }
}

impl fmt::Display for Figure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{:10} {:>8} {:12} {:44} {:>9.0}/s  p50 {:>8.2} ms  p99 {:>8.2} ms  processor {:>7.3} ms",
            self.engine,
            self.size,
            self.server,
            self.operation.name(),
            self.rate,
            self.p50,
            self.p99,
            self.cost
        )?;
        match &self.complaint {
            Some(complaint) => write!(f, "  {} refused, as {complaint:.200}", self.failed),
            None => Ok(()),
        }
    }
}

fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures.get(figures.len() / 2).copied().unwrap_or(f64::NAN)
}

impl Report {
    /// Writes all figures as JSON.
    pub(crate) fn write(&self, to: &Path) -> Result<(), Failure> {
        let growth = self.growth.iter().map(|growth| {
            let mut figure = growth.figure.json();
            figure["rate"] = growth.rate.into();
            figure
        });
        let all = json!({
            "closedLoop": self.figures.iter().map(Figure::json).collect::<Vec<_>>(),
            "openLoop": growth.collect::<Vec<_>>(),
            "bytesPerPerson": self.bytes.iter().map(|(engine, size, bytes)| json!([engine, size, bytes])).collect::<Vec<_>>(),
            "sealing": self.sealing.iter().map(|found| json!([found.engine, found.ratios, found.costs])).collect::<Vec<_>>(),
            "anonymousMegabytes": self.memory.iter()
                .map(|(engine, size, start, after, most)| json!([engine, size, start, after, most])).collect::<Vec<_>>(),
        });
        fs::write(to, serde_json::to_vec_pretty(&all)?)?;
        Ok(())
    }

    /// The tables, as the README has them.
    pub(crate) fn markdown(&self) -> String {
        let mut text = String::new();
        for engine in ["SQLite", "PostgreSQL"] {
            self.table(engine, &mut text);
        }
        self.comparisons(&mut text);
        self.growths(&mut text);
        for (engine, size, bytes) in &self.bytes {
            let _ = writeln!(
                text,
                "* {engine}, {size} persons: {bytes:.0} bytes on disk a person."
            );
        }
        for sealing in &self.sealing {
            let _ = writeln!(text, "* {sealing}.");
        }
        for (engine, size, start, after, most) in &self.memory {
            let _ = writeln!(
                text,
                "* {engine}, {size} persons: {after:.0} MB of anonymous memory after a mixed load ({start:.0} MB at the start, \
                 {most:.0} MB at most)."
            );
        }
        text
    }

    fn table(&self, engine: &str, text: &mut String) {
        let own: Vec<&Figure> = self
            .figures
            .iter()
            .filter(|figure| figure.engine == engine && figure.server == "muster")
            .collect();
        let mut sizes: Vec<usize> = own.iter().map(|figure| figure.size).collect();
        sizes.dedup();
        if sizes.is_empty() {
            return;
        }
        let _ = write!(
            text,
            "| {engine}: requests/s (p50 / p99 / processor in ms) |"
        );
        for size in &sizes {
            let _ = write!(text, " {size} |");
        }
        let _ = writeln!(text, "\n|---|{}", "---:|".repeat(sizes.len()));
        for operation in Operation::ALL {
            let _ = write!(text, "| {} |", operation.name());
            for size in &sizes {
                let figure = own
                    .iter()
                    .find(|figure| figure.size == *size && figure.operation == operation);
                let _ = match figure {
                    Some(figure) => write!(
                        text,
                        " {:.0} ({:.1} / {:.1} / {:.2}) |",
                        figure.rate, figure.p50, figure.p99, figure.cost
                    ),
                    None => write!(text, " – |"),
                };
            }
            text.push('\n');
        }
        text.push('\n');
    }

    /// Against the bare handler, and against the best of the others.
    fn comparisons(&self, text: &mut String) {
        let _ = writeln!(
            text,
            "| Compared | Muster /s | other /s | ratio | of processor time | wanted |\n|---|---:|---:|---:|---:|---:|"
        );
        for own in self
            .figures
            .iter()
            .filter(|figure| figure.server == "muster")
        {
            let wanted = match own.operation {
                Operation::Get => 5.0,
                Operation::Create => 3.0,
                _ => 10.0,
            };
            let same =
                |figure: &&Figure| figure.operation == own.operation && figure.size == own.size;
            let bare = self
                .figures
                .iter()
                .filter(same)
                .find(|figure| figure.server == "bare" && figure.engine == own.engine);
            let better = self
                .figures
                .iter()
                .filter(same)
                .filter(|figure| figure.engine == "memory");
            let better = better.max_by(|a, b| a.rate.total_cmp(&b.rate));
            for (other, wanted) in bare
                .map(|bare| (bare, 0.5))
                .into_iter()
                .chain(better.map(|peer| (peer, wanted)))
            {
                let _ = writeln!(
                    text,
                    "| {}, {} persons, {}, against {} | {:.0} | {:.0} | {:.2} × | {:.2} × | {wanted} × |",
                    own.operation.name(),
                    own.size,
                    own.engine,
                    other.server,
                    own.rate,
                    other.rate,
                    own.rate / other.rate,
                    other.cost / own.cost
                );
            }
        }
        text.push('\n');
    }

    /// How latencies grow with the number of persons.
    fn growths(&self, text: &mut String) {
        if self.growth.is_empty() {
            return;
        }
        let _ = writeln!(
            text,
            "| At a fixed rate | persons | p50 in ms | growth | p99 in ms | growth |\n|---|---:|---:|---:|---:|---:|"
        );
        for Growth { rate, figure } in &self.growth {
            let first = self.growth.iter().map(|growth| &growth.figure);
            let first = first.filter(|first| {
                first.engine == figure.engine && first.operation == figure.operation
            });
            let Some(first) = first.min_by_key(|first| first.size) else {
                continue;
            };
            let _ = writeln!(
                text,
                "| {}, {rate}/s, {} | {} | {:.2} | {:.2} × | {:.2} | {:.2} × |",
                figure.operation.name(),
                figure.engine,
                figure.size,
                figure.p50,
                figure.p50 / first.p50,
                figure.p99,
                figure.p99 / first.p99
            );
        }
        text.push('\n');
    }
}
