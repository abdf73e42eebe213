//! Documents, archives and backups.

use std::collections::BTreeMap;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use oriel_identity::Limits;
use zeroize::Zeroizing;

use super::*;
use crate::app::documents::backup;

const PASSPHRASE: &str = "correct horse battery staple";

/// A small office, in no order: what is referred to often stands below.
fn documents() -> Vec<Value> {
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

fn actions(plan: &Value) -> BTreeMap<String, String> {
    let items = plan["plan"].as_array().expect("a plan").iter();
    items
        .map(|item| {
            let text = |field: &str| item[field].as_str().expect("text").to_owned();
            (format!("{} {}", text("kind"), text("name")), text("action"))
        })
        .collect()
}

#[track_caller]
fn errors(body: &Value) -> Vec<(&str, &str)> {
    let errors = body["errors"].as_array().expect("errors").iter();
    errors.map(|e| (e["field"].as_str().expect("text"), e["message"].as_str().expect("text"))).collect()
}

impl Office {
    async fn apply(&self, documents: &[Value]) -> Answer {
        self.post("apply", json!({"documents": documents})).await
    }

    async fn sequence(&self) -> u64 {
        self.get("status").await.expect(StatusCode::OK)["newest_change"].as_u64().expect("a number")
    }

    async fn documents(&self) -> Vec<Value> {
        let found = self.get("documents").await.expect(StatusCode::OK);
        found["documents"].as_array().expect("documents").clone()
    }

    async fn export(&self) -> Value {
        self.post("export", json!({"passphrase": PASSPHRASE})).await.expect(StatusCode::OK)
    }

    async fn can_sign_in(&self, name: &str, password: &str) -> bool {
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
    assert_eq!(office.broker.farm.load().resources.len(), 10_000);
    let again = office.apply(&many).await.expect(StatusCode::OK);
    assert!(actions(&again).values().all(|action| action == "unchanged"));
}

// ---- Archives ----

fn icon() -> Vec<u8> {
    let mut png = std::io::Cursor::new(Vec::new());
    image::DynamicImage::new_rgba8(8, 8).write_to(&mut png, image::ImageFormat::Png).expect("a picture");
    png.into_inner()
}

/// An office with everything that an archive must carry.
async fn furnished() -> Office {
    let office = Office::open().await;
    office.apply(&documents()).await.expect(StatusCode::OK);
    let made = office.send(&office.token, Method::POST, "icons", "image/png", icon(), None).await;
    let icon = made.expect(StatusCode::CREATED)["id"].clone();
    let pictured =
        json!({"kind": "resource", "name": "Pictured", "spec": {"target": {"kind": "folder"}, "icon": icon}});
    office.apply(&[pictured]).await.expect(StatusCode::OK);
    office.made("users", json!({"name": "bob", "password": "bobs own password"})).await;
    office.made("tokens", json!({"name": "ci", "spec": {"role": "viewer"}})).await;
    let pool = office.get("pools?name=Office").await.expect(StatusCode::OK)["items"][0]["id"].clone();
    office.made("invitations", json!({"name": "inv", "role": "agent", "pool": pool})).await;
    // A host, as joining makes one.
    let host = serde_json::from_value::<oriel_model::host::Host>(json!({"pool": pool})).expect("a host");
    let id = oriel_model::Id::<oriel_model::host::Host>::generate(office.broker.now());
    let transaction = oriel_store::Transaction::new(oriel_store::Author::system(), office.broker.now());
    office.broker.commit(transaction.create(id, "h1", None, &host)).await.expect("a host");
    office
}

/// An archive without what is different in each: when it was made, of which farm, how it is sealed.
fn comparable(mut archive: Value) -> Value {
    let fields = archive.as_object_mut().expect("an archive");
    for field in ["made_at", "secrets", "farm"] {
        fields.remove(field);
    }
    for document in archive["documents"].as_array_mut().expect("documents") {
        // What stays itself has an id of its own.
        if ["farm", "broker"].contains(&document["kind"].as_str().expect("a kind"))
            || document["name"] == "admin"
        {
            document.as_object_mut().expect("a document").remove("id");
        }
    }
    archive
}

#[tokio::test]
async fn a_farm_that_is_exported_and_imported_is_an_equal_farm() {
    let source = furnished().await;
    let archive = source.export().await;
    assert_eq!(archive["format"], "oriel-export/1");
    let text = archive.to_string();
    assert!(!text.contains("argon2id$") && !text.contains("secret_sha256"), "nothing secret is readable");

    let target = Office::open().await;
    let body = json!({"archive": archive, "passphrase": PASSPHRASE, "dry_run": true});
    let before = target.sequence().await;
    assert_eq!(target.post("import", body).await.expect(StatusCode::OK)["committed"], false);
    assert_eq!(target.sequence().await, before);

    let body = json!({"archive": archive, "passphrase": PASSPHRASE});
    let done = target.post("import", body.clone()).await.expect(StatusCode::OK);
    assert_eq!((&done["committed"], done.get("notes")), (&json!(true), None), "{done:#}");
    assert_eq!(comparable(target.export().await), comparable(archive.clone()));

    assert!(target.can_sign_in("bob", "bobs own password").await);
    assert!(!target.can_sign_in("bob", "another password").await);
    let icon = archive["icons"].as_object().expect("icons").keys().next().expect("an icon").clone();
    target.get(&format!("icons/{icon}")).await.expect(StatusCode::OK);
    let digest = |office: &Office, name: &str| {
        office.broker.farm.load().tokens.by_name(name).expect("a token").spec.secret_sha256.clone()
    };
    assert_eq!(digest(&target, "ci"), digest(&source, "ci"), "scripts keep their tokens");
    assert_ne!(digest(&target, "admin"), digest(&source, "admin"), "who imports is not locked out");
    let invitations = |office: &Office| {
        office.broker.farm.load().invitations.iter().map(|i| i.spec.secret_sha256.clone()).collect::<Vec<_>>()
    };
    assert_eq!(invitations(&target), invitations(&source));
    assert_eq!(target.broker.farm.load().farms.iter().next().expect("a farm").id, target.broker.farm_id);

    // It is not empty any more; as the same farm again, it is unchanged.
    let refused = target.post("import", body.clone()).await.refused(StatusCode::CONFLICT, "not_empty");
    assert!(refused.contains("2 users"), "{refused}");
    let mut again = body;
    again["replace"] = json!(true);
    let again = target.post("import", again).await.expect(StatusCode::OK);
    assert!(actions(&again).values().all(|action| action == "unchanged"), "{again:#}");
}

#[tokio::test]
async fn a_farm_goes_back_to_its_own_archive() {
    let office = furnished().await;
    let archive = office.export().await;
    office.made("users", json!({"name": "late", "password": "lates own password"})).await;
    let bob = office.get("users?name=bob").await.expect(StatusCode::OK)["items"][0]["id"].clone();
    let bob = bob.as_str().expect("an id");
    let path = format!("users/{bob}/password");
    office.put(&path, json!({"password": "bobs new password"})).await.expect(StatusCode::NO_CONTENT);
    office
        .apply(&[json!({"kind": "resource", "name": "Letter", "delete": true})])
        .await
        .expect(StatusCode::OK);
    let body = json!({"archive": archive, "passphrase": PASSPHRASE, "replace": true});
    let plan = office.post("import", body).await.expect(StatusCode::OK);
    assert_eq!(actions(&plan)["user late"], "delete");
    assert_eq!(actions(&plan)["resource Letter"], "create");
    assert_eq!(comparable(office.export().await), comparable(archive));
    assert!(office.can_sign_in("bob", "bobs own password").await);
}

#[tokio::test]
async fn an_archive_without_secrets_says_what_it_cannot_bring() {
    let source = furnished().await;
    let archive = source.post("export", json!({})).await.expect(StatusCode::OK);
    assert!(archive.get("secrets").is_none());
    let kinds: Vec<_> =
        archive["documents"].as_array().expect("documents").iter().map(|d| &d["kind"]).collect();
    assert!(!kinds.contains(&&json!("token")) && !kinds.contains(&&json!("invitation")));
    let target = Office::open().await;
    target.post("import", json!({"archive": archive})).await.expect(StatusCode::OK);
    assert!(!target.can_sign_in("bob", "bobs own password").await);
    assert_eq!(target.broker.farm.load().users.len(), 2);

    let weak = source.post("export", json!({"passphrase": "short"})).await;
    assert_eq!(errors(&weak.expect(StatusCode::UNPROCESSABLE_ENTITY))[0].0, "passphrase");
}

#[tokio::test]
async fn hostile_archives_are_refused_by_name_and_change_nothing() {
    let source = furnished().await;
    let good = source.export().await;
    let target = Office::open().await;
    let before = target.sequence().await;
    let import = async |archive: &Value, passphrase: &str| {
        target.post("import", json!({"archive": archive, "passphrase": passphrase})).await
    };
    let message = import(&good, "not the passphrase")
        .await
        .refused(StatusCode::UNPROCESSABLE_ENTITY, "wrong_passphrase");
    assert_eq!(message, "The passphrase is wrong, or the archive was altered.");
    let none = target.post("import", json!({"archive": good})).await;
    none.refused(StatusCode::UNPROCESSABLE_ENTITY, "wrong_passphrase");

    let icon = good["icons"].as_object().expect("icons").keys().next().expect("an icon").clone();
    let check = async |change: &dyn Fn(&mut Value), field: &str, message: &str| {
        let mut bad = good.clone();
        change(&mut bad);
        let body = import(&bad, PASSPHRASE).await.expect(StatusCode::UNPROCESSABLE_ENTITY);
        let found = errors(&body);
        let hit = found.iter().any(|(f, m)| *f == field && m.contains(message));
        assert!(hit, "{field}: {found:?}");
    };
    check(&|a| a["format"] = json!("oriel-export/9"), "archive.format", "\"oriel-export/9\"").await;
    check(&|a| a["documents"][0]["kind"] = json!("hostage"), "archive.documents[0].kind", "`hostage`").await;
    check(&|a| a["icons"][&icon] = json!("?"), &format!("archive.icons.{icon}"), "base64").await;
    let other = STANDARD.encode(b"GIF89a");
    check(&|a| a["icons"][&icon] = json!(other), &format!("archive.icons.{icon}"), "not the picture").await;
    let bomb = STANDARD.encode(vec![0; 300_000]);
    check(&|a| a["icons"][&icon] = json!(bomb), &format!("archive.icons.{icon}"), "larger than").await;
    check(&|a| a["secrets"]["memory_kib"] = json!(4_000_000), "archive.secrets.memory_kib", "at most").await;
    check(
        &|a| {
            let again = a["documents"][1].clone();
            a["documents"].as_array_mut().expect("documents").push(again);
        },
        &format!("archive.documents[{}].id", good["documents"].as_array().expect("documents").len()),
        "another object",
    )
    .await;
    assert_eq!(target.sequence().await, before);
    assert_eq!(target.documents().await, Office::open().await.documents().await, "nothing was written");
}

// ---- Backups ----

#[tokio::test]
async fn a_backup_is_made_when_it_is_due_and_restores_a_farm() {
    let office = furnished().await;
    assert!(backup::make_if_due(&office.broker).await.expect("nothing to do").is_none());
    let message =
        office.post("backups", json!({})).await.refused(StatusCode::CONFLICT, "no_backup_passphrase");
    assert_eq!(message, "The farm has no passphrase for its backups yet.");
    let status = office.get("status").await.expect(StatusCode::OK);
    assert_eq!(status["backup"]["failure"]["why"], message);

    let set = office.put("farm/backup-passphrase", json!({"passphrase": PASSPHRASE})).await;
    set.expect(StatusCode::NO_CONTENT);
    office
        .put("farm/backup-passphrase", json!({"passphrase": "short"}))
        .await
        .expect(StatusCode::UNPROCESSABLE_ENTITY);
    let backup = json!({"enabled": true, "at": "02:30:00", "time_zone": "Europe/Berlin", "keep": 2});
    let farm = json!({"kind": "farm", "name": "Oriel", "spec": {"backup": backup}});
    office.apply(&[farm]).await.expect(StatusCode::OK);
    backup::make_if_due(&office.broker).await.expect("made");
    assert!(backup::make_if_due(&office.broker).await.expect("looked").is_none(), "one a day");
    let listed = office.get("backups").await.expect(StatusCode::OK);
    assert_eq!(listed["items"].as_array().map(Vec::len), Some(1));
    let status = office.get("status").await.expect(StatusCode::OK);
    assert_eq!(status["backup"]["newest"], listed["items"][0]);
    assert_eq!(status["backup"]["failure"], json!(null));
    assert!(status["backup"]["next"].is_string());

    let name = listed["items"][0]["name"].as_str().expect("a name");
    let path = office.broker.config.data_dir.join(backup::FOLDER).join(name);
    let text = std::fs::read_to_string(&path).expect("the file");
    assert!(!text.contains(PASSPHRASE));
    let archive: Value = serde_json::from_str(&text).expect("an archive");
    let target = Office::open().await;
    let body = json!({"archive": archive, "passphrase": PASSPHRASE});
    target.post("import", body).await.expect(StatusCode::OK);
    assert_eq!(comparable(target.export().await), comparable(office.export().await));
    assert!(target.can_sign_in("bob", "bobs own password").await);
    // The passphrase came along, so the restored farm goes on backing itself up.
    backup::make(&target.broker).await.expect("made");
}

#[tokio::test]
async fn a_backup_that_cannot_be_written_is_said_in_status() {
    let office = Office::open().await;
    let set = office.put("farm/backup-passphrase", json!({"passphrase": PASSPHRASE})).await;
    set.expect(StatusCode::NO_CONTENT);
    let folder = office.broker.config.data_dir.join(backup::FOLDER);
    std::fs::write(&folder, "in the way").expect("a file");
    let message =
        office.post("backups", json!({})).await.refused(StatusCode::SERVICE_UNAVAILABLE, "backup_failed");
    assert!(message.contains(&folder.display().to_string()), "{message}");
    let status = office.get("status").await.expect(StatusCode::OK);
    assert_eq!(status["backup"]["failure"]["why"], message);
    std::fs::remove_file(&folder).expect("removed");
    office.post("backups", json!({})).await.expect(StatusCode::CREATED);
    let status = office.get("status").await.expect(StatusCode::OK);
    assert_eq!(status["backup"]["failure"], json!(null));
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
