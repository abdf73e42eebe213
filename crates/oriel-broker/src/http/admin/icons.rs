//! Icons of published resources.

use std::sync::Arc;

use aide::{
    OperationOutput,
    axum::{
        ApiRouter,
        routing::{get_with, post_with},
    },
    generate::GenContext,
    openapi::{self, MediaType, SchemaObject},
};
use axum::{
    body::Bytes,
    extract::State,
    response::{IntoResponse, Response},
};
use http::header;
use oriel_model::{icon::IconId, resource::Resource};
use schemars::{JsonSchema, json_schema};
use serde::Deserialize;

use super::{
    caller::{Change, May, View},
    crud::{self, Api},
    input::{At, Png},
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
    At(path): At<IconPath>,
) -> Result<Picture, ApiError> {
    let id = IconId(path.id);
    let found = if id.is_well_formed() { broker.icons.get(&*broker.store, &id).await? } else { None };
    let png = found.ok_or_else(|| ApiError::not_found("There is no such icon."))?;
    Ok(Picture(png))
}

/// The PNG of an icon.
struct Picture(Bytes);

impl IntoResponse for Picture {
    fn into_response(self) -> Response {
        // Named by its content, so it never changes.
        let headers = [
            (header::CONTENT_TYPE, "image/png"),
            (header::CACHE_CONTROL, "private, max-age=31536000, immutable"),
            (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        ];
        (headers, self.0).into_response()
    }
}

impl OperationOutput for Picture {
    type Inner = Self;

    fn inferred_responses(
        _: &mut GenContext,
        _: &mut openapi::Operation,
    ) -> Vec<(Option<u16>, openapi::Response)> {
        let json_schema = json_schema!({ "type": "string", "format": "binary" });
        let schema = SchemaObject { json_schema, example: None, external_docs: None };
        let content = MediaType { schema: Some(schema), ..MediaType::default() };
        let response = openapi::Response {
            description: "The PNG.".into(),
            content: [("image/png".to_owned(), content)].into_iter().collect(),
            ..openapi::Response::default()
        };
        vec![(Some(200), response)]
    }
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
    let show =
        get_with(show, |operation| crud::described(operation, "show_icon", "icons", "The PNG of an icon."));
    ApiRouter::new().api_route("/icons", create).api_route("/icons/{id}", show)
}
