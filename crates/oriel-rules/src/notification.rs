//! Who is told of what, and when. What is watched is read elsewhere, as [`Reading`]s; what was told before is
//! the [`Memory`] that goes in and comes out. However much happens, the messages are few: those of one
//! notification are an interval apart and name all that has come together, and all notifications together
//! send at most [`MESSAGES_MAX`] in any [`WINDOW`]. What has to wait is told later, if it is still so.

use std::collections::{BTreeMap, HashMap, HashSet};

use jiff::SignedDuration;
use oriel_model::{
    Id, Timestamp,
    gateway::Gateway,
    host::Host,
    notification::{CrossedLine, Direction, Notification, NotificationTarget, Watched},
    pool::Pool,
    resource::Resource,
    schedule::Schedule,
    site::Site,
};
use serde::{Deserialize, Serialize};

/// The time in which there are at most [`MESSAGES_MAX`] messages.
pub const WINDOW: SignedDuration = SignedDuration::from_mins(10);
/// Messages of all notifications together in a [`WINDOW`]: as many as somebody on duty may still read.
pub const MESSAGES_MAX: usize = 20;
/// How often a message is sent before it is given up: with the pauses of [`again_after`], some four hours.
pub const ATTEMPTS_MAX: u32 = 12;
/// The longest pause between two attempts.
const PAUSE_MAX: SignedDuration = SignedDuration::from_mins(30);

/// What something is read of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Subject {
    /// The farm as a whole.
    Farm,
    /// A host.
    Host(Id<Host>),
    /// A gateway.
    Gateway(Id<Gateway>),
    /// A published resource.
    Resource(Id<Resource>),
    /// A schedule.
    Schedule(Id<Schedule>),
    /// The certificate of the farm's authority.
    AuthorityCertificate,
    /// The certificate of the broker.
    BrokerCertificate,
    /// The certificate that a gateway shows.
    GatewayCertificate(Id<Gateway>),
    /// The farm's certificate for a gateway.
    GatewayNode(Id<Gateway>),
    /// The farm's certificate for a host's agent.
    HostNode(Id<Host>),
}

/// What was read.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Value {
    /// Nothing can be said: whoever would say it is away. What was so stays so.
    Unknown,
    /// It is so, or not.
    Is(bool),
    /// A number, and the most that it may be where there is a limit.
    Number {
        /// How much.
        count: f64,
        /// The limit.
        of: Option<f64>,
    },
}

/// Something that was read.
#[derive(Debug, Clone, PartialEq)]
pub struct Reading {
    /// Of what.
    pub subject: Subject,
    /// The site that it belongs to.
    pub site: Option<Id<Site>>,
    /// The pool that it belongs to.
    pub pool: Option<Id<Pool>>,
    /// What it is called.
    pub name: String,
    /// How it is.
    pub value: Value,
    /// What else is known, as a sentence; may be empty.
    pub detail: String,
}

/// A notification that is enabled.
#[derive(Debug, Clone, Copy)]
pub struct Handler<'a> {
    /// Which.
    pub id: Id<Notification>,
    /// The site that it belongs to.
    pub site: Option<Id<Site>>,
    /// What is set.
    pub spec: &'a Notification,
}

/// What was told, as it is kept.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Memory {
    handlers: BTreeMap<Id<Notification>, Remembered>,
    /// When messages were sent within the last [`WINDOW`].
    sent: Vec<Timestamp>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Remembered {
    event: Watched,
    threshold: Option<CrossedLine>,
    last_sent: Option<Timestamp>,
    lasting: Vec<Lasting>,
    /// What was told, is well again, and has not been told to be.
    #[serde(default)]
    recovered: Vec<Lasting>,
}

#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
struct Lasting {
    subject: Subject,
    since: Timestamp,
    told: Option<Timestamp>,
}

/// A message that is due.
#[derive(Debug, Clone, PartialEq)]
pub struct Telling {
    /// Whose.
    pub notification: Id<Notification>,
    /// What is so, longest first; then what is so no more.
    pub happenings: Vec<Happening>,
}

/// Something that is so, or is so no more.
#[derive(Debug, Clone, PartialEq)]
pub struct Happening {
    /// What was read.
    pub reading: Reading,
    /// Since when it is or was so.
    pub since: Timestamp,
    /// Whether it is well again.
    pub recovered: bool,
}

