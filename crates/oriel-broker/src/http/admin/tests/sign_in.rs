//! Administrators at the management portal.

use super::*;

pub(super) const PASSWORD: &str = "correct horse battery";

impl Office {
    /// A user who is an administrator with this role.
    pub(super) async fn administrator(&self, name: &str, role: Value) -> String {
        let user = self.made("users", json!({"name": name, "spec": {}, "password": PASSWORD})).await;
        let mut spec = json!({"who": {"user": user}, "role": "root"});
        for (field, value) in role.as_object().expect("fields") {
            spec[field] = value.clone();
        }
        self.made("administrators", json!({"name": name, "spec": spec})).await;
        user
    }

    pub(super) async fn sign_in(&self, name: &str, password: &str) -> Answer {
        let body = json!({"name": name, "password": password}).to_string().into_bytes();
        self.with("", Method::POST, "sign-in", body, &[]).await
    }

    /// A request with a cookie, as our pages send it.
    pub(super) async fn with(
        &self,
        cookie: &str,
        method: Method,
        path: &str,
        body: Vec<u8>,
        headers: &[(&str, &str)],
    ) -> Answer {
        let mut request = Request::builder()
            .method(method)
            .uri(format!("{PATH_PREFIX}/{path}"))
            .header("cookie", cookie)
            .header("content-type", "application/json")
            .header("user-agent", "A browser")
            .extension(PeerAddress((Ipv4Addr::LOCALHOST, 1).into()));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        self.ask(request.body(Body::from(body)).expect("a request")).await
    }
}

/// The cookie that an answer sets, as a browser sends it back.
#[track_caller]
pub(super) fn cookie(answer: &Answer) -> String {
    let set = answer.header("set-cookie");
    assert!(set.contains("; Secure; HttpOnly; SameSite=Strict"), "{set}");
    set.split(';').next().expect("a cookie").to_owned()
}

pub(super) const OURS: &[(&str, &str)] = &[("x-oriel-request", "portal")];

#[tokio::test]
async fn an_administrator_signs_in_works_and_signs_out() {
    let office = Office::open().await;
    let anna = office.administrator("anna", json!({})).await;
    office.made("users", json!({"name": "ben", "spec": {}, "password": PASSWORD})).await;
    let refusals = [("anna", "wrong"), ("ben", PASSWORD), ("nobody", PASSWORD)];
    let mut said = Vec::new();
    for (name, password) in refusals {
        let answer = office.sign_in(name, password).await;
        assert!(!answer.headers.contains_key("set-cookie"));
        said.push(answer.refused(StatusCode::UNAUTHORIZED, "sign_in_refused"));
    }
    assert!(said.iter().all(|each| *each == said[0]), "{said:?}");

    let nobody = office.with("", Method::GET, "sign-in", Vec::new(), &[]).await;
    assert_eq!(nobody.expect(StatusCode::OK)["me"], Value::Null);
    let answer = office.sign_in("anna", PASSWORD).await;
    let jar = cookie(&answer);
    let me = answer.expect(StatusCode::OK);
    assert_eq!((&me["user"]["id"], &me["root"]), (&json!(anna), &json!(true)));
    let group = json!({"name": "Sales", "spec": {}}).to_string().into_bytes();
    let from_elsewhere = office.with(&jar, Method::POST, "groups", group.clone(), &[]).await;
    from_elsewhere.refused(StatusCode::FORBIDDEN, "csrf");
    let made = office.with(&jar, Method::POST, "groups", group, OURS).await;
    assert_ne!(cookie(&made), jar, "whoever does something stays");
    assert_eq!(made.expect(StatusCode::CREATED)["changed_by"], "user anna");
    let quiet = [("x-oriel-request", "background")];
    let answer = office.with(&jar, Method::GET, "groups", Vec::new(), &quiet).await;
    assert!(!answer.headers.contains_key("set-cookie"), "what runs by itself keeps nobody signed in");
    let log = office.get("changes?limit=1").await.expect(StatusCode::OK);
    assert_eq!((&log["items"][0]["author"]["via"]), &json!("portal"));

    let out = office.with(&jar, Method::DELETE, "sign-in", Vec::new(), OURS).await;
    assert!(out.header("set-cookie").contains("Max-Age=0"));
    out.expect(StatusCode::NO_CONTENT);
    office
        .with(&jar, Method::GET, "me", Vec::new(), OURS)
        .await
        .refused(StatusCode::UNAUTHORIZED, "unauthorized");
}

