//! Session hosts with inheritance resolved.

use std::{collections::HashMap, sync::Arc};

use oriel_model::{
    Id,
    host::{EffectiveHostSettings, Host, HostSettings},
    inherit::Inherited,
    pool::{Balancing, Pool},
    site::Site,
};

use super::{FarmView, Objects};

/// What holds for a host, wherever it is said.
#[derive(Debug, Clone, PartialEq)]
pub struct ResolvedHost {
    /// Its name, of which copies are cheap.
    pub name: Arc<str>,
    /// Whether it and its pool are enabled.
    pub enabled: bool,
    /// Its settings.
    pub settings: EffectiveHostSettings,
    /// How long its agent may be silent before nothing more is placed on it.
    pub agent_timeout_secs: u32,
}

/// All hosts, resolved: once for every change of a host, a pool or a site, not for every launch.
#[derive(Debug, Clone, Default)]
pub struct ResolvedHosts {
    by_id: Arc<HashMap<Id<Host>, ResolvedHost>>,
    hosts: Arc<Objects<Host>>,
    pools: Arc<Objects<Pool>>,
    sites: Arc<Objects<Site>>,
}

impl ResolvedHosts {
    /// A host; none: there is no such host.
    pub fn get(&self, host: Id<Host>) -> Option<&ResolvedHost> {
        self.by_id.get(&host)
    }

    /// Whether it was made from what a view says now.
    pub(super) fn is_of(&self, view: &FarmView) -> bool {
        Arc::ptr_eq(&self.hosts, &view.hosts)
            && Arc::ptr_eq(&self.pools, &view.pools)
            && Arc::ptr_eq(&self.sites, &view.sites)
    }

    /// The hosts of a view.
    pub(super) fn new(view: &FarmView) -> Self {
        let by_id = view.hosts.iter().map(|host| {
            let pool = view.pools.get(host.spec.pool);
            let resolved = ResolvedHost {
                name: host.name.as_str().into(),
                enabled: host.spec.enabled && pool.is_some_and(|pool| pool.spec.enabled),
                settings: HostSettings::effective(&view.levels_of_host(host)),
                agent_timeout_secs: Balancing::effective(&view.levels_of_pool(host.spec.pool))
                    .agent_timeout_secs,
            };
            (host.id, resolved)
        });
        Self {
            by_id: Arc::new(by_id.collect()),
            hosts: view.hosts.clone(),
            pools: view.pools.clone(),
            sites: view.sites.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use oriel_model::{Kind, SettingsObject, Timestamp};
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn a_change_of_any_level_is_seen() {
        let now = Timestamp::UNIX_EPOCH;
        let [site, pool, host]: [Id<Value>; 3] = std::array::from_fn(|_| Id::generate(now));
        let object = |kind, id, site: Option<Id<Value>>, spec| SettingsObject {
            kind,
            id,
            name: "x".into(),
            site: site.map(Id::cast),
            spec,
            revision: 1,
            changed_at: now,
            changed_by: "t".into(),
        };
        let mut view = FarmView::default();
        let mut check = |changed: SettingsObject, enabled: bool, sessions: u32, timeout: u32| {
            view.put(&changed);
            view.reindex();
            let resolved = view
                .resolved_hosts
                .get(host.cast())
                .map(|host| (host.enabled, host.settings.max_sessions, host.agent_timeout_secs));
            assert_eq!(resolved, Some((enabled, sessions, timeout)));
        };
        check(object(Kind::Host, host, None, json!({"pool": pool})), false, 250, 5);
        check(object(Kind::Site, site, None, json!({"host_defaults": {"max_sessions": 4}})), false, 250, 5);
        check(object(Kind::Pool, pool, Some(site), json!({})), true, 4, 5);
        let balancing = json!({"balancing": {"agent_timeout_secs": 9}, "settings": {"max_sessions": 3}});
        check(object(Kind::Pool, pool, Some(site), balancing), true, 3, 9);
        check(
            object(Kind::Site, site, None, json!({"balancing_defaults": {"agent_timeout_secs": 8}})),
            true,
            3,
            9,
        );
        check(object(Kind::Host, host, None, json!({"pool": pool, "enabled": false})), false, 3, 9);
        check(
            object(Kind::Host, host, None, json!({"pool": pool, "settings": {"max_sessions": 2}})),
            true,
            2,
            9,
        );
    }
}
