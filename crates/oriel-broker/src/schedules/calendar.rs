//! The times of all schedules between two moments: those to come from their settings, those that were from
//! what is kept of them.

use std::collections::BTreeMap;

use oriel_model::{
    Id, Object, Timestamp,
    schedule::{Schedule, ScheduledAction},
};
use oriel_rules::schedule::{OCCURRENCES_MAX, occurrences};
use schemars::JsonSchema;
use serde::Serialize;

use super::{Run, hosts_of};
use crate::{Broker, app::administrators::Rights};

/// Times of one answer at most: a month of a schedule that comes every hour, and of many that come nightly.
const TIMES_MAX: usize = 2_000;

/// The times of schedules.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Calendar {
    /// The earliest first.
    pub items: Vec<ScheduledTime>,
    /// All before this moment are there: what was asked for, or less where there are too many.
    pub until: Timestamp,
}

/// One time of a schedule.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct ScheduledTime {
    /// Which schedule.
    pub schedule: Id<Schedule>,
    /// Its name.
    pub name: String,
    /// When it is due, or was.
    pub at: Timestamp,
    /// What is done.
    pub action: ScheduledAction,
    /// For how many hosts, as things are now.
    pub hosts: usize,
    /// Whether it is still to come.
    pub state: TimeState,
    /// How it went; null: nothing is known of it yet.
    pub run: Option<Run>,
}

/// Whether a time of a schedule is still to come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum TimeState {
    /// It is to come.
    Coming,
    /// Something is done for it now, or will be at once.
    GoingOn,
    /// It has been.
    Over,
}

impl Broker {
    /// The times of the schedules that the caller sees, from a moment on and before another.
    pub fn calendar(&self, rights: &Rights, from: Timestamp, until: Timestamp) -> Calendar {
        let (view, now) = (self.farm.load(), self.now());
        let mut calendar = Calendar { items: Vec::new(), until };
        for (_, schedule) in view.schedules.in_order(None).filter(|(_, schedule)| rights.sees(schedule)) {
            let hosts = hosts_of(&view, &schedule.spec).len();
            let (times, complete) = self.times(schedule, from, calendar.until, now);
            calendar.items.extend(times.into_iter().map(|(at, (state, run))| ScheduledTime {
                schedule: schedule.id,
                name: schedule.name.clone(),
                at,
                action: schedule.spec.action.clone(),
                hosts,
                state,
                run,
            }));
            calendar.end_at(complete);
        }
        calendar
    }

    /// The times of one schedule, and the moment up to which all of them are there.
    fn times(
        &self,
        schedule: &Object<Schedule>,
        from: Timestamp,
        until: Timestamp,
        now: Timestamp,
    ) -> (BTreeMap<Timestamp, (TimeState, Option<Run>)>, Timestamp) {
        let (mut found, mut complete) = (BTreeMap::new(), until);
        if schedule.spec.enabled {
            let coming = occurrences(&schedule.spec, from.max(now), until);
            if let Some(last) = coming.get(OCCURRENCES_MAX - 1) {
                complete = *last;
            }
            found.extend(coming.into_iter().map(|at| (at, (TimeState::Coming, None))));
        }
        let is_wanted = |at: Timestamp| (from..until).contains(&at);
        for run in self.schedules.runs(schedule.id) {
            if is_wanted(run.occurrence) {
                found.insert(run.occurrence, (TimeState::Over, Some(run)));
            }
        }
        for going_on in self.schedules.state(schedule.id, None).going_on {
            if is_wanted(going_on.occurrence) {
                found.entry(going_on.occurrence).or_insert((TimeState::GoingOn, None)).0 = TimeState::GoingOn;
            }
        }
        (found, complete)
    }
}

impl Calendar {
    /// Puts the times in order and keeps as many as may be, all of them before `complete`.
    fn end_at(&mut self, complete: Timestamp) {
        self.until = self.until.min(complete);
        self.items.sort_by(|a, b| (a.at, &a.name).cmp(&(b.at, &b.name)));
        if let Some(first_too_many) = self.items.get(TIMES_MAX) {
            self.until = self.until.min(first_too_many.at);
        }
        self.items.truncate(self.items.partition_point(|time| time.at < self.until));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn time(second: i64) -> ScheduledTime {
        ScheduledTime {
            schedule: "00000000-0000-7000-8000-000000000001".parse().expect("an id"),
            name: "Nightly".into(),
            at: Timestamp::from_second(second).expect("a moment"),
            action: ScheduledAction::Start {},
            hosts: 1,
            state: TimeState::Coming,
            run: None,
        }
    }

    #[test]
    fn of_too_many_times_the_earliest_stay_and_it_says_up_to_when() {
        let count = TIMES_MAX as i64 + 10;
        let mut calendar = Calendar { items: (0..count).rev().map(time).collect(), until: time(count).at };
        calendar.end_at(time(count).at);
        assert_eq!((calendar.items.len(), calendar.until), (TIMES_MAX, time(TIMES_MAX as i64).at));
        assert!(calendar.items.is_sorted_by_key(|time| time.at));
        calendar.end_at(time(5).at);
        assert_eq!((calendar.items.len(), calendar.until), (5, time(5).at));
    }

    #[test]
    fn times_at_one_moment_are_never_parted() {
        let mut items: Vec<_> = (0..TIMES_MAX as i64 - 1).map(time).collect();
        items.extend(std::iter::repeat_n(time(5_000), 10));
        let mut calendar = Calendar { items, until: time(9_000).at };
        calendar.end_at(time(9_000).at);
        assert_eq!((calendar.items.len(), calendar.until), (TIMES_MAX - 1, time(5_000).at));
    }
}
