//! The benchmark behind `tests/bench/run`: it seeds databases, starts servers as processes of their own, loads them over
//! HTTP and prints tables.
//!
//! | file | what it does |
//! |---|---|
//! | `people` | who is in the database |
//! | `seed` `multiply` `database` | databases of any size, the first thousand written through the server itself |
//! | `server` `bare` | what is measured, as processes: Muster, a bare handler, other servers |
//! | `http` `load` `operations` | the load: what is sent, over kept connections, in a closed or an open loop |
//! | `sealing` | what sealing the log costs |
//! | `walk` | a walk of everybody while others come and go |
//! | `measure` `report` | the plan, interleaved; what comes of it |

#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a benchmark prints what it finds"
)]

mod bare;
mod bare_rows;
mod database;
mod http;
mod load;
mod measure;
mod multiply;
mod operations;
mod people;
mod report;
mod sealing;
mod seed;
mod server;
mod walk;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

/// Whatever goes wrong ends the run with its text.
type Failure = Box<dyn std::error::Error + Send + Sync>;

#[derive(Parser)]
struct Cli {
    #[command(subcommand)]
    command: Command,
    /// What `cargo bench` adds.
    #[arg(long, hide = true, global = true)]
    bench: bool,
}

#[derive(Subcommand)]
enum Command {
    /// Serves rows with nothing around them, for comparison.
    Bare {
        /// `sqlite:PATH` or `postgres://…`
        url: String,
        /// The port to listen on.
        port: u16,
    },
    /// Runs the whole benchmark.
    Measure(Plan),
}

/// What is measured.
#[derive(Args, Clone, Debug)]
struct Plan {
    /// The built server.
    #[arg(long)]
    muster: PathBuf,
    /// A folder for databases.
    #[arg(long)]
    work: PathBuf,
    /// Where the figures go as JSON.
    #[arg(long)]
    json: PathBuf,
    /// A PostgreSQL whose database `postgres` may be connected to; without it only SQLite is measured.
    #[arg(long)]
    postgres: Option<String>,
    /// How many persons, ascending.
    #[arg(long, value_delimiter = ',', default_value = "1000,10000,100000")]
    sizes: Vec<usize>,
    /// How long one run of one operation lasts.
    #[arg(long, default_value_t = 2.0)]
    seconds: f64,
    /// How many runs, interleaved; the median counts.
    #[arg(long, default_value_t = 3)]
    rounds: usize,
    /// How long the mixed load lasts after which memory is read.
    #[arg(long, default_value_t = 60.0)]
    mixed: f64,
    /// Another server: `NAME BASE-PATH COMMAND…`; PORT in it is replaced.
    #[arg(long)]
    peer: Vec<String>,
    /// Only operations whose name holds this.
    #[arg(long, default_value = "")]
    only: String,
    /// Leaves out the comparison with a bare handler.
    #[arg(long)]
    no_bare: bool,
    /// Leaves out growth and memory.
    #[arg(long)]
    no_growth: bool,
}

fn main() -> Result<(), Failure> {
    match Cli::parse().command {
        Command::Bare { url, port } => bare::serve(&url, port),
        Command::Measure(plan) => {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()?;
            runtime.block_on(measure::run_all(&plan))
        }
    }
}
