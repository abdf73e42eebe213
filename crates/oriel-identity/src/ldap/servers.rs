//! Which of a directory's servers is asked, and the connections that are kept to each.
//!
//! The first server of the settings that is not avoided is asked. One that fails is avoided for a while, the
//! longer the more often it fails, and the next one is asked at once. When the time has passed, one request
//! tries it again while all others go on avoiding it. If all are avoided, the one whose time ends first is
//! asked.
//!
//! A connection belongs to one request at a time, and is kept only after that was answered to its end. Those
//! of the service account and those on which users prove who they are never mix.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use rustls::ClientConfig;
use tokio::{
    sync::{Semaphore, SemaphorePermit},
    time::{Instant, timeout},
};

use super::{
    Bind, Check, NotAsked, Server, ServerCheck, Settings,
    connection::{Broken, Connection, said},
    message::code,
};

/// How long a server is avoided after the first failure, doubled by each one that follows.
const AVOIDED: Duration = Duration::from_secs(5);
/// And at most.
const AVOIDED_MAX: Duration = Duration::from_secs(120);
/// How long a server is not asked after it did not take the service account's password. Not even if there
/// is no other: each try counts as a wrong password, and would lock that account.
const REFUSED: Duration = Duration::from_secs(60);
/// How long a connection is kept without use. Servers close theirs after minutes (Active Directory: 15).
const IDLE: Duration = Duration::from_secs(60);
/// Requests that wait for each one that is being answered, at most: at 10 ms each, the last waits a second.
const WAITING_PER_CONNECTION: usize = 100;

/// What a connection is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    /// The service account looks something up.
    Service,
    /// Somebody proves who they are: nothing is bound yet, or somebody whom this one replaces.
    Proof,
}

/// The servers of a directory.
pub(super) struct Servers {
    all: Vec<One>,
    tls: Arc<ClientConfig>,
    bind: Bind,
    connect_timeout: Duration,
    answer_timeout: Duration,
    pool: usize,
    working: Semaphore,
    waiting: Semaphore,
}

struct One {
    server: Server,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    failures: u32,
    avoided: Option<Avoided>,
    service: Vec<Idle>,
    proof: Vec<Idle>,
}

#[derive(Debug, Clone, Copy)]
struct Avoided {
    until: Instant,
    /// Even if there is no other.
    strictly: bool,
    why: &'static str,
}

struct Idle {
    connection: Connection,
    since: Instant,
}

impl Servers {
    pub(super) fn new(settings: &Settings) -> Self {
        Self {
            all: settings
                .servers
                .iter()
                .map(|server| One { server: server.clone(), state: Mutex::default() })
                .collect(),
            tls: settings.tls.clone(),
            bind: settings.bind.clone(),
            connect_timeout: settings.connect_timeout,
            answer_timeout: settings.answer_timeout,
            pool: settings.pool,
            working: Semaphore::new(settings.pool),
            waiting: Semaphore::new(settings.pool * WAITING_PER_CONNECTION),
        }
    }

    pub(super) fn has_service_account(&self) -> bool {
        matches!(self.bind, Bind::Service { .. })
    }

    /// Has `work` done on a connection to the first server that can do it. `work` gives the connection back
    /// if it can be used again.
    pub(super) async fn ask<T, W, F>(&self, purpose: Purpose, mut work: W) -> Result<T, NotAsked>
    where
        W: FnMut(Connection) -> F,
        F: Future<Output = Result<(T, Option<Connection>), Broken>>,
    {
        if purpose == Purpose::Service && !self.has_service_account() {
            return Err(NotAsked::NoServiceAccount);
        }
        let _permit = self.turn().await?;
        let mut whys = Vec::new();
        for one in self.order(&mut whys) {
            match self.ask_one(one, purpose, &mut work).await {
                Ok(answer) => {
                    one.worked();
                    return Ok(answer);
                }
                Err(broken) => {
                    one.failed(&broken);
                    tracing::warn!(server = %one.server, error = %broken, "a directory's server cannot be asked");
                    whys.push(format!("{}: {broken}", one.server));
                }
            }
        }
        Err(NotAsked::Unavailable(whys.join("; ")))
    }

