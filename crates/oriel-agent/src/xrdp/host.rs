//! The port, carried out by xrdp.

use std::{
    collections::HashMap,
    os::unix::fs::chown,
    path::Path,
    sync::{Arc, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use jiff::Timestamp;
use oriel_model::session::EndReason;
use tokio::{
    sync::watch::Receiver,
    time::{Instant, sleep},
};
use zeroize::Zeroizing;

use super::{
    SHUT_DOWN_GRACE, Xrdp, alias,
    core::{send, unknown},
    prelaunch,
    record::{Action, Ending, Record},
    watch::{act, end_all, is_marked, is_server, members},
};
use crate::{
    accounts::{self, Account},
    apps::{find_program, split_words},
    documents,
    host::{
        App, HostSnapshot, HostSoftware, PowerAction, Prepared, Refusal, RefusalKind, SeatRequest,
        SessionHost, SessionId, SessionLimits, SessionProcess, Start,
    },
    proc::{self, ProcessId, ProcessTable, Signal, TICKS_PER_SEC},
    session::{
        SESSION_VARIABLE,
        protocol::{Opening, ToSession},
    },
    state,
};

/// Time between two readings of CPU use.
const MEASURE: Duration = Duration::from_millis(300);
/// Most processes listed, and longest command line in bytes.
const PROCESSES_MAX: usize = 500;
const COMMAND_LINE_MAX: usize = 300;
/// Longest title and text of a message, in characters: what fits a dialog.
const TITLE_MAX: usize = 200;
const TEXT_MAX: usize = 4_000;
/// How long a message waits for a session's line: a session dials an agent that has just restarted once a
/// second.
const LINE_PATIENCE: Duration = Duration::from_secs(4);
/// How often it looks.
const LINE_LOOK: Duration = Duration::from_millis(100);

#[async_trait]
impl SessionHost for Xrdp {
    fn describe(&self) -> HostSoftware {
        self.description.clone()
    }

    fn changes(&self) -> Receiver<u64> {
        self.core.changes.subscribe()
    }

    fn snapshot(&self) -> HostSnapshot {
        let now = self.core.now();
        let state = self.core.state();
        HostSnapshot {
            sessions: state.records.values().map(|record| record.snapshot(now)).collect(),
            ended: state.ended.iter().cloned().collect(),
            problem: state.problem.clone(),
            refused_logons: state.logons.refused(),
        }
    }

    fn set_limits(&self, limits: SessionLimits) {
        self.core.state().limits = limits;
        self.core.nudge.notify_one();
    }

    async fn prepare(&self, seat: &SeatRequest) -> Result<Prepared, Refusal> {
        let _turn = self.preparing.lock().await;
        let existing = self.core.state().records.get(&seat.session).cloned();
        match existing {
            Some(record) => {
                self.has_started(record.id).await?;
                self.return_to(&record, seat)
            }
            None if seat.is_reconnect => Err(unknown(seat.session)),
            None => self.reserve(seat).await,
        }
    }

    async fn release(&self, session: SessionId) -> Result<(), Refusal> {
        let mut state = self.core.state();
        let record = state.records.get_mut(&session).ok_or_else(|| unknown(session))?;
        if record.logged_on_at.is_none() {
            self.end(record, EndReason::NotReady, "the seat was given back".into());
        }
        self.core.revoke_logon(&mut state, session);
        drop(state);
        self.core.nudge.notify_one();
        Ok(())
    }

    async fn message(&self, session: SessionId, title: &str, text: &str) -> Result<(), Refusal> {
        let cut = |text: &str, max: usize| {
            text.chars().filter(|c| !c.is_control() || *c == '\n').take(max).collect::<String>()
        };
        let order = ToSession::Message { title: cut(title, TITLE_MAX), text: cut(text, TEXT_MAX) };
        let deadline = Instant::now() + LINE_PATIENCE;
        loop {
            {
                let state = self.core.state();
                state.records.get(&session).ok_or_else(|| unknown(session))?;
                if send(&state, session, order.clone()).is_ok() {
                    return Ok(());
                }
            }
            if Instant::now() >= deadline {
                return Err(not_ready("the session cannot show messages now"));
            }
            sleep(LINE_LOOK).await;
        }
    }

    async fn disconnect(&self, session: SessionId, asked_by: &str) -> Result<(), Refusal> {
        let record = {
            let mut state = self.core.state();
            let record = state.records.get_mut(&session).ok_or_else(|| unknown(session))?;
            record.attached.ok_or_else(|| not_ready("no client is connected to the session"))?;
            record.leaving = Some((EndReason::DisconnectedByRequest, asked(asked_by)));
            record.clone()
        };
        act(&self.core, Action::Disconnect, &record);
        self.core.nudge.notify_one();
        Ok(())
    }

    async fn log_off(&self, session: SessionId, asked_by: &str) -> Result<(), Refusal> {
        self.end_session(session, EndReason::LoggedOffByRequest, asked_by, Action::LogOff).await
    }

    async fn reset(&self, session: SessionId, asked_by: &str) -> Result<(), Refusal> {
        self.end_session(session, EndReason::Reset, asked_by, Action::Kill).await
    }

    async fn processes(&self, session: SessionId) -> Result<Vec<SessionProcess>, Refusal> {
        let record = self.record(session)?;
        let before = blocking(ProcessTable::read).await?;
        tokio::time::sleep(MEASURE).await;
        blocking(move || list_processes(&record, &before)).await
    }

    async fn end_process(&self, session: SessionId, pid: u32) -> Result<(), Refusal> {
        let record = self.record(session)?;
        let found = blocking(move || programs(&record, &ProcessTable::read())).await?;
        let process = found.into_iter().find(|process| process.pid == pid).ok_or_else(|| {
            Refusal::new(
                RefusalKind::UnknownProcess,
                format!("process {pid} does not belong to this session"),
            )
        })?;
        process.signal(Signal::KILL).map_err(|error| internal(format!("cannot end process {pid}: {error}")))
    }

    fn session_processes(&self) -> Vec<ProcessId> {
        let state = self.core.state();
        let users: HashMap<String, u32> =
            state.records.values().map(|record| (record.id.to_string(), record.account.uid)).collect();
        drop(state);
        let is_sessions = |process: ProcessId| {
            let owner = process.owner();
            owner.is_some_and(|uid| users.values().any(|user| *user == uid))
                && process.variable(SESSION_VARIABLE).and_then(|mark| users.get(&mark).copied()) == owner
        };
        let table = ProcessTable::read();
        table.iter().filter(|stat| stat.runs()).map(|stat| stat.id).filter(|id| is_sessions(*id)).collect()
    }

    fn can(&self, action: PowerAction) -> bool {
        self.power.can(action)
    }

    async fn power(&self, action: PowerAction) -> Result<(), Refusal> {
        self.power.carry_out(action).await
    }

    async fn apps(&self, languages: &[String]) -> Result<Vec<App>, Refusal> {
        Ok(self.installed_apps(languages).await)
    }

    async fn shut_down(&self, with_sessions: bool) {
        if with_sessions {
            let core = Arc::clone(&self.core);
            let _ = tokio::task::spawn_blocking(move || end_all(&core, SHUT_DOWN_GRACE)).await;
        }
        {
            let mut tasks = self.tasks.lock().unwrap_or_else(PoisonError::into_inner);
            tasks.abort_all();
            self.core.stopping.cancel();
        }
        if with_sessions {
            let software = Arc::clone(&self.software);
            let stopped = tokio::task::spawn_blocking(move || {
                software.lock().unwrap_or_else(PoisonError::into_inner).stop_all();
            });
            let _ = stopped.await;
        }
    }
}

impl Xrdp {
    fn record(&self, session: SessionId) -> Result<Record, Refusal> {
        self.core.state().records.get(&session).cloned().ok_or_else(|| unknown(session))
    }

    /// A new session: account, logon name, record, one-time logon.
    async fn reserve(&self, seat: &SeatRequest) -> Result<Prepared, Refusal> {
        let wanted = match &seat.start {
            Some(start) => start.clone(),
            None if seat.is_prelaunch => Start::Nothing,
            None => {
                return Err(Refusal::new(RefusalKind::BadRequest, "a new session needs something to start"));
            }
        };
        check_start(&wanted)?;
        let account = accounts::find_or_create(&seat.account, seat.accounts, &self.data_dir).await?;
        let start = resolved(wanted, Path::new(&account.home))?;
        self.make_runtime_dir(&account)?;
        let now = self.core.now();
        let mut state = self.core.state();
        let in_use = state.records.values().map(|record| record.logon_name.as_str());
        let record = Record {
            id: seat.session,
            logon_name: alias::free_name(&account.name, in_use),
            owner: seat.owner.clone(),
            user_name: seat.user_name.clone(),
            account: (&account).into(),
            start,
            resource: seat.resource.clone(),
            is_shared: seat.is_shared,
            client: seat.client.clone(),
            reserved_at: now,
            prepared_for: seat.connection,
            logon: None,
            seat_until: now + state.limits.readiness,
            logged_on_at: None,
            display: None,
            leader: None,
            is_orphan: false,
            connection: None,
            attached: None,
            arriving: None,
            latest_logon: None,
            disconnected_since: None,
            empty_since: None,
            ending: None,
            leaving: None,
            on_return: None,
            is_prelaunched: seat.is_prelaunch,
            last_input: now,
            boot_id: self.core.boot_id.clone(),
            programs: Vec::new(),
            open: Vec::new(),
        };
        state.records.insert(record.id, record);
        if let Err(error) = self.core.write_aliases(&state) {
            self.core.forget(&mut state, &[seat.session]);
            return Err(internal(format!("cannot make a logon name: {error}")));
        }
        let prepared = self.core.issue_logon(&mut state, seat.session);
        drop(state);
        self.core.announce();
        self.core.nudge.notify_one();
        let prepared = prepared.ok_or_else(|| unknown(seat.session))?;
        Ok(if seat.is_prelaunch { self.start_beforehand(prepared, seat.size) } else { prepared })
    }

    /// Starts a session with its own one-time logon, so that none is left for anybody else.
    fn start_beforehand(&self, prepared: Prepared, size: (u16, u16)) -> Prepared {
        let Prepared { session, logon_name, one_time_logon, expires_at } = prepared;
        let (core, sesman_port, name) = (Arc::clone(&self.core), self.sesman_port, logon_name.clone());
        let work = async move {
            let started = prelaunch::start(&core, sesman_port, &name, &one_time_logon, size).await;
            let Err(error) = started else { return };
            tracing::warn!(session.id = %session, %error, "cannot start a session beforehand");
            if let Some(record) = core.state().records.get_mut(&session) {
                let (reason, detail) = (EndReason::NotReady, format!("it could not be started: {error}"));
                record.ending.get_or_insert_with(|| Ending { reason, detail, since: core.now() });
                core.save(record);
            }
            core.nudge.notify_one();
        };
        let mut tasks = self.tasks.lock().unwrap_or_else(PoisonError::into_inner);
        while tasks.try_join_next().is_some() {}
        tasks.spawn(work);
        Prepared { session, logon_name, one_time_logon: Zeroizing::default(), expires_at }
    }

    /// Waits until a session that is started beforehand has used its own logon: a client's takes its place.
    async fn has_started(&self, session: SessionId) -> Result<(), Refusal> {
        let deadline = Instant::now() + LINE_PATIENCE;
        loop {
            let is_starting = self
                .core
                .state()
                .records
                .get(&session)
                .is_some_and(|record| record.is_prelaunched && record.logged_on_at.is_none());
            if !is_starting {
                return Ok(());
            }
            if Instant::now() >= deadline {
                return Err(not_ready("the session is still being started"));
            }
            sleep(LINE_LOOK).await;
        }
    }

    /// A running session, or a seat that is prepared once more.
    fn return_to(&self, known: &Record, seat: &SeatRequest) -> Result<Prepared, Refusal> {
        // Not by name and account: both may have changed since, and the session is the user's still.
        if known.owner.user_id != seat.owner.user_id {
            return Err(Refusal::new(RefusalKind::BadRequest, "the session belongs to somebody else"));
        }
        let start = match seat.start.clone() {
            Some(start) => {
                check_start(&start)?;
                Some(resolved(start, Path::new(&known.account.home))?)
            }
            None => None,
        };
        let now = self.core.now();
        let mut state = self.core.state();
        let limits = state.limits;
        let record = state
            .records
            .get_mut(&seat.session)
            .filter(|record| record.ending.is_none())
            .ok_or_else(|| unknown(seat.session))?;
        record.client = seat.client.clone();
        if record.logged_on_at.is_none() {
            record.seat_until = now + limits.readiness;
        } else if let Some(Start::Program(program)) = start {
            let opening = Opening { program, resource: seat.resource.id.clone() };
            record.on_return = Some(ToSession::Open(Box::new(opening)));
        } else if seat.brings_to_front {
            let (resource, same_program) = (seat.resource.id.clone(), seat.same_program.clone());
            record.on_return = Some(ToSession::BringToFront { resource, same_program });
        }
        // It becomes another resource's only with a proof for that one: reports are judged by it.
        if record.is_prelaunched && !seat.owner.proof.is_empty() {
            record.owner = seat.owner.clone();
            (record.resource, record.is_shared) = (seat.resource.clone(), seat.is_shared);
        }
        record.prepared_for = seat.connection;
        self.core.issue_logon(&mut state, seat.session).ok_or_else(|| unknown(seat.session))
    }

    /// A folder for sockets, for hosts without `/run/user`.
    fn make_runtime_dir(&self, account: &Account) -> Result<(), Refusal> {
        let path = self.core.layout.runtime_dir(account.uid);
        state::directory(&path, 0o700)
            .and_then(|()| chown(&path, Some(account.uid), Some(account.gid)))
            .map_err(|error| internal(format!("cannot make {}: {error}", path.display())))
    }

    fn end(&self, record: &mut Record, reason: EndReason, detail: String) {
        record.ending = Some(Ending { reason, detail, since: self.core.now() });
        self.core.save(record);
    }

    async fn end_session(
        &self,
        session: SessionId,
        reason: EndReason,
        asked_by: &str,
        action: Action,
    ) -> Result<(), Refusal> {
        let record = {
            let mut state = self.core.state();
            let record = state.records.get_mut(&session).ok_or_else(|| unknown(session))?;
            self.end(record, reason, asked(asked_by));
            record.clone()
        };
        self.core.announce();
        let core = Arc::clone(&self.core);
        blocking(move || act(&core, action, &record)).await?;
        self.core.nudge.notify_one();
        Ok(())
    }
}

/// What is started, with what it opens found on this host.
fn resolved(start: Start, home: &Path) -> Result<Start, Refusal> {
    match start {
        Start::Program(program) => documents::resolve(program, home).map(Start::Program),
        other => Ok(other),
    }
}

fn check_start(start: &Start) -> Result<(), Refusal> {
    let Start::Program(program) = start else { return Ok(()) };
    let is_file_managers = program.program.is_empty() && !program.opens.is_empty();
    if !is_file_managers && find_program(&program.program).is_none() {
        let reason = format!("the program \"{}\" does not exist on this host", program.program);
        return Err(Refusal::new(RefusalKind::NoProgram, reason));
    }
    split_words(&program.arguments)
        .map(|_| ())
        .map_err(|error| Refusal::new(RefusalKind::BadRequest, format!("the program's arguments: {error}")))
}

/// What the user runs: not the X server, the channel server and our own program, which stand right below
/// the leader or, in an orphan, are the leader and its servers.
fn programs(record: &Record, table: &ProcessTable) -> Vec<proc::ProcessId> {
    let Some(leader) = record.leader else { return Vec::new() };
    let frame: Vec<proc::ProcessId> = if record.is_orphan {
        table.iter().filter(|stat| is_server(stat, record)).map(|stat| stat.id).collect()
    } else {
        table.children(leader.pid).map(|stat| stat.id).collect()
    };
    members(record, table).into_iter().filter(|process| !frame.contains(process)).collect()
}

fn list_processes(record: &Record, before: &ProcessTable) -> Vec<SessionProcess> {
    let now_ms = Timestamp::now().as_millisecond();
    let table = ProcessTable::read();
    let wanted = programs(record, &table);
    let mark = record.id.to_string();
    let mut list: Vec<SessionProcess> = table
        .iter()
        .filter(|stat| wanted.contains(&stat.id))
        // Not even a program that somehow hangs below the leader is listed if another user owns it.
        .filter(|stat| stat.id.owner() == Some(record.account.uid) || is_marked(stat.id, record, &mark))
        .map(|stat| {
            let earlier =
                before.iter().find(|old| old.id == stat.id).map_or(stat.cpu_ticks, |old| old.cpu_ticks);
            let ticks = stat.cpu_ticks.saturating_sub(earlier) as f32;
            SessionProcess {
                pid: stat.id.pid,
                name: stat.name.clone(),
                cpu: ticks / TICKS_PER_SEC as f32 / MEASURE.as_secs_f32(),
                memory_bytes: stat.memory_bytes,
                started_at_ms: proc::started_at_ms(stat.id, now_ms),
                command_line: stat.id.command_line(COMMAND_LINE_MAX),
            }
        })
        .collect();
    list.sort_by_key(|process| process.pid);
    list.truncate(PROCESSES_MAX);
    list
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, Refusal> {
    tokio::task::spawn_blocking(work).await.map_err(|_| internal("the host's agent failed at this request"))
}

fn asked(by: &str) -> String {
    if by.is_empty() { String::new() } else { format!("asked for by {by}") }
}

fn not_ready(reason: &str) -> Refusal {
    Refusal::new(RefusalKind::BadRequest, reason)
}

fn internal(reason: impl Into<String>) -> Refusal {
    Refusal::new(RefusalKind::Internal, reason)
}
