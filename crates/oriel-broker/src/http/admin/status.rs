//! How the farm is doing, in numbers.

use std::sync::Arc;

use aide::axum::{ApiRouter, routing::get_with};
use axum::{Json, extract::State};
use oriel_model::{Id, Timestamp, farm::Farm, session::SessionState};
use schemars::JsonSchema;
use serde::Serialize;

use super::{
    caller::{May, Sessions, View},
    crud::{self, Api},
};
use crate::{
    Broker,
    app::documents::backup::{self, BackupState},
};

/// The farm at a glance, as this broker sees it.
#[derive(Debug, Serialize, JsonSchema)]
struct FarmStatus {
    /// The farm's id.
    farm_id: Id<Farm>,
    /// The farm's name.
    farm_name: String,
    /// The broker that answers.
    broker_name: String,
    /// Version of its software.
    version: String,
    /// The time on this broker.
    now: Timestamp,
    /// Number of the newest change of settings that this broker knows.
    newest_change: u64,
    /// Settings that this version cannot read.
    unreadable_objects: usize,
    /// Session hosts.
    hosts: HostCount,
    /// Gateways.
    gateways: GatewayCount,
    /// Sessions.
    sessions: SessionCount,
    /// Users in the farm's own directory.
    users: usize,
    /// Published resources, folders included.
    resources: usize,
    /// Backups of all settings, by this broker.
    backup: BackupState,
}

#[derive(Debug, Default, Serialize, JsonSchema)]
struct HostCount {
    /// All.
    total: usize,
    /// Those whose agent is connected.
    reachable: usize,
    /// Those of the reachable whose session software does not work.
    unhealthy: usize,
}

#[derive(Debug, Serialize, JsonSchema)]
struct GatewayCount {
    /// All.
    total: usize,
    /// Those that are connected to this broker.
    reachable: usize,
    /// Connections they carry.
    connections: usize,
}

#[derive(Debug, Default, Serialize, JsonSchema)]
struct SessionCount {
    /// All.
    total: usize,
    /// With a client attached.
    active: usize,
    /// Running on without a client.
    disconnected: usize,
    /// Prepared for a client that has not come yet.
    prepared: usize,
    /// Told to end, with programs that have not ended yet.
    ending: usize,
}

async fn status(State(broker): State<Arc<Broker>>, _: May<View<Sessions>>) -> Json<FarmStatus> {
    let backup = backup::state(&broker).await;
    Json(taken(&broker, backup))
}

fn taken(broker: &Broker, backup: BackupState) -> FarmStatus {
    let farm = broker.farm.load();
    let mut hosts = HostCount { total: farm.hosts.len(), ..HostCount::default() };
    let mut sessions = SessionCount::default();
    for live in broker.hosts.all() {
        hosts.reachable += usize::from(live.connected);
        let healthy = live.report.as_ref().is_none_or(|report| report.healthy);
        hosts.unhealthy += usize::from(live.connected && !healthy);
        for session in live.sessions.iter() {
            sessions.total += 1;
            match session.state {
                SessionState::Active => sessions.active += 1,
                SessionState::Disconnected => sessions.disconnected += 1,
                SessionState::Prepared => sessions.prepared += 1,
                SessionState::Ending => sessions.ending += 1,
            }
        }
    }
    let gateways = broker.gateways.all();
    FarmStatus {
        farm_id: broker.farm_id,
        farm_name: farm.farm_name(),
        broker_name: farm.brokers.get(broker.broker_id).map(|own| own.name.clone()).unwrap_or_default(),
        version: env!("CARGO_PKG_VERSION").into(),
        now: broker.now(),
        newest_change: farm.sequence,
        unreadable_objects: farm.unreadable.len(),
        hosts,
        gateways: GatewayCount {
            total: farm.gateways.len(),
            reachable: gateways.len(),
            connections: gateways.iter().map(|gateway| gateway.connections).sum(),
        },
        sessions,
        users: farm.users.len(),
        resources: farm.resources.len(),
        backup,
    }
}

pub fn routes() -> Api {
    let status = get_with(status, |operation| {
        crud::described(operation, "show_status", "status", "Shows how the farm is doing.")
    });
    ApiRouter::new().api_route("/status", status)
}
