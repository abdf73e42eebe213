//! Keeps gateways and settings in step: tells each its settings and ticket keys, ends the streams of
//! gateways that were deleted, and withdraws the connections of users who may no longer have any.

use std::{sync::Arc, time::Duration};

use oriel_model::{Id, gateway::Gateway, session::EndReason};
use oriel_net::supervise::ShutdownSignal;
use oriel_wire::v1::GatewaySettings;

use crate::{Broker, farm::FarmView};

/// How often it looks without being nudged.
const INTERVAL: Duration = Duration::from_secs(5);

/// Runs until the signal.
pub async fn run(broker: Arc<Broker>, signal: ShutdownSignal) {
    let mut changed = broker.farm.changed();
    let mut keys = broker.ticket_keys.changed();
    loop {
        reconcile(&broker);
        tokio::select! {
            () = signal.given() => return,
            Ok(()) = changed.changed() => {}
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
    })
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
    for connection in broker.gateways.connections() {
        if !view.users.get(connection.user).is_some_and(|user| user.spec.enabled) {
            tracing::info!(
                target: "audit", event = "right_withdrawn", user.id = %connection.user,
                session.id = %connection.session, connection.id = %connection.id
            );
            let detail = "the account was disabled or deleted";
            broker.gateways.withdraw(connection.session, Some(connection.id), EndReason::RightWithdrawn, detail);
        }
    }
}
