//! A relay between xrdp and sesman, for xrdp before 0.9.26.
//!
//! There, any client that may log on may also name the program that runs instead of ours (its alternate
//! shell), and no setting forbids it. xrdp passes that name on to sesman in one message; the relay empties
//! it. It also serves the return to sessions that a restarted sesman does not know: their X server lives,
//! so xrdp only needs its number.
//!
//! Source: xrdp 0.9.21, `sesman/libscp/libscp_v0.c`. All numbers are big-endian; texts have a 16-bit length
//! in front. A message is: version (32 bits, 0), size of the whole (32 bits), code (16 bits), then for a
//! session: user, password, width, height, depth (16 bits each), domain, program, directory, address.

use std::{io, sync::Arc, time::Duration};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::Semaphore,
    time::timeout,
};

use super::core::Core;

/// `SCP_MAX_MESSAGE_SIZE`.
const MESSAGE_MAX: usize = 8192;
const HEADER: usize = 8;
/// `code` of a session with Xorg; nothing else passes.
const XORG: u16 = 20;
/// Depth of every session's screen, whatever its client shows: sesman only tells sessions apart by it, and
/// one that was started for fewer colours is the same.
const DEPTH: u16 = 24;
/// xrdp sends its message at once.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(10);
/// sesman serves one logon at a time, and one may have to wait for many.
const REPLY_TIMEOUT: Duration = Duration::from_secs(120);
/// Logons under way at a time; the rest wait.
const RELAYS_MAX: usize = 64;

/// Serves one of the relay's listeners for ever.
pub(super) async fn serve(listener: TcpListener, core: Arc<Core>, sesman_port: u16) {
    let room = Arc::new(Semaphore::new(RELAYS_MAX));
    loop {
        let Ok(permit) = Arc::clone(&room).acquire_owned().await else { return };
        let stream = match listener.accept().await {
            Ok((stream, _)) => stream,
            Err(error) => {
                // Out of descriptors, most likely: waiting helps, spinning does not.
                tracing::warn!(%error, "cannot accept a logon");
                tokio::time::sleep(Duration::from_millis(200)).await;
                continue;
            }
        };
        let core = Arc::clone(&core);
        tokio::spawn(async move {
            if let Err(error) = relay(stream, &core, sesman_port).await {
                tracing::debug!(%error, "a logon did not get through to sesman");
            }
            drop(permit);
        });
    }
}

async fn relay(mut xrdp: TcpStream, core: &Arc<Core>, sesman_port: u16) -> io::Result<()> {
    let request = timeout(REQUEST_TIMEOUT, read_message(&mut xrdp)).await??;
    let request = Request::parse(&request).ok_or_else(|| invalid("not a request for a session"))?;
    if let Some(answer) = core.reattach(&request.user, &request.password) {
        let answer = answer.map_or_else(denied, |place| allowed(place.display));
        return xrdp.write_all(&answer).await;
    }
    xrdp.write_all(&ask(sesman_port, &request).await?).await
}

/// Has sesman start a session, or find it again, as xrdp does for a client.
///
/// # Errors
/// When sesman cannot be reached, or does not want to.
pub(super) async fn start_session(
    sesman_port: u16,
    name: &str,
    secret: &str,
    size: (u16, u16),
) -> io::Result<()> {
    let request = Request {
        user: name.to_owned(),
        password: secret.to_owned().into(),
        size: [size.0, size.1, DEPTH].map(u16::to_be_bytes).concat().try_into().expect("three numbers"),
        domain: Vec::new(),
        address: Vec::new(),
    };
    let reply = ask(sesman_port, &request).await?;
    match reply.get(HEADER..HEADER + 4) {
        Some([0, 3, 0, 1]) => Ok(()),
        _ => Err(io::Error::new(io::ErrorKind::PermissionDenied, "sesman refuses the session")),
    }
}

async fn ask(sesman_port: u16, request: &Request) -> io::Result<Vec<u8>> {
    let mut sesman = match TcpStream::connect((std::net::Ipv6Addr::LOCALHOST, sesman_port)).await {
        Ok(stream) => stream,
        Err(_) => TcpStream::connect((std::net::Ipv4Addr::LOCALHOST, sesman_port)).await?,
    };
    sesman.write_all(&request.without_program()).await?;
    timeout(REPLY_TIMEOUT, read_message(&mut sesman)).await?
}

async fn read_message(stream: &mut TcpStream) -> io::Result<Vec<u8>> {
    let mut message = vec![0; HEADER];
    stream.read_exact(&mut message).await?;
    let size = u32::from_be_bytes(message[4..8].try_into().expect("four bytes")) as usize;
    if message[..4] != [0; 4] || !(HEADER..=MESSAGE_MAX).contains(&size) {
        return Err(invalid("not a message of version 0"));
    }
    message.resize(size, 0);
    stream.read_exact(&mut message[HEADER..]).await?;
    Ok(message)
}

