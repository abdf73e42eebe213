//! What HTTP asks of every answer: 304 for what the caller has already, how to sign in where that was
//! missing, and no answer before the request has come in whole.

use axum::{
    body::{Body, to_bytes},
    extract::Request,
    middleware::Next,
    response::Response,
};
use http::{
    HeaderMap, HeaderValue, Method, StatusCode,
    header::{CONTENT_LENGTH, CONTENT_TYPE, ETAG, IF_NONE_MATCH, WWW_AUTHENTICATE},
};

use super::BODY_MAX;

/// Finishes an answer.
pub async fn answer(request: Request, next: Next) -> Response {
    let is_read = matches!(*request.method(), Method::GET | Method::HEAD);
    let known = request.headers().get(IF_NONE_MATCH).filter(|_| is_read).cloned();
    let mut response = next.run(come_in(request).await).await;
    if response.status() == StatusCode::UNAUTHORIZED {
        response.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    }
    match known {
        Some(known) if response.status() == StatusCode::OK && has(&known, response.headers()) => {
            *response.status_mut() = StatusCode::NOT_MODIFIED;
            *response.body_mut() = Body::empty();
            response.headers_mut().remove(CONTENT_TYPE);
            response.headers_mut().remove(CONTENT_LENGTH);
            response
        }
        _ => response,
    }
}

/// Takes in a body of usual size before anything is refused: an answer to a request that is still being
/// sent ends the connection, and callers that send on it never see the answer.
async fn come_in(request: Request) -> Request {
    let size = request.headers().get(CONTENT_LENGTH).and_then(|size| size.to_str().ok()?.parse().ok());
    if !size.is_some_and(|size: usize| (1..=BODY_MAX).contains(&size)) {
        return request;
    }
    let (parts, body) = request.into_parts();
    // A body that breaks off is found missing by whoever reads it.
    let body = to_bytes(body, BODY_MAX).await.map_or_else(|_| Body::empty(), Body::from);
    Request::from_parts(parts, body)
}

/// Whether the caller has this version: RFC 9110, 13.1.2, with the weak comparison.
fn has(known: &HeaderValue, headers: &HeaderMap) -> bool {
    let (Some(tag), Ok(known)) = (headers.get(ETAG).and_then(|tag| tag.to_str().ok()), known.to_str()) else {
        return false;
    };
    known.split(',').map(str::trim).any(|one| one == "*" || one.strip_prefix("W/").unwrap_or(one) == tag)
}
