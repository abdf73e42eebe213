//! RDCleanPath: the browser's opening message and the gateway's answer. The browser cannot open TLS to a
//! host itself, so it hands over its X.224 Connection Request and a ticket; the gateway connects, does
//! TLS, and answers with the host's Connection Confirm and certificate. Afterwards both relay what would
//! have been inside TLS. One message each, DER.
//!
//! Deliberately absent: what the ticket means.

use std::fmt;
use std::io::ErrorKind;

use bytes::Bytes;
use ironrdp_rdcleanpath::{RDCleanPathPdu, VERSION_1};
use thiserror::Error;

use crate::x224::{ConnectionConfirm, ConnectionRequest, NegotiationError, NegotiationFailure};

/// The longest opening message, in bytes. A sealed ticket is about 2 KiB; the rest is room.
pub const MAX_REQUEST_BYTES: usize = 16 * 1024;

/// The longest certificate chain put into an answer, in bytes. Real chains have below 10 KiB.
pub const MAX_CHAIN_BYTES: usize = 64 * 1024;

/// What a browser asks for.
#[derive(Clone, PartialEq, Eq)]
pub struct Request {
    /// Where the browser wants to go: for our portal the published resource, only for logs.
    pub destination: String,
    /// The sealed connection ticket.
    pub ticket: String,
    /// A preconnection blob, if the browser sent one.
    pub preconnection_blob: Option<String>,
    /// What the browser's RDP client can speak.
    pub connection_request: ConnectionRequest,
}

impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Request")
            .field("destination", &self.destination)
            .field("connection_request", &self.connection_request)
            .finish_non_exhaustive()
    }
}

/// Why an opening message is refused.
#[derive(Debug, PartialEq, Eq, Error)]
pub enum RequestError {
    /// Longer than [`MAX_REQUEST_BYTES`].
    #[error("the opening message has {length} bytes; at most {MAX_REQUEST_BYTES} are allowed")]
    TooLong {
        /// Its length, in bytes.
        length: usize,
    },
    /// Not DER, or not RDCleanPath.
    #[error("the opening message is not an RDCleanPath request")]
    NotCleanPath,
    /// An RDCleanPath version that the gateway does not speak.
    #[error("the opening message is of RDCleanPath version {version}; only {VERSION_1} is known")]
    UnknownVersion {
        /// The version that the browser speaks.
        version: u64,
    },
    /// A field that a request must have is not there.
    #[error("the opening message has no {field}")]
    Missing {
        /// What it lacks.
        field: &'static str,
    },
    /// The X.224 Connection Request inside is bad.
    #[error(transparent)]
    Negotiation(#[from] NegotiationError),
}

impl Request {
    /// Reads a browser's opening message.
    ///
    /// # Errors
    /// See [`RequestError`].
    pub fn parse(bytes: &[u8]) -> Result<Self, RequestError> {
        if bytes.len() > MAX_REQUEST_BYTES {
            return Err(RequestError::TooLong { length: bytes.len() });
        }
        let pdu = RDCleanPathPdu::from_der(bytes).map_err(|_| RequestError::NotCleanPath)?;
        if pdu.version != VERSION_1 {
            return Err(RequestError::UnknownVersion { version: pdu.version });
        }
        let missing = |field| RequestError::Missing { field };
        let x224 = pdu.x224_connection_pdu.ok_or(missing("X.224 Connection Request"))?;
        Ok(Self {
            destination: pdu.destination.ok_or(missing("destination"))?,
            ticket: pdu.proxy_auth.ok_or(missing("ticket"))?,
            preconnection_blob: pdu.preconnection_blob,
            connection_request: ConnectionRequest::parse(x224.as_bytes())?,
        })
    }
}

/// The certificate chain does not fit into an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("the host's certificate chain has more than {MAX_CHAIN_BYTES} bytes")]
pub struct ChainTooLong;

/// The answer when the host is connected. `server_address` is shown to nobody; the ticket's alias is
/// good enough. The browser's client parses the first certificate, so `chain` needs at least one in DER.
///
/// # Errors
/// When the chain is longer than [`MAX_CHAIN_BYTES`].
pub fn success(
    server_address: &str,
    confirm: &ConnectionConfirm,
    chain: impl IntoIterator<Item = Vec<u8>>,
) -> Result<Bytes, ChainTooLong> {
    let chain: Vec<Vec<u8>> = chain.into_iter().collect();
    if chain.iter().map(Vec::len).sum::<usize>() > MAX_CHAIN_BYTES {
        return Err(ChainTooLong);
    }
    RDCleanPathPdu::new_response(server_address.to_owned(), confirm.encode().to_vec(), chain)
        .and_then(|pdu| pdu.to_der())
        .map(Bytes::from)
        .map_err(|_| ChainTooLong)
}

/// Why the gateway does not connect, in the terms that the browser's client knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// Anything without a code of its own.
    General,
    /// An HTTP status: 401 for a bad logon, 403 for a bad ticket, 503 while draining.
    Http(u16),
    /// A Winsock error: the host could not be reached. See [`Failure::from_io`].
    Wsa(u16),
    /// A TLS alert (RFC 8446, 6): the TLS handshake with the host failed.
    TlsAlert(u8),
    /// The host accepts no protocol that was offered.
    Negotiation(NegotiationFailure),
}

