//! A scripted host: takes part in the connection sequence, then draws, echoes or is silent.

use std::{
    io::{Read, Write},
    net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream},
    sync::{Arc, Mutex, PoisonError},
    thread,
    time::Duration,
};

use anyhow::{Context as _, bail, ensure};
use oriel_rdp::{
    frame::{Deframer, Phase},
    x224::{ConnectionConfirm, ConnectionRequest, SecurityProtocols},
};

use super::{
    picture::{self, Sizes},
    script::{HostStep, LOGON_NAME, LOGON_SECRET, host_step},
    tls::{Certificate, ServerTls},
};

/// Rounds of [`Sizes::Mixed`] that an idle host draws first, so that every buffer on the way has been
/// in use once.
const FIRST_PICTURE_ROUNDS: usize = 4;

/// Stack of the thread that serves one connection, in bytes: there may be thousands.
const STACK_BYTES: usize = 256 * 1024;

/// How long a client may be silent during the connection sequence.
const SEQUENCE_TIMEOUT: Duration = Duration::from_secs(30);

/// How a connection begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Opening {
    /// As RDP does: X.224, TLS, the connection sequence.
    Rdp,
    /// With TLS, and the host acts at once: behind a proxy that does not speak RDP.
    Tls,
}

/// What a host does in a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Behaviour {
    /// Draws as fast as it is taken.
    Flood(Sizes),
    /// Answers every mouse move with a small picture.
    Echo,
    /// Draws [`first_picture_bytes`], then nothing.
    Idle,
}

/// Bytes that an idle host draws at the beginning.
pub fn first_picture_bytes() -> usize {
    FIRST_PICTURE_ROUNDS * Sizes::Mixed.messages().iter().map(Vec::len).sum::<usize>()
}

/// A host that listens until the process ends.
pub struct ScriptedHost {
    /// Where it listens.
    pub address: SocketAddr,
}

struct Parts {
    certificate: Arc<Certificate>,
    opening: Opening,
    behaviour: Behaviour,
    idle: Mutex<Vec<ServerTls>>,
}

impl ScriptedHost {
    /// Starts one on a free port of loopback.
    pub fn start(
        certificate: &Arc<Certificate>,
        opening: Opening,
        behaviour: Behaviour,
    ) -> anyhow::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let address = listener.local_addr()?;
        let parts =
            Arc::new(Parts { certificate: certificate.clone(), opening, behaviour, idle: Mutex::default() });
        thread::Builder::new().name("scripted-host".into()).spawn(move || {
            for tcp in listener.incoming().flatten() {
                let parts = parts.clone();
                let serve = move || {
                    // A flood always ends with the client's leaving.
                    if let Err(error) = parts.serve(tcp)
                        && !matches!(parts.behaviour, Behaviour::Flood(_))
                    {
                        eprintln!("scripted host: {error:#}");
                    }
                };
                if let Err(error) = thread::Builder::new().stack_size(STACK_BYTES).spawn(serve) {
                    eprintln!("scripted host: no thread: {error}");
                }
            }
        })?;
        Ok(Self { address })
    }
}

impl Parts {
    fn serve(&self, mut tcp: TcpStream) -> anyhow::Result<()> {
        tcp.set_nodelay(true)?;
        tcp.set_read_timeout(Some(SEQUENCE_TIMEOUT))?;
        if self.opening == Opening::Rdp {
            negotiate(&mut tcp)?;
        }
        let mut tls = self.certificate.accept(tcp)?;
        let early = match self.opening {
            Opening::Rdp => log_on(&mut tls)?,
            Opening::Tls => 0,
        };
        tls.sock.tcp().set_read_timeout(None)?;
        match self.behaviour {
            Behaviour::Flood(sizes) => draw(&mut tls, &sizes.messages(), usize::MAX),
            Behaviour::Echo => echo(&mut tls, early),
            Behaviour::Idle => {
                draw(&mut tls, &Sizes::Mixed.messages(), FIRST_PICTURE_ROUNDS)?;
                self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(tls);
                Ok(())
            }
        }
    }
}

/// The X.224 part: TLS, whatever is asked for.
fn negotiate(tcp: &mut TcpStream) -> anyhow::Result<()> {
    let mut request = vec![0; 4];
    tcp.read_exact(&mut request)?;
    let length = usize::from(u16::from_be_bytes([request[2], request[3]]));
    ensure!((7..=512).contains(&length), "the Connection Request claims {length} bytes");
    request.resize(length, 0);
    tcp.read_exact(&mut request[4..])?;
    ConnectionRequest::parse(&request)?;
    let confirm = ConnectionConfirm::Selected { protocol: SecurityProtocols::SSL, flags: 0 };
    tcp.write_all(&confirm.encode())?;
    Ok(())
}

/// The connection sequence. Returns how many mouse moves came right behind the logon.
fn log_on(tls: &mut ServerTls) -> anyhow::Result<usize> {
    let mut deframer = Deframer::new(Phase::Rdp);
    let mut piece = [0; 4 * 1024];
    loop {
        while let Some(message) = deframer.next_frame()? {
            match host_step(&message) {
                HostStep::Answer(answer) => tls.write_all(&answer)?,
                HostStep::Nothing => {}
                HostStep::LoggedOn { name, secret } => {
                    let expected = (name.as_str(), secret.as_str()) == (LOGON_NAME, LOGON_SECRET);
                    ensure!(expected, "{name} logged on, not whom the ticket names");
                    let mut early = 0;
                    while deframer.next_frame()?.is_some() {
                        early += 1;
                    }
                    ensure!(deframer.pending() == 0, "a mouse move came in pieces");
                    return Ok(early);
                }
                HostStep::Unknown => bail!("an unknown message in the connection sequence: {message:02x?}"),
            }
        }
        let bytes = tls.read(&mut piece).context("the connection sequence")?;
        ensure!(bytes > 0, "the client left during the connection sequence");
        deframer.push_slice(&piece[..bytes]);
    }
}

/// Sends rounds of messages: each message is a TLS record of its own, as xrdp writes them, but a round
/// goes out with as few system calls as possible.
fn draw(tls: &mut ServerTls, messages: &[Vec<u8>], rounds: usize) -> anyhow::Result<()> {
    for _ in 0..rounds {
        for message in messages {
            tls.conn.writer().write_all(message)?;
        }
        while tls.conn.wants_write() {
            tls.conn.write_tls(&mut tls.sock)?;
        }
    }
    Ok(())
}

/// Answers mouse moves, `early` of which have come already.
fn echo(tls: &mut ServerTls, early: usize) -> anyhow::Result<()> {
    let answer = picture::message(picture::ECHO_BYTES);
    for _ in 0..early {
        tls.write_all(&answer)?;
    }
    let mut input = [0; picture::INPUT_BYTES];
    // Until the client leaves.
    while tls.read_exact(&mut input).is_ok() {
        tls.write_all(&answer)?;
    }
    Ok(())
}
