//! The client's side of WebSocket (RFC 6455), as far as a scripted client needs it: the handshake,
//! whole binary messages, and answers to pings. Masks with zeros, which is allowed and free.

use std::io::{self, Read, Write};

use anyhow::{Context as _, bail, ensure};

/// The longest message that is collected whole, in bytes: an RDP message has at most 64 KiB.
const MESSAGE_BYTES_MAX: usize = 128 * 1024;

const BINARY: u8 = 2;
const CLOSE: u8 = 8;
const PING: u8 = 9;
const PONG: u8 = 10;

/// A WebSocket over any stream.
pub struct WebSocket<S> {
    stream: S,
    buffer: Vec<u8>,
}

impl<S: Read + Write> WebSocket<S> {
    /// Opens one at `path`, as a page of `host` (with its port) would.
    pub fn open(mut stream: S, host: &str, path: &str) -> anyhow::Result<Self> {
        write!(
            stream,
            "GET {path} HTTP/1.1\r\nhost: {host}\r\norigin: https://{host}\r\nconnection: Upgrade\r\n\
             upgrade: websocket\r\nsec-websocket-version: 13\r\n\
             sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        )?;
        let mut buffer = Vec::new();
        let end = loop {
            if let Some(end) = buffer.windows(4).position(|window| window == b"\r\n\r\n") {
                break end + 4;
            }
            ensure!(buffer.len() < 16 * 1024, "the answer to the WebSocket handshake has no end");
            fill(&mut stream, &mut buffer).context("the WebSocket handshake")?;
        };
        let head = String::from_utf8_lossy(&buffer[..end]);
        ensure!(
            head.starts_with("HTTP/1.1 101"),
            "no WebSocket was opened: {}",
            head.lines().next().unwrap_or("")
        );
        buffer.drain(..end);
        Ok(Self { stream, buffer })
    }

    /// Sends one binary message.
    pub fn send(&mut self, payload: &[u8]) -> io::Result<()> {
        self.stream.write_all(&frame(BINARY, payload))
    }

    /// Waits for the next binary message.
    pub fn receive(&mut self) -> anyhow::Result<Vec<u8>> {
        loop {
            if let Some(message) = self.take()? {
                return Ok(message);
            }
            fill(&mut self.stream, &mut self.buffer)?;
        }
    }

    /// Answers pings among what has come so far, without waiting. The stream must not block.
    pub fn answer_pings(&mut self) -> anyhow::Result<()> {
        loop {
            while self.take()?.is_some() {}
            match fill(&mut self.stream, &mut self.buffer) {
                Ok(()) => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    self.buffer.shrink_to_fit();
                    return Ok(());
                }
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// The stream below, and what of it was read already.
    pub fn into_parts(self) -> (S, Vec<u8>) {
        (self.stream, self.buffer)
    }

    /// The stream below.
    pub fn stream(&mut self) -> &mut S {
        &mut self.stream
    }

    /// The stream below, to look at.
    pub fn stream_ref(&self) -> &S {
        &self.stream
    }

    /// The next whole binary message in the buffer; answers pings before it.
    fn take(&mut self) -> anyhow::Result<Option<Vec<u8>>> {
        while let Some(head) = Head::read(&self.buffer) {
            ensure!(head.payload <= MESSAGE_BYTES_MAX as u64, "a message of {} bytes came", head.payload);
            let whole = head.bytes + head.payload as usize;
            if self.buffer.len() < whole {
                break;
            }
            let payload = self.buffer[head.bytes..whole].to_vec();
            self.buffer.drain(..whole);
            match head.opcode {
                BINARY => return Ok(Some(payload)),
                PING => self.stream.write_all(&frame(PONG, &payload))?,
                PONG => {}
                CLOSE => bail!(
                    "the gateway closed the connection: {}",
                    String::from_utf8_lossy(payload.get(2..).unwrap_or(&[]))
                ),
                other => bail!("a message of unknown kind {other} came"),
            }
        }
        Ok(None)
    }
}

/// The header of a frame from a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Head {
    pub opcode: u8,
    /// Bytes of the header itself.
    pub bytes: usize,
    /// Bytes behind it.
    pub payload: u64,
}

impl Head {
    /// The header that `bytes` start with, or nothing while it is not whole.
    pub fn read(bytes: &[u8]) -> Option<Self> {
        let (&[first, second], rest) = bytes.split_first_chunk()?;
        let (extra, payload) = match second & 0x7f {
            126 => (2, u64::from(u16::from_be_bytes(*rest.first_chunk()?))),
            127 => (8, u64::from_be_bytes(*rest.first_chunk()?)),
            short => (0, u64::from(short)),
        };
        Some(Self { opcode: first & 0xf, bytes: 2 + extra, payload })
    }
}

/// A whole frame from a client.
fn frame(opcode: u8, payload: &[u8]) -> Vec<u8> {
    let mut frame = vec![0x80 | opcode];
    match payload.len() {
        short @ 0..=125 => frame.push(0x80 | short as u8),
        middle @ 126..=0xffff => {
            frame.push(0x80 | 126);
            frame.extend((middle as u16).to_be_bytes());
        }
        long => {
            frame.push(0x80 | 127);
            frame.extend((long as u64).to_be_bytes());
        }
    }
    frame.extend([0; 4]);
    frame.extend(payload);
    frame
}

/// Reads once. The end of the stream is an error: nobody here expects it.
fn fill(stream: &mut impl Read, buffer: &mut Vec<u8>) -> io::Result<()> {
    let mut piece = [0; 8 * 1024];
    match stream.read(&mut piece)? {
        0 => Err(io::ErrorKind::UnexpectedEof.into()),
        bytes => {
            buffer.extend(&piece[..bytes]);
            Ok(())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Gives what a server sent, and keeps what it was sent.
    struct Server {
        sends: io::Cursor<Vec<u8>>,
        got: Vec<u8>,
    }

    impl Read for Server {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            // In small pieces, as networks do.
            let piece = buffer.len().min(3);
            self.sends.read(&mut buffer[..piece])
        }
    }

    impl Write for Server {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.got.extend(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn server(sends: &[&[u8]]) -> Server {
        Server { sends: io::Cursor::new(sends.concat()), got: Vec::new() }
    }

    #[test]
    fn messages_come_whole_and_pings_are_answered() {
        let long = vec![7; 300];
        let stream = server(&[
            b"HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\n\r\n",
            &[0x82, 2, 1, 2, 0x89, 1, 9, 0x82, 126, 1, 44],
            &long,
            &[0x88, 4, 0x0f, 0xa0, b'o', b'k'],
        ]);
        let mut socket = WebSocket::open(stream, "gate:8443", "/rdp").unwrap();
        assert_eq!(socket.receive().unwrap(), [1, 2]);
        assert_eq!(socket.receive().unwrap(), long);
        assert!(socket.stream.got.ends_with(&[0x8a, 0x81, 0, 0, 0, 0, 9]));
        assert_eq!(socket.receive().unwrap_err().to_string(), "the gateway closed the connection: ok");
    }

    #[test]
    fn a_refusal_is_told() {
        let stream = server(&[b"HTTP/1.1 403 Forbidden\r\n\r\n"]);
        let refusal = WebSocket::open(stream, "gate", "/rdp").err().unwrap();
        assert_eq!(refusal.to_string(), "no WebSocket was opened: HTTP/1.1 403 Forbidden");
    }

    #[test]
    fn every_length_has_its_header() {
        for length in [0, 125, 126, 0xffff, 0x1_0000] {
            let frame = frame(BINARY, &vec![1; length]);
            let head = Head::read(&frame).unwrap();
            assert_eq!((head.opcode, head.payload), (BINARY, length as u64));
            assert_eq!(head.bytes + 4 + length, frame.len());
            assert_eq!(Head::read(&frame[..head.bytes - 1]), None);
        }
    }
}
