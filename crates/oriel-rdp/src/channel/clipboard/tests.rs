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

const FILES: u32 = 0xc0bc;

fn list_of(formats: &[(u32, &str)]) -> Vec<u8> {
    let formats: Vec<_> = formats
        .iter()
        .map(|(id, name)| {
            ClipboardFormat::new(ClipboardFormatId::new(*id))
                .with_name(ClipboardFormatName::new((*name).to_owned()))
        })
        .collect();
    pdu(&ClipboardPdu::FormatList(FormatList::new_unicode(&formats, true).unwrap()))
}

fn list() -> Vec<u8> {
    list_of(&[(13, ""), (FILES, "FileGroupDescriptorW")])
}

fn empty_list() -> Vec<u8> {
    list_of(&[])
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

fn ask_piece(stream_id: u32, index: u32, position: u64, requested_size: u32) -> Vec<u8> {
    pdu(&ClipboardPdu::FileContentsRequest(FileContentsRequest {
        stream_id,
        index: i32::try_from(index).unwrap(),
        flags: FileContentsFlags::RANGE,
        position,
        requested_size,
        data_id: None,
    }))
}

fn ask_file(stream_id: u32) -> Vec<u8> {
    ask_piece(stream_id, 0, 0, 100)
}

fn piece(stream_id: u32, length: usize) -> Vec<u8> {
    pdu(&ClipboardPdu::FileContentsResponse(FileContentsResponse::new_data_response(
        stream_id,
        vec![9; length],
    )))
}

fn file(stream_id: u32) -> Vec<u8> {
    piece(stream_id, 100)
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
        assert_eq!(link.say(taker, &answer(10)), Arrived::nothing());
        assert_eq!(link.say(giver, &ask_file(77)), Arrived::answer(file_failure(77)));
        assert_eq!(link.say(taker, &file(77)), Arrived::nothing());
    }
}

#[test]
fn text_only_is_text_only() {
    let link = link(ClipboardPolicy { kinds: Kinds::TEXT, ..ClipboardPolicy::ALL });
    for from in PARTIES {
        assert_eq!(link.say(from.other(), &ask(13)), Arrived::answer(failure()), "nothing is listed yet");
        let everything =
            [(1, ""), (8, ""), (13, ""), (16, ""), (0xc004, "HTML Format"), (FILES, "FileGroupDescriptorW")];
        let text = list_of(&[(1, ""), (13, ""), (16, "")]);
        assert_eq!(link.say(from, &list_of(&everything)), Arrived::whole(text));
        let taker = from.other();
        for text in [1, 13, 16] {
            assert_eq!(link.say(taker, &ask(text)), Arrived::whole(ask(text)));
        }
        // Also what was listed and taken out, and what never was.
        for other in [2, 3, 7, 8, 15, 17, 0xc004, FILES, u32::MAX] {
            assert_eq!(link.say(taker, &ask(other)), Arrived::answer(failure()), "{other}");
        }
        assert_eq!(link.say(taker, &ask_file(1)), Arrived::answer(file_failure(1)));
        assert_eq!(link.say(from, &file(1)), Arrived::nothing());
    }
}

#[test]
fn each_kind_opens_its_formats_only() {
    let formats = [
        (13, ""),
        (0xc001, "UTF8_STRING"),
        (0xc002, "HTML Format"),
        (0xc003, "Rich Text Format"),
        (17, ""),
        (0xc004, "image/png"),
        (15, ""),
        (0xc005, "FileGroupDescriptorW"),
        (12, ""),
        (0xc006, "Object Descriptor"),
    ];
    let nothing = Kinds::default();
    for (kinds, range) in [
        (Kinds { text: true, ..nothing }, 0..2),
        (Kinds { html: true, ..nothing }, 2..4),
        (Kinds { images: true, ..nothing }, 4..6),
        (Kinds { files: true, ..nothing }, 6..8),
        (Kinds { others: true, ..nothing }, 8..10),
    ] {
        let link = link(ClipboardPolicy { kinds, ..ClipboardPolicy::ALL });
        assert_eq!(link.say(Party::Host, &list_of(&formats)), Arrived::whole(list_of(&formats[range])));
    }
}

