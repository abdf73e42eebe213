//! The gateway: authorizes, connects, relays, and keeps authorizing; and serves the portal.
//!
//! It decides nothing and stores nothing. A sealed ticket carries all that one connection needs; a
//! stream to each broker ends connections whose right was withdrawn. [`Gateway::bind`] takes the ports,
//! [`Bound::run`] works until it is told to stop and then drains.
//!
//! The story of a user's connection is in `rdp`: the WebSocket opens (`rdp::open`), the ticket is
//! checked (`rdp::authorize`), the host is dialled (`rdp::host`), the connection sequence is rewritten
//! (`rdp::sequence`), and from then on bytes are relayed (`rdp::relay`).
//!
//! Deliberately absent: any database, directory or settings of users; decisions about who may do what
//! (the broker's); RDP itself (`oriel-rdp`); listeners and TLS (`oriel-net`).

mod brokers;
mod config;
mod connections;
mod elsewhere;
mod gateway;
mod keys;
pub mod limits;
mod link;
mod measures;
mod processor;
mod rdp;
mod replay;
mod shared;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
mod web;
mod websocket;

pub use config::{CertificateFiles, GatewayConfig};
pub use gateway::{BindError, Bound, Gateway};
