//! The plain HTTP port: it only says where HTTPS is.

use axum::{
    Router,
    extract::{Request, State},
    response::{IntoResponse, Response},
};
use http::{StatusCode, header, uri::Authority};

use crate::config::host_of;

#[derive(Clone)]
struct Target {
    public_address: Option<String>,
    https_port: u16,
}

/// Answers every request with the way to the same page over HTTPS: at the public address, or at the
/// host that the browser asked for.
pub(crate) fn router(public_address: Option<String>, https_port: u16) -> Router {
    Router::new().fallback(redirect).with_state(Target { public_address, https_port })
}

async fn redirect(State(target): State<Target>, request: Request) -> Response {
    let asked = request
        .headers()
        .get(header::HOST)
        .and_then(|host| host.to_str().ok())
        .and_then(|host| host.parse::<Authority>().ok())
        .filter(|host| !host.as_str().contains('@'));
    let authority = match (&target.public_address, asked) {
        (Some(address), _) => address.clone(),
        (None, Some(asked)) => with_port(host_of(asked.as_str()), target.https_port),
        (None, None) => {
            return (StatusCode::BAD_REQUEST, "The request names no host.\n").into_response();
        }
    };
    let path = request.uri().path_and_query().map_or("/", |path| path.as_str());
    let to = format!("https://{authority}{path}");
    let headers = [(header::LOCATION, to), (header::CACHE_CONTROL, "no-store".to_owned())];
    (StatusCode::PERMANENT_REDIRECT, headers).into_response()
}

fn with_port(host: &str, port: u16) -> String {
    let host = if host.contains(':') { format!("[{host}]") } else { host.to_owned() };
    if port == 443 { host } else { format!("{host}:{port}") }
}

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use tower::ServiceExt;

    use super::*;

    #[tokio::test]
    async fn every_page_is_found_over_https() {
        let check = async |public: Option<&str>, port, host: Option<&str>, expected: Option<&str>| {
            let mut request = http::Request::get("/session?resource=7");
            if let Some(host) = host {
                request = request.header("host", host);
            }
            let request = request.body(Body::empty()).expect("a valid request");
            let router = router(public.map(str::to_owned), port);
            let response = router.oneshot(request).await.expect("infallible");
            let location = response.headers().get(header::LOCATION).map(|v| v.to_str().expect("ASCII"));
            assert_eq!(location, expected);
        };
        check(None, 443, Some("gate:80"), Some("https://gate/session?resource=7")).await;
        check(None, 8443, Some("gate"), Some("https://gate:8443/session?resource=7")).await;
        check(None, 8443, Some("[::1]:80"), Some("https://[::1]:8443/session?resource=7")).await;
        check(Some("out.example"), 8443, Some("in"), Some("https://out.example/session?resource=7")).await;
        check(None, 443, Some("evil@gate"), None).await;
        check(None, 443, Some("gate/path"), None).await;
        check(None, 443, None, None).await;
    }
}
