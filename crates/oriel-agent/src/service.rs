//! Between brokers and the host's software: carries out requests, applies settings, makes reports.

use std::{
    fs,
    path::Path,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use oriel_model::host::{CpuOptimisation, EffectiveHostSettings, LogonMode};
use oriel_net::supervise::ShutdownSignal;
use oriel_wire::v1;
use tokio::{
    sync::{Notify, watch},
    time::Instant,
};

use crate::{
    admission::{Admission, admit},
    convert,
    host::{PowerAction, Refusal, RefusalKind, SeatRequest, SessionHost, SessionId},
    load::LoadMeter,
    logon_mode::LogonModeKeeper,
    proc, wake,
};

/// How often a host with sessions reports: placement looks at load and idle times.
const REPORT_INTERVAL: Duration = Duration::from_secs(1);
/// How often one without does. Brokers place nothing on a host that was silent for five seconds.
const REPORT_INTERVAL_EMPTY: Duration = Duration::from_secs(2);
/// Changes within this time go into one report: a logon is several.
const REPORT_GATHER: Duration = Duration::from_millis(50);

/// What all links to brokers share.
pub(crate) struct Service {
    host: Arc<dyn SessionHost>,
    machine_name: String,
    operating_system: String,
    wanted: Mutex<Wanted>,
    /// Seats are promised one at a time, so that two brokers cannot both get the last one.
    preparing: tokio::sync::Mutex<()>,
    report: watch::Sender<Arc<v1::HostReport>>,
    cpu: watch::Sender<CpuOptimisation>,
    /// The logon mode in force has changed, which brokers go by when they place.
    mode_changed: Notify,
}

/// What brokers want of this host.
struct Wanted {
    is_enabled: bool,
    settings: EffectiveHostSettings,
    mode: LogonModeKeeper,
    /// Whether any broker has said anything yet.
    is_known: bool,
}

impl Service {
    pub(crate) fn new(host: Arc<dyn SessionHost>, machine_name: String, data_dir: &Path) -> Arc<Self> {
        let (report, _) = watch::channel(Arc::default());
        Arc::new(Self {
            host,
            machine_name,
            operating_system: operating_system(),
            wanted: Mutex::new(Wanted {
                is_enabled: false,
                settings: EffectiveHostSettings::default(),
                mode: LogonModeKeeper::load(data_dir.join("logon-mode.json")),
                is_known: false,
            }),
            preparing: tokio::sync::Mutex::default(),
            report,
            cpu: watch::Sender::new(CpuOptimisation::default()),
            mode_changed: Notify::new(),
        })
    }

    fn wanted(&self) -> MutexGuard<'_, Wanted> {
        self.wanted.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What a broker hears first.
    pub(crate) fn hello(&self, rdp_address: String) -> v1::AgentHello {
        let software = self.host.describe();
        v1::AgentHello {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            operating_system: self.operating_system.clone(),
            session_software: software.name,
            machine_name: self.machine_name.clone(),
            rdp_address,
            rdp_certificate_sha256: software.certificate_sha256.to_vec(),
            mac_addresses: wake::own_addresses().into_iter().map(Vec::from).collect(),
            can_reboot: self.host.can(PowerAction::Reboot),
            can_stop: self.host.can(PowerAction::Stop),
        }
    }

    /// The latest report, and every later one.
    pub(crate) fn reports(&self) -> watch::Receiver<Arc<v1::HostReport>> {
        self.report.subscribe()
    }

    /// Takes over settings. Brokers of a site say the same; whichever speaks last is heard.
    pub(crate) fn apply(&self, settings: &v1::HostSettings) {
        let limits = {
            let mut wanted = self.wanted();
            wanted.is_known = true;
            wanted.is_enabled = settings.enabled;
            wanted.settings = convert::settings(settings);
            let before = wanted.mode.in_force();
            let mode = LogonMode::from(settings.logon_mode());
            wanted.mode.want(mode, settings.logon_mode_revision, &proc::boot_id());
            if wanted.mode.in_force() != before {
                self.mode_changed.notify_one();
            }
            convert::limits(&wanted.settings)
        };
        self.host.set_limits(limits);
        let cpu = convert::cpu_optimisation(settings.cpu_optimisation.as_ref());
        self.cpu.send_if_modified(|now| std::mem::replace(now, cpu.clone()) != cpu);
    }

    /// The settings of CPU optimisation in force, and every later change.
    pub(crate) fn cpu_settings(&self) -> watch::Receiver<CpuOptimisation> {
        self.cpu.subscribe()
    }

    /// Makes a report whenever something has changed, and at least every [`REPORT_INTERVAL`] under load.
    pub(crate) async fn keep_reporting(self: Arc<Self>, signal: ShutdownSignal) {
        let mut changes = self.host.changes();
        let mut load = LoadMeter::default();
        let mut next = Instant::now();
        loop {
            tokio::select! {
                () = signal.given() => return,
                changed = changes.changed() => {
                    if changed.is_err() {
                        return;
                    }
                    tokio::time::sleep(REPORT_GATHER).await;
                    changes.mark_unchanged();
                }
                () = self.mode_changed.notified() => {}
                () = tokio::time::sleep_until(next) => {}
            }
            let report = self.make_report(&mut load);
            let pause = if report.sessions.is_empty() { REPORT_INTERVAL_EMPTY } else { REPORT_INTERVAL };
            next = Instant::now() + pause;
            self.report.send_replace(Arc::new(report));
        }
    }

    fn make_report(&self, load: &mut LoadMeter) -> v1::HostReport {
        let load = load.read();
        let snapshot = self.host.snapshot();
        let mode = v1::LogonMode::from(self.wanted().mode.in_force());
        v1::HostReport {
            sessions: snapshot.sessions.into_iter().map(convert::session).collect(),
            ended: snapshot.ended.into_iter().map(convert::ended).collect(),
            cpu_load: load.cpu,
            memory_total_bytes: load.memory_total_bytes,
            memory_available_bytes: load.memory_available_bytes,
            disk_total_bytes: load.disk_total_bytes,
            disk_available_bytes: load.disk_available_bytes,
            logon_mode: mode.into(),
            healthy: snapshot.problem.is_none(),
            problem: snapshot.problem.unwrap_or_default(),
            refused_logons: snapshot.refused_logons,
            uptime_secs: proc::uptime_secs(),
        }
    }

    /// Carries out a request. A refusal is an answer like any other.
    pub(crate) async fn answer(&self, request: v1::AgentRequest, rdp_address: &str) -> v1::AgentReply {
        let request_id = request.request_id;
        let body = match self.carry_out(request, rdp_address).await {
            Ok(body) => body,
            Err(refusal) => {
                tracing::info!(
                    request.id = request_id,
                    reason = refusal.reason,
                    "refused a broker's request"
                );
                convert::refused(refusal)
            }
        };
        v1::AgentReply { request_id, body: Some(body) }
    }

    /// The answer to a request for which there is no room.
    pub(crate) fn too_many(request_id: u64) -> v1::AgentReply {
        let refusal =
            Refusal::new(RefusalKind::Internal, "this host has too many requests to answer at a time");
        v1::AgentReply { request_id, body: Some(convert::refused(refusal)) }
    }

    async fn carry_out(
        &self,
        request: v1::AgentRequest,
        rdp_address: &str,
    ) -> Result<v1::agent_reply::Body, Refusal> {
        use v1::{agent_reply::Body as Reply, agent_request::Body as Request};
        let host = &self.host;
        let by = request.on_behalf_of.as_str();
        let session = |id: &str| -> Result<SessionId, Refusal> {
            id.parse().map_err(|_| {
                Refusal::new(RefusalKind::UnknownSession, format!("there is no session \"{id}\""))
            })
        };
        let Some(body) = request.body else {
            let reason = "this agent does not know such requests; it may be older than the broker";
            return Err(Refusal::new(RefusalKind::BadRequest, reason));
        };
        let done = Reply::Done(v1::Done {});
        match body {
            Request::Prepare(prepare) => return self.prepare(&prepare, rdp_address).await,
            Request::Message(message) => {
                host.message(session(&message.session_id)?, &message.title, &message.text).await?;
            }
            Request::Disconnect(to) => host.disconnect(session(&to.session_id)?, by).await?,
            Request::LogOff(to) => host.log_off(session(&to.session_id)?, by).await?,
            Request::Reset(to) => host.reset(session(&to.session_id)?, by).await?,
            Request::Release(to) => host.release(session(&to.session_id)?).await?,
            Request::EndProcess(end) => host.end_process(session(&end.session_id)?, end.process_id).await?,
            Request::ListProcesses(of) => {
                let processes = host.processes(session(&of.session_id)?).await?;
                let processes = processes.into_iter().map(convert::process).collect();
                return Ok(Reply::Processes(v1::Processes { processes }));
            }
            Request::ListApps(list) => return self.apps(&list.languages).await,
            Request::Power(power) => host.power(power_action(power.action())?).await?,
            Request::Wake(wake) => {
                let sent = tokio::task::spawn_blocking(move || wake::wake(&wake.mac_addresses));
                sent.await
                    .unwrap_or_else(|_| Err(Refusal::new(RefusalKind::Internal, "the agent failed")))?;
            }
        }
        Ok(done)
    }

    async fn prepare(
        &self,
        prepare: &v1::Prepare,
        rdp_address: &str,
    ) -> Result<v1::agent_reply::Body, Refusal> {
        let _turn = self.preparing.lock().await;
        let accounts = self.wanted().settings.accounts;
        let seat = convert::seat(prepare, accounts)?;
        self.admit(&seat)?;
        let prepared = self.host.prepare(&seat).await?;
        Ok(convert::prepared(&prepared, rdp_address.to_owned(), &self.host.describe()))
    }

    fn admit(&self, seat: &SeatRequest) -> Result<(), Refusal> {
        let snapshot = self.host.snapshot();
        let wanted = self.wanted();
        if !wanted.is_known {
            return Err(Refusal::new(
                RefusalKind::Unhealthy,
                "this host has just started and has no settings yet",
            ));
        }
        admit(Admission {
            is_enabled: wanted.is_enabled,
            mode: wanted.mode.in_force(),
            max_sessions: wanted.settings.max_sessions.min(self.host.describe().sessions_max),
            sessions: snapshot.sessions.iter().filter(|session| session.id != seat.session).count(),
            is_reconnect: seat.is_reconnect,
            problem: snapshot.problem.as_deref(),
        })
    }

    async fn apps(&self, languages: &[String]) -> Result<v1::agent_reply::Body, Refusal> {
        let apps = self.host.apps(languages).await?;
        let mut room = APPS_BYTES_MAX;
        let apps = apps
            .into_iter()
            .map(|mut app| {
                // Icons past the bound are left out, programs are not.
                match room.checked_sub(app.icon_png.len()) {
                    Some(left) => room = left,
                    None => app.icon_png.clear(),
                }
                convert::app(app)
            })
            .collect();
        Ok(v1::agent_reply::Body::Apps(v1::Apps { apps }))
    }
}

fn power_action(action: v1::PowerAction) -> Result<PowerAction, Refusal> {
    match action {
        v1::PowerAction::Reboot => Ok(PowerAction::Reboot),
        v1::PowerAction::Stop => Ok(PowerAction::Stop),
        v1::PowerAction::Unspecified => {
            Err(Refusal::new(RefusalKind::BadRequest, "the request is neither to restart nor to stop"))
        }
    }
}

/// Most bytes of icons in one answer: half of the largest message, the rest is for texts.
const APPS_BYTES_MAX: usize = oriel_wire::MESSAGE_BYTES_MAX / 2;

/// Such as "Debian GNU/Linux 12 (bookworm)".
fn operating_system() -> String {
    let text = fs::read_to_string("/etc/os-release").unwrap_or_default();
    let name = text.lines().find_map(|line| line.strip_prefix("PRETTY_NAME="));
    name.map_or_else(|| "Linux".to_owned(), |name| name.trim_matches('"').to_owned())
}
