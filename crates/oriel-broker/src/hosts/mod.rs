//! The session hosts whose agents hold a stream to this broker: their newest report, what is asked of
//! them, and the seats promised on them.
//!
//! A cache and no more: the truth lives with the host, and everything here is known again from the
//! next reports after a restart.

mod address;
pub mod history;
mod host;
mod link;
pub mod reconcile;
mod session;

use std::{
    collections::{HashMap, HashSet},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError, RwLock,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use oriel_model::{
    Id, Object, Timestamp,
    host::{Host, LogonMode},
    session::Session,
    user::User,
};
use oriel_rules::placement::HostSnapshot;
use oriel_wire::v1::{AgentReply, AgentRequest, RefusalCode, Refused, agent_reply, agent_request};
use tokio::{sync::oneshot, time::timeout};

#[cfg(test)]
pub(crate) use host::Attached as AttachedHost;
pub use host::LiveHost;
pub use link::AgentLinkService;
#[cfg(test)]
pub(crate) use session::session_for_tests;
pub use session::{HostLogon, HostSession};

use crate::farm::FarmView;
use host::{Attached, HostState};

/// How long an agent may take to answer. Making a user's account at the first logon takes a second or
/// two on a slow disk; a user who waits longer than this has given up.
pub const REQUEST_DEADLINE: Duration = Duration::from_secs(15);

/// Requests that wait for one agent at most: a logon storm of this size on one host takes longer to
/// serve than [`REQUEST_DEADLINE`] anyway.
pub const PENDING_MAX: usize = 256;

/// How long a promised seat counts beside the host's own report. The host counts it from its answer on
/// and reports at once; two heartbeats cover a report that was on its way.
const PROMISE_LIFETIME: Duration = Duration::from_secs(3);

/// A request to a host was not carried out.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HostError {
    /// No agent of the host is connected to this broker.
    #[error("the host's agent is not connected")]
    NotConnected,
    /// The connection to the agent broke before it answered.
    #[error("the connection to the host's agent was lost")]
    Lost,
    /// Too many requests wait for this host.
    #[error("the host is busy: too many requests are waiting for it")]
    Busy,
    /// No answer in time.
    #[error("the host did not answer within {} seconds", REQUEST_DEADLINE.as_secs())]
    TimedOut,
    /// The host said no.
    #[error("{}", refusal(*.code, .reason))]
    Refused {
        /// For programs.
        code: RefusalCode,
        /// The host's own words; may be empty.
        reason: String,
    },
    /// The answer does not fit the question.
    #[error("the host's agent answered something else than was asked ({0})")]
    Confused(&'static str),
}

fn refusal(code: RefusalCode, reason: &str) -> String {
    if !reason.is_empty() {
        return reason.to_owned();
    }
    match code {
        RefusalCode::Internal => "the host failed to carry it out",
        RefusalCode::Full => "the host has all the sessions it may have",
        RefusalCode::LogonsDisabled => "the host refuses logons",
        RefusalCode::Draining => "the host is draining",
        RefusalCode::NoAccount => "the host has no account for this user",
        RefusalCode::UnknownSession => "there is no such session on the host",
        RefusalCode::NoProgram => "the host does not have this program",
        RefusalCode::Unhealthy => "the host's session software does not work",
        RefusalCode::BadRequest => "the host's agent did not understand the request",
        RefusalCode::UnknownProcess => "there is no such process in the session",
        RefusalCode::NoDocument => "the host does not have this file or folder",
        RefusalCode::NotSupported => "the host cannot do that",
    }
    .to_owned()
}

/// The registry of live hosts.
#[derive(Debug, Default)]
pub struct Hosts {
    hosts: RwLock<HashMap<Id<Host>, Arc<Mutex<HostState>>>>,
    /// Which hosts hold sessions of a user.
    users: RwLock<HashMap<Id<User>, HashSet<Id<Host>>>>,
    /// How schedules hold hosts back.
    holds: RwLock<HashMap<Id<Host>, LogonMode>>,
    next_request: AtomicU64,
    next_epoch: AtomicU64,
}

impl Hosts {
    /// Asks a host for something and waits for its answer, at most [`REQUEST_DEADLINE`].
    /// `on_behalf_of` is the readable name of who asks. Dropping the future withdraws nothing that
    /// was sent.
    pub async fn request(
        &self,
        host: Id<Host>,
        on_behalf_of: &str,
        body: agent_request::Body,
    ) -> Result<agent_reply::Body, HostError> {
        let state = self.state(host).ok_or(HostError::NotConnected)?;
        let request_id = self.next_request.fetch_add(1, Ordering::Relaxed) + 1;
        let request = AgentRequest { request_id, on_behalf_of: on_behalf_of.to_owned(), body: Some(body) };
        let answer = lock(&state).send(request)?;
        let _forget = Pending { state: &state, request_id };
        match timeout(REQUEST_DEADLINE, answer).await {
            Err(_) => Err(HostError::TimedOut),
            Ok(Err(_)) => Err(HostError::Lost),
            Ok(Ok(agent_reply::Body::Refused(refused))) => {
                Err(HostError::Refused { code: refused.code(), reason: refused.reason })
            }
            Ok(Ok(reply)) => Ok(reply),
        }
    }

    /// As [`Hosts::request`], for requests that have no more to say than that they are done.
    pub async fn order(
        &self,
        host: Id<Host>,
        on_behalf_of: &str,
        body: agent_request::Body,
    ) -> Result<(), HostError> {
        match self.request(host, on_behalf_of, body).await? {
            agent_reply::Body::Done(_) => Ok(()),
            _ => Err(HostError::Confused("expected done")),
        }
    }

    /// What is known of a host at run time; none: its agent has not connected since this broker began.
    pub fn live(&self, host: Id<Host>) -> Option<LiveHost> {
        self.state(host).map(|state| lock(&state).live(host))
    }

    /// What is known of all hosts at run time.
    pub fn all(&self) -> Vec<LiveHost> {
        self.states().into_iter().map(|(id, state)| lock(&state).live(id)).collect()
    }

    /// What placement looks at, for one host.
    pub fn snapshot(&self, view: &FarmView, host: Id<Host>) -> Option<HostSnapshot> {
        let object = view.hosts.get(host)?;
        let resolved = view.resolved_hosts.get(host)?;
        let mut snapshot = HostSnapshot {
            id: host,
            name: resolved.name.clone(),
            enabled: resolved.enabled,
            last_report: None,
            problem: None,
            logon_mode: self.logon_mode(object),
            sessions: 0,
            max_sessions: resolved.settings.max_sessions,
            cpu_load: 0.0,
            memory_load: 0.0,
            balanced: resolved.settings.balanced,
            agent_timeout_secs: resolved.agent_timeout_secs,
        };
        if let Some(state) = self.state(host) {
            let state = lock(&state);
            state.complete(&mut snapshot);
            let unreachable = || Some(state.address_problem(configured(view, host))?.to_string());
            snapshot.problem = snapshot.problem.or_else(unreachable);
        }
        Some(snapshot)
    }

    /// Holds hosts back, these and no others, until told otherwise.
    pub(crate) fn hold(&self, holds: HashMap<Id<Host>, LogonMode>) {
        if *read(&self.holds) != holds {
            *write(&self.holds) = holds;
        }
    }

    /// Whether a host is to take logons: the stricter of what an administrator has set and what a
    /// schedule holds it to.
    pub(crate) fn logon_mode(&self, host: &Object<Host>) -> LogonMode {
        let held = read(&self.holds).get(&host.id).copied().unwrap_or_default();
        match (host.spec.logon_mode, held) {
            (_, LogonMode::Disabled) => LogonMode::Disabled,
            (LogonMode::Enabled, held) => held,
            (set, _) => set,
        }
    }

    /// The sessions of a user, on all hosts: those that are proven to be theirs.
    pub fn sessions_of(&self, user: Id<User>) -> Vec<HostSession> {
        let hosts: Vec<_> = read(&self.users).get(&user).into_iter().flatten().copied().collect();
        let mut sessions: Vec<_> = hosts
            .into_iter()
            .filter_map(|host| self.state(host))
            .flat_map(|state| lock(&state).sessions())
            .filter(|session| session.user == Some(user))
            .collect();
        sessions.sort_by_key(|session| session.id);
        sessions
    }

    /// The sessions of each host as it reported them, shared: for those who look at all and keep few.
    pub fn reported_sessions(&self) -> Vec<Arc<[HostSession]>> {
        self.states().into_iter().map(|(_, state)| lock(&state).reported_sessions()).collect()
    }

    /// The sessions of the whole farm, oldest first.
    pub fn sessions(&self) -> Vec<HostSession> {
        let mut sessions: Vec<_> =
            self.states().into_iter().flat_map(|(_, state)| lock(&state).sessions()).collect();
        sessions.sort_by_key(|session| session.id);
        sessions
    }

    /// One session, wherever it runs. Should several hosts claim it, the one with the proof has it.
    pub fn session(&self, id: Id<Session>) -> Option<HostSession> {
        let claims = self.states().into_iter().filter_map(|(_, state)| lock(&state).session(id));
        claims.max_by_key(|session| session.user.is_some())
    }

    /// Counts a seat on a host while the host is asked for it and until its report shows it.
    pub fn promise(&self, host: Id<Host>, session: Id<Session>) -> Promise {
        let state = self.state(host);
        if let Some(state) = &state {
            lock(state).promise(session);
        }
        Promise { state, session, kept: false }
    }

    /// Whether a host said yes to this session and has not shown it since.
    pub(crate) fn is_promised(&self, host: Id<Host>, session: Id<Session>) -> bool {
        self.state(host).is_some_and(|state| lock(&state).is_promised(session))
    }

    /// A new stream of a host's agent: it replaces the one before, whose requests are lost.
    pub(crate) fn attach(&self, host: Id<Host>, attached: Attached) -> u64 {
        let epoch = self.next_epoch.fetch_add(1, Ordering::Relaxed) + 1;
        let state = write(&self.hosts).entry(host).or_default().clone();
        lock(&state).attach(host, epoch, attached);
        epoch
    }

    /// The stream `epoch` has ended.
    pub(crate) fn detach(&self, host: Id<Host>, epoch: u64) {
        if let Some(state) = self.state(host) {
            lock(&state).detach(epoch);
        }
    }

    /// Takes an answer of an agent. One that nobody waits for any more is dropped, and one that would have
    /// gateways go where the agent may not send them is a refusal.
    pub(crate) fn answered(&self, view: &FarmView, host: Id<Host>, epoch: u64, reply: AgentReply) {
        let (Some(state), Some(mut body)) = (self.state(host), reply.body) else { return };
        let mut state = lock(&state);
        let Some(waiting) = state.take_pending(epoch, reply.request_id) else { return };
        if let agent_reply::Body::Prepared(prepared) = &body
            && let Err(error) = state.check_address(configured(view, host), &prepared.rdp_address)
        {
            let (code, reason) = (RefusalCode::Unhealthy.into(), error.to_string());
            body = agent_reply::Body::Refused(Refused { code, reason });
        }
        // An error means that whoever asked has gone.
        let _ = waiting.send(body);
    }

    /// Takes a report. False: it came over a stream that has been replaced.
    pub(crate) fn reported(&self, host: Id<Host>, epoch: u64, report: host::Report, now: Timestamp) -> bool {
        let Some(state) = self.state(host) else { return false };
        let Some(changed) = lock(&state).report(epoch, report, now) else { return false };
        self.index_users(host, &changed);
        true
    }

    /// Forgets a host whose object was deleted; its stream ends.
    pub(crate) fn forget(&self, host: Id<Host>) {
        let state = write(&self.hosts).remove(&host);
        if let Some(state) = state {
            let users = lock(&state).take_users();
            self.index_users(host, &host::UserChanges { gone: users, come: HashSet::new() });
        }
    }

    /// Ends every stream: the broker is being closed.
    pub(crate) fn hang_up(&self) {
        for (_, state) in self.states() {
            lock(&state).hang_up();
        }
    }

    /// The registry's hosts, for the reconciler.
    pub(crate) fn states(&self) -> Vec<(Id<Host>, Arc<Mutex<HostState>>)> {
        read(&self.hosts).iter().map(|(id, state)| (*id, state.clone())).collect()
    }

    fn state(&self, host: Id<Host>) -> Option<Arc<Mutex<HostState>>> {
        read(&self.hosts).get(&host).cloned()
    }

    fn index_users(&self, host: Id<Host>, changes: &host::UserChanges) {
        if changes.gone.is_empty() && changes.come.is_empty() {
            return;
        }
        let mut users = write(&self.users);
        for gone in &changes.gone {
            if let Some(hosts) = users.get_mut(gone) {
                hosts.remove(&host);
                if hosts.is_empty() {
                    users.remove(gone);
                }
            }
        }
        for come in &changes.come {
            users.entry(*come).or_default().insert(host);
        }
    }
}

/// Where an administrator says that gateways reach a host.
fn configured(view: &FarmView, host: Id<Host>) -> Option<&str> {
    view.hosts.get(host)?.spec.address.as_deref()
}

/// Forgets a pending request when whoever waits for it goes away.
struct Pending<'a> {
    state: &'a Mutex<HostState>,
    request_id: u64,
}

