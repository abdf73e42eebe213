//! People of directories, as far as this broker knows them: what their directory said last, in memory and, behind
//! it, in the store. Truth is the directory's; this is what a sign-in is looked up in at every request, and what
//! people go on working with while no server answers.
//!
//! All views of the farm share one memory of people: whom somebody is, is asked of a view
//! ([`FarmView::person`]), which puts together what the directory says and what the farm's settings say.

use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, Mutex, RwLock},
};

use jiff::SignedDuration;
use oriel_identity::external;
use oriel_model::{
    Id, Object, Timestamp,
    directory::Directory,
    group::Group,
    user::{User, is_account_name},
};
use oriel_net::supervise::ShutdownSignal;
use oriel_store::{KeptPerson, PEOPLE_MAX, SettingsStore, StoreError};
use serde::{Deserialize, Serialize};
use tokio::sync::Notify;

use super::FarmView;
use crate::{
    behind,
    hosts::{lock, read, write},
};

/// How long the store remembers people whom no directory spoke of since: longer than any sign-in lasts.
const REMEMBERED: SignedDuration = SignedDuration::from_hours(24 * 30);
/// People written at once.
const BATCH: usize = 500;
/// A directory that gave no answer about somebody is not asked about them again before.
const ASK_AGAIN: SignedDuration = SignedDuration::from_secs(15);
/// Longest account on a session host, in characters: [`is_account_name`].
const ACCOUNT_MAX: usize = 32;
/// Accounts that systems have for themselves: nobody of a directory gets one by being called so.
const SYSTEM_ACCOUNTS: &[&str] = &[
    "root",
    "daemon",
    "bin",
    "sys",
    "sync",
    "games",
    "man",
    "lp",
    "mail",
    "news",
    "uucp",
    "proxy",
    "www-data",
    "backup",
    "list",
    "irc",
    "nobody",
    "adm",
    "operator",
    "sshd",
    "messagebus",
    "xrdp",
    "oriel",
];

/// What a directory said of a person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Person {
    /// Which directory.
    pub directory: Id<Directory>,
    /// What they are there: a SID, or an entry's UUID.
    pub external: String,
    /// The name they sign in with, whole.
    pub name: String,
    /// Their short name there.
    pub account: String,
    /// Their name for others to read.
    pub full_name: String,
    /// Whether they are there and may sign in.
    pub enabled: bool,
    /// Every group they are in, as the ids that objects for them would have.
    pub groups: Vec<Id<Group>>,
    /// Changes with their password, where the directory tells; a sign-in holds the one that it was made with.
    pub credential_revision: u64,
    /// When the directory said so.
    pub seen_at: Timestamp,
}

impl Person {
    /// Their id, here and on every broker.
    pub fn id(&self) -> Id<User> {
        external::user_id(self.directory, &self.external)
    }
}

/// The people whom this broker knows.
#[derive(Debug, Default)]
pub struct KnownPeople {
    people: RwLock<HashMap<Id<User>, Known>>,
    unstored: Mutex<HashSet<Id<User>>>,
    written_to: Notify,
}

#[derive(Debug, Clone)]
struct Known {
    person: Arc<Person>,
    /// Whether what is known is to be asked anew, however new it is.
    is_stale: bool,
    /// When the directory was asked last, whether it answered or not; none: it is asked at the next use.
    asked_at: Option<Timestamp>,
}

impl KnownPeople {
    /// Those that the store remembers. One whom this version cannot read is left out.
    pub async fn load_from(store: &dyn SettingsStore) -> Result<Self, StoreError> {
        let kept = store.people().await?;
        let known = kept.into_iter().filter_map(|kept| {
            let person: Person = serde_json::from_value(kept.person).ok()?;
            Some((person.id(), Known { person: Arc::new(person), is_stale: true, asked_at: None }))
        });
        Ok(Self { people: RwLock::new(known.collect()), ..Self::default() })
    }

    /// Somebody, if they are known.
    pub fn get(&self, user: Id<User>) -> Option<Arc<Person>> {
        read(&self.people).get(&user).map(|known| known.person.clone())
    }

