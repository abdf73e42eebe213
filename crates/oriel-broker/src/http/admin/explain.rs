//! Decisions explained: what would be answered, and everything that goes into it.

use std::{net::IpAddr, sync::Arc};

use aide::axum::{ApiRouter, routing::post_with};
use axum::{
    Json,
    extract::State,
    response::{IntoResponse, Response},
};
use http::header::CONTENT_TYPE;
use oriel_model::{
    Id, Timestamp,
    gateway::Gateway,
    resource::Resource,
    rule::{ClientKind, ClientOs},
    site::Site,
    user::User,
};
use oriel_rules::rules::Facts;
use schemars::JsonSchema;
use serde::Deserialize;

use super::{
    caller::{May, Sessions, View},
    crud::{self, Api},
    input::Sent,
};
use crate::{
    Broker,
    app::{
        administrators::Rights,
        effective_access::EffectiveAccess,
        explain::{Asked, Explanation},
    },
    farm::FarmView,
    http::{ApiError, problem::sentence},
};

/// A launch to explain. What is left out of the device's facts counts as not known.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct LaunchToExplain {
    /// Whose launch.
    user: Id<User>,
    /// Of what.
    resource: Id<Resource>,
    /// The site they sign in to.
    #[serde(default)]
    site: Option<Id<Site>>,
    /// The gateway they come through.
    #[serde(default)]
    gateway: Option<Id<Gateway>>,
    /// The theme they sign in at.
    #[serde(default)]
    theme: Option<String>,
    /// Name of their device.
    #[serde(default)]
    client_name: Option<String>,
    /// Its operating system.
    #[serde(default)]
    client_os: Option<ClientOs>,
    /// Its client.
    #[serde(default)]
    client: Option<ClientKind>,
    /// The client's version.
    #[serde(default)]
    client_version: Option<String>,
    /// Its address.
    #[serde(default)]
    address: Option<IpAddr>,
    /// The hardware id that it reports.
    #[serde(default)]
    hardware_id: Option<String>,
    /// The device's time zone, as in `Europe/Berlin`.
    #[serde(default)]
    time_zone: Option<String>,
    /// The moment to explain for; absent: now. Hosts and sessions are those of now in any case.
    #[serde(default)]
    at: Option<Timestamp>,
}

async fn launch(
    State(broker): State<Arc<Broker>>,
    may: May<View<Sessions>>,
    Sent(launch): Sent<LaunchToExplain>,
) -> Result<Json<Explanation>, ApiError> {
    let (user, resource) = (launch.user, launch.resource);
    broker.meet_known(user).await;
    known(may.rights(), &broker.farm.load(), user)?;
    let explained = broker.explain_launch(user, resource, launch.asked());
    Ok(Json(explained.map_err(|error| ApiError::not_found(sentence(&error)))?))
}

/// What the access to one resource takes as JSON, in bytes, as a rule.
const RESOURCE_BYTES: usize = 256;

/// Whose access to explain.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct AccessToExplain {
    /// Whose.
    user: Id<User>,
    /// The device, and the way they come by. What is left out counts as not known.
    #[serde(default)]
    facts: Device,
    /// The moment to explain for; absent: that of the facts, else now.
    #[serde(default)]
    at: Option<Timestamp>,
}

/// A device, and the way its user comes by.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
struct Device {
    /// The site they sign in to; absent: that of the gateway, else this broker's.
    site: Option<Id<Site>>,
    /// The gateway they come through.
    gateway: Option<Id<Gateway>>,
    /// The theme they sign in at.
    theme: Option<String>,
    /// Name of their device.
    client_name: Option<String>,
    /// Its operating system.
    client_os: Option<ClientOs>,
    /// Its client.
    client_kind: Option<ClientKind>,
    /// The client's version.
    client_version: Option<String>,
    /// Its address.
    address: Option<IpAddr>,
    /// The hardware id that it reports.
    hardware_id: Option<String>,
    /// Its time zone, as in `Europe/Berlin`.
    time_zone: Option<String>,
    /// The moment to explain for; absent: now.
    at: Option<Timestamp>,
}

async fn access(
    State(broker): State<Arc<Broker>>,
    may: May<View<Sessions>>,
    Sent(AccessToExplain { user, facts, at }): Sent<AccessToExplain>,
) -> Result<Response, ApiError> {
    broker.meet_known(user).await;
    let view = broker.farm.load();
    known(may.rights(), &view, user)?;
    let explained = broker.effective_access(&view, user, facts.asked(at));
    let explained = explained.map_err(|error| ApiError::not_found(sentence(&error)))?;
    // Megabytes in a large farm: written once, into memory that is there.
    let mut json = Vec::with_capacity(1_024 + RESOURCE_BYTES * explained.resources.len());
    serde_json::to_writer(&mut json, &explained).map_err(ApiError::internal)?;
    Ok(([(CONTENT_TYPE, "application/json")], json).into_response())
}

/// Somebody whose sessions the caller may not see is not there.
fn known(rights: &Rights, view: &FarmView, user: Id<User>) -> Result<(), ApiError> {
    if rights.sees_sessions_of(view, user) {
        return Ok(());
    }
    Err(ApiError::not_found("There is no such user."))
}

impl Device {
    fn asked(self, at: Option<Timestamp>) -> Asked {
        let facts = Facts {
            user: None,
            groups: Vec::new(),
            site: self.site,
            gateway: self.gateway,
            theme: self.theme,
            client_name: self.client_name,
            client_os: self.client_os,
            client: self.client_kind,
            client_version: self.client_version,
            address: self.address,
            hardware_id: self.hardware_id,
        };
        Asked { facts, user_zone: self.time_zone, at: at.or(self.at) }
    }
}

impl LaunchToExplain {
    fn asked(self) -> Asked {
        let facts = Facts {
            user: Some(self.user),
            groups: Vec::new(),
            site: self.site,
            gateway: self.gateway,
            theme: self.theme,
            client_name: self.client_name,
            client_os: self.client_os,
            client: self.client,
            client_version: self.client_version,
            address: self.address,
            hardware_id: self.hardware_id,
        };
        Asked { facts, user_zone: self.time_zone, at: self.at }
    }
}

pub fn routes() -> Api {
    let launch = post_with(launch, |operation| {
        let summary = "Says how a launch would be answered, and why. Nothing is started.";
        crud::refusing(crud::described(operation, "explain_launch", "explain", summary), &[404])
    });
    let access = post_with(access, |operation| {
        let summary = "Says what a user sees and may do, with the rule that decides each.";
        let operation = operation.response::<200, Json<EffectiveAccess<'static>>>();
        crud::refusing(crud::described(operation, "explain_access", "explain", summary), &[404])
    });
    ApiRouter::new().api_route("/explain/launch", launch).api_route("/why/access", access)
}
