//! Schedules carried out: looks every few seconds what is due, does it through the hosts' agents, and notes
//! it. Planning is pure ([`oriel_rules::schedule::plan`]) and says the same after a restart: what was done
//! is in the store, the rest the hosts say themselves.

mod calendar;
mod carry_out;
mod notes;
mod runs;

use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
    time::Duration,
};

use jiff::SignedDuration;
use oriel_model::{
    Id, Kind, Timestamp,
    host::Host,
    schedule::{Schedule, ScheduleTarget},
};
use oriel_net::supervise::ShutdownSignal;
use oriel_rules::schedule::{self, HostState, Planned};

pub use calendar::Calendar;
pub use notes::{GoingOn, ScheduleState, Schedules};
pub use runs::{Run, RunProblem};

use crate::{Broker, app::audit::Event, farm::FarmView};

/// How often it looks without being nudged.
const INTERVAL: Duration = Duration::from_secs(2);

/// Runs until the signal.
pub async fn run(broker: Arc<Broker>, signal: ShutdownSignal) {
    let mut changes = broker.farm.changes(&[Kind::Schedule, Kind::Pool, Kind::Host]);
    loop {
        if broker.schedules.is_ready(&*broker.store).await {
            reconcile(&broker).await;
        }
        tokio::select! {
            () = signal.given() => return,
            () = changes.next() => {}
            () = tokio::time::sleep(INTERVAL) => {}
        }
    }
}

async fn reconcile(broker: &Arc<Broker>) {
    let (view, now) = (broker.farm.load(), broker.now());
    broker.schedules.remember_addresses(broker.hosts.all());
    let done = broker.schedules.done();
    if !view.schedules.is_empty() || !done.is_empty() {
        let schedules = planned(&view);
        let hosts = view.hosts.iter().map(|host| (host.id, host_state(broker, host.id))).collect();
        let steps = schedule::plan(&schedules, &hosts, &done, now);
        // Holds first: no seat is promised on a host that is told to empty.
        for step in &steps {
            let name =
                view.hosts.get(step.host).map_or_else(|| step.host.to_string(), |host| host.name.clone());
            let outcome = carry_out::carry_out(broker, &view, step).await;
            if let Err(error) = &outcome {
                tracing::warn!(schedule.id = %step.schedule, host.id = %step.host, action = ?step.action, %error, "a scheduled step was not carried out; trying again");
                broker.schedules.complain(step, &name, &error.to_string(), broker.now());
            }
            // An attempt that failed is one: the plan says when there is another, and when there is none.
            let is_done = |error: &carry_out::StepError| step.action.is_attempt() && error.is_of_an_attempt();
            if outcome.as_ref().err().is_none_or(is_done) {
                broker.record(&Event::Scheduled {
                    schedule: step.schedule,
                    host: step.host,
                    action: &step.action,
                    failed: outcome.err().map(|error| error.to_string()).as_deref(),
                });
                broker.schedules.note(step.done(broker.now()), &name);
                broker.hosts.hold(broker.schedules.holds());
            }
        }
        broker.schedules.forget(&schedules, now);
    }
    broker.hosts.hold(broker.schedules.holds());
    broker.schedules.write(&*broker.store).await;
}

fn planned(view: &FarmView) -> Vec<Planned<'_>> {
    view.schedules
        .iter()
        .map(|object| Planned { id: object.id, spec: &object.spec, hosts: hosts_of(view, &object.spec) })
        .collect()
}

/// The hosts that a schedule is for.
fn hosts_of(view: &FarmView, schedule: &Schedule) -> Vec<Id<Host>> {
    let found: BTreeSet<_> = match &schedule.target {
        ScheduleTarget::Hosts { hosts } => {
            hosts.iter().copied().filter(|host| view.hosts.get(*host).is_some()).collect()
        }
        ScheduleTarget::Pools { pools } => {
            let members = view.hosts.iter().filter(|host| pools.contains(&host.spec.pool));
            members.map(|host| host.id).collect()
        }
    };
    found.into_iter().collect()
}

fn host_state(broker: &Broker, host: Id<Host>) -> HostState {
    let Some(live) = broker.hosts.live(host) else {
        return HostState { is_reachable: false, sessions: 0, booted_at: None };
    };
    let up = live.report.as_ref().and_then(|report| i64::try_from(report.uptime_secs).ok());
    let booted = |reported: Timestamp| reported.checked_sub(SignedDuration::from_secs(up?)).ok();
    HostState {
        // A stream that has just begun says nothing yet of the machine behind it.
        is_reachable: live.connected && live.has_reported,
        sessions: u32::try_from(live.sessions.len() + live.promised).unwrap_or(u32::MAX),
        booted_at: live.last_report.and_then(booted),
    }
}

impl Broker {
    /// What is shown of a schedule beside what is set.
    pub fn schedule_state(&self, id: Id<Schedule>, spec: &Schedule) -> ScheduleState {
        let next = spec.enabled.then(|| schedule::next(spec, self.now())).flatten();
        self.schedules.state(id, next)
    }

    /// How the latest times of a schedule went, newest first.
    pub fn schedule_runs(&self, id: Id<Schedule>) -> Vec<Run> {
        self.schedules.runs(id)
    }
}

/// The network addresses of hosts, by host: what wakes them.
type Addresses = HashMap<Id<Host>, Vec<Vec<u8>>>;
