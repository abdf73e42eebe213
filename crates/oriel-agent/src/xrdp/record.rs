//! One session as the adapter knows it, kept on disk so that a restarted agent knows everything, and the
//! decision what becomes of it next.
//!
//! [`Record::step`] is a plain function of what was seen and what time it is; [`super::watch`] looks and
//! acts.

use std::{path::PathBuf, time::Duration};

use jiff::Timestamp;
use oriel_model::session::{EndReason, SessionState};
use serde::{Deserialize, Serialize};

use crate::{
    accounts::Account,
    host::{
        ClientFacts, ConnectionId, Ended, Owner, ResourceRef, SessionId, SessionLimits, SessionSnapshot,
        Start,
    },
    logon::Logon,
    proc::ProcessId,
    session::protocol::ToSession,
};

/// A session that was told to end and has not is killed after this long: the grace that programs have,
/// and some for the X server.
pub(super) const KILL_AFTER: Duration = Duration::from_secs(15);
/// After a reset, what is left is killed after this long: the X server gets a moment to end properly.
const RESET_AGAIN: Duration = Duration::from_secs(2);
/// How long programs may take to finish at a log-off.
pub(super) const LOG_OFF_GRACE: Duration = Duration::from_secs(10);
/// A new connection may show up only after the old one has gone; within this time after a logon, a gap is
/// the takeover and not a disconnection.
const TAKEOVER_GAP: Duration = Duration::from_secs(15);
/// A session that was started before anybody came is kept this long. Brokers log it off after ten minutes;
/// this is for when none is there to do so.
const PRELAUNCH_MAX: Duration = Duration::from_secs(3600);

/// A session, from its reservation to its end.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Record {
    pub(super) id: SessionId,
    /// The alias.
    pub(super) logon_name: String,
    #[serde(default)]
    pub(super) owner: Owner,
    pub(super) user_name: String,
    pub(super) account: AccountRecord,
    pub(super) start: Start,
    pub(super) resource: ResourceRef,
    pub(super) is_shared: bool,
    pub(super) client: ClientFacts,
    pub(super) reserved_at: Timestamp,
    /// The connection of the latest prepare.
    pub(super) prepared_for: ConnectionId,
    /// The latest one-time logon, for an agent that is started again before it was used.
    #[serde(default)]
    pub(super) logon: Option<Logon>,
    /// Until when somebody must have logged on.
    pub(super) seat_until: Timestamp,
    pub(super) logged_on_at: Option<Timestamp>,
    /// The X display's number.
    pub(super) display: Option<u32>,
    /// The process of sesman that stands for the session: it ends last.
    pub(super) leader: Option<ProcessId>,
    /// Whether that process has ended before its session, whose own program stands for it since. Then nobody
    /// but us ends the session's servers.
    #[serde(default)]
    pub(super) is_orphan: bool,
    /// The connection that is attached, and the kernel's number of its socket.
    pub(super) connection: Option<ConnectionId>,
    pub(super) attached: Option<u64>,
    /// The connection that has logged on but is not attached yet, and since when.
    pub(super) arriving: Option<(ConnectionId, Timestamp)>,
    /// The latest logon, and how long it took.
    #[serde(default)]
    pub(super) latest_logon: Option<LatestLogon>,
    pub(super) disconnected_since: Option<Timestamp>,
    /// Since when no program runs in an application session.
    pub(super) empty_since: Option<Timestamp>,
    /// Set once the session was told to end.
    pub(super) ending: Option<Ending>,
    /// Why the attached connection is about to end.
    pub(super) leaving: Option<(EndReason, String)>,
    /// What the session is told once the user has logged on again.
    #[serde(default)]
    pub(super) on_return: Option<ToSession>,
    /// Whether it was started before anybody came, and nobody has come yet.
    #[serde(default)]
    pub(super) is_prelaunched: bool,
    pub(super) last_input: Timestamp,
    pub(super) boot_id: String,
    /// Programs with a window; the session says it again after a restart of the agent.
    #[serde(skip)]
    pub(super) programs: Vec<String>,
    /// The resources whose programs run.
    #[serde(default)]
    pub(super) open: Vec<String>,
}

/// A connection's logon, from the accepted secret on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct LatestLogon {
    pub(super) connection: ConnectionId,
    pub(super) accepted_at: Timestamp,
    /// None until the session's own program runs or, at a return, the client is attached.
    pub(super) took: Option<Duration>,
}

/// An account as it was when the session began.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct AccountRecord {
    pub(super) name: String,
    pub(super) uid: u32,
    pub(super) gid: u32,
    pub(super) home: String,
    pub(super) shell: String,
    pub(super) groups: Vec<(String, u32)>,
}

impl From<&Account> for AccountRecord {
    fn from(account: &Account) -> Self {
        let Account { name, uid, gid, home, shell, groups } = account.clone();
        Self { name, uid, gid, home, shell, groups }
    }
}

impl From<&AccountRecord> for Account {
    fn from(record: &AccountRecord) -> Self {
        let AccountRecord { name, uid, gid, home, shell, groups } = record.clone();
        Self { name, uid, gid, home, shell, groups }
    }
}

