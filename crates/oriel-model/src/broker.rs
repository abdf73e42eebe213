//! Brokers: the services that decide.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    object::{Kind, Spec},
    validate::{DESCRIPTION_MAX, Mistakes},
};

/// A connection broker.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Broker {
    /// For administrators.
    #[serde(default)]
    pub description: String,
    /// Where gateways reach it, `host:port` (20002).
    #[serde(default)]
    pub gateway_addresses: Vec<String>,
    /// Where agents reach it, `host:port` (20003).
    #[serde(default)]
    pub agent_addresses: Vec<String>,
}

impl Spec for Broker {
    const KIND: Kind = Kind::Broker;
    const OWN_FIELDS: &'static [&'static str] = &["gateway_addresses", "agent_addresses"];
    const COMES: Option<&'static str> = Some("when it is started");

    fn validate(&self, mistakes: &mut Mistakes) {
        mistakes.optional_text("description", &self.description, DESCRIPTION_MAX);
    }
}
