//! A connection to one server: over TLS, one question at a time.

use std::{io, sync::Arc};

use rustls::{CertificateError, ClientConfig, Error};
use rustls_pki_types::ServerName;
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::TcpStream,
};
use tokio_rustls::{TlsConnector, client::TlsStream};
use zeroize::Zeroizing;

use super::{
    ber::{self, Garbled},
    message::{self, Answer, Body, Change, Entry, Outcome, Policy, Search, code},
    settings::{Security, Server},
};

/// Bytes of one message at most: an entry with what is asked of it. Somebody in the 1,015 groups that Active
/// Directory lets anybody be in has 30 KiB.
const MESSAGE_MAX: usize = 1 << 20;
/// Bytes of all answers to one search at most: a thousand people with all that is shown of them.
const SEARCH_MAX: usize = 8 << 20;
/// Entries of one page, below the thousand that Active Directory gives.
const PAGE: usize = 500;
/// How much is read at once.
const READ: usize = 16 << 10;

/// A connection that cannot be used any more, or never could, with why.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum Broken {
    /// The server ended it, or the network did, before anything was answered: a connection that was kept for
    /// a while ends like this.
    #[error("it closed the connection")]
    Closed,
    /// A sentence.
    #[error("{0}")]
    Because(String),
    /// It does not take the service account's name and password.
    #[error("{0}")]
    ServiceRefused(String),
}

impl From<Garbled> for Broken {
    fn from(garbled: Garbled) -> Self {
        Broken::Because(garbled.to_string())
    }
}

/// What a search found.
#[derive(Debug, Default)]
pub(super) struct Matches {
    pub entries: Vec<Entry>,
    /// There are more than were taken.
    pub is_cut: bool,
}

/// An open connection.
pub(super) struct Connection {
    wire: Wire<TlsStream<TcpStream>>,
    /// How long the server may think about a search, in seconds.
    seconds: i32,
}

impl Connection {
    /// Connects, and makes sure that it is the server that it should be.
    pub(super) async fn open(server: &Server, tls: &Arc<ClientConfig>, seconds: i32) -> Result<Self, Broken> {
        let tcp = TcpStream::connect((server.host.as_str(), server.port))
            .await
            .map_err(|error| Broken::Because(format!("it cannot be reached: {error}")))?;
        let _ = tcp.set_nodelay(true);
        let tcp = match server.security {
            Security::Ldaps => tcp,
            Security::StartTls => start_tls(tcp).await?,
        };
        let name = ServerName::try_from(server.host.clone())
            .map_err(|_| Broken::Because("its name is no name".to_owned()))?;
        let connector = TlsConnector::from(tls.clone());
        let stream =
            connector.connect(name, tcp).await.map_err(|error| Broken::Because(explained(&error)))?;
        Ok(Self { wire: Wire::new(stream), seconds })
    }

    /// Who asks from now on. Neither may be empty: that would be a bind as nobody, which succeeds.
    pub(super) async fn bind(&mut self, name: &str, password: &str) -> Result<(Outcome, Policy), Broken> {
        if name.is_empty() || password.is_empty() {
            return Ok((
                Outcome { code: code::INVALID_CREDENTIALS, words: String::new() },
                Policy::default(),
            ));
        }
        let answer = self.wire.ask(|id| message::bind(id, name, password)).await?;
        match answer.body {
            Body::Bound(outcome) => Ok((outcome, answer.policy)),
            _ => Err(Garbled.into()),
        }
    }

