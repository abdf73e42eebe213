//! Sessions: what users and administrators do with those that run.

use oriel_model::{
    Id, Object,
    session::{EndReason, Session},
    user::User,
};
use oriel_store::{Author, Code, Via};
use oriel_wire::v1::{EndProcess, Process, SessionMessage, SessionRef, agent_reply, agent_request::Body};

use super::{audit::Event, sign_in::SignedIn};
use crate::{
    Broker,
    hosts::{HostError, HostSession},
};

/// Longest title of a message to a session, in characters.
pub const MESSAGE_TITLE_MAX: usize = 200;
/// Longest text of a message to a session, in characters.
pub const MESSAGE_TEXT_MAX: usize = 4_000;

/// Who acts on a session.
#[derive(Debug, Clone, Copy)]
pub enum Actor<'a> {
    /// The user whose session it is.
    Owner(&'a SignedIn),
    /// The broker itself, for a duty of this name.
    Broker(&'a str),
    /// An administrator, as the log names them.
    Administrator(&'a Author),
}

impl Actor<'_> {
    fn author(&self) -> Author {
        match self {
            Actor::Owner(owner) => Author {
                name: format!("user {}", owner.user.name),
                via: Via::Portal,
                address: Some(owner.address),
            },
            Actor::Broker(duty) => Author { name: format!("broker ({duty})"), ..Author::system() },
            Actor::Administrator(author) => (*author).clone(),
        }
    }

    /// What the user whose connection ends is told of who did it.
    fn detail(&self) -> String {
        match self {
            Actor::Owner(_) | Actor::Broker(_) => String::new(),
            Actor::Administrator(_) => "by an administrator".to_owned(),
        }
    }
}

/// Why something was not done to a session.
#[derive(Debug, thiserror::Error)]
pub enum SessionError {
    /// It does not run (any more), or is not the caller's.
    #[error("the session does not run any more")]
    Gone,
    /// It is not known here, but this broker has just started and has not heard from every host.
    #[error("the farm is starting: not all of its hosts have reported yet")]
    Starting,
    /// The host did not do it.
    #[error(transparent)]
    Host(#[from] HostError),
}

impl Broker {
    /// A user's sessions, oldest first.
    pub fn sessions_of(&self, user: &Object<User>) -> Vec<HostSession> {
        self.hosts.sessions_of(user.id)
    }

    /// One of a user's sessions; another user's looks like none.
    pub fn session_of(&self, user: &Object<User>, session: Id<Session>) -> Result<HostSession, SessionError> {
        self.sessions_of(user).into_iter().find(|own| own.id == session).ok_or_else(|| self.unknown_session())
    }

    /// Shows a message in a session.
    pub async fn message_session(
        &self,
        session: Id<Session>,
        by: Actor<'_>,
        title: &str,
        text: &str,
    ) -> Result<(), SessionError> {
        let session_id = session.to_string();
        let message = SessionMessage { session_id, title: title.to_owned(), text: text.to_owned() };
        self.act(session, by, Code::SessionMessaged, Body::Message(message), None).await
    }

    /// Disconnects a session from its client; it runs on.
    pub async fn disconnect_session(&self, session: Id<Session>, by: Actor<'_>) -> Result<(), SessionError> {
        let reason = match by {
            Actor::Owner(_) => EndReason::Disconnected,
            Actor::Administrator(_) | Actor::Broker(_) => EndReason::DisconnectedByRequest,
        };
        self.act(session, by, Code::SessionDisconnected, Body::Disconnect(reference(session)), Some(reason))
            .await
    }

    /// Ends a session in an orderly way.
    pub async fn log_off_session(&self, session: Id<Session>, by: Actor<'_>) -> Result<(), SessionError> {
        let reason = Some(EndReason::LoggedOffByRequest);
        self.act(session, by, Code::SessionLoggedOff, Body::LogOff(reference(session)), reason).await
    }

    /// Kills a session; what was not saved is lost.
    pub async fn reset_session(&self, session: Id<Session>, by: Actor<'_>) -> Result<(), SessionError> {
        self.act(session, by, Code::SessionReset, Body::Reset(reference(session)), Some(EndReason::Reset))
            .await
    }

    /// The processes of a session.
    pub async fn session_processes(
        &self,
        session: Id<Session>,
        by: Actor<'_>,
    ) -> Result<Vec<Process>, SessionError> {
        let found = self.hosts.session(session).ok_or_else(|| self.unknown_session())?;
        let request = Body::ListProcesses(reference(session));
        match self.hosts.request(found.host, &by.author().name, request).await.map_err(gone)? {
            agent_reply::Body::Processes(processes) => Ok(processes.processes),
            _ => Err(HostError::Confused("expected processes").into()),
        }
    }

    /// Ends one process of a session.
    pub async fn end_session_process(
        &self,
        session: Id<Session>,
        by: Actor<'_>,
        process_id: u32,
    ) -> Result<(), SessionError> {
        let request = EndProcess { session_id: session.to_string(), process_id };
        self.act(session, by, Code::SessionProcessEnded, Body::EndProcess(request), None).await
    }

    /// Why a session is not known here.
    pub fn unknown_session(&self) -> SessionError {
        if self.is_gathering() { SessionError::Starting } else { SessionError::Gone }
    }

    /// Asks the host, then ends the connections at the gateways, whatever the host said: the right to
    /// the connection is gone even when the host cannot be reached.
    async fn act(
        &self,
        session: Id<Session>,
        by: Actor<'_>,
        code: Code,
        request: Body,
        withdraw: Option<EndReason>,
    ) -> Result<(), SessionError> {
        let found = self.hosts.session(session).ok_or_else(|| self.unknown_session())?;
        let author = by.author();
        let done = self.hosts.order(found.host, &author.name, request).await;
        let failed = done.as_ref().err().map(ToString::to_string);
        self.record(&Event::SessionAction {
            code,
            session,
            host: found.host,
            user: found.user,
            user_name: &found.user_name,
            by: &author,
            failed: failed.as_deref(),
        });
        if let Some(reason) = withdraw {
            self.gateways.withdraw(session, None, reason, &by.detail());
        }
        done.map_err(gone)
    }
}

fn reference(session: Id<Session>) -> SessionRef {
    SessionRef { session_id: session.to_string() }
}

/// A host that does not know the session (any more) is no fault of the host.
fn gone(error: HostError) -> SessionError {
    match error {
        HostError::Refused { code: oriel_wire::v1::RefusalCode::UnknownSession, .. } => SessionError::Gone,
        error => SessionError::Host(error),
    }
}
