use jiff::civil::{date, time};
use oriel_model::{
    logon_hours::{Day, Hours, Outside},
    rule::{Effect, Matcher, Rules},
};
use proptest::{collection::vec, option, prelude::*};

use super::*;
use crate::{
    ordered::object,
    rules::tests::{id, is, rule},
};

const DAYS: [Day; 7] =
    [Day::Monday, Day::Tuesday, Day::Wednesday, Day::Thursday, Day::Friday, Day::Saturday, Day::Sunday];

fn hours(days: &[Day], from: Time, to: Option<Time>) -> Hours {
    Hours { days: days.to_vec(), from, to }
}

fn in_zone(zone: &str, open: Vec<Hours>, outside: Outside) -> LogonHours {
    LogonHours {
        enabled: true,
        description: String::new(),
        order: 0,
        rules: Rules::default(),
        open,
        clock: Clock::Zone { time_zone: zone.into() },
        outside,
    }
}

fn ask(spec: &LogonHours, now: &str, extended_until: Option<&str>) -> Standing {
    let moment = |text: &str| text.parse::<Timestamp>().expect("a moment");
    let all = AllHours::new([object(1, "office", spec.clone())]);
    judge(
        &all,
        &Question {
            facts: &Facts::default(),
            user_zone: None,
            extended_until: extended_until.map(moment),
            now: moment(now),
        },
    )
}

/// Monday to Friday, eight to six in Berlin.
fn office(outside: Outside) -> LogonHours {
    in_zone("Europe/Berlin", vec![hours(&DAYS[..5], time(8, 0, 0, 0), Some(time(18, 0, 0, 0)))], outside)
}

fn moment(text: &str) -> Option<Timestamp> {
    Some(text.parse().expect("a moment"))
}

#[test]
fn open_and_closed_with_the_moment_of_the_next_change() {
    let check = |now: &str, is_open: bool, until: &str| {
        let standing = ask(&office(Outside::default()), now, None);
        assert_eq!((standing.is_open, standing.until), (is_open, moment(until)), "{now}");
    };
    // 23 November 2026 is a Monday; Berlin is an hour ahead of UTC.
    check("2026-11-23T06:59:59Z", false, "2026-11-23T07:00:00Z");
    check("2026-11-23T07:00:00Z", true, "2026-11-23T17:00:00Z");
    check("2026-11-23T17:00:00Z", false, "2026-11-24T07:00:00Z");
    check("2026-11-27T20:00:00Z", false, "2026-11-30T07:00:00Z");
}

#[test]
fn what_is_left_outside_the_hours_is_as_set() {
    let check = |outside: Outside, expected: May| {
        let standing = ask(&office(outside), "2026-11-22T12:00:00Z", None);
        assert_eq!(standing.may, expected);
        assert_eq!(standing.message.is_empty(), expected == May::EVERYTHING);
    };
    let outside = Outside::default;
    check(outside(), May { open: false, ..May::EVERYTHING });
    check(
        Outside { show_list: false, disconnect: true, ..outside() },
        May { sign_in: false, list: false, open: false, stay: false },
    );
    check(Outside { refuse: false, ..outside() }, May::EVERYTHING);
    check(Outside { refuse: false, show_list: false, ..outside() }, May { list: false, ..May::EVERYTHING });
}

#[test]
fn who_comes_outside_the_hours_reads_when_they_begin() {
    let standing = ask(&office(Outside::default()), "2026-11-21T12:00:00Z", None);
    assert_eq!(standing.message, "This is outside your hours.");
    assert_eq!(standing.begins_again, "Your hours begin again on Monday at 08:00.");
    let own = Outside { message: "Go home.".into(), ..Outside::default() };
    assert_eq!(ask(&office(own), "2026-11-21T12:00:00Z", None).message, "Go home.");
    let never = in_zone("UTC", Vec::new(), Outside::default());
    let standing = ask(&never, "2026-11-21T12:00:00Z", None);
    assert_eq!((standing.is_open, standing.until), (false, None));
    assert!(standing.message.contains("ask your administrator"));
}

