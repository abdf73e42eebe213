//! What still has to be sent.

use std::collections::BTreeMap;

use oriel_model::{Id, Object, Timestamp, notification::Notification};
use oriel_rules::notification::again_after;
use serde::{Deserialize, Serialize};

use super::{NotificationFailure, deliver::Way, message::Message};

/// Messages that wait at most; the oldest goes. With the few that are sent in ten minutes, these are more
/// than come together in the hours in which a message is tried again.
const ENTRIES_MAX: usize = 1_000;

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Outbox {
    entries: Vec<Entry>,
    failures: BTreeMap<Id<Notification>, NotificationFailure>,
}

/// A message that waits to go one way.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Entry {
    pub way: Way,
    pub message: Message,
    /// How often it was tried.
    pub attempts: u32,
    /// When it is tried next.
    pub next_at: Timestamp,
}

impl Outbox {
    /// A message has to go all the ways that its notification has.
    pub fn post(&mut self, notification: &Object<Notification>, message: &Message, now: Timestamp) {
        for way in Way::of(&notification.spec) {
            self.entries.push(Entry { way, message: message.clone(), attempts: 0, next_at: now });
        }
        let too_many = self.entries.len().saturating_sub(ENTRIES_MAX);
        if too_many > 0 {
            tracing::warn!(
                messages = too_many,
                "too many notifications wait to be sent; the oldest are dropped"
            );
            self.entries.drain(..too_many);
        }
    }

    /// What is to be sent now. A clock that was put back must not hold anything up.
    pub fn due(&self, now: Timestamp) -> Vec<Entry> {
        let is_due = |entry: &&Entry| entry.next_at <= now || entry.message.at > now;
        self.entries.iter().filter(is_due).cloned().collect()
    }

    /// An entry was tried.
    pub fn tried(&mut self, entry: &Entry, outcome: Result<(), String>, now: Timestamp) {
        let is_it = |one: &Entry| one.way == entry.way && one.message.id == entry.message.id;
        let Some(index) = self.entries.iter().position(is_it) else { return };
        let id = entry.message.notification;
        let Err(why) = outcome else {
            self.entries.remove(index);
            if self.failures.get(&id).is_some_and(|failure| failure.way == entry.way) {
                self.failures.remove(&id);
            }
            return;
        };
        self.failures.insert(id, NotificationFailure { at: now, way: entry.way, why });
        let waiting = &mut self.entries[index];
        waiting.attempts += 1;
        match again_after(waiting.attempts).and_then(|pause| now.checked_add(pause).ok()) {
            Some(next_at) => waiting.next_at = next_at,
            None => {
                tracing::error!(notification.id = %id, way = ?entry.way, "a notification could not be sent and is given up");
                self.entries.remove(index);
            }
        }
    }

    /// Forgets notifications that are gone; says whether there were any.
    pub fn retain(&mut self, is_known: impl Fn(Id<Notification>) -> bool) -> bool {
        let before = self.entries.len() + self.failures.len();
        self.entries.retain(|entry| is_known(entry.message.notification));
        self.failures.retain(|id, _| is_known(*id));
        before != self.entries.len() + self.failures.len()
    }

    pub fn waiting(&self, id: Id<Notification>) -> usize {
        self.entries.iter().filter(|entry| entry.message.notification == id).count()
    }

    pub fn failure(&self, id: Id<Notification>) -> Option<&NotificationFailure> {
        self.failures.get(&id)
    }
}
