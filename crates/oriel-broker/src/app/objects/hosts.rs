//! Session hosts as administrators see them: what is set, and what is known at run time.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use oriel_model::{
    Id, Object, Timestamp,
    host::{EffectiveHostSettings, Host, LogonMode},
    inherit::Origins,
    permission::Action,
};
use oriel_rules::thresholds::{self, HostSeverity};
use oriel_wire::v1::{ListApps, agent_reply, agent_request};
use schemars::JsonSchema;
use serde::Serialize;

use super::{ChangeError, Changed, Managed, View, kinds::whole};
use crate::{
    Broker,
    app::administrators::{Caller, Forbidden, Rights, target_of},
    farm::FarmView,
    hosts::HostError,
};

/// What is shown of a host beside what is set.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct HostFacts {
    /// Its settings with inheritance resolved.
    pub effective: EffectiveHostSettings,
    /// Where each of them comes from.
    pub origins: Origins,
    /// What is known of it now.
    pub state: HostState,
    /// How its load stands to the thresholds that hold for it.
    pub severity: HostSeverity,
}

fn judged(settings: &EffectiveHostSettings, state: &HostState) -> HostSeverity {
    let memory = match (state.memory_total_bytes, state.memory_available_bytes) {
        (Some(total), Some(free)) if total > 0 => 1.0 - free.min(total) as f32 / total as f32,
        _ => 0.0,
    };
    thresholds::host(settings, state.cpu_load.unwrap_or_default(), memory, state.sessions)
}

/// What is known of a host now.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct HostState {
    /// Whether its agent is connected.
    pub reachable: bool,
    /// When its agent last reported.
    pub last_report: Option<Timestamp>,
    /// Why it cannot take sessions although it is reachable.
    pub problem: Option<String>,
    /// The logon mode in force on the host; it follows the one that is set within a second.
    pub logon_mode: Option<LogonMode>,
    /// Sessions on it, those prepared included.
    pub sessions: u32,
    /// Share of all CPUs in use, 0 to 1.
    pub cpu_load: Option<f32>,
    /// Memory of the machine, in bytes.
    pub memory_total_bytes: Option<u64>,
    /// Memory that programs could still have, in bytes.
    pub memory_available_bytes: Option<u64>,
    /// Size of the disk that the system and the users' homes are on, in bytes: of two, the fuller one.
    pub disk_total_bytes: Option<u64>,
    /// What is left of it for users, in bytes.
    pub disk_available_bytes: Option<u64>,
    /// Seconds since the machine started.
    pub uptime_secs: Option<u64>,
    /// One-time logons refused since the agent started.
    pub refused_logons: Option<u64>,
    /// Version of the agent.
    pub agent_version: Option<String>,
    /// The operating system, readable.
    pub operating_system: Option<String>,
    /// The software that makes sessions, readable.
    pub session_software: Option<String>,
    /// The machine's own name.
    pub machine_name: Option<String>,
    /// Where gateways reach it, as its agent reports.
    pub rdp_address: Option<String>,
}

impl Managed for Host {
    whole!();

    type Beside = HostFacts;

    fn beside(broker: &Broker, view: &FarmView, object: &Object<Self>) -> HostFacts {
        let (effective, origins) = view.effective_settings(object.id).unwrap_or_default();
        let state = state(broker, view, object.id);
        let severity = judged(&effective, &state);
        HostFacts { effective, origins, state, severity }
    }
}

fn state(broker: &Broker, view: &FarmView, id: Id<Host>) -> HostState {
    let live = broker.hosts.live(id);
    let live = live.as_ref();
    let report = live.and_then(|live| live.report.as_deref());
    let hello = live.map(|live| &*live.hello);
    let said = |text: &String| Some(text.clone()).filter(|text| !text.is_empty());
    HostState {
        reachable: live.is_some_and(|live| live.connected),
        last_report: live.and_then(|live| live.last_report),
        problem: broker.hosts.snapshot(view, id).and_then(|snapshot| snapshot.problem),
        logon_mode: report.map(|report| report.logon_mode().into()),
        sessions: live.map_or(0, |live| u32::try_from(live.sessions.len()).unwrap_or(u32::MAX)),
        cpu_load: report.map(|report| report.cpu_load).filter(|load| load.is_finite()),
        memory_total_bytes: report.map(|report| report.memory_total_bytes),
        memory_available_bytes: report.map(|report| report.memory_available_bytes),
        disk_total_bytes: report.map(|report| report.disk_total_bytes).filter(|total| *total > 0),
        disk_available_bytes: report
            .filter(|report| report.disk_total_bytes > 0)
            .map(|report| report.disk_available_bytes),
        uptime_secs: report.map(|report| report.uptime_secs),
        refused_logons: report.map(|report| report.refused_logons),
        agent_version: hello.and_then(|hello| said(&hello.version)),
        operating_system: hello.and_then(|hello| said(&hello.operating_system)),
        session_software: hello.and_then(|hello| said(&hello.session_software)),
        machine_name: hello.and_then(|hello| said(&hello.machine_name)),
        rdp_address: hello.and_then(|hello| said(&hello.rdp_address)),
    }
}

