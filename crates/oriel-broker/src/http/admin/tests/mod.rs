//! The API as scripts see it, on a real store in a temporary folder.

mod archives;
mod attention;
mod audit;
mod backups;
mod calendar;
mod callers;
mod changes;
mod colleagues;
mod document;
mod documents;
mod effective;
mod events;
mod idempotency;
mod kinds;
mod lists;
mod load;
mod moves;
mod notifications;
mod objects;
mod permissions;
mod problems;
mod references;
mod revisions;
mod roots;
mod second_factor;
mod sign_in;
mod syslog;

use std::{
    net::{IpAddr, Ipv4Addr},
    sync::Arc,
};

use axum::{Router, body::Body};
use http::{HeaderMap, Method, Request, StatusCode};
use http_body_util::BodyExt;
use oriel_net::supervise::ShutdownHandle;
use serde_json::{Value, json};
use tower::ServiceExt;

use super::*;
use crate::{BrokerConfig, bootstrap::ADMIN_TOKEN_FILE, http::PeerAddress};

struct Office {
    router: Router,
    broker: Arc<Broker>,
    token: String,
    stop: ShutdownHandle,
    running: tokio::task::JoinHandle<()>,
    config: BrokerConfig,
    folder: Arc<tempfile::TempDir>,
}

impl Drop for Office {
    fn drop(&mut self) {
        self.stop.give();
    }
}

#[derive(Debug)]
struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    body: Value,
}

impl Answer {
    /// The body of an answer that is as expected.
    #[track_caller]
    fn expect(self, status: StatusCode) -> Value {
        assert_eq!(self.status, status, "{:#}", self.body);
        self.body
    }

    /// What a problem document says happened.
    #[track_caller]
    fn refused(self, status: StatusCode, code: &str) -> String {
        let kind = self.header("content-type").to_owned();
        let body = self.expect(status);
        assert_eq!(kind, "application/problem+json", "{body:#}");
        assert_eq!(
            (body["code"].as_str(), body["status"].as_u64()),
            (Some(code), Some(status.as_u16().into()))
        );
        assert_eq!(body["type"], format!("/api/v1/problems/{code}"));
        body["detail"].as_str().expect("a sentence").to_owned()
    }

    /// A header; empty when there is none.
    fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().expect("text"))
    }
}

impl Office {
    async fn open() -> Self {
        Self::open_with(|_| {}).await
    }

    async fn open_with(change: impl FnOnce(&mut BrokerConfig)) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let mut config = config(folder.path());
        change(&mut config);
        Self::run(config, Arc::new(folder)).await
    }

    async fn run(config: BrokerConfig, folder: Arc<tempfile::TempDir>) -> Self {
        let bound = crate::bind(config.clone()).await.expect("a broker");
        let token = std::fs::read_to_string(config.data_dir.join(ADMIN_TOKEN_FILE)).expect("a token");
        let broker = bound.broker().clone();
        let router = router(broker.clone());
        let stop = ShutdownHandle::new();
        let serving = bound.run(stop.signal());
        let running = tokio::spawn(async move { serving.await.expect("it serves") });
        Self { router, broker, token: token.trim().to_owned(), stop, running, config, folder }
    }

    /// The same broker after it was stopped and started again.
    async fn restarted(mut self) -> Self {
        let (config, folder) = (self.config.clone(), self.folder.clone());
        self.stop.give();
        (&mut self.running).await.expect("no panic");
        drop(self);
        Self::run(config, folder).await
    }

    /// A request as `token` sends it.
    fn request(
        &self,
        token: &str,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: Vec<u8>,
    ) -> Request<Body> {
        let mut request = Request::builder()
            .method(method)
            .uri(format!("{PATH_PREFIX}/{path}"))
            .header("authorization", format!("Bearer {token}"))
            .extension(PeerAddress((Ipv4Addr::LOCALHOST, 1).into()));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request.body(Body::from(body)).expect("a request")
    }

    async fn ask(&self, request: Request<Body>) -> Answer {
        let response = self.router.clone().oneshot(request).await.expect("an answer");
        let (status, headers) = (response.status(), response.headers().clone());
        let bytes = response.into_body().collect().await.expect("a body").to_bytes();
        Answer { status, headers, body: serde_json::from_slice(&bytes).unwrap_or(Value::Null) }
    }

    async fn send(
        &self,
        token: &str,
        method: Method,
        path: &str,
        kind: &str,
        body: Vec<u8>,
        if_match: Option<u64>,
    ) -> Answer {
        let tag = if_match.map(|revision| format!("\"{revision}\""));
        let mut headers = vec![("content-type", kind)];
        headers.extend(tag.as_deref().map(|tag| ("if-match", tag)));
        self.ask(self.request(token, method, path, &headers, body)).await
    }

    async fn get(&self, path: &str) -> Answer {
        self.send(&self.token, Method::GET, path, "", Vec::new(), None).await
    }

    async fn post(&self, path: &str, body: Value) -> Answer {
        let body = body.to_string().into_bytes();
        self.send(&self.token, Method::POST, path, "application/json", body, None).await
    }

    async fn put(&self, path: &str, body: Value) -> Answer {
        let body = body.to_string().into_bytes();
        self.send(&self.token, Method::PUT, path, "application/json", body, None).await
    }

    async fn patch(&self, path: &str, body: Value) -> Answer {
        let body = body.to_string().into_bytes();
        self.send(&self.token, Method::PATCH, path, "application/merge-patch+json", body, None).await
    }

    async fn delete(&self, path: &str, revision: u64) -> Answer {
        self.send(&self.token, Method::DELETE, path, "", Vec::new(), Some(revision)).await
    }

    async fn made(&self, path: &str, body: Value) -> String {
        let body = self.post(path, body).await.expect(StatusCode::CREATED);
        body["id"].as_str().expect("an id").to_owned()
    }
}

/// A broker in a folder, at ports that the system chooses.
fn config(folder: &std::path::Path) -> BrokerConfig {
    let mut config = BrokerConfig::new(folder, IpAddr::V4(Ipv4Addr::LOCALHOST), "b1");
    config.gateway_listen.set_port(0);
    config.agent_listen.set_port(0);
    config.management_listen.set_port(0);
    config
}

/// The names on a page.
#[track_caller]
fn names(page: &Value) -> Vec<&str> {
    page["items"]
        .as_array()
        .expect("a page")
        .iter()
        .map(|item| item["name"].as_str().expect("a name"))
        .collect()
}
