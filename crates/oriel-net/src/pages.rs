//! The pages of a portal: static files, compressed beforehand; and the headers that keep them to themselves.
//!
//! A path whose last part has no dot is a place within the portal, which its script finds its way to:
//! it gets `index.html`. Files under `/assets` have their content's digest in their name and may be
//! kept for ever.

use std::{convert::Infallible, path::Path, sync::Arc};

use axum::{
    Router,
    body::Body,
    extract::{Request, State},
    response::{IntoResponse, Response},
};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use tower::ServiceExt;
use tower_http::services::{ServeDir, ServeFile};

/// Until the name changes, which it does with the content. In seconds: a year.
const FOREVER: HeaderValue = HeaderValue::from_static("public, max-age=31536000, immutable");
/// Asked for again each time, answered with "not modified" if so.
const ALWAYS_ASK: HeaderValue = HeaderValue::from_static("no-cache");

/// Scripts, pictures and connections only from here. What is more: styles in attributes for Mantine, `data:`
/// and `blob:` for pictures.
pub const CONTENT_SECURITY_POLICY: &str = "default-src 'self'; script-src 'self'; \
    style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; font-src 'self'; \
    frame-ancestors 'none'; base-uri 'none'; object-src 'none'; form-action 'self'; connect-src 'self'";

const HEADERS: [(HeaderName, HeaderValue); 6] = [
    // A year. Browsers ignore it where the certificate is not trusted, and for addresses.
    (header::STRICT_TRANSPORT_SECURITY, HeaderValue::from_static("max-age=31536000")),
    (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    (header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY")),
    // A page tells a link of its portal from one of another site by it.
    (header::REFERRER_POLICY, HeaderValue::from_static("same-origin")),
    (HeaderName::from_static("cross-origin-opener-policy"), HeaderValue::from_static("same-origin")),
    (HeaderName::from_static("cross-origin-resource-policy"), HeaderValue::from_static("same-origin")),
];

/// Adds the headers that every answer of a portal carries, in place of any that it has. What its pages may
/// do beyond that differs: [`header::CONTENT_SECURITY_POLICY`] and the permissions policy are the caller's.
pub fn protect(headers: &mut HeaderMap) {
    for (name, value) in HEADERS {
        headers.insert(name, value);
    }
}

struct Pages {
    files: ServeDir,
    index: ServeFile,
}

/// Serves the pages in a folder.
pub fn router(web_root: &Path) -> Router {
    let pages = Pages {
        files: ServeDir::new(web_root)
            .append_index_html_on_directories(false)
            .precompressed_br()
            .precompressed_gzip(),
        index: ServeFile::new(web_root.join("index.html")).precompressed_br().precompressed_gzip(),
    };
    Router::new().fallback(page).with_state(Arc::new(pages))
}

async fn page(State(pages): State<Arc<Pages>>, request: Request) -> Response {
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        let allow = [(header::ALLOW, "GET, HEAD")];
        return (StatusCode::METHOD_NOT_ALLOWED, allow, "Pages can only be read.\n").into_response();
    }
    let path = request.uri().path();
    let is_asset = path.starts_with("/assets/");
    let is_file = path.rsplit('/').next().is_some_and(|last| last.contains('.'));
    let answer = if is_file || is_asset {
        pages.files.clone().oneshot(request).await.map(|response| response.map(Body::new))
    } else {
        pages.index.clone().oneshot(request).await.map(|response| response.map(Body::new))
    };
    let mut response = answer.unwrap_or_else(|never: Infallible| match never {});
    if response.status() == StatusCode::NOT_FOUND {
        let words = if is_file || is_asset {
            "There is no such file.\n"
        } else {
            "The portal's pages are not installed here.\n"
        };
        let no_store = [(header::CACHE_CONTROL, "no-store")];
        return (StatusCode::NOT_FOUND, no_store, words).into_response();
    }
    let is_good = response.status().is_success() || response.status() == StatusCode::NOT_MODIFIED;
    let cache = if is_asset && is_good { FOREVER } else { ALWAYS_ASK };
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, cache);
    headers.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
    response
}

#[cfg(test)]
mod tests {
    use http_body_util::BodyExt;

    use super::*;

    struct Scratch(tempfile::TempDir);

    impl Scratch {
        fn new() -> Self {
            Self(tempfile::tempdir().expect("a folder"))
        }

