//! The connections that live now, and the recent comings and goings that brokers have to hear of.

use std::{
    collections::{HashMap, VecDeque},
    net::IpAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use oriel_model::{
    Id, Timestamp,
    session::{Connection, EndReason, Session},
};
use oriel_wire::{ticket::Claims, v1};
use tokio::{
    sync::{oneshot, watch},
    time::Instant,
};

use crate::{
    limits::JOURNAL_MAX,
    measures::{Measures, Sample},
};

/// All connections of this gateway.
pub(crate) struct Connections {
    state: Mutex<State>,
    /// The number of the newest journal entry; changes wake the links to the brokers.
    newest: watch::Sender<u64>,
    /// How many live.
    count: watch::Sender<usize>,
    /// The number of the newest look at what was measured.
    looks: watch::Sender<u64>,
}

#[derive(Default)]
struct State {
    live: HashMap<Id<Connection>, Live>,
    journal: VecDeque<(u64, Event)>,
    newest: u64,
}

struct Live {
    opened: v1::ConnectionOpened,
    session: Id<Session>,
    /// Gone once the end was ordered.
    end: Option<oneshot::Sender<Ending>>,
    measures: Arc<Measures>,
    sample: Sample,
}

/// Something that brokers have to hear of.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Event {
    Opened(v1::ConnectionOpened),
    Closed(v1::ConnectionClosed),
}

/// Why a connection ends, and what an administrator may want to read about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Ending {
    pub(crate) reason: EndReason,
    pub(crate) detail: String,
}

impl Ending {
    pub(crate) fn new(reason: EndReason, detail: impl ToString) -> Self {
        Self { reason, detail: detail.to_string() }
    }
}

impl Default for Connections {
    fn default() -> Self {
        Self {
            state: Mutex::default(),
            newest: watch::Sender::new(0),
            count: watch::Sender::new(0),
            looks: watch::Sender::new(0),
        }
    }
}

impl Connections {
    /// Enters a connection. It is there until the returned handle is closed or dropped.
    pub(crate) fn open(self: &Arc<Self>, claims: &Claims, client: IpAddr, now: Timestamp) -> OpenConnection {
        let opened = v1::ConnectionOpened {
            connection_id: claims.connection.to_string(),
            session_id: claims.session.to_string(),
            host_id: claims.host.to_string(),
            user_id: claims.user.to_string(),
            client_address: client.to_string(),
            opened_at_ms: now.as_millisecond(),
            brokering_ms: claims.times.brokering_ms,
            prepare_ms: claims.times.prepare_ms,
        };
        let (end, ordered_end) = oneshot::channel();
        let measures = Arc::new(Measures::new());
        let live = Live {
            opened: opened.clone(),
            session: claims.session,
            end: Some(end),
            measures: measures.clone(),
            sample: Sample::new(claims.connection, Instant::now()),
        };
        let mut state = self.lock();
        state.live.insert(claims.connection, live);
        self.record(&mut state, Event::Opened(opened));
        OpenConnection {
            id: claims.connection,
            session: claims.session,
            measures,
            ordered_end: Some(ordered_end),
            connections: self.clone(),
            is_closed: false,
        }
    }

    /// Orders the end of the connections of a session, or of one of them. Returns how many that are.
    pub(crate) fn withdraw(
        &self,
        session: Option<Id<Session>>,
        connection: Option<Id<Connection>>,
        ending: &Ending,
    ) -> usize {
        self.order_end(ending, |id, live| match connection {
            Some(wanted) => wanted == id,
            None => Some(live.session) == session,
        })
    }

    /// Orders the end of all connections.
    pub(crate) fn end_all(&self, ending: &Ending) -> usize {
        self.order_end(ending, |_, _| true)
    }

    fn order_end(&self, ending: &Ending, concerns: impl Fn(Id<Connection>, &Live) -> bool) -> usize {
        let mut ordered = 0;
        for (id, live) in &mut self.lock().live {
            if concerns(*id, live) {
                ordered += 1;
                if let Some(end) = live.end.take() {
                    // An error means that it is ending already.
                    let _ = end.send(ending.clone());
                }
            }
        }
        ordered
    }

