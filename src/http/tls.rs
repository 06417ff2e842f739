//! TLS 1.2 and 1.3 by rustls, with a certificate and key from files that may change while the server runs: new
//! connections get the new certificate, those that are open stay as they are.

use std::fmt;
use std::fs;
use std::io;
use std::path::Path;
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use rustls::{InconsistentKeys, ServerConfig, version};

use crate::config;

/// How often the files are looked at.
const EVERY: Duration = Duration::from_secs(1);

/// Why the files cannot be used; the text names the file and what would be right.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct TlsError(String);

/// The certificate in use.
pub struct Certificate {
    files: config::Tls,
    provider: Arc<CryptoProvider>,
    current: RwLock<Arc<CertifiedKey>>,
    /// What the files held, or why they could not be read, when they were last looked at: each change is told once.
    seen: Mutex<Result<Contents, TlsError>>,
}

#[derive(Clone, PartialEq, Eq)]
struct Contents {
    certificate: Vec<u8>,
    key: Vec<u8>,
}

impl Certificate {
    /// Reads the certificate and its key.
    ///
    /// # Errors
    /// When a file cannot be read or holds something else, or the key is another certificate's.
    pub fn open(files: &config::Tls) -> Result<Arc<Self>, TlsError> {
        let provider = Arc::new(ring::default_provider());
        let contents = Contents::read(files)?;
        let key = contents.certified(files, &provider)?;
        Ok(Arc::new(Self {
            files: files.clone(),
            provider,
            current: RwLock::new(Arc::new(key)),
            seen: Mutex::new(Ok(contents)),
        }))
    }

    /// What the server speaks: TLS 1.3 and 1.2, nothing older (RFC 7644 §7.1, RFC 9325).
    ///
    /// # Errors
    /// When the cryptography at hand does not go with these versions.
    pub fn server(self: &Arc<Self>) -> Result<ServerConfig, TlsError> {
        let builder = ServerConfig::builder_with_provider(Arc::clone(&self.provider))
            .with_protocol_versions(&[&version::TLS13, &version::TLS12])
            .map_err(|error| TlsError(format!("cannot set up TLS: {error}")))?;
        let resolver: Arc<dyn ResolvesServerCert> = Arc::clone(self) as _;
        Ok(builder.with_no_client_auth().with_cert_resolver(resolver))
    }

    /// Looks at the files again and again, until the answer is dropped.
    ///
    /// # Errors
    /// When there can be no thread for it.
    pub fn watch(self: &Arc<Self>) -> io::Result<Watch> {
        let (stop, stopped) = mpsc::channel::<()>();
        let certificate = Arc::clone(self);
        let body = move || {
            while stopped.recv_timeout(EVERY) == Err(RecvTimeoutError::Timeout) {
                certificate.look();
            }
        };
        let thread = thread::Builder::new()
            .name("muster-tls".into())
            .spawn(body)?;
        Ok(Watch {
            stop: Some(stop),
            thread: Some(thread),
        })
    }

    /// Takes what the files hold now, if it has changed and is sound.
    fn look(&self) {
        let now = Contents::read(&self.files);
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if *seen == now {
            return;
        }
        let certified = now
            .clone()
            .and_then(|contents| contents.certified(&self.files, &self.provider));
        *seen = now;
        match certified {
            Ok(key) => {
                *self.current.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(key);
                tracing::info!(tls.certificate = %self.files.certificate.display(), "http.tls.reload: a new certificate is in use");
            }
            Err(error) => {
                tracing::warn!(%error, "http.tls.reload failed; the certificate read before stays in use");
            }
        }
    }
}

impl fmt::Debug for Certificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Certificate")
            .field("files", &self.files)
            .finish_non_exhaustive()
    }
}

impl ResolvesServerCert for Certificate {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let current = self.current.read().unwrap_or_else(PoisonError::into_inner);
        Some(Arc::clone(&current))
    }
}

/// Watches the files for as long as it lives.
#[derive(Debug)]
pub struct Watch {
    stop: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Drop for Watch {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // A panic in it has been logged.
            drop(thread.join());
        }
    }
}

impl Contents {
    fn read(files: &config::Tls) -> Result<Self, TlsError> {
        Ok(Self {
            certificate: read(&files.certificate, "certificate")?,
            key: read(&files.key, "key")?,
        })
    }

    /// The chain and its key, which must be a pair.
    fn certified(
        &self,
        files: &config::Tls,
        provider: &CryptoProvider,
    ) -> Result<CertifiedKey, TlsError> {
        let (certificate, key) = (files.certificate.display(), files.key.display());
        let chain = CertificateDer::pem_slice_iter(&self.certificate)
            .collect::<Result<Vec<_>, _>>()
            .map_err(|error| TlsError(format!("{certificate} is not sound PEM: {error}")))?;
        if chain.is_empty() {
            return Err(TlsError(format!(
                "{certificate} holds no certificate; it must hold the server's in PEM form, and after it those that lead \
                 to the root"
            )));
        }
        let private = PrivateKeyDer::from_pem_slice(&self.key).map_err(|error| match error {
            pem::Error::NoItemsFound => TlsError(format!(
                "{key} holds no private key; it must hold one in PEM form, without a passphrase"
            )),
            error => TlsError(format!("{key} is not sound PEM: {error}")),
        })?;
        CertifiedKey::from_der(chain, private, provider).map_err(|error| match error {
            rustls::Error::InconsistentKeys(InconsistentKeys::KeyMismatch) => TlsError(format!(
                "the private key in {key} is not that of the first certificate in {certificate}"
            )),
            error => TlsError(format!("{certificate} and {key} cannot be used: {error}")),
        })
    }
}

fn read(path: &Path, what: &str) -> Result<Vec<u8>, TlsError> {
    fs::read(path).map_err(|error| {
        TlsError(format!(
            "cannot read the {what} {}: {error}",
            path.display()
        ))
    })
}
