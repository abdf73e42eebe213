//! What every adapter must do, whatever its database: [`check_store`] runs it all against fresh
//! stores that the adapter's tests make. What only SQLite has is in `sqlite/tests.rs`.

mod log;

use std::{
    future::Future,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
};

use jiff::{SignedDuration, Timestamp};
use oriel_model::{
    Id, Kind, Object, SettingsObject, group::Group, icon::IconId, site::Site, token::Token, user::User,
};
use serde_json::{Value, json};
use zeroize::Zeroizing;

use crate::{
    ANSWER_BYTES_MAX, ANSWERS_MAX, Action, Author, BLOB_BYTES_MAX, CHANGES_MAX, ChangeQuery, CommitError,
    Committed, EndedSignIn, FAVOURITES_MAX, FarmKey, KeptAnswer, KeptPerson, PERSON_BYTES_MAX,
    SPEC_BYTES_MAX, SettingsStore, StoreError, Transaction, UserState, Via, WRITES_MAX, Write,
};

type Store = Arc<dyn SettingsStore>;

/// Runs the whole contract; `make` gives a new empty store each time.
pub(crate) async fn check_store<M, F>(make: M)
where
    M: Fn(FarmKey) -> F,
    F: Future<Output = Store>,
{
    let fresh = || make(FarmKey::generate());
    an_empty_store_is_at_zero(fresh().await).await;
    an_object_lives_and_its_log_tells_it(fresh().await).await;
    a_stale_write_names_who_was_faster(fresh().await).await;
    names_are_unique_within_a_kind_without_case(fresh().await).await;
    all_writes_happen_or_none(fresh().await).await;
    writes_take_effect_in_their_order(fresh().await).await;
    a_deleted_object_can_come_back_but_not_for_old_readers(fresh().await).await;
    what_is_not_valid_is_refused_with_every_mistake(fresh().await).await;
    secrets_belong_to_their_object_and_never_show_in_the_log(fresh().await).await;
    the_log_is_read_both_ways_and_filtered(fresh().await).await;
    a_watcher_follows_the_log(fresh().await).await;
    writers_at_once_lose_nothing(fresh().await).await;
    icons_are_kept_once(fresh().await).await;
    what_a_user_keeps_goes_with_the_user(fresh().await).await;
    no_code_is_used_twice_and_none_of_before(fresh().await).await;
    what_directories_said_of_people_is_kept_for_a_time(fresh().await).await;
    what_brokers_remember_is_replaced_whole(fresh().await).await;
    answers_are_kept_until_they_expire_or_their_token_goes(fresh().await).await;
    ended_sign_ins_are_remembered_until_they_expire(fresh().await).await;
    log::changes_and_events_are_entries_of_one_log(fresh().await).await;
    log::too_many_or_too_large_events_are_refused_whole(fresh().await).await;
    log::the_chain_holds_and_goes_on_after_the_oldest_were_dropped(fresh().await).await;
}

// ---- The cases ----

async fn an_empty_store_is_at_zero(store: Store) {
    let snapshot = store.load().await.expect("loads");
    assert_eq!((snapshot.objects.len(), snapshot.sequence), (0, 0));
    assert!(store.changes(ChangeQuery::newest()).await.expect("reads").is_empty());
    let nothing = store.commit(Transaction::new(alice(), at(0))).await.expect("committed");
    assert_eq!((nothing.changes.len(), nothing.sequence), (0, 0));
}

