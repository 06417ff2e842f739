//! What an operator may set, and the checks it passes before anything starts.
//!
//! | file | what it does |
//! |---|---|
//! | `file` | the TOML as written: names of keys, defaults, located errors |
//! | `keys` | where the key-encryption key comes from |
//! | `limits` | how often a client may call |
//! | `own_issuer` | the server's own issuer, for callers that can only hold a bearer |
//! | `import` | which extracts are taken in when a client asks for it |
//! | `reconcile` | which extracts are compared with what is held, and how often |
//! | `sign_in` | how people sign in, and as whom they act |
//! | `check` | what must hold between the parts: unique names, references, sound addresses |
//! | `dev` | what `serve --dev` adds: its clients, their systems, the embedded issuer |

mod check;
mod dev;
mod file;
mod import;
mod keys;
mod limits;
mod own_issuer;
mod reconcile;
mod sign_in;
#[cfg(test)]
mod tests;

use std::path::PathBuf;

use jsonwebtoken::Algorithm;
use serde::Deserialize;
use serde_json::Value;

use crate::secret::Secret;

pub use check::is_loopback;
pub use dev::{DEV_AUDIENCE, DevClient, dev_clients};
pub use file::{load, parse};
pub use import::Import;
pub use keys::{KeySource, Keys, encode as encode_key};
pub use limits::Limits;
pub use own_issuer::OwnIssuer;
pub use reconcile::{Every, Reconcile};
pub use sign_in::{PersonRole, SignIn};

/// A mistake in the configuration: where it stands and what would be right.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Error(pub String);

/// The whole configuration, defaults filled in.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Where to listen and where to keep the data.
    #[serde(default)]
    pub server: Server,
    /// Whose tokens are accepted.
    #[serde(default, rename = "issuer")]
    pub issuers: Vec<Issuer>,
    /// The server's own issuer; without it `muster token` issues nothing.
    pub own_issuer: Option<OwnIssuer>,
    /// The source systems that write about people.
    #[serde(default, rename = "system")]
    pub systems: Vec<System>,
    /// Who may call, as what, with which rights.
    #[serde(default, rename = "client")]
    pub clients: Vec<Client>,
    /// How people sign in; without it nobody can.
    pub sign_in: Option<SignIn>,
    /// With whose rights people act.
    #[serde(default, rename = "person_role")]
    pub person_roles: Vec<PersonRole>,
    /// Which extracts are compared with what is held, and how often.
    #[serde(default)]
    pub reconcile: Vec<Reconcile>,
    /// Which extracts are taken in when a client asks for it.
    #[serde(default, rename = "import")]
    pub imports: Vec<Import>,
    /// How often each client may call. Without it: the default limits, and none with `--dev`.
    pub limits: Option<Limits>,
    /// Where the key-encryption key comes from. Without it `--dev` makes one.
    pub keys: Option<Keys>,
    /// How to log.
    #[serde(default)]
    pub log: Log,
    /// How the log of changes is sealed.
    #[serde(default)]
    pub audit: Audit,
}

/// `[server]`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Server {
    /// The address to listen on; default `127.0.0.1`.
    pub host: String,
    /// The port to listen on; 0 takes any free one; default 8080.
    pub port: u16,
    /// The folder of the embedded database and of what else must outlive a restart; default `data`.
    pub data_dir: PathBuf,
    /// `postgres://…` or `sqlite:PATH`; default: `muster.db` in the data folder.
    pub database_url: Option<Secret>,
    /// How callers reach SCIM here, the start of every `location`: `https://people.example.com/scim/v2`.
    pub public_url: Option<String>,
    /// The certificate of this server; without it plain HTTP is spoken, on loopback or behind a proxy.
    pub tls: Option<Tls>,
    /// Whether a proxy in front terminates TLS, so that plain HTTP may be spoken on any address; default no.
    pub behind_proxy: bool,
}

/// `[server.tls]`: files in PEM form, read anew when they change.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tls {
    /// The server's certificate, and after it those that lead to the root.
    pub certificate: PathBuf,
    /// Its private key.
    pub key: PathBuf,
}

impl Default for Server {
    fn default() -> Self {
        Self {
            host: "127.0.0.1".into(),
            port: 8080,
            data_dir: PathBuf::from("data"),
            database_url: None,
            public_url: None,
            tls: None,
            behind_proxy: false,
        }
    }
}

impl Server {
    /// Whether callers come by TLS, which ends here or at a proxy.
    #[must_use]
    pub fn is_reached_by_tls(&self) -> bool {
        self.tls.is_some() || self.behind_proxy
    }

    /// The address of the database: as configured, else an SQLite file in the data folder.
    #[must_use]
    pub fn database(&self) -> Secret {
        self.database_url.clone().unwrap_or_else(|| {
            Secret::new(format!(
                "sqlite:{}",
                self.data_dir.join("muster.db").display()
            ))
        })
    }
}

