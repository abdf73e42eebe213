//! The command line as a whole.

use clap::{Parser, Subcommand};

#[cfg(any(feature = "broker", feature = "gateway", feature = "agent"))]
use crate::node;
use crate::{
    admin::{self, ConnectionOptions, Desk, Format},
    failure::{self, Failure, Outcome},
};

/// Remote applications and desktops: broker, gateway, session host agent, and their administration.
///
/// A farm in one command: oriel all-in-one --data DIR. Piece by piece: oriel broker run on one machine,
/// oriel invite gateway and oriel gateway join for each gateway, oriel invite agent and oriel agent join
/// for each session host.
///
/// Everything that an administrator sets: oriel get, set, apply and the other verbs take objects of any
/// kind, and oriel explain says what they hold. oriel user, oriel resource and the other nouns have short
/// forms for daily work.
#[derive(Debug, Parser)]
#[command(name = "oriel", version, max_term_width = 100, after_help = failure::exit_codes())]
pub struct Cli {
    #[command(subcommand)]
    pub command: Command,
    #[command(flatten)]
    pub connection: ConnectionOptions,
    /// How answers are printed
    #[arg(short, long, value_enum, default_value_t, global = true, value_name = "FORMAT")]
    pub output: Format,
    /// Only show what would be changed
    #[arg(long, global = true)]
    pub dry_run: bool,
}

impl Cli {
    /// Refuses `--dry-run` where something would be done all the same.
    pub fn check(&self) -> Outcome {
        let can_be_tried = match &self.command {
            Command::Admin(command) => command.can_be_tried(),
            Command::Broker(BrokerCommand::Admin(_)) | Command::Gateway(GatewayCommand::Admin(_)) => true,
            _ => false,
        };
        if self.dry_run && !can_be_tried {
            return Err(Failure::Usage("this command cannot be tried with --dry-run".into()));
        }
        Ok(())
    }
}

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
    /// Make somebody a root administrator with a new password, on the broker's machine
    ///
    /// For when nobody can sign in as root any more. The broker must run; whoever can read its data
    /// directory may do it, and it stands in the change log.
    #[cfg(feature = "broker")]
    RecoverRoot(node::recover::RecoverOptions),
    #[command(flatten)]
    Admin(admin::AdminCommand),
}

/// `oriel broker …`
#[derive(Debug, Subcommand)]
pub enum BrokerCommand {
    /// Run the broker of this machine
    #[cfg(feature = "broker")]
    Run(node::RunOptions),
    /// Restore a farm as itself from a backup with its own keys, into an empty data directory
    ///
    /// For when the broker's machine is lost. The farm keeps its id and its authority, so that gateways
    /// and session hosts go on without joining again once the broker runs at the same addresses. Run it on
    /// the new machine, as the user that the broker runs as, before its first start.
    #[cfg(feature = "broker")]
    Restore(node::restore::RestoreOptions),
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
    pub fn run(self, desk: impl FnOnce() -> Outcome<Desk>) -> Outcome {
        match self {
            #[cfg(feature = "broker")]
            BrokerCommand::Run(options) => node::broker::run(&options),
            #[cfg(feature = "broker")]
            BrokerCommand::Restore(options) => node::restore::run(&options),
            #[cfg(feature = "broker")]
            BrokerCommand::ExampleConfig => node::example::<node::broker::File>(),
            BrokerCommand::Admin(command) => command.run(&desk()?),
        }
    }
}

impl GatewayCommand {
    pub fn run(self, desk: impl FnOnce() -> Outcome<Desk>) -> Outcome {
        match self {
            #[cfg(feature = "gateway")]
            GatewayCommand::Run(options) => node::gateway::run(&options),
            #[cfg(feature = "gateway")]
            GatewayCommand::Join(options) => node::join::run(&options, oriel_model::role::Role::Gateway),
            #[cfg(feature = "gateway")]
            GatewayCommand::ExampleConfig => node::example::<node::gateway::File>(),
            GatewayCommand::Admin(command) => command.run(&desk()?),
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
            "oriel resource publish document Report --path ~/report.odt --application Writer",
            "oriel resource status Tools maintenance --message Soon",
            "oriel invite agent --pool P --hours 2",
            "oriel why launch --user alice --resource Writer",
            "oriel why access --user alice --client-os linux --at 2026-12-01T08:00:00Z",
            "oriel session end-process 0192 4711",
            "oriel pool set Office settings.max_sessions=5 --unset settings.accounts",
            "oriel set logon-hours Day outside.disconnect=true --dry-run",
            "oriel set farm sign_in.lockout_after=10",
            "oriel create policy Kiosk settings.clipboard.direction=none",
            "oriel get pools -o yaml",
            "oriel get host h1",
            "oriel get hosts --filter state.reachable:false --sort -state.sessions --fields name,state.sessions",
            "oriel hours create Day --open mon-fri@08:00-18:00 --group Office",
            "oriel schedule create Sunday --do reboot --pool Office --at 2026-12-06T02:00 --repeat FREQ=WEEKLY",
            "oriel apply -f farm.yaml -f more/ --yes",
            "oriel log --kind pool --object Office --since 3h",
            "oriel explain resource target.source",
            "oriel watch sessions",
            "oriel -o json host list",
            "oriel host list -o json --url https://x:1",
            "oriel gateway join - --data /d",
            "oriel gateway list",
            "oriel broker restore --config broker.toml --from backup.json",
            "oriel broker restore --data /d --from backup.json --passphrase-file p",
            "oriel token create t --role custom --reach-allow view,modify:publishing --reach-site Berlin --days 30",
            "oriel administrator create anna --user anna --role power --reach-hidden audit",
            "oriel administrator message Lunch --session 0192",
            "oriel recover-root --config broker.toml --user anna --reset-second-factor",
            "oriel recover-root --data /d --user anna --password-stdin --url https://127.0.0.1:7",
            "oriel revert 17 --transaction",
            "oriel log --transaction 15",
            "oriel log --code session --outcome refused --text anna",
            "oriel log export --since 3h --after 100",
            "oriel log verify",
            "oriel backup schedule --enabled true --farm-keys true",
        ] {
            let parsed = Cli::try_parse_from(line.split(' '));
            assert!(parsed.is_ok(), "{line}: {}", parsed.err().map(|e| e.to_string()).unwrap_or_default());
        }
    }

    #[test]
    fn what_cannot_be_tried_is_not_tried() {
        let check = |line: &str| Cli::try_parse_from(line.split(' ')).expect(line).check();
        assert!(check("oriel gateway delete g1 --dry-run").is_ok());
        assert!(check("oriel apply -f farm.yaml --dry-run").is_ok());
        for line in [
            "oriel login --dry-run",
            "oriel --dry-run gateway join - --data /d",
            "oriel agent run --config a.toml --dry-run",
        ] {
            assert!(check(line).is_err(), "{line}");
        }
    }

    #[test]
    fn no_password_is_an_argument() {
        assert!(Cli::try_parse_from(["oriel", "user", "create", "a", "--password", "x"]).is_err());
        assert!(Cli::try_parse_from(["oriel", "status", "--token", "x"]).is_err());
    }
}