async fn an_object_lives_and_its_log_tells_it(store: Store) {
    let (id, site) = (Id::<Group>::generate(at(0)), Id::<Site>::generate(at(0)));
    let created =
        commit(&store, Transaction::new(alice(), at(1)).create(id, "Sales", Some(site), &group("one"))).await;
    let mut object: Object<Group> = only(&store).await.decode().expect("decodes");
    assert_eq!(created.objects().collect::<Vec<_>>(), [only(&store).await]);
    assert_eq!((object.id, object.name.as_str(), object.site), (id, "Sales", Some(site)));
    assert_eq!((object.revision, object.changed_at, object.changed_by.as_str()), (1, at(1), "user alice"));

    object.name = "Selling".to_owned();
    object.spec.description = "two".to_owned();
    commit(&store, Transaction::new(bob(), at(2)).update(&object)).await;
    let stored = only(&store).await;
    assert_eq!((stored.revision, stored.changed_at, stored.changed_by.as_str()), (2, at(2), "token bob"));
    assert_eq!(stored.spec, json!({"description": "two"}));

    commit(&store, Transaction::new(alice(), at(3)).delete(id, 2)).await;
    let snapshot = store.load().await.expect("loads");
    assert_eq!((snapshot.objects.len(), snapshot.sequence), (0, 3));

    let log = store.changes(ChangeQuery::after(0)).await.expect("reads");
    assert_eq!(log.iter().map(|c| c.sequence).collect::<Vec<_>>(), [1, 2, 3]);
    let actions: Vec<_> = log.iter().map(|c| c.action).collect();
    assert_eq!(actions, [Action::Created, Action::Changed, Action::Deleted]);
    assert_eq!(log.iter().map(|c| c.revision).collect::<Vec<_>>(), [1, 2, 2]);
    assert_eq!((&log[0].author, log[0].at), (&alice(), at(1)));
    assert_eq!((&log[1].author, log[1].name.as_str()), (&bob(), "Selling"));
    assert_eq!((log[0].before.as_ref(), log[2].after.as_ref()), (None, None));
    assert_eq!(log[0].after, log[1].before);
    assert_eq!(log[1].after, log[2].before);
    assert_eq!(log[1].before.as_ref().map(|state| state.name.as_str()), Some("Sales"));
    assert_eq!(log[1].object(), Some(stored));
    assert_eq!(log[0], created.changes[0]);
}

async fn a_stale_write_names_who_was_faster(store: Store) {
    let id = Id::generate(at(0));
    commit(&store, Transaction::new(alice(), at(1)).create(id, "Sales", None, &group(""))).await;
    let read: Object<Group> = only(&store).await.decode().expect("decodes");
    commit(&store, Transaction::new(bob(), at(2)).update(&read)).await;

    let stale = [
        Transaction::new(alice(), at(3)).update(&read),
        Transaction::new(alice(), at(3)).delete(id, read.revision),
    ];
    for transaction in stale {
        let error = store.commit(transaction).await.expect_err("stale");
        let CommitError::Stale { name, changed_by, changed_at, expected, found, .. } = &error else {
            panic!("{error}");
        };
        assert_eq!((name.as_str(), changed_by.as_str(), *changed_at), ("Sales", "token bob", at(2)));
        assert_eq!((*expected, *found), (1, 2));
        assert!(
            error.to_string().starts_with("group \"Sales\" was changed by token bob at 2023-"),
            "{error}"
        );
    }

    commit(&store, Transaction::new(bob(), at(4)).delete(id, 2)).await;
    let error = store.commit(Transaction::new(alice(), at(5)).update(&read)).await.expect_err("deleted");
    assert!(error.to_string().starts_with("group \"Sales\" was deleted by token bob at 2023-"), "{error}");
    assert!(matches!(error, CommitError::Deleted { deleted_at, .. } if deleted_at == at(4)));

    let never = Id::<Group>::generate(at(9));
    let error =
        store.commit(Transaction::new(alice(), at(5)).delete(never, 1)).await.expect_err("never there");
    assert!(matches!(error, CommitError::NotFound { .. }), "{error}");
    assert_eq!(store.load().await.expect("loads").sequence, 3);
}

