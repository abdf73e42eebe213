//! The decisions: what rules say ([`rules`]), who sees what ([`access`]), which host a session is placed
//! on ([`placement`]), and how a launch is answered ([`launch`]).
//!
//! A decision takes a snapshot and the time, and returns a plan or a refusal with its reason. A refusal
//! is an answer, not an error.
//!
//! Deliberately absent: any clock, any I/O, tokio, the store.

pub mod access;
pub mod launch;
pub mod placement;
pub mod rules;
