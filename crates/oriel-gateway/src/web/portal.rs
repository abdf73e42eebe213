//! Passes the portal's API calls on to a broker: the same HTTP request over the mutual TLS of the
//! farm. Only the headers that the API uses travel; the gateway adds whom it saw.
//!
//! Deliberately absent: what the calls mean, who may make them.

use std::{error::Error, sync::Arc};

use axum::{
    Json,
    body::Body,
    extract::{Extension, Request, State},
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header, request::Parts};
use http_body_util::{BodyExt, Full, Limited};
use oriel_net::incoming::ConnectInfo;
use oriel_wire::{
    failure::innermost,
    portal::{CLIENT_ADDRESS_HEADER, REQUEST_BYTES_MAX, REQUEST_HEADER},
};
use serde_json::json;
use tokio::time::timeout;
use tonic::transport::Channel;
use tower::{Service, ServiceExt};

use crate::{
    brokers::Broker,
    limits::{PORTAL_ANSWER_BYTES_MAX, PORTAL_BODY_TIMEOUT, PORTAL_CALL_TIMEOUT},
    shared::Shared,
};

/// Tells the broker which gateway passed the call on.
const GATEWAY_HEADER: HeaderName = HeaderName::from_static("oriel-gateway-id");

/// The headers of a browser that a broker gets to see.
const PASSED: [HeaderName; 9] = [
    header::ACCEPT,
    header::ACCEPT_LANGUAGE,
    header::CONTENT_TYPE,
    header::COOKIE,
    header::IF_NONE_MATCH,
    header::ORIGIN,
    header::USER_AGENT,
    HeaderName::from_static(REQUEST_HEADER),
    HeaderName::from_static("sec-fetch-site"),
];

/// Headers of a broker's answer that are about its connection to the gateway (RFC 9110, 7.6.1).
const HOP_BY_HOP: [HeaderName; 6] = [
    header::CONNECTION,
    header::CONTENT_LENGTH,
    header::TE,
    header::TRAILER,
    header::TRANSFER_ENCODING,
    header::UPGRADE,
];

pub(crate) async fn pass_on(
    State(shared): State<Arc<Shared>>,
    Extension(client): Extension<ConnectInfo>,
    request: Request,
) -> Response {
    let address = client.remote.ip().to_canonical();
    let Some(_place) = shared.portal_calls.enter(address) else {
        tracing::warn!(client.address = %address, "too many portal calls at the same time");
        return problem(
            StatusCode::TOO_MANY_REQUESTS,
            "busy",
            "The gateway is very busy at the moment.",
            "Wait a moment and try again.",
        );
    };
    let (parts, body) = request.into_parts();
    let body = match timeout(PORTAL_BODY_TIMEOUT, Limited::new(body, REQUEST_BYTES_MAX).collect()).await {
        Ok(Ok(body)) => body.to_bytes(),
        Ok(Err(_)) => {
            return problem(
                StatusCode::PAYLOAD_TOO_LARGE,
                "bad_request",
                "The request is larger than any that the portal makes, or was cut off.",
                "Reload the page and try again.",
            );
        }
        Err(_) => {
            return problem(
                StatusCode::REQUEST_TIMEOUT,
                "bad_request",
                "The request did not arrive in time.",
                "Check your network connection and try again.",
            );
        }
    };
    let mut headers = passed_headers(&parts.headers);
    if let Ok(address) = HeaderValue::from_str(&address.to_string()) {
        headers.insert(HeaderName::from_static(CLIENT_ADDRESS_HEADER), address);
    }
    headers.insert(GATEWAY_HEADER, shared.gateway_id.clone());
    match timeout(PORTAL_CALL_TIMEOUT, ask_brokers(&shared, &parts, &headers, &body)).await {
        Ok(response) => response,
        Err(_) => {
            tracing::warn!(path = parts.uri.path(), "no broker finished a portal call in time");
            unfinished(StatusCode::GATEWAY_TIMEOUT)
        }
    }
}

/// A path under `/api` that is not the portal's.
pub(crate) async fn unknown() -> Response {
    problem(
        StatusCode::NOT_FOUND,
        "not_found",
        "The portal has no such function.",
        "Reload the page; if this happens again, tell your administrator.",
    )
}

/// Asks one broker after the other. A request that may have had its effect is not repeated, unless a
/// repetition has none.
async fn ask_brokers(shared: &Shared, parts: &Parts, headers: &HeaderMap, body: &Bytes) -> Response {
    for broker in shared.brokers.in_order() {
        let mut request = http::Request::new(tonic::body::Body::new(Full::new(body.clone())));
        *request.method_mut() = parts.method.clone();
        *request.uri_mut() = parts.uri.clone();
        *request.headers_mut() = headers.clone();
        match ask(broker.channel.clone(), request).await {
            Ok(response) => {
                shared.brokers.prefer(broker);
                return response;
            }
            Err(failure) => {
                report(broker, parts, &failure);
                if !failure.was_not_sent() && !parts.method.is_idempotent_call() {
                    return unfinished(StatusCode::BAD_GATEWAY);
                }
            }
        }
    }
    problem(
        StatusCode::SERVICE_UNAVAILABLE,
        "farm_starting",
        "The service is starting or being maintained.",
        "This page tries again by itself; it usually takes less than a minute.",
    )
}

