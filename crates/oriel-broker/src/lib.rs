//! The connection broker: it decides who may open what, and where it runs.
//!
//! Reading order: [`config`] is what a node says, [`service`] binds and runs, [`bootstrap`] makes a
//! new farm, [`state`] is what everything shares. [`farm`] keeps the settings in memory, [`hosts`]
//! and [`gateways`] the streams of agents and gateways; [`app`] holds the use cases, [`http`] the
//! portal's and the administrators' API, [`enrolment`] lets components join.
//!
//! Deliberately absent: decisions (`oriel-rules`), SQL (`oriel-store`), RDP, and truth about sessions:
//! it lives on the hosts, and a broker that has just started knows it from their next reports.

pub mod app;
mod behind;
pub mod bootstrap;
pub mod certificates;
pub mod config;
pub mod connections;
pub mod directories;
pub mod enrolment;
pub mod farm;
pub mod gateways;
pub mod hosts;
pub mod http;
mod inbound;
mod notes;
pub mod notifications;
mod peer;
pub mod recovery;
pub mod schedules;
pub mod secret_key;
pub mod service;
pub mod session_proof;
pub mod sign_in_token;
pub mod state;
pub mod throttle;
pub mod ticket_keys;

pub use config::BrokerConfig;
pub use service::{Bound, bind};
pub use state::Broker;
