//! The agent of a session host: what runs on a machine that has sessions, reports them to the brokers and
//! carries out what they ask.
//!
//! - [`host`] is the port to the session host's software; [`xrdp`] is its first adapter.
//! - [`logon`] makes one-time logons, [`pam`] is how they come back; [`session`] is the program inside each
//!   session.
//! - [`admission`] and [`logon_mode`] say whether the host takes one more; [`load`] how busy it is.
//! - `service` carries out what brokers ask over a `link` to each, and reports; [`Agent`] ties it together.
//! - [`apps`] lists what could be published, [`documents`] finds what programs open, [`accounts`] finds or
//!   makes the users' accounts.
//! - [`cpu`] keeps one user's programs from slowing all others; [`power`] restarts and stops the machine,
//!   `wake` wakes others.
//!
//! Deliberately absent: the settings store, directories, any HTTP server, and every decision on who may
//! use what. Brokers decide; the agent knows its machine.

#![cfg_attr(test, allow(clippy::unwrap_used))]

pub mod accounts;
pub mod admission;
mod agent;
pub mod apps;
mod config;
mod convert;
pub mod cpu;
pub mod documents;
pub mod hooks;
pub mod host;
mod link;
pub mod load;
pub mod logon;
pub mod logon_mode;
pub mod pam;
pub mod power;
pub mod proc;
mod service;
pub mod session;
mod state;
mod wake;
pub mod xrdp;

pub use agent::{Agent, BindError, Bound};
pub use config::AgentConfig;
