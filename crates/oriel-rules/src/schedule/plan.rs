//! What is to be done now for the schedules of a farm.
//!
//! A plan is made from the settings, the hosts as they are, and what was done before, and from nothing
//! else: it is the same on every broker and after every restart. Each step that is carried out is noted
//! as [`Done`]; a step that is noted is not planned again, and the notes say which hosts are held back
//! ([`holds`]). A step that was carried out but could not be noted is carried out once more.

use std::collections::{BTreeMap, HashMap};

use jiff::{SignedDuration, Timestamp};
use oriel_model::{
    Id,
    host::{Host, LogonMode},
    schedule::{AtDisable, Drain, Schedule, ScheduledAction},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{next, occurrences};

mod job;
#[cfg(test)]
mod tests;

use job::Job;

/// A host that is not there at the time counts as away after this long: a broker that was down for a
/// moment, or a host that was, still does what is due.
pub const PUNCTUAL: SignedDuration = SignedDuration::from_mins(15);
/// Hosts that were away are waited for so long.
const ABSENT_MAX: SignedDuration = SignedDuration::from_hours(24);

/// A schedule with the hosts that it is for, found by whoever has the settings.
#[derive(Debug, Clone)]
pub struct Planned<'a> {
    /// Which.
    pub id: Id<Schedule>,
    /// Its settings.
    pub spec: &'a Schedule,
    /// The hosts; those of pools among them.
    pub hosts: Vec<Id<Host>>,
}

/// A host as it is now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HostState {
    /// Whether its agent can be told something.
    pub is_reachable: bool,
    /// Sessions that run, disconnected ones too, and seats promised.
    pub sessions: u32,
    /// When it was started, by the clock of this broker (now less the time it has been up); none: unknown.
    pub booted_at: Option<Timestamp>,
}

/// Something to do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Step {
    /// For which schedule.
    pub schedule: Id<Schedule>,
    /// For which of its times.
    pub occurrence: Timestamp,
    /// To which host.
    pub host: Id<Host>,
    /// What.
    pub action: Action,
}

/// What is done to a host.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", tag = "do")]
pub enum Action {
    /// No new sessions from now on: noting it is enough, see [`holds`].
    Drain,
    /// No logons from now on: noting it is enough, see [`holds`].
    Disable,
    /// Its settings say from now on that logons are disabled, until an administrator enables them.
    DisableLogons,
    /// Its users are told something.
    Message {
        /// Which of the schedule's messages.
        minutes_before: u32,
        /// The text, filled in.
        text: String,
    },
    /// Its sessions end as the schedule says.
    EndSessions {
        /// How.
        how: AtDisable,
    },
    /// Sessions that still run are logged off: the deadline has passed.
    ForceLogOff,
    /// It restarts.
    Reboot {
        /// Which attempt, from 1 on.
        attempt: u32,
    },
    /// It is switched off.
    Stop {
        /// Which attempt, from 1 on.
        attempt: u32,
    },
    /// It is switched on.
    Start {
        /// Which attempt, from 1 on.
        attempt: u32,
    },
    /// It is held back no longer: noting it is enough.
    Release {
        /// How it went.
        outcome: Outcome,
    },
}

/// How it went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// As planned.
    Done,
    /// The host did not do what it was told, or was away for too long.
    GivenUp,
    /// The schedule was changed, disabled or deleted meanwhile, or is no longer for this host.
    Withdrawn,
}

/// That a step was carried out: what is kept of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Done {
    /// For which schedule.
    pub schedule: Id<Schedule>,
    /// For which of its times.
    pub occurrence: Timestamp,
    /// To which host.
    pub host: Id<Host>,
    /// What.
    pub mark: Mark,
    /// When.
    pub at: Timestamp,
}

