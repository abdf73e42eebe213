//! The log: changes and events in one sequence, chained, read, and dropped.

use oriel_model::{Id, Kind, group::Group, user::User};

use super::{Store, alice, at, bob, commit, group};
use crate::{
    Author, Checked, Code, ENTRIES_MAX, EVENT_BYTES_MAX, EVENTS_MAX, Entry, EntryQuery, Event, Outcome,
    Retention, Start, StoreError, Subject, Transaction, Via,
};

pub(super) async fn changes_and_events_are_entries_of_one_log(store: Store) {
    let (sales, user) = (Id::<Group>::generate(at(0)), Id::<User>::generate(at(0)));
    let made =
        commit(&store, Transaction::new(alice(), at(1)).create(sales, "Sales", None, &group(""))).await;
    let session = Subject { kind: "session".into(), id: Id::generate(at(0)), name: String::new() };
    let events = vec![
        Event::new(at(2), bob(), Code::UserSignedIn).about(Subject::object(Kind::User, user, "bob")),
        Event::new(at(3), Author::system(), Code::SessionReset)
            .about(session.clone())
            .about(Subject::object(Kind::User, user, "b\"ö\\b"))
            .ended(Outcome::Failed)
            .detail("why", "no \"answer\""),
    ];
    assert_eq!(store.append(events.clone()).await.expect("written"), 3);
    commit(&store, Transaction::new(alice(), at(4)).delete(sales, 1)).await;

    let all = entries(&store, EntryQuery::from(Start::After(0))).await;
    assert_eq!(numbers(&all), [1, 2, 3, 4]);
    assert_eq!(all[0].change.as_ref(), Some(&made.changes[0]));
    assert_eq!((all[0].code, &all[0].author, all[0].at), (Code::SettingsCreated, &alice(), at(1)));
    assert_eq!(all[0].subjects, [Subject::object(Kind::Group, sales, "Sales")]);
    assert_eq!(
        (all[3].code, all[3].subject("group").map(|one| one.id)),
        (Code::SettingsDeleted, Some(sales.cast()))
    );
    for (entry, event) in all[1..3].iter().zip(&events) {
        let read = Event {
            at: entry.at,
            author: entry.author.clone(),
            code: entry.code,
            outcome: entry.outcome,
            subjects: entry.subjects.clone(),
            details: entry.details.clone(),
        };
        assert_eq!((&read, &entry.change), (event, &None));
    }
    // Events do not count as changes of settings.
    assert_eq!((store.load().await.expect("loads").sequence, *store.watch().borrow()), (2, 2));

    let newest = || EntryQuery::from(Start::Newest);
    let read = async |query: EntryQuery| numbers(&entries(&store, query).await);
    let none: [u64; 0] = [];
    assert_eq!(read(EntryQuery { limit: 2, ..newest() }).await, [4, 3]);
    assert_eq!(read(EntryQuery::from(Start::Before(3))).await, [2, 1]);
    assert_eq!(read(EntryQuery::from(Start::After(u64::MAX))).await, none);
    let code = |code: &str| EntryQuery { code: Some(code.into()), ..newest() };
    assert_eq!(read(code("settings")).await, [4, 1]);
    assert_eq!(read(code("settings.deleted")).await, [4]);
    assert_eq!(read(code("session")).await, [3]);
    assert_eq!(read(code("sess")).await, none);
    assert_eq!(read(EntryQuery { outcome: Some(Outcome::Failed), ..newest() }).await, [3]);
    assert_eq!(read(EntryQuery { kind: Some("user".into()), ..newest() }).await, [3, 2]);
    assert_eq!(read(EntryQuery { kind: Some("group".into()), ..newest() }).await, [4, 1]);
    assert_eq!(read(EntryQuery { object: Some(user.cast()), ..newest() }).await, [3, 2]);
    assert_eq!(read(EntryQuery { object: Some(session.id), ..newest() }).await, [3]);
    assert_eq!(read(EntryQuery { by: Some("BOB".into()), ..newest() }).await, [2]);
    assert_eq!(read(EntryQuery { via: Some(Via::System), ..newest() }).await, [3]);
    assert_eq!(read(EntryQuery { via: Some(bob().via), by: Some("bob".into()), ..newest() }).await, [2]);
    assert_eq!(read(EntryQuery { since: Some(at(2)), until: Some(at(4)), ..newest() }).await, [3, 2]);
    assert_eq!(read(EntryQuery { transaction: Some(2), ..newest() }).await, [4]);
    let text = |text: &str| EntryQuery { text: Some(text.into()), ..newest() };
    assert_eq!(read(text("sales")).await, [4, 1]);
    assert_eq!(read(text("\"Answer\"")).await, [3]);
    assert_eq!(read(text("b\"ö\\b")).await, [3]);
    assert_eq!(read(text("%")).await, none);
    let both = EntryQuery { code: Some("session".into()), object: Some(user.cast()), ..newest() };
    assert_eq!(read(both).await, [3]);
}

