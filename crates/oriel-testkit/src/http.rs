//! HTTP clients: the portal's, with its cookie, and the administrators', with a token. Both keep
//! connections open and take any certificate.

use std::{
    fmt,
    net::{IpAddr, SocketAddr},
    pin::Pin,
    sync::Mutex,
    task::{Context, Poll},
    time::Duration,
};

use anyhow::{Context as _, bail, ensure};
use bytes::Bytes;
use http::{HeaderMap, Method, Request, StatusCode, Uri, header};
use http_body_util::{BodyExt, Full};
use hyper_util::{
    client::legacy::{
        Client,
        connect::{Connected, Connection},
    },
    rt::{TokioExecutor, TokioIo},
};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;

use crate::tls;

/// Longer than any answer takes, even one that waits for 20 seconds on purpose.
const PATIENCE: Duration = Duration::from_secs(60);

/// An answer.
#[derive(Debug, Clone)]
pub struct Answer {
    /// Its status.
    pub status: StatusCode,
    /// Its headers.
    pub headers: HeaderMap,
    /// Its body.
    pub body: Bytes,
}

/// Sends requests to one listener.
#[derive(Clone)]
pub struct HttpClient {
    client: Client<Connector, Full<Bytes>>,
    address: SocketAddr,
}

/// A browser at the portal.
pub struct PortalClient {
    http: HttpClient,
    cookie: Mutex<Option<String>>,
}

/// An administrator's script.
#[derive(Clone)]
pub struct AdminClient {
    http: HttpClient,
    token: String,
}

impl Answer {
    /// The body as JSON; `null` where it is none.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or(Value::Null)
    }

    /// The stable word of an error.
    pub fn code(&self) -> String {
        self.json()["code"].as_str().unwrap_or_default().to_owned()
    }

    /// The sentence of an error.
    pub fn message(&self) -> String {
        self.json()["detail"].as_str().unwrap_or_default().to_owned()
    }

    /// Fails, with all of it, unless it has a status of success.
    pub fn expect_success(self) -> anyhow::Result<Value> {
        ensure!(self.status.is_success(), "{self}");
        Ok(self.json())
    }

    /// Fails, with all of it, unless it has this status and, for errors, this code.
    #[track_caller]
    pub fn assert(&self, status: u16, code: &str) {
        let caller = std::panic::Location::caller();
        assert!(
            self.status.as_u16() == status && (code.is_empty() || self.code() == code),
            "{caller}: expected {status} {code}, got {self}"
        );
    }

    /// Fails unless it is an error with this status and code, and the message has this in it.
    #[track_caller]
    pub fn assert_says(&self, status: u16, code: &str, part: &str) {
        self.assert(status, code);
        assert!(self.message().contains(part), "expected \"{part}\" in {self}");
    }
}

impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.status, String::from_utf8_lossy(&self.body))
    }
}

impl HttpClient {
    /// A client for the HTTPS listener at `address`.
    pub fn new(address: SocketAddr) -> Self {
        Self::of(address, Connector { from: None })
    }

    /// As [`HttpClient::new`], with connections that come from `from`.
    pub fn from(address: SocketAddr, from: IpAddr) -> Self {
        Self::of(address, Connector { from: Some(from) })
    }

    fn of(address: SocketAddr, connector: Connector) -> Self {
        Self { client: Client::builder(TokioExecutor::new()).build(connector), address }
    }

    /// Sends a request.
    pub async fn send(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: impl Into<Bytes>,
    ) -> anyhow::Result<Answer> {
        let mut request = Request::builder().method(method).uri(format!("https://{}{path}", self.address));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(Full::new(body.into()))?;
        let exchange = async {
            let response = self.client.request(request).await?;
            let (parts, body) = response.into_parts();
            let body = body.collect().await?.to_bytes();
            anyhow::Ok(Answer { status: parts.status, headers: parts.headers, body })
        };
        tokio::time::timeout(PATIENCE, exchange).await.with_context(|| format!("no answer to {path}"))?
    }

    /// Sends JSON, or nothing where it is `null`.
    pub async fn send_json(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: &Value,
    ) -> anyhow::Result<Answer> {
        if body.is_null() {
            return self.send(method, path, headers, Bytes::new()).await;
        }
        let mut headers = headers.to_vec();
        headers.push(("content-type", "application/json"));
        self.send(method, path, &headers, serde_json::to_vec(body)?).await
    }
}

