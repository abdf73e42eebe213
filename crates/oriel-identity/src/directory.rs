//! The port to a directory of people.

use async_trait::async_trait;
use jiff::Timestamp;
use oriel_model::{Id, user::User};
use zeroize::Zeroizing;

use crate::name::normalised;

/// Knows people and their passwords.
#[async_trait]
pub trait Directory: Send + Sync {
    /// Whether this name and password belong together. The same work is done for every answer that
    /// [`Refused::answer`] gives as [`Answer::Wrong`].
    async fn authenticate(&self, name: &str, password: Zeroizing<String>) -> Result<Authenticated, Refused>;

    /// Does the work of [`Directory::authenticate`] for this name, and lets nobody in: for an answer that is known already
    /// but must not be given any faster. It asks no server that counts failures of its own.
    /// Refused as [`Refused::Busy`] where `authenticate` would be.
    async fn pretend(&self, name: &str, password: Zeroizing<String>) -> Result<(), Refused>;

    /// The account that a name means, as it is counted: all ways to write one person's name share one count.
    /// Names that nobody can have share one, too.
    fn account(&self, name: &str) -> String {
        normalised(name).unwrap_or_default()
    }
}

/// Somebody who proved who they are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Authenticated {
    /// Who.
    pub user: Id<User>,
    /// The name as the directory writes it.
    pub name: String,
}

/// Why somebody was not let in. For the log; the person is given [`Refused::answer`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// Nobody has this name.
    #[error("there is no such user")]
    UnknownUser,
    /// Not their password.
    #[error("the password is wrong")]
    WrongPassword,
    /// The user has no password to sign in with.
    #[error("the user has no password")]
    NoPassword,
    /// The user may not sign in.
    #[error("the user is disabled")]
    Disabled,
    /// The account has come to its end.
    #[error("the account has expired")]
    AccountExpired,
    /// The password is right, and must be changed before anything else.
    #[error("the password must be changed")]
    MustChangePassword,
    /// The password is right, and too old.
    #[error("the password has expired")]
    PasswordExpired,
    /// The account may not sign in at this hour.
    #[error("the account may not sign in at this hour")]
    OutsideHours,
    /// The account may sign in from certain machines only.
    #[error("the account may sign in from certain machines only")]
    Workstation,
    /// The directory itself has locked the account.
    #[error("the directory has locked the account after too many wrong passwords")]
    LockedInDirectory,
    /// The directory does not let them in, for a reason of its own.
    #[error("the directory refuses the account: {0}")]
    ByDirectory(String),
    /// Too many wrong passwords, for this account or from this address.
    #[error("locked until {until} after too many wrong passwords")]
    Locked {
        /// When it may be tried again.
        until: Timestamp,
    },
    /// Name and password are right, and a code is wanted beside them.
    #[error("a code is wanted")]
    CodeNeeded,
    /// Name and password are right, and the code is wrong or was used before.
    #[error("the code is wrong or was used before")]
    WrongCode,
    /// Too many sign-ins at once.
    #[error("too many people are signing in at once")]
    Busy,
    /// The directory cannot be asked, or what it holds cannot be used.
    #[error("the directory cannot be asked: {0}")]
    Unavailable(String),
}

/// What the person is told: no more than that, in words of the portal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// Name or password is wrong. Said of everything that would tell a guesser something.
    Wrong,
    /// Name and password are right, and a new password must be chosen before anything else. Nobody
    /// learns more by it than whoever knows the password.
    ChangePassword,
    /// Name and password are right: a code of their second factor is wanted.
    CodeNeeded,
    /// Name and password are right, the code is not.
    WrongCode,
    /// Not their fault; worth trying again in a moment.
    TryAgain,
}

impl Refused {
    /// What the person is told.
    pub fn answer(&self) -> Answer {
        match self {
            Refused::UnknownUser
            | Refused::WrongPassword
            | Refused::NoPassword
            | Refused::Disabled
            | Refused::AccountExpired
            | Refused::OutsideHours
            | Refused::Workstation
            | Refused::LockedInDirectory
            | Refused::ByDirectory(_)
            | Refused::Locked { .. } => Answer::Wrong,
            Refused::MustChangePassword | Refused::PasswordExpired => Answer::ChangePassword,
            Refused::CodeNeeded => Answer::CodeNeeded,
            Refused::WrongCode => Answer::WrongCode,
            Refused::Busy | Refused::Unavailable(_) => Answer::TryAgain,
        }
    }

    /// Whether it may have been a guess, so that it counts towards locking.
    pub(crate) fn is_failure(&self) -> bool {
        matches!(self.answer(), Answer::Wrong | Answer::WrongCode)
    }
}
