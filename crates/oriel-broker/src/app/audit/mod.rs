//! The log's events, written behind: who signs in or launches never waits for the store. What happens while the
//! store does not answer waits in memory, so much of it; what was more is counted, and the count is an entry.

mod event;
pub mod retention;
pub mod syslog;

use std::{collections::VecDeque, sync::Mutex};

use jiff::SignedDuration;
use oriel_model::Timestamp;
use oriel_net::supervise::ShutdownSignal;
use oriel_store::{Author, Code, EVENTS_MAX, SettingsStore, StoreError};
use tokio::sync::Notify;

pub use event::Event;

use crate::{Broker, behind, hosts::lock};

/// Events that wait for the store at most: an hour of a busy farm, some megabytes.
const WAITING_MAX: usize = 20_000;
/// Longest name and longest detail of an event, in characters. A host's reason is a sentence.
const TEXT_MAX: usize = 1_000;
/// Losses that are farther apart than this are two.
const LATELY: SignedDuration = SignedDuration::from_hours(24);
/// Events on their way to the store.
#[derive(Debug, Default)]
pub struct AuditLog {
    waiting: Mutex<Waiting>,
    /// How sending to a syslog server goes.
    sending: Mutex<syslog::Sending>,
    written_to: Notify,
}

#[derive(Debug, Default)]
struct Waiting {
    events: VecDeque<oriel_store::Event>,
    /// Those that no entry states yet.
    lost: Option<Lost>,
    /// All of late, stated or not.
    lost_lately: Option<Lost>,
}

/// Events that nobody will read.
#[derive(Debug, Clone, Copy)]
struct Lost {
    count: u64,
    first: Timestamp,
    last: Timestamp,
}

impl Lost {
    fn and(self, more: Self) -> Self {
        let (first, last) = (self.first.min(more.first), self.last.max(more.last));
        Self { count: self.count + more.count, first, last }
    }
}

impl Waiting {
    fn push(&mut self, event: oriel_store::Event) {
        if self.events.len() < WAITING_MAX {
            // What was lost happened before.
            self.state_lost();
            self.events.push_back(event);
        } else {
            self.lose(1, event.at, event.at);
        }
    }

    fn lose(&mut self, count: u64, first: Timestamp, last: Timestamp) {
        let more = Lost { count, first, last };
        self.lost = Some(self.lost.map_or(more, |lost| lost.and(more)));
        let is_late = |lost: &Lost| last.duration_since(lost.last) < LATELY;
        self.lost_lately = Some(self.lost_lately.filter(is_late).map_or(more, |lost| lost.and(more)));
    }

    fn state_lost(&mut self) {
        if let Some(Lost { count, first, last }) = self.lost.take() {
            let event = oriel_store::Event::new(last, Author::system(), Code::LogLost);
            self.events.push_back(event.detail("count", count).detail("from", first).detail("to", last));
        }
    }

    /// The oldest, to be written together.
    fn take(&mut self) -> Vec<oriel_store::Event> {
        if self.events.len() < EVENTS_MAX {
            self.state_lost();
        }
        let count = self.events.len().min(EVENTS_MAX);
        self.events.drain(..count).collect()
    }

    fn put_back(&mut self, events: Vec<oriel_store::Event>) {
        for event in events.into_iter().rev() {
            self.events.push_front(event);
        }
    }
}

impl AuditLog {
    fn push(&self, event: oriel_store::Event) {
        lock(&self.waiting).push(bounded(event));
        self.written_to.notify_one();
    }

    /// How many events could not be written down, if some of them happened since then.
    pub fn lost_since(&self, since: Timestamp) -> u64 {
        let lost = lock(&self.waiting).lost_lately.filter(|lost| lost.last >= since);
        lost.map_or(0, |lost| lost.count)
    }

    /// Stores behind, until the signal; then once more.
    pub async fn write_behind(&self, store: &dyn SettingsStore, signal: ShutdownSignal) {
        behind::write_behind(&self.written_to, signal, || self.write_all(store)).await;
    }

    async fn write_all(&self, store: &dyn SettingsStore) -> bool {
        loop {
            let events = lock(&self.waiting).take();
            let (Some(first), Some(last)) = (events.first(), events.last()) else { return true };
            let (count, first, last) = (events.len() as u64, first.at, last.at);
            match store.append(events.clone()).await {
                Ok(_) => {}
                // It would be refused again.
                Err(error @ StoreError::Refused(_)) => {
                    tracing::error!(%error, count, "events are not taken into the log");
                    lock(&self.waiting).lose(count, first, last);
                }
                Err(error) => {
                    tracing::warn!(%error, "events could not be written into the log; trying again");
                    lock(&self.waiting).put_back(events);
                    return false;
                }
            }
        }
    }
}

/// With texts of a bounded length.
fn bounded(mut event: oriel_store::Event) -> oriel_store::Event {
    let cut = |text: &mut String| {
        if let Some((end, _)) = text.char_indices().nth(TEXT_MAX) {
            text.truncate(end);
        }
    };
    cut(&mut event.author.name);
    event.subjects.iter_mut().for_each(|subject| cut(&mut subject.name));
    event.details.values_mut().for_each(cut);
    event
}

impl Broker {
    /// Writes an event down, in the log of the process at once and in the farm's log soon.
    pub fn record(&self, event: &Event<'_>) {
        let told = event.told(self.now(), &self.farm.load());
        tracing::info!(
            target: "audit", event = told.code.as_str(), outcome = told.outcome.as_str(), by = told.author.name,
            address = told.author.address.map(tracing::field::display), subjects = ?told.subjects,
            details = ?told.details
        );
        self.audit.push(told);
    }
}

#[cfg(test)]
mod tests;
