//! How a launch is answered: back to the user's own session first, else a new one on the best host.

use jiff::Timestamp;
use oriel_model::{
    Id,
    host::Host,
    pool::EffectiveBalancing,
    resource::Resource,
    session::{Session, SessionState},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::placement::{self, HostSnapshot, Obstacle, Ranking, Refusal};

/// A session of the user, as its host reports it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct OwnSession {
    /// Which.
    #[schemars(with = "String")]
    pub id: Id<Session>,
    /// Where it runs.
    pub host: Id<Host>,
    /// What it was started for.
    pub resource: Option<Id<Resource>>,
    /// Whether further programs may open in it.
    pub shared: bool,
    /// Its state.
    pub state: SessionState,
    /// When it began.
    pub started_at: Timestamp,
}

/// All that a launch is decided from.
#[derive(Debug, Clone, Copy)]
pub struct Inputs<'a> {
    /// What the user opens.
    pub resource: Id<Resource>,
    /// Whether it may open in a shared session of the user.
    pub share_session: bool,
    /// The user's sessions, on any host.
    pub sessions: &'a [OwnSession],
    /// The hosts that the resource may run on.
    pub hosts: &'a [HostSnapshot],
    /// Where these hosts are, for a refusal: `of pool Office`.
    pub place: &'a str,
    /// How sessions are spread over them.
    pub balancing: &'a EffectiveBalancing,
    /// Count of placements so far.
    pub turn: u64,
    /// The time.
    pub now: Timestamp,
}

/// What to do. The broker carries out the first step that the host confirms.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", tag = "plan")]
pub enum Plan {
    /// Return to a session that runs.
    Return {
        /// Which.
        #[schemars(with = "String")]
        session: Id<Session>,
        /// Where.
        host: Id<Host>,
        /// Whether the program is started in it: it is another one's, and shared.
        start_program: bool,
        /// Where to go if the host says that it is gone.
        otherwise: Ranking,
    },
    /// Start a session on the first host that confirms.
    Start {
        /// In this order.
        ranking: Ranking,
    },
    /// No host will.
    Refuse {
        /// Why.
        refusal: Refusal,
        /// Every host with its obstacle.
        ranking: Ranking,
    },
    /// The user's session is on a host that does not take it back now. A second one beside it could lose
    /// work, so the user is told.
    OwnSessionOutOfReach {
        /// Which.
        #[schemars(with = "String")]
        session: Id<Session>,
        /// Where.
        host: Id<Host>,
        /// Name of the host.
        host_name: String,
        /// Why.
        obstacle: Obstacle,
    },
    /// The user's session of this resource was told to end, and its programs still run. They may hold what
    /// the next one needs, such as the lock of a profile, so it waits for the moment that they have.
    OwnSessionEnding {
        /// Which.
        #[schemars(with = "String")]
        session: Id<Session>,
        /// Where.
        host: Id<Host>,
    },
}

/// Decides a launch.
pub fn plan(inputs: &Inputs<'_>) -> Plan {
    let ranking = placement::rank(inputs.hosts, inputs.balancing, inputs.turn, inputs.now);
    if let Some((own, start_program)) = own_session(inputs) {
        let obstacle = match inputs.hosts.iter().find(|host| host.id == own.host) {
            Some(host) => {
                placement::reconnect_obstacle(host, inputs.now).map(|obstacle| (host.name.clone(), obstacle))
            }
            // The host no longer serves this resource, but the session there goes on until it ends.
            None => None,
        };
        return match obstacle {
            None => Plan::Return { session: own.id, host: own.host, start_program, otherwise: ranking },
            // A session that is only shared is a convenience: elsewhere is as good.
            Some(_) if start_program => start_or_refuse(inputs, ranking),
            // Silent hosts keep no one from working: the session may be gone with the machine.
            Some((_, Obstacle::Unreachable | Obstacle::Disabled)) => start_or_refuse(inputs, ranking),
            Some((host_name, obstacle)) => {
                Plan::OwnSessionOutOfReach { session: own.id, host: own.host, host_name, obstacle }
            }
        };
    }
    match ending_session(inputs) {
        Some(ending) => Plan::OwnSessionEnding { session: ending.id, host: ending.host },
        None => start_or_refuse(inputs, ranking),
    }
}

fn start_or_refuse(inputs: &Inputs<'_>, ranking: Ranking) -> Plan {
    if ranking.candidates.is_empty() {
        Plan::Refuse { refusal: Refusal::new(inputs.place, &ranking), ranking }
    } else {
        Plan::Start { ranking }
    }
}

/// The user's session to return to: one of the same resource, else a shared one when the resource
/// shares and may run where that is. Of several, the one that is not attached elsewhere, then the youngest.
fn own_session<'a>(inputs: &Inputs<'a>) -> Option<(&'a OwnSession, bool)> {
    let best = |wanted: &dyn Fn(&OwnSession) -> bool| {
        inputs
            .sessions
            .iter()
            .filter(|session| session.state != SessionState::Ending && wanted(session))
            .max_by_key(|session| (session.state != SessionState::Active, session.started_at, session.id))
    };
    let same = best(&|session| session.resource == Some(inputs.resource));
    if let Some(same) = same {
        return Some((same, false));
    }
    let serves = |id| inputs.hosts.iter().any(|host| host.id == id);
    let is_shared = |session: &OwnSession| session.shared && serves(session.host);
    let shared = inputs.share_session.then(|| best(&is_shared)).flatten();
    shared.map(|session| (session, true))
}

