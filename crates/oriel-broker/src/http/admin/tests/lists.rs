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
        ("filter=name:alice|name:carol", vec!["alice", "carol"]),
        ("filter=name:alice|spec.full_name~:OB,spec.enabled:false", vec!["bob"]),
        ("filter=spec.enabled:true,name~:x|name:carol|name:bob", vec!["carol"]),
        ("filter=name:%22alice|carol%22", vec![]),
        ("filter=,name:bob,,", vec!["bob"]),
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
        ("pools?filter=name:x|", "filter", "is no term"),
        (&format!("pools?filter={}", ["name:x"; 21].join("|")), "filter", "has more than 20 terms"),
        ("pools?filter=name:%22x", "filter", "quotation mark"),
        ("pools?sort=spec.color", "sort", "\"spec.color\" is not a field"),
        ("users?sort=spec.groups", "sort", "holds several values"),
        ("groups?fields=name,state", "fields", "\"state\" is not a field: an object here has changed_at"),
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

#[tokio::test]
async fn a_list_says_on_request_how_many_fit_on_all_pages() {
    let office = Office::open().await;
    for number in 0..7 {
        let spec = json!({"description": if number % 2 == 0 { "even" } else { "odd" }});
        office.made("groups", json!({"name": format!("g{number}"), "spec": spec})).await;
    }
    let plain = office.get("groups?limit=3").await.expect(StatusCode::OK);
    assert!(plain.get("total").is_none(), "{plain:#}");
    for (query, total) in [
        ("", 7),
        ("&name=g1", 1),
        ("&filter=spec.description:even", 4),
        ("&sort=-name", 7),
        ("&sort=-name&filter=spec.description:odd", 3),
        ("&filter=name:nobody", 0),
    ] {
        let mut after = String::new();
        let mut seen = 0;
        loop {
            let path = format!("groups?limit=2&count=true{query}{after}");
            let page = office.get(&path).await.expect(StatusCode::OK);
            assert_eq!(page["total"], total, "{path}");
            seen += names(&page).len();
            let Some(next) = page["next"].as_str() else { break };
            after = format!("&after={next}");
        }
        assert_eq!(seen, total, "{query}");
    }
    let sessions = office.get("sessions?count=true&sort=-started_at").await.expect(StatusCode::OK);
    assert_eq!(sessions, json!({"items": [], "next": null, "total": 0}));
}

#[tokio::test]
async fn what_is_counted_is_what_may_be_seen() {
    let office = Office::open().await;
    let [berlin, oslo] = ["Berlin", "Oslo"].map(|name| json!({"name": name, "spec": {}}));
    let (berlin, oslo) = (office.made("sites", berlin).await, office.made("sites", oslo).await);
    for (name, site) in [("here", &berlin), ("there", &oslo), ("there too", &oslo)] {
        office.made("pools", json!({"name": name, "site": site, "spec": {}})).await;
    }
    let spec = json!({"role": "power", "reach": {"sites": [oslo]}});
    let made =
        office.post("tokens", json!({"name": "Oslo's", "spec": spec})).await.expect(StatusCode::CREATED);
    let secret = made["secret"].as_str().expect("a secret");
    for query in ["", "&sort=-name", "&filter=name~:ere"] {
        let path = format!("pools?name=ere&limit=1&count=true{query}");
        let page = office.send(secret, Method::GET, &path, "", Vec::new(), None).await.expect(StatusCode::OK);
        assert_eq!(page["total"], 2, "{query}: {page:#}");
    }
}
