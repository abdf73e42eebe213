//! Cuts what a browser sends into payload and control frames (RFC 6455, 5).

use bytes::{Bytes, BytesMut};
use thiserror::Error;

use super::CONTROL_BYTES_MAX;

/// What a browser sent.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Incoming {
    /// Bytes of a binary message, as many as were there.
    Data {
        /// Unmasked.
        bytes: Bytes,
        /// Whether the message ends with them.
        ends_message: bool,
    },
    /// To be answered with the same payload.
    Ping(Bytes),
    /// The answer to our ping, with its payload.
    Pong(Bytes),
    /// The browser closes; the code if it sent one.
    Close(Option<u16>),
}

/// The stream is not WebSocket any more, or not one that a browser would send.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub(crate) enum ProtocolError {
    #[error("a frame from the browser is not masked")]
    NotMasked,
    #[error("a frame uses an extension that was not agreed on")]
    Extension,
    #[error("a frame has the unknown type {0}")]
    UnknownOpcode(u8),
    #[error("a text message came where only binary ones are used")]
    Text,
    #[error("a continuation came without a message that it continues, or a message within another")]
    OutOfOrder,
    #[error("a control frame is fragmented or too long")]
    BadControl,
    #[error("a frame's length is not in its shortest form")]
    BadLength,
}

impl ProtocolError {
    /// The close code that says it (RFC 6455, 7.4.1).
    pub(crate) fn close_code(self) -> u16 {
        match self {
            ProtocolError::Text => 1003,
            _ => 1002,
        }
    }
}

/// Holds the bytes that came until they are taken: at most what was read last.
#[derive(Debug, Default)]
pub(crate) struct Decoder {
    buffer: BytesMut,
    /// The data frame whose payload is coming.
    frame: Option<DataFrame>,
    /// Whether a message was begun and has not ended.
    in_message: bool,
}

#[derive(Debug)]
struct DataFrame {
    left: u64,
    is_final: bool,
    /// Rotated so that its first byte is for the next byte to come.
    mask: [u8; 4],
}

/// The fixed part and the mask of a frame.
struct FrameHead {
    is_final: bool,
    opcode: u8,
    payload: u64,
    mask: [u8; 4],
    /// Bytes of the head itself.
    length: usize,
}

impl Decoder {
    /// Starts with bytes that came with the handshake.
    pub(crate) fn new(early: &[u8]) -> Self {
        Self { buffer: BytesMut::from(early), ..Self::default() }
    }

    /// The buffer itself, to read into its end. Only append to it.
    pub(crate) fn buffer_mut(&mut self) -> &mut BytesMut {
        &mut self.buffer
    }

    /// Gives the buffer's memory back if nothing waits in it.
    pub(crate) fn release(&mut self) {
        if self.buffer.is_empty() {
            self.buffer = BytesMut::new();
        }
    }

    /// The next piece, or `None` until more bytes come. After an error the stream is lost.
    pub(crate) fn next(&mut self) -> Result<Option<Incoming>, ProtocolError> {
        loop {
            if self.frame.is_some() {
                return Ok(self.payload());
            }
            let Some(head) = head(&self.buffer)? else { return Ok(None) };
            if head.opcode & 0x8 != 0 {
                return self.control(&head);
            }
            match (head.opcode, self.in_message) {
                (2, false) | (0, true) => {}
                (1, _) => return Err(ProtocolError::Text),
                (0, false) | (2, true) => return Err(ProtocolError::OutOfOrder),
                (other, _) => return Err(ProtocolError::UnknownOpcode(other)),
            }
            let _ = self.buffer.split_to(head.length);
            self.in_message = true;
            self.frame = Some(DataFrame { left: head.payload, is_final: head.is_final, mask: head.mask });
        }
    }

