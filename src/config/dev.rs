//! What `serve --dev` adds to the configuration, so that every example in the documentation works at once.

use super::{
    Client, Config, Grant, Issuer, Match, Me, MeAttribute, PersonRole, Profile, Right, SignIn,
    System, file,
};
use crate::secret::Secret;

/// The `aud` of the embedded issuer's tokens.
pub const DEV_AUDIENCE: &str = "muster";

/// The claim by which a token of the embedded issuer names an account, if it was asked to.
const DEV_ME_CLAIM: &str = "preferred_username";

const ALL: &[Right] = &[Right::Read, Right::Search, Right::Write, Right::Delete];
const LOOK: &[Right] = &[Right::Read, Right::Search];

/// Resource types, and the rights on them.
type Grants = &'static [(&'static [&'static str], &'static [Right])];

const PROVIDER: Grants = &[
    (&["User", "Group", "GroupMembership"], ALL),
    (&["Person"], LOOK),
];

/// What an applicant tracking system masters.
const HIRING: &[&str] = &[
    "Requisition",
    "Application",
    "Verification",
    "Interview",
    "Assessment",
    "Offer",
];

/// A client of the embedded issuer, a source system of the same name, and what it may do.
#[derive(Clone, Copy, Debug)]
pub struct DevClient {
    /// The name of client and system.
    pub name: &'static str,
    grants: Grants,
    verifies_email: bool,
    profile: Profile,
}

impl DevClient {
    /// Its secret: the name and `-secret`. That everybody knows it is why `--dev` stays on loopback.
    #[must_use]
    pub fn secret(&self) -> Secret {
        Secret::new(format!("{}-secret", self.name))
    }
}

impl DevClient {
    /// Who signs in at the embedded issuer under its name acts as this client.
    fn role(&self) -> PersonRole {
        PersonRole {
            claim: "roles".into(),
            equals: self.name.into(),
            client: self.name.into(),
        }
    }

    const fn new(name: &'static str, grants: Grants) -> Self {
        Self {
            name,
            grants,
            verifies_email: false,
            profile: Profile::Rfc,
        }
    }

    const fn verifying(self) -> Self {
        Self {
            verifies_email: true,
            ..self
        }
    }

    /// An identity provider that speaks SCIM in its own way.
    const fn provider(name: &'static str, profile: Profile) -> Self {
        Self {
            profile,
            ..Self::new(name, PROVIDER).verifying()
        }
    }
}

/// The clients of `--dev`. The last three are for replaying what real clients send (`conformance/clients`).
const CLIENTS: &[DevClient] = &[
    DevClient::new(
        "hris",
        &[
            (
                &["Person", "User", "Group", "GroupMembership", "Employment"],
                ALL,
            ),
            (HIRING, LOOK),
        ],
    )
    .verifying(),
    DevClient::new("ats", &[(&["Person"], ALL), (HIRING, ALL)]).verifying(),
    DevClient::new("crm", &[(&["Person", "Opportunity", "Organization"], ALL)]),
    DevClient::new("idp", PROVIDER).verifying(),
    DevClient::new("verifier", &[(&["Person"], LOOK)]),
    DevClient::new("auditor", &[(&["*"], LOOK)]),
    DevClient::new("admin", &[(&["*"], ALL)]),
    DevClient::new("conformance", &[(&["*"], ALL)]),
    DevClient::provider("entra", Profile::Entra),
    DevClient::provider("okta", Profile::Okta),
    DevClient::provider("strict", Profile::Strict),
];

/// The client that the server itself is at the embedded issuer, when people sign in.
const PAGES: DevClient = DevClient::new("admin", &[]);

/// The clients of `--dev`.
#[must_use]
pub fn dev_clients() -> &'static [DevClient] {
    CLIENTS
}

impl Config {
    /// Adds the embedded issuer found at `issuer`, and its clients and systems. A system that the file already
    /// describes stays as described.
    pub fn add_dev(&mut self, issuer: &str) {
        self.issuers.push(Issuer {
            url: issuer.into(),
            audiences: vec![DEV_AUDIENCE.into()],
            discovery: None,
            algorithms: file::default_algorithms(),
            tenants: None,
            own: None,
        });
        if self.sign_in.is_none() {
            self.sign_in = Some(SignIn {
                issuer: issuer.into(),
                client_id: PAGES.name.into(),
                client_secret: PAGES.secret(),
                scopes: vec!["profile".into()],
            });
            self.person_roles = dev_clients().iter().map(DevClient::role).collect();
        }
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
                me: Some(Me {
                    claim: DEV_ME_CLAIM.into(),
                    attribute: MeAttribute::UserName,
                }),
                grants: client
                    .grants
                    .iter()
                    .map(|(types, rights)| Grant {
                        types: types.iter().map(ToString::to_string).collect(),
                        rights: rights.to_vec(),
                    })
                    .collect(),
                profile: client.profile,
                patch_answer: None,
                limits: None,
            });
        }
    }
}
