//! What a synthetic host knows of one connection, and what a test can do to it.

use std::{
    collections::VecDeque,
    sync::{
        Arc, Mutex, MutexGuard,
        atomic::{AtomicU64, Ordering},
    },
};

use bytes::Bytes;
use ironrdp_pdu::{
    gcc::{ChannelDef, ClientGccBlocks},
    nego::SecurityProtocol,
    rdp::client_info::ClientInfo,
};
use tokio::sync::{mpsc, watch};

use crate::agent::LoggedOn;

/// Input messages that are kept; older ones are only counted.
const INPUT_KEPT: usize = 256;

/// One client's connection to a synthetic host.
pub struct HostConnection {
    state: Mutex<State>,
    stage: watch::Sender<super::Stage>,
    orders: mpsc::UnboundedSender<Order>,
    bytes_sent: AtomicU64,
    input_count: AtomicU64,
}

/// What a client said in the connection sequence, as the host heard it.
#[derive(Debug, Clone)]
pub struct Seen {
    /// Protocols offered in the X.224 Connection Request.
    pub offered: SecurityProtocol,
    /// The GCC blocks of the Connect-Initial.
    pub gcc: ClientGccBlocks,
    /// Channels that were joined.
    pub joined: Vec<u16>,
    /// The Client Info; none before it came.
    pub info: Option<ClientInfo>,
}

/// How a host ends a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// Set Error Info with this code, then an ultimatum and the end of TLS: what a logoff looks like.
    ErrorInfo(u32),
    /// An ultimatum and the end of TLS.
    Ultimatum,
    /// The TCP connection breaks.
    Abrupt,
}

pub(super) enum Order {
    End(End),
    Send(Bytes),
}

#[derive(Default)]
struct State {
    seen: Option<Seen>,
    logged_on: Option<LoggedOn>,
    input: VecDeque<Bytes>,
    ended: Option<String>,
}

impl HostConnection {
    pub(super) fn new() -> (Arc<Self>, mpsc::UnboundedReceiver<Order>) {
        let (orders, received) = mpsc::unbounded_channel();
        let connection = Self {
            state: Mutex::default(),
            stage: watch::Sender::new(super::Stage::Accepted),
            orders,
            bytes_sent: AtomicU64::new(0),
            input_count: AtomicU64::new(0),
        };
        (Arc::new(connection), received)
    }

    /// What the client said so far; none before its Connect-Initial.
    pub fn seen(&self) -> Option<Seen> {
        self.state().seen.clone()
    }

    /// The Client Info that came.
    pub fn info(&self) -> Option<ClientInfo> {
        self.seen().and_then(|seen| seen.info)
    }

    /// Names of the static channels that the client asked for, in its order.
    pub fn channels(&self) -> Vec<String> {
        let named = |channel: &ChannelDef| channel.name.as_str().unwrap_or("?").to_owned();
        let network = self.seen().and_then(|seen| seen.gcc.network);
        network.map(|network| network.channels.iter().map(named).collect()).unwrap_or_default()
    }

    /// The session that was logged on to.
    pub fn session(&self) -> Option<String> {
        self.logged_on().map(|logged_on| logged_on.session)
    }

    pub(super) fn logged_on(&self) -> Option<LoggedOn> {
        self.state().logged_on.clone()
    }

    /// How far it got.
    pub fn stage(&self) -> super::Stage {
        *self.stage.borrow()
    }

    /// Why it ended; none while it lives.
    pub fn ended(&self) -> Option<String> {
        self.state().ended.clone()
    }

    /// Bytes of picture sent.
    pub fn bytes_sent(&self) -> u64 {
        self.bytes_sent.load(Ordering::Relaxed)
    }

    /// Messages received after the connection sequence.
    pub fn input_count(&self) -> u64 {
        self.input_count.load(Ordering::Relaxed)
    }

    /// The latest messages received after the connection sequence, oldest first.
    pub fn input(&self) -> Vec<Bytes> {
        self.state().input.iter().cloned().collect()
    }

    /// Ends it.
    pub fn end(&self, end: End) {
        // An error means that it has ended.
        let _ = self.orders.send(Order::End(end));
    }

    /// Sends bytes to the client.
    pub fn send(&self, bytes: impl Into<Bytes>) {
        let _ = self.orders.send(Order::Send(bytes.into()));
    }

    pub(super) fn state_mut(&self, change: impl FnOnce(&mut Option<Seen>, &mut Option<LoggedOn>)) {
        let mut state = self.state();
        let State { seen, logged_on, .. } = &mut *state;
        change(seen, logged_on);
    }

    pub(super) fn reached(&self, stage: super::Stage) {
        self.stage.send_replace(stage);
    }

    pub(super) fn sent(&self, bytes: usize) {
        self.bytes_sent.fetch_add(bytes as u64, Ordering::Relaxed);
    }

    pub(super) fn received(&self, frame: Bytes) {
        self.input_count.fetch_add(1, Ordering::Relaxed);
        let mut state = self.state();
        if state.input.len() == INPUT_KEPT {
            state.input.pop_front();
        }
        state.input.push_back(frame);
    }

    pub(super) fn close(&self, why: String) {
        self.state().ended.get_or_insert(why);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }
}
