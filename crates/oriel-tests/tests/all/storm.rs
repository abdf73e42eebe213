//! A logon storm: twice as many launches at once as there are seats.

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
