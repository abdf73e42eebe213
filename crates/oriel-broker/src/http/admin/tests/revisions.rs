use super::*;

#[tokio::test]
async fn a_stale_write_is_told_who_changed_what_and_when() {
    let office = Office::open().await;
    let made = office.post("tokens", json!({"name": "colleague", "spec": {"role": "root"}})).await;
    let colleague = made.expect(StatusCode::CREATED)["secret"].as_str().expect("a secret").to_owned();
    let id = office.made("pools", json!({"name": "Office", "spec": {"description": "Second floor"}})).await;
    let path = format!("pools/{id}");

    let first = json!({"name": "Office", "spec": {"description": "Third floor"}, "revision": 1});
    let second = json!({"spec": {"settings": {"max_sessions": 9}}, "name": "Main office", "revision": 2});
    let as_colleague = |method, body: Value| {
        let body = body.to_string().into_bytes();
        office.send(&colleague, method, &path, "application/json", body, None)
    };
    as_colleague(Method::PUT, first).await.expect(StatusCode::OK);
    office.patch(&path, second).await.expect(StatusCode::OK);

    let mine = json!({"name": "Office", "spec": {"description": "Cellar"}, "revision": 1});
    let answer = office.put(&path, mine).await;
    let told = answer.body.clone();
    let sentence = answer.refused(StatusCode::PRECONDITION_FAILED, "stale");
    assert!(sentence.contains("was changed by token admin at"), "{sentence}");
    assert_eq!((told["revision"].as_u64(), told["changed_by"].as_str()), (Some(3), Some("token admin")));
    assert!(told["changed_at"].is_string());
    let changes: Vec<_> = told["changes"]
        .as_array()
        .expect("changes")
        .iter()
        .map(|c| (c["field"].as_str().expect("a field"), &c["before"], &c["after"], c["changed_by"].as_str()))
        .collect();
    assert_eq!(
        changes,
        [
            ("name", &json!("Office"), &json!("Main office"), Some("token admin")),
            ("spec.description", &json!("Second floor"), &json!("Third floor"), Some("token colleague")),
            ("spec.settings.max_sessions", &json!(null), &json!(9), Some("token admin")),
        ]
    );
    let deleted = office.delete(&path, 2).await;
    assert_eq!(deleted.body["changes"].as_array().map(Vec::len), Some(2), "{deleted:?}");
    deleted.refused(StatusCode::PRECONDITION_FAILED, "stale");
    assert_eq!(office.get(&path).await.expect(StatusCode::OK)["name"], "Main office");
}

#[tokio::test]
async fn what_is_kept_of_a_secret_is_not_told_to_a_stale_writer() {
    let office = Office::open().await;
    let made = office.post("tokens", json!({"name": "desk", "spec": {"role": "viewer"}})).await;
    let id = made.expect(StatusCode::CREATED)["id"].as_str().expect("an id").to_owned();
    let path = format!("tokens/{id}");
    office.patch(&path, json!({"spec": {"description": "d"}, "revision": 1})).await.expect(StatusCode::OK);
    let stale = office.patch(&path, json!({"spec": {"description": "e"}, "revision": 1})).await;
    assert!(!stale.body.to_string().contains("secret_sha256"), "{stale:?}");
    stale.refused(StatusCode::PRECONDITION_FAILED, "stale");
}

