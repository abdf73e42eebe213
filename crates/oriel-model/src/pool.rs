//! Host pools: session hosts that are interchangeable for placement.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    host::HostSettings,
    inherited,
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
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Method {
    /// The host with the smallest sum of the counters that are on.
    #[default]
    Resource,
    /// One after the other, whatever their load.
    RoundRobin,
}

inherited! {
    /// How sessions are spread over the hosts of a pool. An absent field inherits from the site's defaults.
    Balancing =>
    /// Load balancing with every field decided.
    EffectiveBalancing {
        /// By load, or in turn.
        method: Method = Method::Resource, |_, _, _| {};
        /// By load: count sessions against the limit.
        sessions: bool = true, |_, _, _| {};
        /// By load: count memory in use.
        memory: bool = true, |_, _, _| {};
        /// By load: count CPU in use.
        cpu: bool = true, |_, _, _| {};
        /// Return a user to a disconnected session only from the address it was begun from.
        match_client_address: bool = false, |_, _, _| {};
        /// A host whose agent was silent for so many seconds is taken for dead: nothing more is placed on it.
        agent_timeout_secs: u32 = 5, |m, field, value| m.range(field, value, 2..=120);
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
        mistakes.within("balancing", |m| self.balancing.check(m));
        mistakes.within("settings", |m| self.settings.validate(m));
    }
}

impl Balancing {
    /// Checks the values and that something is counted.
    pub fn check(&self, mistakes: &mut Mistakes) {
        self.validate(mistakes);
        let off = [self.sessions, self.memory, self.cpu].iter().all(|counter| *counter == Some(false));
        if off && self.method != Some(Method::RoundRobin) {
            mistakes.add("method", "by load needs at least one of sessions, memory and cpu");
        }
    }
}
