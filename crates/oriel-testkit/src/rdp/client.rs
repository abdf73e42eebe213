//! The browser's side: WebSocket, RDCleanPath with a ticket, and the connection sequence.

use std::{net::SocketAddr, time::Duration};

use anyhow::Context as _;
use bytes::{Bytes, BytesMut};
use futures_util::{SinkExt, StreamExt};
use http::{HeaderValue, header};
use ironrdp_core::decode;
use ironrdp_pdu::{
    gcc::ServerGccBlocks,
    mcs::{ConnectResponse, McsMessage, decode_send_data_indication},
    rdp::headers::{ShareControlPdu, ShareDataPdu, decode_share_control},
    x224::{X224, X224Data},
};
use ironrdp_rdcleanpath::{RDCleanPath, RDCleanPathPdu};
use tokio::{io::AsyncWriteExt, net::TcpStream};
use tokio_rustls::client::TlsStream;
use tokio_tungstenite::{
    WebSocketStream,
    tungstenite::{self, Message, client::IntoClientRequest},
};

use super::{
    ClientOptions, IO_CHANNEL,
    frames::{Frame, cut},
    opening,
};
use crate::tls;

/// How long a client waits for one answer.
const PATIENCE: Duration = Duration::from_secs(20);

type Socket = WebSocketStream<TlsStream<TcpStream>>;

/// A client at any stage, from an open WebSocket on. Without a task of its own: it reads when asked.
pub struct RdpClient {
    socket: Socket,
    buffer: BytesMut,
    options: ClientOptions,
    patience: Duration,
    /// WebSocket messages that were not exactly one RDP message.
    uneven_messages: usize,
    share_id: u32,
}

/// What comes from the gateway.
#[derive(Debug)]
pub enum Received {
    /// A whole RDP message.
    Frame(Frame),
    /// The end.
    Closed(Closed),
}

/// How the gateway ended a WebSocket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Closed {
    /// The close frame's code; none when the connection broke without one.
    pub code: Option<u16>,
    /// The close frame's reason, or what broke.
    pub reason: String,
}

/// Why a client did not get to the connected state.
#[derive(Debug)]
pub enum Refusal {
    /// The HTTP answer to the WebSocket handshake was not 101.
    Handshake(u16),
    /// The RDCleanPath answer is an error: HTTP status, Winsock code or TLS alert.
    CleanPath {
        /// HTTP status.
        http: Option<u16>,
        /// Winsock error.
        wsa: Option<u16>,
        /// TLS alert.
        tls: Option<u8>,
    },
    /// The gateway closed.
    Closed(Closed),
    /// Anything else.
    Other(anyhow::Error),
}

impl RdpClient {
    /// Opens the WebSocket. `public` is what the browser's address bar says, `host:port`.
    pub async fn open(gateway: SocketAddr, options: ClientOptions) -> Result<Self, Refusal> {
        let tls = tls::connect(gateway).await.map_err(Refusal::Other)?;
        let request = handshake(gateway, &options).map_err(Refusal::Other)?;
        match tokio_tungstenite::client_async(request, tls).await {
            Ok((socket, _)) => {
                let (buffer, patience) = (BytesMut::new(), PATIENCE);
                Ok(Self { socket, buffer, options, patience, uneven_messages: 0, share_id: 0 })
            }
            Err(tungstenite::Error::Http(answer)) => Err(Refusal::Handshake(answer.status().as_u16())),
            Err(error) => Err(Refusal::Other(error.into())),
        }
    }

    /// Opens a WebSocket, shows the ticket and goes through the connection sequence.
    pub async fn connect(gateway: SocketAddr, ticket: &str, options: ClientOptions) -> Result<Self, Refusal> {
        let mut client = Self::open(gateway, options).await?;
        client.show_ticket(ticket).await?;
        client.run_sequence().await?;
        Ok(client)
    }

    /// How long it waits for one answer from now on.
    pub fn set_patience(&mut self, patience: Duration) {
        self.patience = patience;
    }

