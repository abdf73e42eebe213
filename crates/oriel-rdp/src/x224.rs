//! The security negotiation in front of TLS: X.224 Connection Request and Connection Confirm.
//!
//! Deliberately absent: RDP_NEG_CORRELATION_INFO, which is skipped when a client sends it.

use std::fmt;
use std::ops::BitOr;

use bytes::{BufMut, Bytes, BytesMut};
use thiserror::Error;

use crate::read::{Malformed, Reader};

/// TPKT header, length indicator, code, two references and class.
const FIXED_BYTES: usize = 11;
const REQUEST_CODE: u8 = 0xe0;
const CONFIRM_CODE: u8 = 0xd0;
const NEG_REQUEST: u8 = 0x01;
const NEG_RESPONSE: u8 = 0x02;
const NEG_FAILURE: u8 = 0x03;
/// Every negotiation structure is this long and says so.
const NEG_BYTES: u16 = 8;

/// The longest user name put into a cookie, in characters. The X.224 length indicator is one byte, so a
/// whole request has at most 254 bytes after it.
const MAX_COOKIE_CHARS: usize = 127;

/// A set of security protocols (requestedProtocols, 2.2.1.1.1; selectedProtocol, 2.2.1.2.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct SecurityProtocols(u32);

impl SecurityProtocols {
    /// Standard RDP security: the empty set.
    pub const RDP: Self = Self(0);
    /// TLS.
    pub const SSL: Self = Self(1);
    /// CredSSP inside TLS ("NLA").
    pub const HYBRID: Self = Self(2);
    /// RDSTLS.
    pub const RDSTLS: Self = Self(4);
    /// CredSSP with the Early User Authorization Result.
    pub const HYBRID_EX: Self = Self(8);

    /// The set with these bits, known or not.
    pub const fn from_bits(bits: u32) -> Self {
        Self(bits)
    }

    /// The bits as they are on the wire.
    pub const fn bits(self) -> u32 {
        self.0
    }

    /// Whether all of `other` is in this set.
    pub const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }
}

impl BitOr for SecurityProtocols {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

impl fmt::Display for SecurityProtocols {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const NAMES: [(u32, &str); 4] = [(1, "TLS"), (2, "CredSSP"), (4, "RDSTLS"), (8, "CredSSP-EX")];
        if self.0 == 0 {
            return f.write_str("standard RDP security");
        }
        let mut separator = "";
        for (bit, name) in NAMES {
            if self.0 & bit != 0 {
                write!(f, "{separator}{name}")?;
                separator = "+";
            }
        }
        let unknown = self.0 & !0xf;
        if unknown != 0 {
            write!(f, "{separator}{unknown:#x}")?;
        }
        Ok(())
    }
}

/// The message is not what it should be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("the {message} is malformed: {reason}")]
pub struct NegotiationError {
    message: &'static str,
    reason: &'static str,
}

/// The first message of a connection, client to host (2.2.1.1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConnectionRequest {
    /// The line in front, without its end: a routing token or a `Cookie: mstshash=…`.
    pub line: Option<String>,
    /// Flags of RDP_NEG_REQ: restricted administration and the like. Zero when there is none.
    pub flags: u8,
    /// What the client can speak.
    pub protocols: SecurityProtocols,
}

impl ConnectionRequest {
    /// What the gateway sends to a host: these protocols, no flags. `cookie` is a user name for load
    /// balancers on the way that route by `mstshash`; characters that cannot stand in it are left out.
    pub fn new(protocols: SecurityProtocols, cookie: Option<&str>) -> Self {
        let line = cookie.map(|user| {
            let name: String = user.chars().filter(char::is_ascii_graphic).take(MAX_COOKIE_CHARS).collect();
            format!("Cookie: mstshash={name}")
        });
        Self { line, flags: 0, protocols }
    }

    /// Reads a whole request, TPKT header included.
    ///
    /// # Errors
    /// When the bytes are not exactly one Connection Request.
    pub fn parse(bytes: &[u8]) -> Result<Self, NegotiationError> {
        Self::read(bytes)
            .map_err(|Malformed(reason)| NegotiationError { message: "X.224 Connection Request", reason })
    }

