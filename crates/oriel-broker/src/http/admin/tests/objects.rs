use super::*;

#[tokio::test]
async fn an_object_is_made_changed_and_deleted_and_the_log_says_so() {
    let office = Office::open().await;
    let id = office.made("pools", json!({"name": "Office", "spec": {"description": "Second floor"}})).await;
    let path = format!("pools/{id}");
    let changed = office.put(&path, json!({"name": "Office 2", "spec": {}, "revision": 1})).await;
    assert_eq!(changed.expect(StatusCode::OK)["revision"], 2);
    office.delete(&path, 2).await.expect(StatusCode::NO_CONTENT);
    office.get(&path).await.refused(StatusCode::NOT_FOUND, "not_found");
    let log = office.get(&format!("changes?object={id}")).await.expect(StatusCode::OK);
    let did: Vec<_> =
        log["items"].as_array().expect("changes").iter().map(|change| &change["action"]).collect();
    assert_eq!(did, ["deleted", "changed", "created"]);
}

#[tokio::test]
async fn every_mistake_is_reported_at_once_with_its_field() {
    let office = Office::open().await;
    let nobody = "0192f0c1-2b7a-7c3e-9d55-0e6f3a1b2c4d";
    let answer = office
        .post("resources", json!({"name": " x", "spec": {
            "target": {"kind": "application", "program": "", "source": {"from": "pools", "pools": [nobody]}},
            "folder": nobody,
            "rules": {"rules": [{"effect": "allow", "criteria": [{"type": "group", "objects": [nobody]}]}]},
        }}))
        .await
        .expect(StatusCode::UNPROCESSABLE_ENTITY);
    let fields: Vec<_> = answer["errors"]
        .as_array()
        .expect("mistakes")
        .iter()
        .map(|m| m["field"].as_str().expect("text"))
        .collect();
    assert_eq!(
        fields,
        [
            "name",
            "spec.target.program",
            "spec.folder",
            "spec.rules.rules[0].criteria[0].objects[0]",
            "spec.target.source.pools[0]",
        ]
    );
}

