//! Documents, and sections of sites.

use std::{collections::BTreeMap, time::Duration};

use oriel_identity::Limits;
use zeroize::Zeroizing;

use super::*;

pub(super) const PASSPHRASE: &str = "correct horse battery staple";

/// A small office, in no order: what is referred to often stands below.
pub(super) fn documents() -> Vec<Value> {
    vec![
        json!({"kind": "resource", "name": "Letter", "site": "Berlin", "spec": {
            "folder": "Writing", "target": {"kind": "document", "application": "Writer", "path": "~/letter.odt"},
        }}),
        json!({"kind": "resource", "name": "Writer", "spec": {
            "folder": "Writing", "rules": {"otherwise": "deny", "rules": [
                {"effect": "allow", "criteria": [{"type": "group", "objects": ["Staff"]}]},
            ]},
            "target": {"kind": "application", "program": "lowriter", "source": {"from": "pools", "pools": ["Office"]}},
        }}),
        json!({"kind": "resource", "name": "Writing", "spec": {"target": {"kind": "folder"}}}),
        json!({"kind": "user", "name": "alice", "spec": {"groups": ["Staff"]}}),
        json!({"kind": "group", "name": "Staff", "spec": {}}),
        json!({"kind": "pool", "name": "Office", "site": "Berlin", "spec": {"settings": {"max_sessions": 20}}}),
        json!({"kind": "site", "name": "Berlin", "spec": {}}),
    ]
}

pub(super) fn actions(plan: &Value) -> BTreeMap<String, String> {
    let items = plan["plan"].as_array().expect("a plan").iter();
    items
        .map(|item| {
            let text = |field: &str| item[field].as_str().expect("text").to_owned();
            (format!("{} {}", text("kind"), text("name")), text("action"))
        })
        .collect()
}

#[track_caller]
pub(super) fn errors(body: &Value) -> Vec<(&str, &str)> {
    let errors = body["errors"].as_array().expect("errors").iter();
    errors.map(|e| (e["field"].as_str().expect("text"), e["message"].as_str().expect("text"))).collect()
}

impl Office {
    pub(super) async fn apply(&self, documents: &[Value]) -> Answer {
        self.post("apply", json!({"documents": documents})).await
    }

    pub(super) async fn sequence(&self) -> u64 {
        self.get("status").await.expect(StatusCode::OK)["newest_change"].as_u64().expect("a number")
    }

    pub(super) async fn documents(&self) -> Vec<Value> {
        let found = self.get("documents").await.expect(StatusCode::OK);
        found["documents"].as_array().expect("documents").clone()
    }

    pub(super) async fn export(&self) -> Value {
        self.post("export", json!({"passphrase": PASSPHRASE})).await.expect(StatusCode::OK)
    }

    pub(super) async fn can_sign_in(&self, name: &str, password: &str) -> bool {
        let password = Zeroizing::new(password.to_owned());
        let limits = Limits::from(&self.broker.farm.load().farm().sign_in);
        self.broker.people.sign_in(name, password, None, self.broker.now(), &limits).await.is_ok()
    }
}

#[tokio::test]
async fn documents_are_applied_in_any_order_and_once() {
    let office = Office::open().await;
    let before = office.sequence().await;
    let tried = office.post("apply", json!({"documents": documents(), "dry_run": true})).await;
    let tried = tried.expect(StatusCode::OK);
    assert_eq!((&tried["committed"], office.sequence().await), (&json!(false), before));
    assert!(actions(&tried).values().all(|action| action == "create"), "{tried:#}");
    let pool = tried["plan"].as_array().expect("a plan").iter().find(|item| item["kind"] == "pool");
    let changes = pool.expect("the pool")["changes"].as_array().expect("changes");
    assert!(changes.contains(&json!({"field": "site", "before": null, "after": "Berlin"})), "{changes:?}");

    let done = office.apply(&documents()).await.expect(StatusCode::OK);
    assert_eq!((&done["committed"], &done["sequence"]), (&json!(true), &json!(before + 7)));
    let again = office.apply(&documents()).await.expect(StatusCode::OK);
    assert!(actions(&again).values().all(|action| action == "unchanged"), "{again:#}");
    assert_eq!(office.sequence().await, before + 7, "what is unchanged is not written");

    let listed = office.documents().await;
    let letter = listed.iter().find(|document| document["name"] == "Letter").expect("the letter");
    assert_eq!(letter["spec"]["target"]["application"], "Writer");
    assert_eq!((&letter["spec"]["folder"], &letter["site"]), (&json!("Writing"), &json!("Berlin")));
    assert!(!json!(listed).to_string().contains("secret_sha256"));
    let again = office.apply(&listed).await.expect(StatusCode::OK);
    assert!(actions(&again).values().all(|action| action == "unchanged"), "{again:#}");
    let pools = office.get("documents?kind=pool").await.expect(StatusCode::OK);
    assert_eq!(pools["documents"].as_array().map(Vec::len), Some(2));
}

