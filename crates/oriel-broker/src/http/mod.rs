//! What is spoken over HTTP: the portal's API, passed on by gateways, and the administrators' API with their portal's pages.

pub mod admin;
mod pages;
pub mod portal;
pub mod problem;

pub use problem::{ApiError, Problem};

use std::net::SocketAddr;

/// Who is at the other end of the TCP connection: an extension of every request, on all listeners.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PeerAddress(pub SocketAddr);
