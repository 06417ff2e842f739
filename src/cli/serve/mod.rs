//! `muster serve`: assembles service and doors, listens, and stops in good order.

mod banner;
mod imports;
mod options;
mod schedule;
mod signal;

use std::fs::{self, OpenOptions};
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::sync::{Arc, mpsc};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use actix_web::dev::ServerHandle;
use actix_web::middleware::{NormalizePath, from_fn};
use actix_web::{App, HttpServer, web};
use rustls::ServerConfig;

use super::audit::heads;
use super::database::{self, MAX_PAGE};
use super::{Failure, keys, print, token};
use crate::clock::{Clock, SystemClock};
use crate::config::{Config, Format};
use crate::http::tls::{Certificate, Watch};
use crate::id::{IdSource, RandomIds};
use crate::issuer::own::{self, Own};
use crate::issuer::{self, Issuer};
use crate::service::Muster;
use crate::{http, telemetry};

use imports::Imports;
pub(super) use options::Options;
use schedule::Schedule;

/// How long a stop waits for requests in flight, in seconds.
const DRAIN: u64 = 30;

/// How long the head of a request may be on its way.
const HEAD: Duration = Duration::from_secs(5);

/// What to serve.
#[derive(Clone, Debug)]
pub struct Serve {
    /// The configuration, not checked yet.
    pub config: Config,
    /// Whether to embed the dev issuer and its clients.
    pub dev: bool,
    /// Clients of the dev issuer, and the files of their public keys (JSON Web Key Sets): `private_key_jwt`.
    pub dev_client_jwks: Vec<(String, PathBuf)>,
    /// Whether SIGTERM and SIGINT end it.
    pub signals: bool,
}

impl Serve {
    /// `serve --dev` on any free port, with its data in `data_dir`: what tests start.
    #[must_use]
    pub fn dev(data_dir: PathBuf) -> Self {
        let mut config = Config::default();
        config.server.port = 0;
        config.server.data_dir = data_dir;
        Self {
            config,
            dev: true,
            dev_client_jwks: Vec::new(),
            signals: false,
        }
    }
}

/// A running server.
pub struct Running {
    /// Where it listens.
    pub address: SocketAddr,
    service: Muster,
    handle: ServerHandle,
    thread: Option<JoinHandle<io::Result<()>>>,
    /// Looks at the certificate for as long as the server runs.
    watch: Option<Watch>,
    /// Compares extracts for as long as it runs.
    schedule: Option<Schedule>,
    /// Takes extracts in when it is asked to.
    imports: Arc<Imports>,
}

impl Running {
    /// The use cases behind it.
    #[must_use]
    pub fn service(&self) -> &Muster {
        &self.service
    }

    /// Stops accepting, finishes what is in flight, closes the database.
    ///
    /// # Errors
    /// When the server had failed.
    pub fn stop(mut self) -> Result<(), Failure> {
        self.end()
    }

    /// Serves until a signal ends it, then closes the database.
    ///
    /// # Errors
    /// When the server fails.
    pub fn wait(mut self) -> Result<(), Failure> {
        self.join()
    }

    fn end(&mut self) -> Result<(), Failure> {
        // The order is sent at once; the future only waits for what joining waits for too.
        drop(self.handle.stop(true));
        self.join()
    }

    fn join(&mut self) -> Result<(), Failure> {
        let Some(thread) = self.thread.take() else {
            return Ok(());
        };
        let outcome = thread.join();
        drop(self.watch.take());
        drop(self.schedule.take());
        self.imports.stop();
        self.service.close();
        match outcome {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) => Err(Failure::run(format!("the server failed: {error}"))),
            Err(_) => Err(Failure::run("the server's thread panicked")),
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Err(failure) = self.end() {
            tracing::error!(%failure, "stopping");
        }
    }
}

/// Runs the command until a signal ends it.
pub(super) fn run(options: Options) -> Result<(), Failure> {
    let settings = options.settings()?;
    let lines = match settings.config.log.format {
        Format::Text => telemetry::Lines::Text,
        Format::Json => telemetry::Lines::Json,
    };
    telemetry::init(lines, settings.config.log.filter.as_deref()).map_err(Failure::usage)?;
    let banner = banner::Banner::of(&settings);
    let running = start(settings, Arc::new(SystemClock), Arc::new(RandomIds))?;
    // That nobody reads the banner is no reason not to serve.
    print(&banner.text(running.address))?;
    running.wait()
}