#[test]
fn short_lists_lose_what_is_forbidden_too() {
    let link = Link::new(
        "cliprdr",
        &ChannelPolicy {
            clipboard: ClipboardPolicy { kinds: Kinds::TEXT, ..ClipboardPolicy::ALL },
            ..ChannelPolicy::default()
        },
    );
    let short = |formats: &[(u32, &str)], is_ascii| {
        let formats: Vec<_> = formats
            .iter()
            .map(|(id, name)| {
                ClipboardFormat::new(ClipboardFormatId::new(*id))
                    .with_name(ClipboardFormatName::new((*name).to_owned()))
            })
            .collect();
        let list = if is_ascii {
            FormatList::new_ascii(&formats, false)
        } else {
            FormatList::new_unicode(&formats, false)
        };
        pdu(&ClipboardPdu::FormatList(list.unwrap()))
    };
    let all = [(13, ""), (0xc002, "HTML Format"), (0xc003, "text/plain"), (0xc005, "FileGroupDescri")];
    for is_ascii in [false, true] {
        let left = short(&[(13, ""), (0xc003, "text/plain")], is_ascii);
        assert_eq!(link.say(Party::Client, &short(&all, is_ascii)), Arrived::whole(left));
    }
}

#[test]
fn a_long_list_is_cut_into_chunks_and_one_that_is_too_long_is_empty() {
    let link = link(ClipboardPolicy { kinds: Kinds { html: false, ..Kinds::ALL }, ..ClipboardPolicy::ALL });
    let name = "a".repeat(60);
    let mut formats: Vec<_> = (0..60).map(|id| (0xc100 + id, name.as_str())).collect();
    let left = list_of(&formats);
    assert!(left.len() > 3 * 1_600);
    formats.insert(7, (0xc002, "HTML Format"));
    assert_eq!(link.say_in(Party::Host, &list_of(&formats), &[1_600]), Arrived::whole(left));
    let too_long: Vec<_> = (0..120).map(|id| (0xc100 + id, name.as_str())).collect();
    assert_eq!(link.say_in(Party::Host, &list_of(&too_long), &[1_600]), Arrived::whole(empty_list()));
    assert_eq!(link.say(Party::Client, &ask(0xc100)), Arrived::answer(failure()));
}

#[test]
fn names_are_agreed_on_once() {
    let link = link(ClipboardPolicy { kinds: Kinds::TEXT, ..ClipboardPolicy::ALL });
    let short = ClipboardPdu::Capabilities(Capabilities::new(
        ClipboardProtocolVersion::V2,
        ClipboardGeneralCapabilityFlags::empty(),
    ));
    assert_eq!(link.say(Party::Client, &pdu(&short)), Arrived::nothing(), "it said otherwise before");
    assert_eq!(link.say(Party::Host, &pdu(&short)), Arrived::whole(pdu(&short)), "the host begins anew");
    assert_eq!(link.say(Party::Host, &pdu(&short)), Arrived::nothing());
    let ready = pdu(&ClipboardPdu::MonitorReady);
    assert_eq!(link.say(Party::Client, &ready), Arrived::nothing());
    assert_eq!(link.say(Party::Host, &ready), Arrived::whole(ready));
    assert_eq!(link.say(Party::Client, &pdu(&short)), Arrived::whole(pdu(&short)));
    // Two sets, of which each side could read another.
    let ready = pdu(&ClipboardPdu::MonitorReady);
    link.say(Party::Host, &ready);
    let set = [1, 0, 12, 0, 2, 0, 0, 0, 2, 0, 0, 0];
    let two = super::answer(kind::CLIP_CAPS, 0, &[&[2, 0, 0, 0][..], &set, &set].concat());
    assert_eq!(link.say(Party::Client, &two), Arrived::nothing());
}

#[test]
fn what_is_too_long_is_a_failure_that_ends_the_wait() {
    let link = link(ClipboardPolicy { max_bytes: Some(4_000), ..ClipboardPolicy::ALL });
    for from in PARTIES {
        link.say(from, &list());
        for (length, arrives) in
            [(4_000, answer(4_000)), (4_001, failure()), (1 << 20, failure()), (10, answer(10))]
        {
            assert_eq!(link.say(from.other(), &ask(13)), Arrived::whole(ask(13)));
            assert_eq!(link.say_in(from, &answer(length), &[1_600]), Arrived::whole(arrives));
        }
        assert_eq!(link.say(from, &answer(10)), Arrived::nothing(), "nobody asked");
    }
}

