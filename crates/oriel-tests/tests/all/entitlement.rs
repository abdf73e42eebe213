//! Who sees what: rules, folders, maintenance. What is hidden looks as if it were not there.

use http::Method;
use oriel_testkit::{farm::Farm, http::PortalClient};
use serde_json::{Value, json};

/// Rules that let only a group in.
fn only(group: &str) -> Value {
    json!({
        "rules": [{ "name": "those", "effect": "allow", "criteria": [{ "type": "group", "objects": [group] }] }],
        "otherwise": "deny",
    })
}

async fn check(portal: &PortalClient, expected: &[&str]) {
    assert_eq!(portal.resource_names().await.unwrap(), expected);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_users_see_different_resources() {
    let farm = Farm::start().await;
    let _host = farm.add_host("h1").await;
    let (sales, plant) = (farm.group("Sales").await, farm.group("Plant").await);
    farm.user("alice", &[&sales]).await;
    farm.user("bob", &[&plant]).await;
    let target = json!({ "kind": "desktop", "source": farm.source() });
    let secret = farm.resource("Prices", json!({ "target": target, "rules": only(&sales) })).await;
    farm.resource("Machines", json!({ "target": target, "rules": only(&plant) })).await;
    farm.desktop("Desktop").await;

    let (alice, bob) = (farm.signed_in("alice").await, farm.signed_in("bob").await);
    check(&alice, &["Desktop", "Prices"]).await;
    check(&bob, &["Desktop", "Machines"]).await;
    alice.launch(&secret).await.unwrap();

    // For bob it is as if it were not there, word for word.
    let nothing = "01900000-0000-7000-8000-000000000000";
    let (hidden, absent) = (bob.try_launch(&secret).await.unwrap(), bob.try_launch(nothing).await.unwrap());
    hidden.assert(404, "not_found");
    assert_eq!(hidden.body, absent.body);
    for id in [&*secret, nothing] {
        let favourite = bob.call(Method::PUT, &format!("/favourites/{id}"), &Value::Null).await.unwrap();
        favourite.assert(404, "not_found");
    }
    // Nor can he do anything with her session.
    let session = alice.sessions().await.unwrap()[0]["id"].as_str().unwrap().to_owned();
    bob.try_return(&session).await.unwrap().assert(404, "session_gone");
    for act in ["log-off", "disconnect"] {
        let answer = bob.post(&format!("/sessions/{session}/{act}"), Value::Null).await.unwrap();
        answer.assert(404, "session_gone");
    }

    // A membership that is taken away holds at once.
    let id = farm.id_of("users", "alice").await.unwrap();
    farm.admin.change(&format!("/users/{id}"), |spec| spec["groups"] = json!([])).await.unwrap();
    check(&alice, &["Desktop"]).await;
    alice.try_launch(&secret).await.unwrap().assert(404, "not_found");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_folder_decides_for_all_below_it() {
    let farm = Farm::start().await;
    let _host = farm.add_host("h1").await;
    let sales = farm.group("Sales").await;
    farm.user("alice", &[]).await;
    let folder = json!({ "kind": "folder" });
    let outer = farm.resource("Outer", json!({ "target": folder })).await;
    let inner = farm.resource("Inner", json!({ "target": folder, "folder": outer })).await;
    farm.resource("Empty", json!({ "target": folder })).await;
    let desktop = json!({ "kind": "desktop", "source": farm.source() });
    let deep = farm.resource("Deep", json!({ "target": desktop, "folder": inner })).await;
    let alice = farm.signed_in("alice").await;
    check(&alice, &["Deep", "Inner", "Outer"]).await;

    let outer = format!("/resources/{outer}");
    let change = async |field: &str, value: Value| {
        farm.admin.change(&outer, |spec| spec[field] = value.clone()).await.unwrap();
    };
    change("status", json!({ "state": "maintenance", "message": "Back at noon." })).await;
    let shown = alice.resources().await.unwrap();
    let deep_one = shown.iter().find(|resource| resource["name"] == "Deep").unwrap();
    assert_eq!(deep_one["status"], "maintenance", "{deep_one}");
    assert_eq!(deep_one["maintenance_message"], "Back at noon.");
    alice.try_launch(&deep).await.unwrap().assert_says(409, "in_maintenance", "Back at noon.");

    change("status", json!({ "state": "disabled" })).await;
    check(&alice, &[]).await;
    alice.try_launch(&deep).await.unwrap().assert(404, "not_found");

    change("status", json!({ "state": "enabled" })).await;
    change("rules", only(&sales)).await;
    check(&alice, &[]).await;
    alice.try_launch(&deep).await.unwrap().assert(404, "not_found");

    change("rules", json!({ "rules": [], "otherwise": "allow" })).await;
    check(&alice, &["Deep", "Inner", "Outer"]).await;
    alice.launch(&deep).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn favourites_and_the_recent_are_each_users_own_and_stay() {
    let mut farm = Farm::start().await;
    let _host = farm.add_host("h1").await;
    farm.user("alice", &[]).await;
    farm.user("bob", &[]).await;
    let (one, two) = (farm.desktop("One").await, farm.application("Two").await);
    let (alice, bob) = (farm.signed_in("alice").await, farm.signed_in("bob").await);
    alice.call(Method::PUT, &format!("/favourites/{two}"), &Value::Null).await.unwrap().assert(204, "");
    alice.call(Method::PUT, &format!("/favourites/{one}"), &Value::Null).await.unwrap().assert(204, "");
    alice.call(Method::DELETE, &format!("/favourites/{two}"), &Value::Null).await.unwrap().assert(204, "");
    alice.launch(&two).await.unwrap();

    farm.restart_broker().await;
    farm.gateways_attached().await;
    let listing = alice.get("/resources").await.unwrap().json();
    assert_eq!(listing["favourites"], json!([one]), "{listing}");
    assert_eq!(listing["recent"][0]["id"], json!(two), "{listing}");
    let listing = bob.get("/resources").await.unwrap().json();
    assert_eq!((&listing["favourites"], &listing["recent"]), (&json!([]), &json!([])), "{listing}");
}
