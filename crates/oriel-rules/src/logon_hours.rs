//! Logon hours: which of them hold for somebody, whether the farm is open to them now, until when, and
//! what follows from it.
//!
//! Hours are read off the user's clock: a window is open from the first moment at which that clock shows
//! its beginning, or what is after it, to the last at which it shows what is before its end. So a time
//! that the change to summer time leaves out is the moment of the change, and an hour that comes twice
//! is open both times.

use jiff::{
    SignedDuration, Timestamp, ToSpan,
    civil::{Date, DateTime, Time},
    tz::{AmbiguousOffset, TimeZone},
};
use oriel_model::{
    Id,
    logon_hours::{Clock, LogonHours},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    ordered::{LookedAt, Ordered},
    rules::Facts,
};

#[cfg(test)]
mod tests;

/// All logon hours, in order.
pub type AllHours = Ordered<LogonHours>;

/// Who asks, and when.
#[derive(Debug, Clone, Copy)]
pub struct Question<'a> {
    /// Who.
    pub facts: &'a Facts,
    /// The time zone of the user's device, as it says; one that is not known counts as absent.
    pub user_zone: Option<&'a str>,
    /// Until when the user has put off the end of the hours, if they have.
    pub extended_until: Option<Timestamp>,
    /// The time.
    pub now: Timestamp,
}

/// How somebody stands to the hours.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Standing {
    /// The hours that hold; none: the user may come at any time.
    pub hours: Option<Holding>,
    /// Whether the farm is open to them now.
    pub is_open: bool,
    /// Until when that is so; none: for weeks.
    pub until: Option<Timestamp>,
    /// From when on users are warned that their sessions end; none: they are not.
    pub warn_at: Option<Timestamp>,
    /// Until when the user may put off the end; none: they may not, or have as far as they may.
    pub may_extend_until: Option<Timestamp>,
    /// What they may do now.
    pub may: May,
    /// What they read when something is refused; empty while nothing is.
    pub message: String,
    /// When it is not refused any more, as a sentence by the clock that counts; empty while nothing is refused,
    /// and where that is not known.
    pub begins_again: String,
    /// The hours that were looked at, in order, up to those that hold.
    pub looked_at: Vec<LookedAt>,
}

/// Hours that hold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Holding {
    /// Which.
    pub id: Id<LogonHours>,
    /// Their name.
    pub name: String,
    /// The time zone in which they are read.
    pub time_zone: String,
}

/// What somebody may do now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct May {
    /// Sign in.
    pub sign_in: bool,
    /// See the list of resources.
    pub list: bool,
    /// Open resources, and return to sessions.
    pub open: bool,
    /// Stay connected to sessions.
    pub stay: bool,
}

impl May {
    const EVERYTHING: Self = Self { sign_in: true, list: true, open: true, stay: true };
}

/// Looks how whoever asks stands to the hours.
pub fn judge(all: &AllHours, question: &Question<'_>) -> Standing {
    let choice = all.choose(question.facts);
    let Some(object) = choice.chosen else {
        return Standing {
            hours: None,
            is_open: true,
            until: None,
            warn_at: None,
            may_extend_until: None,
            may: May::EVERYTHING,
            message: String::new(),
            begins_again: String::new(),
            looked_at: choice.looked_at,
        };
    };
    let spec = &object.spec;
    let (zone_name, zone) = zone(&spec.clock, question.user_zone);
    let opening = opening(spec, &zone, question);
    let outside = &spec.outside;
    let may = if opening.is_open {
        May::EVERYTHING
    } else {
        May {
            sign_in: outside.show_list || !outside.refuse,
            list: outside.show_list,
            open: !outside.refuse,
            stay: !outside.disconnect,
        }
    };
    let end = opening.until.filter(|_| opening.is_open && outside.disconnect);
    let warn_at =
        end.filter(|_| outside.warn_minutes > 0).map(|end| before(end, minutes(outside.warn_minutes)));
    Standing {
        hours: Some(Holding { id: object.id, name: object.name.clone(), time_zone: zone_name }),
        is_open: opening.is_open,
        until: opening.until,
        warn_at,
        may_extend_until: opening.may_extend_until,
        may,
        message: match may {
            May::EVERYTHING => String::new(),
            _ => message(&outside.message, opening.until),
        },
        begins_again: match (may, opening.until) {
            (May::EVERYTHING, _) | (_, None) => String::new(),
            (_, Some(at)) => {
                format!("Your hours begin again on {}.", zone.to_datetime(at).strftime("%A at %H:%M"))
            }
        },
        looked_at: choice.looked_at,
    }
}

fn message(own: &str, opens_at: Option<Timestamp>) -> String {
    match opens_at {
        _ if !own.is_empty() => own.to_owned(),
        Some(_) => "This is outside your hours.".into(),
        None => "There are no hours in which this is open to you. Please ask your administrator.".into(),
    }
}

/// The clock that hours are read from, with its name.
fn zone(clock: &Clock, user_zone: Option<&str>) -> (String, TimeZone) {
    let known = |name: &str| TimeZone::get(name).ok().map(|zone| (name.to_owned(), zone));
    let found = match clock {
        Clock::Zone { time_zone } => known(time_zone),
        Clock::User { otherwise } => user_zone.and_then(known).or_else(|| known(otherwise)),
    };
    // Zones of settings were checked when they were written.
    found.unwrap_or_else(|| ("UTC".to_owned(), TimeZone::UTC))
}

