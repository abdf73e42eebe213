//! Accepted connections, ready for use: a bounded number of them, after the TLS handshake, each
//! with who is at its other end.
//!
//! [`Incoming`] is a stream for `tonic` (`serve_with_incoming`) and for [`crate::serve`]. Slow and
//! silent clients are cut off here, before any service sees them.

use std::{
    io,
    net::SocketAddr,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
    time::Duration,
};

use futures_util::Stream;
use rustls::ServerConfig;
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
    sync::{OwnedSemaphorePermit, Semaphore, mpsc},
    task::{AbortHandle, JoinSet},
    time::{Sleep, sleep, timeout},
};
use tokio_rustls::{TlsAcceptor, server::TlsStream};
use tonic::transport::server::Connected;

use crate::{identity::PeerIdentity, listener::Listener, tls};

/// How much a listener takes on.
#[derive(Debug, Clone, Copy)]
pub struct AcceptLimits {
    /// How long a TLS handshake may take. Ten seconds is several round trips over the worst
    /// satellite link; whoever takes longer is broken or holds a slot on purpose.
    pub handshake: Duration,
    /// Handshakes at the same time. Each costs about 50 KiB and one or two milliseconds of
    /// processor, so 512 of them are a second of work for one core.
    pub handshakes: usize,
    /// Connections at the same time, from the handshake to the end of use. 16,384 sessions at
    /// 64 KiB are one GiB; more users need another gateway. Beyond it, connections wait in the
    /// kernel's queue.
    pub connections: usize,
    /// How long a client may take from the handshake to its first request's first bytes. Browsers
    /// open connections in advance and use them within seconds.
    pub first_bytes: Duration,
}

impl Default for AcceptLimits {
    fn default() -> Self {
        Self {
            handshake: Duration::from_secs(10),
            handshakes: 512,
            connections: 16_384,
            first_bytes: Duration::from_secs(20),
        }
    }
}

/// Connections between the handshake and the service: a short queue, as the service takes them at
/// once.
const READY_QUEUE: usize = 16;

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
    let connections = Arc::new(Semaphore::new(limits.connections));
    let handshakes = Arc::new(Semaphore::new(limits.handshakes));
    let mut running = JoinSet::new();
    let mut complained = false;
    loop {
        if connections.available_permits() > 0 {
            complained = false;
        } else if !complained {
            complained = true;
            tracing::warn!(address = %listener.local_addr(), limit = limits.connections, "connection limit reached; new clients wait");
        }
        let slot = connections.clone().acquire_owned().await;
        let turn = handshakes.clone().acquire_owned().await;
        let (Ok(slot), Ok(turn)) = (slot, turn) else {
            return; // never: nobody closes the semaphores
        };
        let (stream, remote) = listener.accept().await;
        while running.try_join_next().is_some() {}
        let (acceptor, give) = (acceptor.clone(), give.clone());
        running.spawn(async move {
            match timeout(limits.handshake, shake_hands(stream, remote, acceptor, limits, slot)).await {
                Ok(Ok(connection)) => {
                    drop(turn);
                    // An error means that nobody is there any more to take it.
                    let _ = give.send(connection).await;
                }
                // The peer's doing, and anyone can do it: not worth more than a debug line.
                Ok(Err(error)) => {
                    tracing::debug!(%remote, reason = tls::explain(&error), "handshake failed");
                }
                Err(_) => tracing::debug!(%remote, "handshake took too long"),
            }
        });
    }
}

async fn shake_hands(
    stream: TcpStream,
    remote: SocketAddr,
    acceptor: Option<TlsAcceptor>,
    limits: AcceptLimits,
    slot: OwnedSemaphorePermit,
) -> io::Result<Connection> {
    let (transport, peer, is_h2) = match acceptor {
        None => (Transport::Plain(stream), None, false),
        Some(acceptor) => {
            let stream = acceptor.accept(stream).await?;
            let (_, session) = stream.get_ref();
            let peer = tls::peer_identity(session.peer_certificates()).map_err(io::Error::other)?;
            let is_h2 = session.alpn_protocol() == Some(b"h2");
            (Transport::Tls(Box::new(stream)), peer, is_h2)
        }
    };
    let patience =
        Patience { missing: if is_h2 { H2_PREFACE } else { 1 }, end: Box::pin(sleep(limits.first_bytes)) };
    let connect_info = ConnectInfo { peer, remote };
    Ok(Connection { transport, connect_info, is_h2, patience: Some(patience), _slot: slot })
}

/// Who is at the other end of a connection. Handlers find it in the request's extensions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ConnectInfo {
    /// The component of the farm that the client has proved to be. `None`: it showed no
    /// certificate.
    pub peer: Option<PeerIdentity>,
    /// Where the connection comes from.
    pub remote: SocketAddr,
}

/// An accepted connection. It counts against its listener's limit until it is dropped.
pub struct Connection {
    transport: Transport,
    connect_info: ConnectInfo,
    is_h2: bool,
    patience: Option<Patience>,
    _slot: OwnedSemaphorePermit,
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
