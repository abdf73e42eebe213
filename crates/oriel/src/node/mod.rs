//! The services of a machine: how they start from their node file, and how they are told to stop.
//!
//! Deliberately absent: what the services do. Each is a library of its own.

#[cfg(feature = "agent")]
pub mod agent;
#[cfg(feature = "broker")]
pub mod broker;
#[cfg(feature = "gateway")]
pub mod gateway;
#[cfg(any(feature = "gateway", feature = "agent"))]
pub mod join;
mod parent;
#[cfg(feature = "broker")]
pub mod recover;
#[cfg(feature = "broker")]
pub mod restore;

use std::path::PathBuf;

use clap::Args;
use oriel_net::{
    node_file::{self, NodeFile},
    supervise::{self, ShutdownHandle, ShutdownSignal},
};

use crate::{
    admin,
    failure::{Failure, Outcome},
    log::{self, LogOptions},
};

#[cfg(any(feature = "gateway", feature = "agent"))]
pub use join::JoinOptions;

/// Options of every service.
#[derive(Debug, Args)]
pub struct RunOptions {
    /// The node file: facts of this machine only (see `example-config`)
    #[arg(long, value_name = "FILE")]
    pub config: PathBuf,
    /// Stop when standard input is closed: for a supervisor that must not leave anything behind
    #[arg(long, hide = true)]
    pub parent_stdin: bool,
    /// When stopping, end the sessions of this host and its session software, too
    #[cfg(feature = "agent")]
    #[arg(long, hide = true)]
    pub stop_host_software: bool,
    #[command(flatten)]
    pub log: LogOptions,
}

/// Reads a node file, starts logging, and runs `service` until it ends or is told to stop.
pub fn run<F, S, T>(options: &RunOptions, service: S) -> Outcome
where
    F: NodeFile,
    S: FnOnce(F, ShutdownSignal) -> T,
    T: Future<Output = anyhow::Result<()>>,
{
    let file = node_file::load::<F>(&options.config).map_err(|error| Failure::Usage(error.to_string()))?;
    log::start(&options.log).map_err(Failure::Usage)?;
    let runtime = runtime()?;
    let handle = ShutdownHandle::new();
    if options.parent_stdin {
        parent::watch(handle.clone());
    }
    let served = runtime.block_on(async {
        tokio::spawn(listen_to_signals(handle.clone(), !options.parent_stdin));
        service(file, handle.signal()).await
    });
    // What still blocks a thread must not keep the process.
    runtime.shutdown_timeout(std::time::Duration::from_secs(2));
    Ok(served?)
}

/// The first signal asks to stop; if a person `may_hurry`, the second does not wait for it. Under a
/// supervisor nobody may: the service manager signals both, so a child hears twice, and it is the
/// supervisor that knows when to stop waiting.
async fn listen_to_signals(handle: ShutdownHandle, may_hurry: bool) {
    match supervise::asked_to_stop().await {
        Ok(signal) => tracing::info!(signal, "stopping"),
        Err(error) => {
            tracing::error!(%error, "signals cannot be received");
            return;
        }
    }
    handle.give();
    while supervise::asked_to_stop().await.is_ok() {
        if may_hurry {
            tracing::warn!("stopped at once, without waiting");
            std::process::exit(1);
        }
    }
}

/// The runtime of a service or of one command.
pub fn runtime() -> Outcome<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::Refused(format!("the program cannot start its threads: {error}")))
}

/// Prints an example of a node file.
pub fn example<F: NodeFile>() -> Outcome {
    admin::output::print(&node_file::example(F::FIELDS))
}

/// Where an installation has the pages of a portal: beside the folder of the program.
pub fn installed_pages(portal: &str) -> Option<PathBuf> {
    let program = std::env::current_exe().ok()?;
    Some(program.parent()?.parent()?.join("share/oriel").join(portal))
}

/// What the kernel calls this machine.
pub fn machine_name() -> String {
    std::fs::read_to_string("/proc/sys/kernel/hostname")
        .map(|name| name.trim().to_owned())
        .ok()
        .filter(|name| !name.is_empty())
        .unwrap_or_else(|| "localhost".to_owned())
}
