//! Passwords of the farm's own users: their hashes come from the farm view, so that signing in waits
//! for no database.

use std::{fmt, sync::Arc, time::Duration};

use async_trait::async_trait;
use oriel_identity::{Account, Accounts, AccountsError};
use oriel_model::{Id, user::User};
use oriel_net::clock::Clock;
use oriel_store::{Author, SettingsStore, Transaction};
use ring::digest;
use zeroize::Zeroizing;

use crate::farm::FarmFeed;

/// Name of the user's secret that holds the password's hash (a PHC string).
pub const PASSWORD_SECRET: &str = "password";

/// How long a renewed hash may take to come back through the feed.
const CATCH_UP: Duration = Duration::from_secs(2);

/// A user's password hash, opened.
#[derive(Clone, PartialEq, Eq)]
pub struct Credential {
    hash: Zeroizing<String>,
    revision: u64,
}

impl Credential {
    /// Reads the secret's bytes; none if they are not text.
    pub fn from_secret(bytes: &[u8]) -> Option<Self> {
        let hash = Zeroizing::new(std::str::from_utf8(bytes).ok()?.to_owned());
        let digest = digest::digest(&digest::SHA256, bytes);
        let revision = u64::from_be_bytes(digest.as_ref()[..8].try_into().expect("SHA-256 has 32 bytes"));
        Some(Self { hash, revision })
    }

    /// Differs from that of every earlier and later password: hashes are salted. The same on every
    /// broker and after a restart, since it is derived from the hash.
    pub fn revision(&self) -> u64 {
        self.revision
    }

    /// The PHC string.
    pub fn hash(&self) -> &str {
        &self.hash
    }
}

impl fmt::Debug for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Credential(..)")
    }
}

/// The accounts of the local directory, from memory.
pub struct FarmAccounts {
    /// The settings in memory.
    pub farm: Arc<FarmFeed>,
    /// Where a renewed hash is kept.
    pub store: Arc<dyn SettingsStore>,
    /// Tells the time.
    pub clock: Arc<dyn Clock>,
}

#[async_trait]
impl Accounts for FarmAccounts {
    async fn find(&self, name: &str) -> Result<Option<Account>, AccountsError> {
        let view = self.farm.load();
        Ok(view.users.by_name(name).map(|user| Account {
            user: user.id,
            name: user.name.clone(),
            enabled: user.spec.enabled,
            password_hash: view.credentials.get(&user.id).map(|credential| credential.hash().to_owned()),
        }))
    }

    /// Ends the user's other sign-ins, as a new password does: they hold the old hash's revision.
    async fn rehashed(&self, user: Id<User>, old: &str, new: String) -> Result<(), AccountsError> {
        if self.farm.load().credentials.get(&user).is_none_or(|credential| credential.hash() != old) {
            return Ok(());
        }
        let secret = Zeroizing::new(new.into_bytes());
        let transaction =
            Transaction::new(Author::system(), self.clock.now()).put_secret(user, PASSWORD_SECRET, secret);
        let committed =
            self.store.commit(transaction).await.map_err(|error| AccountsError(error.to_string()))?;
        // The sign-in that follows must hold the new revision.
        self.farm
            .reached(committed.sequence, CATCH_UP)
            .await
            .map_err(|error| AccountsError(error.to_string()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_revision_follows_the_hash_and_nothing_shows_it() {
        let one = Credential::from_secret(b"$argon2id$one").expect("text");
        let same = Credential::from_secret(b"$argon2id$one").expect("text");
        let other = Credential::from_secret(b"$argon2id$two").expect("text");
        assert_eq!(one.revision(), same.revision());
        assert_ne!(one.revision(), other.revision());
        assert!(!format!("{one:?}").contains("argon2"));
        assert!(Credential::from_secret(&[0xff, 0xfe]).is_none());
    }
}
