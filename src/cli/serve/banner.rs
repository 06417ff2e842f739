//! What is printed once the server listens: where, and with `--dev` what to paste.

use std::net::SocketAddr;

use super::{Serve, base_url, scheme};
use crate::cli::database::shown;
use crate::cli::keys;
use crate::config::{Config, dev_clients};

/// The text, but for the address, which is known later.
pub(super) struct Banner {
    config: Config,
    dev: bool,
}

impl Banner {
    /// The banner of these settings.
    pub(super) fn of(settings: &Serve) -> Self {
        Self {
            config: settings.config.clone(),
            dev: settings.dev,
        }
    }

    /// The text.
    pub(super) fn text(&self, address: SocketAddr) -> String {
        let version = env!("CARGO_PKG_VERSION");
        let scheme = scheme(&self.config);
        let scim = base_url(&self.config, address);
        let database = shown(self.config.server.database().reveal());
        let mut text = format!(
            "Muster {version} listens on {scheme}://{address}\n  SCIM      {scim}\n  database  {database}\n"
        );
        if self.dev {
            text.push_str(&dev(address));
            if self.config.keys.is_none() {
                text.push_str(&key(&self.config));
            }
        }
        text
    }
}

fn key(config: &Config) -> String {
    let path = config.server.data_dir.join(keys::FILE);
    format!(
        "\nTHE KEY that encrypts everything lies beside the data, in {}:\nwho has the folder can read it all.\n",
        path.display()
    )
}

fn dev(address: SocketAddr) -> String {
    let names: Vec<_> = dev_clients().iter().map(|client| client.name).collect();
    let names = names.join(", ");
    format!(
        r#"
DEVELOPMENT MODE: whoever can reach this port can get a token. Keep real people's data out of it.
  issuer    http://{address}/dev
  clients   {names}
            (the secret of each is its name followed by -secret)
  people    http://{address}/sign-in (as any of these)

Get a token, then list the users:

TOKEN=$(curl -s -u hris:hris-secret -d grant_type=client_credentials http://{address}/dev/token | sed 's/.*"access_token":"\([^"]*\)".*/\1/')
curl -s -H "Authorization: Bearer $TOKEN" http://{address}/scim/v2/Users
"#
    )
}
