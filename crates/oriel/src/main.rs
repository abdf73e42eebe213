//! `oriel`: the one program of Oriel.
//!
//! The services are `broker`, `gateway` and `agent`; `all-in-one` runs one of each as processes of
//! its own; everything else is the administrator's command line over the management API.

mod admin;
#[cfg(all(feature = "broker", feature = "gateway", feature = "agent"))]
mod all_in_one;
mod cli;
mod failure;
#[cfg(any(feature = "broker", feature = "gateway", feature = "agent"))]
mod log;
#[cfg(any(feature = "broker", feature = "gateway", feature = "agent"))]
mod node;

use std::process::ExitCode;

use clap::Parser;

use cli::{Cli, Command};
use failure::Outcome;

fn main() -> ExitCode {
    // What PAM and the session software call must start fast: it comes before everything else.
    #[cfg(feature = "agent")]
    if let Some(code) = oriel_agent::hooks::run(std::env::args_os().skip(1)) {
        return code;
    }
    oriel_net::tls::install_crypto();
    match run(Cli::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("oriel: {failure}");
            failure.code()
        }
    }
}

fn run(cli: Cli) -> Outcome {
    let (connection, format) = (&cli.connection, cli.output);
    match cli.command {
        Command::Admin(command) => admin::run(command, connection, format),
        Command::Broker(command) => command.run(connection, format),
        Command::Gateway(command) => command.run(connection, format),
        Command::Agent(command) => command.run(),
        #[cfg(all(feature = "broker", feature = "gateway", feature = "agent"))]
        Command::AllInOne(options) => all_in_one::run(&options),
    }
}
