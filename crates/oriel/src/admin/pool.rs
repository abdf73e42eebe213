//! `oriel pool`.

use clap::{Args, Subcommand, ValueEnum};
use oriel_model::Kind;
use serde_json::Value;

use super::{
    Desk,
    frame::{self, Made, put},
};
use crate::failure::Outcome;

/// `oriel pool …`
#[derive(Debug, Subcommand)]
pub enum PoolCommand {
    #[command(flatten)]
    Made(Made<Fields>),
}

/// The fields of a pool that have options of their own.
#[derive(Debug, Clone, Default, Args)]
pub struct Fields {
    /// Whether new sessions are placed on its hosts
    #[arg(long, value_name = "true|false")]
    enabled: Option<bool>,
    /// For administrators
    #[arg(long, value_name = "TEXT")]
    description: Option<String>,
    /// How sessions are spread over its hosts
    #[arg(long, value_enum)]
    balancing: Option<Balancing>,
    /// Most sessions on each of its hosts at a time
    #[arg(long, value_name = "NUMBER")]
    max_sessions: Option<u32>,
    /// Where accounts on its hosts come from
    #[arg(long, value_enum)]
    accounts: Option<Accounts>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
#[value(rename_all = "snake_case")]
enum Balancing {
    /// The host with the smallest load
    Resource,
    /// One host after the other
    RoundRobin,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Accounts {
    /// The host knows them already
    Existing,
    /// The agent makes an account at a user's first logon
    Create,
}

impl frame::Fields for Fields {
    fn apply(&self, _: &Desk, spec: &mut Value) -> Outcome {
        put(spec, "enabled", self.enabled)?;
        put(spec, "description", self.description.as_deref())?;
        let method = self.balancing.map(|balancing| match balancing {
            Balancing::Resource => "resource",
            Balancing::RoundRobin => "round_robin",
        });
        put(spec, "balancing.method", method)?;
        put(spec, "settings.max_sessions", self.max_sessions)?;
        let accounts = self.accounts.map(|accounts| match accounts {
            Accounts::Existing => "existing",
            Accounts::Create => "create",
        });
        put(spec, "settings.accounts", accounts)
    }
}

impl PoolCommand {
    pub(super) fn run(self, desk: &Desk) -> Outcome {
        let PoolCommand::Made(command) = self;
        command.run(desk, Kind::Pool)
    }
}