pub(super) async fn too_many_or_too_large_events_are_refused_whole(store: Store) {
    let event = || Event::new(at(1), bob(), Code::UserSignedOut);
    let refused = async |events: Vec<Event>| {
        let error = store.append(events).await.expect_err("refused");
        assert!(matches!(error, StoreError::Refused(_)), "{error}");
    };
    refused(vec![event(), event().detail("why", "x".repeat(EVENT_BYTES_MAX))]).await;
    refused(vec![event(); EVENTS_MAX + 1]).await;
    assert!(entries(&store, EntryQuery::from(Start::Newest)).await.is_empty());
    assert_eq!(store.append(vec![event(); EVENTS_MAX]).await.expect("written"), EVENTS_MAX as u64);
    let many = EntryQuery { limit: usize::MAX, ..EntryQuery::from(Start::Newest) };
    assert_eq!(entries(&store, many).await.len(), EVENTS_MAX.min(ENTRIES_MAX));
}

pub(super) async fn the_chain_holds_and_goes_on_after_the_oldest_were_dropped(store: Store) {
    assert_eq!(followed(&store).await, (1, 0));
    let mut two = Transaction::new(alice(), at(10));
    for name in ["one", "two"] {
        two = two.create(Id::generate(at(0)), name, None, &group(""));
    }
    store.append(vec![Event::new(at(1), bob(), Code::UserSignedIn)]).await.expect("written");
    commit(&store, two).await;
    let later = Event::new(at(20), bob(), Code::UserSignedOut);
    store.append(vec![later.clone(); 2]).await.expect("written");
    assert_eq!(followed(&store).await, (1, 5));
    let halfway = Checked { is_end: false, ..store.check_log(None).await.expect("checks") };

    let everything = Retention { since: at(0), bytes_max: u64::MAX };
    assert_eq!(store.drop_oldest(everything, at(30)).await.expect("looks"), None);
    let dropped = store.drop_oldest(Retention { since: at(5), ..everything }, at(30)).await.expect("drops");
    assert_eq!(dropped.map(|dropped| (dropped.first, dropped.through, dropped.is_more)), Some((1, 1, false)));
    let all = entries(&store, EntryQuery::from(Start::After(0))).await;
    assert_eq!(numbers(&all), [2, 3, 4, 5, 6]);
    assert_eq!(
        (all[4].code, &*all[4].details["through"], &*all[4].details["why"]),
        (Code::LogDropped, "1", "age")
    );
    assert_eq!(followed(&store).await, (2, 6));

    // A little too large: the oldest go, and what was changed together goes together.
    for bytes_max in (0..4_000).rev().step_by(60) {
        store.drop_oldest(Retention { since: at(0), bytes_max }, at(31)).await.expect("looks");
        let numbers = numbers(&entries(&store, EntryQuery::from(Start::After(0))).await);
        assert!(!numbers.contains(&3) || numbers.contains(&2), "half a transaction is left: {numbers:?}");
    }
    let left = entries(&store, EntryQuery::from(Start::After(0))).await;
    assert!(left.iter().all(|entry| entry.code == Code::LogDropped), "{left:?}");
    let (first, through) = followed(&store).await;
    assert_eq!((first, through), (left[0].number, left[left.len() - 1].number));

    // What was changed is forgotten; the count of changes goes on, and so does a check that had begun.
    assert!(store.changes(crate::ChangeQuery::newest()).await.expect("reads").is_empty());
    assert_eq!(store.load().await.expect("loads").sequence, 2);
    let next = Transaction::new(alice(), at(40)).create(Id::generate(at(0)), "three", None, &group(""));
    assert_eq!(commit(&store, next).await.sequence, 3);
    let went_on = store.check_log(Some(halfway)).await.expect("checks");
    assert_eq!((went_on.fault, went_on.through, went_on.is_end), (None, through + 1, true));
}

/// Follows the whole chain, which must hold: its first and last entry.
async fn followed(store: &Store) -> (u64, u64) {
    let mut checked = store.check_log(None).await.expect("checks");
    while !checked.is_end {
        checked = store.check_log(Some(checked)).await.expect("checks");
    }
    assert_eq!(checked.fault, None);
    (checked.first, checked.through)
}

async fn entries(store: &Store, query: EntryQuery) -> Vec<Entry> {
    store.entries(query).await.expect("reads")
}

fn numbers(entries: &[Entry]) -> Vec<u64> {
    entries.iter().map(|entry| entry.number).collect()
}