impl Failure {
    /// The Winsock code that says the same as an error of connecting.
    pub fn from_io(kind: ErrorKind) -> Self {
        Self::Wsa(match kind {
            ErrorKind::PermissionDenied => 10013,
            ErrorKind::AddrNotAvailable => 10049,
            ErrorKind::NetworkDown => 10050,
            ErrorKind::NetworkUnreachable => 10051,
            ErrorKind::ConnectionAborted => 10053,
            ErrorKind::ConnectionReset | ErrorKind::BrokenPipe | ErrorKind::UnexpectedEof => 10054,
            ErrorKind::ConnectionRefused => 10061,
            ErrorKind::HostUnreachable => 10065,
            ErrorKind::NotFound => 11001,
            ErrorKind::TimedOut => 10060,
            _ => return Self::General,
        })
    }

    /// The answer's bytes.
    pub fn encode(self) -> Bytes {
        let pdu = match self {
            Self::General => RDCleanPathPdu::new_general_error(),
            Self::Http(status) => RDCleanPathPdu::new_http_error(status),
            Self::Wsa(code) => RDCleanPathPdu::new_wsa_error(code),
            Self::TlsAlert(alert) => RDCleanPathPdu::new_tls_error(alert),
            Self::Negotiation(failure) => {
                let confirm = ConnectionConfirm::Refused(failure).encode();
                RDCleanPathPdu::new_negotiation_error(confirm.to_vec()).expect("a confirm has 19 bytes")
            }
        };
        pdu.to_der().expect("a few integers always have a DER form").into()
    }
}

#[cfg(test)]
mod tests {
    use ironrdp_rdcleanpath::RDCleanPath;
    use proptest::prelude::*;

    use super::*;
    use crate::x224::SecurityProtocols;

    fn opening() -> RDCleanPathPdu {
        let x224 =
            ConnectionRequest::new(SecurityProtocols::SSL | SecurityProtocols::HYBRID, Some("-")).encode();
        RDCleanPathPdu::new_request(x224.to_vec(), "app:calc".into(), "sealed".into(), None).unwrap()
    }

    #[test]
    fn a_browser_s_opening_is_read() {
        let request = Request::parse(&opening().to_der().unwrap()).unwrap();
        assert_eq!((&*request.destination, &*request.ticket), ("app:calc", "sealed"));
        assert!(request.connection_request.protocols.contains(SecurityProtocols::SSL));
        assert_eq!(request.preconnection_blob, None);
        assert!(!format!("{request:?}").contains("sealed"));
    }

