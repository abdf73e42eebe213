//! Load over the last hours: a sample of every host each minute, in memory. It is there to look at, not to
//! decide by, so a broker that was restarted begins anew.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, Mutex},
    time::Duration,
};

use oriel_model::{Id, Timestamp, host::Host, session::SessionState};
use oriel_net::supervise::ShutdownSignal;
use tokio::time::{MissedTickBehavior, interval};

use super::{LiveHost, lock};
use crate::Broker;

/// How often a sample is taken.
pub const STEP: Duration = Duration::from_secs(60);
/// Samples kept: six hours, some 10 MiB for a thousand hosts.
pub const SAMPLES_MAX: usize = 6 * 60;

/// One host at one moment.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct HostSample {
    /// Share of all CPUs in use, 0 to 1.
    pub cpu: f32,
    /// Share of the memory in use, 0 to 1.
    pub memory: f32,
    /// Sessions with a client.
    pub active: u32,
    /// Sessions without one.
    pub disconnected: u32,
}

/// Every connected host at one moment.
#[derive(Debug, Clone)]
pub struct Sample {
    /// When.
    pub at: Timestamp,
    /// The hosts whose agents were connected and had reported.
    pub hosts: Arc<HashMap<Id<Host>, HostSample>>,
}

/// The samples of the last hours.
#[derive(Debug, Default)]
pub struct LoadHistory(Mutex<VecDeque<Sample>>);

impl LoadHistory {
    /// The samples taken then or later, the oldest first.
    pub fn since(&self, since: Timestamp) -> Vec<Sample> {
        lock(&self.0).iter().filter(|sample| sample.at >= since).cloned().collect()
    }

    /// Adds a sample; the oldest goes.
    pub fn take(&self, sample: Sample) {
        let mut samples = lock(&self.0);
        if samples.len() >= SAMPLES_MAX {
            samples.pop_front();
        }
        samples.push_back(sample);
    }
}

/// Takes samples until told to stop.
pub async fn run(broker: Arc<Broker>, signal: ShutdownSignal) {
    let mut ticks = interval(STEP);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            () = signal.given() => return,
            _ = ticks.tick() => {}
        }
        broker.load_history.take(now(&broker));
    }
}

/// The hosts as they are.
pub fn now(broker: &Broker) -> Sample {
    let hosts = broker.hosts.all();
    let hosts = hosts.iter().filter_map(|host| Some((host.id, sample(host)?))).collect();
    Sample { at: broker.now(), hosts: Arc::new(hosts) }
}

fn sample(host: &LiveHost) -> Option<HostSample> {
    let report = host.report.as_deref().filter(|_| host.connected)?;
    let share = |number: f32| if number.is_finite() { number.clamp(0.0, 1.0) } else { 0.0 };
    let (total, free) = (report.memory_total_bytes, report.memory_available_bytes);
    let memory = if total == 0 { 0.0 } else { 1.0 - free.min(total) as f32 / total as f32 };
    let count = |state| {
        let sessions = host.sessions.iter().filter(|session| session.state == state).count();
        u32::try_from(sessions).unwrap_or(u32::MAX)
    };
    Some(HostSample {
        cpu: share(report.cpu_load),
        memory: share(memory),
        active: count(SessionState::Active),
        disconnected: count(SessionState::Disconnected),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_sample_goes_and_the_rest_is_found_by_its_time() {
        let history = LoadHistory::default();
        let at = |minute: usize| Timestamp::from_second(60 * minute as i64).expect("in range");
        for minute in 0..SAMPLES_MAX + 10 {
            history.take(Sample { at: at(minute), hosts: Arc::default() });
        }
        let all = history.since(at(0));
        assert_eq!((all.len(), all[0].at), (SAMPLES_MAX, at(10)));
        assert_eq!(history.since(at(SAMPLES_MAX + 7)).len(), 3);
    }
}