#[tokio::test]
async fn sign_ins_are_seen_and_ended_by_others() {
    let office = Office::open().await;
    office.administrator("anna", json!({})).await;
    office.administrator("ben", json!({"role": "help_desk"})).await;
    let anna = cookie(&office.sign_in("anna", PASSWORD).await);
    let ben = cookie(&office.sign_in("ben", PASSWORD).await);
    let listed = office.with(&anna, Method::GET, "administrator-sessions", Vec::new(), OURS).await;
    let listed = listed.expect(StatusCode::OK);
    let items = listed["items"].as_array().expect("sessions");
    let of = |name: &str| items.iter().find(|item| item["user_name"] == name).expect("a session").clone();
    assert_eq!((&of("anna")["own"], &of("ben")["own"]), (&json!(true), &json!(false)));
    assert_eq!(of("ben")["browser"], "A browser");
    let path = format!("administrator-sessions/{}", of("ben")["id"].as_str().expect("an id"));
    let answer = office.with(&ben, Method::GET, "administrator-sessions", Vec::new(), OURS).await;
    answer.refused(StatusCode::FORBIDDEN, "forbidden");
    office.with(&anna, Method::DELETE, &path, Vec::new(), OURS).await.expect(StatusCode::NO_CONTENT);
    let gone = office.with(&ben, Method::GET, "sessions", Vec::new(), OURS).await;
    gone.refused(StatusCode::UNAUTHORIZED, "unauthorized");
    office
        .with(&anna, Method::DELETE, &path, Vec::new(), OURS)
        .await
        .refused(StatusCode::NOT_FOUND, "not_found");
}

#[tokio::test]
async fn whoever_is_no_administrator_any_more_is_out_at_once() {
    let office = Office::open().await;
    office.administrator("anna", json!({})).await;
    let ben = office.administrator("ben", json!({"role": "viewer"})).await;
    let jar = cookie(&office.sign_in("ben", PASSWORD).await);
    let look = || office.with(&jar, Method::GET, "groups", Vec::new(), OURS);
    look().await.expect(StatusCode::OK);
    let all = office.get("administrators?name=ben").await.expect(StatusCode::OK);
    let id = all["items"][0]["id"].as_str().expect("an id").to_owned();
    office.delete(&format!("administrators/{id}"), 1).await.expect(StatusCode::NO_CONTENT);
    look().await.refused(StatusCode::UNAUTHORIZED, "unauthorized");
    let spec = json!({"who": {"user": ben}, "role": "viewer"});
    office.made("administrators", json!({"name": "ben", "spec": spec})).await;
    look().await.expect(StatusCode::OK);
    let path = format!("users/{ben}/password");
    office.put(&path, json!({"password": "another good password"})).await.expect(StatusCode::NO_CONTENT);
    look().await.refused(StatusCode::UNAUTHORIZED, "unauthorized");
}

