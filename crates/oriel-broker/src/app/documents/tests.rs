//! What holds for every farm: random ones are written as documents, applied, and written again.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use oriel_model::{Id, Kind, SettingsObject, Timestamp};
use oriel_store::{Author, CommitError, Transaction};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::{
    Document, DocumentsQuery, Refused,
    apply::draft,
    draft::{Draft, What},
    list,
    plan::{carry_out, writes},
};
use crate::{
    app::administrators::{Caller, Rights},
    farm::FarmView,
};

fn at() -> Timestamp {
    Timestamp::from_second(1_800_000_000).expect("in range")
}

/// A farm as its first start makes it.
fn empty() -> Arc<FarmView> {
    let mut view = FarmView::default();
    let id = Id::generate(at());
    for (kind, name, spec) in [(Kind::Farm, "Oriel", json!({})), (Kind::Site, "Main", json!({}))] {
        let object = SettingsObject {
            kind,
            id: if kind == Kind::Farm { Id::generate(at()) } else { id },
            name: name.into(),
            site: None,
            spec,
            revision: 1,
            changed_at: at(),
            changed_by: "system".into(),
        };
        view.put(&object);
    }
    Arc::new(view)
}

fn documents(values: &[Value]) -> Vec<Document> {
    super::read(values.to_vec(), "documents").expect("documents")
}

fn all(view: &Arc<FarmView>) -> Vec<Document> {
    list(view, &DocumentsQuery::default(), &Rights::everything())
}

fn applied(view: &Arc<FarmView>, documents: &[Document]) -> Draft {
    draft(view.clone(), documents, at()).unwrap_or_else(|error| panic!("{error}: {error:?}"))
}

#[track_caller]
fn is_unchanged(draft: &Draft) {
    let changed: Vec<_> = draft.edits.iter().filter(|edit| edit.what != What::Keep).collect();
    assert!(changed.is_empty(), "{changed:?}");
}

