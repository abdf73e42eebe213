//! The messages are those of ironrdp-rdpdr, which shares no code with the guard.

use ironrdp_core::{ReadCursor, decode_cursor};
use ironrdp_pdu::rdp::vc::ChannelControlFlags;
use ironrdp_rdpdr::pdu::RdpdrPdu;
use ironrdp_rdpdr::pdu::efs::{
    ClientDeviceListAnnounce, ClientDeviceListRemove, DeviceCloseResponse, DeviceCreateResponse,
    DeviceIoRequest, DeviceIoResponse, DeviceReadResponse, DeviceWriteResponse, Devices, Information,
    MajorFunction, MinorFunction, NtStatus, ServerDriveIoRequest, VersionAndIdPdu, VersionAndIdPduKind,
};
use proptest::prelude::*;

use super::super::testing::{Arrived, Link, chunks, packet, pdu};
use super::super::{Direction, Verdict};
use super::*;

const CARD: u32 = 1;
const PRINTER: u32 = 2;
const DRIVE: u32 = 3;
const PORT: u32 = 4;

/// Both client messages and what a host says first.
fn opening() -> [(Party, Vec<u8>); 2] {
    let version = |kind| {
        pdu(&RdpdrPdu::VersionAndIdPdu(VersionAndIdPdu {
            version_major: 1,
            version_minor: 12,
            client_id: 7,
            kind,
        }))
    };
    [
        (Party::Host, version(VersionAndIdPduKind::ServerAnnounceRequest)),
        (Party::Client, version(VersionAndIdPduKind::ClientAnnounceReply)),
    ]
}

fn link(policy: &ChannelPolicy) -> Link {
    let link = Link::new("rdpdr", policy);
    for (from, message) in opening() {
        assert_eq!(link.say(from, &message), Arrived::whole(message));
    }
    link
}

fn announce(ids: &[u32]) -> Vec<u8> {
    let mut devices = Devices::new();
    for id in ids {
        match *id {
            CARD => devices.add_smartcard(CARD),
            PRINTER => devices.add_printer(PRINTER, "Laser".into()),
            // Made to a port below.
            id => devices.add_drive(id, "home".into()),
        }
    }
    let device_list = devices.clone_inner();
    let mut message = pdu(&RdpdrPdu::ClientDeviceListAnnounce(ClientDeviceListAnnounce { device_list }));
    // Behind the header and the number of devices, which may be eight.
    let (_, list) = message.split_at_mut(8);
    if let Some(place) = list.windows(8).position(|part| part == [8, 0, 0, 0, 4, 0, 0, 0]) {
        list[place] = 1;
    }
    message
}

fn remove(ids: &[u32]) -> Vec<u8> {
    pdu(&RdpdrPdu::ClientDeviceListRemove(ClientDeviceListRemove { device_list: ids.to_vec() }))
}

fn request(device: u32, completion: u32, function: MajorFunction) -> DeviceIoRequest {
    DeviceIoRequest {
        device_id: device,
        file_id: 9,
        completion_id: completion,
        major_function: function,
        minor_function: MinorFunction::IRP_MN_QUERY_DIRECTORY,
    }
}

/// A question with these parameters behind it.
fn ask(device: u32, completion: u32, function: MajorFunction, parameters: &[u8]) -> Vec<u8> {
    [&pdu(&RdpdrPdu::DeviceIoRequest(request(device, completion, function)))[..], parameters].concat()
}

/// DR_CREATE_REQ, as ironrdp-rdpdr reads it.
fn create(device: u32, completion: u32, access: u32, disposition: u32, options: u32) -> Vec<u8> {
    let path: Vec<u8> = "\\note.txt\0".encode_utf16().flat_map(u16::to_le_bytes).collect();
    let numbers = [access, 0, 0, 0, 7, disposition, options, u32::try_from(path.len()).unwrap()];
    let parameters = [numbers.map(u32::to_le_bytes).as_flattened(), &path].concat();
    let message = ask(device, completion, MajorFunction::Create, &parameters);
    let mut cursor = ReadCursor::new(&message);
    let Ok(RdpdrPdu::DeviceIoRequest(request)) = decode_cursor(&mut cursor) else { panic!("a question") };
    let read = ServerDriveIoRequest::decode(request, &mut cursor).unwrap();
    let ServerDriveIoRequest::ServerCreateDriveRequest(read) = read else { panic!("{read:?}") };
    assert_eq!(
        (read.desired_access.bits(), read.create_options.bits(), &*read.path),
        (access, options, "\\note.txt")
    );
    message
}