fn report(broker: &Broker, parts: &Parts, failure: &AskError) {
    let cause = innermost(failure);
    tracing::debug!(broker.address = %broker.address, path = parts.uri.path(), error = %cause, "a broker did not answer a portal call");
}

/// Why a broker gave no answer.
#[derive(Debug, thiserror::Error)]
enum AskError {
    #[error(transparent)]
    Transport(#[from] tonic::transport::Error),
    #[error("its answer broke off or is too long: {0}")]
    Answer(Box<dyn Error + Send + Sync>),
}

impl AskError {
    fn was_not_sent(&self) -> bool {
        match self {
            AskError::Transport(error) => {
                let mut cause = error.source();
                while let Some(error) = cause {
                    if error.is::<tonic::ConnectError>() {
                        return true;
                    }
                    cause = error.source();
                }
                false
            }
            AskError::Answer(_) => false,
        }
    }
}

async fn ask(mut channel: Channel, request: http::Request<tonic::body::Body>) -> Result<Response, AskError> {
    let response = channel.ready().await?.call(request).await?;
    let (mut parts, body) = response.into_parts();
    let body =
        Limited::new(body, PORTAL_ANSWER_BYTES_MAX).collect().await.map_err(AskError::Answer)?.to_bytes();
    for name in HOP_BY_HOP {
        parts.headers.remove(name);
    }
    Ok(Response::from_parts(parts, Body::from(body)))
}

fn passed_headers(all: &HeaderMap) -> HeaderMap {
    let mut passed = HeaderMap::new();
    for name in PASSED {
        for value in all.get_all(&name) {
            passed.append(name.clone(), value.clone());
        }
    }
    passed
}

/// An answer in the portal's own form: a problem document (RFC 9457).
pub(crate) fn problem(status: StatusCode, code: &str, message: &str, advice: &str) -> Response {
    let title = status.canonical_reason().unwrap_or("Error");
    let (kind, number) = (format!("/api/v1/problems/{code}"), status.as_u16());
    let body = json!({
        "type": kind, "title": title, "status": number, "code": code, "detail": message, "advice": advice,
    });
    let mut response = (status, [(header::CACHE_CONTROL, "no-store")], Json(body)).into_response();
    let kind = HeaderValue::from_static("application/problem+json");
    response.headers_mut().insert(header::CONTENT_TYPE, kind);
    if matches!(status, StatusCode::SERVICE_UNAVAILABLE | StatusCode::TOO_MANY_REQUESTS) {
        // Seconds. A broker that was killed is back after about two.
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("2"));
    }
    response
}

fn unfinished(status: StatusCode) -> Response {
    problem(
        status,
        "internal",
        "The service did not finish the request.",
        "Look whether it took effect before you try again.",
    )
}

trait MethodExt {
    fn is_idempotent_call(&self) -> bool;
}

impl MethodExt for Method {
    /// Whether a repetition has no further effect (RFC 9110, 9.2.2).
    fn is_idempotent_call(&self) -> bool {
        matches!(*self, Method::GET | Method::HEAD | Method::OPTIONS | Method::PUT | Method::DELETE)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_api_s_own_headers_reach_a_broker() {
        let mut headers = HeaderMap::new();
        for name in [
            "cookie",
            "oriel-request",
            "content-type",
            "oriel-client-address",
            "oriel-gateway-id",
            "x-forwarded-for",
            "forwarded",
            "connection",
            "grpc-timeout",
            "host",
            "authorization",
        ] {
            headers.append(HeaderName::from_static(name), HeaderValue::from_static("x"));
        }
        headers.append(header::COOKIE, HeaderValue::from_static("y"));
        let passed = passed_headers(&headers);
        let mut names: Vec<_> = passed.keys().map(HeaderName::as_str).collect();
        names.sort_unstable();
        assert_eq!(names, ["content-type", "cookie", "oriel-request"]);
        assert_eq!(passed.get_all("cookie").iter().count(), 2);
    }

    #[tokio::test]
    async fn problems_say_what_happened_and_what_to_do() {
        let response = problem(StatusCode::SERVICE_UNAVAILABLE, "farm_starting", "It starts.", "Wait.");
        assert_eq!(response.headers()["retry-after"], "2");
        assert_eq!(response.headers()["content-type"], "application/problem+json");
        let body = response.into_body().collect().await.expect("text").to_bytes();
        assert_eq!(
            serde_json::from_slice::<serde_json::Value>(&body).expect("JSON"),
            json!({
                "type": "/api/v1/problems/farm_starting", "title": "Service Unavailable", "status": 503,
                "code": "farm_starting", "detail": "It starts.", "advice": "Wait.",
            })
        );
    }
}