    /// How many live now.
    pub(crate) fn count(&self) -> usize {
        *self.count.borrow()
    }

    /// Returns when none live.
    pub(crate) async fn none_left(&self) {
        // The sender is ours, so waiting cannot fail.
        let _ = self.count.subscribe().wait_for(|count| *count == 0).await;
    }

    /// Changes whenever the journal grows; the value is the number of its newest entry.
    pub(crate) fn newest(&self) -> watch::Receiver<u64> {
        self.newest.subscribe()
    }

    /// Those that live now, and the number of the newest entry that this includes.
    pub(crate) fn snapshot(&self) -> (Vec<v1::ConnectionOpened>, u64) {
        let state = self.lock();
        (state.live.values().map(|live| live.opened.clone()).collect(), state.newest)
    }

    /// The first entry after the one with this number that is still known, with its number.
    pub(crate) fn after(&self, number: u64) -> Option<(u64, Event)> {
        let state = self.lock();
        let index = state.journal.partition_point(|(entry, _)| *entry <= number);
        state.journal.get(index).cloned()
    }

    /// Looks at what was measured of all that live.
    pub(crate) fn sample(&self, now: Instant) {
        let mut state = self.lock();
        let number = *self.looks.borrow() + 1;
        for live in state.live.values_mut() {
            live.sample.take(&live.measures, now, number);
        }
        // Under the lock, so that nobody hears of a look that is not over.
        self.looks.send_replace(number);
    }

    /// Changes with every look; the value is its number.
    pub(crate) fn looks(&self) -> watch::Receiver<u64> {
        self.looks.subscribe()
    }

    /// What looks after the one with this number found different, and the number of the newest.
    pub(crate) fn measured_after(&self, number: u64) -> (Vec<v1::ConnectionMeasures>, u64) {
        let state = self.lock();
        let changed = state.live.values().filter(|live| live.sample.changed > number);
        (changed.map(|live| live.sample.told().clone()).collect(), *self.looks.borrow())
    }

