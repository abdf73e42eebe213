//! The farm's own settings. There is one, so it has no id in its path.

use std::sync::Arc;

use aide::axum::{ApiRouter, routing::get_with};
use axum::{Json, extract::State};
use oriel_model::{Object, farm::Farm};

use super::{
    caller::{Change, May, View},
    crud::{self, Api},
    input::{BasedOn, Sent},
};
use crate::{
    Broker,
    app::objects::{self, Changed},
    http::ApiError,
};

async fn show(State(broker): State<Arc<Broker>>, _: May<View<Farm>>) -> Result<Json<Object<Farm>>, ApiError> {
    Ok(Json(objects::get(&broker, broker.farm_id)?))
}

async fn change(
    State(broker): State<Arc<Broker>>,
    may: May<Change<Farm>>,
    based_on: BasedOn,
    Sent(changed): Sent<Changed<Farm>>,
) -> Result<Json<Object<Farm>>, ApiError> {
    let revision = based_on.revision(changed.revision)?;
    Ok(Json(objects::change(&broker, may.author(), broker.farm_id, revision, changed).await?))
}

pub fn routes() -> Api {
    let route = get_with(show, |operation| {
        crud::described(operation, "show_farm", "farm", "Shows the farm's own settings.")
    })
    .put_with(change, |operation| {
        crud::described(operation, "change_farm", "farm", "Changes the farm's name or settings.")
    });
    ApiRouter::new().api_route("/farm", route)
}
