//! Sites: places within a farm, with their own brokers, gateways and hosts.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    host::HostSettings,
    object::{Kind, Spec},
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
}

impl Spec for Site {
    const KIND: Kind = Kind::Site;

    fn validate(&self, mistakes: &mut Mistakes) {
        mistakes.optional_text("description", &self.description, DESCRIPTION_MAX);
        mistakes.within("host_defaults", |m| self.host_defaults.validate(m));
    }
}
