//! What the adapter knows, behind one lock, and what happens when a session or PAM says something.

use std::{
    collections::{BTreeMap, HashMap, VecDeque},
    fs,
    path::PathBuf,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use jiff::Timestamp;
use oriel_model::session::EndReason;
use oriel_net::clock::Clock;
use tokio::sync::{Notify, mpsc};
use tokio_util::sync::CancellationToken;

use super::{
    alias::{self, Alias},
    layout::{INSIDE, Layout},
    record::{Ending, LatestLogon, Record},
    watch,
};
use crate::{
    accounts::Account,
    host::{Ended, Prepared, Refusal, RefusalKind, SessionId, SessionLimits, Start},
    logon::{Logon, LogonRefusal, OneTimeLogons, Refused},
    proc::{self, ProcessId, Stat},
    session::protocol::{Begin, FromSession, ToSession},
    state,
};

/// How long ended sessions are reported: brokers that were away for a while learn of them, too.
const ENDED_KEPT: Duration = Duration::from_secs(15 * 60);
/// Most ended sessions reported: a few times what a machine ends in a quarter of an hour.
const ENDED_MAX: usize = 500;
/// What is wrong until the software was looked at for the first time.
const STARTING: &str = "the session software is being started";
/// Most programs named per session.
const PROGRAMS_MAX: usize = 50;
/// Longest sentence taken from a session, in characters.
const DETAIL_MAX: usize = 300;

/// The adapter's knowledge.
pub(super) struct Core {
    pub(super) layout: Layout,
    pub(super) desktop_command: Option<String>,
    pub(super) boot_id: String,
    clock: Arc<dyn Clock>,
    pub(super) changes: tokio::sync::watch::Sender<u64>,
    /// Asks the watcher to look now.
    pub(super) nudge: Notify,
    /// Ends everything that serves a single connection.
    pub(super) stopping: CancellationToken,
    state: Mutex<State>,
}

/// Everything that changes.
#[derive(Default)]
pub(super) struct State {
    pub(super) records: BTreeMap<SessionId, Record>,
    pub(super) ended: VecDeque<Ended>,
    pub(super) logons: OneTimeLogons,
    pub(super) limits: SessionLimits,
    pub(super) problem: Option<String>,
    /// The running sesman.
    pub(super) sesman: Option<ProcessId>,
    lines: HashMap<SessionId, Line>,
    lines_opened: u64,
}

/// Where a session is found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) display: u16,
    pub(super) uid: u32,
}

/// The line to the program inside a session.
struct Line {
    number: u64,
    orders: mpsc::Sender<ToSession>,
}

impl Core {
    /// Reads what an earlier agent knew, the one-time logons that it gave out included.
    pub(super) fn load(layout: Layout, desktop_command: Option<String>, clock: Arc<dyn Clock>) -> Self {
        let boot_id = proc::boot_id();
        let mut state = State { problem: Some(STARTING.to_owned()), ..State::default() };
        let files = fs::read_dir(layout.records()).into_iter().flatten().flatten();
        for path in files.map(|file| file.path()).filter(|path| path.extension().is_some_and(|e| e == "json"))
        {
            if let Some(record) = state::read_json::<Record>(&path) {
                // What a machine wrote last before it failed may be lost, the note of a logon's use with it.
                if let Some(logon) = record.logon.clone().filter(|_| record.boot_id == boot_id) {
                    state.logons.restore(&record.logon_name, logon);
                }
                state.records.insert(record.id, record);
            }
        }
        state.ended = state::read_json(&ended_file(&layout)).unwrap_or_default();
        let (changes, _) = tokio::sync::watch::channel(0);
        Self {
            layout,
            desktop_command,
            boot_id,
            clock,
            changes,
            nudge: Notify::new(),
            stopping: CancellationToken::new(),
            state: Mutex::new(state),
        }
    }

