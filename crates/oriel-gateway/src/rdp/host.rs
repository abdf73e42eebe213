//! The way to the session host: TCP, the security negotiation, TLS to exactly the certificate that the
//! ticket names.

use std::io;

use bytes::Bytes;
use oriel_model::session::EndReason;
use oriel_net::{
    connect::{connect_tcp, server_name},
    fingerprint::Fingerprint,
    tls::{Pin, pinned_client},
};
use oriel_rdp::{
    clean_path::Failure,
    frame::{Deframer, Phase},
    x224::{ConnectionConfirm, ConnectionRequest, NegotiationError, NegotiationFailure, SecurityProtocols},
};
use oriel_wire::ticket::Claims;
use rustls::{AlertDescription, Error as TlsError};
use tokio::{
    io::{AsyncRead, AsyncWrite, AsyncWriteExt, ReadHalf, WriteHalf},
    net::TcpStream,
    time::timeout,
};
use tokio_rustls::{TlsConnector, client::TlsStream};

use super::{
    batch::Batch,
    stream::{read_exactly, read_into, try_read_into},
};
use crate::limits::{
    CLOSE_TIMEOUT, CONFIRM_BYTES_MAX, HOST_CONNECT_TIMEOUT, HOST_HANDSHAKE_TIMEOUT, WRITE_TIMEOUT,
};

/// What is spoken to hosts.
pub(super) type HostStream = TlsStream<TcpStream>;

/// The host's side of a connection.
pub(super) struct Host<S> {
    pub(super) reader: HostReader<ReadHalf<S>>,
    pub(super) writer: HostWriter<WriteHalf<S>>,
    /// What the host answered to the negotiation.
    pub(super) confirm: ConnectionConfirm,
    /// Its certificates, DER, its own first.
    pub(super) chain: Vec<Vec<u8>>,
}

/// What the host sends, cut into messages.
pub(super) struct HostReader<R> {
    stream: R,
    pub(super) deframer: Deframer,
}

/// What goes to the host.
pub(super) struct HostWriter<W> {
    stream: W,
    batch: Batch,
}

