//! Why a command failed, as sentences and an exit code.

use std::{fmt, process::ExitCode};

use oriel_model::validate::Mistake;

/// The result of a command.
pub type Outcome<T = ()> = Result<T, Failure>;

/// Why a command failed. A variant exists because scripts act on its exit code: [`EXIT_CODES`].
#[derive(Debug)]
pub enum Failure {
    /// Something did not work.
    Refused(String),
    /// The command line or a file named there is wrong. The exit code is that of clap's own errors.
    Usage(String),
    /// Nobody answered, or not the one who should.
    Unreachable(String),
    /// The token is not known, or may not do it.
    NotPermitted(String),
    /// There is no such object.
    NotFound(String),
    /// What is there stands against it: changed by somebody else meanwhile, in use, or the name is taken.
    Conflict(String),
    /// What was sent is not valid, with every field that is wrong.
    Invalid {
        /// What happened and what to do.
        text: String,
        /// Field by field.
        mistakes: Vec<Mistake>,
    },
    /// Not now: the farm or a host of it is busy or away.
    Busy(String),
    /// Two things that were compared differ.
    Different(String),
}

/// Every exit code with its meaning, for `--help` and the manual.
pub const EXIT_CODES: [(u8, &str); 10] = [
    (0, "done"),
    (1, "failed"),
    (2, "the command line or a file is wrong"),
    (3, "the broker was not reached"),
    (4, "not signed in, or not permitted"),
    (5, "there is no such object"),
    (6, "conflict: changed by somebody else meanwhile, in use, or the name is taken"),
    (7, "not valid: the fields are named"),
    (8, "busy, or away: try again later"),
    (9, "oriel diff --exit-code: there are differences"),
];

/// [`EXIT_CODES`] as text.
pub fn exit_codes() -> String {
    let lines = EXIT_CODES.iter().map(|(code, meaning)| format!("\n  {code}  {meaning}"));
    format!("Exit codes:{}", lines.collect::<String>())
}

impl Failure {
    /// A refusal of what was sent, field by field.
    pub fn invalid(text: impl Into<String>, mistakes: Vec<Mistake>) -> Self {
        Failure::Invalid { text: text.into(), mistakes }
    }

    /// The exit code: a row of [`EXIT_CODES`].
    pub fn number(&self) -> u8 {
        match self {
            Failure::Refused(_) => 1,
            Failure::Usage(_) => 2,
            Failure::Unreachable(_) => 3,
            Failure::NotPermitted(_) => 4,
            Failure::NotFound(_) => 5,
            Failure::Conflict(_) => 6,
            Failure::Invalid { .. } => 7,
            Failure::Busy(_) => 8,
            Failure::Different(_) => 9,
        }
    }

    /// The exit code as the system takes it.
    pub fn code(&self) -> ExitCode {
        ExitCode::from(self.number())
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Failure::Refused(text)
            | Failure::Usage(text)
            | Failure::Unreachable(text)
            | Failure::NotPermitted(text)
            | Failure::NotFound(text)
            | Failure::Conflict(text)
            | Failure::Busy(text)
            | Failure::Different(text) => f.write_str(text),
            Failure::Invalid { text, mistakes } => {
                f.write_str(text)?;
                for mistake in mistakes {
                    let field = if mistake.field.is_empty() { "(all of it)" } else { &mistake.field };
                    write!(f, "\n  {field}: {}", mistake.message)?;
                }
                Ok(())
            }
        }
    }
}

impl From<anyhow::Error> for Failure {
    fn from(error: anyhow::Error) -> Self {
        Failure::Refused(format!("{error:#}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_failure_has_a_row_of_its_own_in_the_table() {
        let text = String::new;
        let all = [
            Failure::Refused(text()),
            Failure::Usage(text()),
            Failure::Unreachable(text()),
            Failure::NotPermitted(text()),
            Failure::NotFound(text()),
            Failure::Conflict(text()),
            Failure::invalid("", Vec::new()),
            Failure::Busy(text()),
            Failure::Different(text()),
        ];
        let codes: Vec<_> = std::iter::once(0).chain(all.iter().map(Failure::number)).collect();
        let table: Vec<_> = EXIT_CODES.iter().map(|(code, _)| *code).collect();
        assert_eq!(codes, table);
        assert!(exit_codes().contains("5  there is no such object"));
    }
}
