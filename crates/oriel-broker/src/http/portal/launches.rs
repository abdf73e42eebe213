//! Opening a resource.

use std::sync::Arc;

use axum::{
    Json,
    extract::State,
    response::{IntoResponse, Response},
};
use http::StatusCode;
use oriel_model::{
    Id, Timestamp,
    resource::{DesktopSize, Resource},
    rule::{ClientKind, ClientOs},
    session::{ChannelPolicy, Connection, Session},
};
use oriel_rules::launch::Command;
use serde::{Deserialize, Serialize};

use super::call::{Call, Input, User};
use crate::{
    Broker,
    app::{
        client::{ClientSays, text},
        launch::{DeviceLaunch, LaunchError, LaunchRequest, Launched, OnThisDevice, What},
        policy::ClientPolicy,
    },
    http::{ApiError, problem::sentence},
};

/// Largest picture, in pixels to a side [MS-RDPEDISP] 2.2.2.2.1.
const SIDE_MAX: u32 = 8_192;

/// What is opened, and by what.
#[derive(Debug, Deserialize)]
pub struct Wanted {
    #[serde(default)]
    resource_id: Option<Id<Resource>>,
    #[serde(default)]
    session_id: Option<Id<Session>>,
    /// The device's time zone.
    #[serde(default)]
    time_zone: String,
    /// Whether another instance is wanted beside the one that runs.
    #[serde(default)]
    another: bool,
    #[serde(default)]
    client: Client,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Client {
    name: String,
    kind: Option<ClientKind>,
    width: u32,
    height: u32,
    keyboard_layout: u32,
    operating_system: Option<ClientOs>,
    version: String,
}

/// A launch that succeeded.
#[derive(Debug, Serialize)]
pub struct Launch {
    connection_id: Id<Connection>,
    session_id: Id<Session>,
    resource_id: Id<Resource>,
    resource_name: String,
    icon_url: Option<String>,
    host_name: String,
    reconnected: bool,
    ticket: String,
    ticket_expires_at: Timestamp,
    channels: ChannelPolicy,
    dynamic_resize: bool,
    policy: Option<ClientPolicy>,
    size: DesktopSize,
    routes: Vec<String>,
}

/// What opens on the user's own device.
#[derive(Debug, Serialize)]
pub struct Device {
    resource_id: Id<Resource>,
    resource_name: String,
    /// A page, for the user's own browser.
    #[serde(skip_serializing_if = "Option::is_none")]
    url: Option<String>,
    /// A program, for a client that is installed there.
    #[serde(skip_serializing_if = "Option::is_none")]
    program: Option<DeviceProgram>,
}

#[derive(Debug, Serialize)]
struct DeviceProgram {
    program: String,
    /// In the shell's quoting.
    arguments: String,
    start_in: String,
}

pub async fn launch(
    State(broker): State<Arc<Broker>>,
    call: Call,
    User(signed_in): User,
    Input(wanted): Input<Wanted>,
) -> Result<Response, ApiError> {
    let request = request(wanted, call.operating_system)?;
    let device = match request.what {
        What::Resource(resource) => broker.open_on_device(&signed_in, resource, &request.client).await?,
        What::Session(_) => None,
    };
    if let Some(device) = device {
        return Ok(Json(Device::from(device)).into_response());
    }
    let launched = broker.launch(&signed_in, request).await?;
    Ok((StatusCode::CREATED, Json(Launch::from(launched))).into_response())
}

fn request(wanted: Wanted, operating_system: Option<ClientOs>) -> Result<LaunchRequest, ApiError> {
    let what = match (wanted.resource_id, wanted.session_id) {
        (_, Some(session)) => What::Session(session),
        (Some(resource), None) => What::Resource(resource),
        (None, None) => {
            return Err(ApiError::bad_request("The request says neither what to open nor where to return."));
        }
    };
    let Client { name, kind, width, height, keyboard_layout, operating_system: said, version } =
        wanted.client;
    let client = ClientSays {
        name: text(&name),
        kind,
        time_zone: text(&wanted.time_zone),
        operating_system: said.or(operating_system),
        version: text(&version),
    };
    let (width, height) = (width.min(SIDE_MAX), height.min(SIDE_MAX));
    let another = wanted.another;
    Ok(LaunchRequest { what, client, width, height, keyboard_layout, another })
}

impl From<Launched> for Launch {
    fn from(launched: Launched) -> Self {
        Self {
            connection_id: launched.connection,
            session_id: launched.session,
            resource_id: launched.resource,
            resource_name: launched.resource_name,
            icon_url: launched.icon_url,
            host_name: launched.host_name,
            reconnected: launched.reconnected,
            ticket: launched.ticket,
            ticket_expires_at: launched.ticket_expires_at,
            channels: launched.channels,
            dynamic_resize: launched.dynamic_resize,
            policy: launched.policy,
            size: launched.size,
            routes: launched.routes,
        }
    }
}

impl From<DeviceLaunch> for Device {
    fn from(launch: DeviceLaunch) -> Self {
        let (url, program) = match launch.what {
            OnThisDevice::Page(url) => (Some(url), None),
            OnThisDevice::Program(command) => {
                let Command { program, arguments, start_in, .. } = command;
                (None, Some(DeviceProgram { program, arguments, start_in }))
            }
        };
        Self { resource_id: launch.resource, resource_name: launch.resource_name, url, program }
    }
}

impl From<LaunchError> for ApiError {
    fn from(error: LaunchError) -> Self {
        let unavailable =
            |code, error: &LaunchError| Self::new(StatusCode::SERVICE_UNAVAILABLE, code, sentence(error));
        match &error {
            LaunchError::NotFound => {
                Self::not_found(sentence(&error)).advice("Reload the page to see what you may open.")
            }
            LaunchError::InMaintenance(message) => {
                let message = match message.trim() {
                    "" => "It is in maintenance at the moment.",
                    message => message,
                };
                Self::new(StatusCode::CONFLICT, "in_maintenance", message).advice("Try again later.")
            }
            LaunchError::NotWelcome(refused) => refused.clone().into(),
            LaunchError::OtherSystem => {
                Self::new(StatusCode::CONFLICT, "not_for_this_client", sentence(&error))
            }
            LaunchError::OnDevice => Self::new(StatusCode::CONFLICT, "not_for_this_client", sentence(&error))
                .advice("Open it with the Oriel launcher on your device."),
            LaunchError::NoApplication(_) => unavailable("no_host", &error).advice("Tell the administrator."),
            LaunchError::LimitReached(_) => {
                Self::new(StatusCode::CONFLICT, "limit_reached", sentence(&error))
            }
            LaunchError::NoHost(_) => unavailable("no_host", &error)
                .advice("Try again later, or ask the administrator.")
                .retry_after(30),
            LaunchError::HostRefused(_) => unavailable("host_refused", &error)
                .advice("Try again; if it happens again, tell the administrator."),
            LaunchError::SessionGone => session_gone(),
            LaunchError::SessionEnding => unavailable("session_ending", &error)
                .advice("Try again in a moment; its programs get a few seconds to end.")
                .retry_after(1),
            LaunchError::Starting => farm_starting(&error),
            LaunchError::TooMany(too_many) => (*too_many).into(),
            LaunchError::Internal(_) => Self::internal(error),
        }
    }
}

/// 503: ask again in a moment.
pub fn farm_starting(error: &dyn std::error::Error) -> ApiError {
    ApiError::new(StatusCode::SERVICE_UNAVAILABLE, "farm_starting", sentence(error))
        .advice("Try again in a few seconds.")
        .retry_after(2)
}

/// 404: the session does not run any more.
pub fn session_gone() -> ApiError {
    ApiError::new(StatusCode::NOT_FOUND, "session_gone", "The session does not run any more.")
        .advice("Open the program again to start a new one.")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::throttle::TooMany;

    #[test]
    fn every_refusal_has_a_code_that_is_explained() {
        let said = String::new;
        for error in [
            LaunchError::NotFound,
            LaunchError::InMaintenance(said()),
            LaunchError::OnDevice,
            LaunchError::OtherSystem,
            LaunchError::NoApplication(said()),
            LaunchError::LimitReached(said()),
            LaunchError::NoHost(said()),
            LaunchError::HostRefused(said()),
            LaunchError::SessionGone,
            LaunchError::SessionEnding,
            LaunchError::Starting,
            LaunchError::TooMany(TooMany { retry_after_secs: 1 }),
            LaunchError::Internal("a test"),
        ] {
            // Making one asserts that its code is listed with its status.
            let _ = ApiError::from(error);
        }
    }
}
