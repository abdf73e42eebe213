//! The farm's settings in memory: decoded, indexed, replaced whole with every change. A copy shares what has
//! not changed, so that a change costs the same in a large farm as in a small one.
//!
//! Sign-in, listing and launch read a [`FarmView`] and never wait for the store. Objects that this
//! version cannot decode are left out and listed in [`FarmView::unreadable`].

mod feed;
mod in_order;
mod listing;
mod objects;
mod people;
mod resolved;

use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
};

use oriel_model::{
    Id, Kind, Object, SettingsObject, Spec,
    broker::Broker,
    directory::Directory,
    farm::Farm,
    gateway::Gateway,
    host::{EffectiveHostSettings, Host, HostSettings},
    inherit::{Inherited, Level, Origins},
    logon_hours::LogonHours,
    policy::Policy,
    pool::{Balancing, EffectiveBalancing, Pool},
    reference::{self, Reference},
    resource::{Resource, Source},
    site::{Site, SiteSection},
    sorted::SortedMap,
    user::User,
};
use oriel_store::Snapshot;
use serde_json::Value;

pub use feed::{Changes, FarmFeed, NotCaughtUp};
pub use in_order::InOrder;
pub use listing::Listing;
pub use objects::Objects;
pub use people::{KnownPeople, Person};
pub use resolved::{ResolvedHost, ResolvedHosts};

use crate::{
    app::{credential::Credential, factor::Factor},
    directories::BindPassword,
};

/// A kind whose objects a [`FarmView`] holds: every one.
pub trait Held: Spec {
    /// Its objects.
    fn all(view: &FarmView) -> &Objects<Self>;

    /// Takes an object into a view that is only tried out: indices over several objects stay as they are.
    fn insert(view: &mut FarmView, object: Object<Self>);
}

