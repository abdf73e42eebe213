//! Logon hours: what a user is told of them, and putting off their end.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
    time::Duration,
};

use oriel_model::{
    Id, Kind, Timestamp,
    session::{EndReason, Session, SessionState},
    user::User,
};
use oriel_net::supervise::ShutdownSignal;
use serde::Serialize;

use super::{audit::Event, client::ClientSays, session::Actor, sign_in::SignedIn, welcome::Welcome};
use crate::{Broker, farm::FarmView, hosts::HostSession};

/// How a user stands to the hours, as they are told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Hours {
    /// Whether the farm is open to them now.
    pub is_open: bool,
    /// Until when that is so; none: for weeks.
    pub until: Option<Timestamp>,
    /// From when on they are warned of the end; none: they are not.
    pub warn_at: Option<Timestamp>,
    /// Until when they may put off the end; none: they may not.
    pub may_extend_until: Option<Timestamp>,
    /// Whether what may be opened is listed now.
    pub shows_list: bool,
    /// Whether sessions are disconnected at the end.
    pub disconnects: bool,
    /// What the administrator has to say outside the hours; may be empty.
    pub message: String,
}

impl Hours {
    /// As they are told; none: the user may come at any time.
    pub fn told(view: &FarmView, welcome: &Welcome) -> Option<Self> {
        let standing = &welcome.hours;
        let hours = view.logon_hours.get(standing.hours.as_ref()?.id)?;
        Some(Self {
            is_open: standing.is_open,
            until: standing.until,
            warn_at: standing.warn_at,
            may_extend_until: standing.may_extend_until,
            shows_list: welcome.shows_list(),
            disconnects: hours.spec.outside.disconnect,
            message: if standing.is_open { String::new() } else { hours.spec.outside.message.clone() },
        })
    }
}

/// Why the end of the hours is not put off.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ExtendError {
    /// They do not allow it, or it was put off as far as they do.
    #[error("your hours cannot be extended any further")]
    NotAllowed,
    /// The store does not answer.
    #[error("this cannot be noted at the moment")]
    Store,
}

impl Broker {
    /// Puts off the end of a user's hours as far as they allow.
    pub async fn extend_hours(
        &self,
        signed_in: &SignedIn,
        client: &ClientSays,
    ) -> Result<Option<Hours>, ExtendError> {
        let until = self.welcome(signed_in, client).await.hours.may_extend_until;
        let until = until.ok_or(ExtendError::NotAllowed)?;
        let (user, now) = (signed_in.user.id, self.now());
        self.user_states
            .change(&*self.store, user, now, |state| state.hours_extended_until = Some(until))
            .await
            .map_err(|_| ExtendError::Store)?;
        let (user_name, address) = (&*signed_in.user.name, signed_in.address);
        self.record(&Event::HoursExtended { user, user_name, until, address });
        self.hours_changed.notify_one();
        Ok(Hours::told(&self.farm.load(), &self.welcome(signed_in, client).await))
    }

    /// Until when a user has put off the end of their hours. A store that does not answer counts as no.
    pub(crate) async fn extended_until(&self, user: Id<User>) -> Option<Timestamp> {
        let state = self.user_states.get(&*self.store, user, self.now()).await;
        state.map_or(None, |state| state.hours_extended_until)
    }

    /// What a user who is signed in is told of the hours; none: they may come at any time.
    pub async fn hours(&self, signed_in: &SignedIn, client: &ClientSays) -> Option<Hours> {
        let welcome = self.welcome(signed_in, client).await;
        Hours::told(&self.farm.load(), &welcome)
    }
}

/// How often sessions are looked at without a nudge.
const INTERVAL: Duration = Duration::from_secs(2);

/// How long gateways have to end connections whose hours are over, and how often it is looked whether they did.
const GATEWAY_PATIENCE: Duration = Duration::from_secs(2);
const LOOK: Duration = Duration::from_millis(50);

/// What decides which hours hold for whom.
const MATTERS: &[Kind] = &[Kind::LogonHours, Kind::User, Kind::Site, Kind::Gateway, Kind::Broker];

