//! The messages are those of ironrdp-cliprdr, which shares no code with the guard.

use ironrdp_cliprdr::pdu::{
    Capabilities, ClipboardFormat, ClipboardFormatId, ClipboardFormatName, ClipboardGeneralCapabilityFlags,
    ClipboardPdu, ClipboardProtocolVersion, FileContentsFlags, FileContentsRequest, FileContentsResponse,
    FormatDataRequest, FormatDataResponse, FormatList, FormatListResponse, LockDataId,
};
use proptest::prelude::*;

use super::super::testing::{Arrived, Link, pdu};
use super::super::{ChannelPolicy, Verdict};
use super::*;

const PARTIES: [Party; 2] = [Party::Client, Party::Host];

fn link(policy: ClipboardPolicy) -> Link {
    let link = Link::new("cliprdr", &ChannelPolicy { clipboard: policy, ..ChannelPolicy::default() });
    let flags = ClipboardGeneralCapabilityFlags::USE_LONG_FORMAT_NAMES;
    let capabilities = ClipboardPdu::Capabilities(Capabilities::new(ClipboardProtocolVersion::V2, flags));
    for (from, message) in [
        (Party::Host, pdu(&capabilities)),
        (Party::Host, pdu(&ClipboardPdu::MonitorReady)),
        (Party::Client, pdu(&capabilities)),
    ] {
        assert_eq!(link.say(from, &message), Arrived::whole(message));
    }
    link
}

fn list() -> Vec<u8> {
    let files = ClipboardFormat::new(ClipboardFormatId::new(0xc0bc))
        .with_name(ClipboardFormatName::new("FileGroupDescriptorW"));
    let formats = [ClipboardFormat::new(ClipboardFormatId::new(13)), files];
    pdu(&ClipboardPdu::FormatList(FormatList::new_unicode(&formats, true).unwrap()))
}

fn empty_list() -> Vec<u8> {
    pdu(&ClipboardPdu::FormatList(FormatList::new_unicode(&[], true).unwrap()))
}

fn ask(format: u32) -> Vec<u8> {
    pdu(&ClipboardPdu::FormatDataRequest(FormatDataRequest { format: ClipboardFormatId::new(format) }))
}

fn answer(length: usize) -> Vec<u8> {
    pdu(&ClipboardPdu::FormatDataResponse(FormatDataResponse::new_data(vec![b'x'; length])))
}

fn failure() -> Vec<u8> {
    pdu(&ClipboardPdu::FormatDataResponse(FormatDataResponse::new_error()))
}

fn ask_file(stream_id: u32) -> Vec<u8> {
    pdu(&ClipboardPdu::FileContentsRequest(FileContentsRequest {
        stream_id,
        index: 0,
        flags: FileContentsFlags::RANGE,
        position: 0,
        requested_size: 100,
        data_id: None,
    }))
}

fn file(stream_id: u32) -> Vec<u8> {
    pdu(&ClipboardPdu::FileContentsResponse(FileContentsResponse::new_data_response(stream_id, vec![9; 100])))
}

fn file_failure(stream_id: u32) -> Vec<u8> {
    pdu(&ClipboardPdu::FileContentsResponse(FileContentsResponse::new_error(stream_id)))
}

#[test]
fn the_whole_clipboard_needs_no_guard() {
    assert!(ClipboardGuard::new(ClipboardPolicy::ALL).is_none());
    assert!(!ClipboardPolicy::default().is_allowed());
}

#[test]
fn things_are_copied_in_the_allowed_direction_only() {
    for (direction, giver) in [(Direction::ToSession, Party::Client), (Direction::FromSession, Party::Host)] {
        let link = link(ClipboardPolicy { direction, ..ClipboardPolicy::ALL });
        let taker = giver.other();
        // The giver lists, is asked, and answers.
        for (from, message) in [
            (giver, list()),
            (taker, pdu(&ClipboardPdu::FormatListResponse(FormatListResponse::Ok))),
            (taker, pdu(&ClipboardPdu::LockData(LockDataId(5)))),
            (taker, ask(13)),
            (giver, answer(5_000)),
            (taker, ask_file(4)),
            (giver, file(4)),
        ] {
            assert_eq!(link.say(from, &message), Arrived::whole(message), "{direction:?}");
        }
        // The taker has nothing to give, whatever it says.
        assert_eq!(link.say(taker, &list()), Arrived::whole(empty_list()));
        assert_eq!(link.say(giver, &ask(13)), Arrived::answer(failure()));
        assert_eq!(link.say(taker, &answer(10)), Arrived::whole(failure()));
        assert_eq!(link.say(giver, &ask_file(77)), Arrived::answer(file_failure(77)));
        assert_eq!(link.say(taker, &file(77)), Arrived::whole(file_failure(77)));
    }
}