impl PortalClient {
    /// Nobody is signed in.
    pub fn new(gateway: SocketAddr) -> Self {
        Self { http: HttpClient::new(gateway), cookie: Mutex::default() }
    }

    /// A request of the portal's pages; `path` is below `/api/portal/v1`.
    pub async fn call(&self, method: Method, path: &str, body: &Value) -> anyhow::Result<Answer> {
        let cookie = self.cookie();
        let mut headers = vec![("oriel-request", "1")];
        if let Some(cookie) = &cookie {
            headers.push(("cookie", cookie));
        }
        let answer = self.http.send_json(method, &format!("/api/portal/v1{path}"), &headers, body).await?;
        self.keep_cookie(&answer);
        Ok(answer)
    }

    /// GET.
    pub async fn get(&self, path: &str) -> anyhow::Result<Answer> {
        self.call(Method::GET, path, &Value::Null).await
    }

    /// POST.
    pub async fn post(&self, path: &str, body: Value) -> anyhow::Result<Answer> {
        self.call(Method::POST, path, &body).await
    }

    /// Tries to sign in.
    pub async fn try_sign_in(&self, user: &str, password: &str) -> anyhow::Result<Answer> {
        self.post("/sign-in", json!({ "user_name": user, "password": password })).await
    }

    /// Signs in.
    pub async fn sign_in(&self, user: &str, password: &str) -> anyhow::Result<Value> {
        self.try_sign_in(user, password).await?.expect_success()
    }

    /// The resources that the user sees, as the API lists them.
    pub async fn resources(&self) -> anyhow::Result<Vec<Value>> {
        let mut answer = self.get("/resources").await?.expect_success()?;
        match answer["resources"].take() {
            Value::Array(resources) => Ok(resources),
            other => bail!("no list of resources: {other}"),
        }
    }

    /// The names of the resources that the user sees, sorted.
    pub async fn resource_names(&self) -> anyhow::Result<Vec<String>> {
        let mut names: Vec<String> = self
            .resources()
            .await?
            .iter()
            .map(|resource| resource["name"].as_str().unwrap_or_default().to_owned())
            .collect();
        names.sort();
        Ok(names)
    }

    /// Asks to open a resource.
    pub async fn try_launch(&self, resource: &str) -> anyhow::Result<Answer> {
        self.post("/launches", json!({ "resource_id": resource, "client": client_facts() })).await
    }

    /// Opens a resource.
    pub async fn launch(&self, resource: &str) -> anyhow::Result<Value> {
        self.try_launch(resource).await?.expect_success()
    }

    /// Asks to return to a session.
    pub async fn try_return(&self, session: &str) -> anyhow::Result<Answer> {
        self.post("/launches", json!({ "session_id": session, "client": client_facts() })).await
    }

    /// The user's running sessions.
    pub async fn sessions(&self) -> anyhow::Result<Vec<Value>> {
        let mut answer = self.get("/sessions").await?.expect_success()?;
        Ok(answer["sessions"].take().as_array().cloned().unwrap_or_default())
    }

    /// The words for the end of a connection, once it has ended.
    pub async fn end_of(&self, connection: &str) -> anyhow::Result<Value> {
        self.get(&format!("/connections/{connection}/end?wait=10")).await?.expect_success()
    }

    /// The sign-in cookie, as `name=value`.
    pub fn cookie(&self) -> Option<String> {
        self.cookie.lock().unwrap().clone()
    }

    /// Uses this cookie from now on.
    pub fn set_cookie(&self, cookie: Option<String>) {
        *self.cookie.lock().unwrap() = cookie;
    }

    /// The connection below.
    pub fn http(&self) -> &HttpClient {
        &self.http
    }

    fn keep_cookie(&self, answer: &Answer) {
        for value in answer.headers.get_all(header::SET_COOKIE) {
            let Some(pair) = value.to_str().ok().and_then(|text| text.split(';').next()) else { continue };
            let is_empty = pair.ends_with('=');
            self.set_cookie((!is_empty).then(|| pair.trim().to_owned()));
        }
    }
}

/// What the session page says of itself.
pub fn client_facts() -> Value {
    json!({
        "name": "laptop",
        "width": 1024,
        "height": 700,
        "keyboard_layout": 0x407,
        "operating_system": "linux",
        "version": "test"
    })
}

impl AdminClient {
    /// Calls the management API at `address` with `token`.
    pub fn new(address: SocketAddr, token: impl Into<String>) -> Self {
        Self { http: HttpClient::new(address), token: token.into() }
    }

