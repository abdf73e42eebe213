//! Schedules: at which moments they are due ([`occurrences`]), whether they can be ([`check`]), and what
//! is to be done for them now ([`plan`]).
//!
//! A schedule's times are read off the clocks of its time zone. A time that the change to summer time
//! leaves out is later by what the clock was put forward; one that comes twice is the first.

use jiff::{SignedDuration, Timestamp, ToSpan, civil::DateTime, tz::TimeZone};
use oriel_model::{schedule::Schedule, validate::Mistakes};

mod plan;
mod repeat;

pub use plan::{
    Action, Done, Hold, HostState, Mark, Outcome, PUNCTUAL, Planned, Step, holds, plan, still_needed,
};
use repeat::{Repeat, Until};

/// Most occurrences that are listed at once.
pub const OCCURRENCES_MAX: usize = 1_000;
/// How far is looked for the first occurrence, in years: what does not happen in so long never does.
const LOOK_AHEAD_YEARS: i16 = 50;
/// Schedules begin in these years: what is computed from their beginning on stays small.
const YEARS: std::ops::RangeInclusive<i16> = 1970..=2199;

/// Checks what the schedule's own type does not say: that its times exist.
pub fn check(schedule: &Schedule, mistakes: &mut Mistakes) {
    mistakes.range("starts_at", &schedule.starts_at.year(), YEARS);
    for (index, message) in schedule.messages.iter().enumerate() {
        let same =
            |other: &oriel_model::schedule::ScheduledMessage| other.minutes_before == message.minutes_before;
        if schedule.messages[..index].iter().any(same) {
            let field = format!("messages[{index}].minutes_before");
            mistakes.add(&field, "is when another message of this schedule is sent already");
        }
    }
    let Some(text) = &schedule.repeat else { return };
    match Repeat::parse(text) {
        Err(message) => mistakes.add("repeat", message),
        // A time zone that is wrong is reported where it is checked.
        Ok(repeat) if YEARS.contains(&schedule.starts_at.year()) => {
            if let Some(times) = Times::new(schedule)
                && times.first().is_none()
            {
                mistakes.add("repeat", never(schedule, repeat.until.is_some()));
            }
        }
        Ok(_) => {}
    }
}

fn never(schedule: &Schedule, ends: bool) -> String {
    let start = schedule.starts_at;
    match ends {
        true => format!("never happens: its UNTIL is before the first time that fits, from {start} on"),
        false => format!("never happens: no day fits all its parts from {start} on"),
    }
}

/// The moments at which a schedule is due, from `from` on and before `to`: the first
/// [`OCCURRENCES_MAX`] of them. Empty where its settings make no sense.
pub fn occurrences(schedule: &Schedule, from: Timestamp, to: Timestamp) -> Vec<Timestamp> {
    Times::new(schedule).map(|times| times.between(from, to, OCCURRENCES_MAX)).unwrap_or_default()
}

/// When a schedule is due next after a moment; none: not in the next fifty years.
pub fn next(schedule: &Schedule, after: Timestamp) -> Option<Timestamp> {
    let just_after = after.checked_add(SignedDuration::from_nanos(1)).ok()?;
    Times::new(schedule)?.between(just_after, Timestamp::MAX, 1).first().copied()
}

/// The times of a schedule, read.
struct Times {
    start: DateTime,
    zone: TimeZone,
    repeat: Option<Repeat>,
}

impl Times {
    fn new(schedule: &Schedule) -> Option<Self> {
        let repeat = schedule.repeat.as_deref().map(Repeat::parse).transpose().ok()?;
        let zone = TimeZone::get(&schedule.time_zone).ok()?;
        YEARS.contains(&schedule.starts_at.year()).then_some(Self { start: schedule.starts_at, zone, repeat })
    }

    fn first(&self) -> Option<Timestamp> {
        self.between(Timestamp::MIN, Timestamp::MAX, 1).first().copied()
    }

