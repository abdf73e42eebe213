//! One user's connection, from the WebSocket's handshake to its end.

mod authorize;
mod batch;
mod browser;
mod host;
mod pace;
mod relay;
mod sequence;
mod stream;

use std::{net::IpAddr, sync::Arc};

use axum::{
    body::Body,
    extract::{Extension, Request, State},
    response::{IntoResponse, Response},
};
use http::{StatusCode, header};
use hyper::upgrade::OnUpgrade;
use hyper_util::{rt::TokioIo, server::conn::auto::upgrade::downcast};
use oriel_model::session::EndReason;
use oriel_net::{
    door::Place,
    incoming::{ConnectInfo, Connection},
};
use oriel_rdp::{
    clean_path::{self, Failure},
    x224::{NegotiationFailure, SecurityProtocols},
};
use oriel_wire::ticket::Claims;
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadHalf, WriteHalf},
    time::{Instant, sleep, timeout},
};

use crate::{
    connections::{Ending, OpenConnection},
    limits::{CLOSE_TIMEOUT, OPENING_BYTES_MAX, OPENING_TIMEOUT},
    shared::Shared,
    web::portal::problem,
    websocket::{CLOSED_BY_GATEWAY, CLOSED_NORMALLY, handshake},
};
use browser::{Reader, Writer};
use host::{Host, HostStream};
use pace::Pace;

/// Answers the WebSocket's handshake and starts the connection's task.
pub(crate) async fn open(
    State(shared): State<Arc<Shared>>,
    Extension(client): Extension<ConnectInfo>,
    request: Request,
) -> Response {
    let (mut parts, _) = request.into_parts();
    let public_address = shared.public_address();
    let is_ours = || handshake::check_origin(&parts, public_address.as_deref(), &shared.elsewhere);
    let accepted = handshake::accept(&parts).and_then(|accept| is_ours().map(|()| accept));
    let accept = match accepted {
        Ok(accept) => accept,
        Err(error) => {
            let origin = parts.headers.get(header::ORIGIN).and_then(|origin| origin.to_str().ok());
            match (error, origin) {
                (handshake::HandshakeError::Origin, Some(origin)) => tracing::info!(
                    client.address = %client.remote.ip(), origin,
                    "refused a page of another address; if that is a gateway of this farm, set its public_address"
                ),
                _ => tracing::debug!(client.address = %client.remote.ip(), %error, "refused a WebSocket"),
            }
            return (error.status(), [(header::UPGRADE, "websocket")], format!("{error}\n")).into_response();
        }
    };
    if let Err(obstacle) = shared.takes_connections() {
        let message = format!("No new connection is possible: {obstacle}.");
        let advice = "Try again in a moment.";
        return problem(StatusCode::SERVICE_UNAVAILABLE, "farm_starting", &message, advice);
    }
    let address = client.remote.ip().to_canonical();
    let Some(place) = shared.door.enter(address) else {
        tracing::warn!(client.address = %address, "too many connections at once wait to be authorized");
        let message = "Too many connections are being opened at the same time.";
        return problem(StatusCode::TOO_MANY_REQUESTS, "busy", message, "Try again in a moment.");
    };
    let Some(upgrade) = parts.extensions.remove::<OnUpgrade>() else {
        return handshake::HandshakeError::NotWebSocket.status().into_response();
    };
    let sessions = shared.sessions.clone();
    sessions.spawn(async move {
        let upgraded = match timeout(OPENING_TIMEOUT, upgrade).await {
            Ok(Ok(upgraded)) => upgraded,
            Ok(Err(error)) => return tracing::debug!(%error, "a WebSocket was not opened"),
            Err(_) => return tracing::debug!("a WebSocket was not opened in time"),
        };
        // Under what hyper wrapped it into is the connection itself, with its vectored writes.
        match downcast::<TokioIo<Connection>>(upgraded) {
            Ok(parts) => serve(shared, parts.io.into_inner(), &parts.read_buf, address, place).await,
            Err(upgraded) => serve(shared, TokioIo::new(upgraded), &[], address, place).await,
        }
    });
    let headers = [
        (header::CONNECTION, "upgrade".parse().ok()),
        (header::UPGRADE, "websocket".parse().ok()),
        (header::SEC_WEBSOCKET_ACCEPT, Some(accept)),
    ];
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    response.headers_mut().extend(headers.into_iter().filter_map(|(name, value)| Some((name, value?))));
    response
}

