use oriel_store::{Outcome, Via};

use super::*;

fn event(second: i64) -> oriel_store::Event {
    let at = Timestamp::from_second(second).expect("a time");
    let author = Author { name: "user anna".into(), via: Via::Portal, address: None };
    oriel_store::Event::new(at, author, Code::UserSignedIn).ended(Outcome::Refused)
}

#[test]
fn what_was_too_much_is_counted_where_it_is_missing() {
    let mut waiting = Waiting::default();
    for second in 0..WAITING_MAX as i64 + 3 {
        waiting.push(event(second));
    }
    let first = waiting.take();
    assert_eq!((first.len(), &first[0]), (EVENTS_MAX, &event(0)));
    // The store did not take them: they stay the oldest, in their order.
    waiting.put_back(first.clone());
    waiting.push(event(99_999));
    assert_eq!(waiting.take(), first);
    waiting.push(event(100_000));
    let mut rest = Vec::new();
    loop {
        let next = waiting.take();
        if next.is_empty() {
            break;
        }
        assert!(next.len() <= EVENTS_MAX);
        rest.extend(next);
    }
    let [.., before, lost, after] = &rest[..] else { panic!("too few") };
    assert_eq!((before, after), (&event(WAITING_MAX as i64 - 1), &event(100_000)));
    assert_eq!((lost.code, &*lost.details["count"]), (Code::LogLost, "4"));
    assert_eq!(lost.details["from"], event(WAITING_MAX as i64).at.to_string());
    assert_eq!(lost.details["to"], event(99_999).at.to_string());
}

#[test]
fn what_was_lost_last_is_stated_even_when_nothing_follows() {
    let mut waiting = Waiting::default();
    waiting.lose(2, event(1).at, event(2).at);
    let stated = waiting.take();
    assert_eq!(stated.iter().map(|event| event.code).collect::<Vec<_>>(), [Code::LogLost]);
    assert!(waiting.take().is_empty());
}

#[test]
fn what_was_lost_is_known_for_a_day_also_when_it_is_stated() {
    let log = AuditLog::default();
    assert_eq!(log.lost_since(event(0).at), 0);
    lock(&log.waiting).lose(2, event(1).at, event(2).at);
    lock(&log.waiting).lose(3, event(4).at, event(5).at);
    lock(&log.waiting).take();
    assert_eq!(log.lost_since(event(5).at), 5);
    assert_eq!(log.lost_since(event(6).at), 0);
    let days = 2 * 24 * 3600;
    lock(&log.waiting).lose(1, event(days).at, event(days).at);
    assert_eq!(log.lost_since(event(6).at), 1, "what was long before is another loss");
}

#[test]
fn texts_are_cut_between_characters() {
    let long = event(1).detail("why", "ß".repeat(TEXT_MAX + 1));
    assert_eq!(bounded(long).details["why"], "ß".repeat(TEXT_MAX));
}
