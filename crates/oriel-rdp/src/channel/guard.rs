//! Guards: what looks into the messages of one static channel and decides for each whether it passes.
//!
//! A message comes in chunks ([MS-RDPBCGR] 3.1.5.2.2), each in a packet of its own. A guard decides by a
//! message's beginning, and what it decides holds for all of its chunks; so no more than a beginning is
//! ever kept. What cannot be read does not pass.

use std::fmt;

use bytes::{BufMut, Bytes, BytesMut};

use super::Verdict;
use crate::connection_sequence::Party;
use crate::mcs::{self, PDU_AT};
use crate::read::Reader;

/// The longest chunk that every program takes: CHANNEL_CHUNK_LENGTH (2.2.6.1).
const CHUNK_BYTES: usize = 1_600;

/// Chunks that a beginning may come in at least. Programs put most into one.
const BEGINNING_CHUNKS_MAX: usize = 16;

/// CHANNEL_FLAG_FIRST, CHANNEL_FLAG_LAST (2.2.6.1.1)
const FIRST: u32 = 0x0000_0001;
const LAST: u32 = 0x0000_0002;
/// CHANNEL_PACKET_COMPRESSED: guarded channels are not compressed, since their options do not ask for it.
const COMPRESSED: u32 = 0x0020_0000;

/// Looks into one channel's messages in both directions.
pub(super) trait Guard: fmt::Debug + Send {
    /// Decides about a message, or asks for more of it.
    fn judge(&mut self, from: Party, message: &Beginning<'_>) -> Judgement;

    /// Bytes of one message that are kept while it cannot be decided about. Most are: the messages of
    /// dynamic channels are no longer ([MS-RDPEDYC] 3.1.5.1.4).
    fn beginning_max(&self) -> usize {
        CHUNK_BYTES
    }
}

/// As much of a message as is there.
#[derive(Debug, Clone, Copy)]
pub(super) struct Beginning<'a> {
    pub(super) bytes: &'a [u8],
    /// The length of the whole message, in bytes.
    pub(super) total: usize,
}

impl Beginning<'_> {
    pub(super) fn is_whole(&self) -> bool {
        self.bytes.len() == self.total
    }
}

/// What is to become of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Judgement {
    /// It passes.
    Pass,
    /// It does not, and nobody is told.
    Drop,
    /// It is too early to say. A whole message of which more is wanted does not pass.
    More,
    /// This passes in its place.
    Replace(Vec<u8>),
    /// It does not pass, and this is the answer to it.
    Answer(Vec<u8>),
}

/// A channel with its guard.
#[derive(Debug)]
pub(super) struct Guarded {
    id: u16,
    guard: Box<dyn Guard>,
    client: Side,
    host: Side,
}

/// What comes from one side.
#[derive(Debug, Default)]
struct Side {
    /// How the side calls itself in its packets.
    initiator: Option<[u8; 2]>,
    progress: Progress,
}

/// How far the present message has come.
#[derive(Debug, Default)]
enum Progress {
    /// Nothing passes until the next message begins.
    #[default]
    Stopped,
    /// Its guard has not decided.
    Beginning { total: usize, bytes: Vec<u8>, packets: Vec<Bytes> },
    /// It passes; so many bytes are still to come.
    Passing { total: usize, left: usize },
}

impl Guarded {
    pub(super) fn new(id: u16, guard: Box<dyn Guard>) -> Self {
        Self { id, guard, client: Side::default(), host: Side::default() }
    }

    pub(super) fn id(&self) -> u16 {
        self.id
    }

    /// Decides about one packet.
    pub(super) fn packet(&mut self, from: Party, packet: &Bytes) -> Verdict {
        let Some((initiator, chunk)) = Chunk::read(packet) else { return Verdict::Drop };
        self.side(from).initiator = Some(initiator);
        let before = std::mem::take(&mut self.side(from).progress);
        let before = match chunk.is_first {
            true => Progress::Beginning { total: chunk.total, bytes: Vec::new(), packets: Vec::new() },
            false => before,
        };
        let (verdict, after) = match before {
            Progress::Passing { total, left } if total == chunk.total && chunk.data.len() <= left => {
                (Verdict::Pass, Progress::Passing { total, left: left - chunk.data.len() })
            }
            Progress::Beginning { total, bytes, packets }
                if total == chunk.total && bytes.len() + chunk.data.len() <= total =>
            {
                self.decide(from, packet, &chunk, bytes, packets)
            }
            // More than was announced, or the rest of what did not pass.
            _ => (Verdict::Drop, Progress::Stopped),
        };
        if !chunk.is_last {
            self.side(from).progress = after;
        }
        verdict
    }

