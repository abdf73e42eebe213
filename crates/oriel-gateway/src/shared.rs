//! What all parts of a running gateway share.

use std::sync::{
    Arc, Mutex, PoisonError,
    atomic::{AtomicBool, Ordering},
};

use http::HeaderValue;
use oriel_net::{clock::Clock, door::Door};
use tokio::sync::watch;
use tokio_util::task::TaskTracker;

use crate::{
    brokers::Brokers,
    connections::Connections,
    elsewhere::Elsewhere,
    keys::KeyRing,
    limits::{
        PORTAL_CALLS_MAX, PORTAL_CALLS_PER_ADDRESS_MAX, UNAUTHENTICATED_MAX, UNAUTHENTICATED_PER_ADDRESS_MAX,
    },
    replay::ReplayCache,
};

/// The state of a gateway. Each part guards itself; nothing here outlives the process.
pub(crate) struct Shared {
    /// The gateway's id in the farm.
    pub(crate) gateway_id: HeaderValue,
    pub(crate) machine_name: String,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) brokers: Brokers,
    pub(crate) keys: KeyRing,
    pub(crate) replay: ReplayCache,
    /// Where WebSockets wait that have not shown a good ticket yet.
    pub(crate) door: Arc<Door>,
    pub(crate) connections: Arc<Connections>,
    /// The tasks of the WebSockets.
    pub(crate) sessions: TaskTracker,
    /// Where calls of the portal's API wait for their answer.
    pub(crate) portal_calls: Arc<Door>,
    is_draining: watch::Sender<bool>,
    is_enabled: AtomicBool,
    /// The name under which users come: of the machine's own file, or as a broker says.
    public_address: Mutex<Option<String>>,
    /// Where else the farm can be reached.
    pub(crate) elsewhere: Elsewhere,
}

/// Why a user who comes now cannot be served.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Obstacle {
    #[error("the gateway is being closed")]
    Draining,
    #[error("the gateway is disabled")]
    Disabled,
    #[error("the gateway has no broker")]
    NoBroker,
}

impl Shared {
    pub(crate) fn new(
        gateway_id: HeaderValue,
        machine_name: String,
        public_address: Option<String>,
        brokers: Brokers,
        clock: Arc<dyn Clock>,
    ) -> Arc<Self> {
        Arc::new(Self {
            gateway_id,
            machine_name,
            clock,
            brokers,
            keys: KeyRing::default(),
            replay: ReplayCache::default(),
            door: Door::new(UNAUTHENTICATED_MAX, UNAUTHENTICATED_PER_ADDRESS_MAX),
            connections: Arc::default(),
            sessions: TaskTracker::new(),
            portal_calls: Door::new(PORTAL_CALLS_MAX, PORTAL_CALLS_PER_ADDRESS_MAX),
            is_draining: watch::Sender::new(false),
            is_enabled: AtomicBool::new(true),
            public_address: Mutex::new(public_address),
            elsewhere: Elsewhere::default(),
        })
    }

    /// Whether the gateway is ready for anyone.
    pub(crate) fn readiness(&self) -> Result<(), Obstacle> {
        self.takes_connections()?;
        if self.brokers.is_any_linked() { Ok(()) } else { Err(Obstacle::NoBroker) }
    }

    /// Whether someone with a ticket may come in. A broker is not needed for that.
    pub(crate) fn takes_connections(&self) -> Result<(), Obstacle> {
        if *self.is_draining.borrow() {
            Err(Obstacle::Draining)
        } else if !self.is_enabled.load(Ordering::Relaxed) {
            Err(Obstacle::Disabled)
        } else {
            Ok(())
        }
    }

    /// From now on nobody comes in.
    pub(crate) fn drain(&self) {
        self.is_draining.send_replace(true);
    }

    /// Tells when draining begins.
    pub(crate) fn draining(&self) -> watch::Receiver<bool> {
        self.is_draining.subscribe()
    }

    /// Returns when draining has begun.
    pub(crate) async fn drain_begins(&self) {
        // The sender is ours, so waiting cannot fail.
        let _ = self.draining().wait_for(|is_draining| *is_draining).await;
    }

    /// What an administrator has set.
    pub(crate) fn set_enabled(&self, is_enabled: bool) {
        if self.is_enabled.swap(is_enabled, Ordering::Relaxed) != is_enabled {
            tracing::info!(is_enabled, "an administrator switched this gateway");
        }
    }

    pub(crate) fn public_address(&self) -> Option<String> {
        self.public_address.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// What an administrator has set; empty leaves what there is.
    pub(crate) fn set_public_address(&self, address: String) {
        if !address.is_empty() {
            *self.public_address.lock().unwrap_or_else(PoisonError::into_inner) = Some(address);
        }
    }
}
