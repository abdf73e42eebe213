//! Reading a repetition from its text. Every mistake is a sentence for whoever typed it.

use std::ops::RangeInclusive;

use jiff::civil::{Date, DateTime, Time, Weekday};

use super::{Frequency, Repeat, Until, WeekdayRule};

/// Longest text: every part with every value of its list would be longer, and means nothing.
const TEXT_MAX: usize = 500;
/// Most repetitions that are counted: a count is for a handful, an end for more.
const COUNT_MAX: i64 = 10_000;
/// Longest interval, in whatever is repeated.
const INTERVAL_MAX: i64 = 1_000;

impl Repeat {
    /// Reads `FREQ=WEEKLY;BYDAY=SU`.
    pub fn parse(text: &str) -> Result<Self, String> {
        if text.len() > TEXT_MAX {
            return Err(format!("is longer than {TEXT_MAX} characters"));
        }
        let upper = text.trim().to_ascii_uppercase();
        let mut parts: Vec<(&str, &str)> = Vec::new();
        for part in upper.split(';') {
            let Some((name, value)) = part.split_once('=') else {
                return Err(format!(
                    "\"{}\" is not a part of a repetition such as FREQ=WEEKLY;BYDAY=SU",
                    shown(part)
                ));
            };
            if parts.iter().any(|(before, _)| *before == name) {
                return Err(format!("says {} twice", shown(name)));
            }
            parts.push((name, value));
        }
        let Some((_, frequency)) = parts.iter().find(|(name, _)| *name == "FREQ") else {
            return Err("needs to say how often, as in FREQ=DAILY".to_owned());
        };
        let mut repeat = Repeat {
            frequency: read_frequency(frequency)?,
            interval: 1,
            count: None,
            until: None,
            months: Vec::new(),
            weeks: Vec::new(),
            days_of_year: Vec::new(),
            days_of_month: Vec::new(),
            weekdays: Vec::new(),
            hours: Vec::new(),
            minutes: Vec::new(),
            seconds: Vec::new(),
            positions: Vec::new(),
            week_start: Weekday::Monday,
        };
        for (name, value) in &parts {
            repeat.take(name, value)?;
        }
        repeat.check(&parts)?;
        Ok(repeat)
    }

    fn take(&mut self, name: &str, value: &str) -> Result<(), String> {
        match name {
            "FREQ" => {}
            "INTERVAL" => self.interval = number(name, value, 1..=INTERVAL_MAX)?,
            "COUNT" => self.count = usize::try_from(number(name, value, 1..=COUNT_MAX)?).ok(),
            "UNTIL" => self.until = Some(read_until(value)?),
            "BYMONTH" => self.months = list(name, value, 12, Sign::Positive)?,
            "BYWEEKNO" => self.weeks = list(name, value, 53, Sign::Either)?,
            "BYYEARDAY" => self.days_of_year = list(name, value, 366, Sign::Either)?,
            "BYMONTHDAY" => self.days_of_month = list(name, value, 31, Sign::Either)?,
            "BYHOUR" => self.hours = list(name, value, 23, Sign::OrZero)?,
            "BYMINUTE" => self.minutes = list(name, value, 59, Sign::OrZero)?,
            "BYSECOND" => self.seconds = list(name, value, 60, Sign::OrZero)?,
            "BYSETPOS" => self.positions = list(name, value, 366, Sign::Either)?,
            "BYDAY" => self.weekdays = value.split(',').map(read_weekday).collect::<Result<_, _>>()?,
            "WKST" => {
                let rule = read_weekday(value)?;
                if rule.nth.is_some() {
                    return Err("WKST is a day such as MO, without a number".to_owned());
                }
                self.week_start = rule.weekday;
            }
            _ => {
                return Err(format!("{} is not a part of a repetition that RFC 5545 knows", shown(name)));
            }
        }
        Ok(())
    }

    /// What RFC 5545 does not let stand together.
    fn check(&self, parts: &[(&str, &str)]) -> Result<(), String> {
        let frequency = self.frequency;
        let refuse = |is_wrong: bool, message: &str| if is_wrong { Err(message.to_owned()) } else { Ok(()) };
        refuse(
            self.count.is_some() && self.until.is_some(),
            "says COUNT and UNTIL; only one of them may end it",
        )?;
        refuse(!self.weeks.is_empty() && frequency != Frequency::Yearly, "BYWEEKNO is for FREQ=YEARLY only")?;
        refuse(
            !self.days_of_year.is_empty()
                && matches!(frequency, Frequency::Daily | Frequency::Weekly | Frequency::Monthly),
            "BYYEARDAY is for FREQ=YEARLY and FREQ=HOURLY only",
        )?;
        refuse(
            !self.days_of_month.is_empty() && frequency == Frequency::Weekly,
            "BYMONTHDAY is not for FREQ=WEEKLY",
        )?;
        let has_nth = self.weekdays.iter().any(|rule| rule.nth.is_some());
        refuse(
            has_nth && !matches!(frequency, Frequency::Monthly | Frequency::Yearly),
            "a number before a day, as in 1SU, is for FREQ=MONTHLY and FREQ=YEARLY only",
        )?;
        refuse(
            has_nth && !self.weeks.is_empty(),
            "a number before a day, as in 1SU, cannot stand beside BYWEEKNO",
        )?;
        let is_by = |name: &str| name.starts_with("BY") && name != "BYSETPOS";
        refuse(
            !self.positions.is_empty() && !parts.iter().any(|(name, _)| is_by(name)),
            "BYSETPOS needs another part that begins with BY, to choose from",
        )
    }
}

