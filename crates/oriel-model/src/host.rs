//! Session hosts: machines that can run sessions.

use std::{borrow::Cow, fmt};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{self, Unexpected, Visitor},
};

use crate::{
    id::Id,
    inherited,
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

/// 19 days, the longest linger time of the field.
const LINGER_MAX_SECS: u32 = 19 * 24 * 3600;
/// The same in minutes.
const IDLE_MAX_MINUTES: u32 = 19 * 24 * 60;

/// How long a session without a program is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Linger {
    /// So many seconds.
    Secs(u32),
    /// As long as nothing else ends it.
    Never,
}

/// The word of [`Linger::Never`].
const NEVER: &str = "never";

impl Linger {
    fn validate(mistakes: &mut Mistakes, field: &str, value: &Self) {
        if let Linger::Secs(secs) = value {
            mistakes.range(field, secs, 0..=LINGER_MAX_SECS);
        }
    }
}

impl Serialize for Linger {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Linger::Secs(secs) => serializer.serialize_u32(*secs),
            Linger::Never => serializer.serialize_str(NEVER),
        }
    }
}

impl<'de> Deserialize<'de> for Linger {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct SecsOrNever;

        impl Visitor<'_> for SecsOrNever {
            type Value = Linger;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a number of seconds or never")
            }

            fn visit_u64<E: de::Error>(self, secs: u64) -> Result<Linger, E> {
                // What is too much is refused by its range, with that.
                Ok(Linger::Secs(u32::try_from(secs).unwrap_or(u32::MAX)))
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Linger, E> {
                if text == NEVER {
                    Ok(Linger::Never)
                } else {
                    Err(E::invalid_value(Unexpected::Str(text), &self))
                }
            }
        }

        deserializer.deserialize_any(SecsOrNever)
    }
}

impl JsonSchema for Linger {
    fn schema_name() -> Cow<'static, str> {
        "Linger".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "How long a session without a program is kept: seconds, or never ended.",
            "anyOf": [{ "type": "integer", "minimum": 0, "maximum": LINGER_MAX_SECS }, { "const": NEVER }],
        })
    }
}

inherited! {
    /// What a host, a pool or a site's defaults may say. An absent field inherits:
    /// host, then pool, then site, then the product's default.
    HostSettings =>
    /// Host settings with every field decided.
    EffectiveHostSettings {
        /// Most sessions at a time, 1 to 10000.
        max_sessions: u32 = 250, |m, field, value| m.range(field, value, 1..=10_000);
        /// After the last program of an application session has ended: seconds until it is disconnected, at
        /// most 19 days, or `never`.
        linger_disconnect_secs: Linger = Linger::Secs(25), Linger::validate;
        /// A disconnected application session without a program: seconds until it is logged off, at most 19
        /// days, or `never`. With 0 it is logged off where it would be disconnected.
        linger_logoff_secs: Linger = Linger::Secs(0), Linger::validate;
        /// Longest time that a logon may take, in seconds, before the user gets an error: 5 to 600.
        readiness_timeout_secs: u32 = 60, |m, field, value| m.range(field, value, 5..=600);
        /// A session without input for this many minutes (at most 19 days) is disconnected; 0 never.
        idle_disconnect_minutes: u32 = 0, |m, field, value| m.range(field, value, 0..=IDLE_MAX_MINUTES);
        /// A disconnected session is logged off after this many minutes (at most 19 days); 0 never.
        disconnected_logoff_minutes: u32 = 0, |m, field, value| m.range(field, value, 0..=IDLE_MAX_MINUTES);
        /// Where the operating system's accounts come from.
        accounts: AccountMode = AccountMode::Existing, |_, _, _| {};
        /// Whether new sessions are placed on it by load; if not, only resources that name this very host
        /// open there.
        balanced: bool = true, |_, _, _| {};
        /// Keeping one user's programs from slowing all others.
        cpu_optimisation: CpuOptimisation = CpuOptimisation::default(), |m, field, value| value.validate(field, m);
        /// CPU in use, in percent.
        cpu_threshold: Threshold = Threshold::new(80, 95), Threshold::percent;
        /// Memory in use, in percent.
        memory_threshold: Threshold = Threshold::new(80, 95), Threshold::percent;
        /// Sessions, in percent of `max_sessions`.
        sessions_threshold: Threshold = Threshold::new(80, 100), Threshold::percent;
        /// Time without input of a session, in minutes.
        idle_threshold: Threshold = Threshold::NONE, Threshold::minutes;
        /// Time since a session was left, in minutes.
        disconnected_threshold: Threshold = Threshold::NONE, Threshold::minutes;
        /// Round trip between gateway and client of a session, in milliseconds.
        round_trip_threshold: Threshold = Threshold::NONE, Threshold::millis;
        /// How long the latest logon to a session took, from its launch to the first picture, in seconds.
        logon_threshold: Threshold = Threshold::NONE, Threshold::seconds;
    }
}

/// While the host is busy, the heaviest processes get a lower priority; when it is not, it is given back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct CpuOptimisation {
    /// Whether it is done.
    pub enabled: bool,
    /// Above this CPU use of the whole host, in percent, it begins; below, every priority is given back.
    pub above_percent: u32,
    /// A process is lowered when it takes at least this share of the busiest process's CPU, in percent.
    pub critical_percent: u32,
    /// A lowered process is given its priority back when it takes less than this share, in percent.
    pub idle_percent: u32,
    /// How long a process must be above or below before anything is done, in seconds.
    pub after_secs: u32,
    /// Programs that are left alone, by the name of their file.
    pub excluded: Vec<String>,
}

