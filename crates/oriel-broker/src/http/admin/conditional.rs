//! What HTTP asks of every answer: 304 for what the caller has already, and how to sign in where that was
//! missing.

use axum::{body::Body, extract::Request, middleware::Next, response::Response};
use http::{
    HeaderMap, HeaderValue, Method, StatusCode,
    header::{CONTENT_LENGTH, CONTENT_TYPE, ETAG, IF_NONE_MATCH, WWW_AUTHENTICATE},
};

/// Finishes an answer.
pub async fn answer(request: Request, next: Next) -> Response {
    let is_read = matches!(*request.method(), Method::GET | Method::HEAD);
    let known = request.headers().get(IF_NONE_MATCH).filter(|_| is_read).cloned();
    let mut response = next.run(request).await;
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

/// Whether the caller has this version: RFC 9110, 13.1.2, with the weak comparison.
fn has(known: &HeaderValue, headers: &HeaderMap) -> bool {
    let (Some(tag), Ok(known)) = (headers.get(ETAG).and_then(|tag| tag.to_str().ok()), known.to_str()) else {
        return false;
    };
    known.split(',').map(str::trim).any(|one| one == "*" || one.strip_prefix("W/").unwrap_or(one) == tag)
}