        fn path(&self) -> &Path {
            self.0.path()
        }

        fn write(&self, name: &str, text: &str) {
            let path = self.path().join(name);
            std::fs::create_dir_all(path.parent().expect("a folder")).expect("made");
            std::fs::write(path, text).expect("written");
        }
    }

    fn site() -> Scratch {
        let scratch = Scratch::new();
        scratch.write("dist/index.html", "<html>portal");
        scratch.write("dist/favicon.svg", "<svg>");
        scratch.write("dist/assets/app-1a2b.js", "plain");
        scratch.write("dist/assets/app-1a2b.js.br", "brotli");
        scratch.write("dist/assets/app-1a2b.js.gz", "gzip");
        scratch.write("dist/assets/client-3c.wasm", "\0asm");
        scratch.write("secret.txt", "outside");
        scratch
    }

    /// Status, the named header, and the text of an answer.
    async fn get(path: &str, encodings: &str, shown: &str) -> (u16, String, String) {
        let site = site();
        let request = http::Request::get(path)
            .header("accept-encoding", encodings)
            .body(Body::empty())
            .expect("a valid request");
        let response = router(&site.path().join("dist")).oneshot(request).await.expect("infallible");
        let value = response.headers().get(shown).map_or("", |v| v.to_str().expect("ASCII")).to_owned();
        let status = response.status().as_u16();
        let body = response.into_body().collect().await.expect("a file").to_bytes();
        (status, value, String::from_utf8_lossy(&body).into_owned())
    }

    async fn check(path: &str, encodings: &str, shown: &str, expected: (u16, &str, &str)) {
        let (status, value, body) = get(path, encodings, shown).await;
        assert_eq!((status, &*value, &*body), expected, "{path}");
    }

    #[tokio::test]
    async fn places_within_the_portal_are_its_first_page() {
        for path in ["/", "/session", "/session?resource=1", "/settings/keyboard"] {
            check(path, "", "cache-control", (200, "no-cache", "<html>portal")).await;
        }
        check("/index.html", "", "cache-control", (200, "no-cache", "<html>portal")).await;
        check("/", "", "content-type", (200, "text/html", "<html>portal")).await;
    }

    #[tokio::test]
    async fn assets_are_kept_for_ever_and_sent_compressed() {
        let forever = "public, max-age=31536000, immutable";
        check("/assets/app-1a2b.js", "", "cache-control", (200, forever, "plain")).await;
        check("/assets/app-1a2b.js", "gzip, br", "content-encoding", (200, "br", "brotli")).await;
        check("/assets/app-1a2b.js", "gzip", "content-encoding", (200, "gzip", "gzip")).await;
        check("/assets/app-1a2b.js", "br", "content-type", (200, "text/javascript", "brotli")).await;
        check("/assets/app-1a2b.js", "br", "vary", (200, "accept-encoding", "brotli")).await;
        check("/assets/client-3c.wasm", "br", "content-type", (200, "application/wasm", "\0asm")).await;
        check("/favicon.svg", "", "cache-control", (200, "no-cache", "<svg>")).await;
    }

    #[tokio::test]
    async fn nothing_else_is_there() {
        let missing = (404, "no-store", "There is no such file.\n");
        for path in [
            "/assets/old-9z.js",
            "/assets/",
            "/robots.txt",
            "/../secret.txt",
            "/assets/../../secret.txt",
            "/%2e%2e/secret.txt",
            "/..%2fsecret.txt",
        ] {
            check(path, "", "cache-control", missing).await;
        }
    }

    #[tokio::test]
    async fn pages_are_only_read_and_their_absence_is_said() {
        let site = Scratch::new();
        let ask = |request: http::request::Builder| {
            let request = request.body(Body::empty()).expect("a valid request");
            router(site.path()).oneshot(request)
        };
        let refused = ask(http::Request::post("/")).await.expect("infallible");
        assert_eq!(refused.status(), StatusCode::METHOD_NOT_ALLOWED);
        let missing = ask(http::Request::get("/")).await.expect("infallible");
        assert_eq!(missing.status(), StatusCode::NOT_FOUND);
        let words = missing.into_body().collect().await.expect("text").to_bytes();
        assert_eq!(words, "The portal's pages are not installed here.\n");
    }
}