    /// The time.
    pub(super) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// The state. Nothing panics while it is held, so a poisoned lock is still whole.
    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Tells whoever watches that the snapshot is another.
    pub(super) fn announce(&self) {
        self.changes.send_modify(|revision| *revision += 1);
    }

    /// Writes a record down; says whether that worked. A failure is loud but does not stop the session.
    pub(super) fn save(&self, record: &Record) -> bool {
        let written = state::write_json(&record.file(&self.layout.records()), record);
        if let Err(error) = &written {
            tracing::error!(session.id = %record.id, %error, "cannot remember a session; it will be lost if the agent restarts");
        }
        written.is_ok()
    }

    /// Makes a one-time logon for a session's next connection and writes it down with the session.
    pub(super) fn issue_logon(&self, state: &mut State, id: SessionId) -> Option<Prepared> {
        let State { records, logons, .. } = state;
        let record = records.get_mut(&id)?;
        let name = &record.logon_name;
        let (one_time_logon, expires_at) = logons.issue(name, id, record.prepared_for, self.now());
        record.logon = logons.get(name).cloned();
        self.save(record);
        Some(Prepared { session: id, logon_name: record.logon_name.clone(), one_time_logon, expires_at })
    }

    /// Takes back a session's one-time logon.
    pub(super) fn revoke_logon(&self, state: &mut State, id: SessionId) {
        let State { records, logons, .. } = state;
        let Some(record) = records.get_mut(&id) else { return };
        logons.revoke(&record.logon_name);
        record.logon = logons.get(&record.logon_name).cloned();
        self.save(record);
    }

    /// Notes ends, keeps them bounded, and removes the records of sessions that are over.
    pub(super) fn note_ended(&self, state: &mut State, ended: Vec<Ended>, now: Timestamp) {
        for end in ended {
            tracing::info!(
                session.id = %end.session,
                user = end.user_name,
                reason = end.reason.as_str(),
                detail = end.detail,
                "ended"
            );
            state.ended.push_back(end);
        }
        while state.ended.len() > ENDED_MAX
            || state.ended.front().is_some_and(|end| end.at + ENDED_KEPT < now)
        {
            state.ended.pop_front();
        }
        if let Err(error) = state::write_json(&ended_file(&self.layout), &state.ended) {
            tracing::warn!(%error, "cannot remember ended sessions");
        }
    }

    /// Takes records out for good.
    pub(super) fn forget(&self, state: &mut State, over: &[SessionId]) {
        for id in over {
            if let Some(record) = state.records.remove(id) {
                state.logons.revoke(&record.logon_name);
                state.lines.remove(id);
                let _ = fs::remove_file(record.file(&self.layout.records()));
                watch::end_servers(&record);
                watch::tidy_display(&record);
            }
        }
        if let Err(error) = self.write_aliases(state) {
            tracing::error!(%error, "cannot update the logon names");
        }
    }

    /// Makes the logon names of all records known to sesman.
    pub(super) fn write_aliases(&self, state: &State) -> std::io::Result<()> {
        let accounts: Vec<(String, Account)> = state
            .records
            .values()
            .map(|record| (record.logon_name.clone(), Account::from(&record.account)))
            .collect();
        let aliases: Vec<Alias<'_>> =
            accounts.iter().map(|(name, account)| Alias { name, account }).collect();
        alias::write(&self.layout.aliases(), &aliases)
    }

