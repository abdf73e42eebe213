//! Schedules: something done to hosts at a time, once or again and again.

use jiff::civil::DateTime;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    host::Host,
    id::Id,
    object::{Kind, Spec},
    pool::Pool,
    validate::{self, DESCRIPTION_MAX, Mistakes},
};

/// Something done to hosts at a time.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Schedule {
    /// A disabled schedule does nothing.
    #[serde(default = "yes")]
    pub enabled: bool,
    /// For administrators.
    #[serde(default)]
    pub description: String,
    /// What is done.
    pub action: ScheduledAction,
    /// To which hosts.
    pub target: ScheduleTarget,
    /// When it is done, by the clocks of `time_zone`: `2026-12-01T02:00:00`. When it repeats: from when on;
    /// the first time is the first that fits `repeat`. A time that the change to summer time leaves out
    /// is done later, by as much as clocks are put forward; one that comes twice is done the first time.
    pub starts_at: DateTime,
    /// The time zone, as in `Europe/Berlin`.
    #[serde(default = "utc")]
    pub time_zone: String,
    /// How it repeats, as in [RFC 5545] 3.3.10: `FREQ=WEEKLY;BYDAY=SU`. Absent: once.
    #[serde(default)]
    pub repeat: Option<String>,
    /// What users of these hosts are told beforehand.
    #[serde(default)]
    pub messages: Vec<ScheduledMessage>,
    /// Also done to hosts that are away at the time, when they come back within the duration of what is
    /// scheduled (disable), or within a day.
    #[serde(default)]
    pub also_absent: bool,
}

fn yes() -> bool {
    true
}

fn utc() -> String {
    "UTC".into()
}

/// What is done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", tag = "do", deny_unknown_fields)]
pub enum ScheduledAction {
    /// No logons for a while.
    Disable {
        /// How long; absent: until an administrator enables logons.
        #[serde(default)]
        duration_minutes: Option<u32>,
        /// What happens to the sessions that run.
        #[serde(default)]
        sessions: AtDisable,
    },
    /// The host restarts.
    Reboot {
        /// How sessions end before.
        #[serde(default, flatten)]
        drain: Drain,
    },
    /// The host is switched off.
    Stop {
        /// How sessions end before.
        #[serde(default, flatten)]
        drain: Drain,
    },
    /// The host is switched on: by its provider, or by Wake-on-LAN from another host of its site.
    Start {},
}

/// What happens to the sessions of a host that a schedule disables.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum AtDisable {
    /// They go on.
    #[default]
    Keep,
    /// They are disconnected, and run on.
    Disconnect,
    /// They are logged off.
    LogOff,
    /// They are reset: what does not end by itself is killed.
    Reset,
}

/// Draining before a host goes down.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Drain {
    /// From when on no new sessions begin there, in minutes before the time; absent: it is not drained.
    pub drain_minutes: Option<u32>,
    /// After the time, how long sessions that still run are waited for, in minutes; then they are logged
    /// off. Absent: until the last one has ended.
    pub force_after_minutes: Option<u32>,
}

impl Default for Drain {
    fn default() -> Self {
        Self { drain_minutes: Some(60), force_after_minutes: Some(60) }
    }
}

/// Which hosts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", tag = "of", deny_unknown_fields)]
pub enum ScheduleTarget {
    /// The members of these pools.
    Pools {
        /// At least one.
        pools: Vec<Id<Pool>>,
    },
    /// These hosts.
    Hosts {
        /// At least one.
        hosts: Vec<Id<Host>>,
    },
}

/// Something users are told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ScheduledMessage {
    /// How long before the time, in minutes.
    pub minutes_before: u32,
    /// What they are told. `{minutes}` stands for the minutes that are left, `{time}` for the time.
    pub text: String,
}

/// More messages than anyone wants to read.
const MESSAGES_MAX: usize = 10;
/// Longest message, in characters: what a dialog shows without scrolling.
const MESSAGE_MAX: usize = 500;
/// A week: longer is no draining but a change of the pool.
const DRAIN_MAX_MINUTES: u32 = 7 * 24 * 60;
/// A year.
const DURATION_MAX_MINUTES: u32 = 366 * 24 * 60;

impl Spec for Schedule {
    const KIND: Kind = Kind::Schedule;

    fn validate(&self, mistakes: &mut Mistakes) {
        mistakes.optional_text("description", &self.description, DESCRIPTION_MAX);
        validate::time_zone(mistakes, "time_zone", &self.time_zone);
        mistakes.within("action", |m| self.action.validate(m));
        match &self.target {
            ScheduleTarget::Pools { pools } if pools.is_empty() => {
                mistakes.add("target.pools", "needs at least one pool");
            }
            ScheduleTarget::Hosts { hosts } if hosts.is_empty() => {
                mistakes.add("target.hosts", "needs at least one host");
            }
            _ => {}
        }
        if let Some(repeat) = &self.repeat {
            mistakes.text("repeat", repeat, 500);
        }
        if self.messages.len() > MESSAGES_MAX {
            mistakes.add("messages", format!("has more than {MESSAGES_MAX} entries"));
        }
        for (index, message) in self.messages.iter().enumerate() {
            mistakes.within(&format!("messages[{index}]"), |m| {
                m.range("minutes_before", &message.minutes_before, 0..=DRAIN_MAX_MINUTES);
                m.text("text", &message.text, MESSAGE_MAX);
            });
        }
    }
}

impl ScheduledAction {
    fn validate(&self, mistakes: &mut Mistakes) {
        match self {
            ScheduledAction::Disable { duration_minutes: Some(minutes), .. } => {
                mistakes.range("duration_minutes", minutes, 1..=DURATION_MAX_MINUTES);
            }
            ScheduledAction::Reboot { drain } | ScheduledAction::Stop { drain } => {
                for (field, minutes) in [
                    ("drain_minutes", drain.drain_minutes),
                    ("force_after_minutes", drain.force_after_minutes),
                ] {
                    if let Some(minutes) = minutes {
                        mistakes.range(field, &minutes, 0..=DRAIN_MAX_MINUTES);
                    }
                }
            }
            ScheduledAction::Disable { .. } | ScheduledAction::Start {} => {}
        }
    }
}