#[test]
fn text_only_is_text_only() {
    let link = link(ClipboardPolicy { text_only: true, ..ClipboardPolicy::ALL });
    for from in PARTIES {
        assert_eq!(link.say(from, &list()), Arrived::whole(list()));
        for text in TEXT_FORMATS {
            assert_eq!(link.say(from, &ask(text)), Arrived::whole(ask(text)));
        }
        for other in [2, 3, 8, 15, 17, 0xc004, 0xc0bc, u32::MAX] {
            assert_eq!(link.say(from, &ask(other)), Arrived::answer(failure()), "{other}");
        }
        assert_eq!(link.say(from, &ask_file(1)), Arrived::answer(file_failure(1)));
        assert_eq!(link.say(from, &file(1)), Arrived::whole(file_failure(1)));
    }
}

#[test]
fn what_is_too_long_is_a_failure_that_ends_the_wait() {
    let link = link(ClipboardPolicy { max_bytes: Some(4_000), ..ClipboardPolicy::ALL });
    for from in PARTIES {
        assert_eq!(link.say_in(from, &answer(4_000), &[1_600]), Arrived::whole(answer(4_000)));
        assert_eq!(link.say_in(from, &answer(4_001), &[1_600]), Arrived::whole(failure()));
        assert_eq!(link.say_in(from, &answer(1 << 20), &[1_600]), Arrived::whole(failure()));
        assert_eq!(link.say(from, &answer(10)), Arrived::whole(answer(10)), "and the next one passes");
    }
}

#[test]
fn a_length_that_lies_gains_nothing() {
    use ironrdp_pdu::rdp::vc::ChannelControlFlags;
    let link = link(ClipboardPolicy { max_bytes: Some(100), ..ClipboardPolicy::ALL });
    let message = answer(5_000);
    let first = ChannelControlFlags::FLAG_FIRST;
    let lie = |flags, part: &[u8]| super::super::testing::packet(Party::Client, 50, flags, part);
    assert_eq!(link.filter.judge(Party::Client, &lie(first, &message[..20])), Verdict::Pass);
    let rest = link.filter.judge(Party::Client, &lie(ChannelControlFlags::FLAG_LAST, &message[20..]));
    assert_eq!(rest, Verdict::Drop, "more than the fifty bytes that were announced");
}

#[test]
fn unknown_messages_do_not_pass() {
    let link = link(ClipboardPolicy { text_only: true, ..ClipboardPolicy::ALL });
    for kind in [0_u16, 12, 0x8001, u16::MAX] {
        assert_eq!(link.say(Party::Client, &short_message(kind, 0, &[])), Arrived::nothing());
    }
    for short in 0..8 {
        assert_eq!(link.say(Party::Client, &list()[..short]), Arrived::nothing());
    }
}

proptest! {
    /// However messages are cut, no data passes the wrong way, too long, or in another format.
    #[test]
    fn no_cut_helps(
        cuts in proptest::collection::vec(1_usize..40, 1..8),
        format in prop_oneof![Just(13_u32), Just(0xc0bc), any::<u32>()],
        length in 0_usize..300,
    ) {
        let policy =
            ClipboardPolicy { direction: Direction::ToSession, text_only: true, max_bytes: Some(150) };
        let link = link(policy);
        prop_assert_eq!(link.say_in(Party::Host, &list(), &cuts), Arrived::whole(empty_list()));
        prop_assert_eq!(link.say_in(Party::Host, &answer(length), &cuts), Arrived::whole(failure()));
        prop_assert_eq!(link.say_in(Party::Client, &ask(format), &cuts), Arrived::answer(failure()));
        let asked = link.say_in(Party::Host, &ask(format), &cuts);
        let answered = link.say_in(Party::Client, &answer(length), &cuts);
        if TEXT_FORMATS.contains(&format) {
            prop_assert_eq!(asked, Arrived::whole(ask(format)));
        } else {
            prop_assert_eq!(asked, Arrived::answer(failure()));
        }
        prop_assert_eq!(answered, Arrived::whole(if length <= 150 { answer(length) } else { failure() }));
    }

    #[test]
    fn noise_never_panics_and_what_arrives_is_bounded(
        messages in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..60), 1..30),
        cut in 1_usize..20,
    ) {
        let link = link(ClipboardPolicy { direction: Direction::FromSession, text_only: true, max_bytes: Some(8) });
        for mut message in messages {
            if let Some(kind) = message.first_mut() {
                *kind %= 13;
            }
            if let Some(high) = message.get_mut(1) {
                *high = 0;
            }
            for arrived in link.say_in(Party::Client, &message, &[cut]).onward {
                let data = [kind::FORMAT_DATA_RESPONSE, kind::FILECONTENTS_RESPONSE, kind::FORMAT_LIST];
                if data.contains(&u16::from_le_bytes([arrived[0], arrived[1]])) {
                    prop_assert!(arrived.len() <= HEADER_BYTES + 4, "{:?}", arrived);
                }
            }
        }
    }
}