    /// Checks a logon. Called for every attempt, by PAM or by the relay.
    pub(super) fn log_on(&self, name: &str, secret: &str) -> bool {
        let now = self.now();
        let mut state = self.state();
        let shown: String = name.chars().filter(|c| !c.is_control()).take(80).collect();
        let State { records, logons, .. } = &mut *state;
        // Where there is no record, nothing of it is on the disk.
        let note = |logon: &Logon| {
            records.get_mut(&logon.session).is_none_or(|record| {
                record.logon = Some(logon.clone());
                self.save(record)
            })
        };
        let (session, connection) = match logons.redeem(name, secret, now, note) {
            Ok(good) => good,
            Err(refused) => {
                tracing::warn!(logon.name = shown, reason = %refused.reason, "logon refused");
                self.close_seat(&mut state, refused, now);
                drop(state);
                self.announce();
                return false;
            }
        };
        let Some(record) = state.records.get_mut(&session).filter(|record| record.ending.is_none()) else {
            tracing::warn!(logon.name = shown, "logon refused: its session has ended");
            return false;
        };
        tracing::info!(session.id = %session, logon.name = shown, "logged on");
        // What starts a session beforehand is nobody's connection.
        if record.logged_on_at.is_some() || !record.is_prelaunched {
            record.arriving = Some((connection, now));
            record.latest_logon = Some(LatestLogon { connection, accepted_at: now, took: None });
        }
        record.logged_on_at.get_or_insert(now);
        self.save(record);
        self.deliver(&mut state, session);
        drop(state);
        self.nudge.notify_one();
        true
    }

    /// Tells a session what it was to hear when its user returns. One that waits for its first client hears
    /// it once that is there, so that programs open at the client's size.
    pub(super) fn deliver(&self, state: &mut State, session: SessionId) {
        let Some(record) = state.records.get_mut(&session).filter(|record| !record.is_prelaunched) else {
            return;
        };
        let Some(order) = record.on_return.take() else { return };
        let told = send(state, session, order);
        let Some(record) = state.records.get_mut(&session) else { return };
        // Else the session is just dialling; it gets it then.
        record.on_return = told.err();
        self.save(record);
    }

    /// A seat whose secret is void and that nobody has taken can never be taken. And the connection that
    /// comes too late to a running session is told why it fails; a replay is not, since the first use of the
    /// secret was the connection's own.
    fn close_seat(&self, state: &mut State, refused: Refused, now: Timestamp) {
        let Some((session, connection)) = refused.owner else { return };
        let Some(record) = state.records.get_mut(&session).filter(|record| record.ending.is_none()) else {
            return;
        };
        let (reason, detail) = (EndReason::LogonRefused, refused.reason.to_string());
        if record.logged_on_at.is_none() {
            record.ending = Some(Ending { reason, detail, since: now });
            self.nudge.notify_one();
        } else if refused.reason == LogonRefusal::Expired {
            let ended = record.ended(Some(connection), reason, detail, now);
            self.note_ended(state, vec![ended], now);
        }
    }

    /// A running session that sesman does not know, because sesman was restarted: `Some` with where it is if
    /// the logon is good, `Some(None)` if not. `None` for all others.
    pub(super) fn reattach(&self, name: &str, secret: &str) -> Option<Option<Place>> {
        let place = {
            let mut state = self.state();
            let record = state.records.values_mut().find(|record| record.logon_name == name)?;
            if watch::find_heir(record) {
                self.save(record);
            }
            let (leader, display, uid) = (record.leader, record.display, record.account.uid);
            let leader = leader.filter(|leader| leader.is_alive())?;
            let parent = Stat::read(leader.pid)?.parent;
            if state.sesman.is_none_or(|sesman| sesman.pid == parent) {
                return None;
            }
            Place { display: u16::try_from(display?).ok()?, uid }
        };
        Some(self.log_on(name, secret).then_some(place))
    }

    /// PAM opens or closes a session.
    pub(super) fn session_event(&self, name: &str, is_opening: bool, terminal: &str, leader: u32) {
        if is_opening {
            let display = terminal.strip_prefix(':').and_then(|number| number.parse().ok());
            let mut state = self.state();
            if let Some(record) = state.records.values_mut().find(|record| record.logon_name == name) {
                record.leader = ProcessId::of(leader);
                record.display = display;
                self.save(record);
            }
        }
        self.nudge.notify_one();
    }

