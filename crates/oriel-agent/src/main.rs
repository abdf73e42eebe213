//! The slim binary for session hosts.

use std::process::ExitCode;

fn main() -> ExitCode {
    oriel_agent::hooks::run(std::env::args_os().skip(1)).unwrap_or_else(|| {
        eprintln!("usage: oriel-agent agent (pam-logon | pam-session) --socket PATH, oriel-agent agent session-start");
        ExitCode::from(2)
    })
}
