//! Use cases: load a snapshot, ask a rule, act, write the outcome. One noun is one file.

pub mod audit;
pub mod credential;
pub mod documents;
pub mod explain;
pub mod icon;
pub mod launch;
pub mod objects;
pub mod resource;
pub mod session;
pub mod sign_in;
pub mod user_state;
