//! `oriel host`.

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::{
    Desk, application, names,
    objects::{self, ListOptions, Named, Noun, SetOptions},
    output::{self, Column},
    pool,
};
use crate::failure::Outcome;

/// Session hosts.
pub static NOUN: Noun = Noun {
    path: "hosts",
    word: "host",
    command: "host",
    columns: &[
        Column::plain("NAME", "/name"),
        Column::plain("POOL", "/spec/pool"),
        Column::plain("REACHABLE", "/state/reachable"),
        Column::plain("LOGONS", "/spec/logon_mode"),
        Column::plain("SESSIONS", "/state/sessions"),
        Column::plain("LIMIT", "/effective/max_sessions"),
        Column::share("CPU", "/state/cpu_load"),
        Column::bytes("FREE MEMORY", "/state/memory_available_bytes"),
        Column::plain("AGENT", "/state/agent_version"),
        Column::plain("PROBLEM", "/state/problem"),
        Column::plain("ID", "/id"),
    ],
    refers: &[(&pool::NOUN, "/spec/pool")],
};

/// `oriel host …`
#[derive(Debug, Subcommand)]
pub enum HostCommand {
    /// List session hosts with their load
    List(ListOptions),
    /// Show a host
    Show(Named),
    /// Change a host
    Set {
        #[command(flatten)]
        named: Named,
        #[command(flatten)]
        fields: Fields,
        #[command(flatten)]
        options: SetOptions,
    },
    /// Forget a host: its agent is sent away and has to join anew
    Delete(Named),
    /// List the programs installed on a host, for `oriel resource publish`
    Apps {
        #[command(flatten)]
        named: Named,
        /// Language of the names, such as de; can be given several times, most wanted first
        #[arg(long = "language", value_name = "LANGUAGE")]
        languages: Vec<String>,
    },
    /// Take new logons again
    Enable(Named),
    /// Refuse new logons and reconnections
    Disable(Named),
    /// Refuse new logons, let users return to their sessions
    Drain {
        #[command(flatten)]
        named: Named,
        /// Take new logons again once the host has restarted
        #[arg(long)]
        until_reboot: bool,
    },
}

/// The fields of a host that have options of their own.
#[derive(Debug, Clone, Default, Args)]
pub struct Fields {
    /// The pool it is a member of
    #[arg(long, value_name = "POOL")]
    pool: Option<String>,
    /// For administrators
    #[arg(long, value_name = "TEXT")]
    description: Option<String>,
    /// Where gateways reach it; "" for the address its agent reports
    #[arg(long, value_name = "ADDRESS")]
    address: Option<String>,
    /// Whether it serves at all
    #[arg(long, value_name = "true|false")]
    enabled: Option<bool>,
}

impl Fields {
    fn apply(&self, desk: &Desk, spec: &mut Value) -> Outcome {
        if let Some(pool) = &self.pool {
            spec["pool"] = names::id(&desk.client, &pool::NOUN, pool)?.into();
        }
        if let Some(description) = &self.description {
            spec["description"] = description.as_str().into();
        }
        if let Some(address) = &self.address {
            spec["address"] = if address.is_empty() { Value::Null } else { address.as_str().into() };
        }
        if let Some(enabled) = self.enabled {
            spec["enabled"] = enabled.into();
        }
        Ok(())
    }
}

impl HostCommand {
    pub(super) fn run(self, desk: &Desk) -> Outcome {
        match self {
            HostCommand::List(options) => objects::list(desk, &NOUN, &options),
            HostCommand::Show(named) => objects::show(desk, &NOUN, &named),
            HostCommand::Set { named, fields, options } => {
                objects::set(desk, &NOUN, &named, &options, |spec| fields.apply(desk, spec))
            }
            HostCommand::Delete(named) => objects::delete(desk, &NOUN, &named),
            HostCommand::Apps { named, languages } => {
                let apps = application::installed(desk, &named.name, &languages)?;
                output::rows(desk.format, &application::COLUMNS, &apps)
            }
            HostCommand::Enable(named) => logon_mode(desk, &named, "enabled"),
            HostCommand::Disable(named) => logon_mode(desk, &named, "disabled"),
            HostCommand::Drain { named, until_reboot: false } => logon_mode(desk, &named, "drain"),
            HostCommand::Drain { named, until_reboot: true } => {
                logon_mode(desk, &named, "drain_until_reboot")
            }
        }
    }
}

fn logon_mode(desk: &Desk, named: &Named, mode: &str) -> Outcome {
    let host = names::find(&desk.client, &NOUN, &named.name)?;
    let path = format!("hosts/{}/logon-mode", names::id_of(&host));
    let answer = desk.client.post(&path, &json!({"logon_mode": mode}))?;
    let name = host["name"].as_str().unwrap_or_default();
    output::done(desk.format, &format!("Logons on host \"{name}\": {}.", mode.replace('_', " ")), &answer)
}
