//! What handlers take from a request: JSON bodies, queries, ids and revisions, with refusals that
//! name every field. Each says in the OpenAPI document how it refuses.

use std::{fmt, sync::Arc};

use aide::{
    OperationInput,
    generate::GenContext,
    openapi::{
        HeaderStyle, MediaType, Operation, Parameter, ParameterData, ParameterSchemaOrContent, ReferenceOr,
        RequestBody, Response, SchemaObject,
    },
};
use axum::{
    Json,
    body::Bytes,
    extract::{FromRequest, FromRequestParts, Path, Query, Request},
};
use http::{HeaderMap, StatusCode, header, request::Parts};
use oriel_model::{
    Id,
    validate::{self, Mistake},
};
use schemars::{JsonSchema, json_schema};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Map, Value};

use crate::{
    Broker,
    http::{ApiError, problem},
};

/// How extractors describe their refusals.
type Refusals = Vec<(Option<u16>, Response)>;

/// A JSON body. Unknown fields are refused with their names.
pub struct Sent<T>(pub T);

/// The media type of RFC 7396.
pub const MERGE_PATCH_JSON: &str = "application/merge-patch+json";

impl<T: DeserializeOwned> FromRequest<Arc<Broker>> for Sent<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, broker: &Arc<Broker>) -> Result<Self, ApiError> {
        read(&body(request, broker, &["application/json"]).await?).map(Self)
    }
}

/// The body of a request that must have one of these media types.
async fn body(request: Request, broker: &Arc<Broker>, kinds: &[&str]) -> Result<Bytes, ApiError> {
    if !is_one_of(request.headers(), kinds) {
        let message = format!("The body must be sent as {}.", kinds.join(" or "));
        return Err(ApiError::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "not_json", message)
            .advice(format!("Send the header \"Content-Type: {}\".", kinds[0])));
    }
    Bytes::from_request(request, broker).await.map_err(|rejection| {
        if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE {
            let message = "What was sent is too large.";
            return ApiError::new(StatusCode::PAYLOAD_TOO_LARGE, "too_large", message);
        }
        ApiError::bad_request("The request's body did not arrive whole.").cause(rejection)
    })
}

fn is_one_of(headers: &HeaderMap, kinds: &[&str]) -> bool {
    let said = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let said = said.split(';').next().unwrap_or_default().trim();
    kinds.iter().any(|kind| said.eq_ignore_ascii_case(kind))
}

/// Reads JSON: 400 for what is no JSON, 422 for fields that do not fit.
fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, ApiError> {
    let mut json = serde_json::Deserializer::from_slice(body);
    let value = serde_path_to_error::deserialize(&mut json).map_err(|error| misfit(&error))?;
    json.end().map_err(|error| ApiError::bad_request(format!("The body is not valid JSON: {error}.")))?;
    Ok(value)
}

/// Reads what was put together from JSON: 422 for fields that do not fit.
pub fn read_value<T: DeserializeOwned>(value: Value) -> Result<T, ApiError> {
    serde_path_to_error::deserialize(value).map_err(|error| misfit(&error))
}

fn misfit(error: &serde_path_to_error::Error<serde_json::Error>) -> ApiError {
    let (path, cause) = (error.path().to_string(), error.inner());
    if !cause.is_data() {
        return ApiError::bad_request(format!("The body is not valid JSON: {cause}."));
    }
    let field = if path == "." { String::new() } else { path };
    ApiError::invalid(vec![Mistake { field, message: validate::in_words(&without_place(cause)) }])
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

    fn inferred_early_responses(context: &mut GenContext, _: &mut Operation) -> Refusals {
        problem::described(context, &[400, 413, 415, 422])
    }
}

/// A merge patch (RFC 7396) of an object's name, site and spec, and the revision where it is in the body.
pub struct Patch {
    /// What shall be different.
    pub fields: Map<String, Value>,
    /// The revision that was read.
    pub revision: Option<u64>,
}

impl FromRequest<Arc<Broker>> for Patch {
    type Rejection = ApiError;

    async fn from_request(request: Request, broker: &Arc<Broker>) -> Result<Self, ApiError> {
        let body = body(request, broker, &[MERGE_PATCH_JSON, "application/json"]).await?;
        let mut fields: Map<String, Value> = read(&body)?;
        let revision = fields.remove("revision").map(|revision| {
            let message = || "must be a number: that of the object that was read".to_owned();
            let mistake = || vec![Mistake { field: "revision".into(), message: message() }];
            revision.as_u64().ok_or_else(|| ApiError::invalid(mistake()))
        });
        Ok(Self { fields, revision: revision.transpose()? })
    }
}

