//! Repetitions as in [RFC 5545] 3.3.10, from once an hour to once in years.
//!
//! All is computed on the calendar and the clock, without a time zone: what a time means where clocks
//! are changed is [`super`]'s. It is done here rather than by a library because the only one at hand
//! (`rrule`) brings a second calendar and a second database of time zones that could differ from
//! the one that everything else is computed with, and knows no bounds but a count of steps.

use std::collections::BTreeSet;

use jiff::{
    Timestamp, ToSpan,
    civil::{Date, DateTime, Weekday},
};

mod parse;
#[cfg(test)]
mod tests;

/// How often.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Frequency {
    Hourly,
    Daily,
    Weekly,
    Monthly,
    Yearly,
}

/// A day of the week, or (in a month or a year) the nth such day, from the end when negative.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct WeekdayRule {
    nth: Option<i16>,
    weekday: Weekday,
}

/// The last moment of a repetition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Until {
    /// In UTC.
    Moment(Timestamp),
    /// By the clocks of the schedule.
    Clock(DateTime),
}

/// A repetition. An empty list says nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Repeat {
    frequency: Frequency,
    interval: i64,
    count: Option<usize>,
    pub(super) until: Option<Until>,
    months: Vec<i16>,
    weeks: Vec<i16>,
    days_of_year: Vec<i16>,
    days_of_month: Vec<i16>,
    weekdays: Vec<WeekdayRule>,
    hours: Vec<i16>,
    minutes: Vec<i16>,
    seconds: Vec<i16>,
    /// Which of those of one period.
    positions: Vec<i16>,
    week_start: Weekday,
}

impl Repeat {
    /// The first `max` times from `from` on and before `to` of a repetition that begins at `start`.
    pub fn times(&self, start: DateTime, from: DateTime, to: DateTime, max: usize) -> Vec<DateTime> {
        let rule = self.completed(start);
        let mut found = Vec::new();
        let mut passed = 0;
        // Counting begins at the beginning; without a count, what is before `from` need not be looked at.
        let mut period = match self.count {
            Some(_) => 0,
            None => rule.period_of(from.max(start), start).max(0) / self.interval * self.interval,
        };
        while let Some(first) = rule.first_of(period, start).filter(|first| *first < to) {
            let times = rule.times_in(first);
            let skipped = match (times.is_empty(), self.frequency) {
                // A day that is not meant is not looked at hour by hour.
                (true, Frequency::Hourly) => rule.hours_to_tomorrow(first),
                _ => 0,
            };
            for time in times {
                if time < start {
                    continue;
                }
                passed += 1;
                if self.count.is_some_and(|count| passed > count) || time >= to {
                    return found;
                }
                if time >= from {
                    found.push(time);
                    if found.len() >= max {
                        return found;
                    }
                }
            }
            period += self.interval.max(skipped);
        }
        found
    }

    /// What the rule does not say is as in its start.
    fn completed(&self, start: DateTime) -> Repeat {
        let mut rule = self.clone();
        let says_a_day =
            !(rule.days_of_year.is_empty() && rule.days_of_month.is_empty() && rule.weekdays.is_empty());
        match rule.frequency {
            _ if says_a_day => {}
            Frequency::Yearly if !rule.weeks.is_empty() => {
                rule.weekdays = vec![WeekdayRule { nth: None, weekday: start.weekday() }];
            }
            Frequency::Yearly => {
                if rule.months.is_empty() {
                    rule.months = vec![start.month().into()];
                }
                rule.days_of_month = vec![start.day().into()];
            }
            Frequency::Monthly => rule.days_of_month = vec![start.day().into()],
            Frequency::Weekly => {
                rule.weekdays = vec![WeekdayRule { nth: None, weekday: start.weekday() }];
            }
            Frequency::Daily | Frequency::Hourly => {}
        }
        if rule.hours.is_empty() && rule.frequency != Frequency::Hourly {
            rule.hours = vec![start.hour().into()];
        }
        if rule.minutes.is_empty() {
            rule.minutes = vec![start.minute().into()];
        }
        if rule.seconds.is_empty() {
            rule.seconds = vec![start.second().into()];
        }
        rule
    }

    /// How many years, months, weeks, days or hours `at` lies after `start`.
    fn period_of(&self, at: DateTime, start: DateTime) -> i64 {
        let days = |at: DateTime, start: DateTime| day_number(at.date()) - day_number(start.date());
        match self.frequency {
            Frequency::Yearly => i64::from(at.year()) - i64::from(start.year()),
            Frequency::Monthly => month_number(at.date()) - month_number(start.date()),
            Frequency::Weekly => {
                let [at, start] = [at, start].map(|time| self.week_of(time.date()));
                match (at, start) {
                    (Some(at), Some(start)) => (day_number(at) - day_number(start)) / 7,
                    _ => 0,
                }
            }
            Frequency::Daily => days(at, start),
            Frequency::Hourly => days(at, start) * 24 + i64::from(at.hour()) - i64::from(start.hour()),
        }
    }

