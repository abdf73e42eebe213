//! How the farm is doing, in numbers.

use std::sync::Arc;

use aide::axum::{ApiRouter, routing::get_with};
use axum::{Json, extract::State};
use oriel_model::{
    Id, Timestamp,
    broker::Broker as BrokerSpec,
    farm::Farm,
    permission::{Action, Area},
    session::SessionState,
};
use schemars::JsonSchema;
use serde::Serialize;

use super::{
    attention::{self, Attention},
    caller::{May, ViewAnything},
    crud::{self, Api},
};
use crate::{
    Broker,
    app::{
        administrators::Rights,
        audit::syslog::{self, SyslogState},
        documents::backup::{self, BackupState},
    },
    certificates::{self, Certificate, HeldCertificate, Holder},
    farm::{Held, Objects},
    hosts::HostSession,
};

/// The farm at a glance, as this broker sees it. What the caller may not see is not counted.
#[derive(Debug, Serialize, JsonSchema)]
struct FarmStatus {
    /// The farm's id.
    farm_id: Id<Farm>,
    /// The farm's name.
    farm_name: String,
    /// The broker that answers.
    broker_id: Id<BrokerSpec>,
    /// Its name.
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
    /// Backups of all settings, by this broker; none for who may not see the infrastructure.
    backup: Option<BackupState>,
    /// Certificates: those of the gateways that are connected, the farm's authority's and this broker's.
    certificates: Vec<HeldCertificate>,
    /// How the log is sent to the syslog server; none: there is none, or the caller may not see the log.
    syslog: Option<SyslogState>,
    /// What else wants attention.
    attention: Attention,
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

async fn status(State(broker): State<Arc<Broker>>, may: May<ViewAnything>) -> Json<FarmStatus> {
    let rights = may.rights();
    let sees_infrastructure = rights.anywhere(Area::Infrastructure, Action::View);
    let backup = if sees_infrastructure { Some(backup::state(&broker).await) } else { None };
    let of_farm = if sees_infrastructure { certificates::of_farm(&broker).await } else { Vec::new() };
    // While the store does not answer, the rest is told nevertheless.
    let syslog = match rights.anywhere(Area::Audit, Action::View) {
        true => syslog::state(&broker).await.unwrap_or_default(),
        false => None,
    };
    let counted = counted(&broker, rights);
    Json(FarmStatus { backup, certificates: held(&broker, rights, of_farm), syslog, ..counted })
}

/// Certificates that the caller may see.
fn held(broker: &Broker, rights: &Rights, of_farm: Vec<(Holder, Certificate)>) -> Vec<HeldCertificate> {
    let (farm, now) = (broker.farm.load(), broker.now());
    let of_farm = of_farm.into_iter().map(|(holder, certificate)| {
        let name = match holder {
            Holder::Broker => farm.brokers.get(broker.broker_id).map(|own| own.name.clone()),
            _ => Some(farm.farm_name()),
        };
        HeldCertificate { holder, gateway: None, name: name.unwrap_or_default(), state: certificate.at(now) }
    });
    let sees = |id| farm.gateways.get(id).is_some_and(|gateway| rights.sees(gateway));
    let of_gateways = certificates::of_gateways(broker, &farm).into_iter().filter(|(id, ..)| sees(*id));
    let of_gateways = of_gateways.map(|(id, name, certificate)| HeldCertificate {
        holder: Holder::Gateway,
        gateway: Some(id),
        name,
        state: certificate.at(now),
    });
    of_farm.chain(of_gateways).collect()
}

fn counted(broker: &Broker, rights: &Rights) -> FarmStatus {
    let farm = broker.farm.load();
    let sees_host = |id| farm.hosts.get(id).is_some_and(|host| rights.sees(host));
    let mut hosts = HostCount { total: seen(&farm.hosts, rights), ..HostCount::default() };
    let mut sessions = SessionCount::default();
    for live in broker.hosts.all() {
        if sees_host(live.id) {
            hosts.reachable += usize::from(live.connected);
            let healthy = live.report.as_ref().is_none_or(|report| report.healthy);
            hosts.unhealthy += usize::from(live.connected && !healthy);
        }
        let sees_session = |session: &&HostSession| rights.on_session(&farm, Action::View, session);
        for session in live.sessions.iter().filter(sees_session) {
            sessions.total += 1;
            match session.state {
                SessionState::Active => sessions.active += 1,
                SessionState::Disconnected => sessions.disconnected += 1,
                SessionState::Prepared => sessions.prepared += 1,
                SessionState::Ending => sessions.ending += 1,
            }
        }
    }
    let sees_gateway = |id| farm.gateways.get(id).is_some_and(|gateway| rights.sees(gateway));
    let mut gateways = broker.gateways.all();
    gateways.retain(|gateway| sees_gateway(gateway.id));
    FarmStatus {
        farm_id: broker.farm_id,
        farm_name: farm.farm_name(),
        broker_id: broker.broker_id,
        broker_name: farm.brokers.get(broker.broker_id).map(|own| own.name.clone()).unwrap_or_default(),
        version: env!("CARGO_PKG_VERSION").into(),
        now: broker.now(),
        newest_change: farm.sequence,
        unreadable_objects: farm.unreadable.len(),
        hosts,
        gateways: GatewayCount {
            total: seen(&farm.gateways, rights),
            reachable: gateways.len(),
            connections: gateways.iter().map(|gateway| gateway.connections).sum(),
        },
        sessions,
        users: seen(&farm.users, rights),
        resources: seen(&farm.resources, rights),
        backup: None,
        certificates: Vec::new(),
        syslog: None,
        attention: attention::of(broker, rights),
    }
}

/// How many objects of a kind the caller may see.
fn seen<S: Held>(all: &Objects<S>, rights: &Rights) -> usize {
    if rights.everywhere(S::KIND.area(), Action::View) {
        return all.len();
    }
    all.iter().filter(|object| rights.sees(object)).count()
}

pub fn routes() -> Api {
    let status = get_with(status, |operation| {
        crud::described(operation, "show_status", "status", "Shows how the farm is doing.")
    });
    ApiRouter::new().api_route("/status", status)
}
