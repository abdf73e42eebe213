//! Good connections, and how they end.

use std::time::Duration;

use futures_util::SinkExt;
use ironrdp_rdcleanpath::RDCleanPath;
use oriel_model::session::EndReason;
use oriel_rdp::x224::{ConnectionConfirm, SecurityProtocols};
use tokio::{io::AsyncWriteExt, time::timeout};
use tokio_tungstenite::tungstenite::Message;

use super::{
    browser::SOON,
    host::{FakeHost, contains, hex, utf16},
    picture::{Picture, claims_for},
};
use crate::connections::{Ending, Event};

/// Fast-path output of this many bytes.
fn picture_update(length: u16) -> Vec<u8> {
    let mut frame = vec![0x00];
    frame.extend((length | 0x8000).to_be_bytes());
    frame.resize(usize::from(length), 0xab);
    frame
}

/// Data on a channel, as a host (0x68) or a client (0x64) sends it.
fn on_channel(choice: u8, channel: u16) -> Vec<u8> {
    let [high, low] = channel.to_be_bytes();
    vec![3, 0, 0, 17, 2, 0xf0, 0x80, choice, 0, 7, high, low, 0x70, 3, 1, 2, 3]
}

#[tokio::test]
async fn the_host_gets_the_logon_of_the_ticket_and_the_browser_does_not() {
    let (picture, host) = (Picture::alone().await, FakeHost::new().await);
    let claims = claims_for(&host);
    let mut browser = picture.door.open().await;
    let ticket = picture.ticket(&claims);
    let (answer, mut attached) = tokio::join!(browser.knock(&ticket), host.accept());
    let RDCleanPath::Response { x224_connection_response, server_cert_chain, server_addr } = answer else {
        panic!("connected, not {answer:?}");
    };
    let confirm = ConnectionConfirm::Selected { protocol: SecurityProtocols::SSL, flags: 1 };
    assert_eq!(ConnectionConfirm::parse(x224_connection_response.as_bytes()), Ok(confirm));
    assert_eq!(server_cert_chain.len(), 1);
    assert_eq!(server_addr, "0.0.0.0:3389", "the host's address is nobody's business");
    let info = attached.sequence(&mut browser, false).await;
    for text in ["alice", "once", "gnome-calculator", "/home/alice"] {
        assert!(contains(&info, &utf16(text)), "{text}");
    }
    assert!(!contains(&info, &utf16("eltons")));
}

#[tokio::test]
async fn messages_pass_one_by_one_and_forbidden_channels_stay_silent() {
    let (picture, host) = (Picture::alone().await, FakeHost::new().await);
    let (mut browser, mut attached) = picture.session(&host, &claims_for(&host)).await;
    // The clipboard is channel 1005, sound 1006.
    let updates = [picture_update(5), picture_update(20_000), on_channel(0x68, 1006), picture_update(300)];
    let clipboard = on_channel(0x68, 1005);
    attached.send(&[&updates[0][..], &clipboard, &updates[1], &updates[2]].concat()).await;
    attached.send(&updates[3][..100]).await;
    tokio::task::yield_now().await;
    attached.send(&updates[3][100..]).await;
    for update in &updates {
        assert_eq!(browser.message().await, update[..]);
    }
    let keys = hex("04 04 01 1e");
    browser.send(keys[..1].to_vec()).await;
    browser.send([&keys[1..], &on_channel(0x64, 1005), &on_channel(0x64, 1006)].concat()).await;
    assert_eq!(attached.frame().await, keys);
    assert_eq!(attached.frame().await, on_channel(0x64, 1006));
    browser.socket.send(Message::Ping("there?".into())).await.expect("sent");
    assert_eq!(browser.next().await, Some(Message::Pong("there?".into())));
}

