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

use clap::{CommandFactory, Parser};

use cli::{Cli, Command};
use failure::Outcome;

fn main() -> ExitCode {
    // What PAM and the session software call must start fast: it comes before everything else.
    #[cfg(feature = "agent")]
    if let Some(code) = oriel_agent::hooks::run(std::env::args_os().skip(1)) {
        return code;
    }
    oriel_net::tls::install_crypto();
    // Where a shell asks what could be typed, the answer is all that is printed.
    clap_complete::CompleteEnv::with_factory(Cli::command).var(admin::COMPLETION_VARIABLE).complete();
    match run(Cli::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("oriel: {failure}");
            failure.code()
        }
    }
}

fn run(cli: Cli) -> Outcome {
    cli.check()?;
    let (connection, format, dry_run) = (&cli.connection, cli.output, cli.dry_run);
    let desk = || admin::Desk::new(connection, format, dry_run);
    match cli.command {
        Command::Admin(command) => admin::run(command, connection, format, dry_run),
        Command::Broker(command) => command.run(desk),
        Command::Gateway(command) => command.run(desk),
        Command::Agent(command) => command.run(),
        #[cfg(feature = "broker")]
        Command::RecoverRoot(options) => node::recover::run(&options, connection),
        #[cfg(all(feature = "broker", feature = "gateway", feature = "agent"))]
        Command::AllInOne(options) => all_in_one::run(&options),
    }
}
