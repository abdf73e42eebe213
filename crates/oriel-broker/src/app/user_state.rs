//! Favourites and recently opened resources: read once, kept in memory, written behind. A store that
//! does not answer costs a user the newest of them at worst, never a launch.

use std::{collections::HashMap, sync::Mutex};

use oriel_model::{Id, Timestamp, resource::Resource, user::User};
use oriel_net::supervise::ShutdownSignal;
use oriel_store::{FAVOURITES_MAX, SettingsStore, StoreError, UserState};
use tokio::sync::Notify;

use crate::{behind, hosts::lock};

/// Users whose state is kept in memory; each is a few kilobytes at most.
const USERS_MAX: usize = 20_000;

/// After this long what is in memory is read again: another broker may have changed it.
const FRESH_SECS: i64 = 60;

/// Favourites and recently opened resources of users.
#[derive(Debug, Default)]
pub struct UserStates {
    users: Mutex<HashMap<Id<User>, Cached>>,
    written_to: Notify,
}

#[derive(Debug, Clone)]
struct Cached {
    state: UserState,
    read_at: Timestamp,
    /// Changes made here, and how many of them the store has.
    changes: u64,
    written: u64,
}

impl Cached {
    /// Whether the store lacks something of it, be it on its way there.
    fn is_dirty(&self) -> bool {
        self.changes != self.written
    }
}

impl UserStates {
    /// What a user keeps. What is in memory does when the store does not answer.
    pub async fn get(
        &self,
        store: &dyn SettingsStore,
        user: Id<User>,
        now: Timestamp,
    ) -> Result<UserState, StoreError> {
        let cached = lock(&self.users).get(&user).cloned();
        if let Some(cached) = &cached
            && (cached.is_dirty() || now.duration_since(cached.read_at).as_secs().abs() < FRESH_SECS)
        {
            return Ok(cached.state.clone());
        }
        match (store.user_state(user).await, cached) {
            (Ok(state), _) => Ok(self.read(user, state, now)),
            (Err(_), Some(cached)) => Ok(cached.state),
            (Err(error), None) => Err(error),
        }
    }

    /// Changes what a user keeps.
    pub async fn change(
        &self,
        store: &dyn SettingsStore,
        user: Id<User>,
        now: Timestamp,
        change: impl FnOnce(&mut UserState),
    ) -> Result<(), StoreError> {
        let state = self.get(store, user, now).await?;
        {
            let mut users = lock(&self.users);
            let cached = users.entry(user).or_insert(Cached { state, read_at: now, changes: 0, written: 0 });
            change(&mut cached.state);
            cached.changes += 1;
        }
        self.written_to.notify_one();
        Ok(())
    }

    /// Writes behind, until the signal; then once more.
    pub async fn write_behind(&self, store: &dyn SettingsStore, signal: ShutdownSignal) {
        behind::write_behind(&self.written_to, signal, || self.write_all(store)).await;
    }

    async fn write_all(&self, store: &dyn SettingsStore) -> bool {
        let dirty: Vec<Id<User>> =
            lock(&self.users).iter().filter(|(_, cached)| cached.is_dirty()).map(|(user, _)| *user).collect();
        for user in dirty {
            let Some((state, changes)) = self.dirty(user) else { continue };
            if let Err(error) = store.put_user_state(user, state).await {
                tracing::warn!(user.id = %user, %error, "favourites and recent resources could not be stored; trying again");
                return false;
            }
            if let Some(cached) = lock(&self.users).get_mut(&user) {
                cached.written = changes;
            }
        }
        true
    }

    fn dirty(&self, user: Id<User>) -> Option<(UserState, u64)> {
        let users = lock(&self.users);
        let cached = users.get(&user).filter(|cached| cached.is_dirty())?;
        Some((cached.state.clone(), cached.changes))
    }

    /// Keeps what was read, unless it was changed here meanwhile.
    fn read(&self, user: Id<User>, state: UserState, now: Timestamp) -> UserState {
        let mut users = lock(&self.users);
        if users.len() >= USERS_MAX && !users.contains_key(&user) {
            users.retain(|_, cached| cached.is_dirty());
        }
        let cached = users.entry(user).or_insert_with(|| Cached {
            state: state.clone(),
            read_at: now,
            changes: 0,
            written: 0,
        });
        if !cached.is_dirty() {
            (cached.state, cached.read_at) = (state, now);
        }
        cached.state.clone()
    }
}

/// Adds a favourite at the end; false when there are too many.
pub fn add_favourite(state: &mut UserState, resource: Id<Resource>) -> bool {
    if state.favourites.contains(&resource) {
        return true;
    }
    if state.favourites.len() >= FAVOURITES_MAX {
        return false;
    }
    state.favourites.push(resource);
    true
}
