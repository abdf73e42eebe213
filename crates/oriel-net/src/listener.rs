//! Bound TCP ports. Binding is separate from running, so that a service reports every port that it
//! cannot have before it does anything, and tests bind port zero.

use std::{fmt, io, net::SocketAddr, time::Duration};

use socket2::{SockRef, TcpKeepalive};
use tokio::net::{TcpListener, TcpSocket, TcpStream};

/// Connections that the kernel queues while we are busy: a logon storm of a thousand users within
/// one second must not see refused connections.
const BACKLOG: u32 = 1024;

/// Silence on a connection after which the kernel asks the peer whether it is still there.
pub const KEEPALIVE_IDLE: Duration = Duration::from_secs(30);
/// How long between such questions.
pub const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(10);
/// Unanswered questions after which the connection is given up: a vanished peer is noticed within
/// a minute, and NAT devices see traffic often enough to keep the connection.
pub const KEEPALIVE_PROBES: u32 = 3;

/// How long accepting pauses when the process is out of file descriptors or memory: trying again
/// at once would use a whole core.
const ACCEPT_PAUSE: Duration = Duration::from_millis(250);

/// A TCP port that is ours.
#[derive(Debug)]
pub struct Listener {
    socket: TcpListener,
    local: SocketAddr,
}

/// Why a port cannot be listened on, with what to do about it.
#[derive(Debug)]
pub struct BindError {
    /// The address that was wanted.
    pub address: SocketAddr,
    /// The key in the node file that sets it.
    pub key: String,
    /// What the system said.
    pub error: io::Error,
}

impl fmt::Display for BindError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { address, key, error } = self;
        write!(f, "cannot listen on {address}: ")?;
        match error.kind() {
            io::ErrorKind::AddrInUse => write!(
                f,
                "address in use; another program listens there: stop it (ss -ltnp shows which it \
                 is) or set {key} in the node file to another address"
            ),
            io::ErrorKind::PermissionDenied => write!(
                f,
                "permission denied; ports below 1024 need root or the capability \
                 CAP_NET_BIND_SERVICE: grant it or set {key} in the node file to a higher port"
            ),
            io::ErrorKind::AddrNotAvailable => write!(
                f,
                "this machine does not have that address: set {key} in the node file to one of its \
                 own, or to 0.0.0.0 or [::] for all"
            ),
            _ => write!(f, "{error}; it is set by {key} in the node file"),
        }
    }
}

impl std::error::Error for BindError {}

impl Listener {
    /// Takes the port. `key` is the node file's key for it, named in errors.
    /// Must be called within a tokio runtime.
    pub fn bind(address: SocketAddr, key: &str) -> Result<Self, BindError> {
        let bind = || {
            let socket = match address {
                SocketAddr::V4(_) => TcpSocket::new_v4()?,
                SocketAddr::V6(_) => TcpSocket::new_v6()?,
            };
            // After a restart the port is free at once, though old connections linger.
            #[cfg(unix)]
            socket.set_reuseaddr(true)?;
            socket.bind(address)?;
            let socket = socket.listen(BACKLOG)?;
            let local = socket.local_addr()?;
            Ok(Self { socket, local })
        };
        bind().map_err(|error| BindError { address, key: key.to_owned(), error })
    }

    /// The address that is listened on; with the port that the system chose if zero was asked for.
    pub fn local_addr(&self) -> SocketAddr {
        self.local
    }

    /// Waits for the next connection, set up as by [`prepare`]. Errors of single connections are
    /// passed over; when the process is out of descriptors it says so and waits.
    pub async fn accept(&self) -> (TcpStream, SocketAddr) {
        let mut complained = false;
        loop {
            match self.socket.accept().await {
                Ok((stream, remote)) => {
                    // A connection that cannot be set up is gone already.
                    if prepare(&stream).is_ok() {
                        return (stream, remote);
                    }
                }
                Err(error) if is_of_one_connection(&error) => {}
                Err(error) => {
                    if !complained {
                        complained = true;
                        tracing::error!(address = %self.local, %error, "cannot accept connections; trying again until it works");
                    }
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            }
        }
    }
}

/// Sets a connection up as all of ours are: no delay for small packets, and keep-alive.
pub fn prepare(stream: &TcpStream) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let keepalive = TcpKeepalive::new()
        .with_time(KEEPALIVE_IDLE)
        .with_interval(KEEPALIVE_INTERVAL)
        .with_retries(KEEPALIVE_PROBES);
    SockRef::from(stream).set_tcp_keepalive(&keepalive)
}

fn is_of_one_connection(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset, Interrupted};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset | Interrupted)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_taken_port_is_explained() {
        let first = Listener::bind("127.0.0.1:0".parse().unwrap(), "listen.web").unwrap();
        assert_ne!(first.local_addr().port(), 0);
        let error = Listener::bind(first.local_addr(), "listen.web").unwrap_err().to_string();
        let start = format!("cannot listen on {}: address in use", first.local_addr());
        assert!(error.starts_with(&start), "{error}");
        assert!(error.contains("set listen.web in the node file"), "{error}");
    }

    #[tokio::test]
    async fn a_foreign_address_is_explained() {
        // TEST-NET-1 (RFC 5737) belongs to nobody.
        let error = Listener::bind("192.0.2.1:0".parse().unwrap(), "listen.web").unwrap_err();
        assert!(error.to_string().contains("does not have that address"), "{error}");
    }
}
