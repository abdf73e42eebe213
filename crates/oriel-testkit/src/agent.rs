//! A simulated agent: joins with an invitation and speaks the real protocol, but its sessions are
//! entries in a table. What it says and refuses is the test's to set.

mod power;
mod prepare;
#[cfg(test)]
mod tests;

use std::{
    collections::{BTreeMap, HashMap},
    path::Path,
    sync::{Arc, Mutex, MutexGuard},
    time::{Duration, Instant},
};

use anyhow::Context as _;
use oriel_model::{Timestamp, role::Role, session::EndReason};
use oriel_net::{
    backoff::Backoff,
    connect,
    identity::NodeIdentity,
    supervise::{ShutdownHandle, ShutdownSignal},
    tls::{ReloadingIdentity, internal_client},
};
use oriel_wire::{
    enrolment::{self, Membership},
    v1::{
        self, agent_link_client::AgentLinkClient, agent_message, agent_reply, agent_request, broker_message,
    },
};
use tokio::sync::{Notify, mpsc};

/// How often it reports when nothing changes: as a real agent under load.
const REPORT_INTERVAL: Duration = Duration::from_secs(1);

/// Where the simulated host's RDP listener is, for [`SimulatedAgent::start`].
#[derive(Debug, Clone)]
pub struct RdpListener {
    /// `host:port`.
    pub address: String,
    /// SHA-256 of its certificate.
    pub certificate_sha256: [u8; 32],
}

impl RdpListener {
    /// A listener that nobody will dial: where pixels don't matter.
    pub fn nowhere() -> Self {
        Self { address: "127.0.0.1:1".into(), certificate_sha256: [0; 32] }
    }
}

/// A simulated session host. Dropping it stops it, as if the machine had lost power.
pub struct SimulatedAgent {
    host: Arc<SimulatedHost>,
    shutdown: ShutdownHandle,
}

/// The host behind the agent: survives the loss of any broker.
pub struct SimulatedHost {
    name: String,
    listener: RdpListener,
    state: Mutex<State>,
    changed: Notify,
}

#[derive(Default)]
struct State {
    settings: v1::HostSettings,
    sessions: HashMap<String, v1::SessionReport>,
    ended: Vec<v1::EndedSession>,
    /// One-time logons by logon name.
    logons: HashMap<String, OneTimeLogon>,
    /// The connection that is or was last attached, by session.
    connections: HashMap<String, String>,
    requests: Vec<v1::AgentRequest>,
    refuse: Option<v1::Refused>,
    /// What the connection sequence is told to start, and where.
    program: (String, String),
    silent: bool,
    cpu_load: f32,
    memory_load: f32,
    /// Share of its disk in use, 0 to 1.
    disk_load: f32,
    problem: String,
    refused_logons: u64,
    /// What a logon takes here, in milliseconds; 0: nothing is said of it.
    logon_ms: u32,
    links: usize,
    /// When the last client left, by session.
    left: HashMap<String, Instant>,
    /// What opened in each session: the program, by resource.
    open: HashMap<String, BTreeMap<String, v1::StartProgram>>,
    /// Sessions whose program was brought to the front, with its resource.
    raised: Vec<(String, String)>,
    power: power::Power,
}

/// Whom a right logon lets in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoggedOn {
    /// The session.
    pub session: String,
    /// The connection that the logon was for.
    pub connection: String,
}

struct OneTimeLogon {
    secret: String,
    session: String,
    connection: String,
    expires_at: Timestamp,
}

/// Memory and disk that a simulated host claims to have.
const MEMORY: u64 = 16 << 30;
const DISK: u64 = 100 << 30;

/// Ends that a report holds at most.
const ENDED_KEPT: usize = 100;

/// How long its one-time logons live.
const LOGON_LIFETIME_SECS: i64 = 60;

impl SimulatedAgent {
    /// Joins the farm with `invitation`, keeps its identity in `directory` and attaches to every broker.
    pub async fn start(
        invitation: &str,
        name: &str,
        directory: &Path,
        listener: RdpListener,
    ) -> anyhow::Result<Self> {
        let invitation = invitation.parse().context("the invitation")?;
        enrolment::join(&invitation, Role::Agent, name, directory, Timestamp::now()).await?;
        Self::resume(name, directory, listener)
    }

    /// Comes back with the identity that is in `directory`, without any session: the machine restarted.
    pub fn resume(name: &str, directory: &Path, listener: RdpListener) -> anyhow::Result<Self> {
        let host = Arc::new(SimulatedHost {
            name: name.to_owned(),
            listener,
            state: Mutex::new(State { power: power::Power::on(), ..State::default() }),
            changed: Notify::new(),
        });
        Self::attach(host, directory)
    }