/// The user's session of the same resource that is on its way out, if its host is there to say when it is
/// gone.
fn ending_session<'a>(inputs: &Inputs<'a>) -> Option<&'a OwnSession> {
    let is_heard =
        |id| inputs.hosts.iter().any(|host| host.id == id && placement::is_alive(host, inputs.now));
    inputs.sessions.iter().find(|session| {
        session.state == SessionState::Ending
            && session.resource == Some(inputs.resource)
            && is_heard(session.host)
    })
}

#[cfg(test)]
mod tests {
    use oriel_model::host::LogonMode;

    use super::*;

    const NOW: Timestamp = Timestamp::UNIX_EPOCH;

    fn id<T>(number: u128) -> Id<T> {
        uuid::Uuid::from_u128(number).into()
    }

    fn host(number: u128) -> HostSnapshot {
        HostSnapshot {
            id: id(number),
            name: format!("host{number}"),
            enabled: true,
            last_report: Some(NOW),
            problem: None,
            logon_mode: LogonMode::Enabled,
            sessions: 0,
            max_sessions: 10,
            cpu_load: 0.0,
            memory_load: 0.0,
        }
    }

    fn session(number: u128, resource: u128, shared: bool) -> OwnSession {
        OwnSession {
            id: id(number),
            host: id(1),
            resource: Some(id(resource)),
            shared,
            state: SessionState::Disconnected,
            started_at: NOW,
        }
    }

    fn decide(sessions: &[OwnSession], hosts: &[HostSnapshot], share_session: bool) -> Plan {
        plan(&Inputs {
            resource: id(7),
            share_session,
            sessions,
            hosts,
            place: "of pool Office",
            balancing: &EffectiveBalancing::default(),
            turn: 0,
            now: NOW,
        })
    }

    #[test]
    fn the_users_own_session_comes_first() {
        let hosts = [HostSnapshot { sessions: 9, ..host(1) }, host(2)];
        let plan = decide(&[session(50, 7, false)], &hosts, false);
        assert!(matches!(plan, Plan::Return { session, start_program: false, .. } if session == id(50)));
    }

    #[test]
    fn a_draining_host_still_takes_its_session_back() {
        let draining = HostSnapshot { logon_mode: LogonMode::Drain, ..host(1) };
        let plan = decide(&[session(50, 7, false)], &[draining, host(2)], false);
        assert!(matches!(plan, Plan::Return { .. }));
    }

    #[test]
    fn a_session_behind_closed_logons_is_told_not_doubled() {
        let closed = HostSnapshot { logon_mode: LogonMode::Disabled, ..host(1) };
        let plan = decide(&[session(50, 7, false)], &[closed, host(2)], false);
        assert!(matches!(plan, Plan::OwnSessionOutOfReach { host_name, .. } if host_name == "host1"));
    }

    #[test]
    fn a_session_on_a_silent_host_does_not_keep_its_user_from_working() {
        let silent = HostSnapshot { last_report: None, ..host(1) };
        let plan = decide(&[session(50, 7, false)], &[silent, host(2)], false);
        assert!(matches!(plan, Plan::Start { ranking } if ranking.candidates[0].host == id(2)));
    }

    #[test]
    fn a_second_program_opens_in_the_shared_session_only_if_both_share() {
        let hosts = [host(1), host(2)];
        let shared = decide(&[session(50, 8, true)], &hosts, true);
        assert!(matches!(shared, Plan::Return { start_program: true, .. }));
        assert!(matches!(decide(&[session(50, 8, true)], &hosts, false), Plan::Start { .. }));
        assert!(matches!(decide(&[session(50, 8, false)], &hosts, true), Plan::Start { .. }));
        // Not on a host that the resource may not run on.
        assert!(matches!(decide(&[session(50, 8, true)], &[host(2)], true), Plan::Start { .. }));
    }

    #[test]
    fn of_several_own_sessions_the_one_not_in_use_is_taken() {
        let active = OwnSession {
            state: SessionState::Active,
            started_at: NOW + jiff::SignedDuration::from_secs(60),
            ..session(51, 7, false)
        };
        let plan = decide(&[session(50, 7, false), active], &[host(1)], false);
        assert!(matches!(plan, Plan::Return { session, .. } if session == id(50)));
    }

    #[test]
    fn a_session_that_ends_is_waited_for_and_never_returned_to() {
        let ending =
            |resource, shared| OwnSession { state: SessionState::Ending, ..session(50, resource, shared) };
        let plan = decide(&[ending(7, false)], &[host(1), host(2)], false);
        assert!(matches!(plan, Plan::OwnSessionEnding { session, .. } if session == id(50)));
        // Another one that runs is there to return to.
        let plan = decide(&[ending(7, false), session(51, 7, false)], &[host(1)], false);
        assert!(matches!(plan, Plan::Return { session, .. } if session == id(51)));
        // Nothing opens in it, and another resource need not wait for it.
        assert!(matches!(decide(&[ending(8, true)], &[host(1)], true), Plan::Start { .. }));
        // A host that has gone silent would be waited for in vain.
        let silent = HostSnapshot { last_report: None, ..host(1) };
        assert!(matches!(decide(&[ending(7, false)], &[silent, host(2)], false), Plan::Start { .. }));
    }

    #[test]
    fn without_a_host_the_refusal_says_why() {
        let draining = HostSnapshot { logon_mode: LogonMode::Drain, ..host(1) };
        let Plan::Refuse { refusal, .. } = decide(&[], &[draining], false) else {
            panic!("a refusal was expected");
        };
        assert_eq!(refusal.to_string(), "The only host of pool Office is draining.");
    }
}