    fn read(bytes: &[u8]) -> Result<Self, Malformed> {
        let mut variable = variable_part(bytes, REQUEST_CODE)?;
        let mut line = None;
        if variable.first().is_some_and(|&first| first != NEG_REQUEST) {
            let end = variable
                .windows(2)
                .position(|pair| pair == b"\r\n")
                .ok_or(Malformed("its cookie or routing token has no end"))?;
            line = Some(String::from_utf8_lossy(&variable[..end]).into_owned());
            variable = &variable[end + 2..];
        }
        if variable.is_empty() {
            return Ok(Self { line, flags: 0, protocols: SecurityProtocols::RDP });
        }
        let mut reader = Reader::new(variable);
        reader.expect(&[NEG_REQUEST], "it has no RDP_NEG_REQ where one should be")?;
        let flags = reader.u8()?;
        if reader.u16_le()? != NEG_BYTES {
            return Err(Malformed("its RDP_NEG_REQ has a wrong length"));
        }
        Ok(Self { line, flags, protocols: SecurityProtocols(reader.u32_le()?) })
    }

    /// The user name of a `Cookie: mstshash=…`, if that is what stands in front.
    pub fn cookie(&self) -> Option<&str> {
        self.line.as_deref()?.strip_prefix("Cookie: mstshash=")
    }

    /// The bytes on the wire, TPKT header included. A line too long for the one-byte length is left out:
    /// it only helps balancers.
    pub fn encode(&self) -> Bytes {
        let line = self.line.as_deref().filter(|line| line.len() <= 200 && !line.contains(['\r', '\n']));
        let mut variable = BytesMut::new();
        if let Some(line) = line {
            variable.put_slice(line.as_bytes());
            variable.put_slice(b"\r\n");
        }
        put_negotiation(&mut variable, NEG_REQUEST, self.flags, self.protocols.0);
        with_header(REQUEST_CODE, 0, &variable)
    }
}

/// The host's answer (2.2.1.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConnectionConfirm {
    /// The host has chosen (2.2.1.2.1). A host that does not negotiate has chosen
    /// [`SecurityProtocols::RDP`].
    Selected {
        /// One protocol of those that were offered.
        protocol: SecurityProtocols,
        /// What the host can do: extended client data, graphics channel and the like.
        flags: u8,
    },
    /// The host accepts none of what was offered (2.2.1.2.2).
    Refused(NegotiationFailure),
}

impl ConnectionConfirm {
    /// Reads a whole confirm, TPKT header included.
    ///
    /// # Errors
    /// When the bytes are not exactly one Connection Confirm.
    pub fn parse(bytes: &[u8]) -> Result<Self, NegotiationError> {
        Self::read(bytes)
            .map_err(|Malformed(reason)| NegotiationError { message: "X.224 Connection Confirm", reason })
    }

    fn read(bytes: &[u8]) -> Result<Self, Malformed> {
        let variable = variable_part(bytes, CONFIRM_CODE)?;
        if variable.is_empty() {
            return Ok(Self::Selected { protocol: SecurityProtocols::RDP, flags: 0 });
        }
        let mut reader = Reader::new(variable);
        let kind = reader.u8()?;
        let flags = reader.u8()?;
        if reader.u16_le()? != NEG_BYTES {
            return Err(Malformed("its negotiation answer has a wrong length"));
        }
        let value = reader.u32_le()?;
        match kind {
            NEG_RESPONSE => Ok(Self::Selected { protocol: SecurityProtocols(value), flags }),
            NEG_FAILURE => Ok(Self::Refused(NegotiationFailure(value))),
            _ => Err(Malformed("its negotiation answer is of an unknown type")),
        }
    }

    /// The bytes on the wire, TPKT header included.
    pub fn encode(&self) -> Bytes {
        let mut variable = BytesMut::new();
        match *self {
            Self::Selected { protocol, flags } => {
                put_negotiation(&mut variable, NEG_RESPONSE, flags, protocol.0);
            }
            Self::Refused(NegotiationFailure(code)) => put_negotiation(&mut variable, NEG_FAILURE, 0, code),
        }
        // Windows and xrdp use this source reference; no client looks at it.
        with_header(CONFIRM_CODE, 0x1234, &variable)
    }
}

