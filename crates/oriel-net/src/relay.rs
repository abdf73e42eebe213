//! Moves bytes between two streams, both ways, until both are closed.
//!
//! An idle session costs no buffer: bytes are read into one buffer per worker thread and written
//! on at once; only what the slower side did not take is kept, and until it is taken nothing more
//! is read from the other side. So a session holds at most [`CHUNK`] bytes per direction, and only
//! while someone is slow.
//!
//! Deliberately absent: any look at the bytes, and frames: a WebSocket needs message boundaries.

use std::{
    cell::Cell,
    future::poll_fn,
    io,
    pin::{Pin, pin},
    sync::atomic::{AtomicU64, Ordering},
    task::{Context, Poll, ready},
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    time::{Instant, sleep_until},
};

/// The most bytes read at once, and kept for a slow reader: two full TLS records, so that few
/// system calls are made under load.
pub const CHUNK: usize = 32 * 1024;

/// Chunks moved in one direction before other tasks get their turn: 1 MiB is under a millisecond.
const CHUNKS_PER_TURN: usize = 32;

/// How long a connection may stay half closed. A peer that has closed its side and gets no answer
/// for a minute has gone, or its host has.
pub const HALF_CLOSED_LIMIT: Duration = Duration::from_secs(60);

/// One of the two ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// The one who connected to us.
    Client,
    /// The one we connected to.
    Host,
}

/// How a relay ended.
#[derive(Debug)]
pub enum End {
    /// Both sides closed their streams; this one was first.
    Closed(Side),
    /// One side closed, the other did not follow within [`Limits::half_closed`].
    HalfClosed(Side),
    /// Nothing moved for [`Limits::idle`].
    Idle,
    /// This side's connection broke.
    Failed(Side, io::Error),
}

/// When a relay ends without being asked.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Ends the relay when nothing moved for this long. `None`: never.
    pub idle: Option<Duration>,
    /// How long one side may be silent after the other has closed.
    pub half_closed: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self { idle: None, half_closed: HALF_CLOSED_LIMIT }
    }
}

/// Counts what a relay moves. Shared with whoever watches the session.
#[derive(Debug)]
pub struct Meter {
    started: Instant,
    last_millis: AtomicU64,
    to_host: AtomicU64,
    to_client: AtomicU64,
}

impl Meter {
    /// Counts from zero, idle since now.
    pub fn new() -> Self {
        Self {
            started: Instant::now(),
            last_millis: AtomicU64::new(0),
            to_host: AtomicU64::new(0),
            to_client: AtomicU64::new(0),
        }
    }

    /// Bytes read from the client so far.
    pub fn to_host(&self) -> u64 {
        self.to_host.load(Ordering::Relaxed)
    }

    /// Bytes read from the host so far.
    pub fn to_client(&self) -> u64 {
        self.to_client.load(Ordering::Relaxed)
    }

    /// How long nothing has moved.
    pub fn idle_for(&self) -> Duration {
        self.last_moved().elapsed()
    }

    fn last_moved(&self) -> Instant {
        self.started + Duration::from_millis(self.last_millis.load(Ordering::Relaxed))
    }

    /// Counts bytes read from `side`. For those that move bytes on their own, frame by frame.
    pub fn count(&self, side: Side, bytes: usize) {
        let counter = match side {
            Side::Client => &self.to_host,
            Side::Host => &self.to_client,
        };
        counter.fetch_add(bytes as u64, Ordering::Relaxed);
        let millis = u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.last_millis.store(millis, Ordering::Relaxed);
    }
}

impl Default for Meter {
    fn default() -> Self {
        Self::new()
    }
}

