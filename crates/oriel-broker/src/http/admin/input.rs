//! What handlers take from a request: JSON bodies, queries, ids and revisions, with refusals that
//! name every field.

use std::{fmt, sync::Arc};

use aide::{OperationInput, generate::GenContext, openapi::Operation};
use axum::{
    Json,
    body::Bytes,
    extract::{FromRequest, FromRequestParts, Path, Query, Request},
};
use http::{StatusCode, header, request::Parts};
use oriel_model::{Id, validate::Mistake};
use schemars::JsonSchema;
use serde::{Deserialize, de::DeserializeOwned};

use crate::{Broker, http::ApiError};

/// A JSON body. Unknown fields are refused with their names.
pub struct Sent<T>(pub T);

impl<T: DeserializeOwned> FromRequest<Arc<Broker>> for Sent<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, broker: &Arc<Broker>) -> Result<Self, ApiError> {
        let body = Bytes::from_request(request, broker).await.map_err(|rejection| {
            if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE {
                return ApiError::new(
                    StatusCode::PAYLOAD_TOO_LARGE,
                    "too_large",
                    "What was sent is too large.",
                );
            }
            ApiError::bad_request("The request's body did not arrive whole.").cause(rejection)
        })?;
        read(&body).map(Self)
    }
}

/// Reads JSON: 400 for what is no JSON, 422 for fields that do not fit.
fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, ApiError> {
    let mut json = serde_json::Deserializer::from_slice(body);
    let value = serde_path_to_error::deserialize(&mut json).map_err(|error| {
        let path = error.path().to_string();
        let cause = error.into_inner();
        if !cause.is_data() {
            return ApiError::bad_request(format!("The body is not valid JSON: {cause}."));
        }
        let field = if path == "." { String::new() } else { path };
        ApiError::invalid(vec![Mistake { field, message: without_place(&cause) }])
    })?;
    json.end().map_err(|error| ApiError::bad_request(format!("The body is not valid JSON: {error}.")))?;
    Ok(value)
}

/// What serde says, without "at line 1 column 2": the field says where.
fn without_place(error: &serde_json::Error) -> String {
    let text = error.to_string();
    match text.rfind(" at line ") {
        Some(place) => text[..place].to_owned(),
        None => text,
    }
}

impl<T: JsonSchema> OperationInput for Sent<T> {
    fn operation_input(context: &mut GenContext, operation: &mut Operation) {
        Json::<T>::operation_input(context, operation);
    }
}

/// A query string.
pub struct Asked<T>(pub T);

impl<T: DeserializeOwned> FromRequestParts<Arc<Broker>> for Asked<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, broker: &Arc<Broker>) -> Result<Self, ApiError> {
        match Query::from_request_parts(parts, broker).await {
            Ok(Query(query)) => Ok(Self(query)),
            Err(rejection) => Err(ApiError::bad_request(format!("{}.", rejection.body_text()))),
        }
    }
}

impl<T: JsonSchema> OperationInput for Asked<T> {
    fn operation_input(context: &mut GenContext, operation: &mut Operation) {
        Query::<T>::operation_input(context, operation);
    }
}

/// The id in a path `…/{id}/…`.
pub struct IdOf<T: ?Sized>(pub Id<T>);

/// How the path's id is described.
#[derive(Deserialize, JsonSchema)]
struct IdInPath {
    /// The object's id, a UUID.
    #[schemars(with = "uuid::Uuid")]
    id: String,
}

impl<T: ?Sized> FromRequestParts<Arc<Broker>> for IdOf<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, broker: &Arc<Broker>) -> Result<Self, ApiError> {
        let found: Result<Path<IdInPath>, _> = Path::from_request_parts(parts, broker).await;
        let Path(path) = found.map_err(|rejection| ApiError::bad_request(rejection.body_text()))?;
        let id =
            path.id.parse().map_err(|error| ApiError::bad_request(crate::http::problem::sentence(&error)))?;
        Ok(Self(id))
    }
}

impl<T: ?Sized> OperationInput for IdOf<T> {
    fn operation_input(context: &mut GenContext, operation: &mut Operation) {
        Path::<IdInPath>::operation_input(context, operation);
    }
}

/// The revision that a change or deletion is based on: `If-Match: "7"` or `?revision=7`; changes may
/// say it in their body instead.
pub struct BasedOn(Option<u64>);

