//! A relay between xrdp and sesman of the 0.10 series.
//!
//! There, sesman forgets the name that was logged on with: it takes the first name of the user id, so all
//! aliases of an account would be one session. But it keeps the client's address, gives it to PAM as the
//! remote host, and can tell sessions apart by it (policy "UI"). No client reaches xrdp but gateways, so the
//! address says nothing; the relay puts the logon name in its place. It also serves the return to sessions
//! that a restarted sesman does not know: their X server lives, so xrdp only needs its number.
//!
//! Source: xrdp 0.10.1, `libipm/libipm_send.c`, `libipm/scp.c`. A message is: version (2), size of the whole,
//! facility, number (16 bits each, little-endian), 32 bits of nothing, then values, each with a letter for
//! its type in front: a text ("s") ends with a zero byte, numbers have 32 bits ("i"), 16 ("q") or eight ("y"),
//! truths ("b") eight, and bytes ("B") their number in front, in 16 bits.

use std::{io, path::Path, sync::Arc, time::Duration};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{UnixListener, UnixStream},
    time::timeout,
};
use zeroize::Zeroizing;

use super::{
    core::{Core, Place},
    doors,
    socket::ShortPath,
};

/// `LIBIPM_MAX_MSG_SIZE`.
const MESSAGE_MAX: usize = 8192;
const HEADER: usize = 12;
const VERSION: u16 = 2;
/// `LIBIPM_FAC_SCP`.
const FACILITY: u16 = 1;
/// `enum scp_msg_code`.
const LOGIN: u16 = 2;
const LOGIN_RESPONSE: u16 = 4;
const CREATE_SESSION: u16 = 6;
const CREATE_SESSION_RESPONSE: u16 = 7;
/// `E_SCP_LOGIN_OK` and `E_SCP_SCREATE_OK`, and `E_SCP_LOGIN_NOT_AUTHENTICATED`.
const OK: i32 = 0;
const NOT_AUTHENTICATED: i32 = 3;
/// The most that comes before a logon: the name of who asks.
const PREFACE_MAX: usize = 2;
/// `SCP_SESSION_TYPE_XORG` of 0.10.1 (20 in 0.9), and the depth of its screen.
const XORG: u8 = 1;
const DEPTH: u8 = 24;
/// Bytes of the number by which sesman tells sessions apart; for logs.
const GUID: [u8; 16] = [0; 16];
/// What else xrdp asks for: its name, logout, a session, the end. Neither a logon without a secret nor the
/// list of sessions passes.
const HARMLESS: [u16; 4] = [1, 5, 6, 10];
/// A logon and the start of its session, on a machine where many do that at the same time.
const LOGON_TIMEOUT: Duration = Duration::from_secs(120);
/// Logons under way at a time; the rest wait.
const RELAYS_MAX: usize = 64;

/// Serves xrdp for ever.
pub(super) async fn serve(listener: UnixListener, core: Arc<Core>) {
    let stopping = core.stopping.clone();
    doors::serve(listener, RELAYS_MAX, stopping, move |xrdp| {
        let core = Arc::clone(&core);
        async move {
            let outcome = timeout(LOGON_TIMEOUT, relay(xrdp, &core)).await;
            if let Err(error) = outcome.unwrap_or_else(|late| Err(late.into())) {
                tracing::debug!(%error, "a logon did not get through to sesman");
            }
        }
    })
    .await;
}

