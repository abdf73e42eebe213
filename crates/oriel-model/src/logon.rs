//! How long it took a user to get into a session, step by step.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What a launch took at the broker, in milliseconds. Sealed into the ticket, so that whoever hears of the
/// connection from its gateway knows it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LaunchTimes {
    /// Deciding: rules, limits, the user's own sessions, load, and the wait for the user's launch before.
    pub brokering_ms: u32,
    /// Asking hosts, until one had said yes.
    pub prepare_ms: u32,
}

/// The latest logon to a session, in milliseconds: what the user waited for, in this order. A step is none
/// until it is over, and where nobody measures it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LogonSteps {
    /// The broker found out what may be opened and on which host.
    pub brokering_ms: Option<u32>,
    /// A host made the seat and the one-time logon ready.
    pub prepare_ms: Option<u32>,
    /// From the client's arrival at the gateway until its logon had gone to the host. What the client did
    /// between the broker's answer and its arrival is in no step.
    pub connect_ms: Option<u32>,
    /// The part of `connect_ms` until the gateway had reached the host; the rest is the connection sequence
    /// of RDP, which goes back and forth between client and host.
    pub host_reached_ms: Option<u32>,
    /// The host checked the logon and started the session, or led the client to the one that ran.
    pub host_logon_ms: Option<u32>,
    /// What else passed from the logon until the first picture had gone to the client.
    pub first_picture_ms: Option<u32>,
    /// All steps together, once the first picture is there.
    pub total_ms: Option<u32>,
}
