//! Why connections ended. The client cannot tell a log-off from a take-over or a reset: the host and
//! the gateway can, and the page asks here.
//!
//! A bounded table in memory; after a restart of the broker the hosts' reports (which hold the last
//! quarter of an hour) fill it again.

use std::{
    collections::{HashMap, VecDeque},
    sync::Mutex,
    time::Duration,
};

use oriel_model::{
    Id, Timestamp,
    session::{Connection, EndReason, Session},
    user::User,
};
use oriel_wire::v1::{ConnectionClosed, EndedSession};
use tokio::{sync::Notify, time::Instant};

use crate::hosts::lock;

/// Connections remembered: a broker's 10,000 users that reconnect once each.
const CONNECTIONS_MAX: usize = 20_000;

/// Longest sentence of a host or gateway that is kept, in bytes.
const DETAIL_MAX: usize = 1_000;

/// How long the host's word is waited for once the gateway has seen the end: hosts report at least
/// every second, and on change at once.
const HOST_GRACE: Duration = Duration::from_millis(2_500);

/// How a connection ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct End {
    /// Why.
    pub reason: EndReason,
    /// Who asked for it or what failed, where that is known.
    pub detail: String,
}

/// A connection as the table knows it.
#[derive(Debug, Clone, Default)]
struct Entry {
    owner: Option<Id<User>>,
    session: Option<Id<Session>>,
    from_host: Option<(End, Instant)>,
    from_gateway: Option<(End, Option<Instant>)>,
    /// Whether its gateway is away. It may have taken the connection with it.
    without_gateway: bool,
}

/// What is known of a connection's end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Known {
    /// Nothing is known of such a connection, or it is another user's.
    Unknown,
    /// It has not ended.
    Open,
    /// It has.
    Ended(End, Option<Id<Session>>),
}

/// The table.
#[derive(Debug)]
pub struct ConnectionEnds {
    table: Mutex<Table>,
    changed: Notify,
    host_grace: Duration,
}

impl Default for ConnectionEnds {
    fn default() -> Self {
        Self::with_grace(HOST_GRACE)
    }
}

#[derive(Debug, Default)]
struct Table {
    entries: HashMap<Id<Connection>, Entry>,
    order: VecDeque<Id<Connection>>,
}

impl ConnectionEnds {
    fn with_grace(host_grace: Duration) -> Self {
        Self { table: Mutex::default(), changed: Notify::new(), host_grace }
    }

    /// A connection that was launched or that a gateway reports as open.
    pub fn opened(&self, connection: Id<Connection>, session: Id<Session>, user: Id<User>) {
        let mut table = lock(&self.table);
        let entry = table.entry(connection);
        entry.session = Some(session);
        entry.owner = Some(user);
        entry.without_gateway = false;
    }

    /// The gateway that carried these is away.
    pub fn gateway_lost(&self, connections: Vec<Id<Connection>>) {
        let mut table = lock(&self.table);
        for connection in connections {
            if let Some(entry) = table.entries.get_mut(&connection) {
                entry.without_gateway = true;
            }
        }
    }

    /// A gateway has closed a connection.
    pub fn closed_at_gateway(&self, closed: &ConnectionClosed) {
        let Ok(connection) = closed.connection_id.parse() else { return };
        let reason = EndReason::parse(&closed.reason).unwrap_or(EndReason::NetworkLost);
        let end = End { reason, detail: bounded(&closed.detail) };
        {
            let mut table = lock(&self.table);
            let entry = table.entry(connection);
            if entry.session.is_none() {
                entry.session = closed.session_id.parse().ok();
            }
            entry.from_gateway.get_or_insert((end, Some(Instant::now())));
        }
        self.changed.notify_waiters();
    }

    /// A host tells how a session, or the connection to it, ended. Hosts repeat themselves. `owner` is the
    /// user whose session it is proven to be; without one, only what is known already can end.
    pub fn ended_on_host(&self, ended: &EndedSession, owner: Option<Id<User>>, now: Timestamp) {
        let Ok(connection) = ended.connection_id.parse() else { return };
        let Some(reason) = EndReason::parse(&ended.reason) else {
            tracing::debug!(reason = ended.reason, at = %now, "a host gave a reason that this version does not know");
            return;
        };
        {
            let mut table = lock(&self.table);
            if owner.is_none() && !table.entries.contains_key(&connection) {
                return;
            }
            let entry = table.entry(connection);
            // A program that ends takes its client with it: the host sees the client go a moment before it
            // knows that the session is over. That is the end, not a second one.
            let known = entry.from_host.as_ref().map(|(end, _)| end.reason);
            if known.is_some_and(|known| known != EndReason::Disconnected || !reason.ends_session()) {
                return;
            }
            entry.from_host = Some((End { reason, detail: bounded(&ended.detail) }, Instant::now()));
            entry.session = entry.session.or_else(|| ended.session_id.parse().ok());
            entry.owner = entry.owner.or(owner);
        }
        self.changed.notify_waiters();
    }

