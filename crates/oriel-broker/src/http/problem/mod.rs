//! The one place that turns errors into HTTP answers, in the form of RFC 9457: a stable code, a
//! sentence on what happened, a sentence on what to do. Causes stay inside and are logged here, once.

pub mod codes;

use std::error::Error;

use aide::{
    OperationOutput,
    generate::GenContext,
    openapi::{self, MediaType, SchemaObject},
};
use axum::{
    Json,
    response::{IntoResponse, Response},
};
use http::{
    HeaderValue, StatusCode,
    header::{CONTENT_TYPE, RETRY_AFTER},
};
use oriel_model::{Timestamp, validate::Mistake};
use oriel_store::{CommitError, StoreError};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{app::objects::Stale, farm::NotCaughtUp, hosts::HostError};

/// The media type of every answer that is an error.
pub const PROBLEM_JSON: &str = "application/problem+json";

/// Where a problem's type is explained; its code follows.
const TYPES: &str = "/api/v1/problems/";

/// The body of every answer that is an error (RFC 9457).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Problem {
    /// Where this kind of problem is explained: `/api/v1/problems/` and the code.
    #[serde(rename = "type")]
    pub kind: String,
    /// What kind of problem it is: the same for every answer with this code.
    pub title: String,
    /// The answer's status.
    pub status: u16,
    /// What happened, as a sentence.
    pub detail: String,
    /// Stable word for programs.
    pub code: String,
    /// What to do about it, as a sentence.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub advice: String,
    /// Everything wrong with what was sent, with its field.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<Mistake>,
    /// Of code `outside_hours`: when that changes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub opens_at: Option<Timestamp>,
    /// Of code `stale`: what has become of the object.
    #[serde(flatten)]
    pub stale: Option<Box<Stale>>,
}

/// An error on its way to an HTTP answer.
#[derive(Debug)]
pub struct ApiError {
    status: StatusCode,
    problem: Box<Problem>,
    retry_after_secs: Option<u64>,
    cause: Option<Box<dyn Error + Send + Sync>>,
}

impl ApiError {
    /// An error with one of the [`codes::CODES`] and a sentence.
    pub fn new(status: StatusCode, code: &str, detail: impl Into<String>) -> Self {
        let problem = Box::new(Problem {
            kind: format!("{TYPES}{code}"),
            title: codes::title(code, status).into(),
            status: status.as_u16(),
            detail: detail.into(),
            code: code.into(),
            advice: String::new(),
            errors: Vec::new(),
            opens_at: None,
            stale: None,
        });
        Self { status, problem, retry_after_secs: None, cause: None }
    }

    /// Adds what to do about it.
    #[must_use]
    pub fn advice(mut self, advice: impl Into<String>) -> Self {
        self.problem.advice = advice.into();
        self
    }

    /// Adds everything that is wrong with what was sent.
    #[must_use]
    pub fn mistakes(mut self, mistakes: Vec<Mistake>) -> Self {
        self.problem.errors = mistakes;
        self
    }

    /// Adds what has become of the object.
    #[must_use]
    pub fn stale(mut self, stale: Stale) -> Self {
        self.problem.stale = Some(Box::new(stale));
        self
    }

    /// Adds when the farm opens again.
    #[must_use]
    pub fn opens_at(mut self, opens_at: Option<Timestamp>) -> Self {
        self.problem.opens_at = opens_at;
        self
    }

    /// Keeps the cause for the log; the answer does not show it.
    #[must_use]
    pub fn cause(mut self, cause: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        self.cause = Some(cause.into());
        self
    }

    /// Says when it is worth trying again, in seconds.
    #[must_use]
    pub fn retry_after(mut self, seconds: u64) -> Self {
        self.retry_after_secs = Some(seconds);
        self
    }

    /// 400: what was sent cannot be understood.
    pub fn bad_request(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "bad_request", message)
    }

    /// 404: hidden and absent look alike.
    pub fn not_found(message: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, "not_found", message)
    }

    /// 422: understood, but wrong in these fields.
    pub fn invalid(mistakes: Vec<Mistake>) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid", "What was sent is not valid.")
            .advice("Correct the fields named and send it again.")
            .mistakes(mistakes)
    }

    /// 500: our fault; the cause is logged.
    pub fn internal(cause: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", "Something went wrong on the broker.")
            .advice("Try again; if it happens again, ask the administrator to look into the broker's log.")
            .cause(cause)
    }

    /// The answer's status.
    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// What the answer's body will say.
    pub fn problem(&self) -> &Problem {
        &self.problem
    }
}

/// How the OpenAPI document describes answers with these statuses: with the codes that they may carry.
pub fn described(context: &mut GenContext, statuses: &[u16]) -> Vec<(Option<u16>, openapi::Response)> {
    statuses.iter().map(|status| (Some(*status), response(context, *status))).collect()
}

