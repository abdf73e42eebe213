//! How somebody comes to be root where nobody is: at the first start with the farm's first token, and later
//! by whoever can read the broker's data directory.

use std::net::IpAddr;

use oriel_model::{
    Id, Timestamp,
    administrator::{Administrator, Who},
    permission::{AdministratorRole, Reach},
    user::User,
};
use oriel_store::{Author, CommitError, Transaction, Via};
use zeroize::Zeroizing;

use crate::{
    Broker,
    app::{
        audit::Event,
        credential::PASSWORD_SECRET,
        factor::FACTOR_SECRET,
        objects::{self, ChangeError, turn},
    },
    farm::FarmView,
    hosts::lock,
    recovery::RecoverRoot,
};

/// Why nobody was made root.
#[derive(Debug, thiserror::Error)]
pub enum NoRoot {
    /// Somebody can sign in as root.
    #[error("somebody can sign in as root already")]
    NotFirst,
    /// Not the token of a root.
    #[error("this is not the farm's first token")]
    WrongToken,
    /// The proof is wrong, old, or was used, or it does not come from the broker's machine.
    #[error(
        "only who can read the broker's data directory, on its machine, may recover a root administrator"
    )]
    NotProved,
    /// The settings do not allow it.
    #[error(transparent)]
    Change(#[from] ChangeError),
}

impl Broker {
    /// Whether nobody can sign in as root yet.
    pub fn is_first_start(&self) -> bool {
        !objects::root_can_sign_in(&self.farm.load())
    }

    /// Makes the first root administrator, for who holds the farm's first token.
    pub async fn make_first_root(
        &self,
        token: &str,
        name: String,
        full_name: String,
        password: Zeroizing<String>,
        address: IpAddr,
        via: Via,
    ) -> Result<Id<User>, NoRoot> {
        let author = {
            let view = self.farm.load();
            let found = objects::find_token(&view, token, self.now());
            let Ok((known, rights)) = found else {
                self.token_refused(token, Some(address), via);
                return Err(NoRoot::WrongToken);
            };
            if !rights.is_root() {
                return Err(NoRoot::WrongToken);
            }
            Author { name: format!("token {}", known.name), via, address: Some(address) }
        };
        let user = User { full_name, ..User::default() };
        let hash = objects::hashed(self, &name, password, "password").await?;
        let _turn = turn().await;
        if !self.is_first_start() {
            return Err(NoRoot::NotFirst);
        }
        let (view, now) = (self.farm.load(), self.now());
        let id: Id<User> = Id::generate(now);
        objects::check(view.clone(), id, &name, None, &user)?;
        let transaction = Transaction::new(author, now).create(id, &name, None, &user).put_secret(
            id,
            PASSWORD_SECRET,
            hash,
        );
        self.commit(with_root(transaction, &view, id, &name, now)).await.map_err(ChangeError::from)?;
        Ok(id)
    }

    /// Makes somebody a root administrator with a new password, on the word of who can read the farm key.
    pub async fn recover_root(&self, asked: RecoverRoot, address: IpAddr) -> Result<Id<User>, NoRoot> {
        let is_here = address.is_loopback() || address == self.config.management_listen.ip();
        if !is_here || !self.recovery_key.is_proved(&asked, self.now()) || !self.is_new_proof(asked.at) {
            let why = if is_here { "its proof does not count" } else { "it comes from another machine" };
            self.record(&Event::RecoveryRefused { user_name: &asked.user, address, why });
            return Err(NoRoot::NotProved);
        }
        let RecoverRoot { user: name, password, reset_second_factor, .. } = asked;
        let hash = objects::hashed(self, &name, password, "password").await?;
        let _turn = turn().await;
        let (view, now) = (self.farm.load(), self.now());
        let author = Author { name: "oriel recover-root".into(), via: Via::Recovery, address: Some(address) };
        let mut transaction = Transaction::new(author.clone(), now);
        let user = match view.users.by_name(&name) {
            Some(known) => {
                if !known.spec.enabled {
                    let mut user = (**known).clone();
                    user.spec.enabled = true;
                    transaction = transaction.update(&user);
                }
                known.id
            }
            None => {
                let id: Id<User> = Id::generate(now);
                objects::check(view.clone(), id, &name, None, &User::default())?;
                transaction = transaction.create(id, &name, None, &User::default());
                id
            }
        };
        transaction = transaction.put_secret(user, PASSWORD_SECRET, hash);
        if reset_second_factor && view.factors.contains_key(&user) {
            transaction = transaction.delete_secret(user, FACTOR_SECRET);
        }
        self.commit(with_root(transaction, &view, user, &name, now)).await.map_err(ChangeError::from)?;
        self.people.unlock(&name);
        self.record(&Event::AdministratorRecovered { user, user_name: &name, by: &author });
        Ok(user)
    }

    /// Each proof counts once: a later one than the last.
    fn is_new_proof(&self, at: Timestamp) -> bool {
        let mut last = lock(&self.last_recovery);
        let is_new = last.is_none_or(|last| last < at);
        if is_new {
            *last = Some(at);
        }
        is_new
    }
}

/// Adds what makes a user a root administrator.
fn with_root(
    transaction: Transaction,
    view: &FarmView,
    user: Id<User>,
    name: &str,
    now: Timestamp,
) -> Transaction {
    let known = view.administrators.iter().find(|one| one.spec.who == Who::User(user));
    if let Some(known) = known {
        if known.spec.enabled && known.spec.role == AdministratorRole::Root {
            return transaction;
        }
        let mut root = (**known).clone();
        (root.spec.enabled, root.spec.role) = (true, AdministratorRole::Root);
        root.spec.reach = Reach::default();
        return transaction.update(&root);
    }
    let spec = Administrator {
        enabled: true,
        description: String::new(),
        who: Who::User(user),
        role: AdministratorRole::Root,
        reach: Reach::default(),
        email: None,
        mobile: None,
        notified: false,
    };
    // Another's object may be called so.
    let id: Id<Administrator> = Id::generate(now);
    let is_taken = view.administrators.by_name(name).is_some();
    let name = if is_taken { format!("root {id}") } else { name.to_owned() };
    transaction.create(id, &name, None, &spec)
}

impl From<CommitError> for NoRoot {
    fn from(error: CommitError) -> Self {
        NoRoot::Change(error.into())
    }
}
