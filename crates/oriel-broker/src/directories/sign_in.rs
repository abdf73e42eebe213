//! Signing in: whose a name is, and asking that directory. The farm's own users come first, so that nobody is
//! locked out by a directory that is out of reach.
//!
//! The answer is the same for everybody who is refused. How long it takes says no more than whether a name is
//! answered by the farm or by a directory: a directory's refusals take its round trips, and the work of comparing a
//! password of the farm on top. Names with a domain say so themselves.

use std::sync::{Arc, OnceLock, Weak};

use async_trait::async_trait;
use oriel_identity::{
    Answer, Authenticated, LocalDirectory, Refused, external,
    ldap::{Claim, Login, directory_of},
    normalised,
};
use oriel_model::{Id, directory::Directory, validate::fold};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::{refresh, standing};
use crate::{
    Broker,
    farm::{FarmFeed, FarmView},
};

/// Where somebody is kept who is signed in: what their sign-in carries, so that a broker that does not know them
/// can ask.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OfDirectory {
    /// The directory.
    pub directory: Id<Directory>,
    /// What they are there.
    pub external: String,
}

/// The farm's own users and the people of every directory.
pub struct EveryDirectory {
    own: LocalDirectory,
    farm: Arc<FarmFeed>,
    /// Set once the broker is made, which has this.
    broker: OnceLock<Weak<Broker>>,
}

/// The directory that a name belongs to; none: the farm itself.
pub fn whose(view: &FarmView, name: &str) -> Option<(Id<Directory>, Login)> {
    let is_own = |name: &str| view.users.by_name(name).is_some_and(|user| user.spec.external.is_none());
    if view.directories.is_empty() || is_own(name.trim()) {
        return None;
    }
    let enabled = view.directories.iter().filter(|directory| directory.spec.enabled);
    let claims: Vec<_> = enabled
        .map(|directory| Claim {
            directory: directory.id,
            domain: &directory.spec.domain,
            netbios: directory.spec.netbios_name.as_deref(),
            upn_suffixes: &directory.spec.upn_suffixes,
        })
        .collect();
    let default = view.farm().sign_in.default_domain;
    let default = default.and_then(|domain| {
        claims.iter().find(|claim| fold(claim.domain) == fold(&domain)).map(|claim| claim.directory)
    });
    let login = Login::parse(name)?;
    directory_of(&login, &claims, default).map(|directory| (directory, login))
}

impl EveryDirectory {
    /// The farm's own users, and whoever else the settings in memory name.
    pub fn new(own: LocalDirectory, farm: Arc<FarmFeed>) -> Self {
        Self { own, farm, broker: OnceLock::new() }
    }

    /// Says which broker it is of.
    pub fn belongs_to(&self, broker: &Arc<Broker>) {
        let _ = self.broker.set(Arc::downgrade(broker));
    }

    fn broker(&self) -> Result<Arc<Broker>, Refused> {
        let broker = self.broker.get().and_then(Weak::upgrade);
        broker.ok_or_else(|| Refused::Unavailable("the broker is starting or stopping".to_owned()))
    }

    async fn ask(
        &self,
        directory: Id<Directory>,
        login: &Login,
        password: Zeroizing<String>,
    ) -> Result<Authenticated, Refused> {
        let broker = self.broker()?;
        let view = self.farm.load();
        let client = broker.directories.client(&view, directory).map_err(Refused::Unavailable);
        let answer = match client {
            Ok(client) => client.authenticate(login, password).await,
            Err(refused) => Err(refused),
        };
        match &answer {
            Err(Refused::Busy) => {}
            Err(Refused::Unavailable(why)) => standing::note(&broker, directory, Err(why)),
            _ => standing::note(&broker, directory, Ok(())),
        }
        let person = refresh::known(directory, answer?, broker.now());
        let authenticated = Authenticated { user: person.id(), name: person.name.clone() };
        view.people.put(person);
        Ok(authenticated)
    }
}

#[async_trait]
impl oriel_identity::Directory for EveryDirectory {
    async fn authenticate(&self, name: &str, password: Zeroizing<String>) -> Result<Authenticated, Refused> {
        let whose = whose(&self.farm.load(), name);
        let Some((directory, login)) = whose else {
            return self.own.authenticate(own_name(name), password).await;
        };
        match self.ask(directory, &login, password.clone()).await {
            Err(refused) if refused.answer() == Answer::Wrong => {
                self.own.pretend(name, password).await?;
                Err(refused)
            }
            answer => answer,
        }
    }

