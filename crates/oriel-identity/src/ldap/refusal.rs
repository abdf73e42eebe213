//! Why a directory did not do what it was asked for.

use std::time::Duration;

use super::settings::Server;
use crate::directory::Refused;

/// Nothing could be learnt from the directory.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotAsked {
    /// It is asked as whoever signs in, and nobody does.
    #[error("this directory has no service account, which looking people up without their password needs")]
    NoServiceAccount,
    /// As many requests as the directory is given at once are waiting for it already.
    #[error("too many requests are waiting for the directory")]
    Busy,
    /// No server could be asked, each with why; or what one holds cannot be used.
    #[error("{0}")]
    Unavailable(String),
}

impl From<NotAsked> for Refused {
    fn from(reason: NotAsked) -> Self {
        match reason {
            NotAsked::Busy => Refused::Busy,
            NotAsked::NoServiceAccount | NotAsked::Unavailable(_) => Refused::Unavailable(reason.to_string()),
        }
    }
}

/// Why a new password was not taken, for the person who chose it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PasswordRefused {
    /// Name and old password do not let them in, or their account is shut.
    #[error(transparent)]
    NotThem(#[from] Refused),
    /// The directory's rules for passwords forbid it, for one of these reasons, or one that it does not tell.
    #[error("the directory does not take this password: {}", sentence(.0))]
    Rules(Vec<Rule>),
    /// The directory does not let people change their passwords, or not this person.
    #[error("the directory does not let this person change their password")]
    Forbidden,
    /// An expired password is changed by the service account, and this directory has none.
    #[error("an expired password cannot be changed here: the directory has no service account")]
    NeedsServiceAccount,
}

/// A rule of a directory for new passwords.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rule {
    /// Too few characters.
    TooShort {
        /// How many are needed, if the directory tells.
        least: Option<u32>,
    },
    /// Too many characters.
    TooLong,
    /// Not made of enough kinds of characters, or it holds the person's name.
    TooSimple,
    /// They had it before.
    UsedBefore {
        /// How many old ones are remembered, if the directory tells.
        remembered: Option<u32>,
    },
    /// The present one is too new to be changed.
    TooSoon,
}

impl std::fmt::Display for Rule {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Rule::TooShort { least: Some(least) } => write!(f, "it needs at least {least} characters"),
            Rule::TooShort { least: None } => f.write_str("it is too short"),
            Rule::TooLong => f.write_str("it is too long"),
            Rule::TooSimple => f.write_str(
                "it needs three of capital letters, small letters, digits and signs, and must not hold the name",
            ),
            Rule::UsedBefore { remembered: Some(count) } => {
                write!(f, "it must differ from the last {count} passwords")
            }
            Rule::UsedBefore { remembered: None } => f.write_str("it was used before"),
            Rule::TooSoon => f.write_str("the present password is too new to be changed"),
        }
    }
}

fn sentence(rules: &[Rule]) -> String {
    match rules {
        [] => "it is too short, too simple or was used before, or the present one is too new".to_owned(),
        rules => rules.iter().map(Rule::to_string).collect::<Vec<_>>().join("; or "),
    }
}

/// What came of asking every server once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    /// Each server, in the order of the settings.
    pub servers: Vec<ServerCheck>,
}

impl Check {
    /// The server that would be asked: the first that can be.
    pub fn answering(&self) -> Option<&Server> {
        self.servers.iter().find(|check| check.outcome.is_ok()).map(|check| &check.server)
    }
}

/// What came of asking a server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerCheck {
    /// Which.
    pub server: Server,
    /// What it holds, or in words what is wrong and what to do.
    pub outcome: Result<Answering, String>,
}

/// A server that can be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answering {
    /// How long connecting, binding and asking took.
    pub took: Duration,
    /// What it calls itself, if it does: the DNS name of a domain controller, or the product.
    pub name: Option<String>,
}