async fn names_are_unique_within_a_kind_without_case(store: Store) {
    let first = Id::generate(at(0));
    commit(&store, Transaction::new(alice(), at(1)).create(first, "Straße", None, &group(""))).await;
    let clash = Transaction::new(alice(), at(2)).create(Id::generate(at(0)), "STRASSE", None, &group(""));
    let error = store.commit(clash).await.expect_err("taken");
    assert_eq!(error.to_string(), "there is already a group named \"Straße\"");

    // Another kind may have it; the object itself may change its case.
    let user =
        Transaction::new(alice(), at(2)).create(Id::generate(at(0)), "strasse", None, &User::default());
    commit(&store, user).await;
    let mut own = object::<Group>(&store, first).await;
    own.name = "STRASSE".to_owned();
    commit(&store, Transaction::new(alice(), at(3)).update(&own)).await;

    let second = Id::generate(at(0));
    commit(&store, Transaction::new(alice(), at(4)).create(second, "Other", None, &group(""))).await;
    let mut other = object::<Group>(&store, second).await;
    other.name = "strasse".to_owned();
    let error = store.commit(Transaction::new(alice(), at(5)).update(&other)).await.expect_err("taken");
    assert!(matches!(error, CommitError::NameTaken { .. }), "{error}");

    let again = Transaction::new(alice(), at(6)).create(second, "Third", None, &group(""));
    assert!(matches!(store.commit(again).await, Err(CommitError::IdTaken { .. })));
}

async fn all_writes_happen_or_none(store: Store) {
    let kept = Id::generate(at(0));
    commit(&store, Transaction::new(alice(), at(1)).create(kept, "Kept", None, &group(""))).await;
    let before = store.load().await.expect("loads");
    let half = Transaction::new(alice(), at(2))
        .create(Id::generate(at(0)), "New", None, &group(""))
        .put_secret(kept, "password", secret("x"))
        .delete(kept, 1)
        .create(Id::generate(at(0)), "new", None, &group(""));
    assert!(matches!(store.commit(half).await, Err(CommitError::NameTaken { .. })));
    assert_eq!(store.load().await.expect("loads"), before);
    assert_eq!(store.secret(kept.cast(), "password").await.expect("reads"), None);
    assert_eq!(store.changes(ChangeQuery::newest()).await.expect("reads").len(), 1);
    assert_eq!(*store.watch().borrow(), 1);
}

async fn writes_take_effect_in_their_order(store: Store) {
    let (one, two) = (Id::generate(at(0)), Id::generate(at(1)));
    let transaction = Transaction::new(alice(), at(1))
        .create(one, "Name", None, &group("one"))
        .put_secret(one, "password", secret("x"))
        .delete_secret(one, "password")
        .delete_secret(one, "password")
        .delete(one, 1)
        .create(two, "Name", None, &group("two"));
    let committed = commit(&store, transaction).await;
    let actions: Vec<_> = committed.changes.iter().map(|change| change.action).collect();
    let expected =
        [Action::Created, Action::SecretSet, Action::SecretRemoved, Action::Deleted, Action::Created];
    assert_eq!(actions, expected, "removing what is not there is not a change");
    assert_eq!(committed.sequence, 5);
    assert_eq!(only(&store).await.id, two.cast());
}

async fn a_deleted_object_can_come_back_but_not_for_old_readers(store: Store) {
    let id = Id::generate(at(0));
    commit(&store, Transaction::new(alice(), at(1)).create(id, "Sales", None, &group("old"))).await;
    let read = object::<Group>(&store, id).await;
    commit(&store, Transaction::new(alice(), at(2)).delete(id, 1)).await;
    commit(&store, Transaction::new(alice(), at(3)).create(id, "Sales", None, &group("back"))).await;
    assert_eq!(only(&store).await.revision, 2);
    let error = store.commit(Transaction::new(bob(), at(4)).update(&read)).await.expect_err("stale");
    assert!(matches!(error, CommitError::Stale { expected: 1, found: 2, .. }), "{error}");
    let as_user = Transaction::new(bob(), at(5)).delete(id.cast::<User>(), 2);
    assert!(matches!(store.commit(as_user).await, Err(CommitError::NotFound { kind: Kind::User, .. })));
}