impl OperationInput for Patch {
    fn operation_input(_: &mut GenContext, operation: &mut Operation) {
        let schema = json_schema!({
            "type": "object",
            "description": "What shall be different; null takes a field away.",
            "properties": {
                "name": { "type": "string", "description": "Its name." },
                "site": { "type": ["string", "null"], "format": "uuid", "description": "The site it belongs to." },
                "spec": { "type": "object", "description": "The fields of the spec that shall be different." },
                "revision": {
                    "type": "integer", "minimum": 0,
                    "description": "The revision that was read; or say it in the header If-Match."
                },
            },
            "additionalProperties": false,
        });
        let kinds = [MERGE_PATCH_JSON, "application/json"];
        operation.request_body = Some(request_body("A merge patch (RFC 7396).", &kinds, schema));
    }

    fn inferred_early_responses(context: &mut GenContext, _: &mut Operation) -> Refusals {
        problem::described(context, &[400, 413, 415, 422])
    }
}

fn request_body(about: &str, kinds: &[&str], schema: schemars::Schema) -> ReferenceOr<RequestBody> {
    let content = kinds.iter().map(|kind| {
        let schema = SchemaObject { json_schema: schema.clone(), example: None, external_docs: None };
        ((*kind).to_owned(), MediaType { schema: Some(schema), ..MediaType::default() })
    });
    ReferenceOr::Item(RequestBody {
        description: Some(about.to_owned()),
        content: content.collect(),
        required: true,
        ..Default::default()
    })
}

/// A header that a request may carry.
pub fn header_parameter(name: &str, about: &str, schema: schemars::Schema) -> ReferenceOr<Parameter> {
    let schema = SchemaObject { json_schema: schema, example: None, external_docs: None };
    ReferenceOr::Item(Parameter::Header {
        parameter_data: ParameterData {
            name: name.to_owned(),
            description: Some(about.to_owned()),
            required: false,
            deprecated: None,
            format: ParameterSchemaOrContent::Schema(schema),
            example: None,
            examples: Default::default(),
            explode: None,
            extensions: Default::default(),
        },
        style: HeaderStyle::Simple,
    })
}

/// A query string.
pub struct Asked<T>(pub T);

impl<T: DeserializeOwned> FromRequestParts<Arc<Broker>> for Asked<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, broker: &Arc<Broker>) -> Result<Self, ApiError> {
        match Query::from_request_parts(parts, broker).await {
            Ok(Query(query)) => Ok(Self(query)),
            Err(rejection) => {
                // "Failed to deserialize query string: limit: invalid digit found in string"
                let said = rejection.body_text();
                let what = said.split_once(": ").map_or(&*said, |(_, what)| what);
                let error = ApiError::bad_request(format!("The query is not understood: {what}."));
                Err(match what.split_once(": ") {
                    Some((field, message)) => {
                        error.mistakes(vec![Mistake { field: field.to_owned(), message: message.to_owned() }])
                    }
                    None => error,
                })
            }
        }
    }
}

impl<T: JsonSchema> OperationInput for Asked<T> {
    fn operation_input(context: &mut GenContext, operation: &mut Operation) {
        Query::<T>::operation_input(context, operation);
    }

    fn inferred_early_responses(context: &mut GenContext, _: &mut Operation) -> Refusals {
        problem::described(context, &[400])
    }
}

/// What a path says in other places than `{id}`.
pub struct At<T>(pub T);

impl<T: DeserializeOwned + Send> FromRequestParts<Arc<Broker>> for At<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, broker: &Arc<Broker>) -> Result<Self, ApiError> {
        let found = Path::from_request_parts(parts, broker).await;
        let Path(path) =
            found.map_err(|rejection| ApiError::bad_request(format!("{}.", rejection.body_text())))?;
        Ok(Self(path))
    }
}

impl<T: JsonSchema> OperationInput for At<T> {
    fn operation_input(context: &mut GenContext, operation: &mut Operation) {
        Path::<T>::operation_input(context, operation);
    }

    fn inferred_early_responses(context: &mut GenContext, _: &mut Operation) -> Refusals {
        problem::described(context, &[400, 404])
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

    fn inferred_early_responses(context: &mut GenContext, _: &mut Operation) -> Refusals {
        problem::described(context, &[400, 404])
    }
}

/// The revision that a change or deletion is based on: `If-Match: "7"` or `?revision=7`; changes may
/// say it in their body instead. `If-Match: *` is for any revision.
pub struct BasedOn(Option<Basis>);

/// What a change is based on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Basis {
    /// The object as it is, whatever that is.
    Any,
    /// The object as it was at this revision.
    Revision(u64),
}

#[derive(Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
struct RevisionInQuery {
    /// The revision that was read; or say it in the header If-Match.
    revision: Option<u64>,
}