/// The connection's story, over a WebSocket that has just been opened. `early` came with the
/// handshake.
async fn serve<S>(shared: Arc<Shared>, stream: S, early: &[u8], client: IpAddr, place: Place)
where
    S: AsyncRead + AsyncWrite + Send,
{
    let (reader, writer) = tokio::io::split(stream);
    let mut browser = Browser { reader: Reader::new(reader, early), writer: Writer::new(writer) };

    let opening = timeout(OPENING_TIMEOUT, browser.reader.message(OPENING_BYTES_MAX));
    let opening = tokio::select! {
        opening = opening => opening,
        () = shared.drain_begins() => return browser.refuse(Failure::Http(503)).await,
    };
    let request = match opening {
        Ok(Ok(message)) => clean_path::Request::parse(&message).map_err(|error| error.to_string()),
        Ok(Err(error)) => Err(error.to_string()),
        Err(_) => Err("it did not come in time".to_owned()),
    };
    let request = match request {
        Ok(request) => request,
        Err(error) => {
            tracing::debug!(client.address = %client, error, "no valid opening message");
            return browser.refuse(Failure::Http(400)).await;
        }
    };
    let claims = match authorize::check(&shared, &request.ticket) {
        Ok(claims) => claims,
        Err(refusal) => {
            tracing::warn!(client.address = %client, session.id = %request.destination.escape_debug(), %refusal, "refused a ticket");
            return browser.refuse(refusal.failure()).await;
        }
    };
    drop(place);

    let mut connection = shared.connections.open(&claims, client, shared.clock.now());
    tracing::info!(
        connection.id = %connection.id, session.id = %claims.session, user.name = claims.user_name,
        host.id = %claims.host, client.address = %client, "a connection opens"
    );
    let left = claims.connected_until.duration_since(shared.clock.now());
    let left = left.try_into().unwrap_or_default();
    let ordered = connection.ordered_end();
    let mut host = None;
    let end = tokio::select! {
        biased;
        ending = ordered => End::ByGateway(ending),
        () = sleep(left) => {
            End::ByGateway(Ending::new(EndReason::LimitReached, "the connection's time was up"))
        }
        end = carry(&mut browser, &mut host, &request, claims, client, &connection) => end,
    };
    let leaving = async {
        if let Some(host) = &mut host {
            host.close().await;
        }
    };
    tokio::join!(finish(browser, connection, end), leaving);
}

/// Connects to the host and relays until one side ends it. Dropped when the end is ordered, so the
/// host is left where the caller can take leave of it.
async fn carry<S>(
    browser: &mut Browser<S>,
    host: &mut Option<Host<HostStream>>,
    request: &clean_path::Request,
    claims: Claims,
    client: IpAddr,
    connection: &OpenConnection,
) -> End
where
    S: AsyncRead + AsyncWrite + Send,
{
    if !request.connection_request.protocols.contains(SecurityProtocols::SSL) {
        let failure = Failure::Negotiation(NegotiationFailure::SSL_REQUIRED);
        let detail = "the browser's client does not offer TLS";
        return End::Refused(failure, Ending::new(EndReason::Disconnected, detail));
    }
    let host = match host::connect(&claims).await {
        Ok(connected) => {
            connection.measures.host_reached();
            host.insert(connected)
        }
        Err(error) => {
            tracing::warn!(connection.id = %connection.id, host.id = %claims.host, host.address = claims.host_address, %error, "no connection to a host");
            let ending = Ending::new(error.reason(), &error);
            return End::Refused(error.failure(), ending);
        }
    };
    let max_kbits = claims.max_kbits;
    match sequence::run(browser, host, request, claims, client, &connection.measures.meter).await {
        Ok(filter) => {
            connection.measures.logon_sent();
            let pace = Pace::new(max_kbits, Instant::now());
            relay::relay(browser, host, &filter, &connection.measures, pace).await
        }
        Err(end) => end,
    }
}

/// How a connection ended, which says how the browser is told.
enum End {
    /// The host cannot be reached; the browser gets an RDCleanPath error.
    Refused(Failure, Ending),
    /// Ordered from outside, or a limit of the gateway.
    ByGateway(Ending),
    /// The host ended it, in its own words if it had any.
    ByHost(Ending),
    /// The browser closed, broke off, or talked nonsense; then with the close code that says it.
    ByBrowser(Ending, Option<u16>),
}

async fn finish<S>(browser: Browser<S>, connection: OpenConnection, end: End)
where
    S: AsyncRead + AsyncWrite + Send,
{
    let ending = match &end {
        End::Refused(_, ending) | End::ByGateway(ending) | End::ByHost(ending) => ending,
        End::ByBrowser(ending, _) => ending,
    };
    tracing::info!(
        connection.id = %connection.id, reason = ending.reason.as_str(), detail = ending.detail,
        bytes_to_host = connection.measures.meter.to_host(), bytes_to_client = connection.measures.meter.to_client(),
        "a connection ends"
    );
    let reason = ending.reason;
    // First the brokers: the page asks them for the words as soon as it is closed.
    connection.close(ending.clone());
    match end {
        End::Refused(failure, _) => browser.refuse(failure).await,
        End::ByGateway(_) => browser.close(CLOSED_BY_GATEWAY, reason.as_str()).await,
        End::ByHost(_) => browser.close(CLOSED_NORMALLY, reason.as_str()).await,
        End::ByBrowser(_, Some(code)) => browser.close(code, "").await,
        End::ByBrowser(_, None) => {}
    }
}

/// The browser's side of a connection.
struct Browser<S> {
    reader: Reader<ReadHalf<S>>,
    writer: Writer<WriteHalf<S>>,
}

impl<S: AsyncRead + AsyncWrite + Send> Browser<S> {
    /// Answers the opening message with an error, and closes.
    async fn refuse(mut self, failure: Failure) {
        self.writer.queue(failure.encode());
        self.close(CLOSED_NORMALLY, "").await;
    }

    /// Writes what is queued and the close frame, waits for the browser's, and leaves.
    async fn close(mut self, code: u16, word: &str) {
        let closing = async {
            self.writer.close(code, word).await?;
            self.reader.until_closed().await;
            self.writer.shut_down().await
        };
        // Whether the browser hears it is not in our hands.
        let _: Result<std::io::Result<()>, _> = timeout(CLOSE_TIMEOUT, closing).await;
    }
}