    /// When the period begins that lies so many periods after the one of `start`; none: beyond the calendar.
    fn first_of(&self, period: i64, start: DateTime) -> Option<DateTime> {
        let date = start.date();
        let midnight = |date: Date| date.at(0, 0, 0, 0);
        match self.frequency {
            Frequency::Yearly => {
                let year = i16::try_from(i64::from(date.year()) + period).ok()?;
                Date::new(year, 1, 1).ok().map(midnight)
            }
            Frequency::Monthly => {
                let month = month_number(date) + period;
                let year = i16::try_from(month.div_euclid(12)).ok()?;
                let month = i8::try_from(month.rem_euclid(12) + 1).ok()?;
                Date::new(year, month, 1).ok().map(midnight)
            }
            Frequency::Weekly => {
                let days = i32::try_from(period.checked_mul(7)?).ok()?;
                self.week_of(date)?.checked_add(days.days()).ok().map(midnight)
            }
            Frequency::Daily => date.checked_add(i32::try_from(period).ok()?.days()).ok().map(midnight),
            Frequency::Hourly => {
                let hours = period + i64::from(start.hour());
                let days = i32::try_from(hours.div_euclid(24)).ok()?;
                let hour = i8::try_from(hours.rem_euclid(24)).ok()?;
                Some(date.checked_add(days.days()).ok()?.at(hour, 0, 0, 0))
            }
        }
    }

    /// How many hours to skip so as to come to tomorrow, in whole intervals.
    fn hours_to_tomorrow(&self, first: DateTime) -> i64 {
        if self.is_meant(first.date()) {
            return 0;
        }
        let left = 24 - i64::from(first.hour());
        (left + self.interval - 1) / self.interval * self.interval
    }

    /// The day on which the week of `date` begins.
    fn week_of(&self, date: Date) -> Option<Date> {
        let back = date.weekday().since(self.week_start);
        date.checked_sub(back.days()).ok()
    }

    /// The times of the period that begins at `first`, in order.
    fn times_in(&self, first: DateTime) -> Vec<DateTime> {
        let days = match self.frequency {
            Frequency::Yearly => first.days_in_year(),
            Frequency::Monthly => first.days_in_month().into(),
            Frequency::Weekly => 7,
            Frequency::Daily | Frequency::Hourly => 1,
        };
        let hours: Vec<i16> = match self.frequency {
            Frequency::Hourly => {
                let hour = i16::from(first.hour());
                (self.hours.is_empty() || self.hours.contains(&hour)).then_some(hour).into_iter().collect()
            }
            _ => self.hours.clone(),
        };
        // Sets, so that what is listed twice happens once, and in order.
        let mut times = BTreeSet::new();
        for day in 0..i32::from(days) {
            let Ok(date) = first.date().checked_add(day.days()) else { break };
            if !self.is_meant(date) {
                continue;
            }
            for &hour in &hours {
                for &minute in &self.minutes {
                    for &second in &self.seconds {
                        // The leap second 60 is the last of its minute here.
                        let parts = [hour, minute, second.min(59)].map(|part| part as i8);
                        times.insert(date.at(parts[0], parts[1], parts[2], 0));
                    }
                }
            }
        }
        let times: Vec<DateTime> = times.into_iter().collect();
        if self.positions.is_empty() {
            return times;
        }
        let chosen: BTreeSet<_> = self.positions.iter().filter_map(|nth| nth_of(times.len(), *nth)).collect();
        chosen.into_iter().map(|index| times[index]).collect()
    }

    /// Whether the rule means this day.
    fn is_meant(&self, date: Date) -> bool {
        let has = |list: &[i16], value: i16, count: i16| {
            list.is_empty() || list.iter().any(|&nth| nth == value || nth == value - count - 1)
        };
        let month_is_meant = self.months.is_empty() || self.months.contains(&date.month().into());
        month_is_meant
            && has(&self.days_of_month, date.day().into(), date.days_in_month().into())
            && has(&self.days_of_year, date.day_of_year(), date.days_in_year())
            && (self.weekdays.is_empty() || self.weekdays.iter().any(|rule| self.is_weekday(rule, date)))
            && (self.weeks.is_empty() || self.is_week_meant(date))
    }

    fn is_weekday(&self, rule: &WeekdayRule, date: Date) -> bool {
        if rule.weekday != date.weekday() {
            return false;
        }
        let Some(nth) = rule.nth else { return true };
        // Within the month, or within the year when the rule is of years and names no months.
        let (day, days) = match self.frequency == Frequency::Yearly && self.months.is_empty() {
            true => (date.day_of_year(), date.days_in_year()),
            false => (date.day().into(), date.days_in_month().into()),
        };
        nth == (day - 1) / 7 + 1 || nth == -((days - day) / 7 + 1)
    }

    /// Weeks as in ISO 8601, but beginning on this rule's day: the first has at least four days in its year.
    fn is_week_meant(&self, date: Date) -> bool {
        let first_week = |year: i16| {
            // The week of the fourth of January is the first.
            Date::new(year, 1, 4).ok().and_then(|date| self.week_of(date)).map(day_number)
        };
        let day = day_number(date);
        let years = [date.year() + 1, date.year(), date.year() - 1];
        let year = years.into_iter().find(|year| first_week(*year).is_some_and(|first| first <= day));
        let Some((first, next)) = year.and_then(|year| Some((first_week(year)?, first_week(year + 1)?)))
        else {
            return false;
        };
        let (week, weeks) = ((day - first) / 7 + 1, (next - first) / 7);
        self.weeks.iter().any(|&nth| i64::from(nth) == week || i64::from(nth) == week - weeks - 1)
    }
}

/// The index of the nth of so many, from the end when negative.
fn nth_of(count: usize, nth: i16) -> Option<usize> {
    let nth_from_end = usize::from(nth.unsigned_abs());
    match nth {
        1.. => Some(nth_from_end - 1).filter(|index| *index < count),
        _ => count.checked_sub(nth_from_end).filter(|index| *index < count),
    }
}

/// Days since a fixed one.
fn day_number(date: Date) -> i64 {
    i64::from((date - Date::constant(1970, 1, 1)).get_days())
}

/// Months since a fixed one.
fn month_number(date: Date) -> i64 {
    i64::from(date.year()) * 12 + i64::from(date.month()) - 1
}