/// Sets a host's logon mode, whatever its revision: a drain must not fail because somebody has just
/// changed the description. Tried anew when another change comes in between.
pub async fn set_logon_mode(
    broker: &Broker,
    by: &Caller,
    id: Id<Host>,
    mode: LogonMode,
) -> Result<View<Host>, ChangeError> {
    {
        let view = broker.farm.load();
        let host = super::seen(&view, &by.rights, id)?;
        if !by.rights.on(Action::Control, &target_of(host)) {
            return Err(Forbidden(format!("control host \"{}\"", host.name)).into());
        }
    }
    // Who may control a host need not be one who may change it.
    let by = Caller { rights: Rights::everything(), ..by.clone() };
    let mut last = None;
    for _ in 0..ATTEMPTS {
        let object = {
            let view = broker.farm.load();
            view.hosts.get(id).ok_or(ChangeError::NotFound(oriel_model::Kind::Host))?.clone()
        };
        let spec = Host { logon_mode: mode, ..object.spec.clone() };
        let changed = Changed { name: object.name.clone(), site: object.site, spec, revision: None };
        match super::change(broker, &by, id, object.revision, changed).await {
            Err(
                error @ (ChangeError::Stale { .. }
                | ChangeError::Commit(oriel_store::CommitError::Stale { .. })),
            ) => last = Some(error),
            other => return other,
        }
    }
    Err(last.expect("at least one attempt was made"))
}

/// How often a change of the logon mode is tried when others change the host at the same time.
const ATTEMPTS: usize = 3;

/// Programs installed on a host.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct InstalledApps {
    /// In the order of their names.
    pub apps: Vec<InstalledApp>,
}

/// A program installed on a host.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct InstalledApp {
    /// Its id on the host, such as `org.xfce.mousepad`.
    pub id: String,
    /// Its name.
    pub name: String,
    /// What it is for.
    pub comment: String,
    /// The program.
    pub program: String,
    /// Its arguments.
    pub arguments: String,
    /// Where it belongs in a menu.
    pub categories: Vec<String>,
    /// Its icon: a PNG in base64. Only when icons were asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub icon_png: Option<String>,
}

/// Languages asked for at most; people know a few.
const LANGUAGES_MAX: usize = 8;

/// Asks a host for the programs installed on it; `wanted` is the id of one, `icons` asks for icons too.
pub async fn apps(
    broker: &Broker,
    by: &str,
    host: Id<Host>,
    languages: Vec<String>,
    wanted: Option<&str>,
    icons: bool,
) -> Result<InstalledApps, HostError> {
    let languages =
        languages.into_iter().filter(|language| !language.is_empty()).take(LANGUAGES_MAX).collect();
    let request = agent_request::Body::ListApps(ListApps { languages });
    let agent_reply::Body::Apps(found) = broker.hosts.request(host, by, request).await? else {
        return Err(HostError::Confused("expected programs"));
    };
    let mut apps: Vec<_> = found
        .apps
        .into_iter()
        .filter(|app| wanted.is_none_or(|id| app.id == id))
        .map(|app| InstalledApp {
            icon_png: (icons && !app.icon_png.is_empty()).then(|| STANDARD.encode(&app.icon_png)),
            id: app.id,
            name: app.name,
            comment: app.comment,
            program: app.program,
            arguments: app.arguments,
            categories: app.categories,
        })
        .collect();
    apps.sort_by_cached_key(|app| (app.name.to_lowercase(), app.id.clone()));
    Ok(InstalledApps { apps })
}

#[cfg(test)]
mod tests {
    use oriel_model::host::Severity;

    use super::*;

    fn state(cpu: f32, free: u64, sessions: u32) -> HostState {
        HostState {
            reachable: true,
            last_report: None,
            problem: None,
            logon_mode: None,
            sessions,
            cpu_load: Some(cpu),
            memory_total_bytes: Some(1_000),
            memory_available_bytes: Some(free),
            disk_total_bytes: None,
            disk_available_bytes: None,
            uptime_secs: None,
            refused_logons: None,
            agent_version: None,
            operating_system: None,
            session_software: None,
            machine_name: None,
            rdp_address: None,
        }
    }

    #[test]
    fn each_metric_is_judged_by_its_own_threshold() {
        let settings = EffectiveHostSettings { max_sessions: 10, ..Default::default() };
        let worst = judged(&settings, &state(0.85, 900, 10));
        let expected =
            HostSeverity { cpu: Severity::Warning, memory: Severity::Normal, sessions: Severity::Critical };
        assert_eq!(worst, expected);
        assert_eq!(judged(&settings, &state(0.1, 20, 0)).memory, Severity::Critical);
    }
}
