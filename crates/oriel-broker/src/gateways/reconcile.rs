//! Keeps gateways and settings in step: tells each its settings and ticket keys, ends the streams of
//! gateways that were deleted, withdraws the connections of users who may no longer have any, and forgets the
//! logons to sessions that are gone.

use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
    time::Duration,
};

use oriel_model::{Id, Kind, broker, gateway::Gateway, policy::Route, session::EndReason};
use oriel_net::supervise::ShutdownSignal;
use oriel_rules::access::{Access, Hidden};
use oriel_wire::v1::GatewaySettings;

use super::LiveConnection;
use crate::{Broker, farm::FarmView, hosts::HostSession};

/// How often it looks without being nudged.
const INTERVAL: Duration = Duration::from_secs(5);

/// What gateways are told of, and what decides who may have a connection.
const MATTERS: &[Kind] = &[
    Kind::Gateway,
    Kind::Broker,
    Kind::Site,
    Kind::User,
    Kind::Group,
    Kind::Directory,
    Kind::Policy,
    Kind::Resource,
];

/// Runs until the signal.
pub async fn run(broker: Arc<Broker>, signal: ShutdownSignal) {
    let mut changes = broker.farm.changes(MATTERS);
    let mut keys = broker.ticket_keys.changed();
    loop {
        reconcile(&broker);
        tokio::select! {
            () = signal.given() => return,
            () = changes.next() => {}
            Ok(()) = keys.changed() => {}
            () = tokio::time::sleep(INTERVAL) => {}
        }
    }
}

/// What a gateway is told; none: there is no such gateway.
pub(crate) fn settings(broker: &Broker, view: &FarmView, gateway: Id<Gateway>) -> Option<GatewaySettings> {
    let object = view.gateways.get(gateway)?;
    Some(GatewaySettings {
        ticket_keys: broker.ticket_keys.for_gateways(),
        enabled: object.spec.enabled,
        public_address: object.spec.public_address.clone().unwrap_or_default(),
        farm_addresses: farm_addresses(view),
    })
}

/// Where users may be sent to: the gateways that take connections, and what routes name besides.
fn farm_addresses(view: &FarmView) -> Vec<String> {
    let gateways = view.gateways.iter().filter(|gateway| gateway.spec.enabled);
    let gateways = gateways.filter_map(|gateway| gateway.spec.public_address.as_ref());
    let of_policies = view.policies.iter().filter_map(|policy| policy.spec.settings.redirection.as_ref());
    let routes = of_policies.flat_map(|redirection| &redirection.routes);
    let routes = routes.chain(view.listing.routed().flat_map(|resource| &resource.spec.routes));
    let named = routes.filter_map(|route| match route {
        Route::Address { address } => Some(address),
        Route::Gateway { .. } => None,
    });
    let addresses: BTreeSet<&String> = gateways.chain(named).collect();
    addresses.into_iter().cloned().collect()
}

fn reconcile(broker: &Broker) {
    let view = broker.farm.load();
    for gateway in broker.gateways.all() {
        match settings(broker, &view, gateway.id) {
            Some(settings) => broker.gateways.tell(gateway.id, Arc::new(settings)),
            None => {
                tracing::info!(gateway.id = %gateway.id, "the gateway was removed from the farm; its connection is closed");
                broker.gateways.forget(gateway.id);
            }
        }
    }
    withdraw_lost_rights(broker, &view);
    let sessions = broker.hosts.sessions().into_iter().map(|session| session.id).collect();
    broker.logons.keep_only(&sessions);
}

/// A right holds for the life of a connection, not only at its launch.
fn withdraw_lost_rights(broker: &Broker, view: &FarmView) {
    let connections = broker.gateways.connections();
    if connections.is_empty() {
        return;
    }
    // What another host claims of a session without a proof says nothing about it.
    let sessions = broker.hosts.sessions().into_iter().filter(|session| session.user.is_some());
    let sessions: HashMap<_, _> = sessions.map(|session| (session.id, session)).collect();
    for connection in connections {
        let Some(detail) = lost_right(view, broker.broker_id, &connection, sessions.get(&connection.session))
        else {
            continue;
        };
        tracing::info!(
            target: "audit", event = "right_withdrawn", user.id = %connection.user,
            session.id = %connection.session, connection.id = %connection.id, why = detail
        );
        let (session, id) = (connection.session, Some(connection.id));
        broker.gateways.withdraw(session, id, EndReason::RightWithdrawn, detail);
    }
}

/// Why a connection may no longer be; none: it may. A resource that is disabled or in maintenance lets
/// what runs be finished; rules that exclude the user do not.
fn lost_right(
    view: &FarmView,
    broker: Id<broker::Broker>,
    connection: &LiveConnection,
    session: Option<&HostSession>,
) -> Option<&'static str> {
    if view.is_unheard_of(connection.user) {
        return None;
    }
    let user = view.person(connection.user).filter(|user| user.spec.enabled);
    let Some(user) = user else { return Some("the account was disabled or deleted") };
    let session = session?;
    let gateway = Some(connection.gateway);
    let facts = session.facts(&user, gateway, view.site_of(gateway, broker));
    match view.listing.access(session.resource?, &facts)?.1 {
        Access::Hidden { because: Hidden::Rule { .. } | Hidden::FolderRule { .. } } => {
            Some("it is no longer published for you")
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{gateways::Traffic, hosts::session_for_tests};
    use oriel_model::{SettingsObject, Timestamp};
    use oriel_wire::v1::ClientFacts;
    use serde_json::{Value, json};

    fn object(kind: Kind, id: Id<Value>, spec: Value) -> SettingsObject {
        let changed_at = Timestamp::UNIX_EPOCH;
        SettingsObject {
            kind,
            id,
            name: "x".into(),
            site: None,
            spec,
            revision: 1,
            changed_at,
            changed_by: "t".into(),
        }
    }

    #[test]
    fn rules_that_exclude_the_user_end_connections_and_a_disabled_resource_does_not() {
        let now = Timestamp::UNIX_EPOCH;
        let (user, resource) = (Id::generate(now), Id::generate(now));
        let connection = LiveConnection {
            id: Id::generate(now),
            session: Id::generate(now),
            user,
            client_address: String::new(),
            opened_at: now,
            gateway: Id::generate(now),
            traffic: Traffic::default(),
        };
        let session = HostSession {
            id: connection.session,
            user: Some(user),
            resource: Some(resource),
            client: ClientFacts {
                operating_system: "linux".into(),
                kind: "browser".into(),
                ..Default::default()
            },
            ..session_for_tests()
        };
        let check = |enabled: bool, resource_spec: Value| {
            let mut view = FarmView::default();
            view.put(&object(Kind::User, user.cast(), json!({"enabled": enabled})));
            view.put(&object(Kind::Resource, resource.cast(), resource_spec));
            view.reindex();
            lost_right(&view, Id::generate(now), &connection, Some(&session)).is_some()
        };
        let spec = |more: Value| {
            let mut spec = json!({"target": {"kind": "desktop"}});
            spec.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
            spec
        };
        let linux_only = json!({"rules": {"otherwise": "deny", "rules": [
            {"effect": "allow", "criteria": [{"type": "client_os", "objects": ["linux"]}]}]}});
        assert!(!check(true, spec(json!({}))));
        assert!(!check(true, spec(linux_only)));
        assert!(!check(true, spec(json!({"status": {"state": "disabled"}}))));
        assert!(check(true, spec(json!({"rules": {"rules": [], "otherwise": "deny"}}))));
        assert!(check(false, spec(json!({}))));
    }
}