#[tokio::test]
async fn every_mistake_of_every_document_is_reported_and_nothing_is_written() {
    let office = Office::open().await;
    let before = office.sequence().await;
    let mut wrong = documents();
    wrong[1]["spec"]["target"]["program"] = json!("");
    wrong[3]["spec"]["groups"] = json!(["Stuff"]);
    wrong[5]["spec"]["settings"]["max_session"] = json!(5);
    let body = office.apply(&wrong).await.expect(StatusCode::UNPROCESSABLE_ENTITY);
    let found = errors(&body);
    let fields: Vec<_> = found.iter().map(|(field, _)| *field).collect();
    let expected = [
        "documents[3].spec.groups[0]",
        "documents[5].spec.settings.max_session",
        "documents[1].spec.target.program",
    ];
    assert_eq!(fields, expected, "{body:#}");
    assert_eq!(found[0].1, "there is no group \"Stuff\"");

    let body =
        office.apply(&[json!({"kind": "hostage", "name": "x"}), json!({"kind": "pool", "nam": "x"})]).await;
    let body = body.expect(StatusCode::UNPROCESSABLE_ENTITY);
    let found = errors(&body);
    assert_eq!(found[0].0, "documents[0].kind");
    assert!(found[0].1.contains("unknown variant `hostage`"), "{}", found[0].1);
    assert_eq!(found[1].0, "documents[1].nam");

    let icon = json!({"kind": "resource", "name": "x", "spec": {"target": {"kind": "folder"}, "icon": "ab".repeat(32)}});
    let body = office.apply(&[icon]).await.expect(StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(errors(&body), [("documents[0].spec.icon", "there is no such icon: send the picture first")]);
    let name = "n".repeat(200);
    let rules = vec![json!({"effect": "allow", "name": name}); 2_000];
    let large = json!({"kind": "resource", "name": "x", "spec": {
        "target": {"kind": "folder"}, "rules": {"rules": rules},
    }});
    let body = office.apply(&[documents()[2].clone(), large]).await.expect(StatusCode::UNPROCESSABLE_ENTITY);
    assert!(errors(&body).iter().all(|(field, _)| field.starts_with("documents[1].spec")), "{body:#}");
    assert_eq!(office.sequence().await, before);
}

#[tokio::test]
async fn deletions_look_at_the_whole_call() {
    let office = Office::open().await;
    office.apply(&documents()).await.expect(StatusCode::OK);
    let gone = |kind: &str, name: &str| json!({"kind": kind, "name": name, "delete": true});
    let body = office.apply(&[gone("group", "Staff"), gone("pool", "Office")]).await;
    let body = body.expect(StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(
        errors(&body),
        [
            ("documents[0]", "group \"Staff\" is in use by resource \"Writer\", user \"alice\""),
            ("documents[1]", "pool \"Office\" is in use by resource \"Writer\""),
        ]
    );
    let writer = json!({"kind": "resource", "name": "Writer", "spec": {
        "target": {"kind": "application", "program": "lowriter"},
    }});
    let user = json!({"kind": "user", "name": "Alice", "spec": {}});
    let done = office.apply(&[gone("group", "Staff"), gone("pool", "Office"), writer, user]).await;
    let done = done.expect(StatusCode::OK);
    assert_eq!(actions(&done)["group Staff"], "delete");
    assert_eq!(actions(&done)["resource Writer"], "change");
    let again = office.apply(&[gone("group", "Staff")]).await.expect(StatusCode::OK);
    assert_eq!(actions(&again)["group Staff"], "unchanged");

    let farm = office.apply(&[gone("farm", "Oriel"), gone("broker", "b1"), gone("token", "admin")]).await;
    let body = farm.expect(StatusCode::UNPROCESSABLE_ENTITY);
    let said: Vec<_> = errors(&body).iter().map(|(_, message)| (*message).to_owned()).collect();
    assert!(said.iter().any(|message| message.contains("everything in it")), "{said:?}");
    assert!(said.iter().any(|message| message.contains("the last token that may do everything")), "{said:?}");
    assert!(said.iter().any(|message| message.contains("is the broker that serves this call")), "{said:?}");
    let weaker = json!({"kind": "token", "name": "admin", "spec": {"role": "viewer"}});
    let body = office.apply(&[weaker]).await.expect(StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(errors(&body)[0].0, "documents[0].spec.role");
}

#[tokio::test]
async fn an_application_in_which_documents_open_and_a_folder_that_holds_something_stay_so() {
    let office = Office::open().await;
    office.apply(&documents()).await.expect(StatusCode::OK);
    let body = office
        .apply(&[
            json!({"kind": "resource", "name": "Writer", "spec": {"target": {"kind": "folder"}}}),
            json!({"kind": "resource", "name": "Writing", "spec": {"target": {"kind": "desktop"}}}),
        ])
        .await
        .expect(StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(
        errors(&body),
        [
            ("documents[0].spec.target", "must stay an application: \"Letter\" opens in it"),
            ("documents[1].spec.target", "must stay a folder: \"Letter\" lies in it"),
        ]
    );
}

#[tokio::test]
async fn a_plan_that_was_looked_at_is_refused_when_others_changed_what_it_touches() {
    let office = Office::open().await;
    office.apply(&documents()).await.expect(StatusCode::OK);
    let pool = json!({"kind": "pool", "name": "Office", "site": "Berlin", "spec": {}});
    let plan =
        office.post("apply", json!({"documents": [pool], "dry_run": true})).await.expect(StatusCode::OK);
    office.apply(&[json!({"kind": "group", "name": "Other", "spec": {}})]).await.expect(StatusCode::OK);
    let other = json!({"kind": "pool", "name": "Office", "site": "Berlin", "spec": {"description": "mine"}});
    office.apply(&[other]).await.expect(StatusCode::OK);
    let stale = office.post("apply", json!({"documents": [pool], "sequence": plan["sequence"]})).await;
    let message = stale.refused(StatusCode::CONFLICT, "changed_since");
    assert!(message.starts_with("Pool \"Office\" was changed by token admin at"), "{message}");
    let fresh = json!({"documents": [pool], "sequence": office.sequence().await});
    assert_eq!(office.post("apply", fresh).await.expect(StatusCode::OK)["committed"], true);
}

#[tokio::test]
async fn roles_hold_for_documents_too() {
    let office = Office::open().await;
    let viewer = office.post("tokens", json!({"name": "v", "spec": {"role": "viewer"}})).await;
    let viewer = viewer.expect(StatusCode::CREATED)["secret"].as_str().expect("a secret").to_owned();
    let send = |method, path, body: Value| {
        let body = body.to_string().into_bytes();
        office.send(&viewer, method, path, "application/json", body, None)
    };
    let seen = send(Method::GET, "documents", json!(null)).await.expect(StatusCode::OK);
    let kinds: Vec<_> = seen["documents"].as_array().expect("documents").iter().map(|d| &d["kind"]).collect();
    assert!(kinds.contains(&&json!("pool")) && !kinds.contains(&&json!("token")), "{kinds:?}");
    for (path, body) in [
        ("apply", json!({"documents": []})),
        ("export", json!({})),
        ("revert", json!({"to": 1})),
        ("changes/1/revert", json!({})),
        ("backups", json!({})),
    ] {
        send(Method::POST, path, body).await.refused(StatusCode::FORBIDDEN, "forbidden");
    }
}

/// The size that is promised: 10,000 resources in one call.
#[tokio::test]
async fn ten_thousand_resources_are_applied_in_one_call() {
    let office = Office::open().await;
    let mut many = vec![json!({"kind": "group", "name": "Staff", "spec": {}})];
    many.extend((0..100).map(|n| {
        json!({"kind": "resource", "name": format!("Folder {n}"), "spec": {"target": {"kind": "folder"}}})
    }));
    many.extend((0..9_900).map(|n| {
        json!({"kind": "resource", "name": format!("Program {n}"), "spec": {
            "folder": format!("Folder {}", n % 100),
            "target": {"kind": "application", "program": "xterm", "arguments": format!("-T {n}")},
            "rules": {"otherwise": "deny", "rules": [
                {"effect": "allow", "criteria": [{"type": "group", "objects": ["Staff"]}]},
            ]},
        }})
    }));
    let done = office.apply(&many).await.expect(StatusCode::OK);
    assert_eq!(done["plan"].as_array().map(Vec::len), Some(10_001));
    // A busy machine answers before it has taken all of it in.
    let mut changes = office.broker.farm.changes(&[oriel_model::Kind::Resource]);
    let all_taken_in = async {
        while office.broker.farm.load().resources.len() < 10_000 {
            changes.next().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), all_taken_in).await.expect("10,000 resources");
    let again = office.apply(&many).await.expect(StatusCode::OK);
    assert!(actions(&again).values().all(|action| action == "unchanged"));
}

// ---- Sections of sites ----

#[tokio::test]
async fn sections_of_a_site_are_copied_once_or_kept_in_step() {
    let office = Office::open().await;
    let site =
        async |name: &str, spec: Value| office.made("sites", json!({"name": name, "spec": spec})).await;
    let from = site("From", json!({"host_defaults": {"max_sessions": 7}, "description": "mine"})).await;
    let (one, two) = (site("One", json!({})).await, site("Two", json!({})).await);
    let path = format!("sites/{from}/copy");
    let copied = office.post(&path, json!({"sections": ["host_defaults"], "to": [one]})).await;
    let copied = copied.expect(StatusCode::OK);
    assert_eq!(
        copied["plan"][0]["changes"],
        json!([{"field": "spec.host_defaults.max_sessions", "before": null, "after": 7}])
    );
    let body = json!({"sections": ["host_defaults", "clients"], "to": [two], "keep_in_step": true});
    let kept = office.post(&path, body.clone()).await.expect(StatusCode::OK);
    assert_eq!(kept["committed"], true);
    let two_now = office.get(&format!("sites/{two}")).await.expect(StatusCode::OK);
    assert_eq!(two_now["spec"]["follows"], json!({"host_defaults": from, "clients": from}));
    let again = office.post(&path, body).await.expect(StatusCode::OK);
    assert_eq!(again["plan"][0]["action"], "unchanged");

    // Copied from a follower comes what holds there, and who is followed.
    let body = json!({"sections": ["host_defaults"], "to": [one], "keep_in_step": true});
    office.post(&format!("sites/{two}/copy"), body).await.expect(StatusCode::OK);
    let one_now = office.get(&format!("sites/{one}")).await.expect(StatusCode::OK);
    assert_eq!(one_now["spec"]["follows"], json!({"host_defaults": from}));
    assert_eq!(one_now["spec"]["description"], "");

    let wrong = json!({"sections": ["clients"], "to": [from, two, two]});
    let body = office.post(&path, wrong).await.expect(StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(errors(&body), [("to[0]", "is the site that is copied from"), ("to[2]", "stands here twice")]);
    let nowhere = "0192f0c1-2b7a-7c3e-9d55-0e6f3a1b2c4d";
    let body = json!({"sections": ["clients"], "to": [one]});
    office.post(&format!("sites/{nowhere}/copy"), body).await.refused(StatusCode::NOT_FOUND, "not_found");
}
