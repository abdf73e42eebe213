//! HTTP on accepted connections: one server for the portal, the management API and the internal
//! HTTP, with the time limits that hyper leaves to its user.
//!
//! An `axum::Router` is a service for it. Each request carries the connection's
//! [`ConnectInfo`](crate::incoming::ConnectInfo) as an extension. gRPC may go through here too, or
//! through tonic's own server with [`Incoming`] as its stream.

mod body;

use std::{convert::Infallible, error::Error, time::Duration};

use http::{Request, Response};
use hyper::{
    body::{Body, Incoming as Received},
    service::service_fn,
};
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::conn::auto::Builder,
};
use tokio::time::timeout;
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tower::{Service, ServiceExt};

pub use body::{REST_MAX, RequestBody};

use crate::{
    incoming::{Connection, Incoming},
    supervise::ShutdownSignal,
};

/// How long a client may take to send a request's head. Also how long an unused HTTP/1.1
/// connection is kept, so it is not shorter.
pub const HEAD_TIMEOUT: Duration = Duration::from_secs(30);

/// The largest head of an HTTP/1.1 request and the read buffer's limit, in bytes: cookies and a
/// long URL fit many times.
pub const MAX_HEAD: usize = 64 * 1024;

/// The largest list of headers of an HTTP/2 request, in bytes.
pub const MAX_H2_HEADERS: u32 = 32 * 1024;

/// Requests at the same time on one HTTP/2 connection: a browser loading the portal has some
/// dozens, and one client must not occupy the server.
pub const MAX_H2_STREAMS: u32 = 256;

/// The same for a component of the farm, which has proved to be one: a gateway passes on up to 2,048 calls at
/// once, and its link beside them, on one connection.
pub const MAX_H2_STREAMS_OF_COMPONENT: u32 = 4_096;

/// How often a silent HTTP/2 client is asked whether it is there, and how long it may take to say.
pub const H2_PROBE: Duration = Duration::from_secs(30);
/// See [`H2_PROBE`].
pub const H2_PROBE_TIMEOUT: Duration = Duration::from_secs(20);

/// Serves until the signal. Then the port is closed, idle connections end, running requests have
/// `drain` to finish, and what is left is cut off.
///
/// A connection that was upgraded (WebSocket) is the handler's from then on and is not waited for
/// here: its task listens to a signal of its own.
pub async fn serve<S, B>(mut incoming: Incoming, service: S, signal: ShutdownSignal, drain: Duration)
where
    S: Service<Request<RequestBody>, Response = Response<B>, Error = Infallible> + Clone + Send + 'static,
    S::Future: Send,
    B: Body + Send + 'static,
    B::Data: Send,
    B::Error: Into<Box<dyn Error + Send + Sync>>,
{
    let connections = TaskTracker::new();
    let cut_off = CancellationToken::new();
    while !signal.is_given() {
        let connection = tokio::select! {
            connection = incoming.next() => connection,
            () = signal.given() => None,
        };
        let Some(connection) = connection else { break };
        let (service, signal, cut_off) = (service.clone(), signal.clone(), cut_off.clone());
        connections.spawn(async move {
            tokio::select! {
                () = serve_one(connection, service, signal) => {}
                () = cut_off.cancelled() => {}
            }
        });
    }
    drop(incoming);
    connections.close();
    if timeout(drain, connections.wait()).await.is_err() {
        tracing::warn!(connections = connections.len(), "cutting off requests that did not end in time");
        cut_off.cancel();
        connections.wait().await;
    }
}

async fn serve_one<S, B>(connection: Connection, service: S, signal: ShutdownSignal)
where
    S: Service<Request<RequestBody>, Response = Response<B>, Error = Infallible> + Clone + Send + 'static,
    S::Future: Send,
    B: Body + Send + 'static,
    B::Data: Send,
    B::Error: Into<Box<dyn Error + Send + Sync>>,
{
    let who = connection.info();
    // The handshake has settled the version, so hyper need not guess from the first bytes.
    let mut builder = Builder::new(TokioExecutor::new());
    builder = if connection.is_h2() { builder.http2_only() } else { builder.http1_only() };
    builder.http1().timer(TokioTimer::new()).header_read_timeout(HEAD_TIMEOUT).max_buf_size(MAX_HEAD);
    let streams = if who.peer.is_some() { MAX_H2_STREAMS_OF_COMPONENT } else { MAX_H2_STREAMS };
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_header_list_size(MAX_H2_HEADERS)
        .max_concurrent_streams(streams)
        .keep_alive_interval(H2_PROBE)
        .keep_alive_timeout(H2_PROBE_TIMEOUT);
    let is_h2 = connection.is_h2();
    let service = service_fn(move |request: Request<Received>| {
        let (mut request, rest) = body::keep_rest(request);
        request.extensions_mut().insert(who);
        let service = service.clone();
        async move {
            let response = service.oneshot(request).await;
            // HTTP/2 can end one body without its connection.
            if !is_h2 {
                rest.drain().await;
            }
            response
        }
    });
    let serving = builder.serve_connection_with_upgrades(TokioIo::new(connection), service);
    let mut serving = std::pin::pin!(serving);
    let ended = tokio::select! {
        ended = serving.as_mut() => ended,
        () = signal.given() => {
            serving.as_mut().graceful_shutdown();
            serving.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(remote = %who.remote, %error, "connection ended");
    }
}

#[cfg(test)]
mod tests;
