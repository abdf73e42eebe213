//! The gateway among its brokers.

use std::{sync::atomic::Ordering, time::Duration};

use oriel_model::role::Role;
use oriel_net::{
    fingerprint::Fingerprint,
    identity::NodeIdentity,
    serve::{MAX_H2_STREAMS, MAX_H2_STREAMS_OF_COMPONENT},
};
use oriel_wire::v1::{Withdraw, gateway_message::Body};

use super::{
    broker::{FakeBroker, TOGETHER},
    host::FakeHost,
    picture::{Farm, Picture, claims_for},
};
use crate::limits::PORTAL_CALLS_MAX;

/// A gateway with one broker, linked.
async fn linked(drain_deadline: Duration) -> (Farm, Picture, FakeBroker) {
    let farm = Farm::new();
    let key = crate::testing::ticket_key(1);
    let wire = oriel_wire::v1::TicketKey { key_id: 1, secret: key.secret().to_vec() };
    let mut broker = FakeBroker::start(&farm, "127.0.0.1:0", vec![wire]).await;
    let mut picture = Picture::start(&farm, vec![broker.address.to_string()], drain_deadline);
    picture.key = key;
    let Body::Hello(hello) = broker.hears().await else { panic!("hello first") };
    assert!(hello.connections.is_empty());
    picture.until("linked", |shared| shared.brokers.is_any_linked()).await;
    (farm, picture, broker)
}

#[tokio::test]
async fn a_broker_hears_of_connections_and_ends_them() {
    let (_farm, picture, mut broker) = linked(Duration::ZERO).await;
    let host = FakeHost::new().await;
    let claims = claims_for(&host);
    let (mut browser, _attached) = picture.session(&host, &claims).await;
    let Body::Opened(opened) = broker.hears().await else { panic!("opened") };
    assert_eq!(opened.session_id, claims.session.to_string());
    assert_eq!(opened.client_address, "127.0.0.1");
    broker
        .withdraw(Withdraw {
            session_id: opened.session_id.clone(),
            reason: "logged_off_by_request".into(),
            ..Default::default()
        })
        .await;
    assert_eq!(browser.closed().await, (4000, "logged_off_by_request".into()));
    let Body::Closed(closed) = broker.hears().await else { panic!("closed") };
    assert_eq!(closed.connection_id, opened.connection_id);
    assert_eq!(closed.reason, "logged_off_by_request");
    assert!(closed.bytes_to_host > 500 && closed.bytes_to_client > 50);
    picture.stopped().await;
}

#[tokio::test]
async fn connections_outlive_their_broker_and_the_next_one_knows_them() {
    let (farm, picture, broker) = linked(Duration::ZERO).await;
    let host = FakeHost::new().await;
    let claims = claims_for(&host);
    let (mut browser, mut attached) = picture.session(&host, &claims).await;
    let address = broker.address.to_string();
    drop(broker);
    picture.until("the link is lost", |shared| !shared.brokers.is_any_linked()).await;
    attached.send(&[0x00, 0x03, 0x01]).await;
    assert_eq!(browser.message().await, [0x00, 0x03, 0x01][..]);
    assert_eq!(picture.door.get("/healthz").await.0, 503);
    // A ticket that was sealed before still opens.
    let second = claims_for(&host);
    let (mut other, _) = picture.session(&host, &second).await;
    other.socket.close(None).await.expect("closed");
    picture.until("the second is gone", |shared| shared.connections.count() == 1).await;

    let mut broker = FakeBroker::start(&farm, &address, vec![picture.wire_key()]).await;
    let Body::Hello(hello) = broker.hears().await else { panic!("hello first") };
    let known: Vec<_> = hello.connections.iter().map(|c| c.connection_id.clone()).collect();
    assert_eq!(known, [claims.connection.to_string()]);
    let mut ended = Vec::new();
    while ended.is_empty() {
        if let Body::Closed(closed) = broker.hears().await {
            ended.push(closed.connection_id);
        }
    }
    assert_eq!(ended, [second.connection.to_string()]);
    picture.stopped().await;
}

#[tokio::test]
async fn portal_calls_reach_a_broker_with_what_the_gateway_saw() {
    let (_farm, picture, broker) = linked(Duration::ZERO).await;
    let start = "POST /api/portal/v1/launches?x=1 HTTP/1.1\r\ncookie: __Host-oriel=abc\r\n\
        oriel-request: 1\r\noriel-client-address: 6.6.6.6\r\nx-forwarded-for: 6.6.6.6\r\n";
    let (status, head, body) = picture.door.ask(start, "{\"a\":1}").await;
    assert_eq!(status, 418);
    assert_eq!(
        body,
        "POST /api/portal/v1/launches?x=1 | content-length: 7, cookie: __Host-oriel=abc, \
         oriel-client-address: 127.0.0.1, oriel-request: 1 | {\"a\":1}"
    );
    assert!(head.contains("set-cookie: __host-oriel=x"), "{head}");
    assert!(head.contains("content-security-policy: default-src 'self'"), "{head}");
    let large = "x".repeat(70_000);
    let (status, _, body) = picture.door.ask("POST /api/portal/v1/launches HTTP/1.1\r\n", &large).await;
    assert_eq!(status, 413);
    assert!(body.contains("\"bad_request\""), "{body}");
    assert_eq!(broker.calls.load(Ordering::SeqCst), 1);
    assert_eq!(picture.door.get("/api/other").await.0, 404);
    picture.stopped().await;
}

