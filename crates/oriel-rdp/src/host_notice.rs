//! Hears from the host why a connection ends: the Set Error Info PDU (2.2.5.1) and the MCS Disconnect
//! Provider Ultimatum (2.2.2.3). The gateway asks [`HostNotice::of`] about each message of the host; all
//! but short slow-path messages are dismissed after a look at the length and the first byte.
//!
//! A host of the xrdp kind tells little this way; what its agent reports is better where there is one.

use std::fmt;

use crate::mcs::{self, Pdu};
use crate::read::{Malformed, Reader};

/// The longest message that can be a notice, in bytes: Set Error Info has 36 or 37.
const MAX_NOTICE_BYTES: usize = 40;

/// The low bits of pduType in a Share Control Header: a data PDU (2.2.8.1.1.1.1).
const PDU_TYPE_DATA: u16 = 7;
/// pduType2 in a Share Data Header (2.2.8.1.1.1.2).
const SET_ERROR_INFO: u8 = 0x2f;
/// PACKET_COMPRESSED in compressedType.
const COMPRESSED: u8 = 0x20;

/// What a host said about the end of the connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HostNotice {
    /// Why the connection will end. An ultimatum follows.
    ErrorInfo(ErrorInfo),
    /// The connection ends now.
    Disconnect(DisconnectReason),
}

impl HostNotice {
    /// What a whole message from the host says about the end, if it is about that.
    /// `io_channel` is what [`crate::channel::ChannelFilter::io_channel`] says.
    pub fn of(frame: &[u8], io_channel: u16) -> Option<Self> {
        if frame.len() > MAX_NOTICE_BYTES || frame.first() != Some(&3) {
            return None;
        }
        match mcs::classify(frame).ok()? {
            Pdu::DisconnectUltimatum => {
                // Three bits of PER: two in the byte of the choice, one in the next.
                let [first, second] = *frame.get(mcs::PDU_AT..)?.first_chunk()?;
                Some(Self::Disconnect(DisconnectReason::from_code((first & 0b11) << 1 | second >> 7)))
            }
            Pdu::SendDataIndication => {
                let data = mcs::send_data(frame).ok()?;
                if data.channel != io_channel {
                    return None;
                }
                error_info(&frame[data.user_data]).ok().flatten().map(Self::ErrorInfo)
            }
            _ => None,
        }
    }
}

fn error_info(user_data: &[u8]) -> Result<Option<ErrorInfo>, Malformed> {
    let mut reader = Reader::new(user_data);
    reader.u16_le()?; // total length
    let pdu_type = reader.u16_le()? & 0xf;
    reader.take(2 + 4 + 1 + 1 + 2)?; // source, share id, padding, stream, uncompressed length
    let pdu_type_2 = reader.u8()?;
    let compression = reader.u8()?;
    reader.u16_le()?; // compressed length
    let code = reader.u32_le()?;
    let is_error_info =
        pdu_type == PDU_TYPE_DATA && pdu_type_2 == SET_ERROR_INFO && compression & COMPRESSED == 0;
    Ok((is_error_info && code != 0).then_some(ErrorInfo { code }))
}

/// Why a host ends a connection (errorInfo, 2.2.5.1.1). Displays as a sentence for the user. A code of
/// zero, which says that all is well, is never one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ErrorInfo {
    code: u32,
}

/// What kind of end it is; what to do next depends on this and not on the code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum EndCategory {
    /// The user logged off. The session is gone.
    LoggedOff,
    /// An administrator logged the user off. The session is gone.
    LoggedOffByAdministrator,
    /// The user disconnected from within. The session goes on.
    DisconnectedByUser,
    /// An administrator disconnected it. The session goes on.
    DisconnectedByAdministrator,
    /// The same session was opened from elsewhere.
    TakenOver,
    /// Nothing was done for longer than the host allows.
    IdleTimeout,
    /// The session lasted longer than the host allows.
    SessionTimeout,
    /// The host does not let this user in.
    AccessDenied,
    /// The host wants the password from the user's own hands.
    FreshCredentialsRequired,
    /// The host has trouble: memory, display driver, a crash.
    HostFailure,
    /// The host's licences.
    Licensing,
    /// The host's own connection broker.
    Redirection,
    /// One side does not understand the other.
    Protocol,
    /// A code that is not in the specification.
    Unknown,
}

