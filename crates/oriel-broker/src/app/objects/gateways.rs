//! Gateways as administrators see them: what is set, and what is known at run time.

use oriel_model::{Id, Object, Timestamp, gateway::Gateway};
use schemars::JsonSchema;
use serde::Serialize;

use super::{Managed, kinds::whole};
use crate::{Broker, certificates::CertificateState, farm::FarmView};

/// What is shown of a gateway beside what is set.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct GatewayFacts {
    /// What is known of it now.
    pub state: GatewayState,
}

/// What is known of a gateway now.
#[derive(Debug, Clone, Default, PartialEq, Serialize, JsonSchema)]
pub struct GatewayState {
    /// Whether it is connected to this broker.
    pub reachable: bool,
    /// Connections it carries.
    pub connections: usize,
    /// Whether it is being closed.
    pub draining: bool,
    /// Share of its CPUs in use, 0 to 1.
    pub cpu_load: Option<f32>,
    /// Version of its software.
    pub version: Option<String>,
    /// The machine's own name.
    pub machine_name: Option<String>,
    /// When it last gave a sign of life.
    pub last_report: Option<Timestamp>,
    /// The certificate that it shows to browsers and clients.
    pub certificate: Option<CertificateState>,
}

impl Managed for Gateway {
    whole!();

    type Beside = GatewayFacts;

    fn beside(broker: &Broker, _: &FarmView, object: &Object<Self>) -> GatewayFacts {
        GatewayFacts { state: state(broker, object.id) }
    }
}

fn state(broker: &Broker, id: Id<Gateway>) -> GatewayState {
    let Some(live) = broker.gateways.live(id) else { return GatewayState::default() };
    GatewayState {
        reachable: true,
        connections: live.connections,
        draining: live.draining,
        cpu_load: Some(live.cpu_load).filter(|load| load.is_finite()),
        version: Some(live.version),
        machine_name: Some(live.machine_name),
        last_report: Some(live.last_report),
        certificate: live.certificate.map(|certificate| certificate.at(broker.now())),
    }
}