/// Whether it is open at a moment, and until when that is so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Opening {
    is_open: bool,
    until: Option<Timestamp>,
    may_extend_until: Option<Timestamp>,
}

/// How far is looked for the next change, in days: two weeks, since a week's only closed hour may be
/// one that the change to summer time leaves out.
const AHEAD_DAYS: i32 = 16;

fn opening(spec: &LogonHours, zone: &TimeZone, question: &Question<'_>) -> Opening {
    let now = question.now;
    let today = zone.to_datetime(now).date();
    let mut windows = windows(spec, zone, today, AHEAD_DAYS);
    let longest = match spec.outside.disconnect {
        true => minutes(spec.outside.extend_minutes),
        // Nothing ends that could be put off.
        false => SignedDuration::ZERO,
    };
    if let Some(until) = question.extended_until {
        extend(&mut windows, until, longest);
    }
    let far = before(now, -SignedDuration::from_hours(24 * 15));
    match windows.iter().find(|window| now < window.end) {
        Some(window) if window.start <= now => {
            let until = (window.end < far).then_some(window.end);
            let furthest = before(window.closes, -longest);
            let may_extend_until = until.and_then(|end| (furthest > end).then_some(furthest));
            Opening { is_open: true, until, may_extend_until }
        }
        next => Opening { is_open: false, until: next.map(|window| window.start), may_extend_until: None },
    }
}

/// A time in which it is open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Window {
    start: Timestamp,
    end: Timestamp,
    /// The end as the hours say it, whatever it was put off to.
    closes: Timestamp,
}

/// The times from the day before yesterday on in which it is open, in order; those that touch are one.
fn windows(spec: &LogonHours, zone: &TimeZone, today: Date, ahead_days: i32) -> Vec<Window> {
    let mut windows = Vec::new();
    for days in -2..=ahead_days {
        let (Ok(day), Ok(next)) = (today.checked_add(days.days()), today.checked_add((days + 1).days()))
        else {
            continue;
        };
        for hours in spec.open.iter().filter(|hours| hours.days.iter().any(|d| d.weekday() == day.weekday()))
        {
            let (last, end) = match hours.to {
                Some(to) if to > hours.from => (day, to),
                Some(to) => (next, to),
                None => (next, Time::midnight()),
            };
            let start = first_moment(zone, day.to_datetime(hours.from));
            let end = last_moment(zone, last.to_datetime(end));
            if let (Some(start), Some(end)) = (start, end)
                && start < end
            {
                windows.push(Window { start, end, closes: end });
            }
        }
    }
    merge(&mut windows);
    windows
}

/// Makes windows that touch or overlap one.
fn merge(windows: &mut Vec<Window>) {
    windows.sort_unstable();
    windows.dedup_by(|next, window| {
        let touch = next.start <= window.end;
        if touch && next.end > window.end {
            window.end = next.end;
        }
        if touch && next.closes > window.closes {
            window.closes = next.closes;
        }
        touch
    });
}

/// Puts off the end that `until` is meant for: the latest one before it that is not too far from it.
fn extend(windows: &mut Vec<Window>, until: Timestamp, longest: SignedDuration) {
    let meant = windows.iter_mut().rev().find(|window| window.end < until);
    if let Some(window) = meant
        && until <= before(window.closes, -longest)
    {
        window.end = until;
    }
    merge(windows);
}

/// The first moment at which the clock shows `at` or what is after it.
fn first_moment(zone: &TimeZone, at: DateTime) -> Option<Timestamp> {
    let ambiguous = zone.to_ambiguous_timestamp(at);
    match ambiguous.offset() {
        AmbiguousOffset::Gap { .. } => change_after(zone, ambiguous.earlier().ok()?),
        AmbiguousOffset::Unambiguous { .. } | AmbiguousOffset::Fold { .. } => ambiguous.earlier().ok(),
    }
}

/// The moment after which the clock never again shows what is before `at`.
fn last_moment(zone: &TimeZone, at: DateTime) -> Option<Timestamp> {
    let ambiguous = zone.to_ambiguous_timestamp(at);
    match ambiguous.offset() {
        AmbiguousOffset::Unambiguous { .. } => ambiguous.later().ok(),
        AmbiguousOffset::Gap { .. } => change_after(zone, ambiguous.earlier().ok()?),
        AmbiguousOffset::Fold { before: offset, .. } => {
            let second = ambiguous.later().ok()?;
            // Where the clock goes back to `at` itself, it shows nothing before it the second time.
            let just_before = before(second, SignedDuration::from_nanos(1));
            match zone.to_offset(just_before) == offset {
                true => ambiguous.earlier().ok(),
                false => Some(second),
            }
        }
    }
}

/// The next moment at which the clock is changed.
fn change_after(zone: &TimeZone, moment: Timestamp) -> Option<Timestamp> {
    zone.following(moment).next().map(|change| change.timestamp())
}

fn minutes(minutes: u32) -> SignedDuration {
    SignedDuration::from_mins(minutes.into())
}

fn before(moment: Timestamp, duration: SignedDuration) -> Timestamp {
    let bound = if duration.is_negative() { Timestamp::MAX } else { Timestamp::MIN };
    moment.checked_sub(duration).unwrap_or(bound)
}
