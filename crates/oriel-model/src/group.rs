//! Groups of users in the farm's own directory.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    object::{Kind, Spec},
    validate::{DESCRIPTION_MAX, Mistakes},
};

/// A group of users. Membership is kept with the user, so that one change touches one object.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Group {
    /// For administrators.
    pub description: String,
}

impl Spec for Group {
    const KIND: Kind = Kind::Group;

    fn validate(&self, mistakes: &mut Mistakes) {
        mistakes.optional_text("description", &self.description, DESCRIPTION_MAX);
    }
}
