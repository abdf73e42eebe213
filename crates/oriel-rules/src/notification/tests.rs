use oriel_model::notification::MailTo;
use proptest::prelude::*;

use super::*;

fn at(minute: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + minute * 60).expect("in range")
}

fn id<T: oriel_model::id::Noun>(number: u8) -> Id<T> {
    format!("00000000-0000-7000-8000-0000000000{number:02x}").parse().expect("an id")
}

fn spec(event: Watched) -> Notification {
    let threshold = CrossedLine { direction: Direction::RisesAbove, value: 80, percent: false };
    Notification {
        enabled: true,
        description: String::new(),
        event,
        threshold: event.is_number().then_some(threshold),
        target: NotificationTarget::All,
        grace_minutes: 0,
        interval_minutes: 1,
        until_recovered: true,
        tell_recovered: false,
        mail: MailTo::default(),
        webhook: None,
        script: None,
    }
}

fn host(number: u8, value: Value) -> Reading {
    Reading {
        subject: Subject::Host(id(number)),
        site: Some(id(100 + number % 2)),
        pool: Some(id(200)),
        name: format!("h{number}"),
        value,
        detail: String::new(),
    }
}

fn number(count: f64) -> Value {
    Value::Number { count, of: None }
}

/// One notification that is shown readings, a minute each; of what it speaks, by minute.
fn said(spec: &Notification, minutes: &[&[Reading]]) -> Vec<(i64, Vec<String>)> {
    let names = |happenings: Vec<Happening>| happenings.into_iter().map(|one| one.reading.name).collect();
    happenings(spec, minutes).into_iter().map(|(minute, happenings)| (minute, names(happenings))).collect()
}

fn happenings(spec: &Notification, minutes: &[&[Reading]]) -> Vec<(i64, Vec<Happening>)> {
    let mut memory = Memory::default();
    let mut said = Vec::new();
    for (minute, readings) in (0..).zip(minutes) {
        let handler = Handler { id: id(1), site: None, spec };
        let readings = HashMap::from([(spec.event, readings.to_vec())]);
        let (tellings, after) = plan(&[handler], &readings, memory, at(minute));
        // What is kept survives being written down.
        memory = serde_json::from_value(serde_json::to_value(after).expect("JSON")).expect("read");
        said.extend(tellings.into_iter().map(|telling| (minute, telling.happenings)));
    }
    said
}

