use super::*;

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
    assert_eq!(weaker.expect(StatusCode::UNPROCESSABLE_ENTITY)["errors"][0]["field"], "spec.role");
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
async fn when_a_token_was_used_last_is_shown_and_costs_no_change() {
    let clock = oriel_net::clock::ManualClock::new(oriel_model::Timestamp::now());
    let same = clock.clone();
    let office = Office::open_with(|config| config.clock = Arc::new(same)).await;
    let made = office.post("tokens", json!({"name": "t", "spec": {"role": "viewer"}})).await;
    let made = made.expect(StatusCode::CREATED);
    let (id, secret) = (made["id"].as_str().expect("an id"), made["secret"].as_str().expect("a secret"));
    assert_eq!(made["last_used_at"], Value::Null);
    let newest = office.get("status").await.expect(StatusCode::OK)["newest_change"].clone();
    let last = async |office: &Office| {
        let shown = office.get(&format!("tokens/{id}")).await.expect(StatusCode::OK);
        serde_json::from_value::<Option<oriel_model::Timestamp>>(shown["last_used_at"].clone())
            .expect("a time")
    };
    let used = async |office: &Office| {
        let me = office.send(secret, Method::GET, "me", "", Vec::new(), None).await;
        me.expect(StatusCode::OK);
        last(office).await.expect("it was used")
    };
    assert_eq!(last(&office).await, None);
    let first = used(&office).await;
    clock.advance(std::time::Duration::from_secs(50));
    assert_eq!(used(&office).await, first, "to the minute");
    clock.advance(std::time::Duration::from_secs(20));
    let second = used(&office).await;
    assert_eq!(second.duration_since(first).as_secs(), 70);
    let after = office.get("status").await.expect(StatusCode::OK)["newest_change"].clone();
    assert_eq!(after, newest, "it is not in the log");
    let office = office.restarted().await;
    assert_eq!(last(&office).await, Some(second));
}
