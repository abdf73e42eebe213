//! The management portal's pages, beside the API on the management port.

use std::path::Path;

use axum::{Router, middleware::map_response, response::Response};
use http::{HeaderValue, header};
use oriel_net::pages::{self, CONTENT_SECURITY_POLICY};

/// The pages ask for no device, and the clipboard only to copy what is shown.
const PERMISSIONS_POLICY: &str = "clipboard-write=(self), clipboard-read=(), fullscreen=(), accelerometer=(), \
    camera=(), display-capture=(), geolocation=(), gyroscope=(), magnetometer=(), microphone=(), midi=(), \
    payment=(), usb=()";

/// Adds the portal's pages to the routes of the API, and the same strict headers to every answer.
pub fn beside(api: Router, web_root: Option<&Path>) -> Router {
    let routes = match web_root {
        Some(web_root) => api.fallback_service(pages::router(web_root)),
        None => api,
    };
    routes.layer(map_response(protected))
}

async fn protected(mut response: Response) -> Response {
    let headers = response.headers_mut();
    pages::protect(headers);
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(CONTENT_SECURITY_POLICY));
    headers.insert("permissions-policy", HeaderValue::from_static(PERMISSIONS_POLICY));
    response
}
