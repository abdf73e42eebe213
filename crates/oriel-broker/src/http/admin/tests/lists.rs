use super::*;

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
    for (query, field) in [("colour=red", "colour"), ("limit=many", "limit")] {
        let body = office.get(&format!("groups?{query}")).await.expect(StatusCode::BAD_REQUEST);
        assert_eq!(body["errors"][0]["field"], field, "{body:#}");
    }
}

#[tokio::test]
async fn a_cursor_stays_right_while_objects_come_and_go() {
    let office = Office::open().await;
    let mut ids = Vec::new();
    for name in ["b", "d", "f", "h"] {
        ids.push(office.made("groups", json!({"name": name, "spec": {}})).await);
    }
    for sort in ["", "&sort=-name", "&sort=spec.description,name"] {
        let first = office.get(&format!("groups?limit=2{sort}")).await.expect(StatusCode::OK);
        let seen = names(&first).last().map(|name| (*name).to_owned()).expect("two");
        // The very object behind which the next page begins goes, and others come before and after it.
        let gone = names(&first)[1].to_owned();
        let id = first["items"][1]["id"].as_str().expect("an id").to_owned();
        let revision = first["items"][1]["revision"].as_u64().expect("a revision");
        office.delete(&format!("groups/{id}"), revision).await.expect(StatusCode::NO_CONTENT);
        office.made("groups", json!({"name": "a", "spec": {}})).await;
        office.made("groups", json!({"name": "g", "spec": {}})).await;
        let next = first["next"].as_str().expect("a cursor");
        let rest = office.get(&format!("groups?limit=9&after={next}{sort}")).await.expect(StatusCode::OK);
        let expected: Vec<_> = if sort == "&sort=-name" {
            ["g", "f", "d", "b", "a"].into_iter().filter(|name| *name < seen.as_str()).collect()
        } else {
            ["d", "f", "g", "h"].into_iter().filter(|name| *name > seen.as_str()).collect()
        };
        assert_eq!(names(&rest), expected, "{sort}");
        for name in ["a", "g"] {
            let found = office.get(&format!("groups?name={name}&exact=true")).await.expect(StatusCode::OK);
            let id = found["items"][0]["id"].as_str().expect("an id").to_owned();
            office.delete(&format!("groups/{id}"), 1).await.expect(StatusCode::NO_CONTENT);
        }
        office.made("groups", json!({"name": gone, "spec": {}})).await;
    }
}

#[tokio::test]
async fn a_list_is_filtered_and_sorted_by_any_field_and_shows_those_that_are_wanted() {
    let office = Office::open().await;
    let staff = office.made("groups", json!({"name": "Staff", "spec": {}})).await;
    for (name, enabled, groups) in
        [("alice", true, json!([staff])), ("bob", false, json!([staff])), ("carol", true, json!([]))]
    {
        let spec =
            json!({"enabled": enabled, "full_name": format!("{name}, of \"A\" & Co"), "groups": groups});
        office.made("users", json!({"name": name, "spec": spec})).await;
    }
    for (query, expected) in [
        ("filter=spec.enabled:false", vec!["bob"]),
        ("filter=spec.enabled!:false", vec!["alice", "carol"]),
        (&format!("filter=spec.groups:{staff},spec.enabled:true"), vec!["alice"]),
        ("filter=spec.groups:null", vec!["carol"]),
        ("filter=spec.full_name~:OB,name!:alice", vec!["bob"]),
        ("filter=spec.full_name~:%22b,%20of%22", vec!["bob"]),
        ("filter=revision:1&name=AL", vec!["alice"]),
        ("sort=-name", vec!["carol", "bob", "alice"]),
        ("sort=spec.enabled,-name", vec!["bob", "carol", "alice"]),
        ("sort=name&limit=1", vec!["alice"]),
    ] {
        let page = office.get(&format!("users?{query}")).await.expect(StatusCode::OK);
        assert_eq!(names(&page), expected, "{query}");
    }
    let page = office.get("users?fields=name,spec.enabled&limit=1").await.expect(StatusCode::OK);
    let id = page["items"][0]["id"].clone();
    assert_eq!(page["items"][0], json!({"id": id, "name": "alice", "spec": {"enabled": true}}));
}

#[tokio::test]
async fn a_query_that_does_not_fit_the_kind_is_refused_with_what_there_is() {
    let office = Office::open().await;
    office.made("groups", json!({"name": "Staff", "spec": {}})).await;
    office.made("groups", json!({"name": "Sales", "spec": {}})).await;
    let first = office.get("groups?limit=1").await.expect(StatusCode::OK);
    let next = first["next"].as_str().expect("a cursor");
    for (path, part, says) in [
        (
            "pools?filter=spec.enabeld:true",
            "filter",
            "\"spec.enabeld\" is not a field: \"spec\" has balancing, description, enabled, settings",
        ),
        ("pools?filter=spec.enabled:maybe", "filter", "\"spec.enabled\" is true or false, not \"maybe\""),
        ("pools?filter=spec.settings.max_sessions:many", "filter", "is a number"),
        ("pools?filter=spec.settings:5", "filter", "holds several fields"),
        ("pools?filter=enabled", "filter", "is no term"),
        ("pools?filter=name:%22x", "filter", "quotation mark"),
        ("pools?sort=spec.color", "sort", "\"spec.color\" is not a field"),
        ("users?sort=spec.groups", "sort", "holds several values"),
        ("pools?fields=name,state", "fields", "\"state\" is not a field: an object here has changed_at"),
        ("pools?limit=0", "limit", "must be from 1 to 1000"),
        ("pools?limit=1001", "limit", "must be from 1 to 1000"),
        ("pools?after=xyz", "after", "is not what an earlier page gave"),
        (&format!("groups?sort=-name&after={next}"), "after", "in another order"),
        ("sessions?filter=colour:red", "filter", "\"colour\" is not a field"),
    ] {
        let answer = office.get(path).await;
        let field = answer.body["errors"][0]["field"].clone();
        let message = answer.refused(StatusCode::BAD_REQUEST, "bad_list");
        assert_eq!(field, part, "{path}");
        assert!(message.contains(says), "{path}: {message}");
    }
}
