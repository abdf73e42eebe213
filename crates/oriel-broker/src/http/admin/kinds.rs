//! The kinds of settings objects that have the common routes and no others.

use aide::axum::ApiRouter;
use oriel_model::{
    broker::Broker, gateway::Gateway, group::Group, logon_hours::LogonHours, policy::Policy, pool::Pool,
    resource::Resource, schedule::Schedule, site::Site,
};

use super::crud::{Api, Routed, changed, created, deleted, viewed};

macro_rules! paths {
    ($($variant:ident, $spec:ty, $word:literal, $plural:ident, $area:ident, $about:literal;)*) => {
        $(impl Routed for $spec {
            const PATH: &'static str = stringify!($plural);
        })*
    };
}

oriel_model::every_kind!(paths);

pub fn routes() -> Api {
    ApiRouter::new()
        .merge(all_of_them::<Site>())
        .merge(all_of_them::<Pool>())
        .merge(all_of_them::<Group>())
        .merge(all_of_them::<Resource>())
        .merge(all_of_them::<Policy>())
        .merge(all_of_them::<LogonHours>())
        .merge(all_of_them::<Schedule>())
        // Brokers and gateways come by starting and joining.
        .merge(viewed::<Broker>())
        .merge(viewed::<Gateway>().merge(changed::<Gateway>()).merge(deleted::<Gateway>()))
}

fn all_of_them<S: Routed>() -> Api {
    viewed::<S>().merge(created::<S>()).merge(changed::<S>()).merge(deleted::<S>())
}