#[test]
fn the_limit_holds_for_all_files_of_a_content_together() {
    let link = link(ClipboardPolicy { max_bytes: Some(4_000), ..ClipboardPolicy::ALL });
    let give = |stream: u32, index: u32, position: u64, length: usize| {
        let asked = ask_piece(stream, index, position, u32::try_from(length).unwrap());
        assert_eq!(link.say(Party::Client, &asked), Arrived::whole(asked.clone()));
        let given = piece(stream, length);
        let arrived = link.say_in(Party::Host, &given, &[1_600]);
        let passes = arrived == Arrived::whole(given);
        assert!(passes || arrived == Arrived::whole(file_failure(stream)));
        passes
    };
    link.say(Party::Host, &list());
    assert!(give(1, 0, 0, 2_000));
    assert!(give(2, 0, 0, 2_000), "the same once more");
    assert!(give(3, 1, 0, 1_500));
    assert!(!give(4, 1, 1_500, 501));
    assert!(give(5, 1, 1_500, 500));
    assert!(!give(6, 2, 0, 1));
    assert!(!give(7, 0, u64::MAX, 1));
    link.say(Party::Host, &list());
    assert!(give(8, 2, 0, 4_000), "something else was copied");
    // A piece that is longer than asked, an answer to no question, and a file that is too long.
    link.say(Party::Client, &ask_piece(9, 2, 0, 10));
    assert_eq!(link.say(Party::Host, &piece(9, 11)), Arrived::whole(file_failure(9)));
    assert_eq!(link.say(Party::Host, &piece(9, 10)), Arrived::nothing());
    for (size, passes) in [(4_000, true), (4_001, false)] {
        let asked = pdu(&ClipboardPdu::FileContentsRequest(FileContentsRequest {
            stream_id: 5,
            index: 3,
            flags: FileContentsFlags::SIZE,
            position: 0,
            requested_size: 8,
            data_id: None,
        }));
        assert_eq!(link.say(Party::Client, &asked), Arrived::whole(asked));
        let answer =
            pdu(&ClipboardPdu::FileContentsResponse(FileContentsResponse::new_size_response(5, size)));
        let arrives = if passes { answer.clone() } else { file_failure(5) };
        assert_eq!(link.say_in(Party::Host, &answer, &[13, 3]), Arrived::whole(arrives));
    }
}

#[test]
fn a_length_that_lies_gains_nothing() {
    use ironrdp_pdu::rdp::vc::ChannelControlFlags;
    let link = link(ClipboardPolicy { max_bytes: Some(100), ..ClipboardPolicy::ALL });
    link.say(Party::Client, &list());
    link.say(Party::Host, &ask(13));
    let mut message = answer(5_000);
    // The header says what the chunks say.
    message[4..8].copy_from_slice(&42_u32.to_le_bytes());
    let first = ChannelControlFlags::FLAG_FIRST;
    let lie = |flags, part: &[u8]| super::super::testing::packet(Party::Client, 50, flags, part);
    assert_eq!(link.filter.judge(Party::Client, &lie(first, &message[..20])), Verdict::Pass);
    let rest = link.filter.judge(Party::Client, &lie(ChannelControlFlags::FLAG_LAST, &message[20..]));
    assert_eq!(rest, Verdict::Drop, "more than the fifty bytes that were announced");
    link.say(Party::Host, &ask(13));
    assert_eq!(link.say(Party::Client, &message), Arrived::nothing(), "the header says less than the chunks");
}

#[test]
fn unknown_messages_do_not_pass() {
    let link = link(ClipboardPolicy { kinds: Kinds::TEXT, ..ClipboardPolicy::ALL });
    for kind in [0_u16, 12, 0x8001, u16::MAX] {
        assert_eq!(link.say(Party::Client, &super::answer(kind, 0, &[])), Arrived::nothing());
    }
    for short in 0..8 {
        assert_eq!(link.say(Party::Client, &list()[..short]), Arrived::nothing());
    }
}

/// Formats, and the place of their kind in the order of [`Kinds`]: written down by hand.
const POOL: [(u32, &str, usize); 14] = [
    (13, "", 0),
    (1, "", 0),
    (0, "text/plain", 0),
    (0, "HTML Format", 1),
    (0, "text/rtf", 1),
    (0, "Rich Text Format", 1),
    (8, "", 2),
    (14, "", 2),
    (0, "image/jpeg", 2),
    (15, "", 3),
    (0, "FileGroupDescriptorW", 3),
    (0, "x-special/gnome-copied-files", 3),
    (12, "", 4),
    (0, "Embed Source", 4),
];