impl Default for CpuOptimisation {
    fn default() -> Self {
        // Armed a little before the host is full; two thirds of the busiest, so that a pair of equal
        // hogs is treated alike.
        Self {
            enabled: false,
            above_percent: 75,
            critical_percent: 66,
            idle_percent: 20,
            after_secs: 5,
            excluded: Vec::new(),
        }
    }
}

/// More excluded programs than anyone oversees.
const EXCLUDED_MAX: usize = 200;

impl CpuOptimisation {
    fn validate(&self, field: &str, mistakes: &mut Mistakes) {
        mistakes.within(field, |m| {
            m.range("above_percent", &self.above_percent, 1..=100);
            m.range("critical_percent", &self.critical_percent, 1..=100);
            m.range("idle_percent", &self.idle_percent, 0..=99);
            m.range("after_secs", &self.after_secs, 1..=600);
            if self.idle_percent >= self.critical_percent {
                m.add("idle_percent", "must be below critical_percent");
            }
            if self.excluded.len() > EXCLUDED_MAX {
                m.add("excluded", format!("has more than {EXCLUDED_MAX} entries"));
            }
            for (index, program) in self.excluded.iter().enumerate() {
                m.text(&format!("excluded[{index}]"), program, 255);
            }
        });
    }
}

/// From when on a number is worth a look (warning), and from when on it needs a hand (critical). An absent
/// one is never reached.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Threshold {
    /// Worth a look from here.
    pub warning: Option<u32>,
    /// Needs a hand from here.
    pub critical: Option<u32>,
}

/// How a number stands to its threshold.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Nothing to see.
    #[default]
    Normal,
    /// Worth a look.
    Warning,
    /// Needs a hand.
    Critical,
}

impl Threshold {
    /// Never reached.
    pub const NONE: Self = Self { warning: None, critical: None };

    /// With both.
    pub const fn new(warning: u32, critical: u32) -> Self {
        Self { warning: Some(warning), critical: Some(critical) }
    }

    /// How `value` stands to it.
    pub fn judge(&self, value: f64) -> Severity {
        let reached = |limit: Option<u32>| limit.is_some_and(|limit| value >= f64::from(limit));
        if reached(self.critical) {
            Severity::Critical
        } else if reached(self.warning) {
            Severity::Warning
        } else {
            Severity::Normal
        }
    }

    fn percent(mistakes: &mut Mistakes, field: &str, value: &Self) {
        value.validate(mistakes, field, 100);
    }

    fn minutes(mistakes: &mut Mistakes, field: &str, value: &Self) {
        value.validate(mistakes, field, IDLE_MAX_MINUTES);
    }

    /// A minute: no network is worse and still there.
    fn millis(mistakes: &mut Mistakes, field: &str, value: &Self) {
        value.validate(mistakes, field, 60_000);
    }

    /// As long as a logon may take.
    fn seconds(mistakes: &mut Mistakes, field: &str, value: &Self) {
        value.validate(mistakes, field, 600);
    }

    fn validate(&self, mistakes: &mut Mistakes, field: &str, max: u32) {
        mistakes.within(field, |m| {
            for (name, limit) in [("warning", self.warning), ("critical", self.critical)] {
                if let Some(limit) = limit {
                    m.range(name, &limit, 1..=max);
                }
            }
            if let (Some(warning), Some(critical)) = (self.warning, self.critical)
                && warning > critical
            {
                m.add("warning", format!("is {warning}; must not be above critical ({critical})"));
            }
        });
    }
}

impl Spec for Host {
    const KIND: Kind = Kind::Host;
    const COMES: Option<&'static str> = Some("when its machine joins with an invitation");

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
    use crate::inherit::{Inherited, Level};

    #[test]
    fn the_nearest_level_wins_and_absent_fields_inherit() {
        let host = HostSettings { max_sessions: Some(5), ..Default::default() };
        let pool =
            HostSettings { max_sessions: Some(9), accounts: Some(AccountMode::Create), ..Default::default() };
        let (effective, origins) = HostSettings::resolve(&[(Level::Host, &host), (Level::Pool, &pool)]);
        assert_eq!(effective.max_sessions, 5);
        assert_eq!(effective.accounts, AccountMode::Create);
        assert_eq!(effective.linger_disconnect_secs, Linger::Secs(25));
        assert_eq!(origins["accounts"], Level::Pool);
        assert_eq!(origins["linger_disconnect_secs"], Level::Product);
    }

    #[test]
    fn an_empty_session_is_kept_for_seconds_or_for_ever() {
        let read =
            |text: &str| serde_json::from_str::<HostSettings>(&format!("{{\"linger_logoff_secs\":{text}}}"));
        for (text, linger) in [("20", Linger::Secs(20)), ("\"never\"", Linger::Never)] {
            let settings = read(text).expect(text);
            assert_eq!(settings.linger_logoff_secs, Some(linger));
            assert!(serde_json::to_string(&settings).expect("json").contains(&format!(":{text}")));
        }
        for wrong in ["\"always\"", "-1", "1.5", "[]"] {
            let error = read(wrong).expect_err(wrong).to_string();
            assert!(error.contains("expected a number of seconds or never"), "{error}");
        }
        let mut mistakes = Mistakes::default();
        read("99999999999").expect("a number").validate(&mut mistakes);
        assert_eq!(mistakes.into_vec()[0].field, "linger_logoff_secs");
    }

    #[test]
    fn a_number_is_judged_by_the_highest_threshold_that_it_reaches() {
        let threshold = Threshold::new(80, 95);
        let judged = [79.9, 80.0, 95.0].map(|value| threshold.judge(value));
        assert_eq!(judged, [Severity::Normal, Severity::Warning, Severity::Critical]);
        assert_eq!(Threshold::NONE.judge(1e9), Severity::Normal);
    }
}
