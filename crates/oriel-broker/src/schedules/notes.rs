//! What was done for schedules: in memory, and in the store for the broker that comes after.

use std::collections::{BTreeMap, HashMap};

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
use crate::{hosts::LiveHost, notes::Notes};

/// What was done for schedules.
#[derive(Debug)]
pub struct Schedules(Notes<Kept>);

impl Default for Schedules {
    fn default() -> Self {
        Self(Notes::of("schedules"))
    }
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
        self.0.are_ready(store).await
    }

    /// Everything that was done and may matter.
    pub(super) fn done(&self) -> Vec<Done> {
        self.0.read(|kept| kept.done.clone())
    }

    /// A step was carried out, on a host of this name.
    pub(crate) fn note(&self, done: Done, host_name: &str) {
        let outcome = match done.mark {
            Mark::Release { outcome } => Some(outcome),
            // Of this there is nothing to wait for.
            Mark::DisableLogons => Some(Outcome::Done),
            _ => None,
        };
        self.0.change(|kept| {
            kept.done.push(done);
            if let Some(outcome) = outcome {
                let host = (done.host, host_name);
                kept.runs.note(done.schedule, done.occurrence, host, outcome, done.at);
            }
        });
    }

    /// A host was told, but it did not work, for this reason.
    pub(super) fn complain(&self, step: &Step, host_name: &str, reason: &str, at: Timestamp) {
        let host = (step.host, host_name);
        self.0.change(|kept| kept.runs.complain(step.schedule, step.occurrence, host, reason, at));
    }

    /// How the latest times of a schedule went, newest first.
    pub(super) fn runs(&self, id: Id<Schedule>) -> Vec<Run> {
        self.0.read(|kept| kept.runs.of(id).to_vec())
    }

    /// How hosts are held back now.
    pub(super) fn holds(&self) -> HashMap<Id<Host>, LogonMode> {
        let holds = self.0.read(|kept| schedule::holds(&kept.done));
        holds.into_iter().map(|(host, hold)| (host, hold.mode)).collect()
    }

    /// Forgets what matters no more.
    pub(super) fn forget(&self, schedules: &[Planned<'_>], now: Timestamp) {
        let is_known = |id| schedules.iter().any(|planned| planned.id == id);
        self.0.change_if(|kept| {
            let needed = schedule::still_needed(schedules, &kept.done, now);
            let has_forgotten = kept.runs.retain(is_known);
            let is_other = needed.len() != kept.done.len();
            kept.done = needed;
            is_other || has_forgotten
        });
    }

    /// Remembers the network addresses of hosts: those that are off cannot be asked.
    pub(super) fn remember_addresses(&self, hosts: Vec<LiveHost>) {
        self.0.change_if(|kept| {
            let mut is_new = false;
            for host in hosts {
                let said = &host.hello.mac_addresses;
                if !said.is_empty() && kept.addresses.get(&host.id) != Some(said) {
                    kept.addresses.insert(host.id, said.clone());
                    is_new = true;
                }
            }
            is_new
        });
    }

    pub(super) fn addresses(&self, host: Id<Host>) -> Vec<Vec<u8>> {
        self.0.read(|kept| kept.addresses.get(&host).cloned()).unwrap_or_default()
    }

    /// Writes down what is new; on failure the next round tries again.
    pub(super) async fn write(&self, store: &dyn SettingsStore) {
        self.0.write(store).await;
    }

    pub(super) fn state(&self, id: Id<Schedule>, next: Option<Timestamp>) -> ScheduleState {
        let (done, last) = self.0.read(|kept| (kept.done.clone(), kept.runs.of(id).first().cloned()));
        let mut newest: BTreeMap<(Id<Host>, Timestamp), Done> = BTreeMap::new();
        for done in done.into_iter().filter(|done| done.schedule == id) {
            newest.insert((done.host, done.occurrence), done);
        }
        let is_over = |done: &Done| matches!(done.mark, Mark::Release { .. } | Mark::DisableLogons);
        let going_on = newest.into_values().filter(|done| !is_over(done)).map(|done| GoingOn {
            host: done.host,
            occurrence: done.occurrence,
            done: done.mark,
            at: done.at,
        });
        ScheduleState { next, going_on: going_on.collect(), last }
    }
}
