//! The server's side of WebSocket (RFC 6455), as far as a relay needs it: the handshake
//! ([`handshake`]) and the framing ([`Decoder`], [`Header`]), sans-I/O.
//!
//! A general WebSocket library collects whole messages and keeps its buffers. A relay wants neither:
//! the browser's messages are a byte stream in pieces, so bytes are handed out as they arrive,
//! unmasked in place and whatever the length of their message; and an idle session should hold no
//! buffer. Towards the browser one frame is one RDP message, written as header and payload without
//! a copy.
//!
//! Deliberately absent: extensions (compression), text messages, the client's side.

mod decoder;
pub(crate) mod handshake;

pub(crate) use decoder::{Decoder, Incoming, ProtocolError};

/// The longest payload of a control frame, in bytes (RFC 6455, 5.5).
pub(crate) const CONTROL_BYTES_MAX: usize = 125;

/// Close code for an end that the gateway decides, with the reason's word. In the range for private
/// use (RFC 6455, 7.4.2).
pub(crate) const CLOSED_BY_GATEWAY: u16 = 4000;
/// Close code for an end that the host decided (RFC 6455, 7.4.1: normal closure).
pub(crate) const CLOSED_NORMALLY: u16 = 1000;

/// What a frame carries (RFC 6455, 11.8).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Opcode {
    Binary = 2,
    Close = 8,
    Ping = 9,
    Pong = 10,
}

/// The header of a frame from the server: unmasked, whole messages only.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Header {
    bytes: [u8; 10],
    length: u8,
}

impl Header {
    pub(crate) fn new(opcode: Opcode, payload: usize) -> Self {
        let mut bytes = [0; 10];
        bytes[0] = 0x80 | opcode as u8;
        let length = match payload {
            0..=125 => {
                bytes[1] = payload as u8;
                2
            }
            126..=0xffff => {
                bytes[1] = 126;
                bytes[2..4].copy_from_slice(&(payload as u16).to_be_bytes());
                4
            }
            _ => {
                bytes[1] = 127;
                bytes[2..].copy_from_slice(&(payload as u64).to_be_bytes());
                10
            }
        };
        Self { bytes, length }
    }

    pub(crate) fn as_slice(&self) -> &[u8] {
        &self.bytes[..usize::from(self.length)]
    }
}

/// A whole control frame.
pub(crate) fn control_frame(opcode: Opcode, payload: &[u8]) -> Vec<u8> {
    let payload = &payload[..payload.len().min(CONTROL_BYTES_MAX)];
    [Header::new(opcode, payload.len()).as_slice(), payload].concat()
}

/// A whole close frame. Our reasons are words of ASCII.
pub(crate) fn close_frame(code: u16, reason: &str) -> Vec<u8> {
    control_frame(Opcode::Close, &[&code.to_be_bytes(), reason.as_bytes()].concat())
}
