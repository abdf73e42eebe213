//! What is particular to session hosts: their logon mode, and the programs installed on them.

use std::sync::Arc;

use aide::axum::{
    ApiRouter,
    routing::{get_with, post_with},
};
use axum::{Json, extract::State, response::NoContent};
use http::StatusCode;
use oriel_model::host::{Host, LogonMode};
use oriel_wire::v1::PowerAction;
use schemars::JsonSchema;
use serde::Deserialize;

use super::{
    caller::{Control, May, View},
    crud::{self, Api},
    input::{Asked, IdOf, Sent},
    respond::Tagged,
};
use crate::{
    Broker,
    app::{
        host::SwitchError,
        objects::{self, InstalledApps},
    },
    http::{ApiError, problem::sentence},
};

/// Whether the host shall take logons.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct NewLogonMode {
    /// The mode.
    logon_mode: LogonMode,
}

/// What becomes of the sessions of a machine that is restarted or stopped.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
struct Switch {
    /// Those that run may end with it; without it, it is refused while any does.
    with_sessions: bool,
}

/// Which programs are wanted.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
struct AppsQuery {
    /// Languages of the names, most wanted first, separated by commas: `de,en`.
    language: Option<String>,
    /// Only the program with this id.
    app: Option<String>,
    /// Whether icons are wanted too; they make the answer large.
    icons: bool,
}

async fn set_logon_mode(
    State(broker): State<Arc<Broker>>,
    may: May<Control<Host>>,
    IdOf(id): IdOf<Host>,
    Sent(new): Sent<NewLogonMode>,
) -> Result<Tagged<objects::View<Host>>, ApiError> {
    Ok(Tagged(objects::set_logon_mode(&broker, may.by(), id, new.logon_mode).await?))
}

async fn restart(
    State(broker): State<Arc<Broker>>,
    may: May<Control<Host>>,
    IdOf(id): IdOf<Host>,
    Sent(switch): Sent<Switch>,
) -> Result<NoContent, ApiError> {
    broker.switch_host(may.by(), id, PowerAction::Reboot, switch.with_sessions).await?;
    Ok(NoContent)
}

async fn stop(
    State(broker): State<Arc<Broker>>,
    may: May<Control<Host>>,
    IdOf(id): IdOf<Host>,
    Sent(switch): Sent<Switch>,
) -> Result<NoContent, ApiError> {
    broker.switch_host(may.by(), id, PowerAction::Stop, switch.with_sessions).await?;
    Ok(NoContent)
}

impl From<SwitchError> for ApiError {
    fn from(error: SwitchError) -> Self {
        let message = sentence(&error);
        match error {
            SwitchError::Object(error) => error.into(),
            SwitchError::InUse { .. } => ApiError::new(StatusCode::CONFLICT, "in_use", message)
                .advice("Drain the host and wait until it is empty, or say \"with_sessions\"."),
            SwitchError::Host(error) => error.into(),
        }
    }
}

async fn apps(
    State(broker): State<Arc<Broker>>,
    may: May<View<Host>>,
    IdOf(id): IdOf<Host>,
    Asked(query): Asked<AppsQuery>,
) -> Result<Json<InstalledApps>, ApiError> {
    objects::get::<Host>(&broker, may.rights(), id)?;
    let languages =
        query.language.iter().flat_map(|list| list.split(',')).map(|l| l.trim().to_owned()).collect();
    Ok(Json(objects::apps(&broker, may.name(), id, languages, query.app.as_deref(), query.icons).await?))
}

pub fn routes() -> Api {
    let mode = post_with(set_logon_mode, |operation| {
        crud::described(
            operation,
            "set_host_logon_mode",
            "hosts",
            "Sets whether a host takes logons. Sessions that run are not touched.",
        )
    });
    let apps = get_with(apps, |operation| {
        let operation =
            crud::described(operation, "list_host_apps", "hosts", "Lists the programs installed on a host.");
        crud::refusing(operation, &[409, 504])
    });
    let restart = post_with(restart, |operation| {
        let summary = "Restarts a host's machine at once.";
        crud::refusing(crud::described(operation, "restart_host", "hosts", summary), &[409, 504])
    });
    let stop = post_with(stop, |operation| {
        let summary =
            "Stops a host's machine at once; a schedule, or somebody who is there, starts it again.";
        crud::refusing(crud::described(operation, "stop_host", "hosts", summary), &[409, 504])
    });
    ApiRouter::new()
        .api_route("/hosts/{id}/logon-mode", mode)
        .api_route("/hosts/{id}/restart", restart)
        .api_route("/hosts/{id}/stop", stop)
        .api_route("/hosts/{id}/apps", apps)
}