/// `SCP_SESSION` as xrdp asks for it.
#[derive(Debug, PartialEq, Eq)]
struct Request {
    user: String,
    password: zeroize::Zeroizing<String>,
    /// Width, height and depth, as they came.
    size: [u8; 6],
    domain: Vec<u8>,
    address: Vec<u8>,
}

impl Request {
    fn parse(message: &[u8]) -> Option<Self> {
        let mut rest = message.get(HEADER..)?;
        if u16::from_be_bytes(take(&mut rest, 2)?.try_into().ok()?) != XORG {
            return None;
        }
        let user = String::from_utf8(text(&mut rest)?.to_vec()).ok()?;
        let password = zeroize::Zeroizing::new(String::from_utf8(text(&mut rest)?.to_vec()).ok()?);
        let size = take(&mut rest, 6)?.try_into().ok()?;
        let domain = text(&mut rest)?.to_vec();
        let (_program, _directory) = (text(&mut rest)?, text(&mut rest)?);
        Some(Self { user, password, size, domain, address: text(&mut rest)?.to_vec() })
    }

    fn without_program(&self) -> zeroize::Zeroizing<Vec<u8>> {
        let mut body = XORG.to_be_bytes().to_vec();
        put(&mut body, self.user.as_bytes());
        put(&mut body, self.password.as_bytes());
        body.extend(&self.size[..4]);
        body.extend(DEPTH.to_be_bytes());
        put(&mut body, &self.domain);
        put(&mut body, b"");
        put(&mut body, b"");
        put(&mut body, &self.address);
        zeroize::Zeroizing::new(message(&body))
    }
}

fn take<'a>(rest: &mut &'a [u8], count: usize) -> Option<&'a [u8]> {
    let (taken, left) = rest.split_at_checked(count)?;
    *rest = left;
    Some(taken)
}

fn text<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    let length = u16::from_be_bytes(take(rest, 2)?.try_into().ok()?);
    take(rest, length.into())
}

fn put(body: &mut Vec<u8>, text: &[u8]) {
    let length = u16::try_from(text.len()).expect("came with a 16-bit length");
    body.extend(length.to_be_bytes());
    body.extend(text);
}

fn message(body: &[u8]) -> Vec<u8> {
    let size = u32::try_from(HEADER + body.len()).expect("bounded by MESSAGE_MAX");
    let mut message = vec![0; 4];
    message.extend(size.to_be_bytes());
    message.extend(body);
    message
}

/// `scp_v0s_allow_connection`: 3, 1, the display.
fn allowed(display: u16) -> Vec<u8> {
    message(&[3_u16, 1, display].map(u16::to_be_bytes).concat())
}

/// `scp_v0s_deny_connection`: 3, 0, 0.
fn denied() -> Vec<u8> {
    message(&[3_u16, 0, 0].map(u16::to_be_bytes).concat())
}

fn invalid(reason: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, reason)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(program: &[u8]) -> Vec<u8> {
        let mut body = XORG.to_be_bytes().to_vec();
        for field in [&b"alice~1"[..], b"secret"] {
            put(&mut body, field);
        }
        body.extend([4, 0, 3, 0, 0, 24]);
        for field in [&b""[..], program, b"/tmp", b"127.0.0.1:4000 - socket: 12"] {
            put(&mut body, field);
        }
        message(&body)
    }

    #[test]
    fn the_program_and_its_folder_are_emptied_and_the_rest_passes() {
        let parsed = Request::parse(&request(b"xterm -e rm")).expect("a request");
        assert_eq!((parsed.user.as_str(), parsed.password.as_str()), ("alice~1", "secret"));
        let forwarded = parsed.without_program();
        assert!(!forwarded.windows(5).any(|bytes| bytes == b"xterm" || bytes == b"/tmp\0"));
        assert_eq!(Request::parse(&forwarded).expect("a request"), parsed);
        assert_eq!(u32::from_be_bytes(forwarded[4..8].try_into().expect("four")), forwarded.len() as u32);
    }

    #[test]
    fn anything_shorter_or_other_is_refused_without_a_panic() {
        let whole = request(b"xterm");
        for length in 0..whole.len() {
            assert_eq!(Request::parse(&whole[..length]), None);
        }
        let mut management = whole.clone();
        management[9] = 4;
        assert_eq!(Request::parse(&management), None);
    }

    #[test]
    fn answers_have_the_form_of_sesmans() {
        assert_eq!(allowed(500), [0, 0, 0, 0, 0, 0, 0, 14, 0, 3, 0, 1, 1, 0xF4]);
        assert_eq!(denied(), [0, 0, 0, 0, 0, 0, 0, 14, 0, 3, 0, 0, 0, 0]);
    }
}
