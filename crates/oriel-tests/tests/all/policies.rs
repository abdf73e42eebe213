//! Client policies, logon hours, allowed clients and prelaunch, through a gateway as portals do it.

use std::time::Duration;

use jiff::{SignedDuration, tz::TimeZone};
use oriel_model::{
    Timestamp,
    policy::{ClipboardKind, Direction, Quality},
    session::{ChannelPolicy, EndReason},
};
use oriel_net::clock::Clock as _;
use oriel_testkit::{
    agent::LoggedOn,
    farm::{Farm, Host, PASSWORD},
    wait,
};
use oriel_wire::{
    ticket::{self, Claims},
    v1::{SessionState, agent_request::Body, prepare::Start},
};
use serde_json::{Value, json};

use crate::publishing::last_prepare;

/// What a launch's ticket says.
pub fn claims(farm: &Farm, launch: &Value) -> Claims {
    let now = farm.clock.now();
    let keys = [farm.broker().ticket_keys.sealing(now)];
    ticket::open(launch["ticket"].as_str().unwrap(), &keys, now).unwrap()
}

/// Logs on at the host as the launch's gateway would.
pub fn log_on(farm: &Farm, host: &Host, launch: &Value) -> LoggedOn {
    let logon = claims(farm, launch).logon;
    host.machine.log_on(&logon.name, &logon.secret, Timestamp::now()).expect("a logon that works")
}

