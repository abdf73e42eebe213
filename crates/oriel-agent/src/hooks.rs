//! The subcommands that others call: PAM, and the session software in every session. They are not for
//! people, and they must start fast, so a binary looks for them before anything else.

use std::{ffi::OsString, path::PathBuf, process::ExitCode};

use crate::{pam, session};

/// Runs the hook that the arguments (without the program's own name) name; `None` if they name none:
///
/// - `agent pam-logon --socket PATH`
/// - `agent pam-session --socket PATH`
/// - `agent session-start`
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> Option<ExitCode> {
    let arguments: Vec<OsString> = arguments.into_iter().take(5).collect();
    let words: Vec<&str> = arguments.iter().map(|word| word.to_str().unwrap_or_default()).collect();
    match words.as_slice() {
        ["agent", "session-start"] => Some(session::run()),
        ["agent", step @ ("pam-logon" | "pam-session"), "--socket", _] => {
            let socket = PathBuf::from(&arguments[3]);
            Some(if *step == "pam-logon" { pam::logon(&socket) } else { pam::session(&socket) })
        }
        _ => None,
    }
}
