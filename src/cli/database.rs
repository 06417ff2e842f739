//! Opening the service on the configured database with its keys, and naming that database without its secrets.

use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Args;
use reqwest::Url;

use super::{Failure, keys};
use crate::config::{self, Config};
use crate::id::{IdSource, RandomIds};
use crate::secret::Secret;
use crate::service::{Muster, Settings, System};

/// The most resources on one page of a list.
pub(super) const MAX_PAGE: u64 = 1000;

/// Which database a command is about.
#[derive(Debug, Args)]
pub(super) struct Place {
    /// The configuration file (TOML).
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Where the embedded database is, and the key of `serve --dev`.
    #[arg(long, value_name = "DIR", env = "MUSTER_DATA_DIR")]
    data_dir: Option<PathBuf>,
    /// The database: postgres://… or sqlite:PATH.
    #[arg(
        long,
        value_name = "URL",
        env = "MUSTER_DATABASE_URL",
        hide_env_values = true
    )]
    database_url: Option<String>,
}

/// A tenant of a database.
#[derive(Debug, Args)]
pub(super) struct Whose {
    /// The tenant.
    #[arg(long, value_name = "NAME", default_value = "default")]
    pub(super) tenant: String,
    #[command(flatten)]
    pub(super) place: Place,
}

/// Who gives an order, for the log.
#[derive(Debug, Args)]
pub(super) struct By {
    /// Who does it.
    #[arg(long, value_name = "NAME", env = "USER")]
    pub(super) actor: String,
}

/// The service of a command. However the command ends, its threads end first: one that is still talking to the database while
/// the process goes would take it down with a signal instead of an exit code.
pub(super) struct Opened(Muster);

impl Deref for Opened {
    type Target = Muster;

    fn deref(&self) -> &Muster {
        &self.0
    }
}

impl Drop for Opened {
    fn drop(&mut self) {
        self.0.close();
    }
}

impl Place {
    /// The configuration that says where it is.
    pub(super) fn settings(&self) -> Result<Config, Failure> {
        let mut config = self
            .config
            .as_deref()
            .map(config::load)
            .transpose()?
            .unwrap_or_default();
        if let Some(directory) = &self.data_dir {
            config.server.data_dir.clone_from(directory);
            config.server.database_url = None;
        }
        if let Some(url) = &self.database_url {
            config.server.database_url = Some(Secret::new(url));
        }
        config.check_database()?;
        Ok(config)
    }

    /// Opens it: a command about a database must not make an empty one where none is.
    pub(super) fn open(&self) -> Result<Opened, Failure> {
        let config = self.settings()?;
        is_there(config.server.database().reveal())?;
        open(&config, 1, Arc::new(RandomIds)).map(Opened)
    }
}

/// A file that is to be read must be there already.
pub(super) fn is_there(url: &str) -> Result<(), Failure> {
    match url.strip_prefix("sqlite:") {
        Some(path) if !Path::new(path).exists() => {
            Err(Failure::run(format!("there is no database at {path}")))
        }
        _ => Ok(()),
    }
}

/// Opens the service as configured. `connections` are kept for reading (SQLite) or in all (PostgreSQL).
pub(super) fn open(
    config: &Config,
    connections: usize,
    ids: Arc<dyn IdSource>,
) -> Result<Muster, Failure> {
    let system = |system: &crate::config::System| System {
        name: system.name.clone(),
        verifies_email: system.verifies_email,
    };
    let url = config.server.database();
    let settings = Settings {
        database_url: url.reveal().to_owned(),
        connections: u32::try_from(connections).unwrap_or(u32::MAX),
        systems: config.systems.iter().map(system).collect(),
        max_page: MAX_PAGE,
        keys: keys::find(config)?,
        file_key: keys::of_file(config)?,
    };
    Muster::open(&settings, ids).map_err(|error| {
        let database = shown(url.reveal());
        Failure::run(format!("cannot open the database {database}: {error}"))
    })
}

/// The database without whatever in its URL may be secret.
pub(super) fn shown(url: &str) -> String {
    if let Some(path) = url.strip_prefix("sqlite:") {
        return path.to_owned();
    }
    match Url::parse(url) {
        Ok(url) => {
            let port = url
                .port()
                .map(|port| format!(":{port}"))
                .unwrap_or_default();
            let host = url.host_str().unwrap_or_default();
            format!("{}://{host}{port}{}", url.scheme(), url.path())
        }
        Err(_) => "postgres".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::shown;

    #[test]
    fn a_database_is_shown_without_its_password() {
        let url = "postgres://me:s3cret@db:5433/muster?password=x";
        assert_eq!(shown(url), "postgres://db:5433/muster");
        assert_eq!(shown("sqlite:data/muster.db"), "data/muster.db");
    }
}