    /// Waits for a turn. A directory that hangs is waited for by its own people only, and by few of them.
    async fn turn(&self) -> Result<SemaphorePermit<'_>, NotAsked> {
        let _waiting = self.waiting.try_acquire().map_err(|_| NotAsked::Busy)?;
        match timeout(self.connect_timeout + self.answer_timeout, self.working.acquire()).await {
            Ok(Ok(permit)) => Ok(permit),
            _ => Err(NotAsked::Busy),
        }
    }

    /// The servers to ask, in order. One whose time of being avoided is over is this request's to try.
    fn order(&self, whys: &mut Vec<String>) -> Vec<&One> {
        let now = Instant::now();
        let trial = self.connect_timeout + self.answer_timeout;
        let mut order = Vec::new();
        let mut soonest: Option<(Instant, &One)> = None;
        for one in &self.all {
            let mut state = one.state();
            match state.avoided {
                Some(avoided) if now < avoided.until => {
                    if avoided.strictly {
                        whys.push(format!("{}: {}", one.server, avoided.why));
                    } else if soonest.is_none_or(|(until, _)| avoided.until < until) {
                        soonest = Some((avoided.until, one));
                    }
                }
                Some(avoided) => {
                    state.avoided = Some(Avoided { until: now + trial, ..avoided });
                    order.push(one);
                }
                None => order.push(one),
            }
        }
        if order.is_empty() {
            order.extend(soonest.map(|(_, one)| one));
        }
        order
    }

    async fn ask_one<T, W, F>(&self, one: &One, purpose: Purpose, work: &mut W) -> Result<T, Broken>
    where
        W: FnMut(Connection) -> F,
        F: Future<Output = Result<(T, Option<Connection>), Broken>>,
    {
        if let Some(connection) = one.take(purpose) {
            match self.within(self.answer_timeout, work(connection)).await {
                // It ended while it was kept: no fault of the server's.
                Err(Broken::Closed) => {}
                outcome => return outcome.map(|answer| self.keep(one, purpose, answer)),
            }
        }
        let connection = self.open(&one.server, purpose).await?;
        let answer = self.within(self.answer_timeout, work(connection)).await?;
        Ok(self.keep(one, purpose, answer))
    }

    /// A new connection, on which the service account is bound if it is for that.
    async fn open(&self, server: &Server, purpose: Purpose) -> Result<Connection, Broken> {
        let seconds = i32::try_from(self.answer_timeout.as_secs().max(1)).unwrap_or(i32::MAX);
        let opening = Connection::open(server, &self.tls, seconds);
        let mut connection = self.within(self.connect_timeout, opening).await?;
        let Bind::Service { name, password } = &self.bind else { return Ok(connection) };
        if purpose == Purpose::Proof {
            return Ok(connection);
        }
        let (outcome, _) = self.within(self.answer_timeout, connection.bind(name, password)).await?;
        match outcome.code {
            code::SUCCESS => Ok(connection),
            code::INVALID_CREDENTIALS => Err(Broken::ServiceRefused(said(
                &outcome,
                "signing in as the service account, whose name or password is wrong, or which is locked",
            ))),
            _ => Err(Broken::Because(said(&outcome, "signing in as the service account"))),
        }
    }

    async fn within<T>(
        &self,
        limit: Duration,
        work: impl Future<Output = Result<T, Broken>>,
    ) -> Result<T, Broken> {
        match timeout(limit, work).await {
            Ok(outcome) => outcome,
            Err(_) => Err(Broken::Because(format!("it did not answer within {} ms", limit.as_millis()))),
        }
    }

    fn keep<T>(&self, one: &One, purpose: Purpose, (answer, connection): (T, Option<Connection>)) -> T {
        let Some(connection) = connection else { return answer };
        let mut state = one.state();
        let idle = state.idle(purpose);
        if idle.len() < self.pool {
            idle.push(Idle { connection, since: Instant::now() });
        }
        answer
    }

    /// Asks every server at once, each on a new connection.
    pub(super) async fn check<F, W>(&self, work: W) -> Check
    where
        W: Fn(Connection) -> F,
        F: Future<Output = Result<super::Answering, Broken>>,
    {
        let purpose = if self.has_service_account() { Purpose::Service } else { Purpose::Proof };
        let checks = self.all.iter().map(async |one| {
            let started = Instant::now();
            let outcome = async {
                let connection = self.open(&one.server, purpose).await?;
                self.within(self.answer_timeout, work(connection)).await
            };
            let outcome = outcome.await.map_err(|broken: Broken| broken.to_string());
            let outcome = outcome.map(|answering| super::Answering { took: started.elapsed(), ..answering });
            ServerCheck { server: one.server.clone(), outcome }
        });
        Check { servers: futures_util::future::join_all(checks).await }
    }
}

impl One {
    /// The connection that was used last, of those that still stand.
    fn take(&self, purpose: Purpose) -> Option<Connection> {
        let mut state = self.state();
        let idle = state.idle(purpose);
        idle.retain(|idle| idle.since.elapsed() < IDLE);
        while let Some(Idle { mut connection, .. }) = idle.pop() {
            if !connection.has_ended() {
                return Some(connection);
            }
        }
        None
    }

    fn worked(&self) {
        let mut state = self.state();
        state.failures = 0;
        state.avoided = None;
    }

    fn failed(&self, broken: &Broken) {
        let mut state = self.state();
        let wait = AVOIDED.saturating_mul(1 << state.failures.min(16)).min(AVOIDED_MAX);
        state.failures = state.failures.saturating_add(1);
        let (wait, strictly) = match broken {
            Broken::ServiceRefused(_) => (REFUSED, true),
            _ => (wait, false),
        };
        let why = "it did not take the service account's name and password, and is not asked again so soon, \
                   lest it locks that account";
        state.avoided = Some(Avoided { until: Instant::now() + wait, strictly, why });
        // What is kept to it has most likely ended, too.
        state.service.clear();
        state.proof.clear();
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // It is whole between any two of its steps.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn idle(&mut self, purpose: Purpose) -> &mut Vec<Idle> {
        match purpose {
            Purpose::Service => &mut self.service,
            Purpose::Proof => &mut self.proof,
        }
    }
}