    /// Sends the RDCleanPath request and reads the answer.
    pub async fn show_ticket(&mut self, ticket: &str) -> Result<(), Refusal> {
        let request = opening::clean_path_request(&self.options, ticket).map_err(Refusal::Other)?;
        self.send(request).await.map_err(Refusal::Other)?;
        let answer = match self.message().await {
            Ok(answer) => answer,
            Err(closed) => return Err(Refusal::Closed(closed)),
        };
        let pdu = RDCleanPathPdu::from_der(&answer).map_err(|error| Refusal::Other(error.into()))?;
        match pdu.into_enum().map_err(|error| Refusal::Other(error.into()))? {
            RDCleanPath::Response { server_cert_chain, .. } if !server_cert_chain.is_empty() => Ok(()),
            RDCleanPath::GeneralErr(error) => Err(Refusal::CleanPath {
                http: error.http_status_code,
                wsa: error.wsa_last_error,
                tls: error.tls_alert_code,
            }),
            other => Err(Refusal::Other(anyhow::anyhow!("unexpected RDCleanPath answer: {other:?}"))),
        }
    }

    /// From the Connect-Initial to the Font Map.
    pub async fn run_sequence(&mut self) -> Result<(), Refusal> {
        let granted = self.exchange_settings().await?;
        self.join_channels(&granted).await?;
        self.send(opening::client_info(&self.options)).await.map_err(Refusal::Other)?;
        self.activate().await
    }

    /// Connect-Initial and Connect-Response.
    pub async fn exchange_settings(&mut self) -> Result<ServerGccBlocks, Refusal> {
        let initial = opening::connect_initial(&self.options);
        self.send(initial).await.map_err(Refusal::Other)?;
        let answer = self.frame().await?;
        let read = || -> anyhow::Result<ServerGccBlocks> {
            let data = decode::<X224<X224Data<'_>>>(&answer.bytes)?.0.data;
            Ok(decode::<ConnectResponse>(&data)?.conference_create_response.into_gcc_blocks())
        };
        read().context("the Connect-Response").map_err(Refusal::Other)
    }

    /// Erect Domain, Attach User and a Join for each channel.
    pub async fn join_channels(&mut self, granted: &ServerGccBlocks) -> Result<(), Refusal> {
        let mut channels = vec![super::USER_CHANNEL, granted.network.io_channel];
        channels.extend(&granted.network.channel_ids);
        channels.extend(granted.message_channel.as_ref().map(|channel| channel.mcs_message_channel_id));
        let (opening, joins) = opening::joins(&channels);
        for message in opening {
            self.send(message).await.map_err(Refusal::Other)?;
        }
        self.frame().await?;
        for join in joins {
            self.send(join).await.map_err(Refusal::Other)?;
            self.frame().await?;
        }
        Ok(())
    }

    /// Licence, capabilities and finalization.
    async fn activate(&mut self) -> Result<(), Refusal> {
        loop {
            let frame = self.frame().await?;
            let Ok(indication) = decode_send_data_indication(&frame.bytes) else {
                let message = decode::<X224<McsMessage<'_>>>(&frame.bytes).map(|message| message.0);
                return Err(Refusal::Other(anyhow::anyhow!("during activation: {message:?}")));
            };
            if indication.channel_id != IO_CHANNEL {
                continue;
            }
            // The licence has no share control header.
            let Ok(control) = decode_share_control(indication) else { continue };
            match control.pdu {
                ShareControlPdu::ServerDemandActive(_) => {
                    self.share_id = control.share_id;
                    let mut messages = vec![opening::confirm_active(self.share_id, &self.options)];
                    messages.extend(opening::finalization(self.share_id));
                    for message in messages {
                        self.send(message).await.map_err(Refusal::Other)?;
                    }
                }
                ShareControlPdu::Data(data) if matches!(data.share_data_pdu, ShareDataPdu::FontMap(_)) => {
                    return Ok(());
                }
                _ => {}
            }
        }
    }

    /// The next RDP message or the end. Waits as long as it takes.
    pub async fn next(&mut self) -> Received {
        loop {
            match cut(&mut self.buffer) {
                Ok(Some(frame)) => return Received::Frame(frame),
                Ok(None) => {}
                Err(error) => {
                    let reason = format!("the gateway sent nonsense: {error}");
                    return Received::Closed(Closed { code: None, reason });
                }
            }
            let had_rest = !self.buffer.is_empty();
            match self.message().await {
                Ok(message) => self.buffer.extend_from_slice(&message),
                Err(closed) => return Received::Closed(closed),
            }
            let is_one = matches!(ironrdp_pdu::find_size(&self.buffer), Ok(Some(found)) if found.length == self.buffer.len());
            if had_rest || !is_one {
                self.uneven_messages += 1;
            }
        }
    }