    fn decide(
        &mut self,
        from: Party,
        packet: &Bytes,
        chunk: &Chunk<'_>,
        mut bytes: Vec<u8>,
        mut packets: Vec<Bytes>,
    ) -> (Verdict, Progress) {
        let total = chunk.total;
        // Nearly always the first chunk is enough, and nothing is copied.
        let beginning = if bytes.is_empty() {
            chunk.data
        } else {
            bytes.extend_from_slice(chunk.data);
            &bytes
        };
        match self.guard.judge(from, &Beginning { bytes: beginning, total }) {
            Judgement::Pass => {
                let after = Progress::Passing { total, left: total - beginning.len() };
                if packets.is_empty() {
                    return (Verdict::Pass, after);
                }
                packets.push(packet.clone());
                (Verdict::Instead { onward: packets, back: None }, after)
            }
            Judgement::Drop => (Verdict::Drop, Progress::Stopped),
            Judgement::Replace(message) => {
                let onward = self.packets_of(from, &message).unwrap_or_default();
                (Verdict::Instead { onward, back: None }, Progress::Stopped)
            }
            Judgement::Answer(message) => {
                // Answers are shorter than a chunk.
                let back = self.packets_of(from.other(), &message).and_then(|mut packets| packets.pop());
                (Verdict::Instead { onward: Vec::new(), back }, Progress::Stopped)
            }
            Judgement::More => {
                let bytes_max = self.guard.beginning_max();
                // Programs fill their chunks; twice as many as that takes are enough for any.
                let chunks_max = BEGINNING_CHUNKS_MAX.max(2 * bytes_max / CHUNK_BYTES);
                let is_too_long = beginning.len() > bytes_max || packets.len() >= chunks_max;
                if chunk.is_last || is_too_long {
                    return (Verdict::Drop, Progress::Stopped);
                }
                if bytes.is_empty() {
                    bytes.extend_from_slice(chunk.data);
                }
                // A copy: the packet itself would keep the whole of what was read with it.
                packets.push(Bytes::copy_from_slice(packet));
                (Verdict::Drop, Progress::Beginning { total, bytes, packets })
            }
        }
    }

    fn side(&mut self, party: Party) -> &mut Side {
        match party {
            Party::Client => &mut self.client,
            Party::Host => &mut self.host,
        }
    }

    /// A message as packets of this party. None: it has not said yet how it calls itself.
    fn packets_of(&mut self, party: Party, message: &[u8]) -> Option<Vec<Bytes>> {
        let initiator = self.side(party).initiator?;
        let total = u32::try_from(message.len()).ok()?;
        let count = message.len().div_ceil(CHUNK_BYTES);
        let chunks = message.chunks(CHUNK_BYTES).enumerate().map(|(index, chunk)| {
            let first = if index == 0 { FIRST } else { 0 };
            let last = if index + 1 == count { LAST } else { 0 };
            self.packet_of(party, initiator, total, first | last, chunk)
        });
        chunks.collect()
    }

    fn packet_of(
        &self,
        party: Party,
        initiator: [u8; 2],
        total: u32,
        flags: u32,
        chunk: &[u8],
    ) -> Option<Bytes> {
        let length = u16::try_from(chunk.len() + 8).ok()?;
        // Send Data Request, Send Data Indication (T.125, 7).
        let choice = match party {
            Party::Client => 0x64,
            Party::Host => 0x68,
        };
        let mut packet = BytesMut::with_capacity(PDU_AT + 8 + 8 + chunk.len());
        packet.put_slice(&[3, 0]);
        packet.put_u16(length.checked_add(15)?);
        packet.put_slice(&[0x02, 0xf0, 0x80, choice]);
        packet.put_slice(&initiator);
        packet.put_u16(self.id);
        packet.put_u8(0x70);
        // The long form of a PER length has 14 bits.
        packet.put_u16(Some(length).filter(|length| *length < 0x4000)? | 0x8000);
        packet.put_u32_le(total);
        packet.put_u32_le(flags);
        packet.put_slice(chunk);
        Some(packet.freeze())
    }
}

/// One Virtual Channel PDU (2.2.6.1).
struct Chunk<'a> {
    total: usize,
    is_first: bool,
    is_last: bool,
    data: &'a [u8],
}

impl<'a> Chunk<'a> {
    /// The initiator and the chunk in a packet; none where it is not one, or compressed.
    fn read(packet: &'a [u8]) -> Option<([u8; 2], Self)> {
        let envelope = mcs::send_data(packet).ok()?;
        let initiator = packet.get(PDU_AT + 1..PDU_AT + 3)?.try_into().ok()?;
        let mut reader = Reader::at(packet, envelope.user_data.start);
        let total = usize::try_from(reader.u32_le().ok()?).ok()?;
        let flags = reader.u32_le().ok()?;
        let chunk = Self {
            total,
            is_first: flags & FIRST != 0,
            is_last: flags & LAST != 0,
            data: &packet[reader.position()..],
        };
        (flags & COMPRESSED == 0).then_some((initiator, chunk))
    }
}
