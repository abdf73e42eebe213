//! The administrator's commands: each is a call or two of the management API and a table.
//!
//! Deliberately absent: the store and the farm's rules. What an administrator may do here, a script
//! may do through the API, with the same permissions and the same refusals.

mod application;
mod changes;
pub mod client;
pub mod connection;
mod edit;
mod farm;
mod gateway;
mod group;
mod host;
mod invite;
mod login;
mod names;
mod objects;
pub mod output;
mod pool;
mod ports;
mod resource;
pub mod secret;
mod session;
mod site;
mod status;
mod token;
mod user;
mod why;

use clap::Subcommand;

use client::Client;
pub use connection::ConnectionOptions;
pub use gateway::{BrokerCommand, GatewayCommand};
pub use output::Format;

use crate::failure::Outcome;

/// What every administrator's command needs.
pub struct Desk {
    client: Client,
    format: Format,
}

impl Desk {
    fn new(connection: &ConnectionOptions, format: Format) -> Outcome<Self> {
        Ok(Self { client: Client::new(&connection.resolve()?)?, format })
    }
}

/// The administrator's commands.
#[derive(Debug, Subcommand)]
pub enum AdminCommand {
    /// Keep a farm's address and API token for later commands
    Login(login::Login),
    /// Forget what `oriel login` kept
    Logout,
    /// Show how the farm is doing
    Status,
    /// The farm's own settings
    #[command(subcommand)]
    Farm(farm::FarmCommand),
    /// Sites: places with their own brokers, gateways and hosts
    #[command(subcommand)]
    Site(site::SiteCommand),
    /// Host pools: session hosts that are interchangeable
    #[command(subcommand)]
    Pool(pool::PoolCommand),
    /// Session hosts: machines that run sessions
    #[command(subcommand)]
    Host(host::HostCommand),
    /// Published resources: desktops, applications and their folders
    #[command(subcommand)]
    Resource(resource::ResourceCommand),
    /// Users of the farm's own directory
    #[command(subcommand)]
    User(user::UserCommand),
    /// Groups of users
    #[command(subcommand)]
    Group(group::GroupCommand),
    /// Sessions that run now
    #[command(subcommand)]
    Session(session::SessionCommand),
    /// Invitations: let a gateway or a session host join the farm
    #[command(subcommand)]
    Invite(invite::InviteCommand),
    /// API tokens: what scripts and this command line identify themselves with
    #[command(subcommand)]
    Token(token::TokenCommand),
    /// Explain a decision with everything that went into it
    #[command(subcommand)]
    Why(why::WhyCommand),
    /// Show who changed which setting, newest first
    Changes(changes::Changes),
    /// Print the table of network ports
    Ports,
}

/// Runs a command.
pub fn run(command: AdminCommand, connection: &ConnectionOptions, format: Format) -> Outcome {
    let desk = || Desk::new(connection, format);
    match command {
        AdminCommand::Login(command) => command.run(connection, format),
        AdminCommand::Logout => login::logout(),
        AdminCommand::Ports => ports::run(format),
        AdminCommand::Status => status::run(&desk()?),
        AdminCommand::Farm(command) => command.run(&desk()?),
        AdminCommand::Site(command) => command.run(&desk()?),
        AdminCommand::Pool(command) => command.run(&desk()?),
        AdminCommand::Host(command) => command.run(&desk()?),
        AdminCommand::Resource(command) => command.run(&desk()?),
        AdminCommand::User(command) => command.run(&desk()?),
        AdminCommand::Group(command) => command.run(&desk()?),
        AdminCommand::Session(command) => command.run(&desk()?),
        AdminCommand::Invite(command) => command.run(&desk()?),
        AdminCommand::Token(command) => command.run(&desk()?),
        AdminCommand::Why(command) => command.run(&desk()?),
        AdminCommand::Changes(command) => command.run(&desk()?),
    }
}

/// Runs what an administrator does with gateways.
pub fn gateway(command: GatewayCommand, connection: &ConnectionOptions, format: Format) -> Outcome {
    command.run(&Desk::new(connection, format)?)
}

/// Runs what an administrator does with brokers.
pub fn broker(command: BrokerCommand, connection: &ConnectionOptions, format: Format) -> Outcome {
    command.run(&Desk::new(connection, format)?)
}