#[test]
fn users_are_warned_before_their_sessions_end_and_may_put_that_off() {
    let outside = Outside { disconnect: true, warn_minutes: 10, extend_minutes: 30, ..Outside::default() };
    let office = office(outside);
    let standing = ask(&office, "2026-11-23T16:00:00Z", None);
    assert_eq!(standing.warn_at, moment("2026-11-23T16:50:00Z"));
    assert_eq!(standing.may_extend_until, moment("2026-11-23T17:30:00Z"));

    let put_off = Some("2026-11-23T17:20:00Z");
    let extended = ask(&office, "2026-11-23T17:10:00Z", put_off);
    assert!(extended.is_open && extended.may == May::EVERYTHING);
    assert_eq!(extended.until, moment("2026-11-23T17:20:00Z"));
    assert_eq!(extended.warn_at, moment("2026-11-23T17:10:00Z"));
    assert_eq!(extended.may_extend_until, moment("2026-11-23T17:30:00Z"));
    assert!(!ask(&office, "2026-11-23T17:20:00Z", put_off).may.stay);

    let to_the_last = ask(&office, "2026-11-23T17:10:00Z", Some("2026-11-23T17:30:00Z"));
    assert_eq!(to_the_last.may_extend_until, None);
    // Further than may be: not at all. And an old one does not open another day.
    assert!(!ask(&office, "2026-11-23T17:10:00Z", Some("2026-11-23T17:31:00Z")).is_open);
    assert!(!ask(&office, "2026-11-24T17:10:00Z", put_off).is_open);
}

#[test]
fn where_nothing_ends_nobody_is_warned_and_nothing_put_off() {
    let outside = Outside { extend_minutes: 30, ..Outside::default() };
    let standing = ask(&office(outside), "2026-11-23T16:00:00Z", Some("2026-11-23T17:20:00Z"));
    assert_eq!((standing.warn_at, standing.may_extend_until), (None, None));
    assert_eq!(standing.until, moment("2026-11-23T17:00:00Z"));
}

#[test]
fn nights_and_windows_that_touch_are_one() {
    let night = vec![
        hours(&DAYS, time(22, 0, 0, 0), Some(time(2, 0, 0, 0))),
        hours(&DAYS, time(2, 0, 0, 0), Some(time(6, 0, 0, 0))),
    ];
    let standing = ask(&in_zone("UTC", night, Outside::default()), "2026-11-23T23:00:00Z", None);
    assert_eq!(standing.until, moment("2026-11-24T06:00:00Z"));
    let always = vec![hours(&DAYS, Time::midnight(), None)];
    let standing = ask(&in_zone("UTC", always, Outside::default()), "2026-11-23T23:00:00Z", None);
    assert_eq!((standing.is_open, standing.until), (true, None));
}

#[test]
fn the_users_own_clock_is_asked_where_it_is_known() {
    let mut spec = office(Outside::default());
    spec.clock = Clock::User { otherwise: "Asia/Tokyo".into() };
    let all = AllHours::new([object(1, "office", spec)]);
    let zone = |user_zone| {
        let now = "2026-11-23T12:00:00Z".parse().expect("a moment");
        let question = Question { facts: &Facts::default(), user_zone, extended_until: None, now };
        judge(&all, &question).hours.expect("they hold").time_zone
    };
    assert_eq!(zone(Some("America/New_York")), "America/New_York");
    assert_eq!(zone(Some("Nowhere/Land")), "Asia/Tokyo");
    assert_eq!(zone(None), "Asia/Tokyo");
}

#[test]
fn hours_hold_for_whom_their_rules_allow_and_others_come_at_any_time() {
    let mut spec = office(Outside::default());
    spec.rules = Rules {
        rules: vec![rule(Effect::Allow, vec![is(Matcher::Group(vec![id(4)]))])],
        otherwise: Effect::Deny,
    };
    let all = AllHours::new([object(1, "office", spec)]);
    let sunday = "2026-11-22T12:00:00Z".parse().expect("a moment");
    let may_open = |groups: Vec<_>| {
        let facts = Facts { groups, ..Facts::default() };
        let question = Question { facts: &facts, user_zone: None, extended_until: None, now: sunday };
        judge(&all, &question).may.open
    };
    assert!(!may_open(vec![id(4)]));
    assert!(may_open(Vec::new()));
}

