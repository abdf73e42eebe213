//! Users of the farm's own directory: their passwords come in here and are kept hashed and sealed.

use std::borrow::Cow;

use oriel_identity::check_new_password;
use oriel_model::{
    Id, Object,
    group::Group,
    site::Site,
    user::User,
    validate::{Mistake, Mistakes},
};
use oriel_store::Transaction;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::{ChangeError, ListQuery, Managed, Page, View, administrators, turn};
use crate::{
    Broker,
    app::{
        administrators::{Caller, Rights},
        credential::PASSWORD_SECRET,
        factor::FACTOR_SECRET,
    },
    farm::FarmView,
};

/// What an administrator sends to make a user.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NewUser {
    /// What they sign in with.
    pub name: String,
    /// The site they belong to; none when they belong to the farm.
    #[serde(default)]
    pub site: Option<Id<Site>>,
    /// What is set.
    #[serde(default)]
    pub spec: User,
    /// Their password; without one they cannot sign in yet.
    #[serde(default)]
    #[schemars(with = "Option<String>")]
    pub password: Option<Zeroizing<String>>,
}

/// What is shown of a user beside what is set.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct UserFacts {
    /// Whether they have a password.
    pub has_password: bool,
    /// Whether they have a second factor.
    pub has_second_factor: bool,
}

impl Managed for User {
    type Shown = Self;
    type Beside = UserFacts;
    type New = NewUser;
    type Made = View<Self>;

    fn shown(&self) -> Cow<'_, Self> {
        Cow::Borrowed(self)
    }

    /// Which user of a directory it stands for is said once, when they are chosen there.
    fn said(sent: Self, now: &Self) -> Self {
        Self { external: now.external.clone(), ..sent }
    }

    fn beside(_: &Broker, view: &FarmView, object: &Object<Self>) -> UserFacts {
        UserFacts {
            has_password: view.credentials.contains_key(&object.id),
            has_second_factor: view.factors.contains_key(&object.id),
        }
    }

    fn check(&self, view: &FarmView, id: Id<Self>, before: Option<&Self>, mistakes: &mut Mistakes) {
        administrators::check_user(self, view, id, before, mistakes);
    }

    async fn make(broker: &Broker, by: &Caller, new: NewUser) -> Result<View<Self>, ChangeError> {
        create(broker, by, new).await
    }
}

/// Makes a user, with a password or without.
async fn create(broker: &Broker, by: &Caller, new: NewUser) -> Result<View<User>, ChangeError> {
    super::kinds::not_made_here(new.spec.external.as_ref())?;
    let hash = match new.password {
        Some(password) => Some(hashed(broker, &new.name, password, "password").await?),
        None => None,
    };
    let _turn = turn().await;
    let now = broker.now();
    let id = Id::<User>::generate(now);
    super::check(broker.farm.load(), id, &new.name, new.site, &new.spec)?;
    let mut transaction = Transaction::new(by.author.clone(), now).create(id, new.name, new.site, &new.spec);
    if let Some(hash) = hash {
        transaction = transaction.put_secret(id, PASSWORD_SECRET, hash);
    }
    broker.commit_by(by, transaction).await?;
    super::get(broker, &by.rights, id)
}

/// Sets a user's password and lets them try at once, also when wrong ones had locked the account.
pub async fn set_password(
    broker: &Broker,
    by: &Caller,
    id: Id<User>,
    password: Zeroizing<String>,
) -> Result<(), ChangeError> {
    let user = super::seen_by(broker, &by.rights, id)?;
    if user.spec.external.is_some() {
        let message = "cannot be set here: this password is kept in a directory".to_owned();
        return Err(ChangeError::Invalid(vec![Mistake { field: "password".into(), message }]));
    }
    let name = user.name.clone();
    let hash = hashed(broker, &name, password, "password").await?;
    let _turn = turn().await;
    broker
        .commit_by(
            by,
            Transaction::new(by.author.clone(), broker.now()).put_secret(id, PASSWORD_SECRET, hash),
        )
        .await?;
    broker.people.unlock(&name);
    Ok(())
}

/// Takes a user's second factor away.
pub async fn remove_factor(broker: &Broker, by: &Caller, id: Id<User>) -> Result<(), ChangeError> {
    let _turn = turn().await;
    super::seen(&broker.farm.load(), &by.rights, id)?;
    let transaction = Transaction::new(by.author.clone(), broker.now());
    broker.commit_by(by, transaction.delete_secret(id, FACTOR_SECRET)).await?;
    Ok(())
}

/// The users who belong to a group.
pub fn members(
    broker: &Broker,
    rights: &Rights,
    group: Id<Group>,
    query: &ListQuery,
) -> Result<Page<View<User>>, ChangeError> {
    super::seen(&broker.farm.load(), rights, group)?;
    Ok(super::list_where::<User>(broker, rights, query, |user| user.spec.groups.contains(&group))?)
}

/// A new password as it is kept, if it may be one.
pub(in crate::app) async fn hashed(
    broker: &Broker,
    name: &str,
    password: Zeroizing<String>,
    field: &str,
) -> Result<Zeroizing<Vec<u8>>, ChangeError> {
    if let Err(refused) = check_new_password(name, &password) {
        let mistake = Mistake { field: field.to_owned(), message: refused.to_string() };
        return Err(ChangeError::Invalid(vec![mistake]));
    }
    let hash = broker.passwords.hash(password).await.map_err(|_| ChangeError::Busy)?;
    Ok(Zeroizing::new(hash.into_bytes()))
}
