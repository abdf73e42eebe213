use std::time::Duration;

use jiff::SignedDuration;
use oriel_model::{Id, Timestamp};

use super::*;
use crate::hosts::history::{HostSample, Sample};

#[tokio::test]
async fn load_is_that_of_the_hosts_that_are_there_and_seen() {
    let office = Office::open().await;
    let now = office.broker.now();
    let stranger = Id::generate(Timestamp::UNIX_EPOCH);
    let sample = HostSample { cpu: 0.5, memory: 0.5, active: 1, disconnected: 0 };
    for minutes in [90, 30] {
        let at = now - SignedDuration::from_mins(minutes);
        office.broker.load_history.take(Sample { at, hosts: Arc::new([(stranger, sample)].into()) });
    }
    // The broker's own first sample is on its way.
    let deadline = std::time::Instant::now() + Duration::from_secs(20);
    let load = loop {
        let load = office.get("load?by_host=true").await.expect(StatusCode::OK);
        if load["items"].as_array().expect("samples").len() == 2 || std::time::Instant::now() > deadline {
            break load;
        }
        tokio::task::yield_now().await;
    };
    let items = load["items"].as_array().expect("samples");
    assert_eq!(items.len(), 2, "an hour, without what is older: {load:#}");
    assert!(items.iter().all(|item| item["hosts"] == 0), "a host that was deleted counts no more: {load:#}");
    assert_eq!(load["cpu_by_host"], json!({}));
    assert!(load["now"]["at"].as_str() >= items[1]["at"].as_str(), "what is now is told beside: {load:#}");
    assert_eq!((&load["now"]["hosts"], &load["now"]["active"]), (&json!(0), &json!(0)));
    // Of one pool: its hosts as they are in it now.
    let pool = office.get("pools").await.expect(StatusCode::OK)["items"][0]["id"].clone();
    let other = office.made("pools", json!({"name": "Other", "spec": {}})).await;
    for (pool, sessions) in [(pool.as_str().expect("an id"), 3), (&other, 4)] {
        let host: oriel_model::host::Host = serde_json::from_value(json!({"pool": pool})).expect("a host");
        let id = Id::<oriel_model::host::Host>::generate(now);
        let transaction = oriel_store::Transaction::new(oriel_store::Author::system(), now);
        office.broker.commit(transaction.create(id, pool, None, &host)).await.expect("a host");
        let sample = HostSample { active: sessions, ..sample };
        office.broker.load_history.take(Sample { at: now, hosts: Arc::new([(id, sample)].into()) });
    }
    let sessions = async |query: &str| {
        let load = office.get(&format!("load?{query}")).await.expect(StatusCode::OK);
        let items = load["items"].as_array().expect("samples").clone();
        items.iter().map(|item| item["active"].as_u64().expect("a number")).sum::<u64>()
    };
    assert_eq!(sessions("minutes=60").await, 7);
    assert_eq!(sessions(&format!("pool={other}")).await, 4);
    office.get("load?minutes=0").await.refused(StatusCode::BAD_REQUEST, "bad_request");
    let longer = office.get("load?minutes=360").await.expect(StatusCode::OK);
    assert_eq!(longer["items"].as_array().expect("samples").len(), 5);
}
