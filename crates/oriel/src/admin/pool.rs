//! `oriel pool`.

use clap::{Args, Subcommand, ValueEnum};
use serde_json::{Value, json};

use super::{
    Desk,
    edit::put,
    objects::{self, CreateOptions, ListOptions, Named, Noun, SetOptions},
    output::Column,
};
use crate::failure::Outcome;

/// Host pools.
pub static NOUN: Noun = Noun {
    path: "pools",
    word: "pool",
    command: "pool",
    columns: &[
        Column::plain("NAME", "/name"),
        Column::plain("ENABLED", "/spec/enabled"),
        Column::plain("BALANCING", "/spec/balancing/method"),
        Column::plain("MAX SESSIONS", "/spec/settings/max_sessions"),
        Column::plain("ACCOUNTS", "/spec/settings/accounts"),
        Column::plain("DESCRIPTION", "/spec/description"),
        Column::plain("ID", "/id"),
    ],
    refers: &[],
};

/// `oriel pool …`
#[derive(Debug, Subcommand)]
pub enum PoolCommand {
    /// List pools
    List(ListOptions),
    /// Show a pool
    Show(Named),
    /// Make a pool
    Create {
        /// Name of the new pool
        name: String,
        #[command(flatten)]
        fields: Fields,
        #[command(flatten)]
        options: CreateOptions,
    },
    /// Change a pool
    Set {
        #[command(flatten)]
        named: Named,
        #[command(flatten)]
        fields: Fields,
        #[command(flatten)]
        options: SetOptions,
    },
    /// Delete a pool that has no hosts and that nothing is published from
    Delete(Named),
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

impl Fields {
    fn apply(&self, spec: &mut Value) -> Outcome {
        if let Some(enabled) = self.enabled {
            put(spec, "enabled", enabled.into())?;
        }
        if let Some(description) = &self.description {
            put(spec, "description", description.as_str().into())?;
        }
        if let Some(balancing) = self.balancing {
            let method = match balancing {
                Balancing::Resource => "resource",
                Balancing::RoundRobin => "round_robin",
            };
            put(spec, "balancing", json!({"method": method}))?;
        }
        if let Some(max) = self.max_sessions {
            put(spec, "settings.max_sessions", max.into())?;
        }
        if let Some(accounts) = self.accounts {
            let word = match accounts {
                Accounts::Existing => "existing",
                Accounts::Create => "create",
            };
            put(spec, "settings.accounts", word.into())?;
        }
        Ok(())
    }
}

impl PoolCommand {
    pub(super) fn run(self, desk: &Desk) -> Outcome {
        match self {
            PoolCommand::List(options) => objects::list(desk, &NOUN, &options),
            PoolCommand::Show(named) => objects::show(desk, &NOUN, &named),
            PoolCommand::Create { name, fields, options } => {
                let mut spec = json!({});
                fields.apply(&mut spec)?;
                objects::create(desk, &NOUN, &name, &options, spec)
            }
            PoolCommand::Set { named, fields, options } => {
                objects::set(desk, &NOUN, &named, &options, |spec| fields.apply(spec))
            }
            PoolCommand::Delete(named) => objects::delete(desk, &NOUN, &named),
        }
    }
}
