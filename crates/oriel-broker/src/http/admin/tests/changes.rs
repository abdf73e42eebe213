//! The change log, and turning changes back.

use super::*;

#[tokio::test]
async fn the_log_is_filtered_and_shows_names_and_what_is_different() {
    let office = Office::open().await;
    let pool = office.made("pools", json!({"name": "Office", "spec": {}})).await;
    let spec = json!({"target": {"kind": "desktop", "source": {"from": "pools", "pools": [pool]}}});
    let desktop = office.made("resources", json!({"name": "Desktop", "spec": spec})).await;
    let mut changed = spec.clone();
    changed["target"]["source"] = json!({"from": "all_hosts"});
    let path = format!("resources/{desktop}");
    let body = json!({"name": "Desktop", "spec": changed, "revision": 1});
    office.put(&path, body).await.expect(StatusCode::OK);

    let log = office.get(&format!("changes?object={desktop}&names=true")).await.expect(StatusCode::OK);
    let items = log["items"].as_array().expect("changes");
    assert_eq!(items.len(), 2);
    assert_eq!(
        items[0]["changes"],
        json!([
            {"field": "spec.target.source.from", "before": "pools", "after": "all_hosts"},
            {"field": "spec.target.source.pools", "before": ["Office"], "after": null},
        ])
    );
    assert_eq!(items[0]["before"]["spec"]["target"]["source"]["pools"], json!(["Office"]));
    let with_ids = office.get(&format!("changes?object={desktop}")).await.expect(StatusCode::OK);
    assert_eq!(with_ids["items"][0]["changes"][1]["before"], json!([pool]));

    let count = async |query: &str| {
        let log = office.get(&format!("changes?{query}")).await.expect(StatusCode::OK);
        log["items"].as_array().expect("changes").len()
    };
    assert_eq!(count("by=Token%20ADMIN").await, 3);
    assert!(count("by=system").await > 3);
    assert_eq!(count("by=nobody").await, 0);
    assert_eq!(count("kind=resource&by=admin").await, 2);
    assert_eq!(count("since=2100-01-01T00:00:00Z").await, 0);
    assert_eq!(count("by=admin&until=2100-01-01T00:00:00Z").await, 3);
    assert_eq!(office.get("changes?since=yesterday").await.status, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn one_change_is_turned_back_unless_the_object_was_changed_since() {
    let office = Office::open().await;
    let id = office.made("groups", json!({"name": "Staff", "spec": {"description": "one"}})).await;
    let path = format!("groups/{id}");
    let two = json!({"name": "Staff", "spec": {"description": "two"}, "revision": 1});
    office.put(&path, two).await.expect(StatusCode::OK);
    let log = office.get(&format!("changes?object={id}")).await.expect(StatusCode::OK);
    let number = |index: usize| log["items"][index]["sequence"].as_u64().expect("a number");
    let (changed, created) = (number(0), number(1));

    let plan = office.post(&format!("changes/{changed}/revert"), json!({"dry_run": true})).await;
    let plan = plan.expect(StatusCode::OK);
    assert_eq!(
        plan["plan"],
        json!([{"kind": "group", "name": "Staff", "action": "change", "changes": [
            {"field": "spec.description", "before": "two", "after": "one"},
        ]}])
    );
    assert_eq!(plan["committed"], false);
    assert_eq!(office.get(&path).await.expect(StatusCode::OK)["spec"]["description"], "two");

    let refused = office.post(&format!("changes/{created}/revert"), json!({})).await;
    let message = refused.refused(StatusCode::CONFLICT, "changed_since");
    let expected =
        "Field \"description\" of group \"Staff\" has been changed again since, by token admin at ";
    assert!(message.starts_with(expected), "{message}");

    let plan = office.post(&format!("changes/{changed}/revert"), json!({})).await.expect(StatusCode::OK);
    assert_eq!(plan["committed"], true);
    let now = office.get(&path).await.expect(StatusCode::OK);
    assert_eq!((&now["spec"]["description"], &now["revision"]), (&json!("one"), &json!(3)));
    office.post("changes/99999/revert", json!({})).await.refused(StatusCode::NOT_FOUND, "not_found");
    office.post("changes/last/revert", json!({})).await.refused(StatusCode::BAD_REQUEST, "bad_request");
}

#[tokio::test]
async fn what_was_deleted_comes_back_under_its_id_and_what_was_made_goes() {
    let office = Office::open().await;
    let group = office.made("groups", json!({"name": "Staff", "spec": {}})).await;
    let user = office.made("users", json!({"name": "alice", "spec": {"groups": [group]}})).await;
    let newest = async |id: &str| {
        let log = office.get(&format!("changes?object={id}")).await.expect(StatusCode::OK);
        log["items"][0]["sequence"].as_u64().expect("a number")
    };
    let made_group = newest(&group).await;
    let refused = office.post(&format!("changes/{made_group}/revert"), json!({})).await;
    let refused = refused.expect(StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(
        refused["errors"][0],
        json!({"field": "change", "message": "group \"Staff\" is in use by user \"alice\""})
    );

    office.delete(&format!("users/{user}"), 1).await.expect(StatusCode::NO_CONTENT);
    let deleted = newest(&user).await;
    let plan = office.post(&format!("changes/{deleted}/revert"), json!({})).await.expect(StatusCode::OK);
    assert_eq!(plan["plan"][0]["action"], "create");
    assert!(plan["notes"][0].as_str().expect("a note").contains("such as a password"));
    let back = office.get(&format!("users/{user}")).await.expect(StatusCode::OK);
    assert_eq!(back["spec"]["groups"], json!([group]));
    let again = office.post(&format!("changes/{deleted}/revert"), json!({})).await;
    again.refused(StatusCode::CONFLICT, "not_revertible");

    let password = json!({"password": "correct horse battery"});
    office.put(&format!("users/{user}/password"), password).await.expect(StatusCode::NO_CONTENT);
    let secret = newest(&user).await;
    let refused = office.post(&format!("changes/{secret}/revert"), json!({})).await;
    assert!(refused.refused(StatusCode::CONFLICT, "not_revertible").contains("set the secret anew"));
}

#[tokio::test]
async fn everything_after_a_change_is_turned_back_but_what_was_revoked_stays_revoked() {
    let office = Office::open().await;
    let group = office.made("groups", json!({"name": "Staff", "spec": {"description": "one"}})).await;
    let doomed = office.made("groups", json!({"name": "Doomed", "spec": {}})).await;
    let token = office.made("tokens", json!({"name": "leaked", "spec": {"role": "viewer"}})).await;
    let before = office.get("documents").await.expect(StatusCode::OK);
    let to = before["sequence"].clone();

    let body = json!({"name": "Personnel", "spec": {"description": "two"}, "revision": 1});
    office.put(&format!("groups/{group}"), body).await.expect(StatusCode::OK);
    office.delete(&format!("groups/{doomed}"), 1).await.expect(StatusCode::NO_CONTENT);
    office.delete(&format!("tokens/{token}"), 1).await.expect(StatusCode::NO_CONTENT);
    office.made("users", json!({"name": "late", "spec": {"groups": [group]}})).await;

    let plan = office.post("revert", json!({"to": to})).await.expect(StatusCode::OK);
    assert_eq!(plan["notes"], json!(["token \"leaked\" is not there since, and stays so"]));
    let after = office.get("documents").await.expect(StatusCode::OK);
    let without_token = |documents: &Value| -> Vec<Value> {
        let all = documents["documents"].as_array().expect("documents").clone();
        all.into_iter().filter(|document| document["name"] != "leaked").collect()
    };
    assert_eq!(without_token(&after), without_token(&before));
    let again = office.post("revert", json!({"to": to})).await.expect(StatusCode::OK);
    assert_eq!(again["plan"], json!([]), "the log is not rewritten, and nothing is left to do");
    office.post("revert", json!({"to": 1_000_000})).await.refused(StatusCode::NOT_FOUND, "not_found");
}

#[tokio::test]
async fn all_since_a_moment_is_turned_back_as_long_as_the_log_knows_it() {
    let office = Office::open().await;
    let group = office.made("groups", json!({"name": "Staff", "spec": {"description": "one"}})).await;
    let path = format!("groups/{group}");
    // Between two microseconds there is no change.
    let after_that = |at: &Value| {
        let at: oriel_model::Timestamp = at.as_str().expect("a time").parse().expect("a time");
        (at + std::time::Duration::from_micros(1)).to_string()
    };
    let moment = after_that(&office.get(&path).await.expect(StatusCode::OK)["changed_at"]);
    for (revision, description) in [(1, "two"), (2, "three")] {
        let body = json!({"name": "Staff", "spec": {"description": description}, "revision": revision});
        office.put(&path, body).await.expect(StatusCode::OK);
    }
    office.made("groups", json!({"name": "Late", "spec": {}})).await;

    let plan = office.post("revert", json!({"since": moment, "dry_run": true})).await.expect(StatusCode::OK);
    assert_eq!(plan["plan"].as_array().map(Vec::len), Some(2), "{plan:#}");
    assert_eq!(office.get(&path).await.expect(StatusCode::OK)["spec"]["description"], "three");
    let before = office.get("changes?limit=1").await.expect(StatusCode::OK)["items"][0]["sequence"].clone();
    office.post("revert", json!({"since": moment})).await.expect(StatusCode::OK);
    assert_eq!(office.get(&path).await.expect(StatusCode::OK)["spec"]["description"], "one");
    let log = office.get("changes?limit=2").await.expect(StatusCode::OK);
    let of = |number: usize| log["items"][number]["transaction"].clone();
    assert_eq!((of(0), of(1).as_u64() > before.as_u64()), (of(1), true), "one transaction: {log:#}");
    for wrong in [json!({}), json!({"to": 1, "since": moment})] {
        office.post("revert", wrong).await.refused(StatusCode::BAD_REQUEST, "bad_request");
    }

    // Of what was dropped, nothing can be turned back, and so not the rest either.
    let keep = oriel_store::Retention { since: oriel_model::Timestamp::MAX, bytes_max: u64::MAX };
    office.broker.store.drop_oldest(keep, office.broker.now()).await.expect("drops").expect("something");
    office.made("groups", json!({"name": "Later", "spec": {}})).await;
    for back in [json!({"since": moment}), json!({"to": before})] {
        let why = office.post("revert", back).await.refused(StatusCode::CONFLICT, "not_revertible");
        assert!(why.contains("does not reach back"), "{why}");
    }
    assert_eq!(office.get("groups?name=Later").await.expect(StatusCode::OK)["items"][0]["name"], "Later");
}

#[tokio::test]
async fn a_whole_transaction_is_turned_back_or_nothing_of_it() {
    let office = Office::open().await;
    let all = async || office.get("documents").await.expect(StatusCode::OK)["documents"].clone();
    let empty = all().await;
    let last = async || {
        let log = office.get("changes?limit=1").await.expect(StatusCode::OK);
        log["items"][0].clone()
    };
    office.apply(&super::documents::documents()).await.expect(StatusCode::OK);
    let newest = last().await;
    let applied = newest["sequence"].as_u64().expect("a number");
    assert_eq!(newest["transaction"], applied - 6, "its first change gives it its number");
    let together = office.get(&format!("changes?transaction={}", applied - 6)).await.expect(StatusCode::OK);
    assert_eq!(together["items"].as_array().map(Vec::len), Some(7));

    // Names that were swapped, by way of a third, are swapped back.
    let two = json!([{"kind": "group", "name": "a", "spec": {}}, {"kind": "group", "name": "b", "spec": {}}]);
    office.apply(two.as_array().expect("two")).await.expect(StatusCode::OK);
    let a = office.get("groups?name=a&exact=true").await.expect(StatusCode::OK)["items"][0]["id"].clone();
    let swapped = [
        json!({"kind": "group", "name": "b", "renamed_from": "a"}),
        json!({"kind": "group", "name": "a", "renamed_from": "b"}),
    ];
    office.apply(&swapped).await.expect(StatusCode::OK);
    let swap = last().await["sequence"].clone();
    let whole = json!({"transaction": true});
    office.post(&format!("changes/{swap}/revert"), whole.clone()).await.expect(StatusCode::OK);
    let path = format!("groups/{}", a.as_str().expect("an id"));
    assert_eq!(office.get(&path).await.expect(StatusCode::OK)["name"], "a");
    let of_two = office.get(&format!("changes?object={}", a.as_str().expect("an id"))).await;
    let made =
        of_two.expect(StatusCode::OK)["items"].as_array().expect("changes").last().expect("one").clone();
    // Each has its name again: there is nothing that turning back would overlook.
    let path = format!("changes/{}/revert", made["sequence"]);
    let gone = office.post(&path, json!({"transaction": true, "dry_run": true})).await;
    assert_eq!(gone.expect(StatusCode::OK)["plan"].as_array().map(Vec::len), Some(2));
    office
        .apply(&["a", "b"].map(|name| json!({"kind": "group", "name": name, "delete": true})))
        .await
        .expect(StatusCode::OK);

    // Alone the group cannot go, as others need it; with all that came with it, it can.
    let group = office.get("changes?kind=group&limit=1000").await.expect(StatusCode::OK);
    let items = group["items"].as_array().expect("changes");
    let staff = items.iter().find(|item| item["name"] == "Staff").expect("made")["sequence"].clone();
    let alone = office.post(&format!("changes/{staff}/revert"), json!({})).await;
    alone.refused(StatusCode::UNPROCESSABLE_ENTITY, "invalid");
    let path = format!("changes/{staff}/revert");
    let tried =
        office.post(&path, json!({"transaction": true, "dry_run": true})).await.expect(StatusCode::OK);
    assert_eq!((tried["plan"].as_array().map(Vec::len), &tried["committed"]), (Some(7), &json!(false)));
    let before = all().await;
    let one = json!({"kind": "pool", "name": "Office", "site": "Berlin", "spec": {"description": "mine"}});
    office.apply(&[one]).await.expect(StatusCode::OK);
    let refused = office.post(&path, whole.clone()).await.expect(StatusCode::CONFLICT);
    let told = refused["errors"].to_string();
    let expected = "field \\\"description\\\" of pool \\\"Office\\\" has been changed again";
    assert!(refused["code"] == "changed_since" && told.contains(expected), "{refused:#}");
    let change = last().await["sequence"].clone();
    office.post(&format!("changes/{change}/revert"), json!({})).await.expect(StatusCode::OK);
    assert_eq!(all().await, before, "nothing of a transaction is turned back that cannot be whole");
    // The pool says what it said, by a change of its own: nothing stands in the way any more.
    office.post(&path, whole.clone()).await.expect(StatusCode::OK);
    assert_eq!(all().await, empty);

    // What deleted all of it comes back whole, too.
    let deleted = last().await["sequence"].clone();
    office.post(&format!("changes/{deleted}/revert"), whole).await.expect(StatusCode::OK);
    assert_eq!(all().await, before);
}

#[tokio::test]
async fn the_secrets_of_a_transaction_stay_as_they_are() {
    let office = Office::open().await;
    let whole = json!({"transaction": true});
    let user = office.made("users", json!({"name": "bob", "password": "bobs own password"})).await;
    let newest = async || office.get("changes?limit=1").await.expect(StatusCode::OK)["items"][0].clone();
    let made = newest().await;
    assert_eq!(made["action"], "secret_set", "the account and its password came together");
    office
        .put(&format!("users/{user}/password"), json!({"password": "bobs new password"}))
        .await
        .expect(StatusCode::NO_CONTENT);
    let set = newest().await["sequence"].clone();
    let refused = office.post(&format!("changes/{set}/revert"), whole.clone()).await;
    assert!(refused.refused(StatusCode::CONFLICT, "not_revertible").contains("set the secret anew"));
    office.post(&format!("changes/{}/revert", made["sequence"]), whole.clone()).await.expect(StatusCode::OK);
    office.get(&format!("users/{user}")).await.expect(StatusCode::NOT_FOUND);
    let gone = newest().await["sequence"].clone();
    let back = office.post(&format!("changes/{gone}/revert"), whole).await.expect(StatusCode::OK);
    assert_eq!(back["notes"], json!(["secrets of user \"bob\", such as a password, do not come back"]));
}

#[tokio::test]
async fn what_others_have_changed_in_other_fields_since_stays() {
    let office = Office::open().await;
    let pool = office.made("pools", json!({"name": "Office", "spec": {"description": "one"}})).await;
    let path = format!("pools/{pool}");
    let newest = async || {
        let log = office.get("changes?limit=1").await.expect(StatusCode::OK);
        log["items"][0]["sequence"].as_u64().expect("a number")
    };
    let made = newest().await;
    let patch = async |revision: u64, body: Value| {
        let body = json!({"revision": revision, "spec": body});
        office.patch(&path, body).await.expect(StatusCode::OK);
        newest().await
    };
    let limits =
        json!({"description": "two", "settings": {"max_sessions": 5, "idle_disconnect_minutes": 10}});
    let mistake = patch(1, limits).await;
    patch(2, json!({"settings": {"max_sessions": 7}, "enabled": false})).await;
    let later = patch(3, json!({"settings": {"linger_logoff_secs": 900}})).await;

    // What it made of one field was changed again: who did it, and when, is told for that field alone.
    let refused = office.post(&format!("changes/{mistake}/revert"), json!({"dry_run": true})).await;
    let refused = refused.expect(StatusCode::CONFLICT);
    assert_eq!(
        (&refused["code"], refused["errors"].as_array().map(Vec::len)),
        (&json!("changed_since"), Some(1))
    );
    assert_eq!(refused["errors"][0]["field"], "spec.settings.max_sessions");
    let log = office.get(&format!("changes?object={pool}")).await.expect(StatusCode::OK);
    let at = log["items"][1]["at"].as_str().expect("a time");
    let told = refused["errors"][0]["message"].as_str().expect("a sentence");
    assert!(told.contains("\"settings.max_sessions\" of pool \"Office\"") && told.ends_with(at), "{told}");

    patch(4, json!({"settings": {"max_sessions": 5}})).await;
    let plan = office.post(&format!("changes/{mistake}/revert"), json!({})).await.expect(StatusCode::OK);
    let fields: Vec<_> =
        plan["plan"][0]["changes"].as_array().expect("changes").iter().map(|one| &one["field"]).collect();
    assert_eq!(
        fields,
        ["spec.description", "spec.settings.idle_disconnect_minutes", "spec.settings.max_sessions"]
    );
    let now = office.get(&path).await.expect(StatusCode::OK)["spec"].clone();
    assert_eq!((&now["description"], &now["enabled"]), (&json!("one"), &json!(false)));
    assert_eq!(now["settings"]["linger_logoff_secs"], 900, "{now:#}");
    assert!(now["settings"]["max_sessions"].is_null(), "{now:#}");

    // Another change of the same object is turned back by itself, whatever came and went since.
    office.post(&format!("changes/{later}/revert"), json!({})).await.expect(StatusCode::OK);
    let again = office.post(&format!("changes/{later}/revert"), json!({})).await.expect(StatusCode::OK);
    assert_eq!(again["plan"][0]["action"], "unchanged", "{again:#}");
    // What made it would take with it what others have said since.
    let refused = office.post(&format!("changes/{made}/revert"), json!({})).await;
    let refused = refused.expect(StatusCode::CONFLICT);
    assert_eq!(refused["errors"][0]["field"], "spec.enabled", "{refused:#}");
}

#[tokio::test]
async fn everything_in_the_way_of_a_transaction_is_told_at_once() {
    let office = Office::open().await;
    let group =
        |name: &str, text: &str| json!({"kind": "group", "name": name, "spec": {"description": text}});
    let names = ["a", "b", "c", "d"];
    office.apply(&names.map(|name| group(name, "one"))).await.expect(StatusCode::OK);
    office.apply(&names.map(|name| group(name, "two"))).await.expect(StatusCode::OK);
    let log = office.get("changes?limit=1").await.expect(StatusCode::OK);
    let path = format!("changes/{}/revert", log["items"][0]["sequence"]);
    office.apply(&[group("b", "three"), group("c", "three")]).await.expect(StatusCode::OK);
    office.apply(&[json!({"kind": "group", "name": "d", "delete": true})]).await.expect(StatusCode::OK);
    let whole = json!({"transaction": true});
    let refused = office.post(&path, whole.clone()).await.expect(StatusCode::CONFLICT);
    assert_eq!(refused["detail"], "3 things stand in the way of turning this back.");
    let told: Vec<_> =
        refused["errors"].as_array().expect("all").iter().map(|one| one["message"].to_string()).collect();
    for wanted in [
        "of group \\\"b\\\" has been",
        "of group \\\"c\\\" has been",
        "group \\\"d\\\" has been deleted since, by token admin at",
    ] {
        assert!(told.iter().any(|one| one.contains(wanted)), "{wanted}: {told:#?}");
    }
}

#[tokio::test]
async fn what_nobody_looked_at_is_not_turned_back() {
    let office = Office::open().await;
    let pool = office.made("pools", json!({"name": "Office", "spec": {"description": "one"}})).await;
    let to = office.sequence().await;
    let path = format!("pools/{pool}");
    let patch = async |revision: u64, spec: Value| {
        let body = json!({"revision": revision, "spec": spec});
        office.patch(&path, body).await.expect(StatusCode::OK);
    };
    patch(1, json!({"description": "mistake"})).await;
    let mistake = format!("changes/{}/revert", office.sequence().await);
    let plans = async || {
        let all = office.post("revert", json!({"to": to, "dry_run": true})).await.expect(StatusCode::OK);
        let one = office.post(&mistake, json!({"dry_run": true})).await.expect(StatusCode::OK);
        (all["sequence"].clone(), one["sequence"].clone())
    };
    let (all, one) = plans().await;
    // A colleague is faster, and what they do is in no plan.
    patch(2, json!({"enabled": false})).await;
    let refused = office.post("revert", json!({"to": to, "sequence": all})).await;
    let message = refused.refused(StatusCode::CONFLICT, "changed_since");
    assert!(message.starts_with("Pool \"Office\" was changed by token admin at"), "{message}");
    office.post(&mistake, json!({"sequence": one})).await.refused(StatusCode::CONFLICT, "changed_since");
    assert_eq!(office.get(&path).await.expect(StatusCode::OK)["revision"], 3, "nothing was written");

    // What touches nothing of it is in nobody's way.
    let (all, one) = plans().await;
    office.made("groups", json!({"name": "Later", "spec": {}})).await;
    office.post(&mistake, json!({"sequence": one})).await.expect(StatusCode::OK);
    let refused = office.post("revert", json!({"to": to, "sequence": all})).await;
    refused.refused(StatusCode::CONFLICT, "changed_since");
    let (all, _) = plans().await;
    office.post("revert", json!({"to": to, "sequence": all})).await.expect(StatusCode::OK);
    assert_eq!(office.get(&path).await.expect(StatusCode::OK)["spec"]["enabled"], true);
}
