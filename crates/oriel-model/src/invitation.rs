//! Invitations: the one way for a component to join the farm.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    id::Id,
    object::{Kind, Spec},
    pool::Pool,
    role::Role,
    validate::Mistakes,
};

/// An invitation. The string that is pasted holds the secret; this holds its SHA-256.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Invitation {
    /// What joins with it.
    pub role: Role,
    /// When it stops working.
    pub expires_at: Timestamp,
    /// The pool an agent's host is put into.
    #[serde(default)]
    pub pool: Option<Id<Pool>>,
    /// The name that the component gets; absent: the one it reports.
    #[serde(default)]
    pub component_name: Option<String>,
    /// SHA-256 of the secret, hexadecimal.
    pub secret_sha256: String,
    /// Set when it was used: it works once.
    #[serde(default)]
    pub used: Option<Used>,
}

/// By whom and when an invitation was used.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Used {
    /// When.
    pub at: Timestamp,
    /// Id of the component that joined.
    pub component: Id<serde_json::Value>,
    /// The address it came from.
    pub address: String,
}

impl Spec for Invitation {
    const KIND: Kind = Kind::Invitation;
    const OWN_FIELDS: &'static [&'static str] = &["secret_sha256", "used"];
    const COMES: Option<&'static str> = Some("by POST /invitations, which shows its string once");

    fn validate(&self, mistakes: &mut Mistakes) {
        if self.role == Role::Agent && self.pool.is_none() {
            mistakes.add("pool", "is needed: the host that joins must be in a pool");
        }
    }
}

/// How long an invitation is valid unless said otherwise: a working day, in hours.
pub const LIFETIME_DEFAULT_HOURS: u32 = 24;
/// How long an invitation is valid at most, in hours: 30 days.
pub const LIFETIME_MAX_HOURS: u32 = 30 * 24;
