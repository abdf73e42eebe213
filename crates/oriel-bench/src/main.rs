//! Measures Oriel; `make bench` calls it and makes a table of what it finds.
//!
//! Each command is one measurement with its own processes, all on loopback and all ended with it.
//! Progress goes to standard error, results to standard output, one JSON object per line
//! ([`report::Row`]). Nothing here decides whether a figure is good.
//!
//! Deliberately absent: pass and fail; the browser's part, which `scripts/bench.mjs` measures.

mod api;
mod broker;
mod gateway;
mod haproxy;
mod load;
mod memory;
mod portal;
mod process;
mod rdp;
mod relay;
mod report;
mod stats;
mod ticket_broker;

use std::path::PathBuf;

use anyhow::Context as _;
use clap::{Parser, Subcommand};
use tokio::runtime::Runtime;

#[derive(Debug, Parser)]
#[command(about = "Measures Oriel")]
struct Cli {
    /// An empty directory for what the measured processes and agents write.
    #[arg(long, global = true)]
    directory: Option<PathBuf>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// The relay's throughput per core and its latency, next to haproxy.
    Relay(relay::Options),
    /// The gateway's memory per idle session.
    Memory(memory::Options),
    /// Sign-in, listing and launch through one broker.
    Broker(broker::Options),
    /// The management API of a large farm.
    Api(api::Options),
}

fn main() -> anyhow::Result<()> {
    oriel_net::tls::install_crypto();
    let cli = Cli::parse();
    let runtime = Runtime::new()?;
    let directory = || cli.directory.as_deref().context("--directory is needed");
    match &cli.command {
        Command::Relay(options) => relay::measure(&runtime, directory()?, options),
        Command::Memory(options) => memory::measure(&runtime, directory()?, options),
        Command::Broker(options) => runtime.block_on(broker::measure(options, directory()?)),
        Command::Api(options) => runtime.block_on(api::measure(options, directory()?)),
    }
}