/// A whole message of `drdynvc`, which is channel 1004.
fn dynamic(choice: u8, message: &[u8]) -> Vec<u8> {
    let length = u8::try_from(message.len()).expect("short");
    let initiator = if choice == 0x68 { [3, 0xea] } else { [0, 7] };
    let head = [3, 0, 0, 23 + length, 2, 0xf0, 0x80, choice, initiator[0], initiator[1], 3, 0xec, 0x70, 0x80];
    [&head[..], &[length + 8, length, 0, 0, 0, 3, 0, 0, 0], message].concat()
}

#[tokio::test]
async fn a_forbidden_dynamic_channel_is_refused_to_the_host_and_the_browser_hears_nothing() {
    let (picture, host) = (Picture::alone().await, FakeHost::new().await);
    let (mut browser, mut attached) = picture.session(&host, &claims_for(&host)).await;
    let capabilities = [dynamic(0x68, &[0x50, 0, 1, 0]), dynamic(0x64, &[0x50, 0, 1, 0])];
    attached.send(&capabilities[0]).await;
    assert_eq!(browser.message().await, capabilities[0]);
    browser.send(capabilities[1].clone()).await;
    assert_eq!(attached.frame().await, capabilities[1]);

    // While the browser says nothing, the host asks for two channels and is refused one.
    let camera = dynamic(0x68, b"\x10\x05RDCamera_Device_Enumerator\0");
    let display = dynamic(0x68, b"\x10\x06Microsoft::Windows::RDS::DisplayControl\0");
    attached.send(&camera).await;
    assert_eq!(attached.frame().await, dynamic(0x64, &[0x10, 5, 1, 0, 0, 0xc0]));
    attached.send(&[&camera[..], &display].concat()).await;
    assert_eq!(browser.message().await, display, "the first that it hears");
    assert_eq!(attached.frame().await, dynamic(0x64, &[0x10, 5, 1, 0, 0, 0xc0]));

    // What the browser says of the refused one stays here.
    let data = |id: u8| dynamic(0x64, &[0x30, id, 1, 2, 3]);
    let accepted = |id: u8| dynamic(0x64, &[0x10, id, 0, 0, 0, 0]);
    browser.send([accepted(5), data(5), accepted(6), data(6)].concat()).await;
    assert_eq!(attached.frame().await, accepted(6));
    assert_eq!(attached.frame().await, data(6));
}

#[tokio::test]
async fn an_ordered_end_is_told_to_browser_and_host() {
    let (picture, host) = (Picture::alone().await, FakeHost::new().await);
    let claims = claims_for(&host);
    let (mut browser, mut attached) = picture.session(&host, &claims).await;
    let ending = Ending::new(EndReason::Reset, "by an administrator");
    assert_eq!(picture.shared.connections.withdraw(Some(claims.session), None, &ending), 1);
    assert_eq!(browser.closed().await, (4000, "reset".into()));
    assert!(attached.ends_cleanly().await, "close_notify");
    picture.until("the connection is gone", |shared| shared.connections.count() == 0).await;
}

#[tokio::test]
async fn a_connection_ends_when_its_time_is_up() {
    let (picture, host) = (Picture::alone().await, FakeHost::new().await);
    let mut claims = claims_for(&host);
    claims.connected_until = oriel_model::Timestamp::now() + Duration::from_millis(1_500);
    let (mut browser, _attached) = picture.session(&host, &claims).await;
    assert_eq!(browser.closed().await, (4000, "limit_reached".into()));
}

/// What the brokers hear of the end.
fn reported(picture: &Picture) -> String {
    let mut number = 0;
    let mut reason = String::new();
    while let Some((next, event)) = picture.shared.connections.after(number) {
        number = next;
        if let Event::Closed(closed) = event {
            reason = closed.reason;
        }
    }
    reason
}