fn allow(group: &str) -> Value {
    json!({ "otherwise": "deny", "rules": [
        { "effect": "allow", "criteria": [{ "type": "group", "objects": [group] }] }] })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_policy_that_holds_is_in_the_ticket_and_the_portal_is_told_of_it() {
    let farm = Farm::start().await;
    let _host = farm.add_host("h1").await;
    let sales = farm.group("Sales").await;
    farm.user("alice", &[&sales]).await;
    farm.user("bob", &[]).await;
    let desktop = farm.desktop("Desktop").await;
    let settings = json!({
        "clipboard": { "direction": "to_session", "kinds": ["text"], "max_kib": 64 },
        "drives": { "direction": "to_session" },
        "printing": { "printers": false },
        "audio": { "playback": true, "recording": false },
        "network": { "quality": "slow", "max_kbits": 4000 },
        "connection": { "max_minutes": 30 },
        "options": { "session_list": false, "sign_out_minutes": 10 },
        "redirection": { "routes": [{ "by": "address", "address": "sales.example" }] },
    });
    let spec = json!({ "rules": allow(&sales), "settings": settings });
    let policy = farm.admin.create("policies", "Sales", spec).await.unwrap();

    let alice = farm.portal();
    let me = alice.sign_in("alice", PASSWORD).await.unwrap();
    assert_eq!(me["policy"]["name"], "Sales", "{me}");
    assert_eq!(me["policy"]["settings"]["clipboard"]["direction"], "to_session");
    assert_eq!(me["sign_out_minutes"], 10);
    let launch = alice.launch(&desktop).await.unwrap();
    assert_eq!(launch["policy"], me["policy"]);
    let open =
        json!({ "clipboard": true, "drives": true, "audio": true, "microphone": false, "printers": false });
    assert_eq!(launch["channels"], open);
    assert_eq!(launch["routes"], json!(["sales.example"]));
    let held = claims(&farm, &launch);
    assert_eq!(serde_json::to_value(held.channels).unwrap(), open);
    assert_eq!((held.clipboard.direction, held.drives), (Direction::ToSession, Direction::ToSession));
    assert_eq!(held.quality, Quality::Slow);
    assert_eq!((held.clipboard.kinds, held.clipboard.max_kib), (vec![ClipboardKind::Text], Some(64)));
    assert_eq!(held.max_kbits, Some(4000));
    let lasts = held.connected_until.duration_since(farm.clock.now());
    assert!(lasts <= SignedDuration::from_mins(30) && lasts > SignedDuration::from_mins(29), "{lasts}");
    // The list's buttons are hidden, and their calls refused.
    let session = launch["session_id"].as_str().unwrap();
    for act in ["log-off", "disconnect"] {
        alice
            .post(&format!("/sessions/{session}/{act}"), Value::Null)
            .await
            .unwrap()
            .assert(403, "forbidden");
    }

    let bob = farm.signed_in("bob").await;
    let free = bob.launch(&desktop).await.unwrap();
    assert_eq!((&free["policy"], &free["routes"]), (&Value::Null, &json!([])));
    let free = claims(&farm, &free);
    assert_eq!((free.channels, free.drives), (ChannelPolicy::default(), Direction::Both));
    assert_eq!(free.quality, Quality::Automatic);

    // A change holds at the very next call.
    farm.admin.change(&format!("/policies/{policy}"), |spec| spec["rules"] = json!({})).await.unwrap();
    let me = bob.get("/me").await.unwrap().json();
    assert_eq!(me["policy"]["name"], "Sales");

    // Who does nothing for ten minutes is signed out.
    farm.clock.set_ahead(Duration::from_secs(11 * 60));
    alice.get("/me").await.unwrap().assert(401, "signed_out");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_is_not_listed_does_not_get_in() {
    let farm = Farm::start().await;
    let _host = farm.add_host("h1").await;
    farm.user("alice", &[]).await;
    let desktop = farm.desktop("Desktop").await;
    let site = farm.admin.get("/sites").await.unwrap()["items"][0]["id"].as_str().unwrap().to_owned();
    let set = async |mode: &str| {
        let clients = json!({ "mode": mode, "message": "Please update your browser.",
            "clients": [{ "kind": "browser", "minimum_version": "10.2" }] });
        farm.admin.change(&format!("/sites/{site}"), |spec| spec["clients"] = clients.clone()).await.unwrap();
    };
    let sign_in = |version: &str| json!({ "user_name": "alice", "password": PASSWORD, "client": { "kind": "browser", "version": version } });
    set("listed_to_sign_in").await;
    let portal = farm.portal();
    let refused = portal.post("/sign-in", sign_in("9.9")).await.unwrap();
    refused.assert_says(403, "client_not_allowed", "Please update your browser.");
    portal.post("/sign-in", sign_in("10.3")).await.unwrap().assert(200, "");
    assert_eq!(
        portal.resource_names().await.unwrap(),
        ["Desktop"],
        "what it said at the sign-in is remembered"
    );
    set("listed_to_open").await;
    let old = farm.portal();
    old.post("/sign-in", sign_in("9.9")).await.unwrap().assert(200, "");
    assert!(old.resource_names().await.unwrap().is_empty());
    let launch = json!({ "resource_id": desktop, "client": { "version": "9.9" } });
    old.post("/launches", launch).await.unwrap().assert(403, "client_not_allowed");
    let launch = json!({ "resource_id": desktop, "client": {} });
    portal.post("/launches", launch).await.unwrap().assert(201, "");
}

/// Hours of today from so many minutes ago to in so many minutes, in Berlin.
pub fn hours(farm: &Farm, from: i64, to: i64) -> Value {
    let zone = TimeZone::get("Europe/Berlin").unwrap();
    let at = |minutes: i64| zone.to_datetime(farm.clock.now() + SignedDuration::from_mins(minutes));
    let text = |minutes: i64| at(minutes).strftime("%H:%M:%S").to_string();
    let day = at(from).strftime("%A").to_string().to_lowercase();
    json!([{ "days": [day], "from": text(from), "to": text(to) }])
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hours_end_with_a_warning_are_extended_and_then_over() {
    let farm = Farm::start().await;
    let host = farm.add_host("h1").await;
    farm.user("alice", &[]).await;
    let desktop = farm.desktop("Desktop").await;
    let outside = json!({ "disconnect": true, "warn_minutes": 10, "extend_minutes": 30, "show_list": false });
    let spec = json!({ "open": hours(&farm, -60, 5), "clock": { "of": "user" }, "outside": outside });
    farm.admin.create("logon_hours", "Office", spec).await.unwrap_or_else(|error| panic!("{error:#}"));

    let alice = farm.portal();
    let sign_in = json!({ "user_name": "alice", "password": PASSWORD, "time_zone": "Europe/Berlin" });
    let me = alice.post("/sign-in", sign_in.clone()).await.unwrap().expect_success().unwrap();
    assert_eq!((&me["hours"]["is_open"], &me["hours"]["disconnects"]), (&json!(true), &json!(true)), "{me}");
    log_on(&farm, &host, &alice.launch(&desktop).await.unwrap());
    let warned = || {
        let requests = host.machine.requests();
        requests.iter().filter(|request| matches!(request.body, Some(Body::Message(_)))).count()
    };
    wait::until("alice is warned", async || wait::ensure(warned() == 1, host.machine.requests())).await;

    // Half an hour more, and no more than that.
    let extended = alice.post("/hours/extend", Value::Null).await.unwrap().expect_success().unwrap();
    assert_ne!(extended["until"], me["hours"]["until"]);
    assert_eq!(extended["until"], me["hours"]["may_extend_until"]);
    alice.post("/hours/extend", Value::Null).await.unwrap().assert(409, "not_extendable");
    farm.clock.set_ahead(Duration::from_secs(20 * 60));
    assert_eq!(alice.resource_names().await.unwrap(), ["Desktop"]);
    assert!(host.machine.sessions().iter().all(|session| session.state() == SessionState::Active));

    farm.clock.set_ahead(Duration::from_secs(36 * 60));
    wait::until("alice is disconnected", async || {
        let sessions = host.machine.sessions();
        wait::ensure(sessions.iter().all(|session| session.state() == SessionState::Disconnected), sessions)
    })
    .await;
    assert_eq!(host.machine.sessions().len(), 1, "it runs on");
    assert!(alice.resource_names().await.unwrap().is_empty());
    let refused = alice.try_launch(&desktop).await.unwrap();
    refused.assert_says(403, "outside_hours", "outside your hours");
    assert!(refused.json()["opens_at"].is_string(), "{refused}");
    let session = alice.sessions().await.unwrap()[0]["id"].as_str().unwrap().to_owned();
    alice.try_return(&session).await.unwrap().assert(403, "outside_hours");
    farm.portal().post("/sign-in", sign_in).await.unwrap().assert(403, "outside_hours");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_starts_at_the_sign_in_and_the_first_program_opens_in_it() {
    let farm = Farm::start().await;
    let host = farm.add_host("h1").await;
    farm.user("alice", &[]).await;
    let editor = farm.application("Editor").await;
    let alice = farm.signed_in("alice").await;
    let first = alice.launch(&editor).await.unwrap();
    host.machine.close_program(first["session_id"].as_str().unwrap(), &editor);
    farm.host_reports(&host, true).await;
    let spec = json!({ "settings": { "connection": { "prelaunch": "basic" } } });
    farm.admin.create("policies", "All", spec).await.unwrap();

    let again = farm.signed_in("alice").await;
    wait::until("a session waits", async || {
        let sessions = host.machine.sessions();
        wait::ensure(sessions.len() == 1 && sessions[0].prelaunched, sessions)
    })
    .await;
    assert_eq!(last_prepare(&host).start, None, "there is room for programs, and none runs");
    let waiting = host.machine.sessions()[0].session_id.clone();
    let launch = again.launch(&editor).await.unwrap();
    assert_eq!(launch["session_id"], json!(waiting));
    assert!(matches!(last_prepare(&host).start, Some(Start::Program(_))));
    log_on(&farm, &host, &launch);
    farm.host_reports(&host, true).await;
    assert_eq!(again.sessions().await.unwrap().len(), 1, "it is still proven to be alice's");

    // Nobody comes for the next one.
    host.machine.close_program(&waiting, &editor);
    farm.host_reports(&host, true).await;
    let _third = farm.signed_in("alice").await;
    wait::until("another waits", async || {
        let sessions = host.machine.sessions();
        wait::ensure(sessions.len() == 1 && sessions[0].prelaunched, sessions)
    })
    .await;
    farm.clock.set_ahead(Duration::from_secs(11 * 60));
    wait::until("it is dropped", async || {
        wait::ensure(host.machine.sessions().is_empty(), host.machine.sessions())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_excluded_is_not_started_beforehand() {
    let farm = Farm::start().await;
    let host = farm.add_host("h1").await;
    let (editor, notes) = (farm.application("Editor").await, farm.application("Notes").await);
    let end_all = async || {
        for session in host.machine.sessions() {
            host.machine.end_session(&session.session_id, EndReason::LoggedOff, "");
        }
        farm.host_reports(&host, true).await;
    };
    for user in ["alice", "bob"] {
        farm.user(user, &[]).await;
        let portal = farm.signed_in(user).await;
        for resource in [&editor, &editor, &notes] {
            portal.launch(resource).await.unwrap();
        }
        end_all().await;
    }
    let spec = json!({ "settings": { "connection": { "prelaunch": "basic" } } });
    farm.admin.create("policies", "All", spec).await.unwrap();
    let path = format!("/resources/{editor}");
    farm.admin.change(&path, |spec| spec["no_prelaunch"] = json!(true)).await.unwrap();

    // Not what alice opens most, but what she opens most of the rest.
    let _alice = farm.signed_in("alice").await;
    wait::until("a session waits", async || {
        let sessions = host.machine.sessions();
        wait::ensure(sessions.len() == 1 && sessions[0].resource_id == notes, sessions)
    })
    .await;
    end_all().await;

    // On these days nobody's. Whatever the time zone is, today is among them.
    let today = farm.clock.now().to_zoned(TimeZone::UTC).date();
    let days = [today.yesterday().unwrap(), today, today.tomorrow().unwrap()];
    let site = format!("/sites/{}", farm.id_of("sites", "Main").await.unwrap());
    let exclude = |spec: &mut Value| spec["publishing"]["no_prelaunch_on"] = json!(days);
    farm.admin.change(&site, exclude).await.unwrap();
    let alice = farm.signed_in("alice").await;
    alice.resources().await.unwrap();
    farm.clock.set_ahead(Duration::from_secs(3 * 24 * 3600));
    wait::until("the host has reported on that day", async || {
        let view = farm.admin.get(&format!("/hosts/{}", host.id)).await.map_err(|error| error.to_string())?;
        let last = view["state"]["last_report"].as_str().and_then(|at| at.parse::<Timestamp>().ok());
        let is_fresh = last.is_some_and(|at| farm.clock.now().duration_since(at).as_secs() < 3);
        wait::ensure(is_fresh, view.to_string())
    })
    .await;
    let _bob = farm.signed_in("bob").await;
    let waiting = wait::until("a session waits for bob", async || {
        let sessions = host.machine.sessions();
        if sessions.is_empty() { Err(sessions) } else { Ok(sessions) }
    })
    .await;
    let users: Vec<_> = waiting.iter().map(|session| session.user_name.as_str()).collect();
    assert_eq!(users, ["bob"], "for alice, on a day that is excluded, none was started");
}
