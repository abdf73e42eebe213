//! What a component of the farm is, and what an API caller may do.

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

/// What a caller of the management API may do. More roles come with administrators as objects.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum AdministratorRole {
    /// Everything.
    Root,
    /// Sees everything, changes nothing.
    Viewer,
    /// Sees sessions and acts on them; sees no settings.
    HelpDesk,
}

/// The area that an operation belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Area {
    /// Farm, sites, brokers, gateways, invitations.
    Infrastructure,
    /// Hosts and pools.
    Hosts,
    /// Published resources.
    Publishing,
    /// Users and groups.
    Directory,
    /// Sessions.
    Sessions,
    /// API tokens and other administrators.
    Administrators,
    /// The change log.
    Audit,
}

/// What is done in an area.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// Look.
    View,
    /// Create, change, delete.
    Change,
    /// Act on what runs: message, disconnect, log off, reset, drain.
    Control,
}

impl AdministratorRole {
    /// Whether the role permits the action in the area.
    pub fn permits(self, area: Area, action: Action) -> bool {
        match self {
            AdministratorRole::Root => true,
            AdministratorRole::Viewer => action == Action::View && area != Area::Administrators,
            AdministratorRole::HelpDesk => area == Area::Sessions && action != Action::Change,
        }
    }
}
