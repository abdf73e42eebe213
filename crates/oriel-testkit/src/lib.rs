//! What integration tests and benchmarks are made of: a whole farm in one process, simulated agents
//! that speak the real protocol, a synthetic RDP host, clients, and real session hosts.
//!
//! Nothing here is a mock of Oriel's own parts: brokers and gateways are the real ones, joined by real
//! invitations, talking over real mutual TLS on loopback.

#![expect(clippy::unwrap_used, reason = "a test kit fails loudly where it is used")]

pub mod agent;
pub mod certificates;
pub mod clock;
pub mod farm;
pub mod freeradius;
pub mod http;
pub mod independent_host;
pub mod namespace;
pub mod observe;
pub mod processes;
pub mod rdp;
pub mod samba;
pub mod slapd;
pub mod tls;
pub mod wait;
