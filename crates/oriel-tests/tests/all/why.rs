//! Decisions explained: what somebody sees and may do, and what a launch would come to.

use std::time::{Duration, Instant};

use oriel_testkit::farm::Farm;
use serde_json::{Value, json};

fn named<'a>(access: &'a Value, name: &str) -> &'a Value {
    let resources = access["resources"].as_array().unwrap();
    resources.iter().find(|resource| resource["name"] == name).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_resource_is_answered_with_the_rule_that_decides() {
    let farm = Farm::start().await;
    let _host = farm.add_host("h1").await;
    let sales = farm.group("Sales").await;
    let alice = farm.user("alice", &[&sales]).await;
    let desktop = json!({ "kind": "desktop", "source": farm.source() });
    let at_home = json!({ "name": "not from home", "effect": "deny",
        "criteria": [{ "type": "address", "objects": ["192.0.2.0/24"] }] });
    let only_sales = json!({ "name": "sales", "effect": "allow",
        "criteria": [{ "type": "group", "objects": [sales] }] });
    let rules = json!({ "rules": [at_home, only_sales], "otherwise": "deny" });
    let folder = farm.resource("Office", json!({ "target": { "kind": "folder" }, "rules": rules })).await;
    let prices = farm.resource("Prices", json!({ "target": desktop, "folder": folder })).await;
    farm.resource("Off", json!({ "target": desktop, "status": { "state": "disabled" } })).await;
    let policies = ["First", "Second"];
    for (order, name) in policies.iter().enumerate() {
        let rules = if order == 0 { json!({ "otherwise": "deny" }) } else { json!({}) };
        let spec =
            json!({ "order": order, "rules": rules, "settings": { "drives": { "direction": "none" } } });
        farm.admin.create("policies", name, spec).await.unwrap();
    }
    let hours = json!({ "open": [{ "days": ["monday"], "from": "08:00:00", "to": "18:00:00" }],
        "clock": { "of": "zone", "time_zone": "Europe/Berlin" } });
    farm.admin.create("logon_hours", "Mondays", hours).await.unwrap();

    let ask = async |facts: Value| {
        farm.admin.post("/why/access", json!({ "user": alice, "facts": facts })).await.unwrap()
    };
    // Monday 7 December 2026, nine in the morning in Berlin.
    let monday = "2026-12-07T08:00:00Z";
    let office = ask(json!({ "address": "10.0.0.1", "at": monday })).await;
    assert_eq!(named(&office, "Office")["rule_name"], "sales");
    assert_eq!(named(&office, "Prices")["access"]["answer"], "open");
    assert_eq!(named(&office, "Off")["access"]["because"]["reason"], "disabled");
    assert_eq!((&office["visible"], &office["hours"]["is_open"]), (&json!(2), &json!(true)));
    assert_eq!(office["policy"]["policy"]["name"], "Second");
    assert_eq!(office["policy"]["looked_at"][0]["decision"]["effect"], "deny");

    let home = ask(json!({ "address": "192.0.2.9", "at": "2026-12-08T08:00:00Z" })).await;
    let hidden = named(&home, "Prices");
    assert_eq!(
        (&hidden["rule_name"], &hidden["access"]["because"]["reason"]),
        (&json!("not from home"), &json!("folder_rule"))
    );
    assert_eq!(hidden["access"]["because"]["folder"], json!(folder));
    assert_eq!((&home["hours"]["is_open"], &home["hours"]["may"]["open"]), (&json!(false), &json!(false)));
    assert_eq!(home["hours"]["until"], "2026-12-14T07:00:00Z");

    let launch = json!({ "user": alice, "resource": prices, "address": "10.0.0.1", "at": monday });
    let launch = farm.admin.post("/explain/launch", launch).await.unwrap();
    assert_eq!(launch["summary"], "A new session starts on h1.");
    assert_eq!(launch["policy"]["policy"]["name"], "Second");
    let late =
        json!({ "user": alice, "resource": prices, "address": "10.0.0.1", "at": "2026-12-08T08:00:00Z" });
    let late = farm.admin.post("/explain/launch", late).await.unwrap();
    let summary = late["summary"].as_str().unwrap();
    assert!(summary.starts_with("This is outside your hours."), "{summary}");
    let nobody = json!({ "user": "01900000-0000-7000-8000-000000000000" });
    farm.admin.try_post("/why/access", nobody).await.unwrap().assert(404, "not_found");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_change_of_settings_is_seen_by_those_who_sign_in_within_a_second() {
    let farm = Farm::start().await;
    farm.user("alice", &[]).await;
    let spec = json!({ "settings": { "drives": { "direction": "none" } } });
    farm.admin.create("policies", "All", spec).await.unwrap();
    farm.desktop("Desktop").await;
    let changed = Instant::now();
    let portal = farm.signed_in("alice").await;
    let me = portal.get("/me").await.unwrap().json();
    assert_eq!(me["policy"]["name"], "All");
    assert_eq!(portal.resource_names().await.unwrap(), ["Desktop"]);
    assert!(changed.elapsed() < Duration::from_secs(1), "{:?}", changed.elapsed());
}
