//! After the logon: messages from the host go to the browser one by one, bytes from the browser to the
//! host, and forbidden channels stay silent both ways. Where the filter answers a message itself, the answer
//! goes the other way.
//!
//! Back-pressure is that each direction writes before it reads on; so what is held is at most a batch
//! and one incomplete message per direction, and only while something moves. Where the connection has a limit,
//! nothing is read from the host either while it has taken what it may.
//!
//! Until the first picture has passed, each message of the host is looked at for it; after that by code that has
//! no such look.

use std::{
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use oriel_model::session::EndReason;
use oriel_net::relay::Side;
use oriel_rdp::{
    channel::{ChannelFilter, Verdict},
    connection_sequence::Party,
    frame::FrameError,
    host_notice::{EndCategory, HostNotice},
    picture::is_picture,
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    sync::Notify,
    time::{Instant, MissedTickBehavior, interval, sleep_until, timeout},
};

use super::{
    Browser, End,
    browser::{BrowserError, Reader, Writer},
    host::{Host, HostReader, HostWriter},
    pace::Pace,
};
use crate::{
    connections::Ending,
    limits::{ANSWERS_MAX, BROWSER_SILENCE_MAX, CLOSE_TIMEOUT, PING_INTERVAL, PING_PATIENCE},
    measures::Measures,
    websocket::{Incoming, Opcode},
};

/// Relays until one side ends it.
pub(super) async fn relay<B, H>(
    browser: &mut Browser<B>,
    host: &mut Host<H>,
    filter: &ChannelFilter,
    measures: &Measures,
    pace: Pace,
) -> End
where
    B: AsyncRead + AsyncWrite + Send,
    H: AsyncRead + AsyncWrite + Send,
{
    let pulse = Pulse::new();
    let between = Between { filter, measures, pulse: &pulse };
    let end = {
        let down = to_browser(&mut host.reader, &mut browser.writer, between, pace);
        let up = to_host(&mut browser.reader, &mut host.writer, between);
        let mut down = std::pin::pin!(down);
        tokio::select! {
            end = &mut down => end,
            stopped = up => match stopped {
                Stopped::Browser(end) => end,
                // The host's last words may still be on their way.
                Stopped::Host(error) => timeout(CLOSE_TIMEOUT, down)
                    .await
                    .unwrap_or_else(|_| End::ByHost(Ending::new(EndReason::HostLost, error))),
            },
        }
    };
    match pulse.notice() {
        Some(notice) => End::ByHost(Ending::new(reason(notice), words(notice))),
        None => end,
    }
}

/// What both directions have.
#[derive(Clone, Copy)]
struct Between<'a> {
    filter: &'a ChannelFilter,
    measures: &'a Measures,
    pulse: &'a Pulse,
}

/// What the two directions tell each other. Both run in one task, so nobody ever waits for a lock.
struct Pulse {
    started: Instant,
    /// When the browser was heard last, in milliseconds after the start.
    heard: AtomicU64,
    /// Whether the upper direction waits for the browser, and not for a slow host.
    is_listening: AtomicBool,
    /// The payload of the browser's last ping, until it is answered.
    ping: Mutex<Option<Bytes>>,
    ping_came: Notify,
    /// Our own ping that is not answered yet.
    own_ping: Mutex<Option<OwnPing>>,
    /// What the host said about the end.
    notice: Mutex<Option<HostNotice>>,
    /// What the filter answered in the other side's place.
    for_browser: Answers,
    for_host: Answers,
}

/// A ping of ours: what it says, and when it went.
#[derive(Clone, Copy)]
struct OwnPing {
    number: u32,
    sent: Instant,
}

/// Answers of the filter on their way to the direction that writes to their receiver.
#[derive(Default)]
struct Answers {
    waiting: Mutex<Vec<Bytes>>,
    came: Notify,
}

impl Answers {
    /// One that finds no room is dropped: whoever asks so much without reading waits in vain.
    fn add(&self, answer: Bytes) {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        if waiting.len() < ANSWERS_MAX {
            waiting.push(answer);
            self.came.notify_one();
        }
    }

