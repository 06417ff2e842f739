//! The command line: assembles the house from configuration, and says plainly what went wrong.
//!
//! | file | what it does |
//! |---|---|
//! | `serve/` | `muster serve`: starts the doors, and stops them in good order |
//! | `break_glass` | `muster break-glass`: a purpose for a client, for a while |
//! | `conform/` | `muster conform`: tries the cases of `conformance/` on any SCIM server |
//! | `demo/` | `muster demo`: plays the way from candidate to employee on a running server |
//! | `erase` | `muster erase`: destroys what is kept of a person |
//! | `restore` | `muster restore`: takes back what a client did |
//! | `person` | `muster person`: gives it to them |
//! | `mapping` | `muster mapping`: checks how the columns of an extract claim attributes |
//! | `import/` | `muster import`: takes an extract in |
//! | `reconcile` | `muster reconcile`: compares an extract with what is held |
//! | `extract/` `findings` | extracts read row by row; what is wrong with a file, printed |
//! | `keys` | `muster keys`: makes and replaces the key-encryption key |
//! | `contract` | `muster contract`: whether a newer schema breaks who relies on an older one |
//! | `database` | opens the service on the configured database |
//! | `audit/` | `muster audit`: verifies the sealed log, exports it, prints its heads |
//! | `integrations` | `muster integrations`: prints how far each connected system is behind |
//! | `kpi` | `muster kpi`: prints figures of how the house is run |
//! | `events` | `muster events`: prints the log |
//! | `trace` | `muster trace`: what happened, by any id |
//! | `token` | `muster token`: tokens of the server's own issuer |
//! | `policy/` | `muster policy`: checks and explains a policy file |
//! | `resolve/` | `muster resolve`: how good identity resolution is, models fitted to people, and the join keys in use |
//! | `failure` | a message for the operator, and the exit code |

mod audit;
mod break_glass;
pub mod conform;
mod contract;
mod copy;
mod database;
mod demo;
mod erase;
mod events;

mod export;
mod extract;
mod failure;
mod findings;
mod import;
mod integrations;
mod keys;
mod kpi;
mod mapping;
mod person;
mod policy;
mod reconcile;
pub mod resolve;
mod restore;
pub mod serve;
mod token;
mod trace;

use std::io::{self, Write};
use std::process::ExitCode;

use clap::{CommandFactory, Parser, Subcommand};

pub use failure::Failure;

/// One canonical record of people behind a SCIM 2.0 server.
#[derive(Debug, Parser)]
#[command(name = "muster", version)]
struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve SCIM over HTTP.
    Serve(serve::Options),
    /// Play the way from candidate to employee on a running `serve --dev`, by public calls alone.
    Demo(demo::Options),
    /// Print what happened to an application or a person, by any id: ours or another system's.
    Trace(trace::Options),
    /// Print the log of changes, one JSON object a line, oldest first.
    Events(events::Options),
    /// Print figures of how the house is run: times to hire, duplicates, reviews, readiness for an audit.
    Kpi(kpi::Options),
    /// Print how far each connected system is behind: what it has not read, when it last wrote, what was refused.
    Integrations(integrations::Options),
    /// Verify the sealed log, export it, print its signed heads.
    Audit(audit::Options),
    /// Try a SCIM server, this one or any other, clause by clause.
    Conform(conform::Options),
    /// Compare two versions of a published JSON Schema.
    Contract(contract::Options),
    /// Check a policy file, and explain what it lets whom do and see.
    Policy(policy::Options),
    /// Give a client a purpose for a while, with a reason and a second person's approval.
    BreakGlass(break_glass::Options),
    /// Issue tokens for clients that can only hold a bearer; list and revoke them.
    Token(token::Options),
    /// Make the key that encrypts all others, and put a new one in its place.
    Keys(keys::Options),
    /// Write all that is kept to a new file, or fill an empty database from one.
    Backup(copy::Backup),
    /// Copy a whole database into an empty one: from SQLite to PostgreSQL, or back.
    Copy(copy::Copy),
    /// Destroy all that is kept of persons (GDPR Art. 17); the log says that, and still verifies.
    Erase(erase::Options),
    /// Take back what a client did: deactivations, deletions, removals from groups.
    Restore(restore::Options),
    /// Give a person what is kept of them (GDPR Art. 15 and 20).
    Person(person::Options),
    /// Check a mapping: how the columns of an extract claim attributes.
    Mapping(mapping::Options),
    /// Take an extract of a source system in: CSV, JSON Lines or a JSON array of any size.
    ///
    /// An import that was ended goes on where it was; one that is run again writes nothing. Exit code 0: every row is in;
    /// 2: some were rejected, and the rejects file says why, or the command line or the mapping is wrong; 1: it could not be
    /// done.
    Import(import::Options),
    /// Write what a client may see in the layout of its system, by the mapping that reads its extracts. Exit code 0: all of it; 2:
    /// some of it has no word there, and is named, or the command line or the mapping is wrong; 1: it could not be done.
    Export(export::Options),
    /// Compare a full extract of a source system with what is held of it, and say where they part.
    Reconcile(reconcile::Options),
    /// Measure identity resolution where the truth is known, and fit its model to people.
    Resolve(resolve::Options),
    /// Print the version.
    Version,
}

/// Runs the command line of this process. A failure is one message on standard error, and exit code 1, or 2 when the
/// command line or the configuration is at fault.
#[must_use]
pub fn run() -> ExitCode {
    let outcome = match Arguments::parse().command {
        Some(Command::Serve(options)) => serve::run(options),
        Some(Command::Events(options)) => events::run(&options),
        Some(Command::Demo(options)) => demo::command(options),
        Some(Command::Trace(options)) => trace::run(&options),
        Some(Command::Kpi(options)) => kpi::run(&options),
        Some(Command::Integrations(options)) => integrations::run(&options),
        Some(Command::Audit(options)) => audit::run(&options),
        Some(Command::Contract(options)) => contract::run(&options),
        Some(Command::Conform(options)) => conform::command(options),
        Some(Command::Backup(options)) => copy::backup(&options),
        Some(Command::Copy(options)) => copy::run(&options),
        Some(Command::Erase(options)) => erase::run(&options),
        Some(Command::Restore(options)) => restore::run(&options),
        Some(Command::Person(options)) => person::run(&options),
        Some(Command::Token(options)) => token::run(&options),
        Some(Command::Keys(options)) => keys::run(&options),
        Some(Command::Policy(options)) => policy::run(&options),
        Some(Command::Resolve(options)) => resolve::run(&options),
        Some(Command::BreakGlass(options)) => break_glass::run(&options),
        Some(Command::Mapping(options)) => mapping::run(&options),
        Some(Command::Import(options)) => import::run(&options),
        Some(Command::Export(options)) => export::run(&options),
        Some(Command::Reconcile(options)) => reconcile::run(&options),
        Some(Command::Version) => {
            print(&format!("muster {}\n", env!("CARGO_PKG_VERSION"))).map(drop)
        }
        None => print(&Arguments::command().render_help().to_string()).map(drop),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            // Nobody is left to be told when standard error is closed too.
            _ = writeln!(io::stderr(), "muster: {failure}");
            ExitCode::from(failure.code())
        }
    }
}

/// Writes to standard output; answers whether somebody still reads it. That the reader has left is no failure:
/// `muster events | head` is fine.
fn print(text: &str) -> Result<bool, Failure> {
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(false),
        Err(error) => Err(Failure::run(format!("cannot write: {error}"))),
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_sound() {
        super::Arguments::command().debug_assert();
    }
}