/// What a step is recognised by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", tag = "mark")]
#[expect(missing_docs, reason = "each is the action of the same name")]
pub enum Mark {
    Drain,
    Disable,
    DisableLogons,
    Message { minutes_before: u32 },
    EndSessions,
    ForceLogOff,
    Reboot { attempt: u32 },
    Stop { attempt: u32 },
    Start { attempt: u32 },
    Release { outcome: Outcome },
}

impl Action {
    /// Whether it is one of several attempts: one that fails is noted like one that does not help.
    pub fn is_attempt(&self) -> bool {
        matches!(self, Action::Reboot { .. } | Action::Stop { .. } | Action::Start { .. })
    }

    /// What it is recognised by once it is done.
    pub fn mark(&self) -> Mark {
        match *self {
            Action::Drain => Mark::Drain,
            Action::Disable => Mark::Disable,
            Action::DisableLogons => Mark::DisableLogons,
            Action::Message { minutes_before, .. } => Mark::Message { minutes_before },
            Action::EndSessions { .. } => Mark::EndSessions,
            Action::ForceLogOff => Mark::ForceLogOff,
            Action::Reboot { attempt } => Mark::Reboot { attempt },
            Action::Stop { attempt } => Mark::Stop { attempt },
            Action::Start { attempt } => Mark::Start { attempt },
            Action::Release { outcome } => Mark::Release { outcome },
        }
    }
}

impl Step {
    /// The note that it was carried out.
    pub fn done(&self, at: Timestamp) -> Done {
        let Step { schedule, occurrence, host, ref action } = *self;
        Done { schedule, occurrence, host, mark: action.mark(), at }
    }
}

/// That a host is held back by a schedule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Hold {
    /// Draining, or disabled.
    pub mode: LogonMode,
    /// By which schedule.
    pub schedule: Id<Schedule>,
    /// For which of its times.
    pub occurrence: Timestamp,
}

/// The hosts that schedules hold back now. Of several schedules the strictest is named.
pub fn holds(done: &[Done]) -> HashMap<Id<Host>, Hold> {
    let mut holds: HashMap<Id<Host>, Hold> = HashMap::new();
    for (&(schedule, host, occurrence), job) in &jobs(done) {
        let Some(mode) = job.hold() else { continue };
        let hold = Hold { mode, schedule, occurrence };
        let held = holds.entry(host).or_insert(hold);
        if held.mode != LogonMode::Disabled && mode == LogonMode::Disabled {
            *held = hold;
        }
    }
    holds
}

/// One host's part in one time of a schedule.
type Key = (Id<Schedule>, Id<Host>, Timestamp);

fn jobs(done: &[Done]) -> BTreeMap<Key, Job> {
    let mut jobs: BTreeMap<Key, Job> = BTreeMap::new();
    for done in done {
        let key = (done.schedule, done.host, done.occurrence);
        jobs.entry(key).or_default().take(done.mark, done.at);
    }
    jobs
}

