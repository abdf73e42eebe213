//! How the farm is, as far as notifications watch it.

use std::collections::{HashMap, HashSet};

use jiff::SignedDuration;
use oriel_model::{
    Id, gateway::Gateway, host::Host, notification::Watched, role::Role, session::SessionState,
};
use oriel_net::identity::Validity;
use oriel_rules::notification::{Handler, Reading, Subject, Value};

use crate::{
    Broker,
    app::documents::backup,
    certificates::{self, Holder, left_of_renewed},
    farm::FarmView,
};

/// Most hosts whose trouble a schedule's line names.
const NAMED_MAX: usize = 5;

/// Reads what these notifications watch, and nothing else.
pub(super) async fn taken(
    broker: &Broker,
    view: &FarmView,
    handlers: &[Handler<'_>],
) -> HashMap<Watched, Vec<Reading>> {
    let wanted: HashSet<_> = handlers.iter().map(|handler| handler.spec.event).collect();
    let wants = |watched| wanted.contains(&watched);
    let mut found: HashMap<Watched, Vec<Reading>> = HashMap::new();
    hosts(broker, view, &wanted, &mut found);
    gateways(broker, view, &wanted, &mut found);
    if wants(Watched::Uses) {
        found.insert(Watched::Uses, uses(broker, view));
    }
    if wants(Watched::ScheduleGivenUp) {
        found.insert(Watched::ScheduleGivenUp, schedules(broker, view));
    }
    if wants(Watched::RefusedSignIns) {
        let count = number(broker.notifications.tally.refused_sign_ins(broker.now()));
        found.insert(Watched::RefusedSignIns, vec![of_farm(Subject::Farm, "sign-ins", count)]);
    }
    if wants(Watched::CertificateDays) {
        found.insert(Watched::CertificateDays, certificates(broker, view).await);
    }
    if wants(Watched::BackupFailed) {
        let failure = backup::state(broker).await.failure;
        let mut reading = of_farm(Subject::Farm, "backup", Value::Is(failure.is_some()));
        reading.detail = failure.map(|failure| failure.why).unwrap_or_default();
        found.insert(Watched::BackupFailed, vec![reading]);
    }
    found
}

fn number(count: u64) -> Value {
    Value::Number { count: count as f64, of: None }
}

fn of_farm(subject: Subject, name: &str, value: Value) -> Reading {
    Reading { subject, site: None, pool: None, name: name.into(), value, detail: String::new() }
}

/// To a tenth, so that 0.8, which no float is, is 80.
fn percent(share: f32) -> f64 {
    (f64::from(share) * 1000.0).round() / 10.0
}

fn hosts(
    broker: &Broker,
    view: &FarmView,
    wanted: &HashSet<Watched>,
    found: &mut HashMap<Watched, Vec<Reading>>,
) {
    use Watched::{
        ActiveSessions, Cpu, DisconnectedSessions, Disk, HostAway, HostUnhealthy, Memory, Sessions,
    };
    const OF_HOSTS: [Watched; 8] =
        [Cpu, Memory, Disk, Sessions, ActiveSessions, DisconnectedSessions, HostAway, HostUnhealthy];
    let wanted: Vec<_> = OF_HOSTS.into_iter().filter(|watched| wanted.contains(watched)).collect();
    if wanted.is_empty() {
        return;
    }
    for host in view.hosts.iter() {
        let Some(resolved) = view.resolved_hosts.get(host.id).filter(|resolved| resolved.enabled) else {
            continue;
        };
        for watched in &wanted {
            let (value, detail) = of_host(broker, host.id, resolved.settings.max_sessions, *watched);
            found.entry(*watched).or_default().push(Reading {
                subject: Subject::Host(host.id),
                site: view.site_of_host(host.id),
                pool: Some(host.spec.pool),
                name: host.name.clone(),
                value,
                detail,
            });
        }
    }
}

fn of_host(broker: &Broker, host: Id<Host>, max_sessions: u32, watched: Watched) -> (Value, String) {
    let live = broker.hosts.live(host).filter(|live| live.connected && live.has_reported);
    if watched == Watched::HostAway {
        // A broker that has just begun does not know yet who will come.
        let value =
            if live.is_none() && broker.is_gathering() { Value::Unknown } else { Value::Is(live.is_none()) };
        return (value, String::new());
    }
    let Some((live, report)) = live.and_then(|live| Some((live.report.clone()?, live))).map(|(r, l)| (l, r))
    else {
        return (Value::Unknown, String::new());
    };
    let sessions = |is_one: fn(SessionState) -> bool| {
        let count = live.sessions.iter().filter(|session| is_one(session.state)).count();
        Value::Number { count: count as f64, of: Some(f64::from(max_sessions)) }
    };
    let value = match watched {
        Watched::Cpu => Value::Number { count: percent(report.cpu_load), of: None },
        Watched::Memory => used(report.memory_total_bytes, report.memory_available_bytes),
        Watched::Disk => used(report.disk_total_bytes, report.disk_available_bytes),
        Watched::ActiveSessions => sessions(|state| state == SessionState::Active),
        Watched::DisconnectedSessions => sessions(|state| state == SessionState::Disconnected),
        Watched::HostUnhealthy => {
            let detail = report.problem.chars().take(300).collect();
            return (Value::Is(!report.healthy), detail);
        }
        _ => sessions(|state| state != SessionState::Ending),
    };
    (value, String::new())
}

/// The share that is in use; not known of what has no size.
fn used(total: u64, available: u64) -> Value {
    if total == 0 {
        return Value::Unknown;
    }
    let used = total - available.min(total);
    Value::Number { count: percent(used as f32 / total as f32), of: None }
}

fn gateways(
    broker: &Broker,
    view: &FarmView,
    wanted: &HashSet<Watched>,
    found: &mut HashMap<Watched, Vec<Reading>>,
) {
    use Watched::{Cpu, FailedConnections, GatewayAway, TunnelledSessions};
    for watched in [Cpu, TunnelledSessions, FailedConnections, GatewayAway] {
        if !wanted.contains(&watched) {
            continue;
        }
        let enabled = view.gateways.iter().filter(|gateway| gateway.spec.enabled);
        found.entry(watched).or_default().extend(enabled.map(|gateway| Reading {
            subject: Subject::Gateway(gateway.id),
            site: gateway.site,
            pool: None,
            name: gateway.name.clone(),
            value: of_gateway(broker, gateway.id, watched),
            detail: String::new(),
        }));
    }
}

fn of_gateway(broker: &Broker, gateway: Id<Gateway>, watched: Watched) -> Value {
    let live = broker.gateways.live(gateway);
    match (watched, live) {
        (Watched::FailedConnections, _) => {
            number(broker.notifications.tally.failed_connections(gateway, broker.now()))
        }
        (Watched::GatewayAway, None) if broker.has_just_begun() => Value::Unknown,
        (Watched::GatewayAway, live) => Value::Is(live.is_none()),
        (_, None) => Value::Unknown,
        (Watched::Cpu, Some(live)) => Value::Number { count: percent(live.cpu_load), of: None },
        (_, Some(live)) => number(live.connections as u64),
    }
}

fn uses(broker: &Broker, view: &FarmView) -> Vec<Reading> {
    let limited: Vec<_> = view
        .resources
        .iter()
        .filter_map(|resource| Some((resource, resource.spec.limit.as_ref()?.uses)))
        .collect();
    let counts = broker.uses.counts(view, &broker.hosts, limited.iter().map(|(resource, _)| resource.id));
    let readings = limited.into_iter().zip(counts).map(|((resource, most), count)| Reading {
        subject: Subject::Resource(resource.id),
        site: resource.site,
        pool: None,
        name: resource.name.clone(),
        value: Value::Number { count: f64::from(count), of: Some(f64::from(most)) },
        detail: String::new(),
    });
    readings.collect()
}

fn schedules(broker: &Broker, view: &FarmView) -> Vec<Reading> {
    let readings = view.schedules.iter().map(|schedule| {
        let last = broker.schedule_runs(schedule.id).into_iter().next();
        let problems = last.iter().flat_map(|run| &run.problems).take(NAMED_MAX);
        let named: Vec<_> =
            problems.map(|problem| format!("{}: {}", problem.host_name, problem.text)).collect();
        Reading {
            subject: Subject::Schedule(schedule.id),
            site: schedule.site,
            pool: None,
            name: schedule.name.clone(),
            value: Value::Is(last.is_some_and(|run| run.given_up > 0)),
            detail: named.join("; "),
        }
    });
    readings.collect()
}

async fn certificates(broker: &Broker, view: &FarmView) -> Vec<Reading> {
    let now = broker.now();
    let reading = |subject, name: &str, valid: Validity, left: SignedDuration| {
        let value = Value::Number { count: left.as_hours() as f64 / 24.0, of: None };
        let detail = format!("it is valid until {:.0}", valid.not_after);
        Reading { detail, ..of_farm(subject, name, value) }
    };
    let shown = |subject, name: &str, valid: Validity| {
        reading(subject, name, valid, valid.not_after.duration_since(now))
    };
    let renewed = |subject, name: &str, valid| reading(subject, name, valid, left_of_renewed(valid, now));
    let mut readings = Vec::new();
    for (holder, certificate) in certificates::of_farm(broker).await {
        let valid = certificate.valid();
        readings.push(match holder {
            Holder::Authority => {
                shown(Subject::AuthorityCertificate, "certificate of the farm's authority", valid)
            }
            _ => renewed(Subject::BrokerCertificate, "certificate of this broker", valid),
        });
    }
    // Of what is away nobody knows whether it comes back with a new one; of what was not here yet, anything.
    let or_unknown = |read: Option<Reading>, subject, name: &str| {
        read.unwrap_or_else(|| of_farm(subject, name, Value::Unknown))
    };
    broker.node_certificates.forget_deleted(view);
    for gateway in view.gateways.iter().filter(|gateway| gateway.spec.enabled) {
        let subject = Subject::GatewayCertificate(gateway.id);
        let name = format!("certificate of the gateway {}", gateway.name);
        let held = broker.gateways.live(gateway.id).and_then(|live| live.certificate);
        let read = held.map(|certificate| shown(subject, &name, certificate.valid()));
        readings.push(Reading { site: gateway.site, ..or_unknown(read, subject, &name) });

        let subject = Subject::GatewayNode(gateway.id);
        let name = format!("the farm's certificate for the gateway {}", gateway.name);
        let valid = broker.node_certificates.of(Role::Gateway, gateway.id.cast());
        let read = valid.map(|valid| renewed(subject, &name, valid));
        readings.push(Reading { site: gateway.site, ..or_unknown(read, subject, &name) });
    }
    let is_enabled = |host: Id<Host>| view.resolved_hosts.get(host).is_some_and(|resolved| resolved.enabled);
    for host in view.hosts.iter().filter(|host| is_enabled(host.id)) {
        let subject = Subject::HostNode(host.id);
        let name = format!("the farm's certificate for the agent on {}", host.name);
        let valid = broker.node_certificates.of(Role::Agent, host.id.cast());
        let read = valid.map(|valid| renewed(subject, &name, valid));
        let (site, pool) = (view.site_of_host(host.id), Some(host.spec.pool));
        readings.push(Reading { site, pool, ..or_unknown(read, subject, &name) });
    }
    readings
}
