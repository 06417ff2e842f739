//! The built binary as a process of its own, as an operator starts it.

use std::fs::File;
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// The built binary.
const MUSTER: &str = env!("CARGO_BIN_EXE_muster");

/// A running `muster serve --dev`; killed when it is dropped.
pub(crate) struct Process {
    child: Child,
    /// Where it listens.
    pub(crate) origin: String,
}

/// A port that is free now.
pub(crate) fn free_port() -> u16 {
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a port is free");
    listener.local_addr().expect("it has an address").port()
}

impl Process {
    /// Starts on SQLite in `folder`, and waits until it listens.
    pub(crate) fn start(folder: &Path) -> Self {
        Self::spawn(Command::new(MUSTER), folder, &[], "error")
    }

    /// The same with these arguments.
    pub(crate) fn start_with(folder: &Path, more: &[&str]) -> Self {
        Self::spawn(Command::new(MUSTER), folder, more, "error")
    }

    /// Starts on the database at `url`, and keeps to itself what troubles it has.
    pub(crate) fn start_on(folder: &Path, url: &str) -> Self {
        let more = ["--database-url", url];
        Self::spawn(Command::new(MUSTER), folder, &more, "off")
    }

    /// Starts on the database at `url`, whose events it leaves unsealed.
    pub(crate) fn start_unsealed(folder: &Path, url: &str) -> Self {
        let more = ["--database-url", url, "--unsealed"];
        Self::spawn(Command::new(MUSTER), folder, &more, "off")
    }

    /// Starts on the database at `url`, and keeps in a file all that it can say.
    pub(crate) fn start_told(folder: &Path, url: &str, more: &[&str], file: &Path) -> Self {
        let file = File::create(file).expect("the file can be made");
        let mut command = Command::new(MUSTER);
        let also = file.try_clone().expect("a file can be written by two");
        command.stdout(also).stderr(file);
        let more = [&["--database-url", url][..], more].concat();
        Self::spawn_with(command, folder, &more, "trace")
    }

    /// Runs another command of the binary, and waits for its end.
    pub(crate) fn command(arguments: &[&str]) -> std::process::Output {
        let mut command = Command::new(MUSTER);
        command.env_remove("MUSTER_DATABASE_URL");
        command.args(arguments).output().expect("the binary runs")
    }

    /// Starts on SQLite in `folder`, in a process that may make files of so many KiB and no longer ones.
    pub(crate) fn start_cramped(folder: &Path, kibibytes: u32) -> Self {
        let mut shell = Command::new("sh");
        // Without the trap the signal would end the process; a full disk sends none.
        let script = format!(
            "trap '' XFSZ; ulimit -S -f {}; exec \"$0\" \"$@\"",
            kibibytes * 2
        );
        shell.arg("-c").arg(script).arg(MUSTER);
        Self::spawn(shell, folder, &[], "off")
    }

    /// Lets a cramped process make files of any length.
    pub(crate) fn uncramp(&self) {
        let status = Command::new("prlimit")
            .args(["--pid", &self.id().to_string(), "--fsize=unlimited"])
            .status()
            .expect("prlimit runs");
        assert!(status.success());
    }

    /// Its process id.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Starts with these arguments on a port that is its own from one start to the next.
    pub(crate) fn start_at(folder: &Path, port: u16, more: &[&str]) -> Self {
        let mut command = Command::new(MUSTER);
        command.stdout(Stdio::null());
        Self::spawn_at(command, folder, more, ("off", port))
    }

    fn spawn(mut command: Command, folder: &Path, more: &[&str], log: &str) -> Self {
        command.stdout(Stdio::null());
        Self::spawn_with(command, folder, more, log)
    }

    fn spawn_with(command: Command, folder: &Path, more: &[&str], log: &str) -> Self {
        Self::spawn_at(command, folder, more, (log, free_port()))
    }

    fn spawn_at(
        mut command: Command,
        folder: &Path,
        more: &[&str],
        (log, port): (&str, u16),
    ) -> Self {
        super::keep_issuer_key(folder);
        command
            .arg("serve")
            .arg("--dev")
            .arg("--port")
            .arg(port.to_string())
            .arg("--data-dir")
            .arg(folder)
            .args(more);
        command
            .env_remove("MUSTER_DATABASE_URL")
            .env("RUST_LOG", log);
        let child = command
            .stdin(Stdio::null())
            .spawn()
            .expect("the binary starts");
        let mut process = Self {
            child,
            origin: format!("http://127.0.0.1:{port}"),
        };
        let patience = Instant::now() + Duration::from_mins(1);
        while std::net::TcpStream::connect(("127.0.0.1", port)).is_err() {
            let ended = process.child.try_wait().expect("its state can be asked");
            assert!(
                ended.is_none(),
                "muster ended with {ended:?} before it listened"
            );
            assert!(
                Instant::now() < patience,
                "muster does not listen on port {port}"
            );
            std::thread::sleep(Duration::from_millis(20));
        }
        process
    }

    /// The port it listens on.
    pub(crate) fn port(&self) -> &str {
        self.origin
            .rsplit(':')
            .next()
            .expect("an origin has a port")
    }

    /// SIGKILL: nothing of the process gets to run any more.
    pub(crate) fn kill(mut self) {
        self.child.kill().expect("it can be killed");
        self.child.wait().expect("it ends");
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have been killed already.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
