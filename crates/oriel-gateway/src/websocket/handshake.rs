//! The opening handshake (RFC 6455, 4.2).

use base64::{Engine as _, engine::general_purpose::STANDARD};
use http::{
    HeaderMap, HeaderValue, Method, StatusCode, Version,
    header::{CONNECTION, SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_VERSION, UPGRADE},
    request::Parts,
};
use ring::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};
use thiserror::Error;

use crate::elsewhere::Elsewhere;

/// RFC 6455, 1.3.
const GUID: &[u8] = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

/// Why a request does not open a WebSocket.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub(crate) enum HandshakeError {
    #[error("this address speaks WebSocket only; it is used by the portal's session page")]
    NotWebSocket,
    #[error("only WebSocket version 13 is spoken here")]
    Version,
    #[error("the WebSocket handshake has no valid key")]
    Key,
    #[error("a WebSocket can only be opened by a page of this portal")]
    Origin,
}

impl HandshakeError {
    pub(crate) fn status(self) -> StatusCode {
        match self {
            HandshakeError::NotWebSocket | HandshakeError::Version => StatusCode::UPGRADE_REQUIRED,
            HandshakeError::Key => StatusCode::BAD_REQUEST,
            HandshakeError::Origin => StatusCode::FORBIDDEN,
        }
    }
}

/// Checks the request and returns the value of `Sec-WebSocket-Accept`.
pub(crate) fn accept(request: &Parts) -> Result<HeaderValue, HandshakeError> {
    let headers = &request.headers;
    if request.method != Method::GET
        || request.version != Version::HTTP_11
        || !has_token(headers, CONNECTION.as_str(), "upgrade")
        || !has_token(headers, UPGRADE.as_str(), "websocket")
    {
        return Err(HandshakeError::NotWebSocket);
    }
    if headers.get(SEC_WEBSOCKET_VERSION).is_none_or(|version| version != "13") {
        return Err(HandshakeError::Version);
    }
    let key = headers.get(SEC_WEBSOCKET_KEY).ok_or(HandshakeError::Key)?.as_bytes();
    if STANDARD.decode(key).map_err(|_| HandshakeError::Key)?.len() != 16 {
        return Err(HandshakeError::Key);
    }
    let digest = digest(&SHA1_FOR_LEGACY_USE_ONLY, &[key, GUID].concat());
    HeaderValue::from_str(&STANDARD.encode(digest)).map_err(|_| HandshakeError::Key)
}

/// Whether the request comes from a page of this portal: the origin's scheme is https and its host
/// and port are those that the request was sent to, the gateway's public address, or another one of the
/// farm. A browser always sends an origin; whoever does not is not a page.
pub(crate) fn check_origin(
    request: &Parts,
    public_address: Option<&str>,
    elsewhere: &Elsewhere,
) -> Result<(), HandshakeError> {
    let header = |name| request.headers.get(name).and_then(|value: &HeaderValue| value.to_str().ok());
    let origin = header(http::header::ORIGIN)
        .and_then(|origin| origin.strip_prefix("https://"))
        .ok_or(HandshakeError::Origin)?;
    let host = request.uri.authority().map(|authority| authority.as_str());
    let is_same = |address: &str| without_port_443(address).eq_ignore_ascii_case(without_port_443(origin));
    let addresses = [host.or_else(|| header(http::header::HOST)), public_address];
    let is_ours = addresses.into_iter().flatten().any(is_same) || elsewhere.any(is_same);
    if is_ours { Ok(()) } else { Err(HandshakeError::Origin) }
}

/// The port that https means anyway is not written in an origin but may be in a host.
fn without_port_443(address: &str) -> &str {
    address.strip_suffix(":443").unwrap_or(address)
}

fn has_token(headers: &HeaderMap, name: &str, token: &str) -> bool {
    headers
        .get_all(name)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .any(|found| found.trim().eq_ignore_ascii_case(token))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(change: impl FnOnce(&mut HeaderMap)) -> Parts {
        let (mut parts, ()) = http::Request::get("/rdp")
            .header("host", "gate.example:8443")
            .header("origin", "https://gate.example:8443")
            .header("connection", "keep-alive, Upgrade")
            .header("upgrade", "websocket")
            .header("sec-websocket-version", "13")
            .header("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ==")
            .body(())
            .expect("valid")
            .into_parts();
        change(&mut parts.headers);
        parts
    }

    #[test]
    fn the_rfc_s_own_example_is_answered() {
        let answer = accept(&request(|_| {})).expect("valid");
        assert_eq!(answer, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    }

    #[test]
    fn other_requests_are_refused() {
        let check = |name: &'static str, value: &'static str, error| {
            let parts = request(|headers| {
                headers.insert(name, HeaderValue::from_static(value));
            });
            assert_eq!(accept(&parts), Err(error), "{name}: {value}");
        };
        check("connection", "close", HandshakeError::NotWebSocket);
        check("upgrade", "h2c", HandshakeError::NotWebSocket);
        check("sec-websocket-version", "8", HandshakeError::Version);
        check("sec-websocket-key", "AAAA", HandshakeError::Key);
        check("sec-websocket-key", "", HandshakeError::Key);
    }

    #[test]
    fn only_pages_of_this_portal_may_open_one() {
        let check = |host: &'static str, origin: Option<&'static str>, public: Option<&str>| {
            let parts = request(|headers| {
                headers.insert("host", HeaderValue::from_static(host));
                headers.remove("origin");
                if let Some(origin) = origin {
                    headers.insert("origin", HeaderValue::from_static(origin));
                }
            });
            let elsewhere = Elsewhere::default();
            elsewhere.set(vec!["other.example:8443".into()]);
            check_origin(&parts, public, &elsewhere).is_ok()
        };
        assert!(check("gate.example", Some("https://gate.example"), None));
        assert!(check("gate.example:443", Some("https://GATE.example"), None));
        assert!(check("inside:8443", Some("https://gate.example"), Some("gate.example")));
        assert!(check("gate.example", Some("https://other.example:8443"), None));
        assert!(!check("gate.example", Some("https://other.example"), None));
        assert!(!check("gate.example", Some("http://gate.example"), None));
        assert!(!check("gate.example", Some("https://evil.example"), None));
        assert!(!check("gate.example", Some("https://gate.example:8443"), None));
        assert!(!check("gate.example", Some("null"), None));
        assert!(!check("gate.example", None, None));
    }
}
