//! Host pools as administrators see them: what is set, what holds in them, and how their hosts are.

use oriel_model::{Id, Object, Timestamp, pool::Pool};
use oriel_rules::placement;
use schemars::JsonSchema;
use serde::Serialize;

use super::{
    Managed,
    effective::{EffectivePool, PoolEffects, PoolOrigins},
    kinds::whole,
};
use crate::{Broker, farm::FarmView};

/// What is shown of a pool beside what is set.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct PoolFacts {
    /// What holds for its members unless they say otherwise themselves.
    pub effective: PoolEffects,
    /// Where each value comes from.
    pub origins: PoolOrigins,
    /// How its hosts are now.
    pub state: PoolState,
}

/// How the hosts of a pool are now, as this broker sees them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, JsonSchema)]
pub struct PoolState {
    /// Hosts in it.
    pub hosts: usize,
    /// Those whose agent is connected.
    pub connected: usize,
    /// Those that would take a new session now: connected, well, not held back and not full.
    pub open: usize,
    /// Sessions on them, those prepared included.
    pub sessions: u32,
    /// Sessions that the connected ones may have.
    pub places: u32,
    /// Share of their processors in use, 0 to 1: the mean of those that are connected; none: none is.
    pub cpu_load: Option<f32>,
}

impl Managed for Pool {
    whole!();

    type Beside = PoolFacts;

    fn beside(broker: &Broker, view: &FarmView, object: &Object<Self>) -> PoolFacts {
        let EffectivePool { effective, origins } = EffectivePool::of(view, object);
        PoolFacts { effective, origins, state: state(broker, view, object.id, broker.now()) }
    }
}

fn state(broker: &Broker, view: &FarmView, pool: Id<Pool>, now: Timestamp) -> PoolState {
    let mut state = PoolState::default();
    let mut cpu = 0.0;
    for host in view.hosts.iter().filter(|host| host.spec.pool == pool) {
        state.hosts += 1;
        let Some(snapshot) = broker.hosts.snapshot(view, host.id) else { continue };
        let Some(live) = broker.hosts.live(host.id) else { continue };
        state.sessions += u32::try_from(live.sessions.len()).unwrap_or(u32::MAX);
        if live.connected {
            state.connected += 1;
            state.places += snapshot.max_sessions;
            cpu += if snapshot.cpu_load.is_finite() { snapshot.cpu_load } else { 0.0 };
        }
        state.open += usize::from(live.connected && placement::obstacle(&snapshot, now).is_none());
    }
    state.cpu_load = (state.connected > 0).then(|| cpu / state.connected as f32);
    state
}
