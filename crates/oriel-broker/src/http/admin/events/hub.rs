//! Looks once a second what has become different of sessions, hosts and load, and tells all listeners.
//! Once for all of them, and only while there are any.

use std::{
    collections::HashMap,
    hash::{DefaultHasher, Hash, Hasher},
    mem,
    sync::{Arc, Mutex},
    time::Duration,
};

use oriel_model::{Id, Kind, host::Host, permission::Action, site::Site, user::User};
use oriel_rules::thresholds::HostSeverity;
use oriel_store::SignIn;
use serde::Serialize;
use serde_json::Value;
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore, broadcast},
    time::{MissedTickBehavior, interval},
};
use uuid::Uuid;

use super::Topic;
use crate::{
    Broker,
    app::{
        administrators::{Caller, Editing, Message, Rights, own_session},
        objects::View,
    },
    hosts::lock,
    http::admin::sessions::{ConnectionView, SessionView, Shown},
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

/// The objects that were seen at the last look.
#[derive(Debug, Default)]
struct Seen {
    objects: HashMap<(Topic, Uuid), SeenObject>,
    /// The number of the last look.
    round: u64,
    /// An object as it is written, kept for the next.
    written: Vec<u8>,
}

/// An object that was seen.
#[derive(Debug, Clone, Copy)]
struct SeenObject {
    /// Of what counts.
    digest: u64,
    subject: Subject,
    /// When it was last seen.
    round: u64,
}

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
        let mut seen = Seen::default();
        seen.look(broker);
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
            // In a large farm this takes longer than other callers should wait for.
            let (eyes, before) = (broker.clone(), seen);
            let look = tokio::task::spawn_blocking(move || {
                let mut seen = before;
                let different = seen.look(&eyes);
                (seen, different)
            });
            let different;
            (seen, different) = match look.await {
                Ok(looked) => looked,
                // The runtime ends, or a look went wrong: listeners come again.
                Err(_) => return *lock(&self.events) = None,
            };
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

impl Seen {
    /// What has become different since the last look.
    fn look(&mut self, broker: &Broker) -> Vec<Live> {
        let (farm, shown) = (broker.farm.load(), Shown::new(broker));
        let mut different = Vec::new();
        self.round += 1;
        for session in broker.hosts.reported_sessions().iter().flat_map(|of_host| of_host.iter()) {
            let subject = Subject::Session(session.host, session.user);
            let now = shown.view(session);
            different.extend(self.note((Topic::Sessions, session.id.uuid()), subject, now));
        }
        for object in farm.hosts.iter() {
            let (id, subject) = (object.id.uuid(), Subject::Host(object.id, object.site));
            let host = View::<Host>::of(broker, &farm, object);
            different.extend(self.note((Topic::Load, id), subject, LoadNow::of(&host)));
            different.extend(self.note((Topic::Hosts, id), subject, host));
        }
        for (reader, message) in broker.messages.all() {
            let (key, subject) = ((Topic::Messages, message.id.uuid()), Subject::Message(reader));
            different.extend(self.note(key, subject, message));
        }
        for editing in broker.edited() {
            let (kind, id) = (editing.kind, editing.id);
            let subject = Subject::Object(kind, id, farm.site_of_object(kind, id));
            different.extend(self.note((Topic::Editing, id.uuid()), subject, editing));
        }
        let round = self.round;
        self.objects.retain(|(topic, id), object| {
            let is_here = object.round == round;
            if !is_here {
                different.push(live(*topic, *id, object.subject, &()));
            }
            is_here
        });
        different
    }

    /// Takes in an object as it is now; an event if it is new, or what counts of it is not as it was.
    fn note<T: Watched>(&mut self, (topic, id): (Topic, Uuid), subject: Subject, mut now: T) -> Option<Live> {
        let digest = now.digest(&mut self.written);
        let before = self.objects.insert((topic, id), SeenObject { digest, subject, round: self.round });
        let is_as_before = before.is_some_and(|before| before.digest == digest);
        (!is_as_before).then(|| live(topic, id, subject, &now))
    }
}

/// Something that is watched.
trait Watched: Serialize + Sized {
    /// A digest of what counts: all but what runs by itself, which alone makes no event. `written` is for
    /// writing it down.
    fn digest(&mut self, written: &mut Vec<u8>) -> u64 {
        digest(self, written)
    }
}

impl Watched for LoadNow {}
impl Watched for Message {}
impl Watched for Editing {}

impl Watched for SessionView<'_> {
    fn digest(&mut self, written: &mut Vec<u8>) -> u64 {
        let running = mem::take(&mut self.idle_secs);
        let quiet = self.connection.as_ref().map(without_traffic);
        let connection = mem::replace(&mut self.connection, quiet);
        let digest = digest(self, written);
        (self.idle_secs, self.connection) = (running, connection);
        digest
    }
}