/// Starts a server in threads of its own, and returns once it listens. May be called from within an event loop, though
/// opening a database waits.
///
/// # Errors
/// When the configuration is wrong, the port is taken, or the data or the database cannot be reached.
pub fn start(
    settings: Serve,
    clock: Arc<dyn Clock>,
    ids: Arc<dyn IdSource>,
) -> Result<Running, Failure> {
    let started = thread::scope(|scope| scope.spawn(|| assemble(settings, clock, ids)).join());
    started.unwrap_or_else(|_| Err(Failure::run("the server cannot start")))
}

fn assemble(
    settings: Serve,
    clock: Arc<dyn Clock>,
    ids: Arc<dyn IdSource>,
) -> Result<Running, Failure> {
    let Serve {
        mut config,
        dev,
        dev_client_jwks,
        signals,
    } = settings;
    config.check(dev)?;
    if !dev {
        config.limits.get_or_insert_default();
    }
    if dev || config.server.database_url.is_none() {
        prepare(&config.server.data_dir)?;
    }
    let certificate = config.server.tls.as_ref();
    let certificate = certificate.map(Certificate::open).transpose()?;
    keys::prepare(&config, dev, &*ids)?;
    let listener = listen(&config)?;
    let address = listener
        .local_addr()
        .map_err(|error| Failure::run(format!("cannot listen: {error}")))?;
    let mut issuer = None;
    if dev {
        let url = format!("http://{address}/dev");
        config.add_dev(&url);
        let opened = Issuer::open(&config.server.data_dir, url, clock.clone(), ids.clone())?;
        issuer = Some(web::Data::new(registered(opened, &dev_client_jwks)?));
    }
    let own = own(&mut config)?.map(web::Data::new);
    let workers = thread::available_parallelism()
        .map_or(2, usize::from)
        .max(2);
    // Every worker may read, and a few more jobs besides.
    let service = database::open(&config, workers + 4, ids.clone())?;
    seal(&service, &config, clock.clone())?;
    service.start_refolding(clock.clone())?;
    let base_url = base_url(&config, address);
    let schedule = Schedule::start(&config.reconcile, &service, clock.clone())?;
    let imports = Imports::new(&config.imports, &service, clock.clone())?;
    let door = http::Door::open(service.clone(), &config, &base_url, MAX_PAGE, clock, ids)?;
    let door = door.importing(imports.clone());
    let doors = Doors {
        http: web::Data::new(door),
        issuer,
        own,
    };
    let tls = certificate.as_ref().map(Certificate::server).transpose()?;
    let watch = certificate.as_ref().map(watch).transpose()?;
    let (handle, thread) = spawn((listener, tls), doors, workers, signals)?;
    Ok(Running {
        address,
        service,
        handle,
        thread: Some(thread),
        watch,
        schedule,
        imports,
    })
}

/// The dev issuer with the public keys of its clients.
fn registered(mut issuer: Issuer, jwks: &[(String, PathBuf)]) -> Result<Issuer, Failure> {
    for (client, file) in jwks {
        register(&mut issuer, client, file)?;
    }
    Ok(issuer)
}

/// The server's own issuer, trusted from now on, if it is configured.
fn own(config: &mut Config) -> Result<Option<Own>, Failure> {
    let own = token::own(config)?.map(|(own, _)| own);
    if let Some(own) = &own {
        config.add_own_issuer(own.url(), own.published());
    }
    Ok(own)
}

/// Looks for a new certificate from now on.
fn watch(certificate: &Arc<Certificate>) -> Result<Watch, Failure> {
    let watching = certificate.watch();
    watching.map_err(|error| Failure::run(format!("cannot start a thread: {error}")))
}

/// Gives the dev issuer the public keys of one of its clients.
fn register(issuer: &mut Issuer, client: &str, file: &Path) -> Result<(), Failure> {
    let wrong = |why: &dyn std::fmt::Display| {
        Failure::usage(format!(
            "--dev-client-jwks {client}={}: {why}",
            file.display()
        ))
    };
    let text = fs::read_to_string(file).map_err(|error| wrong(&error))?;
    issuer
        .register(client, &text)
        .map_err(|error| wrong(&error))
}