/// Why a host accepts none of the offered protocols (failureCode, 2.2.1.2.2). Displays as a sentence.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("{}", self.sentence())]
pub struct NegotiationFailure(pub u32);

impl NegotiationFailure {
    /// SSL_REQUIRED_BY_SERVER
    pub const SSL_REQUIRED: Self = Self(1);
    /// SSL_NOT_ALLOWED_BY_SERVER
    pub const SSL_NOT_ALLOWED: Self = Self(2);
    /// SSL_CERT_NOT_ON_SERVER
    pub const NO_CERTIFICATE: Self = Self(3);
    /// INCONSISTENT_FLAGS
    pub const INCONSISTENT_FLAGS: Self = Self(4);
    /// HYBRID_REQUIRED_BY_SERVER: the host insists on network level authentication.
    pub const HYBRID_REQUIRED: Self = Self(5);
    /// SSL_WITH_USER_AUTH_REQUIRED_BY_SERVER
    pub const CLIENT_CERTIFICATE_REQUIRED: Self = Self(6);

    fn sentence(self) -> String {
        let known = match self {
            Self::SSL_REQUIRED => "the host accepts only connections protected by TLS",
            Self::SSL_NOT_ALLOWED => {
                "the host is set to standard RDP security and does not allow TLS; allow TLS in its settings"
            }
            Self::NO_CERTIFICATE => "the host has no certificate for TLS; give it one",
            Self::INCONSISTENT_FLAGS => "the host says that the offered protocols contradict those in use",
            Self::HYBRID_REQUIRED => "the host accepts only connections with network level authentication",
            Self::CLIENT_CERTIFICATE_REQUIRED => "the host demands a client certificate in TLS",
            Self(code) => {
                return format!("the host refused the connection with unknown negotiation failure {code}");
            }
        };
        known.to_owned()
    }
}

/// The bytes behind the fixed part of a Connection Request or Confirm.
fn variable_part(bytes: &[u8], wanted_code: u8) -> Result<&[u8], Malformed> {
    let mut reader = Reader::new(bytes);
    reader.expect(&[3], "it has no TPKT header")?;
    reader.u8()?;
    if usize::from(reader.u16_be()?) != bytes.len() {
        return Err(Malformed("its TPKT length is wrong"));
    }
    if usize::from(reader.u8()?) + 5 != bytes.len() {
        return Err(Malformed("its X.224 length is wrong"));
    }
    if reader.u8()? & 0xf0 != wanted_code {
        return Err(Malformed("it is another X.224 message"));
    }
    bytes.get(FIXED_BYTES..).ok_or(Malformed("it ends too early"))
}

fn put_negotiation(out: &mut BytesMut, kind: u8, flags: u8, value: u32) {
    out.put_u8(kind);
    out.put_u8(flags);
    out.put_u16_le(NEG_BYTES);
    out.put_u32_le(value);
}

fn with_header(code: u8, source: u16, variable: &[u8]) -> Bytes {
    let length = FIXED_BYTES + variable.len();
    let indicator = u8::try_from(length - 5).expect("the line in front is at most 200 bytes");
    let mut out = BytesMut::with_capacity(length);
    out.put_slice(&[3, 0, 0, indicator + 5, indicator, code]);
    out.put_u16(0);
    out.put_u16(source);
    out.put_u8(0);
    out.put_slice(variable);
    out.freeze()
}

#[cfg(test)]
mod tests {
    use ironrdp_core::{decode, encode_vec};
    use ironrdp_pdu::{nego, x224::X224};

    use super::*;
    use crate::samples::hex;