impl ErrorInfo {
    /// The code on the wire; for logs.
    pub fn code(self) -> u32 {
        self.code
    }

    /// The kind of end.
    pub fn category(self) -> EndCategory {
        match self.code {
            0x01 => EndCategory::DisconnectedByAdministrator,
            0x02 => EndCategory::LoggedOffByAdministrator,
            0x03 => EndCategory::IdleTimeout,
            0x04 => EndCategory::SessionTimeout,
            0x05 => EndCategory::TakenOver,
            0x06 | 0x0f..=0x12 | 0x17..=0x1a => EndCategory::HostFailure,
            0x07 | 0x09 => EndCategory::AccessDenied,
            0x0a => EndCategory::FreshCredentialsRequired,
            0x0b => EndCategory::DisconnectedByUser,
            0x0c => EndCategory::LoggedOff,
            0x100..=0x10a => EndCategory::Licensing,
            0x400..=0x412 => EndCategory::Redirection,
            0x10c9..=0x1195 => EndCategory::Protocol,
            _ => EndCategory::Unknown,
        }
    }
}

impl fmt::Display for ErrorInfo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sentence = match self.code {
            0x01 => "an administrator disconnected the session",
            0x02 => "an administrator logged the session off",
            0x03 => "the session was idle for longer than the host allows",
            0x04 => "the session lasted longer than the host allows",
            0x05 => "the session was opened from another place",
            0x06 => "the host ran out of memory",
            0x07 => "the host denied the connection",
            0x09 => "the user has no right to log on to the host",
            0x0a => "the host does not accept saved credentials",
            0x0b => "the session was disconnected by a program in it",
            0x0c => "the user logged off",
            0x0f => "the host's display driver was not ready in time",
            0x10 => "the host's window manager crashed",
            0x11 => "the host's display driver failed to start",
            0x12 => "the host's display driver is not usable",
            0x17 => "the host's logon process crashed",
            0x18 => "the host's client-server process crashed",
            0x19 => "the host is shutting down",
            0x1a => "the host is restarting",
            0x100 => "the host's licensing failed",
            0x101 => "the host found no licence server",
            0x102 => "the host has no client access licence left",
            0x103..=0x109 => "the host and the client could not agree on a licence",
            0x10a => "the host is not licensed for remote connections",
            0x400 => "the host's connection broker found no target",
            0x402 | 0x404 => "the host's connection broker failed to redirect the connection",
            0x405 | 0x406 | 0x411 | 0x412 => "the target machine could not be started",
            0x407 => "the address of the target machine could not be found",
            0x408 => "all machines of the target pool are in use",
            0x409 => "the connection was cancelled",
            0x410 => "the host rejected the routing token",
            0x10f3 => "the host only runs RemoteApp programs for this user",
            0x112d..=0x112f => "the host's graphics failed",
            0x1191..=0x1195 => "decryption between client and host failed",
            0x10c9..=0x1195 => {
                return write!(f, "the host could not understand the client (error {:#06x})", self.code);
            }
            _ => return write!(f, "the host ended the connection with unknown error {:#x}", self.code),
        };
        f.write_str(sentence)
    }
}

/// Why an MCS domain ends (T.125 Reason).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DisconnectReason {
    /// rn-domain-disconnected
    DomainDisconnected,
    /// rn-provider-initiated: the host ended the connection.
    ProviderInitiated,
    /// rn-token-purged
    TokenPurged,
    /// rn-user-requested: hosts also send it at the end of the only program.
    UserRequested,
    /// rn-channel-purged
    ChannelPurged,
    /// A value that T.125 does not have.
    Unknown(u8),
}

impl DisconnectReason {
    fn from_code(code: u8) -> Self {
        match code {
            0 => Self::DomainDisconnected,
            1 => Self::ProviderInitiated,
            2 => Self::TokenPurged,
            3 => Self::UserRequested,
            4 => Self::ChannelPurged,
            other => Self::Unknown(other),
        }
    }
}

