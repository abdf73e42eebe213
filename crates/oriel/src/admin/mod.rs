//! The administrator's commands: each is a call or two of the management API and a table.
//!
//! Two layers: verbs that work for every kind of settings object (`get`, `set`, `apply`, …), made from the
//! list of kinds and the schemas of their specs; and nouns (`oriel user …`) with short forms for daily work,
//! whose common commands come from one [`frame`].
//!
//! Deliberately absent: the store and the farm's rules. What an administrator may do here, a script
//! may do through the API, with the same permissions and the same refusals.

mod access;
mod administrator;
mod application;
mod apply;
mod backup;
pub mod client;
mod columns;
mod completion;
pub mod connection;
mod directory;
pub mod documents;
mod edit;
mod explain;
mod farm;
mod frame;
mod gateway;
mod group;
mod host;
mod hours;
mod invite;
mod log;
mod login;
mod manual;
mod meant;
mod names;
mod notification;
mod objects;
pub mod output;
mod path;
mod plan;
mod policy;
mod pool;
mod ports;
mod problem;
mod publish;
mod reach;
mod resource;
mod schedule;
mod schema;
pub mod secret;
mod session;
mod site;
mod status;
mod token;
mod user;
mod verbs;
mod watch;
mod why;
mod words;
mod yaml;

use clap::Subcommand;

use client::Client;
pub use completion::VARIABLE as COMPLETION_VARIABLE;
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
    /// A desk at a farm. With `dry_run` nothing is changed from it.
    pub fn new(connection: &ConnectionOptions, format: Format, dry_run: bool) -> Outcome<Self> {
        Ok(Self { client: Client::new(&connection.resolve()?, dry_run)?, format })
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
    /// List objects of any kind, or show one
    Get(verbs::Get),
    /// Make an object of any kind
    Create(verbs::Create),
    /// Change fields of an object of any kind
    Set(verbs::Set),
    /// Delete an object of any kind
    Delete(verbs::Delete),
    /// List what refers to an object of any kind: what keeps it from being deleted
    UsedBy(verbs::UsedBy),
    /// Explain what a kind of object holds, field by field
    Explain(explain::Explain),
    /// Make the farm as files say, in one transaction, after showing what would change
    Apply(apply::Apply),
    /// Show in what the farm differs from files
    Diff(apply::Diff),
    /// Write the whole farm into a file
    Export(apply::Export),
    /// Read what `oriel export` wrote into an empty farm
    Import(apply::Import),
    /// Show who did what, newest first; export and check the log
    #[command(visible_alias = "changes")]
    Log(log::Log),
    /// Undo a change
    Revert(apply::Revert),
    /// Backups of the farm's settings
    #[command(subcommand)]
    Backup(backup::BackupCommand),
    /// Explain a decision with everything that went into it
    #[command(subcommand)]
    Why(why::WhyCommand),
    /// Show a list that lives: sessions, hosts or objects of any kind
    Watch(watch::Watch),
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
    /// Published resources: desktops, applications, documents, folders and more
    #[command(subcommand)]
    Resource(resource::ResourceCommand),
    /// Client policies: what clients may do, and for whom
    #[command(subcommand)]
    Policy(policy::PolicyCommand),
    /// Logon hours: when whom the farm is open to
    #[command(subcommand)]
    Hours(Box<hours::HoursCommand>),
    /// Schedules: what is done to hosts at a time
    #[command(subcommand)]
    Schedule(Box<schedule::ScheduleCommand>),
    /// Notifications: try them out; and the farm's mailbox
    #[command(subcommand)]
    Notification(notification::NotificationCommand),
    /// Directories of people: Active Directory and OpenLDAP
    #[command(subcommand)]
    Directory(directory::DirectoryCommand),
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
    /// Administrators: who may manage the farm, and who is signed in to do so
    #[command(subcommand)]
    Administrator(Box<administrator::AdministratorCommand>),
    /// API tokens: what scripts and this command line identify themselves with
    #[command(subcommand)]
    Token(token::TokenCommand),
    /// Print the table of network ports
    Ports,
    /// Print the script that completes commands and names in a shell
    Completion(completion::Completion),
    /// Write the manual pages
    Manual(manual::Manual),
}

/// Runs a command.
pub fn run(command: AdminCommand, connection: &ConnectionOptions, format: Format, dry_run: bool) -> Outcome {
    let desk = || Desk::new(connection, format, dry_run);
    match command {
        AdminCommand::Login(command) => command.run(connection, format),
        AdminCommand::Logout => login::logout(),
        AdminCommand::Ports => ports::run(format),
        AdminCommand::Completion(command) => command.run(),
        AdminCommand::Manual(command) => command.run(),
        AdminCommand::Explain(command) => command.run(format),
        AdminCommand::Status => status::run(&desk()?),
        AdminCommand::Get(command) => command.run(&desk()?),
        AdminCommand::Create(command) => command.run(&desk()?),
        AdminCommand::Set(command) => command.run(&desk()?),
        AdminCommand::Delete(command) => command.run(&desk()?),
        AdminCommand::UsedBy(command) => command.run(&desk()?),
        AdminCommand::Apply(command) => command.run(&desk()?),
        AdminCommand::Diff(command) => command.run(&desk()?),
        AdminCommand::Export(command) => command.run(&desk()?),
        AdminCommand::Import(command) => command.run(&desk()?),
        AdminCommand::Log(command) => command.run(&desk()?),
        AdminCommand::Revert(command) => command.run(&desk()?),
        AdminCommand::Backup(command) => command.run(&desk()?),
        AdminCommand::Why(command) => command.run(&desk()?),
        AdminCommand::Watch(command) => command.run(&desk()?),
        AdminCommand::Farm(command) => command.run(&desk()?),
        AdminCommand::Site(command) => command.run(&desk()?),
        AdminCommand::Pool(command) => command.run(&desk()?),
        AdminCommand::Host(command) => command.run(&desk()?),
        AdminCommand::Resource(command) => command.run(&desk()?),
        AdminCommand::Policy(command) => command.run(&desk()?),
        AdminCommand::Hours(command) => command.run(&desk()?),
        AdminCommand::Schedule(command) => command.run(&desk()?),
        AdminCommand::Notification(command) => command.run(&desk()?),
        AdminCommand::Directory(command) => command.run(&desk()?),
        AdminCommand::User(command) => command.run(&desk()?),
        AdminCommand::Group(command) => command.run(&desk()?),
        AdminCommand::Session(command) => command.run(&desk()?),
        AdminCommand::Invite(command) => command.run(&desk()?),
        AdminCommand::Administrator(command) => command.run(&desk()?),
        AdminCommand::Token(command) => command.run(&desk()?),
    }
}

impl AdminCommand {
    /// Whether it can be tried with `--dry-run`; the others keep and write files of this machine.
    pub fn can_be_tried(&self) -> bool {
        !matches!(
            self,
            AdminCommand::Login(_)
                | AdminCommand::Logout
                | AdminCommand::Completion(_)
                | AdminCommand::Manual(_)
        )
    }
}
