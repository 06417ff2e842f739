//! Opening the service on the configured database, and naming that database without its secrets.

use std::sync::Arc;

use reqwest::Url;

use super::Failure;
use crate::config::Config;
use crate::id::IdSource;
use crate::service::{Muster, Settings, System};

/// The most resources on one page of a list.
pub(super) const MAX_PAGE: u64 = 1000;

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
