use jiff::civil::date;
use proptest::prelude::*;

use super::*;

fn time(text: &str) -> DateTime {
    text.parse().expect("a time")
}

fn times(rule: &str, start: &str, from: &str, to: &str, max: usize) -> Vec<DateTime> {
    Repeat::parse(rule).expect("a rule").times(time(start), time(from), time(to), max)
}

/// The examples of RFC 5545 3.8.5.3 and others, as dateutil 2.9 (another implementation of the same
/// standard) computes their first twelve.
#[test]
fn times_are_those_of_another_implementation() {
    for (start, rule, expected) in EXPECTED {
        let repeat = Repeat::parse(rule).expect("a rule");
        let end = match repeat.until {
            Some(Until::Clock(until)) => until.checked_add(1.second()).expect("a time"),
            _ => time("2100-12-31T23:59:59"),
        };
        let found = repeat.times(time(start), time(start), end, 12);
        let expected: Vec<_> = expected.split_whitespace().map(time).collect();
        assert_eq!(found, expected, "{rule} from {start}");
    }
}

#[test]
fn a_week_of_the_year_without_a_day_is_on_the_day_of_the_start() {
    let found =
        times("FREQ=YEARLY;BYWEEKNO=20", "1997-05-13T09:00", "1997-05-13T09:00", "2000-01-01T00:00", 9);
    assert_eq!(found, ["1997-05-13T09:00", "1998-05-12T09:00", "1999-05-18T09:00"].map(time));
}

#[test]
fn mistakes_are_sentences_that_name_the_part() {
    let check = |text: &str, part: &str| {
        let message = Repeat::parse(text).expect_err(text);
        assert!(message.contains(part), "{text}: {message}");
        assert!(message.len() < 200, "{message}");
    };
    check("", "such as FREQ=WEEKLY");
    check("every day", "\"EVERY DAY\" is not a part");
    check("BYDAY=SU", "needs to say how often");
    check("FREQ=FORTNIGHTLY", "FREQ=FORTNIGHTLY is not known");
    check("FREQ=SECONDLY", "more often");
    check("FREQ=DAILY;FREQ=DAILY", "FREQ twice");
    check("FREQ=DAILY;COUNT=0", "COUNT=0");
    check("FREQ=DAILY;INTERVAL=-1", "INTERVAL=-1");
    check("FREQ=DAILY;INTERVAL=99999999999999999999", "from 1 to 1000");
    check("FREQ=DAILY;COUNT=3;UNTIL=20270101", "only one of them");
    check("FREQ=DAILY;UNTIL=20270230", "UNTIL=20270230 is not a time");
    check("FREQ=DAILY;UNTIL=20270101Z", "UNTIL=20270101Z");
    check("FREQ=DAILY;UNTIL=2027010é", "is not a time");
    check("FREQ=WEEKLY;BYDAY=XX", "\"XX\" is not a day");
    check("FREQ=WEEKLY;BYDAY=é", "is not a day");
    check("FREQ=WEEKLY;BYDAY=1MO", "FREQ=MONTHLY and FREQ=YEARLY only");
    check("FREQ=WEEKLY;BYMONTHDAY=1", "BYMONTHDAY is not for FREQ=WEEKLY");
    check("FREQ=MONTHLY;BYMONTHDAY=0", "BYMONTHDAY=0 is not a number from 1 to 31, or from -1");
    check("FREQ=MONTHLY;BYMONTH=13", "BYMONTH=13 is not a number from 1 to 12");
    check("FREQ=DAILY;BYHOUR=24", "from 0 to 23");
    check("FREQ=DAILY;BYSETPOS=1", "BYSETPOS needs");
    check("FREQ=DAILY;BYEASTER=1", "BYEASTER is not a part");
    check("FREQ=DAILY\nEXDATE=20270101", "is not");
}

const FREQUENCIES: [&str; 5] = ["HOURLY", "DAILY", "WEEKLY", "MONTHLY", "YEARLY"];

