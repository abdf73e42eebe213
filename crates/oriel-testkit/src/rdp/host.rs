//! A synthetic RDP host: TLS with a certificate of its own, a real connection sequence, a picture, and
//! a memory of all that its clients said. Logons are those of a [`SimulatedHost`].

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};

use anyhow::Context as _;
use bytes::Bytes;
use oriel_net::fingerprint::Fingerprint;
use rustls_pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio::{
    io::{AsyncWriteExt, WriteHalf},
    net::{TcpListener, TcpStream},
    sync::mpsc,
    task::JoinHandle,
};
use tokio_rustls::{TlsAcceptor, server::TlsStream};

use super::{
    connection::{End, HostConnection, Order},
    frames::Frames,
    host_sequence,
};
use crate::agent::{RdpListener, SimulatedHost};

/// A synthetic RDP host. Dropping it closes its port; connections that live go on.
pub struct RdpHost {
    address: SocketAddr,
    certificate_sha256: [u8; 32],
    shared: Arc<Shared>,
    accepting: JoinHandle<()>,
}

/// What a host shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Picture {
    /// One tile, then nothing.
    Still,
    /// A tile that changes, again and again after this long.
    Moving(Duration),
    /// Tiles as fast as they are taken.
    Flood,
}

/// How far a connection got, in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
    /// TCP stands.
    Accepted,
    /// The X.224 Connection Request has come.
    Requested,
    /// TLS stands.
    Encrypted,
    /// The Connect-Initial has come.
    Initial,
    /// The Client Info has come.
    Info,
    /// Logged on, and the connection sequence is over.
    Connected,
}

/// How a host behaves; applies to connections that come later, except where said otherwise.
#[derive(Debug, Clone, Copy)]
pub struct Behaviour {
    /// What it shows.
    pub picture: Picture,
    /// It goes silent on reaching this stage, with the connection open.
    pub stalls_at: Option<Stage>,
    /// It sends bytes that are no RDP on reaching this stage.
    pub babbles_at: Option<Stage>,
    /// It reads what clients send once they are connected. Applies at once.
    pub reads: bool,
    /// It hangs up when the session ends. Applies at once.
    pub hangs_up: bool,
}

impl Default for Behaviour {
    fn default() -> Self {
        Self { picture: Picture::Still, stalls_at: None, babbles_at: None, reads: true, hangs_up: true }
    }
}

pub(super) struct Shared {
    tls: TlsAcceptor,
    behaviour: Mutex<Behaviour>,
    logons: Mutex<Option<Arc<SimulatedHost>>>,
    connections: Mutex<Vec<Arc<HostConnection>>>,
}

impl RdpHost {
    /// Listens on a port of loopback. Until [`RdpHost::serve`] every logon is right.
    pub async fn start() -> anyhow::Result<Self> {
        let (tls, certificate_sha256) = tls_with_new_certificate()?;
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared {
            tls,
            behaviour: Mutex::default(),
            logons: Mutex::default(),
            connections: Mutex::default(),
        });
        let accepting = tokio::spawn(accept(listener, shared.clone()));
        Ok(Self { address, certificate_sha256, shared, accepting })
    }

    /// From now on one-time logons are those of `host`.
    pub fn serve(&self, host: Arc<SimulatedHost>) {
        *self.shared.logons.lock().unwrap() = Some(host);
    }

    /// What the agent says of it.
    pub fn listener(&self) -> RdpListener {
        RdpListener { address: self.address.to_string(), certificate_sha256: self.certificate_sha256 }
    }

    /// Changes how it behaves.
    pub fn behave(&self, change: impl FnOnce(&mut Behaviour)) {
        change(&mut self.shared.behaviour.lock().unwrap());
    }

    /// Whether the RDP side hangs up when the agent ends a session; otherwise it goes on as if nothing
    /// had happened.
    pub fn hang_up_with_sessions(&self, hangs_up: bool) {
        self.behave(|behaviour| behaviour.hangs_up = hangs_up);
    }

    /// Every connection that ever came, oldest first.
    pub fn connections(&self) -> Vec<Arc<HostConnection>> {
        self.shared.connections.lock().unwrap().clone()
    }

    /// The newest connection.
    pub fn latest(&self) -> Option<Arc<HostConnection>> {
        self.shared.connections.lock().unwrap().last().cloned()
    }
}

impl Drop for RdpHost {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

impl Shared {
    pub(super) fn behaviour(&self) -> Behaviour {
        *self.behaviour.lock().unwrap()
    }

    pub(super) fn logons(&self) -> Option<Arc<SimulatedHost>> {
        self.logons.lock().unwrap().clone()
    }

    fn connections(&self) -> MutexGuard<'_, Vec<Arc<HostConnection>>> {
        self.connections.lock().unwrap()
    }

    /// Does at a stage what the behaviour says: goes on, sends nonsense, or never comes back.
    pub(super) async fn pass(
        &self,
        connection: &HostConnection,
        stage: Stage,
        stream: &mut (impl tokio::io::AsyncWrite + Unpin),
    ) -> anyhow::Result<()> {
        connection.reached(stage);
        let behaviour = self.behaviour();
        if behaviour.babbles_at == Some(stage) {
            stream.write_all(&[0x5a; 4096]).await?;
            stream.flush().await?;
        }
        if behaviour.stalls_at == Some(stage) {
            std::future::pending::<()>().await;
        }
        Ok(())
    }
}

fn tls_with_new_certificate() -> anyhow::Result<(TlsAcceptor, [u8; 32])> {
    let key = rcgen::KeyPair::generate()?;
    let certificate = rcgen::CertificateParams::new(vec!["session-host".into()])?.self_signed(&key)?;
    let der = CertificateDer::from(certificate.der().to_vec());
    let sha256 = *Fingerprint::of(&der).as_bytes();
    let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(vec![der], key)?;
    Ok((TlsAcceptor::from(Arc::new(config)), sha256))
}

