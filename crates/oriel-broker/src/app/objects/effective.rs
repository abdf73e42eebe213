//! What holds in a pool and in a site, with inheritance resolved, and where it comes from.

use oriel_model::{
    Object,
    host::{EffectiveHostSettings, HostSettings},
    inherit::{Inherited, Level, Origins},
    pool::{Balancing, EffectiveBalancing, Pool},
    site::{AllowedClients, PublishingDefaults, Site, SiteSection},
};
use schemars::JsonSchema;
use serde::Serialize;

use crate::farm::FarmView;

/// What holds in a pool.
#[derive(Debug, Clone, PartialEq)]
pub struct EffectivePool {
    /// What holds for its members unless they say otherwise themselves.
    pub effective: PoolEffects,
    /// Where each value comes from.
    pub origins: PoolOrigins,
}

/// A pool's settings with every field decided.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct PoolEffects {
    /// What members inherit.
    pub settings: EffectiveHostSettings,
    /// How sessions are spread over the members.
    pub balancing: EffectiveBalancing,
}

/// Where a pool's settings come from.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct PoolOrigins {
    /// Of what members inherit.
    pub settings: Origins,
    /// Of load balancing.
    pub balancing: Origins,
}

/// What is shown of a site beside what is set.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct EffectiveSite {
    /// What holds in the site.
    pub effective: SiteEffects,
    /// Where each value comes from.
    pub origins: SiteOrigins,
}

/// A site's settings with every field decided.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct SiteEffects {
    /// What hosts inherit.
    pub host_defaults: EffectiveHostSettings,
    /// What pools inherit.
    pub balancing_defaults: EffectiveBalancing,
    /// Which clients are let in.
    pub clients: AllowedClients,
    /// What resources have in common.
    pub publishing: PublishingDefaults,
}

/// Where a site's settings come from.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct SiteOrigins {
    /// Of what hosts inherit.
    pub host_defaults: Origins,
    /// Of what pools inherit.
    pub balancing_defaults: Origins,
    /// Of the clients that are let in.
    pub clients: Level,
    /// Of what resources have in common.
    pub publishing: Level,
}

impl EffectivePool {
    /// Of this pool.
    pub fn of(view: &FarmView, pool: &Object<Pool>) -> Self {
        let mut levels = vec![(Level::Pool, &pool.spec.settings)];
        if let Some((level, said)) = pool.site.and_then(|site| section(view, site, SiteSection::HostDefaults))
        {
            levels.push((level, &said.host_defaults));
        }
        let (settings, settings_origins) = HostSettings::resolve(&levels);
        let (balancing, balancing_origins) = view.effective_balancing(pool.id);
        Self {
            effective: PoolEffects { settings, balancing },
            origins: PoolOrigins { settings: settings_origins, balancing: balancing_origins },
        }
    }
}

impl EffectiveSite {
    /// Of this site.
    pub fn of(view: &FarmView, site: &Object<Site>) -> Self {
        let said = |which| section(view, site.id, which).unwrap_or((Level::Site, &site.spec));
        let (level, hosts) = said(SiteSection::HostDefaults);
        let (host_defaults, host_origins) = HostSettings::resolve(&[(level, &hosts.host_defaults)]);
        let (level, pools) = said(SiteSection::BalancingDefaults);
        let (balancing_defaults, balancing_origins) =
            Balancing::resolve(&[(level, &pools.balancing_defaults)]);
        let (clients_level, clients) = said(SiteSection::Clients);
        let (publishing_level, publishing) = said(SiteSection::Publishing);
        Self {
            effective: SiteEffects {
                host_defaults,
                balancing_defaults,
                clients: clients.clients.clone(),
                publishing: publishing.publishing.clone(),
            },
            origins: SiteOrigins {
                host_defaults: host_origins,
                balancing_defaults: balancing_origins,
                clients: clients_level,
                publishing: publishing_level,
            },
        }
    }
}

/// What a section of a site says, and whose that is.
fn section(view: &FarmView, site: oriel_model::Id<Site>, which: SiteSection) -> Option<(Level, &Site)> {
    let said = view.section_of(site, which)?;
    Some((if said.id == site { Level::Site } else { Level::FollowedSite }, &said.spec))
}
