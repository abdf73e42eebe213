//! Groups of users: the farm's own, and those of directories that an administrator has chosen.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    directory::External,
    object::{Kind, Spec},
    validate::{DESCRIPTION_MAX, Mistakes},
};

/// A group of users. Membership is kept with the user, so that one change touches one object; in a directory's
/// group are also those whom the directory says.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Group {
    /// For administrators.
    pub description: String,
    /// The directory's group that it stands for; absent: it is the farm's own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub external: Option<External>,
}

impl Spec for Group {
    const KIND: Kind = Kind::Group;
    const OWN_FIELDS: &'static [&'static str] = &["external"];

    fn validate(&self, mistakes: &mut Mistakes) {
        mistakes.optional_text("description", &self.description, DESCRIPTION_MAX);
        if let Some(external) = &self.external {
            mistakes.within("external", |m| external.validate(m));
        }
    }
}
