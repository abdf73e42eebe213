//! Whole RDP messages out of a byte stream, and into one.

use std::{borrow::Cow, io};

use bytes::{Bytes, BytesMut};
use ironrdp_core::{Encode, decode, encode_vec};
use ironrdp_pdu::{
    Action, find_size,
    mcs::{McsMessage, SendDataIndication, SendDataRequest},
    x224::{X224, X224Data},
};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

/// One whole message.
#[derive(Debug, Clone)]
pub struct Frame {
    /// How it is framed.
    pub action: Action,
    /// All of it, with its header.
    pub bytes: Bytes,
}

/// A stream of messages.
pub struct Frames<S> {
    stream: S,
    buffer: BytesMut,
}

impl<S> Frames<S> {
    /// Nothing has been read from the stream.
    pub fn new(stream: S) -> Self {
        Self { stream, buffer: BytesMut::new() }
    }

    /// The stream; what was read ahead is gone.
    pub fn into_inner(self) -> S {
        self.stream
    }

    /// The stream, to write to it.
    pub fn stream_mut(&mut self) -> &mut S {
        &mut self.stream
    }
}

impl<S: AsyncRead + Unpin> Frames<S> {
    /// The next message; none at the end of the stream.
    pub async fn next(&mut self) -> io::Result<Option<Frame>> {
        loop {
            if let Some(frame) = cut(&mut self.buffer)? {
                return Ok(Some(frame));
            }
            if self.stream.read_buf(&mut self.buffer).await? == 0 {
                return Ok(None);
            }
        }
    }

    /// As [`Frames::next`], where the end of the stream is an error.
    pub async fn expect(&mut self, what: &str) -> io::Result<Bytes> {
        match self.next().await? {
            Some(frame) => Ok(frame.bytes),
            None => {
                Err(io::Error::new(io::ErrorKind::UnexpectedEof, format!("the stream ended before {what}")))
            }
        }
    }
}

impl<S: AsyncWrite + Unpin> Frames<S> {
    /// Sends bytes as they are.
    pub async fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.stream.write_all(bytes).await?;
        self.stream.flush().await
    }
}

/// Takes one whole message off the front of `buffer`, if there is one.
pub(crate) fn cut(buffer: &mut BytesMut) -> io::Result<Option<Frame>> {
    let Some(found) = find_size(buffer).map_err(invalid)? else { return Ok(None) };
    if found.length == 0 {
        return Err(invalid("a message of no length"));
    }
    if buffer.len() < found.length {
        return Ok(None);
    }
    Ok(Some(Frame { action: found.action, bytes: buffer.split_to(found.length).freeze() }))
}

/// An error that says that the peer sent nonsense.
pub(crate) fn invalid(error: impl ToString) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, error.to_string())
}

/// The channel and content of an MCS Send Data Request or Indication.
pub fn user_data_of(frame: &[u8]) -> Option<(u16, Vec<u8>)> {
    match decode::<X224<McsMessage<'_>>>(frame).ok()?.0 {
        McsMessage::SendDataRequest(data) => Some((data.channel_id, data.user_data.into_owned())),
        McsMessage::SendDataIndication(data) => Some((data.channel_id, data.user_data.into_owned())),
        _ => None,
    }
}

/// A message as it is on the wire.
pub(crate) fn x224<T>(message: T) -> Vec<u8>
where
    X224<T>: Encode,
{
    encode_vec(&X224(message)).unwrap()
}

/// Something that travels as X.224 data: Connect-Initial and Connect-Response.
pub(crate) fn x224_data(message: &impl Encode) -> Vec<u8> {
    let data = encode_vec(message).unwrap();
    encode_vec(&X224(X224Data { data: Cow::Owned(data) })).unwrap()
}

/// From host to client.
pub(crate) fn indication(channel_id: u16, message: &impl Encode) -> Vec<u8> {
    let user_data = Cow::Owned(encode_vec(message).unwrap());
    x224(SendDataIndication { initiator_id: super::USER_CHANNEL, channel_id, user_data })
}

/// From client to host.
pub(crate) fn request(channel_id: u16, message: &impl Encode) -> Vec<u8> {
    request_bytes(channel_id, encode_vec(message).unwrap())
}

/// From client to host, already encoded.
pub(crate) fn request_bytes(channel_id: u16, user_data: Vec<u8>) -> Vec<u8> {
    let user_data = Cow::Owned(user_data);
    x224(SendDataRequest { initiator_id: super::USER_CHANNEL, channel_id, user_data })
}