    /// Takes in what a directory said.
    pub fn put(&self, person: Person) {
        let (user, asked_at) = (person.id(), Some(person.seen_at));
        let mut people = write(&self.people);
        if people.len() >= PEOPLE_MAX as usize && !people.contains_key(&user) {
            forget_oldest(&mut people);
        }
        people.insert(user, Known { person: Arc::new(person), is_stale: false, asked_at });
        drop(people);
        lock(&self.unstored).insert(user);
        self.written_to.notify_one();
    }

    /// Notes that somebody's directory says they are no more, or may not sign in; whether that is new.
    pub fn shut(&self, user: Id<User>, now: Timestamp) -> bool {
        let Some(person) = self.get(user) else { return false };
        let was_enabled = person.enabled;
        self.put(Person { enabled: false, seen_at: now, ..(*person).clone() });
        was_enabled
    }

    /// Notes that a directory was asked about somebody and told nothing.
    pub fn asked(&self, user: Id<User>, now: Timestamp) {
        if let Some(known) = write(&self.people).get_mut(&user) {
            known.asked_at = Some(now);
        }
    }

    /// Asks about everybody of a directory anew at their next use.
    pub fn flush(&self, directory: Id<Directory>) {
        for known in write(&self.people).values_mut() {
            if known.person.directory == directory {
                (known.is_stale, known.asked_at) = (true, None);
            }
        }
    }

    /// Whether a directory is to be asked about somebody: nobody did, or long ago.
    pub fn is_due(&self, user: Id<User>, cache: SignedDuration, now: Timestamp) -> bool {
        let people = read(&self.people);
        let Some(known) = people.get(&user) else { return true };
        let age = |since: Timestamp| now.duration_since(since).abs();
        let is_old = known.is_stale || age(known.person.seen_at) >= cache;
        is_old && known.asked_at.is_none_or(|asked_at| age(asked_at) >= ASK_AGAIN.min(cache))
    }

    /// Stores behind, until the signal; then once more.
    pub async fn write_behind(
        &self,
        store: &dyn SettingsStore,
        clock: &dyn oriel_net::clock::Clock,
        signal: ShutdownSignal,
    ) {
        behind::write_behind(&self.written_to, signal, || self.write_all(store, clock.now())).await;
    }

    async fn write_all(&self, store: &dyn SettingsStore, now: Timestamp) -> bool {
        loop {
            let batch: Vec<Id<User>> = lock(&self.unstored).iter().take(BATCH).copied().collect();
            if batch.is_empty() {
                return true;
            }
            {
                let mut unstored = lock(&self.unstored);
                batch.iter().for_each(|user| _ = unstored.remove(user));
            }
            let people = batch.iter().filter_map(|user| {
                let person = self.get(*user)?;
                let json = serde_json::to_value(&*person).ok()?;
                Some(KeptPerson { user: *user, at: person.seen_at, person: json })
            });
            let expired = now.checked_sub(REMEMBERED).unwrap_or(Timestamp::MIN);
            match store.keep_people(people.collect(), expired).await {
                Ok(()) => {}
                // It would be refused again; in memory they stay known.
                Err(error @ StoreError::Refused(_)) => {
                    tracing::warn!(%error, "what a directory said of a person is too much to be stored");
                }
                Err(error) => {
                    tracing::warn!(%error, "people of directories could not be stored; trying again");
                    lock(&self.unstored).extend(batch);
                    return false;
                }
            }
        }
    }
}

/// Makes room for a tenth, so that it is not done for every new one.
fn forget_oldest(people: &mut HashMap<Id<User>, Known>) {
    let mut ages: Vec<Timestamp> = people.values().map(|known| known.person.seen_at).collect();
    let at = ages.len() / 10;
    let (_, limit, _) = ages.select_nth_unstable(at);
    let limit = *limit;
    people.retain(|_, known| known.person.seen_at > limit);
}

impl FarmView {
    /// Somebody who may be signed in: the farm's own, or a directory's. Of a directory's, name, full name and
    /// groups are what their directory said last, with the groups of the farm that they belong to besides; one
    /// whom no directory spoke of yet is none.
    pub fn person(&self, user: Id<User>) -> Option<Arc<Object<User>>> {
        let object = self.users.get(user);
        match object {
            Some(own) if own.spec.external.is_none() => Some(own.clone()),
            _ => Some(Arc::new(self.of_directory(&*self.people.get(user)?, object.map(|chosen| &**chosen))?)),
        }
    }

