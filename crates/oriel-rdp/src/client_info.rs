//! The Client Info PDU (2.2.1.11): logon, start program and a few promises of the client. Its five
//! strings are replaced, its flags adjusted, and what stands behind the strings is kept byte for byte, but
//! for the client's address, what it asks the host to leave out, and the cookie with which it would return to
//! a session of its choice.

use std::net::IpAddr;

use zeroize::Zeroizing;

use crate::connection_sequence::ConnectionSettings;
use crate::gcc::address_family;
use crate::mcs::SendData;
use crate::read::{Malformed, Reader};

/// SEC_ENCRYPT of the security header (2.2.8.1.1.2.1): standard RDP security.
const SEC_ENCRYPT: u16 = 0x0008;
/// SEC_INFO_PKT
const SEC_INFO_PKT: u16 = 0x0040;
/// What may stand beside SEC_INFO_PKT: SEC_RESET_SEQNO, SEC_IGNORE_SEQNO and SEC_FLAGSHI_VALID, which say
/// nothing, and SEC_ENCRYPT, which is refused with a reason of its own. All other flags make it another
/// message: a host that looks at those first (xrdp at SEC_EXCHANGE_PKT) would pass over the logon in it and
/// take the client's next one, which nobody rewrites.
const BESIDE_INFO: u16 = 0x0010 | 0x0020 | 0x8000 | SEC_ENCRYPT;

/// Flags of TS_INFO_PACKET (2.2.1.11.1.1).
mod flags {
    pub(super) const AUTOLOGON: u32 = 0x0000_0008;
    pub(super) const UNICODE: u32 = 0x0000_0010;
    pub(super) const REMOTE_CONSOLE_AUDIO: u32 = 0x0000_2000;
    pub(super) const RAIL: u32 = 0x0000_8000;
    pub(super) const PASSWORD_IS_SC_PIN: u32 = 0x0004_0000;
    pub(super) const NO_AUDIO_PLAYBACK: u32 = 0x0008_0000;
    pub(super) const AUDIO_CAPTURE: u32 = 0x0020_0000;
}

/// The longest of the five strings in bytes, without terminator: the specification's 512 include it.
pub(crate) const MAX_STRING_BYTES: usize = 510;

/// clientTimeZone (TS_TIME_ZONE_INFORMATION, 2.2.1.11.1.1.1.1), in bytes.
const TIME_ZONE_BYTES: usize = 172;

/// The longest user data: an unfragmented PER length has 14 bits.
const MAX_USER_DATA: usize = 0x3fff;

/// Why a Client Info cannot be rewritten.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum RewriteError {
    Malformed(Malformed),
    /// Encrypted with standard RDP security.
    Encrypted,
    /// The client speaks its ANSI code page, which has no room for a character of this setting.
    NotRepresentable(&'static str),
}

impl From<Malformed> for RewriteError {
    fn from(malformed: Malformed) -> Self {
        Self::Malformed(malformed)
    }
}

/// Whether the user data of a Send Data Request is a Client Info, and nothing else at the same time.
pub(crate) fn is_client_info(user_data: &[u8]) -> bool {
    match user_data {
        [low, high, _, _, ..] => u16::from_le_bytes([*low, *high]) & !BESIDE_INFO == SEC_INFO_PKT,
        _ => false,
    }
}

