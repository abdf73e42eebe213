//! The administrators' REST API under `/api/v1`, and its OpenAPI document.
//!
//! Every handler names its permission in its signature ([`caller::May`]); what it does is a use case
//! of [`crate::app`]. Deliberately absent: SQL, decisions, pages ([`super::pages`]).

mod attention;
mod audit;
mod caller;
mod changes;
mod colleagues;
mod conditional;
mod cookie;
mod crud;
mod directories;
mod documents;
mod events;
mod explain;
mod farm;
mod hosts;
mod icons;
mod idempotency;
mod input;
mod kinds;
mod load;
mod notifications;
mod openapi;
mod own_account;
mod resources;
mod respond;
mod roots;
mod schedules;
mod second_factor;
mod sessions;
mod sign_in;
mod status;
mod users;

use std::sync::Arc;

use aide::{axum::ApiRouter, openapi::OpenApi};
use axum::{
    Extension, Json, Router, extract::DefaultBodyLimit, http::header, middleware, response::IntoResponse,
    routing::get,
};

use crate::{Broker, http::ApiError};

/// Where the API lies.
pub const PATH_PREFIX: &str = "/api/v1";

/// Largest request body, in bytes: the largest spec that the store takes, and its name.
const BODY_MAX: usize = oriel_store::SPEC_BYTES_MAX + 16 * 1024;

/// The routes of the management listener.
pub fn router(broker: Arc<Broker>) -> Router {
    let (routes, document) = build();
    let document = Arc::new(document);
    let document =
        move || async move { ([(header::CACHE_CONTROL, "no-cache")], Json(document)).into_response() };
    let routes = routes
        .route("/openapi.json", get(document))
        .fallback(nothing_here)
        .method_not_allowed_fallback(not_so);
    let once = Arc::new(idempotency::Once::new(broker.clone()));
    let web_root = broker.config.web_root.clone();
    let api = Router::new()
        .nest(PATH_PREFIX, routes)
        .layer(Extension(Arc::new(events::Hub::default())))
        .layer(DefaultBodyLimit::max(BODY_MAX))
        .layer(middleware::from_fn_with_state(once, idempotency::only_once))
        .layer(middleware::from_fn(conditional::answer))
        .layer(middleware::from_fn_with_state(broker.clone(), cookie::renew))
        .with_state(broker);
    super::pages::beside(api, web_root.as_deref())
}

/// The OpenAPI document, as it is served and committed.
pub fn document() -> OpenApi {
    build().1
}

fn build() -> (Router<Arc<Broker>>, OpenApi) {
    openapi::begin();
    let mut document = openapi::empty();
    let routes = ApiRouter::new()
        .merge(kinds::routes())
        .merge(hosts::routes())
        .merge(resources::routes())
        .merge(schedules::routes())
        .merge(notifications::routes())
        .merge(users::routes())
        .merge(directories::routes())
        .merge(farm::routes())
        .merge(icons::routes())
        .merge(load::routes())
        .merge(sessions::routes())
        .merge(changes::routes())
        .merge(audit::routes())
        .merge(colleagues::routes())
        .merge(documents::routes())
        .merge(events::routes())
        .merge(explain::routes())
        .merge(sign_in::routes())
        .merge(roots::routes())
        .merge(second_factor::routes())
        .merge(own_account::routes())
        .merge(status::routes());
    let routes = routes.finish_api(&mut document);
    openapi::finish(&mut document);
    (routes, document)
}

async fn nothing_here() -> ApiError {
    ApiError::not_found("There is nothing at this address.")
        .advice("See /api/v1/openapi.json for what there is.")
}

async fn not_so() -> ApiError {
    let status = http::StatusCode::METHOD_NOT_ALLOWED;
    ApiError::new(status, "method_not_allowed", "This address exists, but not for this method.")
        .advice("See /api/v1/openapi.json for what there is.")
}

#[cfg(test)]
mod tests;
