//! Users: the farm's own, and those of directories that an administrator has chosen.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    directory::External,
    group::Group,
    id::Id,
    object::{Kind, Spec},
    validate::Mistakes,
};

/// A person who uses published resources. The object's name is what they sign in with.
/// The password is not here: its hash is a sealed secret beside the object.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct User {
    /// A disabled user cannot sign in.
    pub enabled: bool,
    /// As shown in the portal.
    pub full_name: String,
    /// The groups they belong to.
    pub groups: Vec<Id<Group>>,
    /// The operating system's account on session hosts; absent: the same as the user's name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
    /// The directory's user that it stands for; absent: the farm's own. What the directory says of them counts
    /// before what is said here, and its groups come on top.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub external: Option<External>,
}

impl Default for User {
    fn default() -> Self {
        Self { enabled: true, full_name: String::new(), groups: Vec::new(), account: None, external: None }
    }
}

/// More groups than a user of any real directory has; bounds what one sign-in costs.
const GROUPS_MAX: usize = 1_024;

impl Spec for User {
    const KIND: Kind = Kind::User;
    const OWN_FIELDS: &'static [&'static str] = &["external"];

    fn validate(&self, mistakes: &mut Mistakes) {
        mistakes.optional_text("full_name", &self.full_name, 255);
        if self.groups.len() > GROUPS_MAX {
            mistakes.add("groups", format!("has more than {GROUPS_MAX} entries"));
        }
        if let Some(account) = &self.account
            && !is_account_name(account)
        {
            mistakes.add("account", ACCOUNT_RULE);
        }
        if let Some(external) = &self.external {
            mistakes.within("external", |m| external.validate(m));
        }
    }
}

/// What an account name may look like, for people.
pub const ACCOUNT_RULE: &str = "must begin with a letter or _ and continue with at most 31 lower-case \
     letters, digits, _, . or -";

/// Whether `name` can be an account on a Linux session host ([useradd(8)], without the trailing `$`).
/// The tilde is left out on purpose: session hosts use it for their own per-session names.
pub fn is_account_name(name: &str) -> bool {
    let mut chars = name.chars();
    chars.next().is_some_and(|c| c.is_ascii_lowercase() || c == '_')
        && name.len() <= 32
        && chars.all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '_' | '-' | '.'))
}

/// Passwords: at least this many characters ([NIST SP 800-63B] 5.1.1.2 says 8).
pub const PASSWORD_MIN: usize = 8;
/// Passwords: at most this many bytes, so that hashing stays bounded.
pub const PASSWORD_MAX: usize = 256;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn account_names_that_could_be_options_paths_or_aliases_are_refused() {
        for good in ["alice", "_svc", "a.b-c_9"] {
            assert!(is_account_name(good), "{good}");
        }
        for bad in ["", "-rf", "Alice", "a/b", "alice~s1", "a b", "9lives", &"x".repeat(33)] {
            assert!(!is_account_name(bad), "{bad}");
        }
    }
}
