//! A changed client and a forbidden clipboard: what passes is what the ticket says, whatever the client does.

use ironrdp_cliprdr::pdu::{
    Capabilities, ClipboardFormat, ClipboardFormatId, ClipboardFormatName, ClipboardGeneralCapabilityFlags,
    ClipboardPdu, ClipboardProtocolVersion, FileContentsFlags, FileContentsRequest, FormatDataRequest,
    FormatDataResponse, FormatList,
};
use oriel_model::policy::{Clipboard, ClipboardKind, Direction};
use oriel_wire::ticket::Claims;

use super::{
    browser::Browser,
    host::{Attached, FakeHost},
    picture::{Picture, claims_for},
};

/// `cliprdr`, and who speaks there.
const CHANNEL: [u8; 2] = [3, 0xed];
const HOST: (u8, [u8; 2]) = (0x68, [3, 0xea]);
const CLIENT: (u8, [u8; 2]) = (0x64, [0, 7]);

/// A message of the clipboard's channel in one packet.
fn packet((choice, initiator): (u8, [u8; 2]), pdu: &ClipboardPdu<'_>) -> Vec<u8> {
    let message = ironrdp_core::encode_vec(pdu).expect("encoded");
    let length = u16::try_from(message.len()).expect("short");
    let mut packet = vec![3, 0];
    packet.extend((length + 23).to_be_bytes());
    packet.extend([2, 0xf0, 0x80, choice]);
    packet.extend(initiator);
    packet.extend(CHANNEL);
    packet.push(0x70);
    packet.extend(((length + 8) | 0x8000).to_be_bytes());
    packet.extend(u32::from(length).to_le_bytes());
    packet.extend([3, 0, 0, 0]);
    packet.extend(message);
    packet
}

fn list(formats: &[(u32, &str)]) -> ClipboardPdu<'static> {
    let formats: Vec<_> = formats
        .iter()
        .map(|(id, name)| {
            let name = ClipboardFormatName::new((*name).to_owned());
            ClipboardFormat::new(ClipboardFormatId::new(*id)).with_name(name)
        })
        .collect();
    ClipboardPdu::FormatList(FormatList::new_unicode(&formats, true).expect("a list"))
}

fn ask(format: u32) -> ClipboardPdu<'static> {
    ClipboardPdu::FormatDataRequest(FormatDataRequest { format: ClipboardFormatId::new(format) })
}

fn data(bytes: usize) -> ClipboardPdu<'static> {
    ClipboardPdu::FormatDataResponse(FormatDataResponse::new_data(vec![b'x'; bytes]))
}

fn failure() -> ClipboardPdu<'static> {
    ClipboardPdu::FormatDataResponse(FormatDataResponse::new_error())
}

fn ask_file() -> ClipboardPdu<'static> {
    ClipboardPdu::FileContentsRequest(FileContentsRequest {
        stream_id: 1,
        index: 0,
        flags: FileContentsFlags::RANGE,
        position: 0,
        requested_size: 100,
        data_id: None,
    })
}

/// A session with this clipboard, whose channel is open.
async fn session(picture: &Picture, host: &FakeHost, clipboard: Clipboard) -> (Browser, Attached) {
    let mut claims: Claims = claims_for(host);
    claims.channels.clipboard = true;
    claims.clipboard = clipboard;
    let (mut browser, mut attached) = picture.session(host, &claims).await;
    let flags = ClipboardGeneralCapabilityFlags::USE_LONG_FORMAT_NAMES;
    let capabilities = ClipboardPdu::Capabilities(Capabilities::new(ClipboardProtocolVersion::V2, flags));
    for pdu in [&capabilities, &ClipboardPdu::MonitorReady] {
        attached.send(&packet(HOST, pdu)).await;
        assert_eq!(browser.message().await, packet(HOST, pdu));
    }
    browser.send(packet(CLIENT, &capabilities)).await;
    assert_eq!(attached.frame().await, packet(CLIENT, &capabilities));
    (browser, attached)
}