    fn between(&self, from: Timestamp, to: Timestamp, max: usize) -> Vec<Timestamp> {
        let Some(repeat) = &self.repeat else {
            let at = self.moment(self.start).filter(|at| (from..to).contains(at));
            return at.into_iter().collect();
        };
        // Clocks differ from UTC by less than 26 hours, and are changed by at most a day.
        let clock = |moment: Timestamp, days: i32| {
            let clock = TimeZone::UTC.to_datetime(moment);
            clock.checked_add(days.days()).unwrap_or(if days < 0 { DateTime::MIN } else { DateTime::MAX })
        };
        let start = self.start.max(clock(from, -3));
        let furthest = start.checked_add(LOOK_AHEAD_YEARS.years()).unwrap_or(DateTime::MAX);
        let mut end = clock(to, 3).min(furthest);
        if let Some(Until::Clock(until)) = repeat.until {
            end = end.min(until.checked_add(1.nanoseconds()).unwrap_or(DateTime::MAX));
        }
        let mut found: Vec<Timestamp> = Vec::new();
        let mut begin = start;
        // In parts: some of the first times may lie before `from`, or be one moment where clocks change.
        while found.len() < max && begin < end {
            let part = repeat.times(self.start, begin, end, max.saturating_add(100));
            let Some(last) = part.last() else { break };
            begin = last.checked_add(1.nanoseconds()).unwrap_or(DateTime::MAX);
            for time in part {
                let Some(at) = self.moment(time) else { continue };
                let is_over = matches!(repeat.until, Some(Until::Moment(until)) if at > until);
                if is_over || at >= to {
                    return found;
                }
                if at >= from && found.last().is_none_or(|before| *before < at) && found.len() < max {
                    found.push(at);
                }
            }
        }
        found
    }

    /// The moment at which the clock shows this time.
    fn moment(&self, time: DateTime) -> Option<Timestamp> {
        self.zone.to_ambiguous_timestamp(time).compatible().ok()
    }
}

#[cfg(test)]
mod tests {
    use oriel_model::schedule::{ScheduleTarget, ScheduledAction, ScheduledMessage};
    use proptest::prelude::*;

    use super::*;

    fn schedule(starts_at: &str, time_zone: &str, repeat: Option<&str>) -> Schedule {
        Schedule {
            enabled: true,
            description: String::new(),
            action: ScheduledAction::Start {},
            target: ScheduleTarget::Hosts { hosts: vec![crate::rules::tests::id(1)] },
            starts_at: starts_at.parse().expect("a time"),
            time_zone: time_zone.into(),
            repeat: repeat.map(str::to_owned),
            messages: Vec::new(),
            also_absent: false,
        }
    }

    fn moment(text: &str) -> Timestamp {
        text.parse().expect("a moment")
    }

    fn due(schedule: &Schedule, from: &str, to: &str) -> Vec<String> {
        let found = occurrences(schedule, moment(from), moment(to));
        found.into_iter().map(|at| at.to_string()).collect()
    }

    #[test]
    fn a_time_that_clocks_leave_out_is_later_and_one_that_comes_twice_is_the_first() {
        let nightly = schedule("2026-03-27T02:30:00", "Europe/Berlin", Some("FREQ=DAILY"));
        assert_eq!(
            due(&nightly, "2026-03-28T00:00:00Z", "2026-03-31T00:00:00Z"),
            ["2026-03-28T01:30:00Z", "2026-03-29T01:30:00Z", "2026-03-30T00:30:00Z"]
        );
        assert_eq!(
            due(&nightly, "2026-10-24T00:00:00Z", "2026-10-27T00:00:00Z"),
            ["2026-10-24T00:30:00Z", "2026-10-25T00:30:00Z", "2026-10-26T01:30:00Z"]
        );
        let once = schedule("2026-03-29T02:30:00", "Europe/Berlin", None);
        assert_eq!(due(&once, "2026-01-01T00:00:00Z", "2027-01-01T00:00:00Z"), ["2026-03-29T01:30:00Z"]);
    }

    #[test]
    fn an_hour_that_is_left_out_does_not_happen_twice() {
        let hourly = schedule("2026-03-29T00:30:00", "Europe/Berlin", Some("FREQ=HOURLY"));
        assert_eq!(
            due(&hourly, "2026-03-29T00:00:00Z", "2026-03-29T03:00:00Z"),
            ["2026-03-29T00:30:00Z", "2026-03-29T01:30:00Z", "2026-03-29T02:30:00Z"]
        );
    }

