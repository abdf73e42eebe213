//! Rewrites the part of the connection sequence that says who connects to what: from the client's MCS
//! Connect-Initial to its Client Info (1.3.1.1). The gateway runs every message of both directions
//! through a [`Rewriter`] until [`Rewriter::is_done`]; then it only relays, asking the [`ChannelFilter`]
//! that [`Rewriter::finish`] hands over.
//!
//! What the settings name is patched into the client's own bytes, and everything else stays as it was:
//!
//! * core data: keyboard layout, client name, colour depth, kind of network, the protocol that the host
//!   selected;
//! * network data: forbidden channels lose their names ([`crate::channel`]);
//! * cluster data: no session of the client's choice, such as the console;
//! * multitransport data: no UDP transport, which would run past the gateway;
//! * Client Info: domain, user, password, start program, working directory, client address, AUTOLOGON;
//!   what the host leaves out for a slow network;
//!   no auto-reconnect cookie, which would name a session of the client's choice too;
//!   and the flags that carry a forbidden thing past static channels (sound, microphone, RemoteApp).
//!
//! A message in the wrong place or form ends the connection. Messages are read strictly where a host's
//! parser might take them otherwise than this one, so that no client can slip its own logon or channels
//! past the rewriting.
//!
//! Deliberately absent: the security negotiation before ([`crate::x224`]), CredSSP, licensing and
//! capabilities after.

use std::fmt;
use std::net::IpAddr;

use bytes::{Bytes, BytesMut};
use thiserror::Error;
use zeroize::Zeroizing;

use crate::channel::{Channel, ChannelFilter, ChannelPolicy};
use crate::client_info::{self, MAX_STRING_BYTES, RewriteError};
use crate::gcc::{self, PatchError};
use crate::mcs::{self, Pdu};
use crate::quality::Quality;
use crate::read::Malformed;
use crate::x224::SecurityProtocols;

/// How many messages a client may send between Connect-Initial and Client Info: Erect Domain, Attach
/// User and a Join for each of 31 channels and the three that always are; doubled for odd clients.
pub const MAX_JOIN_MESSAGES: usize = 72;

/// What the gateway puts into the connection sequence.
#[derive(Clone, Debug)]
pub struct ConnectionSettings {
    /// Who logs on.
    pub logon: Logon,
    /// What the session runs.
    pub program: StartProgram,
    /// Replaces the client's name; cut at 15 UTF-16 units. `None` keeps it.
    pub client_name: Option<String>,
    /// Replaces the client's own idea of its address by what the gateway sees. `None` keeps it; a
    /// client of RDP 4 that sends none stays without.
    pub client_address: Option<IpAddr>,
    /// A Windows input locale such as 0x0407. `None` keeps the client's.
    pub keyboard_layout: Option<u32>,
    /// The protocol that the host selected from what the gateway, not the client, offered it.
    pub selected_protocol: SecurityProtocols,
    /// What the client offered in its own X.224 Connection Request, so that it finds it repeated in the
    /// host's answer. `None` leaves the answer as it is.
    pub client_requested_protocols: Option<SecurityProtocols>,
    /// Asks for 32 bits per pixel whatever the client wants. Without effect on clients older than
    /// RDP 5, which have no field for it.
    pub force_32_bpp: bool,
    /// Replaces what the client says of its network and asks the host to leave out; clients that say nothing
    /// of it are refused then. `None` leaves it to the client.
    pub quality: Option<Quality>,
    /// Which virtual channels the connection may use.
    pub channels: ChannelPolicy,
}

/// A logon for the host. Its password is wiped from memory when it is dropped and never shown.
#[derive(Clone)]
pub struct Logon {
    /// The account's name.
    pub user: String,
    /// The account's domain; empty for accounts of the host itself.
    pub domain: String,
    /// A password, or the secret of a one-time logon.
    pub password: Zeroizing<String>,
}

impl fmt::Debug for Logon {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Logon")
            .field("user", &self.user)
            .field("domain", &self.domain)
            .finish_non_exhaustive()
    }
}

/// What a session starts with ("alternate shell"). Empty strings give the host's desktop, whatever the
/// client asks for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StartProgram {
    /// The command line.
    pub command: String,
    /// Where it starts.
    pub directory: String,
}

/// A setting cannot stand in an RDP connection sequence.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum SettingsError {
    /// Longer than the field in the protocol.
    #[error("the {field} has {length} bytes in UTF-16; RDP has room for {MAX_STRING_BYTES}")]
    TooLong {
        /// Which setting.
        field: &'static str,
        /// Its length in UTF-16, in bytes.
        length: usize,
    },
    /// Contains the character that ends strings in RDP.
    #[error("the {field} contains a zero character")]
    ContainsZero {
        /// Which setting.
        field: &'static str,
    },
}

/// Who is to blame for an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Party {
    /// The program on the user's side.
    Client,
    /// The session host.
    Host,
}

impl Party {
    /// The one at the other end.
    pub fn other(self) -> Self {
        match self {
            Self::Client => Self::Host,
            Self::Host => Self::Client,
        }
    }
}