#[tokio::test]
async fn an_administrator_changes_their_password_and_only_this_sign_in_goes_on() {
    let office = Office::open().await;
    // Who may do nothing to users has an account of their own nevertheless.
    office.administrator("ben", json!({"role": "help_desk"})).await;
    let (here, there) =
        (cookie(&office.sign_in("ben", PASSWORD).await), cookie(&office.sign_in("ben", PASSWORD).await));
    let new = "three plain words";
    let change = async |jar: &str, password: &str, new: &str| {
        let body = json!({"password": password, "new_password": new}).to_string().into_bytes();
        office.with(jar, Method::PUT, "me/password", body, OURS).await
    };
    let wrong = change(&here, "no idea at all", new).await.expect(StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(wrong["errors"][0]["field"], "password", "{wrong:#}");
    let short = change(&here, PASSWORD, "short").await.expect(StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(short["errors"][0]["field"], "new_password", "{short:#}");
    office.with(&there, Method::GET, "me", Vec::new(), OURS).await.expect(StatusCode::OK);

    let changed = change(&here, PASSWORD, new).await;
    let fresh = cookie(&changed);
    changed.expect(StatusCode::NO_CONTENT);
    office.with(&fresh, Method::GET, "me", Vec::new(), OURS).await.expect(StatusCode::OK);
    for old in [&here, &there] {
        let gone = office.with(old, Method::GET, "me", Vec::new(), OURS).await;
        gone.refused(StatusCode::UNAUTHORIZED, "unauthorized");
    }
    office.sign_in("ben", PASSWORD).await.refused(StatusCode::UNAUTHORIZED, "sign_in_refused");
    office.sign_in("ben", new).await.expect(StatusCode::OK);
    let token = office.put("me/password", json!({"password": "x", "new_password": "y"})).await;
    token.refused(StatusCode::FORBIDDEN, "forbidden");
}

#[tokio::test]
async fn a_stolen_cookie_is_not_enough_to_guess_the_password() {
    let office = Office::open().await;
    office.administrator("ben", json!({})).await;
    let jar = cookie(&office.sign_in("ben", PASSWORD).await);
    let body = |password: &str| {
        json!({"password": password, "new_password": "three plain words"}).to_string().into_bytes()
    };
    for guess in 0..5 {
        let answer =
            office.with(&jar, Method::PUT, "me/password", body(&format!("guess {guess}")), OURS).await;
        answer.refused(StatusCode::UNPROCESSABLE_ENTITY, "invalid");
    }
    // Five are enough: the right one is not taken any more, either.
    let right = office.with(&jar, Method::PUT, "me/password", body(PASSWORD), OURS).await;
    right.refused(StatusCode::UNPROCESSABLE_ENTITY, "invalid");
}

#[tokio::test]
async fn everybody_sees_and_ends_their_own_sign_ins_and_no_others() {
    let office = Office::open().await;
    office.administrator("anna", json!({})).await;
    office.administrator("ben", json!({"role": "help_desk"})).await;
    let anna = cookie(&office.sign_in("anna", PASSWORD).await);
    let (here, there) =
        (cookie(&office.sign_in("ben", PASSWORD).await), cookie(&office.sign_in("ben", PASSWORD).await));
    let listed = async |jar: &str| {
        let answer = office.with(jar, Method::GET, "me/sessions", Vec::new(), OURS).await;
        answer.expect(StatusCode::OK)["items"].as_array().expect("a list").clone()
    };
    let bens = listed(&here).await;
    assert_eq!(
        bens.iter().map(|one| one["user_name"].as_str().expect("a name")).collect::<Vec<_>>(),
        ["ben"; 2]
    );
    assert_eq!(bens.iter().filter(|one| one["own"] == true).count(), 1);
    let other = bens.iter().find(|one| one["own"] == false).expect("the other");
    let of = |one: &Value| format!("me/sessions/{}", one["id"].as_str().expect("an id"));
    let annas = of(&listed(&anna).await[0]);
    let refused = office.with(&here, Method::DELETE, &annas, Vec::new(), OURS).await;
    refused.refused(StatusCode::NOT_FOUND, "not_found");
    office.with(&here, Method::DELETE, &of(other), Vec::new(), OURS).await.expect(StatusCode::NO_CONTENT);
    let gone = office.with(&there, Method::GET, "me", Vec::new(), OURS).await;
    gone.refused(StatusCode::UNAUTHORIZED, "unauthorized");
    assert_eq!(listed(&here).await.len(), 1);
    assert_eq!(
        office.get("me/sessions").await.expect(StatusCode::OK)["items"],
        json!([]),
        "a token has none"
    );
}
