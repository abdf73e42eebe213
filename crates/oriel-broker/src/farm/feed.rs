//! Follows the store's change log into memory.

use std::{collections::HashSet, sync::Arc, time::Duration};

use arc_swap::ArcSwap;
use oriel_model::{Id, Kind, directory::Directory, sorted::SortedMap, user::User};
use oriel_net::{backoff::Backoff, supervise::ShutdownSignal};
use oriel_store::{Action, CHANGES_MAX, Change, ChangeQuery, SettingsStore, StoreError};
use tokio::{sync::watch, time::timeout};

use super::{FarmView, KnownPeople};
use crate::{
    app::{
        credential::{Credential, PASSWORD_SECRET},
        factor::{FACTOR_SECRET, Factor},
    },
    directories::{BindPassword, PASSWORD_SECRET as BIND_PASSWORD_SECRET},
};

/// This broker's memory has not caught up with the store in time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("this broker has not caught up with the settings store; try again in a moment")]
pub struct NotCaughtUp;

/// The farm's settings in memory, kept up to date.
pub struct FarmFeed {
    view: ArcSwap<FarmView>,
    newest: watch::Sender<Newest>,
}

/// Sequence numbers of the newest change taken in of each kind.
#[derive(Debug, Clone, Copy)]
struct Newest([u64; Kind::ALL.len()]);

impl Newest {
    fn of(&self, kinds: &[Kind]) -> u64 {
        kinds.iter().map(|kind| self.0[*kind as usize]).max().unwrap_or_default()
    }
}

/// Tells of changes of objects of some kinds: for reconcilers, each of which looks at a few only.
pub struct Changes {
    newest: watch::Receiver<Newest>,
    kinds: &'static [Kind],
    seen: u64,
}

impl Changes {
    /// Sequence number of the newest change that was told of, or that there was at the beginning.
    pub fn seen(&self) -> u64 {
        self.seen
    }

    /// Waits until there is one that was not told of.
    pub async fn next(&mut self) {
        let (kinds, seen) = (self.kinds, self.seen);
        let newest = self.newest.wait_for(|newest| newest.of(kinds) > seen).await;
        match newest.map(|newest| newest.of(kinds)) {
            Ok(newest) => self.seen = newest,
            // The feed has ended: there will be none.
            Err(_) => std::future::pending().await,
        }
    }
}

impl FarmFeed {
    /// Loads everything once.
    pub async fn load_from(store: &dyn SettingsStore) -> Result<Self, StoreError> {
        let view = whole(store).await?;
        let newest = watch::Sender::new(Newest([view.sequence; Kind::ALL.len()]));
        Ok(Self { view: ArcSwap::from_pointee(view), newest })
    }

    /// The farm as it is now. Cheap; hold it for one decision, not longer.
    pub fn load(&self) -> Arc<FarmView> {
        self.view.load_full()
    }

    /// Tells of changes of objects of these kinds from now on.
    pub fn changes(&self, kinds: &'static [Kind]) -> Changes {
        let newest = self.newest.subscribe();
        let seen = newest.borrow().of(kinds);
        Changes { newest, kinds, seen }
    }

    /// Waits until the change with this sequence number is taken in, at most `patience`.
    pub async fn reached(&self, sequence: u64, patience: Duration) -> Result<(), NotCaughtUp> {
        let mut newest = self.newest.subscribe();
        match timeout(patience, newest.wait_for(|newest| newest.of(Kind::ALL) >= sequence)).await {
            Ok(Ok(_)) => Ok(()),
            _ => Err(NotCaughtUp),
        }
    }

    /// Follows the change log until the signal. While the store does not answer, users go on with what
    /// is in memory.
    pub async fn follow(&self, store: &dyn SettingsStore, signal: &ShutdownSignal) {
        let mut newest = store.watch();
        let mut backoff = Backoff::new(Duration::from_millis(100), Duration::from_secs(5));
        loop {
            let pause = match self.catch_up(store).await {
                Ok(()) => {
                    backoff.reset();
                    None
                }
                Err(error) => {
                    let pause = backoff.next_delay();
                    tracing::warn!(%error, retry_secs = pause.as_secs_f32(), "settings cannot be read; going on with those in memory");
                    Some(pause)
                }
            };
            tokio::select! {
                () = signal.given() => return,
                () = async {
                    match pause {
                        Some(pause) => tokio::time::sleep(pause).await,
                        None if newest.changed().await.is_err() => tokio::time::sleep(Duration::from_secs(5)).await,
                        None => {}
                    }
                } => {}
            }
        }
    }

