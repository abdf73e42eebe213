//! What refers to an object.

use super::*;

#[tokio::test]
async fn what_refers_to_an_object_is_listed_with_the_places_where_it_does() {
    let office = Office::open().await;
    let staff = office.made("groups", json!({"name": "Staff", "spec": {}})).await;
    for name in ["carol", "alice", "bob"] {
        office.made("users", json!({"name": name, "spec": {"groups": [staff]}})).await;
    }
    office.made("users", json!({"name": "dave", "spec": {}})).await;
    let spec = json!({"who": {"group": staff}, "role": "viewer"});
    office.made("administrators", json!({"name": "Staff", "spec": spec})).await;
    let path = format!("groups/{staff}/references");

    let all = office.get(&path).await.expect(StatusCode::OK);
    let told: Vec<_> = all["items"]
        .as_array()
        .expect("a page")
        .iter()
        .map(|item| format!("{} {} {}", item["kind"], item["name"], item["fields"]).replace('"', ""))
        .collect();
    assert_eq!(
        told,
        [
            "user alice [spec.groups[0]]",
            "user bob [spec.groups[0]]",
            "user carol [spec.groups[0]]",
            "administrator Staff [spec.who.group]",
        ]
    );
    assert_eq!((all["hidden"].as_bool(), all["next"].is_null()), (Some(false), true));

    let first = office.get(&format!("{path}?limit=3&count=true")).await.expect(StatusCode::OK);
    assert_eq!((names(&first), first["total"].as_u64()), (vec!["alice", "bob", "carol"], Some(4)));
    let next = first["next"].as_str().expect("a cursor");
    let rest = office.get(&format!("{path}?after={next}")).await.expect(StatusCode::OK);
    assert_eq!(names(&rest), ["Staff"]);
    let users = office.get(&format!("{path}?filter=kind:user&sort=-name")).await.expect(StatusCode::OK);
    assert_eq!(names(&users), ["carol", "bob", "alice"]);

    let nobody = "groups/01a1fcc6-e943-777e-91b2-ba848c5651af/references";
    office.get(nobody).await.refused(StatusCode::NOT_FOUND, "not_found");
}

#[tokio::test]
async fn what_lies_in_a_site_refers_to_it_and_what_may_not_be_seen_is_not_told() {
    let office = Office::open().await;
    let oslo = office.made("sites", json!({"name": "Oslo", "spec": {}})).await;
    office.made("pools", json!({"name": "Fjord", "site": oslo, "spec": {}})).await;
    let spec = json!({"target": {"kind": "web_application", "url": "https://example.org"}, "sites": [oslo]});
    office.made("resources", json!({"name": "Map", "spec": spec})).await;
    let path = format!("sites/{oslo}/references");
    let all = office.get(&path).await.expect(StatusCode::OK);
    assert_eq!(names(&all), ["Fjord", "Map"]);
    assert_eq!(all["items"][0]["fields"], json!(["site"]));
    assert_eq!(all["items"][1]["fields"], json!(["spec.sites[0]"]));

    let spec = json!({"role": "custom", "reach": {"grants": [
        {"actions": ["view"], "area": "infrastructure"}, {"actions": ["view"], "area": "hosts"},
    ]}});
    let made =
        office.post("tokens", json!({"name": "hosts", "spec": spec})).await.expect(StatusCode::CREATED);
    let secret = made["secret"].as_str().expect("a secret");
    let seen = office.send(secret, Method::GET, &path, "", Vec::new(), None).await.expect(StatusCode::OK);
    assert_eq!((names(&seen), seen["hidden"].as_bool()), (vec!["Fjord"], Some(true)));
}