    /// The next RDP message, in time.
    pub async fn frame(&mut self) -> Result<Frame, Refusal> {
        let patience = self.patience;
        match tokio::time::timeout(patience, self.next()).await {
            Ok(Received::Frame(frame)) => Ok(frame),
            Ok(Received::Closed(closed)) => Err(Refusal::Closed(closed)),
            Err(_) => Err(Refusal::Other(anyhow::anyhow!("no message within {} s", patience.as_secs()))),
        }
    }

    /// Reads and drops messages until the end, in time.
    pub async fn closed(&mut self) -> anyhow::Result<Closed> {
        let patience = self.patience;
        let end = async {
            loop {
                if let Received::Closed(closed) = self.next().await {
                    return closed;
                }
            }
        };
        tokio::time::timeout(patience, end).await.context("the gateway did not close the WebSocket")
    }

    /// The next binary WebSocket message as it is.
    pub async fn message(&mut self) -> Result<Bytes, Closed> {
        loop {
            match self.socket.next().await {
                Some(Ok(Message::Binary(bytes))) => return Ok(bytes),
                Some(Ok(Message::Close(frame))) => {
                    let code = frame.as_ref().map(|frame| frame.code.into());
                    let reason = frame.map(|frame| frame.reason.to_string()).unwrap_or_default();
                    return Err(Closed { code, reason });
                }
                Some(Ok(_)) => {}
                Some(Err(error)) => return Err(Closed { code: None, reason: error.to_string() }),
                None => return Err(Closed { code: None, reason: "the connection ended".into() }),
            }
        }
    }

    /// Sends any bytes as one binary message.
    pub async fn send(&mut self, bytes: impl Into<Bytes>) -> anyhow::Result<()> {
        let patience = self.patience;
        tokio::time::timeout(patience, self.socket.send(Message::Binary(bytes.into())))
            .await
            .context("the gateway takes nothing")??;
        Ok(())
    }

    /// Presses and releases a key.
    pub async fn press(&mut self, scan_code: u8) -> anyhow::Result<()> {
        self.send(opening::key(scan_code)).await
    }

    /// Sends data on a static channel, whole, as [MS-RDPBCGR] 2.2.6.1.
    pub async fn send_on_channel(&mut self, channel: u16, data: &[u8]) -> anyhow::Result<()> {
        let mut chunk = (data.len() as u32).to_le_bytes().to_vec();
        chunk.extend(3u32.to_le_bytes()); // first and last
        chunk.extend(data);
        self.send(super::frames::request_bytes(channel, chunk)).await
    }

    /// Says goodbye as a page that is closed does.
    pub async fn leave(mut self) -> anyhow::Result<()> {
        self.socket.close(None).await?;
        while !matches!(self.message().await, Err(_closed)) {}
        Ok(())
    }

    /// WebSocket messages that were not exactly one RDP message. The browser's client needs none.
    pub fn uneven_messages(&self) -> usize {
        self.uneven_messages
    }

    /// Sends a WebSocket message of any kind: what a browser would never do.
    pub async fn send_raw(&mut self, message: Message) -> anyhow::Result<()> {
        self.socket.send(message).await?;
        Ok(())
    }

    /// Sends bytes below WebSocket: what a browser would never do.
    pub async fn send_raw_bytes(&mut self, bytes: &[u8]) -> anyhow::Result<()> {
        let stream = self.socket.get_mut();
        stream.write_all(bytes).await?;
        stream.flush().await?;
        Ok(())
    }

    /// The stream below WebSocket.
    pub fn into_stream(self) -> TlsStream<TcpStream> {
        self.socket.into_inner()
    }
}

fn handshake(gateway: SocketAddr, options: &ClientOptions) -> anyhow::Result<http::Request<()>> {
    let mut request = format!("wss://{gateway}/rdp").into_client_request()?;
    let origin = options.origin.clone().unwrap_or_else(|| format!("https://{gateway}"));
    request.headers_mut().insert(header::ORIGIN, HeaderValue::from_str(&origin)?);
    Ok(request)
}

impl Refusal {
    /// The HTTP status in an RDCleanPath error.
    pub fn http(&self) -> Option<u16> {
        match self {
            Refusal::CleanPath { http, .. } => *http,
            _ => None,
        }
    }
}

impl From<Refusal> for anyhow::Error {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Other(error) => error,
            other => anyhow::anyhow!("{other:?}"),
        }
    }
}

/// The HTTP status in an RDCleanPath answer that is an error.
pub fn clean_path_error(answer: &[u8]) -> Option<u16> {
    match RDCleanPathPdu::from_der(answer).ok()?.into_enum().ok()? {
        RDCleanPath::GeneralErr(error) => error.http_status_code,
        _ => None,
    }
}