impl BasedOn {
    /// What the change is based on; `body` is what the body says of it.
    pub fn basis(self, body: Option<u64>) -> Result<Basis, ApiError> {
        match (self.0, body.map(Basis::Revision)) {
            (Some(header), Some(body)) if header != body => Err(ApiError::invalid(vec![Mistake {
                field: "revision".into(),
                message: "differs from that in If-Match".into(),
            }])),
            (Some(basis), _) | (None, Some(basis)) => Ok(basis),
            (None, None) => {
                let message = "The change does not say which revision it is based on.";
                Err(ApiError::new(StatusCode::PRECONDITION_REQUIRED, "revision_needed", message).advice(
                    "Send that of the object that was read, in the header If-Match or as \"revision\".",
                ))
            }
        }
    }
}

impl FromRequestParts<Arc<Broker>> for BasedOn {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, broker: &Arc<Broker>) -> Result<Self, ApiError> {
        let Asked(query) = Asked::<RevisionInQuery>::from_request_parts(parts, broker).await?;
        let query = query.revision.map(Basis::Revision);
        let Some(header) = parts.headers.get(header::IF_MATCH) else { return Ok(Self(query)) };
        let basis = header.to_str().ok().and_then(|text| if_match(text.trim()));
        let wrong = "The header If-Match must be the ETag that was read, such as \"7\".";
        basis.map(|basis| Self(Some(basis))).ok_or_else(|| ApiError::bad_request(wrong))
    }
}

/// A tag is the revision in quotes; what is known beside what is set adds a digest behind a dash.
fn if_match(text: &str) -> Option<Basis> {
    if text == "*" {
        return Some(Basis::Any);
    }
    let tag = text.strip_prefix('"')?.strip_suffix('"')?;
    tag.split('-').next()?.parse().ok().map(Basis::Revision)
}

impl OperationInput for BasedOn {
    fn operation_input(context: &mut GenContext, operation: &mut Operation) {
        Query::<RevisionInQuery>::operation_input(context, operation);
        let about = "The ETag of the object that was read. One of this, `revision` in the query and, of \
            changes, `revision` in the body is needed. `*` is for any revision.";
        let schema = json_schema!({ "type": "string", "pattern": "^(\\*|\"[0-9]{1,19}(-[0-9a-f]+)?\")$" });
        operation.parameters.push(header_parameter("If-Match", about, schema));
    }

    fn inferred_early_responses(context: &mut GenContext, _: &mut Operation) -> Refusals {
        problem::described(context, &[400, 412, 422, 428])
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
        if !is_one_of(request.headers(), &["image/png"]) {
            let message = "The picture must be sent as image/png.";
            return Err(ApiError::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "not_png", message));
        }
        match Bytes::from_request(request, broker).await {
            Ok(bytes) => Ok(Self(bytes.into())),
            Err(rejection) => {
                let message = "The picture is too large.";
                let too_large = rejection.status() == StatusCode::PAYLOAD_TOO_LARGE;
                Err(if too_large {
                    ApiError::new(StatusCode::PAYLOAD_TOO_LARGE, "too_large", message)
                } else {
                    ApiError::bad_request("The picture did not arrive whole.").cause(rejection)
                })
            }
        }
    }
}

impl OperationInput for Png {
    fn operation_input(_: &mut GenContext, operation: &mut Operation) {
        let schema = json_schema!({ "type": "string", "format": "binary" });
        operation.request_body = Some(request_body("A PNG picture.", &["image/png"], schema));
    }

    fn inferred_early_responses(context: &mut GenContext, _: &mut Operation) -> Refusals {
        problem::described(context, &[400, 413, 415, 422])
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
        let mistake = &error.problem().errors[0];
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
        let based_on = |revision| BasedOn(Some(Basis::Revision(revision)));
        assert_eq!(based_on(3).basis(None).ok(), Some(Basis::Revision(3)));
        assert_eq!(BasedOn(None).basis(Some(4)).ok(), Some(Basis::Revision(4)));
        let missing = BasedOn(None).basis(None).expect_err("refused");
        assert_eq!(missing.status(), StatusCode::PRECONDITION_REQUIRED);
        assert!(based_on(3).basis(Some(4)).is_err());
    }

    #[test]
    fn a_tag_is_a_revision_in_quotes() {
        assert_eq!(if_match("\"7\""), Some(Basis::Revision(7)));
        assert_eq!(if_match("\"7-0af3\""), Some(Basis::Revision(7)));
        assert_eq!(if_match("*"), Some(Basis::Any));
        for wrong in ["7", "\"seven\"", "", "\"", "W/\"7\""] {
            assert_eq!(if_match(wrong), None, "{wrong}");
        }
    }
}