/// Whether it is open at each minute of `days` from the midnight (UTC) of `first` on, by looking at every
/// single minute's clock: a window is open from the first minute whose clock lies in it to the last.
fn naive(spec: &LogonHours, zone: &TimeZone, first: Date, days: usize) -> Vec<bool> {
    let midnight = first.to_zoned(TimeZone::UTC).expect("a day").timestamp();
    let minute = |index: usize| midnight + SignedDuration::from_mins(index as i64);
    let clocks: Vec<DateTime> = (0..days * 1440).map(|index| zone.to_datetime(minute(index))).collect();
    let mut open = vec![false; clocks.len()];
    for back in -3..days as i64 + 3 {
        let day = first.checked_add(back.days()).expect("a day");
        for hours in &spec.open {
            if !hours.days.iter().any(|on| on.weekday() == day.weekday()) {
                continue;
            }
            let from = day.to_datetime(hours.from);
            let to = match hours.to {
                Some(to) if to > hours.from => day.to_datetime(to),
                to => day.tomorrow().expect("a day").to_datetime(to.unwrap_or(Time::midnight())),
            };
            let inside = |clock: &DateTime| from <= *clock && *clock < to;
            if let Some(start) = clocks.iter().position(inside)
                && let Some(end) = clocks.iter().rposition(inside)
            {
                open[start..=end].fill(true);
            }
        }
    }
    open
}

/// Weeks in which clocks are changed, and one in which they are not: by an hour, by half an hour, at
/// midnight, and by a whole day.
const WEEKS: [(&str, (i16, i8, i8)); 9] = [
    ("Europe/Berlin", (2026, 3, 25)),
    ("Europe/Berlin", (2026, 10, 21)),
    ("America/New_York", (2026, 3, 4)),
    ("America/New_York", (2026, 10, 28)),
    ("Australia/Lord_Howe", (2026, 4, 1)),
    ("Australia/Lord_Howe", (2026, 9, 30)),
    ("America/Santiago", (2024, 9, 4)),
    ("Pacific/Apia", (2011, 12, 26)),
    ("Asia/Kolkata", (2026, 6, 3)),
];

/// Mostly around the hours at which clocks are changed.
fn times() -> impl Strategy<Value = Time> {
    let hour = prop_oneof![3 => 0i8..4, 1 => 0i8..24];
    let minute = prop_oneof![2 => Just(0i8), 1 => Just(30i8), 1 => 0i8..60];
    (hour, minute).prop_map(|(hour, minute)| time(hour, minute, 0, 0))
}

fn openings() -> impl Strategy<Value = Vec<Hours>> {
    let days = vec(proptest::sample::select(&DAYS[..]), 1..5);
    let one = (days, times(), option::of(times())).prop_map(|(days, from, to)| Hours { days, from, to });
    vec(one, 0..5)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn it_agrees_with_looking_at_every_minute_of_a_week(
        (zone_name, (year, month, day)) in proptest::sample::select(&WEEKS[..]),
        open in openings(),
        at in 0usize..8 * 1440,
    ) {
        let zone = TimeZone::get(zone_name).expect("a zone");
        let first = date(year, month, day);
        let spec = in_zone(zone_name, open, Outside::default());
        let expected = naive(&spec, &zone, first.checked_sub(3.days()).expect("a day"), 12);
        let midnight = first.to_zoned(TimeZone::UTC).expect("a day").timestamp();
        let offset = 3 * 1440;
        let ask = |index: usize| {
            let now = midnight + SignedDuration::from_mins(index as i64);
            let facts = Facts::default();
            let question = Question { facts: &facts, user_zone: None, extended_until: None, now };
            opening(&spec, &zone, &question)
        };
        for index in (0..8 * 1440).step_by(30).chain([at]) {
            prop_assert_eq!(ask(index).is_open, expected[offset + index], "minute {}", index);
        }
        // The next change is the first minute at which it is otherwise.
        let found = ask(at);
        let next = (offset + at..expected.len()).find(|index| expected[*index] != found.is_open);
        if let Some(next) = next {
            let next = midnight + SignedDuration::from_mins((next - offset) as i64);
            prop_assert_eq!(found.until, Some(next));
        }
    }
}
