//! The messages are those of ironrdp-dvc, which shares no code with the guard.

use ironrdp_core::decode;
use ironrdp_dvc::pdu::{
    CapabilitiesRequestPdu, CapabilitiesResponsePdu, CapsVersion, ClosePdu, CreateRequestPdu,
    CreateResponsePdu, CreationStatus, DataFirstPdu, DataPdu, DrdynvcClientPdu, DrdynvcDataPdu,
    DrdynvcServerPdu,
};
use ironrdp_pdu::rdp::vc::ChannelControlFlags;
use proptest::prelude::*;

use super::super::Verdict;
use super::super::testing::{Arrived, Link, chunks, packet, pdu};
use super::*;

const DISPLAY: &str = "Microsoft::Windows::RDS::DisplayControl";

/// Names that programs of Microsoft, FreeRDP and xrdp use, and which right opens each.
const NAMES: [(&str, &str); 21] = [
    (DISPLAY, "always"),
    ("Microsoft::Windows::RDS::Graphics", "always"),
    ("Microsoft::Windows::RDS::Input", "always"),
    ("Microsoft::Windows::RDS::CoreInput", "always"),
    ("Microsoft::Windows::RDS::MouseCursor", "always"),
    ("Microsoft::Windows::RDS::Geometry::v08.01", "always"),
    ("Microsoft::Windows::RDS::Video::Control::v08.01", "always"),
    ("FreeRDP::Advanced::Input", "always"),
    ("ECHO", "always"),
    ("AUDIO_PLAYBACK_DVC", "audio"),
    ("AUDIO_PLAYBACK_LOSSY_DVC", "audio"),
    ("TSMF", "audio"),
    ("AUDIO_INPUT", "microphone"),
    ("Acme", "others"),
    ("RDCamera_Device_Enumerator", "never"),
    ("URBDRC", "never"),
    ("rdpdr", "never"),
    ("cliprdr", "never"),
    ("Microsoft::Windows::RDS::Location", "never"),
    ("Microsoft::Windows::RDS::", "never"),
    ("", "never"),
];

fn policy() -> ChannelPolicy {
    ChannelPolicy { dynamic: true, ..ChannelPolicy::default() }
}

/// A channel on which capabilities have been exchanged.
fn link(policy: &ChannelPolicy) -> Link {
    let link = Link::new("drdynvc", policy);
    let asked = pdu(&DrdynvcServerPdu::Capabilities(CapabilitiesRequestPdu::new(CapsVersion::V3, None)));
    assert_eq!(link.say(Party::Host, &asked), Arrived::whole(asked));
    let answer = pdu(&DrdynvcClientPdu::Capabilities(CapabilitiesResponsePdu::new(CapsVersion::V3)));
    assert_eq!(link.say(Party::Client, &answer), Arrived::whole(answer));
    link
}

fn create(id: u32, name: &str) -> Vec<u8> {
    pdu(&DrdynvcServerPdu::Create(CreateRequestPdu::new(id, name.to_owned())))
}

fn created(id: u32, status: CreationStatus) -> Vec<u8> {
    pdu(&DrdynvcClientPdu::Create(CreateResponsePdu::new(id, status)))
}

fn data(id: u32) -> Vec<u8> {
    pdu(&DrdynvcDataPdu::Data(DataPdu::new(id, vec![7; 300])))
}

fn close(id: u32) -> Vec<u8> {
    pdu(&DrdynvcClientPdu::Close(ClosePdu::new(id)))
}

#[test]
fn each_right_opens_its_dynamic_channels_only() {
    let with = |right: &str| {
        let mut policy = policy();
        match right {
            "audio" => policy.audio = true,
            "microphone" => policy.microphone = true,
            "others" => policy.others.push("ACME".into()),
            _ => policy.clipboard = super::super::ClipboardPolicy::ALL,
        }
        policy
    };
    for right in ["audio", "microphone", "others", "clipboard"] {
        let policy = with(right);
        for (name, needs) in NAMES {
            assert_eq!(policy.allows_dynamic(name), needs == "always" || needs == right, "{name}, {right}");
        }
    }
}