    /// What is there of the present data frame. An empty frame gives an empty piece.
    fn payload(&mut self) -> Option<Incoming> {
        let frame = self.frame.as_mut()?;
        if frame.left > 0 && self.buffer.is_empty() {
            return None;
        }
        let here = usize::try_from(frame.left).unwrap_or(usize::MAX).min(self.buffer.len());
        let mut bytes = self.buffer.split_to(here);
        unmask(&mut bytes, frame.mask);
        frame.mask.rotate_left(here % 4);
        frame.left -= here as u64;
        let mut ends_message = false;
        if frame.left == 0 {
            ends_message = frame.is_final;
            self.in_message = !frame.is_final;
            self.frame = None;
        }
        Some(Incoming::Data { bytes: bytes.freeze(), ends_message })
    }

    fn control(&mut self, head: &FrameHead) -> Result<Option<Incoming>, ProtocolError> {
        let length = usize::try_from(head.payload).unwrap_or(usize::MAX);
        if !head.is_final || length > CONTROL_BYTES_MAX {
            return Err(ProtocolError::BadControl);
        }
        if self.buffer.len() < head.length + length {
            return Ok(None);
        }
        let _ = self.buffer.split_to(head.length);
        let mut payload = self.buffer.split_to(length);
        unmask(&mut payload, head.mask);
        Ok(Some(match head.opcode {
            8 if length == 1 => return Err(ProtocolError::BadControl),
            8 => Incoming::Close(payload.first_chunk().copied().map(u16::from_be_bytes)),
            9 => Incoming::Ping(payload.freeze()),
            10 => Incoming::Pong(payload.freeze()),
            other => return Err(ProtocolError::UnknownOpcode(other)),
        }))
    }
}

fn head(bytes: &[u8]) -> Result<Option<FrameHead>, ProtocolError> {
    let [first, second, rest @ ..] = bytes else { return Ok(None) };
    if first & 0x70 != 0 {
        return Err(ProtocolError::Extension);
    }
    if second & 0x80 == 0 {
        return Err(ProtocolError::NotMasked);
    }
    let (payload, rest, length) = match second & 0x7f {
        126 => {
            let Some((field, rest)) = rest.split_first_chunk::<2>() else { return Ok(None) };
            (u64::from(u16::from_be_bytes(*field)), rest, 8)
        }
        127 => {
            let Some((field, rest)) = rest.split_first_chunk::<8>() else { return Ok(None) };
            (u64::from_be_bytes(*field), rest, 14)
        }
        short => (u64::from(short), rest, 6),
    };
    let shortest = match length {
        6 => 0..=125,
        8 => 126..=0xffff,
        _ => 0x1_0000..=i64::MAX as u64,
    };
    if !shortest.contains(&payload) {
        return Err(ProtocolError::BadLength);
    }
    let Some(mask) = rest.first_chunk::<4>() else { return Ok(None) };
    Ok(Some(FrameHead { is_final: first & 0x80 != 0, opcode: first & 0x0f, payload, mask: *mask, length }))
}

