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
    Json,
    extract::State,
    response::{IntoResponse, Response},
};
use http::header;
use oriel_model::{
    icon::{BuiltIn, Icon},
    resource::Resource,
};
use schemars::{JsonSchema, json_schema};
use serde::{Deserialize, Serialize};

use super::{
    caller::{May, Modify, View},
    crud::{self, Api},
    input::{At, Png},
    respond::Created,
};
use crate::{
    Broker,
    app::{
        icon::Found,
        objects::{self, NewIcon},
    },
    http::ApiError,
};

#[derive(Deserialize, JsonSchema)]
struct IconPath {
    /// The icon's id (64 hexadecimal digits), or the name of a built-in one.
    id: String,
}

/// An icon of the built-in set.
#[derive(Serialize, JsonSchema)]
struct BuiltInView {
    /// Its name.
    name: &'static str,
    /// What it is for.
    about: &'static str,
    /// How a resource says that it has it: for `icon` of its spec.
    icon: Icon,
}

/// The built-in icons.
#[derive(Serialize, JsonSchema)]
struct BuiltIns {
    /// By name.
    items: Vec<BuiltInView>,
}

async fn list(_: May<View<Resource>>) -> Json<BuiltIns> {
    let view = |icon: BuiltIn| BuiltInView { name: icon.name(), about: icon.about(), icon: icon.icon() };
    Json(BuiltIns { items: BuiltIn::all().map(view).collect() })
}

async fn create(
    State(broker): State<Arc<Broker>>,
    _: May<Modify<Resource>>,
    Png(png): Png,
) -> Result<Created<NewIcon>, ApiError> {
    Ok(Created(objects::create_icon(&broker, png).await?))
}

async fn show(
    State(broker): State<Arc<Broker>>,
    _: May<View<Resource>>,
    At(path): At<IconPath>,
) -> Result<Picture, ApiError> {
    let found = broker.icons.find(&*broker.store, &path.id).await?;
    found.map(Picture).ok_or_else(|| ApiError::not_found("There is no such icon."))
}

/// The PNG of an icon.
struct Picture(Found);

impl IntoResponse for Picture {
    fn into_response(self) -> Response {
        let headers = [
            (header::CONTENT_TYPE, "image/png".to_owned()),
            (header::CACHE_CONTROL, format!("private, {}", self.0.caching())),
            (header::X_CONTENT_TYPE_OPTIONS, "nosniff".to_owned()),
        ];
        (headers, self.0.png).into_response()
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
    ApiRouter::new()
        .api_route(
            "/icons",
            create.get_with(list, |operation| {
                crud::described(
                    operation,
                    "list_icons",
                    "icons",
                    "Lists the icons that every farm has, by name.",
                )
            }),
        )
        .api_route("/icons/{id}", show)
}