async fn what_is_not_valid_is_refused_with_every_mistake(store: Store) {
    let write = |name: &str, spec: Value| {
        let (id, name) = (Id::generate(at(0)), name.to_owned());
        let write = Write::Create { kind: Kind::Group, id, name, site: None, spec };
        store.commit(Transaction::new(alice(), at(1)).write(write))
    };
    let fields = |error: CommitError| match error {
        CommitError::Invalid { mistakes, .. } => mistakes.into_iter().map(|m| m.field).collect::<Vec<_>>(),
        other => panic!("{other}"),
    };
    let long = json!({"description": "x".repeat(5_000)});
    assert_eq!(fields(write(" ", long).await.expect_err("refused")), ["name", "name", "spec.description"]);
    assert_eq!(fields(write("a", json!({"colour": 1})).await.expect_err("refused")), ["spec"]);
    assert_eq!(fields(write("a", json!(7)).await.expect_err("refused")), ["spec"]);
    let huge = json!({"description": "x".repeat(SPEC_BYTES_MAX)});
    assert_eq!(fields(write("a", huge).await.expect_err("refused")), ["spec"]);
    let error = write("a", json!({"colour": 1})).await.expect_err("refused").to_string();
    assert!(
        error.starts_with("group \"a\" is not valid: spec cannot be read: unknown field `colour`"),
        "{error}"
    );

    let mut many = Transaction::new(alice(), at(1));
    for number in 0..=WRITES_MAX {
        many = many.create(Id::generate(at(0)), format!("g{number}"), None, &group(""));
    }
    let error = store.commit(many).await.expect_err("too many").to_string();
    assert_eq!(error, "50001 changes at once are too many; at most 50000 are taken");
    assert_eq!(store.load().await.expect("loads").sequence, 0);
}

async fn secrets_belong_to_their_object_and_never_show_in_the_log(store: Store) {
    let (alice_id, bob_id) = (Id::<User>::generate(at(0)), Id::<User>::generate(at(0)));
    let transaction = Transaction::new(alice(), at(1))
        .create(alice_id, "alice", None, &User::default())
        .put_secret(alice_id, "password", secret("hunter2"))
        .create(bob_id, "bob", None, &User::default());
    assert!(!format!("{transaction:?}").contains("hunter2"));
    commit(&store, transaction).await;
    let read = async |owner: Id<User>, name| {
        let secret = store.secret(owner.cast(), name).await.expect("reads");
        secret.map(|secret| String::from_utf8(secret.to_vec()).expect("text"))
    };
    assert_eq!(read(alice_id, "password").await.as_deref(), Some("hunter2"));
    assert_eq!(read(alice_id, "totp").await, None);
    assert_eq!(read(bob_id, "password").await, None);

    commit(&store, Transaction::new(bob(), at(2)).put_secret(alice_id, "password", secret("hunter3"))).await;
    assert_eq!(read(alice_id, "password").await.as_deref(), Some("hunter3"));
    let all = store.secrets().await.expect("reads");
    let all: Vec<_> = all.iter().map(|s| (s.kind, s.owner.cast(), &*s.name, &s.value[..])).collect();
    assert_eq!(all, [(Kind::User, alice_id, "password", &b"hunter3"[..])]);
    assert_eq!(object::<User>(&store, alice_id).await.revision, 1, "a secret does not make writers stale");
    let log = store.changes(ChangeQuery::newest().of(alice_id)).await.expect("reads");
    assert_eq!((log[0].action, log[0].secret.as_deref()), (Action::SecretSet, Some("password")));
    assert_eq!((log[0].before.as_ref(), log[0].after.as_ref(), log[0].object()), (None, None, None));
    assert!(!serde_json::to_string(&log).expect("JSON").contains("hunter"));

    commit(&store, Transaction::new(alice(), at(3)).delete(alice_id, 1)).await;
    commit(&store, Transaction::new(alice(), at(4)).create(alice_id, "alice", None, &User::default())).await;
    assert_eq!(read(alice_id, "password").await, None, "it went with its object");

    let to_nobody =
        Transaction::new(alice(), at(5)).put_secret(Id::<User>::generate(at(9)), "x", secret("x"));
    assert!(matches!(store.commit(to_nobody).await, Err(CommitError::NotFound { .. })));
    for (name, value) in [("Pass Word", "x".to_owned()), ("", "x".to_owned()), ("big", "x".repeat(70_000))] {
        let bad = Transaction::new(alice(), at(5)).put_secret(bob_id, name, secret(&value));
        assert!(matches!(store.commit(bad).await, Err(CommitError::Store(StoreError::Refused(_)))), "{name}");
    }
}