fn names(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

#[test]
fn one_message_is_enough_until_it_is_well_again() {
    let (high, low) = ([host(1, number(90.0))], [host(1, number(80.0))]);
    let minutes: [&[Reading]; 6] = [&high, &high, &low, &high, &high, &low];
    let cpu = spec(Watched::Cpu);
    assert_eq!(said(&cpu, &minutes), [(0, names(&["h1"])), (3, names(&["h1"]))]);
    let again = Notification { until_recovered: false, interval_minutes: 2, ..cpu.clone() };
    let minutes: [&[Reading]; 5] = [&high; 5];
    assert_eq!(said(&again, &minutes).iter().map(|(at, _)| *at).collect::<Vec<_>>(), [0, 2, 4]);
    let falls = CrossedLine { direction: Direction::FallsBelow, value: 81, percent: false };
    let falls = Notification { threshold: Some(falls), ..cpu };
    assert_eq!(said(&falls, &[&high, &low, &low]), [(1, names(&["h1"]))]);
}

#[test]
fn who_was_told_is_told_that_it_is_well_again() {
    let told = |spec: &Notification, minutes: &[&[Reading]]| -> Vec<(i64, Vec<String>)> {
        let mark = |one: Happening| one.reading.name + if one.recovered { " well" } else { "" };
        happenings(spec, minutes)
            .into_iter()
            .map(|(minute, happenings)| (minute, happenings.into_iter().map(mark).collect()))
            .collect()
    };
    let unknown = [host(1, Value::Unknown)];
    let (high, low) = ([host(1, number(90.0))], [host(1, number(80.0))]);
    let spec = Notification { tell_recovered: true, interval_minutes: 2, ..spec(Watched::Cpu) };
    // Once each, an interval apart, and nobody is away from being well.
    let minutes: [&[Reading]; 6] = [&high, &low, &low, &low, &high, &unknown];
    assert_eq!(told(&spec, &minutes), [(0, names(&["h1"])), (2, names(&["h1 well"])), (4, names(&["h1"]))]);
    // It was well for a moment within the interval: what counts is that it is so again.
    assert_eq!(told(&spec, &[&high, &low, &high, &high]), [(0, names(&["h1"])), (2, names(&["h1"]))]);
    // Of what nobody was told, nobody is told that it is over; nor of what is there no more.
    let patient = Notification { grace_minutes: 2, ..spec.clone() };
    assert_eq!(told(&patient, &[&high, &low, &low, &low]), []);
    assert_eq!(told(&spec, &[&high, &low, &[], &low, &low]), [(0, names(&["h1"]))]);
    // What comes together is told together, what is so first.
    let both = [[host(1, number(90.0)), host(2, number(1.0))], [host(1, number(1.0)), host(2, number(90.0))]];
    let both: [&[Reading]; 3] = [&both[0], &both[1], &both[1]];
    assert_eq!(told(&spec, &both), [(0, names(&["h1"])), (2, names(&["h2", "h1 well"]))]);
    let silent = Notification { tell_recovered: false, ..spec };
    assert_eq!(told(&silent, &[&high, &low, &low, &low]), [(0, names(&["h1"]))]);
}

#[test]
fn nobody_is_told_of_what_lasts_less_than_the_grace() {
    let (high, low) = ([host(1, number(90.0))], [host(1, number(1.0))]);
    let patient = Notification { grace_minutes: 2, ..spec(Watched::Cpu) };
    assert_eq!(said(&patient, &[&high, &high, &low, &high, &high]), []);
    assert_eq!(said(&patient, &[&high, &high, &high, &high]), [(2, names(&["h1"]))]);
}

#[test]
fn what_comes_within_the_interval_is_told_together_after_it() {
    let calm = Notification { interval_minutes: 3, ..spec(Watched::HostAway) };
    let away = |numbers: &[u8]| {
        let one = |number: u8| host(number, Value::Is(numbers.contains(&number)));
        [one(1), one(2), one(3)]
    };
    let minutes = [away(&[1]), away(&[1, 2]), away(&[1, 2, 3]), away(&[1, 3]), away(&[1, 3])];
    let minutes: Vec<&[Reading]> = minutes.iter().map(|minute| &minute[..]).collect();
    assert_eq!(said(&calm, &minutes), [(0, names(&["h1"])), (3, names(&["h3"]))]);
}

#[test]
fn what_nobody_knows_neither_begins_nor_ends_anything() {
    let (high, unknown) = ([host(1, number(90.0))], [host(1, Value::Unknown)]);
    let cpu = spec(Watched::Cpu);
    assert_eq!(
        said(&cpu, &[&unknown, &high, &unknown, &high, &[], &high]),
        [(1, names(&["h1"])), (5, names(&["h1"]))]
    );
}

#[test]
fn a_target_and_a_site_say_where() {
    let all = [host(1, Value::Is(true)), host(2, Value::Is(true))];
    let away = spec(Watched::HostAway);
    let check = |target: NotificationTarget, site: Option<u8>, expected: &[&str]| {
        let spec = Notification { target, ..away.clone() };
        let handler = Handler { id: id(1), site: site.map(id), spec: &spec };
        let readings = HashMap::from([(spec.event, all.to_vec())]);
        let (tellings, _) = plan(&[handler], &readings, Memory::default(), at(0));
        let told: Vec<_> = tellings.into_iter().flat_map(|telling| telling.happenings).collect();
        assert_eq!(told.iter().map(|one| one.reading.name.as_str()).collect::<Vec<_>>(), expected);
    };
    check(NotificationTarget::All, None, &["h1", "h2"]);
    check(NotificationTarget::All, Some(101), &["h1"]);
    check(NotificationTarget::Sites { sites: vec![id(100)] }, None, &["h2"]);
    check(NotificationTarget::Sites { sites: vec![id(100)] }, Some(101), &[]);
    check(NotificationTarget::Pools { pools: vec![id(200)] }, None, &["h1", "h2"]);
    check(NotificationTarget::Hosts { hosts: vec![id(2)] }, None, &["h2"]);
    check(NotificationTarget::Gateways { gateways: vec![id(2)] }, None, &[]);
}

#[test]
fn a_share_of_a_limit_is_in_percent() {
    let line = |percent| CrossedLine { direction: Direction::RisesAbove, value: 80, percent };
    let check = |percent, count, of, expected| {
        let spec = Notification { threshold: Some(line(percent)), ..spec(Watched::Sessions) };
        assert_eq!(is_so(&spec, Value::Number { count, of }), expected);
    };
    check(true, 9.0, Some(10.0), Some(true));
    check(true, 8.0, Some(10.0), Some(false));
    check(true, 100.0, None, None);
    check(false, 9.0, Some(10.0), Some(false));
    check(false, 81.0, Some(10.0), Some(true));
}

#[test]
fn a_clock_that_is_put_back_silences_nobody() {
    let spec = Notification { interval_minutes: 60, ..spec(Watched::HostAway) };
    let handler = Handler { id: id(1), site: None, spec: &spec };
    let look = |number, memory, minute| {
        let readings = HashMap::from([(spec.event, vec![host(number, Value::Is(true))])]);
        plan(&[handler], &readings, memory, at(minute))
    };
    let (first, memory) = look(1, Memory::default(), 100_000);
    assert_eq!(first.len(), 1);
    let (none, memory) = look(2, memory, 0);
    assert_eq!(none.len(), 0, "an interval from now on");
    assert_eq!(look(2, memory, 60).0.len(), 1);
}

#[test]
fn other_settings_begin_anew() {
    let away = Handler { id: id(1), site: None, spec: &spec(Watched::HostAway) };
    let unwell = Handler { spec: &spec(Watched::HostUnhealthy), ..away };
    let both = [Watched::HostAway, Watched::HostUnhealthy];
    let readings = HashMap::from(both.map(|watched| (watched, vec![host(1, Value::Is(true))])));
    let (_, memory) = plan(&[away], &readings, Memory::default(), at(0));
    assert_eq!(plan(&[away], &readings, memory.clone(), at(2)).0, []);
    assert_eq!(plan(&[unwell], &readings, memory, at(2)).0.len(), 1);
}

#[test]
fn attempts_are_further_and_further_apart_and_end() {
    let pauses: Vec<_> = (1..).map_while(again_after).map(|pause| pause.as_mins()).collect();
    assert_eq!(pauses, [1, 2, 4, 8, 16, 30, 30, 30, 30, 30, 30]);
}

proptest! {
    /// Whatever happens to hosts, and however often anybody looks: few messages, none before its grace, none
    /// of what is well, and what lasts long enough is told.
    #[test]
    fn there_is_no_storm_and_no_silence(
        states in prop::collection::vec(prop::collection::vec(0u8..4, 12), 1..60),
        handlers in prop::collection::vec((0u32..4, 1u32..6, any::<bool>(), any::<bool>()), 1..60),
    ) {
        let specs: Vec<_> = handlers
            .iter()
            .map(|(grace_minutes, interval_minutes, until_recovered, tell_recovered)| Notification {
                grace_minutes: *grace_minutes,
                interval_minutes: *interval_minutes,
                until_recovered: *until_recovered,
                tell_recovered: *tell_recovered,
                ..spec(Watched::HostAway)
            })
            .collect();
        let handlers: Vec<_> = (1..)
            .zip(&specs)
            .map(|(number, spec)| Handler { id: id(number), site: None, spec })
            .collect();
        let mut memory = Memory::default();
        let mut sent: Vec<(i64, Id<Notification>)> = Vec::new();
        let mut since: HashMap<Subject, i64> = HashMap::new();
        for (minute, state) in (0i64..).zip(&states) {
            let value = |state: u8| match state { 0 | 1 => Value::Is(true), 2 => Value::Is(false), _ => Value::Unknown };
            let readings: Vec<_> = (0..).zip(state).map(|(number, state)| host(number, value(*state))).collect();
            for reading in &readings {
                match reading.value {
                    Value::Is(true) => { since.entry(reading.subject).or_insert(minute); }
                    Value::Is(false) => { since.remove(&reading.subject); }
                    _ => {}
                }
            }
            let (tellings, after) = plan(&handlers, &HashMap::from([(Watched::HostAway, readings)]), memory, at(minute));
            memory = after;
            for telling in tellings {
                let handler = handlers.iter().find(|handler| handler.id == telling.notification).expect("known");
                let last = sent.iter().rev().find(|(_, id)| *id == handler.id);
                prop_assert!(last.is_none_or(|(at, _)| minute - at >= i64::from(handler.spec.interval_minutes)));
                prop_assert!(!telling.happenings.is_empty());
                for happening in &telling.happenings {
                    if happening.recovered {
                        prop_assert!(handler.spec.tell_recovered);
                        prop_assert_eq!(happening.reading.value, Value::Is(false));
                        continue;
                    }
                    prop_assert_eq!(happening.reading.value, Value::Is(true));
                    let begun = since[&happening.reading.subject];
                    prop_assert_eq!(happening.since, at(begun));
                    prop_assert!(minute - begun >= i64::from(handler.spec.grace_minutes));
                }
                sent.push((minute, telling.notification));
            }
            let recent = sent.iter().filter(|(at, _)| minute - at < 10).count();
            prop_assert!(recent <= MESSAGES_MAX);
            // Who may send sends: with room left, nothing that is due is held back.
            if recent < MESSAGES_MAX {
                for handler in &handlers {
                    let known = &memory.handlers[&handler.id];
                    let free = known.last_sent.is_none_or(|last| last <= at(minute - i64::from(handler.spec.interval_minutes)));
                    let waits = known.lasting.iter().any(|lasting| {
                        lasting.told.is_none()
                            && since.contains_key(&lasting.subject)
                            && matches!(lasting.subject, Subject::Host(host) if state[..].iter().enumerate().any(|(n, s)| *s < 2 && id::<Host>(n as u8) == host))
                            && lasting.since <= at(minute - i64::from(handler.spec.grace_minutes))
                    });
                    prop_assert!(!(free && waits));
                }
            }
        }
    }
}
