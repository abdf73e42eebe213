//! `oriel gateway list|show|set|delete` and `oriel broker list|show`.

use clap::{Args, Subcommand};
use oriel_model::Kind;
use serde_json::Value;

use super::{
    Desk,
    frame::{self, Kept, Seen, or_none, put},
};
use crate::failure::Outcome;

/// What administrators do with gateways.
#[derive(Debug, Subcommand)]
pub enum GatewayCommand {
    #[command(flatten)]
    Kept(Kept<Fields>),
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

impl frame::Fields for Fields {
    fn apply(&self, _: &Desk, spec: &mut Value) -> Outcome {
        put(spec, "enabled", self.enabled)?;
        put(spec, "description", self.description.as_deref())?;
        put(spec, "public_address", self.public_address.as_deref().map(or_none))
    }
}

impl GatewayCommand {
    pub fn run(self, desk: &Desk) -> Outcome {
        let GatewayCommand::Kept(command) = self;
        command.run(desk, Kind::Gateway)
    }
}

/// What administrators do with brokers.
#[derive(Debug, Subcommand)]
pub enum BrokerCommand {
    #[command(flatten)]
    Seen(Seen),
}

impl BrokerCommand {
    pub fn run(self, desk: &Desk) -> Outcome {
        let BrokerCommand::Seen(command) = self;
        command.run(desk, Kind::Broker)
    }
}
