//! The GCC conference data inside Connect-Initial and Connect-Response (2.2.1.3, 2.2.1.4): finding its
//! blocks, and patching those that the gateway has a say in. Every patch keeps its length, so nothing
//! around it changes.

use std::net::IpAddr;
use std::ops::Range;

use crate::channel::{Channel, ChannelName, ChannelPolicy};
use crate::connection_sequence::ConnectionSettings;
use crate::read::{Malformed, Reader};
use crate::x224::SecurityProtocols;

/// The most virtual channels a client may ask for (2.2.1.3.4).
pub(crate) const MAX_CHANNELS: usize = 31;

/// The most blocks in one conference request. Eight kinds are defined for clients; the rest is room.
const MAX_BLOCKS: usize = 32;

const HEADER: usize = 4;

const CS_CORE: u16 = 0xc001;
const CS_NET: u16 = 0xc003;
const CS_CLUSTER: u16 = 0xc004;
const CS_MULTITRANSPORT: u16 = 0xc00a;
const SC_CORE: u16 = 0x0c01;
const SC_NET: u16 = 0x0c03;

/// T.124 ConnectData: the object key of GCC, in both directions.
const KEY: [u8; 7] = [0x00, 0x05, 0x00, 0x14, 0x7c, 0x00, 0x01];
/// Conference Create Request with name "1" and one set of user data under the key "Duca".
const CREATE_REQUEST: [u8; 12] = *b"\x00\x08\x00\x10\x00\x01\xc0\x00Duca";
/// The end of a Conference Create Response: one set of user data under the key "McDn".
const CREATE_RESPONSE_END: [u8; 7] = *b"\x01\xc0\x00McDn";

/// Fields of TS_UD_CS_CORE (2.2.1.3.2), counted from behind the block header.
mod core {
    use std::ops::Range;

    pub(super) const KEYBOARD_LAYOUT: Range<usize> = 12..16;
    pub(super) const CLIENT_NAME: Range<usize> = 20..52;
    /// The fields that every client must send end here.
    pub(super) const REQUIRED: usize = 128;
    pub(super) const HIGH_COLOR_DEPTH: Range<usize> = 136..138;
    pub(super) const SUPPORTED_COLOR_DEPTHS: Range<usize> = 138..140;
    pub(super) const EARLY_CAPABILITIES: Range<usize> = 140..142;
    pub(super) const CONNECTION_TYPE: usize = 206;
    pub(super) const SELECTED_PROTOCOL: Range<usize> = 208..212;
}

/// REDIRECTED_SESSIONID_FIELD_VALID of TS_UD_CS_CLUSTER (2.2.1.3.5)
const SESSION_ID_VALID: u32 = 0x0000_0002;

/// CHANNEL_OPTION_COMPRESS_RDP and CHANNEL_OPTION_COMPRESS (2.2.1.3.4.1), in the third byte of the options.
const COMPRESSION: u8 = 0x80 | 0x40;

const HIGH_COLOR_24BPP: u16 = 24;
/// RNS_UD_24BPP_SUPPORT and RNS_UD_32BPP_SUPPORT
const SUPPORTS_24_AND_32BPP: u16 = 0x0001 | 0x0008;
/// RNS_UD_CS_WANT_32BPP_SESSION
const WANT_32BPP: u16 = 0x0002;

/// RNS_UD_CS_VALID_CONNECTION_TYPE
const VALID_CONNECTION_TYPE: u16 = 0x0020;

struct Block {
    kind: u16,
    /// Behind the block header.
    body: Range<usize>,
}

/// What a client's conference request turned out to hold.
#[derive(Debug, Default)]
pub(crate) struct Requested {
    /// In the client's order. Ids are zero until the host has given them.
    pub(crate) channels: Vec<Channel>,
}

/// Why a conference request cannot be patched.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum PatchError {
    Malformed(Malformed),
    /// The client's core data ends before the field for the selected protocol.
    TooOld,
}

impl From<Malformed> for PatchError {
    fn from(malformed: Malformed) -> Self {
        Self::Malformed(malformed)
    }
}

/// Patches a whole Connect-Initial frame whose user data is at `user_data`.
pub(crate) fn patch_request(
    frame: &mut [u8],
    user_data: Range<usize>,
    settings: &ConnectionSettings,
) -> Result<Requested, PatchError> {
    let blocks = blocks(frame, request_blocks(frame, user_data)?)?;
    let core = only(&blocks, CS_CORE)?.ok_or(Malformed("it has no core data"))?;
    patch_core(&mut frame[core.body.clone()], settings)?;
    // UDP would run past the gateway, so no side transport is ever offered.
    if let Some(multitransport) = only(&blocks, CS_MULTITRANSPORT)? {
        frame[multitransport.body.clone()].iter_mut().take(4).for_each(|flag| *flag = 0);
    }
    if let Some(cluster) = only(&blocks, CS_CLUSTER)? {
        patch_cluster(&mut frame[cluster.body.clone()])?;
    }
    Ok(match only(&blocks, CS_NET)? {
        Some(network) => {
            Requested { channels: patch_channels(&mut frame[network.body.clone()], &settings.channels)? }
        }
        None => Requested::default(),
    })
}