/// Why there is no connection to the host.
#[derive(Debug, thiserror::Error)]
pub(super) enum ConnectError {
    #[error("the host cannot be reached: {0}")]
    Unreachable(io::Error),
    #[error("the host took too long to {0}")]
    Late(&'static str),
    #[error("what listens on the host is not RDP: {0}")]
    NotRdp(#[from] NegotiationError),
    #[error("what listens on the host is not RDP: its first answer has {0} bytes")]
    ConfirmLength(usize),
    #[error("the host broke off the negotiation: {0}")]
    Negotiation(io::Error),
    #[error("{0}")]
    Refused(NegotiationFailure),
    #[error("the host chose {0} where TLS was offered")]
    OtherProtocol(SecurityProtocols),
    #[error("no TLS with the host: {0}")]
    Tls(io::Error),
    #[error("the host shows another certificate than the one that its agent reported")]
    OtherCertificate,
    #[error("the ticket's certificate digest is malformed")]
    BadPin,
    #[error("TLS cannot be set up: {0}")]
    TlsSetup(TlsError),
}

impl ConnectError {
    /// The RDCleanPath error that says it.
    pub(super) fn failure(&self) -> Failure {
        match self {
            ConnectError::Unreachable(error) => Failure::from_io(error.kind()),
            ConnectError::Late(_) => Failure::from_io(io::ErrorKind::TimedOut),
            ConnectError::Negotiation(error) => Failure::from_io(error.kind()),
            ConnectError::Refused(failure) => Failure::Negotiation(*failure),
            ConnectError::OtherProtocol(_) => Failure::Negotiation(NegotiationFailure::SSL_NOT_ALLOWED),
            ConnectError::Tls(error) => Failure::TlsAlert(alert(error).into()),
            ConnectError::OtherCertificate => Failure::TlsAlert(AlertDescription::BadCertificate.into()),
            ConnectError::NotRdp(_)
            | ConnectError::ConfirmLength(_)
            | ConnectError::BadPin
            | ConnectError::TlsSetup(_) => Failure::General,
        }
    }

    pub(super) fn reason(&self) -> EndReason {
        match self {
            ConnectError::Unreachable(_) | ConnectError::Late(_) | ConnectError::Negotiation(_) => {
                EndReason::HostLost
            }
            _ => EndReason::HostFailed,
        }
    }
}

/// The alert of a failed handshake, if the host sent one.
fn alert(error: &io::Error) -> AlertDescription {
    match tls_error(error) {
        Some(TlsError::AlertReceived(alert)) => *alert,
        _ => AlertDescription::HandshakeFailure,
    }
}

fn tls_error(error: &io::Error) -> Option<&TlsError> {
    error.get_ref()?.downcast_ref()
}

/// Connects to the host that the ticket names.
pub(super) async fn connect(claims: &Claims) -> Result<Host<HostStream>, ConnectError> {
    let pin: Fingerprint = claims.host_certificate_sha256.parse().map_err(|_| ConnectError::BadPin)?;
    let name = server_name(&claims.host_address).map_err(ConnectError::Unreachable)?;
    let late = |what| move |_| ConnectError::Late(what);
    let mut tcp = timeout(HOST_CONNECT_TIMEOUT, connect_tcp(&claims.host_address))
        .await
        .map_err(late("answer"))?
        .map_err(ConnectError::Unreachable)?;
    let negotiated = timeout(HOST_HANDSHAKE_TIMEOUT, negotiate(&mut tcp));
    let confirm = negotiated.await.map_err(late("negotiate"))??;
    let config = pinned_client([Pin::Certificate(pin)]).map_err(ConnectError::TlsSetup)?;
    let handshake = TlsConnector::from(config).connect(name, tcp);
    let stream = timeout(HOST_HANDSHAKE_TIMEOUT, handshake)
        .await
        .map_err(late("do its TLS handshake"))?
        .map_err(|error| match tls_error(&error) {
            Some(TlsError::InvalidCertificate(_)) => ConnectError::OtherCertificate,
            _ => ConnectError::Tls(error),
        })?;
    let chain = stream.get_ref().1.peer_certificates().unwrap_or_default();
    let chain = chain.iter().map(|certificate| certificate.to_vec()).collect();
    Ok(Host::new(stream, confirm, chain))
}

/// Offers TLS, which the host has to take.
async fn negotiate(tcp: &mut TcpStream) -> Result<ConnectionConfirm, ConnectError> {
    let request = ConnectionRequest::new(SecurityProtocols::SSL, None).encode();
    tcp.write_all(&request).await.map_err(ConnectError::Negotiation)?;
    // Not a byte more than the confirm: TLS begins behind it.
    let mut confirm = vec![0; 4];
    read_exactly(tcp, &mut confirm).await.map_err(ConnectError::Negotiation)?;
    let length = usize::from(u16::from_be_bytes([confirm[2], confirm[3]]));
    if confirm[0] != 3 || !(4..=CONFIRM_BYTES_MAX).contains(&length) {
        return Err(ConnectError::ConfirmLength(length));
    }
    confirm.resize(length, 0);
    read_exactly(tcp, &mut confirm[4..]).await.map_err(ConnectError::Negotiation)?;
    match ConnectionConfirm::parse(&confirm)? {
        ConnectionConfirm::Refused(failure) => Err(ConnectError::Refused(failure)),
        ConnectionConfirm::Selected { protocol, .. } if protocol != SecurityProtocols::SSL => {
            Err(ConnectError::OtherProtocol(protocol))
        }
        confirm => Ok(confirm),
    }
}

impl<S: AsyncRead + AsyncWrite> Host<S> {
    /// A connection on which TLS stands.
    pub(super) fn new(stream: S, confirm: ConnectionConfirm, chain: Vec<Vec<u8>>) -> Self {
        let (reader, writer) = tokio::io::split(stream);
        Self {
            reader: HostReader { stream: reader, deframer: Deframer::new(Phase::Rdp) },
            writer: HostWriter { stream: writer, batch: Batch::default() },
            confirm,
            chain,
        }
    }

    /// Takes leave: close_notify in TLS, then TCP. A host that does not care is left alone.
    pub(super) async fn close(&mut self) {
        let _: Result<io::Result<()>, _> = timeout(CLOSE_TIMEOUT, self.writer.stream.shutdown()).await;
    }
}

impl<R: AsyncRead + Unpin> HostReader<R> {
    /// Reads what is there into the deframer; zero at the end. Dropping the future loses nothing.
    pub(super) async fn read(&mut self) -> io::Result<usize> {
        read_into(&mut self.stream, self.deframer.buffer_mut()).await
    }

    /// Reads what is there now, if anything.
    pub(super) fn try_read(&mut self) -> Option<io::Result<usize>> {
        try_read_into(&mut self.stream, self.deframer.buffer_mut())
    }
}

impl<W: AsyncWrite + Unpin> HostWriter<W> {
    /// Queues a message; it goes with the next [`HostWriter::send`].
    pub(super) fn queue(&mut self, message: Bytes) {
        self.batch.push(None, message);
    }

    /// Whether so much is queued that it should be sent before there is more.
    pub(super) fn is_full(&self) -> bool {
        self.batch.is_full()
    }

    /// Writes what is queued.
    ///
    /// # Errors
    /// The connection broke, or the host took too little for [`WRITE_TIMEOUT`].
    pub(super) async fn send(&mut self) -> io::Result<()> {
        if self.batch.is_empty() {
            return Ok(());
        }
        timeout(WRITE_TIMEOUT, async {
            self.stream.write_all_buf(&mut self.batch).await?;
            self.stream.flush().await
        })
        .await?
    }
}