/// The whole frame with the settings in place of the client's own. The result holds the password
/// and wipes it when it is dropped.
pub(crate) fn rewrite(
    frame: &[u8],
    envelope: &SendData,
    settings: &ConnectionSettings,
) -> Result<Zeroizing<Vec<u8>>, RewriteError> {
    let mut reader = Reader::at(frame, envelope.user_data.start);
    let security = reader.take(4)?;
    if u16::from_le_bytes([security[0], security[1]]) & SEC_ENCRYPT != 0 {
        return Err(RewriteError::Encrypted);
    }
    let code_page = reader.take(4)?;
    let client_flags = reader.u32_le()?;
    let charset = Charset::of(client_flags);
    let lengths = [reader.u16_le()?, reader.u16_le()?, reader.u16_le()?, reader.u16_le()?, reader.u16_le()?];
    for length in lengths {
        // The lengths leave the terminator out, and it is always there.
        let text = reader.take(usize::from(length) + charset.unit())?;
        if text.len() % charset.unit() != 0 {
            return Err(Malformed("a string has half a character").into());
        }
    }
    let tail = &frame[reader.position()..];

    let strings = [
        ("domain", settings.logon.domain.as_str()),
        ("user name", &settings.logon.user),
        ("password", &settings.logon.password),
        ("start program", &settings.program.command),
        ("working directory", &settings.program.directory),
    ];
    // Reserved whole, so that no half-written copy of the password is left behind by growing.
    let capacity = envelope.user_data.start + 24 + 5 * (MAX_STRING_BYTES + 2) + tail.len() + 128;
    let mut out = Zeroizing::new(Vec::with_capacity(capacity));
    out.extend_from_slice(&frame[..envelope.length_at]);
    // Room for the longer form of the length; closed again below if the shorter one is right.
    out.extend_from_slice(&[0, 0]);
    let user_data_at = out.len();
    out.extend_from_slice(security);
    out.extend_from_slice(code_page);
    out.extend_from_slice(&adjusted(client_flags, settings).to_le_bytes());
    let lengths_at = out.len();
    out.extend_from_slice(&[0; 10]);
    for (place, (field, text)) in strings.into_iter().enumerate() {
        let start = out.len();
        charset.put(&mut out, text).ok_or(RewriteError::NotRepresentable(field))?;
        let length = u16::try_from(out.len() - start).map_err(|_| TOO_LARGE)?;
        out[lengths_at + 2 * place..][..2].copy_from_slice(&length.to_le_bytes());
        out.extend_from_slice(charset.terminator());
    }
    // A client of RDP 4 has none.
    if !tail.is_empty() {
        put_extended(&mut out, tail, settings, charset)?;
    } else if settings.quality.is_some() {
        return Err(NO_PERFORMANCE_FLAGS.into());
    }
    close(&mut out, envelope, user_data_at)?;
    Ok(out)
}

/// Every client that knows TLS has them, and what is to be said there would not be heard.
const NO_PERFORMANCE_FLAGS: Malformed = Malformed("it has no performance flags, and they are prescribed");

const TOO_LARGE: Malformed = Malformed("it is too large");

/// Writes the two lengths of the envelope.
fn close(out: &mut Vec<u8>, envelope: &SendData, user_data_at: usize) -> Result<(), Malformed> {
    let length = out.len() - user_data_at;
    if length > MAX_USER_DATA {
        return Err(TOO_LARGE);
    }
    let long = u16::try_from(length).map_err(|_| TOO_LARGE)?;
    if length > 0x7f || envelope.long_length {
        out[envelope.length_at..user_data_at].copy_from_slice(&(long | 0x8000).to_be_bytes());
    } else {
        out.remove(envelope.length_at);
        out[envelope.length_at] = long.to_be_bytes()[1];
    }
    let whole = u16::try_from(out.len()).map_err(|_| TOO_LARGE)?;
    out[2..4].copy_from_slice(&whole.to_be_bytes());
    Ok(())
}

/// The logon is used without asking, the password is a password, and what the policy forbids beyond
/// static channels is switched off. All other flags are the client's.
fn adjusted(client: u32, settings: &ConnectionSettings) -> u32 {
    let mut flags = (client | flags::AUTOLOGON) & !flags::PASSWORD_IS_SC_PIN;
    if !settings.channels.audio {
        flags = (flags | flags::NO_AUDIO_PLAYBACK) & !flags::REMOTE_CONSOLE_AUDIO;
    }
    if !settings.channels.microphone {
        flags &= !flags::AUDIO_CAPTURE;
    }
    if !settings.channels.remote_app {
        flags &= !flags::RAIL;
    }
    flags
}

