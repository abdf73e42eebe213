//! Sites: places within a farm, with their own brokers, gateways and hosts.

use std::collections::BTreeMap;

use jiff::civil::Date;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    host::HostSettings,
    id::Id,
    object::{Kind, Spec},
    pool::Balancing,
    rule::ClientKindMatch,
    validate::{DESCRIPTION_MAX, Mistakes},
};

/// A place within a farm.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Site {
    /// For administrators.
    pub description: String,
    /// What hosts of the site inherit when neither they nor their pool say otherwise.
    pub host_defaults: HostSettings,
    /// What pools of the site inherit.
    pub balancing_defaults: Balancing,
    /// Which clients are let in.
    pub clients: AllowedClients,
    /// Resources of the site.
    pub publishing: PublishingDefaults,
    /// Sections that are kept in step with another site: what that one says holds here too.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub follows: BTreeMap<SiteSection, Id<Site>>,
}

/// A section of a site's settings: what is copied to other sites, or kept in step with one, as a whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SiteSection {
    /// [`Site::host_defaults`].
    HostDefaults,
    /// [`Site::balancing_defaults`].
    BalancingDefaults,
    /// [`Site::clients`].
    Clients,
    /// [`Site::publishing`].
    Publishing,
}

impl SiteSection {
    /// Every section.
    pub const ALL: [SiteSection; 4] = [
        SiteSection::HostDefaults,
        SiteSection::BalancingDefaults,
        SiteSection::Clients,
        SiteSection::Publishing,
    ];

    /// Its field in [`Site`].
    pub fn as_str(self) -> &'static str {
        match self {
            SiteSection::HostDefaults => "host_defaults",
            SiteSection::BalancingDefaults => "balancing_defaults",
            SiteSection::Clients => "clients",
            SiteSection::Publishing => "publishing",
        }
    }

    /// Makes this section of `to` say what `from` says.
    pub fn copy(self, from: &Site, to: &mut Site) {
        match self {
            SiteSection::HostDefaults => to.host_defaults = from.host_defaults.clone(),
            SiteSection::BalancingDefaults => to.balancing_defaults = from.balancing_defaults.clone(),
            SiteSection::Clients => to.clients = from.clients.clone(),
            SiteSection::Publishing => to.publishing = from.publishing.clone(),
        }
    }
}

/// Which clients are let in.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct AllowedClients {
    /// How strictly.
    pub mode: ClientMode,
    /// Those that are let in, each from a version on.
    pub clients: Vec<ClientKindMatch>,
    /// What users of other clients read; empty: a sentence of the product's.
    pub message: String,
}

/// How strictly clients are chosen.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ClientMode {
    /// All are let in.
    #[default]
    Any,
    /// All may sign in; only those listed see resources and open them.
    ListedToOpen,
    /// Only those listed may sign in.
    ListedToSignIn,
}

/// What resources of a site have in common.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct PublishingDefaults {
    /// What users read who open something in maintenance that has no message of its own.
    pub maintenance_message: String,
    /// What users read at the limit of concurrent uses of something that has no message of its own.
    pub limit_message: String,
    /// Days on which no session is started at sign-in.
    pub no_prelaunch_on: Vec<Date>,
}

/// More days than a year has.
const DAYS_MAX: usize = 366;
/// Kinds of client, each a few times with another version.
const CLIENTS_MAX: usize = 32;

impl Spec for Site {
    const KIND: Kind = Kind::Site;

    fn validate(&self, mistakes: &mut Mistakes) {
        mistakes.optional_text("description", &self.description, DESCRIPTION_MAX);
        mistakes.within("host_defaults", |m| self.host_defaults.validate(m));
        mistakes.within("balancing_defaults", |m| self.balancing_defaults.check(m));
        mistakes.within("clients", |m| self.clients.validate(m));
        mistakes.within("publishing", |m| {
            m.optional_text("maintenance_message", &self.publishing.maintenance_message, 500);
            m.optional_text("limit_message", &self.publishing.limit_message, 500);
            if self.publishing.no_prelaunch_on.len() > DAYS_MAX {
                m.add("no_prelaunch_on", format!("has more than {DAYS_MAX} entries"));
            }
        });
    }
}

impl AllowedClients {
    fn validate(&self, mistakes: &mut Mistakes) {
        if self.mode != ClientMode::Any && self.clients.is_empty() {
            mistakes.add("clients", "needs at least one client, or nobody gets in");
        }
        if self.clients.len() > CLIENTS_MAX {
            mistakes.add("clients", format!("has more than {CLIENTS_MAX} entries"));
        }
        for (index, client) in self.clients.iter().enumerate() {
            client.validate(&format!("clients[{index}]"), mistakes);
        }
        mistakes.optional_text("message", &self.message, 500);
    }
}