impl Drop for Pending<'_> {
    fn drop(&mut self) {
        lock(self.state).forget_pending(self.request_id);
    }
}

/// A seat that counts as taken until the host reports it, or until this is dropped unkept.
#[derive(Debug)]
pub struct Promise {
    state: Option<Arc<Mutex<HostState>>>,
    session: Id<Session>,
    kept: bool,
}

impl Promise {
    /// The host said yes: the seat counts for a moment more, until its report shows it.
    pub fn keep(mut self) {
        self.kept = true;
    }
}

impl Drop for Promise {
    fn drop(&mut self) {
        if let Some(state) = &self.state {
            lock(state).settle_promise(self.session, self.kept);
        }
    }
}

/// Nothing panics while a lock is held, and the state is whole in any case.
pub(crate) fn lock<T: ?Sized>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

pub(crate) fn read<T: ?Sized>(lock: &RwLock<T>) -> std::sync::RwLockReadGuard<'_, T> {
    lock.read().unwrap_or_else(PoisonError::into_inner)
}

pub(crate) fn write<T: ?Sized>(lock: &RwLock<T>) -> std::sync::RwLockWriteGuard<'_, T> {
    lock.write().unwrap_or_else(PoisonError::into_inner)
}

/// Whoever waits for an answer.
pub(crate) type Waiting = oneshot::Sender<agent_reply::Body>;

#[cfg(test)]
mod tests;
