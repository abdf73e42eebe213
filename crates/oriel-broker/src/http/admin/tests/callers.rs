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

#[tokio::test]
async fn refused_tokens_stand_in_the_log_and_a_flood_of_them_does_not_fill_it() {
    let clock = oriel_net::clock::ManualClock::new(oriel_model::Timestamp::now());
    let same = clock.clone();
    let office = Office::open_with(|config| config.clock = Arc::new(same)).await;
    let expires_at = office.broker.now() + jiff::SignedDuration::from_secs(30);
    let spec = json!({"role": "viewer", "expires_at": expires_at});
    let made = office.post("tokens", json!({"name": "short", "spec": spec})).await;
    let made = made.expect(StatusCode::CREATED);
    let secret = made["secret"].as_str().expect("a secret");
    let me = async |secret: &str| office.send(secret, Method::GET, "me", "", Vec::new(), None).await.status;
    assert_eq!(me(secret).await, StatusCode::OK);
    clock.advance(std::time::Duration::from_secs(30));
    assert_eq!(me(secret).await, StatusCode::UNAUTHORIZED);
    let expired = audit::soon(&office, "code=token.refused", 1).await.remove(0);
    assert_eq!(expired["author"], json!({"name": "token short", "via": "api", "address": "127.0.0.1"}));
    assert_eq!(expired["details"], json!({"why": "it has expired", "times": "1"}));
    assert_eq!(expired["subjects"], json!([{"kind": "token", "id": made["id"], "name": "short"}]));
    assert_eq!(expired["outcome"], "refused");

    for _ in 0..200 {
        assert_ne!(me("nonsense").await, StatusCode::OK);
    }
    clock.advance(std::time::Duration::from_secs(60));
    office.broker.tell_refused_tokens(false);
    let refused = audit::soon(&office, "code=token.refused&by=unknown", 2).await;
    let times: Vec<_> = refused.iter().map(|entry| &entry["details"]["times"]).collect();
    assert_eq!(times, ["199", "1"], "{refused:#?}");
    assert_eq!(refused[0]["details"]["why"], "it is none of the farm's tokens");
    let all = audit::log(&office, "text=nonsense").await;
    assert!(all.is_empty(), "what was sent may be a secret with a slip in it: {all:#?}");
}

#[tokio::test]
async fn a_token_is_never_worth_more_than_who_has_made_it() {
    let office = Office::open().await;
    let anna = office.administrator("anna", json!({})).await;
    office.administrator("another", json!({})).await;
    let jar = sign_in::cookie(&office.sign_in("anna", sign_in::PASSWORD).await);
    let body = |name: &str| json!({"name": name, "spec": {"role": "root"}}).to_string().into_bytes();
    let made = office.with(&jar, Method::POST, "tokens", body("script"), sign_in::OURS).await;
    let made = made.expect(StatusCode::CREATED);
    let (id, secret) = (made["id"].as_str().expect("an id"), made["secret"].as_str().expect("a secret"));
    assert_eq!(made["owner"], json!({"id": anna, "name": "anna"}));
    // One that is made with it is hers, too; one that is made with the farm's own token is nobody's.
    let second = office.send(secret, Method::POST, "tokens", "application/json", body("second"), None).await;
    let second = second.expect(StatusCode::CREATED);
    assert_eq!(second["owner"]["name"], "anna");
    let hers = office.get(&format!("tokens?filter=owner.id:{anna}")).await.expect(StatusCode::OK);
    assert_eq!(names(&hers), ["script", "second"]);
    assert_eq!(
        office.post("tokens", json!({"name": "third", "spec": {"role": "viewer"}})).await.body["owner"],
        Value::Null
    );

    let group = |name: &str| json!({"name": name, "spec": {}}).to_string().into_bytes();
    let make = async |secret: &str, name: &str| {
        office.send(secret, Method::POST, "groups", "application/json", group(name), None).await
    };
    make(secret, "Sales").await.expect(StatusCode::CREATED);
    let found = office.get("administrators?name=anna").await.expect(StatusCode::OK)["items"][0].clone();
    let path = format!("administrators/{}", found["id"].as_str().expect("an id"));
    office.patch(&path, json!({"spec": {"role": "viewer"}, "revision": 1})).await.expect(StatusCode::OK);
    make(secret, "Marketing").await.refused(StatusCode::FORBIDDEN, "forbidden");
    let seen = office.send(secret, Method::GET, "groups", "", Vec::new(), None).await;
    assert_eq!(names(&seen.expect(StatusCode::OK)), ["Sales"], "it may look, as she may");
    office
        .send(secret, Method::GET, "tokens", "", Vec::new(), None)
        .await
        .refused(StatusCode::FORBIDDEN, "forbidden");

    office.delete(&path, 2).await.expect(StatusCode::NO_CONTENT);
    for secret in [secret, second["secret"].as_str().expect("a secret")] {
        let refused = office.send(secret, Method::GET, "groups", "", Vec::new(), None).await;
        refused.refused(StatusCode::UNAUTHORIZED, "unauthorized");
    }
    let told = audit::soon(&office, "code=token.refused", 2).await;
    assert_eq!(told[1]["details"]["why"], "its owner is no administrator any more");
    // Whoever becomes an administrator again has them again; to delete her for good, they go first.
    let kept = office.delete(&format!("users/{anna}"), 1).await.refused(StatusCode::CONFLICT, "in_use");
    assert!(kept.contains("token \"script\""), "{kept}");
    let spec = json!({"name": "script", "spec": {"role": "root"}, "revision": 1});
    let changed = office.put(&format!("tokens/{id}"), spec).await.expect(StatusCode::OK);
    assert_eq!(changed["owner"]["name"], "anna", "who changes it does not make it theirs");
}