/// Writes TS_EXTENDED_INFO_PACKET (2.2.1.11.1.1.1) with the address and the quality, if they are set, in place
/// of the client's own, and without its auto-reconnect cookie (ARC_CS_PRIVATE_PACKET, 2.2.4.3): a host leads
/// whoever has one back to the session that it names, whatever the logon says.
fn put_extended(
    out: &mut Vec<u8>,
    extended: &[u8],
    settings: &ConnectionSettings,
    charset: Charset,
) -> Result<(), RewriteError> {
    let mut reader = Reader::new(extended);
    reader.u16_le()?;
    let length = reader.u16_le()?;
    reader.take(usize::from(length))?;
    match settings.client_address {
        Some(address) => put_address(out, address, charset)?,
        None => out.extend_from_slice(&extended[..reader.position()]),
    }
    let kept_from = reader.position();
    if reader.remaining() >= 2 {
        let directory = reader.u16_le()?;
        reader.take(usize::from(directory))?;
    }
    // What follows came with later versions; a client may end after any of it. Between the time zone and
    // performanceFlags stands clientSessionId, which no host looks at.
    let before_flags = TIME_ZONE_BYTES + 4;
    if reader.remaining() < before_flags + 4 {
        out.extend_from_slice(&extended[kept_from..]);
        return if settings.quality.is_none() { Ok(()) } else { Err(NO_PERFORMANCE_FLAGS.into()) };
    }
    reader.take(before_flags)?;
    out.extend_from_slice(&extended[kept_from..reader.position()]);
    let client = reader.u32_le()?;
    let flags = settings.quality.map_or(client, |quality| quality.performance_flags(client));
    out.extend_from_slice(&flags.to_le_bytes());
    if reader.remaining() < 2 {
        out.extend_from_slice(&extended[reader.position()..]);
        return Ok(());
    }
    let cookie = reader.u16_le()?;
    reader.take(usize::from(cookie))?;
    out.extend_from_slice(&[0, 0]);
    out.extend_from_slice(&extended[reader.position()..]);
    Ok(())
}

/// clientAddressFamily and clientAddress, whose length includes the terminator.
fn put_address(out: &mut Vec<u8>, address: IpAddr, charset: Charset) -> Result<(), RewriteError> {
    out.extend_from_slice(&address_family(address).to_le_bytes());
    let length_at = out.len();
    out.extend_from_slice(&[0, 0]);
    charset.put(out, &address.to_string()).ok_or(RewriteError::NotRepresentable("client address"))?;
    out.extend_from_slice(charset.terminator());
    let length = u16::try_from(out.len() - length_at - 2).map_err(|_| TOO_LARGE)?;
    out[length_at..length_at + 2].copy_from_slice(&length.to_le_bytes());
    Ok(())
}

#[derive(Clone, Copy)]
enum Charset {
    /// The client's code page, of which only what all Western ones share is written.
    Ansi,
    /// UTF-16, little endian.
    Unicode,
}

impl Charset {
    fn of(client_flags: u32) -> Self {
        if client_flags & flags::UNICODE != 0 { Self::Unicode } else { Self::Ansi }
    }

    fn unit(self) -> usize {
        self.terminator().len()
    }

    fn terminator(self) -> &'static [u8] {
        match self {
            Self::Ansi => &[0],
            Self::Unicode => &[0, 0],
        }
    }

    fn put(self, out: &mut Vec<u8>, text: &str) -> Option<()> {
        match self {
            Self::Unicode => out.extend(text.encode_utf16().flat_map(u16::to_le_bytes)),
            Self::Ansi => {
                for character in text.chars() {
                    match u8::try_from(character) {
                        Ok(byte @ (0..=0x7f | 0xa0..=0xff)) => out.push(byte),
                        _ => return None,
                    }
                }
            }
        }
        Some(())
    }
}
