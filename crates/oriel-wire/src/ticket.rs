//! The sealed connection ticket: what a launch yields, and all that any gateway needs for one
//! connection. The browser carries it but cannot read it.
//!
//! Form: base64url of version (1 byte), key id (4, big endian), nonce (12), AES-256-GCM of the JSON
//! claims with everything before the ciphertext as associated data. Keys are the farm's; brokers hand
//! them to gateways over mutual TLS and replace them regularly.

use std::fmt;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use oriel_model::{
    Id, Timestamp,
    host::Host,
    logon::LaunchTimes,
    policy::{Clipboard, Direction, Quality},
    resource::Resource,
    session::{ChannelPolicy, Connection, Session},
    user::User,
};
use ring::{
    aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey},
    rand::{SecureRandom, SystemRandom},
};
use serde::{Deserialize, Serialize};
use zeroize::{Zeroize, Zeroizing};

/// How long a ticket works after the launch, in seconds: the life of the one-time logon in it.
pub const LIFETIME_SECS: i64 = 60;

/// Longer strings are not tickets of ours; real ones are under 2 KiB.
pub const LENGTH_MAX: usize = 8 * 1024;

const VERSION: u8 = 1;
const HEADER_LEN: usize = 1 + 4 + NONCE_LEN;

/// What a ticket says.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Claims {
    /// The connection it opens; a gateway takes each once.
    pub connection: Id<Connection>,
    /// The session it attaches to.
    pub session: Id<Session>,
    /// Whose it is.
    pub user: Id<User>,
    /// The user's name, for logs.
    pub user_name: String,
    /// What is opened.
    pub resource: Id<Resource>,
    /// The host.
    pub host: Id<Host>,
    /// Where its RDP listener is, `host:port`.
    pub host_address: String,
    /// SHA-256 of the listener's certificate (DER), hexadecimal: anything else is refused.
    pub host_certificate_sha256: String,
    /// What to log on with.
    pub logon: Logon,
    /// What the connection sequence says to start; empty where the host decides itself.
    pub alternate_shell: String,
    /// The folder it starts in; empty: the host decides.
    pub working_directory: String,
    /// Name of the user's device.
    pub client_name: String,
    /// Windows keyboard layout, such as 0x0407.
    pub keyboard_layout: u32,
    /// What may pass besides picture and input.
    pub channels: ChannelPolicy,
    /// What may be copied and pasted where there is a clipboard.
    pub clipboard: Clipboard,
    /// Which way files pass where there are drives.
    pub drives: Direction,
    /// What the host is told of the network.
    pub quality: Quality,
    /// The most that passes from session to device, in kbit/s; none: whatever the network carries.
    pub max_kbits: Option<u32>,
    /// What the launch took: the gateway says it again to all brokers.
    pub times: LaunchTimes,
    /// After this the ticket opens nothing.
    pub expires_at: Timestamp,
    /// When the connection is ended, however long the session lives.
    pub connected_until: Timestamp,
}

/// A one-time logon.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Logon {
    /// The name the host expects.
    pub name: String,
    /// The domain; may be empty.
    pub domain: String,
    /// Works once, for a minute.
    pub secret: Zeroizing<String>,
}

impl fmt::Debug for Logon {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Logon").field("name", &self.name).finish_non_exhaustive()
    }
}

impl fmt::Debug for Claims {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Claims")
            .field("connection", &self.connection)
            .field("session", &self.session)
            .field("user_name", &self.user_name)
            .field("host", &self.host)
            .field("host_address", &self.host_address)
            .field("expires_at", &self.expires_at)
            .finish_non_exhaustive()
    }
}

/// A key that seals and opens tickets.
#[derive(Clone)]
pub struct TicketKey {
    id: u32,
    secret: Zeroizing<[u8; 32]>,
}

impl TicketKey {
    /// A new random key.
    pub fn generate(id: u32) -> Result<Self, OutOfRandomness> {
        let mut secret = Zeroizing::new([0; 32]);
        SystemRandom::new().fill(&mut *secret).map_err(|_| OutOfRandomness)?;
        Ok(Self { id, secret })
    }

    /// A key from its bytes; none if there are not 32.
    pub fn from_bytes(id: u32, bytes: &[u8]) -> Option<Self> {
        Some(Self { id, secret: Zeroizing::new(bytes.try_into().ok()?) })
    }

    /// Its number.
    pub fn id(&self) -> u32 {
        self.id
    }

    /// Its bytes, for handing to gateways and for the sealed store.
    pub fn secret(&self) -> &[u8] {
        &*self.secret
    }

    fn cipher(&self) -> LessSafeKey {
        let key = UnboundKey::new(&AES_256_GCM, &*self.secret).expect("AES-256 takes 32 bytes");
        LessSafeKey::new(key)
    }
}

impl fmt::Debug for TicketKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TicketKey({})", self.id)
    }
}

/// The operating system gave no random bytes.
#[derive(Debug, Clone, Copy, thiserror::Error, PartialEq, Eq)]
#[error("the operating system gave no random bytes")]
pub struct OutOfRandomness;

/// Why a ticket does not open. All but `Expired` are told to the client as one.
#[derive(Debug, Clone, Copy, thiserror::Error, PartialEq, Eq)]
pub enum TicketError {
    /// Not a ticket, changed, or sealed by somebody else.
    #[error("the ticket is not one of this farm's, or was changed")]
    Forged,
    /// Sealed with a key that this gateway does not have (any more).
    #[error("the ticket was sealed with key {0}, which is not known here")]
    UnknownKey(u32),
    /// Too late.
    #[error("the ticket has expired")]
    Expired,
}

