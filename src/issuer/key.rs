//! The issuer's RSA key: made once, kept in the data folder for its owner's eyes.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::Path;

use jsonwebtoken::jwk::{Jwk, PublicKeyUse, ThumbprintHash};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use rsa::RsaPrivateKey;
use rsa::pkcs8::{EncodePrivateKey, LineEnding};
use serde::Serialize;

use super::Error;

/// The name of the key's file in the data folder.
const FILE: &str = "dev-issuer-key.pem";
/// RFC 7518 §3.3 asks for 2048 bits or more.
const BITS: usize = 2048;

/// The private key, and its public half as published.
pub(super) struct SigningKey {
    private: EncodingKey,
    public: Jwk,
    id: String,
}

impl SigningKey {
    /// Reads the key in `data_dir`, or makes and keeps one.
    pub(super) fn open(data_dir: &Path) -> Result<Self, Error> {
        let path = data_dir.join(FILE);
        let pem = match fs::read_to_string(&path) {
            Ok(pem) => pem,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let pem = generate()?;
                keep(&path, &pem).map_err(|error| {
                    Error(format!(
                        "cannot keep the dev issuer's key in {}: {error}",
                        path.display()
                    ))
                })?;
                pem
            }
            Err(error) => {
                return Err(Error(format!(
                    "cannot read the dev issuer's key {}: {error}",
                    path.display()
                )));
            }
        };
        Self::from_pem(&pem).map_err(|error| {
            Error(format!(
                "{} holds no RSA private key in PEM form ({error}); remove the file to have a new one made",
                path.display()
            ))
        })
    }

    fn from_pem(pem: &str) -> jsonwebtoken::errors::Result<Self> {
        let private = EncodingKey::from_rsa_pem(pem.as_bytes())?;
        let mut public = Jwk::from_encoding_key(&private, Algorithm::RS256)?;
        let id = public.thumbprint(ThumbprintHash::SHA256)?;
        public.common.key_id = Some(id.clone());
        public.common.public_key_use = Some(PublicKeyUse::Signature);
        Ok(Self {
            private,
            public,
            id,
        })
    }

    /// The public half, named by its thumbprint (RFC 7638).
    pub(super) fn public(&self) -> &Jwk {
        &self.public
    }

    /// Signs an access token (RFC 9068 §2.1).
    pub(super) fn sign(&self, claims: &impl Serialize) -> jsonwebtoken::errors::Result<String> {
        let mut header = Header::new(Algorithm::RS256);
        header.typ = Some("at+jwt".into());
        header.kid = Some(self.id.clone());
        jsonwebtoken::encode(&header, claims, &self.private)
    }
}

fn generate() -> Result<String, Error> {
    let failed = |error: &dyn std::fmt::Display| {
        Error(format!("cannot make a key for the dev issuer: {error}"))
    };
    let key = RsaPrivateKey::new(&mut rand::thread_rng(), BITS).map_err(|error| failed(&error))?;
    let pem = key
        .to_pkcs8_pem(LineEnding::LF)
        .map_err(|error| failed(&error))?;
    Ok(pem.to_string())
}

/// Writes a new file that its owner alone may read, complete before it gets its name.
fn keep(path: &Path, pem: &str) -> io::Result<()> {
    let draft = path.with_extension(format!("{}.new", std::process::id()));
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(&draft)?;
    file.write_all(pem.as_bytes())?;
    file.sync_all()?;
    fs::rename(&draft, path)
}