    /// What is known now of a connection of this user.
    pub fn known(&self, connection: Id<Connection>, user: Id<User>) -> Known {
        self.look(connection, user).0
    }

    /// As [`ConnectionEnds::known`], but waits at most `patience` for the end to be known for good.
    pub async fn wait(&self, connection: Id<Connection>, user: Id<User>, patience: Duration) -> Known {
        let deadline = Instant::now() + patience;
        loop {
            let changed = self.changed.notified();
            let mut changed = std::pin::pin!(changed);
            // From here on no notification is missed, so the look below cannot be too early.
            changed.as_mut().enable();
            let (known, final_at) = self.look(connection, user);
            let until = match (&known, final_at) {
                (Known::Ended(..), None) => return known,
                (_, Some(at)) => at.min(deadline),
                (_, None) => deadline,
            };
            tokio::select! {
                () = changed => {}
                () = tokio::time::sleep_until(until) => return self.look(connection, user).0,
            }
        }
    }

    /// What is known, and until when the host's word may still change it.
    fn look(&self, connection: Id<Connection>, user: Id<User>) -> (Known, Option<Instant>) {
        let table = lock(&self.table);
        let Some(entry) = table.entries.get(&connection) else { return (Known::Unknown, None) };
        if entry.owner != Some(user) {
            return (Known::Unknown, None);
        }
        let host = entry.from_host.as_ref().map(|(end, _)| end);
        let gateway = entry.from_gateway.as_ref().map(|(end, _)| end);
        let Some(end) = decided(host, gateway) else {
            return (Known::Open, None);
        };
        // The host sees a client that went, and whoever would know that it was the gateway is away itself.
        let broke = End { reason: EndReason::NetworkLost, detail: String::new() };
        let end = match gateway {
            None if entry.without_gateway && end.reason == EndReason::Disconnected => &broke,
            _ => end,
        };
        let waits_until = match (&entry.from_host, &entry.from_gateway) {
            (_, Some((gateway, _))) if is_own_doing(gateway.reason) => None,
            (None, Some((_, at))) => *at,
            // The host saw only that the client went. The gateway may be about to say why, or the host itself
            // that the session is over.
            (Some((host, at)), _) if host.reason == EndReason::Disconnected => Some(*at),
            _ => None,
        }
        .map(|at| at + self.host_grace)
        .filter(|until| *until > Instant::now());
        (Known::Ended(end.clone(), entry.session), waits_until)
    }
}

impl Table {
    fn entry(&mut self, connection: Id<Connection>) -> &mut Entry {
        if !self.entries.contains_key(&connection) {
            if self.order.len() >= CONNECTIONS_MAX
                && let Some(oldest) = self.order.pop_front()
            {
                self.entries.remove(&oldest);
            }
            self.order.push_back(connection);
        }
        self.entries.entry(connection).or_default()
    }
}

/// The host's word wins: only it knows what happened in the session. But where it saw no more than that
/// the client went, the gateway may know why.
fn decided<'a>(host: Option<&'a End>, gateway: Option<&'a End>) -> Option<&'a End> {
    match (host, gateway) {
        (Some(host), Some(gateway))
            if host.reason == EndReason::Disconnected
                && (gateway.reason == EndReason::NetworkLost || is_own_doing(gateway.reason)) =>
        {
            Some(gateway)
        }
        (Some(host), _) => Some(host),
        (None, gateway) => gateway,
    }
}

/// Whether a gateway gives this reason only for what it did itself.
fn is_own_doing(reason: EndReason) -> bool {
    matches!(
        reason,
        EndReason::LimitReached
            | EndReason::OutsideHours
            | EndReason::RightWithdrawn
            | EndReason::GatewayClosing
            | EndReason::Reset
            | EndReason::LoggedOffByRequest
            | EndReason::DisconnectedByRequest
    )
}

fn bounded(text: &str) -> String {
    let mut end = text.len().min(DETAIL_MAX);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text[..end].to_owned()
}