/// A session on its way out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Ending {
    pub(super) reason: EndReason,
    pub(super) detail: String,
    pub(super) since: Timestamp,
}

/// What a look at the machine showed.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Seen {
    pub(super) leader_is_alive: bool,
    /// Number of the socket between xrdp and the X server, if there is one.
    pub(super) attached: Option<u64>,
    /// Whether the machine has been restarted since the session began.
    pub(super) is_other_boot: bool,
}

/// What to do now.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Step {
    /// The session is gone; the record goes too.
    pub(super) is_over: bool,
    /// What ended: connections, and the session itself at the end.
    pub(super) ended: Vec<Ended>,
    pub(super) action: Option<Action>,
    /// Whether the record has changed.
    pub(super) has_changed: bool,
}

/// Something to do to a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Action {
    Disconnect,
    LogOff,
    Kill,
}

impl Record {
    /// The file that keeps it.
    pub(super) fn file(&self, folder: &std::path::Path) -> PathBuf {
        folder.join(format!("{}.json", self.id))
    }

    /// Decides what becomes of the session.
    pub(super) fn step(&mut self, seen: Seen, limits: SessionLimits, now: Timestamp) -> Step {
        let mut step = Step::default();
        if self.is_gone(seen, limits, now) {
            self.finish(seen, now, &mut step);
            return step;
        }
        self.follow_connection(seen.attached, now, &mut step);
        if let Some(ending) = &self.ending {
            let patience = if ending.reason == EndReason::Reset { RESET_AGAIN } else { KILL_AFTER };
            if now >= ending.since + patience {
                step.action = Some(Action::Kill);
            }
            return step;
        }
        if let Some((reason, detail)) = self.time_to_end(limits, now) {
            step.action = Some(Action::LogOff);
            step.has_changed = true;
            self.ending = Some(Ending { reason, detail, since: now });
        } else if let Some((reason, detail)) = self.time_to_disconnect(limits, now) {
            step.action = Some(Action::Disconnect);
            step.has_changed = true;
            self.leaving = Some((reason, detail));
        }
        step
    }

    fn is_gone(&self, seen: Seen, limits: SessionLimits, now: Timestamp) -> bool {
        if seen.is_other_boot {
            return true;
        }
        match (self.leader, self.logged_on_at) {
            (Some(_), _) => !seen.leader_is_alive,
            (None, Some(logged_on_at)) => self.ending.is_some() || now >= logged_on_at + limits.readiness,
            (None, None) => self.ending.is_some() || now >= self.seat_until,
        }
    }

    fn finish(&mut self, seen: Seen, now: Timestamp, step: &mut Step) {
        step.is_over = true;
        let sentence = |text: &str| text.to_owned();
        let (reason, detail) = match (&self.ending, self.leader, self.logged_on_at) {
            (Some(ending), ..) => (ending.reason, ending.detail.clone()),
            (None, Some(_), _) if seen.is_other_boot => {
                (EndReason::HostFailed, sentence("the host was restarted"))
            }
            (None, Some(_), _) => {
                (EndReason::HostFailed, sentence("the session's processes ended unexpectedly"))
            }
            (None, None, Some(_)) => (EndReason::NotReady, sentence("the session did not start in time")),
            (None, None, None) => (EndReason::NotReady, sentence("nobody logged on in time")),
        };
        let is_awaited = self.logged_on_at.is_none() && !self.is_prelaunched;
        let waiting = is_awaited.then_some(self.prepared_for);
        let connection = self.connection.or(self.arriving.map(|(connection, _)| connection)).or(waiting);
        step.ended.push(self.ended(connection, reason, detail, now));
    }

    fn follow_connection(&mut self, attached: Option<u64>, now: Timestamp, step: &mut Step) {
        if attached == self.attached {
            return;
        }
        step.has_changed = true;
        let is_taken_over = self.arriving.is_some_and(|(_, since)| now < since + TAKEOVER_GAP);
        if self.attached.is_some() {
            let (reason, detail) = match (self.leaving.take(), &self.ending) {
                _ if is_taken_over => (EndReason::TakenOver, String::new()),
                // The X server may end before the rest of the session.
                (_, Some(ending)) => (ending.reason, ending.detail.clone()),
                (Some(asked), None) => asked,
                (None, None) => (EndReason::Disconnected, String::new()),
            };
            if let Some(connection) = self.connection.take() {
                step.ended.push(self.ended(Some(connection), reason, detail, now));
            }
        }
        self.attached = attached;
        if attached.is_some() {
            self.logon_is_through(now);
            self.connection = self.arriving.take().map(|(connection, _)| connection);
            self.disconnected_since = None;
            self.last_input = now;
            self.is_prelaunched = false;
            // Whoever comes to an empty session has as long as whoever empties it.
            self.empty_since = self.empty_since.map(|_| now);
        } else {
            self.disconnected_since = Some(now);
        }
    }