/// Seals `claims` with `key`.
pub fn seal(claims: &Claims, key: &TicketKey) -> Result<String, OutOfRandomness> {
    let mut nonce = [0; NONCE_LEN];
    SystemRandom::new().fill(&mut nonce).map_err(|_| OutOfRandomness)?;

    let mut sealed = Vec::with_capacity(1024);
    sealed.push(VERSION);
    sealed.extend_from_slice(&key.id.to_be_bytes());
    sealed.extend_from_slice(&nonce);

    let mut body = serde_json::to_vec(claims).expect("claims have no map with other keys than text");
    let tag = key
        .cipher()
        .seal_in_place_separate_tag(Nonce::assume_unique_for_key(nonce), Aad::from(&sealed), &mut body)
        .expect("claims are far below the cipher's limit");
    sealed.extend_from_slice(&body);
    sealed.extend_from_slice(tag.as_ref());
    Ok(URL_SAFE_NO_PAD.encode(sealed))
}

/// Opens a ticket with one of `keys` at the time `now`. Whether it was used before is the caller's to
/// know (see [`Claims::connection`]).
pub fn open(ticket: &str, keys: &[TicketKey], now: Timestamp) -> Result<Claims, TicketError> {
    if ticket.len() > LENGTH_MAX {
        return Err(TicketError::Forged);
    }
    let mut bytes = URL_SAFE_NO_PAD.decode(ticket).map_err(|_| TicketError::Forged)?;
    if bytes.len() < HEADER_LEN || bytes[0] != VERSION {
        return Err(TicketError::Forged);
    }
    let (header, body) = bytes.split_at_mut(HEADER_LEN);
    let id = u32::from_be_bytes([header[1], header[2], header[3], header[4]]);
    let key = keys.iter().find(|key| key.id == id).ok_or(TicketError::UnknownKey(id))?;
    let nonce = Nonce::try_assume_unique_for_key(&header[5..]).map_err(|_| TicketError::Forged)?;
    let plain =
        key.cipher().open_in_place(nonce, Aad::from(&*header), body).map_err(|_| TicketError::Forged)?;
    let claims: Result<Claims, _> = serde_json::from_slice(plain);
    plain.zeroize();
    let claims = claims.map_err(|_| TicketError::Forged)?;
    if claims.expires_at <= now { Err(TicketError::Expired) } else { Ok(claims) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).expect("in range")
    }

    fn claims() -> Claims {
        let now = at(1_000);
        Claims {
            connection: Id::generate(now),
            session: Id::generate(now),
            user: Id::generate(now),
            user_name: "alice".into(),
            resource: Id::generate(now),
            host: Id::generate(now),
            host_address: "127.0.0.1:3389".into(),
            host_certificate_sha256: "00".repeat(32),
            logon: Logon {
                name: "alice~s1".into(),
                domain: String::new(),
                secret: Zeroizing::new("once".into()),
            },
            alternate_shell: String::new(),
            working_directory: String::new(),
            client_name: "laptop".into(),
            keyboard_layout: 0x407,
            channels: ChannelPolicy::default(),
            clipboard: Clipboard::default(),
            drives: Direction::Both,
            quality: Quality::Automatic,
            max_kbits: None,
            times: LaunchTimes::default(),
            expires_at: at(1_060),
            connected_until: at(9_999),
        }
    }

    #[test]
    fn a_ticket_opens_with_its_key_until_it_expires() {
        let key = TicketKey::generate(7).expect("random");
        let ticket = seal(&claims(), &key).expect("random");
        let keys = [TicketKey::generate(6).expect("random"), key];
        assert_eq!(open(&ticket, &keys, at(1_059)).map(|c| c.user_name), Ok("alice".into()));
        assert_eq!(open(&ticket, &keys, at(1_060)), Err(TicketError::Expired));
        assert_eq!(open(&ticket, &keys[..1], at(1_000)), Err(TicketError::UnknownKey(7)));
    }

    #[test]
    fn no_changed_byte_goes_unnoticed() {
        let key = TicketKey::generate(7).expect("random");
        let ticket = seal(&claims(), &key).expect("random");
        let bytes = URL_SAFE_NO_PAD.decode(&ticket).expect("base64");
        for index in 0..bytes.len() {
            let mut changed = bytes.clone();
            changed[index] ^= 1;
            let changed = URL_SAFE_NO_PAD.encode(changed);
            assert!(open(&changed, std::slice::from_ref(&key), at(1_000)).is_err(), "byte {index}");
        }
        for rubbish in ["", "AA", "!!!!", &"A".repeat(LENGTH_MAX + 1)] {
            assert_eq!(open(rubbish, std::slice::from_ref(&key), at(1_000)), Err(TicketError::Forged));
        }
    }

    #[test]
    fn the_secret_is_in_neither_the_debug_text_nor_the_ticket() {
        let key = TicketKey::generate(7).expect("random");
        let ticket = seal(&claims(), &key).expect("random");
        let bytes = URL_SAFE_NO_PAD.decode(&ticket).expect("base64");
        assert!(!bytes.windows(4).any(|w| w == b"once"));
        assert!(!format!("{:?}", claims()).contains("once"));
        assert!(!format!("{:?}", claims().logon).contains("once"));
    }
}
