//! What the host is told of the client's network is what the ticket says.

use oriel_model::policy::Quality;

use super::{
    host::{FakeHost, client_info, connect_initial, contains},
    picture::{Picture, claims_for},
};

/// Core data from the early capabilities to the selected protocol: a client that says what kind of
/// network it is on. The product's id is empty.
fn core_end(early: u16, connection_type: u8, protocol: u32) -> Vec<u8> {
    let mut end = early.to_le_bytes().to_vec();
    end.extend([0; 64]);
    end.extend([connection_type, 0]);
    end.extend(protocol.to_le_bytes());
    end
}

/// Extended info: IPv4, no address, no folder, a time zone, no session, these performance flags.
fn extended(flags: u32) -> Vec<u8> {
    let mut extended = vec![2, 0, 2, 0, 0, 0, 2, 0, 0, 0];
    extended.extend([0; 172 + 4]);
    extended.extend(flags.to_le_bytes());
    extended
}

#[tokio::test]
async fn a_client_that_asks_for_everything_gets_what_the_policy_says() {
    let (picture, host) = (Picture::alone().await, FakeHost::new().await);
    for (quality, connection_type, flags) in
        [(Quality::Automatic, 5, 0x1a0_u32), (Quality::Slow, 5, 0x6f), (Quality::Fast, 6, 0x180)]
    {
        let mut claims = claims_for(&host);
        claims.quality = quality;
        let (mut browser, mut attached) = picture.connected(&host, &claims).await;
        let mut initial = connect_initial();
        // Over what the specification's client has there: a product's id, and no kind of network.
        let core = initial.windows(4).position(|part| part == [1, 0xc0, 0xd8, 0]).expect("core data") + 4;
        initial[core + 140..core + 212].copy_from_slice(&core_end(0x21, 5, 0));
        let info = client_info(&extended(0x1a0));
        let [initial, info] = attached.sequence_of(&mut browser, initial, info).await;
        let said = &initial[core + 140..core + 212];
        // TLS is what the gateway has chosen; 32 bits per pixel are always asked for.
        assert_eq!(said, core_end(0x23, connection_type, 1), "{quality:?}");
        assert!(info.ends_with(&flags.to_le_bytes()), "{quality:?}");
        assert!(contains(&info, &super::host::utf16("127.0.0.1")), "the address is the gateway's, too");
    }
}

#[tokio::test]
async fn a_client_that_leaves_it_out_does_not_get_in_where_it_is_prescribed() {
    let (picture, host) = (Picture::alone().await, FakeHost::new().await);
    let mut claims = claims_for(&host);
    claims.quality = Quality::Slow;
    let (mut browser, mut attached) = picture.connected(&host, &claims).await;
    browser.send(connect_initial()).await;
    attached.frame().await;
    attached.send(&super::host::connect_response()).await;
    browser.message().await;
    browser.send(client_info(&[])).await;
    let (code, reason) = browser.closed().await;
    assert_eq!(code, 1002, "{reason}");
    picture.stopped().await;
}
