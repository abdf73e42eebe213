//! Looks once a second what has become different of sessions, hosts and load, and tells all listeners.
//! Once for all of them, and only while there are any.

use std::{
    collections::{HashMap, HashSet},
    hash::{DefaultHasher, Hash, Hasher},
    sync::{Arc, Mutex},
    time::Duration,
};

use oriel_model::{Id, Kind, host::Host, permission::Action, site::Site, user::User};
use oriel_store::SignIn;
use serde_json::{Value, json};
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore, broadcast},
    time::{MissedTickBehavior, interval},
};

use super::Topic;
use crate::{
    Broker,
    app::{
        administrators::{Caller, Rights, own_session},
        objects::View,
    },
    hosts::lock,
    http::admin::sessions::Shown,
};

/// How often is looked: what people can follow with their eyes.
const PERIOD: Duration = Duration::from_secs(1);
/// Events kept for a listener that is slow; behind that it is told to load anew.
const BEHIND_MAX: usize = 4_096;
/// Listeners at most: each holds a connection and its events.
const LISTENERS_MAX: usize = 200;

/// An event for all listeners of its topic.
#[derive(Debug, Clone)]
pub struct Live {
    /// Of this topic.
    pub topic: Topic,
    /// What it is about: who may not see that is not told.
    pub subject: Subject,
    /// `{"id": …, "now": …}`
    pub json: Arc<str>,
}

/// What an event is about, as far as permissions look at it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Subject {
    /// A session of this user on this host.
    Session(Id<Host>, Option<Id<User>>),
    /// A host, and its site.
    Host(Id<Host>, Option<Id<Site>>),
    /// A message to whoever is signed in so: for nobody else.
    Message(Id<SignIn>),
    /// An object, and its site.
    Object(Kind, Id<Value>, Option<Id<Site>>),
}

impl Subject {
    /// Whether somebody may see it.
    pub fn is_seen(self, broker: &Broker, caller: &Caller, rights: &Rights) -> bool {
        match self {
            Subject::Message(reader) => own_session(caller) == Some(reader),
            Subject::Object(kind, id, site) => rights.sees_any(kind, id, site),
            Subject::Session(host, user) => {
                rights.on_session_of(&broker.farm.load(), Action::View, host, user)
            }
            Subject::Host(host, site) => rights.sees_any(Kind::Host, host.cast(), site),
        }
    }
}

/// Tells all listeners what has become different.
#[derive(Debug)]
pub struct Hub {
    /// None while nobody listens.
    events: Mutex<Option<broadcast::Sender<Live>>>,
    seats: Arc<Semaphore>,
}

/// The objects that were seen, each with a digest of what counts.
type Seen = HashMap<(Topic, String), (u64, Subject)>;

/// Fields that run by themselves: alone they make no event.
const RUNNING: [&str; 10] = [
    "idle_secs",
    "last_report",
    "uptime_secs",
    "cpu_load",
    "memory_total_bytes",
    "memory_available_bytes",
    "kbits_to_client",
    "kbits_to_host",
    "bytes_to_client",
    "bytes_to_host",
];
/// Fields of which it counts whether they double or halve: else five thousand networks would never be quiet.
const ROUGH: [&str; 1] = ["round_trip_ms"];

impl Default for Hub {
    fn default() -> Self {
        Self { events: Mutex::default(), seats: Arc::new(Semaphore::new(LISTENERS_MAX)) }
    }
}

impl Hub {
    /// A place for one more listener, while there is one.
    pub fn seat(&self) -> Option<OwnedSemaphorePermit> {
        self.seats.clone().try_acquire_owned().ok()
    }

    /// Everything that becomes different from now on.
    pub fn listen(self: &Arc<Self>, broker: &Arc<Broker>) -> broadcast::Receiver<Live> {
        let mut events = lock(&self.events);
        if let Some(events) = &*events {
            return events.subscribe();
        }
        let (sender, receiver) = broadcast::channel(BEHIND_MAX);
        let mut seen = Seen::new();
        look(broker, &mut seen);
        tokio::spawn(self.clone().watch(broker.clone(), seen));
        *events = Some(sender);
        receiver
    }

    async fn watch(self: Arc<Self>, broker: Arc<Broker>, mut seen: Seen) {
        let mut ticks = interval(PERIOD);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                () = broker.ending.cancelled() => return,
                _ = ticks.tick() => {}
            }
            let different = look(&broker, &mut seen);
            let mut events = lock(&self.events);
            // Nobody can come in between: who listens takes the same lock.
            let Some(sender) = events.as_ref().filter(|sender| sender.receiver_count() > 0) else {
                *events = None;
                return;
            };
            for event in different {
                // Without a receiver there is nobody to miss it.
                let _ = sender.send(event);
            }
        }
    }
}

