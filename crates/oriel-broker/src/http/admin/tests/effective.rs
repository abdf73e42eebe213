use super::*;

#[tokio::test]
async fn pools_and_sites_show_what_holds_and_where_it_comes_from() {
    let office = Office::open().await;
    let main = json!({"name": "Headquarters", "spec": {
        "host_defaults": {"max_sessions": 7},
        "publishing": {"maintenance_message": "Back at noon."},
    }});
    let main = office.made("sites", main).await;
    let branch = json!({"name": "Branch", "spec": {
        "follows": {"host_defaults": main, "publishing": main},
        "host_defaults": {"max_sessions": 99},
        "balancing_defaults": {"method": "round_robin"},
    }});
    let branch = office.made("sites", branch).await;
    let pool = json!({"name": "P", "site": branch, "spec": {"settings": {"linger_logoff_secs": 3}}});
    let pool = office.made("pools", pool).await;

    let site = office.get(&format!("sites/{branch}")).await.expect(StatusCode::OK);
    assert_eq!(site["effective"]["host_defaults"]["max_sessions"], 7);
    assert_eq!(site["origins"]["host_defaults"]["max_sessions"], "followed_site");
    assert_eq!(site["origins"]["host_defaults"]["linger_logoff_secs"], "product");
    assert_eq!(site["effective"]["publishing"]["maintenance_message"], "Back at noon.");
    assert_eq!(site["origins"]["publishing"], "followed_site");
    assert_eq!(
        (&site["origins"]["clients"], &site["origins"]["balancing_defaults"]["method"]),
        (&json!("site"), &json!("site"))
    );

    let pool = office.get(&format!("pools/{pool}")).await.expect(StatusCode::OK);
    let (effective, origins) = (&pool["effective"], &pool["origins"]);
    assert_eq!(
        (&effective["settings"]["max_sessions"], &origins["settings"]["max_sessions"]),
        (&json!(7), &json!("followed_site"))
    );
    assert_eq!(
        (&effective["settings"]["linger_logoff_secs"], &origins["settings"]["linger_logoff_secs"]),
        (&json!(3), &json!("pool"))
    );
    assert_eq!(
        (&effective["balancing"]["method"], &origins["balancing"]["method"]),
        (&json!("round_robin"), &json!("site"))
    );
    let found = office.get("pools?filter=effective.settings.max_sessions:7").await.expect(StatusCode::OK);
    assert_eq!(names(&found), ["P"]);
}