/// Eight bytes at a time, which the compiler turns into vector instructions.
fn unmask(bytes: &mut [u8], mask: [u8; 4]) {
    let [a, b, c, d] = mask;
    let wide = u64::from_ne_bytes([a, b, c, d, a, b, c, d]);
    let mut chunks = bytes.chunks_exact_mut(8);
    for chunk in &mut chunks {
        if let Some(eight) = chunk.first_chunk_mut::<8>() {
            *eight = (u64::from_ne_bytes(*eight) ^ wide).to_ne_bytes();
        }
    }
    for (byte, mask) in chunks.into_remainder().iter_mut().zip(mask.iter().cycle()) {
        *byte ^= mask;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A frame as a browser sends it.
    fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
        let mask = [0x12, 0x34, 0x56, 0x78];
        let mut bytes = vec![first];
        match payload.len() {
            0..=125 => bytes.push(0x80 | payload.len() as u8),
            126..=0xffff => {
                bytes.push(0x80 | 126);
                bytes.extend((payload.len() as u16).to_be_bytes());
            }
            _ => {
                bytes.push(0x80 | 127);
                bytes.extend((payload.len() as u64).to_be_bytes());
            }
        }
        bytes.extend(mask);
        bytes.extend(payload.iter().zip(mask.iter().cycle()).map(|(byte, mask)| byte ^ mask));
        bytes
    }

    /// Feeds `bytes` in pieces and returns the messages and the control frames.
    fn decode(bytes: &[u8], piece: usize) -> Result<(Vec<Vec<u8>>, Vec<Incoming>), ProtocolError> {
        let mut decoder = Decoder::new(&[]);
        let (mut messages, mut controls, mut message) = (Vec::new(), Vec::new(), Vec::new());
        for piece in bytes.chunks(piece) {
            decoder.buffer_mut().extend_from_slice(piece);
            while let Some(incoming) = decoder.next()? {
                match incoming {
                    Incoming::Data { bytes, ends_message } => {
                        message.extend_from_slice(&bytes);
                        if ends_message {
                            messages.push(std::mem::take(&mut message));
                        }
                    }
                    control => controls.push(control),
                }
            }
        }
        Ok((messages, controls))
    }

    #[test]
    fn messages_survive_any_cut() {
        let long: Vec<u8> = (0..70_000u32).map(|n| n as u8).collect();
        let middle = vec![7; 300];
        let stream = [
            frame(0x82, b"hello"),
            frame(0x02, b"in "),
            frame(0x89, b"are you there?"),
            frame(0x00, b"three "),
            frame(0x80, b"parts"),
            frame(0x82, b""),
            frame(0x82, &middle),
            frame(0x82, &long),
            frame(0x8a, b"7"),
            frame(0x88, &[0x03, 0xe8, b'x']),
        ]
        .concat();
        for piece in [1, 2, 3, 7, 64, 4096, 200_000] {
            let (messages, controls) = decode(&stream, piece).expect("well-formed");
            assert_eq!(
                messages,
                [b"hello".to_vec(), b"in three parts".to_vec(), vec![], middle.clone(), long.clone()]
            );
            assert_eq!(
                controls,
                [
                    Incoming::Ping("are you there?".into()),
                    Incoming::Pong("7".into()),
                    Incoming::Close(Some(1000))
                ]
            );
        }
    }

    #[test]
    fn what_a_browser_would_not_send_is_refused() {
        let check = |bytes: &[u8], error| assert_eq!(decode(bytes, 1), Err(error));
        check(&[0x82, 0x01, 0], ProtocolError::NotMasked);
        check(&frame(0xc2, b"x"), ProtocolError::Extension);
        check(&frame(0x81, b"x"), ProtocolError::Text);
        check(&frame(0x83, b"x"), ProtocolError::UnknownOpcode(3));
        check(&frame(0x8b, b"x"), ProtocolError::UnknownOpcode(11));
        check(&frame(0x80, b"x"), ProtocolError::OutOfOrder);
        check(&[frame(0x02, b"x"), frame(0x82, b"y")].concat(), ProtocolError::OutOfOrder);
        check(&frame(0x09, b"x"), ProtocolError::BadControl);
        check(&frame(0x89, &[0; 126]), ProtocolError::BadControl);
        check(&frame(0x88, &[3]), ProtocolError::BadControl);
        check(&[0x82, 0xfe, 0, 1, 0, 0, 0, 0, 0], ProtocolError::BadLength);
        check(&[0x82, 0xff, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], ProtocolError::BadLength);
    }

    #[test]
    fn a_message_of_any_length_needs_no_room() {
        let mut decoder = Decoder::new(&[]);
        decoder.buffer_mut().extend_from_slice(&[0x82, 0xff, 0x7f, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3, 4]);
        for _ in 0..10 {
            decoder.buffer_mut().extend_from_slice(&[0; 1000]);
            let Ok(Some(Incoming::Data { bytes, ends_message: false })) = decoder.next() else {
                panic!("data");
            };
            assert_eq!(bytes.len(), 1000);
            assert_eq!(decoder.next(), Ok(None));
            assert!(decoder.buffer_mut().is_empty());
        }
    }

    #[test]
    fn random_bytes_never_panic() {
        use ring::rand::{SecureRandom, SystemRandom};
        let mut bytes = [0; 64];
        for _ in 0..20_000 {
            SystemRandom::new().fill(&mut bytes).expect("random");
            bytes[0] &= 0x8f;
            bytes[1] |= 0x80;
            let _ = decode(&bytes, 16);
        }
    }
}
