//! What `serve --dev` adds to the configuration, so that every example in the documentation works at once.

use super::{Client, Config, Grant, Issuer, Match, Right, System, file};
use crate::secret::Secret;

/// The `aud` of the embedded issuer's tokens.
pub const DEV_AUDIENCE: &str = "muster";

const ALL: &[Right] = &[Right::Read, Right::Search, Right::Write, Right::Delete];
const LOOK: &[Right] = &[Right::Read, Right::Search];

/// A client of the embedded issuer, a source system of the same name, and what it may do.
#[derive(Clone, Copy, Debug)]
pub struct DevClient {
    /// The name of client and system.
    pub name: &'static str,
    grants: &'static [(&'static [&'static str], &'static [Right])],
    verifies_email: bool,
}

impl DevClient {
    /// Its secret: the name and `-secret`. That everybody knows it is why `--dev` stays on loopback.
    #[must_use]
    pub fn secret(&self) -> Secret {
        Secret::new(format!("{}-secret", self.name))
    }
}

/// The clients of `--dev`.
#[must_use]
pub fn dev_clients() -> &'static [DevClient] {
    &[
        DevClient {
            name: "hris",
            grants: &[(&["Person", "User", "Group"], ALL)],
            verifies_email: true,
        },
        DevClient {
            name: "ats",
            grants: &[(&["Person"], ALL)],
            verifies_email: true,
        },
        DevClient {
            name: "crm",
            grants: &[(&["Person"], ALL)],
            verifies_email: false,
        },
        DevClient {
            name: "idp",
            grants: &[(&["User", "Group"], ALL), (&["Person"], LOOK)],
            verifies_email: true,
        },
        DevClient {
            name: "verifier",
            grants: &[(&["Person"], LOOK)],
            verifies_email: false,
        },
        DevClient {
            name: "auditor",
            grants: &[(&["*"], LOOK)],
            verifies_email: false,
        },
        DevClient {
            name: "admin",
            grants: &[(&["*"], ALL)],
            verifies_email: false,
        },
        DevClient {
            name: "conformance",
            grants: &[(&["*"], ALL)],
            verifies_email: false,
        },
    ]
}

impl Config {
    /// Adds the embedded issuer found at `issuer`, and its clients and systems. A system that the file already
    /// describes stays as described.
    pub fn add_dev(&mut self, issuer: &str) {
        self.issuers.push(Issuer {
            url: issuer.into(),
            audience: DEV_AUDIENCE.into(),
            algorithms: vec![jsonwebtoken::Algorithm::RS256],
        });
        for client in dev_clients() {
            if !self.systems.iter().any(|system| system.name == client.name) {
                self.systems.push(System {
                    name: client.name.into(),
                    verifies_email: client.verifies_email,
                });
            }
            self.clients.push(Client {
                name: client.name.into(),
                issuer: issuer.into(),
                matches: Match {
                    claim: "azp".into(),
                    equals: client.name.into(),
                },
                tenant: file::default_tenant(),
                system: client.name.into(),
                grants: client
                    .grants
                    .iter()
                    .map(|(types, rights)| Grant {
                        types: types.iter().map(ToString::to_string).collect(),
                        rights: rights.to_vec(),
                    })
                    .collect(),
            });
        }
    }
}