impl Memory {
    /// When a notification last sent a message.
    pub fn last_sent(&self, id: Id<Notification>) -> Option<Timestamp> {
        self.handlers.get(&id)?.last_sent
    }

    /// For how many subjects a notification's event is so now, told or not.
    pub fn lasting(&self, id: Id<Notification>) -> usize {
        self.handlers.get(&id).map_or(0, |handler| handler.lasting.len())
    }

    /// Whether one more message may go out now; if so, it counts.
    pub fn take_turn(&mut self, now: Timestamp) -> bool {
        self.sent.retain(|at| *at <= now && now.duration_since(*at) < WINDOW);
        let has_room = self.sent.len() < MESSAGES_MAX;
        if has_room {
            self.sent.push(now);
        }
        has_room
    }
}

/// What is to be told now, and what is remembered of it. `readings` are by what they are about; of what is
/// not among them nothing is remembered.
pub fn plan(
    handlers: &[Handler<'_>],
    readings: &HashMap<Watched, Vec<Reading>>,
    memory: Memory,
    now: Timestamp,
) -> (Vec<Telling>, Memory) {
    let mut memory = memory;
    let mut before = std::mem::take(&mut memory.handlers);
    // Whoever waited longest is first: no notification keeps others from their turn.
    let mut order: Vec<_> = handlers.iter().collect();
    order.sort_by_key(|handler| (before.get(&handler.id).and_then(|known| known.last_sent), handler.id));
    let mut tellings = Vec::new();
    for handler in order {
        let known = before.remove(&handler.id).map(|known| known.at(handler.spec, now));
        let mut known = known.unwrap_or_else(|| Remembered::new(handler.spec));
        let of_event = readings.get(&handler.spec.event).map_or(&[][..], Vec::as_slice);
        let watched: Vec<_> = of_event.iter().filter(|reading| watches(handler, reading)).collect();
        known.look(handler.spec, &watched, now);
        let due = known.due(handler.spec, &watched, now);
        if !due.is_empty() && memory.take_turn(now) {
            known.tell(&due, now);
            tellings.push(Telling { notification: handler.id, happenings: due });
        }
        memory.handlers.insert(handler.id, known);
    }
    (tellings, memory)
}

/// How long after an attempt that failed the next one is; none after the last. `attempts` have been made.
pub fn again_after(attempts: u32) -> Option<SignedDuration> {
    (attempts < ATTEMPTS_MAX).then(|| {
        let minutes = 1_i64 << attempts.saturating_sub(1).min(10);
        SignedDuration::from_mins(minutes).min(PAUSE_MAX)
    })
}

/// Whether a notification is for what was read.
fn watches(handler: &Handler<'_>, reading: &Reading) -> bool {
    if handler.site.is_some() && handler.site != reading.site {
        return false;
    }
    match (&handler.spec.target, reading.subject) {
        (NotificationTarget::All, _) => true,
        (NotificationTarget::Sites { sites }, _) => reading.site.is_some_and(|site| sites.contains(&site)),
        (NotificationTarget::Pools { pools }, _) => reading.pool.is_some_and(|pool| pools.contains(&pool)),
        (NotificationTarget::Hosts { hosts }, Subject::Host(host) | Subject::HostNode(host)) => {
            hosts.contains(&host)
        }
        (
            NotificationTarget::Gateways { gateways },
            Subject::Gateway(gateway) | Subject::GatewayCertificate(gateway) | Subject::GatewayNode(gateway),
        ) => gateways.contains(&gateway),
        (NotificationTarget::Hosts { .. } | NotificationTarget::Gateways { .. }, _) => false,
    }
}

/// Whether it is so; none: nobody knows.
fn is_so(spec: &Notification, value: Value) -> Option<bool> {
    match (value, &spec.threshold) {
        (Value::Unknown, _) => None,
        (Value::Is(so), _) => Some(so),
        (Value::Number { .. }, None) => None,
        (Value::Number { count, of }, Some(line)) => {
            let number = match of {
                Some(most) if line.percent => count / most.max(1.0) * 100.0,
                None if line.percent && !spec.event.is_share() => return None,
                _ => count,
            };
            Some(match line.direction {
                Direction::RisesAbove => number > f64::from(line.value),
                Direction::FallsBelow => number < f64::from(line.value),
            })
        }
    }
}

impl Remembered {
    fn new(spec: &Notification) -> Self {
        Self {
            event: spec.event,
            threshold: spec.threshold,
            last_sent: None,
            lasting: Vec::new(),
            recovered: Vec::new(),
        }
    }

    /// As it is at `now`: what is remembered of other settings is no matter, and a clock that was put back
    /// must not silence anybody.
    fn at(mut self, spec: &Notification, now: Timestamp) -> Self {
        if (self.event, self.threshold) != (spec.event, spec.threshold) {
            self = Self { last_sent: self.last_sent, ..Self::new(spec) };
        }
        self.last_sent = self.last_sent.map(|at| at.min(now));
        for lasting in self.lasting.iter_mut().chain(&mut self.recovered) {
            lasting.since = lasting.since.min(now);
            lasting.told = lasting.told.map(|at| at.min(now));
        }
        if !spec.tell_recovered {
            self.recovered.clear();
        }
        self
    }

    /// Takes in what is so now.
    fn look(&mut self, spec: &Notification, watched: &[&Reading], now: Timestamp) {
        let before: HashMap<_, _> =
            self.lasting.drain(..).map(|lasting| (lasting.subject, lasting)).collect();
        let mut recovered: HashMap<_, _> =
            self.recovered.drain(..).map(|lasting| (lasting.subject, lasting)).collect();
        let mut now_so = BTreeMap::new();
        for reading in watched {
            let subject = reading.subject;
            let known = before.get(&subject).copied();
            // Only who heard of it wants to hear that it is over; if it is so again before that, of that.
            let over = known.filter(|known| spec.tell_recovered && known.told.is_some());
            let over = over.or_else(|| recovered.remove(&subject));
            let lasting = match is_so(spec, reading.value) {
                Some(false) => None,
                Some(true) => Some(known.unwrap_or(Lasting { subject, since: now, told: None })),
                None => known,
            };
            match (lasting, over) {
                (Some(lasting), _) => {
                    now_so.insert(subject, lasting);
                }
                (None, Some(over)) => self.recovered.push(over),
                (None, None) => {}
            }
        }
        self.lasting = now_so.into_values().collect();
    }

    /// What is to be told now: what is so, longest first, and what is well again.
    fn due(&self, spec: &Notification, watched: &[&Reading], now: Timestamp) -> Vec<Happening> {
        let minutes = |minutes: u32| SignedDuration::from_mins(minutes.into());
        let interval = minutes(spec.interval_minutes.max(1));
        if self.last_sent.is_some_and(|at| now.duration_since(at) < interval) {
            return Vec::new();
        }
        let by_subject = |all: &[Lasting]| -> HashMap<_, _> {
            all.iter().map(|lasting| (lasting.subject, *lasting)).collect()
        };
        let (lasting, recovered) = (by_subject(&self.lasting), by_subject(&self.recovered));
        let is_due = |lasting: &Lasting| {
            let is_old_enough = now.duration_since(lasting.since) >= minutes(spec.grace_minutes);
            let is_open = match lasting.told {
                None => true,
                Some(told) => !spec.until_recovered && now.duration_since(told) >= interval,
            };
            is_old_enough && is_open
        };
        let due = watched.iter().filter_map(|reading| {
            let lasting = lasting.get(&reading.subject).filter(|lasting| is_due(lasting))?;
            // What nobody knows is not told.
            is_so(spec, reading.value)?;
            Some(Happening { reading: (*reading).clone(), since: lasting.since, recovered: false })
        });
        let recovered = watched.iter().filter_map(|reading| {
            let since = recovered.get(&reading.subject)?.since;
            is_so(spec, reading.value)?;
            Some(Happening { reading: (*reading).clone(), since, recovered: true })
        });
        let mut due: Vec<_> = due.chain(recovered).collect();
        due.sort_by_key(|happening| (happening.recovered, happening.since, happening.reading.subject));
        due
    }

    fn tell(&mut self, due: &[Happening], now: Timestamp) {
        self.last_sent = Some(now);
        let told: HashSet<_> = due.iter().map(|happening| happening.reading.subject).collect();
        self.recovered.retain(|over| !told.contains(&over.subject));
        for lasting in self.lasting.iter_mut().filter(|lasting| told.contains(&lasting.subject)) {
            lasting.told = Some(now);
        }
    }
}

#[cfg(test)]
mod tests;
