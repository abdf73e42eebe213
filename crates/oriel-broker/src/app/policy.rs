//! Client policies: what holds for somebody's client, and what comes of it for a connection.

use jiff::SignedDuration;
use oriel_model::{
    Id,
    gateway::Gateway,
    keyboard::windows_layout,
    policy::{Clipboard, Direction, PolicySettings, Quality, Route},
    resource::Resource,
};
use oriel_rules::{
    policy::{self, Effective},
    rules::Facts,
};
use serde::Serialize;

use crate::farm::FarmView;

/// What is enforced for a client, as it is told.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ClientPolicy {
    /// The policy's name: shown beside what it locks.
    pub name: String,
    /// What it enforces; an absent group is left to the user.
    pub settings: PolicySettings,
}

impl ClientPolicy {
    /// As it is told; none where no policy holds.
    pub fn told(effective: Effective) -> Option<Self> {
        let Effective { policy, settings, .. } = effective;
        policy.map(|policy| Self { name: policy.name, settings })
    }
}

/// The policy that holds for a client, and what it enforces.
pub fn effective(view: &FarmView, facts: &Facts) -> Effective {
    policy::effective(&view.policy_order, facts)
}

/// What may be copied and pasted.
pub fn clipboard(settings: &PolicySettings) -> Clipboard {
    settings.clipboard.clone().unwrap_or_default()
}

/// Which way files pass on drives, where there are any.
pub fn drives(settings: &PolicySettings) -> Direction {
    settings.drives.as_ref().map_or(Direction::Both, |drives| drives.direction)
}

/// What the host is told of the network.
pub fn quality(settings: &PolicySettings) -> Quality {
    settings.network.as_ref().map_or(Quality::Automatic, |network| network.quality)
}

/// The most that a connection may take from session to device, in kbit/s.
pub fn max_kbits(settings: &PolicySettings) -> Option<u32> {
    settings.network.as_ref()?.max_kbits
}

/// The keyboard layout that is enforced, as Windows numbers them.
pub fn keyboard_layout(settings: &PolicySettings) -> Option<u32> {
    windows_layout(settings.keyboard.as_ref()?.layout.as_ref()?)
}

/// How long one connection may last; none: as the sign-in says.
pub fn longest_connection(settings: &PolicySettings) -> Option<SignedDuration> {
    settings.connection.as_ref()?.max_minutes.map(|minutes| SignedDuration::from_mins(minutes.into()))
}

/// After how long without use somebody is signed out; none: as the farm says.
pub fn sign_out(settings: &PolicySettings) -> Option<u32> {
    settings.options.as_ref()?.sign_out_minutes
}

/// Whether users may log off and disconnect their sessions from the portal.
pub fn may_end_sessions(settings: &PolicySettings) -> bool {
    settings.options.as_ref().is_none_or(|options| options.session_list)
}

/// The addresses that a client tries first, in this order: those of the resource, then those that the
/// policy sends clients to, up to the gateway that the client came by: that is tried in the end anyway.
pub fn routes(
    view: &FarmView,
    resource: &Resource,
    settings: &PolicySettings,
    came_by: Option<Id<Gateway>>,
) -> Vec<String> {
    let of_policy = settings.redirection.iter().flat_map(|redirection| &redirection.routes);
    let mut addresses: Vec<String> = Vec::new();
    for route in resource.routes.iter().chain(of_policy) {
        let address = match route {
            Route::Address { address } => Some(address),
            Route::Gateway { gateway } if came_by == Some(*gateway) => break,
            Route::Gateway { gateway } => view
                .gateways
                .get(*gateway)
                .filter(|gateway| gateway.spec.enabled)
                .and_then(|gateway| gateway.spec.public_address.as_ref()),
        };
        if let Some(address) = address.filter(|address| !addresses.contains(address)) {
            addresses.push(address.clone());
        }
    }
    addresses
}
