//! One host's part of the registry.

use std::{
    collections::{HashMap, HashSet},
    net::IpAddr,
    sync::Arc,
    time::{Duration, Instant},
};

use jiff::SignedDuration;
use oriel_model::{
    Id, Timestamp,
    host::{Host, LogonMode},
    session::{Session, SessionState},
    user::User,
};
use oriel_rules::placement::HostSnapshot;
use oriel_wire::v1::{self, AgentHello, AgentRequest, BrokerMessage, HostReport, broker_message};
use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::DropGuard;
use tonic::Status;

use super::{
    HostError, HostSession, PENDING_MAX, PROMISE_LIFETIME, Waiting,
    address::{self, AddressError},
};

/// What is known of a host at run time.
#[derive(Debug, Clone)]
pub struct LiveHost {
    /// Which.
    pub id: Id<Host>,
    /// Whether its agent is connected to this broker now.
    pub connected: bool,
    /// Whether it has reported since it connected.
    pub has_reported: bool,
    /// When its agent last reported.
    pub last_report: Option<Timestamp>,
    /// What the agent said when it connected.
    pub hello: Arc<AgentHello>,
    /// The newest report without its sessions; none until the first.
    pub report: Option<Arc<HostReport>>,
    /// The newest report's sessions.
    pub sessions: Arc<[HostSession]>,
    /// Seats promised that the report does not show yet.
    pub promised: usize,
}

/// A year: no machine keeps a session that long.
const LEFT_MAX_SECS: i64 = 366 * 24 * 3600;

/// A new stream.
pub(crate) struct Attached {
    pub hello: AgentHello,
    /// Where the stream comes from.
    pub remote: IpAddr,
    /// What the agent is told first.
    pub settings: v1::HostSettings,
    pub sender: mpsc::Sender<Result<BrokerMessage, Status>>,
    /// Dropped when the stream is to end.
    pub ends: DropGuard,
}

/// A report with its sessions read.
pub(crate) struct Report {
    pub report: HostReport,
    pub sessions: Vec<HostSession>,
}

/// Which users' sessions have come to a host or gone from it.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct UserChanges {
    pub gone: HashSet<Id<User>>,
    pub come: HashSet<Id<User>>,
}

/// One host's part of the registry.
#[derive(Debug)]
pub(crate) struct HostState {
    link: Option<Link>,
    hello: Arc<AgentHello>,
    report: Option<Arc<HostReport>>,
    reported_sessions: usize,
    sessions: Arc<[HostSession]>,
    last_report: Option<Timestamp>,
    /// The same moment, for measuring how long ago that was.
    reported_at: Option<Instant>,
    users: HashSet<Id<User>>,
    promises: HashMap<Id<Session>, PromiseState>,
}

#[derive(Debug, Clone, Copy)]
enum PromiseState {
    /// The host is being asked.
    Asked,
    /// The host said yes then.
    Confirmed(Instant),
}

#[derive(Debug)]
struct Link {
    epoch: u64,
    remote: IpAddr,
    /// What is wrong with the address that its agent says, where an administrator names none, and where
    /// one does.
    address_problems: [Option<AddressError>; 2],
    sender: mpsc::Sender<Result<BrokerMessage, Status>>,
    pending: HashMap<u64, Waiting>,
    /// The settings that the agent was told, and when.
    told: Option<(v1::HostSettings, Instant)>,
    has_reported: bool,
    _ends: DropGuard,
}

impl Default for HostState {
    fn default() -> Self {
        Self {
            link: None,
            hello: Arc::default(),
            report: None,
            reported_sessions: 0,
            sessions: Arc::new([]),
            last_report: None,
            reported_at: None,
            users: HashSet::new(),
            promises: HashMap::new(),
        }
    }
}

impl HostState {
    pub fn attach(&mut self, host: Id<Host>, epoch: u64, attached: Attached) {
        if self.link.is_some() {
            tracing::info!(host.id = %host, "the host's agent connected anew; its earlier connection is closed");
        }
        let Attached { hello, remote, settings, sender, ends } = attached;
        let problem = |configured| address::check(configured, &hello.rdp_address, remote).err();
        let address_problems = [problem(None), problem(Some(""))];
        self.hello = Arc::new(hello);
        self.link = Some(Link {
            epoch,
            remote,
            address_problems,
            sender,
            pending: HashMap::new(),
            told: None,
            has_reported: false,
            _ends: ends,
        });
        self.tell(settings, Instant::now());
    }