async fn the_log_is_read_both_ways_and_filtered(store: Store) {
    let ids: Vec<Id<Group>> = (0..3).map(|_| Id::generate(at(0))).collect();
    for (number, id) in ids.iter().enumerate() {
        let name = format!("group {number}");
        commit(&store, Transaction::new(alice(), at(1)).create(*id, name, None, &group(""))).await;
    }
    let user = Id::<User>::generate(at(0));
    commit(&store, Transaction::new(bob(), at(2)).create(user, "bob", None, &User::default())).await;
    commit(&store, Transaction::new(alice(), at(3)).update(&object::<Group>(&store, ids[1]).await)).await;

    let read = async |query: ChangeQuery| -> Vec<u64> {
        let changes = store.changes(query).await.expect("reads");
        changes.iter().map(|change| change.sequence).collect::<Vec<u64>>()
    };
    assert_eq!(read(ChangeQuery::newest()).await, [5, 4, 3, 2, 1]);
    assert_eq!(read(ChangeQuery::newest().limit(2)).await, [5, 4]);
    assert_eq!(read(ChangeQuery::before(4).limit(2)).await, [3, 2]);
    assert_eq!(read(ChangeQuery::after(2)).await, [3, 4, 5]);
    assert_eq!(read(ChangeQuery::after(2).limit(1)).await, [3]);
    assert_eq!(read(ChangeQuery::after(5)).await, [0_u64; 0]);
    assert_eq!(read(ChangeQuery::after(u64::MAX)).await, [0_u64; 0]);
    assert_eq!(read(ChangeQuery::before(u64::MAX).limit(0)).await, [0_u64; 0]);
    assert_eq!(read(ChangeQuery::newest().of(ids[1])).await, [5, 2]);
    assert_eq!(read(ChangeQuery::newest().of_kind(Kind::User)).await, [4]);
    assert_eq!(read(ChangeQuery::after(1).of_kind(Kind::Group)).await, [2, 3, 5]);
    assert_eq!(read(ChangeQuery::newest().of(user).of_kind(Kind::Group)).await, [0_u64; 0]);
    let by = |by: &str| ChangeQuery { by: Some(by.to_owned()), ..ChangeQuery::newest() };
    assert_eq!(read(by("BOB")).await, [4]);
    assert_eq!(read(by("%")).await, [0_u64; 0]);
    let between = ChangeQuery { since: Some(at(1)), until: Some(at(3)), ..ChangeQuery::newest() };
    assert_eq!(read(between.clone()).await, [4, 3, 2, 1]);
    assert_eq!(read(ChangeQuery { since: Some(at(2)), ..between }).await, [4]);

    let mut many = Transaction::new(alice(), at(4));
    for number in 0..CHANGES_MAX {
        many = many.create(Id::generate(at(0)), format!("many {number}"), None, &group(""));
    }
    commit(&store, many).await;
    assert_eq!(read(ChangeQuery::newest().limit(usize::MAX)).await.len(), CHANGES_MAX);
    // What was written together is read together, and nothing else with it.
    commit(&store, Transaction::new(alice(), at(4)).create(Id::generate(at(0)), "later", None, &group("")))
        .await;
    let last = 5 + CHANGES_MAX as u64;
    let log = store.changes(ChangeQuery::after(0).limit(7)).await.expect("reads");
    assert_eq!(log.iter().map(|change| change.transaction).collect::<Vec<_>>(), [1, 2, 3, 4, 5, 6, 6]);
    assert_eq!(read(ChangeQuery::after(0).of_transaction(2)).await, [2]);
    assert_eq!(read(ChangeQuery::newest().of_transaction(6).limit(1)).await, [last]);
    assert_eq!(read(ChangeQuery::after(6).of_transaction(6)).await.len(), CHANGES_MAX - 1);
    assert_eq!(read(ChangeQuery::newest().of_transaction(last + 1)).await, [last + 1]);
    assert_eq!(read(ChangeQuery::newest().of_transaction(7)).await, [0_u64; 0]);
}

