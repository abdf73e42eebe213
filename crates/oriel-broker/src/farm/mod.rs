//! The farm's settings in memory: decoded, indexed, replaced whole with every change.
//!
//! Sign-in, listing and launch read a [`FarmView`] and never wait for the store. Objects that this
//! version cannot decode are left out and listed in [`FarmView::unreadable`].

mod feed;
mod listing;
mod objects;

use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
};

use oriel_model::{
    Id, Kind, Object, SettingsObject, Spec,
    broker::Broker,
    farm::Farm,
    gateway::Gateway,
    group::Group,
    host::{EffectiveHostSettings, Host},
    invitation::Invitation,
    pool::Pool,
    resource::{Resource, Source},
    site::Site,
    token::Token,
    user::User,
};
use oriel_store::Snapshot;
use serde_json::Value;

pub use feed::{FarmFeed, NotCaughtUp};
pub use listing::Listing;
pub use objects::Objects;

use crate::app::credential::Credential;

/// Every settings object of the farm at one moment.
#[derive(Debug, Clone, Default)]
pub struct FarmView {
    /// Sequence number of the newest change taken in.
    pub sequence: u64,
    /// The farm itself (one object).
    pub farms: Arc<Objects<Farm>>,
    /// Sites.
    pub sites: Arc<Objects<Site>>,
    /// Brokers.
    pub brokers: Arc<Objects<Broker>>,
    /// Gateways.
    pub gateways: Arc<Objects<Gateway>>,
    /// Host pools.
    pub pools: Arc<Objects<Pool>>,
    /// Session hosts.
    pub hosts: Arc<Objects<Host>>,
    /// Groups.
    pub groups: Arc<Objects<Group>>,
    /// Users.
    pub users: Arc<Objects<User>>,
    /// Published resources.
    pub resources: Arc<Objects<Resource>>,
    /// API tokens.
    pub tokens: Arc<Objects<Token>>,
    /// Invitations.
    pub invitations: Arc<Objects<Invitation>>,
    /// The password hashes of users, opened.
    pub credentials: Arc<HashMap<Id<User>, Credential>>,
    /// Resources in the order and with the status in which users see them.
    pub listing: Arc<Listing>,
    /// The resources that `listing` was made from.
    listed: Arc<Objects<Resource>>,
    /// Objects that this version cannot decode.
    pub unreadable: Arc<HashMap<Id<Value>, SettingsObject>>,
}

impl FarmView {
    /// Decodes a snapshot of the store; credentials come separately.
    pub fn from_snapshot(snapshot: &Snapshot) -> Self {
        let mut view = Self { sequence: snapshot.sequence, ..Self::default() };
        for object in &snapshot.objects {
            view.put(object);
        }
        view.reindex();
        view
    }

    /// The farm's own settings; the defaults while they cannot be read.
    pub fn farm(&self) -> Farm {
        self.farms.iter().next().map(|farm| farm.spec.clone()).unwrap_or_default()
    }

    /// The farm's name.
    pub fn farm_name(&self) -> String {
        self.farms.iter().next().map(|farm| farm.name.clone()).unwrap_or_default()
    }

    /// A host's settings with inheritance resolved; none for a host that does not exist.
    pub fn effective_settings(&self, host: Id<Host>) -> Option<EffectiveHostSettings> {
        let host = self.hosts.get(host)?;
        let pool = self.pools.get(host.spec.pool);
        let site = host.site.or_else(|| pool.and_then(|pool| pool.site)).and_then(|id| self.sites.get(id));
        let levels = [
            Some(&host.spec.settings),
            pool.map(|pool| &pool.spec.settings),
            site.map(|site| &site.spec.host_defaults),
        ];
        Some(EffectiveHostSettings::resolve(levels.into_iter().flatten()))
    }

    /// The hosts that a source names, each once, in no order.
    pub fn hosts_of(&self, source: &Source) -> Vec<&Arc<Object<Host>>> {
        match source {
            Source::AllHosts => self.hosts.iter().collect(),
            Source::Pools { pools } => {
                self.hosts.iter().filter(|host| pools.contains(&host.spec.pool)).collect()
            }
            Source::Hosts { hosts } => {
                let once: BTreeSet<_> = hosts.iter().collect();
                once.into_iter().filter_map(|id| self.hosts.get(*id)).collect()
            }
        }
    }

    /// Takes in an object as it is now. Call [`FarmView::reindex`] after the last one.
    pub fn put(&mut self, object: &SettingsObject) {
        let decoded = match object.kind {
            Kind::Farm => put(&mut self.farms, object),
            Kind::Site => put(&mut self.sites, object),
            Kind::Broker => put(&mut self.brokers, object),
            Kind::Gateway => put(&mut self.gateways, object),
            Kind::Pool => put(&mut self.pools, object),
            Kind::Host => put(&mut self.hosts, object),
            Kind::Group => put(&mut self.groups, object),
            Kind::User => put(&mut self.users, object),
            Kind::Resource => put(&mut self.resources, object),
            Kind::Token => put(&mut self.tokens, object),
            Kind::Invitation => put(&mut self.invitations, object),
        };
        if decoded {
            if self.unreadable.contains_key(&object.id) {
                Arc::make_mut(&mut self.unreadable).remove(&object.id);
            }
        } else {
            Arc::make_mut(&mut self.unreadable).insert(object.id, object.clone());
        }
    }

    /// Forgets an object that was deleted. Call [`FarmView::reindex`] after the last one.
    pub fn remove(&mut self, kind: Kind, id: Id<Value>) {
        match kind {
            Kind::Farm => Arc::make_mut(&mut self.farms).remove(id.cast()),
            Kind::Site => Arc::make_mut(&mut self.sites).remove(id.cast()),
            Kind::Broker => Arc::make_mut(&mut self.brokers).remove(id.cast()),
            Kind::Gateway => Arc::make_mut(&mut self.gateways).remove(id.cast()),
            Kind::Pool => Arc::make_mut(&mut self.pools).remove(id.cast()),
            Kind::Host => Arc::make_mut(&mut self.hosts).remove(id.cast()),
            Kind::Group => Arc::make_mut(&mut self.groups).remove(id.cast()),
            Kind::User => Arc::make_mut(&mut self.users).remove(id.cast()),
            Kind::Resource => Arc::make_mut(&mut self.resources).remove(id.cast()),
            Kind::Token => Arc::make_mut(&mut self.tokens).remove(id.cast()),
            Kind::Invitation => Arc::make_mut(&mut self.invitations).remove(id.cast()),
        }
        if self.unreadable.contains_key(&id) {
            Arc::make_mut(&mut self.unreadable).remove(&id);
        }
        if kind == Kind::User && self.credentials.contains_key(&id.cast()) {
            Arc::make_mut(&mut self.credentials).remove(&id.cast());
        }
    }

    /// Makes the indices over several objects anew.
    pub fn reindex(&mut self) {
        // Most changes are of other kinds, and the index of a large farm costs milliseconds.
        if !Arc::ptr_eq(&self.listed, &self.resources) {
            self.listing = Arc::new(Listing::new(&self.resources));
            self.listed = self.resources.clone();
        }
    }
}

/// Takes the object in; one that cannot be decoded is logged and left out.
fn put<S: Spec>(objects: &mut Arc<Objects<S>>, object: &SettingsObject) -> bool {
    match object.decode::<S>() {
        Ok(decoded) => {
            Arc::make_mut(objects).insert(decoded);
            true
        }
        Err(error) => {
            tracing::error!(object.id = %object.id, %error, "a settings object cannot be read and is left out");
            Arc::make_mut(objects).remove(object.id.cast());
            false
        }
    }
}
