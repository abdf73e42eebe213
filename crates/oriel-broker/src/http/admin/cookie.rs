//! The cookie of administrators, which also guards against requests that other sites' pages send.

use axum::{
    extract::{Request, State},
    middleware::Next,
    response::Response,
};
use http::{
    HeaderMap, HeaderValue, Method, StatusCode,
    header::{COOKIE, SET_COOKIE, USER_AGENT},
    request::Parts,
};
use oriel_model::Timestamp;

use super::caller;
use crate::{Broker, http::ApiError};
use std::sync::Arc;

const NAME: &str = "__Host-oriel-administrator";
/// What our pages say with every request: another site's page cannot send it without being asked first
/// (Fetch standard, CORS-preflight). `background` says that nobody sits behind it.
pub const REQUEST_HEADER: &str = "x-oriel-request";
const BACKGROUND: &str = "background";

/// The sealed sign-in that a browser sends, if any.
pub fn of_request(headers: &HeaderMap) -> Option<&str> {
    let all = headers.get_all(COOKIE).iter().filter_map(|value| value.to_str().ok());
    let mut pairs = all.flat_map(|value| value.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(name, _)| *name == NAME).map(|(_, value)| value)
}

/// Refuses a request that may change something and that no page of ours sent.
pub fn only_from_our_pages(parts: &Parts) -> Result<(), ApiError> {
    let is_safe = matches!(parts.method, Method::GET | Method::HEAD | Method::OPTIONS);
    let site = parts.headers.get("sec-fetch-site").and_then(|value| value.to_str().ok());
    let is_ours = parts.headers.contains_key(REQUEST_HEADER)
        && site.is_none_or(|site| matches!(site, "same-origin" | "none"));
    if is_safe || is_ours {
        return Ok(());
    }
    let message = format!("A request with the cookie of an administrator needs the header {REQUEST_HEADER}.");
    Err(ApiError::new(StatusCode::FORBIDDEN, "csrf", message)
        .advice("Scripts send a token in the header \"Authorization: Bearer …\" instead."))
}

/// Sets the cookie until the sign-in ends.
pub fn set(sealed: &str, expires_at: Timestamp, now: Timestamp) -> HeaderValue {
    header(sealed, expires_at.duration_since(now).as_secs().max(0))
}

/// Removes the cookie.
pub fn clear() -> HeaderValue {
    header("", 0)
}

fn header(value: &str, max_age_secs: i64) -> HeaderValue {
    let text = format!("{NAME}={value}; Path=/; Secure; HttpOnly; SameSite=Strict; Max-Age={max_age_secs}");
    let mut header = HeaderValue::from_str(&text).expect("base64 and numbers are header text");
    header.set_sensitive(true);
    header
}

/// Notes that an administrator is active, and lets their sign-in last longer.
pub async fn renew(State(broker): State<Arc<Broker>>, request: Request, next: Next) -> Response {
    let is_background = request.headers().get(REQUEST_HEADER).is_some_and(|value| value == BACKGROUND);
    if let Some(sealed) = of_request(request.headers()) {
        broker.meet_administrator(sealed).await;
    }
    let sealed = of_request(request.headers()).filter(|_| !is_background).map(str::to_owned);
    let Some(administrator) = sealed.and_then(|sealed| broker.administrator_signed_in(&sealed)) else {
        return next.run(request).await;
    };
    let browser = browser(request.headers()).to_owned();
    let address = caller::address(request.extensions());
    let mut response = next.run(request).await;
    // Signing in and out have set it themselves.
    let is_over = broker.ended_sign_ins.contains(administrator.sign_in.id);
    if !response.headers().contains_key(SET_COOKIE) && !is_over {
        let renewed = broker.administrator_active(&administrator, address, &browser);
        if let Some((sign_in, sealed)) = renewed {
            response.headers_mut().insert(SET_COOKIE, set(&sealed, sign_in.expires_at, broker.now()));
        }
    }
    response
}

/// What the browser says of itself.
pub fn browser(headers: &HeaderMap) -> &str {
    headers.get(USER_AGENT).and_then(|value| value.to_str().ok()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use http::Request;

    use super::*;

    fn parts(method: Method, headers: &[(&str, &str)]) -> Parts {
        let mut request = Request::builder().method(method);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request.body(()).expect("a request").into_parts().0
    }

    #[test]
    fn only_our_pages_change_anything() {
        assert!(only_from_our_pages(&parts(Method::GET, &[])).is_ok());
        assert!(only_from_our_pages(&parts(Method::POST, &[(REQUEST_HEADER, "portal")])).is_ok());
        for headers in [&[][..], &[(REQUEST_HEADER, "portal"), ("sec-fetch-site", "cross-site")]] {
            assert!(only_from_our_pages(&parts(Method::POST, headers)).is_err(), "{headers:?}");
        }
    }
}
