//! Sockets to servers. A packet's identifier is one byte, so a socket can wait for 256 answers at once
//! (RFC 2865, 3); more sign-ins at once take more sockets. A socket that nobody waits on any more is closed,
//! so that the next sign-in comes from another port, which a forger would have to guess.

use std::{
    io::{self, ErrorKind},
    net::{Ipv4Addr, Ipv6Addr, SocketAddr},
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
};

use tokio::{net::UdpSocket, sync::mpsc, task::AbortHandle};

use super::{
    error::{Failure, Malformed},
    packet::{PACKET_MAX, Packet},
};

/// Sockets for one server: for 16,384 sign-ins that wait for it at once, which are 200 a second for longer
/// than anybody is given to look at their phone.
const SOCKETS_MAX: usize = 64;
/// Identifiers of a socket.
const IDENTIFIERS: usize = 256;
/// Datagrams that are kept for somebody who does not read them; further ones are dropped, as UDP does. A
/// server sends one answer for each time that it is asked; the rest is for forgeries, so that a few of them do
/// not crowd out the answer.
const EVENTS_MAX: usize = 16;

/// All sockets.
#[derive(Default)]
pub(super) struct Sockets {
    open: Mutex<Vec<Weak<Socket>>>,
}

struct Socket {
    server: SocketAddr,
    udp: Arc<UdpSocket>,
    waiting: Arc<Mutex<Waiting>>,
    reader: AbortHandle,
}

/// Who waits for the answer with which identifier.
struct Waiting {
    senders: Vec<Option<mpsc::Sender<Event>>>,
    /// Where to look for a free identifier: they come round as late as can be.
    next: usize,
}

/// Something happened to whoever waits.
pub(super) enum Event {
    /// A packet with their identifier came.
    Packet(Vec<u8>),
    /// Something came that is no packet.
    Garbage(Malformed),
    /// The server's machine says that nobody listens there.
    Refused,
}

/// An identifier of a socket. It is free again when this is dropped.
pub(super) struct Slot {
    socket: Arc<Socket>,
    identifier: u8,
    events: mpsc::Receiver<Event>,
}

impl Sockets {
    /// A place to ask a server from.
    pub fn slot(&self, server: SocketAddr) -> Result<Slot, Failure> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        open.retain(|socket| socket.strong_count() > 0);
        let of_server: Vec<_> =
            open.iter().filter_map(Weak::upgrade).filter(|socket| socket.server == server).collect();
        for socket in &of_server {
            if let Some(slot) = socket.slot() {
                return Ok(slot);
            }
        }
        if of_server.len() >= SOCKETS_MAX {
            return Err(Failure::Busy);
        }
        let socket = Socket::open(server).map_err(|error| Failure::Unreachable(error.to_string()))?;
        open.push(Arc::downgrade(&socket));
        socket.slot().ok_or(Failure::Busy)
    }

    #[cfg(test)]
    pub fn len(&self) -> usize {
        self.open.lock().expect("whole").iter().filter(|socket| socket.strong_count() > 0).count()
    }
}

impl Socket {
    /// A socket that hears this server only, on a port that the operating system chooses at random.
    fn open(server: SocketAddr) -> io::Result<Arc<Self>> {
        let any: SocketAddr = match server {
            SocketAddr::V4(_) => (Ipv4Addr::UNSPECIFIED, 0).into(),
            SocketAddr::V6(_) => (Ipv6Addr::UNSPECIFIED, 0).into(),
        };
        let udp = std::net::UdpSocket::bind(any)?;
        udp.set_nonblocking(true)?;
        udp.connect(server)?;
        let udp = Arc::new(UdpSocket::from_std(udp)?);
        let waiting = Arc::new(Mutex::new(Waiting { senders: vec![None; IDENTIFIERS], next: 0 }));
        let reader = tokio::spawn(read(udp.clone(), waiting.clone())).abort_handle();
        Ok(Arc::new(Self { server, udp, waiting, reader }))
    }

    fn slot(self: &Arc<Self>) -> Option<Slot> {
        let (sender, events) = mpsc::channel(EVENTS_MAX);
        let identifier = whole(&self.waiting).take(sender)?;
        Some(Slot { socket: self.clone(), identifier, events })
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        self.reader.abort();
    }
}

impl Waiting {
    fn take(&mut self, sender: mpsc::Sender<Event>) -> Option<u8> {
        let from_here = (0..IDENTIFIERS).map(|step| (self.next + step) % IDENTIFIERS);
        let free = from_here.into_iter().find(|identifier| self.senders[*identifier].is_none())?;
        self.senders[free] = Some(sender);
        self.next = (free + 1) % IDENTIFIERS;
        u8::try_from(free).ok()
    }

    fn tell(&self, identifier: u8, event: Event) {
        if let Some(sender) = &self.senders[usize::from(identifier)] {
            // Full: whoever waits has enough to read.
            let _ = sender.try_send(event);
        }
    }

    fn tell_all(&self, event: impl Fn() -> Event) {
        for sender in self.senders.iter().flatten() {
            let _ = sender.try_send(event());
        }
    }
}

async fn read(udp: Arc<UdpSocket>, waiting: Arc<Mutex<Waiting>>) {
    let mut buffer = vec![0; PACKET_MAX];
    loop {
        match udp.recv(&mut buffer).await {
            Ok(len) => match Packet::read(&buffer[..len]) {
                Ok(packet) => {
                    whole(&waiting).tell(packet.identifier(), Event::Packet(buffer[..len].to_vec()));
                }
                Err(malformed) => whole(&waiting).tell_all(|| Event::Garbage(malformed)),
            },
            Err(error) if error.kind() == ErrorKind::ConnectionRefused => {
                whole(&waiting).tell_all(|| Event::Refused);
            }
            // What the network says of single packets; those who wait notice by themselves.
            Err(_) => tokio::task::yield_now().await,
        }
    }
}

impl Slot {
    pub fn identifier(&self) -> u8 {
        self.identifier
    }

    /// Sends the packet.
    pub async fn send(&self, packet: &[u8]) -> io::Result<()> {
        match self.socket.udp.send(packet).await {
            // That is about a packet of before; this one has not been sent.
            Err(error) if error.kind() == ErrorKind::ConnectionRefused => {
                self.socket.udp.send(packet).await.map(drop)
            }
            sent => sent.map(drop),
        }
    }

    /// What happens next.
    pub async fn event(&mut self) -> Event {
        match self.events.recv().await {
            Some(event) => event,
            // The sender is in the socket that this slot keeps.
            None => std::future::pending().await,
        }
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        whole(&self.socket.waiting).senders[usize::from(self.identifier)] = None;
    }
}

/// It is whole between any two of its steps.
fn whole(waiting: &Mutex<Waiting>) -> MutexGuard<'_, Waiting> {
    waiting.lock().unwrap_or_else(PoisonError::into_inner)
}
