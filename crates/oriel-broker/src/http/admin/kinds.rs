//! The kinds of settings objects that have the common routes and no others.

use aide::axum::ApiRouter;
use oriel_model::{
    broker::Broker, gateway::Gateway, group::Group, host::Host, invitation::Invitation, pool::Pool,
    resource::Resource, site::Site, token::Token, user::User,
};

use super::crud::{Api, Routed, changed, created, deleted, viewed};

macro_rules! paths {
    ($($spec:ty => $path:literal),* $(,)?) => {
        $(impl Routed for $spec {
            const PATH: &'static str = $path;
        })*
    };
}

paths! {
    Site => "sites",
    Broker => "brokers",
    Gateway => "gateways",
    Pool => "pools",
    Host => "hosts",
    Group => "groups",
    User => "users",
    Resource => "resources",
    Token => "tokens",
    Invitation => "invitations",
}

pub fn routes() -> Api {
    ApiRouter::new()
        .merge(all_of_them::<Site>())
        .merge(all_of_them::<Pool>())
        .merge(all_of_them::<Group>())
        .merge(all_of_them::<Resource>())
        // Brokers and gateways come by starting and joining.
        .merge(viewed::<Broker>())
        .merge(viewed::<Gateway>().merge(changed::<Gateway>()).merge(deleted::<Gateway>()))
}

fn all_of_them<S: Routed>() -> Api {
    viewed::<S>().merge(created::<S>()).merge(changed::<S>()).merge(deleted::<S>())
}
