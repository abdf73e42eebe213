//! What administrators do with their own account: another password, and their own sign-ins.

use oriel_identity::{Answer, Limits, Refused};
use oriel_model::{Id, user::User, validate::Mistake};
use oriel_store::{SignIn, Transaction};
use zeroize::Zeroizing;

use super::{Caller, Presence, Source};
use crate::{
    Broker,
    app::{
        credential::PASSWORD_SECRET,
        objects::{ChangeError, hashed, turn},
    },
};

/// Why an administrator's password stays what it is.
#[derive(Debug, thiserror::Error)]
pub enum OwnPasswordError {
    /// A token has none.
    #[error("only who signs in has a password; a token has none")]
    NotSignedIn,
    /// The new one, or the store.
    #[error(transparent)]
    Change(#[from] ChangeError),
}

impl Broker {
    /// Gives the caller a new password, for the one that they have. Wrong ones are counted as at the sign-in: a
    /// stolen cookie must not be enough to guess it. Their other sign-ins end.
    pub async fn change_own_password(
        &self,
        by: &Caller,
        current: Zeroizing<String>,
        new: Zeroizing<String>,
    ) -> Result<(), OwnPasswordError> {
        let Source::SignIn { user, .. } = by.source else { return Err(OwnPasswordError::NotSignedIn) };
        let (name, before, limits) = {
            let view = self.farm.load();
            let name = view.person(user).ok_or(OwnPasswordError::NotSignedIn)?.name.clone();
            let credential = view.credentials.get(&user);
            let credential = credential.ok_or_else(|| kept_elsewhere("new_password"))?;
            (name, credential.revision(), Limits::from(&view.farm().sign_in))
        };
        let address = by.author.address;
        let proved = self.people.sign_in(&name, current, address, self.now(), &limits).await;
        proved.map_err(|refused| not_theirs(&refused))?;
        let hash = hashed(self, &name, new, "new_password").await?;
        let _turn = turn().await;
        // Whoever has set it meanwhile had a reason to.
        if self.farm.load().credentials.get(&user).map(|credential| credential.revision()) != Some(before) {
            return Err(not_theirs(&Refused::WrongPassword).into());
        }
        let transaction = Transaction::new(by.author.clone(), self.now());
        let committed = self.commit(transaction.put_secret(user, PASSWORD_SECRET, hash)).await;
        committed.map(drop).map_err(|error| ChangeError::from(error).into())
    }

    /// The caller's own sign-ins, the newest first.
    pub fn own_sign_ins(&self, by: &Caller) -> Vec<Presence> {
        let Some(owner) = owner(by) else { return Vec::new() };
        let mut own = self.present();
        own.retain(|one| one.user == owner);
        own
    }

    /// Ends one of the caller's sign-ins; whether it is one of theirs.
    pub fn end_own_sign_in(&self, by: &Caller, id: Id<SignIn>) -> bool {
        let is_own = self.own_sign_ins(by).iter().any(|one| one.id == id);
        is_own && self.end_administrator_sign_in(id, by).is_some()
    }
}

/// A directory's people change their password there.
fn kept_elsewhere(field: &str) -> ChangeError {
    let message = "cannot be set here: this password is kept in a directory; change it there".to_owned();
    ChangeError::Invalid(vec![Mistake { field: field.to_owned(), message }])
}

fn owner(by: &Caller) -> Option<Id<User>> {
    match by.source {
        Source::SignIn { user, .. } => Some(user),
        Source::Token(_) | Source::System => None,
    }
}

/// That the account waits they are told as everybody is: as a wrong password.
fn not_theirs(refused: &Refused) -> ChangeError {
    match refused.answer() {
        Answer::TryAgain => ChangeError::Busy,
        Answer::Wrong | Answer::ChangePassword | Answer::CodeNeeded | Answer::WrongCode => {
            ChangeError::Invalid(vec![Mistake {
                field: "password".into(),
                message: "is not your password; after several wrong ones the account waits".into(),
            }])
        }
    }
}
