//! The portal's API: what users' browsers ask, passed on by gateways under mutual TLS.
//!
//! Only gateways are served; the client's address is the one that the gateway says. Deliberately
//! absent: pages and files (the gateway serves them), and the RDP connection itself.

mod call;
mod cookie;
mod hours;
mod launches;
mod resources;
mod sessions;
mod sign_in;

use std::sync::Arc;

use axum::{
    Router,
    extract::DefaultBodyLimit,
    middleware,
    routing::{get, post, put},
};
use oriel_wire::portal::{PATH_PREFIX, REQUEST_BYTES_MAX};

use crate::{Broker, http::ApiError};

/// The routes of the portal's API.
pub fn router(broker: Arc<Broker>) -> Router {
    let routes = Router::new()
        .route("/sign-in", get(sign_in::who).post(sign_in::sign_in))
        .route("/sign-out", post(sign_in::sign_out))
        .route("/me", get(sign_in::me))
        .route("/resources", get(resources::list))
        .route("/icons/{file}", get(resources::icon))
        .route("/favourites/{resource}", put(resources::add_favourite).delete(resources::remove_favourite))
        .route("/launches", post(launches::launch))
        .route("/hours/extend", post(hours::extend))
        .route("/sessions", get(sessions::list))
        .route("/sessions/{session}/log-off", post(sessions::log_off))
        .route("/sessions/{session}/disconnect", post(sessions::disconnect))
        .route("/connections/{connection}/end", get(sessions::end))
        .fallback(nothing_here)
        .method_not_allowed_fallback(not_so)
        .layer(middleware::from_fn_with_state(broker.clone(), call::admit))
        .layer(DefaultBodyLimit::max(REQUEST_BYTES_MAX))
        .with_state(broker);
    Router::new().nest(PATH_PREFIX, routes)
}

async fn nothing_here() -> ApiError {
    ApiError::not_found("There is nothing at this address.")
}

async fn not_so() -> ApiError {
    ApiError::new(
        http::StatusCode::METHOD_NOT_ALLOWED,
        "bad_request",
        "This address does not take such a request.",
    )
}
