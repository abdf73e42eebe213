//! Letting people in, and knowing them later.

use std::{
    collections::{HashMap, HashSet},
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::time::{Instant, sleep_until};
use zeroize::Zeroizing;

use super::{
    Check, Expiry, GroupId, InvalidSettings, Login, NotAsked, Person, PersonId, Schema, Settings,
    active_directory as ad, check,
    connection::{Broken, Connection, Matches, said},
    filter::Filter,
    message::{Entry, Outcome, Policy, Scope, Search, code},
    open_ldap,
    servers::{Purpose, Servers},
};
use crate::directory::{Answer, Refused};

/// A refusal is told at the end of one of these, counted from when it was asked for, so that nobody learns
/// from the time whether a name is known, and what of it was looked at: a directory that is well answers all
/// of it within the first.
const REFUSAL_STEP: Duration = Duration::from_millis(250);
/// Bytes of a password at most: four times what Active Directory takes.
const PASSWORD_MAX: usize = 1024;
/// Groups that somebody is in, at most: Windows lets nobody on who is in more than 1,015.
const GROUPS_MAX: usize = 1_500;
/// How deep groups lie in each other at most.
const DEPTH_MAX: usize = 32;
/// Names that one question holds at most.
const BATCH: usize = 50;
/// People answered from memory at most, of some 3 KiB each.
const REMEMBERED_MAX: usize = 5_000;
/// A name that nobody has, for the same trips where there is nobody. Not a random one, so that whoever reads
/// the directory's log learns what it is.
const NOBODY: &str = "oriel-asks-for-nobody";

/// The people of one directory. Asks its servers only when it is asked itself; making one asks none.
pub struct LdapDirectory {
    pub(super) settings: Settings,
    pub(super) servers: Servers,
    remembered: Mutex<HashMap<PersonId, (Instant, Person)>>,
}

/// Somebody who proved who they are, and how their password stands.
pub(super) struct Proved {
    pub entry: Entry,
    pub expires: Option<Expiry>,
    /// Where they are bound themselves; none where the service account goes on asking.
    pub own: Option<Connection>,
}

/// Somebody whose password was looked at.
pub(super) enum Proof {
    /// It is right.
    Right(Proved),
    /// It is not, or is not enough. Who it is, if they were looked up.
    Refused(Refused, Option<Entry>),
}

impl LdapDirectory {
    /// The directory of these settings.
    ///
    /// # Errors
    /// They cannot work, whatever the servers say.
    pub fn new(settings: Settings) -> Result<Self, InvalidSettings> {
        settings.check()?;
        Ok(Self { servers: Servers::new(&settings), settings, remembered: Mutex::default() })
    }

    /// Lets somebody in, or says for the log why not. Whose domain the name carries is the caller's to have
    /// looked at ([`super::directory_of`]).
    ///
    /// The password is tried once, against the entry that was found, so the directory counts one failure for
    /// the account that was meant and none for any other. Where nobody was found, a name that nobody has is
    /// tried, for the same trips.
    pub async fn authenticate(&self, name: &Login, password: Zeroizing<String>) -> Result<Person, Refused> {
        evenly(async {
            match self.prove(name, &password).await? {
                Proof::Refused(refused, _) => Err(refused),
                Proof::Right(proved) => self.known(proved).await,
            }
        })
        .await
    }

    /// Does the same trips to a server as [`LdapDirectory::authenticate`] for a name that nobody has, and
    /// takes as long: for an answer that is known already but must not be given any faster. No server counts
    /// a failure for anybody.
    pub async fn pretend(&self) -> Result<(), Refused> {
        let nobody = Login::Plain { user: NOBODY.to_owned() };
        match self.authenticate(&nobody, Zeroizing::new(NOBODY.to_owned())).await {
            Err(refused) if refused.answer() == Answer::TryAgain => Err(refused),
            _ => Ok(()),
        }
    }

    /// Somebody as they are now, without their password: for what they may open later. Answered from memory
    /// for [`Settings::membership_cache`].
    ///
    /// # Errors
    /// [`Refused::UnknownUser`] when they are no more, and [`Refused::Disabled`]. That wrong passwords have
    /// locked the account, or that its password has expired, is none.
    pub async fn refresh(&self, person: &PersonId) -> Result<Person, Refused> {
        if let Some(person) = self.recalled(person) {
            return Ok(person);
        }
        let by_id = match &self.settings.schema {
            Schema::ActiveDirectory => Filter::And(vec![ad::people(), ad::by_id(&person.0)]),
            Schema::OpenLdap(names) => {
                Filter::And(vec![open_ldap::people(names), open_ldap::by_id(names, &person.0)])
            }
        };
        let found = self.look(&self.search_of_people(by_id)).await?.entries.pop();
        let Some(entry) = found else {
            self.forget(person);
            return Err(Refused::UnknownUser);
        };
        let shut = match &self.settings.schema {
            Schema::ActiveDirectory => ad::shut(&entry),
            Schema::OpenLdap(_) => open_ldap::shut(&entry),
        };
        if let Some(refused) = shut {
            self.forget(person);
            return Err(refused);
        }
        self.known(Proved { entry, expires: None, own: None }).await
    }

    /// Forgets everything that is answered from memory.
    pub fn flush(&self) {
        self.memory().clear();
    }

    /// Asks every server once, on a connection of its own: for a button that tests the settings.
    pub async fn check(&self) -> Check {
        let settings = &self.settings;
        let is_bound = self.servers.has_service_account();
        self.servers.check(|connection| check::ask(settings, is_bound, connection)).await
    }

    /// Looks somebody up and tries their password, once.
    pub(super) async fn prove(&self, login: &Login, password: &str) -> Result<Proof, Refused> {
        // An empty one would be a bind as nobody, which succeeds (RFC 4513, 5.1.2).
        let is_possible = !password.is_empty() && password.len() <= PASSWORD_MAX;
        let password = if is_possible { password } else { NOBODY };
        if !self.servers.has_service_account() {
            return self.prove_themselves(login, is_possible, password).await;
        }
        let filter = match &self.settings.schema {
            Schema::ActiveDirectory => ad::by_login(&self.settings, login),
            Schema::OpenLdap(names) => open_ldap::by_login(names, login),
        };
        let found = self.look(&self.search_of_people(filter)).await?.entries;
        let count = found.len();
        let entry = match &self.settings.schema {
            Schema::ActiveDirectory => ad::chosen(login, found),
            Schema::OpenLdap(_) => (count == 1).then_some(found).and_then(|mut found| found.pop()),
        };
        if entry.is_none() && count > 1 {
            tracing::warn!(user.name = %login, count, "several people of a directory have the same name");
        }
        let name = match &entry {
            Some(entry) if is_possible => entry.dn.clone(),
            _ => self.name_of_nobody(),
        };
        let (outcome, policy) = self.bind(&name, password).await?;
        let Some(entry) = entry else { return Ok(Proof::Refused(Refused::UnknownUser, None)) };
        if !is_possible {
            return Ok(Proof::Refused(Refused::WrongPassword, Some(entry)));
        }
        Ok(match self.judged(&outcome, &policy)? {
            Ok(expires) => Proof::Right(Proved { entry, expires, own: None }),
            Err(refused) => Proof::Refused(refused, Some(entry)),
        })
    }

    /// The same without a service account: whoever signs in looks themselves up.
    async fn prove_themselves(
        &self,
        login: &Login,
        is_possible: bool,
        password: &str,
    ) -> Result<Proof, Refused> {
        let (name, filter) = match &self.settings.schema {
            Schema::ActiveDirectory => {
                (ad::bind_name(&self.settings, login), ad::by_login(&self.settings, login))
            }
            Schema::OpenLdap(names) => {
                let name = open_ldap::bind_name(&self.settings, names, login.user());
                (name, open_ldap::by_login(names, login))
            }
        };
        let name = &if is_possible { name } else { self.name_of_nobody() };
        let search = &self.search_of_people(filter);
        let bound = self.servers.ask(Purpose::Proof, |mut connection| async move {
            let (outcome, policy) = connection.bind(name, password).await?;
            let is_restricted = policy.error.is_some();
            if outcome.code != code::SUCCESS || is_restricted {
                return Ok(((outcome, policy, Matches::default(), None), None));
            }
            let found = connection.search(search).await?;
            Ok(((outcome, policy, found, Some(connection)), None))
        });
        let (outcome, policy, found, own) = bound.await?;
        let expires = match self.judged(&outcome, &policy)? {
            Ok(expires) if is_possible => expires,
            Ok(_) => return Ok(Proof::Refused(Refused::WrongPassword, None)),
            Err(refused) => {
                // Where they are is known without having looked.
                let is_open = matches!(self.settings.schema, Schema::OpenLdap(_));
                return Ok(Proof::Refused(refused, is_open.then(|| Entry::at(name))));
            }
        };
        let entry = match &self.settings.schema {
            Schema::ActiveDirectory => ad::chosen(login, found.entries),
            Schema::OpenLdap(_) => found.entries.into_iter().next(),
        };
        match entry {
            Some(entry) => Ok(Proof::Right(Proved { entry, expires, own })),
            None => Err(Refused::Unavailable(
                "whoever signed in cannot be found below the base of the directory, or may not read themselves"
                    .to_owned(),
            )),
        }
    }

    /// Tries a name and password on a connection that is used for nothing else.
    async fn bind(&self, name: &str, password: &str) -> Result<(Outcome, Policy), NotAsked> {
        let bound = self.servers.ask(Purpose::Proof, |mut connection| async move {
            let (outcome, policy) = connection.bind(name, password).await?;
            match outcome.code {
                // Whoever comes next replaces them (RFC 4511, 4.2.1).
                code::SUCCESS | code::INVALID_CREDENTIALS => Ok(((outcome, policy), Some(connection))),
                code::BUSY | code::UNAVAILABLE => Err(Broken::Because(said(&outcome, "signing somebody in"))),
                _ => Ok(((outcome, policy), None)),
            }
        });
        bound.await
    }

    /// What a bind came to: the answer is about the person, the error about the directory.
    fn judged(&self, outcome: &Outcome, policy: &Policy) -> Result<Result<Option<Expiry>, Refused>, Refused> {
        match outcome.code {
            code::SUCCESS | code::INVALID_CREDENTIALS | code::INAPPROPRIATE_AUTHENTICATION => {}
            // Names that cannot be, such as those of nobody, are refused as wrong ones.
            code::INVALID_DN_SYNTAX | code::NO_SUCH_OBJECT => return Ok(Err(Refused::UnknownUser)),
            code::UNWILLING => return Ok(Err(Refused::ByDirectory(said(outcome, "signing somebody in")))),
            _ => return Err(Refused::Unavailable(said(outcome, "signing somebody in"))),
        }
        Ok(match &self.settings.schema {
            Schema::ActiveDirectory if outcome.code == code::SUCCESS => Ok(None),
            Schema::ActiveDirectory => Err(ad::refused(outcome)),
            Schema::OpenLdap(_) => open_ldap::bound(outcome, policy),
        })
    }

    fn name_of_nobody(&self) -> String {
        match &self.settings.schema {
            Schema::ActiveDirectory => format!("{NOBODY}@{}", self.settings.domain),
            Schema::OpenLdap(names) => open_ldap::bind_name(&self.settings, names, NOBODY),
        }
    }

    fn search_of_people(&self, filter: Filter) -> Search<'_> {
        let (base, attributes) = match &self.settings.schema {
            Schema::ActiveDirectory => (&self.settings.base_dn, ad::PERSON.to_vec()),
            Schema::OpenLdap(names) => (
                names.users_dn.as_ref().unwrap_or(&self.settings.base_dn),
                open_ldap::person_attributes(names),
            ),
        };
        // Two are as many as are needed to see that it is not one.
        Search { base, scope: Scope::Subtree, filter, attributes, limit: 2 }
    }

    /// A search by the service account.
    pub(super) async fn look(&self, search: &Search<'_>) -> Result<Matches, NotAsked> {
        let looking = self.servers.ask(Purpose::Service, |mut connection| async move {
            let matches = connection.search(search).await?;
            // A search that was cut may go on at the server.
            let again = (!matches.is_cut).then_some(connection);
            Ok((matches, again))
        });
        looking.await
    }

    /// A search by the person, where they are bound themselves, else by the service account.
    async fn look_as(&self, own: &mut Option<Connection>, search: &Search<'_>) -> Result<Matches, Refused> {
        match own {
            None => Ok(self.look(search).await?),
            Some(connection) => {
                let searching = connection.search(search);
                match tokio::time::timeout(self.settings.answer_timeout, searching).await {
                    Ok(Ok(matches)) => Ok(matches),
                    Ok(Err(broken)) => Err(Refused::Unavailable(broken.to_string())),
                    Err(_) => Err(Refused::Unavailable("it does not answer any more".to_owned())),
                }
            }
        }
    }

    /// A person from their entry, with all of their groups.
    async fn known(&self, proved: Proved) -> Result<Person, Refused> {
        let Proved { entry, expires, mut own } = proved;
        let person = match &self.settings.schema {
            Schema::ActiveDirectory => ad::person(&self.settings, &entry),
            Schema::OpenLdap(names) => open_ldap::person(&self.settings, names, &entry),
        };
        let mut person = person.ok_or_else(|| {
            Refused::Unavailable(format!("{:?} lacks an identifier or a name that may be read", entry.dn))
        })?;
        let mut groups = self.groups(&mut own, &entry).await?;
        if let Some(connection) = own {
            connection.close().await;
        }
        groups.sort_unstable();
        groups.dedup();
        person.groups = groups;
        person.password_expires = expires.or(person.password_expires);
        self.remember(&person);
        Ok(person)
    }

    async fn groups(&self, own: &mut Option<Connection>, entry: &Entry) -> Result<Vec<GroupId>, Refused> {
        let names = match &self.settings.schema {
            Schema::OpenLdap(names) => names,
            Schema::ActiveDirectory => {
                let filter = Filter::Present("objectClass".to_owned());
                let (scope, attributes) = (Scope::Base, vec![ad::GROUPS_OF]);
                let search = Search { base: &entry.dn, scope, filter, attributes, limit: 1 };
                let found = self.look_as(own, &search).await?.entries;
                // No groups would be a wrong answer: a rule that forbids would not find theirs.
                return found.first().and_then(ad::groups_of).ok_or_else(|| {
                    Refused::Unavailable(format!(
                        "the groups of {:?} may not be read (tokenGroups): put the service account into the \
                         group Windows Authorization Access",
                        entry.dn
                    ))
                });
            }
        };
        let base = names.groups_dn.as_ref().unwrap_or(&self.settings.base_dn);
        let (mut seen, mut groups) = (HashSet::new(), Vec::new());
        let mut level = vec![entry.dn.clone()];
        let mut otherwise = open_ldap::with_account(names, entry);
        for _ in 0..DEPTH_MAX {
            let mut next = Vec::new();
            let by_member = level.chunks(BATCH).map(|dns| open_ldap::with_members(names, dns));
            for filter in otherwise.take().into_iter().chain(by_member) {
                let limit = GROUPS_MAX;
                let attributes = vec![names.id.as_str()];
                let search = Search { base, scope: Scope::Subtree, filter, attributes, limit };
                let found = self.look_as(own, &search).await?;
                if found.is_cut || seen.len() + found.entries.len() > GROUPS_MAX {
                    return Err(Refused::Unavailable(format!(
                        "somebody is in more than {GROUPS_MAX} groups"
                    )));
                }
                for group in found.entries {
                    if let Some(id) = open_ldap::group_id(names, &group)
                        && seen.insert(id.clone())
                    {
                        groups.push(id);
                        next.push(group.dn);
                    }
                }
            }
            if next.is_empty() {
                return Ok(groups);
            }
            level = next;
        }
        Err(Refused::Unavailable(format!("groups lie in each other more than {DEPTH_MAX} deep")))
    }

    fn recalled(&self, person: &PersonId) -> Option<Person> {
        let memory = self.memory();
        let (since, person) = memory.get(person)?;
        (since.elapsed() < self.settings.membership_cache).then(|| person.clone())
    }

    fn remember(&self, person: &Person) {
        let keep = self.settings.membership_cache;
        if keep.is_zero() {
            return;
        }
        let mut memory = self.memory();
        if memory.len() >= REMEMBERED_MAX {
            memory.retain(|_, (since, _)| since.elapsed() < keep);
        }
        if memory.len() >= REMEMBERED_MAX {
            // Whoever is forgotten is asked for again; it does not matter who.
            let somebody = memory.keys().next().cloned();
            somebody.map(|somebody| memory.remove(&somebody));
        }
        memory.insert(person.id.clone(), (Instant::now(), person.clone()));
    }

    pub(super) fn forget(&self, person: &PersonId) {
        self.memory().remove(person);
    }

    fn memory(&self) -> MutexGuard<'_, HashMap<PersonId, (Instant, Person)>> {
        // It is whole between any two of its steps.
        self.remembered.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Holds back what a guesser would learn something from until the end of a step.
pub(super) async fn evenly<T>(work: impl Future<Output = Result<T, Refused>>) -> Result<T, Refused> {
    let started = Instant::now();
    let outcome = work.await;
    if let Err(refused) = &outcome
        && refused.answer() == Answer::Wrong
    {
        let steps = started.elapsed().as_millis() / REFUSAL_STEP.as_millis() + 1;
        let steps = u32::try_from(steps).unwrap_or(u32::MAX);
        sleep_until(started + REFUSAL_STEP.saturating_mul(steps)).await;
    }
    outcome
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A broker's handlers run on any thread. That this compiles is the test.
    #[test]
    fn every_question_may_move_between_threads() {
        fn may_move<T: Send>(_: impl FnOnce() -> T) {}
        fn questions(directory: &LdapDirectory, login: &Login, person: &PersonId) {
            let secret = || Zeroizing::new(String::new());
            may_move(|| directory.authenticate(login, secret()));
            may_move(|| directory.pretend());
            may_move(|| directory.refresh(person));
            may_move(|| directory.search(super::super::Kind::Users, "", None, 1));
            may_move(|| directory.named(super::super::Kind::Users, &[]));
            may_move(|| directory.change_password(login, secret(), secret()));
            may_move(|| directory.check());
        }
        let _: fn(&LdapDirectory, &Login, &PersonId) = questions;
    }
}
