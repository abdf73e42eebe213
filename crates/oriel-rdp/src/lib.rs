//! Everything about RDP that the gateway needs when it stands between a client and a session host and
//! owns both TLS legs: cutting the streams into messages ([`frame`]), the browser's opening message
//! ([`clean_path`]), the security negotiation ([`x224`]), rewriting the connection sequence
//! ([`connection_sequence`]), keeping forbidden virtual channels silent ([`channel`]), hearing from
//! the host why it ended ([`host_notice`]), and seeing when its first picture comes ([`picture`]).
//!
//! All of it is sans-I/O: bytes in, bytes out, no clock, no sockets, no async. What is rewritten is
//! patched by hand in the client's own bytes, so that fields, flags and trailing blocks which nobody
//! here knows reach the host unchanged.
//!
//! Deliberately absent: decoding of pictures and input, TLS, CredSSP, standard RDP security (the
//! gateway speaks only TLS to hosts), and any decision about who may do what.
//!
//! Sections are those of [MS-RDPBCGR] where no other document is named.

#![cfg_attr(test, allow(clippy::unwrap_used))]

pub mod channel;
pub mod clean_path;
mod client_info;
pub mod connection_sequence;
mod deactivation;
pub mod frame;
mod gcc;
pub mod host_notice;
mod mcs;
pub mod picture;
pub mod quality;
mod read;
pub mod x224;

#[cfg(test)]
mod property_tests;
#[cfg(test)]
mod samples;
