//! A logon storm: twice as many launches at once as there are seats; and many of the same thing at once.

use std::{sync::Arc, time::Instant};

use oriel_testkit::{farm::Farm, http::PortalClient};
use serde_json::json;

const HOSTS: usize = 5;
const SEATS: usize = 20;
const USERS: usize = 10;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_hundred_launches_on_a_hundred_seats() {
    let farm = Farm::start().await;
    let set = |spec: &mut serde_json::Value| spec["settings"]["max_sessions"] = json!(SEATS);
    farm.admin.change(&format!("/pools/{}", farm.pool), set).await.unwrap();
    let mut hosts = Vec::new();
    for number in 1..=HOSTS {
        hosts.push(farm.add_host(&format!("h{number}")).await);
    }
    let launches = HOSTS * SEATS * 2;
    let mut resources = Vec::new();
    for number in 0..launches / USERS {
        resources.push(farm.desktop(&format!("r{number}")).await);
    }
    let mut portals: Vec<Arc<PortalClient>> = Vec::new();
    for number in 0..USERS {
        let name = format!("user{number}");
        farm.user(&name, &[]).await;
        portals.push(Arc::new(farm.signed_in(&name).await));
    }

    let began = Instant::now();
    let tasks: Vec<_> = portals
        .iter()
        .flat_map(|portal| resources.iter().map(move |resource| (portal.clone(), resource.clone())))
        .map(|(portal, resource)| tokio::spawn(async move { portal.try_launch(&resource).await.unwrap() }))
        .collect();
    let mut placed = 0;
    let mut refusals = Vec::new();
    for task in tasks {
        let answer = task.await.unwrap();
        match answer.status.as_u16() {
            201 => placed += 1,
            503 => refusals.push(answer),
            _ => panic!("{answer}"),
        }
    }
    let took = began.elapsed();
    assert_eq!(placed, HOSTS * SEATS, "took {took:?}; refused: {}", refusals[0]);
    for host in &hosts {
        assert_eq!(host.machine.sessions().len(), SEATS, "{} has exactly its seats", host.machine.name());
    }
    for refusal in &refusals {
        let words = refusal.message();
        assert!(words.contains("full") || words.contains("Every seat is taken"), "{refusal}");
    }
    farm.sessions_until("the broker agrees", |sessions| sessions.len() == HOSTS * SEATS).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_double_click_opens_one_session_even_before_its_host_reports_it() {
    let farm = Farm::start().await;
    let hosts = [farm.add_host("h1").await, farm.add_host("h2").await, farm.add_host("h3").await];
    let (desktop, other) = (farm.desktop("Desktop").await, farm.desktop("Other").await);
    farm.user("alice", &[]).await;
    farm.user("bob", &[]).await;
    let [alice, bob] = [Arc::new(farm.signed_in("alice").await), Arc::new(farm.signed_in("bob").await)];
    for round in 0..3 {
        let clicks = [(&alice, &desktop), (&alice, &desktop), (&alice, &desktop), (&bob, &desktop)];
        let clicks = clicks.into_iter().chain([(&alice, &other)]).map(|(portal, resource)| {
            let (portal, resource) = (portal.clone(), resource.clone());
            tokio::spawn(async move { portal.launch(&resource).await.unwrap() })
        });
        let mut sessions = Vec::new();
        for click in clicks.collect::<Vec<_>>() {
            sessions.push(click.await.unwrap()["session_id"].as_str().unwrap().to_owned());
        }
        assert!(sessions[..3].iter().all(|session| *session == sessions[0]), "{round}: {sessions:?}");
        sessions.sort();
        sessions.dedup();
        assert_eq!(sessions.len(), 3, "hers, his, and her other one in round {round}: {sessions:?}");
        let on_hosts: usize = hosts.iter().map(|host| host.machine.sessions().len()).sum();
        assert_eq!(on_hosts, 3, "in round {round}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn programs_that_share_a_session_are_opened_at_once_in_one() {
    let farm = Farm::start().await;
    let hosts = [farm.add_host("h1").await, farm.add_host("h2").await];
    let mut programs = Vec::new();
    for name in ["One", "Two", "Three"] {
        let target = json!({ "kind": "application", "source": farm.source(), "program": "/usr/bin/x", "share_session": true });
        programs.push(farm.resource(name, json!({ "target": target })).await);
    }
    farm.user("alice", &[]).await;
    let alice = Arc::new(farm.signed_in("alice").await);
    let clicks = programs.into_iter().map(|program| {
        let alice = alice.clone();
        tokio::spawn(async move { alice.launch(&program).await.unwrap()["session_id"].clone() })
    });
    let mut sessions = Vec::new();
    for click in clicks.collect::<Vec<_>>() {
        sessions.push(click.await.unwrap());
    }
    assert!(sessions.iter().all(|session| *session == sessions[0]), "{sessions:?}");
    assert_eq!(hosts.iter().map(|host| host.machine.sessions().len()).sum::<usize>(), 1);
}
