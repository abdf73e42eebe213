//! The envelope of everything that is not fast-path: TPKT (RFC 1006), the X.224 data header, and the MCS
//! domain PDUs (T.125) that a connection sequence consists of.
//!
//! Hosts read these envelopes with parsers of different laxness. So that nothing can mean one thing here
//! and another thing there, an envelope must be exactly in the form that every RDP client uses.

use std::ops::Range;

use crate::read::{Malformed, Reader};

/// Where the MCS PDU starts: behind four bytes of TPKT and three of X.224.
pub(crate) const PDU_AT: usize = 7;

/// An unfragmented X.224 data TPDU.
const DATA_HEADER: [u8; 3] = [0x02, 0xf0, 0x80];

/// The segmentation bits of Send Data: begin and end, so unfragmented (T.125, 7 DataPriority, Segmentation).
const WHOLE: u8 = 0x30;

/// The MCS PDUs that matter here, by their tag (Connect) or their PER choice (Domain).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pdu {
    ConnectInitial,
    ConnectResponse,
    ErectDomain,
    DisconnectUltimatum,
    AttachUserRequest,
    AttachUserConfirm,
    JoinRequest,
    JoinConfirm,
    SendDataRequest,
    SendDataIndication,
    Other,
}

impl Pdu {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::ConnectInitial => "an MCS Connect-Initial",
            Self::ConnectResponse => "an MCS Connect-Response",
            Self::ErectDomain => "an MCS Erect Domain Request",
            Self::DisconnectUltimatum => "an MCS Disconnect Provider Ultimatum",
            Self::AttachUserRequest => "an MCS Attach User Request",
            Self::AttachUserConfirm => "an MCS Attach User Confirm",
            Self::JoinRequest => "an MCS Channel Join Request",
            Self::JoinConfirm => "an MCS Channel Join Confirm",
            Self::SendDataRequest => "an MCS Send Data Request",
            Self::SendDataIndication => "an MCS Send Data Indication",
            Self::Other => "another MCS message",
        }
    }
}

/// What a whole frame carries.
pub(crate) fn classify(frame: &[u8]) -> Result<Pdu, Malformed> {
    let mut reader = Reader::new(frame);
    reader.expect(&[3], "it is not in a TPKT packet")?;
    reader.u8()?;
    if usize::from(reader.u16_be()?) != frame.len() {
        return Err(Malformed("its TPKT length is wrong"));
    }
    reader.expect(&DATA_HEADER, "it is not in a plain X.224 data message")?;
    let first = reader.u8()?;
    if first == 0x7f {
        return Ok(match reader.u8()? {
            0x65 => Pdu::ConnectInitial,
            0x66 => Pdu::ConnectResponse,
            _ => Pdu::Other,
        });
    }
    Ok(match first >> 2 {
        1 => Pdu::ErectDomain,
        8 => Pdu::DisconnectUltimatum,
        10 => Pdu::AttachUserRequest,
        11 => Pdu::AttachUserConfirm,
        14 => Pdu::JoinRequest,
        15 => Pdu::JoinConfirm,
        25 => Pdu::SendDataRequest,
        26 => Pdu::SendDataIndication,
        _ => Pdu::Other,
    })
}

/// The channel that a frame carries virtual channel or I/O data for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Carried {
    /// Data on this channel.
    Channel(u16),
    /// Nothing that belongs to a channel: fast-path, join requests and the like.
    NoChannel,
    /// A TPKT packet in a form that no client or host uses, which could hide data for a channel.
    Disguised,
}

/// Looks at no more than the first twelve bytes.
pub(crate) fn carried(frame: &[u8]) -> Carried {
    match frame {
        [3, _, _, _, 0x02, 0xf0, 0x80, choice, rest @ ..] => match (choice >> 2, rest) {
            // Send Data and Uniform Send Data, Request and Indication.
            (25..=28, [_, _, high, low, ..]) => Carried::Channel(u16::from_be_bytes([*high, *low])),
            (25..=28, _) => Carried::Disguised,
            _ => Carried::NoChannel,
        },
        [3, ..] => Carried::Disguised,
        _ => Carried::NoChannel,
    }
}

/// A Send Data Request or Indication whose user data reaches exactly to the end of the frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SendData {
    pub(crate) channel: u16,
    /// Where in the frame the PER length of the user data starts, and whether it has two bytes.
    pub(crate) length_at: usize,
    pub(crate) long_length: bool,
    pub(crate) user_data: Range<usize>,
}

pub(crate) fn send_data(frame: &[u8]) -> Result<SendData, Malformed> {
    let mut reader = Reader::at(frame, PDU_AT + 1);
    reader.u16_be()?; // initiator
    let channel = reader.u16_be()?;
    if reader.u8()? & WHOLE != WHOLE {
        return Err(Malformed("it is one segment of several"));
    }
    let length_at = reader.position();
    let (length, long_length) = reader.per_length()?;
    if length != reader.remaining() {
        return Err(Malformed("its MCS length is wrong"));
    }
    Ok(SendData { channel, length_at, long_length, user_data: reader.position()..frame.len() })
}

/// Opens a Connect-Initial (T.125, 7) and returns where its user data is.
pub(crate) fn connect_initial(frame: &[u8]) -> Result<Range<usize>, Malformed> {
    let mut reader = Reader::at(frame, PDU_AT);
    open_connect(&mut reader, 0x65)?;
    reader.ber_element(0x04)?; // calling domain
    reader.ber_element(0x04)?; // called domain
    reader.ber_element(0x01)?; // upward flag
    for _ in ["target", "minimum", "maximum"] {
        reader.ber_element(0x30)?;
    }
    connect_user_data(&mut reader, frame.len())
}

/// Opens a Connect-Response (T.125, 7): its result, zero for success, and where its user data is.
pub(crate) fn connect_response(frame: &[u8]) -> Result<(u8, Range<usize>), Malformed> {
    let mut reader = Reader::at(frame, PDU_AT);
    open_connect(&mut reader, 0x66)?;
    let &[result] = reader.ber_element(0x0a)? else {
        return Err(Malformed("its result is not one byte"));
    };
    reader.ber_element(0x02)?; // called connect id
    reader.ber_element(0x30)?; // domain parameters
    Ok((result, connect_user_data(&mut reader, frame.len())?))
}

fn open_connect(reader: &mut Reader<'_>, tag: u8) -> Result<(), Malformed> {
    reader.expect(&[0x7f, tag], "it is another MCS message")?;
    if reader.ber_length()? != reader.remaining() {
        return Err(Malformed("its MCS length is wrong"));
    }
    Ok(())
}

fn connect_user_data(reader: &mut Reader<'_>, end: usize) -> Result<Range<usize>, Malformed> {
    reader.expect(&[0x04], "its BER elements are not the expected ones")?;
    if reader.ber_length()? != reader.remaining() {
        return Err(Malformed("its user data does not reach to its end"));
    }
    Ok(reader.position()..end)
}
