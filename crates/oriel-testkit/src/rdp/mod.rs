//! RDP from both ends, for tests and benchmarks: a [host](RdpHost) that gateways dial, and a
//! [client](RdpClient) that behaves as the browser's does.
//!
//! Both speak with the decoders and encoders of `ironrdp-pdu`, so that what the gateway rewrites by
//! hand is read back by somebody else's code. The sequences are written out here instead of taken
//! from `ironrdp-server` and `ironrdp-connector`: those do not show what a client asked for, cannot
//! stall or flood, and bring a second provider of cryptography into the very process whose TLS is
//! being tested. Where somebody else's sequence is wanted there is [`crate::independent_host`].
//!
//! Deliberately absent: decoding of pictures, dynamic channels, network level authentication.

mod client;
mod connection;
mod frames;
mod host;
mod host_sequence;
mod opening;

pub use client::{Closed, RdpClient, Received, Refusal, clean_path_error};
pub use connection::{End, HostConnection, Seen};
pub use frames::{Frame, Frames, user_data_of};
pub use host::{Behaviour, Picture, RdpHost, Stage};
pub use opening::{ClientOptions, clean_path_request, client_info, connect_initial, joins};

/// The I/O channel of a synthetic host.
pub const IO_CHANNEL: u16 = 1003;
/// The user channel that it hands out.
pub const USER_CHANNEL: u16 = 1002;
