//! Logs: to standard error, as text or as JSON lines, filtered like `RUST_LOG`.
//!
//! What goes in: spans `http.scim.<verb>` and one line an answer, with dotted fields. What never does: attribute
//! values, query strings, tokens.

use std::io::IsTerminal;
use std::panic;

use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt;

/// How log lines look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lines {
    /// For people.
    Text,
    /// For machines.
    Json,
}

/// What is logged when nothing was configured.
pub const DEFAULT_FILTER: &str = "info,actix_server=warn";

/// Starts logging for this process. A second call changes nothing, so that tests may start several servers.
///
/// # Errors
/// When `filter` does not parse; the text says why.
pub fn init(lines: Lines, filter: Option<&str>) -> Result<(), String> {
    let environment = std::env::var(EnvFilter::DEFAULT_ENV)
        .ok()
        .filter(|text| !text.trim().is_empty());
    let directives = filter
        .map(str::to_owned)
        .or(environment)
        .unwrap_or_else(|| DEFAULT_FILTER.to_owned());
    let filter = EnvFilter::try_new(&directives).map_err(|error| {
        format!("the log filter '{directives}' is not understood ({error}); write it like RUST_LOG: info,muster=debug")
    })?;
    let builder = fmt()
        .with_env_filter(filter)
        .with_ansi(std::io::stderr().is_terminal())
        .with_writer(std::io::stderr);
    let started = match lines {
        Lines::Text => builder.try_init(),
        Lines::Json => builder.json().try_init(),
    };
    if started.is_ok() {
        log_panics();
    }
    Ok(())
}

/// Panics are logged by place alone: their text may carry what somebody sent.
fn log_panics() {
    panic::set_hook(Box::new(|info| {
        let place = info.location().map(ToString::to_string).unwrap_or_default();
        tracing::error!(panic.location = %place, "a panic");
    }));
}