    /// A request; `path` is below `/api/v1`.
    pub async fn call(&self, method: Method, path: &str, body: &Value) -> anyhow::Result<Answer> {
        let authorization = format!("Bearer {}", self.token);
        let headers = [("authorization", &*authorization)];
        self.http.send_json(method, &format!("/api/v1{path}"), &headers, body).await
    }

    /// The same administrator at another address.
    pub fn from(&self, address: IpAddr) -> Self {
        Self { http: HttpClient::from(self.http.address, address), token: self.token.clone() }
    }

    /// GET of what never ends: the answer's body, while it comes.
    pub async fn stream(&self, path: &str) -> anyhow::Result<hyper::body::Incoming> {
        let uri = format!("https://{}/api/v1{path}", self.http.address);
        let authorization = format!("Bearer {}", self.token);
        let request = Request::get(uri).header(header::AUTHORIZATION, authorization);
        let response = self.http.client.request(request.body(Full::default())?).await?;
        ensure!(response.status().is_success(), "{path}: {}", response.status());
        Ok(response.into_body())
    }

    /// GET.
    pub async fn try_get(&self, path: &str) -> anyhow::Result<Answer> {
        self.call(Method::GET, path, &Value::Null).await
    }

    /// GET that succeeds.
    pub async fn get(&self, path: &str) -> anyhow::Result<Value> {
        self.try_get(path).await?.expect_success()
    }

    /// POST.
    pub async fn try_post(&self, path: &str, body: Value) -> anyhow::Result<Answer> {
        self.call(Method::POST, path, &body).await
    }

    /// POST that succeeds.
    pub async fn post(&self, path: &str, body: Value) -> anyhow::Result<Value> {
        self.try_post(path, body).await?.expect_success()
    }

    /// PUT.
    pub async fn try_put(&self, path: &str, body: Value) -> anyhow::Result<Answer> {
        self.call(Method::PUT, path, &body).await
    }

    /// DELETE of an object with this revision.
    pub async fn try_delete(&self, path: &str, revision: u64) -> anyhow::Result<Answer> {
        self.call(Method::DELETE, &format!("{path}?revision={revision}"), &Value::Null).await
    }

    /// Makes an object of `kind` (plural, as in the path) and gives its id.
    pub async fn create(&self, kind: &str, name: &str, spec: Value) -> anyhow::Result<String> {
        let made = self.post(&format!("/{kind}"), json!({ "name": name, "spec": spec })).await?;
        Ok(made["id"].as_str().with_context(|| format!("no id in {made}"))?.to_owned())
    }

    /// Reads an object, changes its spec and writes it back, again when somebody else was faster.
    pub async fn change(&self, path: &str, change: impl Fn(&mut Value)) -> anyhow::Result<Value> {
        loop {
            let mut object = self.get(path).await?;
            change(&mut object["spec"]);
            let body = json!({
                "name": object["name"],
                "site": object["site"],
                "revision": object["revision"],
                "spec": object["spec"],
            });
            let answer = self.try_put(path, body).await?;
            if answer.status != StatusCode::PRECONDITION_FAILED {
                return answer.expect_success();
            }
        }
    }

    /// The connection below.
    pub fn http(&self) -> &HttpClient {
        &self.http
    }

    /// The token.
    pub fn token(&self) -> &str {
        &self.token
    }
}

/// Opens TLS connections for [`HttpClient`].
#[derive(Clone)]
struct Connector {
    /// The own address; none: whichever the system chooses.
    from: Option<IpAddr>,
}

struct TlsConnection(TokioIo<TlsStream<TcpStream>>);

impl tower::Service<Uri> for Connector {
    type Response = TlsConnection;
    type Error = anyhow::Error;
    type Future = Pin<Box<dyn Future<Output = anyhow::Result<TlsConnection>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<anyhow::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        let from = self.from;
        Box::pin(async move {
            let address = uri.authority().context("no authority")?.as_str().parse()?;
            Ok(TlsConnection(TokioIo::new(tls::connect_from(address, from).await?)))
        })
    }
}

impl Connection for TlsConnection {
    fn connected(&self) -> Connected {
        Connected::new()
    }
}

impl hyper::rt::Read for TlsConnection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: hyper::rt::ReadBufCursor<'_>,
    ) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.0).poll_read(context, buffer)
    }
}

impl hyper::rt::Write for TlsConnection {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<std::io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(context)
    }
}