#[tokio::test]
async fn the_host_s_own_words_about_the_end_are_passed_on() {
    for (last_words, close, reason) in [
        // Set Error Info: another connection; then the ultimatum.
        (
            "03 00 00 24 02 f0 80 68 00 01 03 eb 70 16
             16 00 17 00 ea 03 ea 03 01 00 00 01 00 00 2f 00 00 00 05 00 00 00
             03 00 00 09 02 f0 80 21 80",
            (1000, "taken_over"),
            "taken_over",
        ),
        ("03 00 00 09 02 f0 80 21 80", (1000, "disconnected"), "disconnected"),
        // Set Error Info: logged off.
        (
            "03 00 00 24 02 f0 80 68 00 01 03 eb 70 16
             16 00 17 00 ea 03 ea 03 01 00 00 01 00 00 2f 00 00 00 0c 00 00 00",
            (1000, "logged_off"),
            "logged_off",
        ),
        ("", (1000, "disconnected"), "disconnected"),
    ] {
        let (picture, host) = (Picture::alone().await, FakeHost::new().await);
        let (mut browser, mut attached) = picture.session(&host, &claims_for(&host)).await;
        attached.send(&hex(last_words)).await;
        // Without close_notify, as xrdp does it.
        attached.stream.get_mut().0.shutdown().await.expect("closed");
        assert_eq!(browser.closed().await, (close.0, close.1.to_owned()));
        picture.until("the connection is gone", |shared| shared.connections.count() == 0).await;
        assert_eq!(reported(&picture), reason);
    }
}

#[tokio::test]
async fn a_closed_tab_and_a_lost_network_are_told_apart() {
    let (picture, host) = (Picture::alone().await, FakeHost::new().await);
    let (mut browser, mut attached) = picture.session(&host, &claims_for(&host)).await;
    browser.socket.close(None).await.expect("closed");
    assert!(attached.ends_cleanly().await);
    picture.until("the connection is gone", |shared| shared.connections.count() == 0).await;
    assert_eq!(reported(&picture), "disconnected");

    let (browser, mut attached) = picture.session(&host, &claims_for(&host)).await;
    drop(browser);
    assert!(attached.ends_cleanly().await);
    picture.until("the connection is gone", |shared| shared.connections.count() == 0).await;
    assert_eq!(reported(&picture), "network_lost");
}

#[tokio::test]
async fn a_slow_browser_stops_the_host_and_costs_no_memory() {
    let (picture, host) = (Picture::alone().await, FakeHost::new().await);
    let (mut browser, mut attached) = picture.session(&host, &claims_for(&host)).await;
    let update = picture_update(16_000);
    let mut sent = 0usize;
    // Nobody reads: what is taken is what the sockets on the way hold.
    while timeout(Duration::from_millis(700), attached.stream.write_all(&update)).await.is_ok() {
        sent += 1;
        assert!(sent < 4_000, "64 MB were taken that nobody reads");
    }
    // When the browser reads again it gets everything, also what still waits in the host's own TLS.
    let reading = async {
        for _ in 0..sent {
            assert_eq!(browser.message().await.len(), 16_000);
        }
    };
    let finish = async { tokio::join!(reading, attached.stream.flush()) };
    let (_, flushed) = timeout(SOON * 3, finish).await.expect("the browser gets what was sent");
    flushed.expect("the connection stands");
}

#[tokio::test]
async fn everything_arrives_in_order_under_load_in_both_directions() {
    let (picture, host) = (Picture::alone().await, FakeHost::new().await);
    let (mut browser, mut attached) = picture.session(&host, &claims_for(&host)).await;
    let sizes: Vec<u16> = (0..3_000u32).map(|n| (3 + n * 7919 % 30_000) as u16).collect();
    for &size in &sizes[..20] {
        browser.send(picture_update(size)).await;
        assert_eq!(attached.frame().await.len(), usize::from(size));
    }
    let outgoing: Vec<Vec<u8>> = sizes.iter().map(|&size| picture_update(size)).collect();
    let sending = async {
        for chunk in outgoing.chunks(7) {
            attached.stream.write_all(&chunk.concat()).await.expect("written");
        }
        attached.stream.flush().await.expect("flushed");
    };
    let receiving = async {
        for update in &outgoing {
            assert_eq!(browser.message().await, update[..]);
        }
    };
    tokio::join!(sending, receiving);
}
