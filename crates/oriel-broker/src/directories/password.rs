//! The password of a directory's service account: a sealed secret beside the object, kept for the account and the
//! servers that it was set for. Whoever names another server does not get it sent there.

use std::{collections::BTreeSet, fmt};

use oriel_model::{Id, directory::Directory, validate::Mistake};
use oriel_store::{CommitError, StoreError, Transaction};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::{
    Broker,
    app::{
        administrators::Caller,
        objects::{self, ChangeError, turn},
    },
};

/// Name of the directory's secret that holds its service account's password.
pub const PASSWORD_SECRET: &str = "bind_password";
/// Longest password, in characters.
const PASSWORD_MAX: usize = 500;

/// The password, and for whom it is.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BindPassword {
    bind_name: String,
    hosts: BTreeSet<String>,
    password: Zeroizing<String>,
}

impl BindPassword {
    /// Reads the secret's bytes; none if they are not ours.
    pub fn from_secret(bytes: &[u8]) -> Option<Self> {
        serde_json::from_slice(bytes).ok()
    }

    /// The password, if it was set for this account and all of these servers.
    pub fn of(&self, directory: &Directory) -> Option<Zeroizing<String>> {
        let is_for_it = directory.bind_name.as_deref() == Some(&self.bind_name)
            && directory.servers.iter().all(|server| self.hosts.contains(&server.host));
        is_for_it.then(|| self.password.clone())
    }
}

impl fmt::Debug for BindPassword {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("BindPassword(..)")
    }
}

impl Broker {
    /// Sets the password of a directory's service account, for the account and the servers that are set now. It is
    /// never given back.
    pub async fn set_bind_password(
        &self,
        by: &Caller,
        id: Id<Directory>,
        password: Zeroizing<String>,
    ) -> Result<(), ChangeError> {
        let invalid =
            |message: String| ChangeError::Invalid(vec![Mistake { field: "password".to_owned(), message }]);
        let length = password.chars().count();
        if length == 0 || length > PASSWORD_MAX {
            return Err(invalid(format!("must have 1 to {PASSWORD_MAX} characters")));
        }
        let _turn = turn().await;
        let directory = objects::seen_by(self, &by.rights, id)?;
        let Some(bind_name) = directory.spec.bind_name.clone() else {
            return Err(invalid("belongs to a service account, and this directory has no bind_name".into()));
        };
        let hosts = directory.spec.servers.iter().map(|server| server.host.clone()).collect();
        let kept = serde_json::to_vec(&BindPassword { bind_name, hosts, password });
        let kept =
            kept.map_err(|error| CommitError::from(StoreError::Unavailable { reason: error.to_string() }))?;
        let transaction = Transaction::new(by.author.clone(), self.now());
        self.commit_by(by, transaction.put_secret(id, PASSWORD_SECRET, Zeroizing::new(kept))).await?;
        self.directories.forget_standing(id);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_goes_to_nobody_it_was_not_set_for() {
        let directory: Directory = serde_json::from_value(serde_json::json!({
            "kind": "openldap", "domain": "corp.example", "base_dn": "dc=corp", "bind_name": "cn=oriel",
            "servers": [{"host": "one"}, {"host": "two"}],
        }))
        .expect("reads");
        let hosts = ["one", "two", "three"].map(str::to_owned).into();
        let kept = BindPassword { bind_name: "cn=oriel".into(), hosts, password: "secret".to_owned().into() };
        assert_eq!(kept.of(&directory).as_deref().map(String::as_str), Some("secret"));
        assert!(!format!("{kept:?}").contains("secret"));
        let mut other = directory.clone();
        other.servers[1].host = "mallory".into();
        assert_eq!(kept.of(&other), None);
        let other = Directory { bind_name: Some("cn=root".into()), ..directory };
        assert_eq!(kept.of(&other), None);
    }
}
