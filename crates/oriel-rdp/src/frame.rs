//! Cuts an RDP byte stream, as it is inside TLS, into its messages. A message is what the browser must
//! get as one WebSocket message, and what the rewriter and the channel filter look at.
//!
//! Deliberately absent: the RDCleanPath opening ([`crate::clean_path`]; it comes as one WebSocket
//! message) and the four-byte Early User Authorization Result of HYBRID_EX, which the gateway never
//! asks for.

use bytes::{Bytes, BytesMut};
use thiserror::Error;

/// The longest TPKT message, in bytes, header included: its length field has 16 bits (RFC 1006, 6).
pub const MAX_TPKT_BYTES: usize = 0xffff;

/// The longest fast-path message, in bytes, header included: its length field has 15 bits (2.2.9.1.2).
pub const MAX_FAST_PATH_BYTES: usize = 0x7fff;

/// The longest TSRequest, in bytes, header included. The largest Kerberos token that Windows makes is
/// 48,000 bytes; the rest is room for the key proof and the DER around it.
pub const MAX_TS_REQUEST_BYTES: usize = 64 * 1024;

/// TPKT header and the smallest X.224 TPDU (RFC 1006, 6).
const MIN_TPKT_BYTES: usize = 7;

/// Which messages may come. A fast-path input message with twelve events and a TSRequest both start
/// with 0x30, so the phase has to be known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Phase {
    /// After the security handshake: TPKT and fast-path.
    #[default]
    Rdp,
    /// During CredSSP: TPKT and TSRequest ([MS-CSSP] 2.2.1).
    CredSsp,
}

/// What a message is, by its first byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FrameKind {
    /// X.224 in a TPKT packet (RFC 1006, 6): connection sequence, virtual channels, slow path.
    Tpkt,
    /// Fast-path input or output (2.2.8.1.2, 2.2.9.1.2).
    FastPath,
    /// A CredSSP message ([MS-CSSP] 2.2.1).
    TsRequest,
}

/// Why a stream cannot be cut any further. The connection is lost: there is no way to find the start of
/// the next message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum FrameError {
    /// No message starts with this byte.
    #[error("the stream has byte {byte:#04x} where an RDP message should start")]
    UnknownStart {
        /// The byte that was found.
        byte: u8,
    },
    /// The length field is smaller than the header itself.
    #[error("a message claims to be {length} bytes long, which is shorter than its own header")]
    TooShort {
        /// The claimed length, in bytes.
        length: usize,
    },
    /// A TSRequest longer than [`MAX_TS_REQUEST_BYTES`], or with a length in a form that DER forbids.
    #[error("a CredSSP message has an invalid length or is longer than {MAX_TS_REQUEST_BYTES} bytes")]
    BadTsRequestLength,
}

/// Holds the bytes of one direction of a connection until they form whole messages.
///
/// The caller takes all messages after each push, so that it holds at most one incomplete message
/// (64 KiB) and what was pushed last. Messages are slices of the buffer: nothing is copied.
#[derive(Debug, Default)]
pub struct Deframer {
    buffer: BytesMut,
    phase: Phase,
}

impl Deframer {
    /// A deframer for a stream that starts in the given phase.
    pub fn new(phase: Phase) -> Self {
        Self { buffer: BytesMut::new(), phase }
    }

    /// Switches the phase, for instance after CredSSP. Bytes that are already here stay.
    pub fn set_phase(&mut self, phase: Phase) {
        self.phase = phase;
    }

    /// Adds bytes. They are not copied when no incomplete message waits and nobody else holds them.
    pub fn push(&mut self, bytes: Bytes) {
        if !self.buffer.is_empty() {
            self.buffer.extend_from_slice(&bytes);
            return;
        }
        match bytes.try_into_mut() {
            Ok(bytes) => self.buffer = bytes,
            Err(shared) => self.buffer.extend_from_slice(&shared),
        }
    }

    /// Adds a copy of bytes.
    pub fn push_slice(&mut self, bytes: &[u8]) {
        self.buffer.extend_from_slice(bytes);
    }

    /// The buffer itself, to read from a socket straight into its end. Only append to it.
    pub fn buffer_mut(&mut self) -> &mut BytesMut {
        &mut self.buffer
    }