proptest! {
    /// However lists are cut and whatever is in them, what arrives is read by ironrdp-cliprdr as the formats
    /// that are allowed, in their order, and exactly those can be asked for.
    #[test]
    fn lists_lose_exactly_what_is_forbidden(
        picked in proptest::collection::vec(0_usize..POOL.len(), 0..12),
        allowed in proptest::array::uniform5(any::<bool>()),
        // No more chunks than a guard waits for.
        cuts in proptest::collection::vec(60_usize..200, 1..8),
        from_client in any::<bool>(),
    ) {
        let [text, html, images, files, others] = allowed;
        let kinds = Kinds { text, html, images, files, others };
        prop_assume!(kinds != Kinds::default() && kinds != Kinds::ALL);
        let link = link(ClipboardPolicy { kinds, ..ClipboardPolicy::ALL });
        let giver = if from_client { Party::Client } else { Party::Host };
        // Each with a number of its own, as a clipboard has them.
        let formats: Vec<_> = picked
            .iter()
            .enumerate()
            .map(|(place, pick)| {
                let (id, name, kind) = POOL[*pick];
                let id = if name.is_empty() { id } else { 0xc000 + u32::try_from(place).unwrap() };
                (id, name, kind)
            })
            .collect();
        let said: Vec<_> = formats.iter().map(|(id, name, _)| (*id, *name)).collect();
        let arrived = link.say_in(giver, &list_of(&said), &cuts);
        prop_assert!(arrived.back.is_empty());
        let read: ClipboardPdu<'_> = ironrdp_core::decode(&arrived.onward[0]).unwrap();
        let ClipboardPdu::FormatList(read) = read else { panic!("a list arrives as a list") };
        let read: Vec<_> = read
            .get_formats(true)
            .unwrap()
            .into_iter()
            .map(|format| (format.id.value(), format.name.map(|name| name.value().to_owned()).unwrap_or_default()))
            .collect();
        let left: Vec<_> = formats
            .iter()
            .filter(|(_, _, kind)| allowed[*kind])
            .map(|(id, name, _)| (*id, (*name).to_owned()))
            .collect();
        prop_assert_eq!(&read, &left);
        for (id, _, _) in &formats {
            let arrived = link.say(giver.other(), &ask(*id));
            let is_left = left.iter().any(|(other, _)| other == id);
            prop_assert_eq!(arrived, if is_left { Arrived::whole(ask(*id)) } else { Arrived::answer(failure()) });
        }
    }

    /// However messages are cut, no data passes the wrong way, too long, or in another format.
    #[test]
    fn no_cut_helps(
        cuts in proptest::collection::vec(6_usize..40, 1..8),
        format in prop_oneof![Just(13_u32), Just(0xc0bc), any::<u32>()],
        length in 0_usize..300,
    ) {
        let policy =
            ClipboardPolicy { direction: Direction::ToSession, kinds: Kinds::TEXT, max_bytes: Some(150) };
        let link = link(policy);
        prop_assert_eq!(link.say_in(Party::Host, &list(), &cuts), Arrived::whole(empty_list()));
        prop_assert_eq!(link.say_in(Party::Host, &answer(length), &cuts), Arrived::nothing());
        prop_assert_eq!(link.say_in(Party::Client, &ask(format), &cuts), Arrived::answer(failure()));
        let text = list_of(&[(13, "")]);
        prop_assert_eq!(link.say_in(Party::Client, &list(), &cuts), Arrived::whole(text));
        let asked = link.say_in(Party::Host, &ask(format), &cuts);
        let answered = link.say_in(Party::Client, &answer(length), &cuts);
        if format == 13 {
            prop_assert_eq!(asked, Arrived::whole(ask(format)));
            let arrives = if length <= 150 { answer(length) } else { failure() };
            prop_assert_eq!(answered, Arrived::whole(arrives));
        } else {
            prop_assert_eq!(asked, Arrived::answer(failure()));
            prop_assert_eq!(answered, Arrived::nothing());
        }
    }

    #[test]
    fn noise_never_panics_and_what_arrives_is_bounded(
        messages in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..60), 1..30),
        cut in 1_usize..20,
    ) {
        let link = link(ClipboardPolicy { direction: Direction::FromSession, kinds: Kinds::TEXT, max_bytes: Some(8) });
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