/// Of a round trip it counts whether it doubles or halves: else five thousand networks would never be quiet.
fn without_traffic(connection: &ConnectionView) -> ConnectionView {
    ConnectionView {
        round_trip_ms: connection.round_trip_ms.map(|ms| ms.max(1.0).log2().floor()),
        kbits_to_client: 0,
        kbits_to_host: 0,
        bytes_to_client: 0,
        bytes_to_host: 0,
        ..*connection
    }
}

impl Watched for View<Host> {
    fn digest(&mut self, written: &mut Vec<u8>) -> u64 {
        let state = &mut self.beside.state;
        let (last_report, uptime_secs) = (state.last_report.take(), state.uptime_secs.take());
        let load =
            (state.cpu_load.take(), state.memory_total_bytes.take(), state.memory_available_bytes.take());
        let disk = state.disk_available_bytes.take();
        let digest = digest(self, written);
        let state = &mut self.beside.state;
        state.disk_available_bytes = disk;
        (state.last_report, state.uptime_secs) = (last_report, uptime_secs);
        (state.cpu_load, state.memory_total_bytes, state.memory_available_bytes) = load;
        digest
    }
}

fn digest<T: Serialize>(shown: &T, written: &mut Vec<u8>) -> u64 {
    written.clear();
    serde_json::to_writer(&mut *written, shown).expect("what is shown is plain JSON");
    let mut hasher = DefaultHasher::new();
    written.hash(&mut hasher);
    hasher.finish()
}

/// The load of a host.
#[derive(Debug, Serialize)]
struct LoadNow {
    id: Id<Host>,
    name: String,
    reachable: bool,
    cpu_load: Option<f32>,
    memory_total_bytes: Option<u64>,
    memory_available_bytes: Option<u64>,
    sessions: u32,
    max_sessions: u32,
    severity: HostSeverity,
}

impl LoadNow {
    fn of(host: &View<Host>) -> Self {
        let (state, effective) = (&host.beside.state, &host.beside.effective);
        Self {
            id: host.object.id,
            name: host.object.name.clone(),
            reachable: state.reachable,
            cpu_load: state.cpu_load,
            memory_total_bytes: state.memory_total_bytes,
            memory_available_bytes: state.memory_available_bytes,
            sessions: state.sessions,
            max_sessions: effective.max_sessions,
            severity: host.beside.severity,
        }
    }
}

/// An event: what something is now, or `()` when it is gone.
fn live<T: Serialize>(topic: Topic, id: Uuid, subject: Subject, now: &T) -> Live {
    #[derive(Serialize)]
    struct Event<'a, T> {
        id: Uuid,
        now: &'a T,
    }
    let json = serde_json::to_string(&Event { id, now }).expect("what is shown is plain JSON");
    Live { topic, subject, json: json.into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn traffic_makes_no_event_and_a_round_trip_only_when_it_doubles_or_halves() {
        let id = Id::generate(jiff::Timestamp::UNIX_EPOCH);
        let seen = |round_trip_ms: Option<f64>, traffic: u64| {
            let connection = ConnectionView {
                id,
                opened_at: jiff::Timestamp::UNIX_EPOCH,
                round_trip_ms,
                kbits_to_client: traffic,
                kbits_to_host: traffic,
                bytes_to_client: traffic,
                bytes_to_host: traffic,
            };
            digest(&without_traffic(&connection), &mut Vec::new())
        };
        let before = seen(Some(40.2), 0);
        assert_eq!(seen(Some(40.2), 9_999), before);
        assert_eq!(seen(Some(33.0), 0), before);
        assert_eq!(seen(Some(63.9), 0), before);
        assert_ne!(seen(Some(64.1), 0), before);
        assert_ne!(seen(None, 0), before);
        assert_eq!(seen(Some(0.1), 0), seen(Some(1.9), 0), "below a millisecond nobody counts");
    }
}
