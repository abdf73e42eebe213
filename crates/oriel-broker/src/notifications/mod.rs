//! Notifications: looks every few seconds how the farm is, lets [`oriel_rules::notification::plan`] say who is
//! to be told, and sends it by mail, webhook and script. What was told and what still has to be sent is in the
//! store, so that a broker that comes after neither repeats nor forgets it; a crash between sending and
//! writing that down sends one message twice.
//!
//! Deliberately absent: decisions (`oriel-rules`), and the change log, which is `events`.

mod deliver;
mod mail;
mod message;
mod outbox;
mod readings;
mod script;
mod tally;
mod trust;
mod webhook;

use std::{sync::Arc, time::Duration};

use oriel_model::{Id, Kind, Timestamp, notification::Notification};
use oriel_net::supervise::ShutdownSignal;
use oriel_rules::notification::{self, Handler, Memory};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tokio::sync::Notify;

pub use deliver::{Tried, Way, WebhookSecret, make_webhook_secret, test};
pub use mail::{MailError, PasswordState, password_state, set_password, test as test_mailbox};
use message::Message;
use outbox::Outbox;
pub(crate) use tally::Tally;

use crate::{Broker, farm::FarmView, notes::Notes};

/// How often it looks how the farm is, and what is to be sent again, without being nudged.
const INTERVAL: Duration = Duration::from_secs(5);

/// What the broker knows of notifications.
#[derive(Debug)]
pub struct Notifications {
    notes: Notes<Kept>,
    /// What happened lately and is counted.
    pub(crate) tally: Tally,
    /// One look at a time, and one delivery.
    looking: tokio::sync::Mutex<()>,
    delivering: tokio::sync::Mutex<()>,
    /// Nudged when there is something to send.
    to_send: Notify,
}

impl Default for Notifications {
    fn default() -> Self {
        Self {
            notes: Notes::of("notifications"),
            tally: Tally::default(),
            looking: Default::default(),
            delivering: Default::default(),
            to_send: Notify::default(),
        }
    }
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
struct Kept {
    memory: Memory,
    outbox: Outbox,
}

/// What is known of a notification now.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct NotificationState {
    /// When it last said something.
    pub last_sent: Option<Timestamp>,
    /// For how many hosts, gateways and others what it watches is so now, told or not.
    pub lasting: usize,
    /// How many of its messages wait to be sent, or to be sent again.
    pub waiting: usize,
    /// What went wrong with the latest message; none: it went out.
    pub failure: Option<NotificationFailure>,
}

/// A message that could not be sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct NotificationFailure {
    /// When.
    pub at: Timestamp,
    /// Which way.
    pub way: Way,
    /// Why, as a sentence.
    pub why: String,
}

/// Looks how the farm is until the signal.
pub async fn watch(broker: Arc<Broker>, signal: ShutdownSignal) {
    let mut changes = broker.farm.changes(&[Kind::Notification]);
    loop {
        look(&broker).await;
        tokio::select! {
            () = signal.given() => return,
            () = changes.next() => {}
            () = tokio::time::sleep(INTERVAL) => {}
        }
    }
}

/// Sends what is to be sent until the signal. Apart from looking: a mail server that does not answer keeps
/// nobody from noticing.
pub async fn send(broker: Arc<Broker>, signal: ShutdownSignal) {
    loop {
        tokio::select! {
            () = signal.given() => return,
            () = deliver::round(&broker) => {}
        }
        tokio::select! {
            () = signal.given() => return,
            () = broker.notifications.to_send.notified() => {}
            () = tokio::time::sleep(INTERVAL) => {}
        }
    }
}

/// Looks once, and puts what is to be told into the outbox.
pub(crate) async fn look(broker: &Broker) {
    let duty = &broker.notifications;
    let _turn = duty.looking.lock().await;
    if !duty.notes.are_ready(&*broker.store).await {
        return;
    }
    let view = broker.farm.load();
    let handlers: Vec<_> = handlers(&view).collect();
    let readings = readings::taken(broker, &view, &handlers).await;
    let now = broker.now();
    let mut is_new = false;
    duty.notes.change_if(|kept| {
        let before = std::mem::take(&mut kept.memory);
        let (tellings, after) = notification::plan(&handlers, &readings, before.clone(), now);
        let has_changed = before != after;
        kept.memory = after;
        for telling in &tellings {
            let Some(object) = view.notifications.get(telling.notification) else { continue };
            let message = Message::of(&view, broker.farm_id, object, telling, now);
            kept.outbox.post(object, &message, now);
        }
        is_new = !tellings.is_empty();
        let is_known = |id| view.notifications.get(id).is_some_and(|object| object.spec.enabled);
        kept.outbox.retain(is_known) || has_changed
    });
    duty.notes.write(&*broker.store).await;
    if is_new {
        duty.to_send.notify_one();
    }
}

fn handlers(view: &FarmView) -> impl Iterator<Item = Handler<'_>> {
    let enabled = view.notifications.iter().filter(|object| object.spec.enabled);
    enabled.map(|object| Handler { id: object.id, site: object.site, spec: &object.spec })
}

impl Notifications {
    /// What is known of a notification.
    pub fn state(&self, id: Id<Notification>) -> NotificationState {
        self.notes.read(|kept| NotificationState {
            last_sent: kept.memory.last_sent(id),
            lasting: kept.memory.lasting(id),
            waiting: kept.outbox.waiting(id),
            failure: kept.outbox.failure(id).cloned(),
        })
    }

    /// Whether a message that somebody asked for may go out now.
    fn take_turn(&self, now: Timestamp) -> bool {
        self.notes.change(|kept| kept.memory.take_turn(now))
    }
}

#[cfg(test)]
pub(crate) use deliver::round as deliver_once;