    /// Attaches an agent to `host` with the identity in `directory`: the agent restarted, its sessions
    /// did not.
    pub fn attach(host: Arc<SimulatedHost>, directory: &Path) -> anyhow::Result<Self> {
        let identity = ReloadingIdentity::new(NodeIdentity::load(directory)?)?;
        let membership = Membership::load(directory)?;
        let shutdown = ShutdownHandle::new();
        for address in membership.broker_addresses {
            let config = internal_client(&identity, Role::Broker)?;
            let channel = connect::channel(vec![address], config);
            tokio::spawn(keep_attached(host.clone(), channel, shutdown.signal()));
        }
        Ok(Self { host, shutdown })
    }

    /// Its host.
    pub fn host(&self) -> &Arc<SimulatedHost> {
        &self.host
    }
}

impl Drop for SimulatedAgent {
    fn drop(&mut self) {
        self.shutdown.give();
    }
}

impl SimulatedHost {
    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// How loaded it says it is, shares from 0 to 1.
    pub fn set_load(&self, cpu: f32, memory: f32) {
        self.change(|state| (state.cpu_load, state.memory_load) = (cpu, memory));
    }

    /// How full it says its disk is, 0 to 1.
    pub fn set_disk(&self, used: f32) {
        self.change(|state| state.disk_load = used);
    }

    /// What it says is wrong with it; empty: nothing.
    pub fn set_problem(&self, problem: &str) {
        self.change(|state| state.problem = problem.to_owned());
    }

    /// Refuses every prepare from now on; none: stops refusing.
    pub fn refuse(&self, refusal: Option<v1::Refused>) {
        self.change(|state| state.refuse = refusal);
    }

    /// What prepares answer that the connection sequence should start, and the folder it starts in.
    pub fn set_program(&self, alternate_shell: &str, working_directory: &str) {
        self.state().program = (alternate_shell.to_owned(), working_directory.to_owned());
    }

    /// Takes requests and never answers them.
    pub fn set_silent(&self, silent: bool) {
        self.change(|state| state.silent = silent);
    }

    /// The settings that the broker sent last.
    pub fn settings(&self) -> v1::HostSettings {
        self.state().settings.clone()
    }

    /// Requests received so far.
    pub fn requests(&self) -> Vec<v1::AgentRequest> {
        self.state().requests.clone()
    }

    /// Its sessions.
    pub fn sessions(&self) -> Vec<v1::SessionReport> {
        reported(&self.state())
    }

    /// Brokers that it is attached to.
    pub fn links(&self) -> usize {
        self.state().links
    }

    /// Logs on as a client does: takes the one-time logon. Whatever the answer, it does not work again.
    /// Whoever was attached to the session is told that it was taken over.
    pub fn log_on(&self, name: &str, secret: &str, now: Timestamp) -> Option<LoggedOn> {
        let mut logged_on = None;
        self.change(|state| {
            let logon = state.logons.remove(name);
            let logon = logon.filter(|logon| logon.secret == secret && now < logon.expires_at);
            let Some(OneTimeLogon { session, connection, .. }) = logon else {
                state.refused_logons += 1;
                return;
            };
            disconnect(state, &session, EndReason::TakenOver, "");
            if let Some(report) = state.sessions.get_mut(&session) {
                report.state = v1::SessionState::Active.into();
                tracing::debug!(session, connection, "logged on");
                report.prelaunched = false;
                report.logon =
                    Some(v1::HostLogon { connection_id: connection.clone(), took_ms: state.logon_ms });
                state.left.remove(&session);
                state.connections.insert(session.clone(), connection.clone());
                logged_on = Some(LoggedOn { session, connection });
            }
        });
        logged_on
    }

    /// Waits until a session is no more.
    pub async fn session_gone(&self, session_id: &str) {
        loop {
            let changed = self.changed.notified();
            if !self.state().sessions.contains_key(session_id) {
                return;
            }
            changed.await;
        }
    }

    /// One-time logons that were refused.
    pub fn refused_logons(&self) -> u64 {
        self.state().refused_logons
    }

    /// A client went away; its session runs on. Nothing happens if another is attached by now.
    pub fn client_left(&self, client: &LoggedOn) {
        self.change(|state| {
            if state.connections.get(&client.session) == Some(&client.connection) {
                disconnect(state, &client.session, EndReason::Disconnected, "");
            }
        });
    }

