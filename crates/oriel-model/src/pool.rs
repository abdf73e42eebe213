//! Host pools: session hosts that are interchangeable for placement.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    host::HostSettings,
    object::{Kind, Spec},
    validate::{DESCRIPTION_MAX, Mistakes},
};

/// Session hosts that are interchangeable for placement.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Pool {
    /// A disabled pool places nothing new.
    pub enabled: bool,
    /// For administrators.
    pub description: String,
    /// How sessions are spread over the members.
    pub balancing: Balancing,
    /// What members inherit.
    pub settings: HostSettings,
}

/// How sessions are spread over hosts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", tag = "method", deny_unknown_fields)]
pub enum Balancing {
    /// The host with the smallest sum of the counters that are on.
    Resource {
        /// Count sessions against the limit.
        #[serde(default = "on")]
        sessions: bool,
        /// Count memory in use.
        #[serde(default = "on")]
        memory: bool,
        /// Count CPU in use.
        #[serde(default = "on")]
        cpu: bool,
    },
    /// One after the other, whatever their load.
    RoundRobin,
}

fn on() -> bool {
    true
}

impl Default for Balancing {
    fn default() -> Self {
        Balancing::Resource { sessions: true, memory: true, cpu: true }
    }
}

impl Default for Pool {
    fn default() -> Self {
        Self {
            enabled: true,
            description: String::new(),
            balancing: Balancing::default(),
            settings: HostSettings::default(),
        }
    }
}

impl Spec for Pool {
    const KIND: Kind = Kind::Pool;

    fn validate(&self, mistakes: &mut Mistakes) {
        mistakes.optional_text("description", &self.description, DESCRIPTION_MAX);
        if let Balancing::Resource { sessions: false, memory: false, cpu: false } = self.balancing {
            mistakes.add("balancing", "needs at least one of sessions, memory and cpu");
        }
        mistakes.within("settings", |m| self.settings.validate(m));
    }
}
