//! Every integration test, as modules of one binary: one link instead of dozens.

#![allow(clippy::unwrap_used, reason = "tests fail loudly")]

mod absence;
mod architecture;
mod command_line;
mod connection;
mod endings;
mod entitlement;
mod hostile;
mod hostile_rdp;
mod independent_host;
mod joining;
mod logs;
mod outages;
mod placement;
mod policies;
mod pressure;
mod publishing;
mod schedules;
mod settings;
mod sign_in;
mod storm;
mod why;
mod wire_generated;
