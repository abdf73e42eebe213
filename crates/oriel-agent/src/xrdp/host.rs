//! The port, carried out by xrdp.

use std::{
    os::unix::fs::chown,
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

use super::{
    SHUT_DOWN_GRACE, Xrdp, alias,
    core::{send, unknown},
    record::{Action, Ending, Record},
    watch::{act, end_all, is_marked, is_server, members},
};
use crate::{
    accounts::{self, Account},
    apps::{find_program, split_words},
    host::{
        App, HostSnapshot, HostSoftware, Prepared, Refusal, RefusalKind, SeatRequest, SessionHost, SessionId,
        SessionLimits, SessionProcess, Start,
    },
    proc::{self, ProcessTable, Signal, TICKS_PER_SEC},
    session::protocol::ToSession,
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
            Some(record) => self.return_to(&record, seat),
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
        check_start(seat.start.as_ref())?;
        let Some(start) = seat.start.clone() else {
            return Err(Refusal::new(RefusalKind::BadRequest, "a new session needs something to start"));
        };
        let account = accounts::find_or_create(&seat.account, seat.accounts, &self.data_dir).await?;
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
            disconnected_since: None,
            empty_since: None,
            ending: None,
            leaving: None,
            to_open: None,
            last_input: now,
            boot_id: self.core.boot_id.clone(),
            programs: Vec::new(),
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
        prepared.ok_or_else(|| unknown(seat.session))
    }

    /// A running session, or a seat that is prepared once more.
    fn return_to(&self, known: &Record, seat: &SeatRequest) -> Result<Prepared, Refusal> {
        // Not by name and account: both may have changed since, and the session is the user's still.
        if known.owner.user_id != seat.owner.user_id {
            return Err(Refusal::new(RefusalKind::BadRequest, "the session belongs to somebody else"));
        }
        check_start(seat.start.as_ref())?;
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
        } else if let Some(Start::Program(program)) = &seat.start {
            record.to_open = record.is_shared.then(|| program.clone());
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

fn check_start(start: Option<&Start>) -> Result<(), Refusal> {
    let Some(Start::Program(program)) = start else { return Ok(()) };
    if find_program(&program.program).is_none() {
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
