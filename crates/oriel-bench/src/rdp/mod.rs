//! Light ends of a relayed session, so that what stands between them is what is measured: a scripted
//! host ([`host`]) and a scripted client ([`client`]), over TLS ([`tls`]) and, for the client,
//! WebSocket ([`websocket`]). Both know only the messages of [`script`] and the sizes of [`picture`].
//!
//! They are plain threads on blocking sockets: the least that can be done per byte. Deliberately
//! absent: licences, capabilities, pictures. A gateway relays those without a look, so they cost it
//! what any other bytes cost.

pub mod client;
pub mod host;
pub mod picture;
pub mod script;
pub mod tls;
pub mod websocket;