    async fn catch_up(&self, store: &dyn SettingsStore) -> Result<(), StoreError> {
        loop {
            let mut view = (*self.load()).clone();
            let changes = store.changes(ChangeQuery::after(view.sequence)).await?;
            let Some(last) = changes.last() else { return Ok(()) };
            let (is_whole, sequence) = (changes.len() < CHANGES_MAX, last.sequence);
            let Secrets { users, directories } = take_in(&mut view, &changes);
            for directory in directories {
                let password = bind_password(store, directory).await?;
                let is_there = view.directories.get(directory).is_some();
                replace(&mut view.bind_passwords, directory, password.filter(|_| is_there));
            }
            for user in users {
                let (credential, factor) = secrets(store, user).await?;
                let is_there = view.users.get(user).is_some();
                replace(&mut view.credentials, user, credential.filter(|_| is_there));
                replace(&mut view.factors, user, factor.filter(|_| is_there));
            }
            view.sequence = sequence;
            self.view.store(Arc::new(view));
            self.newest.send_modify(|newest| {
                for change in &changes {
                    newest.0[change.kind as usize] = change.sequence;
                }
            });
            if is_whole {
                return Ok(());
            }
        }
    }
}

impl std::fmt::Debug for FarmFeed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("FarmFeed").field("sequence", &self.load().sequence).finish_non_exhaustive()
    }
}

async fn whole(store: &dyn SettingsStore) -> Result<FarmView, StoreError> {
    let mut view = FarmView::from_snapshot(&store.load().await?);
    let (mut credentials, mut factors) = (SortedMap::default(), SortedMap::default());
    let users: Vec<Id<User>> = view.users.iter().map(|user| user.id).collect();
    for user in users {
        let (credential, factor) = secrets(store, user).await?;
        credential.map(|credential| credentials.insert(user, credential));
        factor.map(|factor| factors.insert(user, factor));
    }
    (view.credentials, view.factors) = (Arc::new(credentials), Arc::new(factors));
    let mut passwords = SortedMap::default();
    let directories: Vec<Id<Directory>> = view.directories.iter().map(|directory| directory.id).collect();
    for directory in directories {
        let password = bind_password(store, directory).await?;
        password.map(|password| passwords.insert(directory, password));
    }
    view.bind_passwords = Arc::new(passwords);
    view.people = Arc::new(KnownPeople::load_from(store).await?);
    Ok(view)
}

/// What a user signs in with. A secret that cannot be read locks out one user, not the farm: without their
/// second factor they have no password either.
async fn secrets(
    store: &dyn SettingsStore,
    user: Id<User>,
) -> Result<(Option<Credential>, Option<Factor>), StoreError> {
    let locked_out = |what: &str, error: &dyn std::fmt::Display| {
        tracing::error!(user.id = %user, %error, "a user's {what} cannot be read; the user cannot sign in");
        Ok((None, None))
    };
    let credential = match store.secret(user.cast(), PASSWORD_SECRET).await {
        Ok(secret) => secret.and_then(|secret| Credential::from_secret(&secret)),
        Err(error @ StoreError::Secret { .. }) => return locked_out("password", &error),
        Err(error) => return Err(error),
    };
    match store.secret(user.cast(), FACTOR_SECRET).await {
        Ok(None) => Ok((credential, None)),
        Ok(Some(secret)) => match Factor::from_secret(&secret) {
            Some(factor) => Ok((credential, Some(factor))),
            None => locked_out("second factor", &"it is damaged"),
        },
        Err(error @ StoreError::Secret { .. }) => locked_out("second factor", &error),
        Err(error) => Err(error),
    }
}

