//! A private PostgreSQL cluster that a test can stop, kill, freeze and crowd.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use crate::support::database::Connection;
use crate::support::process::free_port;

/// The cluster; stopped and removed when it is dropped.
pub(crate) struct Cluster {
    binaries: PathBuf,
    folder: PathBuf,
    port: u16,
}

/// Connections that the cluster allows.
pub(crate) const CONNECTIONS: usize = 20;

impl Cluster {
    /// Makes and starts one.
    pub(crate) fn start(name: &str) -> Self {
        let folder =
            std::env::temp_dir().join(format!("muster-failures-{name}-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let cluster = Self {
            binaries: binaries(),
            folder,
            port: free_port(),
        };
        if is_root() {
            run(Command::new("chown").arg("postgres:").arg(&cluster.folder));
        }
        // What a crash of PostgreSQL loses is not what a crash of the machine loses: fsync makes no difference here.
        run(cluster.command("initdb").args([
            "--username=muster",
            "--auth=trust",
            "--encoding=UTF8",
            "--locale=C.UTF-8",
            "--no-sync",
        ]));
        cluster.resume();
        Connection::open(&cluster.url("postgres")).run("CREATE DATABASE muster");
        cluster
    }

    /// The URL of one of its databases.
    pub(crate) fn url(&self, database: &str) -> String {
        format!("postgres://muster@127.0.0.1:{}/{database}", self.port)
    }

    /// Starts it again.
    pub(crate) fn resume(&self) {
        let options = format!(
            "-p {} -k {} -c listen_addresses=127.0.0.1 -c fsync=off -c max_connections={CONNECTIONS} \
             -c superuser_reserved_connections=0 -c log_min_messages=panic",
            self.port,
            self.folder.display()
        );
        let log = self.folder.join("log");
        run(self
            .command("pg_ctl")
            .args([
                "start",
                "--wait",
                "--silent",
                "--options",
                &options,
                "--log",
            ])
            .arg(log));
    }

    /// Stops it: `fast` as an operator does, `immediate` as a crash does.
    pub(crate) fn stop(&self, mode: &str) {
        run(self
            .command("pg_ctl")
            .args(["stop", "--wait", "--silent", "--mode", mode]));
    }

    /// Sends a signal to all of its processes.
    pub(crate) fn signal(&self, signal: &str) {
        let file = fs::read_to_string(self.folder.join("data/postmaster.pid")).unwrap();
        let postmaster = file.lines().next().expect("a process id").trim();
        let children = format!("/proc/{postmaster}/task/{postmaster}/children");
        let children = fs::read_to_string(children).unwrap_or_default();
        for process in std::iter::once(postmaster).chain(children.split_whitespace()) {
            // A child may have ended by itself meanwhile.
            drop(Command::new("kill").args([signal, process]).output());
        }
    }

    /// A program of PostgreSQL's, run as its own user, which must not be root.
    fn command(&self, program: &str) -> Command {
        let program = self.binaries.join(program);
        let mut command = if is_root() {
            let mut command = Command::new("runuser");
            command.args(["-u", "postgres", "--"]).arg(program);
            command
        } else {
            Command::new(program)
        };
        command
            .arg("--pgdata")
            .arg(self.folder.join("data"))
            .current_dir(&self.folder);
        for name in ["PGDATA", "PGHOST", "PGPORT"] {
            command.env_remove(name);
        }
        command
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        if self.folder.join("data/postmaster.pid").exists() {
            // A frozen server does not hear that it shall stop.
            self.signal("-CONT");
            let mut stop = self.command("pg_ctl");
            stop.args(["stop", "--wait", "--silent", "--mode", "immediate"]);
            drop(stop.status());
        }
        drop(fs::remove_dir_all(&self.folder));
    }
}

fn is_root() -> bool {
    let output = Command::new("id").arg("-u").output().expect("id runs");
    output.stdout.trim_ascii() == b"0"
}

fn run(command: &mut Command) {
    let output = command.output().expect("the program runs");
    assert!(output.status.success(), "{command:?}: {output:?}");
}

/// Where PostgreSQL's programs are: the newest version that Debian's packages have installed.
fn binaries() -> PathBuf {
    let found = fs::read_dir("/usr/lib/postgresql").map(|versions| {
        versions
            .filter_map(|version| Some(version.ok()?.path().join("bin")))
            .filter(|folder| folder.join("initdb").exists())
            .max()
    });
    found
        .ok()
        .flatten()
        .expect("PostgreSQL is installed: tests/run does it")
}
