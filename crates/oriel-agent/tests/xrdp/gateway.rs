//! What stands between FreeRDP and xrdp as a gateway does: it writes the logon into the connection sequence
//! and lets pass what a policy allows.

use std::{
    net::SocketAddr,
    path::Path,
    sync::{Arc, Mutex},
};

use bytes::Bytes;
use oriel_agent::host::Prepared;
use oriel_model::Timestamp;
use oriel_net::{
    connect::server_name,
    fingerprint::Fingerprint,
    tls::{Pin, PortalCertificate, install_crypto, pinned_client, portal_server},
};
use oriel_rdp::{
    channel::{ChannelFilter, ChannelPolicy, Verdict},
    connection_sequence::{ConnectionSettings, Logon, Party, Rewriter, StartProgram},
    frame::Deframer,
    x224::{ConnectionRequest, SecurityProtocols},
};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};
use tokio_rustls::{TlsAcceptor, TlsConnector};

/// A gateway for one connection.
pub struct Gateway {
    /// Where its client goes.
    pub address: SocketAddr,
    /// What xrdp said to each device that it heard of: DR_CORE_DEVICE_ANNOUNCE_RSP ([MS-RDPEFS] 2.2.2.1).
    pub replies: Arc<Mutex<Vec<Bytes>>>,
}

/// One side of a connection.
struct Side<S> {
    stream: S,
    deframer: Deframer,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Side<S> {
    fn new(stream: S) -> Self {
        Self { stream, deframer: Deframer::default() }
    }

    /// Whether there is more.
    async fn read(&mut self) -> bool {
        matches!(self.stream.read_buf(self.deframer.buffer_mut()).await, Ok(count) if count > 0)
    }

    async fn next(&mut self) -> Option<Bytes> {
        loop {
            if let Some(frame) = self.deframer.next_frame().ok()? {
                return Some(frame);
            }
            if !self.read().await {
                return None;
            }
        }
    }
}

/// xrdp says that the user is logged on before it says what it can, and FreeRDP does not take that from a host
/// of which it does not know that it can: it never announces its devices. So that message waits for the one
/// that ends the host's introduction ([MS-RDPEFS] 3.3.5.1.4).
#[derive(Default)]
struct Order {
    is_introduced: bool,
    waiting: Option<Bytes>,
}

impl Order {
    /// What is to be passed on now.
    fn of(&mut self, frame: Bytes) -> Vec<Bytes> {
        if frame.ends_with(b"rDLU") && !self.is_introduced {
            self.waiting = Some(frame);
            return Vec::new();
        }
        self.is_introduced |= frame.last_chunk::<12>().is_some_and(|message| message.starts_with(b"rDCC"));
        let waiting = self.waiting.take_if(|_| self.is_introduced);
        [Some(frame), waiting].into_iter().flatten().collect()
    }
}

/// Up to the logon, and after it.
enum Rules {
    Writing(Box<Rewriter>),
    Filtering(ChannelFilter),
}

impl Rules {
    /// What goes on, and what goes back.
    fn apply(self, from: Party, frame: Bytes) -> Option<(Self, Vec<Bytes>, Option<Bytes>)> {
        match self {
            Self::Filtering(filter) => {
                let (onward, back) = match filter.judge(from, &frame) {
                    Verdict::Pass => (vec![frame], None),
                    Verdict::Drop => (Vec::new(), None),
                    Verdict::Instead { onward, back } => (onward, back),
                };
                Some((Self::Filtering(filter), onward, back))
            }
            Self::Writing(mut rewriter) => {
                let written = match from {
                    Party::Client => rewriter.client_frame(frame),
                    Party::Host => rewriter.host_frame(frame),
                };
                let rules = match rewriter.is_done() {
                    true => Self::Filtering(rewriter.finish()?),
                    false => Self::Writing(rewriter),
                };
                Some((rules, vec![written.ok()?], None))
            }
        }
    }
}

impl Gateway {
    pub async fn open(
        folder: &Path,
        host: SocketAddr,
        certificate: [u8; 32],
        logon: &Prepared,
        channels: ChannelPolicy,
    ) -> Self {
        install_crypto();
        let names = ["127.0.0.1".to_owned()];
        let own = PortalCertificate::self_signed(folder, &names, Timestamp::now()).unwrap();
        let tls = TlsAcceptor::from(portal_server(&own).unwrap());
        let pin = Pin::Certificate(Fingerprint::from(certificate));
        let pinned = TlsConnector::from(pinned_client([pin]).unwrap());
        let settings = ConnectionSettings {
            logon: Logon {
                user: logon.logon_name.clone(),
                domain: String::new(),
                password: logon.one_time_logon.clone(),
            },
            program: StartProgram::default(),
            client_name: None,
            client_address: None,
            keyboard_layout: None,
            selected_protocol: SecurityProtocols::SSL,
            client_requested_protocols: Some(SecurityProtocols::SSL),
            force_32_bpp: true,
            quality: None,
            channels,
        };
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let replies = Arc::new(Mutex::new(Vec::new()));
        let kept = replies.clone();
        tokio::spawn(async move {
            let (client, _) = listener.accept().await.unwrap();
            let mut client = Side::new(client);
            client.next().await.expect("the client opens");
            let mut server = Side::new(TcpStream::connect(host).await.unwrap());
            let request = ConnectionRequest::new(SecurityProtocols::SSL, None);
            server.stream.write_all(&request.encode()).await.unwrap();
            let confirm = server.next().await.expect("xrdp answers");
            client.stream.write_all(&confirm).await.unwrap();
            let name = server_name(&host.to_string()).unwrap();
            let server = pinned.connect(name, server.stream).await.expect("TLS with xrdp");
            let client = tls.accept(client.stream).await.expect("TLS with FreeRDP");
            let rules = Rules::Writing(Box::new(Rewriter::new(settings).unwrap()));
            relay(Side::new(client), Side::new(server), rules, &kept).await;
        });
        Self { address, replies }
    }
}

/// Until one side leaves.
async fn relay<C, H>(
    mut client: Side<C>,
    mut host: Side<H>,
    rules: Rules,
    replies: &Mutex<Vec<Bytes>>,
) -> Option<()>
where
    C: AsyncRead + AsyncWrite + Unpin,
    H: AsyncRead + AsyncWrite + Unpin,
{
    let (mut rules, mut order) = (rules, Order::default());
    loop {
        let (from, is_there) = tokio::select! {
            is_there = client.read() => (Party::Client, is_there),
            is_there = host.read() => (Party::Host, is_there),
        };
        if !is_there {
            return None;
        }
        loop {
            let next = match from {
                Party::Client => client.deframer.next_frame(),
                Party::Host => host.deframer.next_frame(),
            };
            let Some(frame) = next.ok()? else { break };
            // Its twelve bytes are all of a packet's message: header, device, result.
            let message = frame.last_chunk::<12>().filter(|message| message.starts_with(b"rDrd"));
            if from == Party::Host && message.is_some() {
                replies.lock().unwrap().push(frame.clone());
            }
            let frames = if from == Party::Host { order.of(frame) } else { vec![frame] };
            for frame in frames {
                let (after, onward, back) = rules.apply(from, frame)?;
                rules = after;
                let back = Vec::from_iter(back);
                let (to_client, to_host) =
                    if from == Party::Client { (back, onward) } else { (onward, back) };
                client.stream.write_all(&to_client.concat()).await.ok()?;
                host.stream.write_all(&to_host.concat()).await.ok()?;
            }
        }
        client.stream.flush().await.ok()?;
        host.stream.flush().await.ok()?;
    }
}
