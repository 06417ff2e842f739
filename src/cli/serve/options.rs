//! What `serve` can be told on the command line. It beats the configuration file.

use std::path::PathBuf;

use clap::Args;

use super::Serve;
use crate::cli::Failure;
use crate::config;
use crate::secret::Secret;

/// The options.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// Try it out: an embedded OIDC issuer with well-known clients, on this machine alone.
    #[arg(long)]
    dev: bool,
    /// Lets a client of --dev prove who it is by its own key (`private_key_jwt`): a JSON Web Key Set of public keys.
    #[arg(long, value_name = "NAME=FILE", value_parser = named_file, requires = "dev")]
    dev_client_jwks: Vec<(String, PathBuf)>,
    /// The configuration file (TOML).
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// The address to listen on [default: 127.0.0.1]; with --dev it must be this machine's own.
    #[arg(long)]
    host: Option<String>,
    /// The port to listen on; 0 takes any free one [default: 8080].
    #[arg(long)]
    port: Option<u16>,
    /// Where the embedded database is kept [default: data].
    #[arg(long, value_name = "DIR", env = "MUSTER_DATA_DIR")]
    data_dir: Option<PathBuf>,
    /// The database: postgres://… or sqlite:PATH [default: muster.db in the data folder].
    #[arg(
        long,
        value_name = "URL",
        env = "MUSTER_DATABASE_URL",
        hide_env_values = true
    )]
    database_url: Option<String>,
    /// Leave events unsealed, to measure what sealing costs.
    #[arg(long, hide = true)]
    unsealed: bool,
}

impl Options {
    /// The file's configuration, with what the command line says in its place.
    pub(super) fn settings(self) -> Result<Serve, Failure> {
        let mut config = self
            .config
            .as_deref()
            .map(config::load)
            .transpose()?
            .unwrap_or_default();
        let server = &mut config.server;
        if let Some(host) = self.host {
            server.host = host;
        }
        if let Some(port) = self.port {
            server.port = port;
        }
        if let Some(directory) = self.data_dir {
            server.data_dir = directory;
        }
        if let Some(url) = self.database_url {
            server.database_url = Some(Secret::new(url));
        }
        config.audit.unsealed = self.unsealed;
        Ok(Serve {
            config,
            dev: self.dev,
            dev_client_jwks: self.dev_client_jwks,
            signals: true,
        })
    }
}

fn named_file(text: &str) -> Result<(String, PathBuf), String> {
    match text.split_once('=') {
        Some((name, file)) if !name.is_empty() && !file.is_empty() => {
            Ok((name.into(), file.into()))
        }
        _ => Err("write it as NAME=FILE, as in hris=hris-jwks.json".into()),
    }
}
