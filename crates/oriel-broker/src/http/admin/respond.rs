//! What handlers answer with.

use aide::{OperationOutput, generate::GenContext, openapi};
use axum::{
    Json,
    response::{IntoResponse, Response},
};
use http::{StatusCode, header};
use schemars::JsonSchema;
use serde::Serialize;

use crate::{
    app::objects::{ChangeError, IconError},
    http::{ApiError, problem::sentence},
};

/// 201 with what was made.
pub struct Created<T>(pub T);

impl<T: Serialize> IntoResponse for Created<T> {
    fn into_response(self) -> Response {
        // Answers may hold a secret that is shown once.
        (StatusCode::CREATED, [(header::CACHE_CONTROL, "no-store")], Json(self.0)).into_response()
    }
}

impl<T: JsonSchema> OperationOutput for Created<T> {
    type Inner = T;

    fn operation_response(
        context: &mut GenContext,
        operation: &mut openapi::Operation,
    ) -> Option<openapi::Response> {
        Json::<T>::operation_response(context, operation)
    }

    fn inferred_responses(
        context: &mut GenContext,
        operation: &mut openapi::Operation,
    ) -> Vec<(Option<u16>, openapi::Response)> {
        Self::operation_response(context, operation).map(|answer| (Some(201), answer)).into_iter().collect()
    }
}

impl From<ChangeError> for ApiError {
    fn from(error: ChangeError) -> Self {
        let message = sentence(&error);
        match error {
            ChangeError::NotFound(_) => ApiError::not_found(message),
            ChangeError::Invalid(mistakes) => ApiError::invalid(mistakes),
            ChangeError::InUse { .. } => {
                ApiError::new(StatusCode::CONFLICT, "in_use", message).advice("Remove it there first.")
            }
            ChangeError::Commit(error) => error.into(),
            ChangeError::Busy => {
                ApiError::new(StatusCode::SERVICE_UNAVAILABLE, "busy", message).retry_after(1)
            }
        }
    }
}

impl From<IconError> for ApiError {
    fn from(error: IconError) -> Self {
        match error {
            IconError::Picture(_) => {
                ApiError::new(StatusCode::UNPROCESSABLE_ENTITY, "bad_picture", sentence(&error))
                    .advice("Send a PNG of at most 2048 by 2048 pixels and 256 KiB.")
            }
            IconError::Store(error) => error.into(),
        }
    }
}
