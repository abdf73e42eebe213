//! The brokers of the farm and the one pooled connection to each, which carries the link and the
//! portal's calls.

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicUsize, Ordering},
};

use oriel_net::connect;
use rustls::ClientConfig;
use tonic::transport::Channel;

/// One broker.
pub(crate) struct Broker {
    /// Its place in the list, which names it in this process.
    pub(crate) index: usize,
    /// Its gateway port, `host:port`.
    pub(crate) address: String,
    /// Connects by itself when it is used.
    pub(crate) channel: Channel,
    is_linked: AtomicBool,
}

/// All brokers that this gateway knows.
pub(crate) struct Brokers {
    all: Vec<Arc<Broker>>,
    /// The one that answered a portal call last.
    preferred: AtomicUsize,
}

impl Brokers {
    /// Nothing is connected yet. Must be called within a tokio runtime.
    pub(crate) fn new(addresses: &[String], tls: &Arc<ClientConfig>) -> Self {
        let all = addresses.iter().enumerate().map(|(index, address)| {
            Arc::new(Broker {
                index,
                address: address.clone(),
                channel: connect::channel(vec![address.clone()], tls.clone()),
                is_linked: AtomicBool::new(false),
            })
        });
        Self { all: all.collect(), preferred: AtomicUsize::new(0) }
    }

    pub(crate) fn all(&self) -> &[Arc<Broker>] {
        &self.all
    }

    /// Those to ask, best first: linked before not linked, and among equals the one that answered
    /// last.
    pub(crate) fn in_order(&self) -> Vec<&Broker> {
        let preferred = self.preferred.load(Ordering::Relaxed);
        let mut order: Vec<&Broker> = self.all.iter().map(Arc::as_ref).collect();
        order.sort_by_key(|broker| (!broker.is_linked(), broker.index != preferred));
        order
    }

    /// Asks this one first from now on.
    pub(crate) fn prefer(&self, broker: &Broker) {
        self.preferred.store(broker.index, Ordering::Relaxed);
    }

    pub(crate) fn is_any_linked(&self) -> bool {
        self.all.iter().any(|broker| broker.is_linked())
    }
}

impl Broker {
    /// Whether its link stands.
    pub(crate) fn is_linked(&self) -> bool {
        self.is_linked.load(Ordering::Relaxed)
    }

    /// Says whether the link stands now and returns whether it did before.
    pub(crate) fn set_linked(&self, is_linked: bool) -> bool {
        self.is_linked.swap(is_linked, Ordering::Relaxed)
    }
}
