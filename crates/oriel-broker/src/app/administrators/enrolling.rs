//! Setting up a second factor: a key is made and shown, and counts once its owner has shown a code of it.
//! Until then it is in memory only; a broker that was restarted lets them begin again.

use std::{collections::HashMap, sync::Mutex};

use jiff::SignedDuration;
use oriel_identity::{Limits, Refused, SecondFactor, TotpKey};
use oriel_model::{Id, Timestamp, user::User};
use zeroize::Zeroizing;

use super::{Caller, Source};
use crate::{
    Broker,
    app::{
        factor::{FactorError, RecoveryCodes},
        objects::ChangeError,
    },
    hosts::lock,
};

/// How long a key waits for its first code: long enough to install an authenticator.
const WAIT: SignedDuration = SignedDuration::from_mins(15);
/// Keys that wait at most; the oldest goes.
const WAITING_MAX: usize = 1_000;

/// Keys that wait for their first code.
#[derive(Debug, Default)]
pub struct Enrolling(Mutex<HashMap<Id<User>, (TotpKey, Timestamp)>>);

impl Enrolling {
    fn begin(&self, user: Id<User>, key: TotpKey, now: Timestamp) {
        let mut waiting = lock(&self.0);
        waiting.retain(|_, (_, begun)| now.duration_since(*begun) < WAIT);
        if waiting.len() >= WAITING_MAX && !waiting.contains_key(&user) {
            let oldest = waiting.iter().min_by_key(|(_, (_, begun))| *begun).map(|(user, _)| *user);
            oldest.map(|user| waiting.remove(&user));
        }
        waiting.insert(user, (key, now));
    }

    fn key(&self, user: Id<User>, now: Timestamp) -> Option<TotpKey> {
        let waiting = lock(&self.0);
        let (key, _) = waiting.get(&user).filter(|(_, begun)| now.duration_since(*begun) < WAIT)?;
        Some(key.clone())
    }

    fn done(&self, user: Id<User>) {
        lock(&self.0).remove(&user);
    }
}

/// A key, as an authenticator takes it.
pub struct NewKey {
    /// To be typed.
    pub key: Zeroizing<String>,
    /// To be shown as a picture: `otpauth://…`.
    pub address: Zeroizing<String>,
}

/// Why a second factor was not set up, used or removed.
#[derive(Debug, thiserror::Error)]
pub enum EnrolError {
    /// A token has none.
    #[error("only who signs in has a second factor; a token has none")]
    NotSignedIn,
    /// The code.
    #[error(transparent)]
    Code(#[from] Refused),
    /// The factor.
    #[error(transparent)]
    Factor(#[from] FactorError),
    /// The object that keeps it.
    #[error(transparent)]
    Change(#[from] ChangeError),
}

impl Broker {
    /// Makes a key for the caller, which counts from its first code on.
    pub fn begin_enrolling(&self, by: &Caller) -> Result<NewKey, EnrolError> {
        let (user, name) = self.enrolee(by)?;
        let view = self.farm.load();
        if view.factors.contains_key(&user) {
            return Err(FactorError::Exists.into());
        }
        let farm = view.farm_name().to_owned();
        let key = TotpKey::generate().ok_or(FactorError::OutOfRandomness)?;
        let address = key.address(&farm, &name).ok_or(FactorError::OutOfRandomness)?;
        let shown = NewKey { key: key.in_letters(), address };
        self.enrolling.begin(user, key, self.now());
        Ok(shown)
    }

    /// Makes the caller's new key count, with a code of it; gives recovery codes.
    pub async fn finish_enrolling(&self, by: &Caller, code: &str) -> Result<RecoveryCodes, EnrolError> {
        let (user, name) = self.enrolee(by)?;
        let key = self.enrolling.key(user, self.now()).ok_or(FactorError::NotBegun)?;
        self.prove(by, &name, self.check_new_key(user, &key, code)).await?;
        self.adopt_known(by, user).await?;
        let codes = self.set_factor(by.author.clone(), user, key).await?;
        self.enrolling.done(user);
        Ok(codes)
    }

    /// Gives the caller new recovery codes in place of the old ones, for a code.
    pub async fn renew_own_recovery(&self, by: &Caller, code: &str) -> Result<RecoveryCodes, EnrolError> {
        let user = self.proved_owner(by, code).await?;
        Ok(self.renew_recovery_codes(by.author.clone(), user).await?)
    }

    /// Takes the caller's second factor away, for a code.
    pub async fn remove_own_factor(&self, by: &Caller, code: &str) -> Result<(), EnrolError> {
        let user = self.proved_owner(by, code).await?;
        Ok(self.remove_factor(by.author.clone(), user).await?)
    }

    async fn proved_owner(&self, by: &Caller, code: &str) -> Result<Id<User>, EnrolError> {
        let (user, name) = self.enrolee(by)?;
        if !self.farm.load().factors.contains_key(&user) {
            return Err(FactorError::None.into());
        }
        self.prove(by, &name, self.check_code(user, code)).await?;
        Ok(user)
    }

    /// Codes of who is signed in are counted like passwords: a stolen cookie must not be enough to guess them.
    async fn prove(
        &self,
        by: &Caller,
        name: &str,
        check: impl Future<Output = SecondFactor>,
    ) -> Result<(), Refused> {
        let limits = Limits::from(&self.farm.load().farm().sign_in);
        self.people.prove(name, by.author.address, self.now(), &limits, check).await
    }

    fn enrolee(&self, by: &Caller) -> Result<(Id<User>, String), EnrolError> {
        let Source::SignIn { user, .. } = by.source else { return Err(EnrolError::NotSignedIn) };
        let view = self.farm.load();
        let user = view.person(user).ok_or(EnrolError::NotSignedIn)?;
        Ok((user.id, user.name.clone()))
    }
}
