//! Gateways as administrators see them: what is set, and what is known at run time.

use oriel_model::{Id, Object, Timestamp, gateway::Gateway, rule::Matcher, site::Site};
use oriel_store::Author;
use schemars::JsonSchema;
use serde::Serialize;

use super::{ChangeError, Managed, deletion, references, turn};
use crate::{
    Broker,
    farm::{FarmView, Objects},
};

/// A gateway as it is shown.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct GatewayView {
    /// Its id.
    pub id: Id<Gateway>,
    /// Its name.
    pub name: String,
    /// The site it belongs to; none when it belongs to the farm.
    pub site: Option<Id<Site>>,
    /// What is set.
    pub spec: Gateway,
    /// One more with every change.
    pub revision: u64,
    /// When it was last changed.
    pub changed_at: Timestamp,
    /// Who changed it last.
    pub changed_by: String,
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
}

impl Managed for Gateway {
    type View = GatewayView;

    fn all(view: &FarmView) -> &Objects<Self> {
        &view.gateways
    }

    fn show(broker: &Broker, _: &FarmView, object: &Object<Self>) -> GatewayView {
        GatewayView {
            id: object.id,
            name: object.name.clone(),
            site: object.site,
            spec: object.spec.clone(),
            revision: object.revision,
            changed_at: object.changed_at,
            changed_by: object.changed_by.clone(),
            state: state(broker, object.id),
        }
    }

    fn used_by(view: &FarmView, id: Id<Self>) -> Vec<String> {
        references::resources_with(view, |m| matches!(m, Matcher::Gateway(ids) if ids.contains(&id)))
    }

    /// The gateway knows the ticket keys, so with it goes the one in use.
    async fn delete(broker: &Broker, author: Author, id: Id<Self>, revision: u64) -> Result<(), ChangeError> {
        let _turn = turn().await;
        let deletion = deletion(broker, author, id, revision)?;
        let keys = broker
            .ticket_keys
            .after_deletion(broker.now())
            .expect("the system's random numbers do not fail once it runs");
        broker.commit(keys.stored_by(deletion, broker.farm_id)).await?;
        broker.ticket_keys.replace(keys);
        tracing::info!(gateway.id = %id, "a gateway was deleted; there is a new ticket key");
        Ok(())
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
    }
}
