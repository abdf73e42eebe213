//! Icons of published resources.

use std::sync::Arc;

use aide::axum::{
    ApiRouter,
    routing::{get_with, post_with},
};
use axum::{
    extract::{Path, State},
    response::{IntoResponse, Response},
};
use http::header;
use oriel_model::{icon::IconId, resource::Resource};
use schemars::JsonSchema;
use serde::Deserialize;

use super::{
    caller::{Change, May, View},
    crud::{self, Api},
    input::Png,
    respond::Created,
};
use crate::{
    Broker,
    app::objects::{self, NewIcon},
    http::ApiError,
};

#[derive(Deserialize, JsonSchema)]
struct IconPath {
    /// The icon's id: 64 hexadecimal digits.
    id: String,
}

async fn create(
    State(broker): State<Arc<Broker>>,
    _: May<Change<Resource>>,
    Png(png): Png,
) -> Result<Created<NewIcon>, ApiError> {
    Ok(Created(objects::create_icon(&broker, png).await?))
}

async fn show(
    State(broker): State<Arc<Broker>>,
    _: May<View<Resource>>,
    Path(path): Path<IconPath>,
) -> Result<Response, ApiError> {
    let id = IconId(path.id);
    let found = if id.is_well_formed() { broker.icons.get(&*broker.store, &id).await? } else { None };
    let png = found.ok_or_else(|| ApiError::not_found("There is no such icon."))?;
    // Named by its content, so it never changes.
    let headers = [
        (header::CONTENT_TYPE, "image/png"),
        (header::CACHE_CONTROL, "private, max-age=31536000, immutable"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    Ok((headers, png).into_response())
}

pub fn routes() -> Api {
    let create = post_with(create, |operation| {
        crud::described(
            operation,
            "create_icon",
            "icons",
            "Takes a PNG, scales it to at most 256 pixels and keeps it.",
        )
    });
    let show = get_with(show, |operation| {
        crud::described(operation, "show_icon", "icons", "The PNG of an icon.")
            .response_with::<200, (), _>(|response| response.description("The PNG."))
    });
    ApiRouter::new().api_route("/icons", create).api_route("/icons/{id}", show)
}