fn reply(device: u32, completion: u32) -> DeviceIoResponse {
    DeviceIoResponse::new(request(device, completion, MajorFunction::Create), NtStatus::ACCESS_DENIED)
}

/// What the host is told of a question that is not to be.
fn denial(device: u32, completion: u32, function: MajorFunction) -> Vec<u8> {
    let reply = reply(device, completion);
    pdu(&match function {
        MajorFunction::Create => RdpdrPdu::DeviceCreateResponse(DeviceCreateResponse {
            device_io_reply: reply,
            file_id: 0,
            information: Information::FILE_SUPERSEDED,
        }),
        MajorFunction::Write => {
            RdpdrPdu::DeviceWriteResponse(DeviceWriteResponse { device_io_reply: reply, length: 0 })
        }
        _ => {
            RdpdrPdu::DeviceReadResponse(DeviceReadResponse { device_io_reply: reply, read_data: Vec::new() })
        }
    })
}

/// A client's answer.
fn answer(device: u32, completion: u32) -> Vec<u8> {
    pdu(&RdpdrPdu::DeviceCloseResponse(DeviceCloseResponse { device_io_response: reply(device, completion) }))
}

fn data(device: u32, completion: u32, length: usize) -> Vec<u8> {
    pdu(&RdpdrPdu::DeviceReadResponse(DeviceReadResponse {
        device_io_reply: reply(device, completion),
        read_data: vec![b'x'; length],
    }))
}

const FUNCTIONS: [MajorFunction; 11] = [
    MajorFunction::Create,
    MajorFunction::Close,
    MajorFunction::Read,
    MajorFunction::Write,
    MajorFunction::DeviceControl,
    MajorFunction::QueryVolumeInformation,
    MajorFunction::SetVolumeInformation,
    MajorFunction::QueryInformation,
    MajorFunction::SetInformation,
    MajorFunction::DirectoryControl,
    MajorFunction::LockControl,
];

fn question(device: u32, completion: u32, function: MajorFunction) -> Vec<u8> {
    match function {
        // FILE_READ_DATA, FILE_OPEN
        MajorFunction::Create => create(device, completion, 1, 1, 0),
        other => ask(device, completion, other, &[0; 32]),
    }
}

/// What of all this reaches the client on a device; everything else is refused in its place.
fn reaching(link: &Link, device: u32) -> Vec<MajorFunction> {
    let mut reached = Vec::new();
    for (completion, function) in (10..).zip(FUNCTIONS) {
        let message = question(device, completion, function);
        let arrived = link.say(Party::Host, &message);
        if arrived == Arrived::whole(message) {
            reached.push(function);
            let answer = answer(device, completion);
            assert_eq!(link.say(Party::Client, &answer), Arrived::whole(answer));
        } else {
            assert_eq!(arrived, Arrived::answer(denial(device, completion, function)), "{function:?}");
        }
        assert_eq!(link.say(Party::Client, &answer(device, completion)), Arrived::nothing(), "once only");
    }
    reached
}

fn all() -> ChannelPolicy {
    ChannelPolicy {
        drives: Direction::Both,
        printers: true,
        smart_cards: true,
        ports: true,
        ..ChannelPolicy::default()
    }
}

fn none() -> ChannelPolicy {
    ChannelPolicy::default()
}

#[test]
fn where_all_devices_are_allowed_there_is_no_guard() {
    assert!(DeviceGuard::new(&all()).is_none());
    assert!(DeviceGuard::new(&ChannelPolicy { drives: Direction::ToSession, ..all() }).is_some());
}

#[test]
fn the_host_hears_of_allowed_devices_only() {
    let everything = announce(&[CARD, PRINTER, DRIVE, PORT]);
    for (policy, left) in [
        (ChannelPolicy { smart_cards: true, ..none() }, CARD),
        (ChannelPolicy { printers: true, ..none() }, PRINTER),
        (ChannelPolicy { drives: Direction::Both, ..none() }, DRIVE),
        (ChannelPolicy { ports: true, ..none() }, PORT),
    ] {
        let link = link(&policy);
        assert_eq!(link.say(Party::Client, &everything), Arrived::whole(announce(&[left])));
        for device in [CARD, PRINTER, DRIVE, PORT, 5] {
            let reached = reaching(&link, device);
            assert_eq!(!reached.is_empty(), device == left, "{device}: {reached:?}");
        }
        // Announced again by itself, and only the others.
        assert_eq!(link.say(Party::Client, &announce(&[left])), Arrived::whole(announce(&[left])));
        let others: Vec<_> = [CARD, PRINTER, DRIVE, PORT].into_iter().filter(|id| *id != left).collect();
        assert_eq!(link.say(Party::Client, &announce(&others)), Arrived::whole(announce(&[])));
    }
}