#[test]
fn what_is_forbidden_is_refused_for_the_client_and_stays_silent() {
    for id in [7, 300, 70_000] {
        let link = link(&policy());
        let refused = created(id, CreationStatus::NO_LISTENER);
        assert_eq!(link.say(Party::Host, &create(id, "AUDIO_PLAYBACK_DVC")), Arrived::answer(refused));
        // Whatever the client says of it, in its old place or on its own.
        for message in [created(id, CreationStatus::OK), data(id), close(id)] {
            assert_eq!(link.say(Party::Client, &message), Arrived::nothing());
        }
        assert_eq!(link.say(Party::Host, &data(id)), Arrived::nothing());
    }
}

#[test]
fn what_is_allowed_is_opened_used_and_closed() {
    let link = link(&policy());
    assert_eq!(link.say(Party::Client, &data(3)), Arrived::nothing(), "not open yet");
    let asked = create(3, DISPLAY);
    assert_eq!(link.say(Party::Host, &asked), Arrived::whole(asked));
    let first = pdu(&DrdynvcDataPdu::DataFirst(DataFirstPdu::new(3, 5_000, vec![1; 1_500])));
    for message in [created(3, CreationStatus::OK), first.clone(), data(3)] {
        assert_eq!(link.say(Party::Client, &message), Arrived::whole(message));
    }
    let host_closes = pdu(&DrdynvcServerPdu::Close(ClosePdu::new(3)));
    for message in [first, data(3), host_closes] {
        assert_eq!(link.say(Party::Host, &message), Arrived::whole(message));
    }
    assert_eq!(link.say(Party::Client, &close(3)), Arrived::whole(close(3)), "its answer");
    assert_eq!(link.say(Party::Client, &data(3)), Arrived::nothing());
    // The id again, for something else.
    let refused = created(3, CreationStatus::NO_LISTENER);
    assert_eq!(link.say(Party::Host, &create(3, "URBDRC")), Arrived::answer(refused));
    assert_eq!(link.say(Party::Client, &data(3)), Arrived::nothing());
}

#[test]
fn an_open_id_that_is_created_anew_is_what_it_is_called_now() {
    let link = link(&policy());
    link.say(Party::Host, &create(3, DISPLAY));
    link.say(Party::Client, &created(3, CreationStatus::OK));
    link.say(Party::Host, &create(3, "AUDIO_INPUT"));
    assert_eq!(link.say(Party::Client, &data(3)), Arrived::nothing());
}

#[test]
fn a_client_may_refuse_too() {
    let link = link(&policy());
    link.say(Party::Host, &create(3, DISPLAY));
    let refused = created(3, CreationStatus::NOT_FOUND);
    assert_eq!(link.say(Party::Client, &refused), Arrived::whole(refused));
    assert_eq!(link.say(Party::Client, &data(3)), Arrived::nothing());
}

#[test]
fn what_cannot_be_read_does_not_pass() {
    let link = link(&policy());
    link.say(Party::Host, &create(3, DISPLAY));
    let mut open = data(3);
    assert_eq!(link.say(Party::Client, &open), Arrived::whole(open.clone()));
    // Soft-Sync, unknown commands, an id of no length, nothing at all.
    for first in [0x80, 0x90, 0x00, 0xa0, 0xf0, 0x33] {
        open[0] = first;
        for from in [Party::Client, Party::Host] {
            assert_eq!(link.say(from, &open), Arrived::nothing(), "{first:#x}");
        }
    }
    assert_eq!(link.say(Party::Client, &[]), Arrived::nothing());
    assert_eq!(link.say(Party::Client, &[0x32, 3, 0]), Arrived::nothing());
    // Compressed, more than announced, and the middle of nothing.
    let whole = ChannelControlFlags::FLAG_FIRST | ChannelControlFlags::FLAG_LAST;
    let data = data(3);
    for (total, flags) in [
        (data.len(), whole | ChannelControlFlags::PACKET_COMPRESSED),
        (data.len() - 1, whole),
        (data.len(), ChannelControlFlags::FLAG_LAST),
        (data.len(), ChannelControlFlags::empty()),
    ] {
        let packet = packet(Party::Client, total, flags, &data);
        assert_eq!(link.filter.judge(Party::Client, &packet), Verdict::Drop, "{total} {flags:?}");
    }
    // One segment of several, in T.125's sense.
    let mut segment = chunks(Party::Client, &data, &[data.len()]).remove(0).to_vec();
    segment[12] = 0x60;
    assert_eq!(link.filter.judge(Party::Client, &segment.into()), Verdict::Drop);
}

