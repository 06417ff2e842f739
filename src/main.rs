//! The `muster` binary: hands the command line to [`muster::cli`].

use std::process::ExitCode;

/// An answer is a thousand small allocations.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    muster::cli::run()
}
