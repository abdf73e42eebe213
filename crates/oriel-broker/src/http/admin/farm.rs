//! The farm's own settings. There is one, so it is also found without its id.

use std::sync::Arc;

use aide::axum::{ApiRouter, routing::get_with};
use axum::extract::State;
use oriel_model::farm::Farm;

use super::{
    caller::{May, Modify, View},
    crud::{self, Api},
    input::{BasedOn, Sent},
    respond::Tagged,
};
use crate::{
    Broker,
    app::objects::{self, Changed},
    http::ApiError,
};

async fn show(
    State(broker): State<Arc<Broker>>,
    may: May<View<Farm>>,
) -> Result<Tagged<objects::View<Farm>>, ApiError> {
    Ok(Tagged(objects::get(&broker, may.rights(), broker.farm_id)?))
}

async fn change(
    State(broker): State<Arc<Broker>>,
    may: May<Modify<Farm>>,
    based_on: BasedOn,
    Sent(changed): Sent<Changed<Farm>>,
) -> Result<Tagged<objects::View<Farm>>, ApiError> {
    let revision = crud::revision(&broker, may.rights(), broker.farm_id, based_on.basis(changed.revision)?)?;
    Ok(Tagged(objects::change(&broker, may.by(), broker.farm_id, revision, changed).await?))
}

pub fn routes() -> Api {
    let route = get_with(show, |operation| {
        crud::described(operation, "show_own_farm", "farms", "Shows the farm's own settings.")
    })
    .put_with(change, |operation| {
        crud::described(operation, "change_own_farm", "farms", "Changes the farm's name or settings.")
    });
    ApiRouter::new().api_route("/farm", route)
}