    fn take(&self) -> Vec<Bytes> {
        std::mem::take(&mut self.waiting.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Pulse {
    fn new() -> Self {
        Self {
            started: Instant::now(),
            heard: AtomicU64::new(0),
            is_listening: AtomicBool::new(false),
            ping: Mutex::new(None),
            ping_came: Notify::new(),
            own_ping: Mutex::new(None),
            notice: Mutex::new(None),
            for_browser: Answers::default(),
            for_host: Answers::default(),
        }
    }

    fn listen(&self, is_listening: bool) {
        self.is_listening.store(is_listening, Ordering::Relaxed);
        let now = u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.heard.store(now, Ordering::Relaxed);
    }

    /// How long the browser was listened to and said nothing.
    fn silence(&self) -> Duration {
        if !self.is_listening.load(Ordering::Relaxed) {
            return Duration::ZERO;
        }
        let heard = Duration::from_millis(self.heard.load(Ordering::Relaxed));
        self.started.elapsed().saturating_sub(heard)
    }

    fn set_ping(&self, payload: Bytes) {
        *self.ping.lock().unwrap_or_else(PoisonError::into_inner) = Some(payload);
        self.ping_came.notify_one();
    }

    fn take_ping(&self) -> Option<Bytes> {
        self.ping.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// The payload of a new ping; none while one is out that may still be answered.
    fn ping(&self, number: u32, now: Instant) -> Option<Bytes> {
        let mut own = self.own_ping.lock().unwrap_or_else(PoisonError::into_inner);
        if own.is_some_and(|ping| now < ping.sent + PING_PATIENCE) {
            return None;
        }
        *own = Some(OwnPing { number, sent: now });
        Some(Bytes::copy_from_slice(&number.to_be_bytes()))
    }

    /// How long the ping took that this answers; none: it is no answer to the one that is out.
    fn answered(&self, payload: &[u8], now: Instant) -> Option<Duration> {
        let mut own = self.own_ping.lock().unwrap_or_else(PoisonError::into_inner);
        let ping = own.take_if(|ping| ping.number.to_be_bytes() == payload)?;
        Some(now.saturating_duration_since(ping.sent))
    }

    /// The first reason with a code counts; the ultimatum that follows it says less.
    fn set_notice(&self, notice: HostNotice) {
        let mut known = self.notice.lock().unwrap_or_else(PoisonError::into_inner);
        if !matches!(*known, Some(HostNotice::ErrorInfo(_))) {
            *known = Some(notice);
        }
    }

    fn notice(&self) -> Option<HostNotice> {
        *self.notice.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// From the host to the browser: all messages that are there with one write.
async fn to_browser<R, W>(
    host: &mut HostReader<R>,
    browser: &mut Writer<W>,
    between: Between<'_>,
    mut pace: Pace,
) -> End
where
    R: AsyncRead + Unpin,
    W: AsyncWrite + Unpin,
{
    let Between { measures, pulse, .. } = between;
    let mut beat = interval(PING_INTERVAL);
    beat.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut pings = 0_u32;
    let mut picture = FirstPicture::Awaited;
    loop {
        let room = pace.room(Instant::now());
        let gathered = match picture {
            FirstPicture::Shown => gather::<false, _, _>(host, browser, room, between, &mut picture),
            _ => gather::<true, _, _>(host, browser, room, between, &mut picture),
        };
        pulse.for_browser.take().into_iter().for_each(|answer| browser.queue(answer));
        if let Some(payload) = pulse.take_ping() {
            browser.queue_control(Opcode::Pong, payload);
        }
        let is_more_there = is_enough(browser, room);
        pace.spend(browser.queued());
        if let Err(error) = browser.send().await {
            return browser_lost(&error);
        }
        if picture == FirstPicture::Queued {
            measures.first_picture();
            picture = FirstPicture::Shown;
        }
        if let Some(end) = gathered {
            return end;
        }
        let opens_at = pace.opens_at(Instant::now());
        if opens_at.is_none() {
            if is_more_there {
                continue;
            }
            host.deframer.release();
        }
        tokio::select! {
            () = sleep_until(opens_at.unwrap_or_else(Instant::now)), if opens_at.is_some() => {}
            read = host.read(), if opens_at.is_none() => match read {
                Ok(0) => return host_closed(),
                Ok(count) => measures.meter.count(Side::Host, count),
                Err(error) => return host_lost(&error),
            },
            () = pulse.ping_came.notified() => {}
            () = pulse.for_browser.came.notified() => {}
            _ = beat.tick() => {
                let silence = pulse.silence();
                if silence >= BROWSER_SILENCE_MAX {
                    return browser_lost(&"the browser has not answered for too long");
                }
                if let Some(payload) = pulse.ping(pings, Instant::now()) {
                    pings = pings.wrapping_add(1);
                    browser.queue_control(Opcode::Ping, payload);
                }
            }
        }
    }
}

/// How far the first picture has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum FirstPicture {
    Awaited,
    Queued,
    Shown,
}

/// Whether so much is queued that it should be sent before there is more.
fn is_enough<W: AsyncWrite + Unpin>(browser: &Writer<W>, room: usize) -> bool {
    browser.is_full() || browser.queued() >= room
}

/// Queues the messages that are there, until there are none or enough. Returns the end if the host's
/// stream has one. `LOOKS`: whether it looks for the first picture.
fn gather<const LOOKS: bool, R: AsyncRead + Unpin, W: AsyncWrite + Unpin>(
    host: &mut HostReader<R>,
    browser: &mut Writer<W>,
    room: usize,
    Between { filter, measures, pulse }: Between<'_>,
    picture: &mut FirstPicture,
) -> Option<End> {
    loop {
        while !is_enough(browser, room) {
            match host.deframer.next_frame() {
                Ok(Some(frame)) => {
                    if let Some(notice) = HostNotice::of(&frame, filter.io_channel()) {
                        pulse.set_notice(notice);
                    }
                    if LOOKS && is_picture(&frame, filter.io_channel()) {
                        *picture = FirstPicture::Queued;
                    }
                    match filter.judge(Party::Host, &frame) {
                        Verdict::Pass => browser.queue(frame),
                        Verdict::Drop => {}
                        Verdict::Instead { onward, back } => {
                            onward.into_iter().for_each(|frame| browser.queue(frame));
                            back.into_iter().for_each(|answer| pulse.for_host.add(answer));
                        }
                    }
                }
                Ok(None) => break,
                Err(error) => return Some(host_broken(error)),
            }
        }
        if is_enough(browser, room) {
            return None;
        }
        match host.try_read()? {
            Ok(0) => return Some(host_closed()),
            Ok(count) => measures.meter.count(Side::Host, count),
            Err(error) => return Some(host_lost(&error)),
        }
    }
}

/// Why nothing more goes to the host.
enum Stopped {
    Browser(End),
    Host(std::io::Error),
}

/// From the browser to the host: cut into messages only for the filter's sake.
async fn to_host<R, W>(
    browser: &mut Reader<R>,
    host: &mut HostWriter<W>,
    Between { filter, measures, pulse }: Between<'_>,
) -> Stopped
where
    R: AsyncRead + Unpin,
    W: AsyncWrite + Unpin,
{
    loop {
        loop {
            match browser.deframer.next_frame() {
                Ok(Some(frame)) => match filter.judge(Party::Client, &frame) {
                    Verdict::Pass => host.queue(frame),
                    Verdict::Drop => {}
                    Verdict::Instead { onward, back } => {
                        onward.into_iter().for_each(|frame| host.queue(frame));
                        back.into_iter().for_each(|answer| pulse.for_browser.add(answer));
                    }
                },
                Ok(None) => break,
                Err(error) => return Stopped::Browser(browser_broken(&error, 1002)),
            }
            if host.is_full()
                && let Err(error) = host.send().await
            {
                return Stopped::Host(error);
            }
        }
        let incoming = match browser.ready() {
            Ok(Some(incoming)) => Ok(incoming),
            Ok(None) => {
                pulse.for_host.take().into_iter().for_each(|answer| host.queue(answer));
                if let Err(error) = host.send().await {
                    return Stopped::Host(error);
                }
                browser.deframer.release();
                pulse.listen(true);
                let incoming = loop {
                    tokio::select! {
                        incoming = browser.next() => break incoming,
                        // Not heard of the browser: its silence goes on.
                        () = pulse.for_host.came.notified() => {
                            pulse.for_host.take().into_iter().for_each(|answer| host.queue(answer));
                            if let Err(error) = host.send().await {
                                return Stopped::Host(error);
                            }
                        }
                    }
                };
                pulse.listen(false);
                incoming
            }
            Err(error) => Err(error.into()),
        };
        match incoming {
            Ok(Incoming::Data { bytes, .. }) => {
                measures.meter.count(Side::Client, bytes.len());
                browser.deframer.push(bytes);
            }
            Ok(Incoming::Ping(payload)) => pulse.set_ping(payload),
            Ok(Incoming::Pong(payload)) => {
                if let Some(took) = pulse.answered(&payload, Instant::now()) {
                    measures.round_trip(took);
                }
            }
            Ok(Incoming::Close(_)) => {
                // What the user did last still counts.
                let _ = host.send().await;
                let ending = Ending::new(EndReason::Disconnected, "the browser closed the connection");
                return Stopped::Browser(End::ByBrowser(ending, Some(1000)));
            }
            Err(BrowserError::Protocol(error)) => {
                return Stopped::Browser(browser_broken(&error, error.close_code()));
            }
            Err(error) => return Stopped::Browser(browser_lost(&error)),
        }
    }
}

fn browser_lost(error: &dyn std::fmt::Display) -> End {
    End::ByBrowser(Ending::new(EndReason::NetworkLost, error.to_string()), None)
}

fn browser_broken(error: &dyn std::fmt::Display, close_code: u16) -> End {
    End::ByBrowser(Ending::new(EndReason::Disconnected, error.to_string()), Some(close_code))
}

fn host_closed() -> End {
    End::ByHost(Ending::new(EndReason::Disconnected, "the host closed the connection"))
}

fn host_lost(error: &dyn std::fmt::Display) -> End {
    End::ByHost(Ending::new(EndReason::HostLost, error.to_string()))
}

fn host_broken(error: FrameError) -> End {
    End::ByHost(Ending::new(EndReason::HostFailed, error))
}

/// The end that the host announced.
fn reason(notice: HostNotice) -> EndReason {
    match notice {
        HostNotice::ErrorInfo(info) => match info.category() {
            EndCategory::LoggedOff => EndReason::LoggedOff,
            EndCategory::LoggedOffByAdministrator => EndReason::LoggedOffByRequest,
            EndCategory::DisconnectedByUser => EndReason::Disconnected,
            EndCategory::DisconnectedByAdministrator => EndReason::DisconnectedByRequest,
            EndCategory::TakenOver => EndReason::TakenOver,
            EndCategory::IdleTimeout => EndReason::Idle,
            EndCategory::SessionTimeout => EndReason::LimitReached,
            EndCategory::AccessDenied | EndCategory::FreshCredentialsRequired => EndReason::LogonRefused,
            EndCategory::HostFailure
            | EndCategory::Licensing
            | EndCategory::Redirection
            | EndCategory::Protocol
            | EndCategory::Unknown => EndReason::HostFailed,
        },
        // Hosts send the same ultimatum at the end of the program, when the session goes on elsewhere and
        // when it waits. Which of these it is the host's agent knows, and its word counts for more.
        HostNotice::Disconnect(_) => EndReason::Disconnected,
    }
}

fn words(notice: HostNotice) -> String {
    match notice {
        HostNotice::ErrorInfo(info) => info.to_string(),
        HostNotice::Disconnect(reason) => reason.to_string(),
    }
}

#[cfg(test)]
mod tests;