fn read_frequency(text: &str) -> Result<Frequency, String> {
    match text {
        "HOURLY" => Ok(Frequency::Hourly),
        "DAILY" => Ok(Frequency::Daily),
        "WEEKLY" => Ok(Frequency::Weekly),
        "MONTHLY" => Ok(Frequency::Monthly),
        "YEARLY" => Ok(Frequency::Yearly),
        "MINUTELY" | "SECONDLY" => {
            Err(format!("FREQ={text} is more often than anything is done to hosts; at most HOURLY is"))
        }
        other => Err(format!(
            "FREQ={} is not known; it is one of HOURLY, DAILY, WEEKLY, MONTHLY and YEARLY",
            shown(other)
        )),
    }
}

/// `20261231T230000Z`, `20261231T230000` or `20261231`, which is that whole day.
fn read_until(text: &str) -> Result<Until, String> {
    let wrong = || format!("UNTIL={} is not a time such as 20261231T230000Z or 20261231", shown(text));
    let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    let (clock, is_utc) = match text.strip_suffix('Z') {
        Some(clock) => (clock, true),
        None => (text, false),
    };
    let (day, time) = match clock.split_once('T') {
        Some((day, time)) => (day, Some(time)),
        None => (clock, None),
    };
    if day.len() != 8 || !digits(day) || time.is_some_and(|time| time.len() != 6 || !digits(time)) {
        return Err(wrong());
    }
    let part = |text: &str, from: usize, length: usize| {
        text[from..from + length].parse::<i16>().map_err(|_| wrong())
    };
    let small = |text: &str, from: usize| part(text, from, 2).map(|number| number as i8);
    let date = Date::new(part(day, 0, 4)?, small(day, 4)?, small(day, 6)?).map_err(|_| wrong())?;
    let time = match time {
        Some(time) => Time::new(small(time, 0)?, small(time, 2)?, small(time, 4)?, 0).map_err(|_| wrong())?,
        None if is_utc => return Err(wrong()),
        None => Time::MAX,
    };
    let clock = DateTime::from_parts(date, time);
    if is_utc {
        let moment = jiff::tz::TimeZone::UTC.to_timestamp(clock).map_err(|_| wrong())?;
        return Ok(Until::Moment(moment));
    }
    Ok(Until::Clock(clock))
}

/// `SU`, `1SU`, `-1SU`.
fn read_weekday(text: &str) -> Result<WeekdayRule, String> {
    let wrong = || format!("\"{}\" is not a day such as SU, 1SU or -1SU", shown(text));
    if !text.is_ascii() || text.len() < 2 {
        return Err(wrong());
    }
    let (nth, day) = text.split_at(text.len() - 2);
    let weekday = match day {
        "MO" => Weekday::Monday,
        "TU" => Weekday::Tuesday,
        "WE" => Weekday::Wednesday,
        "TH" => Weekday::Thursday,
        "FR" => Weekday::Friday,
        "SA" => Weekday::Saturday,
        "SU" => Weekday::Sunday,
        _ => return Err(wrong()),
    };
    let nth = match nth {
        "" => None,
        nth => match nth.parse::<i16>() {
            Ok(nth) if nth != 0 && nth.unsigned_abs() <= 53 => Some(nth),
            _ => return Err(wrong()),
        },
    };
    Ok(WeekdayRule { nth, weekday })
}

/// Which numbers a list may have.
#[derive(Clone, Copy)]
enum Sign {
    /// From 1 on.
    Positive,
    /// From 0 on.
    OrZero,
    /// From 1 on, or negative from the end.
    Either,
}

fn list(name: &str, text: &str, max: i16, sign: Sign) -> Result<Vec<i16>, String> {
    text.split(',')
        .map(|text| {
            let number = text.parse::<i16>().ok().filter(|number| match sign {
                Sign::Positive => (1..=max).contains(number),
                Sign::OrZero => (0..=max).contains(number),
                Sign::Either => *number != 0 && (-max..=max).contains(number),
            });
            number.ok_or_else(|| {
                let range = match sign {
                    Sign::Positive => format!("from 1 to {max}"),
                    Sign::OrZero => format!("from 0 to {max}"),
                    Sign::Either => format!("from 1 to {max}, or from -1 to -{max} counted from the end"),
                };
                format!("{name}={} is not a number {range}", shown(text))
            })
        })
        .collect()
}

fn number(name: &str, text: &str, range: RangeInclusive<i64>) -> Result<i64, String> {
    text.parse().ok().filter(|number| range.contains(number)).ok_or_else(|| {
        format!("{name}={} is not a number from {} to {}", shown(text), range.start(), range.end())
    })
}

/// What of a text is shown.
fn shown(text: &str) -> String {
    text.chars().take(40).collect()
}