/// What has become different since the last look.
fn look(broker: &Broker, seen: &mut Seen) -> Vec<Live> {
    let mut different = Vec::new();
    let mut here = HashSet::with_capacity(seen.len());
    for (topic, id, subject, now) in everything(broker) {
        let digest = digest(topic, &now);
        let key = (topic, id);
        if seen.insert(key.clone(), (digest, subject)).is_none_or(|(before, _)| before != digest) {
            different.push(live(topic, &key.1, subject, now));
        }
        here.insert(key);
    }
    seen.retain(|key, (_, subject)| {
        let is_here = here.contains(key);
        if !is_here {
            different.push(live(key.0, &key.1, *subject, Value::Null));
        }
        is_here
    });
    different
}

fn live(topic: Topic, id: &str, subject: Subject, now: Value) -> Live {
    Live { topic, subject, json: json!({"id": id, "now": now}).to_string().into() }
}

/// Every object of every topic, as it is shown.
fn everything(broker: &Broker) -> Vec<(Topic, String, Subject, Value)> {
    let (farm, shown) = (broker.farm.load(), Shown::new(broker));
    let mut found = Vec::new();
    for session in broker.hosts.sessions() {
        let subject = Subject::Session(session.host, session.user);
        found.push((Topic::Sessions, session.id.to_string(), subject, value(&shown.view(session))));
    }
    for object in farm.hosts.iter() {
        let host = View::<Host>::of(broker, &farm, object);
        let (id, facts) = (object.id.to_string(), &host.beside);
        let load = json!({
            "id": object.id,
            "name": object.name,
            "reachable": facts.state.reachable,
            "cpu_load": facts.state.cpu_load,
            "memory_total_bytes": facts.state.memory_total_bytes,
            "memory_available_bytes": facts.state.memory_available_bytes,
            "sessions": facts.state.sessions,
            "max_sessions": facts.effective.max_sessions,
            "severity": facts.severity,
        });
        let subject = Subject::Host(object.id, object.site);
        found.push((Topic::Load, id.clone(), subject, load));
        found.push((Topic::Hosts, id, subject, value(&host)));
    }
    for (reader, message) in broker.messages.all() {
        found.push((Topic::Messages, message.id.to_string(), Subject::Message(reader), value(&message)));
    }
    for editing in broker.edited() {
        let (kind, id) = (editing.kind, editing.id);
        let subject = Subject::Object(kind, id, farm.site_of_object(kind, id));
        found.push((Topic::Editing, id.to_string(), subject, value(&editing)));
    }
    found
}

fn value<T: serde::Serialize>(shown: &T) -> Value {
    serde_json::to_value(shown).expect("what is shown is plain JSON")
}

/// A digest of what counts: of load everything, else all but what runs by itself.
fn digest(topic: Topic, now: &Value) -> u64 {
    let mut hasher = DefaultHasher::new();
    if topic == Topic::Load {
        now.hash(&mut hasher);
    } else {
        hash_what_counts(now, &mut hasher);
    }
    hasher.finish()
}

fn hash_what_counts(value: &Value, hasher: &mut DefaultHasher) {
    let Value::Object(fields) = value else {
        value.hash(hasher);
        return;
    };
    for (name, value) in fields.iter().filter(|(name, _)| !RUNNING.contains(&name.as_str())) {
        name.hash(hasher);
        match value.as_f64() {
            Some(number) if ROUGH.contains(&name.as_str()) => (number.max(1.0).log2() as u32).hash(hasher),
            _ => hash_what_counts(value, hasher),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn traffic_makes_no_event_and_a_round_trip_only_when_it_doubles_or_halves() {
        let shown = |round_trip: Value, kbits: u64, total: u64| {
            let connection = json!({"id": "c", "round_trip_ms": round_trip, "kbits_to_client": kbits, "bytes_to_client": kbits});
            digest(Topic::Sessions, &json!({"connection": connection, "logon": {"total_ms": total}}))
        };
        let before = shown(json!(40.2), 0, 900);
        assert_eq!(shown(json!(40.2), 9_999, 900), before);
        assert_eq!(shown(json!(33.0), 0, 900), before);
        assert_eq!(shown(json!(63.9), 0, 900), before);
        for other in
            [shown(json!(64.1), 0, 900), shown(json!(Value::Null), 0, 900), shown(json!(40.2), 0, 901)]
        {
            assert_ne!(other, before);
        }
        assert_eq!(shown(json!(0.1), 0, 900), shown(json!(1.9), 0, 900), "below a millisecond nobody counts");
    }
}