fn rules() -> impl Strategy<Value = String> {
    let part = prop_oneof![
        (1u32..13).prop_map(|n| format!("BYMONTH={n}")),
        (-31i32..32).prop_map(|n| format!("BYMONTHDAY={n},15")),
        (-366i32..367).prop_map(|n| format!("BYYEARDAY={n},100")),
        (-53i32..54).prop_map(|n| format!("BYWEEKNO={n},7")),
        proptest::sample::select(vec!["SU", "MO,WE", "1TU", "-1FR,SA"]).prop_map(|d| format!("BYDAY={d}")),
        (0u32..24).prop_map(|n| format!("BYHOUR={n},3")),
        (0u32..60).prop_map(|n| format!("BYMINUTE={n}")),
        (-3i32..4).prop_map(|n| format!("BYSETPOS={n}")),
        (1u32..30).prop_map(|n| format!("INTERVAL={n}")),
        proptest::sample::select(vec!["SU", "WE"]).prop_map(|d| format!("WKST={d}")),
    ];
    (proptest::sample::select(&FREQUENCIES[..]), proptest::collection::vec(part, 0..5))
        .prop_map(|(frequency, parts)| format!("FREQ={frequency};{}", parts.join(";")))
        .prop_map(|text| text.trim_end_matches(';').to_owned())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn beginning_in_the_middle_gives_the_same_times(
        text in rules(), day in 0i32..3_000, hour in 0i8..24, later in 0i32..2_000, span in 1i32..500,
    ) {
        let Ok(repeat) = Repeat::parse(&text) else { return Ok(()) };
        let start = date(2020, 1, 1).checked_add(day.days()).expect("a day").at(hour, 30, 0, 0);
        let from = start.checked_add(later.days()).expect("a day");
        let to = from.checked_add(span.days()).expect("a day");
        let middle = repeat.times(start, from, to, usize::MAX);
        let all = repeat.times(start, start, to, usize::MAX);
        let expected: Vec<_> = all.into_iter().filter(|time| *time >= from).collect();
        prop_assert_eq!(&middle, &expected);
        prop_assert!(middle.windows(2).all(|pair| pair[0] < pair[1]), "in order, each once");
        // A count ends after as many as it says, wherever one begins to look.
        let counted = Repeat { count: Some(5), ..repeat.clone() };
        let first_five = repeat.times(start, start, to, 5);
        let expected: Vec<_> = first_five.into_iter().filter(|time| *time >= from).collect();
        prop_assert_eq!(counted.times(start, from, to, usize::MAX), expected);
    }

    #[test]
    fn no_text_makes_it_panic(text in "(FREQ|BYDAY|UNTIL|COUNT|BYMONTHDAY|WKST|INTERVAL)=[A-Z0-9,;=Zé-]{0,20}(;[A-Z]{2,8}=[0-9A-Z,-]{0,12}){0,4}") {
        if let Ok(repeat) = Repeat::parse(&text) {
            let start = date(2199, 12, 31).at(23, 59, 59, 0);
            let _ = repeat.times(start, start, DateTime::MAX, 3);
        }
    }
}