/// What is to be done now. Steps stand in the order in which they are carried out.
pub fn plan(
    schedules: &[Planned<'_>],
    hosts: &HashMap<Id<Host>, HostState>,
    done: &[Done],
    now: Timestamp,
) -> Vec<Step> {
    let mut jobs = jobs(done);
    for planned in schedules.iter().filter(|planned| planned.spec.enabled) {
        for occurrence in near(planned.spec, now) {
            for host in &planned.hosts {
                jobs.entry((planned.id, *host, occurrence)).or_default();
            }
        }
    }
    let by_id: HashMap<_, _> = schedules.iter().map(|planned| (planned.id, planned)).collect();
    let mut steps = Vec::new();
    // Of one schedule and host, an earlier time that is not over keeps later ones waiting.
    let mut busy: Option<(Id<Schedule>, Id<Host>)> = None;
    for (&(schedule, host, occurrence), job) in &jobs {
        let spec = by_id
            .get(&schedule)
            .filter(|planned| planned.spec.enabled && planned.hosts.contains(&host))
            .map(|planned| planned.spec)
            .filter(|spec| is_time_of(spec, occurrence));
        let Some(spec) = spec else {
            if job.hold().is_some() {
                let action = Action::Release { outcome: Outcome::Withdrawn };
                steps.push(Step { schedule, occurrence, host, action });
            }
            continue;
        };
        let Some(&state) = hosts.get(&host) else { continue };
        let waits = busy == Some((schedule, host)) && !job.has_begun();
        if !waits {
            let actions = job.next(spec, occurrence, state, now);
            steps.extend(actions.into_iter().map(|action| Step { schedule, occurrence, host, action }));
        }
        let is_exclusive = drain(&spec.action).is_some();
        if is_exclusive && job.has_begun() && !job.is_over() {
            busy = Some((schedule, host));
        }
    }
    steps
}

/// What of the notes is needed still; the rest can be forgotten.
pub fn still_needed(schedules: &[Planned<'_>], done: &[Done], now: Timestamp) -> Vec<Done> {
    let by_id: HashMap<_, _> = schedules.iter().map(|planned| (planned.id, planned.spec)).collect();
    let jobs = jobs(done);
    let is_needed = |done: &&Done| {
        let job = &jobs[&(done.schedule, done.host, done.occurrence)];
        // Its own time, however often it is put off, and a day for clocks that are set back.
        let reach = by_id.get(&done.schedule).map(|spec| reach(spec).saturating_add(ABSENT_MAX));
        job.hold().is_some() || reach.is_some_and(|reach| now < after(done.occurrence, reach))
    };
    done.iter().filter(is_needed).copied().collect()
}

/// The latest time that has come and the next one, as far as anything may be due for them now.
fn near(spec: &Schedule, now: Timestamp) -> Vec<Timestamp> {
    let earliest = after(now, -reach(spec));
    let latest = after(now, lead(spec));
    let just_now = after(now, SignedDuration::from_nanos(1));
    let past = latest_between(spec, earliest, just_now);
    let coming = next(spec, now).filter(|coming| *coming <= latest);
    past.into_iter().chain(coming).collect()
}

/// The latest time in a span. Short spans are tried first: most schedules repeat within a day or a week.
fn latest_between(spec: &Schedule, from: Timestamp, to: Timestamp) -> Option<Timestamp> {
    for days in [1, 7, 40, 370] {
        let since = after(to, -SignedDuration::from_hours(24 * days)).max(from);
        if let Some(latest) = occurrences(spec, since, to).last() {
            return Some(*latest);
        }
        if since == from {
            break;
        }
    }
    None
}

fn is_time_of(spec: &Schedule, occurrence: Timestamp) -> bool {
    let just_after = after(occurrence, SignedDuration::from_nanos(1));
    !occurrences(spec, occurrence, just_after).is_empty()
}

/// How long before its time something may be due.
fn lead(spec: &Schedule) -> SignedDuration {
    let messages = spec.messages.iter().map(|message| message.minutes_before).max().unwrap_or(0);
    let drain = drain(&spec.action).and_then(|drain| drain.drain_minutes).unwrap_or(0);
    minutes(messages.max(drain))
}

/// How long after its time something may begin.
fn reach(spec: &Schedule) -> SignedDuration {
    match &spec.action {
        ScheduledAction::Disable { duration_minutes: Some(duration), .. } => minutes(*duration),
        _ => ABSENT_MAX,
    }
}

fn drain(action: &ScheduledAction) -> Option<&Drain> {
    match action {
        ScheduledAction::Reboot { drain } | ScheduledAction::Stop { drain } => Some(drain),
        ScheduledAction::Disable { .. } | ScheduledAction::Start {} => None,
    }
}

fn minutes(minutes: u32) -> SignedDuration {
    SignedDuration::from_mins(minutes.into())
}

fn after(moment: Timestamp, duration: SignedDuration) -> Timestamp {
    let bound = if duration.is_negative() { Timestamp::MIN } else { Timestamp::MAX };
    moment.checked_add(duration).unwrap_or(bound)
}
