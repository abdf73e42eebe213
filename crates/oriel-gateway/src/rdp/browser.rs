//! The browser's WebSocket: what comes, piece by piece, and what goes, message by message.

use std::io;

use bytes::{Bytes, BytesMut};
use oriel_rdp::frame::{Deframer, Phase};
use thiserror::Error;
use tokio::{
    io::{AsyncRead, AsyncWrite, AsyncWriteExt},
    time::timeout,
};

use super::{batch::Batch, stream::read_into};
use crate::{
    limits::WRITE_TIMEOUT,
    websocket::{Decoder, Header, Incoming, Opcode, ProtocolError, close_frame},
};

/// Why nothing more comes from the browser.
#[derive(Debug, Error)]
pub(super) enum BrowserError {
    #[error("the browser closed the connection")]
    Closed,
    #[error("the connection to the browser broke off")]
    BrokeOff,
    #[error("the connection to the browser broke: {0}")]
    Broke(io::Error),
    #[error(transparent)]
    Protocol(#[from] ProtocolError),
    #[error("the opening message is longer than {0} bytes")]
    TooLong(usize),
}

/// What the browser sends.
pub(super) struct Reader<R> {
    stream: R,
    decoder: Decoder,
    /// Where the RDP stream in its messages is cut, once it has begun.
    pub(super) deframer: Deframer,
    /// Whether its close frame came.
    is_closed: bool,
}

impl<R: AsyncRead + Unpin> Reader<R> {
    pub(super) fn new(stream: R, early: &[u8]) -> Self {
        Self { stream, decoder: Decoder::new(early), deframer: Deframer::new(Phase::Rdp), is_closed: false }
    }

    /// The next piece. Dropping the future loses nothing.
    pub(super) async fn next(&mut self) -> Result<Incoming, BrowserError> {
        loop {
            if let Some(incoming) = self.ready()? {
                return Ok(incoming);
            }
            let read = read_into(&mut self.stream, self.decoder.buffer_mut()).await;
            match read {
                Ok(0) => return Err(BrowserError::BrokeOff),
                Ok(_) => {}
                Err(error) => return Err(BrowserError::Broke(error)),
            }
        }
    }

    /// The next piece of what was read already.
    pub(super) fn ready(&mut self) -> Result<Option<Incoming>, ProtocolError> {
        let next = self.decoder.next();
        match next {
            Ok(None) => self.decoder.release(),
            Ok(Some(Incoming::Close(_))) => self.is_closed = true,
            _ => {}
        }
        next
    }

    /// A whole message of at most `limit` bytes. For the opening only; pings before it go unanswered.
    pub(super) async fn message(&mut self, limit: usize) -> Result<Bytes, BrowserError> {
        let mut message = BytesMut::new();
        loop {
            match self.next().await? {
                Incoming::Data { bytes, ends_message } => {
                    if message.len() + bytes.len() > limit {
                        return Err(BrowserError::TooLong(limit));
                    }
                    message.extend_from_slice(&bytes);
                    if ends_message {
                        return Ok(message.freeze());
                    }
                }
                Incoming::Close(_) => return Err(BrowserError::Closed),
                Incoming::Ping(_) | Incoming::Pong(_) => {}
            }
        }
    }

    /// Reads on, for nothing, until the browser has closed.
    pub(super) async fn until_closed(&mut self) {
        while !self.is_closed && self.next().await.is_ok() {}
    }
}

/// What goes to the browser. It remembers a half-written message, so that a dropped write can be
/// finished before the close frame.
pub(super) struct Writer<W> {
    stream: W,
    batch: Batch,
}

impl<W: AsyncWrite + Unpin> Writer<W> {
    pub(super) fn new(stream: W) -> Self {
        Self { stream, batch: Batch::default() }
    }

    /// Queues a message; it goes with the next [`Writer::send`].
    pub(super) fn queue(&mut self, message: Bytes) {
        self.batch.push(Some(Header::new(Opcode::Binary, message.len())), message);
    }

    /// Whether so much is queued that it should be sent before there is more.
    pub(super) fn is_full(&self) -> bool {
        self.batch.is_full()
    }

    /// Bytes that are queued.
    pub(super) fn queued(&self) -> usize {
        self.batch.queued()
    }

    /// Writes what is queued.
    ///
    /// # Errors
    /// The connection broke, or the browser took too little for [`WRITE_TIMEOUT`].
    pub(super) async fn send(&mut self) -> io::Result<()> {
        if self.batch.is_empty() {
            return Ok(());
        }
        timeout(WRITE_TIMEOUT, self.write()).await?
    }

    /// Queues a control frame of at most 125 bytes.
    pub(super) fn queue_control(&mut self, opcode: Opcode, payload: Bytes) {
        self.batch.push(Some(Header::new(opcode, payload.len())), payload);
    }

    /// Sends what is left and the close frame.
    pub(super) async fn close(&mut self, code: u16, word: &str) -> io::Result<()> {
        self.batch.push(None, close_frame(code, word).into());
        self.write().await
    }

    /// Ends the stream: close_notify in TLS, then TCP.
    pub(super) async fn shut_down(&mut self) -> io::Result<()> {
        self.stream.shutdown().await
    }

    async fn write(&mut self) -> io::Result<()> {
        self.stream.write_all_buf(&mut self.batch).await?;
        self.stream.flush().await
    }
}