/// What a host's conference response says about channels.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Granted {
    pub(crate) io_channel: u16,
    pub(crate) channel_ids: Vec<u16>,
}

/// Reads a whole Connect-Response frame whose user data is at `user_data`. The second value is where the
/// host repeats the protocols that it was asked for, if it does.
pub(crate) fn read_response(
    frame: &[u8],
    user_data: Range<usize>,
) -> Result<(Granted, Option<Range<usize>>), Malformed> {
    let blocks = blocks(frame, response_blocks(frame, user_data)?)?;
    let network = only(&blocks, SC_NET)?.ok_or(Malformed("it has no network data"))?;
    let mut reader = Reader::new(&frame[network.body.clone()]);
    let io_channel = reader.u16_le()?;
    let count = usize::from(reader.u16_le()?);
    if count > MAX_CHANNELS {
        return Err(Malformed("it grants more channels than RDP has"));
    }
    let channel_ids = (0..count).map(|_| reader.u16_le()).collect::<Result<_, _>>()?;
    // clientRequestedProtocols (2.2.1.4.2) stands behind the version and is optional.
    let requested = only(&blocks, SC_CORE)?
        .filter(|core| core.body.len() >= 8)
        .map(|core| core.body.start + 4..core.body.start + 8);
    Ok((Granted { io_channel, channel_ids }, requested))
}

/// Writes the protocols that the client asked for over those that the gateway asked for: a client that
/// sees others than its own must take the negotiation for tampered with (2.2.1.4.2).
pub(crate) fn write_requested(frame: &mut [u8], at: Range<usize>, protocols: SecurityProtocols) {
    if let Some(field) = frame.get_mut(at).filter(|field| field.len() == 4) {
        field.copy_from_slice(&protocols.bits().to_le_bytes());
    }
}

fn request_blocks(frame: &[u8], user_data: Range<usize>) -> Result<Range<usize>, Malformed> {
    let mut reader = Reader::at(frame, user_data.start);
    reader.expect(&KEY, "its conference key is unknown")?;
    // Clients disagree on what this length covers, and hosts ignore it.
    require_long(reader.per_length()?)?;
    reader.expect(&CREATE_REQUEST, "it is not the conference request of an RDP client")?;
    let length = require_long(reader.per_length()?)?;
    if length != reader.remaining() {
        return Err(Malformed("its conference data does not reach to its end"));
    }
    Ok(reader.position()..user_data.end)
}

/// Some hosts read the blocks from a fixed offset, which both lengths in two bytes lead to.
fn require_long((length, long): (usize, bool)) -> Result<usize, Malformed> {
    if long { Ok(length) } else { Err(Malformed("its conference data is too short")) }
}

fn response_blocks(frame: &[u8], user_data: Range<usize>) -> Result<Range<usize>, Malformed> {
    let mut reader = Reader::at(frame, user_data.start);
    reader.expect(&KEY, "its conference key is unknown")?;
    reader.per_length()?; // to be ignored (2.2.1.4)
    reader.expect(&[0x14], "it is not a conference response")?;
    reader.u16_be()?; // node id
    let tag_length = reader.u8()?;
    reader.take(usize::from(tag_length))?;
    reader.u8()?; // result
    reader.expect(&CREATE_RESPONSE_END, "it is not the conference response of an RDP host")?;
    let (length, _) = reader.per_length()?;
    if length != reader.remaining() {
        return Err(Malformed("its conference data does not reach to its end"));
    }
    Ok(reader.position()..user_data.end)
}

/// The blocks in `range`. Up to three bytes behind the last one are tolerated, as hosts do.
fn blocks(frame: &[u8], range: Range<usize>) -> Result<Vec<Block>, Malformed> {
    let mut reader = Reader::at(&frame[..range.end], range.start);
    let mut blocks = Vec::with_capacity(8);
    while reader.remaining() >= HEADER {
        let kind = reader.u16_le()?;
        let length = usize::from(reader.u16_le()?);
        let body = length.checked_sub(HEADER).ok_or(Malformed("a block is shorter than its header"))?;
        let start = reader.position();
        reader.take(body)?;
        if blocks.len() == MAX_BLOCKS {
            return Err(Malformed("it has too many blocks"));
        }
        blocks.push(Block { kind, body: start..start + body });
    }
    Ok(blocks)
}

