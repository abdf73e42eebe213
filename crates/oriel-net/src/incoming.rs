//! Accepted connections, ready for use: a bounded number of them, after the TLS handshake, each
//! with who is at its other end.
//!
//! [`Incoming`] is a stream for `tonic` (`serve_with_incoming`) and for [`crate::serve`]. Slow and
//! silent clients are cut off here, before any service sees them.

use std::{
    collections::HashMap,
    io,
    net::{IpAddr, SocketAddr},
    pin::Pin,
    sync::{Arc, Weak},
    task::{Context, Poll, ready},
    time::Duration,
};

use futures_util::Stream;
use oriel_model::network;
use rustls::ServerConfig;
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
    sync::{OwnedSemaphorePermit, Semaphore, mpsc},
    task::{AbortHandle, JoinSet},
    time::{Instant, Sleep, sleep, timeout},
};
use tokio_rustls::{TlsAcceptor, server::TlsStream};
use tonic::transport::server::Connected;

use crate::{
    door::{Door, Place},
    identity::{PeerIdentity, Validity},
    listener::Listener,
    tls,
};

/// How much a listener takes on.
#[derive(Debug, Clone, Copy)]
pub struct AcceptLimits {
    /// How long a TLS handshake may take. Ten seconds is several round trips over the worst
    /// satellite link; whoever takes longer is broken or holds a slot on purpose.
    pub handshake: Duration,
    /// Handshakes at the same time. Each costs about 50 KiB and one or two milliseconds of
    /// processor, so 512 of them are a second of work for one core.
    pub handshakes: usize,
    /// The same from one network ([`oriel_model::network`]): an eighth, so that clients which begin and
    /// do not go on keep only their neighbours waiting. An office of a thousand that comes at once is
    /// through within a second.
    pub handshakes_per_address: usize,
    /// Connections at the same time, from the handshake to the end of use. 16,384 sessions at
    /// 64 KiB are one GiB; more users need another gateway. Beyond it, connections wait in the
    /// kernel's queue.
    pub connections: usize,
    /// The same from one network; more are closed at once. Half, so that nobody alone can take
    /// all: there is room for an office behind one address, or for all who come through a balancer that
    /// hides theirs.
    pub connections_per_address: usize,
    /// How long a client may take from the handshake to its first request's first bytes. Browsers
    /// open connections in advance and use them within seconds.
    pub first_bytes: Duration,
}

impl Default for AcceptLimits {
    fn default() -> Self {
        Self {
            handshake: Duration::from_secs(10),
            handshakes: 512,
            handshakes_per_address: 64,
            connections: 16_384,
            connections_per_address: 8_192,
            first_bytes: Duration::from_secs(20),
        }
    }
}

/// Connections between the handshake and the service: a short queue, as the service takes them at
/// once.
const READY_QUEUE: usize = 16;

/// How often it is said that connections from one network are refused: a minute's worth in one line.
const REFUSALS_INTERVAL: Duration = Duration::from_secs(60);

/// Networks whose turns at the handshake are remembered before those that nobody uses are looked for.
const TURNS_SWEEP: usize = 1_024;

/// The length of the HTTP/2 connection preface (RFC 9113, 3.4).
const H2_PREFACE: usize = 24;

/// A stream of connections. Dropping it closes the port; connections that were given out live on.
pub struct Incoming {
    ready: mpsc::Receiver<Connection>,
    local: SocketAddr,
    accepting: AbortHandle,
}

impl Incoming {
    /// Accepts TLS connections. Certificates of clients are checked by `config`; a client that has
    /// one which does not name a component of the farm is refused.
    pub fn tls(listener: Listener, config: Arc<ServerConfig>, limits: AcceptLimits) -> Self {
        Self::start(listener, Some(TlsAcceptor::from(config)), limits)
    }

    /// Accepts connections without TLS: for the port that sends browsers to the one with.
    pub fn plain(listener: Listener, limits: AcceptLimits) -> Self {
        Self::start(listener, None, limits)
    }

    /// The address that is listened on.
    pub fn local_addr(&self) -> SocketAddr {
        self.local
    }

    /// The next connection. `None` only after the runtime has begun to shut down.
    pub async fn next(&mut self) -> Option<Connection> {
        self.ready.recv().await
    }

