//! Dialling: TCP and TLS with time limits, and connections to a broker for gRPC.

use std::{
    io,
    net::SocketAddr,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll},
    time::Duration,
};

use http::Uri;
use hyper_util::rt::TokioIo;
use rustls::ClientConfig;
use rustls_pki_types::ServerName;
use tokio::{
    net::{TcpStream, lookup_host},
    time::timeout,
};
use tokio_rustls::{TlsConnector, client::TlsStream};
use tonic::transport::{Channel, Endpoint};
use tower::Service;

use crate::{listener::prepare, tls};

/// How long one address may take to answer: longer than two lost SYN packets (1 s + 2 s).
pub const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// How long the TLS handshake may take once TCP stands; as for the other direction.
pub const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);

/// The most addresses of one host name that are tried, so that the whole attempt stays under half
/// a minute.
const MAX_ADDRESSES: usize = 4;

/// How often an otherwise silent gRPC connection is probed. With [`PROBE_TIMEOUT`], a vanished
/// broker is noticed within 15 seconds.
pub const PROBE_INTERVAL: Duration = Duration::from_secs(10);
/// How long a probe may go unanswered.
pub const PROBE_TIMEOUT: Duration = Duration::from_secs(5);

/// Opens a TCP connection to `address` (`host:port`), with keep-alive and without delay for small
/// packets. Each address of the host is tried in turn, for at most [`CONNECT_TIMEOUT`].
///
/// # Errors
/// A sentence with the address and the last reason.
pub async fn connect_tcp(address: &str) -> io::Result<TcpStream> {
    let explain =
        |error: io::Error| io::Error::new(error.kind(), format!("cannot connect to {address}: {error}"));
    let late = |_| io::Error::new(io::ErrorKind::TimedOut, "no answer");
    let found = timeout(CONNECT_TIMEOUT, lookup_host(address))
        .await
        .map_err(|_| explain(io::Error::new(io::ErrorKind::TimedOut, "the name server does not answer")))?
        .map_err(explain)?;
    let mut last = io::Error::new(io::ErrorKind::NotFound, "the name has no address");
    for target in found.take(MAX_ADDRESSES) {
        match timeout(CONNECT_TIMEOUT, connect_to(target)).await.map_err(late).flatten() {
            Ok(stream) => return Ok(stream),
            Err(error) => last = error,
        }
    }
    Err(explain(last))
}

/// Opens a TLS connection to `address` (`host:port`). Who may answer is up to `config`.
///
/// # Errors
/// A sentence with the address and the reason.
pub async fn connect(address: &str, config: Arc<ClientConfig>) -> io::Result<TlsStream<TcpStream>> {
    let name = server_name(address)?;
    let stream = connect_tcp(address).await?;
    let handshake = TlsConnector::from(config).connect(name, stream);
    let explain = |error: io::Error| {
        let reason = tls::explain(&error);
        io::Error::new(error.kind(), format!("no secure connection to {address}: {reason}"))
    };
    match timeout(HANDSHAKE_TIMEOUT, handshake).await {
        Ok(result) => result.map_err(explain),
        Err(_) => {
            let error = io::Error::new(io::ErrorKind::TimedOut, "the handshake took too long");
            Err(explain(error))
        }
    }
}

/// The TLS server name for `host:port`, where the host is a name, an IPv4 address, or an IPv6
/// address in brackets.
///
/// # Errors
/// There is no port, or the host is no name.
pub fn server_name(address: &str) -> io::Result<ServerName<'static>> {
    let bad = |what: &str| {
        io::Error::new(io::ErrorKind::InvalidInput, format!("\"{address}\" is no address: {what}"))
    };
    let (host, port) = address.rsplit_once(':').ok_or_else(|| bad("expected host:port"))?;
    port.parse::<u16>().map_err(|_| bad("the port is not a number up to 65535"))?;
    let host = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    ServerName::try_from(host.to_owned()).map_err(|_| bad("the host is neither a name nor an address"))
}