    /// A program says that it is the inside of a session, which has just begun or not. It must run as the
    /// session's user.
    pub(super) fn greet_session(
        &self,
        logon_name: &str,
        uid: u32,
        is_new: bool,
        orders: mpsc::Sender<ToSession>,
    ) -> Option<(SessionId, u64, Begin)> {
        let now = self.now();
        let mut state = self.state();
        state.lines_opened += 1;
        let number = state.lines_opened;
        let record = state
            .records
            .values_mut()
            .find(|record| record.logon_name == logon_name && record.account.uid == uid)?;
        let id = record.id;
        let begin = Begin {
            session: id,
            account: record.account.name.clone(),
            home: PathBuf::from(&record.account.home),
            shell: record.account.shell.clone(),
            start: record.start.clone(),
            resource: record.resource.id.clone(),
            desktop_command: self.desktop_command.clone(),
            window_manager: PathBuf::from(INSIDE).join("openbox"),
            runtime_dir: PathBuf::from(INSIDE).join("runtime").join(uid.to_string()),
        };
        let has_come = record.logged_on_at.is_some();
        if is_new {
            record.logon_is_through(now);
            self.save(record);
        }
        state.lines.insert(id, Line { number, orders });
        if has_come {
            self.deliver(&mut state, id);
        }
        Some((id, number, begin))
    }

    /// The line to a session has broken. The session dials again if it still runs.
    pub(super) fn session_line_lost(&self, id: SessionId, number: u64) {
        let mut state = self.state();
        if state.lines.get(&id).is_some_and(|line| line.number == number) {
            state.lines.remove(&id);
        }
        drop(state);
        self.nudge.notify_one();
    }

    /// Something that a session says about itself. It comes from a user's process, so it is bounded and
    /// believed only about that session.
    pub(super) fn hear(&self, id: SessionId, message: FromSession) {
        let now = self.now();
        let mut state = self.state();
        let Some(record) = state.records.get_mut(&id) else { return };
        match message {
            FromSession::Hello { .. } => return,
            FromSession::Idle { secs } => {
                let idle = Duration::from_secs(secs.min(10 * 365 * 86_400));
                record.last_input = (now - idle).max(record.last_input);
                return;
            }
            FromSession::Open { is_running, programs, resources } => {
                let bounded = |words: Vec<String>| {
                    let words = words.into_iter().take(PROGRAMS_MAX);
                    words.map(|word| word.chars().take(80).collect()).collect()
                };
                (record.programs, record.open) = (bounded(programs), bounded(resources));
                let is_application = record.start != Start::Desktop;
                match (is_running, record.empty_since) {
                    (true, _) => record.empty_since = None,
                    (false, None) if is_application => record.empty_since = Some(now),
                    (false, _) => {}
                }
            }
            FromSession::Over { detail } => {
                record.ending.get_or_insert_with(|| Ending {
                    reason: EndReason::LoggedOff,
                    detail: detail.chars().filter(|c| !c.is_control()).take(DETAIL_MAX).collect(),
                    since: now,
                });
            }
        }
        self.save(record);
        drop(state);
        self.announce();
        self.nudge.notify_one();
    }
}

/// Gives an order to a session; hands it back if there is no line to it.
pub(super) fn send(state: &State, id: SessionId, order: ToSession) -> Result<(), ToSession> {
    match state.lines.get(&id) {
        Some(line) => line.orders.try_send(order).map_err(|error| match error {
            mpsc::error::TrySendError::Full(order) | mpsc::error::TrySendError::Closed(order) => order,
        }),
        None => Err(order),
    }
}

fn ended_file(layout: &Layout) -> PathBuf {
    layout.records().with_file_name("ended.json")
}

/// The refusal for a session that is not there.
pub(super) fn unknown(id: SessionId) -> Refusal {
    Refusal::new(RefusalKind::UnknownSession, format!("this host has no session {id}"))
}
