//! The decisions: what rules say ([`rules`]), who sees what ([`access`]), which client policy
//! ([`policy`]) and which hours ([`logon_hours`]) hold and which clients are let in ([`clients`]), which
//! host a session is placed on ([`placement`]), how a launch is answered ([`launch`]), what is started
//! beforehand ([`prelaunch`]), what schedules do to hosts ([`schedule`]), how long a logon took ([`logon`]),
//! and when hosts and sessions are worth a look ([`thresholds`]).
//!
//! A decision takes a snapshot and the time, and returns a plan or a refusal with its reason. A refusal
//! is an answer, not an error.
//!
//! Deliberately absent: any clock, any I/O, tokio, the store.

pub mod access;
pub mod clients;
pub mod launch;
pub mod logon;
pub mod logon_hours;
pub mod notification;
pub mod ordered;
pub mod placement;
pub mod policy;
pub mod prelaunch;
pub mod rules;
pub mod schedule;
pub mod thresholds;
