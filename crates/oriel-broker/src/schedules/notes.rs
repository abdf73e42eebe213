//! What was done for schedules: in memory, and in the store for the broker that comes after.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{
        Mutex,
        atomic::{AtomicBool, Ordering},
    },
};

use oriel_model::{
    Id, Timestamp,
    host::{Host, LogonMode},
    schedule::Schedule,
};
use oriel_rules::schedule::{self, Done, Mark, Outcome, Planned, Step};
use oriel_store::SettingsStore;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    Addresses,
    runs::{Run, Runs},
};
use crate::hosts::{LiveHost, lock};

/// The duty's name in the store.
const DUTY: &str = "schedules";

/// What was done for schedules.
#[derive(Debug, Default)]
pub struct Schedules {
    kept: Mutex<Kept>,
    is_loaded: AtomicBool,
    is_dirty: AtomicBool,
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
struct Kept {
    done: Vec<Done>,
    runs: Runs,
    addresses: Addresses,
}

/// What is known of a schedule now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ScheduleState {
    /// When it is due next; none: never again, or it is disabled.
    pub next: Option<Timestamp>,
    /// What is going on for it.
    pub going_on: Vec<GoingOn>,
    /// How its latest time went; none: there was none that is known.
    pub last: Option<Run>,
}

/// Something that is going on for a schedule on one host.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct GoingOn {
    /// The host.
    pub host: Id<Host>,
    /// For which of the schedule's times.
    pub occurrence: Timestamp,
    /// What was done last.
    #[serde(flatten)]
    pub done: Mark,
    /// When.
    pub at: Timestamp,
}

impl Schedules {
    /// Whether what was done before is known: nothing is done before that.
    pub(super) async fn is_ready(&self, store: &dyn SettingsStore) -> bool {
        if self.is_loaded.load(Ordering::Relaxed) {
            return true;
        }
        let kept = match store.kept(DUTY).await {
            Ok(kept) => kept,
            Err(error) => {
                tracing::warn!(%error, "what was done for schedules cannot be read; trying again");
                return false;
            }
        };
        match kept.map(serde_json::from_value).transpose() {
            Ok(kept) => *lock(&self.kept) = kept.unwrap_or_default(),
            // Of another version: what hosts say themselves keeps the worst from being done twice.
            Err(error) => tracing::error!(%error, "what was done for schedules cannot be understood"),
        }
        self.is_loaded.store(true, Ordering::Relaxed);
        true
    }

    /// Everything that was done and may matter.
    pub(super) fn done(&self) -> Vec<Done> {
        lock(&self.kept).done.clone()
    }

    /// A step was carried out, on a host of this name.
    pub(super) fn note(&self, done: Done, host_name: &str) {
        let mut kept = lock(&self.kept);
        kept.done.push(done);
        let outcome = match done.mark {
            Mark::Release { outcome } => Some(outcome),
            // Of this there is nothing to wait for.
            Mark::DisableLogons => Some(Outcome::Done),
            _ => None,
        };
        if let Some(outcome) = outcome {
            let host = (done.host, host_name);
            kept.runs.note(done.schedule, done.occurrence, host, outcome, done.at);
        }
        self.is_dirty.store(true, Ordering::Relaxed);
    }

    /// A host was told, but it did not work, for this reason.
    pub(super) fn complain(&self, step: &Step, host_name: &str, reason: &str, at: Timestamp) {
        let host = (step.host, host_name);
        lock(&self.kept).runs.complain(step.schedule, step.occurrence, host, reason, at);
        self.is_dirty.store(true, Ordering::Relaxed);
    }

    /// How the latest times of a schedule went, newest first.
    pub(super) fn runs(&self, id: Id<Schedule>) -> Vec<Run> {
        lock(&self.kept).runs.of(id).to_vec()
    }

    /// How hosts are held back now.
    pub(super) fn holds(&self) -> HashMap<Id<Host>, LogonMode> {
        let holds = schedule::holds(&lock(&self.kept).done);
        holds.into_iter().map(|(host, hold)| (host, hold.mode)).collect()
    }

    /// Forgets what matters no more.
    pub(super) fn forget(&self, schedules: &[Planned<'_>], now: Timestamp) {
        let mut kept = lock(&self.kept);
        let needed = schedule::still_needed(schedules, &kept.done, now);
        let is_known = |id| schedules.iter().any(|planned| planned.id == id);
        let has_forgotten = kept.runs.retain(is_known);
        if needed.len() != kept.done.len() || has_forgotten {
            kept.done = needed;
            self.is_dirty.store(true, Ordering::Relaxed);
        }
    }

    /// Remembers the network addresses of hosts: those that are off cannot be asked.
    pub(super) fn remember_addresses(&self, hosts: Vec<LiveHost>) {
        let mut kept = lock(&self.kept);
        for host in hosts {
            let said = &host.hello.mac_addresses;
            if !said.is_empty() && kept.addresses.get(&host.id) != Some(said) {
                kept.addresses.insert(host.id, said.clone());
                self.is_dirty.store(true, Ordering::Relaxed);
            }
        }
    }

    pub(super) fn addresses(&self, host: Id<Host>) -> Vec<Vec<u8>> {
        lock(&self.kept).addresses.get(&host).cloned().unwrap_or_default()
    }

    /// Writes down what is new; on failure the next round tries again.
    pub(super) async fn write(&self, store: &dyn SettingsStore) {
        if !self.is_dirty.swap(false, Ordering::Relaxed) {
            return;
        }
        let value = serde_json::to_value(&*lock(&self.kept));
        let Ok(value) = value else { return };
        if let Err(error) = store.keep(DUTY, value).await {
            self.is_dirty.store(true, Ordering::Relaxed);
            tracing::warn!(%error, "what was done for schedules could not be stored; trying again");
        }
    }

    pub(super) fn state(&self, id: Id<Schedule>, next: Option<Timestamp>) -> ScheduleState {
        let kept = lock(&self.kept);
        let mut newest: BTreeMap<(Id<Host>, Timestamp), &Done> = BTreeMap::new();
        for done in kept.done.iter().filter(|done| done.schedule == id) {
            newest.insert((done.host, done.occurrence), done);
        }
        let is_over = |done: &Done| matches!(done.mark, Mark::Release { .. } | Mark::DisableLogons);
        let going_on = newest.into_values().filter(|done| !is_over(done)).map(|done| GoingOn {
            host: done.host,
            occurrence: done.occurrence,
            done: done.mark,
            at: done.at,
        });
        ScheduleState { next, going_on: going_on.collect(), last: kept.runs.of(id).first().cloned() }
    }
}