impl fmt::Display for DisconnectReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::DomainDisconnected => "the host left the connection",
            Self::ProviderInitiated => "the host ended the connection",
            Self::TokenPurged | Self::ChannelPurged => "the host closed the channels of the connection",
            Self::UserRequested => "the session was ended or disconnected",
            Self::Unknown(_) => "the host ended the connection without a known reason",
        })
    }
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use ironrdp_core::encode_vec;
    use ironrdp_pdu::mcs::{
        DisconnectProviderUltimatum, DisconnectReason as TheirReason, McsMessage, SendDataIndication,
    };
    use ironrdp_pdu::rdp::client_info::CompressionType;
    use ironrdp_pdu::rdp::headers::{
        CompressionFlags, ShareControlHeader, ShareControlPdu, ShareDataHeader, ShareDataPdu, StreamPriority,
    };
    use ironrdp_pdu::rdp::server_error_info::{
        ErrorInfo as TheirInfo, ProtocolIndependentCode, ServerSetErrorInfoPdu,
    };
    use ironrdp_pdu::x224::X224;

    use super::*;
    use crate::samples::hex;

    fn set_error_info(code: ProtocolIndependentCode) -> Vec<u8> {
        let pdu = ShareControlHeader {
            share_control_pdu: ShareControlPdu::Data(ShareDataHeader {
                share_data_pdu: ShareDataPdu::ServerSetErrorInfo(ServerSetErrorInfoPdu(
                    TheirInfo::ProtocolIndependentCode(code),
                )),
                stream_priority: StreamPriority::Medium,
                compression_flags: CompressionFlags::empty(),
                compression_type: CompressionType::K8,
            }),
            pdu_source: 1002,
            share_id: 66_538,
        };
        encode_vec(&X224(McsMessage::SendDataIndication(SendDataIndication {
            initiator_id: 1002,
            channel_id: 1003,
            user_data: Cow::Owned(encode_vec(&pdu).unwrap()),
        })))
        .unwrap()
    }

    #[test]
    fn error_info_becomes_a_category_and_a_sentence() {
        let check = |code, category, sentence: &str| {
            let frame = set_error_info(code);
            let Some(HostNotice::ErrorInfo(info)) = HostNotice::of(&frame, 1003) else {
                panic!("{code:?} was not seen");
            };
            assert_eq!((info.category(), info.to_string().as_str()), (category, sentence));
            assert_eq!(info.code(), code.as_u32());
            assert_eq!(HostNotice::of(&frame, 1004), None);
        };
        check(ProtocolIndependentCode::LogoffByUser, EndCategory::LoggedOff, "the user logged off");
        check(
            ProtocolIndependentCode::DisconnectedByOtherconnection,
            EndCategory::TakenOver,
            "the session was opened from another place",
        );
        check(
            ProtocolIndependentCode::IdleTimeout,
            EndCategory::IdleTimeout,
            "the session was idle for longer than the host allows",
        );
        assert_eq!(HostNotice::of(&set_error_info(ProtocolIndependentCode::None), 1003), None);
    }

    #[test]
    fn every_ultimatum_is_recognised() {
        for (theirs, ours) in [
            (TheirReason::DomainDisconnected, DisconnectReason::DomainDisconnected),
            (TheirReason::ProviderInitiated, DisconnectReason::ProviderInitiated),
            (TheirReason::TokenPurged, DisconnectReason::TokenPurged),
            (TheirReason::UserRequested, DisconnectReason::UserRequested),
            (TheirReason::ChannelPurged, DisconnectReason::ChannelPurged),
        ] {
            let pdu = DisconnectProviderUltimatum { reason: theirs };
            let frame = encode_vec(&X224(McsMessage::DisconnectProviderUltimatum(pdu))).unwrap();
            assert_eq!(HostNotice::of(&frame, 1003), Some(HostNotice::Disconnect(ours)));
        }
        // As Windows and xrdp send it.
        assert_eq!(
            HostNotice::of(&hex("03 00 00 09 02 f0 80 21 80"), 1003),
            Some(HostNotice::Disconnect(DisconnectReason::UserRequested))
        );
    }

    #[test]
    fn all_else_is_no_notice() {
        for other in [
            "",
            "03",
            "00 03 01",
            "03 00 00 08 02 f0 80 68",
            "03 00 00 08 02 f0 80 21",
            "03 00 00 0b 02 f0 80 2e 00 00 06",
        ] {
            assert_eq!(HostNotice::of(&hex(other), 1003), None, "{other}");
        }
    }
}
