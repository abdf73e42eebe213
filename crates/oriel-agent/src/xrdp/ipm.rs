//! A relay between xrdp and sesman of the 0.10 series.
//!
//! There, sesman forgets the name that was logged on with: it takes the first name of the user id, so all
//! aliases of an account would be one session. But it keeps the client's address, gives it to PAM as the
//! remote host, and can tell sessions apart by it (policy "UI"). No client reaches xrdp but gateways, so the
//! address says nothing; the relay puts the logon name in its place.
//!
//! Source: xrdp 0.10.1, `libipm/libipm_send.c`, `libipm/scp.c`. A message is: version (2), size of the whole,
//! facility, number (16 bits each, little-endian), 32 bits of nothing, then values, each with a letter for
//! its type in front. A text ("s") ends with a zero byte.

use std::{io, path::Path, sync::Arc, time::Duration};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{UnixListener, UnixStream},
    time::timeout,
};
use zeroize::Zeroizing;

use super::{core::Core, doors, layout::Layout, socket::ShortPath};

/// `LIBIPM_MAX_MSG_SIZE`.
const MESSAGE_MAX: usize = 8192;
const HEADER: usize = 12;
const VERSION: u16 = 2;
/// `enum scp_msg_code`.
const LOGIN: u16 = 2;
/// What else xrdp asks for: its name, logout, a session, the end. Neither a logon without a secret nor the
/// list of sessions passes.
const HARMLESS: [u16; 4] = [1, 5, 6, 10];
/// A logon and the start of its session, on a machine where many do that at the same time.
const LOGON_TIMEOUT: Duration = Duration::from_secs(120);
/// Logons under way at a time; the rest wait.
const RELAYS_MAX: usize = 64;

/// Serves xrdp for ever.
pub(super) async fn serve(listener: UnixListener, core: Arc<Core>) {
    let (layout, stopping) = (core.layout.clone(), core.stopping.clone());
    doors::serve(listener, RELAYS_MAX, stopping, move |xrdp| {
        let layout = layout.clone();
        async move {
            let outcome = timeout(LOGON_TIMEOUT, relay(xrdp, &layout)).await;
            if let Err(error) = outcome.unwrap_or_else(|late| Err(late.into())) {
                tracing::debug!(%error, "a logon did not get through to sesman");
            }
        }
    })
    .await;
}

async fn relay(xrdp: UnixStream, layout: &Layout) -> io::Result<()> {
    let sesman = dial(&layout.sesman_socket()).await?;
    let (mut from_xrdp, mut to_xrdp) = xrdp.into_split();
    let (mut from_sesman, mut to_sesman) = sesman.into_split();
    let requests = async {
        while let Some(message) = read_message(&mut from_xrdp).await? {
            let message = forwarded(message).ok_or_else(|| invalid("not what xrdp asks for"))?;
            to_sesman.write_all(&message).await?;
        }
        Ok(())
    };
    tokio::select! {
        outcome = requests => outcome,
        outcome = tokio::io::copy(&mut from_sesman, &mut to_xrdp) => outcome.map(drop),
    }
}

async fn dial(socket: &Path) -> io::Result<UnixStream> {
    let short = ShortPath::to(socket)?;
    UnixStream::connect(short.as_ref()).await
}

/// The next message; `None` when there are no more.
async fn read_message(stream: &mut (impl AsyncReadExt + Unpin)) -> io::Result<Option<Zeroizing<Vec<u8>>>> {
    // Room for the largest: the secret is never copied to another place.
    let mut message = Zeroizing::new(Vec::with_capacity(MESSAGE_MAX));
    message.resize(HEADER, 0);
    if stream.read(&mut message[..1]).await? == 0 {
        return Ok(None);
    }
    stream.read_exact(&mut message[1..]).await?;
    let size = usize::from(number(&message, 2));
    if number(&message, 0) != VERSION || !(HEADER..=MESSAGE_MAX).contains(&size) {
        return Err(invalid("not a message of version 2"));
    }
    message.resize(size, 0);
    stream.read_exact(&mut message[HEADER..]).await?;
    Ok(Some(message))
}

