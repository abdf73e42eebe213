//! Decisions explained: what would be answered, and everything that goes into it.

use std::{net::IpAddr, sync::Arc};

use aide::axum::{ApiRouter, routing::post_with};
use axum::{Json, extract::State};
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
    app::explain::{Asked, Explanation},
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
    _: May<View<Sessions>>,
    Sent(launch): Sent<LaunchToExplain>,
) -> Result<Json<Explanation>, ApiError> {
    let (user, resource) = (launch.user, launch.resource);
    let explained = broker.explain_launch(user, resource, launch.asked());
    Ok(Json(explained.map_err(|error| ApiError::not_found(sentence(&error)))?))
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
    ApiRouter::new().api_route("/explain/launch", launch)
}