#[test]
fn files_pass_the_allowed_way_only() {
    use MajorFunction::*;
    let looking = [Close, QueryVolumeInformation, QueryInformation, DirectoryControl, LockControl];
    for (direction, passes) in [
        (Direction::ToSession, &[Create, Read][..]),
        (Direction::FromSession, &[Create, Write, SetVolumeInformation, SetInformation]),
    ] {
        let link = link(&ChannelPolicy { drives: direction, ..none() });
        link.say(Party::Client, &announce(&[DRIVE]));
        let reached = reaching(&link, DRIVE);
        let expected: Vec<_> =
            FUNCTIONS.into_iter().filter(|it| looking.contains(it) || passes.contains(it)).collect();
        assert_eq!(reached, expected, "{direction:?}");
    }
    let link = link(&ChannelPolicy { drives: Direction::Both, ..none() });
    link.say(Party::Client, &announce(&[DRIVE]));
    assert_eq!(reaching(&link, DRIVE), FUNCTIONS);
}

#[test]
fn a_printer_is_only_printed_on() {
    let link = link(&ChannelPolicy { printers: true, ..none() });
    link.say(Party::Client, &announce(&[PRINTER]));
    assert_eq!(reaching(&link, PRINTER), [MajorFunction::Create, MajorFunction::Close, MajorFunction::Write]);
    // What a host keeps of printers' settings is theirs, and clients say nothing of the kind.
    let cached = [&header::PRINTER[..], &[0x43, 0x50], &[1; 40]].concat();
    assert_eq!(link.say(Party::Host, &cached), Arrived::whole(cached.clone()));
    assert_eq!(link.say(Party::Client, &cached), Arrived::nothing());
    let without = self::link(&ChannelPolicy { drives: Direction::Both, ..none() });
    assert_eq!(without.say(Party::Host, &cached), Arrived::nothing());
}

#[test]
fn into_the_session_nothing_is_opened_that_would_change() {
    let link = link(&ChannelPolicy { drives: Direction::ToSession, ..none() });
    link.say(Party::Client, &announce(&[DRIVE]));
    let mut completion = 0;
    let mut passes = |access, disposition, options| {
        completion += 1;
        let message = create(DRIVE, completion, access, disposition, options);
        let denied = Arrived::answer(denial(DRIVE, completion, MajorFunction::Create));
        match link.say(Party::Host, &message) {
            arrived if arrived == Arrived::whole(message) => true,
            arrived => {
                assert_eq!(arrived, denied);
                false
            }
        }
    };
    // FILE_READ_DATA, READ_CONTROL, SYNCHRONIZE, MAXIMUM_ALLOWED, GENERIC_READ, GENERIC_EXECUTE
    for harmless in [0x1, 0x80, 0x2_0000, 0x10_0000, 0x200_0000, 0x8000_0000, 0x2000_0000] {
        assert!(passes(harmless, 1, 0x60), "{harmless:#x}");
    }
    for changes in [0x2, 0x4, 0x10, 0x40, 0x100, 0x1_0000, 0x4_0000, 0x8_0000, 0x1000_0000, 0x4000_0000] {
        assert!(!passes(changes, 1, 0), "{changes:#x}");
        assert!(!passes(changes | 1, 1, 0), "{changes:#x}");
    }
    for disposition in [0, 2, 3, 4, 5, 6, u32::MAX] {
        assert!(!passes(1, disposition, 0), "{disposition}");
    }
    assert!(!passes(1, 1, 0x1000), "deleted when it is closed");
}

#[test]
fn what_nobody_asked_is_not_heard() {
    let link = link(&ChannelPolicy { drives: Direction::FromSession, ..none() });
    link.say(Party::Client, &announce(&[DRIVE]));
    // Before and after a question that was refused, and under the name of another device.
    assert_eq!(link.say(Party::Client, &data(DRIVE, 1, 3_000)), Arrived::nothing());
    let read = question(DRIVE, 1, MajorFunction::Read);
    assert_eq!(link.say(Party::Host, &read), Arrived::answer(denial(DRIVE, 1, MajorFunction::Read)));
    for device in [DRIVE, CARD] {
        assert_eq!(link.say_in(Party::Client, &data(device, 1, 3_000), &[1_600]), Arrived::nothing());
    }
    // Nor where the host asks under the number of a question that still waits.
    let look = question(DRIVE, 2, MajorFunction::DirectoryControl);
    assert_eq!(link.say(Party::Host, &look), Arrived::whole(look));
    link.say(Party::Host, &question(DRIVE, 2, MajorFunction::Read));
    assert_eq!(link.say(Party::Client, &data(DRIVE, 2, 10)), Arrived::nothing());
}

