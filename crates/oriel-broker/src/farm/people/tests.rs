use oriel_model::{Kind, SettingsObject};
use serde_json::{Value, json};

use super::*;

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).expect("in range")
}

fn put(view: &mut FarmView, kind: Kind, id: Id<Value>, name: &str, spec: Value) {
    let (changed_at, changed_by) = (Timestamp::UNIX_EPOCH, "t".to_owned());
    let name = name.to_owned();
    view.put(&SettingsObject { kind, id, name, site: None, spec, revision: 1, changed_at, changed_by });
    view.reindex();
}

fn corp(more: Value) -> Value {
    let mut spec = json!({"kind": "openldap", "domain": "corp.example", "base_dn": "dc=corp,dc=example",
        "servers": [{"host": "dc"}], "bind_name": "cn=oriel"});
    spec.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
    spec
}

fn anna(directory: Id<Directory>, groups: &[&str]) -> Person {
    Person {
        directory,
        external: "e-1".into(),
        name: "anna@corp.example".into(),
        account: "Anna".into(),
        full_name: "Anna B".into(),
        enabled: true,
        groups: groups.iter().map(|group| external::group_id(directory, group)).collect(),
        credential_revision: 7,
        seen_at: at(1_000),
    }
}

struct Farm {
    view: FarmView,
    directory: Id<Directory>,
}

fn farm() -> Farm {
    let mut view = FarmView::default();
    let directory = Id::generate(at(1));
    put(&mut view, Kind::Directory, directory.cast(), "Corp", corp(json!({})));
    Farm { view, directory }
}

#[test]
fn a_person_is_what_their_directory_and_the_farm_say() {
    let Farm { mut view, directory } = farm();
    let user = anna(directory, &[]).id();
    assert!(view.person(user).is_none() && view.is_unheard_of(user));
    view.people.put(anna(directory, &["g-1", "g-2"]));
    let person = view.person(user).expect("known");
    assert_eq!((&*person.name, person.spec.account.as_deref()), ("anna@corp.example", Some("anna")));
    assert!(person.spec.groups.is_empty(), "nobody chose a group");

    let chosen = external::group_id(directory, "g-2");
    let external = |id: &str| json!({"external": {"directory": directory, "id": id}});
    put(&mut view, Kind::Group, chosen.cast(), "Sales", external("g-2"));
    assert_eq!(view.person(user).expect("known").spec.groups, [chosen]);
    // An object with the id of a directory's group that is not that group's grants nothing.
    let claimed = external::group_id(directory, "g-1");
    put(&mut view, Kind::Group, claimed.cast(), "Claimed", json!({}));
    assert_eq!(view.person(user).expect("known").spec.groups, [chosen]);

    let own = Id::generate(at(2));
    put(&mut view, Kind::Group, own.cast(), "Own", json!({}));
    let mut spec = external("e-1");
    spec["groups"] = json!([own]);
    put(&mut view, Kind::User, user.cast(), "anna (Corp)", spec.clone());
    let person = view.person(user).expect("known");
    assert_eq!((&*person.name, &*person.spec.groups), ("anna@corp.example", &[chosen, own][..]));
    spec["enabled"] = json!(false);
    put(&mut view, Kind::User, user.cast(), "anna (Corp)", spec);
    assert!(!view.person(user).expect("known").spec.enabled);
}

#[test]
fn who_is_gone_or_unheard_of_for_too_long_is_not_signed_in() {
    let Farm { mut view, directory } = farm();
    let person = anna(directory, &[]);
    let user = person.id();
    view.people.put(person.clone());
    let day = 24 * 3_600;
    assert!(view.person_at(user, at(1_000 + day)).is_some());
    assert!(view.person_at(user, at(1_000 + day + 1_000)).is_none(), "no server answered for a day");
    put(&mut view, Kind::Directory, directory.cast(), "Corp", corp(json!({"bind_name": null})));
    assert!(view.person_at(user, at(1_000 + day + 1_000)).is_some(), "nobody can be asked");
    assert!(view.people.shut(user, at(1_001)) && !view.people.shut(user, at(1_002)));
    assert!(view.person_at(user, at(1_003)).is_none());
    view.people.put(person);
    put(&mut view, Kind::Directory, directory.cast(), "Corp", corp(json!({"enabled": false})));
    assert!(view.person_at(user, at(1_000)).is_none());
    view.remove(Kind::Directory, directory.cast());
    assert!(view.person(user).is_none());
}

