use oriel_model::Kind;

use super::*;

#[tokio::test]
async fn every_kind_is_listed_with_what_can_be_done_and_its_routes_are_there() {
    let office = Office::open().await;
    let kinds = office.get("kinds").await.expect(StatusCode::OK);
    let kinds = kinds["items"].as_array().expect("kinds");
    assert_eq!(kinds.len(), Kind::ALL.len());
    let methods = [
        ("list", Method::GET, false),
        ("show", Method::GET, true),
        ("create", Method::POST, false),
        ("change", Method::PUT, true),
        ("patch", Method::PATCH, true),
        ("delete", Method::DELETE, true),
    ];
    for kind in kinds {
        let plural = kind["plural"].as_str().expect("a path");
        let verbs: Vec<_> = kind["verbs"]
            .as_array()
            .expect("verbs")
            .iter()
            .map(|verb| verb.as_str().expect("a verb"))
            .collect();
        for (verb, method, of_one) in &methods {
            let one = format!("{plural}/0192f0c1-2b7a-7c3e-9d55-0e6f3a1b2c4d");
            let path = if *of_one { &one } else { plural };
            let answer = office
                .send(&office.token, method.clone(), path, "application/json", b"{}".to_vec(), None)
                .await;
            let is_there = answer.status != StatusCode::METHOD_NOT_ALLOWED;
            assert_eq!(is_there, verbs.contains(verb), "{verb} {plural}: {answer:?}");
        }
    }
    let policies = kinds.iter().find(|kind| kind["kind"] == "policy").expect("policies");
    assert_eq!(
        (policies["plural"].as_str(), policies["area"].as_str()),
        (Some("policies"), Some("publishing"))
    );
}

#[tokio::test]
async fn kinds_are_known_to_every_role_and_to_nobody_else() {
    let office = Office::open().await;
    let made = office.post("tokens", json!({"name": "desk", "spec": {"role": "help_desk"}})).await;
    let desk = made.expect(StatusCode::CREATED)["secret"].as_str().expect("a secret").to_owned();
    office.send(&desk, Method::GET, "kinds", "", Vec::new(), None).await.expect(StatusCode::OK);
    let nobody = office.send("wrong", Method::GET, "kinds", "", Vec::new(), None).await;
    nobody.refused(StatusCode::UNAUTHORIZED, "unauthorized");
}
