//! What a gateway must not be impressed by.

use std::time::Duration;

use futures_util::SinkExt;
use ironrdp_rdcleanpath::{RDCleanPath, RDCleanPathErr};
use oriel_wire::ticket;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    time::timeout,
};
use tokio_tungstenite::tungstenite::{Error, Message};

use super::{
    browser::{Browser, SOON, opening},
    host::{FakeHost, hex},
    picture::{Picture, claims_for},
};
use crate::{
    limits::{PORTAL_CALLS_PER_ADDRESS_MAX, UNAUTHENTICATED_PER_ADDRESS_MAX},
    testing,
};

/// The error that a ticket earns.
async fn refusal(picture: &Picture, ticket: &str) -> RDCleanPathErr {
    let mut browser = picture.door.open().await;
    match browser.knock(ticket).await {
        RDCleanPath::GeneralErr(error) => error,
        other => panic!("refused, not {other:?}"),
    }
}

#[tokio::test]
async fn every_bad_ticket_is_refused_with_the_same_answer() {
    let picture = Picture::alone().await;
    let good = testing::claims();
    let mut expired = good.clone();
    expired.expires_at = oriel_model::Timestamp::now();
    let mut time_up = good.clone();
    time_up.connected_until = oriel_model::Timestamp::now();
    let mut forged = picture.ticket(&good);
    let other = if forged.ends_with('A') { "B" } else { "A" };
    forged.replace_range(200..201, if &forged[200..201] == other { "C" } else { other });
    let mut answers = Vec::new();
    for bad in [
        picture.ticket(&expired),
        picture.ticket(&time_up),
        ticket::seal(&good, &testing::ticket_key(1)).expect("random"),
        ticket::seal(&good, &testing::ticket_key(2)).expect("random"),
        forged,
        "rubbish".into(),
        String::new(),
        "A".repeat(9_000),
    ] {
        let mut browser = picture.door.open().await;
        browser.send(opening(&bad)).await;
        answers.push(browser.message().await);
    }
    answers.dedup();
    assert_eq!(answers.len(), 1, "{answers:?}");
    assert_eq!(refusal(&picture, "rubbish").await.http_status_code, Some(403));
    assert_eq!(picture.shared.connections.count(), 0);
}

#[tokio::test]
async fn a_ticket_is_good_once() {
    let (picture, host) = (Picture::alone().await, FakeHost::new().await);
    let claims = claims_for(&host);
    let session = picture.session(&host, &claims).await;
    let again = refusal(&picture, &picture.ticket(&claims)).await;
    assert_eq!(again.http_status_code, Some(403));
    drop(session);
}

#[tokio::test]
async fn a_host_that_cannot_be_had_is_explained() {
    let (picture, host) = (Picture::alone().await, FakeHost::new().await);
    // Nothing listens there.
    let unreachable = testing::claims();
    let error = refusal(&picture, &picture.ticket(&unreachable)).await;
    assert_eq!(error.wsa_last_error, Some(10061));
    // Somebody else listens there.
    let mut other = claims_for(&host);
    other.host_certificate_sha256 = "ab".repeat(32);
    let ticket = picture.ticket(&other);
    let accepting = tokio::spawn(async move {
        // The handshake fails on the host's side too.
        let _ = tokio::spawn(async move {
            host.accept().await;
        })
        .await;
    });
    let error = refusal(&picture, &ticket).await;
    assert_eq!(error.tls_alert_code, Some(42));
    let _ = accepting.await;
    // Not RDP at all: the gateway's own port.
    let mut web = testing::claims();
    web.host_address = picture.door.address.to_string();
    let error = refusal(&picture, &picture.ticket(&web)).await;
    assert_ne!(error.error_code, 0);
    picture.until("nothing is left", |shared| shared.connections.count() == 0).await;
}

async fn closed_after(picture: &Picture, message: Message) -> Option<Message> {
    let mut browser = picture.door.open().await;
    // The gateway may close before everything was sent.
    let _ = browser.socket.send(message).await;
    browser.next_unless_broken().await
}

impl Browser {
    async fn next_unless_broken(&mut self) -> Option<Message> {
        use futures_util::StreamExt;
        timeout(SOON, self.socket.next()).await.expect("an end soon").and_then(Result::ok)
    }
}

#[tokio::test]
async fn openings_that_are_none_are_closed() {
    let picture = Picture::alone().await;
    for message in [
        Message::Text("hello".into()),
        Message::Binary("GET / HTTP/1.1".into()),
        Message::Binary(vec![0x30, 0x84, 0xff, 0xff, 0xff, 0xff].into()),
        Message::Binary(vec![0x30; 1_000_000].into()),
        Message::Binary(Vec::new().into()),
        Message::Close(None),
    ] {
        if let Some(Message::Binary(answer)) = closed_after(&picture, message).await {
            assert!(answer.len() < 64, "an error");
        }
    }
    picture.until("nobody waits at the door", |shared| shared.door.is_empty()).await;
    let (status, ..) = picture.door.get("/").await;
    assert_eq!(status, 200, "others are not concerned");
}

