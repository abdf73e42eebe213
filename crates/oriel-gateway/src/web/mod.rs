//! What the gateway answers over HTTPS: the portal's pages ([`oriel_net::pages`]), the portal's API ([`portal`]),
//! whether it is ready, and the way into a session ([`crate::rdp`]). Every answer carries the same
//! strict headers ([`headers`]).

pub(crate) mod headers;
pub(crate) mod portal;
pub(crate) mod redirect;

use std::{path::Path, sync::Arc};

use axum::{
    Router,
    extract::State,
    middleware::map_response_with_state,
    response::{IntoResponse, Response},
    routing::{any, get},
};
use http::{HeaderValue, StatusCode, header};
use oriel_net::pages;
use oriel_wire::portal::PATH_PREFIX;

use crate::{rdp, shared::Shared};

/// Everything that the HTTPS port answers.
pub(crate) fn router(shared: &Arc<Shared>, web_root: &Path) -> Router {
    Router::new()
        .route("/healthz", get(health))
        .route("/rdp", any(rdp::open))
        .route(&format!("{PATH_PREFIX}/{{*path}}"), any(portal::pass_on))
        .route("/api/{*path}", any(portal::unknown))
        .with_state(shared.clone())
        .fallback_service(pages::router(web_root))
        .layer(map_response_with_state(shared.clone(), headers::add))
}

/// For load balancers: 200 when a user who comes now can be served.
async fn health(State(shared): State<Arc<Shared>>) -> Response {
    let (status, text) = match shared.readiness() {
        Ok(()) => (StatusCode::OK, "ready\n".to_owned()),
        Err(obstacle) => (StatusCode::SERVICE_UNAVAILABLE, format!("{obstacle}\n")),
    };
    let mut response = (status, text).into_response();
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