async fn a_watcher_follows_the_log(store: Store) {
    let mut watch = store.watch();
    assert_eq!(*watch.borrow_and_update(), 0);
    let following = tokio::spawn({
        let store = store.clone();
        async move {
            let mut seen = Vec::new();
            while seen.len() < 5 {
                watch.changed().await.expect("the store is there");
                watch.borrow_and_update();
                let since = seen.last().copied().unwrap_or(0);
                let news = store.changes(ChangeQuery::after(since)).await.expect("reads");
                seen.extend(news.iter().map(|change| change.sequence));
            }
            seen
        }
    });
    for number in 0..5 {
        let create = Transaction::new(alice(), at(1));
        commit(&store, create.create(Id::generate(at(0)), format!("g{number}"), None, &group(""))).await;
    }
    let seen = tokio::time::timeout(std::time::Duration::from_secs(30), following).await;
    assert_eq!(seen.expect("in time").expect("no panic"), [1, 2, 3, 4, 5]);
}

async fn writers_at_once_lose_nothing(store: Store) {
    let id = Id::generate(at(0));
    commit(&store, Transaction::new(alice(), at(1)).create(id, "Counter", None, &group("0"))).await;
    let writers: Vec<_> = (0..8)
        .map(|_| {
            let store = store.clone();
            tokio::spawn(async move {
                let mut done = 0;
                while done < 5 {
                    let mut read = object::<Group>(&store, id).await;
                    let count: u32 = read.spec.description.parse().expect("a number");
                    read.spec.description = (count + 1).to_string();
                    match store.commit(Transaction::new(alice(), at(2)).update(&read)).await {
                        Ok(_) => done += 1,
                        Err(CommitError::Stale { .. }) => {}
                        Err(other) => panic!("{other}"),
                    }
                }
            })
        })
        .collect();
    for writer in writers {
        writer.await.expect("no panic");
    }
    let counter = object::<Group>(&store, id).await;
    assert_eq!((counter.spec.description.as_str(), counter.revision), ("40", 41));
    assert_eq!(*store.watch().borrow(), 41);
}

async fn icons_are_kept_once(store: Store) {
    let id = store.put_blob(b"picture".to_vec()).await.expect("kept");
    assert_eq!(store.put_blob(b"picture".to_vec()).await.expect("kept"), id);
    assert!(id.is_well_formed());
    assert_eq!(store.blob(&id).await.expect("reads").as_deref(), Some(b"picture".as_slice()));
    assert_eq!(store.blob(&IconId("0".repeat(64))).await.expect("reads"), None);
    let error = store.put_blob(vec![0; BLOB_BYTES_MAX + 1]).await.expect_err("too large");
    assert!(error.to_string().contains("at most 262144 are taken"), "{error}");
}

