//! The hours in which the farm is open to whoever is signed in.

use std::sync::Arc;

use axum::{Json, extract::State};
use http::StatusCode;

use super::call::{Call, User};
use crate::{
    Broker,
    app::{
        hours::{ExtendError, Hours},
        welcome::NotWelcome,
    },
    http::{ApiError, problem::sentence},
};

pub async fn extend(
    State(broker): State<Arc<Broker>>,
    call: Call,
    User(signed_in): User,
) -> Result<Json<Option<Hours>>, ApiError> {
    Ok(Json(broker.extend_hours(&signed_in, &call.says()).await?))
}

impl From<ExtendError> for ApiError {
    fn from(error: ExtendError) -> Self {
        match error {
            ExtendError::NotAllowed => Self::new(StatusCode::CONFLICT, "not_extendable", sentence(&error))
                .advice("Save your work before they end, or ask the administrator."),
            ExtendError::Store => {
                Self::new(StatusCode::SERVICE_UNAVAILABLE, "store_unavailable", sentence(&error))
                    .retry_after(5)
            }
        }
    }
}

impl From<NotWelcome> for ApiError {
    fn from(refused: NotWelcome) -> Self {
        let message = sentence(&refused);
        match refused {
            NotWelcome::Client(_) => Self::new(StatusCode::FORBIDDEN, "client_not_allowed", message),
            NotWelcome::Hours { opens_at, begins_again, .. } => {
                Self::new(StatusCode::FORBIDDEN, "outside_hours", message)
                    .opens_at(opens_at)
                    .advice(begins_again)
            }
        }
    }
}
