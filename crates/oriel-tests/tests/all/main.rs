//! Every integration test, as modules of one binary: one link instead of dozens.

#![allow(clippy::unwrap_used, reason = "tests fail loudly")]

mod absence;
mod architecture;
mod backups;
mod command_line;
mod command_line_farm;
mod command_line_files;
mod command_line_live;
mod command_line_shells;
mod connection;
mod directories;
mod directory_people;
mod endings;
mod entitlement;
mod hostile;
mod hostile_rdp;
mod independent_host;
mod joining;
mod log_codes;
mod logs;
mod mail;
mod measures;
mod notifications;
mod outages;
mod placement;
mod policies;
mod pressure;
mod publishing;
mod radius;
mod roots;
mod schedules;
mod settings;
mod sign_in;
mod storm;
mod why;
mod wire_generated;
