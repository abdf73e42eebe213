//! RADIUS (RFC 2865) as a second factor: a server elsewhere says whether somebody may come in, and may ask
//! them for codes first, as often as it wants.
//!
//! The middle is pure: packets ([`packet`]), ways to prove a password ([`password`], [`mschap`]), what is asked
//! and what an answer means ([`request`], [`answer`]), when to send again ([`attempts`]), and which server goes
//! first ([`health`]). They read no clock, open no socket and roll no dice: time and random numbers are
//! arguments. Around it lies a thin edge of UDP ([`sockets`], [`client`]).
//!
//! RADIUS signs with MD5, which has been broken for this use (CVE-2024-3596, "BlastRADIUS"). What still holds
//! is Message-Authenticator, HMAC-MD5 over the whole packet: every request begins with it, and an answer
//! without it is dropped unless the settings of that server allow it.
//!
//! Deliberately absent: accounting, EAP, RADIUS over TLS, Proxy-State (we are never a proxy), and where
//! settings, secrets and half-done sign-ins are kept: that is the caller's.

mod answer;
mod attempts;
mod attribute;
mod client;
mod conversation;
mod dictionary;
mod error;
mod health;
mod mschap;
mod packet;
mod password;
mod preset;
mod request;
mod settings;
mod sockets;
mod value;
mod vendor_format;

#[cfg(test)]
mod tests;

pub use answer::{Accepted, Challenge, Outcome, Rejected};
pub use attribute::{Attribute, Named};
pub use client::{Checked, Radius};
pub use conversation::{BYTES_MAX, Conversation, ROUNDS_MAX};
pub use dictionary::{AttributeError, Dictionary, DictionaryError, Listed};
pub use error::{Dropped, Failure, Malformed, RadiusError, ServerFailure};
pub use preset::{Action, PRESETS, Preset};
pub use settings::{
    Encoding, Mode, PORT, RETRIES_MAX, SECRET_MAX, Server, Settings, SettingsError, SharedSecret, TIMEOUT_MAX,
};
pub use value::{Kind, Value};
