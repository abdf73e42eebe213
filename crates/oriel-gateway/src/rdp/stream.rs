//! Reading without holding memory while nothing comes.

use std::{
    future::poll_fn,
    io,
    pin::Pin,
    task::{Context, Poll},
};

use bytes::BytesMut;
use tokio::io::{AsyncRead, ReadBuf};
use tokio_util::io::poll_read_buf;

use crate::limits::READ_BYTES;

/// Reads what is there, at most [`READ_BYTES`], into the end of the buffer, and returns how many bytes
/// that were; zero at the end of the stream. Dropping it loses nothing.
///
/// The buffer gets its memory for the attempt and loses it again if nothing came and nothing was in
/// it: an idle connection holds none.
pub(super) async fn read_into(
    stream: &mut (impl AsyncRead + Unpin),
    buffer: &mut BytesMut,
) -> io::Result<usize> {
    poll_fn(|cx| poll_read_into(stream, cx, buffer)).await
}

/// As [`read_into`], but only what is there now: `None` if nothing is.
pub(super) fn try_read_into(
    stream: &mut (impl AsyncRead + Unpin),
    buffer: &mut BytesMut,
) -> Option<io::Result<usize>> {
    // Whoever comes here reads again with a real waker before it waits.
    let mut cx = Context::from_waker(std::task::Waker::noop());
    match poll_read_into(stream, &mut cx, buffer) {
        Poll::Ready(result) => Some(result),
        Poll::Pending => None,
    }
}

fn poll_read_into(
    stream: &mut (impl AsyncRead + Unpin),
    cx: &mut Context<'_>,
    buffer: &mut BytesMut,
) -> Poll<io::Result<usize>> {
    buffer.reserve(READ_BYTES);
    match poll_read_buf(Pin::new(stream), cx, buffer) {
        Poll::Pending => {
            if buffer.is_empty() {
                *buffer = BytesMut::new();
            }
            Poll::Pending
        }
        // A peer that leaves without saying so in TLS: RDP hosts and killed browsers do.
        Poll::Ready(Err(error)) if error.kind() == io::ErrorKind::UnexpectedEof => Poll::Ready(Ok(0)),
        ready => ready,
    }
}

/// Reads exactly as many bytes as asked for, without reading ahead.
pub(super) async fn read_exactly(stream: &mut (impl AsyncRead + Unpin), bytes: &mut [u8]) -> io::Result<()> {
    let mut buffer = ReadBuf::new(bytes);
    while buffer.remaining() > 0 {
        let before = buffer.filled().len();
        poll_fn(|cx| Pin::new(&mut *stream).poll_read(cx, &mut buffer)).await?;
        if buffer.filled().len() == before {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
    }
    Ok(())
}
