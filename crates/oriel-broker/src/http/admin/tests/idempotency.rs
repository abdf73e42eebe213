use super::*;

fn keyed(office: &Office, token: &str, key: &str, path: &str, body: &Value) -> Request<Body> {
    let headers = [("content-type", "application/json"), ("idempotency-key", key)];
    office.request(token, Method::POST, path, &headers, body.to_string().into_bytes())
}

#[tokio::test]
async fn the_same_key_gives_the_same_answer_and_does_nothing_twice() {
    let office = Office::open().await;
    let body = json!({"name": "desk", "spec": {"role": "viewer"}});
    let first = office.ask(keyed(&office, &office.token, "k1", "tokens", &body)).await;
    assert_eq!(first.header("idempotent-replayed"), "");
    let again = office.ask(keyed(&office, &office.token, "k1", "tokens", &body)).await;
    assert_eq!((again.status, again.header("idempotent-replayed")), (StatusCode::CREATED, "true"));
    assert_eq!(again.header("location"), first.header("location"));
    assert_eq!(again.header("cache-control"), "no-store");
    assert!(again.body["secret"].is_string());
    assert_eq!(again.body, first.body);
    assert_eq!(names(&office.get("tokens").await.expect(StatusCode::OK)), ["admin", "desk"]);

    let other = json!({"name": "other", "spec": {"role": "viewer"}});
    let reused = office.ask(keyed(&office, &office.token, "k1", "tokens", &other)).await;
    reused.refused(StatusCode::UNPROCESSABLE_ENTITY, "idempotency_key_reused");
    let elsewhere = office.ask(keyed(&office, &office.token, "k1", "groups", &body)).await;
    elsewhere.refused(StatusCode::UNPROCESSABLE_ENTITY, "idempotency_key_reused");

    // A refusal is an answer too.
    let wrong = json!({"name": "", "spec": {}});
    for _ in 0..2 {
        let answer = office.ask(keyed(&office, &office.token, "k2", "groups", &wrong)).await;
        answer.refused(StatusCode::UNPROCESSABLE_ENTITY, "invalid");
    }
    let key = "x".repeat(256);
    let long = office.ask(keyed(&office, &office.token, &key, "groups", &wrong)).await;
    long.refused(StatusCode::BAD_REQUEST, "bad_request");
}

#[tokio::test]
async fn a_key_belongs_to_one_caller() {
    let office = Office::open().await;
    let made = office.post("tokens", json!({"name": "colleague", "spec": {"role": "root"}})).await;
    let colleague = made.expect(StatusCode::CREATED)["secret"].as_str().expect("a secret").to_owned();
    let body = json!({"name": "Staff", "spec": {}});
    office.ask(keyed(&office, &office.token, "k", "groups", &body)).await.expect(StatusCode::CREATED);
    let theirs = office.ask(keyed(&office, &colleague, "k", "groups", &body)).await;
    theirs.refused(StatusCode::CONFLICT, "name_taken");
    let nobody = office.ask(keyed(&office, "wrong", "k", "groups", &body)).await;
    nobody.refused(StatusCode::UNAUTHORIZED, "unauthorized");
}

#[tokio::test]
async fn requests_with_one_key_at_the_same_time_are_carried_out_once() {
    let office = Office::open().await;
    let body =
        json!({"role": "agent", "pool": office.get("pools").await.expect(StatusCode::OK)["items"][0]["id"]});
    // An invitation makes up its own name, so nothing else would keep a second one out.
    let ask = || office.ask(keyed(&office, &office.token, "k", "invitations", &body));
    let (a, b, c) = tokio::join!(ask(), ask(), ask());
    let replays = [&a, &b, &c].iter().filter(|answer| answer.header("idempotent-replayed") == "true").count();
    assert_eq!(replays, 2);
    assert!(a.body["string"].is_string() && a.body == b.body && b.body == c.body);
    let all = office.get("invitations").await.expect(StatusCode::OK);
    assert_eq!(all["items"].as_array().map(Vec::len), Some(1));
}

#[tokio::test]
async fn a_request_is_finished_and_remembered_when_its_caller_goes_away() {
    let office = Office::open().await;
    let pool = office.get("pools").await.expect(StatusCode::OK)["items"][0]["id"].clone();
    let body = json!({"role": "agent", "pool": pool});
    {
        let gone = office.router.clone().oneshot(keyed(&office, &office.token, "k", "invitations", &body));
        // Asked once, and dropped before it is done.
        let mut gone = std::pin::pin!(gone);
        let polled = futures_util::poll!(gone.as_mut());
        assert!(polled.is_pending());
    }
    let again = office.ask(keyed(&office, &office.token, "k", "invitations", &body)).await;
    assert_eq!(again.status, StatusCode::CREATED, "{again:?}");
    let all = office.get("invitations").await.expect(StatusCode::OK);
    assert_eq!(all["items"].as_array().map(Vec::len), Some(1));
}

#[tokio::test]
async fn a_key_holds_for_the_broker_after_a_restart_too() {
    let office = Office::open().await;
    let body = json!({"name": "desk", "spec": {"role": "viewer"}});
    let first = office.ask(keyed(&office, &office.token, "k", "tokens", &body)).await;
    let secret = first.body["secret"].as_str().expect("a secret").to_owned();
    let office = office.restarted().await;
    for entry in std::fs::read_dir(&office.config.data_dir).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_file() {
            let bytes = std::fs::read(&path).expect("readable");
            let shows = bytes.windows(secret.len()).any(|window| window == secret.as_bytes());
            assert!(!shows, "the secret can be read in {}", path.display());
        }
    }
    let other = json!({"name": "other", "spec": {"role": "viewer"}});
    let reused = office.ask(keyed(&office, &office.token, "k", "tokens", &other)).await;
    reused.refused(StatusCode::UNPROCESSABLE_ENTITY, "idempotency_key_reused");
    let again = office.ask(keyed(&office, &office.token, "k", "tokens", &body)).await;
    assert_eq!((again.status, again.header("idempotent-replayed")), (StatusCode::CREATED, "true"));
    assert_eq!((&again.body, again.header("location")), (&first.body, first.header("location")));
    assert_eq!(names(&office.get("tokens").await.expect(StatusCode::OK)), ["admin", "desk"]);
}
