//! The API as scripts see it, on a real store in a temporary folder.

use std::net::{IpAddr, Ipv4Addr};

use axum::{Router, body::Body};
use http::{Method, Request, StatusCode};
use http_body_util::BodyExt;
use oriel_net::supervise::ShutdownHandle;
use serde_json::{Value, json};
use tower::ServiceExt;

use super::*;
use crate::{BrokerConfig, bootstrap::ADMIN_TOKEN_FILE, http::PeerAddress};

struct Office {
    router: Router,
    token: String,
    stop: ShutdownHandle,
    _folder: tempfile::TempDir,
}

impl Drop for Office {
    fn drop(&mut self) {
        self.stop.give();
    }
}

struct Answer {
    status: StatusCode,
    body: Value,
}

impl Answer {
    /// The body of an answer that is as expected.
    #[track_caller]
    fn expect(self, status: StatusCode) -> Value {
        assert_eq!(self.status, status, "{:#}", self.body);
        self.body
    }

    #[track_caller]
    fn refused(self, status: StatusCode, code: &str) -> String {
        let body = self.expect(status);
        assert_eq!(body["code"], code, "{body:#}");
        body["message"].as_str().expect("a message").to_owned()
    }
}

impl Office {
    async fn open() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let mut config = BrokerConfig::new(folder.path(), IpAddr::V4(Ipv4Addr::LOCALHOST), "b1");
        config.gateway_listen.set_port(0);
        config.agent_listen.set_port(0);
        config.management_listen.set_port(0);
        let bound = crate::bind(config).await.expect("a broker");
        let token = std::fs::read_to_string(folder.path().join(ADMIN_TOKEN_FILE)).expect("a token");
        let router = router(bound.broker().clone());
        let stop = ShutdownHandle::new();
        tokio::spawn(bound.run(stop.signal()));
        Self { router, token: token.trim().to_owned(), stop, _folder: folder }
    }

    async fn send(
        &self,
        token: &str,
        method: Method,
        path: &str,
        kind: &str,
        body: Vec<u8>,
        if_match: Option<u64>,
    ) -> Answer {
        let mut request = Request::builder()
            .method(method)
            .uri(format!("{PATH_PREFIX}/{path}"))
            .header("authorization", format!("Bearer {token}"))
            .header("content-type", kind)
            .extension(PeerAddress((Ipv4Addr::LOCALHOST, 1).into()));
        if let Some(revision) = if_match {
            request = request.header("if-match", format!("\"{revision}\""));
        }
        let request = request.body(Body::from(body)).expect("a request");
        let response = self.router.clone().oneshot(request).await.expect("an answer");
        let status = response.status();
        let bytes = response.into_body().collect().await.expect("a body").to_bytes();
        Answer { status, body: serde_json::from_slice(&bytes).unwrap_or(Value::Null) }
    }

    async fn get(&self, path: &str) -> Answer {
        self.send(&self.token, Method::GET, path, "", Vec::new(), None).await
    }

    async fn post(&self, path: &str, body: Value) -> Answer {
        let body = body.to_string().into_bytes();
        self.send(&self.token, Method::POST, path, "application/json", body, None).await
    }

    async fn put(&self, path: &str, body: Value) -> Answer {
        let body = body.to_string().into_bytes();
        self.send(&self.token, Method::PUT, path, "application/json", body, None).await
    }

    async fn delete(&self, path: &str, revision: u64) -> Answer {
        self.send(&self.token, Method::DELETE, path, "", Vec::new(), Some(revision)).await
    }

    async fn made(&self, path: &str, body: Value) -> String {
        let body = self.post(path, body).await.expect(StatusCode::CREATED);
        body["id"].as_str().expect("an id").to_owned()
    }
}

#[tokio::test]
async fn an_object_is_made_changed_and_deleted_and_the_log_says_so() {
    let office = Office::open().await;
    let id = office.made("pools", json!({"name": "Office", "spec": {"description": "Second floor"}})).await;
    let path = format!("pools/{id}");
    let changed = office.put(&path, json!({"name": "Office 2", "spec": {}, "revision": 1})).await;
    assert_eq!(changed.expect(StatusCode::OK)["revision"], 2);
    let stale = office.put(&path, json!({"name": "Office 3", "spec": {}, "revision": 1})).await;
    let message = stale.refused(StatusCode::CONFLICT, "stale");
    assert!(message.contains("was changed by token admin at"), "{message}");
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
    let fields: Vec<_> = answer["mistakes"]
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
    assert_eq!(answer["mistakes"][0]["field"], "spec.folder");
}

