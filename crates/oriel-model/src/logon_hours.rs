//! Logon hours: when whom the farm is open to.

use jiff::civil::{Time, Weekday};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    object::{Kind, Spec},
    rule::Rules,
    validate::{self, DESCRIPTION_MAX, Mistakes},
};

/// When whom the farm is open to. Of several, the first by `order` whose rules allow a user holds for them;
/// whom none holds for may come at any time.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LogonHours {
    /// Disabled hours hold for nobody.
    #[serde(default = "yes")]
    pub enabled: bool,
    /// For administrators.
    #[serde(default)]
    pub description: String,
    /// Its place among all logon hours: smaller first, then by name.
    #[serde(default)]
    pub order: i32,
    /// Whom they hold for. Without rules, everybody.
    #[serde(default)]
    pub rules: Rules,
    /// When the farm is open; outside of these it is not.
    pub open: Vec<Hours>,
    /// By whose clocks.
    #[serde(default)]
    pub clock: Clock,
    /// What happens outside the hours.
    #[serde(default)]
    pub outside: Outside,
}

fn yes() -> bool {
    true
}

/// A part of the week.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Hours {
    /// The days on which it begins.
    pub days: Vec<Day>,
    /// When it begins, as in `08:00:00`.
    pub from: Time,
    /// When it ends; not after `from`: on the next day. Absent: at midnight.
    #[serde(default)]
    pub to: Option<Time>,
}

/// A day of the week.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the names say it")]
pub enum Day {
    Monday,
    Tuesday,
    Wednesday,
    Thursday,
    Friday,
    Saturday,
    Sunday,
}

impl Day {
    /// As the calendar's library has it.
    pub fn weekday(self) -> Weekday {
        match self {
            Day::Monday => Weekday::Monday,
            Day::Tuesday => Weekday::Tuesday,
            Day::Wednesday => Weekday::Wednesday,
            Day::Thursday => Weekday::Thursday,
            Day::Friday => Weekday::Friday,
            Day::Saturday => Weekday::Saturday,
            Day::Sunday => Weekday::Sunday,
        }
    }
}

/// By whose clocks hours are read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", tag = "of", deny_unknown_fields)]
pub enum Clock {
    /// The user's device; where it says none, `otherwise`.
    User {
        /// The time zone of devices that say none.
        #[serde(default = "utc")]
        otherwise: String,
    },
    /// This time zone, as in `Europe/Berlin`.
    Zone {
        /// The time zone.
        time_zone: String,
    },
}

fn utc() -> String {
    "UTC".into()
}

impl Default for Clock {
    fn default() -> Self {
        Clock::User { otherwise: utc() }
    }
}

/// What happens outside the hours.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Outside {
    /// Whether the list of resources is shown.
    pub show_list: bool,
    /// Whether opening is refused, and signing in with it where the list is not shown either.
    pub refuse: bool,
    /// Whether sessions that run are disconnected at the end of the hours.
    pub disconnect: bool,
    /// How long before the end users are warned, in minutes; 0: they are not.
    pub warn_minutes: u32,
    /// By how much a user may put off the end, in minutes; 0: not at all.
    pub extend_minutes: u32,
    /// What users read who come outside the hours; empty: a sentence of the product's.
    pub message: String,
}

impl Default for Outside {
    fn default() -> Self {
        Self {
            show_list: true,
            refuse: true,
            disconnect: false,
            warn_minutes: 10,
            extend_minutes: 0,
            message: String::new(),
        }
    }
}

/// Three parts of every day are finer than any roster.
const HOURS_MAX: usize = 21;

impl Spec for LogonHours {
    const KIND: Kind = Kind::LogonHours;

    fn validate(&self, mistakes: &mut Mistakes) {
        mistakes.optional_text("description", &self.description, DESCRIPTION_MAX);
        mistakes.within("rules", |m| self.rules.validate(m));
        if self.open.len() > HOURS_MAX {
            mistakes.add("open", format!("has more than {HOURS_MAX} entries"));
        }
        for (index, hours) in self.open.iter().enumerate() {
            if hours.days.is_empty() {
                mistakes.add(&format!("open[{index}].days"), "needs at least one day");
            }
            if hours.to == Some(hours.from) && hours.from != Time::midnight() {
                mistakes.add(
                    &format!("open[{index}].to"),
                    "is when it begins; for a whole day write from 00:00:00 and no to",
                );
            }
        }
        match &self.clock {
            Clock::User { otherwise } => validate::time_zone(mistakes, "clock.otherwise", otherwise),
            Clock::Zone { time_zone } => validate::time_zone(mistakes, "clock.time_zone", time_zone),
        }
        mistakes.within("outside", |m| {
            m.range("warn_minutes", &self.outside.warn_minutes, 0..=240);
            m.range("extend_minutes", &self.outside.extend_minutes, 0..=720);
            m.optional_text("message", &self.outside.message, 500);
        });
    }
}