macro_rules! farm_view {
    ($($variant:ident, $spec:ty, $word:literal, $plural:ident, $area:ident, $about:literal;)*) => {
        /// Every settings object of the farm at one moment.
        #[derive(Debug, Clone, Default)]
        pub struct FarmView {
            /// Sequence number of the newest change taken in.
            pub sequence: u64,
            $(#[doc = $about] pub $plural: Arc<Objects<$spec>>,)*
            /// The password hashes of users, opened.
            pub credentials: Arc<SortedMap<Id<User>, Credential>>,
            /// The second factors of users, opened.
            pub factors: Arc<SortedMap<Id<User>, Factor>>,
            /// The passwords of directories' service accounts, opened.
            pub bind_passwords: Arc<SortedMap<Id<Directory>, BindPassword>>,
            /// People of directories, shared by all views.
            pub people: Arc<KnownPeople>,
            /// Resources in the order and with the status in which users see them.
            pub listing: Arc<Listing>,
            /// The resources that changed since `listing` was made.
            unlisted: Vec<Id<Resource>>,
            /// Hosts with inheritance resolved.
            pub resolved_hosts: ResolvedHosts,
            /// Client policies in their order.
            pub policy_order: InOrder<Policy>,
            /// Logon hours in their order.
            pub hours_order: InOrder<LogonHours>,
            /// Objects that this version cannot decode.
            pub unreadable: Arc<HashMap<Id<Value>, SettingsObject>>,
        }

        impl FarmView {
            /// Decodes one object into its place; whether it could be.
            fn take(&mut self, object: &SettingsObject) -> bool {
                match object.kind {
                    $(Kind::$variant => put(&mut self.$plural, object),)*
                }
            }

            /// Takes one object out of its place.
            fn drop_object(&mut self, kind: Kind, id: Id<Value>) {
                match kind {
                    $(Kind::$variant => Arc::make_mut(&mut self.$plural).remove(id.cast()),)*
                }
            }

            /// The name of an object of any kind.
            pub fn name_of(&self, kind: Kind, id: Id<Value>) -> Option<&str> {
                match kind {
                    $(Kind::$variant => self.$plural.get(id.cast()).map(|object| &*object.name),)*
                }
            }

            /// The site that an object of any kind belongs to.
            pub fn site_of_object(&self, kind: Kind, id: Id<Value>) -> Option<Id<Site>> {
                match kind {
                    $(Kind::$variant => self.$plural.get(id.cast()).and_then(|object| object.site),)*
                }
            }

            /// The id of the object of this kind that is called so; upper and lower case are the same.
            pub fn id_of(&self, kind: Kind, name: &str) -> Option<Id<Value>> {
                match kind {
                    $(Kind::$variant => self.$plural.by_name(name).map(|object| object.id.cast()),)*
                }
            }

            /// As [`FarmView::each_reference`], of the objects that may name `id` or belong to it as a site.
            pub fn each_mention(&self, id: Id<Value>, mut visit: impl FnMut(Kind, Id<Value>, &str, Option<Id<Site>>, &[Reference])) {
                $(for object in self.$plural.iter() {
                    if object.site.map(Id::cast) == Some(id) || reference::mentions(&object.spec, id) {
                        let found = reference::of(&object.spec);
                        visit(Kind::$variant, object.id.cast(), &object.name, object.site, &found);
                    }
                })*
            }

            /// The names and the references of every object of every kind, for those who ask who uses one.
            pub fn each_reference(&self, mut visit: impl FnMut(Kind, Id<Value>, &str, Option<Id<Site>>, &[Reference])) {
                $(for object in self.$plural.iter() {
                    let found = reference::of(&object.spec);
                    visit(Kind::$variant, object.id.cast(), &object.name, object.site, &found);
                })*
            }
        }

        $(impl Held for $spec {
            fn all(view: &FarmView) -> &Objects<Self> {
                &view.$plural
            }

            fn insert(view: &mut FarmView, object: Object<Self>) {
                Arc::make_mut(&mut view.$plural).insert(object);
            }
        })*
    };
}

oriel_model::every_kind!(farm_view);

/// A host's settings with inheritance resolved, and where each comes from.
pub type HostSettingsHere = (EffectiveHostSettings, Origins);

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

    /// The site that a section of `site`'s settings is taken from: itself, or the one it follows.
    pub fn section_of(&self, site: Id<Site>, section: SiteSection) -> Option<&Arc<Object<Site>>> {
        let own = self.sites.get(site)?;
        // One step: a site that follows a follower is refused when it is written.
        own.spec.follows.get(&section).and_then(|followed| self.sites.get(*followed)).or(Some(own))
    }

    /// The site that a host is in: its own, else its pool's.
    pub fn site_of_host(&self, host: Id<Host>) -> Option<Id<Site>> {
        let host = self.hosts.get(host)?;
        host.site.or_else(|| self.pools.get(host.spec.pool)?.site)
    }

    /// The site that somebody signs in to who comes through `gateway` to `broker`.
    pub fn site_of(&self, gateway: Option<Id<Gateway>>, broker: Id<Broker>) -> Option<Id<Site>> {
        let of_gateway = gateway.and_then(|gateway| self.gateways.get(gateway)?.site);
        of_gateway.or_else(|| self.brokers.get(broker)?.site)
    }

    /// A host's settings with inheritance resolved; none for a host that does not exist.
    pub fn effective_settings(&self, host: Id<Host>) -> Option<HostSettingsHere> {
        let host = self.hosts.get(host)?;
        Some(HostSettings::resolve(&self.levels_of_host(host)))
    }

    /// What a host's settings are said by, the nearest first.
    fn levels_of_host<'a>(&'a self, host: &'a Object<Host>) -> Vec<(Level, &'a HostSettings)> {
        let pool = self.pools.get(host.spec.pool);
        let mut levels = vec![(Level::Host, &host.spec.settings)];
        levels.extend(pool.map(|pool| (Level::Pool, &pool.spec.settings)));
        if let Some(site) = host.site.or_else(|| pool?.site)
            && let Some(said) = self.section_of(site, SiteSection::HostDefaults)
        {
            levels.push((site_level(site, said), &said.spec.host_defaults));
        }
        levels
    }

    /// A pool's load balancing with inheritance resolved; the product's for a pool that does not exist.
    pub fn effective_balancing(&self, pool: Id<Pool>) -> (EffectiveBalancing, Origins) {
        Balancing::resolve(&self.levels_of_pool(pool))
    }

    /// What a pool's load balancing is said by, the nearest first.
    pub fn levels_of_pool(&self, pool: Id<Pool>) -> Vec<(Level, &Balancing)> {
        let Some(pool) = self.pools.get(pool) else { return Vec::new() };
        let mut levels = vec![(Level::Pool, &pool.spec.balancing)];
        if let Some(site) = pool.site
            && let Some(said) = self.section_of(site, SiteSection::BalancingDefaults)
        {
            levels.push((site_level(site, said), &said.spec.balancing_defaults));
        }
        levels
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
        self.note(object.kind, object.id);
        let decoded = self.take(object);
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
        self.note(kind, id);
        self.drop_object(kind, id);
        if self.unreadable.contains_key(&id) {
            Arc::make_mut(&mut self.unreadable).remove(&id);
        }
        if kind == Kind::User && self.credentials.contains_key(&id.cast()) {
            Arc::make_mut(&mut self.credentials).remove(&id.cast());
        }
        if kind == Kind::Directory && self.bind_passwords.contains_key(&id.cast()) {
            Arc::make_mut(&mut self.bind_passwords).remove(&id.cast());
        }
        if kind == Kind::User && self.factors.contains_key(&id.cast()) {
            Arc::make_mut(&mut self.factors).remove(&id.cast());
        }
    }

    fn note(&mut self, kind: Kind, id: Id<Value>) {
        if kind == Kind::Resource {
            self.unlisted.push(id.cast());
        }
    }

    /// Brings the indices over several objects up to date.
    pub fn reindex(&mut self) {
        if !self.unlisted.is_empty() {
            let changed = std::mem::take(&mut self.unlisted).into_iter();
            let changed = changed.map(|id| (id, self.resources.get(id).cloned())).collect();
            Arc::make_mut(&mut self.listing).take_in(changed);
        }
        if !self.resolved_hosts.is_of(self) {
            self.resolved_hosts = ResolvedHosts::new(self);
        }
        self.policy_order.follow(&self.policies);
        self.hours_order.follow(&self.logon_hours);
    }
}

fn site_level(site: Id<Site>, said: &Object<Site>) -> Level {
    if said.id == site { Level::Site } else { Level::FollowedSite }
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