/// Seals the log from now on, and keeps its signed heads where they belong.
fn seal(service: &Muster, config: &Config, clock: Arc<dyn Clock>) -> Result<(), Failure> {
    if config.audit.unsealed {
        tracing::warn!("events are not sealed: this server is for measuring");
        service.leave_unsealed();
        return Ok(());
    }
    let keep = heads::file(config).map(heads::keep);
    Ok(service.start_log(clock, keep)?)
}

/// Makes the data folder, and finds out now whether it can be written to.
fn prepare(directory: &Path) -> Result<(), Failure> {
    let refused = |error: io::Error| {
        Failure::run(format!(
            "cannot write to the data folder {}: {error}; choose another with --data-dir",
            directory.display()
        ))
    };
    make(directory).map_err(refused)?;
    let probe = directory.join(format!(".probe-{}", std::process::id()));
    OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .open(&probe)
        .map_err(refused)?;
    fs::remove_file(&probe).map_err(refused)
}

/// Makes a folder that its owner alone may look into: people's data will be there.
fn make(directory: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(directory)
}

fn listen(config: &Config) -> Result<TcpListener, Failure> {
    let (host, port) = (config.server.host.as_str(), config.server.port);
    TcpListener::bind((host, port)).map_err(|error| match error.kind() {
        io::ErrorKind::AddrInUse => Failure::run(format!(
            "port {port} on {host} is taken by another program; choose another with --port, or any free one with --port 0"
        )),
        _ => Failure::run(format!("cannot listen on {host} port {port}: {error}")),
    })
}

/// The start of every location: as configured, else by the address, which for "every address" is this machine's own.
fn base_url(config: &Config, mut address: SocketAddr) -> String {
    if let Some(url) = &config.server.public_url {
        return url.trim_end_matches('/').to_owned();
    }
    if address.ip().is_unspecified() {
        address.set_ip(match address.ip() {
            IpAddr::V4(_) => Ipv4Addr::LOCALHOST.into(),
            IpAddr::V6(_) => Ipv6Addr::LOCALHOST.into(),
        });
    }
    format!("{}://{address}/scim/v2", scheme(config))
}

/// What is spoken at the address itself.
fn scheme(config: &Config) -> &'static str {
    match config.server.tls {
        Some(_) => "https",
        None => "http",
    }
}

#[derive(Clone)]
struct Doors {
    http: web::Data<http::Door>,
    issuer: Option<web::Data<Issuer>>,
    own: Option<web::Data<Own>>,
}

/// Runs the doors in a thread of its own, with its own event loop.
fn spawn(
    (listener, tls): (TcpListener, Option<ServerConfig>),
    doors: Doors,
    workers: usize,
    signals: bool,
) -> Result<(ServerHandle, JoinHandle<io::Result<()>>), Failure> {
    let (sender, started) = mpsc::channel();
    let body = move || {
        actix_web::rt::System::new().block_on(async move {
            let server = HttpServer::new(move || {
                let Doors { http, issuer, own } = doors.clone();
                App::new()
                    .wrap(NormalizePath::trim())
                    .wrap(from_fn(http::boundary))
                    .configure(|app| {
                        if let Some(issuer) = issuer {
                            issuer::mount(issuer)(app);
                        }
                        if let Some(own) = own {
                            own::mount(own)(app);
                        }
                    })
                    .configure(http::mount(http))
            });
            let server = server
                .workers(workers)
                .client_request_timeout(HEAD)
                .shutdown_timeout(DRAIN);
            let server = if signals {
                server.shutdown_signal(signal::end()?)
            } else {
                server.disable_signals()
            };
            let server = match tls {
                Some(tls) => server.listen_rustls_0_23(listener, tls)?,
                None => server.listen(listener)?,
            };
            let server = server.run();
            // Nobody waits for the handle only if the starter is gone, and then nobody needs it.
            _ = sender.send(server.handle());
            server.await
        })
    };
    let thread = thread::Builder::new()
        .name("muster-http".into())
        .spawn(body);
    let thread = thread.map_err(|error| Failure::run(format!("cannot start a thread: {error}")))?;
    match started.recv() {
        Ok(handle) => Ok((handle, thread)),
        Err(_) => Err(match thread.join() {
            Ok(Err(error)) => Failure::run(format!("the server cannot start: {error}")),
            _ => Failure::run("the server cannot start"),
        }),
    }
}