/// Moves bytes between `client` and `host` until both have closed, one breaks, or a limit is
/// reached. When one side closes, what it sent is delivered and then the other side's stream is
/// shut down, so that protocols which use a half-closed connection keep working.
///
/// May be dropped at any time (a right was withdrawn, the gateway stops): the streams are the
/// caller's, and `meter` knows what was moved.
pub async fn relay<C, H>(client: &mut C, host: &mut H, meter: &Meter, limits: Limits) -> End
where
    C: AsyncRead + AsyncWrite + Unpin + ?Sized,
    H: AsyncRead + AsyncWrite + Unpin + ?Sized,
{
    let (mut to_host, mut to_client) = (Pump::new(Side::Client), Pump::new(Side::Host));
    let mut first = None;
    // The one timer serves both limits: before a side has closed, and after.
    let far = Instant::now() + Duration::from_secs(365 * 86_400);
    let idle_deadline = |meter: &Meter| limits.idle.map_or(far, |idle| meter.last_moved() + idle);
    let mut timer = pin!(sleep_until(idle_deadline(meter)));
    poll_fn(|cx| {
        loop {
            let up = to_host.poll(cx, client, host, meter);
            let down = to_client.poll(cx, host, client, meter);
            for (end, side) in [(&up, Side::Client), (&down, Side::Host)] {
                if let (Poll::Ready(Ok(())), None) = (end, first) {
                    first = Some(side);
                    timer.as_mut().reset(Instant::now() + limits.half_closed);
                }
            }
            match (up, down) {
                (Poll::Ready(Err((side, error))), _) | (_, Poll::Ready(Err((side, error)))) => {
                    return Poll::Ready(End::Failed(side, error));
                }
                (Poll::Ready(Ok(())), Poll::Ready(Ok(()))) => {
                    return Poll::Ready(End::Closed(first.unwrap_or(Side::Client)));
                }
                _ => {}
            }
            ready!(timer.as_mut().poll(cx));
            let deadline = match first {
                Some(_) => meter.last_moved() + limits.half_closed,
                None => idle_deadline(meter),
            };
            if deadline <= Instant::now() {
                return Poll::Ready(first.map_or(End::Idle, End::HalfClosed));
            }
            timer.as_mut().reset(deadline); // something moved since the timer was set
        }
    })
    .await
}

/// One direction.
struct Pump {
    from: Side,
    /// What the writer has not taken yet, from `sent` on. Empty and without memory otherwise.
    kept: Vec<u8>,
    sent: usize,
    needs_flush: bool,
    at_end: bool,
    closed: bool,
}

type PumpResult = Result<(), (Side, io::Error)>;

impl Pump {
    fn new(from: Side) -> Self {
        Self { from, kept: Vec::new(), sent: 0, needs_flush: false, at_end: false, closed: false }
    }

    fn to(&self) -> Side {
        match self.from {
            Side::Client => Side::Host,
            Side::Host => Side::Client,
        }
    }