#[tokio::test]
async fn as_many_portal_calls_reach_a_broker_at_once_as_the_gateway_takes() {
    const { assert!(PORTAL_CALLS_MAX < MAX_H2_STREAMS_OF_COMPONENT as usize, "and its link beside them") };
    const { assert!(TOGETHER > MAX_H2_STREAMS as usize) };
    let (_farm, picture, _broker) = linked(Duration::ZERO).await;
    let door = picture.door;
    let calls: Vec<_> = (0..TOGETHER)
        .map(|_| tokio::spawn(async move { door.get("/api/portal/v1/together").await.0 }))
        .collect();
    for call in calls {
        assert_eq!(call.await.expect("an answer, which all have when all are there"), 204);
    }
}

#[tokio::test]
async fn without_a_broker_the_portal_is_told_to_wait() {
    let picture = Picture::alone().await;
    let (status, head, body) = picture.door.get("/api/portal/v1/me").await;
    assert_eq!(status, 503);
    assert!(body.contains("\"farm_starting\"") && head.contains("retry-after"), "{head} {body}");
    assert_eq!(picture.door.get("/healthz").await.0, 503);
    let (status, head, body) = picture.door.get("/session?resource=1").await;
    assert_eq!((status, &*body), (200, "<html>portal"));
    for header in
        ["strict-transport-security: max-age", "x-content-type-options: nosniff", "permissions-policy: "]
    {
        assert!(head.contains(header), "{head}");
    }
    picture.stopped().await;
}

#[tokio::test]
async fn another_broker_is_asked_when_one_is_gone() {
    let farm = Farm::new();
    let broker = FakeBroker::start(&farm, "127.0.0.1:0", Vec::new()).await;
    let brokers = vec!["127.0.0.1:1".to_owned(), broker.address.to_string()];
    let picture = Picture::start(&farm, brokers, Duration::ZERO);
    for _ in 0..3 {
        assert_eq!(picture.door.ask("POST /api/portal/v1/sign-in HTTP/1.1\r\n", "{}").await.0, 418);
    }
    picture.stopped().await;
}

#[tokio::test]
async fn closing_drains_first_and_then_ends_the_rest() {
    let (_farm, picture, mut broker) = linked(Duration::from_millis(1_500)).await;
    let host = FakeHost::new().await;
    let (mut browser, mut attached) = picture.session(&host, &claims_for(&host)).await;
    let Body::Opened(_) = broker.hears().await else { panic!("opened") };
    picture.stop.give();
    broker.hears_of_draining().await;
    assert_eq!(picture.door.get("/healthz").await.0, 503);
    let origin = format!("https://{}", picture.door.address);
    assert!(picture.door.try_open(&origin).await.is_err(), "nobody new");
    attached.send(&[0x00, 0x03, 0x01]).await;
    assert_eq!(browser.message().await, [0x00, 0x03, 0x01][..], "who is in goes on");
    assert_eq!(browser.closed().await, (4000, "gateway_closing".into()));
    let Body::Closed(closed) = broker.hears().await else { panic!("closed") };
    assert_eq!(closed.reason, "gateway_closing");
    let address = picture.door.address;
    picture.stopped().await;
    assert!(tokio::net::TcpStream::connect(address).await.is_err(), "the port is closed");
}

#[tokio::test]
async fn an_idle_gateway_closes_at_once() {
    let (_farm, picture, _broker) = linked(Duration::from_secs(600)).await;
    let mut waiting = picture.door.open().await;
    let (_, ()) = tokio::join!(waiting.closed(), picture.stopped());
}

#[tokio::test]
async fn a_certificate_that_is_due_is_renewed_and_kept() {
    let farm = Farm::new();
    let broker = FakeBroker::start(&farm, "127.0.0.1:0", Vec::new()).await;
    // Two thirds of its life are over: it is made with a start five minutes ago.
    let lifetime = Duration::from_secs(60);
    let brokers = vec![broker.address.to_string()];
    let old = farm.node_for(Role::Gateway, lifetime);
    let old_end = old.not_after();
    let picture = Picture::start_as(old, brokers, Duration::ZERO);
    let data = picture.folder.path().join("data");
    picture
        .until("the new certificate is on the disk", |_| {
            NodeIdentity::load(&data).is_ok_and(|identity| identity.not_after() > old_end)
        })
        .await;
    picture.stopped().await;
}

#[tokio::test]
async fn brokers_are_told_which_certificate_browsers_are_shown() {
    let farm = Farm::new();
    let mut broker = FakeBroker::start(&farm, "127.0.0.1:0", Vec::new()).await;
    let picture = Picture::start(&farm, vec![broker.address.to_string()], Duration::ZERO);
    let shown = broker.hears_of_certificate().await;
    assert_eq!(Fingerprint::of(&shown), picture.door.certificate);

    // Renewed while the link stands.
    let key = rcgen::KeyPair::generate().expect("a key");
    let fresh = rcgen::CertificateParams::new(vec!["apps.example.org".to_owned()]).expect("a name");
    let fresh = fresh.self_signed(&key).expect("signed");
    picture.certificate.replace_pem(&fresh.pem(), &key.serialize_pem()).expect("usable");
    assert_eq!(broker.hears_of_certificate().await, fresh.der().to_vec());
    picture.stopped().await;
}