async fn what_a_user_keeps_goes_with_the_user(store: Store) {
    let user = Id::<User>::generate(at(0));
    commit(&store, Transaction::new(alice(), at(1)).create(user, "alice", None, &User::default())).await;
    assert_eq!(store.user_state(user).await.expect("reads"), UserState::default());
    let mut state = UserState { favourites: vec![Id::generate(at(0))], ..UserState::default() };
    state.opened(Id::generate(at(0)), at(7));
    for _ in 0..2 {
        store.put_user_state(user, state.clone()).await.expect("kept");
    }
    assert_eq!(store.user_state(user).await.expect("reads"), state);
    assert_eq!(*store.watch().borrow(), 1, "it is not in the log");

    let greedy = UserState { favourites: vec![Id::generate(at(0)); FAVOURITES_MAX + 1], ..state };
    assert!(matches!(store.put_user_state(user, greedy).await, Err(StoreError::Refused(_))));
    commit(&store, Transaction::new(alice(), at(2)).delete(user, 1)).await;
    assert_eq!(store.user_state(user).await.expect("reads"), UserState::default());
}

async fn no_code_is_used_twice_and_none_of_before(store: Store) {
    let user = Id::<User>::generate(at(0));
    commit(&store, Transaction::new(alice(), at(1)).create(user, "alice", None, &User::default())).await;
    let mut counted = Vec::new();
    for step in [7, 7, 6, 8] {
        counted.push(store.use_code(user, step).await.expect("kept"));
    }
    assert_eq!(counted, [true, false, false, true]);
    assert!(store.use_code(Id::generate(at(0)), 8).await.expect("kept"), "another user's is another code");
    assert_eq!(*store.watch().borrow(), 1, "it is not in the log");
    commit(&store, Transaction::new(alice(), at(2)).delete(user, 1)).await;
    assert!(store.use_code(user, 1).await.expect("kept"), "it goes with the user");
}

async fn what_directories_said_of_people_is_kept_for_a_time(store: Store) {
    let [anna, ben] = [1, 2].map(|second| Id::<User>::generate(at(second)));
    let kept = |user, second, name: &str| KeptPerson { user, at: at(second), person: json!({"name": name}) };
    let (first, other) = (kept(anna, 10, "anna"), kept(ben, 20, "ben"));
    store.keep_people(vec![first, other.clone()], at(0)).await.expect("kept");
    let renamed = kept(anna, 30, "anna b");
    // What another broker heard earlier does not come back.
    store.keep_people(vec![renamed.clone(), kept(anna, 5, "old")], at(0)).await.expect("kept");
    assert_eq!(store.people().await.expect("reads"), [renamed.clone(), other]);
    store.keep_people(Vec::new(), at(20)).await.expect("forgotten");
    assert_eq!(store.people().await.expect("reads"), [renamed]);
    assert_eq!(*store.watch().borrow(), 0, "it is not in the log");
    let large = KeptPerson { person: json!("x".repeat(PERSON_BYTES_MAX)), ..kept(ben, 40, "") };
    assert!(matches!(store.keep_people(vec![large], at(0)).await, Err(StoreError::Refused(_))));
}

async fn what_brokers_remember_is_replaced_whole(store: Store) {
    assert_eq!(store.kept("duty").await.expect("reads"), None);
    for value in [json!({ "done": [1, 2] }), json!({ "done": [3] })] {
        store.keep("duty", value.clone()).await.expect("kept");
        assert_eq!(store.kept("duty").await.expect("reads"), Some(value));
    }
    assert_eq!(store.kept("another").await.expect("reads"), None);
    assert_eq!(*store.watch().borrow(), 0, "it is not in the log");
}