/// The password of a directory's service account. One that cannot be read shuts one directory, not the farm.
async fn bind_password(
    store: &dyn SettingsStore,
    directory: Id<Directory>,
) -> Result<Option<BindPassword>, StoreError> {
    match store.secret(directory.cast(), BIND_PASSWORD_SECRET).await {
        Ok(secret) => Ok(secret.and_then(|secret| BindPassword::from_secret(&secret))),
        Err(error @ StoreError::Secret { .. }) => {
            tracing::error!(directory.id = %directory, %error, "the password of a directory's service account cannot be read");
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

fn replace<S, T: Clone>(all: &mut Arc<SortedMap<Id<S>, T>>, id: Id<S>, now: Option<T>) {
    match now {
        Some(now) => Arc::make_mut(all).insert(id, now),
        None if all.contains_key(&id) => Arc::make_mut(all).remove(&id),
        None => None,
    };
}

/// Whose secrets must be read again.
#[derive(Default)]
struct Secrets {
    users: HashSet<Id<User>>,
    directories: HashSet<Id<Directory>>,
}

/// Applies changes; returns whose secrets must be read again.
fn take_in(view: &mut FarmView, changes: &[Change]) -> Secrets {
    let mut secrets = Secrets::default();
    for change in changes {
        match change.action {
            Action::Created | Action::Changed => {
                if let Some(object) = change.object() {
                    view.put(&object);
                }
            }
            Action::Deleted => view.remove(change.kind, change.id),
            Action::SecretSet | Action::SecretRemoved => {
                let is_read = [PASSWORD_SECRET, FACTOR_SECRET].map(Some).contains(&change.secret.as_deref());
                if change.kind == Kind::User && is_read {
                    secrets.users.insert(change.id.cast());
                }
                if change.kind == Kind::Directory {
                    secrets.directories.insert(change.id.cast());
                }
            }
        }
    }
    view.reindex();
    secrets
}

#[cfg(test)]
mod tests {
    use super::*;
    use oriel_model::{Timestamp, group::Group};
    use oriel_store::{Author, ObjectState};

    fn change(sequence: u64, action: Action, id: Id<Group>, spec: serde_json::Value) -> Change {
        let state = ObjectState { name: "Sales".into(), site: None, spec };
        Change {
            sequence,
            transaction: sequence,
            at: Timestamp::UNIX_EPOCH,
            author: Author::system(),
            kind: Kind::Group,
            id: id.cast(),
            name: "Sales".into(),
            action,
            secret: None,
            before: None,
            after: (action != Action::Deleted).then_some(state),
            revision: sequence,
        }
    }

    #[test]
    fn changes_come_and_go_and_what_cannot_be_read_is_left_out() {
        let mut view = FarmView::default();
        let id: Id<Group> = Id::generate(Timestamp::UNIX_EPOCH);
        take_in(&mut view, &[change(1, Action::Created, id, serde_json::json!({}))]);
        assert!(view.groups.by_name("sALES").is_some());
        take_in(&mut view, &[change(2, Action::Changed, id, serde_json::json!({"colour": "green"}))]);
        assert!(view.groups.is_empty());
        assert_eq!(view.unreadable.len(), 1);
        take_in(&mut view, &[change(3, Action::Changed, id, serde_json::json!({"description": "d"}))]);
        assert!(view.unreadable.is_empty());
        assert_eq!(view.groups.get(id).map(|group| group.revision), Some(3));
        take_in(&mut view, &[change(4, Action::Deleted, id, serde_json::Value::Null)]);
        assert!(view.groups.is_empty() && view.groups.by_name("sales").is_none());
    }

    #[tokio::test]
    async fn whoever_waits_for_some_kinds_is_not_told_of_others() {
        let (newest, _) = watch::channel(Newest([7; Kind::ALL.len()]));
        let mut changes = Changes { newest: newest.subscribe(), kinds: &[Kind::Group, Kind::Host], seen: 7 };
        let told = async |changes: &mut Changes| {
            // Ready at once, or not: nothing else runs.
            tokio::select! { biased; () = changes.next() => true, () = std::future::ready(()) => false }
        };
        newest.send_modify(|newest| newest.0[Kind::User as usize] = 8);
        assert!(!told(&mut changes).await);
        newest.send_modify(|newest| newest.0[Kind::Host as usize] = 9);
        assert!(told(&mut changes).await);
        assert_eq!(changes.seen(), 9);
        assert!(!told(&mut changes).await, "once is enough");
        newest.send_modify(|newest| newest.0[Kind::Group as usize] = 10);
        assert!(told(&mut changes).await);
    }
}
