//! One listener's stream.

use std::{collections::BTreeSet, convert::Infallible, future::pending, sync::Arc, time::Duration};

use axum::response::sse::Event;
use oriel_model::Kind;
use oriel_store::{Change, ChangeQuery};
use serde_json::json;
use tokio::{
    sync::{OwnedSemaphorePermit, broadcast, mpsc},
    time::{Instant, interval_at},
};
use tokio_stream::wrappers::ReceiverStream;

use super::{
    Topic,
    hub::{Hub, Live},
};
use crate::{
    Broker,
    app::administrators::{Caller, Rights},
    http::admin::changes::without_digests,
};

/// Events on their way to one listener; more wait until it reads.
const QUEUE: usize = 64;
/// How often a comment is sent, so that a connection that is gone is noticed: proxies give up after 30
/// seconds and more.
pub const HEARTBEAT: Duration = Duration::from_secs(15);
/// Changes read from the log at a time.
const CHANGES: usize = 100;

/// Somebody who listens.
pub struct Listener {
    pub broker: Arc<Broker>,
    pub hub: Arc<Hub>,
    /// What permits it; looked at again whenever settings change.
    pub caller: Caller,
    pub topics: BTreeSet<Topic>,
    /// The last change that the listener knows.
    pub after: Option<u64>,
    /// How often a comment is sent: [`HEARTBEAT`].
    pub heartbeat: Duration,
    pub _seat: OwnedSemaphorePermit,
}

/// The listener has gone, or may listen no more.
struct Over;

type Sender = mpsc::Sender<Result<Event, Infallible>>;

/// Opens a listener's stream.
pub fn open(listener: Listener) -> ReceiverStream<Result<Event, Infallible>> {
    let (sender, receiver) = mpsc::channel(QUEUE);
    tokio::spawn(async move {
        // Over is over: the stream ends with the sender.
        let _ = listener.run(sender).await;
    });
    ReceiverStream::new(receiver)
}

impl Listener {
    async fn run(self, sender: Sender) -> Result<(), Over> {
        let mut changes = self.broker.farm.changes(Kind::ALL);
        let newest = changes.seen();
        let is_live = self.topics.iter().any(|topic| !topic.is_of_log());
        let mut live = is_live.then(|| self.hub.listen(&self.broker));
        let ready = json!({"topics": self.topics.iter().map(|topic| topic.as_str()).collect::<Vec<_>>()});
        send(
            &sender,
            event("ready", &ready.to_string()).id(self.after.unwrap_or(newest).min(newest).to_string()),
        )
        .await?;
        // An id that is not there yet belongs to another store, or to one from before a restore.
        if self.after.is_some_and(|after| after > newest) {
            send(&sender, event("reset", "{}")).await?;
        }
        let mut told = self.after.unwrap_or(newest).min(newest);
        let mut heartbeat = interval_at(Instant::now() + self.heartbeat, self.heartbeat);
        loop {
            let rights = self.rights().ok_or(Over)?;
            if self.topics.iter().any(|topic| topic.is_of_log()) {
                told = self.tell_changes(&sender, &rights, told).await?;
            }
            tokio::select! {
                () = sender.closed() => return Err(Over),
                () = self.broker.ending.cancelled() => return Err(Over),
                () = changes.next() => {}
                live = next(&mut live) => self.tell(&sender, &rights, live).await?,
                _ = heartbeat.tick() => send(&sender, Event::default().comment("")).await?,
            }
        }
    }

    /// What the listener may do now; none: their token or sign-in counts no more, or opens not all topics.
    fn rights(&self) -> Option<Rights> {
        let rights = self.broker.rights_now(&self.caller)?;
        self.topics.iter().all(|topic| topic.is_open_to(&rights)).then_some(rights)
    }

    /// Sends the changes after `told`; gives the last.
    async fn tell_changes(&self, sender: &Sender, rights: &Rights, mut told: u64) -> Result<u64, Over> {
        loop {
            let query = ChangeQuery::after(told).limit(CHANGES);
            let Ok(changes) = self.broker.store.changes(query).await else {
                // The store does not answer: the next change or heartbeat asks again.
                return Ok(told);
            };
            let is_last = changes.len() < CHANGES;
            for mut change in changes {
                told = change.sequence;
                if !rights.sees_change(&change) {
                    continue;
                }
                if self.topics.contains(&Topic::Objects) {
                    let Change { kind, id, action, revision, .. } = &change;
                    let json = json!({"kind": kind, "id": id, "action": action, "revision": revision});
                    let object = event(Topic::Objects.as_str(), &json.to_string());
                    send(sender, object.id(told.to_string())).await?;
                }
                if self.topics.contains(&Topic::Settings) {
                    without_digests(&mut change);
                    let json = serde_json::to_string(&change).expect("a change is plain JSON");
                    send(sender, event(Topic::Settings.as_str(), &json).id(told.to_string())).await?;
                }
            }
            if is_last {
                return Ok(told);
            }
        }
    }

    async fn tell(
        &self,
        sender: &Sender,
        rights: &Rights,
        live: Result<Live, broadcast::error::RecvError>,
    ) -> Result<(), Over> {
        match live {
            Ok(live)
                if self.topics.contains(&live.topic)
                    && live.subject.is_seen(&self.broker, &self.caller, rights) =>
            {
                send(sender, event(live.topic.as_str(), &live.json)).await
            }
            Ok(_) => Ok(()),
            Err(broadcast::error::RecvError::Lagged(_)) => send(sender, event("reset", "{}")).await,
            Err(broadcast::error::RecvError::Closed) => Err(Over),
        }
    }
}

async fn next(live: &mut Option<broadcast::Receiver<Live>>) -> Result<Live, broadcast::error::RecvError> {
    match live {
        Some(live) => live.recv().await,
        None => pending().await,
    }
}

async fn send(sender: &Sender, event: Event) -> Result<(), Over> {
    sender.send(Ok(event)).await.map_err(|_| Over)
}

fn event(name: &str, json: &str) -> Event {
    Event::default().event(name).data(json)
}
