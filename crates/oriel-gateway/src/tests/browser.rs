//! A browser's client, with another implementation of WebSocket than the gateway's.

use std::{net::SocketAddr, time::Duration};

use bytes::Bytes;
use futures_util::{SinkExt, StreamExt};
use ironrdp_rdcleanpath::{RDCleanPath, RDCleanPathPdu};
use oriel_net::{
    connect,
    fingerprint::Fingerprint,
    tls::{Pin, pinned_client},
};
use oriel_rdp::x224::{ConnectionRequest, SecurityProtocols};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};
use tokio_rustls::client::TlsStream;
use tokio_tungstenite::{
    WebSocketStream, client_async,
    tungstenite::{Error, Message, client::IntoClientRequest, protocol::frame::coding::CloseCode},
};

/// How long anything may take here.
pub(super) const SOON: Duration = Duration::from_secs(10);

pub(super) struct Browser {
    pub(super) socket: WebSocketStream<TlsStream<TcpStream>>,
}

/// Where a gateway is and how it is known.
#[derive(Clone, Copy)]
pub(super) struct Door {
    pub(super) address: SocketAddr,
    pub(super) certificate: Fingerprint,
}

impl Door {
    pub(super) async fn tls(self) -> TlsStream<TcpStream> {
        let config = pinned_client([Pin::Certificate(self.certificate)]).expect("TLS");
        connect::connect(&self.address.to_string(), config).await.expect("the gateway is there")
    }

    /// Status, headers and body of a plain request.
    pub(super) async fn get(self, path: &str) -> (u16, String, String) {
        self.ask(&format!("GET {path} HTTP/1.1\r\n"), "").await
    }

    pub(super) async fn ask(self, start: &str, body: &str) -> (u16, String, String) {
        let mut stream = self.tls().await;
        let host = self.address;
        let length = body.len();
        let request =
            format!("{start}host: {host}\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n{body}");
        stream.write_all(request.as_bytes()).await.expect("written");
        let mut answer = Vec::new();
        let _ = timeout(SOON, stream.read_to_end(&mut answer)).await.expect("an answer soon");
        let answer = String::from_utf8_lossy(&answer).into_owned();
        let (head, body) = answer.split_once("\r\n\r\n").expect("a head");
        let status = head.split(' ').nth(1).and_then(|code| code.parse().ok()).expect("a status");
        (status, head.to_lowercase(), body.to_owned())
    }

    pub(super) async fn open(self) -> Browser {
        self.try_open(&format!("https://{}", self.address)).await.expect("a WebSocket")
    }

    pub(super) async fn try_open(self, origin: &str) -> Result<Browser, Error> {
        let mut request = format!("wss://{}/rdp", self.address).into_client_request()?;
        request.headers_mut().insert("origin", origin.parse().expect("a header"));
        let (socket, _) = client_async(request, self.tls().await).await?;
        Ok(Browser { socket })
    }
}

/// The DER of an opening message.
pub(super) fn opening(ticket: &str) -> Bytes {
    let both = SecurityProtocols::SSL | SecurityProtocols::HYBRID;
    let x224 = ConnectionRequest::new(both, None).encode().to_vec();
    let pdu = RDCleanPathPdu::new_request(x224, "session".into(), ticket.into(), None);
    pdu.and_then(|pdu| pdu.to_der()).expect("DER").into()
}

impl Browser {
    pub(super) async fn send(&mut self, bytes: impl Into<Bytes>) {
        self.socket.send(Message::Binary(bytes.into())).await.expect("sent");
    }

    /// The next binary message.
    pub(super) async fn message(&mut self) -> Bytes {
        match self.next().await {
            Some(Message::Binary(bytes)) => bytes,
            other => panic!("a message was expected, not {other:?}"),
        }
    }

    /// What comes next besides pings, which are answered meanwhile.
    pub(super) async fn next(&mut self) -> Option<Message> {
        loop {
            match timeout(SOON, self.socket.next()).await.expect("something soon") {
                Some(Ok(Message::Ping(_))) => {}
                other => return other.map(|next| next.expect("no error")),
            }
        }
    }

    /// Code and word of the gateway's close frame.
    pub(super) async fn closed(&mut self) -> (u16, String) {
        loop {
            match self.next().await {
                Some(Message::Close(Some(frame))) => {
                    let code: CloseCode = frame.code;
                    return (code.into(), frame.reason.to_string());
                }
                Some(Message::Binary(_) | Message::Pong(_)) => {}
                other => panic!("a close was expected, not {other:?}"),
            }
        }
    }

    /// Sends the opening message and returns the answer.
    pub(super) async fn knock(&mut self, ticket: &str) -> RDCleanPath {
        self.send(opening(ticket)).await;
        let answer = self.message().await;
        RDCleanPathPdu::from_der(&answer).expect("DER").into_enum().expect("an answer")
    }
}
