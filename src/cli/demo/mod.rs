//! `muster demo`: the way from candidate to employee, played on a running server by public calls alone, each step told as it happens.

mod stage;
mod story;

use clap::Args;

use super::Failure;
use crate::id::{IdSource, RandomIds};
use stage::Stage;

/// What can be asked of it.
#[derive(Debug, Args)]
pub(super) struct Options {
    /// Where `muster serve --dev` is.
    #[arg(long, value_name = "URL", default_value = "http://127.0.0.1:8080")]
    url: String,
}

/// Plays it.
pub(super) fn command(options: Options) -> Result<(), Failure> {
    // Two runs share no name, so that it can be played again.
    let run = RandomIds.resource().to_string();
    let run = run.split('-').next().unwrap_or_default().to_owned();
    let playing = async move {
        let mut stage = Stage::new(&options.url, run)?;
        story::play(&mut stage).await
    };
    actix_web::rt::System::new().block_on(playing)
}
