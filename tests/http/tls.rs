//! TLS from files: what is spoken, what is refused at the start, and certificates that change under way.

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use muster::cli::serve::{Running, Serve, start};
use muster::clock::SystemClock;
use muster::config::{self, Tls};
use muster::id::RandomIds;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use reqwest::{Certificate, Client, Version, tls};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::app::{Folder, PATIENCE, any_key, send};
use super::startup::refused;

/// An authority that a client may trust.
struct Authority(CertifiedIssuer<'static, KeyPair>);

impl Authority {
    fn new() -> Self {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        Self(CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap())
    }

    /// A certificate for this machine and its key, in PEM form.
    fn issue(&self) -> (String, String) {
        let key = KeyPair::generate().unwrap();
        let names = ["localhost".into(), "127.0.0.1".into()];
        let params = CertificateParams::new(names).unwrap();
        let certificate = params.signed_by(&key, &self.0).unwrap();
        (certificate.pem(), key.serialize_pem())
    }

    /// A client that trusts this authority alone, and never takes up a TLS session again.
    fn client(&self) -> reqwest::ClientBuilder {
        Client::builder()
            .no_proxy()
            .pool_max_idle_per_host(0)
            .tls_built_in_root_certs(false)
            .add_root_certificate(Certificate::from_pem(self.0.pem().as_bytes()).unwrap())
    }

    async fn is_served(&self, address: &str) -> bool {
        self.client()
            .build()
            .unwrap()
            .get(address)
            .send()
            .await
            .is_ok()
    }
}

/// A server with a certificate.
struct Scene {
    folder: Folder,
    running: Running,
    authority: Authority,
}

impl Scene {
    fn new() -> Self {
        let folder = Folder::new();
        let authority = Authority::new();
        let (certificate, key) = authority.issue();
        fs::write(folder.0.join("tls.crt"), certificate).unwrap();
        fs::write(folder.0.join("tls.key"), key).unwrap();
        let running = start(serve(&folder), Arc::new(SystemClock), Arc::new(RandomIds)).unwrap();
        Self {
            folder,
            running,
            authority,
        }
    }

    fn alive(&self) -> String {
        format!("https://{}/healthz", self.running.address)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.0.join(name)
    }

    fn keep(&self, (certificate, key): (String, String)) {
        fs::write(self.path("tls.crt"), certificate).unwrap();
        fs::write(self.path("tls.key"), key).unwrap();
    }

    /// Waits until the server presents a certificate of `authority`.
    async fn until_served_by(&self, authority: &Authority) {
        let patience = Instant::now() + PATIENCE;
        while !authority.is_served(&self.alive()).await {
            assert!(Instant::now() < patience, "the new certificate is not used");
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }
}

fn serve(folder: &Folder) -> Serve {
    let text = "[[issuer]]\nurl = \"https://login.example.com\"\naudience = \"muster\"";
    let mut config = config::parse(text).unwrap();
    config.keys = Some(any_key());
    config.server.port = 0;
    config.server.data_dir = folder.0.join("data");
    folder.is_home_of(&mut config);
    config.server.tls = Some(Tls {
        certificate: folder.0.join("tls.crt"),
        key: folder.0.join("tls.key"),
    });
    Serve {
        config,
        dev: false,
        dev_client_jwks: Vec::new(),
        signals: false,
    }
}

fn failure(folder: &Folder) -> (u8, String) {
    match start(serve(folder), Arc::new(SystemClock), Arc::new(RandomIds)) {
        Ok(_) => panic!("it started"),
        Err(failure) => (failure.code(), failure.to_string()),
    }
}

#[actix_web::test]
async fn tls_1_2_and_1_3_are_spoken_to_who_trusts_the_certificate() {
    let scene = Scene::new();
    for version in [tls::Version::TLS_1_2, tls::Version::TLS_1_3] {
        let client = scene
            .authority
            .client()
            .min_tls_version(version)
            .max_tls_version(version);
        let answer = send(client.build().unwrap().get(scene.alive())).await;
        assert_eq!(answer.status, 200);
    }
    assert!(!Authority::new().is_served(&scene.alive()).await);
    // The location of what is made here begins with https.
    let list = scene.alive().replace("/healthz", "/scim/v2/Users");
    let answer = send(scene.authority.client().build().unwrap().get(list)).await;
    answer.error(401, None);
}

#[actix_web::test]
async fn plain_http_to_the_tls_port_gets_no_answer() {
    let scene = Scene::new();
    let mut socket = tokio::net::TcpStream::connect(scene.running.address)
        .await
        .unwrap();
    socket
        .write_all(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
        .await
        .unwrap();
    let mut answer = Vec::new();
    // A reset is fine too.
    drop(socket.read_to_end(&mut answer).await);
    assert!(!answer.starts_with(b"HTTP/"), "{answer:?}");
}

#[actix_web::test]
async fn a_changed_certificate_is_used_within_seconds_and_open_connections_stay() {
    let scene = Scene::new();
    let kept = scene
        .authority
        .client()
        .pool_max_idle_per_host(1)
        .build()
        .unwrap();
    let before = send(kept.get(scene.alive())).await;
    assert_eq!(before.status, 200);
    let next = Authority::new();
    scene.keep(next.issue());
    scene.until_served_by(&next).await;
    assert!(!scene.authority.is_served(&scene.alive()).await);
    // This client would not trust the new certificate: it is still on its first connection.
    let after = kept.get(scene.alive()).send().await.unwrap();
    assert_eq!(
        (after.status().as_u16(), after.version()),
        (200, Version::HTTP_11)
    );
}

#[actix_web::test]
async fn a_bad_new_file_changes_nothing_until_it_is_good() {
    let scene = Scene::new();
    let next = Authority::new();
    let (certificate, key) = next.issue();
    let bad: [(&str, Option<&str>); 4] = [
        ("tls.crt", Some("no certificate")),
        ("tls.crt", Some(&certificate)), // the key is still that of the old one
        ("tls.crt", None),
        (
            "tls.key",
            Some("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"),
        ),
    ];
    for (file, text) in bad {
        match text {
            Some(text) => fs::write(scene.path(file), text).unwrap(),
            None => fs::remove_file(scene.path(file)).unwrap(),
        }
        // Long enough for the server to have looked.
        tokio::time::sleep(Duration::from_millis(1500)).await;
        assert!(
            scene.authority.is_served(&scene.alive()).await,
            "{file}: {text:?}"
        );
    }
    scene.keep((certificate, key));
    scene.until_served_by(&next).await;
}

#[test]
fn files_that_cannot_be_used_are_named_at_the_start() {
    let folder = Folder::new();
    let authority = Authority::new();
    let (certificate, key) = authority.issue();
    let (_, foreign) = authority.issue();
    let at = |name: &str, text: &str| fs::write(folder.0.join(name), text).unwrap();
    let said = |part: &str| {
        let (code, message) = failure(&folder);
        assert_eq!(code, 2, "{message}");
        assert!(message.contains(part), "{message}");
        assert!(!message.contains("BEGIN"), "{message}");
    };
    said("cannot read the certificate");
    at("tls.crt", &certificate);
    said("cannot read the key");
    at("tls.key", &foreign);
    said("is not that of the first certificate");
    at("tls.key", &certificate);
    said("holds no private key");
    at("tls.key", &key);
    at("tls.crt", &key);
    said("holds no certificate");
    at(
        "tls.crt",
        "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
    );
    said("cannot be used");
}

#[test]
fn plain_http_beyond_this_machine_is_refused_unless_a_proxy_is_in_front() {
    let folder = Folder::new();
    let file = folder.0.join("muster.toml");
    let with = |server: &str, arguments: &[&str]| {
        let issuer = "[[issuer]]\nurl = \"https://login.example.com\"\naudience = \"muster\"\n";
        fs::write(&file, format!("{issuer}[server]\n{server}\n")).unwrap();
        refused(
            2,
            &[&["serve", "--config", file.to_str().unwrap()], arguments].concat(),
        )
    };
    for host in ["0.0.0.0", "::", "192.0.2.1"] {
        let message = with("port = 0", &["--host", host]);
        for part in [host, "[server.tls]", "behind_proxy = true"] {
            assert!(message.contains(part), "{message}");
        }
    }
    let message = with("host = \"0.0.0.0\"\nbehind_proxy = true", &[]);
    assert!(message.contains("public_url"), "{message}");
    let public = "public_url = \"http://people.example.com/scim/v2\"";
    let message = with(&format!("behind_proxy = true\n{public}"), &[]);
    assert!(message.contains("https://"), "{message}");
    let tls = "[server.tls]\ncertificate = \"a\"\nkey = \"b\"";
    let message = with(&format!("{public}\n{tls}"), &[]);
    assert!(message.contains("https://"), "{message}");
    let message = with(&format!("behind_proxy = true\n{tls}"), &[]);
    assert!(message.contains("one of them"), "{message}");
    let message = with(tls, &["--dev"]);
    assert!(message.contains("--dev"), "{message}");
}

#[actix_web::test]
async fn behind_a_proxy_plain_http_is_served_on_any_address() {
    let folder = Folder::new();
    let mut serve = serve(&folder);
    let server = &mut serve.config.server;
    server.tls = None;
    server.host = "0.0.0.0".into();
    server.behind_proxy = true;
    server.public_url = Some("https://people.example.com/scim/v2".into());
    let running = start(serve, Arc::new(SystemClock), Arc::new(RandomIds)).unwrap();
    let client = Client::builder().no_proxy().build().unwrap();
    let address = format!("http://127.0.0.1:{}/healthz", running.address.port());
    assert_eq!(send(client.get(address)).await.status, 200);
}