    #[test]
    fn a_bad_opening_says_what_is_wrong() {
        let check = |change: fn(&mut RDCleanPathPdu), sentence: &str| {
            let mut pdu = opening();
            change(&mut pdu);
            let error = Request::parse(&pdu.to_der().unwrap()).unwrap_err();
            assert_eq!(error.to_string(), sentence);
        };
        check(|pdu| pdu.proxy_auth = None, "the opening message has no ticket");
        check(|pdu| pdu.destination = None, "the opening message has no destination");
        check(|pdu| pdu.x224_connection_pdu = None, "the opening message has no X.224 Connection Request");
        check(|pdu| pdu.version = 1, "the opening message is of RDCleanPath version 1; only 3390 is known");
        check(
            |pdu| pdu.proxy_auth = Some("x".repeat(MAX_REQUEST_BYTES)),
            "the opening message has 16457 bytes; at most 16384 are allowed",
        );
        check(
            |pdu| {
                pdu.x224_connection_pdu =
                    Some(ironrdp_rdcleanpath::der::asn1::OctetString::new([3, 0]).unwrap())
            },
            "the X.224 Connection Request is malformed: it ends too early",
        );
        assert_eq!(Request::parse(b"GET /"), Err(RequestError::NotCleanPath));
    }

    #[test]
    fn answers_are_what_the_browser_expects() {
        let confirm = ConnectionConfirm::Selected { protocol: SecurityProtocols::SSL, flags: 0 };
        let answer = success("host-1", &confirm, [vec![0x30, 0x00]]).unwrap();
        let RDCleanPath::Response { x224_connection_response, server_cert_chain, server_addr } =
            RDCleanPathPdu::from_der(&answer).unwrap().into_enum().unwrap()
        else {
            panic!("a response");
        };
        assert_eq!(ConnectionConfirm::parse(x224_connection_response.as_bytes()), Ok(confirm));
        assert_eq!((server_cert_chain.len(), &*server_addr), (1, "host-1"));
        assert_eq!(success("h", &confirm, [vec![0; MAX_CHAIN_BYTES + 1]]), Err(ChainTooLong));

        let error = |failure: Failure| match RDCleanPathPdu::from_der(&failure.encode()).unwrap().into_enum()
        {
            Ok(RDCleanPath::GeneralErr(error)) => error,
            other => panic!("{other:?}"),
        };
        assert_eq!(error(Failure::Http(403)).http_status_code, Some(403));
        assert_eq!(error(Failure::from_io(ErrorKind::ConnectionRefused)).wsa_last_error, Some(10061));
        assert_eq!(error(Failure::TlsAlert(48)).tls_alert_code, Some(48));
        assert_eq!(error(Failure::from_io(ErrorKind::Other)).wsa_last_error, None);

        let refused = Failure::Negotiation(NegotiationFailure::HYBRID_REQUIRED).encode();
        let Ok(RDCleanPath::NegotiationErr { x224_connection_response }) =
            RDCleanPathPdu::from_der(&refused).unwrap().into_enum()
        else {
            panic!("a negotiation error");
        };
        assert_eq!(
            ConnectionConfirm::parse(&x224_connection_response),
            Ok(ConnectionConfirm::Refused(NegotiationFailure::HYBRID_REQUIRED))
        );
    }

    proptest! {
        #[test]
        fn random_and_mutated_openings_never_panic(
            bytes in proptest::collection::vec(any::<u8>(), 0..300),
            at: prop::sample::Index,
            value: u8,
        ) {
            let _ = Request::parse(&bytes);
            let mut opening = opening().to_der().unwrap();
            let at = at.index(opening.len());
            opening[at] = value;
            let _ = Request::parse(&opening);
            opening.truncate(at);
            prop_assert!(Request::parse(&opening).is_err());
        }
    }
}
