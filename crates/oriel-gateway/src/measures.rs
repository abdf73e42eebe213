//! What is measured of each connection: how long its logon took, its round trip, and what passes.
//!
//! The connection's own task writes; [`crate::connections::Connections::sample`] reads every few seconds and
//! keeps what has become different for the links to the brokers. Round trips are those of our own WebSocket
//! pings, not the kernel's of TCP: a ping goes all the way to the browser, also through a balancer or proxy
//! that ends TCP before, and waits behind the pictures as a key's echo does.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use oriel_model::{Id, session::Connection};
use oriel_net::{relay::Meter, supervise::ShutdownSignal};
use oriel_wire::v1::ConnectionMeasures;
use tokio::time::{Instant, MissedTickBehavior, interval};

use crate::{connections::Connections, limits::MEASURES_INTERVAL};

/// Round trips that differ by less than this, or by less than an eighth, are the same to the brokers.
const ROUND_TRIP_STEP_US: u32 = 1_000;

/// Looks at what was measured, every few seconds, until the signal.
pub(crate) async fn keep(connections: Arc<Connections>, signal: ShutdownSignal) {
    let mut looks = interval(MEASURES_INTERVAL);
    looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            () = signal.given() => return,
            now = looks.tick() => connections.sample(now),
        }
    }
}

/// What a connection's task measures.
#[derive(Debug)]
pub(crate) struct Measures {
    /// Counts what passes.
    pub(crate) meter: Meter,
    opened: Instant,
    host_reached_ms: AtomicU32,
    logon_sent_ms: AtomicU32,
    first_picture_ms: AtomicU32,
    round_trip_us: AtomicU32,
}

impl Measures {
    /// Of a connection whose ticket has just been found good.
    pub(crate) fn new() -> Self {
        Self {
            meter: Meter::new(),
            opened: Instant::now(),
            host_reached_ms: AtomicU32::new(0),
            logon_sent_ms: AtomicU32::new(0),
            first_picture_ms: AtomicU32::new(0),
            round_trip_us: AtomicU32::new(0),
        }
    }

    /// TLS with the host stands.
    pub(crate) fn host_reached(&self) {
        self.happened(&self.host_reached_ms);
    }

    /// The logon has gone to the host.
    pub(crate) fn logon_sent(&self) {
        self.happened(&self.logon_sent_ms);
    }

    /// A picture has gone to the client for the first time.
    pub(crate) fn first_picture(&self) {
        self.happened(&self.first_picture_ms);
    }

    /// The client has answered a ping.
    pub(crate) fn round_trip(&self, took: Duration) {
        let micros = u32::try_from(took.as_micros()).unwrap_or(u32::MAX);
        self.round_trip_us.store(micros.max(1), Ordering::Relaxed);
    }

    /// Zero is for what has not happened.
    fn happened(&self, moment: &AtomicU32) {
        let millis = u32::try_from(self.opened.elapsed().as_micros().div_ceil(1_000)).unwrap_or(u32::MAX);
        moment.store(millis.max(1), Ordering::Relaxed);
    }
}

/// What brokers are told of a connection, and since which look.
#[derive(Debug)]
pub(crate) struct Sample {
    told: ConnectionMeasures,
    taken: Instant,
    /// The number of the look that found it different.
    pub(crate) changed: u64,
}

impl Sample {
    pub(crate) fn new(id: Id<Connection>, now: Instant) -> Self {
        let told = ConnectionMeasures { connection_id: id.to_string(), ..ConnectionMeasures::default() };
        Self { told, taken: now, changed: 0 }
    }

    pub(crate) fn told(&self) -> &ConnectionMeasures {
        &self.told
    }

