//! A connection with one guarded channel: what one side says is cut into packets by ironrdp-pdu's encoders,
//! and what arrives is put together again.

use std::borrow::Cow;

use bytes::Bytes;
use ironrdp_core::{Encode, ReadCursor, decode, decode_cursor, encode_vec};
use ironrdp_pdu::mcs::{SendDataIndication, SendDataRequest};
use ironrdp_pdu::rdp::vc::{ChannelControlFlags, ChannelPduHeader};
use ironrdp_pdu::x224::X224;

use super::{Channel, ChannelFilter, ChannelName, ChannelPolicy, Verdict};
use crate::connection_sequence::Party;

const CHANNEL: u16 = 1004;
const USER: u16 = 1007;
const SERVER: u16 = 1002;

pub(super) struct Link {
    pub(super) filter: ChannelFilter,
}

/// What became of a message.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Arrived {
    /// Messages that the other side got whole.
    pub(super) onward: Vec<Vec<u8>>,
    /// Messages that the sender got in answer.
    pub(super) back: Vec<Vec<u8>>,
}

impl Arrived {
    pub(super) fn whole(message: Vec<u8>) -> Self {
        Self { onward: vec![message], back: Vec::new() }
    }

    pub(super) fn answer(message: Vec<u8>) -> Self {
        Self { onward: Vec::new(), back: vec![message] }
    }

    pub(super) fn nothing() -> Self {
        Self::default()
    }
}

impl Link {
    pub(super) fn new(channel: &str, policy: &ChannelPolicy) -> Self {
        let name = ChannelName::from_wire(channel.as_bytes());
        assert!(policy.allows(&name) && policy.looks_into(&name), "{channel} has a guard");
        let channel = Channel { name, id: CHANNEL, allowed: true };
        Self { filter: ChannelFilter::new(vec![channel], 1003, policy) }
    }

    /// Says a message in one packet.
    pub(super) fn say(&self, from: Party, message: &[u8]) -> Arrived {
        self.say_in(from, message, &[message.len().max(1)])
    }

    /// Says a message in chunks of these lengths, over and over.
    pub(super) fn say_in(&self, from: Party, message: &[u8], cuts: &[usize]) -> Arrived {
        self.packets(from, &chunks(from, message, cuts))
    }

    pub(super) fn packets(&self, from: Party, packets: &[Bytes]) -> Arrived {
        let (mut onward, mut back) = (Vec::new(), Vec::new());
        for packet in packets {
            match self.filter.judge(from, packet) {
                Verdict::Pass => onward.push(packet.clone()),
                Verdict::Drop => {}
                Verdict::Instead { onward: instead, back: answer } => {
                    onward.extend(instead);
                    back.extend(answer);
                }
            }
        }
        Arrived { onward: messages(from, &onward), back: messages(from.other(), &back) }
    }
}

pub(super) fn pdu(pdu: &impl Encode) -> Vec<u8> {
    encode_vec(pdu).unwrap()
}

pub(super) fn chunks(from: Party, message: &[u8], cuts: &[usize]) -> Vec<Bytes> {
    let mut packets = Vec::new();
    let mut at = 0;
    for cut in cuts.iter().cycle() {
        let end = (at + cut).min(message.len());
        let mut flags = ChannelControlFlags::empty();
        flags.set(ChannelControlFlags::FLAG_FIRST, packets.is_empty());
        flags.set(ChannelControlFlags::FLAG_LAST, end == message.len());
        packets.push(packet(from, message.len(), flags, &message[at..end]));
        at = end;
        if at == message.len() {
            break;
        }
    }
    packets
}

pub(super) fn packet(from: Party, total: usize, flags: ChannelControlFlags, data: &[u8]) -> Bytes {
    let header = ChannelPduHeader { length: u32::try_from(total).unwrap(), flags };
    let user_data = Cow::Owned([&encode_vec(&header).unwrap(), data].concat());
    let packet = match from {
        Party::Client => {
            encode_vec(&X224(SendDataRequest { initiator_id: USER, channel_id: CHANNEL, user_data }))
        }
        Party::Host => {
            encode_vec(&X224(SendDataIndication { initiator_id: SERVER, channel_id: CHANNEL, user_data }))
        }
    };
    packet.unwrap().into()
}

/// Puts messages together as a host or client does, and drops what never ends.
fn messages(from: Party, packets: &[Bytes]) -> Vec<Vec<u8>> {
    let mut messages = Vec::new();
    let mut message = None;
    for packet in packets {
        let user_data = match from {
            Party::Client => {
                let data = decode::<X224<SendDataRequest<'_>>>(packet).unwrap().0;
                assert_eq!((data.initiator_id, data.channel_id), (USER, CHANNEL));
                data.user_data
            }
            Party::Host => {
                let data = decode::<X224<SendDataIndication<'_>>>(packet).unwrap().0;
                assert_eq!((data.initiator_id, data.channel_id), (SERVER, CHANNEL));
                data.user_data
            }
        };
        let mut cursor = ReadCursor::new(&user_data);
        let header: ChannelPduHeader = decode_cursor(&mut cursor).unwrap();
        if header.flags.contains(ChannelControlFlags::FLAG_FIRST) {
            message = Some(Vec::new());
        }
        let Some(so_far) = &mut message else { continue };
        so_far.extend_from_slice(cursor.remaining());
        assert!(so_far.len() <= usize::try_from(header.length).unwrap(), "more than was announced");
        if header.flags.contains(ChannelControlFlags::FLAG_LAST) {
            messages.extend(message.take());
        }
    }
    messages
}
