//! What brokers are told of how long a logon took, of round trips and of what passes.

use std::time::Duration;

use oriel_wire::v1::{ConnectionMeasures, gateway_message::Body};
use tokio::time::Instant;

use super::{
    browser::Browser,
    farm::linked,
    host::{FakeHost, hex},
    picture::{Picture, claims_for},
};

/// A message that draws: fast-path output with a bitmap.
fn bitmap(length: u16) -> Vec<u8> {
    let mut frame = vec![0x00];
    frame.extend((length | 0x8000).to_be_bytes());
    frame.push(0x01);
    frame.extend((length - 6).to_le_bytes());
    frame.resize(usize::from(length), 0xab);
    frame
}

/// What was measured of the only connection, as of now.
fn measured(picture: &Picture) -> ConnectionMeasures {
    picture.shared.connections.sample(Instant::now());
    picture.shared.connections.measured_after(0).0.pop().unwrap_or_default()
}

/// Waits for a look that shows this, while the browser's side goes on.
async fn until(
    picture: &Picture,
    browser: &mut Browser,
    is_so: impl Fn(&ConnectionMeasures) -> bool,
) -> ConnectionMeasures {
    let looking = async {
        loop {
            let measures = measured(picture);
            if is_so(&measures) {
                return measures;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::select! {
        measures = tokio::time::timeout(super::browser::SOON, looking) => measures.expect("soon"),
        other = browser.next() => panic!("the browser was sent {other:?}"),
    }
}

#[tokio::test]
async fn each_moment_of_a_logon_is_told_in_its_order() {
    let (picture, host) = (Picture::alone().await, FakeHost::new().await);
    let (mut browser, mut attached) = picture.connected(&host, &claims_for(&host)).await;
    let reached = until(&picture, &mut browser, |measures| measures.host_reached_ms > 0).await;
    assert_eq!((reached.logon_sent_ms, reached.first_picture_ms), (0, 0));
    attached.sequence(&mut browser, false).await;
    let logged_on = until(&picture, &mut browser, |measures| measures.logon_sent_ms > 0).await;
    assert!(logged_on.logon_sent_ms >= reached.host_reached_ms);

    // A pointer and a frame's beginning draw nothing.
    for no_picture in ["00 05 05 00 00", "00 0d 04 08 00 04 00 00 00 07 00 00 00"] {
        attached.send(&hex(no_picture)).await;
        assert_eq!(browser.message().await, hex(no_picture));
    }
    assert_eq!(measured(&picture).first_picture_ms, 0);
    attached.send(&bitmap(400)).await;
    assert_eq!(browser.message().await, bitmap(400)[..]);
    let shown = until(&picture, &mut browser, |measures| measures.first_picture_ms > 0).await;
    assert!(shown.first_picture_ms >= shown.logon_sent_ms);
    // Later pictures change nothing.
    attached.send(&bitmap(500)).await;
    assert_eq!(browser.message().await, bitmap(500)[..]);
    let later = measured(&picture);
    assert_eq!(later.first_picture_ms, shown.first_picture_ms);
    assert!(later.bytes_to_client >= shown.bytes_to_client + 500);
}

#[tokio::test]
async fn brokers_hear_of_round_trips_and_of_what_the_launch_took() {
    let (_farm, picture, mut broker) = linked(Duration::ZERO).await;
    let host = FakeHost::new().await;
    let mut claims = claims_for(&host);
    claims.times = oriel_model::logon::LaunchTimes { brokering_ms: 3, prepare_ms: 40 };
    let (mut browser, mut attached) = picture.session(&host, &claims).await;
    let Body::Opened(opened) = broker.hears().await else { panic!("opened") };
    assert_eq!((opened.brokering_ms, opened.prepare_ms), (3, 40));
    attached.send(&bitmap(400)).await;
    assert_eq!(browser.message().await, bitmap(400)[..]);
    until(&picture, &mut browser, |measures| measures.round_trip_us > 0 && measures.first_picture_ms > 0)
        .await;
    let told = loop {
        let told = broker.hears_of_measures().await.pop().expect("of one connection");
        if told.round_trip_us > 0 && told.first_picture_ms > 0 {
            break told;
        }
    };
    assert_eq!(told.connection_id, claims.connection.to_string());
    assert!(told.round_trip_us < 10_000_000, "{told:?}");
    picture.stopped().await;
}