    fn start(listener: Listener, acceptor: Option<TlsAcceptor>, limits: AcceptLimits) -> Self {
        let local = listener.local_addr();
        let (give, ready) = mpsc::channel(READY_QUEUE);
        let accepting = tokio::spawn(accept(listener, acceptor, limits, give)).abort_handle();
        Self { ready, local, accepting }
    }
}

impl Drop for Incoming {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

impl Stream for Incoming {
    type Item = io::Result<Connection>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.ready.poll_recv(cx).map(|connection| connection.map(Ok))
    }
}

/// Accepts for ever. Handshakes run beside each other and are dropped with this future.
async fn accept(
    listener: Listener,
    acceptor: Option<TlsAcceptor>,
    limits: AcceptLimits,
    give: mpsc::Sender<Connection>,
) {
    let local = listener.local_addr();
    let connections = Arc::new(Semaphore::new(limits.connections));
    let door = Door::new(limits.connections, limits.connections_per_address);
    let handshakes = Arc::new(Semaphore::new(limits.handshakes));
    let mut turns = Turns::new(limits.handshakes_per_address);
    let mut refusals = Refusals::default();
    let mut running = JoinSet::new();
    let mut complained = false;
    loop {
        if connections.available_permits() > 0 {
            complained = false;
        } else if !complained {
            complained = true;
            tracing::warn!(address = %local, limit = limits.connections, "connection limit reached; new clients wait");
        }
        let Ok(in_all) = connections.clone().acquire_owned().await else {
            return; // never: nobody closes the semaphore
        };
        let (stream, remote) = listener.accept().await;
        while running.try_join_next().is_some() {}
        let Some(of_address) = door.enter(remote.ip()) else {
            refusals.note(local, remote, limits.connections_per_address);
            continue;
        };
        let slot = Slot { _in_all: in_all, _of_address: of_address };
        let (turn, handshakes) = (turns.of(remote.ip()), handshakes.clone());
        let (acceptor, give) = (acceptor.clone(), give.clone());
        running.spawn(async move {
            let handshake = async {
                // First among its neighbours, so that who waits for them takes nothing from others.
                let _turns = (turn.acquire().await, handshakes.acquire().await);
                shake_hands(stream, remote, acceptor, limits, slot).await
            };
            match timeout(limits.handshake, handshake).await {
                // An error means that nobody is there any more to take it.
                Ok(Ok(connection)) => drop(give.send(connection).await),
                // The peer's doing, and anyone can do it: not worth more than a debug line.
                Ok(Err(error)) => {
                    tracing::debug!(%remote, reason = tls::explain(&error), "handshake failed");
                }
                Err(_) => tracing::debug!(%remote, "handshake took too long"),
            }
        });
    }
}

/// A connection's place among all of the listener and among those of its network.
struct Slot {
    _in_all: OwnedSemaphorePermit,
    _of_address: Place,
}

/// Who of one network may shake hands now.
struct Turns {
    at_once: usize,
    by_network: HashMap<IpAddr, Weak<Semaphore>>,
    sweep_at: usize,
}

impl Turns {
    fn new(at_once: usize) -> Self {
        Self { at_once, by_network: HashMap::new(), sweep_at: TURNS_SWEEP }
    }

    fn of(&mut self, address: IpAddr) -> Arc<Semaphore> {
        if self.by_network.len() >= self.sweep_at {
            // At most one for each connection is left.
            self.by_network.retain(|_, turns| turns.strong_count() > 0);
            self.sweep_at = TURNS_SWEEP.max(2 * self.by_network.len());
        }
        let turns = self.by_network.entry(network::of(address)).or_default();
        turns.upgrade().unwrap_or_else(|| {
            let fresh = Arc::new(Semaphore::new(self.at_once));
            *turns = Arc::downgrade(&fresh);
            fresh
        })
    }
}

/// Refused connections since they were last spoken of.
#[derive(Default)]
struct Refusals {
    count: u64,
    said: Option<Instant>,
}

impl Refusals {
    fn note(&mut self, local: SocketAddr, remote: SocketAddr, limit: usize) {
        self.count += 1;
        if self.said.is_none_or(|said| said.elapsed() >= REFUSALS_INTERVAL) {
            self.said = Some(Instant::now());
            let refused = std::mem::take(&mut self.count);
            tracing::warn!(
                address = %local, client.address = %remote.ip(), limit, refused,
                "too many connections from one address; more are closed at once"
            );
        }
    }
}

