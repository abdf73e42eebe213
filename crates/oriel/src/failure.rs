//! Why a command failed, as a sentence and an exit code.

use std::{fmt, process::ExitCode};

/// The result of a command.
pub type Outcome<T = ()> = Result<T, Failure>;

/// Why a command failed. A variant exists because scripts act on its exit code.
#[derive(Debug)]
pub enum Failure {
    /// The farm said no, or something did not work. Exit code 1.
    Refused(String),
    /// The command line or a file named there is wrong. Exit code 2, as for clap's own errors.
    Usage(String),
    /// Nobody answered, or not the one who should. Exit code 3.
    Unreachable(String),
}

impl Failure {
    /// The exit code.
    pub fn code(&self) -> ExitCode {
        ExitCode::from(match self {
            Failure::Refused(_) => 1,
            Failure::Usage(_) => 2,
            Failure::Unreachable(_) => 3,
        })
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Failure::Refused(text) | Failure::Usage(text) | Failure::Unreachable(text) => f.write_str(text),
        }
    }
}

impl From<anyhow::Error> for Failure {
    fn from(error: anyhow::Error) -> Self {
        Failure::Refused(format!("{error:#}"))
    }
}