#[test]
fn accounts_are_never_the_systems_nor_another_users() {
    let Farm { mut view, directory } = farm();
    let account = |view: &FarmView, name: &str| {
        view.people.put(Person { account: name.into(), ..anna(directory, &[]) });
        let account = view.person(anna(directory, &[]).id()).expect("known").spec.account.clone();
        account.expect("an account")
    };
    for (name, expected) in [("Anna Blum", "anna_blum"), ("9lives", "_9lives"), ("jörg$", "j_rg_"), ("", "_")]
    {
        assert_eq!(account(&view, name), expected, "{name}");
    }
    assert_eq!(account(&view, &"x".repeat(40)), "x".repeat(32));
    assert!(account(&view, "root").starts_with("root-"));
    put(&mut view, Kind::User, Id::generate(at(3)), "ben", json!({}));
    let bens = account(&view, "Ben");
    assert!(bens.starts_with("ben-") && bens.len() == 12, "{bens}");
    put(&mut view, Kind::Directory, directory.cast(), "Corp", corp(json!({"account_suffix": ".corp"})));
    assert_eq!(account(&view, "Ben"), "ben.corp");
}

#[test]
fn a_directory_is_asked_again_when_its_answer_is_old_and_not_all_the_time() {
    let Farm { view, directory } = farm();
    let (people, cache) = (&view.people, SignedDuration::from_secs(300));
    let user = anna(directory, &[]).id();
    assert!(people.is_due(user, cache, at(1_000)), "nobody knows them");
    people.put(anna(directory, &[]));
    assert!(!people.is_due(user, cache, at(1_299)) && people.is_due(user, cache, at(1_300)));
    people.asked(user, at(1_300));
    assert!(!people.is_due(user, cache, at(1_310)), "it gave no answer");
    assert!(people.is_due(user, cache, at(1_316)));
    people.put(Person { seen_at: at(1_320), ..anna(directory, &[]) });
    people.flush(Id::generate(at(9)));
    assert!(!people.is_due(user, cache, at(1_321)));
    people.flush(directory);
    assert!(people.is_due(user, cache, at(1_321)));
    people.asked(user, at(1_322));
    assert!(!people.is_due(user, cache, at(1_323)));
    assert!(people.is_due(user, cache, at(1_337)), "it is still to be asked");
}

#[tokio::test]
async fn people_are_known_to_the_next_broker() {
    let folder = tempfile::tempdir().expect("a folder");
    let address = format!("sqlite:{}", folder.path().join("settings.db").display());
    let store = oriel_store::open(&address, oriel_store::FarmKey::from_bytes(&[7; 32])).await.expect("opens");
    let directory = Id::generate(at(1));
    let people = KnownPeople::default();
    people.put(anna(directory, &["g-1"]));
    assert!(people.write_all(&*store, at(1_000)).await);
    let next = KnownPeople::load_from(&*store).await.expect("reads");
    assert_eq!(next.get(anna(directory, &[]).id()).as_deref(), Some(&anna(directory, &["g-1"])));
    assert!(next.is_due(anna(directory, &[]).id(), SignedDuration::from_secs(300), at(1_001)));
}

#[test]
fn memory_of_people_is_bounded() {
    let mut known = HashMap::new();
    for second in 0..100 {
        let person =
            Person { external: second.to_string(), seen_at: at(second), ..anna(Id::generate(at(1)), &[]) };
        known.insert(person.id(), Known { person: Arc::new(person), is_stale: false, asked_at: None });
    }
    forget_oldest(&mut known);
    assert_eq!(known.len(), 89);
    assert!(known.values().all(|known| known.person.seen_at > at(10)));
}