    pub fn detach(&mut self, epoch: u64) {
        if self.link.as_ref().is_some_and(|link| link.epoch == epoch) {
            self.link = None;
        }
    }

    /// Ends the stream; the agent will come again.
    pub fn hang_up(&mut self) {
        self.link = None;
    }

    pub fn send(
        &mut self,
        request: AgentRequest,
    ) -> Result<oneshot::Receiver<v1::agent_reply::Body>, HostError> {
        let link = self.link.as_mut().ok_or(HostError::NotConnected)?;
        if link.pending.len() >= PENDING_MAX {
            return Err(HostError::Busy);
        }
        let (answer, waiting) = oneshot::channel();
        let id = request.request_id;
        let message = BrokerMessage { body: Some(broker_message::Body::Request(request)) };
        link.sender.try_send(Ok(message)).map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => HostError::Busy,
            mpsc::error::TrySendError::Closed(_) => HostError::NotConnected,
        })?;
        link.pending.insert(id, answer);
        Ok(waiting)
    }

    pub fn take_pending(&mut self, epoch: u64, request_id: u64) -> Option<Waiting> {
        self.link.as_mut().filter(|link| link.epoch == epoch)?.pending.remove(&request_id)
    }

    pub fn forget_pending(&mut self, request_id: u64) {
        if let Some(link) = &mut self.link {
            link.pending.remove(&request_id);
        }
    }

    /// Tells the agent its settings if they are not what it was told last.
    pub fn tell(&mut self, settings: v1::HostSettings, now: Instant) {
        let Some(link) = &mut self.link else { return };
        if link.told.as_ref().is_some_and(|(told, _)| *told == settings) {
            return;
        }
        let message = BrokerMessage { body: Some(broker_message::Body::Settings(settings.clone())) };
        // A full queue: the reconciler comes again within a second.
        if link.sender.try_send(Ok(message)).is_ok() {
            link.told = Some((settings, now));
        }
    }

    /// Whether the agent, told to drain until reboot, says that the reboot has been: it reports that
    /// logons are enabled at least `settled` after it was told `settings`.
    pub fn has_ended_drain(&self, settings: &v1::HostSettings, settled: Duration) -> bool {
        let told =
            self.link.as_ref().and_then(|link| link.told.as_ref()).filter(|(told, _)| told == settings);
        let (Some((_, told_at)), Some(reported_at), Some(report)) = (told, self.reported_at, &self.report)
        else {
            return false;
        };
        settings.logon_mode() == v1::LogonMode::DrainUntilReboot
            && report.logon_mode() == v1::LogonMode::Enabled
            && reported_at.saturating_duration_since(*told_at) > settled
    }

    pub fn report(&mut self, epoch: u64, report: Report, now: Timestamp) -> Option<UserChanges> {
        self.link.as_mut().filter(|link| link.epoch == epoch)?.has_reported = true;
        let Report { mut report, mut sessions } = report;
        for session in sessions.iter_mut().filter(|session| session.state == SessionState::Disconnected) {
            let before = self.sessions.iter().find(|before| before.id == session.id);
            let said = session.disconnected_secs.and_then(|secs| i64::try_from(secs).ok());
            let left = now - SignedDuration::from_secs(said.unwrap_or(0).min(LEFT_MAX_SECS));
            session.left_at = before.and_then(|before| before.left_at).or(Some(left));
        }
        self.reported_sessions = report.sessions.len();
        report.sessions = Vec::new();
        report.ended = Vec::new();
        self.report = Some(Arc::new(report));
        self.sessions = sessions.into();
        self.last_report = Some(now);
        let (sessions, instant) = (&self.sessions, Instant::now());
        self.reported_at = Some(instant);
        self.promises.retain(|id, state| {
            let is_shown = sessions.iter().any(|session| session.id == *id);
            !is_shown && !is_over(*state, instant)
        });
        let users: HashSet<Id<User>> = sessions.iter().filter_map(|session| session.user).collect();
        let changes = UserChanges {
            gone: self.users.difference(&users).copied().collect(),
            come: users.difference(&self.users).copied().collect(),
        };
        self.users = users;
        Some(changes)
    }

    pub fn take_users(&mut self) -> HashSet<Id<User>> {
        self.link = None;
        std::mem::take(&mut self.users)
    }

    pub fn sessions(&self) -> Vec<HostSession> {
        self.sessions.to_vec()
    }

    pub fn reported_sessions(&self) -> Arc<[HostSession]> {
        self.sessions.clone()
    }

    pub fn session(&self, id: Id<Session>) -> Option<HostSession> {
        self.sessions.iter().find(|session| session.id == id).cloned()
    }

    pub fn live(&self, id: Id<Host>) -> LiveHost {
        LiveHost {
            id,
            connected: self.link.is_some(),
            has_reported: self.link.as_ref().is_some_and(|link| link.has_reported),
            last_report: self.last_report,
            hello: self.hello.clone(),
            report: self.report.clone(),
            sessions: self.sessions.clone(),
            promised: self.promised(),
        }
    }

    /// Why gateways may not go where the agent said that it is when it connected; none: they may.
    pub fn address_problem(&self, configured: Option<&str>) -> Option<&AddressError> {
        // Nothing is asked of a host without a link.
        self.link.as_ref()?.address_problems[usize::from(configured.is_some())].as_ref()
    }

    /// Whether gateways may go where the agent says that it is, see [`address::check`].
    pub fn check_address(&self, configured: Option<&str>, reported: &str) -> Result<(), AddressError> {
        match &self.link {
            Some(link) => address::check(configured, reported, link.remote),
            // Nothing is asked of a host without a link.
            None => Ok(()),
        }
    }

    /// Fills in what is known at run time.
    pub fn complete(&self, snapshot: &mut HostSnapshot) {
        let Some(report) = &self.report else { return };
        // Without a stream nothing can be asked of the host, however fresh its last report is.
        snapshot.last_report = self.last_report.filter(|_| self.link.is_some());
        if !report.healthy {
            let problem = if report.problem.is_empty() {
                "its session software does not work"
            } else {
                &report.problem
            };
            snapshot.problem = Some(problem.to_owned());
        }
        snapshot.sessions = u32::try_from(self.reported_sessions + self.promised()).unwrap_or(u32::MAX);
        snapshot.cpu_load = report.cpu_load;
        snapshot.memory_load = match report.memory_total_bytes {
            0 => 0.0,
            total => 1.0 - (report.memory_available_bytes.min(total) as f64 / total as f64) as f32,
        };
        // The stricter of what is set and what is in force: a change takes a moment to arrive, and a
        // drain until reboot may be over already.
        let in_force = LogonMode::from(report.logon_mode());
        let set = snapshot.logon_mode;
        if set == LogonMode::Enabled
            || (set == LogonMode::DrainUntilReboot && in_force == LogonMode::Disabled)
        {
            snapshot.logon_mode = in_force;
        }
    }

    pub fn promise(&mut self, session: Id<Session>) {
        self.promises.insert(session, PromiseState::Asked);
    }

    pub fn settle_promise(&mut self, session: Id<Session>, kept: bool) {
        let is_shown = self.sessions.iter().any(|shown| shown.id == session);
        if kept && !is_shown {
            self.promises.insert(session, PromiseState::Confirmed(Instant::now()));
        } else {
            self.promises.remove(&session);
        }
    }

    /// Whether the host said yes to this session and has not shown it since.
    pub fn is_promised(&self, session: Id<Session>) -> bool {
        self.promises.get(&session).is_some_and(|state| !is_over(*state, Instant::now()))
    }

    fn promised(&self) -> usize {
        // On most hosts there are none, and a launch asks all of them.
        if self.promises.is_empty() {
            return 0;
        }
        let now = Instant::now();
        self.promises
            .iter()
            .filter(|(id, state)| {
                !is_over(**state, now) && !self.sessions.iter().any(|shown| shown.id == **id)
            })
            .count()
    }
}

fn is_over(state: PromiseState, now: Instant) -> bool {
    matches!(state, PromiseState::Confirmed(at) if now.duration_since(at) > PROMISE_LIFETIME)
}
