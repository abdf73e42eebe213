//! `oriel schedule`: what is done to hosts at a time.

use std::str::FromStr;

use clap::{Args, Subcommand, ValueEnum};
use jiff::{
    Timestamp, ToSpan as _, Zoned,
    civil::{Date, DateTime},
    tz::TimeZone,
};
use oriel_model::Kind;
use serde_json::{Value, json};

use super::{
    Desk, columns,
    frame::{self, Made, put},
    names,
    objects::{self, Named},
    output::{self, plain},
};
use crate::failure::{Failure, Outcome};

/// `oriel schedule …`
#[derive(Debug, Subcommand)]
pub enum ScheduleCommand {
    #[command(flatten)]
    Made(Box<Made<Fields>>),
    /// List how its latest times went, newest first
    Runs(Named),
    /// List the times of all schedules: those to come, and those that were, as far as is kept
    Calendar(Days),
}

/// Which days a calendar shows.
#[derive(Debug, Args)]
pub struct Days {
    /// From this day on, by this machine's clock, such as 2026-12-01; otherwise today
    #[arg(long, value_name = "DAY")]
    from: Option<Date>,
    /// So many days, at most 70
    #[arg(long, value_name = "NUMBER", default_value_t = 31, value_parser = clap::value_parser!(i64).range(1..=70))]
    days: i64,
}

/// The fields of a schedule that have options of their own.
#[derive(Debug, Clone, Default, Args)]
pub struct Fields {
    /// What is done
    #[arg(long = "do", value_enum, value_name = "ACTION")]
    action: Option<Action>,
    /// When it is done first, such as 2026-12-01T02:00
    #[arg(long, value_name = "TIME")]
    at: Option<DateTime>,
    /// By the clocks of this time zone, such as Europe/Berlin; otherwise UTC
    #[arg(long, value_name = "ZONE")]
    time_zone: Option<String>,
    /// How it repeats, as in RFC 5545, such as FREQ=WEEKLY;BYDAY=SU; "" for once
    #[arg(long, value_name = "RULE")]
    repeat: Option<String>,
    /// To the hosts of this pool (name or id; can be given several times)
    #[arg(long = "pool", value_name = "POOL", conflicts_with = "hosts")]
    pools: Vec<String>,
    /// To this host (name or id; can be given several times)
    #[arg(long = "host", value_name = "HOST")]
    hosts: Vec<String>,
    /// With disable: for how long, in minutes; otherwise until an administrator enables logons
    #[arg(long, value_name = "MINUTES")]
    duration: Option<u32>,
    /// With disable: what happens to the sessions that run
    #[arg(long, value_enum)]
    sessions: Option<Sessions>,
    /// With reboot and stop: how long before the time no new sessions begin, in minutes
    #[arg(long, value_name = "MINUTES")]
    drain: Option<u32>,
    /// With reboot and stop: how long after the time running sessions are waited for, in minutes
    #[arg(long, value_name = "MINUTES")]
    force_after: Option<u32>,
    /// What users are told, and how many minutes before, such as "10:Restart at {time}" (can be given
    /// several times)
    #[arg(long = "message", value_name = "MINUTES:TEXT")]
    messages: Vec<Message>,
    /// Also to hosts that are away at the time, when they come back
    #[arg(long, value_name = "true|false")]
    also_absent: Option<bool>,
    /// Whether it is in force
    #[arg(long, value_name = "true|false")]
    enabled: Option<bool>,
    /// For administrators
    #[arg(long, value_name = "TEXT")]
    description: Option<String>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Action {
    /// No logons for a while
    Disable,
    /// The host restarts
    Reboot,
    /// The host is switched off
    Stop,
    /// The host is switched on
    Start,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
#[value(rename_all = "snake_case")]
enum Sessions {
    /// They go on
    Keep,
    /// They are disconnected, and run on
    Disconnect,
    /// They are logged off
    LogOff,
    /// They are reset
    Reset,
}

/// What users are told beforehand.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Message {
    minutes: u32,
    text: String,
}

impl FromStr for Message {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let read =
            text.split_once(':').and_then(|(minutes, text)| Some((minutes.trim().parse().ok()?, text)));
        let (minutes, text) = read.ok_or("is not MINUTES:TEXT, such as \"10:Please save your work.\"")?;
        Ok(Self { minutes, text: text.trim().to_owned() })
    }
}