/// Start, rule, and the times that are expected.
const EXPECTED: &[(&str, &str, &str)] = &[
    (
        "1997-09-02T09:00:00",
        "FREQ=DAILY;COUNT=10",
        "1997-09-02T09:00 1997-09-03T09:00 1997-09-04T09:00 1997-09-05T09:00 1997-09-06T09:00 \
         1997-09-07T09:00 1997-09-08T09:00 1997-09-09T09:00 1997-09-10T09:00 1997-09-11T09:00",
    ),
    (
        "1997-09-02T09:00:00",
        "FREQ=DAILY;INTERVAL=10;COUNT=5",
        "1997-09-02T09:00 1997-09-12T09:00 1997-09-22T09:00 1997-10-02T09:00 1997-10-12T09:00",
    ),
    (
        "1998-01-01T09:00:00",
        "FREQ=YEARLY;BYMONTH=1;BYDAY=SU,MO,TU,WE,TH,FR,SA;UNTIL=20000131T140000",
        "1998-01-01T09:00 1998-01-02T09:00 1998-01-03T09:00 1998-01-04T09:00 1998-01-05T09:00 \
         1998-01-06T09:00 1998-01-07T09:00 1998-01-08T09:00 1998-01-09T09:00 1998-01-10T09:00 \
         1998-01-11T09:00 1998-01-12T09:00",
    ),
    (
        "1997-09-02T09:00:00",
        "FREQ=WEEKLY;COUNT=10",
        "1997-09-02T09:00 1997-09-09T09:00 1997-09-16T09:00 1997-09-23T09:00 1997-09-30T09:00 \
         1997-10-07T09:00 1997-10-14T09:00 1997-10-21T09:00 1997-10-28T09:00 1997-11-04T09:00",
    ),
    (
        "1997-09-02T09:00:00",
        "FREQ=WEEKLY;INTERVAL=2;WKST=SU",
        "1997-09-02T09:00 1997-09-16T09:00 1997-09-30T09:00 1997-10-14T09:00 1997-10-28T09:00 \
         1997-11-11T09:00 1997-11-25T09:00 1997-12-09T09:00 1997-12-23T09:00 1998-01-06T09:00 \
         1998-01-20T09:00 1998-02-03T09:00",
    ),
    (
        "1997-09-02T09:00:00",
        "FREQ=WEEKLY;INTERVAL=2;WKST=SU;BYDAY=TU,TH;COUNT=8",
        "1997-09-02T09:00 1997-09-04T09:00 1997-09-16T09:00 1997-09-18T09:00 1997-09-30T09:00 \
         1997-10-02T09:00 1997-10-14T09:00 1997-10-16T09:00",
    ),
    (
        "1997-08-05T09:00:00",
        "FREQ=WEEKLY;INTERVAL=2;COUNT=4;BYDAY=TU,SU;WKST=MO",
        "1997-08-05T09:00 1997-08-10T09:00 1997-08-19T09:00 1997-08-24T09:00",
    ),
    (
        "1997-08-05T09:00:00",
        "FREQ=WEEKLY;INTERVAL=2;COUNT=4;BYDAY=TU,SU;WKST=SU",
        "1997-08-05T09:00 1997-08-17T09:00 1997-08-19T09:00 1997-08-31T09:00",
    ),
    (
        "1997-09-05T09:00:00",
        "FREQ=MONTHLY;COUNT=10;BYDAY=1FR",
        "1997-09-05T09:00 1997-10-03T09:00 1997-11-07T09:00 1997-12-05T09:00 1998-01-02T09:00 \
         1998-02-06T09:00 1998-03-06T09:00 1998-04-03T09:00 1998-05-01T09:00 1998-06-05T09:00",
    ),
    (
        "1997-09-07T09:00:00",
        "FREQ=MONTHLY;INTERVAL=2;COUNT=10;BYDAY=1SU,-1SU",
        "1997-09-07T09:00 1997-09-28T09:00 1997-11-02T09:00 1997-11-30T09:00 1998-01-04T09:00 \
         1998-01-25T09:00 1998-03-01T09:00 1998-03-29T09:00 1998-05-03T09:00 1998-05-31T09:00",
    ),
    (
        "1997-09-22T09:00:00",
        "FREQ=MONTHLY;COUNT=6;BYDAY=-2MO",
        "1997-09-22T09:00 1997-10-20T09:00 1997-11-17T09:00 1997-12-22T09:00 1998-01-19T09:00 \
         1998-02-16T09:00",
    ),
    (
        "1997-09-28T09:00:00",
        "FREQ=MONTHLY;BYMONTHDAY=-3",
        "1997-09-28T09:00 1997-10-29T09:00 1997-11-28T09:00 1997-12-29T09:00 1998-01-29T09:00 \
         1998-02-26T09:00 1998-03-29T09:00 1998-04-28T09:00 1998-05-29T09:00 1998-06-28T09:00 \
         1998-07-29T09:00 1998-08-29T09:00",
    ),
    (
        "1997-09-02T09:00:00",
        "FREQ=MONTHLY;COUNT=10;BYMONTHDAY=2,15",
        "1997-09-02T09:00 1997-09-15T09:00 1997-10-02T09:00 1997-10-15T09:00 1997-11-02T09:00 \
         1997-11-15T09:00 1997-12-02T09:00 1997-12-15T09:00 1998-01-02T09:00 1998-01-15T09:00",
    ),
    (
        "1997-09-30T09:00:00",
        "FREQ=MONTHLY;COUNT=10;BYMONTHDAY=1,-1",
        "1997-09-30T09:00 1997-10-01T09:00 1997-10-31T09:00 1997-11-01T09:00 1997-11-30T09:00 \
         1997-12-01T09:00 1997-12-31T09:00 1998-01-01T09:00 1998-01-31T09:00 1998-02-01T09:00",
    ),
    (
        "1997-09-10T09:00:00",
        "FREQ=MONTHLY;INTERVAL=18;COUNT=10;BYMONTHDAY=10,11,12,13,14,15",
        "1997-09-10T09:00 1997-09-11T09:00 1997-09-12T09:00 1997-09-13T09:00 1997-09-14T09:00 \
         1997-09-15T09:00 1999-03-10T09:00 1999-03-11T09:00 1999-03-12T09:00 1999-03-13T09:00",
    ),
    (
        "1997-06-10T09:00:00",
        "FREQ=YEARLY;COUNT=10;BYMONTH=6,7",
        "1997-06-10T09:00 1997-07-10T09:00 1998-06-10T09:00 1998-07-10T09:00 1999-06-10T09:00 \
         1999-07-10T09:00 2000-06-10T09:00 2000-07-10T09:00 2001-06-10T09:00 2001-07-10T09:00",
    ),
    (
        "1997-01-01T09:00:00",
        "FREQ=YEARLY;INTERVAL=3;COUNT=10;BYYEARDAY=1,100,200",
        "1997-01-01T09:00 1997-04-10T09:00 1997-07-19T09:00 2000-01-01T09:00 2000-04-09T09:00 \
         2000-07-18T09:00 2003-01-01T09:00 2003-04-10T09:00 2003-07-19T09:00 2006-01-01T09:00",
    ),
    (
        "1997-05-19T09:00:00",
        "FREQ=YEARLY;BYDAY=20MO",
        "1997-05-19T09:00 1998-05-18T09:00 1999-05-17T09:00 2000-05-15T09:00 2001-05-14T09:00 \
         2002-05-20T09:00 2003-05-19T09:00 2004-05-17T09:00 2005-05-16T09:00 2006-05-15T09:00 \
         2007-05-14T09:00 2008-05-19T09:00",
    ),
    (
        "1997-05-12T09:00:00",
        "FREQ=YEARLY;BYWEEKNO=20;BYDAY=MO",
        "1997-05-12T09:00 1998-05-11T09:00 1999-05-17T09:00 2000-05-15T09:00 2001-05-14T09:00 \
         2002-05-13T09:00 2003-05-12T09:00 2004-05-10T09:00 2005-05-16T09:00 2006-05-15T09:00 \
         2007-05-14T09:00 2008-05-12T09:00",
    ),
    (
        "1997-05-12T09:00:00",
        "FREQ=YEARLY;BYWEEKNO=1,-1;BYDAY=MO,SU",
        "1997-12-22T09:00 1997-12-28T09:00 1997-12-29T09:00 1998-01-04T09:00 1998-12-28T09:00 \
         1999-01-03T09:00 1999-01-04T09:00 1999-01-10T09:00 1999-12-27T09:00 2000-01-02T09:00 \
         2000-01-03T09:00 2000-01-09T09:00",
    ),
    (
        "1997-05-12T09:00:00",
        "FREQ=YEARLY;BYWEEKNO=53;BYDAY=WE;WKST=SU",
        "1997-12-31T09:00 2003-12-31T09:00 2008-12-31T09:00 2014-12-31T09:00 2020-12-30T09:00 \
         2025-12-31T09:00 2031-12-31T09:00 2036-12-31T09:00 2042-12-31T09:00 2048-12-30T09:00 \
         2053-12-31T09:00 2059-12-31T09:00",
    ),
    (
        "1997-03-13T09:00:00",
        "FREQ=YEARLY;BYMONTH=3;BYDAY=TH",
        "1997-03-13T09:00 1997-03-20T09:00 1997-03-27T09:00 1998-03-05T09:00 1998-03-12T09:00 \
         1998-03-19T09:00 1998-03-26T09:00 1999-03-04T09:00 1999-03-11T09:00 1999-03-18T09:00 \
         1999-03-25T09:00 2000-03-02T09:00",
    ),
    (
        "1997-09-02T09:00:00",
        "FREQ=MONTHLY;BYDAY=FR;BYMONTHDAY=13",
        "1998-02-13T09:00 1998-03-13T09:00 1998-11-13T09:00 1999-08-13T09:00 2000-10-13T09:00 \
         2001-04-13T09:00 2001-07-13T09:00 2002-09-13T09:00 2002-12-13T09:00 2003-06-13T09:00 \
         2004-02-13T09:00 2004-08-13T09:00",
    ),
    (
        "1997-09-13T09:00:00",
        "FREQ=MONTHLY;BYDAY=SA;BYMONTHDAY=7,8,9,10,11,12,13",
        "1997-09-13T09:00 1997-10-11T09:00 1997-11-08T09:00 1997-12-13T09:00 1998-01-10T09:00 \
         1998-02-07T09:00 1998-03-07T09:00 1998-04-11T09:00 1998-05-09T09:00 1998-06-13T09:00 \
         1998-07-11T09:00 1998-08-08T09:00",
    ),
    (
        "1996-11-05T09:00:00",
        "FREQ=YEARLY;INTERVAL=4;BYMONTH=11;BYDAY=TU;BYMONTHDAY=2,3,4,5,6,7,8",
        "1996-11-05T09:00 2000-11-07T09:00 2004-11-02T09:00 2008-11-04T09:00 2012-11-06T09:00 \
         2016-11-08T09:00 2020-11-03T09:00 2024-11-05T09:00 2028-11-07T09:00 2032-11-02T09:00 \
         2036-11-04T09:00 2040-11-06T09:00",
    ),
    (
        "1997-09-04T09:00:00",
        "FREQ=MONTHLY;COUNT=3;BYDAY=TU,WE,TH;BYSETPOS=3",
        "1997-09-04T09:00 1997-10-07T09:00 1997-11-06T09:00",
    ),
    (
        "1997-09-29T09:00:00",
        "FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-2",
        "1997-09-29T09:00 1997-10-30T09:00 1997-11-27T09:00 1997-12-30T09:00 1998-01-29T09:00 \
         1998-02-26T09:00 1998-03-30T09:00 1998-04-29T09:00 1998-05-28T09:00 1998-06-29T09:00 \
         1998-07-30T09:00 1998-08-28T09:00",
    ),
    (
        "1997-09-02T09:00:00",
        "FREQ=HOURLY;INTERVAL=3;UNTIL=19970902T170000",
        "1997-09-02T09:00 1997-09-02T12:00 1997-09-02T15:00",
    ),
    (
        "1997-09-02T09:00:00",
        "FREQ=DAILY;BYHOUR=9,10,11;BYMINUTE=0,20,40",
        "1997-09-02T09:00 1997-09-02T09:20 1997-09-02T09:40 1997-09-02T10:00 1997-09-02T10:20 \
         1997-09-02T10:40 1997-09-02T11:00 1997-09-02T11:20 1997-09-02T11:40 1997-09-03T09:00 \
         1997-09-03T09:20 1997-09-03T09:40",
    ),
    (
        "1997-09-02T09:30:15",
        "FREQ=HOURLY;INTERVAL=5;BYDAY=SU;BYMONTH=2",
        "1998-02-01T01:30:15 1998-02-01T06:30:15 1998-02-01T11:30:15 1998-02-01T16:30:15 1998-02-01T21:30:15 \
         1998-02-08T03:30:15 1998-02-08T08:30:15 1998-02-08T13:30:15 1998-02-08T18:30:15 1998-02-08T23:30:15 \
         1998-02-15T00:30:15 1998-02-15T05:30:15",
    ),
    (
        "1997-09-02T09:30:15",
        "FREQ=HOURLY;INTERVAL=7;BYHOUR=1,2,3;BYMINUTE=5,10;BYSETPOS=-1",
        "1997-09-04T03:10:15 1997-09-07T01:10:15 1997-09-09T02:10:15 1997-09-11T03:10:15 1997-09-14T01:10:15 \
         1997-09-16T02:10:15 1997-09-18T03:10:15 1997-09-21T01:10:15 1997-09-23T02:10:15 1997-09-25T03:10:15 \
         1997-09-28T01:10:15 1997-09-30T02:10:15",
    ),
    (
        "2000-01-01T00:00:00",
        "FREQ=HOURLY;BYYEARDAY=-1,60;INTERVAL=11",
        "2000-02-29T03:00 2000-02-29T14:00 2000-12-31T07:00 2000-12-31T18:00 2001-03-01T08:00 \
         2001-03-01T19:00 2001-12-31T03:00 2001-12-31T14:00 2002-03-01T04:00 2002-03-01T15:00 \
         2002-12-31T10:00 2002-12-31T21:00",
    ),
    (
        "2026-01-31T02:00:00",
        "FREQ=MONTHLY;COUNT=5",
        "2026-01-31T02:00 2026-03-31T02:00 2026-05-31T02:00 2026-07-31T02:00 2026-08-31T02:00",
    ),
    (
        "2024-02-29T02:00:00",
        "FREQ=YEARLY",
        "2024-02-29T02:00 2028-02-29T02:00 2032-02-29T02:00 2036-02-29T02:00 2040-02-29T02:00 \
         2044-02-29T02:00 2048-02-29T02:00 2052-02-29T02:00 2056-02-29T02:00 2060-02-29T02:00 \
         2064-02-29T02:00 2068-02-29T02:00",
    ),
    (
        "2020-01-01T02:30:00",
        "FREQ=YEARLY;BYDAY=-1SU;BYMONTH=3,10",
        "2020-03-29T02:30 2020-10-25T02:30 2021-03-28T02:30 2021-10-31T02:30 2022-03-27T02:30 \
         2022-10-30T02:30 2023-03-26T02:30 2023-10-29T02:30 2024-03-31T02:30 2024-10-27T02:30 \
         2025-03-30T02:30 2025-10-26T02:30",
    ),
    (
        "2020-01-01T02:30:00",
        "FREQ=YEARLY;BYDAY=1MO,-1FR;BYSETPOS=2",
        "2020-12-25T02:30 2021-12-31T02:30 2022-12-30T02:30 2023-12-29T02:30 2024-12-27T02:30 \
         2025-12-26T02:30 2026-12-25T02:30 2027-12-31T02:30 2028-12-29T02:30 2029-12-28T02:30 \
         2030-12-27T02:30 2031-12-26T02:30",
    ),
    (
        "2026-11-21T05:00:00",
        "FREQ=WEEKLY;BYDAY=MO,WE,FR;BYHOUR=6,18;BYSETPOS=1,-1",
        "2026-11-23T06:00 2026-11-27T18:00 2026-11-30T06:00 2026-12-04T18:00 2026-12-07T06:00 \
         2026-12-11T18:00 2026-12-14T06:00 2026-12-18T18:00 2026-12-21T06:00 2026-12-25T18:00 \
         2026-12-28T06:00 2027-01-01T18:00",
    ),
    (
        "1999-01-01T00:00:00",
        "FREQ=YEARLY;BYYEARDAY=366,-366",
        "2000-01-01T00:00 2000-12-31T00:00 2004-01-01T00:00 2004-12-31T00:00 2008-01-01T00:00 \
         2008-12-31T00:00 2012-01-01T00:00 2012-12-31T00:00 2016-01-01T00:00 2016-12-31T00:00 \
         2020-01-01T00:00 2020-12-31T00:00",
    ),
];
