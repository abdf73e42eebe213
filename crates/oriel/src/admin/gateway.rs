//! `oriel gateway list|show|set|delete` and `oriel broker list|show`.

use clap::{Args, Subcommand};
use serde_json::Value;

use super::{
    Desk,
    objects::{self, ListOptions, Named, Noun, SetOptions},
    output::Column,
};
use crate::failure::Outcome;

static GATEWAYS: Noun = Noun {
    path: "gateways",
    word: "gateway",
    command: "gateway",
    columns: &[
        Column::plain("NAME", "/name"),
        Column::plain("ENABLED", "/spec/enabled"),
        Column::plain("REACHABLE", "/state/reachable"),
        Column::plain("CONNECTIONS", "/state/connections"),
        Column::plain("VERSION", "/state/version"),
        Column::plain("PUBLIC ADDRESS", "/spec/public_address"),
        Column::plain("ID", "/id"),
    ],
    refers: &[],
};

static BROKERS: Noun = Noun {
    path: "brokers",
    word: "broker",
    command: "broker",
    columns: &[
        Column::plain("NAME", "/name"),
        Column::plain("FOR GATEWAYS", "/spec/gateway_addresses"),
        Column::plain("FOR AGENTS", "/spec/agent_addresses"),
        Column::plain("ID", "/id"),
    ],
    refers: &[],
};

/// What administrators do with gateways.
#[derive(Debug, Subcommand)]
pub enum GatewayCommand {
    /// List the farm's gateways
    List(ListOptions),
    /// Show a gateway
    Show(Named),
    /// Change a gateway's settings in the farm
    Set {
        #[command(flatten)]
        named: Named,
        #[command(flatten)]
        fields: Fields,
        #[command(flatten)]
        options: SetOptions,
    },
    /// Forget a gateway: it is sent away and has to join anew
    Delete(Named),
}

/// The fields of a gateway that have options of their own.
#[derive(Debug, Clone, Default, Args)]
pub struct Fields {
    /// Whether it takes new connections
    #[arg(long, value_name = "true|false")]
    enabled: Option<bool>,
    /// For administrators
    #[arg(long, value_name = "TEXT")]
    description: Option<String>,
    /// The name users type; "" for none
    #[arg(long, value_name = "ADDRESS")]
    public_address: Option<String>,
}

impl Fields {
    fn apply(&self, spec: &mut Value) {
        if let Some(enabled) = self.enabled {
            spec["enabled"] = enabled.into();
        }
        if let Some(description) = &self.description {
            spec["description"] = description.as_str().into();
        }
        if let Some(address) = &self.public_address {
            spec["public_address"] = if address.is_empty() { Value::Null } else { address.as_str().into() };
        }
    }
}

impl GatewayCommand {
    pub(super) fn run(self, desk: &Desk) -> Outcome {
        match self {
            GatewayCommand::List(options) => objects::list(desk, &GATEWAYS, &options),
            GatewayCommand::Show(named) => objects::show(desk, &GATEWAYS, &named),
            GatewayCommand::Set { named, fields, options } => {
                objects::set(desk, &GATEWAYS, &named, &options, |spec| {
                    fields.apply(spec);
                    Ok(())
                })
            }
            GatewayCommand::Delete(named) => objects::delete(desk, &GATEWAYS, &named),
        }
    }
}

/// What administrators do with brokers.
#[derive(Debug, Subcommand)]
pub enum BrokerCommand {
    /// List the farm's brokers
    List(ListOptions),
    /// Show a broker
    Show(Named),
}

impl BrokerCommand {
    pub(super) fn run(self, desk: &Desk) -> Outcome {
        match self {
            BrokerCommand::List(options) => objects::list(desk, &BROKERS, &options),
            BrokerCommand::Show(named) => objects::show(desk, &BROKERS, &named),
        }
    }
}
