//! Archives: exported, imported, made as backups.

use base64::{Engine as _, engine::general_purpose::STANDARD};

use super::{
    documents::{PASSPHRASE, actions, documents, errors},
    *,
};

fn icon() -> Vec<u8> {
    let mut png = std::io::Cursor::new(Vec::new());
    image::DynamicImage::new_rgba8(8, 8).write_to(&mut png, image::ImageFormat::Png).expect("a picture");
    png.into_inner()
}

/// An office with everything that an archive must carry.
pub(super) async fn furnished() -> Office {
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
pub(super) fn comparable(mut archive: Value) -> Value {
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
async fn an_import_brings_a_root_who_can_sign_in_or_leaves_the_one_who_is_there() {
    let (source, target) = (Office::open().await, Office::open().await);
    source.administrator("anna", json!({})).await;
    target.administrator("ben", json!({})).await;
    let without = source.post("export", json!({})).await.expect(StatusCode::OK);
    let body = json!({"archive": without, "replace": true});
    let refused = target.post("import", body).await.expect(StatusCode::UNPROCESSABLE_ENTITY);
    assert!(refused["errors"].to_string().contains("nobody else can sign in as root"), "{refused:#}");
    let body = json!({"archive": source.export().await, "passphrase": PASSPHRASE, "replace": true});
    target.post("import", body).await.expect(StatusCode::OK);
    let me = target.sign_in("anna", super::sign_in::PASSWORD).await.expect(StatusCode::OK);
    assert_eq!(me["root"], true);
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