    /// Finds entries. One that is not there has no entries below it.
    pub(super) async fn search(&mut self, search: &Search<'_>) -> Result<Matches, Broken> {
        let mut matches = Matches::default();
        let mut cookie = Vec::new();
        let mut room = SEARCH_MAX;
        let is_paged = search.limit >= PAGE;
        loop {
            let page = is_paged.then_some((PAGE as i32, cookie.as_slice()));
            let mut answer = self.wire.ask(|id| message::search(id, search, self.seconds, page)).await?;
            let outcome = loop {
                room = room.checked_sub(self.wire.taken).ok_or_else(too_much)?;
                match answer.body {
                    Body::Entry(entry) if matches.entries.len() < search.limit => matches.entries.push(entry),
                    Body::Entry(_) => matches.is_cut = true,
                    Body::Reference => tracing::debug!(base = search.base, "a referral is not followed"),
                    Body::Searched(outcome) => break outcome,
                    _ => return Err(Garbled.into()),
                }
                answer = self.wire.receive().await?;
            };
            match outcome.code {
                code::SUCCESS => {}
                code::SIZE_LIMIT_EXCEEDED => matches.is_cut = true,
                code::NO_SUCH_OBJECT => return Ok(matches),
                _ => return Err(Broken::Because(said(&outcome, "searching"))),
            }
            cookie = answer.cookie.unwrap_or_default();
            if cookie.is_empty() || matches.is_cut {
                matches.is_cut |= !cookie.is_empty();
                return Ok(matches);
            }
        }
    }

    /// Changes an entry.
    pub(super) async fn modify(&mut self, dn: &str, changes: &[Change]) -> Result<Outcome, Broken> {
        match self.wire.ask(|id| message::modify(id, dn, changes)).await?.body {
            Body::Modified(outcome) => Ok(outcome),
            _ => Err(Garbled.into()),
        }
    }

    /// Changes a password as the standard has it.
    pub(super) async fn change_password(
        &mut self,
        dn: &str,
        old: &str,
        new: &str,
    ) -> Result<(Outcome, Policy), Broken> {
        let answer = self.wire.ask(|id| message::change_password(id, dn, old, new)).await?;
        match answer.body {
            Body::Extended(outcome) => Ok((outcome, answer.policy)),
            _ => Err(Garbled.into()),
        }
    }

    /// Whether something came that nobody asked for, such as that the server has ended it.
    pub(super) fn has_ended(&mut self) -> bool {
        let mut byte = [0; 1];
        let (tcp, _) = self.wire.stream.get_ref();
        // A connection that waits has nothing to read, not even its end.
        !matches!(tcp.try_read(&mut byte), Err(error) if error.kind() == io::ErrorKind::WouldBlock)
    }

    /// Says goodbye.
    pub(super) async fn close(mut self) {
        let id = self.wire.next_id();
        let _ = self.wire.stream.write_all(&message::unbind(id)).await;
        let _ = self.wire.stream.shutdown().await;
    }
}

/// What a server said instead of doing it.
pub(super) fn said(outcome: &Outcome, doing: &str) -> String {
    let why = match outcome.code {
        code::STRONGER_AUTH_REQUIRED | code::CONFIDENTIALITY_REQUIRED => "it wants a safer connection",
        code::REFERRAL => "it refers to another server, which is not followed: name that one in the settings",
        code::INVALID_DN_SYNTAX => "a distinguished name in the settings is none",
        code::INSUFFICIENT_ACCESS => "the account may not do that",
        code::BUSY | code::UNAVAILABLE => "it is busy",
        _ => "it refuses",
    };
    let words: String = outcome.words.chars().filter(|c| !c.is_control()).take(300).collect();
    let words = words.trim();
    match words {
        "" => format!("{why} ({doing}, code {})", outcome.code),
        words => format!("{why} ({doing}, code {}: {words})", outcome.code),
    }
}

fn too_much() -> Broken {
    Broken::Because("it answers more than could be true".to_owned())
}

/// 4.14: what is plain until here. Nothing of it is believed but that TLS may begin.
async fn start_tls(tcp: TcpStream) -> Result<TcpStream, Broken> {
    let mut wire = Wire::new(tcp);
    match wire.ask(message::start_tls).await?.body {
        Body::Extended(Outcome { code: code::SUCCESS, .. }) if wire.unread.is_empty() => Ok(wire.stream),
        // Bytes behind the answer were put there by somebody who hopes that they count as protected ones.
        Body::Extended(Outcome { code: code::SUCCESS, .. }) => {
            Err(Broken::Because("it sent more than an answer before TLS began".to_owned()))
        }
        Body::Extended(outcome) => Err(Broken::Because(said(&outcome, "beginning TLS"))),
        _ => Err(Garbled.into()),
    }
}

