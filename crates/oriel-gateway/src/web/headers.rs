//! The headers that keep the portal's pages to themselves.

use std::sync::Arc;

use axum::{extract::State, response::Response};
use http::{HeaderName, HeaderValue, header};

use crate::shared::Shared;

/// Scripts, pictures and connections only from here. What is more: wasm for the RDP client, styles
/// in attributes for Mantine, `data:` and `blob:` for pointers, icons and pictures in the clipboard, and
/// sessions over the farm's other addresses, which an administrator has named ([`crate::elsewhere`]).
const CONTENT_SECURITY_POLICY: &str = "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; \
    style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; font-src 'self'; \
    frame-ancestors 'none'; base-uri 'none'; object-src 'none'; form-action 'self'; connect-src 'self'";

/// The policy of pages that may also connect to these addresses, which have nothing in them that ends a part
/// of it.
pub(crate) fn content_security_policy(elsewhere: &[String]) -> HeaderValue {
    let sources = elsewhere.iter().map(|address| format!(" wss://{address}"));
    let policy = CONTENT_SECURITY_POLICY.to_owned() + &sources.collect::<String>();
    HeaderValue::from_str(&policy).unwrap_or(HeaderValue::from_static(CONTENT_SECURITY_POLICY))
}

/// What the session page may ask the browser for, and nothing else.
const PERMISSIONS_POLICY: &str = "clipboard-read=(self), clipboard-write=(self), fullscreen=(self), \
    keyboard-map=(self), accelerometer=(), camera=(), display-capture=(), \
    geolocation=(), gyroscope=(), magnetometer=(), microphone=(), midi=(), payment=(), usb=()";

const HEADERS: [(HeaderName, HeaderValue); 7] = [
    (HeaderName::from_static("permissions-policy"), HeaderValue::from_static(PERMISSIONS_POLICY)),
    // A year. Browsers ignore it where the certificate is not trusted, and for addresses.
    (header::STRICT_TRANSPORT_SECURITY, HeaderValue::from_static("max-age=31536000")),
    (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    (header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY")),
    // A session's page tells a link of the portal from one of another site by it.
    (header::REFERRER_POLICY, HeaderValue::from_static("same-origin")),
    (HeaderName::from_static("cross-origin-opener-policy"), HeaderValue::from_static("same-origin")),
    (HeaderName::from_static("cross-origin-resource-policy"), HeaderValue::from_static("same-origin")),
];

/// Adds them to an answer, in place of any that it has.
pub(crate) async fn add(State(shared): State<Arc<Shared>>, mut response: Response) -> Response {
    let policy = shared.elsewhere.content_security_policy();
    response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, policy);
    for (name, value) in HEADERS {
        response.headers_mut().insert(name, value);
    }
    response
}