#[tokio::test]
async fn a_client_that_ignores_the_direction_gets_nothing_out() {
    let (picture, host) = (Picture::alone().await, FakeHost::new().await);
    let into = Clipboard { direction: Direction::ToSession, ..Clipboard::default() };
    let (mut browser, mut attached) = session(&picture, &host, into).await;

    // The user copies in the session. The client hears of nothing, asks all the same, and is refused here.
    attached.send(&packet(HOST, &list(&[(13, ""), (0xc0bc, "FileGroupDescriptorW")]))).await;
    assert_eq!(browser.message().await, packet(HOST, &list(&[])));
    for format in [13, 1, 0xc0bc] {
        browser.send(packet(CLIENT, &ask(format))).await;
        assert_eq!(browser.message().await, packet(HOST, &failure()));
    }
    browser.send(packet(CLIENT, &ask_file())).await;
    assert_ne!(browser.message().await, packet(HOST, &failure()), "the failure of a file");

    // A program in the session that answers what nobody asked is not heard.
    attached.send(&packet(HOST, &data(10))).await;
    // Into the session everything goes on; and nothing of the above has arrived there.
    browser.send(packet(CLIENT, &list(&[(13, "")]))).await;
    assert_eq!(attached.frame().await, packet(CLIENT, &list(&[(13, "")])));
    attached.send(&packet(HOST, &ask(13))).await;
    assert_eq!(browser.message().await, packet(HOST, &ask(13)), "the first after the failures");
    browser.send(packet(CLIENT, &data(5))).await;
    assert_eq!(attached.frame().await, packet(CLIENT, &data(5)));
}

#[tokio::test]
async fn a_client_that_asks_for_other_kinds_or_more_than_allowed_is_refused() {
    let (picture, host) = (Picture::alone().await, FakeHost::new().await);
    let text = Clipboard { kinds: vec![ClipboardKind::Text], max_kib: Some(1), ..Clipboard::default() };
    let (mut browser, mut attached) = session(&picture, &host, text).await;

    let copied = [(13, ""), (8, ""), (0xc002, "HTML Format"), (0xc0bc, "FileGroupDescriptorW")];
    attached.send(&packet(HOST, &list(&copied))).await;
    assert_eq!(browser.message().await, packet(HOST, &list(&[(13, "")])));
    for format in [8, 0xc002, 0xc0bc] {
        browser.send(packet(CLIENT, &ask(format))).await;
        assert_eq!(browser.message().await, packet(HOST, &failure()), "{format}");
    }
    for (length, arrives) in [(1_024, data(1_024)), (1_025, failure())] {
        browser.send(packet(CLIENT, &ask(13))).await;
        assert_eq!(attached.frame().await, packet(CLIENT, &ask(13)), "the host hears of the text only");
        attached.send(&packet(HOST, &data(length))).await;
        assert_eq!(browser.message().await, packet(HOST, &arrives));
    }
}

#[tokio::test]
async fn a_client_that_joins_a_closed_clipboard_is_not_heard() {
    let (picture, host) = (Picture::alone().await, FakeHost::new().await);
    let mut claims = claims_for(&host);
    claims.channels.clipboard = true;
    claims.clipboard = Clipboard { direction: Direction::None, ..Clipboard::default() };
    let (mut browser, mut attached) = picture.session(&host, &claims).await;
    browser.send(packet(CLIENT, &list(&[(13, "")]))).await;
    attached.send(&packet(HOST, &list(&[(13, "")]))).await;
    let key = vec![0x04, 0x04, 0x01, 0x1e];
    browser.send(key.clone()).await;
    assert_eq!(attached.frame().await, key);
    attached.send(&[0x00, 0x03, 0x01]).await;
    assert_eq!(browser.message().await, [0x00, 0x03, 0x01][..]);
}
