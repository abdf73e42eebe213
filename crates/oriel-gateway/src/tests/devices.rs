//! A changed client and forbidden devices: what passes is what the ticket says, whatever the client does.

use ironrdp_rdpdr::pdu::{
    RdpdrPdu,
    efs::{
        ClientDeviceListAnnounce, DeviceCreateResponse, DeviceIoRequest, DeviceIoResponse,
        DeviceReadResponse, DeviceWriteResponse, Devices, Information, MajorFunction, MinorFunction,
        NtStatus, VersionAndIdPdu, VersionAndIdPduKind,
    },
};
use oriel_model::{policy::Direction, session::ChannelPolicy};

use super::{
    browser::Browser,
    host::{Attached, FakeHost, client_info, connect_initial, contains},
    picture::{Picture, claims_for},
};

/// `rdpdr` in the first place, `rdpsnd` in the third; and who speaks there.
const DEVICES: [u8; 2] = [3, 0xec];
const SOUND: [u8; 2] = [3, 0xee];
const HOST: (u8, [u8; 2]) = (0x68, [3, 0xea]);
const CLIENT: (u8, [u8; 2]) = (0x64, [0, 7]);

const PRINTER: u32 = 4;
const DRIVE: u32 = 5;

/// A message of a channel in one packet, with these flags.
fn packet((choice, initiator): (u8, [u8; 2]), channel: [u8; 2], flags: [u8; 4], message: &[u8]) -> Vec<u8> {
    let length = u16::try_from(message.len()).expect("short");
    let mut packet = vec![3, 0];
    packet.extend((length + 23).to_be_bytes());
    packet.extend([2, 0xf0, 0x80, choice]);
    packet.extend(initiator);
    packet.extend(channel);
    packet.push(0x70);
    packet.extend(((length + 8) | 0x8000).to_be_bytes());
    packet.extend(u32::from(length).to_le_bytes());
    packet.extend(flags);
    packet.extend(message);
    packet
}

fn whole(who: (u8, [u8; 2]), pdu: &RdpdrPdu) -> Vec<u8> {
    packet(who, DEVICES, [3, 0, 0, 0], &ironrdp_core::encode_vec(pdu).expect("encoded"))
}

fn announce(ids: &[u32]) -> RdpdrPdu {
    let mut devices = Devices::new();
    for id in ids {
        match *id {
            PRINTER => devices.add_printer(PRINTER, "Laser".into()),
            id => devices.add_drive(id, "home".into()),
        }
    }
    RdpdrPdu::ClientDeviceListAnnounce(ClientDeviceListAnnounce { device_list: devices.clone_inner() })
}

/// A request whose completion is its function's: a late answer to one is none to the next.
fn request(device: u32, function: MajorFunction) -> DeviceIoRequest {
    DeviceIoRequest {
        device_id: device,
        file_id: 1,
        completion_id: function.into(),
        major_function: function,
        minor_function: MinorFunction::IRP_MN_QUERY_DIRECTORY,
    }
}

/// What a host asks of a device.
fn ask(device: u32, function: MajorFunction) -> Vec<u8> {
    let mut message =
        ironrdp_core::encode_vec(&RdpdrPdu::DeviceIoRequest(request(device, function))).expect("encoded");
    // FILE_READ_DATA and FILE_OPEN, where it opens something.
    message.extend([1_u32, 0, 0, 0, 7, 1, 0, 0].map(u32::to_le_bytes).as_flattened());
    packet(HOST, DEVICES, [3, 0, 0, 0], &message)
}

fn answer(device: u32, function: MajorFunction, status: NtStatus, read_data: &[u8]) -> RdpdrPdu {
    let device_io_reply = DeviceIoResponse::new(request(device, function), status);
    match function {
        MajorFunction::Create => RdpdrPdu::DeviceCreateResponse(DeviceCreateResponse {
            device_io_reply,
            file_id: 0,
            information: Information::FILE_SUPERSEDED,
        }),
        MajorFunction::Write => {
            RdpdrPdu::DeviceWriteResponse(DeviceWriteResponse { device_io_reply, length: 0 })
        }
        _ => RdpdrPdu::DeviceReadResponse(DeviceReadResponse {
            device_io_reply,
            read_data: read_data.to_vec(),
        }),
    }
}

fn denied(device: u32, function: MajorFunction) -> Vec<u8> {
    whole(CLIENT, &answer(device, function, NtStatus::ACCESS_DENIED, &[]))
}

/// A session with these devices, on whose channel both sides have greeted each other.
async fn session(
    picture: &Picture,
    host: &FakeHost,
    channels: ChannelPolicy,
    drives: Direction,
) -> (Browser, Attached) {
    let mut claims = claims_for(host);
    claims.channels = channels;
    claims.drives = drives;
    let (mut browser, mut attached) = picture.connected(host, &claims).await;
    let mut initial = connect_initial();
    let name = initial.windows(7).position(|part| part == b"drdynvc").expect("it is the first");
    initial[name..name + 8].copy_from_slice(b"rdpdr\0\0\0");
    let [initial, _] = attached.sequence_of(&mut browser, initial, client_info(&[])).await;
    assert!(contains(&initial, b"rdpdr\0\0\0"));
    for (who, kind) in [
        (HOST, VersionAndIdPduKind::ServerAnnounceRequest),
        (CLIENT, VersionAndIdPduKind::ClientAnnounceReply),
    ] {
        let pdu = RdpdrPdu::VersionAndIdPdu(VersionAndIdPdu {
            version_major: 1,
            version_minor: 12,
            client_id: 7,
            kind,
        });
        pass(&mut browser, &mut attached, whole(who, &pdu)).await;
    }
    (browser, attached)
}