/// The message as sesman gets it; `None` for one that it must not get.
fn forwarded(message: Zeroizing<Vec<u8>>) -> Option<Zeroizing<Vec<u8>>> {
    match number(&message, 6) {
        LOGIN => with_name_as_address(&message),
        other => HARMLESS.contains(&other).then_some(message),
    }
}

/// A logon: name, password, address.
fn with_name_as_address(message: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let (name, rest) = text(message.get(HEADER..)?)?;
    let (_secret, rest) = text(rest)?;
    let (_address, end) = text(rest)?;
    let size = message.len() - rest.len() + name.len();
    if !end.is_empty() || size > MESSAGE_MAX {
        return None;
    }
    let mut changed = Zeroizing::new(Vec::with_capacity(size));
    changed.extend(&message[..message.len() - rest.len()]);
    changed.extend(name);
    changed[2..4].copy_from_slice(&u16::try_from(size).ok()?.to_le_bytes());
    Some(changed)
}

/// A text with its letter and its zero byte, and what follows it.
fn text(values: &[u8]) -> Option<(&[u8], &[u8])> {
    let end = values.iter().position(|byte| *byte == 0)?;
    (values.first() == Some(&b's')).then(|| values.split_at(end + 1))
}

/// 16 bits at a place within the header.
fn number(message: &[u8], at: usize) -> u16 {
    u16::from_le_bytes([message[at], message[at + 1]])
}

fn invalid(reason: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, reason)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(code: u16, values: &[u8]) -> Zeroizing<Vec<u8>> {
        let size = u16::try_from(HEADER + values.len()).expect("small");
        let mut message: Vec<u8> = [VERSION, size, 1, code, 0, 0].map(u16::to_le_bytes).concat();
        message.extend(values);
        Zeroizing::new(message)
    }

    #[test]
    fn the_logon_name_takes_the_place_of_the_address() {
        let asked = message(LOGIN, b"salice~12\0ssecret\0s127.0.0.1\0");
        let expected = message(LOGIN, b"salice~12\0ssecret\0salice~12\0");
        assert_eq!(forwarded(asked), Some(expected));
    }

    #[test]
    fn other_requests_pass_unchanged_or_not_at_all() {
        let session = message(6, b"y\x14q\0\x05sstartwm\0");
        assert_eq!(forwarded(session.clone()), Some(session));
        let (without_secret, list) = (3, 8);
        for code in [without_secret, list, 0, 4, 11, u16::MAX] {
            assert_eq!(forwarded(message(code, b"")), None, "{code}");
        }
    }

    #[test]
    fn a_broken_logon_is_refused_without_a_panic() {
        let whole = message(LOGIN, b"salice~1\0ssecret\0s127.0.0.1\0");
        for length in HEADER..whole.len() {
            assert_eq!(forwarded(Zeroizing::new(whole[..length].to_vec())), None);
        }
        assert_eq!(forwarded(message(LOGIN, b"sa\0sb\0sc\0sd\0")), None);
        assert_eq!(forwarded(message(LOGIN, b"ya\0sb\0sc\0")), None);
    }

    #[tokio::test]
    async fn messages_are_read_whole_and_bounded() {
        let first = message(1, b"sxrdp\0");
        let stream = [first.as_slice(), &message(5, b"")].concat();
        let mut rest = stream.as_slice();
        assert_eq!(read_message(&mut rest).await.expect("a message"), Some(first));
        assert_eq!(read_message(&mut rest).await.expect("a message"), Some(message(5, b"")));
        assert_eq!(read_message(&mut rest).await.expect("the end"), None);
        for size in [0_u16, 11, 8193] {
            let mut odd = message(1, b"");
            odd[2..4].copy_from_slice(&size.to_le_bytes());
            read_message(&mut odd.as_slice()).await.expect_err("a size that no message has");
        }
    }
}
