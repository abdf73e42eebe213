//! Sessions: one user's use of one host, across reconnects. They belong to the host they run on;
//! nothing here is stored.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Kind, id::Noun};

/// Marker for session ids. A session's id is made by the broker that proposes it.
#[derive(Debug)]
pub enum Session {}

impl Noun for Session {
    const SETTINGS: Option<Kind> = None;
}

/// Marker for connection ids: one client attachment to a session.
#[derive(Debug)]
pub enum Connection {}

impl Noun for Connection {
    const SETTINGS: Option<Kind> = None;
}

/// State of a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SessionState {
    /// The seat is reserved; nobody has logged on yet.
    Prepared,
    /// A client is attached.
    Active,
    /// Runs on without a client.
    Disconnected,
    /// Told to end; its programs have a moment to do so. There is no way back to it.
    Ending,
}

/// Why a session ended, or why a connection to it did. The client cannot tell these apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum EndReason {
    /// The program ended or the user logged off inside the session.
    LoggedOff,
    /// The user disconnected; the session runs on.
    Disconnected,
    /// The same user attached from elsewhere; the session runs on there.
    TakenOver,
    /// No input for longer than allowed; the session runs on.
    Idle,
    /// An administrator, or the user from the portal, logged it off.
    LoggedOffByRequest,
    /// An administrator disconnected it; the session runs on.
    DisconnectedByRequest,
    /// An administrator reset it.
    Reset,
    /// It was disconnected for longer than allowed.
    DisconnectedTooLong,
    /// The logon was refused: wrong, used or late secret.
    LogonRefused,
    /// Nobody logged on in time.
    NotReady,
    /// The connection's time was up.
    LimitReached,
    /// The hours in which the farm is open to the user are over; the session runs on.
    OutsideHours,
    /// The right to it was withdrawn.
    RightWithdrawn,
    /// The host's session software failed.
    HostFailed,
    /// The host cannot be reached.
    HostLost,
    /// The gateway is being closed.
    GatewayClosing,
    /// The network between client and gateway broke.
    NetworkLost,
}

impl EndReason {
    /// Whether the session itself is gone, not only the connection to it.
    pub fn ends_session(self) -> bool {
        matches!(
            self,
            EndReason::LoggedOff
                | EndReason::LoggedOffByRequest
                | EndReason::Reset
                | EndReason::DisconnectedTooLong
                | EndReason::LogonRefused
                | EndReason::NotReady
                | EndReason::HostFailed
        )
    }

    /// The word used in the API and on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            EndReason::LoggedOff => "logged_off",
            EndReason::Disconnected => "disconnected",
            EndReason::TakenOver => "taken_over",
            EndReason::Idle => "idle",
            EndReason::LoggedOffByRequest => "logged_off_by_request",
            EndReason::DisconnectedByRequest => "disconnected_by_request",
            EndReason::Reset => "reset",
            EndReason::DisconnectedTooLong => "disconnected_too_long",
            EndReason::LogonRefused => "logon_refused",
            EndReason::NotReady => "not_ready",
            EndReason::LimitReached => "limit_reached",
            EndReason::OutsideHours => "outside_hours",
            EndReason::RightWithdrawn => "right_withdrawn",
            EndReason::HostFailed => "host_failed",
            EndReason::HostLost => "host_lost",
            EndReason::GatewayClosing => "gateway_closing",
            EndReason::NetworkLost => "network_lost",
        }
    }

    /// Every reason.
    pub const ALL: [EndReason; 17] = [
        EndReason::LoggedOff,
        EndReason::Disconnected,
        EndReason::TakenOver,
        EndReason::Idle,
        EndReason::LoggedOffByRequest,
        EndReason::DisconnectedByRequest,
        EndReason::Reset,
        EndReason::DisconnectedTooLong,
        EndReason::LogonRefused,
        EndReason::NotReady,
        EndReason::LimitReached,
        EndReason::OutsideHours,
        EndReason::RightWithdrawn,
        EndReason::HostFailed,
        EndReason::HostLost,
        EndReason::GatewayClosing,
        EndReason::NetworkLost,
    ];

    /// Reads the word of [`EndReason::as_str`].
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.as_str() == word)
    }
}

/// Which virtual channels a connection may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ChannelPolicy {
    /// Text and pictures to and from the user's clipboard.
    pub clipboard: bool,
    /// The user's drives.
    pub drives: bool,
    /// The session's sound.
    pub audio: bool,
    /// The user's microphone.
    pub microphone: bool,
    /// The user's printers.
    pub printers: bool,
}

impl Default for ChannelPolicy {
    fn default() -> Self {
        Self { clipboard: true, drives: true, audio: true, microphone: true, printers: true }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_of_end_reasons_read_back_and_match_their_json() {
        for reason in EndReason::ALL {
            assert_eq!(EndReason::parse(reason.as_str()), Some(reason));
            assert_eq!(serde_json::to_value(reason).expect("json"), reason.as_str());
        }
    }
}
