//! Inside a session: the one program that the session software starts in every X session.
//!
//! It runs as the user, asks the agent over a socket what the session is for, starts the window manager
//! and the program or the desktop, gives their windows the wanted form, reports windows and idle time, shows messages, and ends the session's
//! programs when told to. The session ends when it exits. All dealings with the user's X server happen
//! here, so that the agent, which is root, never reads what a user's programs wrote.
//!
//! Deliberately absent: timers and reasons. How long a session may linger is the agent's decision.

mod dead_mounts;
mod dialog;
mod environment;
mod programs;
pub(crate) mod protocol;
mod start;
mod windows;
mod x11;

pub use start::run;

/// Variable with the path of the agent's socket; the session software passes it on.
pub(crate) const SOCKET_VARIABLE: &str = "ORIEL_AGENT_SOCKET";
/// Variable with the name that was logged on with, where the session software has another in `USER`.
pub(crate) const LOGON_VARIABLE: &str = "ORIEL_LOGON";
/// Variable that every process of a session inherits: the session's id. It finds the programs that have
/// left the process tree.
pub(crate) const SESSION_VARIABLE: &str = "ORIEL_SESSION";
/// Variable that the processes of one program inherit: its number within the session. It tells whose a
/// window is.
pub(crate) const PROGRAM_VARIABLE: &str = "ORIEL_PROGRAM";