/// What a user reads about the end of their connection.
pub fn sentence(end: &End) -> String {
    let words = match end.reason {
        EndReason::LoggedOff => "The program was closed, and the session has ended.",
        EndReason::Disconnected => "You were disconnected. The session runs on, and you can return to it.",
        EndReason::TakenOver => "The session was opened from another place, where it goes on.",
        EndReason::Idle => {
            "You were disconnected because there was no input for a while. The session runs on, and you can return to it."
        }
        EndReason::LoggedOffByRequest => "The session was logged off.",
        EndReason::DisconnectedByRequest => {
            "You were disconnected by request. The session runs on, and you can return to it."
        }
        EndReason::Reset => {
            "An administrator reset the session. What was not saved is lost; you can open it again."
        }
        EndReason::DisconnectedTooLong => {
            "The session was logged off because it was disconnected for too long."
        }
        EndReason::LogonRefused => {
            "The host refused the logon. Open it again; if that does not help, tell the administrator."
        }
        EndReason::NotReady => "The session was not ready in time. Open it again.",
        EndReason::LimitReached => "The time for this connection is up. Open it again to go on.",
        EndReason::OutsideHours => "Your hours are over. The session runs on; open it again when they begin.",
        EndReason::RightWithdrawn => "Your right to this session was withdrawn. Ask the administrator.",
        EndReason::HostFailed => {
            "The host's session software failed. Open it again; if that does not help, tell the administrator."
        }
        EndReason::HostLost => "The host cannot be reached. Try again in a moment.",
        EndReason::GatewayClosing => {
            "The gateway is being restarted. The session runs on, and you can return to it."
        }
        EndReason::NetworkLost => {
            "The network connection broke. The session runs on, and you can return to it."
        }
    };
    match end.reason {
        // What failed helps the help desk. Who asked for an end is an administrator's matter: the log has it.
        EndReason::HostFailed if !end.detail.is_empty() => {
            format!("{words} ({}.)", end.detail.trim_end_matches('.'))
        }
        // What the administrator has to say, and when they begin again.
        EndReason::OutsideHours if !end.detail.is_empty() => end.detail.clone(),
        _ => words.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ids() -> (Id<Connection>, Id<Session>, Id<User>) {
        let now = Timestamp::UNIX_EPOCH;
        (Id::generate(now), Id::generate(now), Id::generate(now))
    }

    fn on_host(connection: Id<Connection>, reason: EndReason) -> EndedSession {
        EndedSession {
            connection_id: connection.to_string(),
            reason: reason.as_str().into(),
            ..Default::default()
        }
    }

    fn at_gateway(connection: Id<Connection>, reason: EndReason) -> ConnectionClosed {
        ConnectionClosed {
            connection_id: connection.to_string(),
            reason: reason.as_str().into(),
            ..Default::default()
        }
    }

    fn reason(known: Known) -> Option<EndReason> {
        match known {
            Known::Ended(end, _) => Some(end.reason),
            _ => None,
        }
    }

    #[tokio::test]
    async fn the_hosts_word_wins_over_the_gateways() {
        let ends = ConnectionEnds::with_grace(Duration::from_secs(60));
        let (connection, session, user) = ids();
        ends.opened(connection, session, user);
        assert_eq!(ends.known(connection, user), Known::Open);
        ends.closed_at_gateway(&at_gateway(connection, EndReason::HostLost));
        let waiting = ends.wait(connection, user, Duration::from_secs(20));
        let report = async {
            tokio::task::yield_now().await;
            ends.ended_on_host(&on_host(connection, EndReason::TakenOver), None, Timestamp::UNIX_EPOCH);
        };
        let (known, ()) = tokio::join!(waiting, report);
        assert_eq!(reason(known), Some(EndReason::TakenOver));
    }

    #[tokio::test]
    async fn a_silent_host_is_waited_for_briefly_and_the_gateways_own_doing_not_at_all() {
        let grace = Duration::from_millis(30);
        let ends = ConnectionEnds::with_grace(grace);
        let (connection, session, user) = ids();
        ends.opened(connection, session, user);
        ends.closed_at_gateway(&at_gateway(connection, EndReason::NetworkLost));
        let before = Instant::now();
        let known = ends.wait(connection, user, Duration::from_secs(20)).await;
        assert_eq!(reason(known), Some(EndReason::NetworkLost));
        assert!(before.elapsed() >= grace);

        let ends = ConnectionEnds::with_grace(Duration::from_secs(60));
        let (other, ..) = ids();
        ends.opened(other, session, user);
        ends.closed_at_gateway(&at_gateway(other, EndReason::Reset));
        assert_eq!(reason(ends.wait(other, user, Duration::from_secs(20)).await), Some(EndReason::Reset));
    }

    #[test]
    fn a_session_that_ends_right_after_its_client_went_has_ended() {
        let ends = ConnectionEnds::with_grace(Duration::ZERO);
        let (connection, session, user) = ids();
        ends.opened(connection, session, user);
        ends.ended_on_host(&on_host(connection, EndReason::Disconnected), None, Timestamp::UNIX_EPOCH);
        ends.ended_on_host(&on_host(connection, EndReason::LoggedOff), None, Timestamp::UNIX_EPOCH);
        ends.ended_on_host(&on_host(connection, EndReason::Disconnected), None, Timestamp::UNIX_EPOCH);
        assert_eq!(reason(ends.known(connection, user)), Some(EndReason::LoggedOff));
    }

    #[test]
    fn a_plain_disconnect_on_the_host_leaves_the_gateways_reason() {
        let ends = ConnectionEnds::default();
        let (connection, session, user) = ids();
        ends.opened(connection, session, user);
        ends.ended_on_host(&on_host(connection, EndReason::Disconnected), None, Timestamp::UNIX_EPOCH);
        ends.closed_at_gateway(&at_gateway(connection, EndReason::NetworkLost));
        assert_eq!(reason(ends.known(connection, user)), Some(EndReason::NetworkLost));
    }

    #[test]
    fn a_client_that_goes_with_its_gateway_was_lost_and_did_not_leave() {
        let ends = ConnectionEnds::with_grace(Duration::ZERO);
        let (connection, session, user) = ids();
        let went = || on_host(connection, EndReason::Disconnected);
        ends.opened(connection, session, user);
        ends.gateway_lost(vec![connection]);
        assert_eq!(ends.known(connection, user), Known::Open, "it may go on without a word of it");
        ends.ended_on_host(&went(), None, Timestamp::UNIX_EPOCH);
        assert_eq!(reason(ends.known(connection, user)), Some(EndReason::NetworkLost));
        // A gateway that is back and knows better.
        ends.closed_at_gateway(&at_gateway(connection, EndReason::Disconnected));
        assert_eq!(reason(ends.known(connection, user)), Some(EndReason::Disconnected));

        let (connection, ..) = ids();
        ends.opened(connection, session, user);
        ends.gateway_lost(vec![connection]);
        ends.opened(connection, session, user);
        let left = on_host(connection, EndReason::Disconnected);
        ends.ended_on_host(&left, None, Timestamp::UNIX_EPOCH);
        assert_eq!(
            reason(ends.known(connection, user)),
            Some(EndReason::Disconnected),
            "it was back in time"
        );
    }

    #[test]
    fn other_users_learn_nothing_and_the_table_is_bounded() {
        let ends = ConnectionEnds::default();
        let (first, session, user) = ids();
        ends.opened(first, session, user);
        let (_, _, other) = ids();
        assert_eq!(ends.known(first, other), Known::Unknown);
        for _ in 0..CONNECTIONS_MAX {
            ends.opened(Id::generate(Timestamp::UNIX_EPOCH), session, user);
        }
        assert_eq!(ends.known(first, user), Known::Unknown);
        assert_eq!(lock(&ends.table).entries.len(), CONNECTIONS_MAX);
        // After a restart a host's report is all there is, and it proves whose the session was.
        let (again, ..) = ids();
        ends.ended_on_host(&on_host(again, EndReason::Idle), None, Timestamp::UNIX_EPOCH);
        assert_eq!(ends.known(again, user), Known::Unknown);
        ends.ended_on_host(&on_host(again, EndReason::Idle), Some(user), Timestamp::UNIX_EPOCH);
        assert_eq!(reason(ends.known(again, user)), Some(EndReason::Idle));
    }

    #[test]
    fn every_reason_has_a_sentence() {
        for reason in EndReason::ALL {
            let text = sentence(&End { reason, detail: String::new() });
            assert!(text.ends_with('.') && text.len() > 20, "{text}");
        }
        let say = |reason, detail: &str| sentence(&End { reason, detail: detail.into() });
        assert!(say(EndReason::HostFailed, "xrdp does not start.").ends_with("(xrdp does not start.)"));
        assert!(!say(EndReason::Reset, "token admin").contains("token"));
        assert_eq!(say(EndReason::OutsideHours, "Good night."), "Good night.");
    }
}
