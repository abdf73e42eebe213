//! A scripted client: through a gateway as the portal's page does (WebSocket, RDCleanPath, connection
//! sequence), or straight through TLS to compare with.

use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use anyhow::{Context as _, anyhow, bail, ensure};
use ironrdp_rdcleanpath::{RDCleanPath, RDCleanPathPdu};
use oriel_rdp::x224::{ConnectionRequest, SecurityProtocols};
use rustls::ClientConfig;

use super::{
    picture, script,
    tls::{self, ClientTls},
    websocket::{Head, WebSocket},
};

/// How long an answer may take: longer than on any machine that is worth measuring.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(30);

/// Bytes read at once by a client that is drawn for.
const READ_AHEAD: usize = 256 * 1024;

/// A session through a gateway, after the logon.
pub type Session = WebSocket<ClientTls>;

/// Opens a session through the gateway at `gateway` with a ticket.
pub fn open_session(
    gateway: SocketAddr,
    config: &Arc<ClientConfig>,
    ticket: &str,
) -> anyhow::Result<Session> {
    let tls = open_tls(gateway, config)?;
    let mut socket = WebSocket::open(tls, &gateway.to_string(), "/rdp")?;
    let request = ConnectionRequest::new(SecurityProtocols::SSL, None).encode().to_vec();
    let opening = RDCleanPathPdu::new_request(request, "bench".to_owned(), ticket.to_owned(), None)
        .and_then(|opening| opening.to_der())
        .map_err(|error| anyhow!("the opening message: {error}"))?;
    socket.send(&opening)?;
    let answer = RDCleanPathPdu::from_der(&socket.receive()?)
        .map_err(|error| anyhow!("the gateway's answer: {error}"))?
        .into_enum()
        .map_err(|error| anyhow!("the gateway's answer: {error}"))?;
    ensure!(matches!(answer, RDCleanPath::Response { .. }), "the gateway did not connect: {answer:?}");
    for step in script::client_steps() {
        socket.send(&step.send)?;
        if step.answered {
            socket.receive()?;
        }
    }
    Ok(socket)
}

/// Opens TLS and nothing in it.
pub fn open_tls(address: SocketAddr, config: &Arc<ClientConfig>) -> anyhow::Result<ClientTls> {
    let tcp = TcpStream::connect(address).with_context(|| format!("connecting to {address}"))?;
    tcp.set_nodelay(true)?;
    tcp.set_read_timeout(Some(ANSWER_TIMEOUT))?;
    tls::connect(config, tcp)
}

/// Something that what is drawn comes through.
pub enum Link {
    /// Nothing around the messages.
    Tls(ClientTls),
    /// Each message in a frame of WebSocket.
    WebSocket(Session),
}

impl Link {
    /// Sends a mouse move and waits for the picture that answers it.
    pub fn exchange(&mut self) -> anyhow::Result<()> {
        match self {
            Self::Tls(tls) => {
                tls.write_all(&picture::input())?;
                tls.read_exact(&mut [0; picture::ECHO_BYTES])?;
            }
            Self::WebSocket(socket) => {
                socket.send(&picture::input())?;
                let answer = socket.receive()?;
                ensure!(answer.len() == picture::ECHO_BYTES, "an answer of {} bytes came", answer.len());
            }
        }
        Ok(())
    }

    /// Times exchanges, one after the other.
    pub fn exchanges(&mut self, count: usize) -> anyhow::Result<Vec<Duration>> {
        let mut times = Vec::with_capacity(count);
        for _ in 0..count {
            let started = Instant::now();
            self.exchange()?;
            times.push(started.elapsed());
        }
        Ok(times)
    }

    /// Takes what is drawn, adding the bytes of RDP to `taken`, until the other side ends it.
    pub fn drain(self, taken: &AtomicU64) -> anyhow::Result<()> {
        let (mut tls, rest, mut cutter) = match self {
            Self::Tls(tls) => (tls, Vec::new(), None),
            Self::WebSocket(socket) => {
                let (tls, rest) = socket.into_parts();
                (tls, rest, Some(Cutter::default()))
            }
        };
        tls.sock.read_ahead(READ_AHEAD);
        let mut count = |bytes: &[u8]| -> anyhow::Result<()> {
            let payload = match &mut cutter {
                Some(cutter) => cutter.take(bytes)?,
                None => bytes.len() as u64,
            };
            taken.fetch_add(payload, Ordering::Relaxed);
            Ok(())
        };
        count(&rest)?;
        let mut buffer = vec![0; READ_AHEAD];
        loop {
            match tls.read(&mut buffer) {
                Ok(0) | Err(_) => return Ok(()),
                Ok(bytes) => count(&buffer[..bytes])?,
            }
        }
    }
}

/// Counts the payload in a stream of WebSocket frames, whatever its pieces.
#[derive(Default)]
struct Cutter {
    head: Vec<u8>,
    left: u64,
}

impl Cutter {
    fn take(&mut self, mut bytes: &[u8]) -> anyhow::Result<u64> {
        let mut payload = 0;
        while !bytes.is_empty() {
            if self.left > 0 {
                let now = self.left.min(bytes.len() as u64);
                bytes = &bytes[now as usize..];
                self.left -= now;
                payload += now;
                continue;
            }
            self.head.push(bytes[0]);
            bytes = &bytes[1..];
            if let Some(head) = Head::read(&self.head) {
                match head.opcode {
                    2 => self.left = head.payload,
                    // A ping's few bytes are no picture, but nor do they matter.
                    9 | 10 => self.left = head.payload,
                    other => bail!("a frame of kind {other} came while the host draws"),
                }
                self.head.clear();
            }
        }
        Ok(payload)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rdp::{
        host::{Behaviour, Opening, ScriptedHost, first_picture_bytes},
        picture::Sizes,
        tls::Certificate,
    };

    #[test]
    fn payload_is_counted_in_any_pieces() {
        let stream = [&[0x82, 3, 1, 2, 3][..], &[0x82, 126, 0, 200], &[5; 200], &[0x82, 0]].concat();
        for piece in [1, 2, 3, 50, 1_000] {
            let mut cutter = Cutter::default();
            let counted: u64 = stream.chunks(piece).map(|piece| cutter.take(piece).unwrap()).sum();
            assert_eq!(counted, 203, "in pieces of {piece}");
        }
    }

    #[test]
    fn a_host_behind_plain_tls_echoes_and_draws() {
        let certificate = Arc::new(Certificate::generate().unwrap());
        let config = tls::client_config(false).unwrap();
        let start = |behaviour| ScriptedHost::start(&certificate, Opening::Tls, behaviour).unwrap().address;

        let mut link = Link::Tls(open_tls(start(Behaviour::Echo), &config).unwrap());
        assert_eq!(link.exchanges(3).unwrap().len(), 3);

        let mut tls = open_tls(start(Behaviour::Idle), &config).unwrap();
        let mut first = vec![0; first_picture_bytes()];
        tls.read_exact(&mut first).unwrap();
        assert!(first.starts_with(&Sizes::Mixed.messages()[0]));

        let tls = open_tls(start(Behaviour::Flood(Sizes::Large)), &config).unwrap();
        let socket = tls.sock.tcp().try_clone().unwrap();
        let taken = Arc::new(AtomicU64::new(0));
        let counter = taken.clone();
        let drain = std::thread::spawn(move || Link::Tls(tls).drain(&counter));
        while taken.load(Ordering::Relaxed) < 1_000_000 {
            std::thread::yield_now();
        }
        socket.shutdown(std::net::Shutdown::Both).unwrap();
        drain.join().unwrap().unwrap();
    }
}
