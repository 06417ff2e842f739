//! What is measured: processes of their own, so that their memory and their time are theirs.

use std::fs;
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use super::http::Connection;
use super::operations::Target;
use super::{Failure, Plan};

/// Numbers of newcomers are far from those of the seeded, and each target has its own.
static NEWCOMERS: AtomicUsize = AtomicUsize::new(2_000_000);
const EACH: usize = 300_000;

/// A running server; killed when it is dropped.
pub(crate) struct Server {
    child: Child,
    pub(crate) port: u16,
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended already.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

impl Server {
    fn start(command: &mut Command, port: u16) -> Result<Self, Failure> {
        let child = command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .spawn()
            .map_err(|error| format!("{command:?} cannot be started: {error}"))?;
        let mut server = Self { child, port };
        let patience = Instant::now() + Duration::from_mins(2);
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            if let Some(status) = server.child.try_wait()? {
                return Err(format!("{command:?} ended with {status} before it listened").into());
            }
            if Instant::now() > patience {
                return Err(format!("{command:?} does not listen on port {port}").into());
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(server)
    }

    /// Muster as an operator would start it to try it out: the embedded issuer, everything on. `data` holds the
    /// issuer's key, and the database unless `url` is PostgreSQL's.
    pub(crate) fn muster(plan: &Plan, data: &Path, url: &str) -> Result<Self, Failure> {
        Self::muster_with(plan, data, url, &[])
    }

    /// The same with more on its command line.
    pub(crate) fn muster_with(
        plan: &Plan,
        data: &Path,
        url: &str,
        more: &[&str],
    ) -> Result<Self, Failure> {
        let port = free_port()?;
        let mut command = Command::new(&plan.muster);
        command
            .args(["serve", "--dev", "--port", &port.to_string()])
            .arg("--data-dir")
            .arg(data)
            .args(["--database-url", url])
            .args(more)
            .env("RUST_LOG", "error");
        Self::start(&mut command, port)
    }

    /// The bare handler, which is this program itself.
    pub(crate) fn bare(url: &str) -> Result<Self, Failure> {
        let port = free_port()?;
        let mut command = Command::new(std::env::current_exe()?);
        command.args(["bare", url, &port.to_string()]);
        Self::start(&mut command, port)
    }

    /// Another server by its command line, in which `PORT` stands for the port.
    pub(crate) fn peer(command: &str) -> Result<Self, Failure> {
        let port = free_port()?;
        let command = command.replace("PORT", &port.to_string());
        let mut shell = Command::new("sh");
        shell.args(["-c", &format!("exec {command}")]);
        Self::start(&mut shell, port)
    }

    /// Anonymous memory in MB: what the process itself holds, without files that are mapped or cached.
    pub(crate) fn anonymous_memory(&self) -> Option<f64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id())).ok()?;
        let line = status
            .lines()
            .find_map(|line| line.strip_prefix("RssAnon:"))?;
        let kilobytes: f64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
        Some(kilobytes / 1024.0)
    }

    /// Asks the server to end, and waits until it has.
    pub(crate) fn stop(mut self) -> Result<(), Failure> {
        Command::new("kill")
            .arg(self.child.id().to_string())
            .status()?;
        self.child.wait()?;
        Ok(())
    }

    /// A token of the embedded issuer.
    pub(crate) async fn token(&self) -> Result<String, Failure> {
        let body = "grant_type=client_credentials";
        let request = format!(
            "POST /dev/token HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Basic aHJpczpocmlzLXNlY3JldA==\r\n\
             Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        );
        let answer = Connection::to(self.port).call(request.as_bytes()).await?;
        answer
            .text("access_token")
            .ok_or_else(|| format!("no token: {}", String::from_utf8_lossy(&answer.body)).into())
    }

    /// The server with what a load has to know of it.
    pub(crate) fn target(&self, name: &str, base: &str, token: String, size: usize) -> Target {
        Target {
            name: name.to_owned(),
            port: self.port,
            process: self.child.id(),
            base: base.to_owned(),
            token,
            ids: Vec::new(),
            size,
            group: String::new(),
            cursor: None,
            bulk: false,
            next: NEWCOMERS.fetch_add(EACH, Ordering::Relaxed).into(),
            fresh: Vec::new().into(),
            random: 1.into(),
        }
    }
}

/// The seconds of processor time that a process has taken: they tell what work costs even where others are at work.
pub(crate) fn processor_seconds(process: u32) -> Option<f64> {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    // After the name, which may hold anything but ends with the last parenthesis: the 12th and 13th fields, in ticks.
    let (_, fields) = stat.rsplit_once(") ")?;
    let mut fields = fields.split(' ').skip(11);
    let ticks = fields.next()?.parse::<f64>().ok()? + fields.next()?.parse::<f64>().ok()?;
    Some(ticks / 100.0)
}

fn free_port() -> Result<u16, Failure> {
    Ok(TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port())
}
