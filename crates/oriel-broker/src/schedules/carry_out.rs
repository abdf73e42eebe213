//! One step of a schedule, carried out. Doing one twice does no harm: who was told is told again, what is
//! over is over.

use std::sync::Arc;

use oriel_model::{
    Id,
    host::{Host, LogonMode},
    schedule::AtDisable,
    session::{Session, SessionState},
};
use oriel_rules::schedule::{Action, Step};
use oriel_store::Author;
use oriel_wire::v1::{PowerAction, Wake, agent_request::Body};

use crate::{
    Broker,
    app::{
        administrators::Caller,
        objects::set_logon_mode,
        session::{Actor, SessionError},
    },
    farm::FarmView,
    hosts::{HostError, HostSession},
};

/// Hosts that are asked to wake another: one that is in its network is enough, and which one that is nobody
/// knows.
const WAKERS_MAX: usize = 8;

/// Why a step was not carried out.
#[derive(Debug, thiserror::Error)]
pub(super) enum StepError {
    #[error(transparent)]
    Host(#[from] HostError),
    #[error("its logon mode could not be stored ({0})")]
    Store(String),
    #[error("its network address is not known: its agent has not connected yet")]
    NoAddress,
    #[error("no other host of its site is there to wake it")]
    NobodyNear,
}

impl StepError {
    /// Whether the host has been told, or will be no more ready to be told in a moment.
    pub(super) fn is_of_an_attempt(&self) -> bool {
        !matches!(self, StepError::Host(HostError::NotConnected | HostError::Busy))
    }
}

pub(super) async fn carry_out(broker: &Arc<Broker>, view: &FarmView, step: &Step) -> Result<(), StepError> {
    let host = step.host;
    let who = match view.schedules.get(step.schedule) {
        Some(schedule) => format!("schedule {}", schedule.name),
        None => "a schedule that was deleted".to_owned(),
    };
    let author = Author { name: who.clone(), ..Author::system() };
    let by = Actor::Administrator(&author);
    match &step.action {
        // Noting it is enough: what is noted holds the host back.
        Action::Drain | Action::Disable | Action::Release { .. } => {}
        Action::DisableLogons => {
            set_logon_mode(broker, &Caller::system(), host, LogonMode::Disabled)
                .await
                .map_err(|error| StepError::Store(error.to_string()))?;
        }
        Action::Message { text, .. } => {
            for session in sessions(broker, host).filter(|session| session.state == SessionState::Active) {
                told(broker.message_session(session.id, by, "Maintenance", text).await, session.id);
            }
        }
        Action::EndSessions { how } => {
            for session in sessions(broker, host) {
                let id = session.id;
                let ended = match how {
                    AtDisable::Keep => Ok(()),
                    AtDisable::Disconnect => broker.disconnect_session(id, by).await,
                    AtDisable::LogOff => broker.log_off_session(id, by).await,
                    AtDisable::Reset => broker.reset_session(id, by).await,
                };
                told(ended, id);
            }
        }
        Action::ForceLogOff => {
            for session in sessions(broker, host) {
                told(broker.log_off_session(session.id, by).await, session.id);
            }
        }
        Action::Reboot { .. } => broker.power(host, &who, PowerAction::Reboot).await?,
        Action::Stop { .. } => broker.power(host, &who, PowerAction::Stop).await?,
        Action::Start { .. } => wake(broker, view, host, &who).await?,
    }
    Ok(())
}

fn sessions(broker: &Broker, host: Id<Host>) -> impl Iterator<Item = HostSession> + use<> {
    let sessions = broker.hosts.live(host).map(|live| live.sessions.to_vec()).unwrap_or_default();
    sessions.into_iter().filter(|session| session.state != SessionState::Ending)
}

/// A session that is gone has ended; of another that does not, the deadline of the schedule takes care.
fn told(outcome: Result<(), SessionError>, session: Id<Session>) {
    if let Err(error) = outcome {
        tracing::info!(session.id = %session, %error, "a session did not do what a schedule wants");
    }
}

/// Has other hosts of its site send the packet that wakes it.
async fn wake(broker: &Broker, view: &FarmView, host: Id<Host>, who: &str) -> Result<(), StepError> {
    let mac_addresses = broker.schedules.addresses(host);
    if mac_addresses.is_empty() {
        return Err(StepError::NoAddress);
    }
    let site = view.site_of_host(host);
    let near = broker
        .hosts
        .all()
        .into_iter()
        .filter(|other| other.connected && other.id != host && view.site_of_host(other.id) == site);
    let mut last = StepError::NobodyNear;
    let mut called = false;
    for other in near.take(WAKERS_MAX) {
        let request = Body::Wake(Wake { mac_addresses: mac_addresses.clone() });
        match broker.hosts.order(other.id, who, request).await {
            Ok(()) => called = true,
            Err(error) => last = error.into(),
        }
    }
    if called { Ok(()) } else { Err(last) }
}