    /// Ready when the reader has ended and the writer has been shut down.
    fn poll<R, W>(
        &mut self,
        cx: &mut Context<'_>,
        reader: &mut R,
        writer: &mut W,
        meter: &Meter,
    ) -> Poll<PumpResult>
    where
        R: AsyncRead + Unpin + ?Sized,
        W: AsyncWrite + Unpin + ?Sized,
    {
        if self.closed {
            return Poll::Ready(Ok(()));
        }
        for _ in 0..CHUNKS_PER_TURN {
            ready!(self.poll_kept(cx, writer)).map_err(|error| (self.to(), error))?;
            if self.at_end {
                let shut = ready!(Pin::new(&mut *writer).poll_shutdown(cx));
                self.closed = true;
                return Poll::Ready(match shut {
                    // The other side was faster and has closed altogether.
                    Err(error) if !is_gone(&error) => Err((self.to(), error)),
                    _ => Ok(()),
                });
            }
            match self.poll_chunk(cx, reader, writer, meter) {
                Poll::Ready(result) => result?,
                Poll::Pending => {
                    if self.needs_flush {
                        ready!(Pin::new(&mut *writer).poll_flush(cx)).map_err(|error| (self.to(), error))?;
                        self.needs_flush = false;
                    }
                    return Poll::Pending;
                }
            }
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }

    /// Writes what an earlier turn has kept, and gives its memory back.
    fn poll_kept<W>(&mut self, cx: &mut Context<'_>, writer: &mut W) -> Poll<io::Result<()>>
    where
        W: AsyncWrite + Unpin + ?Sized,
    {
        while self.sent < self.kept.len() {
            self.sent += ready!(poll_some(cx, writer, &self.kept[self.sent..]))?;
        }
        self.kept = Vec::new();
        self.sent = 0;
        Poll::Ready(Ok(()))
    }

    /// Reads once and writes on what was read.
    fn poll_chunk<R, W>(
        &mut self,
        cx: &mut Context<'_>,
        reader: &mut R,
        writer: &mut W,
        meter: &Meter,
    ) -> Poll<PumpResult>
    where
        R: AsyncRead + Unpin + ?Sized,
        W: AsyncWrite + Unpin + ?Sized,
    {
        let mut scratch = Scratch::take();
        let mut buffer = ReadBuf::new(&mut scratch.0);
        match ready!(Pin::new(reader).poll_read(cx, &mut buffer)) {
            Ok(()) => {}
            // TLS without a farewell: hosts and browsers do it, and RDP has its own end.
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {}
            Err(error) => return Poll::Ready(Err((self.from, error))),
        }
        let read = buffer.filled();
        if read.is_empty() {
            self.at_end = true;
            return Poll::Ready(Ok(()));
        }
        meter.count(self.from, read.len());
        self.needs_flush = true;
        let mut sent = 0;
        while sent < read.len() {
            match poll_some(cx, writer, &read[sent..]) {
                Poll::Ready(Ok(written)) => sent += written,
                Poll::Ready(Err(error)) => return Poll::Ready(Err((self.to(), error))),
                Poll::Pending => {
                    self.kept = read[sent..].to_vec();
                    break;
                }
            }
        }
        Poll::Ready(Ok(()))
    }
}

/// Writes at least one byte.
fn poll_some<W>(cx: &mut Context<'_>, writer: &mut W, bytes: &[u8]) -> Poll<io::Result<usize>>
where
    W: AsyncWrite + Unpin + ?Sized,
{
    match ready!(Pin::new(writer).poll_write(cx, bytes))? {
        0 => Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
        written => Poll::Ready(Ok(written)),
    }
}

fn is_gone(error: &io::Error) -> bool {
    use io::ErrorKind::{BrokenPipe, ConnectionReset, NotConnected};
    matches!(error.kind(), NotConnected | BrokenPipe | ConnectionReset)
}

/// The thread's buffer, lent for one read. A relay within a relay finds it lent and makes its own.
struct Scratch(Box<[u8]>);

thread_local! {
    static BUFFER: Cell<Option<Box<[u8]>>> = const { Cell::new(None) };
}

impl Scratch {
    fn take() -> Self {
        Self(BUFFER.take().unwrap_or_else(|| vec![0; CHUNK].into()))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        BUFFER.set(Some(std::mem::take(&mut self.0)));
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};

    use super::*;

    /// The outer ends of a running relay, and how it ends.
    struct Picture {
        client: DuplexStream,
        host: DuplexStream,
        meter: Arc<Meter>,
        end: tokio::task::JoinHandle<End>,
    }

    fn picture(room: usize, limits: Limits) -> Picture {
        let (client, mut inner_client) = duplex(room);
        let (host, mut inner_host) = duplex(room);
        let meter = Arc::new(Meter::new());
        let counted = meter.clone();
        let end =
            tokio::spawn(async move { relay(&mut inner_client, &mut inner_host, &counted, limits).await });
        Picture { client, host, meter, end }
    }

    #[tokio::test]
    async fn bytes_pass_both_ways_and_are_counted() {
        let mut p = picture(1024, Limits::default());
        let sent: Vec<u8> = (0..300_000u32).map(|n| n as u8).collect();
        let expected = sent.clone();
        let (mut read_half, mut write_half) = tokio::io::split(p.client);
        let writer = tokio::spawn(async move {
            write_half.write_all(&sent).await.unwrap();
            write_half.shutdown().await.unwrap();
        });
        let mut got = Vec::new();
        p.host.read_to_end(&mut got).await.unwrap();
        assert!(got == expected);
        writer.await.unwrap();

        // The client's half is closed; the host's still works.
        p.host.write_all(b"goodbye").await.unwrap();
        drop(p.host);
        let mut answer = String::new();
        read_half.read_to_string(&mut answer).await.unwrap();
        assert_eq!(answer, "goodbye");
        assert!(matches!(p.end.await.unwrap(), End::Closed(Side::Client)));
        assert_eq!((p.meter.to_host(), p.meter.to_client()), (300_000, 7));
    }

    #[tokio::test]
    async fn a_slow_reader_stops_the_sender() {
        let room = 4096;
        let mut p = picture(room, Limits::default());
        let flood = async {
            loop {
                p.host.write_all(&[7; 1000]).await.unwrap();
            }
        };
        // Nobody reads at the client: the sender must come to a stop.
        assert!(tokio::time::timeout(Duration::from_millis(200), flood).await.is_err());
        let moved = p.meter.to_client();
        assert!(moved <= (room + CHUNK) as u64, "{moved} bytes were taken in");
        assert!(moved >= room as u64);

        // Reading again gets everything, in order.
        let mut some = vec![0; moved as usize];
        p.client.read_exact(&mut some).await.unwrap();
        assert!(some.iter().all(|byte| *byte == 7));
    }

    #[tokio::test]
    async fn silence_ends_a_relay_only_where_it_is_limited() {
        let idle = Duration::from_millis(400);
        let mut p = picture(64, Limits { idle: Some(idle), ..Limits::default() });
        let forever = picture(64, Limits::default());
        for _ in 0..3 {
            tokio::time::sleep(idle / 2).await;
            p.client.write_all(b"x").await.unwrap();
            p.host.read_u8().await.unwrap();
        }
        assert!(!p.end.is_finished(), "it was not idle for as long as the limit");
        assert!(matches!(p.end.await.unwrap(), End::Idle));
        assert!(p.meter.idle_for() >= idle);
        assert!(!forever.end.is_finished() && forever.meter.idle_for() >= 2 * idle);
    }

    #[tokio::test]
    async fn a_half_closed_relay_does_not_last_for_ever() {
        let half_closed = Duration::from_millis(100);
        let mut p = picture(64, Limits { half_closed, ..Limits::default() });
        p.client.shutdown().await.unwrap();
        let since = Instant::now();
        assert!(matches!(p.end.await.unwrap(), End::HalfClosed(Side::Client)));
        assert!(since.elapsed() >= half_closed / 2);
    }

    #[tokio::test]
    async fn a_vanished_reader_ends_the_relay() {
        let mut p = picture(64, Limits::default());
        drop(p.host);
        p.client.write_all(b"anyone?").await.ok();
        assert!(matches!(p.end.await.unwrap(), End::Failed(Side::Host, _) | End::Closed(Side::Host)));
    }

    #[tokio::test]
    async fn an_idle_relay_keeps_no_buffer() {
        let meter = Meter::new();
        let (mut a, mut b) = (duplex(64), duplex(64));
        let idle = relay(&mut a.1, &mut b.1, &meter, Limits::default());
        assert!(size_of_val(&idle) < 1024, "{} bytes", size_of_val(&idle));
        let mut pump = Pump::new(Side::Client);
        a.0.write_all(&[1; 64]).await.unwrap();
        drop(idle);
        poll_fn(|cx| {
            assert!(pump.poll(cx, &mut a.1, &mut b.1, &meter).is_pending());
            Poll::Ready(())
        })
        .await;
        assert_eq!((pump.kept.capacity(), meter.to_host()), (0, 64));
    }
}
