//! What every component of the farm needs between itself and the network: listeners, TLS and its
//! certificates, the byte relay, supervised tasks, the node file and the clock.
//!
//! Reading order: [`authority`] issues certificates, [`identity`] is what a node does with one,
//! [`tls`] turns both into rustls configurations, [`listener`] and [`incoming`] accept, [`connect`]
//! dials, [`serve`] runs HTTP on what was accepted, [`relay`] moves bytes.
//!
//! Deliberately absent: messages of the farm (`oriel-wire`), anything about RDP (`oriel-rdp`), the
//! store, and every decision about who may do what. This crate says who a peer *is*, never what it
//! may do.

#![cfg_attr(test, allow(clippy::unwrap_used))]

pub mod authority;
pub mod backoff;
pub mod clock;
pub mod connect;
pub mod door;
pub mod fingerprint;
pub mod identity;
pub mod incoming;
pub mod listener;
pub mod node_file;
#[cfg(feature = "pages")]
pub mod pages;
pub mod relay;
pub mod serve;
pub mod supervise;
pub mod tls;

pub use oriel_model::role::Role;