#[tokio::test]
async fn what_is_in_use_is_kept_and_folders_do_not_contain_themselves() {
    let office = Office::open().await;
    let group = office.made("groups", json!({"name": "Staff", "spec": {}})).await;
    office.made("users", json!({"name": "alice", "spec": {"groups": [group]}})).await;
    let refused = office.delete(&format!("groups/{group}"), 1).await;
    assert_eq!(
        refused.refused(StatusCode::CONFLICT, "in_use"),
        "Group \"Staff\" is in use by user \"alice\"."
    );
    let members = office.get(&format!("groups/{group}/members")).await.expect(StatusCode::OK);
    assert_eq!(members["items"][0]["name"], "alice");

    let folder = json!({"kind": "folder"});
    let outer = office.made("resources", json!({"name": "Outer", "spec": {"target": folder}})).await;
    let inner =
        office.made("resources", json!({"name": "Inner", "spec": {"target": folder, "folder": outer}})).await;
    let cycle = json!({"name": "Outer", "revision": 1, "spec": {"target": folder, "folder": inner}});
    let answer =
        office.put(&format!("resources/{outer}"), cycle).await.expect(StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(answer["errors"][0]["field"], "spec.folder");
}

#[tokio::test]
async fn an_icon_is_taken_and_only_a_known_one_can_be_named() {
    let office = Office::open().await;
    let mut png = std::io::Cursor::new(Vec::new());
    image::DynamicImage::new_rgba8(8, 8).write_to(&mut png, image::ImageFormat::Png).expect("a picture");
    let made = office.send(&office.token, Method::POST, "icons", "image/png", png.into_inner(), None).await;
    let icon = made.expect(StatusCode::CREATED)["id"].clone();
    let resource =
        |icon: &Value| json!({"name": "Folder", "spec": {"target": {"kind": "folder"}, "icon": icon}});
    let unknown = office.post("resources", resource(&json!("ab".repeat(32)))).await;
    assert_eq!(unknown.expect(StatusCode::UNPROCESSABLE_ENTITY)["errors"][0]["field"], "spec.icon");
    office.post("resources", resource(&icon)).await.expect(StatusCode::CREATED);
    let wrong =
        office.send(&office.token, Method::POST, "icons", "image/gif", b"GIF89a".to_vec(), None).await;
    wrong.refused(StatusCode::UNSUPPORTED_MEDIA_TYPE, "not_png");
}

#[tokio::test]
async fn a_resource_may_have_an_icon_of_the_built_in_set() {
    let office = Office::open().await;
    let set = office.get("icons").await.expect(StatusCode::OK);
    let set = set["items"].as_array().expect("a list").clone();
    assert!(set.len() >= 20, "{set:?}");
    for icon in &set {
        let name = icon["name"].as_str().expect("a name");
        office.get(&format!("icons/{name}")).await.expect(StatusCode::OK);
    }
    let body = |icon: &str| json!({"name": "Shell", "spec": {"target": {"kind": "folder"}, "icon": icon}});
    let wrong =
        office.post("resources", body("builtin:shell")).await.expect(StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(wrong["errors"][0]["field"], "spec.icon");
    let message = wrong["errors"][0]["message"].as_str().expect("a message");
    assert!(message.contains("builtin:terminal"), "the known ones are named: {message}");
    let made = office.post("resources", body("builtin:terminal")).await.expect(StatusCode::CREATED);
    assert_eq!(made["spec"]["icon"], "builtin:terminal");
    // Documents and archives carry the name, and no picture.
    let archive = office.post("export", json!({})).await.expect(StatusCode::OK);
    let documents = archive["documents"].as_array().expect("documents");
    let shell = documents.iter().find(|document| document["name"] == "Shell").expect("it is exported");
    assert_eq!(shell["spec"]["icon"], "builtin:terminal");
    assert!(archive["icons"].as_object().is_none_or(serde_json::Map::is_empty), "{}", archive["icons"]);
}

#[tokio::test]
async fn the_farm_and_its_status_are_there_from_the_start() {
    let office = Office::open().await;
    let status = office.get("status").await.expect(StatusCode::OK);
    assert_eq!((status["farm_name"].as_str(), status["broker_name"].as_str()), (Some("Oriel"), Some("b1")));
    let farm = office.get("farm").await.expect(StatusCode::OK);
    let mut spec = farm["spec"].clone();
    spec["sign_in"]["lockout_after"] = 10.into();
    let body = json!({"name": "Big farm", "spec": spec, "revision": farm["revision"]});
    assert_eq!(office.put("farm", body).await.expect(StatusCode::OK)["name"], "Big farm");
}

#[tokio::test]
async fn an_invitation_is_a_string_that_a_component_reads() {
    let office = Office::open().await;
    let pools = office.get("pools").await.expect(StatusCode::OK);
    let made = office
        .post("invitations", json!({"role": "agent", "pool": pools["items"][0]["id"], "hours": 2}))
        .await;
    let made = made.expect(StatusCode::CREATED);
    let string: oriel_wire::invitation::InvitationString =
        made["string"].as_str().expect("a string").parse().expect("an invitation");
    assert_eq!(string.id.to_string(), made["id"].as_str().expect("an id"));
    assert_eq!((string.addresses.len(), made["state"].as_str()), (1, Some("open")));
    let without_pool = office.post("invitations", json!({"role": "agent", "hours": 9_999})).await;
    let without_pool = without_pool.expect(StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(without_pool["errors"][0]["field"], "hours");
    let listed = office.get("invitations").await.expect(StatusCode::OK).to_string();
    assert!(!listed.contains(string.secret.as_str()));
}

#[tokio::test]
async fn passwords_are_checked_and_never_shown() {
    let office = Office::open().await;
    let short = office.post("users", json!({"name": "bob", "password": "x"})).await;
    assert_eq!(short.expect(StatusCode::UNPROCESSABLE_ENTITY)["errors"][0]["field"], "password");
    let id = office.made("users", json!({"name": "bob", "password": "correct horse battery"})).await;
    let bob = office.get(&format!("users/{id}")).await.expect(StatusCode::OK);
    assert_eq!(bob["has_password"], true);
    office
        .put(&format!("users/{id}/password"), json!({"password": "another horse staple"}))
        .await
        .expect(StatusCode::NO_CONTENT);
    let twice = office.post("users", json!({"name": "BOB"})).await;
    twice.refused(StatusCode::CONFLICT, "name_taken");
    let log = office.get("changes").await.expect(StatusCode::OK).to_string();
    assert!(!log.contains("horse") && !log.contains("argon2"));
}