#[derive(Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
struct RevisionInQuery {
    /// The revision that was read; or say it in the header If-Match.
    revision: Option<u64>,
}

impl BasedOn {
    /// The revision; `body` is what the body says of it.
    pub fn revision(self, body: Option<u64>) -> Result<u64, ApiError> {
        let wrong = |message: &str| {
            Err(ApiError::invalid(vec![Mistake { field: "revision".into(), message: message.into() }]))
        };
        match (self.0, body) {
            (Some(header), Some(body)) if header != body => wrong("differs from that in If-Match"),
            (Some(revision), _) | (None, Some(revision)) => Ok(revision),
            (None, None) => {
                wrong("is needed, here or in the header If-Match: it is that of the object that was read")
            }
        }
    }
}

impl FromRequestParts<Arc<Broker>> for BasedOn {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, broker: &Arc<Broker>) -> Result<Self, ApiError> {
        let Asked(query) = Asked::<RevisionInQuery>::from_request_parts(parts, broker).await?;
        let Some(header) = parts.headers.get(header::IF_MATCH) else { return Ok(Self(query.revision)) };
        let revision = header.to_str().ok().and_then(|text| text.trim().trim_matches('"').parse().ok());
        match revision {
            Some(revision) => Ok(Self(Some(revision))),
            None => {
                Err(ApiError::bad_request("The header If-Match must be a revision in quotes, such as \"7\"."))
            }
        }
    }
}

impl OperationInput for BasedOn {
    fn operation_input(context: &mut GenContext, operation: &mut Operation) {
        Query::<RevisionInQuery>::operation_input(context, operation);
    }
}

impl<T: ?Sized> fmt::Debug for IdOf<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The bytes of a PNG.
pub struct Png(pub Vec<u8>);

impl FromRequest<Arc<Broker>> for Png {
    type Rejection = ApiError;

    async fn from_request(request: Request, broker: &Arc<Broker>) -> Result<Self, ApiError> {
        let is_png = request.headers().get(header::CONTENT_TYPE).is_some_and(|kind| kind == "image/png");
        if !is_png {
            let message = "The picture must be sent as image/png.";
            return Err(ApiError::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "not_png", message));
        }
        match Bytes::from_request(request, broker).await {
            Ok(bytes) => Ok(Self(bytes.into())),
            Err(rejection) => {
                let message = "The picture did not arrive whole, or is too large.";
                Err(ApiError::new(rejection.status(), "too_large", message))
            }
        }
    }
}

impl OperationInput for Png {
    fn operation_input(_: &mut GenContext, operation: &mut Operation) {
        use aide::openapi::{MediaType, ReferenceOr, RequestBody};
        let content = [("image/png".to_owned(), MediaType::default())].into_iter().collect();
        let body = RequestBody {
            description: Some("A PNG picture.".into()),
            content,
            required: true,
            ..Default::default()
        };
        operation.request_body = Some(ReferenceOr::Item(body));
    }
}

#[cfg(test)]
mod tests {
    use oriel_model::pool::Pool;

    use super::*;
    use crate::app::objects::New;

    #[test]
    fn an_unknown_field_is_refused_with_its_path() {
        let error =
            read::<New<Pool>>(br#"{"name":"a","spec":{"settings":{"max_session":5}}}"#).expect_err("refused");
        assert_eq!(error.status(), StatusCode::UNPROCESSABLE_ENTITY);
        let mistake = &error.problem().mistakes[0];
        assert_eq!(mistake.field, "spec.settings.max_session");
        assert!(mistake.message.starts_with("unknown field `max_session`, expected one of `max_sessions`"));
    }

    #[test]
    fn what_is_no_json_is_told_apart_from_what_does_not_fit() {
        assert_eq!(read::<New<Pool>>(b"{").expect_err("refused").status(), StatusCode::BAD_REQUEST);
        assert_eq!(
            read::<New<Pool>>(b"{} x").expect_err("refused").status(),
            StatusCode::UNPROCESSABLE_ENTITY
        );
    }

    #[test]
    fn a_revision_is_needed_once_and_must_not_contradict_itself() {
        assert_eq!(BasedOn(Some(3)).revision(None).ok(), Some(3));
        assert_eq!(BasedOn(None).revision(Some(4)).ok(), Some(4));
        assert!(BasedOn(None).revision(None).is_err());
        assert!(BasedOn(Some(3)).revision(Some(4)).is_err());
    }
}