#[tokio::test]
async fn a_tag_is_the_revision_and_changes_with_what_is_shown() {
    let office = Office::open().await;
    let made = office.post("groups", json!({"name": "Staff", "spec": {}})).await;
    let place = made.header("location").strip_prefix("/api/v1/").expect("a place").to_owned();
    assert_eq!(made.header("etag"), "\"1\"");
    let shown = office.get(&place).await;
    assert_eq!((shown.header("etag"), shown.body["name"].as_str()), ("\"1\"", Some("Staff")));

    let known =
        |tag: &str| office.request(&office.token, Method::GET, &place, &[("if-none-match", tag)], Vec::new());
    let unchanged = office.ask(known("\"0\", W/\"1\"")).await;
    assert_eq!((unchanged.status, unchanged.header("etag")), (StatusCode::NOT_MODIFIED, "\"1\""));
    office.ask(known("\"0\"")).await.expect(StatusCode::OK);

    let body = json!({"name": "Everybody", "spec": {}}).to_string().into_bytes();
    let put = |tag: &str| {
        let headers = [("if-match", tag), ("content-type", "application/json")];
        office.request(&office.token, Method::PUT, &place, &headers, body.clone())
    };
    assert_eq!(office.ask(put("\"1\"")).await.header("etag"), "\"2\"");
    office.ask(put("\"1\"")).await.refused(StatusCode::PRECONDITION_FAILED, "stale");
    assert_eq!(office.ask(put("*")).await.expect(StatusCode::OK)["revision"], 3);
    office.ask(put("3")).await.refused(StatusCode::BAD_REQUEST, "bad_request");

    // What a pool inherits changes without a revision of the pool, and so does its tag, but not what it
    // stands for in If-Match.
    let sites = office.get("sites").await.expect(StatusCode::OK);
    let site = sites["items"][0].clone();
    let pool = office.made("pools", json!({"name": "P", "site": site["id"], "spec": {}})).await;
    let before = office.get(&format!("pools/{pool}")).await.header("etag").to_owned();
    let site_path = format!("sites/{}", site["id"].as_str().expect("an id"));
    let inherited = json!({"spec": {"host_defaults": {"max_sessions": 7}}, "revision": site["revision"]});
    office.patch(&site_path, inherited).await.expect(StatusCode::OK);
    let after = office.get(&format!("pools/{pool}")).await.header("etag").to_owned();
    assert!(before != after && before.starts_with("\"1-") && after.starts_with("\"1-"), "{before} {after}");
    let headers = [("if-match", before.as_str())];
    let gone = office.request(&office.token, Method::DELETE, &format!("pools/{pool}"), &headers, Vec::new());
    office.ask(gone).await.expect(StatusCode::NO_CONTENT);
}

#[tokio::test]
async fn a_patch_changes_what_it_says_and_leaves_the_rest() {
    let office = Office::open().await;
    let spec = json!({"description": "d", "settings": {"max_sessions": 5, "linger_logoff_secs": 9}});
    let id = office.made("pools", json!({"name": "Office", "spec": spec})).await;
    let path = format!("pools/{id}");
    let patch = json!({"revision": 1, "spec": {"settings": {"max_sessions": 6, "linger_logoff_secs": null}}});
    let patched = office.patch(&path, patch).await.expect(StatusCode::OK);
    assert_eq!(patched["spec"]["settings"], json!({"max_sessions": 6}));
    assert_eq!(
        (patched["name"].as_str(), patched["spec"]["description"].as_str()),
        (Some("Office"), Some("d"))
    );
    for (patch, field) in [
        (json!({"revision": 2, "spec": {"settings": {"max_sesions": 6}}}), "spec.settings.max_sesions"),
        (json!({"revision": 2, "name": null}), ""),
        (json!({"revision": 2, "colour": "red"}), "colour"),
        (json!({"revision": "two"}), "revision"),
        (json!({"revision": 2, "spec": {"settings": {"max_sessions": 0}}}), "spec.settings.max_sessions"),
    ] {
        let answer = office.patch(&path, patch.clone()).await;
        assert_eq!(answer.body["errors"][0]["field"], field, "{patch}: {answer:?}");
        answer.refused(StatusCode::UNPROCESSABLE_ENTITY, "invalid");
    }
    // A token's secret is not shown, so a patch cannot lose it.
    let made = office.post("tokens", json!({"name": "desk", "spec": {"role": "viewer"}})).await;
    let made = made.expect(StatusCode::CREATED);
    let path = format!("tokens/{}", made["id"].as_str().expect("an id"));
    office.patch(&path, json!({"spec": {"description": "x"}, "revision": 1})).await.expect(StatusCode::OK);
    let secret = made["secret"].as_str().expect("a secret");
    office.send(secret, Method::GET, "pools", "", Vec::new(), None).await.expect(StatusCode::OK);
}