async fn shake_hands(
    stream: TcpStream,
    remote: SocketAddr,
    acceptor: Option<TlsAcceptor>,
    limits: AcceptLimits,
    slot: Slot,
) -> io::Result<Connection> {
    let (transport, peer, valid, is_h2) = match acceptor {
        None => (Transport::Plain(stream), None, None, false),
        Some(acceptor) => {
            let stream = acceptor.accept(stream).await?;
            let (_, session) = stream.get_ref();
            let peer = tls::peer_identity(session.peer_certificates()).map_err(io::Error::other)?;
            let shown = session.peer_certificates().and_then(|chain| chain.first());
            let valid = shown.and_then(Validity::of_certificate);
            let is_h2 = session.alpn_protocol() == Some(b"h2");
            (Transport::Tls(Box::new(stream)), peer, valid, is_h2)
        }
    };
    let patience =
        Patience { missing: if is_h2 { H2_PREFACE } else { 1 }, end: Box::pin(sleep(limits.first_bytes)) };
    let connect_info = ConnectInfo { peer, valid, remote };
    Ok(Connection { transport, connect_info, is_h2, patience: Some(patience), _slot: slot })
}

/// Who is at the other end of a connection. Handlers find it in the request's extensions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ConnectInfo {
    /// The component of the farm that the client has proved to be. `None`: it showed no
    /// certificate.
    pub peer: Option<PeerIdentity>,
    /// Until when the certificate is valid that it showed.
    pub valid: Option<Validity>,
    /// Where the connection comes from.
    pub remote: SocketAddr,
}

/// An accepted connection. It counts against its listener's limit until it is dropped.
pub struct Connection {
    transport: Transport,
    connect_info: ConnectInfo,
    is_h2: bool,
    patience: Option<Patience>,
    _slot: Slot,
}

enum Transport {
    Plain(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
}

/// How long the first bytes are waited for, and how many are missing. An HTTP server's own time
/// limits begin only with the first byte, for HTTP/2 after the preface.
struct Patience {
    missing: usize,
    end: Pin<Box<Sleep>>,
}

impl Connection {
    /// Whether the client chose HTTP/2 in the handshake.
    pub fn is_h2(&self) -> bool {
        self.is_h2
    }

    /// Who is at the other end.
    pub fn info(&self) -> ConnectInfo {
        self.connect_info
    }
}

impl Connected for Connection {
    type ConnectInfo = ConnectInfo;

    fn connect_info(&self) -> ConnectInfo {
        self.connect_info
    }
}

impl AsyncRead for Connection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let read = match &mut self.transport {
            Transport::Plain(stream) => Pin::new(stream).poll_read(cx, buffer),
            Transport::Tls(stream) => Pin::new(stream).poll_read(cx, buffer),
        };
        let Some(patience) = &mut self.patience else { return read };
        if read.is_pending() {
            ready!(patience.end.as_mut().poll(cx));
            let error = io::Error::new(io::ErrorKind::TimedOut, "the client sent no request");
            return Poll::Ready(Err(error));
        }
        patience.missing = patience.missing.saturating_sub(buffer.filled().len() - before);
        if patience.missing == 0 {
            self.patience = None;
        }
        read
    }
}

impl AsyncWrite for Connection {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match &mut self.transport {
            Transport::Plain(stream) => Pin::new(stream).poll_write(cx, bytes),
            Transport::Tls(stream) => Pin::new(stream).poll_write(cx, bytes),
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.transport {
            Transport::Plain(stream) => Pin::new(stream).poll_flush(cx),
            Transport::Tls(stream) => Pin::new(stream).poll_flush(cx),
        }
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.transport {
            Transport::Plain(stream) => Pin::new(stream).poll_shutdown(cx),
            Transport::Tls(stream) => Pin::new(stream).poll_shutdown(cx),
        }
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        match &mut self.transport {
            Transport::Plain(stream) => Pin::new(stream).poll_write_vectored(cx, slices),
            Transport::Tls(stream) => Pin::new(stream).poll_write_vectored(cx, slices),
        }
    }

    fn is_write_vectored(&self) -> bool {
        match &self.transport {
            Transport::Plain(stream) => stream.is_write_vectored(),
            Transport::Tls(stream) => stream.is_write_vectored(),
        }
    }
}

impl std::fmt::Debug for Connection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Connection").field("connect_info", &self.connect_info).finish_non_exhaustive()
    }
}