    /// The next whole message, or `None` until more bytes come.
    ///
    /// # Errors
    /// When the bytes cannot start a message; every later call then gives the same error.
    pub fn next_frame(&mut self) -> Result<Option<Bytes>, FrameError> {
        let Some(length) = frame_length(&self.buffer, self.phase)? else {
            return Ok(None);
        };
        if self.buffer.len() < length {
            self.buffer.reserve(length - self.buffer.len());
            return Ok(None);
        }
        Ok(Some(self.buffer.split_to(length).freeze()))
    }

    /// How many bytes of an incomplete message wait here.
    pub fn pending(&self) -> usize {
        self.buffer.len()
    }

    /// Gives the buffer's memory back when no incomplete message waits. Worth it when a session idles.
    pub fn release(&mut self) {
        if self.buffer.is_empty() {
            self.buffer = BytesMut::new();
        }
    }
}

/// What kind of message starts with `first`, or `None` where no message does.
pub fn frame_kind(first: u8, phase: Phase) -> Option<FrameKind> {
    match (first, phase) {
        (0x03, _) => Some(FrameKind::Tpkt),
        (0x30, Phase::CredSsp) => Some(FrameKind::TsRequest),
        (_, Phase::CredSsp) => None,
        // The two low bits are the action: 0 is fast-path, 3 is X.224 (2.2.8.1.2).
        (_, Phase::Rdp) if first & 0b11 == 0 => Some(FrameKind::FastPath),
        _ => None,
    }
}

/// The whole length in bytes of the message that `bytes` starts with, or `None` while too few bytes are
/// there to tell.
///
/// # Errors
/// When no message can start like this.
pub fn frame_length(bytes: &[u8], phase: Phase) -> Result<Option<usize>, FrameError> {
    let Some(&first) = bytes.first() else {
        return Ok(None);
    };
    match frame_kind(first, phase).ok_or(FrameError::UnknownStart { byte: first })? {
        FrameKind::Tpkt => match bytes {
            [_, _, high, low, ..] => at_least(MIN_TPKT_BYTES, u16::from_be_bytes([*high, *low]).into()),
            _ => Ok(None),
        },
        FrameKind::FastPath => match bytes {
            [_, high, low, ..] if high & 0x80 != 0 => {
                at_least(3, u16::from_be_bytes([high & 0x7f, *low]).into())
            }
            [_, short, ..] if short & 0x80 == 0 => at_least(2, usize::from(*short)),
            _ => Ok(None),
        },
        FrameKind::TsRequest => ts_request_length(bytes),
    }
}

fn at_least(header: usize, length: usize) -> Result<Option<usize>, FrameError> {
    if length < header { Err(FrameError::TooShort { length }) } else { Ok(Some(length)) }
}