/// Refuses a block that comes twice: which of the two a host would believe is not known.
fn only(blocks: &[Block], kind: u16) -> Result<Option<&Block>, Malformed> {
    let mut found = blocks.iter().filter(|block| block.kind == kind);
    let first = found.next();
    if found.next().is_some() { Err(Malformed("a block comes twice")) } else { Ok(first) }
}

fn patch_core(core: &mut [u8], settings: &ConnectionSettings) -> Result<(), PatchError> {
    if core.len() < core::REQUIRED {
        return Err(Malformed("its core data is too short").into());
    }
    if let Some(layout) = settings.keyboard_layout {
        core[core::KEYBOARD_LAYOUT].copy_from_slice(&layout.to_le_bytes());
    }
    if let Some(name) = &settings.client_name {
        write_name(&mut core[core::CLIENT_NAME], name);
    }
    if settings.force_32_bpp {
        if let Some(depth) = core.get_mut(core::HIGH_COLOR_DEPTH) {
            depth.copy_from_slice(&HIGH_COLOR_24BPP.to_le_bytes());
        }
        insert(core, core::SUPPORTED_COLOR_DEPTHS, SUPPORTS_24_AND_32BPP);
        insert(core, core::EARLY_CAPABILITIES, WANT_32BPP);
    }
    if let Some(quality) = settings.quality {
        let said = core.get_mut(core::CONNECTION_TYPE).ok_or(PatchError::TooOld)?;
        if let Some(kind) = quality.connection_type() {
            *said = kind;
            insert(core, core::EARLY_CAPABILITIES, VALID_CONNECTION_TYPE);
        }
    }
    match core.get_mut(core::SELECTED_PROTOCOL) {
        Some(protocol) => protocol.copy_from_slice(&settings.selected_protocol.bits().to_le_bytes()),
        None if settings.selected_protocol == SecurityProtocols::RDP => {}
        None => return Err(PatchError::TooOld),
    }
    Ok(())
}

fn insert(core: &mut [u8], at: Range<usize>, flags: u16) {
    if let Some(&mut [ref mut low, ref mut high]) = core.get_mut(at) {
        let bits = u16::from_le_bytes([*low, *high]) | flags;
        [*low, *high] = bits.to_le_bytes();
    }
}

/// TS_UD_CS_CLUSTER (2.2.1.3.5): flags, then the session that the client wants to be led to, the console
/// among them. Which session it gets is the broker's decision.
fn patch_cluster(cluster: &mut [u8]) -> Result<(), Malformed> {
    let ([flags, session, ..], _) = cluster.as_chunks_mut::<4>() else {
        return Err(Malformed("its cluster data is too short"));
    };
    *flags = (u32::from_le_bytes(*flags) & !SESSION_ID_VALID).to_le_bytes();
    *session = [0; 4];
    Ok(())
}

/// Writes as many whole characters of `name` as fit with the terminator, and zeros behind.
fn write_name(field: &mut [u8], name: &str) {
    field.fill(0);
    let room = field.len() - 2;
    let mut at = 0;
    let mut units = [0; 2];
    for character in name.chars().take_while(|&character| character != '\0') {
        let units = character.encode_utf16(&mut units);
        if at + units.len() * 2 > room {
            break;
        }
        for unit in units {
            field[at..at + 2].copy_from_slice(&unit.to_le_bytes());
            at += 2;
        }
    }
}

/// TS_UD_CS_NET (2.2.1.3.4): a count, then twelve bytes per channel, eight of name and four of options.
fn patch_channels(network: &mut [u8], policy: &ChannelPolicy) -> Result<Vec<Channel>, Malformed> {
    let count = Reader::new(network).u32_le()?;
    let count = usize::try_from(count).unwrap_or(usize::MAX);
    if count > MAX_CHANNELS {
        return Err(Malformed("it asks for more channels than RDP has"));
    }
    let slots = network.get_mut(4..4 + 12 * count).ok_or(Malformed("its channel list ends too early"))?;
    let (slots, _) = slots.as_chunks_mut::<12>();
    let mut channels = Vec::with_capacity(count);
    for (position, slot) in slots.iter_mut().enumerate() {
        let (name, options) = slot.split_at_mut(8);
        let requested = ChannelName::from_wire(name);
        let allowed = policy.allows(&requested);
        if !allowed && !policy.leaves_name(&requested) {
            name.copy_from_slice(&ChannelName::placeholder(position));
            options.fill(0);
        } else if allowed && policy.looks_into(&requested) {
            options[2] &= !COMPRESSION;
        }
        channels.push(Channel { name: requested, id: 0, allowed });
    }
    Ok(channels)
}

/// The address family (2.2.1.11.1.1.1) of an address.
pub(crate) fn address_family(address: IpAddr) -> u16 {
    match address {
        IpAddr::V4(_) => 0x0002,
        IpAddr::V6(_) => 0x0017,
    }
}
