//! A network of a test's own: what listens in it is seen by nobody else, and has whatever ports and
//! addresses it likes. Needs root, and `ip` (iproute2).

use std::{
    fs::{self, File},
    os::fd::AsFd,
    process::{Child, Command, Stdio},
    sync::atomic::{AtomicU32, Ordering},
    thread,
};

use anyhow::{Context as _, ensure};
use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};

/// Where `ip` keeps namespaces by name.
const FOLDER: &str = "/run/netns";
const PREFIX: &str = "oriel-test-";

/// A network namespace with loopback and one interface. Dropping it ends everything that runs in it.
pub struct Namespace {
    name: String,
}

impl Namespace {
    /// Makes one whose interface has these addresses, such as `10.99.0.10/24`.
    ///
    /// # Errors
    /// This is not root, or there is no `ip`.
    pub fn new(addresses: &[&str]) -> anyhow::Result<Self> {
        remove_left_over();
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("{PREFIX}{}-{number}", std::process::id());
        ip(&["netns", "add", &name])?;
        let namespace = Self { name };
        let name = namespace.name.as_str();
        ip(&["-n", name, "link", "set", "lo", "up"])?;
        ip(&["-n", name, "link", "add", "lan", "type", "bridge"])?;
        for address in addresses {
            ip(&["-n", name, "address", "add", address, "dev", "lan"])?;
        }
        ip(&["-n", name, "link", "set", "lan", "up"])?;
        Ok(namespace)
    }

    /// A command that runs in it, with mounts of its own: what it mounts is seen by nobody else.
    pub fn command(&self, program: &str) -> Command {
        let mut command = Command::new("ip");
        command.args(["netns", "exec", &self.name, program]).stdin(Stdio::null());
        command
    }

    /// Runs `work` on a runtime in it: every connection that `work` opens is one within this network. The
    /// rest of the process stays where it is.
    ///
    /// # Panics
    /// As `work` does, or when the network cannot be entered.
    pub fn inside<T: Send>(&self, work: impl AsyncFnOnce() -> T + Send) -> T {
        let path = format!("{FOLDER}/{}", self.name);
        thread::scope(|scope| {
            let worker = scope.spawn(|| {
                let file = File::open(&path).unwrap();
                move_into_link_name_space(file.as_fd(), Some(LinkNameSpaceType::Network)).unwrap();
                // Threads that this one starts are where it is.
                let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
                runtime.block_on(work())
            });
            worker.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        })
    }
}

impl Drop for Namespace {
    fn drop(&mut self) {
        remove(&self.name);
    }
}

/// Ends what runs in a namespace, and removes it.
fn remove(name: &str) {
    if let Ok(found) = Command::new("ip").args(["netns", "pids", name]).output() {
        let pids = String::from_utf8_lossy(&found.stdout).into_owned();
        if !pids.trim().is_empty() {
            let _ =
                Command::new("kill").arg("-9").args(pids.split_whitespace()).stderr(Stdio::null()).status();
        }
    }
    let _ = ip(&["netns", "delete", name]);
}

/// Removes those of test runs that were killed.
fn remove_left_over() {
    for entry in fs::read_dir(FOLDER).into_iter().flatten().flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let pid = name.strip_prefix(PREFIX).and_then(|rest| rest.split('-').next());
        let pid = pid.and_then(|pid| pid.parse::<u32>().ok());
        if pid.is_some_and(|pid| !fs::exists(format!("/proc/{pid}")).unwrap_or(true)) {
            remove(&name);
        }
    }
}

fn ip(arguments: &[&str]) -> anyhow::Result<()> {
    let done = Command::new("ip").args(arguments).output().context("there is no `ip` (package iproute2)")?;
    let said = String::from_utf8_lossy(&done.stderr);
    ensure!(done.status.success(), "ip {}: {said} (it takes root)", arguments.join(" "));
    Ok(())
}

/// A process that ends when it is dropped.
pub struct Process(Child);

impl Process {
    /// Starts a command, with its output in a file.
    ///
    /// # Errors
    /// It cannot be started.
    pub fn start(command: &mut Command, log: &std::path::Path) -> anyhow::Result<Self> {
        let output = File::create(log)?;
        let child = command
            .stdin(Stdio::null())
            .stdout(output.try_clone()?)
            .stderr(output)
            .spawn()
            .with_context(|| format!("starting {command:?}"))?;
        Ok(Self(child))
    }

    /// Whether it has ended.
    pub fn has_ended(&mut self) -> bool {
        !matches!(self.0.try_wait(), Ok(None))
    }

    /// Its process.
    pub fn id(&self) -> u32 {
        self.0.id()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
