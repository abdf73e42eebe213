//! A user's second factor: the key that their authenticator has too, and recovery codes for when it is lost.
//! Kept as one sealed secret of the user. Like passwords it is in memory, so that a sign-in waits for the
//! store only to note that a code was used.

use std::fmt;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use oriel_identity::{SecondFactor, TotpKey};
use oriel_model::{Id, user::User};
use oriel_store::{Author, Transaction};
use ring::{
    digest,
    rand::{SecureRandom, SystemRandom},
};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::objects::{same_digest, secret_sha256, turn};
use crate::Broker;

/// Name of the user's secret that holds the second factor.
pub const FACTOR_SECRET: &str = "second-factor";

/// Recovery codes that are made at once.
const RECOVERY_CODES: usize = 10;
/// Letters of a recovery code: 80 random bits, so its digest needs no slow hash.
const RECOVERY_LETTERS: usize = 16;
/// 32 letters of which none is taken for another.
const ALPHABET: &[u8; 32] = b"abcdefghjkmnpqrstvwxyz0123456789";
/// Longest code that is looked at, in characters.
const CODE_MAX: usize = 64;

/// A user's second factor, opened.
#[derive(Clone, PartialEq, Eq)]
pub struct Factor {
    key: TotpKey,
    /// SHA-256 of the recovery codes that were not used yet.
    recovery: Vec<String>,
    revision: u64,
}

/// Recovery codes, shown once.
pub type RecoveryCodes = Vec<Zeroizing<String>>;

/// The secret's bytes, as JSON.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Stored {
    key: Zeroizing<String>,
    recovery: Vec<String>,
}

impl Factor {
    /// A factor with this key, and its recovery codes; none if the operating system gives no random bytes.
    pub fn with(key: TotpKey) -> Option<(Self, RecoveryCodes)> {
        let revision = revision(&key);
        let mut factor = Self { key, recovery: Vec::new(), revision };
        let codes = factor.renew_recovery()?;
        Some((factor, codes))
    }

    /// Replaces the recovery codes.
    fn renew_recovery(&mut self) -> Option<RecoveryCodes> {
        let codes: RecoveryCodes = (0..RECOVERY_CODES).map(|_| recovery_code()).collect::<Option<_>>()?;
        self.recovery = codes.iter().map(|code| secret_sha256(&plain(code))).collect();
        Some(codes)
    }

    /// Reads the secret's bytes; none if they are not ours.
    pub fn from_secret(bytes: &[u8]) -> Option<Self> {
        let Stored { key, recovery } = serde_json::from_slice(bytes).ok()?;
        let key = TotpKey::from_bytes(&Zeroizing::new(STANDARD.decode(&*key).ok()?))?;
        Some(Self { revision: revision(&key), key, recovery })
    }

    /// The secret's bytes.
    pub fn to_secret(&self) -> Zeroizing<Vec<u8>> {
        let key = Zeroizing::new(STANDARD.encode(self.key.bytes()));
        let stored = Stored { key, recovery: self.recovery.clone() };
        Zeroizing::new(serde_json::to_vec(&stored).expect("plain JSON"))
    }

    /// Differs from that of every earlier and later key of anybody.
    pub fn revision(&self) -> u64 {
        self.revision
    }

    /// How many recovery codes are left.
    pub fn recovery_left(&self) -> usize {
        self.recovery.len()
    }

    /// The factor without this recovery code; none: it is not one of them.
    fn without(&self, code: &str) -> Option<Self> {
        let wanted = secret_sha256(&plain(code));
        let recovery: Vec<_> =
            self.recovery.iter().filter(|known| !same_digest(known, &wanted)).cloned().collect();
        (recovery.len() < self.recovery.len()).then(|| Self { recovery, ..self.clone() })
    }
}

impl fmt::Debug for Factor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Factor(.., {} recovery codes)", self.recovery.len())
    }
}

fn revision(key: &TotpKey) -> u64 {
    let digest = digest::digest(&digest::SHA256, key.bytes());
    u64::from_be_bytes(digest.as_ref()[..8].try_into().expect("SHA-256 has 32 bytes"))
}

/// In groups of four, as people copy it: `k3fz-…`.
fn recovery_code() -> Option<Zeroizing<String>> {
    let mut bytes = Zeroizing::new([0; RECOVERY_LETTERS]);
    SystemRandom::new().fill(&mut *bytes).ok()?;
    let mut code = Zeroizing::new(String::with_capacity(RECOVERY_LETTERS + RECOVERY_LETTERS / 4));
    for (index, byte) in bytes.iter().enumerate() {
        if index > 0 && index % 4 == 0 {
            code.push('-');
        }
        code.push(char::from(ALPHABET[usize::from(byte % 32)]));
    }
    Some(code)
}

/// A code without what people type between its characters.
fn plain(code: &str) -> Zeroizing<String> {
    let typed = code.chars().filter(|c| !c.is_whitespace() && *c != '-');
    Zeroizing::new(typed.flat_map(char::to_lowercase).collect())
}

