//! Machines of session hosts: restarted and stopped at once, by administrators and by schedules.

use oriel_model::{Id, host::Host, permission::Action, session::SessionState};
use oriel_wire::v1::{PowerAction, PowerRequest, agent_request::Body};

use super::{
    administrators::Caller,
    audit::Event,
    objects::{self, ChangeError},
};
use crate::{Broker, hosts::HostError};

/// Why a machine was neither restarted nor stopped.
#[derive(Debug, thiserror::Error)]
pub enum SwitchError {
    /// There is no such host, or the caller may not.
    #[error(transparent)]
    Object(#[from] ChangeError),
    /// Sessions run on it, and nobody said that they may end with it.
    #[error("host \"{host}\" has sessions that would end with it: {sessions}")]
    InUse {
        /// The host's name.
        host: String,
        /// How many.
        sessions: usize,
    },
    /// The host did not do it.
    #[error(transparent)]
    Host(#[from] HostError),
}

impl Broker {
    /// Restarts or stops a host's machine at once, for an administrator. Its sessions end with it, so
    /// `with_sessions` must say that they may.
    pub async fn switch_host(
        &self,
        by: &Caller,
        id: Id<Host>,
        action: PowerAction,
        with_sessions: bool,
    ) -> Result<(), SwitchError> {
        let host = objects::permitted(self, &by.rights, Action::Control, id)?;
        let live = self.hosts.live(id).ok_or(HostError::NotConnected)?;
        let is_running = |state| state != SessionState::Ending;
        let sessions = live.sessions.iter().filter(|session| is_running(session.state)).count();
        let sessions = sessions + live.promised;
        if sessions > 0 && !with_sessions {
            return Err(SwitchError::InUse { host: host.name.clone(), sessions });
        }
        let done = self.power(id, by.name(), action).await;
        let failed = done.as_ref().err().map(ToString::to_string);
        self.record(&Event::HostSwitched { host: id, action, by: &by.author, failed: failed.as_deref() });
        Ok(done?)
    }

    /// Has a host restart or stop its machine; `who` is the readable name of who wants it.
    pub(crate) async fn power(
        &self,
        host: Id<Host>,
        who: &str,
        action: PowerAction,
    ) -> Result<(), HostError> {
        match self.hosts.order(host, who, Body::Power(PowerRequest { action: action.into() })).await {
            // It goes down with its agent, which may not come to answer.
            Err(HostError::Lost) => Ok(()),
            outcome => outcome,
        }
    }
}
