//! Resources moved many at a time, and the status that folders give.

use super::*;

async fn folder(office: &Office, name: &str, spec: Value) -> String {
    let mut spec = spec;
    spec["target"] = json!({"kind": "folder"});
    office.made("resources", json!({"name": name, "spec": spec})).await
}

async fn page(office: &Office, name: &str, folder: Value) -> String {
    let target = json!({"kind": "web_application", "url": "https://example.org"});
    office.made("resources", json!({"name": name, "spec": {"target": target, "folder": folder}})).await
}

#[tokio::test]
async fn several_are_moved_in_one_transaction_and_back_in_one() {
    let office = Office::open().await;
    let tools = folder(&office, "Tools", json!({})).await;
    let (map, mail) = (page(&office, "Map", Value::Null).await, page(&office, "Mail", Value::Null).await);
    let stays = page(&office, "Stays", json!(tools)).await;
    let moves = json!({"moves": [
        {"id": mail, "folder": tools, "order": 1, "revision": 1},
        {"id": map, "folder": tools, "order": 2, "revision": 1},
        {"id": stays, "folder": tools, "order": 0, "revision": 1},
    ]});
    let moved = office.post("resources/move", moves.clone()).await.expect(StatusCode::OK);
    assert_eq!(names(&moved), ["Mail", "Map", "Stays"]);
    let revisions: Vec<_> = (0..3).map(|n| moved["items"][n]["revision"].as_u64()).collect();
    assert_eq!(revisions, [Some(2), Some(2), Some(1)], "what lay there already is not written again");
    let number = moved["transaction"].as_u64().expect("a number");
    let log = office.get(&format!("changes?transaction={number}")).await.expect(StatusCode::OK);
    assert_eq!(log["items"].as_array().map(Vec::len), Some(2));

    // The same once more is based on revisions that are gone.
    office.post("resources/move", moves).await.refused(StatusCode::PRECONDITION_FAILED, "stale");
    let so_already = json!({"moves": [{"id": mail, "folder": tools, "order": 1, "revision": 2}]});
    let nothing = office.post("resources/move", so_already).await.expect(StatusCode::OK);
    assert_eq!(nothing["transaction"], Value::Null);

    let back = format!("changes/{number}/revert");
    office.post(&back, json!({"transaction": true})).await.expect(StatusCode::OK);
    for id in [&map, &mail] {
        let resource = office.get(&format!("resources/{id}")).await.expect(StatusCode::OK);
        assert_eq!((&resource["spec"]["folder"], &resource["spec"]["order"]), (&json!(null), &json!(0)));
    }
}

#[tokio::test]
async fn one_move_that_may_not_be_keeps_all_from_being_made() {
    let office = Office::open().await;
    let outer = folder(&office, "Outer", json!({})).await;
    let inner = folder(&office, "Inner", json!({"folder": outer})).await;
    let (map, mail) = (page(&office, "Map", Value::Null).await, page(&office, "Mail", Value::Null).await);
    let one = |id: &str, folder: &str, revision: u64| json!({"id": id, "folder": folder, "order": 3, "revision": revision});
    let good = one(&map, &inner, 1);
    for (bad, field) in [
        (one(&outer, &inner, 1), "moves[1].spec.folder"),
        (one(&mail, &map, 1), "moves[1].spec.folder"),
        (good.clone(), "moves[1].id"),
    ] {
        let answer = office.post("resources/move", json!({"moves": [good, bad]})).await;
        let body = answer.expect(StatusCode::UNPROCESSABLE_ENTITY);
        assert_eq!(body["errors"][0]["field"], field, "{body:#}");
    }
    let stale = one(&inner, &outer, 7);
    let answer = office.post("resources/move", json!({"moves": [good, stale]})).await;
    answer.refused(StatusCode::PRECONDITION_FAILED, "stale");
    let nobody = one("01a1fcc6-e943-777e-91b2-ba848c5651af", &outer, 1);
    let answer = office.post("resources/move", json!({"moves": [good, nobody]})).await;
    answer.refused(StatusCode::NOT_FOUND, "not_found");
    for moves in [json!([]), Value::Array(vec![good.clone(); 1_001])] {
        let body = office.post("resources/move", json!({"moves": moves})).await;
        assert_eq!(body.expect(StatusCode::UNPROCESSABLE_ENTITY)["errors"][0]["field"], "moves");
    }
    let resource = office.get(&format!("resources/{map}")).await.expect(StatusCode::OK);
    assert_eq!((resource["revision"].as_u64(), &resource["spec"]["folder"]), (Some(1), &json!(null)));

    // Two that swap their places: each alone would make a folder lie in itself.
    let swap = json!({"moves": [
        {"id": inner, "folder": null, "order": 0, "revision": 1},
        {"id": outer, "folder": inner, "order": 0, "revision": 1},
    ]});
    office.post("resources/move", swap).await.expect(StatusCode::OK);
}

#[tokio::test]
async fn who_may_change_only_some_resources_moves_no_others() {
    let office = Office::open().await;
    let (map, mail) = (page(&office, "Map", Value::Null).await, page(&office, "Mail", Value::Null).await);
    let reach = json!({"grants": [
        {"actions": ["view"], "area": "publishing"},
        {"actions": ["modify"], "area": "publishing", "object": map},
    ]});
    let made =
        office.post("tokens", json!({"name": "one", "spec": {"role": "custom", "reach": reach}})).await;
    let made = made.expect(StatusCode::CREATED);
    let secret = made["secret"].as_str().expect("a secret");
    let ask = |id: &str| {
        let body = json!({"moves": [{"id": id, "order": 5, "revision": 1}]}).to_string().into_bytes();
        office.send(secret, Method::POST, "resources/move", "application/json", body, None)
    };
    ask(&mail).await.refused(StatusCode::FORBIDDEN, "forbidden");
    ask(&map).await.expect(StatusCode::OK);
}

#[tokio::test]
async fn a_resource_shows_the_status_that_its_folders_give_it() {
    let office = Office::open().await;
    let maintenance = json!({"state": "maintenance", "message": "Back at noon."});
    let outer = folder(&office, "Outer", json!({"status": maintenance})).await;
    let inner = folder(&office, "Inner", json!({"folder": outer})).await;
    let map = page(&office, "Map", json!(inner)).await;
    let path = format!("resources/{map}");
    let shown = office.get(&path).await;
    let tag = shown.header("etag").to_owned();
    let shown = shown.expect(StatusCode::OK);
    assert_eq!(shown["effective"], json!({"status": maintenance, "inherited_from": outer}));
    assert_eq!(shown["spec"]["status"], json!({"state": "enabled"}));
    let list = office.get("resources?filter=effective.status.state:maintenance").await.expect(StatusCode::OK);
    assert_eq!(names(&list), ["Inner", "Map", "Outer"]);

    office
        .patch(
            &format!("resources/{inner}"),
            json!({"spec": {"status": {"state": "disabled"}}, "revision": 1}),
        )
        .await
        .expect(StatusCode::OK);
    let now = office.get(&path).await;
    assert_ne!(now.header("etag"), tag, "what is shown is not what it was");
    let now = now.expect(StatusCode::OK);
    assert_eq!(now["effective"], json!({"status": {"state": "disabled"}, "inherited_from": inner}));
    assert_eq!(now["revision"], shown["revision"]);
    let own = office.get(&format!("resources/{inner}")).await.expect(StatusCode::OK);
    assert_eq!(own["effective"], json!({"status": {"state": "disabled"}, "inherited_from": null}));
}