#[test]
fn an_id_means_one_kind_of_device() {
    let link = link(&ChannelPolicy { drives: Direction::ToSession, printers: true, ..none() });
    link.say(Party::Client, &announce(&[DRIVE]));
    assert_eq!(link.say(Party::Client, &remove(&[CARD, DRIVE])), Arrived::whole(remove(&[DRIVE])));
    assert_eq!(reaching(&link, DRIVE), [], "it is gone");
    // A host that did not mind would take the printer's rights for the drive's.
    let mut as_printer = announce(&[PRINTER]);
    let place = as_printer.windows(8).position(|part| part == [4, 0, 0, 0, 2, 0, 0, 0]).unwrap();
    as_printer[place + 4] = u8::try_from(DRIVE).unwrap();
    assert_eq!(link.say(Party::Client, &as_printer), Arrived::whole(announce(&[])));
    assert_eq!(link.say(Party::Client, &announce(&[DRIVE])), Arrived::whole(announce(&[DRIVE])));
    assert!(!reaching(&link, DRIVE).contains(&MajorFunction::Write));
    // When the host begins anew it knows of none.
    link.say(Party::Host, &opening()[0].1);
    assert_eq!(reaching(&link, DRIVE), []);
    assert_eq!(link.say(Party::Client, &as_printer), Arrived::whole(as_printer.clone()));
    assert!(reaching(&link, DRIVE).contains(&MajorFunction::Write));
}

#[test]
fn what_cannot_be_read_does_not_pass() {
    let link = link(&ChannelPolicy { drives: Direction::ToSession, ..none() });
    // More devices than there are, data longer than the list, a number without ids.
    let good = announce(&[DRIVE]);
    let mut bad = [good.clone(), good.clone(), good.clone()];
    bad[0][4] = 2;
    bad[1][24] = 0xff;
    bad[2].truncate(20);
    let listed = remove(&[DRIVE]);
    for message in bad.into_iter().chain([listed[..10].to_vec(), listed[..6].to_vec(), good[..4].to_vec()]) {
        assert_eq!(link.say(Party::Client, &message), Arrived::nothing());
    }
    assert_eq!(reaching(&link, DRIVE), []);
    // What stands behind the list does not pass with it.
    let longer = [&good[..], &announce(&[PRINTER])].concat();
    assert_eq!(link.say(Party::Client, &longer), Arrived::whole(good.clone()));
    // A question without its end, a message of the other side, unknown ones, nothing.
    for message in
        [&question(DRIVE, 1, MajorFunction::Create)[..40], &good, &[0x72, 0x44, 1, 2, 3, 4], &[0x72], &[]]
    {
        assert_eq!(link.say(Party::Host, message), Arrived::nothing());
    }
    for message in [&question(DRIVE, 1, MajorFunction::Close)[..], &[0x50, 0x52, 0x41, 0x44], &[0; 30]] {
        assert_eq!(link.say(Party::Client, message), Arrived::nothing());
    }
    // Compressed.
    let flags = ChannelControlFlags::FLAG_FIRST
        | ChannelControlFlags::FLAG_LAST
        | ChannelControlFlags::PACKET_COMPRESSED;
    let compressed = packet(Party::Client, good.len(), flags, &good);
    assert_eq!(link.filter.judge(Party::Client, &compressed), Verdict::Drop);
}

#[test]
fn nothing_that_is_remembered_grows_without_bound() {
    let link = link(&ChannelPolicy { drives: Direction::Both, ..none() });
    // A list that is longer than any; then one device after the other.
    let long: Vec<u32> = (10..6_000).collect();
    assert_eq!(link.say_in(Party::Client, &announce(&long), &[1_600]), Arrived::nothing());
    let known = (10..2_000)
        .filter(|id| link.say(Party::Client, &announce(&[*id])) == Arrived::whole(announce(&[*id])));
    assert_eq!(known.count(), DEVICES_MAX);
    // Questions that are never answered.
    let asked = (0..5_000).filter(|completion| {
        let question = question(10, *completion, MajorFunction::Read);
        link.say(Party::Host, &question) == Arrived::whole(question)
    });
    assert_eq!(asked.count(), ASKED_MAX);
    // The longest list that is looked at, in chunks half as long as programs make them.
    let list = announce(&[DRIVE, PRINTER]);
    let padded = [&list[..], &vec![0; LIST_BYTES_MAX - list.len()]].concat();
    let link = self::link(&ChannelPolicy { printers: true, ..none() });
    assert_eq!(link.say_in(Party::Client, &padded, &[801]), Arrived::whole(announce(&[PRINTER])));
}