/// New recovery codes cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum FactorError {
    /// The user has none.
    #[error("there is no second factor")]
    None,
    /// The user has one already.
    #[error("there is a second factor already; remove it first")]
    Exists,
    /// Its setting up was not begun, or too long ago.
    #[error("setting up the second factor was not begun, or too long ago; begin again")]
    NotBegun,
    /// The store says no.
    #[error(transparent)]
    Commit(#[from] oriel_store::CommitError),
    /// The operating system gave no random bytes.
    #[error("the operating system gave no random bytes")]
    OutOfRandomness,
}

impl Broker {
    /// Whether a code, of the authenticator or a recovery code, is the user's and was not used before. It is
    /// used now.
    pub async fn check_code(&self, user: Id<User>, code: &str) -> SecondFactor {
        let code = plain(code);
        let Some(factor) = self.farm.load().factors.get(&user).cloned() else { return SecondFactor::Wrong };
        if code.len() > CODE_MAX {
            return SecondFactor::Wrong;
        }
        match factor.key.step_of(&code, self.now()) {
            Some(step) => self.use_step(user, step).await,
            None => self.use_recovery_code(user, &code).await,
        }
    }

    /// Whether this is a code of this key that was not used before, for a key that is not the user's yet.
    pub async fn check_new_key(&self, user: Id<User>, key: &TotpKey, code: &str) -> SecondFactor {
        match key.step_of(&plain(code), self.now()) {
            Some(step) => self.use_step(user, step).await,
            None => SecondFactor::Wrong,
        }
    }

    async fn use_step(&self, user: Id<User>, step: i64) -> SecondFactor {
        match self.store.use_code(user, step).await {
            Ok(true) => SecondFactor::Shown,
            Ok(false) => SecondFactor::Wrong,
            Err(error) => {
                tracing::error!(user.id = %user, %error, "the use of a code cannot be noted");
                SecondFactor::Unknown
            }
        }
    }

    async fn use_recovery_code(&self, user: Id<User>, code: &str) -> SecondFactor {
        // One at a time: of two who send the same code at once, the second finds it used.
        let _turn = turn().await;
        let factor = self.farm.load().factors.get(&user).and_then(|factor| factor.without(code));
        let Some(factor) = factor else { return SecondFactor::Wrong };
        let transaction = Transaction::new(Author::system(), self.now());
        match self.commit(transaction.put_secret(user, FACTOR_SECRET, factor.to_secret())).await {
            Ok(_) => SecondFactor::Shown,
            Err(error) => {
                tracing::error!(user.id = %user, %error, "the use of a recovery code cannot be noted");
                SecondFactor::Unknown
            }
        }
    }

    /// Makes a key the user's second factor; gives its recovery codes. Their other sign-ins end.
    pub async fn set_factor(
        &self,
        by: Author,
        user: Id<User>,
        key: TotpKey,
    ) -> Result<RecoveryCodes, FactorError> {
        let (factor, codes) = Factor::with(key).ok_or(FactorError::OutOfRandomness)?;
        let _turn = turn().await;
        if self.farm.load().factors.contains_key(&user) {
            return Err(FactorError::Exists);
        }
        let transaction = Transaction::new(by, self.now());
        self.commit(transaction.put_secret(user, FACTOR_SECRET, factor.to_secret())).await?;
        Ok(codes)
    }

    /// Replaces the user's recovery codes.
    pub async fn renew_recovery_codes(
        &self,
        by: Author,
        user: Id<User>,
    ) -> Result<RecoveryCodes, FactorError> {
        let _turn = turn().await;
        let mut factor = self.farm.load().factors.get(&user).cloned().ok_or(FactorError::None)?;
        let codes = factor.renew_recovery().ok_or(FactorError::OutOfRandomness)?;
        let transaction = Transaction::new(by, self.now());
        self.commit(transaction.put_secret(user, FACTOR_SECRET, factor.to_secret())).await?;
        Ok(codes)
    }

    /// Takes the user's second factor away.
    pub async fn remove_factor(&self, by: Author, user: Id<User>) -> Result<(), FactorError> {
        let _turn = turn().await;
        if !self.farm.load().factors.contains_key(&user) {
            return Err(FactorError::None);
        }
        self.commit(Transaction::new(by, self.now()).delete_secret(user, FACTOR_SECRET)).await?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_factor_comes_back_from_its_secret_and_each_recovery_code_counts_once() {
        let (factor, codes) = Factor::with(TotpKey::generate().expect("random")).expect("random");
        assert_eq!(Factor::from_secret(&factor.to_secret()), Some(factor.clone()));
        assert_eq!((codes.len(), factor.recovery_left()), (10, 10));
        let typed = codes[3].to_uppercase().replace('-', " ");
        let less = factor.without(&typed).expect("a code, however it is typed");
        assert_eq!((less.recovery_left(), less.revision()), (9, factor.revision()));
        assert_eq!(less.without(&codes[3]), None);
        let kept = String::from_utf8(factor.to_secret().to_vec()).expect("text");
        assert!(codes.iter().all(|code| !kept.contains(&**code) && !kept.contains(&**plain(code))));
        assert!(Factor::from_secret(b"{}").is_none());
    }
}