#[test]
fn a_beginning_without_end_costs_no_memory() {
    let link = link(&policy());
    // A name that goes on and on, and one in too many pieces.
    let long = create(3, &"x".repeat(100_000));
    assert_eq!(link.say_in(Party::Host, &long, &[1_000]), Arrived::nothing());
    assert_eq!(link.say_in(Party::Host, &create(3, DISPLAY), &[1]), Arrived::nothing());
    // And without opening anything, more ids than anybody has.
    for id in 0..200 {
        link.say(Party::Host, &create(id, DISPLAY));
    }
    let open = (0..200).filter(|id| link.say(Party::Client, &data(*id)) != Arrived::nothing());
    assert_eq!(open.count(), OPEN_MAX);
}

proptest! {
    /// However a message is cut, the same becomes of it.
    #[test]
    fn any_cut_decides_the_same(
        place in 0..NAMES.len(), id: u32, cuts in proptest::collection::vec(5_usize..60, 1..8),
    ) {
        let (name, needs) = NAMES[place];
        let link = link(&policy());
        let asked = create(id, name);
        let arrived = link.say_in(Party::Host, &asked, &cuts);
        if needs == "always" {
            prop_assert_eq!(arrived, Arrived::whole(asked));
        } else {
            let refusal = Arrived::answer(created(id, CreationStatus::NO_LISTENER));
            prop_assert_eq!(arrived, refusal);
        }
        for message in [created(id, CreationStatus::OK), data(id), close(id)] {
            let arrived = link.say_in(Party::Client, &message, &cuts);
            let expected = if needs == "always" { Arrived::whole(message) } else { Arrived::nothing() };
            prop_assert_eq!(arrived, expected);
        }
    }

    /// Whatever a client makes up, the host reads nothing of it about a channel that was refused.
    #[test]
    fn no_noise_reaches_a_refused_channel(
        messages in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..40), 1..40),
        cuts in proptest::collection::vec(0_usize..8, 1..8),
        flags in proptest::collection::vec(0_u32..4, 1..40),
    ) {
        let link = link(&policy());
        link.say(Party::Host, &create(3, DISPLAY));
        link.say(Party::Host, &create(4, "AUDIO_INPUT"));
        let cuts: Vec<usize> = cuts.into_iter().chain([1]).collect();
        for (message, flags) in messages.iter().zip(flags.iter().cycle()) {
            // Cut well, cut anyhow.
            let well = chunks(Party::Client, message, &cuts);
            let flags = ChannelControlFlags::from_bits_retain(*flags);
            let anyhow = [packet(Party::Client, message.len(), flags, message)];
            for packets in [&well[..], &anyhow] {
                for arrived in link.packets(Party::Client, packets).onward {
                    match decode::<DrdynvcClientPdu>(&arrived) {
                        Ok(DrdynvcClientPdu::Capabilities(_)) => {}
                        Ok(DrdynvcClientPdu::Create(pdu)) => prop_assert_eq!(pdu.channel_id(), 3),
                        Ok(DrdynvcClientPdu::Close(pdu)) => prop_assert_eq!(pdu.channel_id(), 3),
                        Ok(DrdynvcClientPdu::Data(pdu)) => prop_assert_eq!(pdu.channel_id(), 3),
                        // Capabilities of an unknown version, or data that is compressed on channel 3.
                        Err(_) => prop_assert!(arrived[0] >> 4 == 5 || arrived[1] == 3),
                    }
                }
            }
        }
    }
}