/// Whether a host could find a device of another kind than printers in what it got.
fn finds_other_than_printers(message: &[u8]) -> bool {
    let Some(list) = message.strip_prefix(&header::DEVICE_LIST_ANNOUNCE) else { return false };
    let (count, mut rest) = list.split_first_chunk::<4>().unwrap();
    for _ in 0..u32::from_le_bytes(*count) {
        let (device_type, behind) = rest.split_first_chunk::<4>().unwrap();
        if u32::from_le_bytes(*device_type) != 4 {
            return true;
        }
        let length = u32::from_le_bytes(*behind[12..].first_chunk().unwrap());
        rest = &behind[16 + usize::try_from(length).unwrap()..];
    }
    false
}

proptest! {
    /// However a list is cut, the same becomes of it.
    #[test]
    fn any_cut_decides_the_same(
        ids in proptest::collection::vec(1_u32..40, 0..12), cuts in proptest::collection::vec(20_usize..90, 1..8),
    ) {
        let printers: Vec<_> = ids.iter().copied().filter(|id| *id == PRINTER).collect();
        let link = link(&ChannelPolicy { printers: true, ..none() });
        let list = announce(&ids);
        let fits = chunks(Party::Client, &list, &cuts).len() <= 2 * LIST_BYTES_MAX / 1_600;
        prop_assert!(fits);
        prop_assert_eq!(link.say_in(Party::Client, &list, &cuts), Arrived::whole(announce(&printers)));
        let create = create(PRINTER, 1, 2, 1, 0);
        let arrived = link.say_in(Party::Host, &create, &cuts);
        prop_assert_eq!(arrived == Arrived::whole(create), !printers.is_empty());
    }

    /// However a client's lists are changed, a host finds printers in them and nothing else, and no drive
    /// hears of it.
    #[test]
    fn no_mutation_brings_a_drive(
        ids in proptest::collection::vec(1_u32..6, 1..6),
        changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..6),
        end: prop::sample::Index,
        whole: bool,
        cuts in proptest::collection::vec(1_usize..60, 1..8),
        flags in proptest::collection::vec(0_u32..4, 1..4),
    ) {
        let link = link(&ChannelPolicy { printers: true, ..none() });
        let mut list = announce(&ids);
        for (place, byte) in changes {
            let place = place.index(list.len());
            list[place] = byte;
        }
        if !whole {
            list.truncate(end.index(list.len() + 1));
        }
        let mut packets = chunks(Party::Client, &list, &cuts);
        // And once more, cut anyhow.
        packets.extend(flags.iter().map(|flags| {
            packet(Party::Client, list.len(), ChannelControlFlags::from_bits_retain(*flags), &list)
        }));
        for arrived in link.packets(Party::Client, &packets).onward {
            prop_assert!(!finds_other_than_printers(&arrived), "{:x?}", arrived);
        }
        for device in 0..300 {
            let read = question(device, 1, MajorFunction::Read);
            prop_assert_ne!(link.say(Party::Host, &read), Arrived::whole(read));
        }
    }

    /// Whatever noise comes, nobody is heard without having been asked.
    #[test]
    fn noise_is_not_heard(
        messages in proptest::collection::vec((any::<bool>(), 0_usize..12, proptest::collection::vec(any::<u8>(), 0..60)), 1..40),
    ) {
        const IDS: [u16; 12] = [
            0x496e, 0x4343, 0x434e, 0x4441, 0x6472, 0x4952, 0x4943, 0x5350, 0x4350, 0x444d, 0x554c, 0x5043,
        ];
        let link = link(&ChannelPolicy { drives: Direction::ToSession, ..none() });
        for (from_host, id, body) in &messages {
            let from = if *from_host { Party::Host } else { Party::Client };
            let message = [&[0x72, 0x44], &IDS[*id].to_le_bytes()[..], body].concat();
            let arrived = link.say(from, &message);
            if IDS[*id] == 0x4943 {
                prop_assert_eq!(arrived, Arrived::nothing());
            } else if IDS[*id] == 0x4952 {
                prop_assert_eq!(arrived.onward, Vec::<Vec<u8>>::new());
            }
        }
    }
}
