//! The command line as a whole.

use clap::{Parser, Subcommand};

#[cfg(any(feature = "broker", feature = "gateway", feature = "agent"))]
use crate::node;
use crate::{
    admin::{self, ConnectionOptions, Format},
    failure::Outcome,
};

/// Remote applications and desktops: broker, gateway, session host agent, and their administration.
///
/// A farm in one command: oriel all-in-one --data DIR. Piece by piece: oriel broker run on one machine,
/// oriel invite gateway and oriel gateway join for each gateway, oriel invite agent and oriel agent join
/// for each session host.
#[derive(Debug, Parser)]
#[command(name = "oriel", version, max_term_width = 100, after_help = AFTER_HELP)]
pub struct Cli {
    #[command(subcommand)]
    pub command: Command,
    #[command(flatten)]
    pub connection: ConnectionOptions,
    /// How answers are printed
    #[arg(short, long, value_enum, default_value_t, global = true, value_name = "FORMAT")]
    pub output: Format,
}

const AFTER_HELP: &str =
    "Exit codes: 0 done, 1 refused or failed, 2 wrong command line or file, 3 broker not reached.";

/// What the program does.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run a broker, or look at the farm's brokers
    #[command(subcommand)]
    Broker(BrokerCommand),
    /// Run a gateway, let one join, or administer the farm's gateways
    #[command(subcommand)]
    Gateway(GatewayCommand),
    /// Run the agent of this session host, or let this machine join a farm
    #[command(subcommand)]
    Agent(AgentCommand),
    /// Run broker, gateway and agent on this machine, each as a process of its own
    #[cfg(all(feature = "broker", feature = "gateway", feature = "agent"))]
    AllInOne(crate::all_in_one::Options),
    #[command(flatten)]
    Admin(admin::AdminCommand),
}

/// `oriel broker …`
#[derive(Debug, Subcommand)]
pub enum BrokerCommand {
    /// Run the broker of this machine
    #[cfg(feature = "broker")]
    Run(node::RunOptions),
    /// Print an example of the broker's node file, with every key
    #[cfg(feature = "broker")]
    ExampleConfig,
    #[command(flatten)]
    Admin(admin::BrokerCommand),
}

/// `oriel gateway …`
#[derive(Debug, Subcommand)]
pub enum GatewayCommand {
    /// Run the gateway of this machine, once it has joined
    #[cfg(feature = "gateway")]
    Run(node::RunOptions),
    /// Let this machine join a farm as a gateway
    #[cfg(feature = "gateway")]
    Join(node::JoinOptions),
    /// Print an example of the gateway's node file, with every key
    #[cfg(feature = "gateway")]
    ExampleConfig,
    #[command(flatten)]
    Admin(admin::GatewayCommand),
}

/// `oriel agent …`
#[derive(Debug, Subcommand)]
pub enum AgentCommand {
    /// Run the agent of this session host, once it has joined
    #[cfg(feature = "agent")]
    Run(node::RunOptions),
    /// Let this machine join a farm as a session host
    #[cfg(feature = "agent")]
    Join(node::JoinOptions),
    /// Print an example of the agent's node file, with every key
    #[cfg(feature = "agent")]
    ExampleConfig,
}

impl BrokerCommand {
    pub fn run(self, connection: &ConnectionOptions, format: Format) -> Outcome {
        match self {
            #[cfg(feature = "broker")]
            BrokerCommand::Run(options) => node::broker::run(&options),
            #[cfg(feature = "broker")]
            BrokerCommand::ExampleConfig => node::example::<node::broker::File>(),
            BrokerCommand::Admin(command) => admin::broker(command, connection, format),
        }
    }
}

impl GatewayCommand {
    pub fn run(self, connection: &ConnectionOptions, format: Format) -> Outcome {
        match self {
            #[cfg(feature = "gateway")]
            GatewayCommand::Run(options) => node::gateway::run(&options),
            #[cfg(feature = "gateway")]
            GatewayCommand::Join(options) => node::join::run(&options, oriel_model::role::Role::Gateway),
            #[cfg(feature = "gateway")]
            GatewayCommand::ExampleConfig => node::example::<node::gateway::File>(),
            GatewayCommand::Admin(command) => admin::gateway(command, connection, format),
        }
    }
}

impl AgentCommand {
    pub fn run(self) -> Outcome {
        match self {
            #[cfg(feature = "agent")]
            AgentCommand::Run(options) => node::agent::run(&options),
            #[cfg(feature = "agent")]
            AgentCommand::Join(options) => node::join::run(&options, oriel_model::role::Role::Agent),
            #[cfg(feature = "agent")]
            AgentCommand::ExampleConfig => node::example::<node::agent::File>(),
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn commands_read_as_they_are_documented() {
        for line in [
            "oriel user create alice --group Office --password-stdin",
            "oriel resource publish xterm --from-host h1 --folder Tools --group Office",
            "oriel invite agent --pool P --hours 2",
            "oriel why launch --user alice --resource Writer",
            "oriel session end-process 0192 4711",
            "oriel pool set Office --set settings.max_sessions=5 --unset settings.accounts",
            "oriel -o json host list",
            "oriel host list -o json --url https://x:1",
            "oriel gateway join - --data /d",
            "oriel gateway list",
        ] {
            let parsed = Cli::try_parse_from(line.split(' '));
            assert!(parsed.is_ok(), "{line}: {}", parsed.err().map(|e| e.to_string()).unwrap_or_default());
        }
    }

    #[test]
    fn no_password_is_an_argument() {
        assert!(Cli::try_parse_from(["oriel", "user", "create", "a", "--password", "x"]).is_err());
        assert!(Cli::try_parse_from(["oriel", "status", "--token", "x"]).is_err());
    }
}