/// Warns users whose hours end soon and disconnects those whose hours are over; ends what was started
/// beforehand for nobody. Runs until the signal.
pub async fn run(broker: Arc<Broker>, signal: ShutdownSignal) {
    let mut changes = broker.farm.changes(MATTERS);
    // Of which end a session was warned. A broker that has just begun warns once more.
    let mut warned: HashMap<Id<Session>, Timestamp> = HashMap::new();
    loop {
        broker.drop_unused(broker.now()).await;
        if broker.farm.load().logon_hours.is_empty() {
            warned.clear();
        } else {
            watch_hours(&broker, &mut warned).await;
        }
        tokio::select! {
            () = signal.given() => return,
            () = changes.next() => {}
            () = broker.hours_changed.notified() => {}
            () = tokio::time::sleep(INTERVAL) => {}
        }
    }
}

async fn watch_hours(broker: &Broker, warned: &mut HashMap<Id<Session>, Timestamp>) {
    let (view, now) = (broker.farm.load(), broker.now());
    let gateways: HashMap<_, _> =
        broker.gateways.connections().iter().map(|open| (open.session, open.gateway)).collect();
    let mut sessions = broker.hosts.sessions();
    sessions.retain(|session| session.state == SessionState::Active || gateways.contains_key(&session.id));
    warned.retain(|id, _| sessions.iter().any(|session| session.id == *id));
    let mut over = Vec::new();
    for session in sessions {
        let Some(user) = session.user.and_then(|user| view.person(user)) else { continue };
        let gateway = gateways.get(&session.id).copied();
        let facts = session.facts(&user, gateway, view.site_of(gateway, broker.broker_id));
        let state = broker.user_states.get(&*broker.store, user.id, now).await.unwrap_or_default();
        let zone = state.time_zone.as_deref();
        let welcome = Welcome::look(&view, &facts, zone, state.hours_extended_until, now);
        let standing = &welcome.hours;
        if !standing.may.stay {
            let message = format!("{} {}", standing.message, standing.begins_again);
            tell_it_is_over(broker, &session, message.trim_end());
            over.push(session);
            continue;
        }
        let end = standing.until.filter(|_| standing.warn_at.is_some_and(|warn_at| now >= warn_at));
        if let Some(end) = end
            && warned.insert(session.id, end) != Some(end)
        {
            warn(broker, &session, end, now, standing.may_extend_until.is_some()).await;
        }
    }
    if !over.is_empty() {
        disconnect(broker, &over).await;
    }
}

/// Has the gateways end the connections of a session, with the reason.
fn tell_it_is_over(broker: &Broker, session: &HostSession, message: &str) {
    tracing::info!(
        target: "audit", event = "hours_over", session.id = %session.id, user.name = session.user_name
    );
    broker.gateways.withdraw(session.id, None, EndReason::OutsideHours, message);
}

/// Disconnects sessions, which run on. Their gateways come first: a host would end the connections without
/// saying why.
async fn disconnect(broker: &Broker, sessions: &[HostSession]) {
    let ids: HashSet<_> = sessions.iter().map(|session| session.id).collect();
    let are_ended = async {
        while broker.gateways.connections().iter().any(|open| ids.contains(&open.session)) {
            tokio::time::sleep(LOOK).await;
        }
    };
    // A gateway that does not answer keeps nobody in.
    let _ = tokio::time::timeout(GATEWAY_PATIENCE, are_ended).await;
    for id in ids {
        if let Err(error) = broker.disconnect_session(id, Actor::Broker("logon hours")).await {
            tracing::warn!(session.id = %id, %error, "a session whose hours are over was not disconnected by its host");
        }
    }
}

async fn warn(broker: &Broker, session: &HostSession, end: Timestamp, now: Timestamp, may_extend: bool) {
    let minutes = (end.duration_since(now).as_secs() + 59) / 60;
    let minutes = if minutes == 1 { "1 minute".to_owned() } else { format!("{minutes} minutes") };
    let more = match may_extend {
        true => " You can extend them in the portal.",
        false => " Please save your work.",
    };
    let text = format!("Your hours end in {minutes}; then you are disconnected.{more}");
    let by = Actor::Broker("logon hours");
    if let Err(error) = broker.message_session(session.id, by, "Your hours end soon", &text).await {
        tracing::info!(session.id = %session.id, %error, "a user could not be told that their hours end");
    }
}
