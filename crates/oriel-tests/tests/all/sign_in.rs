//! Signing in: one answer for every refusal, an end that is an end, and no way around the page.

use std::time::Duration;

use http::Method;
use oriel_testkit::{
    farm::{Farm, PASSWORD},
    http::{Answer, PortalClient},
    wait,
};
use serde_json::{Value, json};

const WRONG: &str = "wrong-horse-91ab";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_right_password_lets_in_with_a_cookie_that_scripts_cannot_read() {
    let farm = Farm::start().await;
    farm.user("Alice", &[]).await;
    let portal = farm.portal();
    portal.get("/me").await.unwrap().assert(401, "signed_out");
    assert!(portal.get("/sign-in").await.unwrap().json()["me"].is_null());
    // Names are the same in any case.
    let answer = portal.try_sign_in("aLICE", PASSWORD).await.unwrap();
    let me = answer.clone().expect_success().unwrap();
    assert_eq!(me["user"]["name"], "Alice");
    assert_eq!(me["farm_name"], "Oriel");
    let cookie = answer.headers["set-cookie"].to_str().unwrap().to_owned();
    assert!(cookie.starts_with("__Host-oriel="), "{cookie}");
    for attribute in ["HttpOnly", "Secure", "SameSite=Strict", "Path=/"] {
        assert!(cookie.contains(attribute), "{attribute} is missing: {cookie}");
    }
    assert!(!cookie.to_lowercase().contains("domain="), "{cookie}");
    assert_eq!(portal.get("/me").await.unwrap().json()["user"]["name"], "Alice");
    assert_eq!(portal.get("/sign-in").await.unwrap().json()["me"]["user"]["name"], "Alice");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_refusal_looks_the_same() {
    let farm = Farm::start().await;
    farm.user("alice", &[]).await;
    let disabled = farm.user("disabled", &[]).await;
    farm.admin.change(&format!("/users/{disabled}"), |spec| spec["enabled"] = json!(false)).await.unwrap();
    farm.admin.post("/users", json!({ "name": "no-password", "spec": {} })).await.unwrap();
    farm.user("locked", &[]).await;
    let portal = farm.portal();
    for _ in 0..5 {
        portal.try_sign_in("locked", WRONG).await.unwrap().assert(401, "sign_in_refused");
    }
    let long = "x".repeat(300);
    let mut seen: Option<(String, Answer)> = None;
    for (what, user, password) in [
        ("a wrong password", "alice", WRONG),
        ("an empty password", "alice", ""),
        ("an unknown user", "nobody", PASSWORD),
        ("a disabled user", "disabled", PASSWORD),
        ("a user without a password", "no-password", ""),
        ("a locked account", "locked", PASSWORD),
        ("a password beyond any length", "alice", &long),
        ("no name", "", PASSWORD),
    ] {
        let answer = portal.try_sign_in(user, password).await.unwrap();
        answer.assert(401, "sign_in_refused");
        assert!(!answer.headers.contains_key("set-cookie"), "{what}");
        match &seen {
            None => seen = Some((what.to_owned(), answer)),
            Some((first, same)) => {
                assert_eq!(answer.body, same.body, "{what} and {first} can be told apart");
                let names = |answer: &Answer| answer.headers.keys().cloned().collect::<Vec<_>>();
                assert_eq!(names(&answer), names(same), "{what} and {first} can be told apart");
            }
        }
    }
    // And who is right gets in all the same.
    portal.sign_in("alice", PASSWORD).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lock_opens_with_time_or_with_a_new_password() {
    let farm = Farm::start().await;
    let alice = farm.user("alice", &[]).await;
    farm.user("bob", &[]).await;
    let portal = farm.portal();
    for name in ["alice", "bob"] {
        for _ in 0..5 {
            portal.try_sign_in(name, WRONG).await.unwrap().assert(401, "sign_in_refused");
        }
        portal.try_sign_in(name, PASSWORD).await.unwrap().assert(401, "sign_in_refused");
    }
    let body = json!({ "password": "another-horse-22" });
    farm.admin.try_put(&format!("/users/{alice}/password"), body).await.unwrap().assert(204, "");
    portal.sign_in("alice", "another-horse-22").await.unwrap();
    farm.clock.set_ahead(Duration::from_secs(16 * 60));
    portal.sign_in("bob", PASSWORD).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sign_in_ends_when_it_is_ended() {
    let mut farm = Farm::start().await;
    let alice = farm.user("alice", &[]).await;
    let copy_of = |portal: &PortalClient, farm: &Farm| {
        let copy = farm.portal();
        copy.set_cookie(portal.cookie());
        copy
    };
    // Somebody has copied the cookie before the user signs out.
    let portal = farm.signed_in("alice").await;
    let thief = copy_of(&portal, &farm);
    portal.post("/sign-out", Value::Null).await.unwrap().assert(204, "");
    assert_eq!(portal.cookie(), None, "the cookie is taken away");
    thief.get("/me").await.unwrap().assert(401, "signed_out");

    // It stays ended after a restart, and another sign-in stays alive.
    let other = farm.signed_in("alice").await;
    farm.restart_broker().await;
    farm.gateways_attached().await;
    thief.get("/me").await.unwrap().assert(401, "signed_out");
    other.get("/me").await.unwrap().assert(200, "");

    // A new password ends what the old one opened.
    let body = json!({ "password": "another-horse-22" });
    farm.admin.try_put(&format!("/users/{alice}/password"), body).await.unwrap().assert(204, "");
    other.get("/me").await.unwrap().assert(401, "signed_out");
    let portal = farm.portal();
    portal.sign_in("alice", "another-horse-22").await.unwrap();

    // So does the end of the account.
    farm.admin.change(&format!("/users/{alice}"), |spec| spec["enabled"] = json!(false)).await.unwrap();
    portal.get("/me").await.unwrap().assert(401, "signed_out");
    farm.admin.change(&format!("/users/{alice}"), |spec| spec["enabled"] = json!(true)).await.unwrap();

    // And time: unused for longer than allowed.
    farm.clock.set_ahead(Duration::from_secs(3 * 3600));
    portal.get("/me").await.unwrap().assert(401, "signed_out");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sign_in_that_is_used_stays_until_its_lifetime_ends() {
    let farm = Farm::start().await;
    farm.user("alice", &[]).await;
    let portal = farm.signed_in("alice").await;
    for half_hours in 1..24 {
        farm.clock.set_ahead(Duration::from_secs(half_hours * 1800));
        portal.get("/me").await.unwrap().assert(200, "");
    }
    farm.clock.set_ahead(Duration::from_secs(12 * 3600 + 60));
    portal.get("/me").await.unwrap().assert(401, "signed_out");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_forged_cookie_and_a_foreign_page_get_nowhere() {
    let farm = Farm::start().await;
    farm.user("alice", &[]).await;
    let portal = farm.signed_in("alice").await;
    let cookie = portal.cookie().unwrap();
    let (name, value) = cookie.split_once('=').unwrap();
    let flipped: String = value.chars().rev().collect();
    for forged in ["", "x", &flipped, &value[..value.len() - 4], &"A".repeat(9000), &format!("{value}A")] {
        let thief = farm.portal();
        thief.set_cookie(Some(format!("{name}={forged}")));
        let answer = thief.get("/me").await.unwrap();
        assert!(matches!(answer.status.as_u16(), 401 | 431), "{forged}: {answer}");
    }
    // A form on a foreign site sends the cookie at most, never the header.
    let headers = [("cookie", &*cookie)];
    for path in ["/sign-out", "/launches", "/sign-in"] {
        let path = format!("/api/portal/v1{path}");
        let answer = portal.http().send_json(Method::POST, &path, &headers, &json!({})).await.unwrap();
        answer.assert(403, "csrf");
    }
    portal.get("/me").await.unwrap().assert(200, "");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn floods_of_guesses_are_told_to_wait() {
    let farm = Farm::start().await;
    farm.user("alice", &[]).await;
    let portal = farm.portal();
    let told = wait::until("too many tries are refused", async || {
        let answer = portal.try_sign_in("alice", WRONG).await.unwrap();
        if answer.status.as_u16() == 429 { Ok(answer) } else { Err(answer.to_string()) }
    })
    .await;
    told.assert(429, "busy");
    let seconds: u64 = told.headers["retry-after"].to_str().unwrap().parse().unwrap();
    assert!((1..600).contains(&seconds), "{seconds}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_portal_refuses_what_it_does_not_know() {
    let farm = Farm::start().await;
    farm.user("alice", &[]).await;
    let portal = farm.signed_in("alice").await;
    for (method, path, body, statuses) in [
        (Method::POST, "/sign-in", json!({ "user_name": "alice" }), [400, 422]),
        (Method::POST, "/sign-in", json!([1, 2]), [400, 422]),
        (Method::POST, "/launches", json!({}), [400, 422]),
        (Method::POST, "/launches", json!({ "resource_id": "x", "client": {} }), [400, 422]),
        (Method::PUT, "/favourites/nothing", Value::Null, [400, 404]),
        (Method::GET, "/icons/../../etc/passwd", Value::Null, [400, 404]),
        (Method::GET, "/nothing", Value::Null, [404, 404]),
        (Method::DELETE, "/me", Value::Null, [405, 404]),
    ] {
        let answer = portal.call(method.clone(), path, &body).await.unwrap();
        assert!(statuses.contains(&answer.status.as_u16()), "{method} {path}: {answer}");
        assert!(!answer.code().is_empty() && answer.message().ends_with('.'), "{method} {path}: {answer}");
    }
}
