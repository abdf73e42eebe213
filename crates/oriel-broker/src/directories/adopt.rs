//! Choosing somebody from a directory: an object is made that stands for a group or a user of it, so that rules,
//! policies and administrators can name them.

use oriel_identity::{external, ldap::Found};
use oriel_model::{
    Id, Kind,
    directory::{Directory, External},
    group::Group,
    user::User,
    validate::NAME_MAX,
};
use oriel_store::Transaction;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{DirectoryError, Sought, refresh, search};
use crate::{
    Broker,
    app::{
        administrators::Caller,
        objects::{self, ChangeError, turn},
    },
    farm::FarmView,
};

/// Whom an administrator chooses.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Adopt {
    /// A person or a group.
    pub kind: Sought,
    /// What it is in the directory: `external` of what was found.
    pub external: String,
}

/// The object that stands for whom an administrator chose.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Adopted {
    /// `user` or `group`.
    pub kind: Kind,
    /// Its id.
    pub id: Id<Value>,
    /// Its name.
    pub name: String,
}

impl Broker {
    /// Makes the object that stands for a group or a user of a directory, unless there is one.
    pub async fn adopt(
        &self,
        by: &Caller,
        directory: Id<Directory>,
        adopt: Adopt,
    ) -> Result<Adopted, DirectoryError> {
        objects::seen_by(self, &by.rights, directory)?;
        let kind = adopt.kind.kind();
        let id = adopt.kind.object(directory, &adopt.external);
        let there = |view: &FarmView| {
            let name = view.name_of(kind, id)?.to_owned();
            Some(Adopted { kind, id, name })
        };
        if let Some(there) = there(&self.farm.load()) {
            return Ok(there);
        }
        let found = self.found(directory, adopt.kind, &adopt.external).await?;
        let _turn = turn().await;
        let view = self.farm.load();
        // Somebody else chose it meanwhile.
        if let Some(there) = there(&view) {
            return Ok(there);
        }
        let external = External { directory, id: adopt.external };
        let name = free_name(&view, kind, directory, &found.name, &external.id);
        let transaction = Transaction::new(by.author.clone(), self.now());
        let transaction = match adopt.kind {
            Sought::Groups => {
                let spec = Group { external: Some(external), ..Group::default() };
                transaction.create(id.cast::<Group>(), name.clone(), None, &spec)
            }
            Sought::Users => {
                let full_name = found.full_name.unwrap_or_default().chars().take(NAME_MAX).collect();
                let spec = User { full_name, external: Some(external), ..User::default() };
                transaction.create(id.cast::<User>(), name.clone(), None, &spec)
            }
        };
        self.commit_by(by, transaction).await.map_err(DirectoryError::Change)?;
        Ok(Adopted { kind, id, name })
    }

    /// As the directory knows it; people are known to this broker from now on.
    async fn found(
        &self,
        directory: Id<Directory>,
        kind: Sought,
        external: &str,
    ) -> Result<Found, DirectoryError> {
        let view = self.farm.load();
        let client = self.directories.client(&view, directory).map_err(DirectoryError::NotAsked)?;
        let found = client.named(kind.in_ldap(), &[external.to_owned()]).await;
        search::note(self, directory, &found);
        let found = found?.into_iter().next().ok_or(DirectoryError::Nobody)?;
        if kind == Sought::Users {
            refresh::refresh(self, directory, external.to_owned()).await;
        }
        Ok(found)
    }

    /// Makes the object of a directory's person who keeps a secret in the farm, such as a second factor: a secret
    /// belongs to an object.
    pub async fn adopt_known(&self, by: &Caller, user: Id<User>) -> Result<(), ChangeError> {
        let _turn = turn().await;
        let view = self.farm.load();
        if view.users.get(user).is_some() || !external::is_derived(user) {
            return Ok(());
        }
        let Some(person) = view.people.get(user) else { return Ok(()) };
        let external = External { directory: person.directory, id: person.external.clone() };
        let name = free_name(&view, Kind::User, person.directory, &person.name, &external.id);
        let full_name = person.full_name.chars().take(NAME_MAX).collect();
        let spec = User { full_name, external: Some(external), ..User::default() };
        // For themselves, which needs no right to make users.
        let transaction = Transaction::new(by.author.clone(), self.now()).create(user, name, None, &spec);
        self.commit(transaction).await?;
        Ok(())
    }
}

/// A name that no other object of the kind has: the directory's, then with its domain, then with the id in it.
fn free_name(view: &FarmView, kind: Kind, directory: Id<Directory>, name: &str, external: &str) -> String {
    let domain = view.directories.get(directory).map_or("", |directory| &directory.spec.domain);
    let plain: String = name.chars().filter(|c| !c.is_control()).collect();
    let cut = |end: &str| -> String {
        let room = NAME_MAX.saturating_sub(end.chars().count());
        let begin: String = plain.trim().chars().take(room).collect();
        format!("{}{end}", begin.trim_end())
    };
    let candidates = [cut(""), cut(&format!(" ({domain})")), cut(&format!(" ({external})"))];
    let is_free = |name: &String| !name.is_empty() && view.id_of(kind, name).is_none();
    candidates.into_iter().find(is_free).unwrap_or_else(|| external.to_owned())
}
