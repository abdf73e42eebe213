//! What a component of the farm is.

use std::{fmt, str::FromStr};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The part that a component plays in the farm. It is written into the component's certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Decides.
    Broker,
    /// Carries user connections.
    Gateway,
    /// Reports and obeys on a session host.
    Agent,
}

impl Role {
    /// The word used in certificates, invitations and the log.
    pub fn as_str(self) -> &'static str {
        match self {
            Role::Broker => "broker",
            Role::Gateway => "gateway",
            Role::Agent => "agent",
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Role {
    type Err = UnknownRole;
    fn from_str(text: &str) -> Result<Self, UnknownRole> {
        [Role::Broker, Role::Gateway, Role::Agent]
            .into_iter()
            .find(|role| role.as_str() == text)
            .ok_or_else(|| UnknownRole(text.chars().take(32).collect()))
    }
}

/// Not a role of a component.
#[derive(Debug, Clone, thiserror::Error, PartialEq, Eq)]
#[error("unknown role \"{0}\": expected broker, gateway or agent")]
pub struct UnknownRole(String);