    fn of_directory(&self, person: &Person, chosen: Option<&Object<User>>) -> Option<Object<User>> {
        let directory = self.directories.get(person.directory)?;
        let is_of_it = |group: &Object<Group>| {
            group.spec.external.as_ref().is_some_and(|external| external.directory == directory.id)
        };
        let of_directory = person.groups.iter().copied();
        let mut groups: Vec<_> =
            of_directory.filter(|id| self.groups.get(*id).is_some_and(|group| is_of_it(group))).collect();
        groups.extend(chosen.iter().flat_map(|chosen| &chosen.spec.groups));
        let said = chosen.and_then(|chosen| chosen.spec.account.clone());
        Some(Object {
            id: person.id(),
            name: person.name.clone(),
            site: chosen.and_then(|chosen| chosen.site),
            spec: User {
                enabled: directory.spec.enabled
                    && person.enabled
                    && chosen.is_none_or(|chosen| chosen.spec.enabled),
                full_name: person.full_name.clone(),
                groups,
                account: Some(said.unwrap_or_else(|| self.account_of(person, &directory.spec))),
                external: Some(oriel_model::directory::External {
                    directory: person.directory,
                    id: person.external.clone(),
                }),
            },
            revision: chosen.map_or(0, |chosen| chosen.revision),
            changed_at: person.seen_at,
            changed_by: format!("directory {}", directory.name),
        })
    }

    /// The account of a directory's person on session hosts: never one of the system or of the farm's own user.
    fn account_of(&self, person: &Person, directory: &Directory) -> String {
        let suffix = directory.account_suffix.as_deref().unwrap_or_default();
        let account = account_name(&person.account, suffix);
        let is_own = self.users.by_name(&account).is_some_and(|user| user.spec.external.is_none());
        if !is_own && !SYSTEM_ACCOUNTS.contains(&&*account) {
            return account;
        }
        let id = person.id().uuid().simple().to_string();
        account_name(&person.account, &format!("-{}", &id[..8]))
    }

    /// What a sign-in of somebody must hold; changes with their password. None: they have no password.
    pub fn credential_revision(&self, user: Id<User>) -> Option<u64> {
        match self.credentials.get(&user) {
            Some(credential) => Some(credential.revision()),
            None => self.people.get(user).map(|person| person.credential_revision),
        }
    }

    /// As [`FarmView::person`], if they may be signed in at `now`: people of a directory that gave no answer for
    /// longer than its settings say may not.
    pub fn person_at(&self, user: Id<User>, now: Timestamp) -> Option<Arc<Object<User>>> {
        let person = self.person(user).filter(|person| person.spec.enabled)?;
        let is_heard = person.spec.external.as_ref().is_none_or(|external| {
            let directory = self.directories.get(external.directory).map(|directory| &directory.spec);
            let seen_at = self.people.get(user).map(|person| person.seen_at);
            directory.zip(seen_at).is_some_and(|(directory, seen_at)| {
                // Without a service account nobody can be asked about; their sign-in's end is the end.
                let patience = i64::from(directory.offline_hours) * 3_600
                    + i64::from(directory.membership_cache_secs)
                    + ASK_AGAIN.as_secs();
                directory.bind_name.is_none() || now.duration_since(seen_at).as_secs() <= patience
            })
        });
        is_heard.then_some(person)
    }

    /// Whether somebody is a directory's of whom this broker has not heard: that they are none says nothing.
    pub fn is_unheard_of(&self, user: Id<User>) -> bool {
        external::is_derived(user)
            && self.people.get(user).is_none()
            && self.users.get(user).is_none_or(|user| user.spec.external.is_some())
    }
}

/// A name as an account on session hosts: what no account may have becomes `_`.
fn account_name(name: &str, suffix: &str) -> String {
    let is_plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '_' | '-' | '.');
    let mut account: String =
        name.to_lowercase().chars().map(|c| if is_plain(c) { c } else { '_' }).collect();
    if !account.starts_with(|c: char| c.is_ascii_lowercase() || c == '_') {
        account.insert(0, '_');
    }
    account.truncate(ACCOUNT_MAX.saturating_sub(suffix.len()));
    account.push_str(suffix);
    debug_assert!(is_account_name(&account), "{account}");
    account
}

#[cfg(test)]
mod tests;
