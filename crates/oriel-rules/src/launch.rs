//! How a launch is answered: back to the user's own session first, else a new one on the best host,
//! unless as many use the resource as may.
//!
//! What opens, and where, is [`Opening`]'s; the host's command line is [`Command`]'s.

use std::{collections::BTreeSet, net::IpAddr};

use jiff::Timestamp;
use oriel_model::{
    Id,
    host::Host,
    pool::EffectiveBalancing,
    resource::{AtLimit, Resource, UseLimit},
    session::{Session, SessionState},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::placement::{self, HostSnapshot, Obstacle, Ranking, Refusal};

mod command;
mod opening;
#[cfg(test)]
mod tests;

pub use command::Command;
pub use opening::{InSession, OnDevice, Opening, Program, Unopenable, opening};

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
    /// What is open in it, as far as is known: resources, and the applications that documents are open in.
    #[serde(default)]
    pub open: Vec<Id<Resource>>,
    /// Whether further programs may open in it.
    pub shared: bool,
    /// Whether it is a whole desktop.
    #[serde(default)]
    pub desktop: bool,
    /// Whether it was started beforehand and nothing was opened in it yet.
    #[serde(default)]
    pub prelaunched: bool,
    /// The address of the device that used it last.
    #[serde(default)]
    pub client_address: Option<IpAddr>,
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
    /// The application that it runs in: itself, or what a document is opened with; none: no application.
    pub application: Option<Id<Resource>>,
    /// Whether it may open in a shared session of the user.
    pub share_session: bool,
    /// Whether a user has at most one instance of the application.
    pub one_instance: bool,
    /// Whether the user asks for another instance beside the one that runs.
    pub another: bool,
    /// The user's sessions, on any host.
    pub sessions: &'a [OwnSession],
    /// The hosts that the resource may run on.
    pub hosts: &'a [HostSnapshot],
    /// Whether its source names these very hosts.
    pub named_hosts: bool,
    /// Where these hosts are, for a refusal: `of pool Office`.
    pub place: &'a str,
    /// How sessions are spread over them.
    pub balancing: &'a EffectiveBalancing,
    /// The address of the user's device.
    pub client_address: Option<IpAddr>,
    /// The limits of concurrent uses that count: the resource's and its application's.
    pub limits: &'a [Limit<'a>],
    /// Count of placements so far.
    pub turn: u64,
    /// The time.
    pub now: Timestamp,
}

/// A limit of concurrent uses, and how near it is.
#[derive(Debug, Clone, Copy)]
pub struct Limit<'a> {
    /// Of which resource.
    pub resource: Id<Resource>,
    /// What users call it.
    pub name: &'a str,
    /// The limit.
    pub limit: &'a UseLimit,
    /// Sessions, on all hosts, in which it is open now.
    pub uses: u32,
    /// What the site says at its limits; empty: nothing.
    pub site_message: &'a str,
}

/// A limit that a launch goes beyond.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct OverLimit {
    /// Of which resource.
    pub resource: Id<Resource>,
    /// Its name.
    pub name: String,
    /// How many may use it at a time.
    pub limit: u32,
    /// How many do.
    pub uses: u32,
    /// What comes of it.
    pub at_limit: AtLimit,
    /// What the user reads who is refused.
    pub message: String,
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
        /// Whether the program is started in it: it is another one's and shared, or the program has ended.
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
    /// As many use it as may.
    LimitReached {
        /// Which limit.
        over: OverLimit,
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

/// Whether a session of the user serves a launch. Ordered: the greatest is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Fit {
    /// It was used from another device, and sessions are returned to from the same address only.
    OtherDevice,
    /// The resource may not run on its host.
    OtherHost,
    /// It, or the resource, is not shared with other programs.
    NotShared,
    /// It is shared, and so is the resource: the program opens in it.
    Shared,
    /// It was started beforehand and is empty: the program opens in it.
    Prelaunched,
    /// It is the resource's, but the program has ended: it opens in it again.
    Left,
    /// The application runs in it, and a user has only one instance.
    Instance,
    /// The resource is open in it.
    Open,
}

/// A session of the user, looked at.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct LookedAt {
    /// Which.
    #[schemars(with = "String")]
    pub session: Id<Session>,
    /// Whether it serves.
    pub fit: Fit,
}

/// Whether each of the user's sessions serves the launch.
pub fn look(inputs: &Inputs<'_>) -> Vec<LookedAt> {
    let looked = |session: &OwnSession| LookedAt { session: session.id, fit: fit(inputs, session) };
    inputs.sessions.iter().map(looked).collect()
}