/// DER: a length below 128 in one byte, else a count of length bytes and the length.
fn ts_request_length(bytes: &[u8]) -> Result<Option<usize>, FrameError> {
    let Some(&length) = bytes.get(1) else {
        return Ok(None);
    };
    let (header, content) = match length {
        0..=0x7f => (2, usize::from(length)),
        0x81..=0x83 => {
            let header = 2 + usize::from(length & 0x7f);
            let Some(digits) = bytes.get(2..header) else {
                return Ok(None);
            };
            (header, digits.iter().fold(0, |sum, &digit| sum << 8 | usize::from(digit)))
        }
        _ => return Err(FrameError::BadTsRequestLength),
    };
    let whole = header + content;
    if whole > MAX_TS_REQUEST_BYTES { Err(FrameError::BadTsRequestLength) } else { Ok(Some(whole)) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn frames(deframer: &mut Deframer) -> Vec<Bytes> {
        std::iter::from_fn(|| deframer.next_frame().unwrap()).collect()
    }

    #[test]
    fn the_three_kinds_are_cut() {
        let mut rdp = Deframer::new(Phase::Rdp);
        let mut long = vec![0x30, 0x80 | 0x01, 0x04];
        long.resize(0x104, 7);
        rdp.push_slice(&[0x03, 0, 0, 8, 2, 0xf0, 0x80, 0x28, 0xc4, 3, 9]);
        rdp.push_slice(&long);
        rdp.push_slice(&[0x03, 0]);
        let got = frames(&mut rdp);
        assert_eq!(got.iter().map(Bytes::len).collect::<Vec<_>>(), [8, 3, 0x104]);
        assert_eq!(rdp.pending(), 2);

        let mut credssp = Deframer::new(Phase::CredSsp);
        let mut request = vec![0x30, 0x82, 0x01, 0x00];
        request.resize(4 + 0x100, 1);
        credssp.push_slice(&request);
        credssp.push_slice(&[0x30, 0x02, 5, 5]);
        assert_eq!(frames(&mut credssp).iter().map(Bytes::len).collect::<Vec<_>>(), [0x104, 4]);
    }

    #[test]
    fn what_is_no_message_is_refused() {
        let check = |bytes: &[u8], phase, error| {
            let mut deframer = Deframer::new(phase);
            deframer.push_slice(bytes);
            assert_eq!(deframer.next_frame(), Err(error), "{bytes:x?}");
            assert_eq!(deframer.next_frame(), Err(error));
        };
        check(b"GET / HTTP/1.1", Phase::Rdp, FrameError::UnknownStart { byte: b'G' });
        check(&[0x16, 3, 1], Phase::Rdp, FrameError::UnknownStart { byte: 0x16 });
        check(&[3, 0, 0, 6], Phase::Rdp, FrameError::TooShort { length: 6 });
        check(&[0, 1], Phase::Rdp, FrameError::TooShort { length: 1 });
        check(&[0, 0x80, 2], Phase::Rdp, FrameError::TooShort { length: 2 });
        check(&[0x04, 5], Phase::CredSsp, FrameError::UnknownStart { byte: 4 });
        check(&[0x30, 0x80], Phase::CredSsp, FrameError::BadTsRequestLength);
        check(&[0x30, 0x84], Phase::CredSsp, FrameError::BadTsRequestLength);
        check(&[0x30, 0x83, 1, 0, 0], Phase::CredSsp, FrameError::BadTsRequestLength);
    }

    #[test]
    fn whole_messages_are_not_copied() {
        let message = Bytes::from(vec![0x00, 0x04, 1, 2, 0x00, 0x03, 9]);
        let start = message.as_ptr();
        let mut deframer = Deframer::default();
        deframer.push(message);
        let got = frames(&mut deframer);
        assert_eq!(got[0].as_ptr(), start);
        assert_eq!(got[1].as_ptr(), start.wrapping_add(4));
        deframer.release();
        assert_eq!(deframer.buffer_mut().capacity(), 0);
    }

    fn message() -> impl Strategy<Value = Vec<u8>> {
        let body = || proptest::collection::vec(any::<u8>(), 3..300);
        prop_oneof![
            body().prop_map(|body| {
                let length = u16::try_from(body.len() + 4).unwrap().to_be_bytes();
                [&[3, 0], &length[..], &body].concat()
            }),
            (any::<u8>(), body()).prop_map(|(first, body)| {
                let length = u16::try_from(body.len() + 3).unwrap() | 0x8000;
                [&[first & !0b11], &length.to_be_bytes()[..], &body].concat()
            }),
        ]
    }

    proptest! {
        #[test]
        fn any_split_gives_the_same_messages(
            messages in proptest::collection::vec(message(), 1..12),
            cuts in proptest::collection::vec(1_usize..400, 1..40),
        ) {
            let stream = messages.concat();
            let mut deframer = Deframer::default();
            let mut got = Vec::new();
            let mut rest = &stream[..];
            for cut in cuts.into_iter().cycle() {
                if rest.is_empty() {
                    break;
                }
                let (now, later) = rest.split_at(cut.min(rest.len()));
                if cut % 2 == 0 {
                    deframer.push_slice(now);
                } else {
                    deframer.push(Bytes::copy_from_slice(now));
                }
                rest = later;
                got.extend(frames(&mut deframer));
            }
            prop_assert_eq!(got, messages);
            prop_assert_eq!(deframer.pending(), 0);
        }

        #[test]
        fn random_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..600), credssp: bool) {
            let mut deframer = Deframer::new(if credssp { Phase::CredSsp } else { Phase::Rdp });
            deframer.push(Bytes::from(bytes));
            while let Ok(Some(frame)) = deframer.next_frame() {
                prop_assert!(frame.len() >= 2);
            }
        }
    }
}
