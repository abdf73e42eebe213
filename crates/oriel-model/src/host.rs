//! Session hosts: machines that can run sessions.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    id::Id,
    object::{Kind, Spec},
    pool::Pool,
    validate::{DESCRIPTION_MAX, Mistakes},
};

/// A machine that can run sessions. It comes into being when its agent joins.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Host {
    /// A disabled host serves nothing.
    #[serde(default = "yes")]
    pub enabled: bool,
    /// For administrators.
    #[serde(default)]
    pub description: String,
    /// Where gateways reach it: a name or an IP address. Absent: the address its agent reports.
    #[serde(default)]
    pub address: Option<String>,
    /// The pool it is a member of. Every host is in exactly one.
    pub pool: Id<Pool>,
    /// Whether it takes new logons.
    #[serde(default)]
    pub logon_mode: LogonMode,
    /// What it sets itself; the rest it inherits from its pool, then from its site.
    #[serde(default)]
    pub settings: HostSettings,
}

fn yes() -> bool {
    true
}

/// Whether a host takes logons.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum LogonMode {
    /// New logons and reconnections.
    #[default]
    Enabled,
    /// Neither.
    Disabled,
    /// Reconnections only, until an administrator enables logons.
    Drain,
    /// Reconnections only, until the host has restarted.
    DrainUntilReboot,
}

/// Where the operating system's accounts of users come from.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum AccountMode {
    /// The host knows the account already (its own, or of a directory it is joined to).
    #[default]
    Existing,
    /// The agent creates an account at a user's first logon, and keeps it.
    Create,
}

/// What a host, a pool or a site's defaults may say. An absent field inherits:
/// host, then pool, then site, then the product's default.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct HostSettings {
    /// Most sessions at a time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_sessions: Option<u32>,
    /// After the last program of an application session has ended: seconds until it is disconnected.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub linger_disconnect_secs: Option<u32>,
    /// A disconnected application session without a program: seconds until it is logged off.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub linger_logoff_secs: Option<u32>,
    /// Longest time that a logon may take, in seconds, before the user gets an error.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub readiness_timeout_secs: Option<u32>,
    /// A session without input for this many minutes is disconnected; 0 never.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub idle_disconnect_minutes: Option<u32>,
    /// A disconnected session is logged off after this many minutes; 0 never.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub disconnected_logoff_minutes: Option<u32>,
    /// Where the operating system's accounts come from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub accounts: Option<AccountMode>,
}

/// Host settings with every field decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
pub struct EffectiveHostSettings {
    /// See [`HostSettings::max_sessions`].
    pub max_sessions: u32,
    /// See [`HostSettings::linger_disconnect_secs`].
    pub linger_disconnect_secs: u32,
    /// See [`HostSettings::linger_logoff_secs`].
    pub linger_logoff_secs: u32,
    /// See [`HostSettings::readiness_timeout_secs`].
    pub readiness_timeout_secs: u32,
    /// See [`HostSettings::idle_disconnect_minutes`].
    pub idle_disconnect_minutes: u32,
    /// See [`HostSettings::disconnected_logoff_minutes`].
    pub disconnected_logoff_minutes: u32,
    /// See [`HostSettings::accounts`].
    pub accounts: AccountMode,
}

impl Default for EffectiveHostSettings {
    /// The product's defaults: session limit and linger times are the field's known ones.
    fn default() -> Self {
        Self {
            max_sessions: 250,
            linger_disconnect_secs: 25,
            linger_logoff_secs: 0,
            readiness_timeout_secs: 60,
            idle_disconnect_minutes: 0,
            disconnected_logoff_minutes: 0,
            accounts: AccountMode::Existing,
        }
    }
}

impl EffectiveHostSettings {
    /// Resolves inheritance; `levels` is ordered from the nearest (host) to the farthest (site).
    pub fn resolve<'a>(levels: impl IntoIterator<Item = &'a HostSettings>) -> Self {
        let mut own = HostSettings::default();
        for level in levels {
            own.max_sessions = own.max_sessions.or(level.max_sessions);
            own.linger_disconnect_secs = own.linger_disconnect_secs.or(level.linger_disconnect_secs);
            own.linger_logoff_secs = own.linger_logoff_secs.or(level.linger_logoff_secs);
            own.readiness_timeout_secs = own.readiness_timeout_secs.or(level.readiness_timeout_secs);
            own.idle_disconnect_minutes = own.idle_disconnect_minutes.or(level.idle_disconnect_minutes);
            own.disconnected_logoff_minutes =
                own.disconnected_logoff_minutes.or(level.disconnected_logoff_minutes);
            own.accounts = own.accounts.or(level.accounts);
        }
        let fallback = Self::default();
        Self {
            max_sessions: own.max_sessions.unwrap_or(fallback.max_sessions),
            linger_disconnect_secs: own.linger_disconnect_secs.unwrap_or(fallback.linger_disconnect_secs),
            linger_logoff_secs: own.linger_logoff_secs.unwrap_or(fallback.linger_logoff_secs),
            readiness_timeout_secs: own.readiness_timeout_secs.unwrap_or(fallback.readiness_timeout_secs),
            idle_disconnect_minutes: own.idle_disconnect_minutes.unwrap_or(fallback.idle_disconnect_minutes),
            disconnected_logoff_minutes: own
                .disconnected_logoff_minutes
                .unwrap_or(fallback.disconnected_logoff_minutes),
            accounts: own.accounts.unwrap_or(fallback.accounts),
        }
    }
}

/// 19 days, the longest linger time of the field.
const LINGER_MAX_SECS: u32 = 19 * 24 * 3600;

impl HostSettings {
    /// Checks ranges; every mistake is reported.
    pub fn validate(&self, mistakes: &mut Mistakes) {
        let mut check = |field: &str, value: Option<u32>, range| {
            if let Some(value) = value {
                mistakes.range(field, &value, range);
            }
        };
        check("max_sessions", self.max_sessions, 1..=10_000);
        check("linger_disconnect_secs", self.linger_disconnect_secs, 0..=LINGER_MAX_SECS);
        check("linger_logoff_secs", self.linger_logoff_secs, 0..=LINGER_MAX_SECS);
        check("readiness_timeout_secs", self.readiness_timeout_secs, 5..=600);
        check("idle_disconnect_minutes", self.idle_disconnect_minutes, 0..=19 * 24 * 60);
        check("disconnected_logoff_minutes", self.disconnected_logoff_minutes, 0..=19 * 24 * 60);
    }
}

impl Spec for Host {
    const KIND: Kind = Kind::Host;

    fn validate(&self, mistakes: &mut Mistakes) {
        mistakes.optional_text("description", &self.description, DESCRIPTION_MAX);
        if let Some(address) = &self.address {
            mistakes.text("address", address, 253);
            if address.chars().any(|c| c.is_whitespace() || c == '/') {
                mistakes.add("address", "must be a host name or an IP address");
            }
        }
        mistakes.within("settings", |m| self.settings.validate(m));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_level_wins_and_absent_fields_inherit() {
        let host = HostSettings { max_sessions: Some(5), ..Default::default() };
        let pool =
            HostSettings { max_sessions: Some(9), accounts: Some(AccountMode::Create), ..Default::default() };
        let effective = EffectiveHostSettings::resolve([&host, &pool, &HostSettings::default()]);
        assert_eq!(effective.max_sessions, 5);
        assert_eq!(effective.accounts, AccountMode::Create);
        assert_eq!(effective.linger_disconnect_secs, 25);
    }
}
