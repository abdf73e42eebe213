//! The latest logon to each session, kept while the session lives, also when its connection has ended.
//!
//! Gateways say it of every connection that they carry, so a new broker knows it from their first words; what
//! a connection that ended before has left is lost with the broker that heard of it.

use std::{
    collections::{HashMap, HashSet},
    sync::Mutex,
    time::{Duration, Instant},
};

use oriel_model::{
    Id, Timestamp,
    logon::{LaunchTimes, LogonSteps},
    session::{Connection, Session},
};
use oriel_rules::logon::{self, Measured};
use oriel_wire::v1::ConnectionMeasures;

use super::LiveConnection;
use crate::hosts::{HostSession, lock};

/// Sessions whose logon is kept: as many as one gateway may carry.
const LOGONS_MAX: usize = super::CONNECTIONS_MAX;

/// How long the logon to a session that no host shows is kept: the host may be about to.
const UNSEEN_MAX: Duration = Duration::from_secs(60);

/// The latest logons.
#[derive(Debug, Default)]
pub struct Logons {
    table: Mutex<HashMap<Id<Session>, Logon>>,
}

#[derive(Debug)]
struct Logon {
    connection: Id<Connection>,
    opened_at: Timestamp,
    heard: Instant,
    measured: Measured,
}

impl Logons {
    /// The steps of the latest logon to a session; none: nobody has come to it through a gateway, as far as
    /// this broker knows.
    pub fn steps(&self, session: &HostSession) -> Option<LogonSteps> {
        let table = lock(&self.table);
        let logon = table.get(&session.id)?;
        let on_host = session.logon.filter(|on_host| on_host.connection == logon.connection);
        let on_host_ms = on_host.map(|on_host| on_host.took_ms);
        Some(logon::steps(&Measured { on_host_ms, ..logon.measured }))
    }

    /// A gateway says that this connection is open.
    pub(crate) fn opened(&self, connection: &LiveConnection, launch: Option<LaunchTimes>) {
        let mut table = lock(&self.table);
        let is_full = table.len() >= LOGONS_MAX && !table.contains_key(&connection.session);
        let known = table.get(&connection.session);
        let is_known = known
            .is_some_and(|known| known.connection == connection.id || known.opened_at > connection.opened_at);
        if is_full || is_known {
            return;
        }
        let logon = Logon {
            connection: connection.id,
            opened_at: connection.opened_at,
            heard: Instant::now(),
            measured: Measured { launch, ..Measured::default() },
        };
        table.insert(connection.session, logon);
    }

    /// A gateway says how far a connection of this session has come.
    pub(crate) fn measured(
        &self,
        session: Id<Session>,
        connection: Id<Connection>,
        measures: &ConnectionMeasures,
    ) {
        let mut table = lock(&self.table);
        let known = table.get_mut(&session).filter(|known| known.connection == connection);
        let Some(Logon { measured, .. }) = known else { return };
        let happened = |millis: u32| Some(millis).filter(|millis| *millis > 0);
        measured.host_reached_ms = happened(measures.host_reached_ms);
        measured.logon_sent_ms = happened(measures.logon_sent_ms);
        measured.first_picture_ms = happened(measures.first_picture_ms);
    }

    /// Forgets the logons to all sessions but these.
    pub(crate) fn keep_only(&self, sessions: &HashSet<Id<Session>>) {
        lock(&self.table)
            .retain(|session, logon| sessions.contains(session) || logon.heard.elapsed() < UNSEEN_MAX);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{gateways::Traffic, hosts::HostLogon};

    const TIMES: Option<LaunchTimes> = Some(LaunchTimes { brokering_ms: 3, prepare_ms: 40 });

    /// A connection to a session, opened at that second.
    fn connection(session: Id<Session>, second: i64) -> LiveConnection {
        let opened_at = Timestamp::from_second(second).expect("in range");
        LiveConnection {
            id: Id::generate(opened_at),
            session,
            user: Id::generate(opened_at),
            client_address: String::new(),
            opened_at,
            gateway: Id::generate(opened_at),
            traffic: Traffic::default(),
        }
    }

    fn measures(logon_sent_ms: u32, first_picture_ms: u32) -> ConnectionMeasures {
        ConnectionMeasures { logon_sent_ms, first_picture_ms, ..ConnectionMeasures::default() }
    }

    #[test]
    fn the_latest_connection_counts_and_the_host_s_word_about_it() {
        let (logons, session) = (Logons::default(), crate::hosts::session_for_tests());
        assert_eq!(logons.steps(&session), None);
        let (first, second) = (connection(session.id, 1), connection(session.id, 2));
        logons.opened(&first, TIMES);
        logons.measured(session.id, first.id, &measures(100, 900));
        let with = |connection, took_ms| HostSession {
            logon: Some(HostLogon { connection, took_ms }),
            ..session.clone()
        };
        let shown = |session: &HostSession| {
            let steps = logons.steps(session).expect("known");
            (steps.prepare_ms, steps.host_logon_ms, steps.total_ms)
        };
        assert_eq!(shown(&with(first.id, 500)), (Some(40), Some(500), Some(943)));

        logons.opened(&second, None);
        assert_eq!(shown(&with(first.id, 500)), (None, None, None), "the new one has not come that far");
        // Late news of the first, and the first once more in a gateway's hello.
        logons.measured(session.id, first.id, &measures(1, 1));
        logons.opened(&first, TIMES);
        logons.measured(session.id, second.id, &measures(50, 60));
        assert_eq!(shown(&with(second.id, 4)), (None, Some(4), Some(60)));
    }

    #[test]
    fn a_logon_is_forgotten_with_its_session_and_there_are_not_too_many() {
        let logons = Logons::default();
        let open = connection(Id::generate(Timestamp::UNIX_EPOCH), 1);
        logons.opened(&open, TIMES);
        logons.keep_only(&HashSet::new());
        assert_eq!(lock(&logons.table).len(), 1, "its host may be about to show it");
        let long_ago = Instant::now().checked_sub(UNSEEN_MAX);
        let long_ago = long_ago.expect("the machine runs for longer than that");
        lock(&logons.table).values_mut().for_each(|logon| logon.heard = long_ago);
        logons.keep_only(&HashSet::from([open.session]));
        assert_eq!(lock(&logons.table).len(), 1);
        logons.keep_only(&HashSet::new());
        assert!(lock(&logons.table).is_empty());
        for second in 0..=LOGONS_MAX {
            let session = Id::generate(Timestamp::from_second(second as i64).expect("in range"));
            logons.opened(&LiveConnection { session, ..open.clone() }, TIMES);
        }
        assert_eq!(lock(&logons.table).len(), LOGONS_MAX);
    }
}