impl fmt::Display for Party {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Client => "client",
            Self::Host => "host",
        })
    }
}

/// Why a connection sequence cannot go on. The connection is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum SequenceError {
    /// A message of the right kind in the wrong place.
    #[error("the {party} sent {found} where {expected} was expected")]
    OutOfOrder {
        /// Who sent it.
        party: Party,
        /// What came.
        found: &'static str,
        /// What should have come.
        expected: &'static str,
    },
    /// A message that is not what it should be.
    #[error("the {party}'s {message} is malformed: {reason}")]
    Malformed {
        /// Who sent it.
        party: Party,
        /// Which message.
        message: &'static str,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// The client goes on and on without logging on.
    #[error("the client sent more than {MAX_JOIN_MESSAGES} messages before its logon")]
    TooManyMessages,
    /// The client encrypts inside TLS, with keys that the gateway does not have.
    #[error("the client uses standard RDP security, which the gateway does not support")]
    StandardSecurity,
    /// The client cannot tell the host which security protocol is in use.
    #[error("the client is too old: it does not know TLS")]
    ClientTooOld,
    /// The client does not speak Unicode and a setting has characters beyond its code page.
    #[error("the client does not speak Unicode, and the {field} has characters that it cannot send")]
    NotRepresentable {
        /// Which setting.
        field: &'static str,
    },
    /// The host did not let the client into its conference (T.125 Result).
    #[error("the host refused the connection with MCS result {result}")]
    HostRefused {
        /// The result; zero would be success.
        result: u8,
    },
}

impl SequenceError {
    /// Who is to blame.
    pub fn party(&self) -> Party {
        match self {
            Self::OutOfOrder { party, .. } | Self::Malformed { party, .. } => *party,
            Self::HostRefused { .. } => Party::Host,
            _ => Party::Client,
        }
    }
}

#[derive(Debug)]
enum State {
    /// The client has to open.
    ConnectInitial,
    /// The host has to answer; `channels` still lack their ids.
    ConnectResponse { channels: Vec<Channel> },
    /// The client joins channels and then logs on.
    Joining { filter: ChannelFilter, messages: usize },
    /// The Client Info has gone to the host.
    Done { filter: ChannelFilter },
}

/// Carries one connection from its first MCS message to its logon.
#[derive(Debug)]
pub struct Rewriter {
    settings: ConnectionSettings,
    state: State,
}

impl Rewriter {
    /// A rewriter that puts these settings into a connection.
    ///
    /// # Errors
    /// When a setting does not fit into the protocol.
    pub fn new(settings: ConnectionSettings) -> Result<Self, SettingsError> {
        for (field, text) in [
            ("user name", settings.logon.user.as_str()),
            ("domain", &settings.logon.domain),
            ("password", &settings.logon.password),
            ("start program", &settings.program.command),
            ("working directory", &settings.program.directory),
        ] {
            let length = 2 * text.encode_utf16().count();
            if length > MAX_STRING_BYTES {
                return Err(SettingsError::TooLong { field, length });
            }
            if text.contains('\0') {
                return Err(SettingsError::ContainsZero { field });
            }
        }
        Ok(Self { settings, state: State::ConnectInitial })
    }

    /// Whether the logon has gone to the host, so that nothing more is rewritten.
    pub fn is_done(&self) -> bool {
        matches!(self.state, State::Done { .. })
    }

    /// The filter for the rest of the connection, or `None` if the sequence is not done.
    pub fn finish(self) -> Option<ChannelFilter> {
        match self.state {
            State::Done { filter } => Some(filter),
            _ => None,
        }
    }

    /// Takes one whole message from the client and returns what goes to the host in its place.
    ///
    /// The message with the logon wipes its memory when the last handle to it is dropped. Messages
    /// after it are returned as they are.
    ///
    /// # Errors
    /// See [`SequenceError`]; the state does not change.
    pub fn client_frame(&mut self, frame: Bytes) -> Result<Bytes, SequenceError> {
        let pdu = match self.state {
            State::Done { .. } => return Ok(frame),
            _ => mcs::classify(&frame).map_err(malformed(Party::Client, "message"))?,
        };
        match (&mut self.state, pdu) {
            // A client may give up at any time.
            (_, Pdu::DisconnectUltimatum) => Ok(frame),
            (State::ConnectInitial, Pdu::ConnectInitial) => self.connect_initial(&frame),
            (
                State::Joining { messages, .. },
                Pdu::ErectDomain | Pdu::AttachUserRequest | Pdu::JoinRequest,
            ) => {
                *messages += 1;
                if *messages > MAX_JOIN_MESSAGES {
                    return Err(SequenceError::TooManyMessages);
                }
                Ok(frame)
            }
            (State::Joining { filter, .. }, Pdu::SendDataRequest) => {
                let rewritten = rewritten_logon(&frame, filter.io_channel(), &self.settings)?;
                self.log_on();
                Ok(rewritten)
            }
            (state, found) => {
                let expected = match state {
                    State::ConnectInitial => Pdu::ConnectInitial.name(),
                    State::ConnectResponse { .. } => "nothing before the host's answer",
                    _ => "a channel join or the Client Info",
                };
                Err(SequenceError::OutOfOrder { party: Party::Client, found: found.name(), expected })
            }
        }
    }

