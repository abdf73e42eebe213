//! A sign-in between two rounds: what is needed to bring the server the answer that it asked for.

use super::{error::RadiusError, packet::VALUE_MAX};

/// How many answers a server may ask for. Real ones ask for two or three (a code, a new PIN, the PIN again);
/// one that asks without end must not keep people busy without end.
pub const ROUNDS_MAX: u8 = 16;

/// The most that [`Conversation::to_bytes`] gives: version, round, and three values with two bytes of length.
pub const BYTES_MAX: usize = 2 + 3 * 2 + SERVER_MAX + 2 * VALUE_MAX + 1;

/// Name, brackets, and port of a server.
const SERVER_MAX: usize = 264;

/// The first byte, for the day when there is another form.
const VERSION: u8 = 1;

/// How to go on with a sign-in. It says which server goes on with which user, so whoever could change it
/// could go on as somebody else: the caller keeps it, or hands it out sealed.
#[derive(Clone, PartialEq, Eq)]
pub struct Conversation {
    server: String,
    user: String,
    round: u8,
    state: Option<Vec<u8>>,
}

impl Conversation {
    pub(super) fn next(
        server: String,
        user: &str,
        round: u8,
        state: Option<Vec<u8>>,
    ) -> Result<Self, RadiusError> {
        if round >= ROUNDS_MAX {
            return Err(RadiusError::TooManyRounds(server));
        }
        Ok(Self { server, user: user.to_owned(), round: round + 1, state })
    }

    /// The server that goes on.
    pub fn server(&self) -> &str {
        &self.server
    }

    /// The user, as the server knows them.
    pub fn user(&self) -> &str {
        &self.user
    }

    /// How many questions there were, with this one.
    pub fn round(&self) -> u8 {
        self.round
    }

    pub(super) fn state(&self) -> Option<&[u8]> {
        self.state.as_deref()
    }

    /// For keeping: at most [`BYTES_MAX`].
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = vec![VERSION, self.round];
        let state = self.state.as_deref();
        for part in [self.server.as_bytes(), self.user.as_bytes(), state.unwrap_or_default()] {
            // Names are at most 264 bytes and states 253.
            bytes.extend_from_slice(&(part.len() as u16).to_be_bytes());
            bytes.extend_from_slice(part);
        }
        bytes.push(u8::from(state.is_some()));
        bytes
    }

    /// From keeping; none if these are not bytes that [`Conversation::to_bytes`] gave.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (&[version, round], mut rest) = bytes.split_first_chunk()?;
        let mut part = |max: usize| {
            let (len, after) = rest.split_first_chunk()?;
            let (part, after) = after.split_at_checked(usize::from(u16::from_be_bytes(*len)))?;
            rest = after;
            (part.len() <= max).then(|| part.to_vec())
        };
        let server = String::from_utf8(part(SERVER_MAX)?).ok()?;
        let user = String::from_utf8(part(VALUE_MAX)?).ok()?;
        let state = part(VALUE_MAX)?;
        let state = match rest {
            [0] if state.is_empty() => None,
            [1] => Some(state),
            _ => return None,
        };
        let is_good = version == VERSION && (1..=ROUNDS_MAX).contains(&round) && !user.is_empty();
        is_good.then_some(Self { server, user, round, state })
    }
}

/// A State is as good as a ticket while it lasts.
impl std::fmt::Debug for Conversation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Conversation({}, {}, round {})", self.server, self.user, self.round)
    }
}