    /// From now on logons are reported as having taken this long.
    pub fn set_logon_time(&self, took: Duration) {
        let millis = u32::try_from(took.as_millis()).unwrap_or(u32::MAX);
        self.change(|state| state.logon_ms = millis);
    }

    /// From now on the session, which has no client, is reported as left that long ago.
    pub fn left_for(&self, session_id: &str, long: Duration) {
        let left = Instant::now().checked_sub(long).expect("the machine runs for longer than that");
        self.change(|state| {
            state.left.insert(session_id.to_owned(), left);
        });
    }

    /// Every client for whom a seat is kept comes: their sessions are active.
    pub fn everybody_arrives(&self) {
        self.change(|state| {
            for session in state.sessions.values_mut() {
                if session.state() == v1::SessionState::Prepared {
                    session.state = v1::SessionState::Active.into();
                }
            }
        });
    }

    /// Takes the client of a session away for `reason`; the session runs on.
    pub fn disconnect_session(&self, session_id: &str, reason: EndReason) {
        self.change(|state| disconnect(state, session_id, reason, ""));
    }

    /// Ends a session for `reason`.
    pub fn end_session(&self, session_id: &str, reason: EndReason, detail: &str) {
        self.change(|state| end(state, session_id, reason, detail));
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    fn change(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.state());
        self.changed.notify_waiters();
    }

    fn hello(&self) -> v1::AgentHello {
        v1::AgentHello {
            version: env!("CARGO_PKG_VERSION").into(),
            operating_system: "simulated".into(),
            session_software: "simulated".into(),
            machine_name: self.name.clone(),
            rdp_address: self.listener.address.clone(),
            rdp_certificate_sha256: self.listener.certificate_sha256.to_vec(),
            mac_addresses: vec![self.mac_address().to_vec()],
            can_reboot: true,
            can_stop: true,
        }
    }

    fn report(&self) -> v1::HostReport {
        let state = self.state();
        v1::HostReport {
            sessions: reported(&state),
            ended: state.ended.clone(),
            cpu_load: state.cpu_load,
            memory_total_bytes: MEMORY,
            memory_available_bytes: (MEMORY as f64 * f64::from(1.0 - state.memory_load)) as u64,
            disk_total_bytes: DISK,
            disk_available_bytes: (DISK as f64 * f64::from(1.0 - state.disk_load)) as u64,
            logon_mode: state.settings.logon_mode,
            healthy: state.problem.is_empty(),
            problem: state.problem.clone(),
            refused_logons: state.refused_logons,
            uptime_secs: state.power.uptime_secs(),
        }
    }

    fn answer(&self, request: &v1::AgentRequest) -> agent_reply::Body {
        let mut state = self.state();
        state.requests.push(request.clone());
        let done = || agent_reply::Body::Done(v1::Done {});
        let who = &request.on_behalf_of;
        match request.body.as_ref() {
            Some(agent_request::Body::Prepare(prepare)) => self.prepare(&mut state, prepare),
            Some(agent_request::Body::Disconnect(session)) => {
                disconnect(&mut state, &session.session_id, EndReason::DisconnectedByRequest, who);
                done()
            }
            Some(agent_request::Body::LogOff(session)) => {
                end(&mut state, &session.session_id, EndReason::LoggedOffByRequest, who);
                done()
            }
            Some(agent_request::Body::Reset(session)) => {
                end(&mut state, &session.session_id, EndReason::Reset, who);
                done()
            }
            Some(agent_request::Body::Release(session)) => {
                state.sessions.remove(&session.session_id);
                done()
            }
            Some(agent_request::Body::ListProcesses(_)) => {
                let process = v1::Process { process_id: 42, name: "editor".into(), ..Default::default() };
                agent_reply::Body::Processes(v1::Processes { processes: vec![process] })
            }
            Some(agent_request::Body::ListApps(_)) => {
                let app = |id: &str, name: &str| v1::App {
                    id: id.into(),
                    name: name.into(),
                    program: format!("/usr/bin/{id}"),
                    ..Default::default()
                };
                agent_reply::Body::Apps(v1::Apps {
                    apps: vec![app("editor", "Editor"), app("terminal", "Terminal")],
                })
            }
            Some(agent_request::Body::Power(power)) => self.switch(&mut state, power.action()),
            Some(agent_request::Body::Wake(wake)) => {
                state.power.called.extend(wake.mac_addresses.iter().cloned());
                done()
            }
            Some(agent_request::Body::Message(_) | agent_request::Body::EndProcess(_)) => done(),
            None => refused(v1::RefusalCode::BadRequest, "The request is empty."),
        }
    }
}