    #[test]
    fn the_end_is_a_moment_or_a_day_of_the_schedules_own_clock() {
        let check = |until: &str, expected: usize| {
            let rule = format!("FREQ=DAILY;UNTIL={until}");
            let nightly = schedule("2026-12-01T23:00:00", "America/New_York", Some(&rule));
            assert_eq!(due(&nightly, "2026-01-01T00:00:00Z", "2028-01-01T00:00:00Z").len(), expected);
        };
        check("20261203", 3);
        check("20261203T225959", 2);
        check("20261204T040000Z", 3);
        check("20261204T035959Z", 2);
    }

    #[test]
    fn the_next_time_is_found_far_ahead_and_the_last_has_none() {
        let leap = schedule("2024-02-29T02:00:00", "UTC", Some("FREQ=YEARLY"));
        assert_eq!(next(&leap, moment("2097-01-01T00:00:00Z")), Some(moment("2104-02-29T02:00:00Z")));
        let once = schedule("2026-03-29T02:30:00", "UTC", None);
        assert_eq!(next(&once, moment("2026-03-29T02:29:59Z")), Some(moment("2026-03-29T02:30:00Z")));
        assert_eq!(next(&once, moment("2026-03-29T02:30:00Z")), None);
    }

    #[test]
    fn times_that_never_come_are_mistakes_and_past_ones_are_not() {
        let check = |starts_at: &str, repeat: Option<&str>, expected: Option<&str>| {
            let mut mistakes = Mistakes::default();
            super::check(&schedule(starts_at, "Europe/Berlin", repeat), &mut mistakes);
            let found = mistakes.into_vec();
            match expected {
                None => assert_eq!(found, []),
                Some(part) => assert!(found[0].message.contains(part), "{found:?}"),
            }
        };
        check("1999-01-01T02:00:00", None, None);
        check("1999-01-01T02:00:00", Some("FREQ=DAILY;COUNT=1"), None);
        check("2026-12-01T02:00:00", Some("FREQ=MONTHLY;BYDAY=-1SU"), None);
        check("2026-12-01T02:00:00", Some("FREQ=DAILY;UNTIL=20261101"), Some("its UNTIL is before"));
        check("2026-12-01T02:00:00", Some("FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30"), Some("never happens"));
        check("2026-12-01T02:00:00", Some("FREQ=DAILY;COUNT=x"), Some("COUNT=X is not a number"));
        check("1899-12-01T02:00:00", None, Some("must be from 1970 to 2199"));
    }

    #[test]
    fn two_messages_at_one_time_are_a_mistake() {
        let message = || ScheduledMessage { minutes_before: 5, text: "Save your work.".into() };
        let mut twice = schedule("2026-12-01T02:00:00", "UTC", None);
        twice.messages = vec![message(), message()];
        let mut mistakes = Mistakes::default();
        super::check(&twice, &mut mistakes);
        assert_eq!(mistakes.into_vec()[0].field, "messages[1].minutes_before");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(200))]

        #[test]
        fn a_long_time_is_its_parts_one_after_the_other(
            rule in proptest::sample::select(vec![
                "FREQ=HOURLY;INTERVAL=13", "FREQ=DAILY", "FREQ=WEEKLY;BYDAY=SU,WE",
                "FREQ=MONTHLY;BYDAY=-1SU;BYHOUR=1,2,3", "FREQ=DAILY;COUNT=40",
            ]),
            zone in proptest::sample::select(vec!["Europe/Berlin", "America/New_York", "Pacific/Apia", "UTC"]),
            hours in proptest::collection::vec(1i64..2_000, 1..6),
        ) {
            let schedule = schedule("2011-12-01T02:30:00", zone, Some(rule));
            let first = moment("2011-11-20T00:00:00Z");
            let mut parts = Vec::new();
            let mut from = first;
            for hours in hours {
                let to = from + SignedDuration::from_hours(hours);
                parts.extend(occurrences(&schedule, from, to));
                if let Some(next) = next(&schedule, from - SignedDuration::from_nanos(1))
                    && next < to
                {
                    prop_assert!(parts.contains(&next));
                }
                from = to;
            }
            prop_assert_eq!(parts, occurrences(&schedule, first, from));
        }
    }
}
