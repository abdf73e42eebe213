//! The nouns of Oriel: their ids, limits and settings specs.
//!
//! Everything an administrator sets is a settings object ([`object`]): kind, name, site, spec and
//! revision. The specs here are the public contract of the REST API, so they derive their JSON
//! schema. One noun is one file.
//!
//! Deliberately absent: any clock, any I/O, tokio. Decisions about these nouns are in
//! `oriel-rules`.

pub mod administrator;
pub mod broker;
pub mod directory;
pub mod farm;
pub mod gateway;
pub mod group;
pub mod host;
pub mod icon;
pub mod id;
pub mod inherit;
pub mod invitation;
pub mod keyboard;
mod kinds;
pub mod logon;
pub mod logon_hours;
pub mod network;
pub mod notification;
pub mod object;
pub mod permission;
pub mod policy;
pub mod pool;
pub mod reference;
pub mod resource;
pub mod role;
pub mod rule;
pub mod schedule;
pub mod session;
pub mod site;
pub mod sorted;
pub mod token;
pub mod user;
pub mod validate;

pub use id::{Id, Noun};
pub use jiff::Timestamp;
pub use object::{Kind, Object, SettingsObject, Spec};
