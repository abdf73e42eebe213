//! `oriel hours`: when whom the farm is open to.

use std::str::FromStr;

use clap::{Args, Subcommand};
use jiff::civil::Time;
use oriel_model::Kind;
use serde_json::{Value, json};

use super::{
    Desk,
    frame::{self, Made, put},
    meant::MeantFor,
};
use crate::failure::Outcome;

/// `oriel hours …`
#[derive(Debug, Subcommand)]
pub enum HoursCommand {
    #[command(flatten)]
    Made(Made<Fields>),
}

/// The fields of logon hours that have options of their own.
#[derive(Debug, Clone, Default, Args)]
pub struct Fields {
    /// When the farm is open, such as mon-fri@08:00-18:00 or sat,sun@10:00-14:00 (can be given several
    /// times)
    #[arg(long, value_name = "DAYS@FROM-TO")]
    open: Vec<Open>,
    /// By the clocks of this time zone, such as Europe/Berlin; otherwise of the user's device
    #[arg(long, value_name = "ZONE")]
    time_zone: Option<String>,
    /// Whether they are in force
    #[arg(long, value_name = "true|false")]
    enabled: Option<bool>,
    /// For administrators
    #[arg(long, value_name = "TEXT")]
    description: Option<String>,
    /// Their place among all logon hours: smaller first, and the first that fits a user holds
    #[arg(long, value_name = "NUMBER", allow_hyphen_values = true)]
    order: Option<i32>,
    /// Outside the hours: whether the list of resources is shown
    #[arg(long, value_name = "true|false")]
    show_list: Option<bool>,
    /// Outside the hours: whether opening is refused
    #[arg(long, value_name = "true|false")]
    refuse: Option<bool>,
    /// At their end: whether sessions are disconnected
    #[arg(long, value_name = "true|false")]
    disconnect: Option<bool>,
    /// How long before their end users are warned, in minutes (0: not)
    #[arg(long, value_name = "MINUTES")]
    warn: Option<u32>,
    /// By how much a user may put off the end, in minutes (0: not)
    #[arg(long, value_name = "MINUTES")]
    extend: Option<u32>,
    /// What users read who come outside the hours
    #[arg(long, value_name = "TEXT")]
    message: Option<String>,
    #[command(flatten)]
    meant_for: MeantFor,
}

/// A part of the week.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Open {
    days: Vec<&'static str>,
    from: Time,
    to: Option<Time>,
}

const DAYS: [&str; 7] = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];

impl FromStr for Open {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || "is not DAYS@FROM-TO, such as mon-fri@08:00-18:00".to_owned();
        let (days, hours) = text.split_once('@').ok_or_else(wrong)?;
        let (from, to) = hours.split_once('-').ok_or_else(wrong)?;
        let time = |text: &str| match text {
            "24:00" => Ok(None),
            text => {
                text.parse::<Time>().map(Some).map_err(|_| format!("\"{text}\" is no time such as 08:00"))
            }
        };
        let mut found = Vec::new();
        for part in days.split(',') {
            let (first, last) = part.split_once('-').unwrap_or((part, part));
            let (first, last) = (day(first)?, day(last)?);
            // From Saturday to Monday is three days, not none.
            let count = (last + DAYS.len() - first) % DAYS.len() + 1;
            found.extend((first..first + count).map(|day| DAYS[day % DAYS.len()]));
        }
        Ok(Self { days: found, from: time(from)?.ok_or_else(wrong)?, to: time(to)? })
    }
}

fn day(word: &str) -> Result<usize, String> {
    let typed = word.trim().to_lowercase();
    let found = DAYS.iter().position(|day| typed.len() >= 2 && day.starts_with(&typed));
    found.ok_or_else(|| format!("\"{word}\" is no day such as mon"))
}

impl frame::Fields for Fields {
    fn apply(&self, _: &Desk, spec: &mut Value) -> Outcome {
        if !self.open.is_empty() {
            let open: Vec<_> = self
                .open
                .iter()
                .map(|open| json!({"days": open.days, "from": open.from, "to": open.to}))
                .collect();
            spec["open"] = open.into();
        }
        put(spec, "clock", self.time_zone.as_deref().map(|zone| json!({"of": "zone", "time_zone": zone})))?;
        put(spec, "enabled", self.enabled)?;
        put(spec, "description", self.description.as_deref())?;
        put(spec, "order", self.order)?;
        put(spec, "outside.show_list", self.show_list)?;
        put(spec, "outside.refuse", self.refuse)?;
        put(spec, "outside.disconnect", self.disconnect)?;
        put(spec, "outside.warn_minutes", self.warn)?;
        put(spec, "outside.extend_minutes", self.extend)?;
        put(spec, "outside.message", self.message.as_deref())?;
        put(spec, "rules", self.meant_for.rules())
    }
}

impl HoursCommand {
    pub(super) fn run(self, desk: &Desk) -> Outcome {
        let HoursCommand::Made(command) = self;
        command.run(desk, Kind::LogonHours)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_of_the_week_read_as_people_write_them() {
        let open: Open = "mon-fri@08:00-18:00".parse().expect("hours");
        assert_eq!(open.days, &DAYS[..5]);
        assert_eq!((open.from.hour(), open.to.map(Time::hour)), (8, Some(18)));
        let open: Open = "sat-mon,Wed@22:00-24:00".parse().expect("hours");
        assert_eq!((open.days, open.to), (vec!["saturday", "sunday", "monday", "wednesday"], None));
        for wrong in ["mon", "mon@08:00", "xyz@08:00-09:00", "mon@25:00-26:00", "@1-2", "mon@24:00-08:00"] {
            assert!(wrong.parse::<Open>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn the_hours_are_such_that_the_model_reads() {
        let open: Open = "mon-fri@08:00-18:00".parse().expect("hours");
        let open = json!([{"days": open.days, "from": open.from, "to": open.to}]);
        let spec: oriel_model::logon_hours::LogonHours =
            serde_json::from_value(json!({"open": open})).expect("readable");
        assert_eq!(spec.open[0].days.len(), 5);
    }
}