/// Farms of a few objects that refer to each other; each number chooses something.
fn farm() -> impl Strategy<Value = Vec<Value>> {
    let numbers = prop::collection::vec(any::<u8>(), 40);
    (1..4usize, 1..4usize, 0..4usize, 0..8usize, numbers).prop_map(|(sites, groups, users, resources, n)| {
        let pick = |index: usize, of: usize| usize::from(n[index % n.len()]) % of;
        let mut found = vec![json!({"kind": "farm", "name": "Oriel", "spec": {"sign_in": {"lockout_after": 3 + pick(0, 50)}}})];
        for site in 0..sites {
            let follows = match site {
                0 => json!({}),
                _ => json!({"clients": "site 0"}),
            };
            found.push(json!({"kind": "site", "name": format!("site {site}"), "spec": {
                "description": "d".repeat(pick(site, 9)), "follows": follows,
                "host_defaults": {"max_sessions": 1 + pick(site + 1, 99)},
            }}));
            found.push(json!({"kind": "pool", "name": format!("pool {site}"), "site": format!("site {site}"), "spec": {}}));
        }
        for group in 0..groups {
            found.push(json!({"kind": "group", "name": format!("Gruppe {group} ä"), "spec": {}}));
        }
        for user in 0..users {
            let group = format!("gruppe {} Ä", pick(user + 7, groups));
            found.push(json!({"kind": "user", "name": format!("user{user}"), "spec": {
                "enabled": pick(user + 9, 2) == 0, "groups": [group],
            }}));
        }
        for resource in 0..resources {
            let is_folder = pick(resource, 3) == 0 || resource == 0;
            let target = if is_folder {
                json!({"kind": "folder"})
            } else {
                json!({"kind": "application", "program": "xterm", "arguments": "%USER%", "source": {
                    "from": "pools", "pools": [format!("pool {}", pick(resource + 3, sites))],
                }})
            };
            let mut spec = json!({
                "target": target, "order": pick(resource + 5, 5),
                "sites": [format!("site {}", pick(resource + 6, sites))],
                "rules": {"otherwise": "deny", "rules": [{"effect": "allow", "criteria": [
                    {"type": "group", "objects": [format!("Gruppe {} ä", pick(resource, groups))], "negated": pick(resource + 2, 2) == 0},
                ]}]},
            });
            if resource > 0 {
                spec["folder"] = json!("resource 0");
            }
            found.push(json!({"kind": "resource", "name": format!("resource {resource}"), "spec": spec}));
        }
        found
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn a_farm_that_is_applied_elsewhere_is_the_same_farm(farm in farm(), seed in any::<u64>()) {
        let first = applied(&empty(), &documents(&farm));
        let mut mistakes = oriel_model::validate::Mistakes::default();
        first.check(&mut mistakes);
        first.check_names(&mut mistakes);
        prop_assert_eq!(mistakes.into_vec(), Vec::new());
        let written = all(&first.after);

        // In any order, into another farm.
        let mut shuffled = written.clone();
        let length = shuffled.len();
        for index in 0..length {
            shuffled.swap(index, (seed as usize).wrapping_mul(index + 7) % length);
        }
        let second = applied(&empty(), &shuffled);
        prop_assert_eq!(&all(&second.after), &written);

        // And again into the same.
        is_unchanged(&applied(&first.after, &written));
        is_unchanged(&applied(&first.after, &shuffled));
    }

    #[test]
    fn what_was_applied_is_deleted_whole(farm in farm()) {
        let before = empty();
        let first = applied(&before, &documents(&farm));
        let made = first.puts().filter(|edit| before.name_of(edit.kind, edit.id).is_none());
        let gone: Vec<_> = made
            .map(|edit| json!({"kind": edit.kind, "name": edit.name, "delete": true}))
            .collect();
        let deleted = applied(&first.after, &documents(&gone));
        prop_assert_eq!(deleted.kept(), Vec::new());
        for kind in [Kind::Site, Kind::Pool, Kind::Group, Kind::User, Kind::Resource] {
            let left = list(&deleted.after, &DocumentsQuery { kind: Some(kind), site: None }, &Rights::everything());
            prop_assert_eq!(left.len(), usize::from(kind == Kind::Site), "{:?}", left);
        }
        is_unchanged(&applied(&deleted.after, &documents(&gone)));
    }
}

/// What is wrong with documents: fields and the beginnings of messages.
#[track_caller]
fn mistakes(view: &Arc<FarmView>, values: &[Value]) -> Vec<(String, String)> {
    match draft(view.clone(), &documents(values), at()) {
        Err(Refused::Invalid(found)) => found.into_iter().map(|m| (m.field, m.message)).collect(),
        Err(other) => panic!("{other}"),
        Ok(draft) => {
            let mut found = oriel_model::validate::Mistakes::default();
            draft.check(&mut found);
            draft.check_names(&mut found);
            found.into_vec().into_iter().map(|m| (m.field, m.message)).collect()
        }
    }
}

#[track_caller]
fn check_mistakes(values: &[Value], expected: &[(&str, &str)]) {
    let found = mistakes(&empty(), values);
    let expected: Vec<_> = expected.iter().map(|(f, m)| ((*f).to_owned(), (*m).to_owned())).collect();
    assert_eq!(found, expected);
}

fn folder(name: &str, within: &str) -> Value {
    json!({"kind": "resource", "name": name, "spec": {"target": {"kind": "folder"}, "folder": within}})
}

#[test]
fn every_name_that_leads_nowhere_is_named_and_nothing_is_blamed_twice() {
    check_mistakes(
        &[
            json!({"kind": "group", "name": "Staff", "spec": {"colour": "red"}}),
            json!({"kind": "user", "name": "alice", "spec": {"groups": ["Staff", "Nobody", "Noone"]}}),
            json!({"kind": "pool", "name": "p", "site": "Nowhere", "spec": {"settings": {"max_sessions": 0}}}),
        ],
        &[
            ("documents[0].spec.colour", "unknown field `colour`, expected `description` or `external`"),
            ("documents[1].spec.groups[1]", "there is no group \"Nobody\""),
            ("documents[1].spec.groups[2]", "there is no group \"Noone\""),
            ("documents[2].site", "there is no site \"Nowhere\""),
            ("documents[2].spec.settings.max_sessions", "is 0; must be from 1 to 10000"),
        ],
    );
}

#[test]
fn cycles_of_folders_are_found_among_documents_of_one_call() {
    let cycle = "a folder cannot lie in itself or in a folder below it";
    check_mistakes(
        &[folder("a", "c"), folder("b", "a"), folder("c", "b")],
        &[
            ("documents[0].spec.folder", cycle),
            ("documents[1].spec.folder", cycle),
            ("documents[2].spec.folder", cycle),
        ],
    );
    check_mistakes(&[folder("a", "A")], &[("documents[0].spec.folder", cycle)]);
}

#[test]
fn one_object_stands_in_one_document() {
    let group = json!({"kind": "group", "name": "Staff", "spec": {}});
    let again = json!({"kind": "group", "name": "STAFF", "spec": {}});
    check_mistakes(&[group, again], &[("documents[1].name", "stands in another document too")]);
    let site = json!({"kind": "site", "name": "main", "spec": {}});
    check_mistakes(&[site.clone(), site], &[("documents[1].name", "is the object of documents[0] already")]);
}

#[test]
fn what_comes_by_joining_is_not_made_and_what_the_farm_sets_is_not_said() {
    check_mistakes(
        &[
            json!({"kind": "host", "name": "h1", "spec": {"pool": "p"}}),
            json!({"kind": "pool", "name": "p", "spec": {}}),
        ],
        &[(
            "documents[0].name",
            "there is no host \"h1\", and a document cannot make one: it comes when its machine joins with an invitation",
        )],
    );
    let found = mistakes(
        &empty(),
        &[json!({"kind": "token", "name": "t", "spec": {"secret_sha256": "x", "role": "root"}})],
    );
    assert!(found.contains(&(
        "documents[0].spec.secret_sha256".into(),
        "is set by the farm itself: leave it out".into()
    )));
}

#[test]
fn objects_may_swap_their_names() {
    let two = [
        json!({"kind": "group", "name": "a", "spec": {"description": "first"}}),
        json!({"kind": "group", "name": "b", "spec": {"description": "second"}}),
        json!({"kind": "user", "name": "u", "spec": {"groups": ["a"]}}),
    ];
    let before = applied(&empty(), &documents(&two)).after;
    let swap = [
        json!({"kind": "group", "name": "b", "renamed_from": "a", "spec": {"description": "first"}}),
        json!({"kind": "group", "name": "a", "renamed_from": "b", "spec": {"description": "second"}}),
        json!({"kind": "group", "name": "c", "spec": {}}),
    ];
    let swapped = applied(&before, &documents(&swap));
    assert_eq!(swapped.after.id_of(Kind::Group, "b"), before.id_of(Kind::Group, "a"));
    let user = all(&swapped.after).into_iter().find(|document| document.name == "u").expect("a user");
    assert_eq!(user.spec["groups"], json!(["b"]), "who refers to it refers to it still");
    let names: Vec<_> = writes(&swapped)
        .iter()
        .map(|write| match write {
            oriel_store::Write::Update { name, expected_revision, .. } => (name.clone(), *expected_revision),
            oriel_store::Write::Create { name, .. } => (name.clone(), 0),
            other => panic!("{other:?}"),
        })
        .collect();
    let step = before.id_of(Kind::Group, "a").expect("a group").to_string();
    let expected = [("c", 0), (step.as_str(), 0), ("a", 0), ("b", 1)];
    assert_eq!(names, expected.map(|(name, revision)| (name.to_owned(), revision)));
    let again = applied(&swapped.after, &documents(&swap[2..]));
    is_unchanged(&again);
}

#[test]
fn an_old_name_means_nothing_in_the_same_call() {
    let before = applied(&empty(), &documents(&[json!({"kind": "group", "name": "old", "spec": {}})])).after;
    let found = mistakes(
        &before,
        &[
            json!({"kind": "group", "name": "new", "renamed_from": "old", "spec": {}}),
            json!({"kind": "user", "name": "u", "spec": {"groups": ["old"]}}),
        ],
    );
    assert_eq!(found, [("documents[1].spec.groups[0]".to_owned(), "there is no group \"old\"".to_owned())]);
}

// ---- Other writers ----

/// Renames the first pool while somebody else describes it anew before each of the first `times` attempts.
async fn overtaken(times: usize) -> (Result<super::Plan, Refused>, Arc<FarmView>) {
    let folder = tempfile::tempdir().expect("a folder");
    let localhost = std::net::Ipv4Addr::LOCALHOST.into();
    let mut config = crate::BrokerConfig::new(folder.path(), localhost, "b1");
    config.gateway_listen.set_port(0);
    config.agent_listen.set_port(0);
    config.management_listen.set_port(0);
    let bound = crate::bind(config).await.expect("a broker");
    let broker = bound.broker().clone();
    let stop = oriel_net::supervise::ShutdownHandle::new();
    let running = tokio::spawn(bound.run(stop.signal()));
    let (other, runtime) = (broker.clone(), tokio::runtime::Handle::current());
    let attempts = AtomicUsize::new(0);
    let outcome = carry_out(&broker, &Caller::system(), false, move |view| {
        let mut pool = (**view.pools.iter().next().expect("the first pool")).clone();
        let attempt = attempts.fetch_add(1, Ordering::SeqCst);
        if attempt < times {
            let mut theirs = pool.clone();
            theirs.spec.description = format!("theirs {attempt}");
            let transaction = Transaction::new(Author::system(), at()).update(&theirs);
            runtime.block_on(other.store.commit(transaction)).expect("they are faster");
        }
        pool.name = "Mine".into();
        let mut draft = Draft::new(view);
        draft.put("", pool);
        Ok(draft.into())
    })
    .await;
    let view = broker.farm.load();
    stop.give();
    running.await.expect("no panic").expect("stopped");
    (outcome, view)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_that_others_overtake_is_planned_anew_on_what_they_wrote() {
    let (outcome, view) = overtaken(2).await;
    assert!(outcome.expect("done").committed);
    let pool = view.pools.by_name("Mine").expect("renamed");
    assert_eq!((&*pool.spec.description, pool.revision), ("theirs 1", 4), "nothing of theirs is lost");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_that_is_overtaken_for_ever_is_refused() {
    let (outcome, view) = overtaken(usize::MAX).await;
    let refused = outcome.expect_err("refused");
    assert!(matches!(refused, Refused::Commit(CommitError::Stale { .. })), "{refused}");
    assert!(view.pools.by_name("Mine").is_none());
}
