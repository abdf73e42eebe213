//! Passwords and tokens: by prompt, standard input or file, never as an argument, since other users
//! of the machine can read command lines.

use std::{
    fs,
    io::{self, BufRead, IsTerminal, Read, Write},
    path::{Path, PathBuf},
};

use clap::Args;
use rustix::termios::{LocalModes, OptionalActions, tcgetattr, tcsetattr};
use zeroize::Zeroizing;

use crate::failure::{Failure, Outcome};

/// Longest secret that is read, in bytes; real ones are far below.
const LENGTH_MAX: u64 = 64 * 1024;

/// Where a password comes from; without an option it is asked for.
#[derive(Debug, Clone, Default, Args)]
pub struct PasswordSource {
    /// Read the password from the first line of standard input
    #[arg(long)]
    pub password_stdin: bool,
    /// Read the password from the first line of this file
    #[arg(long, value_name = "FILE", conflicts_with = "password_stdin")]
    pub password_file: Option<PathBuf>,
}

impl PasswordSource {
    /// Reads the password; asks twice when a person types it.
    pub fn read(&self, prompt: &str) -> Outcome<Zeroizing<String>> {
        if self.password_stdin {
            return from_stdin();
        }
        if let Some(path) = &self.password_file {
            return from_file(path);
        }
        let first = ask(prompt)?;
        if *ask("Once more: ")? != *first {
            return Err(Failure::Usage("the two passwords differ: nothing was changed".into()));
        }
        Ok(first)
    }
}

/// The first line of a file.
pub fn from_file(path: &Path) -> Outcome<Zeroizing<String>> {
    let failed = |error: io::Error| Failure::Usage(format!("cannot read {}: {error}", path.display()));
    let mut text = Zeroizing::new(String::new());
    fs::File::open(path).map_err(failed)?.take(LENGTH_MAX).read_to_string(&mut text).map_err(failed)?;
    first_line(&text).ok_or_else(|| Failure::Usage(format!("{} is empty", path.display())))
}

/// The first line of standard input.
pub fn from_stdin() -> Outcome<Zeroizing<String>> {
    let mut text = Zeroizing::new(String::new());
    io::stdin()
        .lock()
        .take(LENGTH_MAX)
        .read_line(&mut text)
        .map_err(|error| Failure::Usage(format!("cannot read standard input: {error}")))?;
    first_line(&text).ok_or_else(|| Failure::Usage("standard input is empty".into()))
}

/// Asks on the terminal without showing what is typed.
pub fn ask(prompt: &str) -> Outcome<Zeroizing<String>> {
    let failed =
        |error: &dyn std::fmt::Display| Failure::Usage(format!("cannot ask on the terminal: {error}"));
    if !io::stdin().is_terminal() {
        return Err(Failure::Usage(
            "there is no terminal to ask on: give the secret on standard input or in a file (see --help)"
                .into(),
        ));
    }
    let mut terminal =
        fs::OpenOptions::new().read(true).write(true).open("/dev/tty").map_err(|error| failed(&error))?;
    let before = tcgetattr(&terminal).map_err(|error| failed(&error))?;
    let mut silent = before.clone();
    silent.local_modes.remove(LocalModes::ECHO);
    terminal.write_all(prompt.as_bytes()).map_err(|error| failed(&error))?;
    tcsetattr(&terminal, OptionalActions::Flush, &silent).map_err(|error| failed(&error))?;
    let mut text = Zeroizing::new(String::new());
    let read = io::BufReader::new(&terminal).take(LENGTH_MAX).read_line(&mut text);
    let restored = tcsetattr(&terminal, OptionalActions::Flush, &before);
    let _ = writeln!(terminal);
    read.map_err(|error| failed(&error))?;
    restored.map_err(|error| failed(&error))?;
    first_line(&text).ok_or_else(|| Failure::Usage("nothing was typed: nothing was changed".into()))
}

fn first_line(text: &str) -> Option<Zeroizing<String>> {
    let line = text.lines().next().unwrap_or_default();
    (!line.is_empty()).then(|| Zeroizing::new(line.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_first_line_counts_and_blanks_within_it_stay() {
        assert_eq!(first_line("correct horse \nrest").as_deref().map(String::as_str), Some("correct horse "));
        assert_eq!(first_line("\r\n"), None);
        assert_eq!(first_line(""), None);
    }
}