fn response(context: &mut GenContext, status: u16) -> openapi::Response {
    let known = codes::CODES.iter().filter(|code| code.status.contains(&status));
    let words: Vec<_> = known.map(|code| format!("`{}`: {}", code.code, code.about)).collect();
    let schema = SchemaObject {
        json_schema: context.schema.subschema_for::<Problem>(),
        example: None,
        external_docs: None,
    };
    let content = MediaType { schema: Some(schema), ..MediaType::default() };
    openapi::Response {
        description: words.join("\n\n"),
        content: [(PROBLEM_JSON.to_owned(), content)].into_iter().collect(),
        ..openapi::Response::default()
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        if let Some(cause) = &self.cause {
            let (code, cause) = (&self.problem.code, in_words(&**cause));
            if self.status == StatusCode::INTERNAL_SERVER_ERROR {
                tracing::error!(code, cause, "a request failed");
            } else {
                tracing::warn!(code, cause, "a request was refused");
            }
        }
        let mut response = (self.status, Json(self.problem)).into_response();
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(PROBLEM_JSON));
        if let Some(seconds) = self.retry_after_secs {
            response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}

/// In the OpenAPI document: what any request may meet. What only some may meet is described by what
/// they take ([`described`]).
impl OperationOutput for ApiError {
    type Inner = Problem;

    fn operation_response(context: &mut GenContext, _: &mut openapi::Operation) -> Option<openapi::Response> {
        Some(response(context, 500))
    }

    fn inferred_responses(
        context: &mut GenContext,
        _: &mut openapi::Operation,
    ) -> Vec<(Option<u16>, openapi::Response)> {
        described(context, &[500, 503])
    }
}

impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> Self {
        let (status, code) = match &error {
            StoreError::Busy => (StatusCode::SERVICE_UNAVAILABLE, "busy"),
            StoreError::Refused(_) => (StatusCode::BAD_REQUEST, "bad_request"),
            StoreError::Full(_) | StoreError::Unavailable { .. } => {
                (StatusCode::SERVICE_UNAVAILABLE, "store_unavailable")
            }
            StoreError::Unreadable(_) | StoreError::Secret { .. } => return Self::internal(error),
        };
        let answer = Self::new(status, code, sentence(&error));
        match status {
            StatusCode::SERVICE_UNAVAILABLE => answer.retry_after(5).cause(error),
            _ => answer,
        }
    }
}

impl From<CommitError> for ApiError {
    fn from(error: CommitError) -> Self {
        let message = sentence(&error);
        match error {
            CommitError::Stale { .. } => Self::new(StatusCode::PRECONDITION_FAILED, "stale", message)
                .advice("Load it again, look at what was changed, and repeat your change."),
            CommitError::Deleted { .. } => Self::new(StatusCode::CONFLICT, "deleted", message),
            CommitError::NameTaken { .. } => {
                Self::new(StatusCode::CONFLICT, "name_taken", message).advice("Choose another name.")
            }
            CommitError::IdTaken { .. } => Self::new(StatusCode::CONFLICT, "id_taken", message),
            CommitError::NotFound { .. } => Self::not_found(message),
            CommitError::Invalid { mistakes, .. } => Self::invalid(mistakes),
            CommitError::Store(error) => error.into(),
        }
    }
}

impl From<NotCaughtUp> for ApiError {
    fn from(error: NotCaughtUp) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "busy", sentence(&error)).retry_after(1)
    }
}

impl From<HostError> for ApiError {
    fn from(error: HostError) -> Self {
        let message = sentence(&error);
        match error {
            HostError::Refused { .. } => Self::new(StatusCode::CONFLICT, "host_refused", message),
            HostError::NotConnected | HostError::Lost => {
                Self::new(StatusCode::SERVICE_UNAVAILABLE, "host_unreachable", message)
                    .advice("Check that the host is switched on and that its agent runs.")
            }
            HostError::Busy => Self::new(StatusCode::SERVICE_UNAVAILABLE, "busy", message).retry_after(1),
            HostError::TimedOut => Self::new(StatusCode::GATEWAY_TIMEOUT, "host_timed_out", message)
                .advice("Try again in a moment."),
            HostError::Confused(_) => Self::internal(error),
        }
    }
}

/// An error as a sentence: capital first, full stop last.
pub fn sentence(error: &dyn Error) -> String {
    let text = error.to_string();
    let mut chars = text.chars();
    let first: String = chars.next().map(|c| c.to_uppercase().collect()).unwrap_or_default();
    let end = if text.ends_with(['.', '!', '?']) { "" } else { "." };
    format!("{first}{}{end}", chars.as_str())
}

/// An error with its causes, as one line for the log.
pub fn in_words(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        if !text.ends_with(&cause_text) {
            text = format!("{text}: {cause_text}");
        }
        source = cause.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_become_sentences_and_causes_stay_inside() {
        let error = ApiError::internal("disk on fire");
        assert!(!serde_json::to_string(error.problem()).expect("json").contains("fire"));
        let taken = CommitError::NameTaken { kind: oriel_model::Kind::User, name: "alice".into() };
        let error = ApiError::from(taken);
        assert_eq!(error.status(), StatusCode::CONFLICT);
        assert_eq!(error.problem().detail, "There is already a user named \"alice\".");
    }
}
