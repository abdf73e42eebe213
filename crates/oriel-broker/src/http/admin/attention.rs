//! What wants an administrator's attention, beside hosts and gateways that are away, backups and certificates.
//! Counted where it is known, so that a page that warns of it need not load every list.

use std::collections::HashSet;

use jiff::SignedDuration;
use oriel_model::{
    Id, Object,
    permission::{Action, Area},
    resource::Resource,
};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use crate::{
    Broker,
    app::administrators::Rights,
    farm::{FarmView, Held, Objects},
};

/// How many of those that are concerned are named: as many as a sentence takes.
const NAMED_MAX: usize = 3;
/// For how long it is told that entries of the log were lost: until somebody has looked.
const LOST_FOR: SignedDuration = SignedDuration::from_hours(24);

/// What wants attention, of what the caller may see.
#[derive(Debug, Default, Serialize, JsonSchema)]
pub struct Attention {
    /// Notifications whose latest message could not be sent.
    pub notifications_not_sent: Concerned,
    /// Schedules that gave up some host at their latest time.
    pub schedules_given_up: Concerned,
    /// Resources that as many use as may at a time.
    pub resources_full: Concerned,
    /// Session hosts whose agent is of another version than this broker.
    pub hosts_of_other_version: Concerned,
    /// Gateways of another version than this broker.
    pub gateways_of_other_version: Concerned,
    /// Events of the last 24 hours that could not be written into the log; null for who may not see it.
    pub log_lost: Option<u64>,
}

/// The objects that something concerns.
#[derive(Debug, Default, Serialize, JsonSchema)]
pub struct Concerned {
    /// How many.
    pub count: usize,
    /// The first three by name.
    pub first: Vec<Named>,
}

/// An object by its name.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Named {
    /// Its id.
    #[schemars(with = "uuid::Uuid")]
    pub id: Id<Value>,
    /// Its name.
    pub name: String,
}

impl Concerned {
    fn of<S: Held>(rights: &Rights, all: &Objects<S>, concerns: impl Fn(&Object<S>) -> bool) -> Self {
        let mut seen: Vec<_> =
            all.iter().filter(|object| concerns(object)).filter(|object| rights.sees(object)).collect();
        seen.sort_by(|a, b| a.name.cmp(&b.name));
        let named = seen.iter().take(NAMED_MAX);
        let first = named.map(|object| Named { id: object.id.cast(), name: object.name.clone() }).collect();
        Self { count: seen.len(), first }
    }
}

/// What wants attention now.
pub fn of(broker: &Broker, rights: &Rights) -> Attention {
    let view = broker.farm.load();
    let is_other = |version: &str| version != env!("CARGO_PKG_VERSION");
    let full = full(broker, &view);
    Attention {
        notifications_not_sent: Concerned::of(rights, &view.notifications, |object| {
            object.spec.enabled && broker.notifications.state(object.id).failure.is_some()
        }),
        schedules_given_up: Concerned::of(rights, &view.schedules, |object| {
            let last = broker.schedule_runs(object.id).into_iter().next();
            object.spec.enabled && last.is_some_and(|run| run.given_up > 0)
        }),
        resources_full: Concerned::of(rights, &view.resources, |object| full.contains(&object.id)),
        hosts_of_other_version: Concerned::of(rights, &view.hosts, |object| {
            let live = broker.hosts.live(object.id).filter(|live| live.connected);
            live.is_some_and(|live| is_other(&live.hello.version))
        }),
        gateways_of_other_version: Concerned::of(rights, &view.gateways, |object| {
            broker.gateways.live(object.id).is_some_and(|live| is_other(&live.version))
        }),
        log_lost: rights
            .anywhere(Area::Audit, Action::View)
            .then(|| broker.audit.lost_since(broker.now() - LOST_FOR)),
    }
}

/// The resources that nobody more may use at the moment.
fn full(broker: &Broker, view: &FarmView) -> HashSet<Id<Resource>> {
    let limit = |object: &Object<Resource>| Some((object.id, object.spec.limit.as_ref()?.uses));
    let limited: Vec<_> = view.resources.iter().filter_map(|object| limit(object)).collect();
    let uses = broker.uses.counts(view, &broker.hosts, limited.iter().map(|(id, _)| *id));
    limited.into_iter().zip(uses).filter(|((_, most), uses)| uses >= most).map(|((id, _), _)| id).collect()
}
