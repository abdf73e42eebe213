//! A user's own sessions, and how connections to them ended.

use std::{sync::Arc, time::Duration};

use axum::{
    Json,
    extract::{Path, Query, State},
};
use http::StatusCode;
use oriel_model::{
    Id, Timestamp,
    resource::Resource,
    session::{Connection, EndReason, Session, SessionState},
};
use serde::{Deserialize, Serialize};

use super::{
    call::{Call, User},
    launches::{farm_starting, session_gone},
};
use crate::{
    Broker,
    app::{
        policy,
        resource::icon_url,
        session::{Actor, SessionError},
        sign_in::SignedIn,
    },
    connections::{Known, sentence},
    farm::FarmView,
    hosts::HostSession,
    http::ApiError,
};

/// Longest wait for the end of a connection, in seconds: shorter than proxies' patience.
const WAIT_MAX_SECS: u64 = 20;

/// The user's sessions.
#[derive(Debug, Serialize)]
pub struct Sessions {
    sessions: Vec<SessionView>,
}

#[derive(Debug, Serialize)]
struct SessionView {
    id: Id<Session>,
    resource_id: Option<Id<Resource>>,
    resource_name: String,
    icon_url: Option<String>,
    host_name: String,
    state: SessionState,
    started_at: Timestamp,
    idle_secs: u64,
    programs: Vec<String>,
    shared: bool,
    desktop: bool,
}

/// How long to wait.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Wait {
    wait: u64,
}

/// How a connection ended.
#[derive(Debug, Serialize)]
pub struct ConnectionEnd {
    ended: bool,
    reason: Option<EndReason>,
    message: String,
    session_running: bool,
}

pub async fn list(State(broker): State<Arc<Broker>>, User(signed_in): User) -> Json<Sessions> {
    let view = broker.farm.load();
    let sessions =
        broker.sessions_of(&signed_in.user).into_iter().map(|session| show(&view, session)).collect();
    Json(Sessions { sessions })
}

fn show(view: &FarmView, session: HostSession) -> SessionView {
    let resource = session.resource.and_then(|id| view.resources.get(id));
    SessionView {
        id: session.id,
        resource_id: session.resource,
        resource_name: resource.map_or(session.resource_name, |resource| resource.name.clone()),
        icon_url: resource.and_then(|resource| resource.spec.icon.as_ref()).and_then(icon_url),
        host_name: view.hosts.get(session.host).map(|host| host.name.clone()).unwrap_or_default(),
        state: session.state,
        started_at: session.started_at,
        idle_secs: session.idle_secs,
        programs: session.programs,
        shared: session.shared,
        desktop: session.desktop,
    }
}

pub async fn log_off(
    State(broker): State<Arc<Broker>>,
    call: Call,
    User(signed_in): User,
    Path(session): Path<String>,
) -> Result<StatusCode, ApiError> {
    let session = own(&broker, &signed_in, &call, &session)?;
    broker.log_off_session(session, Actor::Owner(&signed_in)).await?;
    Ok(StatusCode::NO_CONTENT)
}

pub async fn disconnect(
    State(broker): State<Arc<Broker>>,
    call: Call,
    User(signed_in): User,
    Path(session): Path<String>,
) -> Result<StatusCode, ApiError> {
    let session = own(&broker, &signed_in, &call, &session)?;
    broker.disconnect_session(session, Actor::Owner(&signed_in)).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The session, if it runs and is the user's, who may end sessions from the portal.
fn own(broker: &Broker, signed_in: &SignedIn, call: &Call, session: &str) -> Result<Id<Session>, ApiError> {
    let policy = policy::effective(&broker.farm.load(), &signed_in.facts(&call.says()));
    if !policy::may_end_sessions(&policy.settings) {
        let message = "Your organisation does not let sessions be ended from the portal.";
        return Err(
            ApiError::new(StatusCode::FORBIDDEN, "forbidden", message).advice("Log off within the session.")
        );
    }
    let session = session.parse().map_err(|_| session_gone())?;
    Ok(broker.session_of(&signed_in.user, session)?.id)
}

pub async fn end(
    State(broker): State<Arc<Broker>>,
    User(signed_in): User,
    Path(connection): Path<String>,
    Query(wait): Query<Wait>,
) -> Result<Json<ConnectionEnd>, ApiError> {
    let user = &signed_in.user;
    let unknown = || ApiError::not_found("Nothing is known of this connection.");
    let connection: Id<Connection> = connection.parse().map_err(|_| unknown())?;
    let patience = Duration::from_secs(wait.wait.min(WAIT_MAX_SECS));
    match broker.connections.wait(connection, user.id, patience).await {
        Known::Unknown => Err(unknown()),
        Known::Open => Ok(Json(ConnectionEnd {
            ended: false,
            reason: None,
            message: "The connection stands.".to_owned(),
            session_running: true,
        })),
        Known::Ended(end, session) => {
            // In doubt it runs: returning to it tells.
            let runs = |session| !matches!(broker.session_of(user, session), Err(SessionError::Gone));
            let session_running = !end.reason.ends_session() && session.is_some_and(runs);
            let message = sentence(&end);
            Ok(Json(ConnectionEnd { ended: true, reason: Some(end.reason), message, session_running }))
        }
    }
}

impl From<SessionError> for ApiError {
    fn from(error: SessionError) -> Self {
        match error {
            SessionError::Gone => session_gone(),
            SessionError::Starting => farm_starting(&error),
            SessionError::Host(error) => error.into(),
        }
    }
}
