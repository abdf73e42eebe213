//! The farm's own directory.

use std::sync::Arc;

use async_trait::async_trait;
use oriel_model::{Id, user::User};
use zeroize::Zeroizing;

use crate::{
    directory::{Authenticated, Directory, Refused},
    name::normalised,
    password::{PasswordError, Passwords, Verdict},
};

/// A user as the local directory needs them.
#[derive(Clone, PartialEq, Eq)]
pub struct Account {
    /// Who.
    pub user: Id<User>,
    /// The name as written in the settings.
    pub name: String,
    /// Whether they may sign in.
    pub enabled: bool,
    /// PHC string of their password; none when they have none.
    pub password_hash: Option<String>,
}

/// Where the accounts are; the broker brings it.
#[async_trait]
pub trait Accounts: Send + Sync {
    /// The account with this normalised name. Takes as long for a name that is not there: best from
    /// memory.
    async fn find(&self, name: &str) -> Result<Option<Account>, AccountsError>;

    /// Keeps a hash of the same password made at today's cost, if the old one is still the one
    /// that is kept.
    async fn rehashed(&self, user: Id<User>, old: &str, new: String) -> Result<(), AccountsError>;
}

/// Accounts cannot be read or written, in words.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct AccountsError(pub String);

/// The farm's own users.
pub struct LocalDirectory {
    accounts: Arc<dyn Accounts>,
    passwords: Arc<Passwords>,
}

impl LocalDirectory {
    /// The directory over these accounts. The hasher is shared, so that all of its users together
    /// stay within its bounds.
    pub fn new(accounts: Arc<dyn Accounts>, passwords: Arc<Passwords>) -> Self {
        Self { accounts, passwords }
    }

    /// A right password is hashed anew when its hash is from cheaper days; that it cannot be kept
    /// is no reason to refuse somebody.
    async fn rehash(&self, account: &Account, old: &str, password: Zeroizing<String>) {
        let kept = match self.passwords.hash(password).await {
            Ok(new) => {
                self.accounts.rehashed(account.user, old, new).await.map_err(|error| error.to_string())
            }
            Err(error) => Err(error.to_string()),
        };
        if let Err(error) = kept {
            tracing::warn!(user.id = %account.user, %error, "a password hash could not be renewed");
        }
    }
}

#[async_trait]
impl Directory for LocalDirectory {
    async fn authenticate(&self, name: &str, password: Zeroizing<String>) -> Result<Authenticated, Refused> {
        let account = match normalised(name) {
            Some(name) => {
                self.accounts.find(&name).await.map_err(|error| Refused::Unavailable(error.to_string()))?
            }
            None => None,
        };
        let hash = account.as_ref().and_then(|account| account.password_hash.clone());
        let verdict = self.passwords.verify(password.clone(), hash.clone()).await;
        // The work is done; only now may what is known about the account make a difference.
        let verdict = match verdict {
            Err(PasswordError::Busy) => return Err(Refused::Busy),
            // To a guesser, a damaged hash is no different from a wrong password.
            Err(error) => {
                tracing::error!(user.name = account.as_ref().map(|a| a.name.as_str()), %error, "sign-in");
                return Err(Refused::NoPassword);
            }
            Ok(verdict) => verdict,
        };
        let account = account.ok_or(Refused::UnknownUser)?;
        let hash = hash.ok_or(Refused::NoPassword)?;
        match verdict {
            Verdict::Wrong => Err(Refused::WrongPassword),
            Verdict::Right { .. } if !account.enabled => Err(Refused::Disabled),
            Verdict::Right { rehash } => {
                if rehash {
                    self.rehash(&account, &hash, password).await;
                }
                Ok(Authenticated { user: account.user, name: account.name })
            }
        }
    }

    async fn pretend(&self, _: &str, password: Zeroizing<String>) -> Result<(), Refused> {
        match self.passwords.verify(password, None).await {
            Err(PasswordError::Busy) => Err(Refused::Busy),
            _ => Ok(()),
        }
    }
}

impl std::fmt::Debug for Account {
    /// The hash is left out.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "account {:?} of user {}", self.name, self.user)
    }
}
