//! Keeps agents and settings in step: tells each agent its effective settings, ends the streams of
//! hosts that were deleted, and writes back a drain that has ended with the host's reboot.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use oriel_model::{
    Id, Kind,
    host::{Host, LogonMode},
};
use oriel_net::supervise::ShutdownSignal;
use oriel_store::{Author, CommitError, Transaction};
use oriel_wire::{convert, v1};

use super::{Hosts, lock};
use crate::{Broker, farm::FarmView};

/// How often it looks without being nudged: for queues that were full and drains that have ended.
const INTERVAL: Duration = Duration::from_secs(1);

/// An agent that was told to drain until reboot this long ago and reports that logons are enabled has
/// had the reboot. Reports that were on their way when it was told are a second old at most.
const DRAIN_SETTLED: Duration = Duration::from_secs(3);

/// Runs until the signal.
pub async fn run(broker: Arc<Broker>, signal: ShutdownSignal) {
    let mut changes = broker.farm.changes(&[Kind::Host, Kind::Pool, Kind::Site]);
    loop {
        reconcile(&broker).await;
        tokio::select! {
            () = signal.given() => return,
            () = changes.next() => {}
            () = tokio::time::sleep(INTERVAL) => {}
        }
    }
}

/// What the agent of a host is told; none: there is no such host.
pub(crate) fn settings(hosts: &Hosts, view: &FarmView, host: Id<Host>) -> Option<v1::HostSettings> {
    let object = view.hosts.get(host)?;
    let mode = hosts.logon_mode(object);
    let revision = if mode == LogonMode::DrainUntilReboot { object.revision } else { 0 };
    let resolved = view.resolved_hosts.get(host)?;
    Some(convert::host_settings(&resolved.settings, resolved.enabled, mode, revision))
}

async fn reconcile(broker: &Broker) {
    let view = broker.farm.load();
    let now = Instant::now();
    let mut rebooted = Vec::new();
    for (id, state) in broker.hosts.states() {
        let Some(settings) = settings(&broker.hosts, &view, id) else {
            tracing::info!(host.id = %id, "the host was removed from the farm; its agent's connection is closed");
            broker.hosts.forget(id);
            continue;
        };
        let mut state = lock(&state);
        state.tell(settings.clone(), now);
        if state.has_ended_drain(&settings, DRAIN_SETTLED) {
            rebooted.push(id);
        }
    }
    for host in rebooted {
        end_drain(broker, &view, host).await;
    }
}

async fn end_drain(broker: &Broker, view: &FarmView, host: Id<Host>) {
    let Some(object) = view.hosts.get(host) else { return };
    let mut object = (**object).clone();
    object.spec.logon_mode = LogonMode::Enabled;
    let transaction = Transaction::new(Author::system(), broker.now()).update(&object);
    match broker.commit(transaction).await {
        Ok(_) => {
            tracing::info!(host.id = %host, host.name = object.name, "the host has rebooted; it takes logons again")
        }
        // Somebody else changed it: the next round looks at what they made of it.
        Err(CommitError::Stale { .. } | CommitError::Deleted { .. } | CommitError::NotFound { .. }) => {}
        Err(error) => {
            tracing::warn!(host.id = %host, %error, "the end of a drain could not be stored; trying again")
        }
    }
}