    #[test]
    fn the_specification_s_request_is_read() {
        // 4.1.1
        let bytes = hex("03 00 00 2c 27 e0 00 00 00 00 00 43 6f 6f 6b 69 65 3a 20 6d 73 74 73 68 61 73 68 3d
             65 6c 74 6f 6e 73 0d 0a 01 00 08 00 00 00 00 00");
        let request = ConnectionRequest::parse(&bytes).unwrap();
        assert_eq!(request.cookie(), Some("eltons"));
        assert_eq!(request.protocols, SecurityProtocols::RDP);
        assert_eq!(request.encode(), bytes);
    }

    #[test]
    fn our_request_is_understood() {
        let both = SecurityProtocols::SSL | SecurityProtocols::HYBRID;
        let plain: X224<nego::ConnectionRequest> =
            decode(&ConnectionRequest::new(both, None).encode()).unwrap();
        assert_eq!(plain.0.protocol, nego::SecurityProtocol::SSL | nego::SecurityProtocol::HYBRID);
        assert_eq!(plain.0.nego_data, None);

        let ours = ConnectionRequest::new(SecurityProtocols::SSL, Some("al\r\nice \u{e9}x"));
        let named: X224<nego::ConnectionRequest> = decode(&ours.encode()).unwrap();
        assert_eq!(named.0.nego_data, Some(nego::NegoRequestData::cookie("alicex".into())));
        assert_eq!(ConnectionRequest::parse(&ours.encode()), Ok(ours));

        let long = ConnectionRequest::new(SecurityProtocols::SSL, Some(&"x".repeat(5000)));
        assert_eq!(ConnectionRequest::parse(&long.encode()), Ok(long));
    }

    #[test]
    fn every_answer_of_a_host_is_read() {
        // 4.1.2
        let bytes = hex("03 00 00 13 0e d0 00 00 12 34 00 02 00 08 00 00 00 00 00");
        let confirm = ConnectionConfirm::parse(&bytes).unwrap();
        assert_eq!(confirm, ConnectionConfirm::Selected { protocol: SecurityProtocols::RDP, flags: 0 });
        assert_eq!(confirm.encode(), bytes);

        let old = hex("03 00 00 0b 06 d0 00 00 12 34 00");
        assert_eq!(ConnectionConfirm::parse(&old), Ok(confirm));

        let refused = encode_vec(&X224(nego::ConnectionConfirm::Failure {
            code: nego::FailureCode::HYBRID_REQUIRED_BY_SERVER,
        }))
        .unwrap();
        let failure = NegotiationFailure::HYBRID_REQUIRED;
        assert_eq!(ConnectionConfirm::parse(&refused), Ok(ConnectionConfirm::Refused(failure)));
        assert_eq!(
            failure.to_string(),
            "the host accepts only connections with network level authentication"
        );
        assert_eq!(
            NegotiationFailure(9).to_string(),
            "the host refused the connection with unknown negotiation failure 9"
        );

        let selected = ConnectionConfirm::Selected { protocol: SecurityProtocols::SSL, flags: 0x1f };
        let theirs: X224<nego::ConnectionConfirm> = decode(&selected.encode()).unwrap();
        let nego::ConnectionConfirm::Response { flags, protocol } = theirs.0 else { panic!("a response") };
        assert_eq!((flags.bits(), protocol), (0x1f, nego::SecurityProtocol::SSL));
    }

    #[test]
    fn nonsense_is_refused_with_a_sentence() {
        let check = |bytes: &str, sentence: &str| {
            assert_eq!(ConnectionConfirm::parse(&hex(bytes)).unwrap_err().to_string(), sentence);
        };
        check("16 03 01", "the X.224 Connection Confirm is malformed: it has no TPKT header");
        check("03 00 00 13", "the X.224 Connection Confirm is malformed: its TPKT length is wrong");
        check(
            "03 00 00 0b 06 e0 00 00 12 34 00",
            "the X.224 Connection Confirm is malformed: it is another X.224 message",
        );
        check("03 00 00 07 02 d0 80", "the X.224 Connection Confirm is malformed: it ends too early");
        let endless = hex("03 00 00 0d 08 e0 00 00 00 00 00 43 6f");
        assert_eq!(
            ConnectionRequest::parse(&endless).unwrap_err().to_string(),
            "the X.224 Connection Request is malformed: its cookie or routing token has no end"
        );
    }

    #[test]
    fn protocols_read_well() {
        assert_eq!(SecurityProtocols::RDP.to_string(), "standard RDP security");
        assert_eq!((SecurityProtocols::SSL | SecurityProtocols::HYBRID_EX).to_string(), "TLS+CredSSP-EX");
        assert_eq!(SecurityProtocols::from_bits(0x11).to_string(), "TLS+0x10");
    }
}
