//! One signing key of the issuer: made once, kept in the data folder for its owner's eyes.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use jsonwebtoken::jwk::{Jwk, PublicKeyUse, ThumbprintHash};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use rsa::RsaPrivateKey;
use rsa::pkcs8::{EncodePrivateKey, LineEnding};
use serde::Serialize;

use super::Error;

/// RFC 7518 §3.3 asks for 2048 bits or more.
const BITS: usize = 2048;

/// RS256 with an RSA key, or ES256 with one on P-256.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Rs256,
    Es256,
}

impl Kind {
    /// The algorithm of that name (RFC 7518 §3.1).
    pub(super) fn named(name: &str) -> Option<Self> {
        match name {
            "RS256" => Some(Self::Rs256),
            "ES256" => Some(Self::Es256),
            _ => None,
        }
    }

    /// The name of the key's file in the data folder.
    pub(super) fn file(self) -> &'static str {
        match self {
            Self::Rs256 => "dev-issuer-key.pem",
            Self::Es256 => "dev-issuer-key-es256.pem",
        }
    }

    fn algorithm(self) -> Algorithm {
        match self {
            Self::Rs256 => Algorithm::RS256,
            Self::Es256 => Algorithm::ES256,
        }
    }
}

/// The private key, and its public half as published.
pub(super) struct SigningKey {
    kind: Kind,
    private: EncodingKey,
    public: Jwk,
    id: String,
}

impl SigningKey {
    /// Reads the key in `data_dir`, or makes and keeps one.
    pub(super) fn open(kind: Kind, data_dir: &Path) -> Result<Self, Error> {
        Self::open_file(kind, &data_dir.join(kind.file()))
    }

    /// The same with the key in a file of that name.
    pub(super) fn open_file(kind: Kind, path: &Path) -> Result<Self, Error> {
        let refused = |error: io::Error| {
            Error(format!(
                "cannot read the issuer's key {}: {error}",
                path.display()
            ))
        };
        let pem = match fs::read_to_string(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                keep_first(path, &generate(kind)?)?;
                fs::read_to_string(path)
            }
            read => read,
        };
        let pem = pem.map_err(refused)?;
        Self::from_pem(kind, &pem).map_err(|error| {
            Error(format!(
                "{} holds no private key for {:?} in PEM form ({error}); remove the file to have a new one made",
                path.display(),
                kind.algorithm()
            ))
        })
    }

    /// A new key and its PEM, kept nowhere yet.
    pub(super) fn make(kind: Kind) -> Result<(Self, String), Error> {
        let pem = generate(kind)?;
        let key = Self::from_pem(kind, &pem)
            .map_err(|error| Error(format!("cannot use a new key of the issuer: {error}")))?;
        Ok((key, pem))
    }

    fn from_pem(kind: Kind, pem: &str) -> jsonwebtoken::errors::Result<Self> {
        let private = match kind {
            Kind::Rs256 => EncodingKey::from_rsa_pem(pem.as_bytes())?,
            Kind::Es256 => EncodingKey::from_ec_pem(pem.as_bytes())?,
        };
        let mut public = Jwk::from_encoding_key(&private, kind.algorithm())?;
        let id = public.thumbprint(ThumbprintHash::SHA256)?;
        public.common.key_id = Some(id.clone());
        public.common.public_key_use = Some(PublicKeyUse::Signature);
        Ok(Self {
            kind,
            private,
            public,
            id,
        })
    }

    /// For what it signs.
    pub(super) fn kind(&self) -> Kind {
        self.kind
    }

    /// Its name: its thumbprint (RFC 7638).
    pub(super) fn id(&self) -> &str {
        &self.id
    }

    /// The public half.
    pub(super) fn public(&self) -> &Jwk {
        &self.public
    }

    /// Signs a token of this type: `at+jwt` for an access token (RFC 9068 §2.1), `JWT` for an ID token.
    pub(super) fn sign(
        &self,
        kind: &str,
        claims: &impl Serialize,
    ) -> jsonwebtoken::errors::Result<String> {
        let mut header = Header::new(self.kind.algorithm());
        header.typ = Some(kind.into());
        header.kid = Some(self.id.clone());
        jsonwebtoken::encode(&header, claims, &self.private)
    }
}

fn generate(kind: Kind) -> Result<String, Error> {
    let failed =
        |error: &dyn std::fmt::Display| Error(format!("cannot make a key for the issuer: {error}"));
    let mut random = rand::thread_rng();
    let pem = match kind {
        Kind::Rs256 => RsaPrivateKey::new(&mut random, BITS)
            .map_err(|error| failed(&error))?
            .to_pkcs8_pem(LineEnding::LF),
        Kind::Es256 => p256::SecretKey::random(&mut random).to_pkcs8_pem(LineEnding::LF),
    };
    Ok(pem.map_err(|error| failed(&error))?.to_string())
}

/// Writes a file that its owner alone may read, complete before it gets its name.
pub(super) fn keep(path: &Path, text: &str) -> Result<(), Error> {
    let kept = draft(path, text).and_then(|draft| fs::rename(draft, path));
    kept.map_err(|error| unkept(path, &error))
}

/// The same if there is no file of that name: of two processes that start at once, the first one's key is that of both.
fn keep_first(path: &Path, text: &str) -> Result<(), Error> {
    let kept = draft(path, text).and_then(|draft| {
        let linked = fs::hard_link(&draft, path);
        fs::remove_file(draft)?;
        linked
    });
    match kept {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(unkept(path, &error)),
        _ => Ok(()),
    }
}

fn unkept(path: &Path, error: &io::Error) -> Error {
    Error(format!(
        "cannot keep the issuer's keys in {}: {error}",
        path.display()
    ))
}

fn draft(path: &Path, text: &str) -> io::Result<PathBuf> {
    let draft = path.with_extension(format!("{}.new", std::process::id()));
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(&draft)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    Ok(draft)
}