/// Messages over a stream.
struct Wire<S> {
    stream: S,
    unread: Vec<u8>,
    last_id: i32,
    /// Length of the message that was read last.
    taken: usize,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Wire<S> {
    fn new(stream: S) -> Self {
        Self { stream, unread: Vec::new(), last_id: 0, taken: 0 }
    }

    fn next_id(&mut self) -> i32 {
        self.last_id = if self.last_id == i32::MAX { 1 } else { self.last_id + 1 };
        self.last_id
    }

    /// Sends a message and reads the first one that answers it.
    async fn ask(&mut self, write: impl FnOnce(i32) -> Zeroizing<Vec<u8>>) -> Result<Answer, Broken> {
        let id = self.next_id();
        let sent = async {
            self.stream.write_all(&write(id)).await?;
            self.stream.flush().await
        };
        sent.await.map_err(|error| ended(&error))?;
        self.receive().await
    }

    async fn receive(&mut self) -> Result<Answer, Broken> {
        loop {
            let end = ber::whole(&self.unread)?;
            if end.is_some_and(|end| end > MESSAGE_MAX) {
                return Err(too_much());
            }
            if let Some(end) = end.filter(|&end| end <= self.unread.len()) {
                let answer = message::read(&self.unread[..end])?;
                self.unread.drain(..end);
                self.taken = end;
                return match answer.id {
                    id if id == i64::from(self.last_id) => Ok(answer),
                    // It says that it closes now.
                    0 => Err(Broken::Closed),
                    _ => Err(Garbled.into()),
                };
            }
            let before = self.unread.len();
            self.unread.reserve(READ);
            let read = (&mut self.stream).take(READ as u64).read_buf(&mut self.unread).await;
            match read {
                Ok(0) if before == 0 => return Err(Broken::Closed),
                Ok(0) => return Err(Broken::Because("it closed the connection within an answer".to_owned())),
                Ok(_) => {}
                Err(error) => return Err(ended(&error)),
            }
        }
    }
}

/// That a connection ended, or why it was ended.
fn ended(error: &io::Error) -> Broken {
    use io::ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset, UnexpectedEof};
    match error.kind() {
        BrokenPipe | ConnectionAborted | ConnectionReset | UnexpectedEof => Broken::Closed,
        _ => Broken::Because(explained(error)),
    }
}

/// Why TLS failed, for people.
fn explained(error: &io::Error) -> String {
    use CertificateError::{
        BadSignature, Expired, ExpiredContext, NotValidForName, NotValidForNameContext, NotValidYet,
        NotValidYetContext, UnknownIssuer,
    };
    match error.get_ref().and_then(|inner| inner.downcast_ref::<Error>()) {
        Some(Error::InvalidCertificate(UnknownIssuer | BadSignature)) => {
            "its certificate is not from an authority that is trusted here: give the directory's authority in \
             the settings"
                .to_owned()
        }
        Some(Error::InvalidCertificate(NotValidForName | NotValidForNameContext { .. })) => {
            "its certificate is for another name: name the server in the settings as its certificate does"
                .to_owned()
        }
        Some(Error::InvalidCertificate(Expired | ExpiredContext { .. })) => {
            "its certificate has expired".to_owned()
        }
        Some(Error::InvalidCertificate(NotValidYet | NotValidYetContext { .. })) => {
            "its certificate is not valid yet; check the clocks of both machines".to_owned()
        }
        Some(Error::InvalidMessage(_)) => "it does not speak TLS on this port".to_owned(),
        _ => format!("no safe connection comes about: {error}"),
    }
}