async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    while let Ok((stream, _)) = listener.accept().await {
        let (connection, orders) = HostConnection::new();
        shared.connections().push(connection.clone());
        let shared = shared.clone();
        tokio::spawn(async move {
            let ended = serve_one(stream, &shared, &connection, orders).await;
            let why = match ended {
                Ok(why) => why.to_owned(),
                Err(error) => format!("{error:#}"),
            };
            if let (Some(host), Some(client)) = (shared.logons(), connection.logged_on()) {
                host.client_left(&client);
            }
            connection.close(why);
        });
    }
}

async fn serve_one(
    stream: TcpStream,
    shared: &Arc<Shared>,
    connection: &Arc<HostConnection>,
    mut orders: mpsc::UnboundedReceiver<Order>,
) -> anyhow::Result<&'static str> {
    stream.set_nodelay(true)?;
    // A break before the end of the sequence is rare in tests but must be possible.
    let sequence = async {
        let (tcp, offered) = host_sequence::negotiate(stream, shared, connection).await?;
        let mut tls = shared.tls.accept(tcp).await.context("TLS")?;
        shared.pass(connection, Stage::Encrypted, &mut tls).await?;
        let mut frames = Frames::new(tls);
        host_sequence::connect(&mut frames, offered, shared, connection).await?;
        anyhow::Ok(frames)
    };
    let frames = tokio::select! {
        frames = sequence => frames?,
        _ = orders.recv() => return Ok("ended by the test during the sequence"),
    };
    connection.reached(Stage::Connected);
    connected(frames, shared, connection, orders).await
}

/// After the connection sequence: a picture in one direction, input in the other.
async fn connected(
    frames: Frames<TlsStream<TcpStream>>,
    shared: &Shared,
    connection: &HostConnection,
    mut orders: mpsc::UnboundedReceiver<Order>,
) -> anyhow::Result<&'static str> {
    let (read, mut write) = tokio::io::split(frames.into_inner());
    let mut frames = Frames::new(read);
    let input = async {
        loop {
            while !shared.behaviour().reads {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
            match frames.next().await {
                Ok(Some(frame)) => connection.received(frame.bytes),
                Ok(None) => return anyhow::Ok("the client closed"),
                Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => {
                    return Ok("the client broke off");
                }
                Err(error) => return Err(error.into()),
            }
        }
    };
    let output = async {
        let mut picture = PictureSource { picture: shared.behaviour().picture, colour: 0, shown: false };
        loop {
            let order = tokio::select! {
                biased;
                order = orders.recv() => order,
                tile = picture.next() => {
                    write.write_all(&tile).await?;
                    write.flush().await?;
                    connection.sent(tile.len());
                    continue;
                }
            };
            match order {
                Some(Order::Send(bytes)) => write.write_all(&bytes).await?,
                Some(Order::End(how)) => {
                    say_goodbye(&mut write, how).await?;
                    return Ok("ended by the test");
                }
                None => return Ok("forgotten"),
            }
        }
    };
    let logons = shared.logons();
    let session = connection.session();
    let session_gone = async {
        match (logons, session) {
            (Some(host), Some(session)) => {
                host.session_gone(&session).await;
                if !shared.behaviour().hangs_up {
                    std::future::pending().await
                }
            }
            _ => std::future::pending().await,
        }
    };
    tokio::select! {
        ended = input => return ended,
        ended = output => return ended,
        () = session_gone => {}
    }
    say_goodbye(&mut write, End::Ultimatum).await?;
    Ok("its session ended")
}

async fn say_goodbye(write: &mut WriteHalf<TlsStream<TcpStream>>, how: End) -> std::io::Result<()> {
    match how {
        End::Abrupt => return Ok(()),
        End::ErrorInfo(code) => write.write_all(&host_sequence::error_info(code)).await?,
        End::Ultimatum => {}
    }
    write.write_all(&host_sequence::ultimatum()).await?;
    write.shutdown().await
}

/// The tiles of a picture.
struct PictureSource {
    picture: Picture,
    colour: u8,
    shown: bool,
}

impl PictureSource {
    /// The next tile, when it is due. Safe to drop at any time.
    async fn next(&mut self) -> Bytes {
        match self.picture {
            _ if !self.shown => {}
            Picture::Still => std::future::pending().await,
            Picture::Moving(interval) => tokio::time::sleep(interval).await,
            Picture::Flood => {}
        }
        self.shown = true;
        self.colour = self.colour.wrapping_add(1);
        tile(self.colour)
    }
}

/// The edge of a tile, in pixels.
const TILE: u16 = 64;

/// A fast-path update with one bitmap of one colour, 32 bits per pixel, not compressed
/// ([MS-RDPBCGR] 2.2.9.1.2, 2.2.9.1.1.3.1.2).
fn tile(colour: u8) -> Bytes {
    let pixels = usize::from(TILE) * usize::from(TILE) * 4;
    let mut bitmap = Vec::with_capacity(pixels + 64);
    let mut u16s = |values: &[u16]| values.iter().for_each(|value| bitmap.extend(value.to_le_bytes()));
    u16s(&[1, 1]); // an update of bitmaps, one rectangle
    u16s(&[0, 0, TILE - 1, TILE - 1, TILE, TILE, 32, 0, pixels as u16]);
    bitmap.resize(bitmap.len() + pixels, colour);
    let total = bitmap.len() + 6;
    let mut update = vec![0, 0x80 | (total >> 8) as u8, total as u8, 1];
    update.extend((bitmap.len() as u16).to_le_bytes());
    update.extend(bitmap);
    update.into()
}
