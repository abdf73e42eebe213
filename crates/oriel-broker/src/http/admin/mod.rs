//! The administrators' REST API under `/api/v1`.

use std::sync::Arc;

use axum::Router;

use crate::Broker;

/// The routes of the management listener.
pub fn router(broker: Arc<Broker>) -> Router {
    Router::new().with_state(broker)
}