async fn relay(xrdp: UnixStream, core: &Core) -> io::Result<()> {
    let (mut from_xrdp, mut to_xrdp) = xrdp.into_split();
    let mut preface = Vec::new();
    while let Some(message) = read_message(&mut from_xrdp).await? {
        let is_logon = number(&message, 6) == LOGIN;
        if is_logon
            && let Some((name, secret)) = name_and_secret(&message)
            && let Some(place) = core.reattach(name, secret)
        {
            return lead_back(place, from_xrdp, to_xrdp).await;
        }
        preface.push(forwarded(message).ok_or_else(|| invalid("not what xrdp asks for"))?);
        if is_logon || preface.len() > PREFACE_MAX {
            break;
        }
    }
    let sesman = dial(&core.layout.sesman_socket()).await?;
    let (mut from_sesman, mut to_sesman) = sesman.into_split();
    let requests = async {
        for message in preface {
            to_sesman.write_all(&message).await?;
        }
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

/// Has sesman start a session, as xrdp does for a client, with the logon name in the address's place.
///
/// # Errors
/// When sesman cannot be reached, or does not want to.
pub(super) async fn start_session(
    socket: &Path,
    name: &str,
    secret: &str,
    size: (u16, u16),
) -> io::Result<()> {
    let mut sesman = dial(socket).await?;
    let mut logon = Zeroizing::new(Vec::with_capacity(MESSAGE_MAX));
    for text in [name, secret, name] {
        logon.push(b's');
        logon.extend(text.as_bytes());
        logon.push(0);
    }
    sesman.write_all(&Zeroizing::new(message(LOGIN, &logon))).await?;
    expect(&mut sesman, LOGIN_RESPONSE).await?;
    let (width, height) = (size.0.to_le_bytes(), size.1.to_le_bytes());
    // Kind, width, height, depth, and neither program nor folder.
    let wanted = [b"y", &[XORG][..], b"q", &width, b"q", &height, b"y", &[DEPTH], b"s\0s\0"].concat();
    sesman.write_all(&message(CREATE_SESSION, &wanted)).await?;
    expect(&mut sesman, CREATE_SESSION_RESPONSE).await
}

/// Reads an answer of which the first number must be a yes.
async fn expect(sesman: &mut UnixStream, code: u16) -> io::Result<()> {
    let answer = timeout(LOGON_TIMEOUT, read_message(sesman)).await??.unwrap_or_default();
    let is_yes = answer.len() > HEADER
        && number(&answer, 6) == code
        && answer[HEADER..].starts_with(&[b"i", &OK.to_le_bytes()[..]].concat());
    is_yes
        .then_some(())
        .ok_or_else(|| io::Error::new(io::ErrorKind::PermissionDenied, "sesman refuses the session"))
}

/// Answers in sesman's place: the logon, and where the session is.
async fn lead_back(
    place: Option<Place>,
    mut from_xrdp: impl AsyncReadExt + Unpin,
    mut to_xrdp: impl AsyncWriteExt + Unpin,
) -> io::Result<()> {
    to_xrdp.write_all(&login_response(place)).await?;
    let Some(place) = place else { return Ok(()) };
    while let Some(message) = read_message(&mut from_xrdp).await? {
        match number(&message, 6) {
            CREATE_SESSION => to_xrdp.write_all(&create_session_response(place)).await?,
            other if HARMLESS.contains(&other) => {}
            _ => return Err(invalid("not what xrdp asks for")),
        }
    }
    Ok(())
}

/// Result, whether sesman hangs up, user id.
fn login_response(place: Option<Place>) -> Vec<u8> {
    let result = if place.is_some() { OK } else { NOT_AUTHENTICATED };
    let uid = place.map_or(-1, |place| place.uid.cast_signed());
    let (result, uid) = (result.to_le_bytes(), uid.to_le_bytes());
    message(LOGIN_RESPONSE, &[b"i", &result[..], b"b", &[u8::from(place.is_none())], b"i", &uid].concat())
}

/// Result, display, the session's number.
fn create_session_response(place: Place) -> Vec<u8> {
    let display = i32::from(place.display).to_le_bytes();
    let length = u16::try_from(GUID.len()).expect("it is short").to_le_bytes();
    let values = [b"i", &OK.to_le_bytes()[..], b"i", &display, b"B", &length, &GUID];
    message(CREATE_SESSION_RESPONSE, &values.concat())
}

fn message(code: u16, values: &[u8]) -> Vec<u8> {
    let size = u16::try_from(HEADER + values.len()).expect("our own messages are short");
    let mut message: Vec<u8> = [VERSION, size, FACILITY, code, 0, 0].map(u16::to_le_bytes).concat();
    message.extend(values);
    message
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

/// Of a logon.
fn name_and_secret(message: &[u8]) -> Option<(&str, &str)> {
    let (name, rest) = text(message.get(HEADER..)?)?;
    let (secret, _) = text(rest)?;
    Some((plain(name)?, plain(secret)?))
}

/// A text without its letter and its zero byte.
fn plain(text: &[u8]) -> Option<&str> {
    std::str::from_utf8(text.get(1..text.len() - 1)?).ok()
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
        Zeroizing::new(super::message(code, values))
    }

    #[tokio::test]
    async fn who_returns_is_answered_in_sesmans_place() {
        let asked = [super::message(CREATE_SESSION, b"y\x14q\0\x05"), super::message(10, b"")].concat();
        let mut answered = Vec::new();
        let place = Place { display: 513, uid: 1001 };
        lead_back(Some(place), asked.as_slice(), &mut answered).await.expect("answered");
        let mut answers = answered.as_slice();
        let mut next = async || read_message(&mut answers).await.expect("whole").expect("one more");
        assert_eq!(next().await, message(4, b"i\0\0\0\0b\0i\xe9\x03\0\0"));
        let found = [b"i\0\0\0\0i\x01\x02\0\0B\x10\0".as_slice(), &[0; 16]].concat();
        assert_eq!(next().await, message(7, &found));

        // Without a good logon there is one answer, whatever follows.
        let mut answered = Vec::new();
        lead_back(None, asked.as_slice(), &mut answered).await.expect("answered");
        assert_eq!(answered, *message(4, b"i\x03\0\0\0b\x01i\xff\xff\xff\xff"));
    }

    #[test]
    fn name_and_secret_are_read_without_a_panic() {
        let logon = message(LOGIN, b"salice~1\0ssecret\0s127.0.0.1\0");
        assert_eq!(name_and_secret(&logon), Some(("alice~1", "secret")));
        for odd in [&b""[..], b"s", b"s\0", b"salice\0", b"salice\0s", b"s\xff\0s\0", b"ia\0sb\0"] {
            assert_eq!(name_and_secret(&message(LOGIN, odd)), None);
        }
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
