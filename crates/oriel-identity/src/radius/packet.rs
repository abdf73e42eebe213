//! Packets as they are on the wire (RFC 2865, 3 and 5), and the two signatures they carry.

use hmac::{Hmac, KeyInit, Mac};
use md5::{Digest, Md5};
use subtle::ConstantTimeEq;

use super::error::{Dropped, Malformed};

/// Code, identifier, length and authenticator.
pub(super) const HEADER_LEN: usize = 20;
/// The longest packet (RFC 2865, 3).
pub(super) const PACKET_MAX: usize = 4096;
/// The longest value of an attribute: its length, with two bytes before it, is one byte.
pub(super) const VALUE_MAX: usize = 253;
/// Request Authenticator, Response Authenticator and Message-Authenticator are MD5 digests or as long as one.
pub(super) const AUTHENTICATOR_LEN: usize = 16;

/// Codes of packets (RFC 2865, 3; RFC 5997, 3).
pub(super) mod code {
    pub const ACCESS_REQUEST: u8 = 1;
    pub const ACCESS_ACCEPT: u8 = 2;
    pub const ACCESS_REJECT: u8 = 3;
    pub const ACCESS_CHALLENGE: u8 = 11;
    pub const STATUS_SERVER: u8 = 12;
}

/// Types of attributes that Oriel itself reads or writes.
pub(super) mod kind {
    pub const USER_NAME: u8 = 1;
    pub const USER_PASSWORD: u8 = 2;
    pub const CHAP_PASSWORD: u8 = 3;
    pub const SERVICE_TYPE: u8 = 6;
    pub const REPLY_MESSAGE: u8 = 18;
    pub const STATE: u8 = 24;
    pub const VENDOR_SPECIFIC: u8 = 26;
    pub const SESSION_TIMEOUT: u8 = 27;
    pub const CALLING_STATION_ID: u8 = 31;
    pub const NAS_IDENTIFIER: u8 = 32;
    pub const PROXY_STATE: u8 = 33;
    pub const CHAP_CHALLENGE: u8 = 60;
    pub const NAS_PORT_TYPE: u8 = 61;
    pub const PROMPT: u8 = 76;
    pub const EAP_MESSAGE: u8 = 79;
    pub const MESSAGE_AUTHENTICATOR: u8 = 80;
}

/// A packet that was read: its lengths fit together, and nothing else is known of it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Packet<'a> {
    /// As far as its own length says; what follows is padding (RFC 2865, 3).
    bytes: &'a [u8],
}

impl<'a> Packet<'a> {
    pub fn read(datagram: &'a [u8]) -> Result<Self, Malformed> {
        let header: &[u8; HEADER_LEN] = datagram.first_chunk().ok_or(Malformed::Short)?;
        let len = usize::from(u16::from_be_bytes([header[2], header[3]]));
        if !(HEADER_LEN..=PACKET_MAX).contains(&len) || len > datagram.len() {
            return Err(Malformed::Length);
        }
        let packet = Self { bytes: &datagram[..len] };
        let mut rest = &packet.bytes[HEADER_LEN..];
        while !rest.is_empty() {
            let (_, _, after) = split_attribute(rest).ok_or(Malformed::Attribute)?;
            rest = after;
        }
        Ok(packet)
    }

    pub fn code(self) -> u8 {
        self.bytes[0]
    }

    pub fn identifier(self) -> u8 {
        self.bytes[1]
    }

    /// Type and value of each, in their order.
    pub fn attributes(self) -> impl Iterator<Item = (u8, &'a [u8])> {
        let mut rest = &self.bytes[HEADER_LEN..];
        std::iter::from_fn(move || {
            let (kind, value, after) = split_attribute(rest)?;
            rest = after;
            Some((kind, value))
        })
    }

