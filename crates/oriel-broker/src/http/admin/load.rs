//! Load and sessions over the last hours, for pages that draw them.

use std::{collections::BTreeMap, sync::Arc};

use aide::axum::{ApiRouter, routing::get_with};
use axum::{Json, extract::State};
use jiff::SignedDuration;
use oriel_model::{Id, Timestamp, host::Host, pool::Pool};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    caller::{May, View},
    crud::{self, Api},
    input::Asked,
};
use crate::{
    Broker,
    hosts::history::{self, HostSample, SAMPLES_MAX, STEP},
    http::ApiError,
};

/// Minutes that are shown when nothing else is said.
const MINUTES: u32 = 60;

/// Which load is wanted.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
struct LoadQuery {
    /// Only this host's.
    host: Option<Id<Host>>,
    /// Only that of the hosts that are in this pool now.
    pool: Option<Id<Pool>>,
    /// Of the last so many minutes: 1 to 360; 60 when not said.
    #[schemars(range(min = 1, max = 360))]
    minutes: Option<u32>,
    /// Also each host's use of its processors, for small charts in lists.
    by_host: bool,
}

/// Load and sessions over some time, as this broker has seen them since it began. Hosts that the caller may
/// not see are left out.
#[derive(Debug, Serialize, JsonSchema)]
struct Load {
    /// Seconds between two samples.
    step_secs: u64,
    /// The oldest first.
    items: Vec<LoadSample>,
    /// The hosts as they are: no part of the history, which has one sample for each step.
    now: LoadSample,
    /// Use of processors, 0 to 1, by host, in the order of `items`; null where the host was away. Only when
    /// it was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<BTreeMap<uuid::Uuid, Vec<Option<f32>>>>")]
    cpu_by_host: Option<BTreeMap<Id<Host>, Vec<Option<f32>>>>,
}

/// The hosts at one moment.
#[derive(Debug, PartialEq, Serialize, JsonSchema)]
struct LoadSample {
    /// When.
    at: Timestamp,
    /// Hosts that were there.
    hosts: usize,
    /// Share of their processors in use, 0 to 1: the mean.
    cpu: f32,
    /// Share of their memory in use, 0 to 1: the mean.
    memory: f32,
    /// Sessions with a client.
    active: u64,
    /// Sessions without one.
    disconnected: u64,
}

async fn show(
    State(broker): State<Arc<Broker>>,
    may: May<View<Host>>,
    Asked(query): Asked<LoadQuery>,
) -> Result<Json<Load>, ApiError> {
    let most = u32::try_from(SAMPLES_MAX).unwrap_or(u32::MAX);
    let minutes = query.minutes.unwrap_or(MINUTES);
    if !(1..=most).contains(&minutes) {
        return Err(ApiError::bad_request(format!("The minutes must be 1 to {most}.")));
    }
    let view = broker.farm.load();
    let sees = |id: &Id<Host>| {
        query.host.is_none_or(|wanted| wanted == *id)
            && view.hosts.get(*id).is_some_and(|host| {
                query.pool.is_none_or(|pool| host.spec.pool == pool) && may.rights().sees(host)
            })
    };
    let since = broker.now().checked_sub(SignedDuration::from_mins(minutes.into())).unwrap_or(Timestamp::MIN);
    let samples = broker.load_history.since(since);
    let mut items = Vec::with_capacity(samples.len());
    let mut by_host: BTreeMap<Id<Host>, Vec<Option<f32>>> = BTreeMap::new();
    for (index, sample) in samples.iter().enumerate() {
        let seen = || sample.hosts.iter().filter(|(id, _)| sees(id));
        items.push(summed(sample.at, seen().map(|(_, sample)| sample)));
        for (id, host) in seen().filter(|_| query.by_host) {
            let of_host = by_host.entry(*id).or_insert_with(|| vec![None; samples.len()]);
            of_host[index] = Some(host.cpu);
        }
    }
    let current = history::now(&broker);
    let now_seen = current.hosts.iter().filter(|(id, _)| sees(id)).map(|(_, sample)| sample);
    let now = summed(current.at, now_seen);
    let cpu_by_host = query.by_host.then_some(by_host);
    Ok(Json(Load { step_secs: STEP.as_secs(), items, now, cpu_by_host }))
}

fn summed<'a>(at: Timestamp, samples: impl Iterator<Item = &'a HostSample>) -> LoadSample {
    let mut sum = LoadSample { at, hosts: 0, cpu: 0.0, memory: 0.0, active: 0, disconnected: 0 };
    for sample in samples {
        sum.hosts += 1;
        sum.cpu += sample.cpu;
        sum.memory += sample.memory;
        sum.active += u64::from(sample.active);
        sum.disconnected += u64::from(sample.disconnected);
    }
    let count = sum.hosts.max(1) as f32;
    LoadSample { cpu: sum.cpu / count, memory: sum.memory / count, ..sum }
}

pub fn routes() -> Api {
    let load = get_with(show, |operation| {
        crud::described(operation, "show_load", "hosts", "Shows load and sessions over the last hours.")
    });
    ApiRouter::new().api_route("/load", load)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn load_is_the_mean_and_sessions_are_the_sum() {
        let at = Timestamp::UNIX_EPOCH;
        let host = |cpu, active| HostSample { cpu, memory: 0.5, active, disconnected: 1 };
        let summed_up = summed(at, [host(0.25, 3), host(0.75, 4)].iter());
        let expected = LoadSample { at, hosts: 2, cpu: 0.5, memory: 0.5, active: 7, disconnected: 2 };
        assert_eq!(summed_up, expected);
        assert_eq!(summed(at, [].iter()).cpu, 0.0);
    }
}