#[tokio::test]
async fn a_token_is_shown_once_and_its_role_holds() {
    let office = Office::open().await;
    let made = office.post("tokens", json!({"name": "desk", "spec": {"role": "help_desk"}})).await;
    let made = made.expect(StatusCode::CREATED);
    let secret = made["secret"].as_str().expect("a secret").to_owned();
    for path in ["tokens", "changes", "users"] {
        let body = office.get(path).await.expect(StatusCode::OK).to_string();
        assert!(!body.contains(&secret) && !body.contains("secret_sha256"), "{body}");
    }
    let as_desk = |method, path| office.send(&secret, method, path, "", Vec::new(), None);
    as_desk(Method::GET, "sessions").await.expect(StatusCode::OK);
    as_desk(Method::GET, "users").await.refused(StatusCode::FORBIDDEN, "forbidden");
    as_desk(Method::GET, "tokens").await.refused(StatusCode::FORBIDDEN, "forbidden");
    let wrong = office.send("wrong", Method::GET, "users", "", Vec::new(), None).await;
    wrong.refused(StatusCode::UNAUTHORIZED, "unauthorized");

    let admin =
        office.get("tokens?name=admin&exact=true").await.expect(StatusCode::OK)["items"][0]["id"].clone();
    let last = office.delete(&format!("tokens/{}", admin.as_str().expect("an id")), 1).await;
    assert!(last.refused(StatusCode::CONFLICT, "in_use").contains("the last token"));
    let path = format!("tokens/{}", admin.as_str().expect("an id"));
    let weaker = office.put(&path, json!({"name": "admin", "spec": {"role": "viewer"}, "revision": 1})).await;
    assert_eq!(weaker.expect(StatusCode::UNPROCESSABLE_ENTITY)["mistakes"][0]["field"], "spec.role");
}

#[tokio::test]
async fn wrong_tokens_from_one_address_are_bounded_and_right_ones_still_work() {
    let office = Office::open().await;
    let mut refused = 0;
    for _ in 0..200 {
        let answer = office.send("wrong", Method::GET, "users", "", Vec::new(), None).await;
        refused += usize::from(answer.status == StatusCode::TOO_MANY_REQUESTS);
    }
    assert!(refused > 100, "only {refused} of 200 were refused");
    office.get("users").await.expect(StatusCode::OK);
}

#[tokio::test]
async fn passwords_are_checked_and_never_shown() {
    let office = Office::open().await;
    let short = office.post("users", json!({"name": "bob", "password": "x"})).await;
    assert_eq!(short.expect(StatusCode::UNPROCESSABLE_ENTITY)["mistakes"][0]["field"], "password");
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
    assert_eq!(without_pool["mistakes"][0]["field"], "hours");
    let listed = office.get("invitations").await.expect(StatusCode::OK).to_string();
    assert!(!listed.contains(string.secret.as_str()));
}

#[tokio::test]
async fn lists_come_in_pages_in_the_order_of_names() {
    let office = Office::open().await;
    for name in ["delta", "Alpha", "charlie", "Bravo"] {
        office.made("groups", json!({"name": name, "spec": {}})).await;
    }
    let mut names = Vec::new();
    let mut path = "groups?limit=3".to_owned();
    loop {
        let page = office.get(&path).await.expect(StatusCode::OK);
        names.extend(page["items"].as_array().expect("a page").iter().map(|group| group["name"].clone()));
        let Some(next) = page["next"].as_str() else { break };
        path = format!("groups?limit=3&after={next}");
    }
    assert_eq!(names, ["Alpha", "Bravo", "charlie", "delta"]);
    office.get("groups?colour=red").await.refused(StatusCode::BAD_REQUEST, "bad_request");
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
    assert_eq!(unknown.expect(StatusCode::UNPROCESSABLE_ENTITY)["mistakes"][0]["field"], "spec.icon");
    office.post("resources", resource(&icon)).await.expect(StatusCode::CREATED);
    let wrong =
        office.send(&office.token, Method::POST, "icons", "image/gif", b"GIF89a".to_vec(), None).await;
    wrong.refused(StatusCode::UNSUPPORTED_MEDIA_TYPE, "not_png");
}

#[tokio::test]
async fn too_large_bodies_and_unknown_places_are_refused_in_words() {
    let office = Office::open().await;
    let large = json!({"name": "x", "spec": {"description": "y".repeat(BODY_MAX)}});
    office.post("groups", large).await.refused(StatusCode::PAYLOAD_TOO_LARGE, "too_large");
    office.get("nowhere").await.refused(StatusCode::NOT_FOUND, "not_found");
    let wrong =
        office.send(&office.token, Method::POST, "hosts", "application/json", b"{}".to_vec(), None).await;
    wrong.refused(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed");
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

/// The committed document is what the code serves. `ORIEL_UPDATE=1` writes it anew.
#[test]
fn the_openapi_document_is_the_committed_one() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/openapi.json");
    let found = serde_json::to_string_pretty(&document()).expect("JSON") + "\n";
    if std::env::var_os("ORIEL_UPDATE").is_some() {
        let folder = std::path::Path::new(path).parent().expect("a folder");
        std::fs::create_dir_all(folder).expect("docs");
        std::fs::write(path, &found).expect("written");
    }
    let committed = std::fs::read_to_string(path).unwrap_or_default();
    assert!(
        committed == found,
        "docs/openapi.json is not what the code serves: run this test with ORIEL_UPDATE=1"
    );
}

#[test]
fn every_operation_has_a_name_a_summary_and_its_errors() {
    let document = serde_json::to_value(document()).expect("JSON");
    let paths = document["paths"].as_object().expect("paths");
    let mut ids = Vec::new();
    for (path, item) in paths {
        for (method, operation) in item.as_object().expect("operations") {
            let id =
                operation["operationId"].as_str().unwrap_or_else(|| panic!("{method} {path} has no name"));
            assert!(operation["summary"].is_string(), "{id} has no summary");
            assert!(operation["responses"]["default"].is_object(), "{id} does not say how it refuses");
            ids.push(id.to_owned());
        }
    }
    let count = ids.len();
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), count, "two operations have one name");
    assert!(count > 40, "only {count} operations");
}