    fn record(&self, state: &mut State, event: Event) {
        state.newest += 1;
        if state.journal.len() == JOURNAL_MAX {
            state.journal.pop_front();
        }
        state.journal.push_back((state.newest, event));
        self.newest.send_replace(state.newest);
        self.count.send_replace(state.live.len());
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The connection's own handle on its entry.
pub(crate) struct OpenConnection {
    pub(crate) id: Id<Connection>,
    session: Id<Session>,
    /// What is measured of it.
    pub(crate) measures: Arc<Measures>,
    ordered_end: Option<oneshot::Receiver<Ending>>,
    connections: Arc<Connections>,
    is_closed: bool,
}

impl OpenConnection {
    /// Gives out the receiver that returns when the end is ordered from outside. Once only.
    pub(crate) fn ordered_end(&mut self) -> impl Future<Output = Ending> + use<> {
        let receiver = self.ordered_end.take();
        async move {
            match receiver {
                Some(receiver) => match receiver.await {
                    Ok(ending) => ending,
                    Err(_) => std::future::pending().await,
                },
                None => std::future::pending().await,
            }
        }
    }

    /// Removes the entry and says why.
    pub(crate) fn close(mut self, ending: Ending) {
        self.remove(ending);
    }

    fn remove(&mut self, ending: Ending) {
        if std::mem::replace(&mut self.is_closed, true) {
            return;
        }
        let closed = v1::ConnectionClosed {
            connection_id: self.id.to_string(),
            session_id: self.session.to_string(),
            reason: ending.reason.as_str().to_owned(),
            detail: ending.detail,
            bytes_to_host: self.measures.meter.to_host(),
            bytes_to_client: self.measures.meter.to_client(),
        };
        let mut state = self.connections.lock();
        state.live.remove(&self.id);
        self.connections.record(&mut state, Event::Closed(closed));
    }
}

impl Drop for OpenConnection {
    /// Only when its task was cut off.
    fn drop(&mut self) {
        self.remove(Ending::new(EndReason::GatewayClosing, "the gateway stopped"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing;

    fn address() -> IpAddr {
        IpAddr::from([10, 0, 0, 1])
    }

    fn reset() -> Ending {
        Ending::new(EndReason::Reset, "by an administrator")
    }

    #[tokio::test]
    async fn a_withdrawal_ends_the_connections_of_its_session_only() {
        let connections = Arc::new(Connections::default());
        let (one, two) = (testing::claims(), testing::claims());
        let now = Timestamp::UNIX_EPOCH;
        let mut first = connections.open(&one, address(), now);
        let mut second = connections.open(&two, address(), now);
        assert_eq!(connections.count(), 2);
        assert_eq!(connections.withdraw(Some(one.session), None, &reset()), 1);
        assert_eq!(first.ordered_end().await, reset());
        assert_eq!(connections.withdraw(Some(one.session), Some(two.connection), &reset()), 1);
        assert_eq!(second.ordered_end().await, reset());
        first.close(reset());
        second.close(reset());
        connections.none_left().await;
    }

    #[test]
    fn the_journal_tells_what_happened_after_a_point() {
        let connections = Arc::new(Connections::default());
        let claims = testing::claims();
        let open = connections.open(&claims, address(), Timestamp::UNIX_EPOCH);
        open.measures.meter.count(oriel_net::relay::Side::Client, 7);
        let (live, number) = connections.snapshot();
        assert_eq!((live.len(), number), (1, 1));
        assert_eq!(connections.after(number), None);
        open.close(reset());
        let Some((2, Event::Closed(closed))) = connections.after(number) else {
            panic!("the end");
        };
        assert_eq!((closed.reason.as_str(), closed.bytes_to_host), ("reset", 7));
        assert_eq!(connections.after(2), None);
        assert!(connections.snapshot().0.is_empty());
    }

    #[tokio::test(start_paused = true)]
    async fn what_was_measured_is_told_once_to_everybody_who_asks() {
        let connections = Arc::new(Connections::default());
        let (one, two) = (testing::claims(), testing::claims());
        let first = connections.open(&one, address(), Timestamp::UNIX_EPOCH);
        let _second = connections.open(&two, address(), Timestamp::UNIX_EPOCH);
        let told = |number| {
            let (measured, newest) = connections.measured_after(number);
            (measured.into_iter().map(|measures| measures.connection_id).collect::<Vec<_>>(), newest)
        };
        connections.sample(Instant::now());
        assert_eq!(told(0), (vec![], 1), "nothing was measured");
        first.measures.logon_sent();
        connections.sample(Instant::now());
        assert_eq!(told(1), (vec![one.connection.to_string()], 2));
        assert_eq!(told(0), (vec![one.connection.to_string()], 2), "who comes later hears all");
        connections.sample(Instant::now());
        assert_eq!(told(2), (vec![], 3));
        first.close(reset());
        assert_eq!(told(0), (vec![], 3));
    }

    #[test]
    fn a_task_that_was_cut_off_leaves_no_entry() {
        let connections = Arc::new(Connections::default());
        drop(connections.open(&testing::claims(), address(), Timestamp::UNIX_EPOCH));
        assert_eq!(connections.count(), 0);
        let Some((2, Event::Closed(closed))) = connections.after(1) else { panic!("the end") };
        assert_eq!(closed.reason, "gateway_closing");
    }

    #[test]
    fn the_journal_is_bounded() {
        let connections = Arc::new(Connections::default());
        for _ in 0..JOURNAL_MAX {
            drop(connections.open(&testing::claims(), address(), Timestamp::UNIX_EPOCH));
        }
        assert_eq!(connections.lock().journal.len(), JOURNAL_MAX);
        assert_eq!(connections.after(0).map(|(number, _)| number), Some(JOURNAL_MAX as u64 + 1));
    }
}