impl frame::Fields for Fields {
    fn apply(&self, _: &Desk, spec: &mut Value) -> Outcome {
        if let Some(action) = self.action {
            let word = match action {
                Action::Disable => "disable",
                Action::Reboot => "reboot",
                Action::Stop => "stop",
                Action::Start => "start",
            };
            // Another action has other fields.
            if spec["action"]["do"] != word {
                spec["action"] = json!({"do": word});
            }
        }
        put(spec, "action.duration_minutes", self.duration)?;
        let sessions = self.sessions.map(|sessions| match sessions {
            Sessions::Keep => "keep",
            Sessions::Disconnect => "disconnect",
            Sessions::LogOff => "log_off",
            Sessions::Reset => "reset",
        });
        put(spec, "action.sessions", sessions)?;
        put(spec, "action.drain_minutes", self.drain)?;
        put(spec, "action.force_after_minutes", self.force_after)?;
        put(spec, "starts_at", self.at.map(|at| at.to_string()))?;
        put(spec, "time_zone", self.time_zone.as_deref())?;
        put(spec, "repeat", self.repeat.as_deref().map(frame::or_none))?;
        if !self.pools.is_empty() {
            spec["target"] = json!({"of": "pools", "pools": self.pools});
        } else if !self.hosts.is_empty() {
            spec["target"] = json!({"of": "hosts", "hosts": self.hosts});
        }
        if !self.messages.is_empty() {
            let message =
                |message: &Message| json!({"minutes_before": message.minutes, "text": message.text});
            spec["messages"] = self.messages.iter().map(message).collect();
        }
        put(spec, "also_absent", self.also_absent)?;
        put(spec, "enabled", self.enabled)?;
        put(spec, "description", self.description.as_deref())
    }
}

impl ScheduleCommand {
    pub(super) fn run(self, desk: &Desk) -> Outcome {
        match self {
            ScheduleCommand::Made(command) => command.run(desk, Kind::Schedule),
            ScheduleCommand::Runs(named) => runs(desk, &named),
            ScheduleCommand::Calendar(days) => days.list(desk),
        }
    }
}

impl Days {
    fn list(&self, desk: &Desk) -> Outcome {
        let from = self.from.unwrap_or_else(|| Zoned::now().date());
        let midnight = |day: Date| {
            day.to_zoned(TimeZone::system())
                .map(|midnight| midnight.timestamp().to_string())
                .map_err(|error| Failure::Usage(format!("{day} is no day of this machine's clock: {error}")))
        };
        let until = from
            .checked_add(self.days.days())
            .map_err(|_| Failure::Usage(format!("no calendar goes {} days beyond {from}", self.days)))?;
        let query = [("from", &*midnight(from)?), ("until", &*midnight(until)?)];
        let mut answer = desk.client.get("schedules/runs", &query)?;
        let Value::Array(rows) = answer["items"].take() else { return Ok(()) };
        output::rows(desk.format, columns::TIMES, &rows)?;
        let told: Option<Timestamp> = answer["until"].as_str().and_then(|until| until.parse().ok());
        if told < query[1].1.parse().ok() {
            eprintln!("There are more: they are complete until {}.", plain(&answer["until"]));
        }
        Ok(())
    }
}

fn runs(desk: &Desk, named: &Named) -> Outcome {
    let schedule = names::find(&desk.client, Kind::Schedule, &named.name)?;
    let path = format!("{}/runs", objects::address(Kind::Schedule, &schedule));
    let mut rows = desk.client.list(&path, &[])?;
    if desk.format.is_for_people() {
        rows.iter_mut().for_each(tell_problems);
    }
    output::rows(desk.format, columns::RUNS, &rows)
}

/// Writes the problems of a run as people read them.
fn tell_problems(run: &mut Value) {
    let problems = run["problems"].as_array().into_iter().flatten();
    let told =
        problems.map(|problem| format!("{}: {}", plain(&problem["host_name"]), plain(&problem["text"])));
    run["problems"] = told.collect::<Vec<_>>().join("; ").into();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn problems_are_told_with_the_host() {
        let mut run = json!({"problems": [{"host_name": "h1", "text": "no power"}, {"host_name": "h2", "text": "away"}]});
        tell_problems(&mut run);
        assert_eq!(run["problems"], "h1: no power; h2: away");
    }

    #[test]
    fn a_message_says_when() {
        let message: Message = "10: Restart at {time}".parse().expect("a message");
        assert_eq!(message, Message { minutes: 10, text: "Restart at {time}".into() });
        assert!("Restart".parse::<Message>().is_err());
    }
}
