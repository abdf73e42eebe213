//! The headers that keep the portal's pages to themselves.

use std::sync::Arc;

use axum::{extract::State, response::Response};
use http::{HeaderValue, header};
use oriel_net::pages;

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

/// Adds them to an answer, in place of any that it has.
pub(crate) async fn add(State(shared): State<Arc<Shared>>, mut response: Response) -> Response {
    let policy = shared.elsewhere.content_security_policy();
    let headers = response.headers_mut();
    pages::protect(headers);
    headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    headers.insert("permissions-policy", HeaderValue::from_static(PERMISSIONS_POLICY));
    response
}