/// Its sessions, as reports and tests see them.
fn reported(state: &State) -> Vec<v1::SessionReport> {
    let mut sessions: Vec<_> = state.sessions.values().cloned().collect();
    for session in &mut sessions {
        if let Some(open) = state.open.get(&session.session_id) {
            session.open_resource_ids = open.keys().cloned().collect();
        }
        if let Some(left) = state.left.get(&session.session_id) {
            session.disconnected_secs = left.elapsed().as_secs();
        }
    }
    sessions
}

fn refused(code: v1::RefusalCode, reason: &str) -> agent_reply::Body {
    agent_reply::Body::Refused(v1::Refused { code: code.into(), reason: reason.into() })
}

fn disconnect(state: &mut State, session_id: &str, reason: EndReason, detail: &str) {
    let Some(session) = state.sessions.get_mut(session_id) else { return };
    if session.state() == v1::SessionState::Active {
        session.state = v1::SessionState::Disconnected.into();
        state.left.insert(session_id.to_owned(), Instant::now());
        let session = session.clone();
        note_end(state, session, reason, detail);
    }
}

fn end(state: &mut State, session_id: &str, reason: EndReason, detail: &str) {
    state.left.remove(session_id);
    state.open.remove(session_id);
    if let Some(session) = state.sessions.remove(session_id) {
        note_end(state, session, reason, detail);
    }
}

fn note_end(state: &mut State, session: v1::SessionReport, reason: EndReason, detail: &str) {
    let connection_id = state.connections.remove(&session.session_id).unwrap_or_default();
    if state.ended.len() == ENDED_KEPT {
        state.ended.remove(0);
    }
    state.ended.push(v1::EndedSession {
        session_id: session.session_id,
        connection_id,
        user_id: session.user_id,
        user_name: session.user_name,
        proof: session.proof,
        resource_id: session.resource_id,
        reason: reason.as_str().to_owned(),
        detail: detail.to_owned(),
        ended_at_ms: Timestamp::now().as_millisecond(),
    });
}

fn random_secret() -> String {
    let mut bytes = [0; 16];
    ring::rand::SecureRandom::fill(&ring::rand::SystemRandom::new(), &mut bytes).unwrap();
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

async fn keep_attached(host: Arc<SimulatedHost>, channel: tonic::transport::Channel, signal: ShutdownSignal) {
    let mut backoff = Backoff::new(Duration::from_millis(50), Duration::from_millis(500));
    loop {
        tokio::select! {
            () = signal.given() => return,
            result = attach_once(&host, channel.clone()) => {
                tracing::debug!(?result, host = host.name, "link ended");
            }
        }
        tokio::select! {
            () = signal.given() => return,
            () = tokio::time::sleep(backoff.next_delay()) => {}
        }
    }
}

async fn attach_once(
    host: &Arc<SimulatedHost>,
    channel: tonic::transport::Channel,
) -> Result<(), tonic::Status> {
    if host.is_off() {
        return Err(tonic::Status::unavailable("the machine is off"));
    }
    let (up, messages) = mpsc::channel(16);
    let send = async |body| {
        let message = v1::AgentMessage { body: Some(body) };
        up.send(message).await.map_err(|_| tonic::Status::cancelled("the link is gone"))
    };
    send(agent_message::Body::Hello(host.hello())).await?;
    let mut client = AgentLinkClient::new(channel).max_decoding_message_size(oriel_wire::MESSAGE_BYTES_MAX);
    let stream = tokio_stream::wrappers::ReceiverStream::new(messages);
    let mut down = client.attach(stream).await?.into_inner();
    host.change(|state| state.links += 1);
    let _linked = Linked(host);
    loop {
        if host.is_off() {
            return Ok(());
        }
        let changed = host.changed.notified();
        send(agent_message::Body::Report(host.report())).await?;
        tokio::select! {
            () = changed => {}
            () = tokio::time::sleep(REPORT_INTERVAL) => {}
            message = down.message() => match message?.and_then(|message| message.body) {
                None => return Ok(()),
                Some(broker_message::Body::Settings(settings)) => host.state().settings = settings,
                Some(broker_message::Body::Request(request)) => {
                    if host.state().silent {
                        continue;
                    }
                    let body = host.answer(&request);
                    host.changed.notify_waiters();
                    let reply = v1::AgentReply { request_id: request.request_id, body: Some(body) };
                    send(agent_message::Body::Reply(reply)).await?;
                }
            },
        }
    }
}

struct Linked<'a>(&'a SimulatedHost);

impl Drop for Linked<'_> {
    fn drop(&mut self) {
        self.0.state().links -= 1;
    }
}