/// Decides a launch.
pub fn plan(inputs: &Inputs<'_>) -> Plan {
    let own = own_session(inputs);
    let refusing = over_limits_into(inputs, own.map(|(own, _)| own))
        .into_iter()
        .find(|over| over.at_limit == AtLimit::Refuse);
    if let Some(over) = refusing {
        return Plan::LimitReached { over };
    }
    let ranking =
        placement::rank(inputs.hosts, inputs.named_hosts, inputs.balancing, inputs.turn, inputs.now);
    let Some((own, fit)) = own else {
        return match ending_session(inputs) {
            Some(ending) => Plan::OwnSessionEnding { session: ending.id, host: ending.host },
            None => start_or_refuse(inputs, ranking),
        };
    };
    let obstacle = match inputs.hosts.iter().find(|host| host.id == own.host) {
        Some(host) => {
            placement::reconnect_obstacle(host, inputs.now).map(|obstacle| (host.name.to_string(), obstacle))
        }
        // The host no longer serves this resource, but the session there goes on until it ends.
        None => None,
    };
    let start_program = match fit {
        _ if own.desktop => false,
        Fit::Open => inputs.another && !inputs.one_instance,
        // The one instance is handed the document.
        Fit::Instance => inputs.application != Some(inputs.resource),
        _ => true,
    };
    match obstacle {
        None => Plan::Return { session: own.id, host: own.host, start_program, otherwise: ranking },
        // A session in which nothing of this is open is a convenience: elsewhere is as good.
        Some(_) if !matches!(fit, Fit::Open | Fit::Instance) => start_or_refuse(inputs, ranking),
        // Silent hosts keep no one from working: the session may be gone with the machine.
        Some((_, Obstacle::Unreachable | Obstacle::Disabled)) => start_or_refuse(inputs, ranking),
        Some((host_name, obstacle)) => {
            Plan::OwnSessionOutOfReach { session: own.id, host: own.host, host_name, obstacle }
        }
    }
}

/// The limits that the launch goes beyond, those included at which it opens nevertheless: what
/// administrators see in the log.
pub fn over_limits(inputs: &Inputs<'_>) -> Vec<OverLimit> {
    over_limits_into(inputs, own_session(inputs).map(|(own, _)| own))
}

fn over_limits_into(inputs: &Inputs<'_>, own: Option<&OwnSession>) -> Vec<OverLimit> {
    let goes_beyond = |limit: &&Limit<'_>| {
        // Where it is open already, opening it is no further use.
        let is_in_use = own.is_some_and(|own| open_in(own).contains(&limit.resource));
        !is_in_use && limit.uses >= limit.limit.uses
    };
    let over = |limit: &Limit<'_>| OverLimit {
        resource: limit.resource,
        name: limit.name.to_owned(),
        limit: limit.limit.uses,
        uses: limit.uses,
        at_limit: limit.limit.at_limit,
        message: limit_message(limit),
    };
    inputs.limits.iter().filter(goes_beyond).map(over).collect()
}

/// The resource's own words, else the site's, else the product's.
fn limit_message(limit: &Limit<'_>) -> String {
    if let Some(said) = [&*limit.limit.message, limit.site_message].into_iter().find(|said| !said.is_empty())
    {
        return said.to_owned();
    }
    let in_use = match limit.limit.uses {
        1 => "is in use, and only one person may use it at a time".to_owned(),
        uses => format!("is in use by {uses} people, which is as many as may at a time"),
    };
    format!("{} {in_use}. Please try again later, or ask your administrator.", limit.name)
}

fn start_or_refuse(inputs: &Inputs<'_>, ranking: Ranking) -> Plan {
    if ranking.candidates.is_empty() {
        Plan::Refuse { refusal: Refusal::new(inputs.place, &ranking), ranking }
    } else {
        Plan::Start { ranking }
    }
}

/// The user's session that serves best. Of several alike, the one that is not attached elsewhere, then
/// the youngest.
fn own_session<'a>(inputs: &Inputs<'a>) -> Option<(&'a OwnSession, Fit)> {
    inputs
        .sessions
        .iter()
        .filter(|session| session.state != SessionState::Ending)
        .map(|session| (session, fit(inputs, session)))
        .filter(|(_, fit)| *fit >= Fit::Shared)
        .max_by_key(|(session, fit)| {
            (*fit, session.state != SessionState::Active, session.started_at, session.id)
        })
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

fn fit(inputs: &Inputs<'_>, session: &OwnSession) -> Fit {
    let open = open_in(session);
    let runs_application = inputs.application.is_some_and(|application| open.contains(&application));
    // One instance is one, wherever the user sits now.
    if inputs.one_instance && runs_application {
        return if open.contains(&inputs.resource) { Fit::Open } else { Fit::Instance };
    }
    if inputs.balancing.match_client_address && session.client_address != inputs.client_address {
        return Fit::OtherDevice;
    }
    if open.contains(&inputs.resource) {
        return Fit::Open;
    }
    if session.resource == Some(inputs.resource) && !session.prelaunched {
        return Fit::Left;
    }
    if !inputs.hosts.iter().any(|host| host.id == session.host) {
        return Fit::OtherHost;
    }
    let same_kind = session.desktop == inputs.application.is_none();
    match session.prelaunched {
        // A desktop that was started beforehand is that desktop; an empty application session is anyone's.
        true if session.resource == Some(inputs.resource) || (same_kind && !session.desktop) => {
            Fit::Prelaunched
        }
        _ if session.shared && inputs.share_session => Fit::Shared,
        _ => Fit::NotShared,
    }
}

/// What is open in a session. A desktop is open for as long as it runs.
fn open_in(session: &OwnSession) -> BTreeSet<Id<Resource>> {
    let desktop = session.resource.filter(|_| session.desktop && !session.prelaunched);
    session.open.iter().copied().chain(desktop).collect()
}