async fn answers_are_kept_until_they_expire_or_their_token_goes(store: Store) {
    let token_id = Id::<Token>::generate(at(0));
    let caller = token_id.cast();
    let spec = json!({"role": "viewer", "secret_sha256": "0".repeat(64)});
    let token = serde_json::from_value::<Token>(spec).expect("a token");
    commit(&store, Transaction::new(alice(), at(1)).create(token_id, "ci", None, &token)).await;
    let answer = |key: &str, second: i64, text: &str| KeptAnswer {
        caller,
        key: key.to_owned(),
        at: at(second),
        bytes: secret(text),
    };
    assert_eq!(store.answer(caller, "k").await.expect("reads"), None);
    for text in ["first", "second"] {
        store.keep_answer(answer("k", 5, text), at(0)).await.expect("kept");
    }
    assert_eq!(store.answer(caller, "k").await.expect("reads"), Some(answer("k", 5, "second")));
    assert_eq!(store.answer(Id::generate(at(0)), "k").await.expect("reads"), None, "it is another's");
    assert_eq!(*store.watch().borrow(), 1, "it is not in the log");
    store.keep_answer(answer("later", 9, "x"), at(5)).await.expect("kept");
    assert_eq!(store.answer(caller, "k").await.expect("reads"), None, "it has expired");
    let large = answer("large", 9, &"x".repeat(ANSWER_BYTES_MAX + 1));
    assert!(matches!(store.keep_answer(large, at(0)).await, Err(StoreError::Refused(_))));
    for number in 0..ANSWERS_MAX {
        store.keep_answer(answer(&format!("n{number}"), 10, ""), at(0)).await.expect("kept");
    }
    assert_eq!(store.answer(caller, "later").await.expect("reads"), None, "the oldest goes");
    assert!(store.answer(caller, "n0").await.expect("reads").is_some());
    commit(&store, Transaction::new(alice(), at(11)).delete(token_id, 1)).await;
    assert_eq!(store.answer(caller, "n0").await.expect("reads"), None, "it went with its token");
}

async fn ended_sign_ins_are_remembered_until_they_expire(store: Store) {
    let ended = |until| EndedSignIn { id: Id::generate(at(until)), until: at(until) };
    let (short, long) = (ended(10), ended(20));
    for sign_in in [short, long, EndedSignIn { until: at(5), ..long }] {
        store.end_sign_in(sign_in, at(0)).await.expect("kept");
    }
    assert_eq!(store.ended_sign_ins(at(9)).await.expect("reads"), [short, long]);
    assert_eq!(store.ended_sign_ins(at(10)).await.expect("reads"), [long]);
    let last = ended(30);
    store.end_sign_in(last, at(25)).await.expect("kept");
    assert_eq!(store.ended_sign_ins(at(0)).await.expect("reads"), [last], "the expired are forgotten");
}

// ---- What the cases are told with ----

pub(crate) fn alice() -> Author {
    Author {
        name: "user alice".to_owned(),
        via: Via::Portal,
        address: Some("2001:db8::7".parse().expect("address")),
    }
}

fn bob() -> Author {
    Author { name: "token bob".to_owned(), via: Via::Cli, address: None }
}

pub(crate) fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_700_000_000).expect("in range") + SignedDuration::from_secs(second)
}

pub(crate) fn group(description: &str) -> Group {
    Group { description: description.to_owned(), ..Group::default() }
}

pub(crate) fn secret(text: &str) -> Zeroizing<Vec<u8>> {
    Zeroizing::new(text.as_bytes().to_vec())
}

async fn commit(store: &Store, transaction: Transaction) -> Committed {
    let committed = store.commit(transaction).await.expect("committed");
    assert_eq!(*store.watch().borrow(), committed.sequence);
    committed
}

async fn only(store: &Store) -> SettingsObject {
    let mut objects = store.load().await.expect("loads").objects;
    assert_eq!(objects.len(), 1);
    objects.remove(0)
}

async fn object<S: oriel_model::Spec>(store: &Store, id: Id<S>) -> Object<S> {
    let objects = store.load().await.expect("loads").objects;
    let object = objects.iter().find(|object| object.id == id.cast()).expect("there");
    object.decode().expect("decodes")
}

/// A folder of one test, removed with it.
pub(crate) struct Folder(PathBuf);

impl Folder {
    pub(crate) fn new() -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("oriel-store-{}-{number}", std::process::id()));
        // Left by a process of the same id, if anything.
        let _ = std::fs::remove_dir_all(&path);
        std::fs::create_dir_all(&path).expect("made");
        Self(path)
    }

    pub(crate) fn path(&self, name: impl AsRef<Path>) -> PathBuf {
        self.0.join(name)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