    /// Takes one whole message from the host and returns what goes to the client in its place: the same
    /// bytes, but for the protocols repeated in Connect-Response.
    ///
    /// # Errors
    /// See [`SequenceError`]; the state does not change.
    pub fn host_frame(&mut self, frame: Bytes) -> Result<Bytes, SequenceError> {
        match &self.state {
            State::Joining { .. } | State::Done { .. } => return Ok(frame),
            State::ConnectInitial | State::ConnectResponse { .. } => {}
        }
        let pdu = mcs::classify(&frame).map_err(malformed(Party::Host, "message"))?;
        match (&mut self.state, pdu) {
            (_, Pdu::DisconnectUltimatum) => Ok(frame),
            (State::ConnectResponse { channels }, Pdu::ConnectResponse) => {
                let channels = std::mem::take(channels);
                match connect_response(&frame, &channels, &self.settings) {
                    Ok((filter, patched)) => {
                        self.state = State::Joining { filter, messages: 0 };
                        Ok(patched.unwrap_or(frame))
                    }
                    Err(error) => {
                        self.state = State::ConnectResponse { channels };
                        Err(error)
                    }
                }
            }
            (state, found) => {
                let expected = match state {
                    State::ConnectResponse { .. } => Pdu::ConnectResponse.name(),
                    _ => "nothing before the client's Connect-Initial",
                };
                Err(SequenceError::OutOfOrder { party: Party::Host, found: found.name(), expected })
            }
        }
    }

    fn connect_initial(&mut self, frame: &Bytes) -> Result<Bytes, SequenceError> {
        let malformed = malformed(Party::Client, "Connect-Initial");
        let user_data = mcs::connect_initial(frame).map_err(malformed)?;
        let mut patched = BytesMut::from(&frame[..]);
        let requested =
            gcc::patch_request(&mut patched, user_data, &self.settings).map_err(|error| match error {
                PatchError::Malformed(reason) => malformed(reason),
                PatchError::TooOld => SequenceError::ClientTooOld,
            })?;
        self.state = State::ConnectResponse { channels: requested.channels };
        Ok(patched.freeze())
    }

    /// The Client Info is rewritten: the password is not needed any more.
    fn log_on(&mut self) {
        self.settings.logon.password = Zeroizing::new(String::new());
        self.state = match std::mem::replace(&mut self.state, State::ConnectInitial) {
            State::Joining { filter, .. } => State::Done { filter },
            other => other,
        };
    }
}

/// The Client Info with the settings in it.
fn rewritten_logon(
    frame: &Bytes,
    io_channel: u16,
    settings: &ConnectionSettings,
) -> Result<Bytes, SequenceError> {
    let malformed = malformed(Party::Client, "Client Info");
    let envelope = mcs::send_data(frame).map_err(malformed)?;
    // On another channel the host would not take it for one, and wait for the next.
    if envelope.channel != io_channel || !client_info::is_client_info(&frame[envelope.user_data.clone()]) {
        return Err(SequenceError::OutOfOrder {
            party: Party::Client,
            found: "data",
            expected: "a channel join or the Client Info",
        });
    }
    let rewritten = client_info::rewrite(frame, &envelope, settings).map_err(|error| match error {
        RewriteError::Malformed(reason) => malformed(reason),
        RewriteError::Encrypted => SequenceError::StandardSecurity,
        RewriteError::NotRepresentable(field) => SequenceError::NotRepresentable { field },
    })?;
    Ok(Bytes::from_owner(rewritten))
}

/// Gives the channels their ids. The second value is the frame if it had to change.
fn connect_response(
    frame: &Bytes,
    channels: &[Channel],
    settings: &ConnectionSettings,
) -> Result<(ChannelFilter, Option<Bytes>), SequenceError> {
    let malformed = malformed(Party::Host, "Connect-Response");
    let (result, user_data) = mcs::connect_response(frame).map_err(malformed)?;
    if result != 0 {
        return Err(SequenceError::HostRefused { result });
    }
    let (granted, requested_at) = gcc::read_response(frame, user_data).map_err(malformed)?;
    if granted.channel_ids.len() > channels.len() {
        return Err(malformed(Malformed("it grants more channels than the client asked for")));
    }
    let mut channels = channels.to_vec();
    for (channel, id) in channels.iter_mut().zip(granted.channel_ids) {
        channel.id = id;
    }
    let patched = settings.client_requested_protocols.zip(requested_at).map(|(protocols, at)| {
        let mut patched = BytesMut::from(&frame[..]);
        gcc::write_requested(&mut patched, at, protocols);
        patched.freeze()
    });
    Ok((ChannelFilter::new(channels, granted.io_channel, &settings.channels), patched))
}

fn malformed(party: Party, message: &'static str) -> impl Fn(Malformed) -> SequenceError + Copy {
    move |Malformed(reason)| SequenceError::Malformed { party, message, reason }
}

#[cfg(test)]
mod tests;