/// A message arrives as it was sent.
async fn pass(browser: &mut Browser, attached: &mut Attached, message: Vec<u8>) {
    if message[7] == HOST.0 {
        attached.send(&message).await;
        assert_eq!(browser.message().await, message);
    } else {
        browser.send(message.clone()).await;
        assert_eq!(attached.frame().await, message);
    }
}

/// The host is refused what it asks, in the client's name.
async fn refuse(attached: &mut Attached, device: u32, function: MajorFunction) {
    attached.send(&ask(device, function)).await;
    assert_eq!(attached.frame().await, denied(device, function), "{device}, {function:?}");
}

const PRINTERS: ChannelPolicy =
    ChannelPolicy { clipboard: false, drives: false, audio: false, microphone: false, printers: true };

#[tokio::test]
async fn a_client_that_brings_drives_where_only_printers_are_allowed_keeps_them_to_itself() {
    use MajorFunction::{Create, Read, Write};
    let (picture, host) = (Picture::alone().await, FakeHost::new().await);
    let (mut browser, mut attached) = session(&picture, &host, PRINTERS, Direction::Both).await;

    browser.send(whole(CLIENT, &announce(&[DRIVE, PRINTER]))).await;
    assert_eq!(attached.frame().await, whole(CLIENT, &announce(&[PRINTER])));
    // Later, in pieces, under the printer's number, and compressed.
    browser.send(whole(CLIENT, &announce(&[DRIVE]))).await;
    assert_eq!(attached.frame().await, whole(CLIENT, &announce(&[])));
    let list = ironrdp_core::encode_vec(&announce(&[6, 7])).expect("encoded");
    let total = u32::try_from(list.len()).expect("short").to_le_bytes();
    let (first, rest) = list.split_at(13);
    for (flags, part) in [([1, 0, 0, 0], first), ([2, 0, 0, 0], rest)] {
        let mut piece = packet(CLIENT, DEVICES, flags, part);
        piece[15..19].copy_from_slice(&total);
        browser.send(piece).await;
    }
    assert_eq!(attached.frame().await, whole(CLIENT, &announce(&[])));
    browser.send(whole(CLIENT, &announce(&[PRINTER + 100]))).await;
    assert_eq!(attached.frame().await, whole(CLIENT, &announce(&[])));
    browser.send(packet(CLIENT, DEVICES, [3, 0, 0x20, 0], &list)).await;

    // A host that asks all the same is told no, and the client neither hears it nor can answer.
    for function in [Create, Read, Write] {
        refuse(&mut attached, DRIVE, function).await;
    }
    browser.send(whole(CLIENT, &answer(DRIVE, Read, NtStatus::SUCCESS, b"brought in"))).await;
    // Printing goes on; and nothing of the above has arrived before it.
    pass(&mut browser, &mut attached, ask(PRINTER, Write)).await;
    pass(&mut browser, &mut attached, whole(CLIENT, &answer(PRINTER, Write, NtStatus::SUCCESS, &[]))).await;
    refuse(&mut attached, PRINTER, Read).await;

    // Sound is forbidden, though its channel has kept its name.
    browser.send(packet(CLIENT, SOUND, [3, 0, 0, 0], b"formats")).await;
    attached.send(&packet(HOST, SOUND, [3, 0, 0, 0], b"formats")).await;
    pass(&mut browser, &mut attached, ask(PRINTER, Create)).await;
    pass(&mut browser, &mut attached, whole(CLIENT, &answer(PRINTER, Create, NtStatus::SUCCESS, &[]))).await;
}

#[tokio::test]
async fn a_client_and_a_host_that_ignore_the_direction_of_drives_get_no_file_past() {
    use MajorFunction::{Create, QueryInformation, Read, SetInformation, Write};
    let drives = ChannelPolicy { drives: true, ..PRINTERS };
    for (direction, passes, refused) in [
        (Direction::ToSession, [Create, QueryInformation, Read], [Write, SetInformation]),
        (Direction::FromSession, [Create, QueryInformation, Write], [Read, MajorFunction::DeviceControl]),
    ] {
        let (picture, host) = (Picture::alone().await, FakeHost::new().await);
        let (mut browser, mut attached) = session(&picture, &host, drives, direction).await;
        pass(&mut browser, &mut attached, whole(CLIENT, &announce(&[DRIVE, PRINTER]))).await;
        for function in refused {
            // Before it is asked, and after.
            browser.send(whole(CLIENT, &answer(DRIVE, function, NtStatus::SUCCESS, b"smuggled"))).await;
            refuse(&mut attached, DRIVE, function).await;
            browser.send(whole(CLIENT, &answer(DRIVE, function, NtStatus::SUCCESS, b"smuggled"))).await;
        }
        for function in passes {
            pass(&mut browser, &mut attached, ask(DRIVE, function)).await;
            let answer = answer(DRIVE, function, NtStatus::SUCCESS, b"as asked");
            pass(&mut browser, &mut attached, whole(CLIENT, &answer)).await;
        }
    }
}