    /// Looks at `measures`, as look number `number`.
    pub(crate) fn take(&mut self, measures: &Measures, now: Instant, number: u64) {
        let before = &self.told;
        let (to_host, to_client) = (measures.meter.to_host(), measures.meter.to_client());
        let passed = now.saturating_duration_since(std::mem::replace(&mut self.taken, now));
        let rate = |bytes: u64, bytes_before: u64| per_second(bytes.saturating_sub(bytes_before), passed);
        let load = |moment: &AtomicU32| moment.load(Ordering::Relaxed);
        let round_trip = load(&measures.round_trip_us);
        let known = before.round_trip_us;
        let is_same = round_trip.abs_diff(known) <= (known / 8).max(ROUND_TRIP_STEP_US) && known > 0;
        let seen = ConnectionMeasures {
            connection_id: before.connection_id.clone(),
            host_reached_ms: load(&measures.host_reached_ms),
            logon_sent_ms: load(&measures.logon_sent_ms),
            first_picture_ms: load(&measures.first_picture_ms),
            round_trip_us: if is_same { known } else { round_trip },
            bytes_to_host: to_host,
            bytes_to_client: to_client,
            bytes_to_host_per_sec: rate(to_host, before.bytes_to_host),
            bytes_to_client_per_sec: rate(to_client, before.bytes_to_client),
        };
        if seen != *before {
            self.told = seen;
            self.changed = number;
        }
    }
}

fn per_second(bytes: u64, passed: Duration) -> u64 {
    let millis = passed.as_millis().max(1);
    u64::try_from(u128::from(bytes) * 1_000 / millis).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use oriel_model::Timestamp;
    use oriel_net::relay::Side;

    use super::*;

    const LOOK: Duration = Duration::from_secs(5);

    fn scene() -> (Measures, Sample, Instant) {
        let now = Instant::now();
        (Measures::new(), Sample::new(Id::generate(Timestamp::UNIX_EPOCH), now), now)
    }

    #[tokio::test(start_paused = true)]
    async fn what_passes_is_told_per_second_and_once_more_when_it_stops() {
        let (measures, mut sample, start) = scene();
        measures.meter.count(Side::Host, 50_000);
        measures.meter.count(Side::Client, 500);
        sample.take(&measures, start + LOOK, 1);
        let told = sample.told();
        assert_eq!((told.bytes_to_client_per_sec, told.bytes_to_host_per_sec), (10_000, 100));
        assert_eq!((told.bytes_to_client, told.bytes_to_host, sample.changed), (50_000, 500, 1));
        sample.take(&measures, start + 2 * LOOK, 2);
        assert_eq!((sample.told().bytes_to_client_per_sec, sample.changed), (0, 2));
        sample.take(&measures, start + 3 * LOOK, 3);
        assert_eq!(sample.changed, 2, "nothing passes: nothing is told");
    }

    #[tokio::test(start_paused = true)]
    async fn a_round_trip_that_hardly_differs_is_not_told() {
        let (measures, mut sample, start) = scene();
        let mut number = 0;
        let mut told = |millis: u64| {
            number += 1;
            measures.round_trip(Duration::from_millis(millis));
            sample.take(&measures, start, number);
            (sample.told().round_trip_us / 1_000, sample.changed)
        };
        assert_eq!(told(80), (80, 1));
        assert_eq!(told(89), (80, 1));
        assert_eq!(told(91), (91, 3));
        assert_eq!(told(2), (2, 4));
        assert_eq!(told(3), (2, 4));
        assert_eq!(told(u64::MAX), (u32::MAX / 1_000, 6));
    }

    #[tokio::test(start_paused = true)]
    async fn what_has_happened_is_never_zero() {
        let (measures, mut sample, start) = scene();
        measures.host_reached();
        tokio::time::advance(Duration::from_micros(1_500)).await;
        measures.logon_sent();
        measures.round_trip(Duration::ZERO);
        sample.take(&measures, start, 1);
        let told = sample.told();
        assert_eq!((told.host_reached_ms, told.logon_sent_ms, told.first_picture_ms), (1, 2, 0));
        assert_eq!(told.round_trip_us, 1);
    }
}
