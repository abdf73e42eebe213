//! What the components of a farm say to each other.
//!
//! - [`v1`]: the messages and services of `proto/*.proto` (gRPC over mutual TLS), generated and
//!   committed; a test in `oriel-tests` keeps them equal to their source.
//! - [`invitation`]: the string by which a component joins.
//! - [`enrolment`]: the component's side of joining and of renewing its certificate.
//! - [`ticket`]: the sealed connection ticket, all that a gateway needs for one connection.
//! - [`portal`]: the names by which a gateway passes the portal's API calls on to a broker.
//! - [`failure`]: what went wrong between two of them, in words.
//! - [`convert`]: between wire words and the nouns of `oriel-model`.
//!
//! Deliberately absent: listeners and TLS themselves (`oriel-net`), the store.

pub mod convert;
pub mod enrolment;
pub mod failure;
pub mod invitation;
pub mod portal;
mod redact;
pub mod ticket;

/// Messages and services, version 1.
#[expect(missing_docs, clippy::all, reason = "generated; documented in proto/*.proto")]
pub mod v1 {
    include!("generated/oriel.v1.rs");
}

/// The longest that an agent waits before it tries its broker again. A broker that starts knows of sessions
/// only from agents, and keeps new ones back meanwhile, so it is short. A thousand agents that come again in
/// that time are two hundred handshakes a second, a fraction of what one core does.
pub const AGENT_RETRY_MAX: std::time::Duration = std::time::Duration::from_secs(5);

/// Largest message either side takes, in bytes: a report of a host at its session limit, or a list of
/// several hundred installed programs with icons, fits many times over.
pub const MESSAGE_BYTES_MAX: usize = 16 * 1024 * 1024;
