//! The farm: what holds for the whole installation.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    object::{Kind, Spec},
    validate::Mistakes,
};

/// Settings of the whole farm. There is exactly one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Farm {
    /// How long a component's certificate is valid, in hours. It renews itself at two thirds.
    pub certificate_lifetime_hours: u32,
    /// How users sign in.
    pub sign_in: SignInSettings,
}

/// How users sign in.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct SignInSettings {
    /// Wrong passwords in a row after which an account is locked.
    pub lockout_after: u32,
    /// How long it stays locked, in minutes.
    pub lockout_minutes: u32,
    /// How long one sign-in lasts at most, in hours.
    pub lifetime_hours: u32,
    /// A sign-in that is not used this long ends, in minutes.
    pub idle_minutes: u32,
}

impl Default for Farm {
    fn default() -> Self {
        // 30 days: a component that was off for a holiday still comes back by itself.
        Self { certificate_lifetime_hours: 30 * 24, sign_in: SignInSettings::default() }
    }
}

impl Default for SignInSettings {
    fn default() -> Self {
        Self { lockout_after: 5, lockout_minutes: 15, lifetime_hours: 12, idle_minutes: 120 }
    }
}

impl Spec for Farm {
    const KIND: Kind = Kind::Farm;

    fn validate(&self, mistakes: &mut Mistakes) {
        mistakes.range("certificate_lifetime_hours", &self.certificate_lifetime_hours, 1..=24 * 366);
        mistakes.within("sign_in", |m| {
            m.range("lockout_after", &self.sign_in.lockout_after, 3..=100);
            m.range("lockout_minutes", &self.sign_in.lockout_minutes, 1..=24 * 60);
            m.range("lifetime_hours", &self.sign_in.lifetime_hours, 1..=24 * 7);
            m.range("idle_minutes", &self.sign_in.idle_minutes, 5..=24 * 60 * 7);
        });
    }
}
