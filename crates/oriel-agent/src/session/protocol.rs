//! What the agent and the program inside a session say to each other: one JSON document per line.
//!
//! The program inside the session dials, again and again while the agent is away, so that a restarted
//! agent finds all its sessions within seconds.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::host::{Program, SessionId, Start};

/// Longest line taken from either side, in bytes: a message's text is bounded far below.
pub(crate) const LINE_BYTES_MAX: usize = 64 * 1024;

/// From the session to the agent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum FromSession {
    /// First line. `has_begun` after a lost connection: the session runs already.
    Hello {
        /// The name that was logged on with.
        logon_name: String,
        /// Whether the session has had its [`Begin`].
        has_begun: bool,
    },
    /// What is open has changed.
    Open {
        /// Whether a program runs, as far as the user can tell.
        is_running: bool,
        /// Names of the programs with a window.
        programs: Vec<String>,
        /// The resources whose programs run.
        #[serde(default)]
        resources: Vec<String>,
    },
    /// Time since the last input.
    Idle {
        /// In seconds.
        secs: u64,
    },
    /// The session ends by itself, and why.
    Over {
        /// A sentence.
        detail: String,
    },
}

/// From the agent to the session.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ToSession {
    /// What the session is for.
    Begin(Box<Begin>),
    /// Open one more program.
    Open(Box<Opening>),
    /// Bring the window of a resource's program to the front.
    BringToFront {
        /// The resource, a UUID.
        resource: String,
        /// Resources that are open in the same program, for a resource without a window of its own.
        #[serde(default)]
        same_program: Vec<String>,
    },
    /// Show a message.
    Message {
        /// Its title.
        title: String,
        /// Its text.
        text: String,
    },
    /// End all programs and the session.
    LogOff {
        /// How long programs have to finish, in seconds.
        grace_secs: u64,
    },
}

/// A program, and what it is opened for.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Opening {
    /// The program.
    #[serde(flatten)]
    pub(crate) program: Program,
    /// The published resource, a UUID; empty for none.
    #[serde(default)]
    pub(crate) resource: String,
}

/// All that a session needs to begin.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Begin {
    /// Which session this is.
    pub(crate) session: SessionId,
    /// The account's own name (the logon name is another).
    pub(crate) account: String,
    /// Its home.
    pub(crate) home: PathBuf,
    /// Its login shell.
    pub(crate) shell: String,
    /// What to start.
    pub(crate) start: Start,
    /// The published resource that this is, a UUID; empty for none.
    #[serde(default)]
    pub(crate) resource: String,
    /// The command of a desktop; `None`: the first known one that is installed.
    pub(crate) desktop_command: Option<String>,
    /// Folder with the window manager's configurations.
    pub(crate) window_manager: PathBuf,
    /// Folder for sockets and the like, if the system made none.
    pub(crate) runtime_dir: PathBuf,
}