#[tokio::test]
async fn a_client_that_does_not_keep_to_the_sequence_is_closed() {
    let (picture, host) = (Picture::alone().await, FakeHost::new().await);
    for nonsense in ["03 00 00 08 02 f0 80 28", "ff ff ff ff", "03 00 00 03", "04 04 01 1e"] {
        let mut browser = picture.door.open().await;
        let ticket = picture.ticket(&claims_for(&host));
        let (_, mut attached) = tokio::join!(browser.knock(&ticket), host.accept());
        browser.send(hex(nonsense)).await;
        assert_eq!(browser.closed().await.0, 1002, "{nonsense}");
        assert!(attached.ends_cleanly().await);
    }
    picture.until("nothing is left", |shared| shared.connections.count() == 0).await;
}

#[tokio::test]
async fn sides_that_go_mad_later_are_closed_too() {
    let (picture, host) = (Picture::alone().await, FakeHost::new().await);
    let (mut browser, _attached) = picture.session(&host, &claims_for(&host)).await;
    browser.send(hex("ff ff")).await;
    assert_eq!(browser.closed().await.0, 1002);
    let (mut browser, mut attached) = picture.session(&host, &claims_for(&host)).await;
    attached.send(&hex("03 00 00 01")).await;
    assert_eq!(browser.closed().await, (1000, "host_failed".into()));
    let (mut browser, _attached) = picture.session(&host, &claims_for(&host)).await;
    browser.socket.send(Message::Text("x".into())).await.expect("sent");
    assert_eq!(browser.closed().await.0, 1003);
}

#[tokio::test]
async fn other_sites_and_other_requests_do_not_get_in() {
    let picture = Picture::alone().await;
    for origin in ["https://evil.example", "null", "http://127.0.0.1"] {
        match picture.door.try_open(origin).await {
            Err(Error::Http(response)) => assert_eq!(response.status(), 403, "{origin}"),
            other => panic!("refused, not {:?}", other.map(|_| ())),
        }
    }
    assert_eq!(picture.door.get("/rdp").await.0, 426);
    let (status, _, body) = picture.door.ask("POST /rdp HTTP/1.1\r\n", "x").await;
    assert_eq!((status, body.is_empty()), (426, false));
}

#[tokio::test]
async fn one_address_cannot_occupy_the_door() {
    let picture = Picture::alone().await;
    let mut waiting = Vec::new();
    for _ in 0..UNAUTHENTICATED_PER_ADDRESS_MAX {
        waiting.push(picture.door.open().await);
    }
    match picture.door.try_open(&format!("https://{}", picture.door.address)).await {
        Err(Error::Http(response)) => assert_eq!(response.status(), 429),
        other => panic!("refused, not {:?}", other.map(|_| ())),
    }
    drop(waiting);
    picture.until("the door is free", |shared| shared.door.is_empty()).await;
    drop(picture.door.open().await);
}

#[tokio::test]
async fn random_bytes_inside_and_outside_tls_harm_nobody() {
    use ring::rand::{SecureRandom, SystemRandom};
    let picture = Picture::alone().await;
    let mut bytes = vec![0; 4_096];
    for _ in 0..20 {
        SystemRandom::new().fill(&mut bytes).expect("random");
        let mut plain = tokio::net::TcpStream::connect(picture.door.address).await.expect("connected");
        let _ = plain.write_all(&bytes).await;
        let mut tls = picture.door.tls().await;
        let _ = tls.write_all(&bytes).await;
        let mut rest = Vec::new();
        let _ = timeout(Duration::from_secs(5), tls.read_to_end(&mut rest)).await.expect("closed");
        let mut browser = picture.door.open().await;
        let raw = browser.socket.get_mut();
        let _ = raw.write_all(&bytes).await;
    }
    assert_eq!(picture.door.get("/").await.0, 200);
}

#[tokio::test]
async fn one_address_cannot_keep_the_others_from_the_portal() {
    let picture = Picture::alone().await;
    let calls = &picture.shared.portal_calls;
    let places: Vec<_> =
        (0..PORTAL_CALLS_PER_ADDRESS_MAX).map(|_| calls.enter([127, 0, 0, 1].into())).collect();
    assert!(places.iter().all(Option::is_some));
    let (status, head, body) = picture.door.get("/api/portal/v1/me").await;
    assert_eq!(status, 429);
    assert!(body.contains("\"busy\"") && head.contains("retry-after"), "{head} {body}");
    assert!(calls.enter([10, 0, 0, 1].into()).is_some());
    drop(places);
    // No broker is there, but the call is let in again.
    assert_eq!(picture.door.get("/api/portal/v1/me").await.0, 503);
    picture.stopped().await;
}
