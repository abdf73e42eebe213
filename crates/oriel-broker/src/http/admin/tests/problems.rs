use super::*;

#[tokio::test]
async fn too_large_bodies_and_unknown_places_are_refused_in_words() {
    let office = Office::open().await;
    let large = json!({"name": "x", "spec": {"description": "y".repeat(BODY_MAX)}});
    office.post("groups", large).await.refused(StatusCode::PAYLOAD_TOO_LARGE, "too_large");
    office.get("nowhere").await.refused(StatusCode::NOT_FOUND, "not_found");
    let wrong =
        office.send(&office.token, Method::POST, "hosts", "application/json", b"{}".to_vec(), None).await;
    wrong.refused(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed");
}

#[tokio::test]
async fn every_refusal_is_a_problem_document_with_a_code_that_is_explained() {
    let office = Office::open().await;
    let id = office.made("pools", json!({"name": "Office", "spec": {}})).await;
    let path = format!("pools/{id}");
    let send = |method, path: &str, kind, body: &str| {
        let (path, body) = (path.to_owned(), body.as_bytes().to_vec());
        let office = &office;
        async move { office.send(&office.token, method, &path, kind, body, None).await }
    };
    let json = "application/json";
    for (answer, status, code) in [
        (send(Method::GET, "pools/7", "", "").await, 400, "bad_request"),
        (send(Method::POST, "pools", json, "{").await, 400, "bad_request"),
        (send(Method::GET, "nowhere", "", "").await, 404, "not_found"),
        (send(Method::GET, "pools/0192f0c1-2b7a-7c3e-9d55-0e6f3a1b2c4d", "", "").await, 404, "not_found"),
        (send(Method::DELETE, "status", "", "").await, 405, "method_not_allowed"),
        (send(Method::POST, "pools", json, r#"{"name":"OFFICE","spec":{}}"#).await, 409, "name_taken"),
        (send(Method::PUT, &path, json, r#"{"name":"a","spec":{},"revision":9}"#).await, 412, "stale"),
        (send(Method::POST, "pools", "text/plain", "{}").await, 415, "not_json"),
        (send(Method::POST, "pools", json, r#"{"name":"","spec":{}}"#).await, 422, "invalid"),
        (send(Method::PUT, &path, json, r#"{"name":"a","spec":{}}"#).await, 428, "revision_needed"),
        (send(Method::DELETE, &path, "", "").await, 428, "revision_needed"),
    ] {
        answer.refused(StatusCode::from_u16(status).expect("a status"), code);
        let about = office.get(&format!("problems/{code}")).await.expect(StatusCode::OK);
        assert!(about["status"].as_array().expect("statuses").contains(&status.into()), "{about}");
    }
    let wrong = office.send("wrong", Method::GET, "pools", "", Vec::new(), None).await;
    assert_eq!(wrong.header("www-authenticate"), "Bearer");
    wrong.refused(StatusCode::UNAUTHORIZED, "unauthorized");
    let wrong = office.send(&office.token, Method::PATCH, "pools", json, Vec::new(), None).await;
    assert!(wrong.header("allow").contains("POST"), "{wrong:?}");
    office.get("problems/none").await.refused(StatusCode::NOT_FOUND, "not_found");
    let all = office.get("problems").await.expect(StatusCode::OK);
    assert!(all["items"].as_array().expect("codes").len() > 20);
}