    /// What the latest logon led to is there; later news of the kind say nothing about it.
    pub(super) fn logon_is_through(&mut self, now: Timestamp) {
        if let Some(logon) = &mut self.latest_logon {
            let took = Duration::try_from(now.duration_since(logon.accepted_at)).unwrap_or_default();
            logon.took.get_or_insert(took);
        }
    }

    fn time_to_end(&self, limits: SessionLimits, now: Timestamp) -> Option<(EndReason, String)> {
        let past =
            |since: Option<Timestamp>, limit: Duration| since.is_some_and(|since| now >= since + limit);
        let past_linger = |since, limit: Option<Duration>| limit.is_some_and(|limit| past(since, limit));
        let program_ended = || (EndReason::LoggedOff, "the program has ended".to_owned());
        if self.attached.is_some() {
            let is_immediate = limits.linger_logoff == Some(Duration::ZERO);
            return (is_immediate && past_linger(self.empty_since, limits.linger_disconnect))
                .then(program_ended);
        }
        if self.is_prelaunched {
            let is_empty =
                self.start != Start::Nothing && past_linger(self.empty_since, limits.linger_disconnect);
            let is_forgotten = past(self.logged_on_at, PRELAUNCH_MAX) && self.arriving.is_none();
            return match (is_empty, is_forgotten) {
                (true, _) => Some(program_ended()),
                (false, true) => {
                    Some((EndReason::NotReady, "it was started beforehand and nobody came".to_owned()))
                }
                (false, false) => None,
            };
        }
        let never_attached = self.disconnected_since.is_none();
        if never_attached {
            let late = past(self.logged_on_at, limits.readiness);
            return late
                .then(|| (EndReason::NotReady, "the connection did not reach the session".to_owned()));
        }
        // Somebody is on the way back.
        if self.arriving.is_some_and(|(_, since)| now < since + TAKEOVER_GAP) {
            return None;
        }
        let left_empty = self.empty_since.max(self.disconnected_since).filter(|_| self.empty_since.is_some());
        if past_linger(left_empty, limits.linger_logoff) {
            return Some(program_ended());
        }
        let limit = limits.disconnected_logoff?;
        past(self.disconnected_since, limit).then(|| {
            let minutes = limit.as_secs() / 60;
            (EndReason::DisconnectedTooLong, format!("it was disconnected for {minutes} minutes"))
        })
    }

    fn time_to_disconnect(&self, limits: SessionLimits, now: Timestamp) -> Option<(EndReason, String)> {
        if self.attached.is_none() || self.leaving.is_some() {
            return None;
        }
        let lingered = self.empty_since.zip(limits.linger_disconnect);
        if lingered.is_some_and(|(since, limit)| now >= since + limit) {
            return Some((EndReason::Disconnected, "the program has ended".into()));
        }
        let limit = limits.idle_disconnect?;
        (now >= self.last_input + limit)
            .then(|| (EndReason::Idle, format!("there was no input for {} minutes", limit.as_secs() / 60)))
    }

    pub(super) fn ended(
        &self,
        connection: Option<ConnectionId>,
        reason: EndReason,
        detail: String,
        at: Timestamp,
    ) -> Ended {
        Ended {
            session: self.id,
            connection,
            owner: self.owner.clone(),
            user_name: self.user_name.clone(),
            resource_id: self.resource.id.clone(),
            reason,
            detail,
            at,
        }
    }

    /// Whether something is about to happen, so that it is worth looking often.
    pub(super) fn is_in_transition(&self) -> bool {
        self.ending.is_some()
            || self.arriving.is_some()
            || self.leaving.is_some()
            || (self.logged_on_at.is_some() && self.leader.is_none())
    }

    /// What brokers are told.
    pub(super) fn snapshot(&self, now: Timestamp) -> SessionSnapshot {
        let state = match (&self.ending, self.attached, self.disconnected_since) {
            (Some(_), ..) => SessionState::Ending,
            (None, Some(_), _) => SessionState::Active,
            (None, None, Some(_)) => SessionState::Disconnected,
            (None, None, None) if self.is_prelaunched && self.leader.is_some() => SessionState::Disconnected,
            (None, None, None) => SessionState::Prepared,
        };
        SessionSnapshot {
            id: self.id,
            owner: self.owner.clone(),
            user_name: self.user_name.clone(),
            account: self.account.name.clone(),
            state,
            started_at: self.logged_on_at.unwrap_or(self.reserved_at),
            idle: Duration::try_from(now.duration_since(self.last_input)).unwrap_or_default(),
            resource: self.resource.clone(),
            is_shared: self.is_shared,
            client: self.client.clone(),
            programs: self.programs.clone(),
            is_desktop: self.start == Start::Desktop,
            open: self.open.clone(),
            is_prelaunched: self.is_prelaunched,
            logon: self.latest_logon.map(|logon| (logon.connection, logon.took)),
            disconnected: self
                .disconnected_since
                .map(|since| Duration::try_from(now.duration_since(since)).unwrap_or_default()),
        }
    }
}

#[cfg(test)]
#[path = "record_tests.rs"]
mod tests;
