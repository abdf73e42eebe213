//! What handlers answer with.

use std::marker::PhantomData;

use aide::{
    OperationOutput,
    generate::GenContext,
    openapi::{self, Header, ParameterSchemaOrContent, ReferenceOr, SchemaObject},
};
use axum::{
    Json,
    response::{IntoResponse, Response},
};
use http::{HeaderValue, StatusCode, header};
use oriel_model::validate::Mistake;
use ring::digest;
use schemars::{JsonSchema, json_schema};
use serde::Serialize;

use super::PATH_PREFIX;
use crate::{
    app::administrators::Forbidden,
    app::objects::{ChangeError, IconError, ListError, Revised},
    http::{ApiError, problem::sentence},
};

/// One object, with its revision as its tag.
pub struct Tagged<T>(pub T);

impl<T: Serialize + Revised> IntoResponse for Tagged<T> {
    fn into_response(self) -> Response {
        let tag = tag(&self.0);
        ([(header::ETAG, tag)], Json(self.0)).into_response()
    }
}

/// An answer written while what it shows is borrowed from somewhere; it is documented as a `T`.
pub struct Written<T> {
    response: Response,
    of: PhantomData<fn() -> T>,
}

impl<T> Written<T> {
    /// Writes it: a `T` of a shorter life.
    pub fn new(shown: &impl Serialize) -> Self {
        Self { response: Json(shown).into_response(), of: PhantomData }
    }
}

impl<T> IntoResponse for Written<T> {
    fn into_response(self) -> Response {
        self.response
    }
}

/// 201 with what was made.
pub struct Created<T>(pub T);

/// 201 with an object that was made, where it lies, and its revision as its tag.
pub struct Made<T>(pub T);

impl<T: Serialize> IntoResponse for Created<T> {
    fn into_response(self) -> Response {
        // Answers may hold a secret that is shown once.
        (StatusCode::CREATED, [(header::CACHE_CONTROL, "no-store")], Json(self.0)).into_response()
    }
}

impl<T: Serialize + Revised> IntoResponse for Made<T> {
    fn into_response(self) -> Response {
        let (tag, place) = (tag(&self.0), format!("{PATH_PREFIX}/{}", self.0.place()));
        ([(header::ETAG, tag)], [(header::LOCATION, place)], Created(self.0)).into_response()
    }
}

/// Describes an answer with JSON in it: its status, and what is told beside the JSON.
macro_rules! described {
    ($answer:ident, $status:literal, $beside:expr) => {
        impl<T: JsonSchema> OperationOutput for $answer<T> {
            type Inner = T;

            fn operation_response(
                context: &mut GenContext,
                operation: &mut openapi::Operation,
            ) -> Option<openapi::Response> {
                Json::<T>::operation_response(context, operation).map($beside)
            }

            fn inferred_responses(
                context: &mut GenContext,
                operation: &mut openapi::Operation,
            ) -> Vec<(Option<u16>, openapi::Response)> {
                let answer = Self::operation_response(context, operation);
                answer.map(|answer| (Some($status), answer)).into_iter().collect()
            }
        }
    };
}

described!(Written, 200, std::convert::identity);
described!(Tagged, 200, with_tag);
described!(Created, 201, std::convert::identity);
described!(Made, 201, with_tag);

fn with_tag(mut response: openapi::Response) -> openapi::Response {
    response.headers.insert("ETag".into(), tag_header());
    response
}

/// The tag of an object: its revision in quotes. Where what is shown changes without a revision, a digest
/// of it follows behind a dash, so that the tag names exactly what was answered.
fn tag<T: Serialize + Revised>(shown: &T) -> HeaderValue {
    let revision = shown.revision();
    let tag = if T::is_live() {
        let json = serde_json::to_vec(shown).unwrap_or_default();
        let digest = digest::digest(&digest::SHA256, &json);
        let digest: String = digest.as_ref().iter().take(8).map(|byte| format!("{byte:02x}")).collect();
        format!("\"{revision}-{digest}\"")
    } else {
        format!("\"{revision}\"")
    };
    HeaderValue::from_str(&tag).expect("digits, letters and quotes make a header")
}

fn tag_header() -> ReferenceOr<Header> {
    let schema =
        SchemaObject { json_schema: json_schema!({ "type": "string" }), example: None, external_docs: None };
    ReferenceOr::Item(Header {
        description: Some("The revision in quotes, for If-Match and If-None-Match.".into()),
        style: openapi::HeaderStyle::Simple,
        required: true,
        deprecated: None,
        format: ParameterSchemaOrContent::Schema(schema),
        example: None,
        examples: Default::default(),
        extensions: Default::default(),
    })
}

impl From<ListError> for ApiError {
    fn from(error: ListError) -> Self {
        let mistake = Mistake { field: error.part.into(), message: error.message.clone() };
        let message = format!("The list cannot be had like this: {} {}.", error.part, error.message);
        ApiError::new(StatusCode::BAD_REQUEST, "bad_list", message).mistakes(vec![mistake])
    }
}

impl From<Forbidden> for ApiError {
    fn from(error: Forbidden) -> Self {
        ApiError::new(StatusCode::FORBIDDEN, "forbidden", sentence(&error))
            .advice("Ask a root administrator for it, or use a token with another role.")
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
            ChangeError::Stale { since, .. } => {
                ApiError::new(StatusCode::PRECONDITION_FAILED, "stale", message)
                    .advice("Load it again, look at what was changed, and repeat your change.")
                    .stale(*since)
            }
            ChangeError::Commit(error) => error.into(),
            ChangeError::Forbidden(error) => error.into(),
            ChangeError::List(error) => error.into(),
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