    async fn pretend(&self, name: &str, password: Zeroizing<String>) -> Result<(), Refused> {
        let whose = whose(&self.farm.load(), name);
        if let Some((directory, _)) = whose {
            let client = self.broker()?.directories.client(&self.farm.load(), directory);
            // Out of reach is told as such: whoever is not locked would hear the same.
            client.map_err(Refused::Unavailable)?.pretend().await?;
        }
        self.own.pretend(name, password).await
    }

    /// All ways to write a directory's person share one count: `CORP\anna`, `anna@corp.example`, and `anna` where
    /// that is the default domain.
    fn account(&self, name: &str) -> String {
        let view = self.farm.load();
        let whole = whose(&view, name).and_then(|(directory, login)| {
            let domain = &view.directories.get(directory)?.spec.domain;
            normalised(&format!("{}@{domain}", login.user()))
        });
        whole.or_else(|| normalised(own_name(name))).unwrap_or_default()
    }
}

/// `.\anna` is the farm's own anna, whatever the default domain is.
fn own_name(name: &str) -> &str {
    name.trim().strip_prefix(".\\").unwrap_or(name)
}

impl FarmView {
    /// Where somebody is kept; none: in the farm itself.
    pub fn kept_in(&self, user: Id<oriel_model::user::User>) -> Option<OfDirectory> {
        let person = external::is_derived(user).then(|| self.people.get(user)).flatten()?;
        Some(OfDirectory { directory: person.directory, external: person.external.clone() })
    }
}

#[cfg(test)]
mod tests {
    use oriel_model::{Kind, SettingsObject, Timestamp};
    use serde_json::{Value, json};

    use super::*;

    fn put(view: &mut FarmView, kind: Kind, name: &str, spec: Value) -> Id<Value> {
        let (id, now) = (Id::generate(Timestamp::now()), Timestamp::UNIX_EPOCH);
        let (name, changed_by) = (name.to_owned(), "t".to_owned());
        view.put(&SettingsObject {
            kind,
            id,
            name,
            site: None,
            spec,
            revision: 1,
            changed_at: now,
            changed_by,
        });
        id
    }

    #[test]
    fn a_name_belongs_to_the_farm_first_then_to_whom_it_names_then_to_the_default() {
        let mut view = FarmView::default();
        let spec = |more: Value| {
            let mut spec = json!({"kind": "active_directory", "domain": "corp.example", "netbios_name": "CORP",
                "base_dn": "dc=corp", "servers": [{"host": "dc"}], "upn_suffixes": ["example.org"]});
            spec.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
            spec
        };
        let corp = put(&mut view, Kind::Directory, "Corp", spec(json!({})));
        let lab = json!({"domain": "lab.example", "netbios_name": "LAB", "upn_suffixes": []});
        let lab = put(&mut view, Kind::Directory, "Lab", spec(lab));
        put(&mut view, Kind::User, "root", json!({}));
        put(&mut view, Kind::User, "odd@corp.example", json!({}));
        let farm = put(&mut view, Kind::Farm, "Farm", json!({}));
        let of = |view: &FarmView, name: &str| whose(view, name).map(|(directory, _)| directory.cast());
        for (name, expected) in [
            ("anna", None),
            ("anna@corp.example", Some(corp)),
            ("anna@EXAMPLE.org", Some(corp)),
            ("corp\\anna", Some(corp)),
            ("LAB\\anna", Some(lab)),
            ("other\\anna", None),
            ("anna@nowhere.example", None),
            ("odd@corp.example", None),
            ("root", None),
        ] {
            assert_eq!(of(&view, name), expected, "{name}");
        }
        view.remove(Kind::Farm, farm);
        put(&mut view, Kind::Farm, "Farm", json!({"sign_in": {"default_domain": "LAB.example"}}));
        for (name, expected) in [("anna", Some(lab)), (" Root ", None), (".\\anna", None), ("", None)] {
            assert_eq!(of(&view, name), expected, "{name}");
        }
        view.remove(Kind::Directory, lab);
        put(&mut view, Kind::Directory, "Lab", spec(json!({"domain": "lab.example", "enabled": false})));
        assert_eq!(of(&view, "anna"), None);
    }
}
