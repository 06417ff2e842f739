//! The `muster` binary: hands the command line to [`muster::cli`].

use std::process::ExitCode;

fn main() -> ExitCode {
    muster::cli::run()
}
