//! Use cases: load a snapshot, ask a rule, act, write the outcome. One noun is one file.

pub mod administrators;
pub mod audit;
pub mod client;
pub mod credential;
pub mod documents;
pub mod effective_access;
pub mod explain;
pub mod factor;
pub mod host;
pub mod hours;
pub mod icon;
pub mod launch;
pub mod objects;
pub mod policy;
pub mod refused_tokens;
pub mod resource;
pub mod session;
pub mod sign_in;
pub mod token_uses;
pub mod user_state;
pub mod welcome;
