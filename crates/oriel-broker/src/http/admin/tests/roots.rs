//! How somebody comes to be root where nobody is.

use oriel_model::Timestamp;
use oriel_store::FarmKey;
use zeroize::Zeroizing;

use super::{
    sign_in::{OURS, PASSWORD},
    *,
};
use crate::{bootstrap::FARM_KEY_FILE, recovery::RecoveryKey};

impl Office {
    /// A call without a token.
    async fn anonymous(&self, from: IpAddr, method: Method, path: &str, body: &Value) -> Answer {
        let request = Request::builder()
            .method(method)
            .uri(format!("{PATH_PREFIX}/{path}"))
            .header("content-type", "application/json")
            .extension(PeerAddress((from, 1).into()))
            .body(Body::from(body.to_string()));
        self.ask(request.expect("a request")).await
    }

    async fn recover(&self, from: IpAddr, change: Value) -> Answer {
        let key = FarmKey::load(&self.config.data_dir.join(FARM_KEY_FILE)).expect("readable").expect("there");
        let reset = change["reset_second_factor"].as_bool().unwrap_or_default();
        let password = Zeroizing::new("a password from the machine".to_owned());
        let asked = RecoveryKey::of(&key).ask("anna".into(), password, reset, Timestamp::now());
        let mut asked = serde_json::to_value(asked).expect("JSON");
        for (field, value) in change["then"].as_object().into_iter().flatten() {
            asked[field] = value.clone();
        }
        self.anonymous(from, Method::POST, "recovery", &asked).await
    }
}

const HERE: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
const ELSEWHERE: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 9));

#[tokio::test]
async fn the_first_token_makes_the_first_root_and_no_second_one() {
    let office = Office::open().await;
    let needed = async || {
        let told = office.anonymous(ELSEWHERE, Method::GET, "first-start", &Value::Null).await;
        let told = told.expect(StatusCode::OK);
        assert_eq!(told.as_object().map(|fields| fields.len()), Some(1), "it says nothing else: {told}");
        told["needed"].clone()
    };
    assert_eq!(needed().await, true);
    let first = json!({"token": office.token, "name": "anna", "full_name": "Anna A", "password": PASSWORD});
    for (field, value, status, code) in [
        ("token", "wrong", StatusCode::UNAUTHORIZED, "unauthorized"),
        ("password", "short", StatusCode::UNPROCESSABLE_ENTITY, "invalid"),
        ("name", "", StatusCode::UNPROCESSABLE_ENTITY, "invalid"),
    ] {
        let mut wrong = first.clone();
        wrong[field] = json!(value);
        office.anonymous(ELSEWHERE, Method::POST, "first-start", &wrong).await.refused(status, code);
    }
    let viewer = office.post("tokens", json!({"name": "v", "spec": {"role": "viewer"}})).await;
    let mut lesser = first.clone();
    lesser["token"] = viewer.expect(StatusCode::CREATED)["secret"].clone();
    let refused = office.anonymous(ELSEWHERE, Method::POST, "first-start", &lesser).await;
    refused.refused(StatusCode::UNAUTHORIZED, "unauthorized");
    assert_eq!(needed().await, true);

    office.anonymous(ELSEWHERE, Method::POST, "first-start", &first).await.expect(StatusCode::CREATED);
    assert_eq!(needed().await, false);
    let me = office.sign_in("anna", PASSWORD).await.expect(StatusCode::OK);
    assert_eq!((&me["root"], &me["user"]["full_name"]), (&json!(true), &json!("Anna A")));
    let log = office.get("changes?limit=3").await.expect(StatusCode::OK);
    let transactions: Vec<_> =
        log["items"].as_array().expect("a list").iter().map(|one| &one["transaction"]).collect();
    assert!(transactions.iter().all(|one| *one == transactions[0]), "{log:#}");
    let mut second = first.clone();
    second["name"] = json!("ben");
    let refused = office.anonymous(ELSEWHERE, Method::POST, "first-start", &second).await;
    refused.refused(StatusCode::CONFLICT, "not_first_start");
}

#[tokio::test]
async fn whoever_holds_the_farm_key_on_the_machine_recovers_a_root() {
    let office = Office::open().await;
    let refused = |answer: Answer| answer.refused(StatusCode::FORBIDDEN, "recovery_refused");
    refused(office.recover(ELSEWHERE, json!({})).await);
    refused(office.recover(HERE, json!({"then": {"password": "another password"}})).await);
    refused(office.recover(HERE, json!({"then": {"user": "ben"}})).await);
    refused(office.recover(HERE, json!({"then": {"at": "2020-01-01T00:00:00Z"}})).await);
    assert_eq!(office.get("users").await.expect(StatusCode::OK)["items"], json!([]));

    office.recover(HERE, json!({})).await.expect(StatusCode::CREATED);
    let me = office.sign_in("anna", "a password from the machine").await.expect(StatusCode::OK);
    assert_eq!(me["root"], true);
    let log = office.get("changes?limit=1").await.expect(StatusCode::OK);
    let author = &log["items"][0]["author"];
    assert_eq!((&author["name"], &author["via"]), (&json!("oriel recover-root"), &json!("recovery")));

    // Those that were refused are in the log, too.
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(20);
    loop {
        let log = office.get("audit?code=administrator.recovered").await.expect(StatusCode::OK);
        let outcomes: Vec<_> =
            log["items"].as_array().expect("entries").iter().map(|one| one["outcome"].clone()).collect();
        if outcomes == ["done", "refused", "refused", "refused", "refused"] {
            break;
        }
        assert!(std::time::Instant::now() < deadline, "{log:#}");
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }

    // Disabled, demoted and with a new password, she comes back.
    let anna = me["user"]["id"].as_str().expect("an id").to_owned();
    office.administrator("ben", json!({})).await;
    let found = office.get("administrators?name=anna").await.expect(StatusCode::OK);
    let path = format!("administrators/{}", found["items"][0]["id"].as_str().expect("an id"));
    let less = json!({"revision": 1, "spec": {"role": "viewer", "enabled": false}});
    office.patch(&path, less).await.expect(StatusCode::OK);
    office
        .patch(&format!("users/{anna}"), json!({"revision": 1, "spec": {"enabled": false}}))
        .await
        .expect(StatusCode::OK);
    office.recover(HERE, json!({"reset_second_factor": true})).await.expect(StatusCode::CREATED);
    let me = office.sign_in("anna", "a password from the machine").await.expect(StatusCode::OK);
    assert_eq!((&me["root"], &me["user"]["id"]), (&json!(true), &json!(anna)));
}

#[tokio::test]
async fn a_proof_counts_once() {
    let office = Office::open().await;
    let key = FarmKey::load(&office.config.data_dir.join(FARM_KEY_FILE)).expect("readable").expect("there");
    let password = Zeroizing::new(PASSWORD.to_owned());
    let asked = RecoveryKey::of(&key).ask("anna".into(), password, false, Timestamp::now());
    let asked = serde_json::to_value(asked).expect("JSON");
    let send = || office.anonymous(HERE, Method::POST, "recovery", &asked);
    send().await.expect(StatusCode::CREATED);
    send().await.refused(StatusCode::FORBIDDEN, "recovery_refused");
    let quiet = office.with("", Method::GET, "me", Vec::new(), OURS).await;
    quiet.refused(StatusCode::UNAUTHORIZED, "unauthorized");
}