    /// Whether whoever knows `secret` signed this as the answer to the request with `request_authenticator`.
    /// `is_unsigned_allowed`: an answer without Message-Authenticator will do.
    pub fn verify(
        self,
        request_authenticator: &[u8; AUTHENTICATOR_LEN],
        secret: &[u8],
        is_unsigned_allowed: bool,
    ) -> Result<(), Dropped> {
        let (before, after) = (&self.bytes[..4], &self.bytes[HEADER_LEN..]);
        let expected = Md5::new()
            .chain_update(before)
            .chain_update(request_authenticator)
            .chain_update(after)
            .chain_update(secret)
            .finalize();
        if !bool::from(expected.as_slice().ct_eq(&self.bytes[4..HEADER_LEN])) {
            return Err(Dropped::WrongAuthenticator);
        }
        let mut signatures = self.attributes().filter(|(kind, _)| *kind == kind::MESSAGE_AUTHENTICATOR);
        let Some((_, signature)) = signatures.next() else {
            // Whoever forges an answer by a collision hides it in what the server echoes (CVE-2024-3596), and
            // we never send anything to echo.
            if self.attributes().any(|(kind, _)| kind == kind::PROXY_STATE) {
                return Err(Dropped::ProxyState);
            }
            return if is_unsigned_allowed { Ok(()) } else { Err(Dropped::NoMessageAuthenticator) };
        };
        if signatures.next().is_some() || signature.len() != AUTHENTICATOR_LEN {
            return Err(Dropped::WrongMessageAuthenticator);
        }
        // The place of the value in the packet: the signature is over the packet with zeros there.
        let at = signature.as_ptr() as usize - self.bytes.as_ptr() as usize;
        let mut signed = self.bytes.to_vec();
        signed[4..HEADER_LEN].copy_from_slice(request_authenticator);
        signed[at..at + AUTHENTICATOR_LEN].fill(0);
        hmac_of(&signed, secret).verify_slice(signature).map_err(|_| Dropped::WrongMessageAuthenticator)
    }
}

fn split_attribute(bytes: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (&[kind, len], _) = bytes.split_first_chunk()?;
    let value = bytes.get(2..usize::from(len))?;
    Some((kind, value, &bytes[usize::from(len)..]))
}

/// A request that is being written. Message-Authenticator is the first attribute of every one, so that
/// whatever a forger puts before or behind is covered (draft-ietf-radext-deprecating-radius).
pub(super) struct Writer {
    bytes: Vec<u8>,
}

/// Where the value of Message-Authenticator is.
const SIGNATURE_AT: usize = HEADER_LEN + 2;

impl Writer {
    pub fn new(code: u8, identifier: u8, authenticator: &[u8; AUTHENTICATOR_LEN]) -> Self {
        let mut writer = Self { bytes: vec![code, identifier, 0, 0] };
        writer.bytes.extend_from_slice(authenticator);
        writer.put(kind::MESSAGE_AUTHENTICATOR, &[0; AUTHENTICATOR_LEN]);
        writer
    }

    /// Adds an attribute. One that is too long makes [`Writer::sign`] fail.
    pub fn put(&mut self, kind: u8, value: &[u8]) {
        match u8::try_from(value.len() + 2) {
            Ok(len) => {
                self.bytes.extend_from_slice(&[kind, len]);
                self.bytes.extend_from_slice(value);
            }
            Err(_) => self.bytes.resize(PACKET_MAX + 1, 0),
        }
    }

    /// The finished packet; none if it is longer than a packet may be.
    pub fn sign(mut self, secret: &[u8]) -> Option<Vec<u8>> {
        let len = u16::try_from(self.bytes.len()).ok().filter(|len| usize::from(*len) <= PACKET_MAX)?;
        self.bytes[2..4].copy_from_slice(&len.to_be_bytes());
        let signature = hmac_of(&self.bytes, secret).finalize().into_bytes();
        self.bytes[SIGNATURE_AT..SIGNATURE_AT + AUTHENTICATOR_LEN].copy_from_slice(&signature);
        Some(self.bytes)
    }
}

fn hmac_of(bytes: &[u8], secret: &[u8]) -> Hmac<Md5> {
    Hmac::<Md5>::new_from_slice(secret).expect("HMAC takes keys of any length").chain_update(bytes)
}