/// `[[issuer]]`: an OpenID Provider whose access tokens are accepted.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Issuer {
    /// Its issuer identifier, exactly as in `iss`; discovery hangs below it.
    pub url: String,
    /// Where discovery is, if it does not hang below `url`.
    #[serde(default)]
    pub discovery: Option<String>,
    /// The `aud` that tokens for this server carry: one of these, written as a text or a list.
    #[serde(rename = "audience", deserialize_with = "file::one_or_more")]
    pub audiences: Vec<String>,
    /// The signature algorithms to accept; default RS256 and ES256.
    #[serde(
        default = "file::default_algorithms",
        deserialize_with = "file::algorithms"
    )]
    pub algorithms: Vec<Algorithm>,
    /// The only tenants whose clients it may speak for; all without it. Where tenants write their own policies, this keeps
    /// each to its own tokens.
    #[serde(default)]
    pub tenants: Option<Vec<String>>,
    /// Its public keys, if it is the server's own: then nothing is fetched, and each token must have been issued here.
    #[serde(skip)]
    pub own: Option<Vec<Value>>,
}

/// `[[system]]`: a source system.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct System {
    /// Its name.
    pub name: String,
    /// Whether the e-mail addresses that it sends count as verified.
    #[serde(default)]
    pub verifies_email: bool,
}

/// `[[client]]`: a caller.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Client {
    /// Its name on events.
    pub name: String,
    /// The `url` of the issuer of its tokens.
    pub issuer: String,
    /// Which of that issuer's tokens are its own.
    #[serde(rename = "match")]
    pub matches: Match,
    /// The tenant it belongs to.
    #[serde(default = "file::default_tenant")]
    pub tenant: String,
    /// The source system as which it writes.
    pub system: String,
    /// Which account a token of this client is of, where it names one: that is `/Me` (RFC 7644 §3.11).
    #[serde(default)]
    pub me: Option<Me>,
    /// What it may do.
    pub grants: Vec<Grant>,
    /// How it speaks SCIM; default `rfc`.
    #[serde(default)]
    pub profile: Profile,
    /// What a PATCH of its own is answered by; default as its profile has it.
    #[serde(default)]
    pub patch_answer: Option<PatchAnswer>,
    /// How often it may call, if not as often as all others.
    pub limits: Option<Limits>,
}

/// How a client speaks SCIM: what is taken from it beyond the RFC, and what is refused within it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Profile {
    /// `rfc`: tolerant where nobody is harmed.
    #[default]
    Rfc,
    /// `entra`: also what Microsoft Entra ID sends against the RFC.
    Entra,
    /// `okta`: also what Okta sends against it.
    Okta,
    /// `strict`: the interop profile; nothing is guessed.
    Strict,
}

/// What a successful PATCH is answered by, where the request does not say.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PatchAnswer {
    /// `resource`: 200 with the resource.
    Resource,
    /// `none`: 204.
    None,
}

/// How a token names the account of whoever it was issued to.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Me {
    /// The name of the claim (`preferred_username`).
    pub claim: String,
    /// The attribute that has its value; default `userName`.
    #[serde(default)]
    pub attribute: MeAttribute,
}

/// An attribute that tells accounts apart.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum MeAttribute {
    /// `userName`.
    #[default]
    UserName,
    /// The `externalId` that the client's system gave.
    ExternalId,
    /// Our own `id`.
    Id,
}

/// A claim of the token and the text it must equal (or, for a list, contain).
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Match {
    /// The name of the claim (`azp`, `sub`, `roles`).
    pub claim: String,
    /// Its value.
    pub equals: String,
}

/// Rights on resource types.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Grant {
    /// Names of resource types (`User`); `*` stands for all.
    pub types: Vec<String>,
    /// What is allowed on them.
    pub rights: Vec<Right>,
}

/// One right.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Right {
    /// Fetch one by its id.
    Read,
    /// List, filter and sort.
    Search,
    /// Create and change.
    Write,
    /// Delete.
    Delete,
}

/// `[log]`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Log {
    /// Text for people, or JSON lines for machines.
    pub format: Format,
    /// Like `RUST_LOG`, over which it wins.
    pub filter: Option<String>,
}

/// `[audit]`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Audit {
    /// The file to which signed tree heads are appended; default `heads.jsonl` in the data folder if the database is there
    /// too, else none.
    pub heads: Option<PathBuf>,
    /// Whether events stay without their leaves: to measure what sealing costs, and not to be configured.
    #[serde(skip)]
    pub unsealed: bool,
}

/// How log lines look.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// For people.
    #[default]
    Text,
    /// For machines.
    Json,
}
