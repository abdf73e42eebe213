//! What is particular to published resources: many of them moved at a time.

use std::sync::Arc;

use aide::axum::{ApiRouter, routing::post_with};
use axum::{Json, extract::State};
use oriel_model::resource::Resource;

use super::{
    caller::{May, Modify},
    crud::{self, Api},
    input::Sent,
};
use crate::{
    Broker,
    app::objects::{self, Moved, Moves},
    http::ApiError,
};

async fn move_many(
    State(broker): State<Arc<Broker>>,
    may: May<Modify<Resource>>,
    Sent(sent): Sent<Moves>,
) -> Result<Json<Moved>, ApiError> {
    Ok(Json(objects::move_resources(&broker, may.by(), sent.moves).await?))
}

pub fn routes() -> Api {
    let move_many = post_with(move_many, |operation| {
        let summary = "Moves resources to folders and places, all in one transaction or none of them.";
        let operation = crud::described(operation, "move_resources", "resources", summary);
        crud::refusing(operation, &[404, 412])
    });
    ApiRouter::new().api_route("/resources/move", move_many)
}