/// Has a connection fail when what was sent on it is not received in this time: TCP by itself tries on for a
/// quarter of an hour.
pub fn give_up_without_receipt(stream: &TcpStream, time: Duration) -> io::Result<()> {
    socket2::SockRef::from(stream).set_tcp_user_timeout(Some(time))
}

async fn connect_to(target: SocketAddr) -> io::Result<TcpStream> {
    let stream = TcpStream::connect(target).await?;
    prepare(&stream)?;
    Ok(stream)
}

/// Opens connections to one of several equal addresses, for tonic's `connect_with_connector`. It
/// stays with the address that worked last and moves on when that fails. The URI that tonic passes
/// is not looked at.
#[derive(Clone)]
pub struct Connector {
    addresses: Arc<[String]>,
    config: Arc<ClientConfig>,
    preferred: Arc<AtomicUsize>,
}

impl Connector {
    /// A connector to any of these `host:port` addresses.
    pub fn new(addresses: impl Into<Arc<[String]>>, config: Arc<ClientConfig>) -> Self {
        Self { addresses: addresses.into(), config, preferred: Arc::default() }
    }

    /// Opens a connection, and says why not with the last address' reason.
    pub async fn dial(&self) -> io::Result<TlsStream<TcpStream>> {
        let start = self.preferred.load(Ordering::Relaxed);
        let mut last = io::Error::new(io::ErrorKind::InvalidInput, "there is no address to connect to");
        for place in (0..self.addresses.len()).map(|step| (start + step) % self.addresses.len()) {
            match connect(&self.addresses[place], self.config.clone()).await {
                Ok(stream) => {
                    self.preferred.store(place, Ordering::Relaxed);
                    return Ok(stream);
                }
                Err(error) => last = error,
            }
        }
        Err(last)
    }
}

impl Service<Uri> for Connector {
    type Response = TokioIo<TlsStream<TcpStream>>;
    type Error = io::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, io::Error>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Uri) -> Self::Future {
        let connector = self.clone();
        Box::pin(async move { connector.dial().await.map(TokioIo::new) })
    }
}

/// A gRPC channel to any of these `host:port` addresses. It connects at the first call and again
/// after a failure; a silent connection is probed, so a vanished broker is noticed soon.
pub fn channel(addresses: impl Into<Arc<[String]>>, config: Arc<ClientConfig>) -> Channel {
    endpoint().connect_with_connector_lazy(Connector::new(addresses, config))
}

/// As [`channel`], but connects first and says why not.
///
/// # Errors
/// No address could be reached, or none was the expected component.
pub async fn connected_channel(
    addresses: impl Into<Arc<[String]>>,
    config: Arc<ClientConfig>,
) -> Result<Channel, tonic::transport::Error> {
    endpoint().connect_with_connector(Connector::new(addresses, config)).await
}

fn endpoint() -> Endpoint {
    // The scheme is http because the connector does TLS, not tonic; the name is only a label.
    Endpoint::from_static("http://farm.oriel")
        .http2_keep_alive_interval(PROBE_INTERVAL)
        .keep_alive_timeout(PROBE_TIMEOUT)
        .keep_alive_while_idle(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_need_a_host_and_a_port() {
        for good in ["broker.example:20003", "10.0.0.1:1", "[::1]:443"] {
            assert!(server_name(good).is_ok(), "{good}");
        }
        for bad in ["broker.example", "10.0.0.1:", "10.0.0.1:99999", ":1", "a b:1", ""] {
            assert!(server_name(bad).is_err(), "{bad}");
        }
    }

    #[tokio::test]
    async fn a_refused_connection_names_the_address() {
        let free = {
            let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
            taken.local_addr().unwrap().to_string()
        };
        let error = connect_tcp(&free).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::ConnectionRefused);
        assert!(error.to_string().starts_with(&format!("cannot connect to {free}: ")), "{error}");
    }
}
